"""Layers of the section of parallel cylinders: conforming, periodic, as fine as asked."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.geometry import Cylinder, Cylinders, MeshOptions
from torrey.geometry.checks import compared_measures, volumes
from torrey.geometry.mesh import MATCHING_TOLERANCE, CellMesh, local_facets
from torrey.geometry.meshing import mesh_cell

TWO = (Cylinder((0.1, 0.2, 0.3), 0.15, (0, 1, -1)), Cylinder((0.6, 0.2, 0.3), 0.12, (0, 1, -1)))
STEEP = tuple(
    Cylinder(centre, radius, (3, -1, 3))
    for centre, radius in (
        ((0.2797164, 0.5, 0.4534424), 0.1280305),
        ((0.8543978, 0.8667938, 0.4641025), 0.1155404),
        ((0.5, 0.913922, 0.394414), 0.086077),
    )
)
CELLS = {
    "along an edge": Cylinders((Cylinder((0.2, 0.1, 0.0), 0.4),)),
    "tilted": Cylinders(TWO),
    "obstacles": Cylinders(TWO, "obstacle"),
    "steep": Cylinders(STEEP, "obstacle"),
}


def faces_seen_once(mesh: CellMesh) -> set[tuple[int, ...]]:
    """Faces of one element alone, where periodic images are the same."""
    faces = mesh.periodic[mesh.elements[:, local_facets(3)[:, :3]]].reshape(-1, 3)
    found, count = np.unique(np.sort(faces, axis=1), axis=0, return_counts=True)
    assert count.max() == 2
    return set(map(tuple, found[count == 1].tolist()))


@pytest.mark.parametrize("name", CELLS)
def test_layers_leave_no_gap_but_membranes(name: str) -> None:
    shape = CELLS[name]
    meshes = mesh_cell(shape, MeshOptions(0.35, 1)).meshes
    apart = meshes[0].points - meshes[0].points[meshes[0].periodic]
    assert np.abs(apart - np.round(apart)).max() < MATCHING_TOLERANCE
    for mesh in meshes:
        sides = [mesh.membrane_outside]
        if shape.interior == "water":
            sides.append(mesh.membrane_inside)
        corners = np.sort(mesh.periodic[np.concatenate(sides)[:, :3]], axis=1)
        assert set(map(tuple, corners.tolist())) == faces_seen_once(mesh)
        owner = mesh.node_compartment()
        assert np.array_equal(owner, owner[mesh.periodic])


def test_steep_cylinders_take_no_more_elements_than_their_section() -> None:
    (mesh,) = mesh_cell(CELLS["steep"], MeshOptions(0.39, 0)).meshes
    # Tetrahedra as small along the axis as they are around it were 186,000, and folded.
    assert len(mesh.elements) < 20_000
    lengths = np.ptp(mesh.points[mesh.elements] @ np.array([3, -1, 3]) / np.sqrt(19), axis=1)
    assert lengths.max() < 2 * 0.39


def test_the_length_of_facets_does_not_excuse_errors_of_their_roundness() -> None:
    shape = CELLS["steep"]
    (mesh,) = mesh_cell(shape, MeshOptions(0.39, 0)).meshes
    table = list(compared_measures(mesh, shape, volumes(mesh)[0]))
    assert all(tolerance < 2e-3 * exact for _, _, exact, tolerance in table)
