"""A mesh made finer: every simplex is split, and new nodes on membranes lie exactly on them.

Edges are halved: a line becomes 2 elements, a triangle 4, a tetrahedron 8. The octahedron inside a
tetrahedron is split along its shortest diagonal, which keeps elements from growing thin. The nodes
of a mesh become the vertices of the next one; in the plane, those next to a corner of a membrane
are moved towards it before (`torrey.geometry.grading`). Edges are straight, but for those on
membranes and between regions: their middles follow the maps of the parents, and are moved onto the
exact surface where there is one. Neither gmsh nor the kind of the shape plays a part: meshes that
were imported are refined as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from torrey.geometry.checks import check_mesh
from torrey.geometry.grading import STRAIGHT, graded
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import MATCHING_TOLERANCE, CellMesh
from torrey.geometry.shapes import Shape

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Corners of the children of a simplex, in its own nodes. Those of a tetrahedron hold the diagonal
#: between the middles of the edges 01 and 23.
_CHILDREN: Final = {
    1: np.array([[0, 2], [2, 1]]),
    2: np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]]),
    3: np.array(
        [
            [0, 4, 6, 7],
            [4, 1, 5, 9],
            [6, 5, 2, 8],
            [7, 9, 8, 3],
            [4, 8, 6, 7],
            [4, 8, 7, 9],
            [4, 8, 9, 5],
            [4, 8, 5, 6],
        ]
    ),
}
#: Corners of the children of a facet, which is a point, a line or a triangle.
_FACETS: Final = {1: np.array([[0]]), 2: _CHILDREN[1], 3: _CHILDREN[2]}
#: Ends of the edges of a simplex, in the order of its middles; see `CellMesh`.
_EDGES: Final = {
    0: np.empty((0, 2), dtype=np.int64),
    1: np.array([[0, 1]]),
    2: np.array([[0, 1], [1, 2], [2, 0]]),
    3: np.array([[0, 1], [1, 2], [2, 0], [0, 3], [2, 3], [1, 3]]),
}
#: Another numbering of a tetrahedron, turned about its last corner.
_TURN: Final = np.array([1, 2, 0, 3, 5, 6, 4, 9, 7, 8])
#: Ends of the diagonals of its octahedron: each turn makes the next one the first.
_DIAGONALS: Final = np.array([[4, 8], [5, 7], [6, 9]])
#: Diagonals whose squares differ by less are of the same length, whatever rounding says.
_ALIKE: Final = 1e-6


def refine(mesh: CellMesh, shape: Shape) -> CellMesh:
    """Return the mesh with every element split, its new nodes on the exact surfaces.

    Parameters
    ----------
    mesh : CellMesh
    shape : Shape
        Of that mesh: it knows its membranes.

    Returns
    -------
    CellMesh
        Not checked; see `torrey.geometry.checks.check_mesh`.
    """
    d = mesh.dimension
    maps = mesh.points
    if d == 2:
        mesh = replace(mesh, points=graded(mesh))
    parents = _turned(mesh) if d == 3 else mesh.elements
    new = _NewNodes(mesh, parents, maps)
    pieces = len(_FACETS[d])
    outside = new.facets(mesh.membrane_outside)
    there = mesh.membrane_inside[:, 0] != NOTHING
    inside = np.full_like(outside, NOTHING)
    inside[np.repeat(there, pieces)] = new.facets(mesh.membrane_inside[there])
    membrane = np.repeat(mesh.membrane, pieces)
    fine = replace(
        mesh,
        points=np.concatenate([mesh.points, new.straight()]),
        elements=new.with_middles(parents[:, _CHILDREN[d]].reshape(-1, d + 1)),
        compartment=np.repeat(mesh.compartment, len(_CHILDREN[d])),
        region=np.repeat(mesh.region, len(_CHILDREN[d])),
        membrane_outside=outside,
        membrane_inside=inside,
        membrane=membrane,
        periodic=np.concatenate([mesh.periodic, new.periodic()]),
    )
    if d > 1:
        _bend_interfaces(fine.points, new, shape)
        _bend_membranes(fine, new, shape)
    return fine


def checked_levels(coarsest: CellMesh, shape: Shape, refinements: int) -> tuple[CellMesh, ...]:
    """Return a mesh and its refinements, coarsest first, all of them checked.

    Raises
    ------
    MeshError
        If one breaks a promise: see `torrey.geometry.checks.check_mesh`.
    """
    meshes = [coarsest]
    check_mesh(coarsest, shape)
    for _ in range(refinements):
        meshes.append(refine(meshes[-1], shape))
        check_mesh(meshes[-1], shape)
    return tuple(meshes)


def _turned(mesh: CellMesh) -> Integers:
    """Tetrahedra numbered so that the first diagonal is the shortest."""
    ends = mesh.points[mesh.elements[:, _DIAGONALS]]
    length = np.sum((ends[:, :, 0] - ends[:, :, 1]) ** 2, axis=2)
    # Of several that are as long the first, so that a mesh is the same on every machine.
    turns = np.argmax(length <= (1 + _ALIKE) * length.min(axis=1, keepdims=True), axis=1)
    orders = np.stack([np.arange(10), _TURN, _TURN[_TURN]])
    return np.take_along_axis(mesh.elements, orders[turns], axis=1)


class _NewNodes:
    """The middles of all edges of the children, numbered after the nodes that were there.

    Parameters
    ----------
    mesh : CellMesh
    parents : (n, n_local) int
        Nodes of its elements.
    maps : (n_nodes, d) float
        Places of the nodes where they make the maps of the elements, before any was moved.
    """

    def __init__(self, mesh: CellMesh, parents: Integers, maps: Array) -> None:
        self._mesh, self._parents, self._maps = mesh, parents, maps
        self.first = len(mesh.points)
        edges, weights = _new_edges(mesh.dimension)
        keys = self._keys(parents[:, edges]).ravel()
        self._known, self._from, self._which = np.unique(
            keys, return_index=True, return_inverse=True
        )
        self._weights = weights

    def _keys(self, ends: Integers) -> Integers:
        """One number for the two ends of an edge, in any order."""
        return np.asarray(ends.min(axis=-1) * self.first + ends.max(axis=-1))

    def _middles(self, ends: Integers) -> Integers:
        """Nodes between two that were there."""
        return self.first + np.searchsorted(self._known, self._keys(ends))

    def with_middles(self, corners: Integers) -> Integers:
        """Corners of simplices and the middles of their edges."""
        return np.hstack([corners, self._middles(corners[:, _EDGES[corners.shape[1] - 1]])])

    def ends(self) -> Integers:
        """Nodes at the ends of the edges, shape (n, 2)."""
        return np.column_stack(np.divmod(self._known, self.first))

    def straight(self) -> Array:
        """Places of the new nodes where edges are straight, shape (n, d)."""
        return np.asarray(self._mesh.points[self.ends()].mean(axis=1))

    def bent(self, which: Integers, move: Callable[[Array], Array]) -> Array:
        """Places of some new nodes on curved surfaces, shape (n, d).

        The maps of the parents are as close to the surface as the elements are; the middle of an
        edge is then as far from one end as from the other, if the surface is known or the edge
        straight.

        Parameters
        ----------
        which : (n,) int
            Numbers of the nodes.
        move : callable
            Moves places onto the surface, or returns them as they are.
        """
        rows = which - self.first
        element, edge = np.divmod(self._from[rows], self._weights.shape[0])
        nodes = self._maps[self._parents[element]]
        mapped = move(np.einsum("nld,nl->nd", nodes, self._weights[edge]))
        ends = self._mesh.points[self.ends()[rows]]
        along = ends[:, 1] - ends[:, 0]
        off = np.sum((mapped - ends.mean(axis=1)) * along, axis=1) / np.sum(along**2, axis=1)
        central = mapped - off[:, None] * along
        moved = move(central)
        known = np.any(moved != central, axis=1)
        away = np.linalg.norm(central - ends.mean(axis=1), axis=1)
        straight = away <= STRAIGHT * np.linalg.norm(along, axis=1)
        return np.where((known | straight)[:, None], moved, mapped)

    def facets(self, nodes: Integers) -> Integers:
        """Facets of the children on those of the parents."""
        d = self._mesh.dimension
        return self.with_middles(nodes[:, _FACETS[d]].reshape(-1, d))

    def regions(self) -> Integers:
        """Smallest and largest region around each new node, shape (n, 2)."""
        owner = np.repeat(self._mesh.region, len(self._weights))
        least = np.full(len(self._known), np.iinfo(np.int64).max)
        most = np.full(len(self._known), -1)
        np.minimum.at(least, self._which, owner)
        np.maximum.at(most, self._which, owner)
        return np.column_stack([least, most])

    def periodic(self) -> Integers:
        """Node that stands for each new one and its periodic images.

        Edges are images of each other where their ends are, and they point the same way.
        """
        mesh, count = self._mesh, len(self._known)
        several = np.bincount(mesh.periodic, minlength=self.first) > 1
        ends = self.ends()
        images = mesh.periodic[ends]
        rows = np.flatnonzero(several[images].all(axis=1))
        ends, images = ends[rows], images[rows]
        turned = images[:, 0] > images[:, 1]
        ends[turned], images[turned] = ends[turned, ::-1], images[turned, ::-1]
        along = mesh.points[ends[:, 1]] - mesh.points[ends[:, 0]]
        key = images[:, 0] * self.first + images[:, 1]
        order = np.argsort(key, kind="stable")
        key, along, rows = key[order], along[order], rows[order]
        links = [np.empty((0, 2), dtype=np.int64)]
        shift = 1
        while np.any(same := key[shift:] == key[:-shift]):
            apart = np.abs(along[shift:] - along[:-shift]).max(axis=1)
            here = np.flatnonzero(same & (apart < MATCHING_TOLERANCE))
            links.append(np.column_stack([rows[here], rows[here + shift]]))
            shift += 1
        pairs = np.concatenate(links)
        graph = coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(count, count))
        _, label = connected_components(graph, directed=False)
        first = np.full(count, count, dtype=np.int64)
        np.minimum.at(first, label, np.arange(count))
        return np.asarray(self.first + first[label])


@cache
def _new_edges(dimension: int) -> tuple[Integers, Array]:
    """Edges of the children of an element: ends in its nodes, shape (n, 2); weights of the nodes.

    The weights, shape (n, n_local), are the quadratic shape functions at the middle of the edge.
    """
    corners, pairs = np.eye(dimension + 1), _EDGES[dimension]
    barycentric = np.vstack([corners, (corners[pairs[:, 0]] + corners[pairs[:, 1]]) / 2])
    edges = sorted(
        {tuple(sorted(pair)) for child in _CHILDREN[dimension] for pair in combinations(child, 2)}
    )
    ends = np.array(edges, dtype=np.int64)
    middle = barycentric[ends].mean(axis=1)
    weights = np.hstack(
        [middle * (2 * middle - 1), 4 * middle[:, pairs[:, 0]] * middle[:, pairs[:, 1]]]
    )
    return ends, weights


def _bend_membranes(fine: CellMesh, new: _NewNodes, shape: Shape) -> None:
    """Put the new nodes of membranes where they belong, alike on both sides."""
    if not len(fine.membrane):
        return
    d = fine.dimension
    outside, inside = fine.membrane_outside[:, d:], fine.membrane_inside[:, d:].ravel()
    nodes, where = np.unique(outside, return_index=True)
    membrane = np.repeat(fine.membrane, outside.shape[1])[where]
    fine.points[nodes] = new.bent(nodes, lambda places: shape.on_membrane(places, membrane))
    there = inside[where] != NOTHING
    fine.points[inside[where][there]] = fine.points[nodes[there]]


def _bend_interfaces(points: Array, new: _NewNodes, shape: Shape) -> None:
    """Put the new nodes between two regions of a compartment where they belong."""
    regions = new.regions()
    here = np.flatnonzero(regions[:, 0] != regions[:, 1])
    if len(here):
        nodes, pairs = new.first + here, regions[here]
        points[nodes] = new.bent(nodes, lambda places: shape.on_interface(places, pairs))
