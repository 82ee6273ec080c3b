"""Signals of one homogenised model over a block of a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torrey.cell.operators import BlochTorrey
from torrey.gradients.sweep import Sweep
from torrey.models.evaluation import evaluate_models
from torrey.study.dictionary import BlockSignals, Progress, joined

#: Points that are computed at once: each part builds its model anew.
_AT_ONCE: Final = 10_000


def model_block(
    sweep: Sweep, model: str, levels: Sequence[BlochTorrey], progress: Progress
) -> BlockSignals:
    """Signals of a block on the finest mesh; the one before it tells the error.

    Parameters
    ----------
    sweep : Sweep
    model : str
        See `torrey.models.registry`.
    levels : sequence of BlochTorrey
        By mesh, coarsest first; the last two are asked.
    progress : Progress
        Is told of what is done.
    """

    def solve(part: Sweep) -> BlockSignals:
        table = evaluate_models(levels[-2:], part, [model])
        return BlockSignals(
            part,
            table.signal[0, -1].ravel(),
            table.space_error()[0].ravel(),
            table.amplification[0].ravel(),
        )

    return joined(sweep, solve, progress, _AT_ONCE)
