"""Reference signals of a slab by projected models; by others at points where they fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from torrey.base.lazy import Lazy
from torrey.cell.operators import BlochTorrey
from torrey.gradients.sweep import Sweep
from torrey.gradients.waveforms import Waveform
from torrey.models.evaluation import Axes, group_measurements
from torrey.models.integration import Points
from torrey.models.projection import ProjectedModel
from torrey.reference.folded import solve_folded
from torrey.reference.full import reference_signal, resolves_layers
from torrey.reference.projected import ProjectedSignals, projected_signals

Array = NDArray[np.float64]

#: Errors of models are far smaller than what a reference is asked for.
_COARSE_SHARE = 0.02


@dataclass(frozen=True)
class Table:
    """Signals over a sweep; arrays of the shape of the sweep.

    Attributes
    ----------
    signals : ProjectedSignals
        Flat, in the order of the points; rung 0 stands for the full system, rung -1 for a small
        one that folds.
    """

    sweep: Sweep
    signals: ProjectedSignals


def solve_slab(
    sweep: Sweep,
    tolerance: float,
    ladders: Sequence[ProjectedModel],
    levels: Sequence[BlochTorrey],
) -> Table:
    """Reference signals of all points of a slab, or of another sweep.

    Parameters
    ----------
    sweep : Sweep
    tolerance : float
        Relative to |S|.
    ladders : sequence of ProjectedModel
        Ladder on each mesh, coarsest first.
    levels : sequence of BlochTorrey
        Operators on each mesh: points that the ladder does not reach are solved in full.

    Raises
    ------
    ToleranceError
        If a point cannot be solved in full either.
    """
    cells = np.array(list(sweep.cells()))
    count = len(sweep.protocol.measurements)
    found = ProjectedSignals.empty(len(cells) * count)
    for axes, members in group_measurements(sweep.protocol.measurements).items():
        along = Lazy.over(ladders, partial(_along, axes=axes))
        for waveform, rows in members.items():
            q = np.array([sweep.protocol.measurements[row].q for row in rows])
            points = Points.of(q, cells[:, :1], cells[:, 1:] / cells[:, :1])
            where = (np.arange(len(cells))[:, None] * count + np.array(rows)).ravel()
            layers = resolves_layers(levels[1], points.period, waveform.echo_time)
            signals = projected_signals(along, waveform, points, tolerance, layers)
            found.put(where, _sharpen(signals, along[0], waveform, points, tolerance))
    solve_folded(list(sweep.points().values()), tolerance, levels, found)
    _solve_the_rest(sweep, tolerance, levels, found)
    return Table(sweep, found)


def _sharpen(
    signals: ProjectedSignals,
    coarsest: ProjectedModel,
    waveform: Waveform,
    points: Points,
    tolerance: float,
) -> ProjectedSignals:
    """Signals on the coarsest mesh that models are compared with, to a smaller tolerance."""
    # The same mesh twice: no error in space.
    fine = projected_signals([coarsest] * 2, waveform, points, _COARSE_SHARE * tolerance)
    return replace(
        signals,
        coarse_signal=np.where(fine.reached, fine.signal, signals.coarse_signal),
        coarse_error=np.where(fine.reached, fine.error, signals.coarse_error),
    )


def _along(ladder: ProjectedModel, axes: Axes) -> ProjectedModel:
    return ladder.along(np.array(axes))


def _solve_the_rest(
    sweep: Sweep,
    tolerance: float,
    levels: Sequence[BlochTorrey],
    found: ProjectedSignals,
) -> None:
    """Solve in full what no rung brought below the tolerance."""
    points = list(sweep.points().values())
    for row in np.flatnonzero(~found.reached):
        full = reference_signal(levels, points[row], tolerance)
        found.signal[row], found.coarse_signal[row] = full.signal, full.coarse_signal
        found.space_error[row], found.time_error[row] = full.space_error, full.time_error
        found.coarse_error[row] = full.coarse_time_error
        found.level[row], found.steps[row] = full.level, full.steps
        found.basis_error[row] = found.rung[row] = 0
        found.reached[row] = True
