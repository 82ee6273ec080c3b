"""Infinite circular cylinders in space, along vectors of the cubic lattice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from torrey.base.fields import declared
from torrey.geometry.bodies.base import Bodies
from torrey.geometry.bodies.cylinder_shapes import Cylinder
from torrey.geometry.bodies.lines import distances
from torrey.geometry.boxes import Box
from torrey.geometry.pieces import Drawing
from torrey.geometry.shapes import LEAST_GAP

if TYPE_CHECKING:
    from torrey.geometry.drawing import Canvas
    from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Cylinders(Bodies):
    """Infinite circular cylinders in a cube, along its edges or tilted, that do not touch.

    All periodic images of one cylinder are one compartment, or one obstacle.

    Parameters
    ----------
    cells : tuple of Cylinder
        At least one.
    interior : {"water", "obstacle"}
        Whether the insides are compartments behind membranes, or are not there.

    Raises
    ------
    InputError
        If two of them, periodic images included, are too close to each other.
    """

    cells: tuple[Cylinder, ...] = declared(
        description="a list of cylinders, such as "
        "{center: [0.5, 0.5, 0], axis: [0, 0, 1], radius: 0.3}",
        min_length=1,
    )

    kind: ClassVar[str] = "cylinders"
    body: ClassVar[type] = Cylinder

    def describe(self) -> str:
        """Say how many cylinders there are, how thick they are and where they go."""
        ends = dict.fromkeys(f"{size(c.radius for c in self.cells):.3g}" for size in (min, max))
        axes = dict.fromkeys(f"({', '.join(map(str, c.axis))})" for c in self.cells)
        inside = ", no water inside" if self.interior == "obstacle" else ""
        return f"{self.counted()}, R = {' to '.join(ends)}, along {' and '.join(axes)}{inside}"

    def conflicts(self) -> Iterator[str]:
        """Say of cylinders that are too close to others, or to their images, what is wrong."""
        for i, cell in enumerate(self.cells):
            own = float(np.linalg.norm(cell.direction.seen[0]))
            if own < 2 * cell.radius + LEAST_GAP - _ROUNDING:
                yield (
                    f"the axes of cell_{i + 1} and its periodic image are {own:.6g} apart, "
                    f"the least is {2 * cell.radius + LEAST_GAP:.6g}"
                )
            for j, other in enumerate(self.cells[:i]):
                apart = (cell.place - other.place)[None]
                distance = float(distances(other.direction, cell.direction, apart)[0])
                least = cell.radius + other.radius + LEAST_GAP
                if distance < least - _ROUNDING:
                    yield (
                        f"the axes of cell_{j + 1} and cell_{i + 1} are {distance:.6g} apart, "
                        f"the least is {least:.6g}"
                    )

    def volumes(self) -> tuple[float, ...]:
        """Return the exact volume of each cylinder in one cell."""
        return tuple(math.pi * c.radius**2 * c.direction.length for c in self.cells)

    def interface_measures(self) -> tuple[float, ...]:
        """Return the exact area of each membrane or surface in one cell."""
        return tuple(2 * math.pi * c.radius * c.direction.length for c in self.cells)

    def membrane_radii(self) -> Array:
        """Return the radius of each membrane."""
        return np.array([cell.radius for cell in self.cells])

    def on_membrane(self, places: Array, membrane: NDArray[np.int64]) -> Array:
        """Move places onto the wall of their cylinder, or of its nearest image."""
        moved = np.array(places, dtype=float)
        for number in np.unique(membrane):
            here = membrane == number
            cell = self.cells[number]
            offset = cell.direction.offsets(places[here] - cell.place)[0]
            distance = np.linalg.norm(offset, axis=1, keepdims=True)
            moved[here] += offset * (cell.radius / distance - 1.0)
        return moved

    def facet_radii(self, nodes: Array, membrane: NDArray[np.int64]) -> Array:
        """Return the radius of the wall along each facet, which is flat along the axis.

        A facet that is longer than wide spans the angle of its width alone.
        """
        edges = nodes[:, [0, 1, 2]] - nodes[:, [1, 2, 0]]
        units = np.array([cell.direction.unit for cell in self.cells])[membrane]
        along = np.einsum("nij,nj->ni", edges, units)
        squares = (edges * edges).sum(axis=2)
        across = np.sqrt(np.maximum(squares - along**2, 0.0).max(axis=1))
        return np.asarray(self.membrane_radii()[membrane] * np.sqrt(squares.max(axis=1)) / across)

    def own_mesh(self, size: float) -> CellMesh | None:
        """Return layers along the axis of cylinders that are all parallel; others are drawn."""
        if len({cell.axis for cell in self.cells}) > 1:
            return None
        from torrey.geometry.bodies.extrusion import mesh_parallel

        return mesh_parallel(self, size)

    def boxes(self, size: float) -> Iterator[Box]:
        """Yield the boxes whose faces, edges and corners pass the walls at a distance."""
        # Placing and drawing are loaded by those who mesh.
        from torrey.geometry.bodies.cylinder_drawing import cylinder_boxes

        return cylinder_boxes(self, size)

    def draw(self, canvas: Canvas) -> Drawing:
        """Draw the box with the cylinders in it."""
        from torrey.geometry.bodies.cylinder_drawing import draw_cylinders

        return draw_cylinders(self, canvas)

    def place_name(self, place: Array) -> str:
        """Say which cylinder is nearest to a place."""
        gaps = [
            abs(np.linalg.norm(c.direction.offsets((place - c.place)[None])[0]) - c.radius)
            for c in self.cells
        ]
        i = int(np.argmin(gaps))
        cell = self.cells[i]
        centre = ", ".join(f"{x:.6g}" for x in cell.center)
        return f"next to cell_{i + 1} (center [{centre}], axis {list(cell.axis)})"
