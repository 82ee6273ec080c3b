"""Apparent exchange rates from ADC' after a filter."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.models.axr import ApparentExchange, apparent_diffusivity, fit_axr

TIMES = np.array([5.0, 30.0, 90.0, 250.0])


@pytest.mark.parametrize("rate", [1e-4, 2e-3, 0.03, 0.2])
@pytest.mark.parametrize("sigma", [0.02, 0.4, -0.1])
def test_exact_values_give_their_parameters(rate, sigma):
    truth = ApparentExchange(1.3, sigma, rate)
    values = 1.3 * (1 - sigma * np.exp(-rate * TIMES))
    np.testing.assert_allclose(truth.at(TIMES), values, rtol=1e-14)
    found = fit_axr(TIMES, values, 1.3)
    assert found.rate == pytest.approx(rate, rel=1e-6)
    assert found.sigma == pytest.approx(sigma, rel=1e-6)


def test_no_rate_shows_where_nothing_changes():
    flat = fit_axr(TIMES, np.full(4, 0.9), 1.2)
    assert np.isnan(flat.rate)
    assert flat.sigma == pytest.approx(0.25)
    np.testing.assert_allclose(flat.at(TIMES), 0.9)


def test_the_apparent_diffusivity_is_the_slope_of_the_logarithm():
    b = np.array([0.0, 0.4, 1.0])
    signal = np.array([0.7, 0.2])[:, None] * np.exp(-np.array([0.8, 1.9])[:, None] * b)
    np.testing.assert_allclose(apparent_diffusivity(signal, b), [0.8, 1.9], rtol=1e-13)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: apparent_diffusivity([1.0, 0.5], [1.0, 1.0]), "two different ones"),
        (lambda: apparent_diffusivity([1.0, 0.5], [0.0, 1.0, 2.0]), "one per signal"),
        (lambda: apparent_diffusivity([1.0, 0.0], [0.0, 1.0]), "signals above zero"),
        (lambda: fit_axr([1.0], [0.5], 1.0), "two different ones"),
        (lambda: fit_axr([1.0, 2.0], [0.5, np.nan], 1.0), "finite"),
        (lambda: fit_axr([1.0, 2.0], [0.5, 0.6], 0.0), "above zero"),
    ],
)
def test_what_cannot_be_fitted_is_refused(call, what):
    with pytest.raises(InputError, match=what):
        call()
