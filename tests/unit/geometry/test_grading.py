"""Elements are divided unevenly next to corners around which water turns, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from torrey.geometry import Disc, Discs, Ellipse, Ellipses, MeshOptions, Polygon, Polygons
from torrey.geometry.meshing import build_meshes

SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
#: Its corners lie on faces and on a corner of the cell.
ACROSS = ((-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3))
ANGLED = ((0.15, 0.15), (0.85, 0.15), (0.85, 0.5), (0.5, 0.5), (0.5, 0.85), (0.15, 0.85))
#: Nearly straight in the middle of its lowest side: by ten degrees.
BLUNT = ((0.2, 0.25), (0.5, 0.25 - 0.3 * math.tan(math.radians(5))), (0.8, 0.25), (0.5, 0.8))


def polygon(points, **options):
    return Polygons((Polygon(points),), **options)


def shortest(mesh, corner):
    """Shortest edge of an element at a corner, over all images of it."""
    vertices = mesh.points[mesh.elements[:, :3]]
    off = vertices - corner
    here = np.linalg.norm(off - np.round(off), axis=2) < 1e-9
    assert here.any()
    edges = [
        np.linalg.norm(vertices[:, k] - vertices[:, j], axis=1)[here[:, k] | here[:, j]]
        for k, j in ((0, 1), (1, 2), (2, 0))
    ]
    return min(edge.min() for edge in edges)


@pytest.mark.parametrize("interior", ["water", "obstacle"])
@pytest.mark.parametrize(
    ("points", "corner", "angle"),
    [
        (SQUARE, (0.2, 0.8), 270),
        (ACROSS, (0.3, -0.3), 270),
        (ANGLED, (0.15, 0.15), 270),
        (BLUNT, (0.5, 0.8), 360 - 2 * math.degrees(math.atan(0.3 / 0.55))),
    ],
)
def test_elements_shrink_towards_a_corner_by_its_angle(points, corner, angle, interior):
    meshes = build_meshes(polygon(points, interior=interior), MeshOptions(0.25, 2))
    lengths = [shortest(mesh, corner) for mesh in meshes]
    part = 2.0 ** (-2 * angle / 180)
    # The shortest of the edges that leave it; those between its neighbours shrink as well.
    assert lengths[2] / lengths[1] == pytest.approx(part, rel=1e-6)


def test_inside_a_notch_only_water_that_turns_around_it_counts():
    # The inner corner of an L: water inside turns by 270 degrees, obstacles leave 90 outside.
    for interior, part in (("water", 1 / 8), ("obstacle", 1 / 2)):
        meshes = build_meshes(polygon(ANGLED, interior=interior), MeshOptions(0.25, 2))
        lengths = [shortest(mesh, (0.5, 0.5)) for mesh in meshes]
        assert lengths[2] / lengths[1] == pytest.approx(part, rel=1e-6)


SMOOTH = {
    "disc": Discs((Disc((0.1, 0.0), 0.3),)),
    "flat ellipse": Ellipses((Ellipse((0.5, 0.5), (0.45, 0.05), 20.0),)),
    "rounded square": Polygons((Polygon(SQUARE, smooth=0.05),)),
    "blunt corner": polygon(
        tuple(
            (0.5 + 0.3 * math.cos(t), 0.5 + 0.3 * math.sin(t)) for t in np.arange(24) * math.pi / 12
        )
    ),
}


@pytest.mark.parametrize("shape", SMOOTH.values(), ids=SMOOTH)
def test_edges_are_halved_where_nothing_is_sharp(shape):
    coarse, fine = build_meshes(shape, MeshOptions(0.3, 1))
    assert np.array_equal(fine.points[: len(coarse.points)], coarse.points)


def test_both_sides_of_a_membrane_and_all_images_stay_together():
    for points in (SQUARE, ACROSS, ANGLED):
        for mesh in build_meshes(polygon(points), MeshOptions(0.25, 3)):
            outside, inside = mesh.membrane_outside, mesh.membrane_inside
            apart = mesh.points[outside] - mesh.points[inside]
            assert np.abs(apart - np.round(apart)).max() < 1e-9
            images = mesh.points - mesh.points[mesh.periodic]
            assert np.abs(images - np.round(images)).max() < 1e-9


def test_elements_at_a_corner_do_not_grow_thin():
    least = [smallest_angle(mesh) for mesh in build_meshes(polygon(SQUARE), MeshOptions(0.25, 4))]
    assert least[1] > 2.0
    assert least[4] == pytest.approx(least[2], rel=0.2)


def smallest_angle(mesh):
    vertices = mesh.points[mesh.elements[:, :3]]
    angles = []
    for k in range(3):
        one, other = vertices[:, k - 1] - vertices[:, k], vertices[:, k - 2] - vertices[:, k]
        cos = np.einsum("ij,ij->i", one, other)
        cos /= np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        angles.append(np.degrees(np.arccos(cos)).min())
    return min(angles)
