"""Meshes made finer without the mesher: measures, sides, periods and shapes of elements.

Exact measures are those of circles and spheres; the periodic map is found again by places, in the
plane, by what makes the coarsest mesh.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from torrey.geometry import (
    Disc,
    Discs,
    Layers,
    MeshOptions,
    RadiusLaw,
    RandomPacking,
    Shape,
    Sphere,
    Spheres,
)
from torrey.geometry.checks import check_mesh, compared_measures, volumes
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh, _periodic_map
from torrey.geometry.meshing import build_meshes
from torrey.geometry.refinement import refine

OBLIQUE = ((1.0, 0.0), (0.5, 0.866))
PLANE = [
    Discs((Disc((0.5, 0.5), 0.2),)),
    Discs((Disc((0.1, 0.0), 0.2), Disc((0.5, 0.5), 0.3)), "obstacle"),
    Discs((Disc((0.05, 0.9), 0.2),), layer=0.05),
    Discs((Disc((0.1, 0.1), 0.3),), lattice=OBLIQUE),
    RandomPacking(30.0, RadiusLaw(uniform=(1.0, 5.0)), count=5, gap=0.5),
]
SPACE = [
    Spheres((Sphere((0.5, 0.5, 0.5), 0.3),)),
    Spheres((Sphere((0.0, 0.1, 0.8), 0.3),), "obstacle"),
]
LINE = Layers((0.3, 0.7))


def finer(shape: Shape, size: float, times: int) -> list[CellMesh]:
    meshes = list(build_meshes(shape, MeshOptions(size, 0)))
    for _ in range(times):
        meshes.append(refine(meshes[-1], shape))
    return meshes


def errors(mesh: CellMesh, shape: Shape) -> np.ndarray:
    measured = compared_measures(mesh, shape, volumes(mesh)[0])
    return np.array([abs(found - exact) for _, found, exact, _ in measured])


@pytest.mark.parametrize("shape", PLANE)
def test_areas_lengths_and_regions_in_the_plane_converge_with_order_four(shape):
    meshes = finer(shape, 0.15, 3)
    for mesh in meshes:
        check_mesh(mesh, shape)
    rates = np.diff(np.log2([errors(mesh, shape) for mesh in meshes]), axis=0)
    assert -rates == pytest.approx(4, abs=0.05)


@pytest.mark.parametrize("shape", SPACE)
def test_volumes_and_surfaces_in_space_converge_with_order_four(shape):
    meshes = finer(shape, 0.4, 2)
    for mesh in meshes:
        check_mesh(mesh, shape)
    rates = np.diff(np.log2([errors(mesh, shape) for mesh in meshes]), axis=0)
    assert -rates == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("shape", [*PLANE, *SPACE, LINE])
def test_nothing_is_lost_and_both_sides_of_a_membrane_match(shape):
    coarse, fine = finer(shape, 0.3, 1)
    d, most = shape.dimension, 2**shape.dimension
    assert len(fine.elements) == most * len(coarse.elements)
    assert len(fine.membrane) == most // 2 * len(coarse.membrane)
    whole = abs(np.linalg.det(shape.periods))
    dry = whole - sum(shape.measures())
    assert volumes(fine)[0].sum() == pytest.approx(whole - dry, abs=1e-3)
    if not dry:
        assert volumes(fine)[0].sum() == pytest.approx(whole, abs=1e-12)
    owner = fine.node_compartment()
    sides = fine.membrane_inside[:, 0] != NOTHING
    outside, inside = fine.membrane_outside[sides], fine.membrane_inside[sides]
    np.testing.assert_array_equal(fine.points[outside], fine.points[inside])
    pairs = np.array([(m.outside, m.inside) for m in shape.membranes()]).reshape(-1, 2)
    for nodes, side in ((outside, 0), (inside, 1)):
        expected = np.broadcast_to(pairs[fine.membrane[sides], side, None], nodes.shape)
        np.testing.assert_array_equal(owner[nodes], expected)
    # Corners come first, and their middles lie between them.
    corners = fine.points[fine.elements[:, : d + 1]]
    first = fine.points[fine.elements[:, d + 1]]
    edge = np.linalg.norm(corners[:, 0] - corners[:, 1], axis=1)
    assert np.all(np.linalg.norm(first - corners[:, :2].mean(axis=1), axis=1) < 0.2 * edge)


@pytest.mark.parametrize("shape", [*PLANE, *SPACE, LINE])
def test_nodes_are_one_where_the_cell_repeats(shape):
    mesh = finer(shape, 0.3, 2)[-1]
    apart = (mesh.points - mesh.points[mesh.periodic]) @ np.linalg.inv(mesh.lattice)
    assert np.abs(apart - np.round(apart)).max() < 1e-12
    np.testing.assert_array_equal(mesh.periodic[mesh.periodic], mesh.periodic)
    owner = mesh.node_compartment()
    np.testing.assert_array_equal(owner[mesh.periodic], owner)
    if shape.dimension < 3 and np.array_equal(mesh.lattice, np.eye(shape.dimension)):
        by_place = _periodic_map(
            mesh.points,
            mesh.elements,
            mesh.compartment,
            mesh.points.min(axis=0),
            range(mesh.dimension),
        )
        np.testing.assert_array_equal(mesh.periodic, by_place)
    # A closed surface: every facet belongs to two elements, or to one and a membrane.
    facets = {2: [[0, 1], [1, 2], [2, 0]], 3: [[0, 1, 2], [0, 1, 3], [1, 2, 3], [0, 2, 3]]}
    if shape.dimension > 1:
        names = mesh.periodic[mesh.elements[:, facets[shape.dimension]]]
        middles = np.sort(names.reshape(-1, shape.dimension), axis=1)
        _, count = np.unique(middles, axis=0, return_counts=True)
        on_membranes = np.sum(mesh.membrane_inside[:, 0] != NOTHING) + len(mesh.membrane)
        assert count.max() == 2
        assert np.sum(count == 1) == on_membranes


def test_corners_where_four_cells_meet_are_not_joined_across_the_cell():
    # The halves of edges at a corner have their ends on the same two faces, two by two.
    mesh = finer(Discs(()), 0.5, 2)[-1]
    free = len(np.unique(mesh.periodic))
    assert free == len(mesh.points) - 2 * (np.sum(mesh.points[:, 0] == 0.0) - 1) - 1


@pytest.mark.parametrize("shape", SPACE)
def test_tetrahedra_do_not_grow_thin(shape):
    def quality(mesh: CellMesh) -> np.ndarray:
        corners = mesh.points[mesh.elements[:, :4]]
        edges = corners[:, [1, 2, 3, 2, 3, 3]] - corners[:, [0, 0, 0, 1, 1, 2]]
        volume = np.abs(np.linalg.det(edges[:, :3])) / 6
        return volume / np.mean(np.sum(edges**2, axis=2), axis=1) ** 1.5

    first, *others = (quality(mesh) for mesh in finer(shape, 0.4, 2))
    for found in others:
        assert found.min() > 0.4 * first.min()
        # Along a fixed diagonal the thinnest in a thousand fall to 0.55 of what they were.
        assert np.quantile(found, 0.001) > 0.8 * np.quantile(first, 0.001)
        assert np.median(found) > np.median(first)


@pytest.mark.parametrize("shape", [PLANE[0], PLANE[1], SPACE[0]])
def test_without_an_exact_surface_children_fill_what_their_parents_did(shape):
    """As of a mesh that another program made."""

    class Imported(type(shape)):
        def on_membrane(self, places, membrane):
            return places

    given = Imported(shape.cells, shape.interior)
    coarse = build_meshes(shape, MeshOptions(0.3, 0))[0]
    fine = refine(refine(coarse, given), given)
    before = [found for _, found, _, _ in compared_measures(coarse, given, volumes(coarse)[0])]
    after = [found for _, found, _, _ in compared_measures(fine, given, volumes(fine)[0])]
    n_regions = len(shape.region_names)
    assert after[:n_regions] == pytest.approx(before[:n_regions], abs=1e-13)
    assert after[n_regions:] == pytest.approx(before[n_regions:], rel=1e-6)


def test_the_coarse_mesh_stays_as_it_was():
    mesh = build_meshes(PLANE[0], MeshOptions(0.3, 0))[0]
    kept = replace(mesh, points=mesh.points.copy(), periodic=mesh.periodic.copy())
    refine(mesh, PLANE[0])
    np.testing.assert_array_equal(mesh.points, kept.points)
    np.testing.assert_array_equal(mesh.periodic, kept.periodic)
