"""What a radius changes in the operators of a cell, on a mesh that moves along.

The nodes on a circle or sphere move away from its centre as its radius grows, those on all other
membranes stay, and in between the motion is harmonic. A field keeps its values at the nodes: it
moves along, so that the indicators of the compartments stay what they are. On the moved mesh the
same forms are assembled, and what they change is their derivative, for that mesh, by differences
that are exact to about 1e-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from torrey.cell.assembly import Assembly
from torrey.cell.factors import factorise
from torrey.cell.material import Material
from torrey.cell.motion import derivable_radii
from torrey.cell.operators import Array, BlochTorrey, bloch_torrey
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh
from torrey.geometry.shapes import Shape

#: Step of the differences, which are improved once, in units of the shortest edge of the mesh.
_STEP: Final = 1e-3
#: What rounding makes of derivatives, over the shortest edge: ten times what was seen.
_ROUNDING: Final = 1e-10


@dataclass(frozen=True)
class Slopes:
    """Derivatives of the matrices of a cell by a radius in units of the cell.

    Attributes
    ----------
    name : str
        Of the radius.
    rounding : float
        What rounding may make of a derivative of a signal, by a radius in units of the cell.
    K, M, J, R, T : (nnz,) float
        Entries on the pattern of the cell.
    C : (c, nnz) float
    N : (c, c, nnz) float
    """

    name: str
    rounding: float
    K: Array
    M: Array
    J: Array
    R: Array
    T: Array
    C: Array
    N: Array


def radius_slopes(mesh: CellMesh, shape: Shape, material: Material) -> tuple[Slopes, ...]:
    """Derivatives of the operators of a cell on a mesh by each of its radii.

    Parameters
    ----------
    mesh : CellMesh
    shape : Shape
        Of that mesh.
    material : Material
    """
    radii = derivable_radii(material, shape)
    if not radii:
        return ()
    sides = np.array([(m.outside, m.inside) for m in shape.membranes()], dtype=np.int64)
    centres = shape.radial_centres()
    still = Assembly.of(mesh, sides, centres)
    motion = _Motion(mesh, still, shape)
    edge = _shortest_edge(mesh)
    step = _STEP * edge

    def filled(velocity: Array, by: float) -> BlochTorrey:
        moved = replace(mesh, points=mesh.points + by * velocity)
        return bloch_torrey(Assembly.of(moved, sides, centres).operators(), material)

    found = []
    for radius in radii:
        velocity = motion.of(radius.membrane)
        places = [filled(velocity, k * step / 2.0) for k in (-2, -1, 1, 2)]
        found.append(_slopes(radius.name, places, step, _ROUNDING / edge))
    return tuple(found)


def _slopes(name: str, places: Sequence[BlochTorrey], step: float, rounding: float) -> Slopes:
    """Differences over one step and over half of it, and what both say of the limit."""

    def by(field: str) -> Array:
        values = [getattr(one, field) for one in places]
        if values[0] is None:
            return np.zeros_like(places[0].K)
        far, near = (values[3] - values[0]) / 2.0, values[2] - values[1]
        return np.asarray((4.0 * near - far) / (3.0 * step))

    return Slopes(name, rounding, *(by(field) for field in ("K", "M", "J", "R", "T", "C", "N")))


def _shortest_edge(mesh: CellMesh) -> float:
    corners = mesh.points[mesh.elements[:, : mesh.dimension + 1]]
    apart = corners[:, :, None] - corners[:, None]
    lengths = np.linalg.norm(apart, axis=-1)
    return float(lengths[lengths > 0.0].min())


class _Motion:
    """How the nodes of a mesh move when one membrane does."""

    def __init__(self, mesh: CellMesh, assembly: Assembly, shape: Shape) -> None:
        self._mesh, self._shape, self._number = mesh, shape, assembly.number
        cell = assembly.operators()
        on = np.concatenate([mesh.membrane_outside.ravel(), mesh.membrane_inside.ravel()])
        bound = np.zeros(cell.n_dofs, dtype=bool)
        bound[self._number[on[on != NOTHING]]] = True
        self._bound, self._free = np.flatnonzero(bound), np.flatnonzero(~bound)
        K = cell.matrix(np.einsum("jjn->n", cell.stiffness))[self._free]
        self._to_free = csc_array(K[:, self._bound])
        self._factor = factorise(csc_array(K[:, self._free]))

    def of(self, membrane: int) -> Array:
        """Velocity of each node where this membrane moves by one along its normal, (n_nodes, d)."""
        mesh, d = self._mesh, self._mesh.dimension
        velocity = np.zeros((int(self._number.max()) + 1, d))
        here = mesh.membrane == membrane
        for facets in (mesh.membrane_outside[here], mesh.membrane_inside[here]):
            nodes: NDArray[np.int64] = np.unique(facets[facets != NOTHING])
            which = np.full(len(nodes), membrane)
            velocity[self._number[nodes]] = self._shape.outward(mesh.points[nodes], which)
        velocity[self._free] = -self._factor.solve(self._to_free @ velocity[self._bound])
        return np.asarray(velocity[self._number])
