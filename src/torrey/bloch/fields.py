"""Fields at the nodes of a mesh, from their values at the degrees of freedom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from torrey.cell.operators import CellOperators
from torrey.geometry.mesh import CellMesh


def dof_of_node(mesh: CellMesh, cell: CellOperators) -> NDArray[np.int64]:
    """Degree of freedom of each node of the mesh that a cell was assembled on, shape (n_nodes,).

    A degree of freedom is at the place of the node that stands for its periodic images.

    Raises
    ------
    ValueError
        If the cell was assembled on another mesh, or a compartment has two degrees of freedom at
        one place.
    """
    places = np.column_stack([cell.places, cell.compartment])
    nodes = np.column_stack([mesh.points, mesh.node_compartment()])[mesh.periodic]
    known, first = np.unique(places, axis=0, return_index=True)
    wanted, inverse = np.unique(nodes, axis=0, return_inverse=True)
    if len(known) != len(places) or not np.array_equal(known, wanted):
        raise ValueError("the degrees of freedom are not those of this mesh")
    dofs: NDArray[np.int64] = first[inverse.ravel()]
    return dofs
