"""How a cell ends at the faces of its box: it repeats, or there are impermeable walls."""

from __future__ import annotations

from typing import Final, Literal, get_args

from torrey.base.errors import InputError

Outer = Literal[
    "periodic", "walls", "walls x", "walls y", "walls z", "walls xy", "walls xz", "walls yz"
]
"""Walls alone are on all faces; with axes they are across these, and the cell repeats along others.
With a lattice in the place of a box, x, y and z stand for its first, second and third vector."""

DESCRIPTION: Final = (
    "periodic (opposite faces match), walls (impermeable: the cell is alone), or walls across some "
    "axes, such as walls z or walls xy"
)


def periodic_axes(outer: str, dimension: int) -> tuple[bool, ...]:
    """Return whether a cell repeats along each axis.

    Raises
    ------
    InputError
        At ``outer``, if that says something else or names an axis that is not there.
    """
    axes = "xyz"[:dimension]
    _, _, named = outer.partition(" ")
    if outer not in get_args(Outer) or not set(named) <= set(axes):
        raise InputError(f'"{outer}"', DESCRIPTION, at=("outer",))
    walled = "" if outer == "periodic" else named or axes
    return tuple(axis not in walled for axis in axes)
