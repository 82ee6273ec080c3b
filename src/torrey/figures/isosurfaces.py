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


def isosurface(
    places: Array, tetrahedra: Numbers, values: Array, level: float
) -> tuple[Array, Numbers]:
    """Surface on which a field has one value, by marching tetrahedra.

    The field is linear on each tetrahedron, the surface is continuous from one to the next.

    Parameters
    ----------
    places : (n_nodes, 3) float
    tetrahedra : (n, 4) int
        Nodes of each; see `eighths`.
    values : (n_nodes,) float
    level : float

    Returns
    -------
    points : (n_points, 3) float
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
    upward = (places[ends[..., 1]] - places[ends[..., 0]]).sum(axis=1)
    wrong = np.einsum("ni,ni->n", normals(points, triangles), upward) > 0.0
    triangles[wrong] = triangles[wrong][:, ::-1]
    return points, triangles


def normals(points: Array, triangles: Numbers) -> Array:
    """Normals of triangles, twice as long as their areas, shape (n, 3)."""
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    return np.asarray(np.cross(b - a, c - a))
