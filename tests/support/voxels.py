"""Small voxels, and the same meshes as the ordinary code knows them."""

from __future__ import annotations

from functools import cache

import numpy as np

from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.geometry.balls.random_discs import place_discs
from torrey.geometry.mesh import CellMesh
from torrey.voxel.assembly import number
from torrey.voxel.medium import DiscMedium
from torrey.voxel.quadratic import quadratic, refine
from torrey.voxel.triangulation import Triangles, triangulate

SIDE = 40.0


@cache
def small_medium(count: int = 12, side: float = SIDE, gap: float = 0.3) -> DiscMedium:
    """A dozen discs."""
    radii = np.linspace(2.0, 4.5, count) / side
    placed = place_discs(radii, seed=2, gap=gap / side)
    return DiscMedium(side, placed.centres * side, placed.radii * side, gap)


@cache
def small_meshes(refinements: int = 1) -> tuple[Triangles, ...]:
    """Its meshes."""
    meshes = [triangulate(small_medium())]
    for _ in range(refinements):
        meshes.append(refine(meshes[-1], small_medium()))
    return tuple(meshes)


def as_cell(mesh: Triangles, medium: DiscMedium) -> CellMesh:
    """The mesh with two compartments, outside and inside, in units of the box."""
    elements = quadratic(mesh, medium)
    numbering = number(elements)
    dof = numbering.of(elements.node, elements.inside)
    # A node beyond a face is an image of its own.
    turn = np.round((elements.places - _home(elements.places, dof)) / medium.side).astype(int)
    key = np.stack([dof, turn[..., 0], turn[..., 1]], axis=-1).reshape(-1, 3)
    nodes, first, local = np.unique(key, axis=0, return_index=True, return_inverse=True)
    local = local.reshape(dof.shape)
    representative = np.full(dof.max() + 1, -1)
    representative[nodes[::-1, 0]] = np.arange(len(nodes))[::-1]
    outside, inside = _facets(elements, local, representative[nodes[:, 0]])
    return CellMesh(
        points=elements.places.reshape(-1, 2)[first] / medium.side,
        elements=local,
        compartment=elements.inside.astype(np.int64),
        region=elements.inside.astype(np.int64),
        membrane_outside=outside,
        membrane_inside=inside,
        membrane=np.zeros(len(outside), dtype=np.int64),
        periodic=representative[nodes[:, 0]],
        lattice=np.eye(2),
    )


def _home(places: np.ndarray, dof: np.ndarray) -> np.ndarray:
    """Place of one image of each degree of freedom, at every node."""
    home = np.empty((dof.max() + 1, 2))
    home[dof.ravel()] = places.reshape(-1, 2)
    return home[dof]


def _facets(elements, local, representative) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of each arc from both sides, in the same order."""
    sides = []
    for inside in (False, True):
        element, edge = np.nonzero(elements.arc & (elements.inside[:, None] == inside))
        columns = np.stack([edge, (edge + 1) % 3, 3 + edge], axis=1)
        node = elements.node[element[:, None], columns]
        order = np.argsort(node[:, 2])
        sides.append((node[order], local[element[:, None], columns][order]))
    (node, outside), (other, inside) = sides
    assert np.array_equal(node[:, 2], other[:, 2])
    turned = node[:, 0] != other[:, 0]
    inside[turned] = inside[turned][:, [1, 0, 2]]
    return outside, inside


def ordinary(mesh: Triangles, medium: DiscMedium, D: tuple[float, float]) -> BlochTorrey:
    """Operators of the mesh by `torrey.cell`."""
    return bloch_torrey(assemble(as_cell(mesh, medium), np.array([[0, 1]])), Material(D))
