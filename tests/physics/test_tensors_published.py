"""Homogenised tensors against published numbers and exact solutions.

Cell problems of KL23 (3.18)-(3.23), on the unit cell, with D in um^2/ms:

- one disc of radius 0.2: numbers made with another program;
- the square array of discs (Perrins, McKenzie, McPhedran, Proc. R. Soc. A 369, 207, 1979), whose
  conductivity is known to any accuracy: D^e = D_e x conductivity / (1 - fraction) for insulating
  discs, and insulating and perfectly conducting discs have reciprocal conductivities (Keller);
- layers with impermeable faces, where every cell problem is a polynomial.

P2 elements with curved sides: the error of D falls as h^4.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.geometry import Disc, Discs, Layers, MeshOptions
from torrey.geometry.meshing import build_meshes
from torrey.models.tensors import Tensors, papers_tensors, rate_matrices

D_E, D_C, RADIUS = 3.0, 1.7, 0.2


@functools.cache
def levels(
    shape: Discs | Layers, diffusivity: tuple[float, ...], size: float, refinements: int
) -> tuple[Tensors, ...]:
    """Tensors on a mesh and on its refinements."""
    sides = [(m.outside, m.inside) for m in shape.membranes()]
    membranes = np.array(sides, dtype=np.int64).reshape(-1, 2)
    return tuple(
        papers_tensors(bloch_torrey(assemble(mesh, membranes), Material(diffusivity)))
        for mesh in build_meshes(shape, MeshOptions(size, refinements))
    )


def disc() -> Tensors:
    return levels(Discs((Disc((0.5, 0.5), RADIUS),)), (D_E, D_C), 0.2, 2)[-1]


def obstacle(fraction: float, size: float, refinements: int) -> list[float]:
    """D^e / D_e around insulating discs of this area fraction, on each mesh."""
    shape = Discs((Disc((0.5, 0.5), math.sqrt(fraction / math.pi)),), "obstacle")
    return [t.D[0, 0, 0] for t in levels(shape, (1.0,), size, refinements)]


# One unit of the last digit that is given: those digits are not all settled (see the next test).
@pytest.mark.parametrize("direction", [(0.0, 1.0), (1.0, 0.0)])
def test_one_disc_has_the_tensors_of_the_other_program(direction):
    n = np.array(direction)
    t = disc()
    assert n @ t.D[0] @ n == pytest.approx(2.66504, abs=1e-5)
    assert n @ t.S[0] @ n == pytest.approx(-1.9105e-3, abs=1e-7)
    assert n @ t.S[1] @ n == pytest.approx(-1.0000e-2, abs=1e-6)
    assert n @ t.S[1] @ n == pytest.approx(-(RADIUS**2) / 4, rel=1e-6)
    B = np.einsum("aijkl,i,j,k,l->a", t.B, n, n, n, n)
    assert B[0] == pytest.approx(-1.35142e-2, abs=1e-7)
    assert B[1] == pytest.approx(0, abs=1e-7)
    assert t.psi_jump[0, 0] == pytest.approx(-6.60934e-2, abs=1e-7)


def test_one_disc_has_the_second_order_rates_of_the_other_program():
    t = disc()
    second = rate_matrices(t, (0, 1))[2]
    # The matrix goes with s^2 sigma = -g^2 sigma.
    exchange = -second[2, 0, 1]
    assert exchange[0, 0] == pytest.approx(-9.9893e-3, abs=3e-7)
    assert exchange[0, 1] == pytest.approx(0.310031, abs=1e-6)
    assert exchange[1, 0] == pytest.approx(5.61857e-2, abs=1e-7)
    assert exchange[1, 1] == pytest.approx(0, abs=1e-7)
    eta = t.eta[:, 0]
    assert eta == pytest.approx(
        [2 * math.pi * RADIUS / (1 - math.pi * RADIUS**2), 2 / RADIUS], rel=1e-6
    )
    resistance = t.psi_jump[0, 0] * eta
    expected = np.array([[resistance[0], -resistance[1]], [-resistance[0], resistance[1]]])
    assert second[0, 0, 2] == pytest.approx(expected, rel=1e-12)


def test_the_disc_resists_inside_as_the_exact_solution_says():
    # psi_c = (|y|^2 - R^2/2) / (2 R D_c): its mean on the membrane is R / (4 D_c). Outside the
    # logarithm of a source dominates, so that <[psi]> = <psi_e> - R / (4 D_c), of the two signs.
    t = disc()
    outside = t.psi_jump[0, 0] + RADIUS / (4 * D_C)
    assert outside < 0
    # The same cell with another water inside: only that part changes, as 1/D_c.
    other = levels(Discs((Disc((0.5, 0.5), RADIUS),)), (D_E, 0.8), 0.2, 1)[-1]
    assert other.psi_jump[0, 0] == pytest.approx(outside - RADIUS / (4 * 0.8), rel=1e-5)


@pytest.mark.parametrize(("fraction", "published"), [(0.5, 3.080), (0.6, 4.342), (0.7, 7.433)])
def test_square_array_of_discs_by_duality(fraction, published):
    conducting = [1 / (D * (1 - fraction)) for D in obstacle(fraction, 0.1, 2)]
    assert round(conducting[-1], 3) == published
    # The mesh changes nothing that is printed.
    assert conducting[-1] == pytest.approx(conducting[-2], abs=2e-4)


def insulating_discs(f: float) -> float:
    """Conductivity of the square array at small area fractions f: Perrins et al. (1979)."""
    return 1 - 2 * f / (1 + f - 0.305827 * f**4 / (1 - 1.402958 * f**8) - 0.013362 * f**8)


def test_diffusivity_around_a_disc_converges_with_order_four():
    fraction = math.pi * RADIUS**2
    exact = insulating_discs(fraction) / (1 - fraction)
    errors = np.array(obstacle(fraction, 0.2, 3)) - exact
    order = -np.polyfit(np.arange(len(errors)), np.log2(np.abs(errors)), 1)[0]
    print(f"errors {errors}, order {order:.2f}")
    assert errors[-1] < 1e-7
    assert order > 3.5


@pytest.mark.parametrize("interior", ["water", "obstacle"])
def test_water_inside_changes_nothing_outside(interior):
    shape = Discs((Disc((0.5, 0.5), RADIUS),), interior)
    diffusivity = (D_E, D_C) if interior == "water" else (D_E,)
    t = levels(shape, diffusivity, 0.2, 2)[-1]
    fraction = math.pi * RADIUS**2
    expected = D_E * insulating_discs(fraction) / (1 - fraction)
    assert t.D[0] == pytest.approx(expected * np.eye(2), rel=1e-6, abs=1e-6)


THICKNESS, WATER = np.array([0.3, 0.5, 0.2]), np.array([2.0, 1.0, 0.5])


@pytest.mark.parametrize("dimension", [1, 2])
def test_impermeable_layers_stop_water_across_and_leave_it_free_along(dimension):
    t = levels(Layers(tuple(THICKNESS), dimension), tuple(WATER), 0.2, 0)[0]
    expected = np.zeros((3, dimension, dimension))
    if dimension == 2:
        expected[:, 1, 1] = WATER
    np.testing.assert_allclose(t.D, expected, atol=1e-12)
    expected = np.zeros_like(expected)
    expected[:, 0, 0] = -(THICKNESS**2) / 12  # omega = -(x - middle)
    np.testing.assert_allclose(t.S, expected, atol=1e-13)
    assert np.abs(t.B[:, 0, 0, 0, 0]).max() < 1e-12


@pytest.mark.parametrize("dimension", [1, 2])
def test_layers_resist_with_a_third_of_their_own_resistance_on_each_side(dimension):
    # psi is a parabola: -h/(3 D) at the membrane on the side outside, +h/(3 D) on the side inside,
    # and half of that, with the other sign, at the far end of the layer.
    t = levels(Layers(tuple(THICKNESS), dimension), tuple(WATER), 0.2, 0)[0]
    h = THICKNESS / WATER
    ahead = np.roll(h, -1)  # the layer inside membrane m
    expected = -np.diag((h + ahead) / 3)
    for m in range(3):
        expected[m, (m + 1) % 3] -= ahead[m] / 6
        expected[(m + 1) % 3, m] -= ahead[m] / 6
    assert t.psi_jump == pytest.approx(expected, rel=1e-12)
    # Together they are the laminate: a steady flow meets each layer's whole resistance.
    assert -t.psi_jump.sum() == pytest.approx(h.sum(), rel=1e-12)
