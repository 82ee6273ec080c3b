"""Projected references of points that share a cell and the first pulse of their waveforms.

Where pulses mirror each other (`torrey.models.openings`), all strengths and all times between the
pulses share one series in q on each rung and mesh, and where there are more strengths than it
takes to know the signal as a function of q, signals are computed at Chebyshev nodes of q and
interpolated: S exp(a q^2) is entire, its real part even and its imaginary part odd in q, and a
makes it one at both ends. What the highest coefficients and fewer nodes in time tell of the errors
stays far below the tolerance, or the point is left to the general road. Errors of basis and mesh
are told as there (`torrey.reference.projected`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from torrey.models.integration import Points
from torrey.models.openings import Opened, OpenedCell
from torrey.reference.ladder import Ladder
from torrey.reference.outcome import Flags, ProjectedSignals, Rows, Signals
from torrey.reference.projected import certify
from torrey.reference.span import rung_for

Array = NDArray[np.float64]

#: Shares of the tolerance: what is aimed at, and what is let through. `projected` claims no less
#: than the latter for steps in time.
_AIM, _OWN_SHARE = 0.004, 0.02
#: What is left out of the series, relative to the tolerance.
_SERIES = 1e-5
#: Nodes of collocation on a segment, and how many fewer tell their error.
_NODES = (8, 10, 12, 15, 20, 28)
_FEWER = 3
#: Time errors are close to those a few rungs lower: every third rung tells them.
_APART = 3
#: Numbers of Chebyshev nodes in q.
_DEGREES = (4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 32, 40)
#: Degrees with which the number is found out.
_TRIALS = (12, 20, 40)
#: By how much errors at the nodes may add up between them.
_LEBESGUE = 4.0
#: Coefficients that no interval is too small for.
_TAIL = 4


@dataclass(frozen=True)
class Family(Opened):
    """Points of one cell under waveforms that share their first pulse.

    Attributes
    ----------
    layers : (n,) bool
        See `torrey.reference.estimates.space_error`.
    """

    layers: Flags


def shared_signals(
    ladders: Sequence[Ladder], family: Family, tolerance: float
) -> tuple[ProjectedSignals, Flags]:
    """Signals of a family to a relative tolerance, where a rung reaches it.

    Parameters
    ----------
    ladders : sequence of Ladder
        By mesh, coarsest first, along the axis of the waveforms.
    family : Family
    tolerance : float
        Relative to |S|.

    Returns
    -------
    found : ProjectedSignals
    left : (n,) bool
        Points whose integration was not certain enough: the general road may solve them.
    """
    lowest = np.array([rung_for(gamma) for gamma in family.q * family.period])
    found = ProjectedSignals.unsolved(len(lowest))
    lowest = np.array([_start(ladders[0], int(rung)) for rung in lowest])
    # Points beyond the ladder would only take more nodes.
    rows = np.flatnonzero(lowest < ladders[0].order)
    left = np.zeros(len(lowest), dtype=bool)
    if not len(rows) or not family.q[rows].any():
        left[rows] = True
        return found, left
    road = _Road(ladders, family, rows, lowest[rows], tolerance)
    points = Points.of(family.q[rows], family.period, family.sigma)
    part = certify(ladders, road.signals, points, tolerance, family.layers[rows])
    left[rows] = road.uncertain & ~part.reached
    # No steps were taken.
    part = replace(part, steps=np.zeros_like(part.steps))
    return found.merge(rows, part), left


def _start(ladder: Ladder, rung: int) -> int:
    """The rung that a point begins with, and no rung of the ladder if it is beyond it."""
    # A basis may fill its mesh before the highest rung.
    if rung < ladder.order and ladder.reaches(rung + 1) and not ladder.complete(rung + 1):
        return rung
    last = ladder.order - 1
    return last if ladder.complete(last) else ladder.order


class _Road:
    """Signals of some points of a family on all rungs and meshes, each computed once.

    Parameters
    ----------
    lowest : (n,) int
        The rung that each point begins with.
    """

    def __init__(
        self,
        ladders: Sequence[Ladder],
        family: Family,
        rows: Rows,
        lowest: Rows,
        tolerance: float,
    ) -> None:
        self._ladders, self._family, self._tolerance = ladders, family, tolerance
        self._q, self._tau, self._b = (x[rows] for x in (family.q, family.tau, family.b_factor))
        self._lowest = lowest
        self._known: dict[tuple[int, int], Signals] = {}
        self._nodes = 0
        #: What fewer nodes in time change, relative to |S|, and the rung that told it.
        self._in_time = np.full(len(rows), np.inf)
        self._told_by = np.full(len(rows), -_APART)
        #: Points whose errors were not small enough on some rung or mesh.
        self.uncertain = np.zeros(len(rows), dtype=bool)
        self._degree = self._choose()

    def signals(self, level: int, rung: int, steps: int, rows: Rows) -> Signals:
        """Signals of some points, infinite where they are not certain; there are no steps."""
        nothing = np.full(len(self._q), np.nan, dtype=complex)
        known = self._known.setdefault((level, rung), nothing)
        # What is uncertain once takes another road in any case.
        known[self.uncertain] = np.inf
        new = rows[np.isnan(known[rows])]
        if len(new):
            strengths = self._strengths(new)
            if level == 0 and isinstance(strengths, _Chebyshev):
                # Others will be asked for here: they cost nothing.
                soon = np.flatnonzero(np.isnan(known) & (self._lowest <= rung))
                new = np.union1d(new, soon)
                strengths = self._strengths(new)
            known[new] = self._solve(level, rung, strengths, new)
        return known[rows]

    def _strengths(self, rows: Rows) -> _Strengths:
        """Strengths to compute some points at: their own, or nodes if these are fewer."""
        different, place = np.unique(self._q[rows], return_inverse=True)
        if self._degree is not None:
            # Chebyshev coefficients in q reach as far as the interval is wide.
            share = different[-1] / self._q.max()
            wanted = _TAIL + int(np.ceil((self._degree - _TAIL) * share))
            if wanted + 1 < len(different):
                return _Chebyshev(self._q[rows], float(different[-1]), max(wanted, _DEGREES[0]))
        return _Given(different, place)

    def _choose(self) -> int | None:
        """Degree in q^2 that the signals need; None if there are fewer strengths."""
        every, count = np.arange(len(self._q)), len(np.unique(self._q))
        rung = int(self._lowest.max())
        for degree in _TRIALS:
            if count <= min(degree, _DEGREES[1]):
                break
            trial = _Chebyshev(self._q, float(self._q.max()), degree)
            table, _ = self._table(self._cell(0, rung, trial.q), self._times_of(every))
            needed = trial.degree_for(table, _AIM * self._tolerance)
            if needed is not None:
                return needed
        return None

    def _solve(self, level: int, rung: int, strengths: _Strengths, rows: Rows) -> Signals:
        """Signals of some points by those at some strengths, infinite where not certain."""
        cell, times = self._cell(level, rung, strengths.q), self._times_of(rows)
        time_of = np.searchsorted(times, self._tau[rows])
        table, error = self._table(cell, times)
        while level == 0 and np.any(rung >= self._told_by[rows] + _APART):
            fewer, _ = self._table(cell, times, _FEWER)
            more, less = (strengths.at(one, time_of)[0] for one in (table, fewer))
            with np.errstate(divide="ignore", invalid="ignore"):
                in_time = np.nan_to_num(np.abs(more - less) / np.abs(more), nan=np.inf)
            enough = np.all(in_time <= _OWN_SHARE / 2 * self._tolerance)
            if enough or self._nodes + 1 == len(_NODES):
                self._in_time[rows], self._told_by[rows] = in_time, rung
                break
            self._nodes += 1
            table, error = self._table(cell, times)
        values, missed = strengths.at(table, time_of)
        size = np.abs(values)
        # The signal is a square: |dS| <= 2 |dv| |S|^(1/2).
        uneven = 2.0 * error[:, None] * np.sqrt(np.abs(table))
        missed = missed + strengths.spread(uneven, table, time_of) + self._in_time[rows] * size
        certain = missed <= _OWN_SHARE * self._tolerance * size
        axial = float(self._ladders[level].truncate(rung).axial[0, 0])
        values = values * np.exp(-(self._q[rows] ** 2) * self._b[rows] * axial)
        values = np.where(certain, values, complex(np.inf))
        if not certain.all() and isinstance(strengths, _Chebyshev):
            # Not as smooth in q as the first look had it.
            doubtful = rows[~certain]
            different, place = np.unique(self._q[doubtful], return_inverse=True)
            values[~certain] = self._solve(level, rung, _Given(different, place), doubtful)
        else:
            self.uncertain[rows] |= ~certain
        return values

    def _cell(self, level: int, rung: int, q: Array) -> OpenedCell:
        family, model = self._family, self._ladders[level].truncate(rung)
        return OpenedCell(model.bare, family.opening, family.period, family.sigma, q)

    def _table(self, cell: OpenedCell, times: Array, fewer: int = 0) -> tuple[Signals, Array]:
        """Signals (strengths, times), and the error of the states that they are made of."""
        states, error = cell.states(_SERIES * self._tolerance, _NODES[self._nodes] - fewer)
        return cell.signals(states, times, _AIM * self._tolerance), error

    def _times_of(self, rows: Rows) -> Array:
        return np.unique(self._tau[rows])


class _Given:
    """The strengths that are asked for."""

    def __init__(self, q: Array, place: NDArray[np.intp]) -> None:
        self.q, self._place = q, place

    def at(self, table: Signals, time_of: NDArray[np.intp]) -> tuple[Signals, Array]:
        """Signals of the points, and what is not known of them."""
        values = table[self._place, time_of]
        return values, np.zeros(len(values))

    def spread(self, error: Array, table: Signals, time_of: NDArray[np.intp]) -> Array:
        """Errors of the points from those of a table."""
        found: Array = error[self._place, time_of]
        return found


class _Chebyshev:
    """Nodes in q from zero to the strongest gradient.

    Parameters
    ----------
    q : (n,) float, rad/um
        Strengths of the points.
    strongest : float, rad/um
    degree : int
        There is one node more.
    """

    def __init__(self, q: Array, strongest: float, degree: int) -> None:
        nodes, self._even, self._odd = _transforms(degree)
        self.q = strongest * nodes
        self._squares = nodes**2
        self._x = q / strongest
        angles = np.arccos(np.clip(self._x, -1.0, 1.0))
        self._T_even = np.cos(np.multiply.outer(angles, 2 * np.arange(degree + 1)))
        self._T_odd = np.cos(np.multiply.outer(angles, 2 * np.arange(degree) + 1))

    def _coefficients(self, table: Signals) -> tuple[Array, Array, Array]:
        """Of S exp(a x^2), even and odd, and a for each time."""
        with np.errstate(divide="ignore"):
            a = np.nan_to_num(-np.log(np.abs(table[0])), nan=0.0, posinf=0.0, neginf=0.0)
        scaled = table * np.exp(np.multiply.outer(self._squares, a))
        return self._even @ scaled.real, self._odd @ scaled.imag[:-1], a

    def at(self, table: Signals, time_of: NDArray[np.intp]) -> tuple[Signals, Array]:
        """Signals of the points, and what the highest coefficients leave open."""
        even, odd, a = self._coefficients(table)
        back = np.exp(-a[time_of] * self._x**2)
        real = np.sum(self._T_even * even.T[time_of], axis=1)
        imag = np.sum(self._T_odd * odd.T[time_of], axis=1) if table.imag.any() else 0.0
        tail = np.abs(even[-2:]).sum(axis=0) + np.abs(odd[-2:]).sum(axis=0)
        return (real + 1j * imag) * back, tail[time_of] * back

    def spread(self, error: Array, table: Signals, time_of: NDArray[np.intp]) -> Array:
        """Errors of the points from those of a table, which spread from node to node."""
        _, _, a = self._coefficients(table)
        largest = (error * np.exp(np.multiply.outer(self._squares, a))).max(axis=0)
        spread: Array = _LEBESGUE * largest[time_of] * np.exp(-a[time_of] * self._x**2)
        return spread

    def degree_for(self, table: Signals, accuracy: float) -> int | None:
        """The degree at which the last coefficients are small enough; None if none here is."""
        even, odd, _ = self._coefficients(table)
        size = np.abs(even).max(axis=1)
        size[:-1] = np.maximum(size[:-1], np.abs(odd).max(axis=1))
        # Small from there on: a coefficient may vanish by chance.
        rest = np.cumsum(size[::-1])[::-1]
        for degree in _DEGREES:
            if degree < len(size) and rest[degree - 1] <= accuracy:
                return degree
        return None


_Strengths = _Given | _Chebyshev


@lru_cache(maxsize=32)
def _transforms(degree: int) -> tuple[Array, Array, Array]:
    """Nodes from one to zero; values there to even, and but for zero to odd coefficients."""
    angles = np.pi / 2 * np.arange(degree + 1) / degree
    nodes = np.cos(angles)
    nodes[-1] = 0.0
    even = np.cos(np.multiply.outer(angles, 2 * np.arange(degree + 1)))
    odd = np.cos(np.multiply.outer(angles[:-1], 2 * np.arange(degree) + 1))
    return nodes, np.linalg.inv(even), np.linalg.inv(odd)
