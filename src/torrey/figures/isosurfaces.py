"""Surfaces on which a field in space has one value, from its values on tetrahedra."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

#: The eight tetrahedra that the ten nodes of a quadratic one make: four at its corners and four
#: round the diagonal of the octahedron that is left.
_EIGHTHS: Final = np.array(
    [
        [0, 4, 6, 7], [4, 1, 5, 9], [6, 5, 2, 8], [7, 9, 8, 3],
        [4, 9, 6, 7], [4, 5, 6, 9], [7, 6, 8, 9], [5, 8, 6, 9],
    ]
)  # fmt: skip
#: Vertices on both sides of the nodes in the middles of edges.
_EDGES: Final = np.array([[0, 1], [1, 2], [0, 2], [0, 3], [2, 3], [1, 3]])
#: Edges that a surface crosses, from below to above, by the number of vertices above it; vertices
#: are in the order of their values.
_CROSSED: Final = {
    1: np.array([[[0, 3], [1, 3], [2, 3]]]),
    2: np.array([[[0, 2], [1, 2], [1, 3]], [[0, 2], [1, 3], [0, 3]]]),
    3: np.array([[[0, 1], [0, 2], [0, 3]]]),
}


def eighths(elements: Numbers) -> Numbers:
    """Linear tetrahedra (8 n, 4) on the nodes of quadratic ones (n, 10), in gmsh's order."""
    return np.asarray(elements[:, _EIGHTHS].reshape(-1, 4))


def refine(elements: Numbers, nodal: Array) -> tuple[Array, Numbers]:
    """Fields at the 35 nodes of each quadratic tetrahedron's eighths, and linear ones on these.

    Parameters
    ----------
    elements : (n, 10) int
        Nodes of quadratic tetrahedra, in gmsh's order.
    nodal : (n_nodes, m) float
        Fields by columns; coordinates are such fields too.

    Returns
    -------
    nodal : (35 n, m) float
        Elements share no nodes.
    tetrahedra : (64 n, 4) int
    """
    weights, tetrahedra = _reference()
    fields = np.einsum("kj,njm->nkm", _shapes(weights), nodal[elements])
    first = len(weights) * np.arange(len(elements))
    numbers = first[:, None, None] + tetrahedra
    return fields.reshape(-1, nodal.shape[1]), numbers.reshape(-1, 4)


def nodal_gradient(places: Array, elements: Numbers, values: Array) -> Array:
    """Gradient of a periodic field at the nodes, the mean over the elements there; shape (n, 3).

    Parameters
    ----------
    places : (n_nodes, 3) float
        In units of a cell of period 1 along each axis.
    elements : (n, 10) int
        Nodes of quadratic tetrahedra, in gmsh's order.
    values : (n_nodes,) float
    """
    nodes = np.vstack([np.eye(4), (np.eye(4)[_EDGES[:, 0]] + np.eye(4)[_EDGES[:, 1]]) / 2.0])
    slopes = _slopes(nodes)
    jacobian = np.einsum("kaj,njx->nkax", slopes, places[elements])
    local = np.einsum("kaj,nj->nka", slopes, values[elements])
    gradients = np.linalg.solve(jacobian, local[..., None])[..., 0]
    # Nodes on opposite faces are one.
    _, number = np.unique(np.round(places % (1.0 - 1e-9), 6), axis=0, return_inverse=True)
    number = number.ravel()
    total = np.zeros((number.max() + 1, 3))
    np.add.at(total, number[elements], gradients)
    count = np.bincount(number[elements].ravel(), minlength=len(total))
    means: Array = (total / count[:, None])[number]
    return means


def _reference() -> tuple[Array, Numbers]:
    """Barycentric coordinates (35, 4) of the nodes of the eighths, and 64 tetrahedra on them."""
    corners = np.vstack([np.eye(4), (np.eye(4)[_EDGES[:, 0]] + np.eye(4)[_EDGES[:, 1]]) / 2.0])
    parts = corners[_EIGHTHS]
    middles = (parts[:, _EDGES[:, 0]] + parts[:, _EDGES[:, 1]]) / 2.0
    ten = np.concatenate([parts, middles], axis=1)
    small = ten[:, _EIGHTHS].reshape(-1, 4)
    weights, number = np.unique(small, axis=0, return_inverse=True)
    return weights, number.reshape(-1, 4)


