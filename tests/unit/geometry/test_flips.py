"""Triangles on spheres bound a convex body, so that no element outside touches one with two faces.

An independent way to the same triangles is the convex hull of the nodes.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from torrey.geometry.flips import convex_triangles

CENTRE = np.array([0.4, 0.5, 0.7])


def sphere(count: int, seed: int) -> np.ndarray:
    """Places at random on a sphere that lies somewhere."""
    places = np.random.default_rng(seed).normal(size=(count, 3))
    return 0.3 * places / np.linalg.norm(places, axis=1)[:, None] + CENTRE


def turned_at_random(triangles: np.ndarray, places: np.ndarray, count: int) -> np.ndarray:
    """The same nodes joined otherwise: some edges between two triangles turned into valleys."""
    rng = np.random.default_rng(1)
    triangles = triangles.copy()
    for first in rng.permutation(len(triangles))[:count].tolist():
        for second in range(len(triangles)):
            shared = set(triangles[first]) & set(triangles[second])
            if first != second and len(shared) == 2:
                a, b = shared
                (c,), (d,) = (set(triangles[i]) - shared for i in (first, second))
                new = np.array([(a, d, c), (d, b, c)])
                sides = np.linalg.det(places[new] - CENTRE)
                # The other diagonal must lie within the two, and must not be there already.
                if sides[0] * sides[1] > 0 and not any({c, d} <= set(t) for t in triangles):
                    triangles[[first, second]] = new
                    break
    return triangles


def as_sets(triangles: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(t) for t in triangles.tolist()}


@pytest.mark.parametrize("count", [8, 60])
def test_valleys_are_turned_into_the_convex_hull(count: int) -> None:
    places = sphere(count, count)
    hull = ConvexHull(places).simplices.astype(np.int64)
    turned = turned_at_random(hull, places, count // 4)
    assert as_sets(turned) != as_sets(hull)
    found = convex_triangles(turned, places)
    assert found is not None
    assert as_sets(found) == as_sets(hull)


def test_convex_triangles_are_left_alone() -> None:
    places = sphere(40, 3)
    hull = ConvexHull(places).simplices.astype(np.int64)
    assert convex_triangles(hull, places) is None
    assert convex_triangles(hull[:0], places) is None


def test_the_border_of_a_piece_stays() -> None:
    """A cap alone: its outermost edges are those of the box and must match the other side."""
    places = sphere(60, 4)
    hull = ConvexHull(places).simplices.astype(np.int64)
    cap = turned_at_random(hull, places, 12)
    cap = cap[places[cap][:, :, 2].mean(axis=1) > 0.75]
    found = convex_triangles(cap, places)
    assert found is not None
    assert border(found) == border(cap)


def border(triangles: np.ndarray) -> set[frozenset[int]]:
    edges = [frozenset((t[i], t[i - 1])) for t in triangles.tolist() for i in range(3)]
    return {edge for edge in edges if edges.count(edge) == 1}
