"""A periodic triangulation of a square with discs, its triangles inside or outside of them.

Vertices lie on the circles, at the centres, and in the room between. The triangulation is that of
Delaunay on the torus: of all points and their images beside the square. Each circle must come out
as a fan of triangles around its centre; where one does not, or where the curved element beside an
arc would fold, arcs are divided. Between the discs vertices are added in the centres of
circumscribed circles, as Ruppert's refinement does. No triangle is cut by a face of the square:
those at a face reach beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from torrey.base.stored import stored
from torrey.geometry.balls.random_discs import narrowest_place
from torrey.geometry.mesh import MeshError
from torrey.voxel.arcs import Arcs, place_arcs
from torrey.voxel.medium import DiscMedium

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

FEWEST_SEGMENTS: Final = 6
"""Arcs of a circle on the coarsest mesh: an element spans 60 degrees."""
FEWEST_DISCS: Final = 4
"""Fewer discs do not fill a square in which every edge has one image only."""

#: Largest circumscribed circle, in mean distances of the discs, with the fewest segments.
_LARGEST: Final = 0.45
#: Largest ratio of the radius of that circle to the shortest edge: angles above 21 degrees.
_SHAPE: Final = 1.4
#: Distance of new vertices from circles, and from each other, in radii of the circle around them.
_OFF_DISCS, _APART = 0.3, 0.9
#: Jacobian of a curved element at a corner, relative to the straight one, that counts as folded.
_FOLDED: Final = 0.3
#: Rounds of refinement, and share of the vertices that one of them must add to be worth it.
_ROUNDS, _ENOUGH = 30, 0.002
#: Arcs of a circle, as many as `place_arcs` makes at most and a few times more, or a multiple of
#: the segments: what is divided further never becomes whole, and takes all memory.
_MOST_ARCS, _MOST_HALVED = 2_000, 32


@dataclass(frozen=True)
class Triangles:
    """A periodic triangulation; lengths in um.

    Attributes
    ----------
    corners : (n, 3, 2) float
        Places, counter-clockwise; maybe beyond a face, as each triangle is of one piece.
    vertex : (n, 3) int
        Numbers of the vertices; a vertex and its periodic images have the same.
    circle : (n, 3) int
        Disc on whose circle each corner lies; -1 for none.
    inside : (n,) bool
        Whether a triangle lies inside a disc.
    n_vertices : int
    """

    corners: Array = field(
        metadata=stored(("triangle", "corner", "axis"), "um", "places of the corners")
    )
    vertex: Integers = field(
        metadata=stored(
            ("triangle", "corner"),
            "1",
            "vertex at each corner, periodic images alike",
            dtype=np.int32,
        )
    )
    circle: Integers = field(
        metadata=stored(
            ("triangle", "corner"),
            "1",
            "disc on whose circle the corner lies, -1 for none",
            dtype=np.int32,
        )
    )
    inside: NDArray[np.bool_] = field(
        metadata=stored(("triangle",), "1", "1 inside a disc, 0 outside", dtype=np.int8)
    )
    n_vertices: int = field(metadata=stored((), "1", "number of vertices", dtype=np.int32))


@dataclass(frozen=True)
class _Draft:
    """A triangulation of some vertices: on circles, centres, then those between the discs."""

    points: Array
    image: Integers
    triangles: Integers
    disc: Integers
    n_on_circles: int
    n_discs: int

    @property
    def corners(self) -> Array:
        return self.points[self.triangles]

    @property
    def vertex(self) -> Integers:
        return self.image[self.triangles]

    @property
    def inside(self) -> NDArray[np.bool_]:
        """All corners belong to one disc."""
        owner = self.disc[self.vertex]
        return (owner[:, 0] >= 0) & np.all(owner == owner[:, :1], axis=1)

    def broken(self, arcs: Arcs) -> Integers:
        """Discs that are not a fan of as many triangles as they have arcs."""
        centre = (self.vertex >= self.n_on_circles) & (
            self.vertex < self.n_on_circles + self.n_discs
        )
        fans = self.inside & centre.any(axis=1)
        found = np.bincount(self.disc[self.vertex[fans, 0]], minlength=self.n_discs)
        return np.flatnonzero(found != arcs.counts(self.n_discs))


def triangulate(medium: DiscMedium, segments: int = FEWEST_SEGMENTS) -> Triangles:
    """Triangulate a medium.

    Parameters
    ----------
    medium : DiscMedium
    segments : int
        Arcs of a circle that has no close neighbour, `FEWEST_SEGMENTS` at least. Triangles between
        the discs have a size of their own, which becomes smaller with them.

    Raises
    ------
    MeshError
        If discs overlap, a circle does not come out whole, or the triangulation is none of a
        torus.
    """
    _check_discs(medium)
    spacing = medium.side / np.sqrt(len(medium.radii))
    largest = _LARGEST * spacing * FEWEST_SEGMENTS / segments
    arcs = place_arcs(medium, segments)
    free = np.empty((0, 2))
    tree = cKDTree(medium.centres % medium.side, boxsize=medium.side)
    most = max(_MOST_ARCS, _MOST_HALVED * segments)
    rounds = 0
    while rounds < _ROUNDS and arcs.counts(len(medium.radii)).max() <= most:
        rounds += 1
        draft = _delaunay(medium, arcs, free, 3 * spacing + 2 * medium.radii.max())
        broken, (disc, angle) = draft.broken(arcs), _folding_arcs(draft, medium)
        added = _new_vertices(draft, medium, tree, largest)
        if not len(broken) and not len(disc) and len(added) < _ENOUGH * len(draft.image):
            return _finished(draft, medium)
        arcs, free = arcs.split(disc, angle), np.concatenate([free, added])
        if len(broken):
            arcs = arcs.halve(broken)
    raise MeshError(
        f"after {rounds} rounds {len(broken)} circles are not whole and {len(disc)} elements "
        f"fold, with up to {arcs.counts(len(medium.radii)).max():,} arcs on a circle: discs with "
        f"gaps of more than {medium.gap:.3g} um are easier to mesh"
    )


def _check_discs(medium: DiscMedium) -> None:
    """Refuse what no triangulation can be made of, before it is tried."""
    if len(medium.radii) < FEWEST_DISCS:
        raise MeshError(f"{len(medium.radii)} discs, {FEWEST_DISCS} or more make a voxel")
    side = medium.side
    first, second, width = narrowest_place(medium.centres / side, medium.radii / side)
    if not width > 0.0:
        raise MeshError(
            f"discs {first + 1} and {second + 1} overlap by {-width * side:.3g} um: no mesh can be "
            "made of them"
        )


def _delaunay(medium: DiscMedium, arcs: Arcs, free: Array, margin: float) -> _Draft:
    side, n = medium.side, len(medium.radii)
    own = np.concatenate([arcs.places(medium), medium.centres, free])
    own = own - side * np.floor(own / side)
    points, image = [own], [np.arange(len(own))]
    for shift in np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]) * side:
        there = own + shift
        near = np.all((there > -margin) & (there < side + margin), axis=1)
        points.append(there[near])
        image.append(np.flatnonzero(near))
    places = np.concatenate(points)
    triangles = Delaunay(places).simplices.astype(np.int64)
    middle = places[triangles].mean(axis=1)
    triangles = triangles[np.all((middle >= 0.0) & (middle < side), axis=1)]
    disc = np.concatenate([arcs.disc, np.arange(n), np.full(len(free), -1)])
    return _Draft(places, np.concatenate(image), triangles, disc, len(arcs.disc), n)


def _cross(a: Array, b: Array) -> Array:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def nearest_centre(medium: DiscMedium, disc: Integers, place: Array) -> Array:
    """Return the image of the centre of a disc that is nearest to a place, shape (n, 2)."""
    centre = medium.centres[disc]
    return np.asarray(centre + medium.side * np.round((place - centre) / medium.side))


def bulge(medium: DiscMedium, disc: Integers, middle: Array) -> Array:
    """Return how far the middle of an arc lies off the middle of its chord, shape (n, 2)."""
    apart = middle - nearest_centre(medium, disc, middle)
    height = np.hypot(apart[:, 0], apart[:, 1])
    return np.asarray(apart * (medium.radii[disc] / height - 1.0)[:, None])


def _folding_arcs(draft: _Draft, medium: DiscMedium) -> tuple[Integers, Array]:
    """Disc and angle of the middle of each arc whose curved element outside folds, or nearly."""
    outside = ~draft.inside
    corners, vertex = draft.corners[outside], draft.vertex[outside]
    owner = np.where(vertex < draft.n_on_circles, draft.disc[vertex], -1)
    discs, angles = [], []
    for k in range(3):
        here = (owner[:, k] >= 0) & (owner[:, k] == owner[:, (k + 1) % 3])
        a, b, c = (corners[here, (k + i) % 3] for i in range(3))
        disc, middle = owner[here, k], (a + b) / 2
        off = 4 * bulge(medium, disc, middle)
        straight = _cross(b - a, c - a)
        least = np.minimum(_cross(b - a + off, c - a), _cross(b - a - off, c - a - off)) / straight
        folded = least < _FOLDED
        apart = (middle - nearest_centre(medium, disc, middle))[folded]
        discs.append(disc[folded])
        angles.append(np.arctan2(apart[:, 1], apart[:, 0]))
    return np.concatenate(discs), np.concatenate(angles)


def _circumscribed(corners: Array) -> tuple[Array, Array]:
    """Centres and radii of the circles through the corners of triangles."""
    b, c = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    bb, cc = np.sum(b * b, axis=1), np.sum(c * c, axis=1)
    apart = np.stack([c[:, 1] * bb - b[:, 1] * cc, b[:, 0] * cc - c[:, 0] * bb], axis=1)
    apart /= 2 * _cross(b, c)[:, None]
    return corners[:, 0] + apart, np.hypot(apart[:, 0], apart[:, 1])


def _new_vertices(draft: _Draft, medium: DiscMedium, tree: cKDTree, largest: float) -> Array:
    """Centres of the circles around triangles that are too large or too flat, shape (n, 2)."""
    side = medium.side
    corners = draft.corners[~draft.inside]
    place, radius = _circumscribed(corners)
    shortest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).min(axis=1)
    wanted = (radius > _SHAPE * shortest) | (radius > largest)
    # Flat triangles have their centres anywhere.
    wanted &= np.all((place > -side) & (place < 2 * side), axis=1)
    place, radius = place[wanted] % side, radius[wanted]
    distance, nearest = tree.query(place, k=min(6, len(medium.radii)))
    off = (distance - medium.radii[nearest]).min(axis=1)
    free = off > _OFF_DISCS * np.minimum(radius, medium.radii.mean())
    place, radius = place[free], radius[free]
    order = np.argsort(-radius, kind="stable")
    place, radius = place[order], radius[order]
    if not len(place):
        return place
    # The largest first; no other one within its circle.
    crowd = cKDTree(place, boxsize=side).query_ball_point(place, _APART * radius)
    lost = np.zeros(len(place), dtype=bool)
    taken = []
    for i, others in enumerate(crowd):
        if not lost[i]:
            taken.append(i)
            lost[others] = True
    return np.asarray(place[taken])


def _finished(draft: _Draft, medium: DiscMedium) -> Triangles:
    """The triangulation of a draft, counter-clockwise, after a look at its topology."""
    corners, vertex = draft.corners, draft.vertex
    turned = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) < 0.0
    order = np.where(turned[:, None], [0, 2, 1], [0, 1, 2])
    corners = np.take_along_axis(corners, order[:, :, None], axis=1)
    vertex = np.take_along_axis(vertex, order, axis=1)
    circle = np.where(vertex < draft.n_on_circles, draft.disc[vertex], -1)
    own = len(draft.disc)
    pairs = np.sort(np.stack([vertex, np.roll(vertex, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    _, uses = np.unique(pairs[:, 0] * own + pairs[:, 1], return_counts=True)
    if len(vertex) != 2 * own or np.any(uses != 2):
        raise MeshError(
            f"{len(vertex)} triangles of {own} vertices do not close to a torus: a box of more "
            "discs, or another seed"
        )
    return Triangles(corners, vertex, circle, draft.inside, own)
