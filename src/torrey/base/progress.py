"""How far a long computation is, told to whoever wants to know.

Those who compute know nothing of logs and terminals: they call what they are given, with a fraction
and the name of what is being done. Nobody is told unless somebody is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Is told how much of a part of a computation is done."""

    def __call__(self, fraction: float, part: str) -> None:
        """Take note of a fraction of a part.

        Parameters
        ----------
        fraction : float
            From 0, as a part begins, to 1. Equal fractions take about the same time, so that the
            time that is left follows from what is done so far.
        part : str
            What is being done, in words that stay the same until it is done.
        """


def untold(fraction: float, part: str) -> None:
    """Tell nobody."""


@dataclass
class Steps:
    """Counts the steps of a part, each of which takes about the same time.

    Parameters
    ----------
    progress : Progress
        Is told that the part begins, and of each step.
    part : str
    total : float
        Steps in all. Where fewer are enough, `end` says so.
    """

    progress: Progress
    part: str
    total: float
    done: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.progress(0.0, self.part)

    def __call__(self, count: float = 1.0) -> None:
        """Note that some more steps are done."""
        self.done += count
        self.progress(min(self.done / self.total, 1.0) if self.total else 1.0, self.part)

    def end(self) -> None:
        """Note that the part is done, however many steps it took."""
        if self.done < self.total:
            self.progress(1.0, self.part)


def each(items: Sequence[T], progress: Progress, part: str) -> Iterator[T]:
    """Yield some items, and tell how many of them are done; each takes about the same time."""
    steps = Steps(progress, part, len(items))
    for item in items:
        yield item
        steps()
