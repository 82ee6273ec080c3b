"""Folding: the wave vector g(t) is kept in one cell of the reciprocal lattice, however large it is.

u = M exp(i g.x) is periodic, and g and g - 2 pi b_k / L are equivalent, b_k = B k with the
reciprocal lattice B and integers k: the same magnetisation has the fields u and

    Phi_k u,    Phi_k = exp(-2 pi i (B k).y),    y = x / L.

Where a component of g (in the reciprocal lattice) passes an odd multiple of pi / L, g is moved to
the opposite side of the cell and u is multiplied by Phi_k. So |g_j| L <= pi always, and the fields
are as smooth as the magnetisation itself lets them be (MMG20 2.3, 4.3: there p = g modulo
2 pi / a). Each axis folds when its own component reaches the limit. A component out of a cell of
fewer than three dimensions never does: nothing changes along it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from torrey.cell.operators import CellOperators
from torrey.gradients.waveforms import Segment
from torrey.gradients.waveforms.segments import Vector

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Integers = tuple[int, ...]

#: A wave vector this close to the limit, in cells of the reciprocal lattice, may stay where it is.
_ON_THE_LIMIT = 1e-9


@dataclass(frozen=True)
class Stretch:
    """A part of a waveform on which the folded wave vector is smooth.

    Attributes
    ----------
    segment : Segment
        Of F folded, in the axes of the cell: q F(t) is the folded wave vector.
    fold : tuple of int
        k of the Phi_k that the state is multiplied by before this stretch; zeros for none.
    """

    segment: Segment
    fold: Integers

    def enter(self, cell: CellOperators, u: ComplexArray) -> ComplexArray:
        """States, the columns of u (n_dofs, m), at the beginning of the stretch."""
        return phase(cell, self.fold)[:, None] * u if any(self.fold) else u


@dataclass(frozen=True)
class Zone:
    """The cell of the reciprocal lattice that folded wave vectors lie in.

    Attributes
    ----------
    lattice : (d, d) float
        Rows are the periods of the cell, in units of L.
    period : float
        L (um).
    """

    lattice: Array
    period: float

    @cached_property
    def reciprocal(self) -> Array:
        """B: columns b_j with a_i . b_j = 1 where i = j and 0 elsewhere."""
        return np.asarray(np.linalg.inv(self.lattice), dtype=float)

    def turns(self, g: Array) -> Array:
        """Wave vectors in rad/um as multiples of 2 pi b_j / L: integers are equivalent.

        Parameters
        ----------
        g : (..., c) float
            Components beyond the dimensions d of the cell play no part.

        Returns
        -------
        (..., d) float
        """
        turns = g[..., : len(self.lattice)] @ self.lattice.T * (self.period / (2.0 * np.pi))
        return np.asarray(turns, dtype=float)

    def vector(self, k: Iterable[float]) -> Array:
        """2 pi B k / L (rad/um), shape (d,)."""
        return (2.0 * np.pi / self.period) * (self.reciprocal @ np.asarray(list(k), dtype=float))

    def reach(self, segments: Iterable[Segment], frame: Array, q: float) -> float:
        """Largest |g_j| L over a waveform, in rad: beyond pi it is folded."""
        largest = 0.0
        for segment in segments:
            times = np.linspace(0.0, segment.duration, 2 if segment.linear else 129)
            turns = self.turns(q * segment.jet(times, 0)[:, 0] @ frame)
            largest = max(largest, float(np.abs(turns).max()))
        return 2.0 * np.pi * largest

    def fold(
        self, segments: Iterable[Segment], frame: Array, q: float
    ) -> tuple[tuple[Stretch, ...], ...]:
        """Cut each segment of a waveform where the wave vector is folded.

        Parameters
        ----------
        segments : iterable of Segment
            In the order of time, from g = 0 on.
        frame : (k, c) float
            Axes of the components of F; the folded waveform has c components.
        q : float, rad/um
        """
        outside = (0, frame.shape[1] - len(self.lattice))
        taken: Integers = (0,) * len(self.lattice)
        folded = []
        for segment in segments:
            turned = _turn(segment, frame)
            stretches = []
            for begin, end, k in self._spans(turned, q, taken):
                change = tuple(a - b for a, b in zip(k, taken, strict=True))
                part = part_of(turned, begin, end, np.pad(self.vector(k), outside) / q)
                stretches.append(Stretch(part, change))
                taken = k
            folded.append(tuple(stretches))
        return tuple(folded)

    def _spans(
        self, segment: Segment, q: float, taken: Integers
    ) -> list[tuple[float, float, Integers]]:
        """Parts of a segment: from, to, and the lattice vector that is taken out of g."""
        instants = [0.0, *self._crossings(segment, q), segment.duration]
        spans: list[tuple[float, float, Integers]] = []
        for begin, end in zip(instants[:-1], instants[1:], strict=True):
            k = self._nearest(q * segment.jet((begin + end) / 2, 0)[0], taken)
            first = begin
            if spans and k == taken:  # g touched the limit and went back
                first = spans.pop()[0]
            spans.append((first, end, k))
            taken = k
        return spans

    def _nearest(self, g: Array, stay: Integers) -> Integers:
        """Lattice vector to take out of g; the one taken already where g is on the limit."""
        turns = self.turns(g)
        near = np.abs(turns - stay) <= 0.5 + _ON_THE_LIMIT
        k = np.where(near, stay, np.round(turns))
        return tuple(int(x) for x in k)

    def _crossings(self, segment: Segment, q: float) -> list[float]:
        """Instants inside a segment at which a component passes an odd multiple of pi / L."""
        if segment.constant:
            return []
        found = []
        for axis in range(len(self.lattice)):

            def turn(t: float, axis: int = axis) -> float:
                return float(self.turns(q * segment.jet(t, 0)[0])[axis])

            def slope(t: Array, axis: int = axis) -> Array:
                return np.asarray(self.turns(q * segment.jet(t, 1)[..., 1, :])[..., axis])

            ends = [0.0, *turning_points(segment, slope), segment.duration]
            for begin, end in zip(ends[:-1], ends[1:], strict=True):
                found += _levels(turn, begin, end, segment.linear)
        least = 1e-12 * segment.duration
        inside = sorted(t for t in found if least < t < segment.duration - least)
        # Two components that pass together fold together.
        return [t for i, t in enumerate(inside) if i == 0 or t - inside[i - 1] > least]


def phase(cell: CellOperators, k: Integers) -> ComplexArray:
    """Phi_k at the degrees of freedom of a cell, shape (n_dofs,)."""
    turns = cell.places @ (np.linalg.inv(cell.lattice) @ np.asarray(k, dtype=float))
    factor: ComplexArray = np.exp(-2j * np.pi * turns)
    return factor


def turning_points(segment: Segment, slope: Callable[[Array], Array]) -> list[float]:
    """Zeros of a derivative inside a segment, in order: between them a component is monotone.

    Parameters
    ----------
    segment : Segment
    slope : callable
        The derivative at times (n,) of the segment, shape (n,).
    """
    if segment.linear:
        return []
    waves = 0.0 if segment.wave is None else segment.wave.omega * segment.duration
    t = np.linspace(0.0, segment.duration, 65 + 16 * math.ceil(waves))
    values = slope(t)
    between = np.flatnonzero(values[:-1] * values[1:] < 0.0)
    found = [*t[1:-1][values[1:-1] == 0.0]]
    if len(between):
        # A quarter of the imports of a job: imported by those that need it.
        from scipy.optimize import elementwise

        found += list(elementwise.find_root(slope, (t[between], t[between + 1])).x)
    return sorted(float(x) for x in found)


def _levels(turn: Callable[[float], float], begin: float, end: float, linear: bool) -> list[float]:
    """Where a monotone function of time passes odd multiples of one half."""
    first, last = turn(begin), turn(end)
    low, high = min(first, last), max(first, last)
    levels = np.arange(math.floor(low - 0.5), math.ceil(high - 0.5) + 1) + 0.5
    levels = levels[(levels > low) & (levels < high)]
    if not len(levels):
        return []
    if linear:
        return [float(x) for x in begin + (levels - first) * ((end - begin) / (last - first))]
    from scipy.optimize import brentq

    return [
        float(brentq(lambda t, level=level: turn(t) - level, begin, end, xtol=1e-15, rtol=1e-14))
        for level in levels
    ]


def _turn(segment: Segment, frame: Array) -> Segment:
    """The same segment in the axes of the cell."""

    def turned(vector: Vector) -> Vector:
        return tuple(float(x) for x in np.asarray(vector) @ frame)

    wave = segment.wave and segment.wave.map(turned)
    coefficients = tuple(map(turned, segment.coefficients))
    return replace(segment, coefficients=coefficients, wave=wave)


def _later(coefficients: Array, begin: float) -> Array:
    """Coefficients of a polynomial in the time that is left after `begin`."""
    if len(coefficients) <= 2:
        first = coefficients[0] + begin * coefficients[1:].sum(axis=0)
        return np.concatenate([first[None], coefficients[1:]])
    later = Polynomial([begin, 1.0])
    columns = [Polynomial(c)(later).coef for c in coefficients.T]
    return np.array([np.pad(c, (0, len(coefficients) - len(c))) for c in columns]).T


def part_of(segment: Segment, begin: float, end: float, offset: Array) -> Segment:
    """A part of a segment, less a constant; with its part of the time steps.

    Parameters
    ----------
    segment : Segment
    begin, end : float
        In ms from the beginning of the segment.
    offset : (k,) float
        What is taken off F.
    """
    whole = begin == 0.0 and end == segment.duration
    wave = segment.wave
    coefficients = np.array(segment.coefficients)
    if not whole:
        if wave is not None:
            wave = replace(wave, phase=wave.phase + wave.omega * begin)
        coefficients = _later(coefficients, begin)
    coefficients[0] -= offset
    vectors = tuple(tuple(float(x) for x in c) for c in coefficients)
    part = Segment(end - begin, vectors, wave)
    share = (end - begin) / segment.duration * segment.share
    steps = segment.share if whole else max(part.variation(), share)
    return Segment(part.duration, part.coefficients, part.wave, steps, segment.stored)
