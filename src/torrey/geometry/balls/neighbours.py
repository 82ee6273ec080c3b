"""Distances between balls and their periodic images: who is next to whom, and how narrow it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls.base import Balls
from torrey.geometry.balls.random_discs import narrowest_place
from torrey.geometry.boxes import reduced_basis

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Gap:
    """The water between two balls, numbered from 0, or between one and its own image."""

    first: int
    second: int
    width: float

    def __str__(self) -> str:
        other = "its periodic image" if self.first == self.second else f"cell_{self.second + 1}"
        return f"the gap of {self.width:.3g} between cell_{self.first + 1} and {other}"


def image_distances(shape: Balls, place: Array) -> Array:
    """Distance of a place from the centres of the images of each ball, nearest first.

    Parameters
    ----------
    shape : Discs or Spheres
    place : (d,) float
        In units of the cell.

    Returns
    -------
    (n_cells, 3^d) float
    """
    vectors = reduced_basis(shape.periods)
    centers = np.array([cell.center for cell in shape.cells]) @ shape.periods
    apart = (place - centers) @ np.linalg.inv(vectors)
    images = np.array(list(product((-1, 0, 1), repeat=shape.dimension)))
    places = ((apart - np.round(apart))[:, None] + images) @ vectors
    return np.asarray(np.sort(np.linalg.norm(places, axis=-1), axis=1))


def nearest_ball(shape: Balls, place: Array) -> int:
    """Number, from 0, of the ball whose surface is nearest to a place."""
    radii = np.array([cell.radius for cell in shape.cells])
    return int(np.abs(image_distances(shape, place) - radii[:, None]).min(axis=1).argmin())


def _gaps(shape: Balls) -> Iterator[tuple[int, Array]]:
    """Yield each ball and its gaps to the images of those before it and its own, (i + 1, n)."""
    radii = shape.outer_radii
    for i, cell in enumerate(shape.cells):
        distance = image_distances(shape, np.array(cell.center) @ shape.periods)[: i + 1]
        # The nearest image of a ball itself is the ball; the others come in pairs, one counts.
        distance[i, ::2] = np.inf
        yield i, distance - radii[i] - radii[: i + 1, None]


def narrowest_gap(shape: Balls) -> Gap:
    """Where the water between balls, layers included, is narrowest."""
    if np.array_equal(shape.periods, np.eye(shape.dimension)):
        centers = np.array([cell.center for cell in shape.cells])
        first, second, width = narrowest_place(centers, shape.outer_radii)
        return Gap(second, first, width)
    found = []
    for i, widths in _gaps(shape):
        nearest = int(widths.min(axis=1).argmin())
        found.append(Gap(i, nearest, float(widths[nearest].min())))
    return min(found, key=lambda gap: gap.width)
