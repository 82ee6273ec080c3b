"""Reference signals by projected models, with an estimate of what the projection changes.

A ladder of projected models (`ladder`) on each mesh takes the place of the finite-element system.
Whole tables of points are integrated at once. The error of a signal has three parts:

- of the basis: what the next rung of the ladder changes, on the coarsest mesh; where two rungs are
  suspiciously close, what the rung after that changes;
- of the mesh: what the last refinement changes (as in `propagation`). A refinement changes the
  signals of two neighbouring rungs alike, and few time steps show the change: finer meshes are
  asked with both, and their changes added to the signal of the coarsest one;
- of the time steps: what doubling them changes, on the coarsest mesh; where that matters, what one
  more doubling changes on a lower rung, whose time errors are close.

A point that no rung brings below the tolerance is reported as such: it needs the full system.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
from numpy.typing import NDArray

from torrey.gradients.waveforms import Waveform
from torrey.models.integration import Points, projected_signal
from torrey.models.projection import ProjectedModel
from torrey.reference.full import space_error
from torrey.reference.span import LOWEST_RUNG, rung_for

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

Signals = NDArray[np.complex128]

#: What the next rung changes is close to the error; how much larger the estimate is.
_BASIS_SAFETY = 6.0
#: A ladder that converges slowly at a point has changes to come, counted up to this rate.
_SLOWEST = 0.8
#: A change smaller than this share of the one before may be chance: rungs seldom gain more.
_CLOSE = 0.07
#: Shares of the tolerance.
_BASIS_SHARE = 0.6
_TIME_SHARE = 0.3
#: Shares that are not worth a closer look, and below which no error in time is claimed without one.
_SMALL = 0.1
_SMALLEST = 0.02

_ROUNDING = 1e-12
_FEWEST_STEPS = 6
_MOST_STEPS = 768
#: Rodas5P gains 2^5 when the steps are doubled, less where a compartment comes to rest within few
#: of them. The gain counted after one doubling, and at most after several.
_FIRST_GAIN, _GAIN = 4.0, 8.0
#: A doubling that seems to gain more than this has met a cancellation.
_MOST_GAIN = 16.0
#: Time errors are close to those so many rungs lower, where the next doubling is cheap: within a
#: factor of two as a rule.
_BELOW = 2
_LOW_SAFETY = 2.0


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
    ladders: Sequence[ProjectedModel],
    waveform: Waveform,
    points: Points,
    tolerance: float,
    layers: NDArray[np.bool_] | None = None,
) -> ProjectedSignals:
    """Signals of points under one waveform, to a relative tolerance where a rung reaches it.

    Parameters
    ----------
    ladders : sequence of ProjectedModel
        By mesh, coarsest first, along the axes of the waveform; only those needed are asked for.
        Two at least.
    waveform : Waveform
    points : Points
    tolerance : float
        Relative to |S|.
    layers : (points,) bool, optional
        Whether the second mesh resolves layers of diffusion: see `propagation.space_error`.
    """
    found = ProjectedSignals.empty(len(points))
    every = np.ones(len(points), dtype=bool)
    batch = _Batch(ladders, waveform, points, tolerance, every if layers is None else layers)
    lowest = np.array([rung_for(gamma) for gamma in points.q * points.period])
    # The error of a rung is what the one above it changes.
    for rung in range(LOWEST_RUNG, ladders[0].order):
        rows = np.flatnonzero(~found.reached & (lowest <= rung) & ~batch.hopeless)
        if len(rows):
            found.put(rows, batch.on_rung(rung, rows))
    return found


class _Batch:
    """The points of one waveform."""

    def __init__(
        self,
        ladders: Sequence[ProjectedModel],
        waveform: Waveform,
        points: Points,
        tolerance: float,
        layers: NDArray[np.bool_],
    ) -> None:
        self._ladders = ladders
        self._layers = layers
        self._waveform = waveform
        self._points = points
        self._tolerance = tolerance
        #: What the rung before changed, by point.
        self._change = np.zeros(len(points))
        #: Signals on the coarsest mesh by rung and steps, where they are known.
        self._known: dict[tuple[int, int], Signals] = {}
        #: Points whose error in space alone is too large: no rung can help.
        self.hopeless = np.zeros(len(points), dtype=bool)

    def on_rung(self, rung: int, rows: Rows) -> ProjectedSignals:
        """Signals of some points on one rung, with all their errors."""
        found = ProjectedSignals.empty(len(rows))
        found.rung[:] = rung
        # The fewest steps show in most cases whether the basis will do.
        here = self._coarse(rung, _FEWEST_STEPS, rows)
        before = np.where(np.isfinite(self._change[rows]), self._change[rows], 0.0)
        more = self._compare(rung, rows, here, found)
        inner = self._enough_basis(found, here)
        if not len(inner):
            return found
        steps, coarse, time_error = self._in_time(rung, rows[inner])
        found.steps[inner], found.coarse_signal[inner] = steps, coarse
        found.time_error[inner] = time_error + _ROUNDING * np.abs(coarse)
        slow = np.flatnonzero(steps > 2 * _FEWEST_STEPS)
        if len(slow):
            # Where time steps matter more, the basis is looked at again with better ones.
            some = inner[slow]
            again = self._change_at(rung, steps[slow] // 2, rows[some])
            chance = np.minimum(found.basis_error[some], more[some] * _CLOSE * before[some])
            found.basis_error[some] = np.maximum(more[some] * again, chance)
            inner = np.intersect1d(inner, self._enough_basis(found, found.coarse_signal))
        found.coarse_error[:] = found.basis_error + found.time_error
        self._refine(rung, rows, inner, found)
        return found

    def _compare(self, rung: int, rows: Rows, here: Signals, found: ProjectedSignals) -> Array:
        """Set the error of the basis; return the factor between it and a change."""
        change = _gap(self._coarse(rung + 1, _FEWEST_STEPS, rows), here)
        before = self._change[rows]
        self._change[rows] = change
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = np.where(before > 0.0, change / before, 0.0)
        more: Array = _BASIS_SAFETY / (1.0 - np.clip(np.nan_to_num(rate), 0.0, _SLOWEST))
        found.basis_error[:] = more * change
        # Two rungs may agree by chance: closer than expected, or with nothing to expect yet.
        least = more * _CLOSE * np.where(np.isfinite(before), before, 0.0)
        first = before == 0.0
        close = self._within(_BASIS_SHARE, found.basis_error, here) & (
            (found.basis_error < least) | (first & (found.basis_error > 0.0))
        )
        cheap = close & ~first & self._within(_SMALL, least, here)
        found.basis_error[cheap] = least[cheap]
        doubtful = np.flatnonzero(close & ~cheap)
        if rung + 2 > self._ladders[0].order:
            found.basis_error[doubtful] = np.where(first, np.inf, least)[doubtful]
        elif len(doubtful):
            further = _gap(self._coarse(rung + 2, _FEWEST_STEPS, rows[doubtful]), here[doubtful])
            found.basis_error[doubtful] = more[doubtful] * np.maximum(further, change[doubtful])
        return more

    def _change_at(self, rung: int, steps: Rows, rows: Rows) -> Array:
        """What the next rung changes, with given numbers of steps."""
        below, above = (self._signal(0, r, steps, rows) for r in (rung, rung + 1))
        return _gap(above, below)

    def _within(self, share: float, error: Array, signal: Signals) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore"):
            enough: NDArray[np.bool_] = error <= self._scale(share, signal)
        return enough & np.isfinite(signal)

    def _scale(self, share: float, signal: Signals) -> Array:
        """A share of the tolerance, absolute."""
        scale: Array = share * self._tolerance * np.abs(signal)
        return scale

    def _enough_basis(self, found: ProjectedSignals, signal: Signals) -> Rows:
        """Points whose basis leaves room for the other errors."""
        return np.flatnonzero(self._within(_BASIS_SHARE, found.basis_error, signal))

    def _in_time(self, rung: int, rows: Rows) -> tuple[Rows, Signals, Array]:
        """Steps, signals on the coarsest mesh, and their errors in time."""
        fine, low = self._coarse(rung, _FEWEST_STEPS, rows), max(rung - _BELOW, LOWEST_RUNG)
        steps = np.full(len(rows), _FEWEST_STEPS)
        error, change = np.full(len(rows), np.inf), np.zeros(len(rows))
        left = np.arange(len(rows))
        while len(left) and steps[left[0]] < _MOST_STEPS:
            steps[left] *= 2
            finer = self._coarse(rung, int(steps[left[0]]), rows[left])
            before = change[left]
            change[left] = np.maximum(_gap(finer, fine[left]), before / _MOST_GAIN)
            error[left] = _step_error(before, change[left])
            fine[left] = finer
            error[left] = np.maximum(error[left], self._scale(_SMALLEST, finer))
            large = left[~self._within(_SMALL, error[left], finer)]
            error[large] = self._low_error(low, int(steps[left[0]]), rows[large])
            left = left[~self._within(_TIME_SHARE, error[left], fine[left])]
        return steps, fine, error

    def _low_error(self, rung: int, steps: int, rows: Rows) -> Array:
        """Estimate for a number of steps from what doubling them changes on a lower rung."""
        few, many = (self._coarse(rung, n, rows) for n in (steps, 2 * steps))
        return _LOW_SAFETY * _gap(many, few)

    def _refine(self, rung: int, rows: Rows, inner: Rows, found: ProjectedSignals) -> None:
        """Add what finer and finer meshes change."""
        below = max(rung - 1, LOWEST_RUNG)
        steps = found.steps // 2
        base = np.full(len(rows), np.nan, dtype=complex)
        base[inner] = self._signal(0, below, steps[inner], rows[inner])
        values = [found.coarse_signal[inner]]
        for level in range(1, len(self._ladders)):
            if not len(inner):
                return
            change = self._signal(level, below, steps[inner], rows[inner]) - base[inner]
            finer = found.coarse_signal[inner] + change
            values.append(finer)
            found.space_error[inner] = space_error(values, self._layers[rows[inner]])
            found.signal[inner], found.level[inner] = finer, level
            enough = self._within(1.0, found.error[inner], finer)
            found.reached[inner] = enough
            inner, values = inner[~enough], [value[~enough] for value in values]
        self.hopeless[rows[inner]] = ~self._within(
            1.0, found.space_error[inner], found.signal[inner]
        )

    def _signal(self, level: int, rung: int, steps: Rows, rows: Rows) -> Signals:
        values = np.empty(len(rows), dtype=complex)
        for count in np.unique(steps):
            same = steps == count
            on = self._coarse if level == 0 else partial(self._on, level)
            values[same] = on(rung, int(count), rows[same])
        return values

    def _coarse(self, rung: int, steps: int, rows: Rows) -> Signals:
        """Signals on the coarsest mesh, each computed once."""
        nothing = np.full(len(self._points), np.nan, dtype=complex)
        known = self._known.setdefault((rung, steps), nothing)
        new = rows[np.isnan(known[rows])]
        if len(new):
            known[new] = self._on(0, rung, steps, new)
        return known[rows]

    def _on(self, level: int, rung: int, steps: int, rows: Rows) -> Signals:
        model = self._ladders[level].truncate(rung)
        return projected_signal(model, self._waveform, self._points[rows], steps)


def _gap(a: Signals, b: Signals) -> Array:
    """Absolute differences; infinite where a state has grown, and a signal with it."""
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.abs(a - b), nan=np.inf, posinf=np.inf)


def _step_error(before: Array, change: Array) -> Array:
    """Estimate for the finer of two numbers of steps, from the changes of the last doublings."""
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.nan_to_num((before / change - 1.0) / 2.0, nan=np.inf)
    return change / np.where(before > 0.0, np.clip(observed, 1.0, _GAIN), _FIRST_GAIN)
