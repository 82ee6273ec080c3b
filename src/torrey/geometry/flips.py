"""Triangles on spheres and ellipsoids, turned so that they bound a convex body.

Four nodes of one may be joined by two triangles in two ways, of which one leaves a valley. The
mesher fills it with an element outside that touches the surface in two of its faces; they are
tangent to it, and so to each other, and the curved element folds over.
"""

from __future__ import annotations

import gmsh
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Nodes = NDArray[np.int64]

#: Number that gmsh has for flat triangles.
_TRIANGLE = 2
#: What gmsh calls a sphere that was dilated.
_ELLIPSOID = "BSpline surface"
#: Depth of a valley that is none, in parts of the length of its edges.
_FLAT = 1e-6
#: Rounds of turning; each takes edges that share no triangle.
_ROUNDS = 100


def make_convex() -> None:
    """Turn edges of the triangles that gmsh holds on curved convex surfaces, away from valleys.

    Nodes, and edges on the border of a piece, stay where they are.
    """
    tags, places, _ = gmsh.model.mesh.getNodes()
    place_of = np.zeros((int(tags.max(initial=0)) + 1, 3))
    place_of[tags] = places.reshape(-1, 3)
    for _, face in gmsh.model.getEntities(2):
        kind = gmsh.model.getType(2, face)
        if kind not in ("Sphere", _ELLIPSOID):
            continue
        _, corners = gmsh.model.mesh.getElementsByType(_TRIANGLE, face)
        triangles = corners.reshape(-1, 3).astype(np.int64)
        if kind == _ELLIPSOID:
            triangles = _as_normals(face, triangles, place_of)
            turned = _turned_out(triangles, place_of)
        else:
            turned = convex_triangles(triangles, place_of)
        if turned is not None:
            gmsh.model.mesh.removeElements(2, face)
            gmsh.model.mesh.addElementsByType(face, _TRIANGLE, [], turned.ravel().tolist())


def convex_triangles(triangles: Nodes, places: Array) -> Nodes | None:
    """Return triangles with the same nodes and border but without valleys; None if there were none.

    Parameters
    ----------
    triangles : (n, 3) int
        Nodes of each, on one sphere.
    places : (n_nodes, 3) float

    Returns
    -------
    (n, 3) int
        Numbered outwards.
    """
    if not len(triangles):
        return None
    centre = _centre(places[np.unique(triangles)])
    return _turned_out(_outwards(triangles, places, centre), places)


def _as_normals(face: int, triangles: Nodes, places: Array) -> Nodes:
    """Triangles of a piece of a convex surface, numbered so that their normals point outwards.

    The piece lies below the plane that is tangent to it in any of its places.
    """
    tags, _, parameters = gmsh.model.mesh.getNodes(2, face, True, True)
    normals = np.zeros_like(places)
    normals[tags] = np.array(gmsh.model.getNormal(face, parameters)).reshape(-1, 3)
    a, b, c = (places[triangles[:, i]] for i in range(3))
    along = np.einsum("ij,ij->i", np.cross(b - a, c - a), normals[triangles].sum(axis=1))
    first = tags[len(tags) // 2]
    is_inward = ((places[tags] - places[first]) @ normals[first]).mean() > 0
    return np.where(((along < 0) != is_inward)[:, None], triangles[:, ::-1], triangles)


def _turned_out(triangles: Nodes, places: Array) -> Nodes | None:
    """Turn edges of triangles with outward normals away from valleys; None if there are none."""
    triangles = triangles.copy()
    has_turned = False
    for _ in range(_ROUNDS):
        edges = _valleys(triangles, places)
        if not len(edges):
            break
        has_turned = True
        touched: set[int] = set()
        for first, second, a, b, c, d in edges.tolist():
            if touched.isdisjoint((first, second)):
                triangles[first], triangles[second] = (a, d, c), (d, b, c)
                touched.update((first, second))
    return triangles if has_turned else None


def _centre(places: Array) -> Array:
    """Centre of the sphere that places lie on: all are as far from it."""
    middle = places.mean(axis=0)
    apart = places - middle
    squares = (apart * apart).sum(axis=1)
    found = np.linalg.lstsq(np.column_stack([2 * apart, np.ones(len(apart))]), squares)[0]
    return np.asarray(middle + found[:3])


def _outwards(triangles: Nodes, places: Array, centre: Array) -> Nodes:
    """Triangles numbered so that their normals point away from the centre."""
    a, b, c = (places[triangles[:, i]] for i in range(3))
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), (a + b + c) / 3 - centre) < 0
    return np.where(inward[:, None], triangles[:, ::-1], triangles)


def _valleys(triangles: Nodes, places: Array) -> Nodes:
    """Edges between two triangles whose other corners lie above each other, the deepest first.

    Returns
    -------
    (n, 6) int
        Both triangles, the ends of the edge in the order of the first, its and the other's corner.
    """
    count = len(triangles)
    start, end, apex = (
        np.concatenate([np.roll(triangles, -i, 1)[:, k] for i in range(3)]) for k in range(3)
    )
    owner = np.tile(np.arange(count), 3)
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.lexsort((high, low))
    here, there = order[:-1], order[1:]
    same = (low[here] == low[there]) & (high[here] == high[there])
    here, there = here[same], there[same]
    a, b, c, d = (places[x] for x in (start[here], end[here], apex[here], apex[there]))
    above = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a)
    depth = above / np.linalg.norm(b - a, axis=1) ** 3
    found = np.flatnonzero(depth > _FLAT)
    found = found[np.argsort(-depth[found], kind="stable")]
    edge, other = here[found], there[found]
    return np.column_stack(
        [owner[edge], owner[other], start[edge], end[edge], apex[edge], apex[other]]
    )
