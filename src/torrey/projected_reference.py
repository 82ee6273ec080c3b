"""Reference signals by projected models, with an estimate of what the projection changes.

A ladder of projected models (`ladder`) on each mesh takes the place of the finite-element system.
Whole tables of points are integrated at once. The error of a signal has three parts:

- of the basis: what the next rung of the ladder changes, on the coarsest mesh;
- of the mesh: what the last refinement changes, on one rung (as in `propagation`);
- of the time steps: what doubling them changes, on the coarsest mesh.

A point that no rung brings below the tolerance is reported as such: it needs the full system.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from torrey.integration import Points, projected_signal
from torrey.projection import ProjectedModel
from torrey.propagation import space_error
from torrey.span import LOWEST_RUNG, rung_for
from torrey.waveforms import Waveform

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

Signals = NDArray[np.complex128]

#: What the next rung changes is close to the error; how much larger the estimate is.
_BASIS_SAFETY = 4.0
#: A ladder that converges slowly at a point has changes to come, counted up to this rate.
_SLOWEST = 0.8
#: From this rung on, where rungs are close to each other, two of them tell the error.
_WARY = 5
#: Shares of the tolerance.
_BASIS_SHARE = 0.4
_TIME_SHARE = 0.3

_ROUNDING = 1e-12
_FEWEST_STEPS = 4
_MOST_STEPS = 512
#: Rodas5P gains 16 to 32 when the steps are doubled; less where a segment is much longer than the
#: time that a compartment needs to come to rest, and there at times only 2.
_GAIN, _STIFF_GAIN, _LEAST_GAIN, _MOST_GAIN = 8.0, 4.0, 2.0, 64.0
#: Length of a segment, in such times, from which on it is stiff.
_STIFF = 10.0


@dataclass(frozen=True)
class ProjectedSignals:
    """Signals of points and what is known of their errors; arrays of shape (points,).

    Attributes
    ----------
    signal : complex
        S, normalised to the initial magnetisation.
    space_error, basis_error, time_error : float
        Absolute estimates.
    level, rung, steps : int
        Mesh, rung of the ladder, and time steps for a change of F by one.
    coarse_signal : complex
        On the coarsest mesh, free of the error in space that models on that mesh share.
    coarse_error : float
        Absolute estimate of its error, of basis and time.
    reached : bool
        Whether the tolerance is met; where it is not, the other values mean little.
    """

    signal: NDArray[np.complex128]
    space_error: Array
    basis_error: Array
    time_error: Array
    level: Rows
    rung: Rows
    steps: Rows
    coarse_signal: NDArray[np.complex128]
    coarse_error: Array
    reached: NDArray[np.bool_]

    @classmethod
    def empty(cls, n_points: int) -> ProjectedSignals:
        """No tolerance met anywhere yet."""
        nothing, zero = np.full(n_points, np.inf), np.zeros(n_points, dtype=np.int64)
        signal = np.full(n_points, np.nan, dtype=complex)
        return cls(
            signal=signal,
            space_error=nothing,
            basis_error=nothing.copy(),
            time_error=nothing.copy(),
            level=zero,
            rung=zero.copy(),
            steps=zero.copy(),
            coarse_signal=signal.copy(),
            coarse_error=nothing.copy(),
            reached=np.zeros(n_points, dtype=bool),
        )

    @property
    def error(self) -> Array:
        """Absolute estimate of the whole numerical error."""
        return self.space_error + self.basis_error + self.time_error

    def put(self, rows: Rows, part: ProjectedSignals) -> None:
        """Fill in some rows."""
        for f in fields(self):
            getattr(self, f.name)[rows] = getattr(part, f.name)


def projected_signals(
    ladders: Sequence[Callable[[], ProjectedModel]],
    waveform: Waveform,
    points: Points,
    tolerance: float,
) -> ProjectedSignals:
    """Signals of points under one waveform, to a relative tolerance where a rung reaches it.

    Parameters
    ----------
    ladders : sequence of callables
        ``ladders[k]()`` gives the ladder on mesh k, coarsest first, along the axes of the waveform;
        only those needed are asked for. Two at least.
    waveform : Waveform
    points : Points
    tolerance : float
        Relative to |S|.
    """
    found = ProjectedSignals.empty(len(points))
    batch = _Batch(ladders, waveform, points, tolerance)
    # The error of a rung is what the one or two above it change.
    highest = ladders[0]().order - 1
    lowest = np.array([rung_for(gamma) for gamma in points.q * points.period])
    for rung in range(LOWEST_RUNG, highest):
        rows = np.flatnonzero(~found.reached & (lowest <= rung))
        if len(rows):
            found.put(rows, batch.on_rung(rung, rows))
    return found


class _Batch:
    """The points of one waveform."""

    def __init__(
        self,
        ladders: Sequence[Callable[[], ProjectedModel]],
        waveform: Waveform,
        points: Points,
        tolerance: float,
    ) -> None:
        self._ladders = ladders
        self._waveform = waveform
        self._points = points
        self._tolerance = tolerance
        self._stiff = _longest(waveform) * _slowest_rest(ladders[0]()) > _STIFF * points.period**2
        #: What the rung before changed, by point.
        self._change = np.zeros(len(points))
        #: Signals with the fewest steps by rung, where they are known.
        self._previews: dict[int, Signals] = {}

    def on_rung(self, rung: int, rows: Rows) -> ProjectedSignals:
        """Signals of some points on one rung, with all their errors."""
        found = ProjectedSignals.empty(len(rows))
        found.rung[:] = rung
        # The fewest steps show in most cases whether the basis will do.
        here, *above = (self._preview(r, rows) for r in _compared(rung))
        change, before = _largest_change(here, above), self._change[rows]
        self._change[rows] = change
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = np.where(before > 0.0, change / before, 0.0)
        more = _BASIS_SAFETY / (1.0 - np.clip(rate, 0.0, _SLOWEST))
        found.basis_error[:] = more * change
        inner = self._enough_basis(found, here)
        if not len(inner):
            return found
        steps, coarse, time_error = self._in_time(rung, rows[inner])
        found.steps[inner], found.coarse_signal[inner] = steps, coarse
        found.time_error[inner] = time_error + _ROUNDING * np.abs(coarse)
        slow = np.flatnonzero(steps > 2 * _FEWEST_STEPS)
        if len(slow):
            # Where time steps matter more, the basis is looked at again with better ones.
            again = [
                self._signal(0, r, steps[slow] // 4, rows[inner[slow]]) for r in _compared(rung)
            ]
            change = _largest_change(again[0], again[1:])
            found.basis_error[inner[slow]] = more[inner[slow]] * change
            inner = np.intersect1d(inner, self._enough_basis(found, found.coarse_signal))
        found.coarse_error[:] = found.basis_error + found.time_error
        self._refine(rung, rows, inner, found)
        return found

    def _enough_basis(self, found: ProjectedSignals, signal: Signals) -> Rows:
        """Points whose basis leaves room for the other errors."""
        with np.errstate(invalid="ignore"):
            enough = found.basis_error <= _BASIS_SHARE * self._tolerance * np.abs(signal)
        return np.flatnonzero(enough & np.isfinite(signal))

    def _preview(self, rung: int, rows: Rows) -> Signals:
        """Signals on the coarsest mesh with the fewest steps."""
        nothing = np.full(len(self._points), np.nan, dtype=complex)
        known = self._previews.setdefault(rung, nothing)
        new = rows[np.isnan(known[rows])]
        if len(new):
            known[new] = self._on(0, rung, _FEWEST_STEPS, new)
        return known[rows]

    def _in_time(self, rung: int, rows: Rows) -> tuple[Rows, Signals, Array]:
        """Steps, signals on the coarsest mesh, and their errors in time."""
        fine = self._preview(rung, rows)
        steps = np.full(len(rows), _FEWEST_STEPS)
        error, change = np.full(len(rows), np.inf), np.zeros(len(rows))
        left = np.arange(len(rows))
        while len(left) and steps[left[0]] < _MOST_STEPS:
            steps[left] *= 2
            finer = self._on(0, rung, int(steps[left[0]]), rows[left])
            before = change[left]
            # A doubling that seems to gain more than the method can has met a cancellation.
            change[left] = np.maximum(np.abs(finer - fine[left]), before / _MOST_GAIN)
            error[left] = _step_error(before, change[left], self._stiff[rows[left]])
            fine[left] = finer
            enough = error[left] <= _TIME_SHARE * self._tolerance * np.abs(fine[left])
            left = left[~enough]
        return steps, fine, error

    def _refine(self, rung: int, rows: Rows, inner: Rows, found: ProjectedSignals) -> None:
        """Signals on finer and finer meshes."""
        values = [found.coarse_signal[inner]]
        for level in range(1, len(self._ladders)):
            if not len(inner):
                break
            finer = self._signal(level, rung, found.steps[inner], rows[inner])
            values.append(finer)
            found.space_error[inner] = space_error(values)
            found.signal[inner], found.level[inner] = finer, level
            enough = found.error[inner] <= self._tolerance * np.abs(finer)
            found.reached[inner] = enough
            inner, values = inner[~enough], [value[~enough] for value in values]

    def _signal(self, level: int, rung: int, steps: Rows, rows: Rows) -> Signals:
        values = np.empty(len(rows), dtype=complex)
        for count in np.unique(steps):
            same = steps == count
            values[same] = self._on(level, rung, int(count), rows[same])
        return values

    def _on(self, level: int, rung: int, steps: int, rows: Rows) -> Signals:
        model = self._ladders[level]().truncate(rung)
        return projected_signal(model, self._waveform, self._points[rows], steps)


def _compared(rung: int) -> range:
    """The rung and those above it that tell its error."""
    return range(rung, rung + (2 if rung < _WARY else 3))


def _largest_change(here: Signals, above: Sequence[Signals]) -> Array:
    with np.errstate(invalid="ignore"):  # a state that has grown has an infinite signal
        change: Array = np.max([np.abs(other - here) for other in above], axis=0)
    return np.nan_to_num(change, nan=np.inf, posinf=np.inf)


def _step_error(before: Array, change: Array, stiff: NDArray[np.bool_]) -> Array:
    """Estimate for the finer of two numbers of steps, from the changes of the last doublings."""
    most = np.where(stiff, _STIFF_GAIN, _GAIN)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.nan_to_num((before / change - 1.0) / 2.0, nan=np.inf)
    gain = np.where(before > 0.0, observed, np.where(stiff, _LEAST_GAIN, _GAIN))
    return change / np.clip(gain, 1.0, most)


def _longest(waveform: Waveform) -> float:
    """Longest stretch of a varying gradient, ms."""
    return max((s.duration for s in waveform.segments if not s.constant), default=0.0)


def _slowest_rest(model: ProjectedModel) -> float:
    """Smallest rate at which a compartment comes to rest, times L^2 (um^2/ms); inf if none does."""
    rates = np.linalg.eigvalsh(model.truncate(LOWEST_RUNG).K)
    moving = rates[rates > 1e-8 * rates[-1]] if rates[-1] > 0.0 else rates[:0]
    return float(moving[0]) if len(moving) else np.inf
