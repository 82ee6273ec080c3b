"""Where the vertices of a mesh lie on circles: closer together where two circles are close.

An arc of angle w on a circle of radius r bulges by r w^2 / 8. Two circles that are a gap g apart
are told apart by curved elements if their arcs are not longer than about sqrt(2 r g); then the
triangulation of Delaunay also has every arc among its edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from torrey.voxel.medium import DiscMedium

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Circles further apart do not matter to each other, in the longest arc.
_FAR: Final = 1.5
#: Places on an arc at which the gap is measured, and the shortest arc (rad).
_PLACES: Final = np.linspace(0.0, 1.0, 5)
_SHORTEST: Final = 0.02


@dataclass(frozen=True)
class Arcs:
    """Vertices on the circles of a medium, sorted by disc and angle.

    Attributes
    ----------
    disc : (n,) int
    angle : (n,) float
        In [0, 2 pi[.
    """

    disc: Integers
    angle: Array

    def places(self, medium: DiscMedium) -> Array:
        """Place of each vertex, shape (n, 2), maybe beyond a face (um)."""
        around = np.stack([np.cos(self.angle), np.sin(self.angle)], axis=1)
        return np.asarray(medium.centres[self.disc] + medium.radii[self.disc, None] * around)

    def counts(self, n_discs: int) -> Integers:
        """Vertices on each circle, shape (n_discs,)."""
        return np.bincount(self.disc, minlength=n_discs)

    def split(self, disc: Integers, angle: Array) -> Arcs:
        """With more vertices, at these angles of these discs."""
        return _sorted(np.concatenate([self.disc, disc]), np.concatenate([self.angle, angle]))

    def halve(self, discs: Integers) -> Arcs:
        """With a vertex in the middle of every arc of some discs."""
        here = np.flatnonzero(np.isin(self.disc, discs))
        disc, angle = self.disc[here], self.angle[here]
        first = np.flatnonzero(np.diff(disc, prepend=-1))
        following = np.append(angle[1:], 0.0)
        last = np.append(first[1:], len(disc)) - 1
        following[last] = angle[first] + 2 * np.pi
        return self.split(disc, (angle + following) / 2)


def place_arcs(medium: DiscMedium, segments: int, seed: int = 0) -> Arcs:
    """Vertices on circles: so many arcs on each, halved until they are short beside the gap.

    Parameters
    ----------
    medium : DiscMedium
    segments : int
        Arcs of a circle that has no close neighbour.
    seed : int
        Of the angles at which the arcs begin, so that no two circles are meshed alike.
    """
    starts = np.random.default_rng(seed).uniform(0.0, 2 * np.pi, len(medium.radii))
    near = _neighbours(medium, segments)
    discs: list[int] = []
    angles: list[float] = []
    for number, radius in enumerate(medium.radii.tolist()):
        whole = 2 * np.pi / segments
        waiting = [(starts[number] + k * whole, whole) for k in range(segments)]
        while waiting:
            begin, width = waiting.pop()
            gap = _gap(near[number], radius, begin, width)
            if radius * width > np.sqrt(2 * radius * gap) and width > _SHORTEST:
                waiting += [(begin, width / 2), (begin + width / 2, width / 2)]
            else:
                discs.append(number)
                angles.append(begin)
    return _sorted(np.array(discs, dtype=np.int64), np.array(angles))


def _sorted(disc: Integers, angle: Array) -> Arcs:
    angle = angle % (2 * np.pi)
    order = np.lexsort((angle, disc))
    return Arcs(disc[order], angle[order])


def _neighbours(medium: DiscMedium, segments: int) -> list[Array]:
    """Of each disc the angle, distance and radius of those near to it, shapes (n, 3)."""
    side, centres, radii = medium.side, medium.centres % medium.side, medium.radii
    reach = _FAR * 2 * np.pi * radii.max() / segments
    tree = cKDTree(centres, boxsize=side)
    pairs = tree.query_pairs(2 * radii.max() + reach, output_type="ndarray")
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    apart = centres[pairs[:, 1]] - centres[pairs[:, 0]]
    apart -= side * np.round(apart / side)
    distance = np.hypot(apart[:, 0], apart[:, 1])
    close = distance - radii[pairs].sum(axis=1) < reach
    pairs, apart, distance = pairs[close], apart[close], distance[close]
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    angle = np.arctan2(apart[:, 1], apart[:, 0])
    table = np.stack([angle, distance, radii[pairs[:, 1]]], axis=1)[order]
    return np.split(table, np.searchsorted(pairs[order, 0], np.arange(1, len(radii))))


def _gap(near: Array, radius: float, begin: float, width: float) -> float:
    """Least distance of an arc from the circles near to it (um)."""
    if not len(near):
        return np.inf
    angle = begin + width * _PLACES[:, None]
    apart = np.hypot(
        radius * np.cos(angle) - near[:, 1] * np.cos(near[:, 0]),
        radius * np.sin(angle) - near[:, 1] * np.sin(near[:, 0]),
    )
    return max(float((apart - near[:, 2]).min()), 0.0)
