"""Simplices of a file as a conforming mesh of order 2: what belongs to what, and what is wrong.

Every facet belongs to two elements, or to one on a boundary. A mesh that breaks this, or whose
elements overlap, are flat or touch where they share no node, is refused with a place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.geometry.mesh import local_facets
from torrey.geometry.own.mesh_files import FileMesh, at

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Ends of the edges of a simplex, in the order of its middle nodes; see `CellMesh`.
_EDGES: Final = {
    2: np.array([[0, 1], [1, 2], [2, 0]]),
    3: np.array([[0, 1], [1, 2], [2, 0], [0, 3], [2, 3], [1, 3]]),
}
#: A quadratic simplex with its first two corners exchanged.
_TURNED: Final = {2: [1, 0, 2, 3, 5, 4], 3: [1, 0, 2, 3, 4, 6, 5, 9, 8, 7]}
#: Whether the corners of each facet, as `local_facets` lists them, turn outward.
_OUTWARD: Final = {2: np.array([1, 1, 1]), 3: np.array([-1, 1, 1, -1])}
#: Nodes that differ by less are one node given twice (parts of the extent of the mesh).
_SAME: Final = 1e-7
#: Measure of a simplex over the power of its longest edge, of one that is flat.
_FLAT: Final = 1e-9
#: A node lies on a facet if it is no further off (parts of the facet's longest edge).
_ON_FACET: Final = 1e-6


@dataclass(frozen=True)
class Conforming:
    """Quadratic simplices and their facets, in the lengths of the file.

    Attributes
    ----------
    points : (n_nodes, d) float
    elements : (n_elements, n_local) int
        Corners in the order of positive measure; see `CellMesh`.
    region : (n_elements,) int
    facets : (n_facets, n_facet_nodes) int
        Of all elements, each once.
    sides : (n_facets, 2) int
        The elements that a facet belongs to; -1 in the second place on a boundary.
    """

    points: Array
    elements: Integers
    region: Integers
    facets: Integers
    sides: Integers

    @property
    def dimension(self) -> int:
        """Number of space dimensions d."""
        return int(self.points.shape[1])

    @property
    def extent(self) -> float:
        """Longest side of the box around it."""
        return float(np.ptp(self.points, axis=0).max())


def conforming(mesh: FileMesh, name: str) -> Conforming:
    """Return the mesh of a file with its elements turned, middle nodes and facets.

    Parameters
    ----------
    mesh : FileMesh
    name : str
        Of the file, for messages.

    Raises
    ------
    InputError
        If it does not conform; the message has a place in the lengths of the file.
    """
    d = mesh.dimension
    used, flat = np.unique(mesh.elements, return_inverse=True)
    points, elements = mesh.points[used], flat.reshape(mesh.elements.shape).astype(np.int64)
    extent = float(np.ptp(points, axis=0).max())
    _refuse_doubled(points, used, extent, name)
    size = _signed_measures(points, elements[:, : d + 1])
    edges = points[elements[:, _EDGES[d]]]
    longest = np.linalg.norm(edges[:, :, 0] - edges[:, :, 1], axis=2).max(axis=1)
    flat_ones = np.flatnonzero(np.abs(size) <= _FLAT * longest**d)
    if len(flat_ones):
        where = at(points[elements[flat_ones[0], : d + 1]].mean(axis=0))
        raise InputError(f"{name} with {len(flat_ones):,} flat elements, the first {where}", _MESH)
    points, elements = _with_middles(points, elements, name)
    elements[size < 0] = elements[size < 0][:, _TURNED[d]]
    facets, sides = _facets(points, elements, name)
    _refuse_hanging(points, facets[sides[:, 1] < 0], name)
    return Conforming(points, elements, mesh.region, facets, sides)


_MESH: Final = "a conforming mesh: elements that share whole facets and do not overlap"


def _refuse_doubled(points: Array, used: Integers, extent: float, name: str) -> None:
    from scipy.spatial import cKDTree

    pairs = cKDTree(points).query_pairs(_SAME * extent, output_type="ndarray")
    if len(pairs):
        first, second = sorted(used[pairs[0]] + 1)
        raise InputError(
            f"{name} with {len(pairs):,} pairs of nodes in one place, the first {first} and "
            f"{second} {at(points[pairs[0, 0]])}",
            "nodes that elements on both sides share, membranes among them: merge them",
        )


def _signed_measures(points: Array, corners: Integers) -> Array:
    along = points[corners[:, 1:]] - points[corners[:, :1]]
    return np.asarray(np.linalg.det(along) / (1 if along.shape[1] == 1 else 2))


def _with_middles(points: Array, elements: Integers, name: str) -> tuple[Array, Integers]:
    """The same with a node in the middle of each edge: of the file, or halfway."""
    d = points.shape[1]
    ends = np.sort(elements[:, _EDGES[d]], axis=2)
    count = len(points)
    known, first, which = np.unique(
        (ends[..., 0] * count + ends[..., 1]).ravel(), return_index=True, return_inverse=True
    )
    ends = ends.reshape(-1, 2)[first]
    halfway = points[ends].mean(axis=1)
    if elements.shape[1] == d + 1:
        middles = count + which.reshape(len(elements), -1)
        return np.concatenate([points, halfway]), np.hstack([elements, middles])
    given = elements[:, d + 1 :].ravel()
    node = given[first]
    if len(others := np.flatnonzero(node[which] != given)):
        where = at(halfway[which[others[0]]])
        raise InputError(f"{name} with an edge {where} that has two middle nodes", _MESH)
    off = np.linalg.norm(points[node] - halfway, axis=1)
    length = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1)
    if np.any(far := off >= 0.5 * length):
        worst = int(np.flatnonzero(far)[0])
        raise InputError(
            f"{name} with a node {at(points[node[worst]])} for the middle of an edge around "
            f"{at(halfway[worst])}",
            "elements of order 2 whose middle nodes lie near the middles of their edges",
        )
    return points, elements.copy()


def _facets(points: Array, elements: Integers, name: str) -> tuple[Integers, Integers]:
    """Facets of elements, each once, and the elements on their two sides."""
    d = points.shape[1]
    local = local_facets(d)
    nodes = elements[:, local].reshape(-1, local.shape[1])
    corners = nodes[:, :d]
    order = np.argsort(corners, axis=1)
    keys = np.take_along_axis(corners, order, axis=1)
    turn = np.tile(_OUTWARD[d], len(elements)) * _parity(order)
    _, first, which, count = np.unique(
        keys, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    which = which.reshape(-1)
    if np.any(count > 2):
        place = points[corners[first[int(np.argmax(count > 2))]]].mean(axis=0)
        raise InputError(f"{name} with a facet {at(place)} of {count.max()} elements", _MESH)
    owner = np.repeat(np.arange(len(elements)), len(local))
    sides = np.full((len(first), 2), -1, dtype=np.int64)
    sides[:, 0] = owner[first]
    second = np.ones(len(keys), dtype=bool)
    second[first] = False
    sides[which[second], 1] = owner[second]
    total = np.zeros(len(first), dtype=np.int64)
    np.add.at(total, which, turn)
    if np.any(wrong := (count == 2) & (total != 0)):
        place = points[corners[first[int(np.argmax(wrong))]]].mean(axis=0)
        found = f"{name} with {int(wrong.sum()):,} pairs of elements that overlap, the first"
        raise InputError(f"{found} {at(place)}", _MESH)
    return nodes[first], sides


def _parity(order: Integers) -> Integers:
    """Sign of each permutation of two or three, shape (n,)."""
    if order.shape[1] == 2:
        return np.where(order[:, 0] < order[:, 1], 1, -1)
    a, b, c = order.T
    return np.asarray(np.sign((b - a) * (c - b) * (c - a)), dtype=np.int64)


def _refuse_hanging(points: Array, facets: Integers, name: str) -> None:
    """Refuse nodes that lie on a facet of the boundary which is not theirs."""
    from scipy.spatial import cKDTree

    d = points.shape[1]
    corners = points[facets[:, :d]]
    nodes = np.unique(facets[:, :d])
    centre = corners.mean(axis=1)
    reach = np.linalg.norm(corners - centre[:, None], axis=2).max(axis=1)
    near = cKDTree(points[nodes]).query_ball_point(centre, reach * (1 + _ON_FACET))
    facet = np.repeat(np.arange(len(facets)), [len(found) for found in near])
    node = nodes[np.concatenate([np.asarray(found, dtype=np.int64) for found in near])]
    foreign = np.all(facets[facet][:, :d] != node[:, None], axis=1)
    facet, node = facet[foreign], node[foreign]
    along = (corners[:, 1:] - corners[:, :1])[facet]
    apart = points[node] - corners[facet, 0]
    share = np.einsum("nda,na->nd", np.linalg.pinv(along.transpose(0, 2, 1)), apart)
    off = np.linalg.norm(apart - np.einsum("nd,nda->na", share, along), axis=1)
    # A node on a curved facet is off the flat one by no more than its middles are.
    bend = np.linalg.norm(points[facets[:, d]] - corners[:, :2].mean(axis=1), axis=1)[facet]
    inside = np.all(share > -_ON_FACET, axis=1) & (share.sum(axis=1) < 1 + _ON_FACET)
    hanging = np.flatnonzero(inside & (off <= _ON_FACET * reach[facet] + 1.1 * bend))
    if len(hanging):
        where = at(points[node[hanging[0]]])
        found = f"{name} with {len(hanging):,} hanging nodes, the first {where}"
        raise InputError(f"{found}: it lies on a facet that does not end there", _MESH)
