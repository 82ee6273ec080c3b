"""Boxes in which a periodic cell is meshed: any period of its lattice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: A vector counts as shorter than another if it is by this part.
_SHORTER = 1e-9
#: Two boxes differ if their corners do by this part of a period.
_DIFFERENT = 0.04
#: What a box loses if one of its faces, or all, lie where those of a box before it did.
_SAME_FACE, _AGAIN = 0.15, 10.0
#: Steps around a rounded place in a plane lattice, one of which is the nearest.
_AROUND = np.array(list(product((0, 1, -1), repeat=2)))


@dataclass(frozen=True)
class Box:
    """One period of a lattice.

    Attributes
    ----------
    origin : (d,) float
        Its corner, in fractions of the vectors.
    vectors : (d, d) float
        What spans it, as rows: a basis of the lattice (units of the cell).
    """

    origin: Array
    vectors: Array

    @property
    def corner(self) -> Array:
        """Its corner, shape (d,), in units of the cell."""
        return np.asarray(self.origin @ self.vectors)

    @property
    def inverse(self) -> Array:
        """From places to fractions of the vectors, shape (d, d)."""
        return np.asarray(np.linalg.inv(self.vectors), dtype=float)

    @property
    def is_cube(self) -> bool:
        """Whether its faces are perpendicular to the axes and 1 apart."""
        return bool(np.array_equal(self.vectors, np.eye(len(self.vectors))))

    @property
    def slopes(self) -> Array:
        """One over the distance of opposite faces, by vector, shape (d,)."""
        return np.asarray(np.linalg.norm(self.inverse, axis=0))

    def images(self, fraction: Array, reach: Array) -> Iterator[Array]:
        """Yield the places of a thing and its periodic images that reach into the box.

        Parameters
        ----------
        fraction : (d,) float
            Place of the thing, in fractions of the vectors.
        reach : (d,) float
            How far it reaches from there along each vector, in fractions of it.

        Yields
        ------
        (d,) float, in units of the cell.
        """
        first = np.floor(self.origin - reach - fraction).astype(int)
        last = np.ceil(self.origin + 1 + reach - fraction).astype(int)
        for shift in product(*map(range, first, last + 1)):
            place = fraction + np.array(shift) - self.origin
            if np.all((place > -reach) & (place < 1 + reach)):
                yield (fraction + np.array(shift)) @ self.vectors


def reduced_basis(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shortest basis of the same lattice, with a positive determinant, shape (d, d).

    By Lagrange and Gauss in the plane. In space the longest vector is made as short as the other
    two can make it, until nothing becomes shorter (Semaev, LNCS 2146, 181, 2001). Neighbours in
    the lattice differ by -1, 0 or 1 of these vectors.
    """
    basis = np.array(vectors, dtype=float)
    if len(basis) == 2:
        basis = _reduced_pair(basis)
    while len(basis) == 3:
        basis = np.array(sorted(basis, key=np.linalg.norm))
        basis[:2] = _reduced_pair(basis[:2])
        turns = np.round(basis[2] @ np.linalg.pinv(basis[:2])) + _AROUND
        shorter = min(basis[2] - turns @ basis[:2], key=np.linalg.norm)
        if not np.linalg.norm(shorter) < (1 - _SHORTER) * np.linalg.norm(basis[2]):
            break
        basis[2] = shorter
    return basis if np.linalg.det(basis) > 0 else np.array([*basis[:-1], -basis[-1]])


def _reduced_pair(vectors: Array) -> Array:
    """Shortest basis of the lattice of two vectors, in the plane or in space."""
    short, long = sorted(vectors, key=np.linalg.norm)
    while turns := round(float(short @ long) / float(short @ short)):
        short, long = sorted((short, long - turns * short), key=np.linalg.norm)
    return np.array([short, long])


def by_merit(
    frame: Box, origins: Array, merit: Array, taken: Sequence[Array] = ()
) -> Iterator[Box]:
    """Yield boxes by falling merit that differ from each other.

    Parameters
    ----------
    frame : Box
        Its vectors are those of all boxes.
    origins : (n, d) float
    merit : (n,) float
        In elements.
    taken : sequence of (d,) float
        Origins of boxes from which they must differ too.
    """
    merit = np.array(merit, dtype=float)
    for origin in taken:
        merit -= _likeness(origins, origin)
    while True:
        # The first of rounded merits: the same cell gets the same boxes on every machine.
        origin = origins[int(np.argmax(np.round(merit, 9)))]
        merit -= _likeness(origins, origin)
        yield Box(origin, frame.vectors)


def _likeness(origins: Array, taken: Array) -> Array:
    """What boxes lose beside one that was taken, by face in the same place; all if they agree."""
    same = (np.abs(wrapped(origins - taken)) < _DIFFERENT).sum(axis=1)
    return np.where(same == origins.shape[1], _AGAIN, _SAME_FACE * same)


def wrapped(values: Array, step: float = 1.0) -> Array:
    """Values modulo a step, between minus and plus half of it."""
    return np.asarray(values - step * np.round(values / step))
