"""Apparent diffusion coefficient and kurtosis."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.study.fits import fit_kurtosis, fit_lines

B = np.linspace(0.0, 1.0, 6)


def signal(adc: float, kurtosis: float, s0: float = 1.0) -> np.ndarray:
    return s0 * np.exp(-adc * B + kurtosis * (adc * B) ** 2 / 6)


@pytest.mark.parametrize(("adc", "kurtosis", "s0"), [(1.2, 0.8, 1.0), (0.4, -0.3, 0.9)])
def test_the_parameters_of_the_formula_come_back(adc: float, kurtosis: float, s0: float) -> None:
    fit = fit_kurtosis(B, signal(adc, kurtosis, s0))
    assert (fit.adc, fit.kurtosis, fit.s0) == pytest.approx((adc, kurtosis, s0), rel=1e-9)
    assert fit.residual < 1e-12
    assert fit.adc_error == fit.kurtosis_error == 0.0


def test_two_kinds_of_water_have_the_kurtosis_of_their_variance() -> None:
    # S = sum f_i exp(-b D_i): ADC = <D>, AK = 3 Var(D) / <D>^2 as b -> 0.
    f, D, b = np.array([0.6, 0.4]), np.array([2.0, 0.5]), np.linspace(0.0, 0.02, 9)
    mean = f @ D
    fit = fit_kurtosis(b, np.exp(-np.outer(b, D)) @ f)
    assert fit.adc == pytest.approx(mean, rel=1e-4)
    assert fit.kurtosis == pytest.approx(3 * (f @ (D - mean) ** 2) / mean**2, rel=0.02)


def test_the_errors_cover_what_errors_of_the_signals_do() -> None:
    generator = np.random.default_rng(2)
    exact, error = signal(1.1, 0.9), 1e-4
    fit = fit_kurtosis(B, exact, error)
    for _ in range(50):
        other = fit_kurtosis(B, exact + error * generator.uniform(-1, 1, len(B)))
        assert abs(other.adc - 1.1) <= fit.adc_error * 1.01
        assert abs(other.kurtosis - 0.9) <= fit.kurtosis_error * 1.02


def test_too_few_b_values_and_signals_without_a_logarithm_are_refused() -> None:
    with pytest.raises(ValueError, match="2 different b-values"):
        fit_kurtosis([0.0, 1.0, 1.0], [1.0, 0.5, 0.5])
    with pytest.raises(ValueError, match="needs positive"):
        fit_kurtosis(B, signal(1.0, 0.5) - 0.9)


def test_a_line_with_a_signal_that_means_nothing_has_no_fit() -> None:
    lines = np.stack([signal(1.2, 0.8), signal(1.1, 0.9)])
    sound = np.ones(lines.shape, dtype=bool)
    sound[1, -1] = False
    found = fit_lines(np.broadcast_to(B, lines.shape), lines, np.zeros(lines.shape), sound)
    assert found.adc[0] == pytest.approx(1.2, rel=1e-9)
    assert np.isnan([found.adc[1], found.kurtosis[1], found.residual[1]]).all()
