"""Where fields are singular, and how much smaller elements are made there.

Water that turns around a corner of w > pi in the plane has a field like r^(pi / w) there, and
uniform meshes converge slowly, whatever their order. Where each refinement divides the edges that
leave the corner not at their middle but at 2^(-2 w / pi) of their length, quadratic elements
converge as fast as they do to smooth fields, with the same number of unknowns (Bacuta, Nistor and
Zikatanov, Numer. Math. 100, 2005, for elements of any order). Elements keep their shapes: those at
the corner shrink, and the others are divided as everywhere.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

SHARP: Final = math.radians(20.0)
"""Turn of a border from which on it is a corner (rad).

Smooth outlines turn by less than 12 degrees from one node of a mesh to the next.
"""
STRAIGHT: Final = 1e-6
"""Edges whose middle is off by less, in their lengths, are straight."""
#: Water all around a node misses less than this of a full turn (rad).
_ROUND: Final = 1e-6


def graded(mesh: CellMesh) -> Array:
    """Return the nodes of a mesh, those between a corner and its neighbours moved next to it.

    Parameters
    ----------
    mesh : CellMesh
        In the plane.

    Returns
    -------
    (n, 2) float
        Where these nodes are to be as vertices of the next mesh.
    """
    corners, middles = mesh.elements[:, :3], mesh.elements[:, 3:]
    part = _parts(mesh)
    points = mesh.points.copy()
    for k in range(3):
        ends = np.column_stack([corners[:, k], corners[:, (k + 1) % 3]])
        one, other = mesh.points[ends[:, 0]], mesh.points[ends[:, 1]]
        bent = np.linalg.norm(mesh.points[middles[:, k]] - (one + other) / 2, axis=1)
        straight = bent <= STRAIGHT * np.linalg.norm(other - one, axis=1)
        sharp = part[ends] < 0.5
        here = np.flatnonzero(straight & (sharp[:, 0] != sharp[:, 1]))
        first = sharp[here, 0]
        near = np.where(first, ends[here, 0], ends[here, 1])
        far = np.where(first, ends[here, 1], ends[here, 0])
        step = mesh.points[far] - mesh.points[near]
        points[middles[here, k]] = mesh.points[near] + part[near, None] * step
    return points


def _parts(mesh: CellMesh) -> Array:
    """Part of their edges at which vertices divide them: a half, or less at a corner."""
    count = len(mesh.points)
    angle = np.bincount(mesh.periodic[mesh.elements[:, :3]].ravel(), _angles(mesh).ravel(), count)
    part = np.full(count, 0.5)
    outside, inside = mesh.membrane_outside[:, :2], mesh.membrane_inside[:, :2]
    there = inside[:, 0] != NOTHING
    pairs = [
        np.column_stack([outside[there].ravel(), inside[there].ravel()]),
        np.column_stack([np.arange(count), mesh.periodic]),
    ]
    ends = np.concatenate(pairs)
    graph = coo_array((np.ones(len(ends)), tuple(ends.T)), shape=(count, count))
    _, place = connected_components(graph, directed=False)
    widest = np.zeros(place.max() + 1)
    # Walls too, which are in no list beside membranes. Both sides of a membrane, and all images of
    # it, are divided alike.
    around = angle[mesh.periodic]
    border = np.flatnonzero(around < 2 * math.pi - _ROUND)
    np.maximum.at(widest, place[border], around[border])
    sharp = widest[place] > math.pi + SHARP
    part[sharp] = 2.0 ** (-2.0 * widest[place[sharp]] / math.pi)
    return part


def _angles(mesh: CellMesh) -> Array:
    """Angles of the elements at their corners, between the tangents of curved edges."""
    nodes = mesh.points[mesh.elements]
    found = np.empty((len(nodes), 3))
    for k in range(3):
        here = nodes[:, k]
        forth = 4 * nodes[:, 3 + k] - 3 * here - nodes[:, (k + 1) % 3]
        back = 4 * nodes[:, 3 + (k + 2) % 3] - 3 * here - nodes[:, (k + 2) % 3]
        turn = forth[:, 0] * back[:, 1] - forth[:, 1] * back[:, 0]
        found[:, k] = np.arctan2(turn, np.einsum("ij,ij->i", forth, back))
    return np.abs(found)
