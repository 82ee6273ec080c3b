"""What is inside bodies and outlines, and how far apart they must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from torrey.base.errors import InputError
from torrey.geometry.shapes import LEAST_GAP

Interior = Literal["water", "obstacle"]

_CONFLICTS_SHOWN = 5


def check_interior(interior: str) -> None:
    """Refuse what is neither water nor an obstacle.

    Raises
    ------
    InputError
        At ``interior``.
    """
    if interior not in ("water", "obstacle"):
        raise InputError(f'"{interior}"', "water or obstacle", at=("interior",))


def read_interior(plain: Mapping[str, str | int | float]) -> Interior:
    """Return what stands inside, of plain values."""
    return "obstacle" if plain["interior"] == "obstacle" else "water"


def check_apart(kind: str, conflicts: Iterable[str]) -> None:
    """Refuse bodies of a kind that overlap, touch or nearly touch.

    Parameters
    ----------
    kind : str
    conflicts : iterable of str
        What is wrong with each pair, in words.

    Raises
    ------
    InputError
        At ``cells``, with the first few.
    """
    found = list(conflicts)
    if found:
        more = len(found) - _CONFLICTS_SHOWN
        raise InputError(
            "; ".join(found[:_CONFLICTS_SHOWN]) + (f"; and {more} more" if more > 0 else ""),
            f"{kind} that neither overlap nor touch, periodic images included: "
            f"leave a gap of {LEAST_GAP:g}",
            at=("cells",),
        )
