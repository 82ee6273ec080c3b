"""Reference signals of a slab by projected models; by others at points where they fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from torrey.base.lazy import Lazy
from torrey.base.progress import Progress, Steps, untold
from torrey.cell.operators import BlochTorrey
from torrey.cell.refinement import end_of
from torrey.gradients.protocol import Axes, Point, group_measurements
from torrey.gradients.sweep import Sweep
from torrey.reference.estimates import resolves_layers
from torrey.reference.folded import solve_folded
from torrey.reference.full import ToleranceError, is_large, reference_signal
from torrey.reference.ladder import Ladder
from torrey.reference.outcome import ProjectedSignals, solved
from torrey.reference.tables import Table, table_signals

Array = NDArray[np.float64]

#: Errors of models are far smaller than what a reference is asked for.
_COARSE_SHARE = 0.02


@dataclass(frozen=True)
class SlabSignals:
    """Signals over a sweep; arrays of the shape of the sweep.

    Attributes
    ----------
    signals : ProjectedSignals
        Flat, in the order of the points.
    """

    sweep: Sweep
    signals: ProjectedSignals

    @property
    def finest(self) -> int:
        """Number of the finest mesh that a point needed."""
        return int(self.signals.level.max(initial=0))


def solve_slab(
    sweep: Sweep,
    tolerance: float,
    ladders: Sequence[Ladder],
    levels: Sequence[BlochTorrey],
    for_models: bool = True,
    progress: Progress = untold,
) -> SlabSignals:
    """Reference signals of all points of a slab, or of another sweep.

    Parameters
    ----------
    sweep : Sweep
    tolerance : float
        Relative to |S|.
    ladders : sequence of Ladder
        Ladder on each mesh, coarsest first.
    levels : sequence of BlochTorrey
        Operators on each mesh: points that the ladder does not reach are solved in full.
    for_models : bool
        Whether signals on the coarsest mesh are wanted that models can be compared with.
    progress : Progress
        Is told how many signals are done, and what is done in full.

    Raises
    ------
    ToleranceError
        If a point cannot be solved in full either; in space, where that would take minutes to find
        out, if the error in space on the finest mesh is too large already.
    """
    cells = np.array(list(sweep.cells()))
    count = len(sweep.protocol.measurements)
    found = ProjectedSignals.unsolved(len(cells) * count)
    for axes, members in group_measurements(sweep.protocol.measurements).items():
        along = Lazy.over(ladders, partial(_along, axes=axes))
        strengths = {
            waveform: np.array([sweep.protocol.measurements[row].q for row in rows])
            for waveform, rows in members.items()
        }
        columns = [row for rows in members.values() for row in rows]
        where = (np.arange(len(cells))[:, None] * count + np.array(columns)).ravel()
        layers = [
            np.repeat(resolves_layers(levels[1], cells[:, :1], w.echo_time), len(q), axis=1)
            for w, q in strengths.items()
        ]
        sigmas = cells[:, 1] / cells[:, 0]
        table = Table.of(cells[:, 0], sigmas, strengths, np.concatenate(layers, axis=1).ravel())
        signals = table_signals(along, table, tolerance, progress)
        if for_models:
            signals = _sharpen(signals, along[0], table, tolerance)
        found = found.merge(where, signals)
    every = list(sweep.points().values())
    found = solve_folded(every, tolerance, levels, found)
    # What no rung brought below the tolerance.
    rest = np.flatnonzero(~found.reached)
    _require_meshes(found, tolerance, levels)
    full = _in_full([every[row] for row in rest], tolerance, levels, progress)
    found = found.merge(rest, full)
    return SlabSignals(sweep, found)


def _require_meshes(
    found: ProjectedSignals, tolerance: float, levels: Sequence[BlochTorrey]
) -> None:
    """Stop where a large finest mesh is too coarse: the full system has the same error in space.

    Raises
    ------
    ToleranceError
        With the tolerance that the meshes do reach.
    """
    last, size = len(levels) - 1, np.abs(found.signal)
    # Elsewhere no rung was good enough for that mesh to be asked, and nothing is known of it.
    known = ~found.reached & (found.level == last) & np.isfinite(size) & (size > 0.0)
    share = np.divide(found.space_error, size, out=np.zeros(len(size)), where=known)
    worst = int(np.argmax(share))
    if last < 1 or share[worst] <= tolerance or not is_large(levels[last]):
        return
    accepted = _rounded_up(1.5 * share[worst])
    raise ToleranceError(
        f"the finest mesh (number {last}) gives S = {size[worst]:.6g} with an estimated error in "
        f"space of {share[worst]:.1e} of it, and the tolerance is {tolerance:g}. Accepted is a "
        f"tolerance of {accepted} or more with these meshes: {end_of(levels)}"
    )


def _rounded_up(value: float) -> str:
    """One digit, not smaller than the value."""
    power = 10.0 ** np.floor(np.log10(value))
    return f"{np.ceil(value / power - 1e-9) * power:.0e}".replace("e-0", "e-")


def _sharpen(
    signals: ProjectedSignals,
    coarsest: Ladder,
    table: Table,
    tolerance: float,
) -> ProjectedSignals:
    """Signals on the coarsest mesh that models are compared with, to a smaller tolerance."""
    # The same mesh twice: no error in space.
    resolved = replace(table, layers=np.ones_like(table.layers))
    fine = table_signals([coarsest] * 2, resolved, _COARSE_SHARE * tolerance)
    return replace(
        signals,
        coarse_signal=np.where(fine.reached, fine.signal, signals.coarse_signal),
        coarse_error=np.where(fine.reached, fine.error, signals.coarse_error),
    )


def _along(ladder: Ladder, axes: Axes) -> Ladder:
    return ladder.along(np.array(axes))


def _in_full(
    points: Sequence[Point], tolerance: float, levels: Sequence[BlochTorrey], progress: Progress
) -> ProjectedSignals:
    """Signals by the full system."""
    full = []
    if points:
        told = Steps(progress, f"signals by the full system ({len(points):,})", len(points))
    for point in points:
        full.append(reference_signal(levels, point, tolerance, progress))
        told()
    return solved(
        "full",
        signal=np.array([one.signal for one in full], dtype=complex),
        space_error=np.array([one.space_error for one in full]),
        time_error=np.array([one.time_error for one in full]),
        level=np.array([one.level for one in full], dtype=np.int64),
        steps=np.array([one.steps for one in full], dtype=np.int64),
        coarse_signal=np.array([one.coarse_signal for one in full], dtype=complex),
        coarse_error=np.array([one.coarse_time_error for one in full]),
    )
