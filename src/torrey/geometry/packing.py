"""How cells of discs and spheres are meshed, and what their meshes must keep."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls import Balls, ball_measure
from torrey.geometry.boxes import Box, reduced_basis
from torrey.geometry.neighbours import narrowest_gap, nearest_ball
from torrey.geometry.pieces import Drawing
from torrey.geometry.placing import ranked_boxes
from torrey.geometry.sizes import ELEMENTS_PER_CIRCLE, ROUNDING, measure_error

if TYPE_CHECKING:
    from torrey.geometry.drawing import Canvas

Array = NDArray[np.float64]

_NUMBERS: Final = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

#: Angle that an element spans where no membrane tells, in layers.
_NOMINAL_ANGLE = 2 * math.pi / ELEMENTS_PER_CIRCLE[2]


@dataclass(frozen=True)
class Packing(Balls):
    """Discs or spheres that can be meshed; see `Balls`."""

    def describe(self) -> str:
        """Say how many balls the cell holds, how large they are and what is inside."""
        if not self.cells:
            return f"no {self.kind}"
        count = len(self.cells)
        one = self.kind.removesuffix("s")
        number = _NUMBERS[count - 2] if 2 <= count <= len(_NUMBERS) + 1 else f"{count}"
        balls = one if count == 1 else f"{number} {self.kind}"
        ends = dict.fromkeys(
            f"{size(cell.radius for cell in self.cells):.3g}" for size in (min, max)
        )
        inside = ", no water inside" if self.interior == "obstacle" else ""
        return f"{balls}, R = {' to '.join(ends)}{inside}"

    def boxes(self, size: float) -> Iterator[Box]:
        """Yield the boxes whose faces pass the balls at a distance or cut them well."""
        return ranked_boxes(self, size)

    def draw(self, canvas: Canvas) -> Drawing:
        """Draw the box with the balls and their layers in it."""
        # The mesher is loaded by those who mesh.
        from torrey.geometry.ball_drawing import draw_balls

        return draw_balls(self, canvas)

    def membrane_radii(self) -> Array:
        """Return the radius of each membrane."""
        return np.array([cell.radius for cell in self.cells])[: len(self.membranes())]

    def region_tolerances(self, relative: Array) -> Array:
        """Return how far the measure of each region may be off, shape (n_regions,); like h^4."""
        if not len(relative):
            relative = np.full(len(self.cells), measure_error(_NOMINAL_ANGLE))
        d = self.dimension
        unit = ball_measure(d, 1.0)
        inner = unit * np.array([cell.radius for cell in self.cells]) ** d * relative
        outer = unit * self.outer_radii**d * relative
        parts = [np.array([outer.sum() + ROUNDING]), inner, inner + outer]
        return np.concatenate(parts)[: len(self.region_names)]

    def surface_gaps(self, nodes: Array, membrane: NDArray[np.int64]) -> Array:
        """Return how far nodes lie off the circles and spheres, or off their periodic images."""
        # Of a sheared lattice, the nearest image is none of the next ones along its own vectors.
        periods = reduced_basis(self.periods)
        centres = np.array([cell.center for cell in self.cells])[membrane]
        radii = np.array([cell.radius for cell in self.cells])[membrane]
        # The middle of a facet is close to the surface, so that it finds the image; its nodes
        # follow.
        apart = nodes - (centres @ self.periods)[:, None]
        turns = np.round(apart[:, :1] @ np.linalg.inv(periods))
        gaps = []
        for shift in product((-1, 0, 1), repeat=self.dimension):
            distance = np.linalg.norm(apart - (turns + shift) @ periods, axis=-1)
            gaps.append(np.abs(distance - radii[:, None]).max(axis=1))
        return np.asarray(np.min(gaps, axis=0))

    def place_name(self, place: Array) -> str:
        """Say which ball is nearest to a place."""
        if not self.cells:
            return ""
        nearest = nearest_ball(self, place)
        cell = self.cells[nearest]
        centre = ", ".join(f"{x:.6g}" for x in cell.center)
        return f"next to cell_{nearest + 1} (center [{centre}], radius {cell.radius:.6g})"

    def advice(self, least: str) -> str:
        """Say where it is narrowest, and what could help."""
        general = super().advice(least)
        if not self.cells:
            return general
        return f"The narrowest place is {narrowest_gap(self)}. {general}, and a ball moved by 0.01"
