"""What a radius changes in the operators of a cell, beside exact volumes and surfaces."""

from __future__ import annotations

import math

import numpy as np
import pytest

from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.cell.radii import radius_slopes
from torrey.geometry import Disc, Discs, MeshOptions, Sphere, Spheres
from torrey.geometry.meshing import build_meshes
from torrey.geometry.shapes import Shape

LEAF = Discs((Disc((0.1, 0.5), 0.2), Disc((0.6, 0.5), 0.25)), lattice=((1.0, 0.0), (0.3, 0.9)))
COATED = Discs((Disc((0.5, 0.5), 0.25),), coat=0.1)
BALL = Spheres((Sphere((0.5, 0.5, 0.5), 0.3),))
SURFACE = {2: lambda R: 2 * math.pi * R, 3: lambda R: 4 * math.pi * R**2}
GROWTH = {2: lambda R: 2 * math.pi, 3: lambda R: 8 * math.pi * R}


def changes(shape: Shape, options: MeshOptions) -> list[tuple[np.ndarray, np.ndarray]]:
    """By mesh: changes of the volume of each compartment, and of all membranes, by radius."""
    found = []
    sides = np.array([(m.outside, m.inside) for m in shape.membranes()])
    material = Material((1.0,) * shape.n_compartments)
    for mesh in build_meshes(shape, options):
        cell = assemble(mesh, sides)
        ones, each = np.ones(cell.n_dofs), cell.indicators
        slopes = radius_slopes(mesh, shape, material)
        volumes = [np.diag(each.T @ (cell.matrix(s.M) @ each)) for s in slopes]
        inside = each[:, [m.inside for m in shape.membranes()]]
        areas = [np.diag(inside.T @ (cell.matrix(s.J) @ inside)) for s in slopes]
        for s in slopes:
            for form in (s.K, s.J, s.C[0] + s.C[1]):
                # A constant has no gradient and no jump, whatever the cell is like.
                assert abs(ones @ (cell.matrix(form) @ ones)) < 1e-7
            assert abs(ones @ (cell.matrix(s.M) @ ones)) < 1e-8
        found.append((np.array(volumes), np.array(areas)))
    return found


@pytest.mark.parametrize(("shape", "options"), [
    (LEAF, MeshOptions(0.2, 2)),
    (COATED, MeshOptions(0.2, 2)),
    (BALL, MeshOptions(0.3, 0)),
])  # fmt: skip
def test_volumes_and_surfaces_grow_as_they_should(shape: Shape, options: MeshOptions) -> None:
    radii, d = shape.membrane_radii(), shape.dimension
    by_mesh = changes(shape, options)
    off = []
    for volumes, _ in by_mesh:
        errors = []
        for i, (membrane, R) in enumerate(zip(shape.membranes(), radii, strict=True)):
            expected = np.zeros(shape.n_compartments)
            expected[membrane.outside] -= SURFACE[d](R)
            expected[membrane.inside] += SURFACE[d](R)
            errors.append(np.abs(volumes[i] - expected).max())
        off.append(max(errors))
    assert off[-1] < (1e-5 if d == 2 else 2e-2)
    if len(off) == 3:
        assert all(coarse / fine > 10.0 for coarse, fine in zip(off, off[1:], strict=False))


def test_only_the_membrane_that_grows_has_a_longer_circle() -> None:
    _, areas = changes(LEAF, MeshOptions(0.1, 0))[0]
    np.testing.assert_allclose(areas, np.diag([GROWTH[2](0.2), GROWTH[2](0.25)]), atol=2e-4)


def test_slopes_are_those_of_the_operators_of_larger_discs() -> None:
    """On meshes of their own: an integral over all of the cell that meshes hardly change."""

    def energy(R: float) -> float:
        shape = Discs((Disc((0.5, 0.5), R),))
        (mesh,) = build_meshes(shape, MeshOptions(0.05, 0))
        operators = bloch_torrey(assemble(mesh, np.array([[0, 1]])), Material((3.0, 1.0)))
        x = np.ones(operators.cell.n_dofs)
        return float(x @ (operators.cell.matrix(operators.N[0, 0]) @ x))

    shape = Discs((Disc((0.5, 0.5), 0.3),))
    (mesh,) = build_meshes(shape, MeshOptions(0.05, 0))
    (slope,) = radius_slopes(mesh, shape, Material((3.0, 1.0)))
    cell = assemble(mesh, np.array([[0, 1]]))
    ones = np.ones(cell.n_dofs)
    found = float(ones @ (cell.matrix(slope.N[0, 0]) @ ones))
    assert found == pytest.approx((energy(0.31) - energy(0.29)) / 0.02, rel=1e-4)
    assert found == pytest.approx(-2.0 * 2.0 * math.pi * 0.3, rel=1e-5)


def test_shapes_without_balls_have_none() -> None:
    assert radius_slopes(None, Discs((Disc((0.5, 0.5), 0.3),), layer=0.1), Material((1.0,))) == ()  # type: ignore[arg-type]
