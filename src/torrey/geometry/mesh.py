"""The membrane-broken, periodic mesh of a unit cell: what every floor above reads.

Nodes are doubled on membranes: each compartment has its own, so that a field may jump there.
Opposite faces of the cell carry matching nodes, and ``periodic`` names the one that stands for
each of them. Elements are of order 2 and curved where a membrane is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from torrey.base.errors import TorreyError
from torrey.base.stored import stored
from torrey.geometry.membranes import NOTHING

#: Two nodes on opposite faces are the same if they differ by less than this (units of the cell).
MATCHING_TOLERANCE = 1e-9
#: A facet that is nearer to a face than this lies on it.
_NEARLY = 1e-6


class MeshError(TorreyError, ValueError):
    """The mesh breaks a promise: unmatched faces, a missing compartment, a wrong area."""


class FoldedError(MeshError):
    """Curved elements fold over.

    Attributes
    ----------
    places : (n, d) float
        Where they are.
    sizes : (n,) float
        Mean length of their edges.
    """

    def __init__(self, places: NDArray[np.float64], sizes: NDArray[np.float64]) -> None:
        super().__init__(places, sizes)
        self.places = places
        self.sizes = sizes

    def __str__(self) -> str:
        where = ", ".join(f"{x:.4g}" for x in self.places[0])
        several = len(self.places) > 1
        return (
            f"{len(self.places)} curved element{'s fold' if several else ' folds'} over, "
            f"{'the first ' if several else ''}at ({where})"
        )


@dataclass(frozen=True)
class CellMesh:
    """One mesh of a unit cell, lengths in units of the cell.

    Attributes
    ----------
    points : (n_nodes, d) float
        In the box [0, 1]^d, or in another period of the same lattice.
    elements : (n_elements, n_local) int
        Nodes of each quadratic simplex: vertices first, then the middle of the edges in gmsh's
        order (01, 12, 20 for triangles; 01, 12, 20, 03, 23, 13 for tetrahedra).
    compartment, region : (n_elements,) int
    membrane_outside, membrane_inside : (n_facets, n_facet_nodes) int
        The same facet seen from both sides; `NOTHING` inside where it is the surface of an
        obstacle.
    membrane : (n_facets,) int
    periodic : (n_nodes,) int
        ``periodic[i]`` is the node that stands for node i and all its periodic images.
    lattice : (d, d) float
    """

    points: NDArray[np.float64]
    elements: NDArray[np.int64]
    compartment: NDArray[np.int64] = field(
        metadata=stored(
            ("element",),
            "1",
            "compartment of each element",
            name="element_compartment",
            dtype=np.int32,
        )
    )
    region: NDArray[np.int64] = field(
        metadata=stored(
            ("element",),
            "1",
            "region of each element: part of a compartment with a material of its own",
            name="element_region",
            dtype=np.int32,
        )
    )
    membrane_outside: NDArray[np.int64] = field(
        metadata=stored(
            ("facet", "facet_node"),
            "1",
            "nodes of each membrane facet on its outside",
            name="facet_outside",
            dtype=np.int32,
            start_index=0,
        )
    )
    membrane_inside: NDArray[np.int64] = field(
        metadata=stored(
            ("facet", "facet_node"),
            "1",
            "nodes of each membrane facet on its inside, at the same places; -1 for none",
            name="facet_inside",
            dtype=np.int32,
            start_index=0,
        )
    )
    membrane: NDArray[np.int64] = field(
        metadata=stored(
            ("facet",), "1", "membrane of each facet", name="facet_membrane", dtype=np.int32
        )
    )
    periodic: NDArray[np.int64] = field(
        metadata=stored(
            ("node",),
            "1",
            "node that stands for this one and its periodic images",
            name="node_periodic",
            dtype=np.int32,
            start_index=0,
        )
    )
    lattice: NDArray[np.float64] = field(
        metadata=stored(("period", "axis"), "1", "vectors by which the cell repeats, by rows")
    )

    @property
    def dimension(self) -> int:
        """Number of space dimensions d."""
        return int(self.points.shape[1])

    @property
    def n_vertices_per_element(self) -> int:
        """Vertices of a simplex: d + 1."""
        return self.dimension + 1

    def region_compartment(self) -> NDArray[np.int64]:
        """Compartment of each region, shape (n_regions,)."""
        owner = np.zeros(int(self.region.max()) + 1, dtype=np.int64)
        owner[self.region] = self.compartment
        return owner

    def node_compartment(self) -> NDArray[np.int64]:
        """Compartment of each node, shape (n_nodes,)."""
        owner = np.empty(len(self.points), dtype=np.int64)
        owner[self.elements] = self.compartment[:, None]
        return owner


@dataclass(frozen=True)
class Piece:
    """A connected part of a compartment inside the box, in the numbering of the unbroken mesh.

    Its elements, shape (n, n_local), may lie in several regions of the compartment, shape (n,).
    """

    elements: NDArray[np.int64]
    compartment: int
    region: NDArray[np.int64]


@dataclass(frozen=True)
class Facets:
    """Facets of one membrane between two pieces, in the numbering of the unbroken mesh.

    ``inside`` is `NOTHING` on the surface of an obstacle.
    """

    nodes: NDArray[np.int64]
    membrane: int
    outside: int
    inside: int


def break_mesh(
    points: NDArray[np.float64],
    pieces: list[Piece],
    facets: list[Facets],
    lattice: NDArray[np.float64],
    box: NDArray[np.float64] | None = None,
    periodic: Sequence[bool] | None = None,
    corner: NDArray[np.float64] | None = None,
) -> CellMesh:
    """Give each piece its own nodes and identify the periodic ones.

    Parameters
    ----------
    points : (n_unbroken, d) float
    pieces : list of Piece
    facets : list of Facets
        ``outside`` and ``inside`` are indices into ``pieces``.
    lattice : (d, d) float
        Rows are the vectors by which the cell repeats.
    box : (d, d) float, optional
        Another basis of the same lattice, where the points fill the box that it spans.
    periodic : sequence of bool, optional
        By vector of the box, whether the cell goes on across its faces, or ends at walls.
    corner : (d,) float, optional
        Where the box starts, in fractions of its vectors; the least of all points without it.

    Raises
    ------
    MeshError
        If a facet on one face of the box has no counterpart on the opposite face.
    """
    broken_points, elements, compartment, nodes_of = _apart(points, pieces)
    within = np.linalg.inv(lattice if box is None else box)
    # Of all that was drawn: what holds water may lie inside the box.
    low = (points @ within).min(axis=0) if corner is None else corner
    width = facets[0].nodes.shape[1] if facets else max(1, 3 * (points.shape[1] - 1))
    none, node = np.empty((0, width), dtype=np.int64), partial(_renumbered, nodes_of)
    axes = range(points.shape[1]) if periodic is None else np.flatnonzero(periodic).tolist()
    return CellMesh(
        points=broken_points,
        elements=elements,
        compartment=compartment,
        region=np.concatenate([piece.region for piece in pieces]).astype(np.int64),
        membrane_outside=np.concatenate([none, *(node(f.nodes, f.outside) for f in facets)]),
        membrane_inside=np.concatenate([none, *(node(f.nodes, f.inside) for f in facets)]),
        membrane=np.concatenate(
            [np.empty(0, np.int64)] + [np.full(len(f.nodes), f.membrane) for f in facets]
        ),
        periodic=_periodic_map(broken_points @ within, elements, compartment, low, axes),
        lattice=np.asarray(lattice, dtype=float),
    )


def _apart(
    points: NDArray[np.float64], pieces: list[Piece]
) -> tuple[
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int64],
    list[tuple[NDArray[np.int64], int]],
]:
    """Points, elements and compartments of all pieces, and which nodes of theirs are which."""
    new_points, new_elements, owners = [], [], []
    nodes_of: list[tuple[NDArray[np.int64], int]] = []
    start = 0
    for piece in pieces:
        used, local = np.unique(piece.elements, return_inverse=True)
        nodes_of.append((used, start))
        new_points.append(points[used])
        new_elements.append(start + local.reshape(piece.elements.shape))
        owners.append(np.full(len(piece.elements), piece.compartment, dtype=np.int64))
        start += len(used)
    broken_points = np.concatenate(new_points)
    elements = np.concatenate(new_elements)
    compartment = np.concatenate(owners)
    return broken_points, elements, compartment, nodes_of


def _renumbered(
    nodes_of: list[tuple[NDArray[np.int64], int]], nodes: NDArray[np.int64], piece: int
) -> NDArray[np.int64]:
    """Numbers of nodes within a piece, whose own are sorted and begin at a new number."""
    if piece == NOTHING:
        return np.full(nodes.shape, NOTHING, dtype=np.int64)
    used, first = nodes_of[piece]
    return np.asarray(first + np.searchsorted(used, nodes), dtype=np.int64)


def local_facets(dimension: int) -> NDArray[np.int64]:
    """Local nodes of each facet of a quadratic simplex; vertices first, gmsh's numbering."""
    if dimension == 1:
        return np.array([[0], [1]])
    if dimension == 2:
        return np.array([[0, 1, 3], [1, 2, 4], [2, 0, 5]])
    return np.array(
        [[0, 1, 2, 4, 5, 6], [0, 1, 3, 4, 9, 7], [1, 2, 3, 5, 8, 9], [0, 2, 3, 6, 8, 7]]
    )


