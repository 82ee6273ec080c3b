"""A sequence whose items are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Self, TypeVar, overload

T = TypeVar("T")
S = TypeVar("S")


class Lazy(Sequence[T]):
    """Items that are made when they are first asked for, and kept.

    Parameters
    ----------
    makers : sequence of callables
        ``makers[k]`` makes item k. Slices share their items with the whole.
    """

    def __init__(self, makers: Sequence[Callable[[], T]]) -> None:
        self._makers = tuple(map(cache, makers))

    @classmethod
    def of(cls, make: Callable[[int], T], count: int) -> Self:
        """Items 0 to count - 1 by their number."""
        return cls([partial(make, number) for number in range(count)])

    @classmethod
    def over(cls, others: Sequence[S], change: Callable[[S], T]) -> Self:
        """One item for each of another sequence, which may be lazy too."""
        return cls.of(lambda number: change(others[number]), len(others))

    def __len__(self) -> int:
        return len(self._makers)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Lazy[T]: ...
    def __getitem__(self, index: int | slice) -> T | Lazy[T]:
        if isinstance(index, slice):
            part = Lazy[T](())
            part._makers = self._makers[index]
            return part
        return self._makers[index]()

    @property
    def at_hand(self) -> Lazy[T]:
        """Items that are made at no great cost; see `at_hand`."""
        return self


def at_hand(items: Sequence[T]) -> Sequence[T]:
    """Return those items of a sequence that need no great work: all, unless it says otherwise."""
    return items.at_hand if isinstance(items, Lazy) else items
