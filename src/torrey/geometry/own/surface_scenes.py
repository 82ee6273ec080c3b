"""Closed surfaces in a box: which lies in which, and whether all of them lie in the box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.geometry.membranes import NOTHING
from torrey.geometry.own.mesh_files import at
from torrey.geometry.own.surface_files import Surface

Array = NDArray[np.float64]

#: Least distance of surfaces from the faces of the box, which are meshed without regard to them
#: (parts of the shortest side).
_GAP_TO_FACES: Final = 1e-3


@dataclass(frozen=True)
class Scene:
    """Surfaces and what lies in what, in lengths of the file.

    Attributes
    ----------
    surfaces : tuple of Surface
        Each after the one that it lies in.
    parent : tuple of int
        Surface that each lies in directly; `NOTHING` of those that lie in none.
    corner : (3,) float
        Lowest corner of the box.
    sides : (3,) float
    """

    surfaces: tuple[Surface, ...]
    parent: tuple[int, ...]
    corner: Array
    sides: Array

    @property
    def unit(self) -> float:
        """Unit of the cell."""
        return float(self.sides[0])

    def inside(self, number: int) -> float:
        """Volume inside a surface without what lies inside others in it."""
        return self.surfaces[number].volume - self.within(number)

    def within(self, parent: int) -> float:
        """Volume inside the surfaces that lie in another one directly."""
        pairs = zip(self.surfaces, self.parent, strict=True)
        return math.fsum(surface.volume for surface, other in pairs if other == parent)


def scene_of(
    found: Sequence[Surface], box: Sequence[float], center: Sequence[float], *, wet: bool
) -> Scene:
    """Put surfaces into a box.

    Parameters
    ----------
    found : sequence of Surface
        Which do not cross.
    box : sequence of float
        Its sides; empty for what fits the surfaces, where there is no water outside.
    center : sequence of float
        Its middle; empty for that of all surfaces.
    wet : bool
        Whether there is water outside.

    Raises
    ------
    InputError
        If there is no box, or a surface is not inside it.
    """
    surfaces, parents = _nested(found)
    points = np.concatenate([surface.points for surface in surfaces])
    low, high = points.min(axis=0), points.max(axis=0)
    middle = np.array(center, dtype=float) if center else (low + high) / 2
    if not box and wet:
        raise InputError(
            "no key box with water outside",
            f"box: three sides of more than {_rounded(high - low)}",
            at=("box",),
        )
    sides = np.array(box, dtype=float) if box else 2 * np.maximum(high - middle, middle - low)
    corner = middle - sides / 2
    gap = (_GAP_TO_FACES if wet else -1e-9) * float(sides.min())
    for surface in surfaces:
        beyond = np.maximum(corner + gap - surface.points, surface.points - corner - sides + gap)
        worst = np.unravel_index(int(beyond.argmax()), beyond.shape)
        if beyond[worst] > 0:
            accepted = f"surfaces inside the box{f', {gap:.3g} or more from its faces' * wet}"
            raise InputError(
                f"{surface.name}, which reaches {at(surface.points[worst[0]])}, with a box of "
                f"{_rounded(corner)} to {_rounded(corner + sides)}",
                accepted,
                at=("box",) if box else ("center",),
            )
    return Scene(surfaces, parents, corner, sides)


def _rounded(values: Array) -> list[float]:
    return [float(f"{x:.6g}") for x in values]


def _nested(found: Sequence[Surface]) -> tuple[tuple[Surface, ...], tuple[int, ...]]:
    """Surfaces, each after the one that it lies in, and the number of that."""
    holders = [
        [j for j, other in enumerate(found) if j != i and _lies_in(surface, other)]
        for i, surface in enumerate(found)
    ]
    order = sorted(range(len(found)), key=lambda i: (len(holders[i]), i))
    # The innermost of those that hold it is held by all the others.
    nearest = [max(h, key=lambda j: len(holders[j]), default=NOTHING) for h in holders]
    place = {i: k for k, i in enumerate(order)}
    parents = tuple(place.get(nearest[i], NOTHING) for i in order)
    return tuple(found[i] for i in order), parents


def _lies_in(surface: Surface, other: Surface) -> bool:
    """Whether a surface lies in another: they do not cross, so that one vertex tells."""
    place = surface.points[0]
    low, high = other.points.min(axis=0), other.points.max(axis=0)
    return bool(np.all((place > low) & (place < high))) and other.holds(place)
