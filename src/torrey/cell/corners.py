"""Corners of membranes and walls, at which fields are singular and meshes converge slowly."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from torrey.cell.cell_operators import CellOperators
from torrey.geometry.grading import SHARP

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Least share of its length that a step along the border has in these integrals.
_PART: Final = 1e-3


def has_corners(cell: CellOperators) -> bool:
    """Whether water turns around a corner of more than 180 degrees, in the plane.

    There the field behaves like r^x, with x below 1: errors of signals fall by less from one mesh
    to the next than elsewhere, by 5 to 7 where refinement is graded and by less than 4 where it is
    not. Where a membrane has a corner, one of its sides is such a one; water in the corner of a box
    is not, but water around a corner of walls is.

    Parameters
    ----------
    cell : CellOperators
        On a mesh that resolves what is smooth.
    """
    if cell.dimension != 2:
        return False
    node, other, normals = _border(cell)
    steps = cell.places[other] - cell.places[node]
    steps -= np.round(steps @ np.linalg.inv(cell.lattice)) @ cell.lattice
    lengths = np.linalg.norm(steps, axis=1)
    total = np.zeros((cell.n_dofs, 2))
    np.add.at(total, node, normals)
    beside = (np.abs(normals).max(axis=1, initial=0.0) > _PART * lengths) & (lengths > 1e-9)
    node, steps = node[beside], steps[beside] / lengths[beside, None]
    order = np.argsort(node, kind="stable")
    nodes, first, counts = np.unique(node[order], return_index=True, return_counts=True)
    # Neighbours along the border, of each node on it: four at most where it is one line.
    around = np.zeros((len(nodes), counts.max(initial=0), 2))
    place = np.arange(len(order)) - np.repeat(first, counts)
    around[np.repeat(np.arange(len(nodes)), counts), place] = steps[order]
    straight = -np.einsum("nid,njd->nij", around, around).min(axis=2, initial=0.0)
    outwards = np.einsum("nid,nd->ni", around, total[nodes]) > 0.0
    turns = np.any(around != 0.0, axis=2) & (straight < math.cos(SHARP))
    return bool(np.any(turns & outwards))


def _border(cell: CellOperators) -> tuple[Integers, Integers, Array]:
    """Pairs of nodes and int u v n over the border of their water, walls included.

    That is int u dv + v du, which leaves rounding errors of nodes that share no facet there.
    """
    shape = cell.n_dofs, cell.n_dofs
    columns = np.repeat(np.arange(cell.n_dofs), np.diff(cell.indptr))
    shared = cell.shared_position
    found = []
    for axis in range(2):
        values = cell.advection[axis].copy()
        np.add.at(values, shared, cell.shared_advection[axis])
        found.append(csc_array((values, cell.indices, cell.indptr), shape=shape))
    both = [(matrix + matrix.T).tocsc()[cell.indices, columns] for matrix in found]
    return columns, cell.indices, np.column_stack(both)
