"""Corners of membranes, at which fields are singular and meshes converge slowly."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.cell.cell_operators import CellOperators

SHARP: Final = 20.0
"""Turn of a membrane at a node from which on it is a corner (degrees).

Smooth outlines turn by less than 12 from one node of a mesh to the next.
"""


def has_corners(cell: CellOperators) -> bool:
    """Whether water turns around a corner of more than 180 degrees, in the plane.

    There the field behaves like r^x, with x below 1: errors of signals fall by less from one mesh
    to the next than elsewhere, by 5 to 7 where refinement is graded and by less than 4 where it is
    not. Where a membrane has a corner, one of its sides is such a one; water in the corner of a box
    is not.

    Parameters
    ----------
    cell : CellOperators
        On a mesh that resolves what is smooth.
    """
    if cell.dimension != 2 or not len(cell.jump_position):
        return False
    columns = np.repeat(np.arange(cell.n_dofs), np.diff(cell.indptr))
    node, other = columns[cell.jump_position], cell.indices[cell.jump_position]
    steps = cell.places[other] - cell.places[node]
    steps -= np.round(steps @ np.linalg.inv(cell.lattice)) @ cell.lattice
    lengths = np.linalg.norm(steps, axis=1)
    beside = (cell.compartment[node] == cell.compartment[other]) & (lengths > 1e-9)
    node, steps = node[beside], steps[beside] / lengths[beside, None]
    normals = _normals(cell, columns)
    order = np.argsort(node, kind="stable")
    nodes, first, counts = np.unique(node[order], return_index=True, return_counts=True)
    # Neighbours along the membrane, of each node on it: four at most where it is one line.
    around = np.zeros((len(nodes), counts.max(initial=0), 2))
    place = np.arange(len(order)) - np.repeat(first, counts)
    around[np.repeat(np.arange(len(nodes)), counts), place] = steps[order]
    straight = -np.einsum("nid,njd->nij", around, around).min(axis=2, initial=0.0)
    outwards = np.einsum("nid,nd->ni", around, normals[nodes]) > 0.0
    turns = np.any(around != 0.0, axis=2) & (straight < math.cos(math.radians(SHARP)))
    return bool(np.any(turns & outwards))


def _normals(cell: CellOperators, columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """int u n over the border of its compartment, by node: out of the water."""
    found = np.empty((cell.n_dofs, 2))
    for axis in range(2):
        found[:, axis] = np.bincount(columns, cell.advection[axis], cell.n_dofs)
        shared = columns[cell.shared_position]
        found[:, axis] += np.bincount(shared, cell.shared_advection[axis], cell.n_dofs)
    return found
