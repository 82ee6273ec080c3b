"""Straight lines in space along vectors of the cubic lattice, and all their periodic images.

A line along whole numbers (n1, n2, n3) without a common factor closes on itself after the length of
that vector. Seen along it, its images are the points of a lattice in the plane.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.boxes import wrapped

Array = NDArray[np.float64]

_NEIGHBOURS = np.array(list(product((-1, 0, 1), repeat=2)), dtype=float)


@dataclass(frozen=True)
class Direction:
    """A vector of the cubic lattice without a common factor.

    Attributes
    ----------
    axis : (3,) float
        Whole numbers.
    across : (2, 3) float
        Two vectors of the lattice that make a basis of it together with the axis.
    seen : (2, 3) float
        The same without their parts along the axis: the shortest vectors of the lattice of images.
    """

    axis: Array
    across: Array
    seen: Array

    @property
    def length(self) -> float:
        """Length of the axis, after which a line repeats itself."""
        return float(np.linalg.norm(self.axis))

    @property
    def unit(self) -> Array:
        """The axis, of length 1."""
        return np.asarray(self.axis / self.length)

    @property
    def basis(self) -> Array:
        """A basis of the lattice with the axis last and a positive determinant, shape (3, 3)."""
        return np.vstack([self.across, self.axis])

    def offsets(self, apart: Array) -> Array:
        """Differences of places across the axis, of the nearest image first, shape (9, n, 3).

        Parameters
        ----------
        apart : (n, 3) float
        """
        flat = apart - (apart @ self.unit)[:, None] * self.unit
        turns = flat @ np.linalg.pinv(self.seen)
        images = ((turns - np.round(turns)) + _NEIGHBOURS[:, None]) @ self.seen
        order = np.linalg.norm(images, axis=2).argsort(axis=0)
        return np.asarray(np.take_along_axis(images, order[:, :, None], axis=0))


@cache
def direction(axis: tuple[int, ...]) -> Direction:
    """Return what there is to know of an axis of whole numbers without a common factor."""
    along = np.array(axis, dtype=float)
    largest = max(map(abs, axis))
    all_vectors = np.array(list(product(range(-largest, largest + 1), repeat=3)), dtype=float)
    # The same line of the lattice once: the one that is shortest along the axis.
    parts = all_vectors @ along / (along @ along)
    candidates = all_vectors[(parts > -0.5) & (parts <= 0.5)]
    flat = candidates - np.outer(candidates @ along / (along @ along), along)
    lengths = np.round(np.linalg.norm(flat, axis=1), 9)
    order = np.lexsort((*candidates.T, np.abs(candidates @ along), lengths))
    order = order[lengths[order] > 0]
    first = order[0]
    for second in order[1:]:
        volume = np.linalg.det([candidates[first], candidates[second], along])
        if abs(volume - 1) < 1e-6:
            pair = [first, second]
            return Direction(along, candidates[pair], flat[pair])
    raise AssertionError(f"{axis} has a common factor")


def without_common_factor(axis: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shortest vector of the lattice along an axis; its first entry that is not 0 is
    positive."""
    factor = math.gcd(*axis)
    leading = next(n for n in axis if n)
    return tuple(n // factor * (1 if leading > 0 else -1) for n in axis)


def crossing(one: Array, other: Array) -> tuple[Array, float] | None:
    """Unit normal of two axes of whole numbers, and how far images are apart along it.

    None if the axes are parallel.
    """
    normal = np.cross(one, other)
    size = float(np.linalg.norm(normal))
    if size < 0.5:
        return None
    step = math.gcd(*(round(x) for x in normal))
    return normal / size, step / size


def distances(one: Direction, other: Direction, apart: Array) -> Array:
    """Distance of lines from the nearest images of others, shape (n,).

    Parameters
    ----------
    one, other : Direction
    apart : (n, 3) float
        From a place on each of the first lines to one on the second.
    """
    crossed = crossing(one.axis, other.axis)
    if crossed is None:
        return np.asarray(np.linalg.norm(one.offsets(apart)[0], axis=1))
    normal, step = crossed
    return np.abs(wrapped(apart @ normal, step))


def lines_through(corners: Array, place: Array, along: Direction, reach: float) -> Iterator[Array]:
    """Yield a place on each image of a line that passes a convex body up to a distance.

    Parameters
    ----------
    corners : (n, 3) float
        Of the body.
    place : (3,) float
        On the line.
    along : Direction
    reach : float
    """
    flat = corners - np.outer(corners @ along.unit, along.unit)
    middle = flat.mean(axis=0)
    radius = float(np.linalg.norm(flat - middle, axis=1).max()) + reach
    start = place - (place @ along.unit) * along.unit
    turns = (flat - start) @ np.linalg.pinv(along.seen)
    # How far a body of this reach is in steps of each vector of the plane lattice.
    steps = reach * np.linalg.norm(np.linalg.pinv(along.seen), axis=0)
    first = np.floor(turns.min(axis=0) - steps).astype(int)
    last = np.ceil(turns.max(axis=0) + steps).astype(int)
    for shift in product(*map(range, first, last + 1)):
        image = start + np.array(shift) @ along.seen
        if np.linalg.norm(image - middle) < radius:
            yield place + np.array(shift) @ along.across
