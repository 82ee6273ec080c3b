"""Curved quadratic elements on a periodic triangulation, and its uniform refinement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.voxel.medium import DiscMedium
from torrey.voxel.triangulation import Triangles, bulge

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

CHILDREN: Final = ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5))
"""Corners of the four parts of a triangle, among its corners and the middles of its edges."""


@dataclass(frozen=True)
class Quadratic:
    """Quadratic elements; lengths in um.

    Attributes
    ----------
    places : (n, 6, 2) float
        Corners, then the middles of the edges 01, 12, 20; those of arcs lie on the circle.
    node : (n, 6) int
        Numbers of the nodes, the vertices first; periodic images have the same.
    arc : (n, 3) bool
        Which edges are arcs of a circle; at most one of each element.
    inside : (n,) bool
    n_nodes : int
    """

    places: Array
    node: Integers
    arc: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    n_nodes: int


def quadratic(triangles: Triangles, medium: DiscMedium) -> Quadratic:
    """Make quadratic elements of a triangulation; middles of arcs lie on their circles."""
    corners, vertex, circle = triangles.corners, triangles.vertex, triangles.circle
    arc = (circle >= 0) & (circle == np.roll(circle, -1, axis=1))
    middles = (corners + np.roll(corners, -1, axis=1)) / 2
    middles[arc] += bulge(medium, circle[arc], middles[arc])
    other = np.roll(vertex, -1, axis=1)
    key = np.minimum(vertex, other) * triangles.n_vertices + np.maximum(vertex, other)
    edges, number = np.unique(key, return_inverse=True)
    node = np.concatenate([vertex, triangles.n_vertices + number.reshape(vertex.shape)], axis=1)
    return Quadratic(
        places=np.concatenate([corners, middles], axis=1),
        node=node,
        arc=arc,
        inside=triangles.inside,
        n_nodes=triangles.n_vertices + len(edges),
    )


def refine(triangles: Triangles, medium: DiscMedium) -> Triangles:
    """Divide each triangle into four; the middles of arcs move to their circle.

    The vertices of the result are the nodes of `quadratic` of the triangulation.
    """
    elements = quadratic(triangles, medium)
    circle = np.concatenate(
        [triangles.circle, np.where(elements.arc, triangles.circle, -1)], axis=1
    )

    def divided(values: NDArray) -> NDArray:
        return np.concatenate([values[:, child] for child in CHILDREN])

    return Triangles(
        corners=divided(elements.places),
        vertex=divided(elements.node),
        circle=divided(circle),
        inside=np.tile(triangles.inside, len(CHILDREN)),
        n_vertices=elements.n_nodes,
    )
