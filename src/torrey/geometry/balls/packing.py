"""How cells of discs and spheres are meshed, and what their meshes must keep."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls.base import Balls, ball_measure
from torrey.geometry.balls.neighbours import narrowest_gap, nearest_ball
from torrey.geometry.balls.placing import ranked_boxes
from torrey.geometry.boxes import Box, reduced_basis
from torrey.geometry.membranes import Radius
from torrey.geometry.pieces import Drawing
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
        inside = ", no water outside" if self.has_wall else inside
        coat = f", coat of {self.coat_thickness:g}" if self.coat_thickness else ""
        return f"{balls}, R = {' to '.join(ends)}{coat}{inside}"

    def boxes(self, size: float) -> Iterator[Box]:
        """Yield the boxes whose faces pass the balls at a distance or cut them well."""
        return ranked_boxes(self, size)

    def draw(self, canvas: Canvas) -> Drawing:
        """Draw the box with the balls and their layers in it."""
        # The mesher is loaded by those who mesh.
        from torrey.geometry.balls.drawing import draw_balls

        return draw_balls(self, canvas)

    def membrane_radii(self) -> Array:
        """Return the radius of each membrane."""
        inner = self._inner_radii
        if self.coat_thickness:
            return np.concatenate([inner, inner + self.coat_thickness])
        return inner[: len(self.membranes())]

    def named_radii(self) -> tuple[Radius, ...]:
        """Return the radius of each ball, ``cell_1``, ..., and of its coat, ``coat_1``, ..."""
        count = len(self.cells)
        parts = ("cell", "coat") if self.coat_thickness else ("cell",)
        names = [f"{part}_{i + 1}" for part in parts for i in range(count)]
        # Around layers there are no membranes.
        return tuple(Radius(name, i) for i, name in enumerate(names[: len(self.membranes())]))

    @property
    def _inner_radii(self) -> Array:
        return np.array([cell.radius for cell in self.cells])

    def region_tolerances(self, relative: Array) -> Array:
        """Return how far the measure of each region may be off, shape (n_regions,); like h^4."""
        if not len(relative):
            relative = np.full(len(self.cells), measure_error(_NOMINAL_ANGLE))
        d = self.dimension
        unit = ball_measure(d, 1.0)
        # Of two membranes around a ball, the inner one comes first.
        first, last = relative[: len(self.cells)], relative[-len(self.cells) :]
        inner = unit * self._inner_radii**d * first
        outer = unit * self.outer_radii**d * last
        parts = [np.array([outer.sum() + ROUNDING]), inner, inner + outer]
        parts = parts[1 - self.first_inside :]
        return np.concatenate(parts)[: len(self.region_names)]

    def on_membrane(self, places: Array, membrane: NDArray[np.int64]) -> Array:
        """Return places moved onto the nearest image of their circle or sphere."""
        return self._on_balls(places, membrane % len(self.cells), self.membrane_radii()[membrane])

    def on_interface(self, places: Array, regions: NDArray[np.int64]) -> Array:
        """Return places moved onto the circles on both sides of layers; see `Discs`."""
        ball = (regions[:, 1] - 1) % len(self.cells)
        outer = regions[:, 0] == 0
        radii = np.where(outer, self.outer_radii[ball], self._inner_radii[ball])
        return self._on_balls(places, ball, radii)

    def outward(self, places: Array, membrane: NDArray[np.int64]) -> Array:
        """Return unit vectors away from the centre of the nearest image of a ball."""
        along = self._from_centre(
            places, membrane % len(self.cells), self.membrane_radii()[membrane]
        )
        return np.asarray(along / np.linalg.norm(along, axis=1, keepdims=True))

    def _on_balls(self, places: Array, ball: NDArray[np.int64], radii: Array) -> Array:
        """Places moved along the radius to a distance from the centre of a ball, shape (n, d)."""
        along = self._from_centre(places, ball, radii)
        gap = radii - np.linalg.norm(along, axis=1)
        return np.asarray(places + along * (gap / (radii - gap))[:, None])

    def _from_centre(self, places: Array, ball: NDArray[np.int64], radii: Array) -> Array:
        """Places from the centre of that image of a ball whose surface is nearest, shape (n, d)."""
        # Those nearest to a place are next to it in the shortest vectors, not in any.
        periods = reduced_basis(self.periods)
        centres = np.array([cell.center for cell in self.cells]) @ self.periods
        apart = places - centres[ball]
        apart -= np.round(apart @ np.linalg.inv(periods)) @ periods
        images = [
            apart - np.array(shift) @ periods
            for shift in product((-1, 0, 1), repeat=self.dimension)
        ]
        gaps = [radii - np.linalg.norm(image, axis=1) for image in images]
        nearest = np.abs(gaps).argmin(axis=0)
        return np.asarray(np.array(images)[nearest, np.arange(len(places))])

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
