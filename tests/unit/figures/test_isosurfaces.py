"""Isosurfaces on tetrahedra: right area, closed, facing the right way."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.figures.isosurfaces import eighths, isosurface, nodal_gradient, normals, refine
from torrey.geometry import MeshOptions, Spheres
from torrey.geometry.meshing import build_meshes

CENTRE, RADIUS = np.array([0.45, 0.52, 0.5]), 0.33


@pytest.fixture(scope="module")
def meshes():
    return build_meshes(Spheres(()), MeshOptions(0.25, 2))


def distance(mesh):
    return np.linalg.norm(mesh.points - CENTRE, axis=1)


def surface(mesh):
    return isosurface(mesh.points, eighths(mesh.elements), distance(mesh), RADIUS)


def area(points, triangles):
    return np.linalg.norm(normals(points, triangles), axis=1).sum() / 2


def test_the_eighths_of_an_element_fill_it(meshes):
    mesh = meshes[0]
    corners = mesh.points[eighths(mesh.elements)]
    volumes = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6
    assert len(volumes) == 8 * len(mesh.elements)
    assert np.ptp(np.sign(volumes)) == 0
    assert abs(volumes.sum()) == pytest.approx(1.0, rel=1e-12)


def test_areas_of_a_sphere_converge_at_second_order(meshes):
    errors = [abs(area(*surface(mesh)) / (4 * np.pi * RADIUS**2) - 1) for mesh in meshes]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(orders > 1.6), errors
    assert errors[-1] < 2e-3


def test_a_sphere_is_closed_and_faces_inward_where_the_field_is_below(meshes):
    points, triangles = surface(meshes[0])
    edges = np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)])
    # Each edge is passed once in either direction: closed, and turned the same way everywhere.
    assert len(np.unique(edges, axis=0)) == len(edges)
    np.testing.assert_array_equal(np.unique(edges, axis=0), np.unique(edges[:, ::-1], axis=0))
    # Sphere: as many points and triangles as edges and two.
    assert len(points) + len(triangles) == len(edges) // 2 + 2
    a, b, c = np.moveaxis(points[triangles] - CENTRE, 1, 0)
    volume = np.einsum("ni,ni->", a, np.cross(b, c)) / 6
    assert volume == pytest.approx(-4 / 3 * np.pi * RADIUS**3, rel=0.05)


def test_a_linear_field_has_the_plane_that_it_should(meshes):
    mesh = meshes[0]
    points, triangles = isosurface(
        mesh.points, eighths(mesh.elements), mesh.points @ [0.0, 0.0, 2.0], 0.7
    )
    np.testing.assert_allclose(points[:, 2], 0.35, atol=1e-12)
    assert area(points, triangles) == pytest.approx(1.0, rel=1e-9)
    assert np.all(normals(points, triangles)[:, 2] <= 1e-15)


def test_a_level_that_is_not_reached_has_no_surface(meshes):
    mesh = meshes[0]
    points, triangles = isosurface(mesh.points, eighths(mesh.elements), distance(mesh), 2.0)
    assert points.shape == (0, 3)
    assert triangles.shape == (0, 3)


def test_refined_elements_carry_quadratic_fields_exactly(meshes):
    mesh = meshes[0]
    x, y, z = mesh.points.T
    field = x * y - 2.0 * z**2 + x
    fine, tetrahedra = refine(mesh.elements, np.column_stack([mesh.points, field]))
    a, b, c = fine[:, :3].T
    np.testing.assert_allclose(fine[:, 3], a * b - 2.0 * c**2 + a, atol=1e-13)
    assert len(fine) == 35 * len(mesh.elements)
    corners = fine[tetrahedra][..., :3]
    volumes = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6
    assert len(volumes) == 64 * len(mesh.elements)
    assert np.ptp(np.sign(volumes)) == 0
    assert abs(volumes.sum()) == pytest.approx(1.0, rel=1e-12)


def test_gradients_at_the_nodes_converge_over_the_faces_too(meshes):
    """At second order: of a quadratic element the gradient is linear."""
    errors = []
    for mesh in meshes:
        phase = 2 * np.pi * mesh.points @ [1.0, 1.0, 0.0]
        found = nodal_gradient(mesh.points, mesh.elements, np.sin(phase))
        exact = 2 * np.pi * np.cos(phase)[:, None] * [1.0, 1.0, 0.0]
        errors.append(np.sqrt(np.mean((found - exact) ** 2)))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    # Two elements in a period are few for a beginning.
    assert orders[0] > 1.4, errors
    assert orders[1] > 1.7, errors
    # Faces that stand for each other have one gradient.
    low, high = (np.abs(mesh.points[:, 0] - x) < 1e-12 for x in (0.0, 1.0))
    sides = [found[side][np.lexsort(mesh.points[side].T.round(9))] for side in (low, high)]
    np.testing.assert_allclose(*sides, atol=1e-9)


def test_further_columns_are_interpolated_on_the_surface(meshes):
    mesh = meshes[0]
    nodal = np.column_stack([mesh.points, mesh.points @ [1.0, 2.0, 3.0]])
    points, triangles = isosurface(nodal, eighths(mesh.elements), distance(mesh), RADIUS)
    alone, same = surface(mesh)
    np.testing.assert_allclose(points[:, :3], alone)
    np.testing.assert_array_equal(triangles, same)
    np.testing.assert_allclose(points[:, 3], points[:, :3] @ [1.0, 2.0, 3.0], atol=1e-13)
