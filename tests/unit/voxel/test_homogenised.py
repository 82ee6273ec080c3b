"""Homogenised numbers of packings, and R0 made of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.voxels import small_medium, small_meshes

from torrey.base.stored import stacked
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import CosineOgse, DoublePgse, Pgse
from torrey.models.karger import Exchange, FinitePulseKarger
from torrey.voxel.assembly import Properties
from torrey.voxel.exchange import cell_signal, class_signal, lumped_signal
from torrey.voxel.homogenised import homogenise
from torrey.voxel.medium import DiscMedium
from torrey.voxel.triangulation import triangulate

PULSES = Pgse(80.0, 80.0)
KAPPA = 0.01


@pytest.fixture(scope="module")
def lattice():
    """A square lattice of equal discs."""
    n, period, radius = 4, 10.0, 4.0
    places = period * (0.37 + np.stack(np.meshgrid(*[np.arange(n)] * 2), -1).reshape(-1, 2))
    medium = DiscMedium(n * period, places, np.full(n * n, radius), period - 2 * radius)
    return homogenise(triangulate(medium, 12), medium, Properties(3.0, 1.0, KAPPA, (0.6, 0.8)))


def test_a_lattice_is_its_own_caricature(lattice):
    assert lattice.cell_period == pytest.approx(10.0)
    assert lattice.cell_radius == pytest.approx(4.0)
    assert lattice.cell_D == pytest.approx(lattice.D, abs=2 * lattice.D_error)
    assert lattice.D_error < 2e-3


def test_insulating_discs_of_half_the_area_by_duality(lattice):
    # Perrins, McKenzie and McPhedran (1979): 3.080 for perfect conductors of this fraction.
    assert lattice.fraction == pytest.approx(0.16 * np.pi)
    assert abs(lattice.D * 3.080 * (1 - 0.5) / 3.0 - 1.0) < 0.02


@pytest.mark.parametrize("b", [0.3, 2.0])
def test_r0_is_the_finite_pulse_karger_model(lattice, b):
    q = PULSES.q_of_b(b)
    exchange = Exchange(lattice.eta_e, lattice.eta_c, lattice.fraction, lattice.D)
    model = FinitePulseKarger((Measurement(PULSES, q, (1.0, 0.0)),))
    (expected,) = model.signal(exchange)
    assert lumped_signal(lattice, PULSES, q) == pytest.approx(expected, abs=1e-8)
    # Equal discs: classes change nothing.
    assert class_signal(lattice, KAPPA, PULSES, q) == pytest.approx(expected, abs=1e-8)
    same = replace(lattice, cell_D=lattice.D)
    assert cell_signal(same, PULSES, q) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    "waveform",
    [CosineOgse(20.0, 25.0, 2), DoublePgse(5.0, 15.0, 10.0, 180.0)],
    ids=["ogse", "double"],
)
def test_r0_of_closed_discs_is_free_diffusion_and_what_stands_still(lattice, waveform):
    b = np.array([[0.0], [0.4], [1.5]])
    q = np.array([[waveform.q_of_b(value)] for value in b[:, 0]])
    theta = lattice.fraction
    expected = theta + (1 - theta) * np.exp(-b * lattice.D)
    assert class_signal(lattice, 0.0, waveform, q) == pytest.approx(expected, abs=1e-8)


def test_a_square_of_few_discs_goes_with_a_box_of_many(lattice):
    water = Properties(3.0, 1.0, KAPPA, (0.6, 0.8))
    few = homogenise(small_meshes(0)[0], small_medium(), water)
    assert len(small_medium().radii) == 12
    assert stacked([lattice, few], "domain")["class_fraction"].values.shape == (2, 16)
    assert few.class_fraction.sum() == pytest.approx(few.fraction)
    # A class for each disc: those that are empty change nothing.
    radii = np.sort(small_medium().radii)
    assert few.class_fraction[:12] == pytest.approx(np.pi * radii**2 / small_medium().side ** 2)
    assert few.class_surface[:12] == pytest.approx(2.0 / radii)
    kept = replace(
        few, class_fraction=few.class_fraction[:12], class_surface=few.class_surface[:12]
    )
    q = PULSES.q_of_b(1.0)
    expected = class_signal(kept, KAPPA, PULSES, q)
    assert class_signal(few, KAPPA, PULSES, q) == pytest.approx(expected, abs=1e-8)
