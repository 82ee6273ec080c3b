"""What a study asks of a basis of projected models: directions, and how large gradients are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from torrey.base.keys import format_number
from torrey.gradients.protocol import Measurement
from torrey.gradients.slabs import slabs_of
from torrey.gradients.sweep import Sweep

#: Distance between the wave numbers at which the ladder is enriched, in rad per period.
SPACING: Final = 3.0
LOWEST_RUNG: Final = 3
"""Lowest rung that signals are taken from."""

RUNGS_ABOVE: Final = 4
"""Rungs beyond the one whose reach is enough: to converge, and to tell the error."""
#: Heights of ladders: few, so that studies share them. A higher one than the last is about as
#: large as the system it stands for.
_HEIGHTS = (7, 9, 11, 14)
HIGHEST_RUNG: Final = _HEIGHTS[-1]
"""Highest rung of a ladder of projected models."""

Axes = tuple[tuple[float, ...], ...]


def rung_for(gamma: float) -> int:
    """Lowest rung whose reach is `gamma` = max |g| L (rad)."""
    return max(LOWEST_RUNG, math.ceil(gamma / SPACING - 1e-9) + 2)


@dataclass(frozen=True)
class Span:
    """The directions and the reach that a study asks of a basis.

    Attributes
    ----------
    axes : tuple of tuple of float
        One direction if all gradients lie along it, all axes of the cell otherwise.
    rungs : int
        Highest rung of the ladder.
    """

    axes: Axes
    rungs: int

    @classmethod
    def of(cls, sweep: Sweep) -> Span:
        """What a sweep asks for."""
        measurements = sweep.protocol.measurements
        gamma = max(m.q for m in measurements) * max(sweep.periods)
        wanted = rung_for(gamma) + RUNGS_ABOVE
        rungs = next((height for height in _HEIGHTS if height >= wanted), _HEIGHTS[-1])
        return cls(_axes(measurements), rungs)

    @property
    def label(self) -> str:
        """Canonical name, part of the names of files."""
        along = "_".join(map(format_number, self.axes[0]))
        return f"{f'n{along}' if len(self.axes) == 1 else 'all'}_rungs{self.rungs}"


def spans_of(sweep: Sweep) -> list[Span]:
    """Spans of the slabs of a sweep, each once, in their order: what its bases are built for."""
    return list(dict.fromkeys(Span.of(slab.sweep) for slab in slabs_of(sweep)))


def _axes(measurements: Sequence[Measurement]) -> Axes:
    first = measurements[0].direction
    d = len(first)
    for m in measurements:
        cosine = sum(a * b for a, b in zip(first, m.direction, strict=True))
        # A gradient of zero has a direction, which plays no part.
        if m.q and (m.waveform.n_components > 1 or abs(abs(cosine) - 1.0) > 1e-12):
            return tuple(tuple(float(i == j) for j in range(d)) for i in range(d))
    return (first,)
