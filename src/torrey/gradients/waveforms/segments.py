"""Stretches of time on which the wave vector is a smooth function: all that the solvers see.

On a segment F(t) = c_0 + c_1 t + c_2 t^2 + ... + A sin(omega t + phase) + B cos(omega t + phase),
with t counted from the beginning of the segment and as many components as the waveform has. Values,
derivatives of every order and integrals are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Vector = tuple[float, ...]

#: Phase of a wave (rad) that one rule of Gauss integrates.
_TURNS_AT_ONCE = 200.0
#: Two waveforms that differ by less, of a largest value of one, are the same.
_SAME = 1e-12
#: Numbers of steps below twice this are not doubled from smaller ones.
_FEW = 4
#: How much closer time steps lie at the beginning of a segment.
_GRADING = 1.25


@dataclass(frozen=True)
class Wave:
    """The harmonic part A sin(omega t + phase) + B cos(omega t + phase) of a segment.

    Parameters
    ----------
    amplitude : (k,) tuple of float
        A.
    omega : float
        In rad/ms.
    phase : float
        In rad.
    quadrature : (k,) tuple of float
        B, which makes F turn; empty for none.
    """

    amplitude: Vector
    omega: float
    phase: float = 0.0
    quadrature: Vector = ()

    def map(self, change: Callable[[Vector], Vector]) -> Wave:
        """The same wave with other amplitudes, by a linear map of vectors."""
        quadrature = change(self.quadrature) if self.quadrature else ()
        return replace(self, amplitude=change(self.amplitude), quadrature=quadrature)


@dataclass(frozen=True)
class Segment:
    """A smooth stretch of F(t).

    Parameters
    ----------
    duration : float
        In ms.
    coefficients : tuple of (k,) tuple of float
        c_0, c_1, ...: of t^0, t^1, ... (1/ms^m).
    wave : Wave, optional
    share : float
        Time steps on this segment, relative to those on a ramp of F from 0 to 1: see `grid`.
    stored : bool
        Whether the magnetisation is stored along z meanwhile, where it relaxes with T1 and not T2.
    """

    duration: float
    coefficients: tuple[Vector, ...]
    wave: Wave | None = None
    share: float = 1.0
    stored: bool = False

    @property
    def constant(self) -> bool:
        """Whether there is no gradient: F stands still."""
        moving = any(any(c) for c in self.coefficients[1:])
        return not moving and self.wave is None

    @property
    def linear(self) -> bool:
        """Whether the gradient is constant."""
        return self.wave is None and not any(any(c) for c in self.coefficients[2:])

    @property
    def start(self) -> Array:
        """F at the beginning, shape (k,)."""
        return self.jet(0.0, 0)[0]

    @property
    def end(self) -> Array:
        """F at the end, shape (k,)."""
        return self.jet(self.duration, 0)[0]

    def jet(self, time: ArrayLike, derivatives: int) -> Array:
        """F and its derivatives.

        Parameters
        ----------
        time : array_like, shape (...), ms
        derivatives : int
            Highest order wanted.

        Returns
        -------
        (..., derivatives + 1, k) float
            F, dF/dt, ..., in 1, 1/ms, ...
        """
        t = np.asarray(time, dtype=float)
        values = np.zeros((*t.shape, derivatives + 1, len(self.coefficients[0])))
        for n in range(derivatives + 1):
            for m, c in enumerate(self.coefficients[n:], start=n):
                values[..., n, :] += np.multiply.outer(math.perm(m, n) * t ** (m - n), c)
            if self.wave is not None:
                w = self.wave
                angle = w.omega * t + w.phase + n * math.pi / 2
                values[..., n, :] += np.multiply.outer(w.omega**n * np.sin(angle), w.amplitude)
                if w.quadrature:
                    values[..., n, :] += np.multiply.outer(w.omega**n * np.cos(angle), w.quadrature)
        return values

    def scale(self, factor: float) -> Segment:
        """The same shape, `factor` times as large."""
        wave = self.wave and self.wave.map(lambda amplitude: _times(factor, amplitude))
        return replace(
            self, coefficients=tuple(_times(factor, c) for c in self.coefficients), wave=wave
        )

    def quadrature(self) -> tuple[Array, Array]:
        """Nodes and weights (ms) that integrate polynomials of degree 4 in F to rounding."""
        turns = 0.0 if self.wave is None else self.wave.omega * self.duration
        degree = 4 * (len(self.coefficients) - 1)
        # The work for nodes grows like the cube of their number: long trains are cut.
        pieces = max(1, math.ceil(turns / _TURNS_AT_ONCE))
        turns /= pieces
        nodes, weights = _gauss(degree // 2 + 1 + (24 + math.ceil(2.2 * turns) if turns else 0))
        places = (np.arange(pieces)[:, None] + nodes).ravel() / pieces
        return places * self.duration, np.tile(weights, pieces) / pieces * self.duration

    def variation(self) -> float:
        """Length of the path of F, to a per cent: how much there is to resolve in time."""
        turns = 0.0 if self.wave is None else self.wave.omega * self.duration
        if self.linear:
            return float(np.linalg.norm(self.end - self.start))
        t = np.linspace(0.0, self.duration, 17 + 8 * math.ceil(turns))
        return float(np.linalg.norm(np.diff(self.jet(t, 0)[:, 0], axis=0), axis=1).sum())

    def grid(self, steps: int) -> Array:
        """Instants of time steps, ends included (ms).

        Parameters
        ----------
        steps : int
            Steps on a ramp of F from 0 to 1. A segment gets its share and one at least, and twice
            as many for twice the steps, so that comparing the two shows an error on any segment.
        """
        doublings = max(0, math.floor(math.log2(steps / _FEW)))
        count = max(1, math.ceil(steps / 2**doublings * self.share - 1e-9)) * 2**doublings
        x = np.arange(count + 1) / count
        # A state leaves equilibrium after a jump of the gradient: steps are shorter there.
        return self.duration * (x**_GRADING if self.wave is None else x)


def constant(duration: float, value: Vector, stored: bool = False) -> Segment:
    """A stretch without gradient."""
    return Segment(duration, (value,), stored=stored)


def ramp(duration: float, start: Vector, end: Vector) -> Segment:
    """A stretch of constant gradient."""
    slope = tuple((b - a) / duration for a, b in zip(start, end, strict=True))
    return Segment(duration, (start, slope))


def integrate_gradient(
    pieces: Iterable[tuple[float, Vector, Vector]], start: Vector
) -> tuple[Segment, ...]:
    """F from a gradient that is linear on each piece.

    Parameters
    ----------
    pieces : iterable of (duration, f at the beginning, f at the end)
        In ms and 1/ms.
    start : (k,) tuple of float
        F at the beginning.
    """
    segments = []
    F = start
    for duration, before, after in pieces:
        bend = tuple((b - a) / (2 * duration) for a, b in zip(before, after, strict=True))
        segments.append(Segment(duration, _trim((F, before, bend))))
        F = tuple(x + duration * (a + b) / 2 for x, a, b in zip(F, before, after, strict=True))
    return tuple(segments)


def moment(segments: Iterable[Segment], function: Callable[[Array], Array]) -> Array:
    """The integral over time of a function of F, exact for polynomials of degree 4 (ms).

    ``function`` maps values of F, shape (n, k), to shape (n, ...).
    """
    parts = []
    for segment in segments:
        nodes, weights = segment.quadrature()
        parts.append(np.tensordot(weights, function(segment.jet(nodes, 0)[:, 0]), axes=1))
    return np.sum(parts, axis=0)


def largest(segments: Sequence[Segment], derivative: int) -> float:
    """Largest norm of F (0) or of dF/dt (1) over the segments."""
    return max(_largest(segment, derivative) for segment in segments)


def symmetry_of(segments: Sequence[Segment]) -> int:
    """1 if F(T_E - t) = F(t), -1 if F(T_E - t) = -F(t), 0 otherwise.

    What is stored has to be the same backwards in time, too.
    """
    if [s.stored for s in segments] != [s.stored for s in reversed(segments)]:
        return 0
    durations = np.array([s.duration for s in segments])
    if not np.allclose(durations, durations[::-1], rtol=0.0, atol=_SAME * durations.sum()):
        return 0
    # Nodes of Gauss mirror each other and have no common period with a wave.
    forward = [s.jet(s.quadrature()[0], 0)[:, 0] for s in segments]
    if [f.shape for f in forward] != [f.shape for f in reversed(forward)]:
        return 0
    backward = [values[::-1] for values in reversed(forward)]
    pairs = list(zip(forward, backward, strict=True))
    for sign in (1, -1):
        if all(np.allclose(a, sign * b, rtol=0.0, atol=_SAME) for a, b in pairs):
            return sign
    return 0


def _largest(segment: Segment, derivative: int) -> float:
    """On a grid that holds the ends, then on ever smaller intervals round the best node."""
    turns = 0.0 if segment.wave is None else segment.wave.omega * segment.duration
    # Along a line, and of a constant slope, the largest stands at an end.
    count = 2 if segment.linear else 65 + 16 * math.ceil(turns)
    t = np.linspace(0.0, segment.duration, count)
    while True:
        norms = np.linalg.norm(segment.jet(t, derivative)[:, derivative], axis=1)
        best = int(norms.argmax())
        low, high = t[max(best - 1, 0)], t[min(best + 1, len(t) - 1)]
        # The maximum is flat: half the digits of its place give all digits of its value.
        if segment.constant or best in (0, len(t) - 1) or high - low < 1e-9 * segment.duration:
            return float(norms[best])
        t = np.linspace(low, high, 65)


def _times(factor: float, vector: Vector) -> Vector:
    return tuple(factor * x for x in vector)


def _trim(coefficients: tuple[Vector, ...]) -> tuple[Vector, ...]:
    """Leave out the highest powers that are zero."""
    while len(coefficients) > 1 and not any(coefficients[-1]):
        coefficients = coefficients[:-1]
    return coefficients


@lru_cache(maxsize=64)
def _gauss(count: int) -> tuple[Array, Array]:
    """Nodes and weights of Gauss and Legendre on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(count)
    return (x + 1) / 2, w / 2