def _shapes(weights: Array) -> Array:
    """Quadratic shape functions (n, 10) at barycentric coordinates (n, 4)."""
    a, b = weights[:, _EDGES[:, 0]], weights[:, _EDGES[:, 1]]
    return np.hstack([weights * (2.0 * weights - 1.0), 4.0 * a * b])


def _slopes(weights: Array) -> Array:
    """Their derivatives along the three edges from the first vertex, shape (n, 3, 10)."""
    along = np.hstack([-np.ones((3, 1)), np.eye(3)])
    vertices = (4.0 * weights - 1.0)[:, None] * along
    a, b = _EDGES.T
    edges = 4.0 * (weights[:, None, a] * along[:, b] + weights[:, None, b] * along[:, a])
    return np.concatenate([vertices, edges], axis=2)


def isosurface(
    places: Array, tetrahedra: Numbers, values: Array, level: float
) -> tuple[Array, Numbers]:
    """Surface on which a field has one value, by marching tetrahedra.

    The field is linear on each tetrahedron, the surface is continuous from one to the next.

    Parameters
    ----------
    places : (n_nodes, 3 or more) float
        After the coordinates other fields, such as a gradient, that are wanted on the surface.
    tetrahedra : (n, 4) int
        Nodes of each; see `eighths`.
    values : (n_nodes,) float
    level : float

    Returns
    -------
    points : (n_points, 3 or more) float
        On edges of the tetrahedra, each of them once.
    triangles : (n_triangles, 3) int
        Counter-clockwise seen from where the field is below the level.
    """
    ordered = np.take_along_axis(tetrahedra, np.argsort(values[tetrahedra], axis=1), axis=1)
    above = (values[ordered] > level).sum(axis=1)
    crossed = [np.empty((0, 3, 2), dtype=np.int64)]
    for count, edges in _CROSSED.items():
        crossed.append(ordered[above == count][:, edges].reshape(-1, 3, 2))
    ends = np.concatenate(crossed)
    edges, number = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    low, high = values[edges].T
    share = ((level - low) / (high - low))[:, None]
    points = (1.0 - share) * places[edges[:, 0]] + share * places[edges[:, 1]]
    triangles = number.reshape(-1, 3)
    # Every crossed edge runs upward: their sum tells the side above.
    xyz = places[:, :3]
    upward = (xyz[ends[..., 1]] - xyz[ends[..., 0]]).sum(axis=1)
    wrong = np.einsum("ni,ni->n", normals(points[:, :3], triangles), upward) > 0.0
    triangles[wrong] = triangles[wrong][:, ::-1]
    return points, triangles


def normals(points: Array, triangles: Numbers) -> Array:
    """Normals of triangles, twice as long as their areas, shape (n, 3)."""
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    return np.asarray(np.cross(b - a, c - a))


def cut(triangles: Array, height: Array) -> Array:
    """The parts of triangles where a linear function is positive, as triangles.

    Parameters
    ----------
    triangles : (n, 3, m) float
        Fields at the corners, interpolated where they are cut.
    height : (n, 3) float
        The function at the corners.
    """
    inside = height > 0.0
    count = inside.sum(axis=1)
    kept = [triangles[count == 3]]
    for number in (1, 2):
        chosen = count == number
        # The corner that is alone first, in the same sense of turning.
        alone = np.argmax(inside[chosen] == (number == 1), axis=1)
        order = (alone[:, None] + np.arange(3)) % 3
        a, b, c = np.moveaxis(np.take_along_axis(triangles[chosen], order[..., None], 1), 1, 0)
        x, y, z = np.take_along_axis(height[chosen], order, 1).T[..., None]
        ab, ac = a + (b - a) * x / (x - y), a + (c - a) * x / (x - z)
        pieces = [(a, ab, ac)] if number == 1 else [(ab, b, c), (ab, c, ac)]
        kept += [np.stack(piece, axis=1) for piece in pieces]
    return np.concatenate(kept)
