"""Reference signals by projected models, with an estimate of what the projection changes.

A ladder of projected models (`ladder`) on each mesh takes the place of the finite-element system.
Whole tables of points are integrated at once. The error of a signal has three parts:

- of the basis: what the next rung of the ladder changes, on the coarsest mesh; where two rungs are
  suspiciously close, what the rung after that changes;
- of the mesh: what the last refinement changes (`estimates.space_error`). A refinement changes the
  signals of two neighbouring rungs nearly alike, and few time steps show the change: finer meshes
  are asked with a rung less and half of the steps, and their changes added to the signal of the
  coarsest one. How nearly, the rung below that one tells, which counts as an error of the basis;
- of the time steps: what doubling them changes, on the coarsest mesh; where that matters, what one
  more doubling changes on a lower rung, whose time errors are close.

A point that no rung brings below the tolerance is reported as such: it needs the full system.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from torrey.gradients.waveforms import Waveform
from torrey.models.integration import Points, projected_signal
from torrey.reference.estimates import space_error
from torrey.reference.ladder import Ladder
from torrey.reference.methods import methods
from torrey.reference.outcome import Array, Flags, ProjectedSignals, Rows, Signals, put
from torrey.reference.span import LOWEST_RUNG, rung_for

Evaluate = Callable[[int, int, int, Rows], Signals]

#: What the next rung changes is close to the error; how much larger the estimate is.
_BASIS_SAFETY = 3.0
#: A ladder that converges slowly at a point has changes to come, counted up to this rate.
_SLOWEST = 0.8
#: A change smaller than this share of the one before may be chance: rungs seldom gain more.
_CLOSE = 0.07
#: Share of the change from the rung below that meshes may differ by. A coarse mesh whose basis
#: is nearly full shows its own error at the last rung at once, and at none before.
_MESH_SHARE = 0.4
#: Shares of the tolerance.
_BASIS_SHARE = 0.6
_TIME_SHARE = 0.3
#: Shares that are not worth a closer look, and below which no error in time is claimed without one.
_SMALL = 0.1
_SMALLEST = 0.02

#: Finer meshes are asked for rungs so many lower, at most.
_ASKED_BELOW = 2
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


def projected_signals(
    ladders: Sequence[Ladder],
    waveform: Waveform,
    points: Points,
    tolerance: float,
    layers: Flags | None = None,
) -> ProjectedSignals:
    """Signals of points under one waveform, to a relative tolerance where a rung reaches it.

    Parameters
    ----------
    ladders : sequence of Ladder
        By mesh, coarsest first, along the axes of the waveform; only those needed are asked for.
        Two at least.
    waveform : Waveform
    points : Points
    tolerance : float
        Relative to |S|.
    layers : (points,) bool, optional
        Whether the second mesh resolves layers of diffusion: see `estimates.space_error`.
    """

    def stepped(level: int, rung: int, steps: int, rows: Rows) -> Signals:
        model = ladders[level].truncate(rung)
        return projected_signal(model, waveform, points[rows], steps)

    every = np.ones(len(points), dtype=bool)
    return certify(ladders, stepped, points, tolerance, every if layers is None else layers)


def certify(
    ladders: Sequence[Ladder],
    evaluate: Evaluate,
    points: Points,
    tolerance: float,
    layers: Flags,
) -> ProjectedSignals:
    """Climb the rungs with signals that are computed in some way; see `projected_signals`.

    Parameters
    ----------
    evaluate : callable
        (level, rung, steps, rows) -> signals of some points; those that are not finite are not
        known.
    """
    found = ProjectedSignals.unsolved(len(points))
    batch = _Batch(ladders, evaluate, points, tolerance, layers)
    lowest = np.array([rung_for(gamma) for gamma in points.q * points.period])
    # What the rung before changed, and where the error in space alone is too large: no rung helps.
    change, hopeless = np.zeros(len(points)), np.zeros(len(points), dtype=bool)
    # The error of a rung is what the one above it changes.
    for rung in range(LOWEST_RUNG, ladders[0].order):
        # Rungs that are the whole space of small meshes reach any gradient.
        whole = ladders[0].complete(rung - _ASKED_BELOW)
        if ladders[0].complete(rung + 1) and not whole:
            continue
        rows = np.flatnonzero(~found.reached & (whole | (lowest <= rung)) & ~hopeless)
        if len(rows) and ladders[0].reaches(rung + 1):
            part, change[rows], hopeless[rows] = batch.on_rung(rung, rows, change[rows])
            found = found.merge(rows, part)
    return found


class _Batch:
    """Points solved at once, and their signals on the coarsest mesh, each computed once."""

    def __init__(
        self,
        ladders: Sequence[Ladder],
        evaluate: Evaluate,
        points: Points,
        tolerance: float,
        layers: Flags,
    ) -> None:
        self._ladders = ladders
        self._layers = layers
        self._on = evaluate
        self._points = points
        self._tolerance = tolerance
        #: By rung and steps, where they are known.
        self._known: dict[tuple[int, int], Signals] = {}

    def on_rung(
        self, rung: int, rows: Rows, before: Array
    ) -> tuple[ProjectedSignals, Array, Flags]:
        """Signals of some points on one rung, with all their errors.

        Parameters
        ----------
        rung : int
        rows : (n,) int
        before : (n,) float
            What the rung before changed; zero if this is the first.

        Returns
        -------
        found : ProjectedSignals
        change : (n,) float
            What the next rung changes.
        hopeless : (n,) bool
            Points whose error in space alone is too large.
        """
        # The fewest steps show in most cases whether the basis will do.
        here = self._coarse(rung, _FEWEST_STEPS, rows)
        change = _gap(self._coarse(rung + 1, _FEWEST_STEPS, rows), here)
        basis_error, more = self._basis_error(rung, rows, here, before, change)
        inner = self._enough_basis(basis_error, here)
        found = replace(
            ProjectedSignals.unsolved(len(rows)),
            method=methods(len(rows), "projected"),
            rung=np.full(len(rows), rung),
            basis_error=basis_error,
        )
        if not len(inner):
            return found, change, np.zeros(len(rows), dtype=bool)
        steps, coarse, time_error = self._in_time(rung, rows[inner])
        slow = steps > 2 * _FEWEST_STEPS
        if slow.any():
            # Where time steps matter more, the basis is looked at again with better ones.
            some = inner[slow]
            again = self._change_at(rung, steps[slow] // 2, rows[some])
            usual = _CLOSE * np.where(np.isfinite(before), before, 0.0)[some]
            chance = np.minimum(basis_error[some], more[some] * usual)
            basis_error = put(basis_error, some, np.maximum(more[some] * again, chance))
        found = replace(
            found,
            basis_error=basis_error,
            time_error=put(found.time_error, inner, time_error + _ROUNDING * np.abs(coarse)),
            steps=put(found.steps, inner, steps),
            coarse_signal=put(found.coarse_signal, inner, coarse),
        )
        found = replace(found, coarse_error=found.basis_error + found.time_error)
        if slow.any():
            inner = np.intersect1d(inner, self._enough_basis(basis_error, found.coarse_signal))
        found, hopeless = self._refine(rung, rows, inner, found)
        return found, change, hopeless

    def _basis_error(
        self, rung: int, rows: Rows, here: Signals, before: Array, change: Array
    ) -> tuple[Array, Array]:
        """Error of the basis, and the factor between it and a change."""
        if self._ladders[0].complete(rung):
            return np.zeros(len(rows)), np.ones(len(rows))
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = np.where(before > 0.0, change / before, 0.0)
        more: Array = _BASIS_SAFETY / (1.0 - np.clip(np.nan_to_num(rate), 0.0, _SLOWEST))
        error = more * change
        # Two rungs may agree by chance: closer than expected, or with nothing to expect yet.
        least = more * _CLOSE * np.where(np.isfinite(before), before, 0.0)
        first = before == 0.0
        close = self._within(_BASIS_SHARE, error, here) & (
            (error < least) | (first & (error > 0.0))
        )
        cheap = close & ~first & self._within(_SMALL, least, here)
        error = np.where(cheap, least, error)
        doubtful = np.flatnonzero(close & ~cheap)
        if len(doubtful) and not self._ladders[0].reaches(rung + 2):
            error = put(error, doubtful, np.where(first, np.inf, least)[doubtful])
        elif len(doubtful):
            further = _gap(self._coarse(rung + 2, _FEWEST_STEPS, rows[doubtful]), here[doubtful])
            largest = np.maximum(further, change[doubtful])
            error = put(error, doubtful, more[doubtful] * largest)
        return error, more

    def _change_at(self, rung: int, steps: Rows, rows: Rows) -> Array:
        """What the next rung changes, with given numbers of steps."""
        below, above = (self._signal(0, r, steps, rows) for r in (rung, rung + 1))
        return _gap(above, below)

    def _within(self, share: float, error: Array, signal: Signals) -> Flags:
        with np.errstate(invalid="ignore"):
            enough: Flags = error <= self._scale(share, signal)
        return enough & np.isfinite(signal)

    def _scale(self, share: float, signal: Signals) -> Array:
        """A share of the tolerance, absolute."""
        scale: Array = share * self._tolerance * np.abs(signal)
        return scale

    def _enough_basis(self, error: Array, signal: Signals) -> Rows:
        """Points whose basis leaves room for the other errors."""
        return np.flatnonzero(self._within(_BASIS_SHARE, error, signal))

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

    def _refine(
        self, rung: int, rows: Rows, inner: Rows, found: ProjectedSignals
    ) -> tuple[ProjectedSignals, Flags]:
        """Add what finer and finer meshes change; tell where they are not fine enough."""
        hopeless = np.zeros(len(rows), dtype=bool)
        # What the first of two rungs misses is another part of the signal on each mesh.
        asked = (rung - 1, rung - _ASKED_BELOW) if rung > LOWEST_RUNG else (rung,)
        base = self._on_rungs(0, asked, found.steps[inner] // 2, rows[inner])
        basis_error, values = found.basis_error[inner], [found.coarse_signal[inner]]
        if len(asked) > 1:
            here = self._signal(0, rung, found.steps[inner] // 2, rows[inner])
            basis_error = np.maximum(basis_error, _MESH_SHARE * _gap(here, base[0]))
        for level in range(1, len(self._ladders)):
            # The whole space of a finer mesh may be too large to be a rung.
            if not len(inner) or not self._ladders[level].reaches(asked[0]):
                break
            steps = found.steps[inner] // 2
            with np.errstate(invalid="ignore"):
                changes = self._on_rungs(level, asked, steps, rows[inner]) - base
                values.append(values[0] + changes[0])
                missed = np.abs(changes[0] - changes[-1])
            space = space_error(values, self._layers[rows[inner]])
            rest = basis_error + missed + found.time_error[inner]
            enough = self._within(1.0, space + rest, values[-1])
            found = replace(
                found,
                signal=put(found.signal, inner, values[-1]),
                space_error=put(found.space_error, inner, space),
                basis_error=put(found.basis_error, inner, basis_error + missed),
                level=put(found.level, inner, np.full(len(inner), level)),
                reached=put(found.reached, inner, enough),
            )
            if level == len(self._ladders) - 1:
                hopeless[inner] = ~self._within(1.0, space, values[-1])
            # A finer mesh takes nothing from the other errors.
            more = ~enough & self._within(1.0, rest, values[-1])
            inner, base, basis_error = inner[more], base[:, more], basis_error[more]
            values = [value[more] for value in values]
        return found, hopeless

    def _on_rungs(self, level: int, rungs: Sequence[int], steps: Rows, rows: Rows) -> Signals:
        """Signals on some rungs, shape (rungs, rows)."""
        return np.array([self._signal(level, rung, steps, rows) for rung in rungs])

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


def _gap(a: Signals, b: Signals) -> Array:
    """Absolute differences; infinite where a state has grown, and a signal with it."""
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.abs(a - b), nan=np.inf, posinf=np.inf)


def _step_error(before: Array, change: Array) -> Array:
    """Estimate for the finer of two numbers of steps, from the changes of the last doublings."""
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.nan_to_num((before / change - 1.0) / 2.0, nan=np.inf)
    return change / np.where(before > 0.0, np.clip(observed, 1.0, _GAIN), _FIRST_GAIN)
