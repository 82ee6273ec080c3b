"""Cumulants of series in closed form, and series of all models against their signals."""

from __future__ import annotations

import numpy as np
import pytest
from support.cells import ASYMMETRIC, LARGE_DISC
from support.waveform_cases import LINE_Q

from torrey.gradients.protocol import Measurement
from torrey.gradients.sweep import Acquisition, Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import CosineOgse, Pgse
from torrey.models.cumulants import cumulants_of
from torrey.models.evaluation import build_models
from torrey.models.taylor import divide_series


def test_a_gaussian_has_no_kurtosis():
    beta, D = 20.0, 1.3
    series = np.array([0.8, 0.0, -0.8 * beta * D, 0.0, 0.4 * (beta * D) ** 2])
    found = cumulants_of(series, beta)
    assert found.s0 == pytest.approx(0.8)
    assert found.adc == pytest.approx(D, rel=1e-13)
    assert abs(found.kurtosis) < 1e-12


def test_a_phase_changes_neither():
    """exp(i(x q + y q^3)) times a series: log |S| stays."""
    beta, x, y = 10.0, 0.7, -0.3
    even = np.array([1.0, 0.0, -5.0, 0.0, 15.0], dtype=complex)
    phase = np.array([1.0, 1j * x, -(x**2) / 2, 1j * y - 1j * x**3 / 6, x**4 / 24 - x * y])
    product = np.array([sum(even[k] * phase[n - k] for k in range(n + 1)) for n in range(5)])
    plain, turned = cumulants_of(even, beta), cumulants_of(product, beta)
    assert turned.adc == pytest.approx(plain.adc, rel=1e-12)
    assert turned.kurtosis == pytest.approx(plain.kurtosis, rel=1e-12)


def test_what_does_not_diffuse_has_no_kurtosis():
    found = cumulants_of(np.array([[1.0, 0, 0, 0, 0], [1.0, 0, -2.0, 0, 3.0]]), 2.0)
    assert found.adc[0] == 0.0
    assert np.isnan(found.kurtosis).tolist() == [True, False]


@pytest.mark.parametrize(
    "name", ["R0", "R2", "R4", pytest.param("P2", marks=pytest.mark.slow), "lumped-R2"]
)
@pytest.mark.parametrize(
    "waveform", [Pgse(3.0, 9.0), CosineOgse(8.0, 10.0, 1.0), LINE_Q], ids=lambda w: w.label
)
def test_series_are_those_of_signals(name, waveform):
    (model,) = build_models(ASYMMETRIC.operators(0), np.array([[0.6, 0.8]]), [name])
    L, sigma = 6.0, 0.01
    series = model.taylor(waveform, L, sigma)
    b = np.array([0.025, 0.05, 0.1, 0.2])
    q = np.array([waveform.q_of_b(x) for x in b])
    S = model.signal(waveform, q, L, sigma, 1e-11 if name.startswith("P") else 1e-12)
    beta = waveform.b_factor
    even = np.polynomial.polynomial.polyfit(b, (S.real - 1.0) / b, 3)
    assert series[0] == pytest.approx(1.0, abs=1e-12)
    assert (series[2] / beta).real == pytest.approx(even[0], rel=1e-4)
    assert (series[4] / beta**2).real == pytest.approx(even[1], rel=2e-2)
    odd = S.imag / q**3
    cubic = np.polynomial.polynomial.polyfit(b, odd, 2)[0]
    scale = abs(series[4]) * q[0]
    assert series[3].imag == pytest.approx(cubic, rel=1e-2, abs=1e-4 * scale)
    assert abs(series[1]) <= 1e-9 * np.sqrt(beta)


def test_points_broadcast():
    (model,) = build_models(LARGE_DISC.operators(0), np.array([[1.0, 0.0]]), ["R2"])
    w = Pgse(3.0, 9.0)
    table = model.taylor(w, np.array([[4.0], [8.0]]), np.array([0.0, 0.01, 0.02]))
    assert table.shape == (2, 3, 5)
    np.testing.assert_allclose(table[1, 2], model.taylor(w, 8.0, 0.02), rtol=1e-9)


def test_series_of_matrices_divide():
    random = np.random.default_rng(3)
    left, right = random.normal(size=(2, 4, 3, 3)) + 3.0 * np.eye(3)
    found = divide_series(left.astype(complex), right.astype(complex))
    back = [sum(left[k] @ found[n - k] for k in range(n + 1)) for n in range(4)]
    np.testing.assert_allclose(back, right, atol=1e-12)


def test_a_sweep_without_strengths_has_all_else():
    grid = WaveformGrid("pgse", (("delta", (2.0,)), ("Delta", (8.0, 9.0))))
    one = Sweep((3.0,), "permeability", (0.1,), Product(grid, "b", (0.1, 2.0), ((1.0, 0.0),)))
    other = Sweep((3.0,), "permeability", (0.1,), Product(grid, "gradient", (3.0,), ((1.0, 0.0),)))
    assert one.without_strengths() == other.without_strengths()
    assert one.without_strengths().axes()["q"] == (1.0,)
    rows = tuple(Measurement(Pgse(2.0, 8.0), q, (1.0, 0.0)) for q in (0.0, 0.3))
    scan = Sweep((3.0,), "permeability", (0.1,), Acquisition("b", rows)).without_strengths()
    assert [m.q for m in scan.protocol.measurements] == [1.0, 1.0]
