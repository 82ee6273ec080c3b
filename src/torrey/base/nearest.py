"""A guess at what was meant by a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from torrey.base.budgets import MOST_CANDIDATES

#: Names are near where so many of their letters agree.
_NEAR: Final = 0.65


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the nearest of some names, upper case or lower, if one is near: of several the first.

    Of very many names none is near enough to guess.
    """
    known = list(names)
    if not known or len(known) > MOST_CANDIDATES:
        return None
    agreed = {one: _agreement(name, one) for one in known}
    if max(agreed.values()) < _NEAR:
        agreed = {one: _agreement(name.lower(), one.lower()) for one in known}
    near = max(known, key=agreed.__getitem__)
    return near if agreed[near] >= _NEAR else None


def _agreement(name: str, other: str) -> float:
    """Share of letters that two names have in common, in their order."""
    from difflib import SequenceMatcher

    return SequenceMatcher(None, other, name).ratio()


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Ask for the nearest of some names, to stand after the name; nothing if none is near.

    >>> did_you_mean("refrence", ["reference", "R0"])
    ' (did you mean "reference"?)'
    """
    near = nearest(name, names)
    return f' (did you mean "{near}"?)' if near else ""
