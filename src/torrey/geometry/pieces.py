"""What a kind of geometry draws for the mesher, and whose each piece of it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


NO_PART: Final = -1
"""Of what has no number of its own."""


@dataclass(frozen=True)
class Owner:
    """What a surface or volume that was drawn belongs to.

    Attributes
    ----------
    region : int or None
        None where there is nothing: inside an obstacle.
    part : int
        A number of the kind's own; of an obstacle that of its surface among the membranes. What
        lies at a wall, a dry piece without such a number, has that of the surface there.
    """

    region: int | None
    part: int = NO_PART


Owners = Mapping[int, Owner]
"""By the number that gmsh gives to a surface, or to a volume in space."""


@dataclass(frozen=True)
class Drawing:
    """What was drawn in a box, and how small the elements must be where.

    Attributes
    ----------
    owners : mapping of int to Owner
    element_size : callable, optional
        From a place, shape (d,), to the largest size of an element there; lengths in units of the
        cell. Without it, elements have the size that was asked for.
    is_graded : bool
        Whether it alone says how elements grow from small ones on a boundary to larger ones within.
    has_poles : bool, optional
        Whether there are spheres and the like, near whose poles edges must not dent the surface.
    """

    owners: Owners
    element_size: Callable[[Array], float] | None = None
    is_graded: bool = False
    has_poles: bool = False


@dataclass(frozen=True)
class Side:
    """A piece on one side of a membrane: its compartment and the mean place of its nodes, (d,)."""

    compartment: int
    centre: Array
