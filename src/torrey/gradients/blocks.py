"""Blocks of a sweep: some periods and permeabilities with all measurements, computed by one job.

A dictionary has too many slabs for a file of each. A block is a sweep of neighbouring values, about
as many points as a job computes in some seconds, and knows where it lies in the whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from torrey.base.keys import shorten, slug
from torrey.gradients.sweep import Sweep

#: Digits of the digest of all values in the name of a block.
_DIGITS = 12


@dataclass(frozen=True)
class Block:
    """A part of a sweep that is computed as one.

    Parameters
    ----------
    sweep : Sweep
        Neighbouring periods and permeabilities, and all measurements.
    start : (int, int)
        Numbers of its first period and permeability in the whole.
    """

    sweep: Sweep
    start: tuple[int, int]

    @cached_property
    def name(self) -> str:
        """Canonical name: where it begins, and a digest of all its values."""
        first = {"L": self.sweep.periods[0], "kappa": self.sweep.permeabilities[0]}
        digest = hashlib.sha256(self.sweep.to_json().encode()).hexdigest()[:_DIGITS]
        return shorten(f"{slug(first)}_{digest}")

    @property
    def place(self) -> tuple[slice, slice]:
        """Where its cells lie along the first two axes of the whole; the others are whole."""
        i, j = self.start
        return (
            slice(i, i + len(self.sweep.periods)),
            slice(j, j + len(self.sweep.permeabilities)),
        )


#: Signals of a block at most: half a minute of one core by projected references, and so few jobs
#: for a million of them that they are planned in seconds.
MOST_IN_A_BLOCK: Final = 10_000


def block_shape(sweep: Sweep, most: int = MOST_IN_A_BLOCK) -> tuple[int, int]:
    """Numbers of periods and permeabilities of a block of at most so many points, one at least."""
    _, permeabilities, *rows = sweep.shape
    each = 1
    for length in rows:
        each *= length
    if permeabilities * each > most:
        return 1, max(1, most // each)
    return min(len(sweep.periods), max(1, most // (permeabilities * each))), permeabilities


def blocks_of(sweep: Sweep, most: int = MOST_IN_A_BLOCK) -> Iterator[Block]:
    """Cut a sweep into blocks of at most so many points, if one cell has no more.

    Parameters
    ----------
    sweep : Sweep
    most : int, optional
        Points of a block; by default those of a job.

    Yields
    ------
    Block
        In the order of periods, then of permeabilities.
    """
    n, m = block_shape(sweep, most)
    for i in range(0, len(sweep.periods), n):
        for j in range(0, len(sweep.permeabilities), m):
            part = replace(
                sweep,
                periods=sweep.periods[i : i + n],
                permeabilities=sweep.permeabilities[j : j + m],
            )
            yield Block(part, (i, j))
