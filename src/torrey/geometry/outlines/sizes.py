"""Sizes of the elements around curves: small where they bend, and where little room is left."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: How fast elements grow with the distance from a curve.
_GROWTH: Final = 0.6
#: Sides of the squares, coarse and fine, within which the same few samples tell the size.
_SQUARES: Final = (0.0625, 0.00390625)


def element_size(
    places: Array, sizes: Array, sides: Array, largest: float
) -> Callable[[Array], float]:
    """Return the size of an element at a place, at most the largest.

    Parameters
    ----------
    places : (n, 2) float
    sizes : (n,) float
        Of the elements there.
    sides : (2,) float
        Of the periodic cell.
    largest : float
    """
    small = sizes < largest
    places, sizes = places[small], sizes[small]
    coarse: dict[tuple[int, int], Array] = {}
    fine: dict[tuple[int, int], list[list[float]]] = {}

    def near(square: tuple[int, int], side: float, homes: Array) -> Array:
        """Those of some samples (place and size) that may tell the size in a square."""
        apart = homes[:, :2] - (np.array(square) + 0.5) * side
        shift = np.round(apart / sides) * sides
        least = homes[:, 2] + _GROWTH * np.linalg.norm(apart - shift, axis=1)
        slack = _GROWTH * side * math.sqrt(2)
        found = least <= min(float(least.min(initial=math.inf)), largest) + slack
        return np.column_stack([homes[:, :2] - shift, homes[:, 2]])[found]

    def size_at(place: Array) -> float:
        x, y = float(place[0]), float(place[1])
        square = math.floor(x / _SQUARES[1]), math.floor(y / _SQUARES[1])
        if square not in fine:
            large = math.floor(x / _SQUARES[0]), math.floor(y / _SQUARES[0])
            if large not in coarse:
                coarse[large] = near(large, _SQUARES[0], np.column_stack([places, sizes]))
            # A little wider: the two grids are rounded by themselves.
            fine[square] = near(square, _SQUARES[1] * (1 + 1e-9), coarse[large]).tolist()
        found = largest
        for u, v, size in fine[square]:
            found = min(found, size + _GROWTH * math.hypot(x - u, y - v))
        return found

    return size_at
