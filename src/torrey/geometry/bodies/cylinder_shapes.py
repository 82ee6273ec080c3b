"""One infinite circular cylinder in space, along a vector of the cubic lattice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.bodies.base import check_place
from torrey.geometry.bodies.lines import Direction, direction, without_common_factor

Array = NDArray[np.float64]

LONGEST_AXIS: Final = 6
"""Largest entry of the axis of a cylinder: the longer it is, the closer are its images."""


@dataclass(frozen=True)
class Cylinder:
    """An infinite circular cylinder; it crosses the faces of the cell and goes on beyond them.

    Parameters
    ----------
    center : tuple of float
        A place on its axis, in [0, 1[.
    axis : tuple of int
        Along a vector of the lattice, so that it closes on itself; common factors and the sign say
        nothing and are taken out.
    radius : float
        Above 0, in units of the cell.

    Raises
    ------
    ValueError
        If the centre lies outside the cell, or axis or radius are impossible.
    """

    center: tuple[float, ...] = declared(
        description="three numbers in [0, 1[: a place on the axis, such as [0.5, 0.5, 0]",
        min_length=3,
        max_length=3,
    )
    radius: float = declared(description="a number above 0 and below 0.5, in units of the cell")
    axis: tuple[int, ...] = declared(
        description=f"three whole numbers from -{LONGEST_AXIS} to {LONGEST_AXIS}, such as "
        "[0, 0, 1], [1, 1, 0] or [1, 1, 1]",
        default=(0, 0, 1),
        min_length=3,
        max_length=3,
    )

    def __post_init__(self) -> None:
        check_kinds(self)
        check_place(self.center)
        axis = tuple(map(int, self.axis))
        if len(axis) != 3 or not any(axis) or max(map(abs, axis)) > LONGEST_AXIS:
            raise InputError(
                f"{list(axis)}",
                f"three whole numbers from -{LONGEST_AXIS} to {LONGEST_AXIS}, not all of them 0",
                at=("axis",),
            )
        if not self.radius > 0:
            raise InputError(f"{self.radius:g}", "a radius above 0", at=("radius",))
        object.__setattr__(self, "axis", without_common_factor(axis))

    @property
    def place(self) -> Array:
        """A place on its axis, shape (3,)."""
        return np.array(self.center, dtype=float)

    @property
    def direction(self) -> Direction:
        """Where it goes."""
        return direction(self.axis)
