"""Sizes of the elements around discs and spheres: small in gaps, and nowhere else.

Where two surfaces are near each other, the water between them is a film. What diffuses along it
sees a film whose thickness h changes over the length sqrt(2 h / k), k being the sum of the
curvatures of both sides: elements there are long and thin, one across on the coarsest mesh, so that
their number grows with the logarithm of the gap only. Two surfaces further apart have elements as
long as they are apart.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls.base import Balls
from torrey.geometry.balls.placing import fractions, reaches
from torrey.geometry.boxes import Box
from torrey.geometry.sizes import ELEMENTS_PER_CIRCLE

Array = NDArray[np.float64]

#: Length of an element in a film, over the length along which the film grows thicker, by dimension.
#: A chord of it bends from its circle by at most three hundredths of the film.
_ALONG_FILM = {2: 0.25, 3: 0.35}
#: How fast elements grow with the distance from a small circle or sphere, by dimension.
_GROWTH = {2: 0.15, 3: 0.3}
#: How fast elements grow inside a ball with the depth below its surface.
_GROWTH_INSIDE = 0.7


class BallSizes:
    """Sizes of elements at places around balls.

    The mesher asks at tens of thousands of places. Those within one cube of a grid have the same
    few candidates, which are found when the first of them is asked for.

    Parameters
    ----------
    shape : Discs or Spheres
        With one ball at least.
    box : Box
        In which places lie.
    reach : float
        Up to this depth below a surface, it is a candidate anyway.
    """

    def __init__(self, shape: Balls, box: Box, reach: float = 0.0) -> None:
        self._centres, self._radii = neighbours(shape, box)
        self._round = 2 * math.pi * self._radii / ELEMENTS_PER_CIRCLE[shape.dimension]
        self._reach, self._along = reach, _ALONG_FILM[shape.dimension]
        self._growth = _GROWTH[shape.dimension]
        self._side = 0.5 / len(self._radii) ** (1 / shape.dimension)
        self._found: dict[tuple[int, ...], list[tuple[list[float], float, float]]] = {}

    def size_at(self, place: list[float]) -> float:
        """Largest size of an element at a place, shape (d,)."""
        nearest, radius = math.inf, 1.0
        second, other = math.inf, 1.0
        smallest = math.inf
        for depth, r, length in self._near(place):
            far = abs(depth)
            smallest = min(smallest, length + self._growth * far)
            if far < abs(nearest):
                second, other = nearest, radius
                nearest, radius = depth, r
            elif far < abs(second):
                second, other = depth, r
        below = max(-nearest, 0.0)
        # Of a place inside, it is the film outside that tells.
        width = max(abs(nearest) + abs(second) - 2 * below, 0.0)
        film = self._along * math.sqrt(2 * width / (1 / radius + 1 / other))
        return min(smallest, max(width, film) + _GROWTH_INSIDE * below)

    def is_below(self, place: list[float], depth: float, slack: float) -> bool:
        """Whether a place lies no deeper below any surface than this, up to a slack."""
        return any(-depth - slack <= found <= slack for found, _, _ in self._near(place))

    def _near(self, place: list[float]) -> list[tuple[float, float, float]]:
        """Distance from surfaces, negative inside, their radii, and lengths of elements there."""
        cube = tuple(math.floor(x / self._side) for x in place)
        candidates = self._found.get(cube)
        if candidates is None:
            candidates = self._found[cube] = self._candidates(np.array(cube))
        return [
            (math.dist(place, centre) - radius, radius, length)
            for centre, radius, length in candidates
        ]

    def _candidates(self, cube: NDArray[np.int64]) -> list[tuple[list[float], float, float]]:
        """All that may be one of the two nearest, or tell the size, anywhere in a cube."""
        middle = (cube + 0.5) * self._side
        half = 0.5001 * self._side * math.sqrt(len(cube))
        far = np.abs(np.linalg.norm(middle - self._centres, axis=1) - self._radii)
        near = far <= max(np.partition(far, 1)[1] + 2 * half, self._reach + half)
        grown = self._round + self._growth * far
        near |= grown <= grown.min() + 2 * self._growth * half
        parts = self._centres[near], self._radii[near], self._round[near]
        return list(zip(*(part.tolist() for part in parts), strict=True))


def neighbours(shape: Balls, box: Box) -> tuple[Array, Array]:
    """Centres and outer radii of the balls in the box and around it, of two at least."""
    d = shape.dimension
    reach = np.ceil(reaches(box, shape).max(axis=0)).astype(int)
    shifts = np.array(list(product(*(range(-n, n + 2) for n in reach))))
    places = np.concatenate([fraction + shifts for fraction in fractions(box, shape)])
    near = np.all((places - box.origin > -reach) & (places - box.origin < 1 + reach), axis=1)
    radii = np.repeat(shape.outer_radii, len(shifts))
    return np.asarray((places @ box.vectors)[near].reshape(-1, d)), radii[near]
