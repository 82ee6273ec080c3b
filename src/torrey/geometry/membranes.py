"""What lies between compartments, and plain descriptions of shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

Plain = dict[str, str | int | float]

NOTHING: Final = -1
"""In the place of the compartment inside where there is none: the surface of an obstacle."""


@dataclass(frozen=True)
class Membrane:
    """An interface and the indices of the compartments on its two sides.

    The inside of an obstacle is `NOTHING`: what passes its surface is gone, so that a permeability
    there is a surface relaxivity.
    """

    name: str
    outside: int
    inside: int

    @property
    def is_surface(self) -> bool:
        """Whether there is nothing on the inside."""
        return self.inside == NOTHING


@dataclass(frozen=True)
class Radius:
    """The radius of a circle or sphere that is a membrane, by which signals may be derived.

    Attributes
    ----------
    name : str
        Of the ball or coat whose outer radius it is.
    membrane : int
    """

    name: str
    membrane: int


def numbered(
    plain: Mapping[str, str | int | float], pattern: str, first: int
) -> Iterator[tuple[int, str | int | float]]:
    """Yield number and value of the entries of a pattern, from the first number on."""
    i = first
    while pattern.format(i) in plain:
        yield i, plain[pattern.format(i)]
        i += 1
