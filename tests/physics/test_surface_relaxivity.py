"""Surfaces of obstacles that relax magnetisation: D dm/dn + relaxivity m = 0.

Without a gradient the signal of a small cell falls at the rate relaxivity |Gamma|/|Y| (the fast
diffusion limit of Brownstein and Tarr, Phys. Rev. A 19, 2446, 1979). The true rate is the smallest
eigenvalue of the operator; R2 gives it to fourth order in L at fixed relaxivity/L.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import eigh

from torrey.bloch.bands import band_basis, band_set
from torrey.bloch.laws import sampling_error
from torrey.bloch.narrow_pulses import pulsed_signal
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.models.expansion import expand
from torrey.models.projection import project
from torrey.reference.full import mesh_signal, reference_signal

SHAPE = Discs((Disc((0.5, 0.5), 0.4),), "obstacle")
GAMMA, AREA = 2 * math.pi * 0.4, 1 - math.pi * 0.4**2
D = 2.0
WAVEFORM = Pgse(3.0, 10.0)


@pytest.fixture(scope="module")
def operators():
    return levels(SHAPE, MeshOptions(0.15, 0), Material((D,)))[0]


def slowest_rate(operators, period: float, relaxivity: float) -> float:
    system = AffineSystem.at(operators, period, relaxivity, (1.0, 0.0))
    A = system.matrix(np.zeros(1)).toarray().real
    return float(eigh(A, operators.mass_matrix.toarray(), subset_by_index=[0, 0])[0][0])


def test_the_rate_of_a_small_cell_is_that_of_surface_over_area(operators):
    period, relaxivity = 0.1, 0.001
    rate = relaxivity / period * GAMMA / AREA
    assert slowest_rate(operators, period, relaxivity) == pytest.approx(rate, rel=1e-4)


def test_orders_of_the_rate_in_the_period(operators):
    """R0 is off by L^2, R2 by L^4, at fixed sigma = relaxivity/L."""
    sigma = 0.05
    model = expand(operators, (1.0, 0.0), 2).model
    errors = []
    periods = np.array([8.0, 4.0, 2.0])
    for period in periods:
        truth = slowest_rate(operators, period, sigma * period)
        rates = [
            model.truncate(n).matrix(np.zeros((2, 1)), period, sigma).real.item() for n in (0, 2)
        ]
        errors.append([abs(rate - truth) for rate in rates])
    orders = np.log2(np.array(errors)[:-1] / np.array(errors)[1:])
    np.testing.assert_allclose(orders[-1], [2.0, 4.0], atol=0.15)


def test_the_signal_without_gradient_falls_by_the_slowest_rate(operators):
    period, relaxivity = 2.0, 0.02
    system = AffineSystem.at(operators, period, relaxivity, (1.0, 0.0))
    found = mesh_signal(system, WAVEFORM, 0.0, 24).real
    rate = slowest_rate(operators, period, relaxivity)
    # The uniform start is the slowest mode up to (relaxivity L/D)^2.
    assert -math.log(found) / WAVEFORM.echo_time == pytest.approx(rate, rel=1e-3)
    assert found < 0.95


def test_projected_and_full_models_agree(operators):
    period, relaxivity = 4.0, 0.05
    point = Point(period, relaxivity, WAVEFORM, WAVEFORM.q_of_b(1.0), (1.0, 0.0))
    full = reference_signal(levels(SHAPE, MeshOptions(0.15, 2), Material((D,))), point, 1e-5)
    closed = reference_signal(
        levels(SHAPE, MeshOptions(0.15, 2), Material((D,))),
        Point(period, 0.0, WAVEFORM, point.q, (1.0, 0.0)),
        1e-5,
    )
    assert full.signal.real < 0.9 * closed.signal.real
    model = project(operators, (1.0, 0.0), 5)
    small = model.signal(WAVEFORM, [point.q], period, relaxivity / period)
    same_mesh = mesh_signal(
        AffineSystem.at(operators, period, relaxivity, (1.0, 0.0)), WAVEFORM, point.q, 96
    )
    assert small[0] == pytest.approx(same_mesh, rel=1e-6)


def test_narrow_pulses_see_relaxing_surfaces():
    """MMG20 (2) by its scheme (2.3), which is exact but for 1/P^2, against the full system."""
    period, relaxivity = 4.0, 0.2
    delta = 1.5
    waveform = Pgse(delta, delta)
    fine = levels(SHAPE, MeshOptions(0.1, 0), Material((D,)))[0]
    bands = [
        band_set(band_basis(fine, period, relaxivity, [(1.0, 0.0)], 0.1 * period), (1.0, 0.0), P)
        for P in (12, 24, 48)
    ]
    # The largest wave number is a multiple of all pulses.
    q = bands[0].line.width
    full = mesh_signal(AffineSystem.at(fine, period, relaxivity, (1.0, 0.0)), waveform, q, 96).real
    closed = mesh_signal(AffineSystem.at(fine, period, 0.0, (1.0, 0.0)), waveform, q, 96).real
    assert full < 0.8 * closed
    errors = np.array([pulsed_signal(one, waveform, q).signal.real / full - 1 for one in bands])
    orders = np.log2(errors[:-1] / errors[1:])
    np.testing.assert_allclose(orders, 2.0, atol=0.15)
    law = [sampling_error(P, D, 2 * delta, period) for P in (12, 24, 48)]
    assert np.all(-errors < law)
