"""Cylinders in space: the mesh of a cell in the plane, drawn out along an axis and turned.

A prism over a curved triangle is three tetrahedra whose quadratic maps are parts of its own, so
that the wall is as exact as the circle was. The axis may point anywhere: nothing in what is made of
the mesh knows that it is one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.geometry import MeshOptions, Shape
from torrey.geometry.mesh import CellMesh
from torrey.geometry.meshing import build_meshes

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Edges of a simplex with so many corners, in gmsh's order of their middle nodes.
_EDGES = {
    3: ((0, 1), (1, 2), (2, 0)),
    4: ((0, 1), (1, 2), (2, 0), (0, 3), (2, 3), (1, 3)),
}
#: Local node between two corners of a quadratic line and of a triangle, by their numbers of nodes;
#: between a corner and itself there is the corner.
_BETWEEN = {
    3: np.array([[0, 2], [2, 1]]),
    6: np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2]]),
}


def cylinders(
    shape: Shape, options: MeshOptions, material: Material, height: float, turn: Array
) -> list[BlochTorrey]:
    """Operators of cylinders over a shape in the plane, by mesh; gradients have three axes.

    Parameters
    ----------
    shape : Shape
        Of two dimensions.
    options : MeshOptions
    material : Material
        In the axes of space.
    height : float
        Period along the axis, in units of the cell: one layer of prisms on the coarsest mesh, and
        twice as many on each finer one.
    turn : (3, 3) float
        Rotation of the cylinders.
    """
    sides = np.array([(m.outside, m.inside) for m in shape.membranes()], dtype=np.int64)
    flat = build_meshes(shape, options)
    solid = [extruded(mesh, height, 2**level, turn) for level, mesh in enumerate(flat)]
    return [bloch_torrey(assemble(mesh, sides.reshape(-1, 2)), material) for mesh in solid]


def extruded(mesh: CellMesh, height: float, layers: int, turn: Array) -> CellMesh:
    """A cell in the plane drawn out to a height, in layers of prisms, and turned.

    Parameters
    ----------
    mesh : CellMesh
        Of two dimensions.
    height : float
    layers : int
    turn : (3, 3) float
        Rotation.
    """
    n, n_floors = len(mesh.points), 2 * layers + 1
    # Opposite faces and both sides of a membrane must be cut along the same diagonals.
    key = _order_of_places(mesh)
    z = np.repeat(np.arange(n_floors) * height / (2 * layers), n)
    lattice = np.zeros((3, 3))
    lattice[:2, :2], lattice[2, 2] = mesh.lattice, height
    floor = np.arange(n_floors) % (2 * layers)
    per_element, per_facet = 3 * layers, 2 * layers
    return CellMesh(
        points=np.column_stack([np.tile(mesh.points, (n_floors, 1)), z]) @ turn.T,
        elements=_simplices(mesh.elements, key, layers),
        compartment=np.tile(mesh.compartment, per_element),
        region=np.tile(mesh.region, per_element),
        membrane_outside=_simplices(mesh.membrane_outside, key, layers),
        membrane_inside=_simplices(mesh.membrane_inside, key, layers),
        membrane=np.tile(mesh.membrane, per_facet),
        periodic=(n * floor[:, None] + mesh.periodic).ravel(),
        lattice=lattice @ turn.T,
    )


def _order_of_places(mesh: CellMesh) -> Integers:
    """A number for each node that it shares with all other nodes at its place in the lattice."""
    turns = np.round(mesh.points @ np.linalg.inv(mesh.lattice), 9) % 1.0
    return np.unique(turns, axis=0, return_inverse=True)[1].reshape(-1)


def _simplices(nodes: Integers, key: Integers, layers: int) -> Integers:
    """Quadratic simplices that fill the prisms over others: triangles over lines, or tetrahedra.

    Of the corners in the order of their keys, those up to the k-th stand below and those from the
    k-th on above: one simplex for each k.
    """
    between = _BETWEEN[nodes.shape[1]]
    n_corners = len(between)
    order = np.argsort(key[nodes[:, :n_corners]], axis=1)
    n, rows, result = len(key), np.arange(len(nodes)), []
    for layer in range(layers):
        for k in range(n_corners):
            corners = [(j, 0) for j in range(k + 1)] + [(j, 1) for j in range(k, n_corners)]
            pairs = [(corner, corner) for corner in corners]
            pairs += [(corners[a], corners[b]) for a, b in _EDGES[n_corners + 1]]
            columns = [
                nodes[rows, between[order[:, i], order[:, j]]] + n * (2 * layer + low + high)
                for (i, low), (j, high) in pairs
            ]
            result.append(np.column_stack(columns))
    return np.concatenate(result)