def _periodic_map(
    points: NDArray[np.float64],
    elements: NDArray[np.int64],
    compartment: NDArray[np.int64],
    corner: NDArray[np.float64],
    axes: Iterable[int],
) -> NDArray[np.int64]:
    """Node that stands for each node under the periodicity of the cell.

    Points are in fractions of the periods. Facets are matched, not nodes: where a membrane meets a
    face two nodes share a place, but the centre of a facet belongs to one compartment only.
    """
    dimension = points.shape[1]
    local = local_facets(dimension)
    facets = elements[:, local].reshape(-1, local.shape[1])
    owner = np.repeat(compartment, len(local))
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for axis in axes:
        face = corner[axis]
        low, high = (_on_face(points[facets, axis] - place) for place in (face, face + 1.0))
        pairs.append(_match_faces(points, facets, owner, low, high, axis))
    links = np.concatenate(pairs)
    graph = coo_array(
        (np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(len(points), len(points))
    )
    _, label = connected_components(graph, directed=False)
    first = np.full(label.max() + 1, len(points), dtype=np.int64)
    np.minimum.at(first, label, np.arange(len(points)))
    return first[label]


def _on_face(heights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which facets lie on a face, of the heights of their nodes above it, shape (n_facets, n)."""
    off = np.abs(heights).max(axis=1)
    found = off < MATCHING_TOLERANCE
    # Without its counterpart a facet would be a wall that nobody sees.
    beside = off[~found & (off < _NEARLY)]
    if len(beside):
        raise MeshError(f"nodes lie {beside.max():.1e} of the cell off a face")
    return found


def _match_faces(
    points: NDArray[np.float64],
    facets: NDArray[np.int64],
    owner: NDArray[np.int64],
    low: NDArray[np.bool_],
    high: NDArray[np.bool_],
    axis: int,
) -> NDArray[np.int64]:
    """Pairs of nodes (on the lower face, on the upper face) across one axis, shape (n, 2)."""
    # Loaded where meshes are made: those who only read them need none of it.
    from scipy.spatial import cKDTree

    shift = np.zeros(points.shape[1])
    shift[axis] = 1.0
    if low.sum() != high.sum():
        raise MeshError(
            f"faces across axis {axis} do not match: {low.sum()} facets on one, "
            f"{high.sum()} on the other"
        )
    lower, upper = facets[low], facets[high]
    # Nearest, not sorted: the order of places depends on how they are rounded.
    tree = cKDTree(points[upper].mean(axis=1) - shift)
    _, partner = tree.query(points[lower].mean(axis=1)) if len(lower) else (None, np.arange(0))
    if len(np.unique(partner)) < len(lower):
        raise MeshError(f"facets across axis {axis} do not match one to one")
    if not np.array_equal(owner[low], owner[high][partner]):
        raise MeshError(f"faces across axis {axis} carry different compartments")
    # The two facets may list their nodes in another order: bring one to that of the other.
    here, there = points[lower], points[upper[partner]] - shift
    nearest = np.linalg.norm(here[:, :, None] - there[:, None], axis=-1).argmin(axis=2)
    above = np.take_along_axis(upper[partner], nearest, axis=1)
    result = np.column_stack([lower.ravel(), above.ravel()])
    gap = np.abs(points[result[:, 1]] - shift - points[result[:, 0]]).max(initial=0.0)
    if gap > MATCHING_TOLERANCE:
        raise MeshError(f"nodes on the faces across axis {axis} differ by {gap:.2e} of the cell")
    return result
