"""Ellipsoids in space."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from torrey.base.fields import declared
from torrey.geometry.bodies.base import Bodies
from torrey.geometry.bodies.ellipsoid_shapes import (
    Ellipsoid,
    nearest_points,
    separation,
    smallest_radius,
    surface_area,
)
from torrey.geometry.boxes import Box
from torrey.geometry.pieces import Drawing
from torrey.geometry.shapes import LEAST_GAP

if TYPE_CHECKING:
    from torrey.geometry.drawing import Canvas

Array = NDArray[np.float64]

_IMAGES = np.array(list(product((-1, 0, 1), repeat=3)), dtype=float)


@dataclass(frozen=True)
class Ellipsoids(Bodies):
    """Ellipsoids in a cube that neither overlap nor touch, periodic images included.

    Parameters
    ----------
    cells : tuple of Ellipsoid
        At least one.
    interior : {"water", "obstacle"}
        Whether the insides are compartments behind membranes, or are not there.

    Raises
    ------
    InputError
        If two of them, periodic images included, are too close to each other.
    """

    cells: tuple[Ellipsoid, ...] = declared(
        description="a list of ellipsoids, such as {center: [0.5, 0.5, 0.5], "
        "axes: [0.4, 0.2, 0.1], orientation: [[1, 1, 0], [0, 0, 1]]}",
        min_length=1,
    )

    kind: ClassVar[str] = "ellipsoids"
    body: ClassVar[type] = Ellipsoid

    def describe(self) -> str:
        """Say how many ellipsoids there are and how large they are."""
        axes = sorted({tuple(sorted(cell.axes, reverse=True)) for cell in self.cells})
        sizes = " x ".join(f"{x:.3g}" for x in axes[0])
        lengths = sorted(x for cell in self.cells for x in cell.axes)
        size = sizes if len(axes) == 1 else f"{lengths[0]:.3g} to {lengths[-1]:.3g}"
        inside = ", no water inside" if self.interior == "obstacle" else ""
        return f"{self.counted()}, semi-axes {size}{inside}"

    def conflicts(self) -> Iterator[str]:
        """Say of ellipsoids that are too close to others, or to their images, what is wrong."""
        for i, cell in enumerate(self.cells):
            for j, other in enumerate(self.cells[: i + 1]):
                apart = cell.place - other.place
                places = apart - np.round(apart) + _IMAGES
                if i == j:
                    # Images come in pairs, and the middle one is the ellipsoid itself.
                    places = places[: len(places) // 2]
                gap = min((_gap(cell, other, place) for place in places), default=np.inf)
                if gap < LEAST_GAP:
                    with_whom = "its periodic image" if i == j else f"cell_{j + 1}"
                    said = f"are {gap:.3g} apart" if gap > 0 else "overlap or touch"
                    yield f"cell_{i + 1} and {with_whom} {said}, the least is {LEAST_GAP:g}"

    def volumes(self) -> tuple[float, ...]:
        """Return the exact volume of each ellipsoid."""
        return tuple(4 / 3 * math.pi * math.prod(cell.axes) for cell in self.cells)

    def interface_measures(self) -> tuple[float, ...]:
        """Return the exact area of each membrane or surface."""
        return tuple(surface_area(cell.semi_axes) for cell in self.cells)

    def membrane_radii(self) -> Array:
        """Return the smallest radius of curvature of each membrane."""
        return np.array([smallest_radius(cell.semi_axes) for cell in self.cells])

    def on_membrane(self, places: Array, membrane: NDArray[np.int64]) -> Array:
        """Move places to the nearest point of their ellipsoid, or of its nearest image."""
        moved = np.array(places, dtype=float)
        for number in np.unique(membrane):
            here = membrane == number
            cell = self.cells[number]
            axes, frame = cell.semi_axes, cell.frame
            apart = places[here] - cell.place
            images = ((apart - np.round(apart)) + _IMAGES[:, None]) @ frame.T
            # How far each image is along the ray from its centre.
            level = np.linalg.norm(images / axes, axis=2)
            gaps = np.abs(1.0 - 1.0 / level) * np.linalg.norm(images, axis=2)
            near = images[gaps.argmin(axis=0), np.arange(len(apart))]
            moved[here] += (nearest_points(near, axes) - near) @ frame
        return moved

    def boxes(self, size: float) -> Iterator[Box]:
        """Yield the boxes whose faces, edges and corners pass the surfaces at a distance."""
        # Placing and drawing are loaded by those who mesh.
        from torrey.geometry.bodies.ellipsoid_drawing import ellipsoid_boxes

        return ellipsoid_boxes(self, size)

    def draw(self, canvas: Canvas) -> Drawing:
        """Draw the box with the ellipsoids in it."""
        from torrey.geometry.bodies.ellipsoid_drawing import draw_ellipsoids

        return draw_ellipsoids(self, canvas)

    def place_name(self, place: Array) -> str:
        """Say which ellipsoid is nearest to a place."""
        numbers = np.arange(len(self.cells))
        there = np.tile(place, (len(numbers), 1))
        i = int(np.linalg.norm(self.on_membrane(there, numbers) - place, axis=1).argmin())
        centre = ", ".join(f"{x:.6g}" for x in self.cells[i].center)
        return f"next to cell_{i + 1} (center [{centre}])"


def _gap(one: Ellipsoid, other: Ellipsoid, apart: Array) -> float:
    """Distance of two ellipsoids, or infinity if they cannot be close."""
    far = float(np.linalg.norm(apart)) - max(one.axes) - max(other.axes)
    if far > LEAST_GAP:
        return math.inf
    sides = (cell.semi_axes[:, None] * cell.frame for cell in (one, other))
    return separation(apart, *sides)
