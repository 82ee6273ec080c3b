"""The mesh of cylinders that are all parallel: that of their section, in layers along the axis.

Nothing changes along the axis, so that elements may be as long there as the target size, however
small they are around the cylinders. The section is a cell of discs in the plane: seen along the
axis, the lattice of all images is one of the plane. Its triangles become prisms, and each prism
three tetrahedra. With `n` layers on the length L of the axis, a vector of the plane lattice belongs
to one in space that climbs by a part p of L: the nearest whole number q of layers, and the rest as
a slope of all layers, which keeps every node on its cylinder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from torrey.geometry.balls.discs import Disc, Discs
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh, MeshError
from torrey.geometry.meshing import mesh_cell
from torrey.geometry.shapes import MeshOptions

if TYPE_CHECKING:
    from torrey.geometry.bodies.base import Bodies
    from torrey.geometry.bodies.lines import Direction

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: A period of the medium has this many layers at least.
_LEAST_LAYERS: Final = 3
#: Node of a triangle between two of its corners, or at one, by their local numbers.
_BETWEEN: Final = np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2]])
#: The same of a line.
_ON_LINE: Final = np.array([[0, 2], [2, 1]])
#: Corners of the tetrahedra of a prism, and of the triangles of a facet: which corner of the
#: section, in the order of their ranks, and whether above (1). The diagonal of a side goes up from
#: the lower rank to the higher, whichever prism it is seen from.
_PRISM: Final = np.array(
    [
        [(0, 0), (1, 0), (2, 0), (2, 1)],
        [(0, 0), (1, 0), (1, 1), (2, 1)],
        [(0, 0), (0, 1), (1, 1), (2, 1)],
    ]
)
_SIDE: Final = np.array([[(0, 0), (1, 0), (1, 1)], [(0, 0), (0, 1), (1, 1)]])
#: Ends of the edges of a tetrahedron and of a triangle, in the order of their middle nodes.
_EDGES: Final = {
    4: np.array([[0, 1], [1, 2], [2, 0], [0, 3], [2, 3], [1, 3]]),
    3: np.array([[0, 1], [1, 2], [2, 0]]),
}


def mesh_parallel(shape: Bodies, size: float) -> CellMesh:
    """Mesh of cylinders along one axis.

    Parameters
    ----------
    shape : Cylinders
    size : float
        Target size of the elements (units of the cell).

    Raises
    ------
    MeshError
        If the section has none.
    """
    along = shape.cells[0].direction
    plane = _plane(along)
    section = mesh_cell(_section(shape, along, plane), MeshOptions(size, 0)).meshes[0]
    layers = max(_LEAST_LAYERS, int(np.ceil(along.length / size)))
    climbs = along.across @ along.unit / along.length
    whole = np.round(climbs * layers)
    slope = np.linalg.solve(section.lattice, (climbs - whole / layers) * along.length)
    n, ranks = len(section.points), _ranks(section)
    heights = np.arange(2 * layers + 1) * along.length / (2 * layers)
    flat = section.points @ plane + (section.points @ slope)[:, None] * along.unit
    points = (flat[None] + heights[:, None, None] * along.unit).reshape(-1, 3)
    elements = _stacked(section.elements, ranks, _PRISM, _BETWEEN, layers, n)
    outside = _stacked(section.membrane_outside, ranks, _SIDE, _ON_LINE, layers, n)
    inside = _stacked(section.membrane_inside, ranks, _SIDE, _ON_LINE, layers, n)
    dry = np.tile(np.repeat(section.membrane_inside[:, 0] == NOTHING, len(_SIDE)), layers)
    inside[dry] = NOTHING
    return CellMesh(
        points=points,
        elements=_rightwards(elements, points),
        compartment=np.tile(np.repeat(section.compartment, len(_PRISM)), layers),
        region=np.tile(np.repeat(section.region, len(_PRISM)), layers),
        membrane_outside=outside,
        membrane_inside=inside,
        membrane=np.tile(np.repeat(section.membrane, len(_SIDE)), layers),
        periodic=_periodic(section, whole, layers),
        lattice=np.asarray(shape.periods, dtype=float),
    )


def _plane(along: Direction) -> Array:
    """Unit vectors across the axis, as rows: a right-handed system with it, shape (2, 3)."""
    first = along.seen[0] / np.linalg.norm(along.seen[0])
    return np.array([first, np.cross(along.unit, first)])


def _section(shape: Bodies, along: Direction, plane: Array) -> Discs:
    """The discs that are seen along the axis."""
    vectors = along.seen @ plane.T
    discs = []
    for cell in shape.cells:
        place = (cell.place @ plane.T) @ np.linalg.inv(vectors) % 1.0
        # What is left of a tiny negative number is 1.
        discs.append(Disc(tuple(float(x) for x in np.where(place < 1, place, 0.0)), cell.radius))
    lattice = tuple(tuple(float(x) for x in vector) for vector in vectors)
    return Discs(tuple(discs), shape.interior, lattice=lattice)


def _ranks(section: CellMesh) -> Integers:
    """Number of each node that its periodic images and its double across a membrane share."""
    n = len(section.points)
    wet = section.membrane_inside[:, 0] != NOTHING
    one = np.concatenate([np.arange(n), section.membrane_outside[wet].ravel()])
    other = np.concatenate([section.periodic, section.membrane_inside[wet].ravel()])
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(n, n))
    ranks = np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
    corners = np.sort(ranks[section.elements[:, :3]], axis=1)
    if np.any(corners[:, 1:] == corners[:, :-1]):
        raise MeshError("an element of the section reaches from a node to its periodic image")
    return ranks


def _stacked(
    nodes: Integers, ranks: Integers, parts: Integers, between: Integers, layers: int, n: int
) -> Integers:
    """Quadratic simplices of all layers above those of the section, shape (n_simplices, n_local).

    Parameters
    ----------
    nodes : (n_section, n_local) int
        Triangles of the section, or lines.
    ranks : (n,) int
        Of its nodes.
    parts : (n_parts, n_corners, 2) int
        `_PRISM` or `_SIDE`.
    between : (n_ends, n_ends) int
        Local node between two corners.
    layers, n : int
        Number of layers, and of nodes of the section.
    """
    order = np.argsort(ranks[nodes[:, : len(between)]], axis=1)
    edges = _EDGES[parts.shape[1]]
    ends = np.concatenate([np.repeat(np.arange(parts.shape[1])[:, None], 2, axis=1), edges])
    corner = order[:, parts[:, ends, 0]]  # section, part, node, end
    local = between[corner[..., 0], corner[..., 1]]
    rows = np.arange(len(nodes))[:, None, None]
    level = parts[:, ends, 1].sum(axis=2)
    first = nodes[rows, local] + n * level
    steps = 2 * n * np.arange(layers)
    stacked = first[None] + steps[:, None, None, None]
    return np.asarray(stacked.reshape(-1, len(ends)), dtype=np.int64)


def _rightwards(elements: Integers, points: Array) -> Integers:
    """Tetrahedra with a positive volume: two corners of the others change places."""
    corners = points[elements[:, :4]]
    left = np.linalg.det(corners[:, 1:] - corners[:, :1]) < 0
    swapped = elements[:, [1, 0, 2, 3, 4, 6, 5, 9, 8, 7]]
    return np.where(left[:, None], swapped, elements)


def _periodic(section: CellMesh, whole: Array, layers: int) -> Integers:
    """Node that stands for each node: that of the section, some layers further down."""
    n = len(section.points)
    apart = section.points - section.points[section.periodic]
    steps = np.round(apart @ np.linalg.inv(section.lattice)) @ whole
    level = np.arange(2 * layers + 1)[:, None] - 2 * steps.astype(np.int64)
    image = (level % (2 * layers)) * n + section.periodic
    # The lowest level stands for the highest, and nodes that stand for themselves go first.
    found, label = np.unique(image.ravel(), return_inverse=True)
    first = np.full(len(found), image.size, dtype=np.int64)
    np.minimum.at(first, label, np.arange(image.size))
    return np.asarray(first[label], dtype=np.int64)
