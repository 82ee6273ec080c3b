"""Membranes and walls that relax magnetisation: exact decays, and models against the reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm
from support.brownstein_tarr import pore_decay

import torrey as tr

PULSES = tr.Pgse("10 ms", "30 ms")
TIME = 40.0
MESH = tr.MeshOptions(0.15, 2)
DISC = tr.Disc((0.5, 0.5), 0.35)


@pytest.mark.parametrize("relaxivity", [1e-3, 2e-2, 1.0])
def test_layers_decay_as_pores(relaxivity):
    # From fast diffusion, where only rho S/V counts, to slow diffusion.
    cell = tr.Cell(tr.Layers((0.6, 0.4)), [2.0, 1.0], 20.0, surface_relaxivity=relaxivity)
    found = cell.signal(PULSES, b=0.0)
    decays = pore_decay(1, 2.0, 6.0, relaxivity, TIME), pore_decay(1, 1.0, 4.0, relaxivity, TIME)
    assert float(found) == pytest.approx(0.6 * decays[0] + 0.4 * decays[1], rel=1e-4)


def test_one_layer_relaxes_on_both_sides_of_its_membrane_in_the_plane_too():
    cell = tr.Cell(tr.Layers((1.0,), 2), 2.0, 20.0, surface_relaxivity=0.02, mesh=MESH)
    found = cell.signal(PULSES, b=0.0, direction=(1, 0))
    assert float(found) == pytest.approx(pore_decay(1, 2.0, 10.0, 0.02, TIME), rel=1e-5)


@pytest.mark.parametrize("relaxivity", [1e-3, 2e-2, 0.5])
def test_discs_within_walls_decay_as_pores(relaxivity):
    shape = tr.Discs([tr.Disc((0.1, 0.5), 0.35), tr.Disc((0.7, 0.0), 0.15)], exterior="wall")
    cell = tr.Cell(shape, {"inside": 1.2}, 8.0, surface_relaxivity=relaxivity, mesh=MESH)
    assert cell.shape.compartment_names == ("cell_1", "cell_2")
    found = cell.signal(PULSES, b=0.0, direction=(1, 0))
    weight = np.array([0.35, 0.15]) ** 2
    decays = [pore_decay(2, 1.2, 8.0 * r, relaxivity, TIME) for r in (0.35, 0.15)]
    assert float(found) == pytest.approx(weight @ decays / weight.sum(), rel=1e-4)


def test_water_on_both_sides_of_a_relaxing_membrane():
    inside = {"outside": 0, "inside": 1}
    cell = tr.Cell(tr.Discs([DISC]), 1.2, 8.0, surface_relaxivity=0.02, density=inside, mesh=MESH)
    found = cell.signal(PULSES, b=0.0, direction=(1, 0), model=["reference", "R0", "R2", "P3"])
    exact = pore_decay(2, 1.2, 2.8, 0.02, TIME)
    assert float(found[0]) == pytest.approx(exact, rel=1e-5)
    assert float(found[2]) == pytest.approx(exact, rel=3e-4)
    assert float(found[3]) == pytest.approx(exact, rel=1e-5)
    # Fast diffusion: every visit at the wall costs, S/V = 2/R.
    assert float(found[1]) == pytest.approx(math.exp(-0.02 * 2 / 2.8 * TIME), rel=1e-5)
    # Outside it is what it was around an obstacle.
    outer = cell.with_(density={"outside": 1, "inside": 0})
    stone = tr.Cell(tr.Discs([DISC], "obstacle"), 1.2, 8.0, surface_relaxivity=0.02, mesh=MESH)
    pair = [x.signal(PULSES, b=0.5, direction=(1, 0)).item() for x in (outer, stone)]
    assert pair[0] == pytest.approx(pair[1], rel=2e-4)


@pytest.mark.slow
def test_spheres_within_walls_decay_as_pores():
    shape = tr.Spheres([tr.Sphere((0.5, 0.5, 0.5), 0.35)], exterior="wall")
    cell = tr.Cell(shape, 1.2, 8.0, surface_relaxivity=0.02)
    found = cell.signal(PULSES, b=0.0, direction=(1, 0, 0), tolerance=1e-3)
    assert float(found) == pytest.approx(pore_decay(3, 1.2, 2.8, 0.02, TIME), rel=5e-5)


def volumes_decay(thicknesses, diffusivities, kappa, rho, period, time, count):
    """Finite volumes in layers: share of the magnetisation that is left; second order."""
    widths = [np.full(count, x * period / count) for x in thicknesses]
    h = np.concatenate(widths)
    D = np.repeat(diffusivities, count)
    n = len(h)
    rates = np.zeros((n, n))
    for i in range(n):
        j = (i + 1) % n
        half = h[i] / (2 * D[i]), h[j] / (2 * D[j])
        if i % count != count - 1:
            matrix = np.array([[1, -1], [-1, 1]]) / (half[0] + half[1])
        else:
            # u_i and u_j at the membrane: fluxes (u_i - a)/half = rho a + kappa (a - b), and so on.
            g = np.diag([1 / half[0], 1 / half[1]])
            exchange = np.array([[rho + kappa, -kappa], [-kappa, rho + kappa]])
            matrix = g - g @ np.linalg.solve(g + exchange, g)
        rates[np.ix_([i, j], [i, j])] -= matrix
    left = expm(time * rates / h[:, None]) @ np.ones(n)
    return float(h @ left / h.sum())


def test_membranes_let_water_through_and_relax_it():
    cell = tr.Cell(tr.Layers((0.7, 0.3)), [2.0, 0.7], 12.0, 0.03, surface_relaxivity=0.04)
    found = cell.signal(PULSES, b=0.0, model=["reference", "P2", "P4"])
    coarse, fine = (
        volumes_decay((0.7, 0.3), (2.0, 0.7), 0.03, 0.04, 12.0, TIME, n) for n in (60, 120)
    )
    exact = fine + (fine - coarse) / 3
    assert found.values == pytest.approx(exact, rel=1e-5)
    closed = cell.with_(permeability=0.0).signal(PULSES, b=0.0)
    expected = volumes_decay((0.7, 0.3), (2.0, 0.7), 0.0, 0.04, 12.0, TIME, 120)
    assert float(closed) == pytest.approx(expected, rel=1e-4)
    assert abs(float(closed) / exact - 1) > 1e-3


def test_projected_models_of_relaxing_membranes_agree_with_the_full_system():
    D, strengths = {"outside": 2.5, "inside": 1.2}, [0.0, 0.3, 0.6, 0.9, 1.2]
    cell = tr.Cell(tr.Discs([DISC]), D, 8.0, 0.03, surface_relaxivity=0.02, mesh=MESH)
    ladder = cell.signal(PULSES, b=strengths, direction=(1, 0), method="projected")
    full = cell.signal(PULSES, b=strengths, direction=(1, 0), method="full")
    assert np.all(np.abs(ladder - full) < 1e-4 * full)
    assert np.all(np.diff(full) < 0.0)
    orders = ["P1", "P2", "P3"]
    models = cell.signal(PULSES, b=0.6, direction=(1, 0), model=orders).values
    gaps = np.abs(models - float(full[2]))
    assert gaps[0] > 10 * gaps[1]
    assert gaps[2] < 1e-4


@pytest.mark.slow
def test_relaxation_never_adds_signal():
    shape, D = tr.Discs([DISC]), {"outside": 2.5, "inside": 1.2}
    signals = [
        float(
            tr.Cell(shape, D, 8.0, 0.03, surface_relaxivity=rho, mesh=MESH)
            .signal(PULSES, b=0.5, direction=(1, 0), model="P3")
            .item()
        )
        for rho in (0.0, 1e-3, 1e-2, 1e-1)
    ]
    assert all(a > b > 0 for a, b in zip(signals, signals[1:], strict=False))


@pytest.mark.parametrize("model", ["R0", "R2", "Pade", "lumped-R0"])
def test_homogenised_models_know_one_of_both(model):
    cell = tr.Cell(tr.Discs([DISC]), 1.2, 8.0, 0.03, surface_relaxivity=0.02, mesh=MESH)
    with pytest.raises(ValueError, match="one of permeability and surface_relaxivity"):
        cell.signal(PULSES, b=0.5, direction=(1, 0), model=model)


def test_membranes_may_relax_differently():
    two = tr.Discs([tr.Disc((0.25, 0.5), 0.2), tr.Disc((0.75, 0.5), 0.2)])
    inside = {"outside": 0, "inside": 1}
    cell = tr.Cell(two, 1.2, 8.0, surface_relaxivity=[0.02, 0.0], density=inside, mesh=MESH)
    found = cell.signal(PULSES, b=0.0, direction=(1, 0))
    assert float(found) == pytest.approx((pore_decay(2, 1.2, 1.6, 0.02, TIME) + 1) / 2, rel=1e-5)
