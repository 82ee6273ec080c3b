"""Layers around discs: one continuous field, a diffusivity that jumps between regions.

- Where disc and layer have one diffusivity they are a disc of the outer radius in perfect contact.
  The conductivity of the square array of such discs is a series in the area fraction f (Perrins,
  McKenzie and McPhedran, Proc. R. Soc. A 369, 207, 1979): with T = (1 + s)/(1 - s) for discs of the
  conductivity s times that around them,
  1 - 2f / (T + f - 0.305827 f^4 T/(T^2 - 1.402958 f^8) - 0.013362 f^8/T).
- Where all regions have one diffusivity there is nothing to see: diffusion is free.
- The papers' tensors and the recursion for H_n, G_n are independent ways to the same G_2.
- A layer that thins, with D_layer = kappa L x thickness, becomes a membrane of permeability kappa.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.models.expansion import expand
from torrey.models.tensors import papers_tensors, rate_matrices
from torrey.reference.full import mesh_signal, reference_signal

RADIUS, LAYER = 0.3, 0.05
COATED = Discs((Disc((0.5, 0.5), RADIUS),), layer=LAYER)
#: Around the corner of the cell, so that faces cut the layer.
CUT = Discs((Disc((0.1, 0.2), RADIUS), Disc((0.6, 0.7), 0.2)), layer=0.04)
WAVEFORM = Pgse(2.0, 6.0)


def coated(
    shape: Discs, material: Material, size: float = 0.1, count: int = 1
) -> list[BlochTorrey]:
    return list(levels(shape, MeshOptions(size, count - 1), material))


def test_regions_have_their_areas():
    (operators,) = coated(CUT, Material((3.0, 1.7, 1.2, 0.1, 0.2)))
    cell = operators.cell
    assert cell.n_compartments == 1
    assert cell.n_regions == 5
    ones = np.ones(cell.n_dofs)
    for i, exact in enumerate(CUT.region_measures()):
        found = ones @ (cell.matrix(cell.weigh("mass", np.eye(5)[i])) @ ones)
        assert found == pytest.approx(exact, rel=2e-5)
    assert cell.measures() == pytest.approx([1.0], rel=1e-12)


@pytest.mark.parametrize("inside", [0.3, 1.5, 12.0])
def test_disc_and_layer_of_one_diffusivity_conduct_like_a_disc(inside):
    D = 3.0
    errors = []
    f = math.pi * (RADIUS + LAYER) ** 2
    s = inside / D
    T = (1 + s) / (1 - s)
    series = T + f - 0.305827 * f**4 * T / (T**2 - 1.402958 * f**8) - 0.013362 * f**8 / T
    exact = D * (1 - 2 * f / series)
    for operators in coated(COATED, Material((D, inside, inside)), 0.15, 3):
        tensors = papers_tensors(operators)
        np.testing.assert_allclose(tensors.D[0], tensors.D[0, 0, 0] * np.eye(2), atol=1e-4)
        errors.append(abs(tensors.D[0, 0, 0] / exact - 1))
    assert errors[2] < 2e-6
    assert errors[0] > 8 * errors[1] > 0 or errors[1] < 2e-6


@pytest.mark.parametrize("shape", [COATED, CUT], ids=["whole", "cut"])
def test_regions_of_one_diffusivity_are_free_water(shape):
    (operators,) = coated(shape, Material((2.0,) * len(shape.region_names)))
    system = AffineSystem.at(operators, 5.0, 0.0, (0.6, 0.8))
    q = WAVEFORM.q_of_b(0.8)
    assert mesh_signal(system, WAVEFORM, q, 48) == pytest.approx(math.exp(-2.0 * 0.8), rel=1e-7)


@pytest.mark.parametrize(
    ("shape", "direction"), [(COATED, (0.0, 1.0)), (CUT, (0.6, 0.8)), (CUT, (1.0, 0.0))]
)
def test_tensors_of_regions_agree_with_the_recursion(shape, direction):
    D = (3.0, 1.7, 0.05) if shape is COATED else (3.0, 1.7, 1.2, 0.1, 0.2)
    (operators,) = coated(shape, Material(D))
    recursion = expand(operators, direction, 2).rates
    papers = rate_matrices(papers_tensors(operators), direction)
    for G, H in zip(papers, recursion, strict=True):
        for power in set(G) | set(H):
            np.testing.assert_allclose(G.get(power, 0.0), H.get(power, 0.0), rtol=1e-10, atol=1e-12)


def test_relaxation_of_each_region_counts_by_its_area():
    """Fast diffusion mixes the regions: the rate is the mean of 1/T2 up to (L^2/D)(1/T2)^2."""
    material = Material((3.0, 1.7, 1.0), T2=(80.0, 40.0, 20.0))
    (operators,) = coated(COATED, material)
    system = AffineSystem.at(operators, 0.05, 0.0, (1.0, 0.0))
    mean = sum(a / t for a, t in zip(COATED.region_measures(), material.T2, strict=True))
    found = mesh_signal(system, Pgse(5.0, 15.0), 0.0, 12).real
    assert found == pytest.approx(math.exp(-20.0 * mean), rel=1e-6)


def test_densities_differ_between_compartments_only():
    with pytest.raises(ValueError, match="regions of one compartment"):
        coated(COATED, Material((3.0, 1.7, 1.0), density=(1.0, 0.5, 0.5)))


@pytest.mark.slow
def test_a_thinning_layer_becomes_a_membrane():
    """The difference falls with the thickness, at first order: the layer also takes room."""
    period, kappa = 6.0, 0.05
    point = Point(period, kappa, WAVEFORM, WAVEFORM.q_of_b(1.0), (0.0, 1.0))
    differences = []
    membrane = Discs((Disc((0.5, 0.5), 0.3),))
    sharp = reference_signal(
        levels(membrane, MeshOptions(0.1, 2), Material((3.0, 1.7))), point, 1e-5
    )
    for thickness in (0.04, 0.02, 0.01):
        # The layer lies on both sides of the membrane.
        layered = Discs((Disc((0.5, 0.5), 0.3 - thickness / 2),), layer=thickness)
        D_layer = kappa * period * thickness
        smooth = reference_signal(
            levels(layered, MeshOptions(0.1, 2), Material((3.0, 1.7, D_layer))),
            Point(period, 0.0, WAVEFORM, point.q, (0.0, 1.0)),
            1e-5,
        )
        differences.append(abs(smooth.signal - sharp.signal))
    rates = np.log2(np.array(differences[:-1]) / differences[1:])
    assert np.all((rates > 0.8) & (rates < 1.2))
