"""Fields at the nodes of a mesh from degrees of freedom, and what their pictures need."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from torrey.base.stored import stored
from torrey.cell.operators import BlochTorrey, CellOperators
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


@dataclass(frozen=True)
class DrawnMesh:
    """Nodes and elements, as far as pictures of fields need them."""

    place: NDArray[np.float64] = field(
        metadata=stored(
            ("node", "axis"), "1", "place of the node in units of the cell", dtype=float
        )
    )
    element_node: NDArray[np.int64] = field(
        metadata=stored(
            ("element", "element_node"),
            "1",
            "nodes of each quadratic element, vertices first",
            dtype=np.int32,
        )
    )
    lattice: NDArray[np.float64] = field(
        metadata=stored(("period", "axis"), "1", "periods of the cell, by rows")
    )

    @classmethod
    def of(cls, mesh: CellMesh) -> DrawnMesh:
        """What pictures need of a mesh."""
        return cls(mesh.points, mesh.elements, mesh.lattice)


@dataclass(frozen=True)
class Scales:
    """What makes quantities dimensionless."""

    length: float = field(metadata=stored((), "um", "period L of the cell"))
    water: float = field(metadata=stored((), "1", "measure of the water in the unit cell"))
    diffusivity: float = field(
        metadata=stored((), "um2 ms-1", "diffusivity of the first compartment")
    )

    @classmethod
    def of(cls, operators: BlochTorrey, period: float) -> Scales:
        """Scales of a cell of some period (um)."""
        water = float(operators.cell.measures().sum())
        return cls(period, water, outside_diffusivity(operators))


def outside_diffusivity(operators: BlochTorrey) -> float:
    """Mean diffusivity of the first region (um^2/ms): the D of l_g and l_delta."""
    return float(np.trace(operators.inner_diffusivity[0])) / operators.cell.dimension
