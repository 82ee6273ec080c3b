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
    agreed = _agreement(name, known)
    if max(agreed) < _NEAR:
        agreed = _agreement(name.lower(), [one.lower() for one in known])
    best = max(agreed)
    return known[agreed.index(best)] if best >= _NEAR else None


def _agreement(name: str, names: Iterable[str]) -> list[float]:
    """Share of letters that a name has in common with others, in their order; 0 if few."""
    from difflib import SequenceMatcher

    # What is known of the second sequence is kept: a name may be long, and none be near.
    matcher = SequenceMatcher(b=name)
    agreed = []
    for one in names:
        matcher.set_seq1(one)
        agreed.append(matcher.ratio() if matcher.real_quick_ratio() >= _NEAR else 0.0)
    return agreed


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Ask for the nearest of some names, to stand after the name; nothing if none is near.

    >>> did_you_mean("refrence", ["reference", "R0"])
    ' (did you mean "reference"?)'
    """
    near = nearest(name, names)
    return f' (did you mean "{near}"?)' if near else ""
