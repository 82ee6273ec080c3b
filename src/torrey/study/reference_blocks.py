"""Reference signals of a block of a dictionary, by projected models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from torrey.cell.operators import BlochTorrey
from torrey.gradients.sweep import Sweep
from torrey.reference.ladder import Ladder
from torrey.reference.slab import solve_slab
from torrey.study.dictionary import BlockSignals, Progress, joined


def reference_block(
    sweep: Sweep,
    tolerance: float,
    ladders: Sequence[Ladder],
    levels: Sequence[BlochTorrey],
    progress: Progress,
) -> BlockSignals:
    """Signals of a block to a tolerance: see `torrey.reference.slab.solve_slab`.

    Parameters
    ----------
    sweep : Sweep
    tolerance : float
        Relative to |S|.
    ladders : sequence of Ladder
        Ladder on each mesh, coarsest first.
    levels : sequence of BlochTorrey
        Operators on each mesh.
    progress : Progress
        Is told of what is done.

    Raises
    ------
    ToleranceError
        If the meshes do not reach the tolerance at a point.
    """

    def solve(part: Sweep) -> BlockSignals:
        found = solve_slab(part, tolerance, ladders, levels, for_models=False).signals
        return BlockSignals(part, found.signal, found.error, np.ones(len(found.signal)))

    return joined(sweep, solve, progress)
