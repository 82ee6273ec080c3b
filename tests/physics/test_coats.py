"""Coats: rings and shells between two membranes, with a diffusivity of their own along the radius.

D = D_t I + (D_r - D_t) r r^T. Alone, each part leaves a problem of one dimension: with D_t = 0
water moves on rays, of the weight r dr; with D_r = 0 on circles of radius r. Both are solved here
by other means, polynomials in r and Fourier series in the angle, and added up.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm

import torrey as tr
from torrey.cell.assembly import assemble
from torrey.cell.material import Material, Radial
from torrey.cell.operators import bloch_torrey
from torrey.geometry.meshing import build_meshes

DELTA, SEPARATION, B = 10.0, 30.0, 0.8
PULSES = tr.Pgse(DELTA, SEPARATION)
#: gamma G of rectangular pulses, rad/um/ms.
GRADIENT = math.sqrt(B / (SEPARATION - DELTA / 3)) / DELTA
PERIOD, INNER, COAT = 10.0, 0.2, 0.2
MESH = tr.MeshOptions(0.15, 2)
RING = tr.Discs([tr.Disc((0.5, 0.5), INNER)], coat=COAT)
ALONE = {"outside": 0, "inside": 0, "coat": 1}


def ring(radial, tangential, **given):
    D = {"outside": 2.0, "inside": 1.0, "coat": {"radial": radial, "tangential": tangential}}
    return tr.Cell(RING, D, PERIOD, mesh=MESH, **({"density": ALONE} | given))


def pgse(still, pulse, start, readout):
    """Signal of three stretches of time, with the matrices that decay in them."""
    first, rest = expm(-DELTA * (still + 1j * pulse)), expm(-(SEPARATION - DELTA) * still)
    last = expm(-DELTA * (still - 1j * pulse))
    return complex(readout @ (last @ (rest @ (first @ start)))).real


def rays(diffusivity, count=20, angles=24):
    """Signal of water that moves along the radius alone, from Legendre polynomials in r."""
    a, b = PERIOD * INNER, PERIOD * (INNER + COAT)
    x, w = np.polynomial.legendre.leggauss(3 * count)
    r, w = (a + b) / 2 + (b - a) / 2 * x, w * (b - a) / 2
    values = np.polynomial.legendre.legvander(x, count - 1)
    slopes = np.array(
        [np.polynomial.legendre.Legendre.basis(n).deriv()(x) * 2 / (b - a) for n in range(count)]
    ).T
    mass = values.T @ ((w * r)[:, None] * values)
    inverse = np.linalg.inv(mass)
    still = diffusivity * inverse @ (slopes.T @ ((w * r)[:, None] * slopes))
    place = inverse @ (values.T @ ((w * r * r)[:, None] * values))
    one = np.eye(count)[0]
    total = one @ mass @ one
    return float(
        np.mean(
            [
                pgse(still, GRADIENT * math.cos(t) * place, one, mass[0] / total)
                for t in 2 * np.pi * (np.arange(angles) + 0.5) / angles
            ]
        )
    )


def circles(diffusivity, modes=12, radii=8):
    """Signal of water that moves on circles alone, from Fourier series in the angle."""
    a, b = PERIOD * INNER, PERIOD * (INNER + COAT)
    x, w = np.polynomial.legendre.leggauss(radii)
    n = np.arange(-modes, modes + 1)
    one = (n == 0).astype(float)
    cosine = (np.eye(len(n), k=1) + np.eye(len(n), k=-1)) / 2
    found = []
    for r in (a + b) / 2 + (b - a) / 2 * x:
        found.append(pgse(diffusivity * np.diag(n**2) / r**2, GRADIENT * r * cosine, one, one))
    weight = w * ((a + b) / 2 + (b - a) / 2 * x)
    return float(weight @ found / weight.sum())


@pytest.mark.slow
def test_water_that_moves_along_the_radius_alone():
    found = ring(0.5, 0.0).signal(PULSES, b=B, direction=(1, 0), tolerance=1e-3)
    assert float(found) == pytest.approx(rays(0.5), abs=1e-4)


@pytest.mark.slow
def test_water_that_moves_on_circles_alone():
    found = ring(0.0, 0.5).signal(PULSES, b=B, direction=(1, 0), tolerance=1e-3)
    assert float(found) == pytest.approx(circles(0.5), abs=1e-4)


@pytest.mark.slow
def test_no_direction_is_different_to_a_ring():
    directions = [(1, 0), (0.6, 0.8), (1, 1)]
    found = ring(0.9, 0.2).signal(PULSES, b=B, direction=directions)
    assert np.all(np.abs(found - found[0]) < 1e-5)
    models = ring(0.9, 0.2).signal(PULSES, b=B, direction=(1, 0), model=["reference", "P5"])
    assert float(models[1]) == pytest.approx(float(models[0]), abs=1e-4)


@pytest.mark.slow
def test_equal_parts_are_a_number():
    strengths = [0.4, 0.8]
    given = {"density": None, "permeability": [0.02, 0.05]}
    parts = ring(0.6, 0.6, **given)
    number = parts.with_(diffusivity={"outside": 2.0, "inside": 1.0, "coat": 0.6})
    for method in ("full", "projected"):
        found = [
            x.signal(PULSES, b=strengths, direction=(1, 0), method=method) for x in (parts, number)
        ]
        np.testing.assert_allclose(*found, rtol=1e-5)
    models = {"model": ["R0", "R2", "P3"], "b": 0.4, "direction": (1, 0)}
    np.testing.assert_allclose(
        parts.signal(PULSES, **models), number.signal(PULSES, **models), rtol=1e-6
    )
    tensors = [x.tensors() for x in (parts, number)]
    for name in ("D", "S", "T", "I", "Z", "psi_jump"):
        np.testing.assert_allclose(tensors[0][name], tensors[1][name], atol=1e-6)


def decay(radial, relaxivity, time, count=16):
    """Share that is left in a ring whose sides relax it, from Legendre polynomials in r."""
    a, b = PERIOD * INNER, PERIOD * (INNER + COAT)
    x, w = np.polynomial.legendre.leggauss(3 * count)
    r, w = (a + b) / 2 + (b - a) / 2 * x, w * (b - a) / 2
    values = np.polynomial.legendre.legvander(x, count - 1)
    slopes = np.array(
        [np.polynomial.legendre.Legendre.basis(n).deriv()(x) * 2 / (b - a) for n in range(count)]
    ).T
    mass = values.T @ ((w * r)[:, None] * values)
    K = radial * slopes.T @ ((w * r)[:, None] * slopes)
    ends = np.polynomial.legendre.legvander(np.array([-1.0, 1.0]), count - 1)
    K += relaxivity * ends.T @ (np.array([a, b])[:, None] * ends)
    left = expm(-time * np.linalg.solve(mass, K)) @ np.eye(count)[0]
    return float(mass[0] @ left / mass[0, 0])


@pytest.mark.parametrize("tangential", [0.1, 2.0])
def test_only_the_radial_part_takes_water_to_the_sides(tangential):
    cell = ring(0.15, tangential, surface_relaxivity=0.05)
    found = cell.signal(PULSES, b=0.0, direction=(1, 0), model=["reference", "P4"])
    assert found.values == pytest.approx(decay(0.15, 0.05, SEPARATION + DELTA), rel=1e-4)


@pytest.mark.slow
def test_a_thin_coat_is_a_membrane_of_permeabilities_in_series():
    radius, D, kappa, time = 0.3, {"outside": 2.0, "inside": 1.2}, 0.05, PULSES
    gaps = []
    for thickness in (0.04, 0.02, 0.01):
        shape = tr.Discs([tr.Disc((0.5, 0.5), radius - thickness / 2)], coat=thickness)
        coated = tr.Cell(
            shape,
            D | {"coat": {"radial": 0.05, "tangential": 1.0}},
            PERIOD,
            kappa,
            density={"outside": 1, "inside": 1, "coat": 0},
            mesh=tr.MeshOptions(0.15, 2),
        )
        series = 1 / (2 / kappa + PERIOD * thickness / 0.05)
        plain = tr.Cell(tr.Discs([tr.Disc((0.5, 0.5), radius)]), D, PERIOD, series, mesh=0.15)
        pair = [x.signal(time, b=0.6, direction=(1, 0), model="P4").item() for x in (coated, plain)]
        gaps.append(abs(pair[0] - pair[1]))
    assert gaps[0] > 1.6 * gaps[1] > 2.56 * gaps[2]
    assert gaps[2] < 0.01


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        (tr.Discs([tr.Disc((0.45, 0.5), 0.25), tr.Disc((0.93, 0.95), 0.1)], coat=0.06), 0.2),
        (tr.Spheres([tr.Sphere((0.1, 0.5, 0.95), 0.25)], coat=0.1), 0.3),
    ],
    ids=["rings", "shells"],
)
def test_parts_along_and_across_the_radius_add_up(shape, size):
    mesh = build_meshes(shape, tr.MeshOptions(size, 0))[0]
    sides = np.array([(m.outside, m.inside) for m in shape.membranes()])
    cell, n, d = assemble(mesh, sides, shape.radial_centres()), len(shape.cells), shape.dimension
    bare = (0.0,) * (1 + n)
    along, across, both = (
        bloch_torrey(cell, Material((*bare, *(D,) * n)))
        for D in (Radial(1.0, 0.0), Radial(0.0, 1.0), 1.0)
    )
    for name in ("K", "B", "N"):
        whole = getattr(both, name)
        parts = getattr(along, name) + getattr(across, name)
        np.testing.assert_allclose(parts, whole, atol=1e-4 * np.abs(whole).max())
    # r r^T has the trace 1, and its mean over a whole coat is I/d.
    ones = np.ones(cell.n_dofs)
    masses = np.array([[ones @ (cell.matrix(x) @ ones) for x in row] for row in along.N])
    total = sum(shape.measures()[1 + n :])
    np.testing.assert_allclose(masses, total / d * np.eye(d), atol=2e-4 * total)
    # On a field that is a function of the distance alone nothing moves across.
    nearest = shape.radial_centres()[1 + n]
    apart = cell.places - nearest
    apart -= np.round(apart)
    inside = cell.compartment == 1 + n
    distance = np.where(inside, np.linalg.norm(apart, axis=1), 0.0)
    energy = [distance @ (x.cell.matrix(x.K) @ distance) for x in (along, across)]
    assert energy[0] == pytest.approx(shape.measures()[1 + n], rel=2e-2)
    assert energy[1] < 1e-2 * energy[0]


def test_a_radial_diffusivity_has_a_centre():
    with pytest.raises(ValueError, match="a radial diffusivity of cell_1"):
        tr.Cell(RING, {"outside": 2, "inside": {"radial": 1, "tangential": 1}, "coat": 1}, PERIOD)
    with pytest.raises(ValueError, match="radial and tangential"):
        tr.Cell(RING, {"outside": 2, "inside": 1, "coat": {"radial": 1}}, PERIOD)


def test_water_that_moves_around_alone_reaches_no_membrane():
    with pytest.raises(
        ValueError, match="membrane_1, beside the water without a radial diffusivity of coat_1"
    ):
        ring(0, 0.5, permeability=0.05)
    with pytest.raises(ValueError, match=r"coat_membrane_1, .* diffusivity of coat_1"):
        ring(0, 0.5, permeability=[0.0, 0.05])
    with pytest.raises(ValueError, match="membrane_1"):
        ring(0, 0.5, surface_relaxivity=0.05)
    assert ring(0, 0.5).material.diffusivity[2] == Radial(0.0, 0.5)


def test_names_survive_as_plain_values():
    material = Material((2.0, 1.0, Radial(0.1, 0.9)), in_space=True)
    assert Material.from_dict(material.to_dict()) == material
    assert material.key() == "De2_Di1_r0.1t0.9_axes3"
    # A ring stands for a tube: along its axis water moves as it does around it.
    np.testing.assert_allclose(material.tensors(2)[2], np.diag([0.5, 0.5, 0.9]))
