"""Fitted orders: known slopes, and the standard error of another implementation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress

from torrey.study.orders import fit_order, local_orders, orders_of


@pytest.mark.parametrize("order", [1.8, 2.0, 4.0])
def test_an_exact_power_has_its_order_and_no_scatter(order: float) -> None:
    size = np.geomspace(1.0, 10.0, 6)
    fit = fit_order(size, 3e-4 * size**order)
    assert fit.order == pytest.approx(order, abs=1e-12)
    assert fit.standard_error == pytest.approx(0.0, abs=1e-10)
    assert fit.constant == pytest.approx(3e-4)
    np.testing.assert_allclose(local_orders(size, 3e-4 * size**order), order)


def test_slope_and_standard_error_are_those_of_linear_regression() -> None:
    generator = np.random.default_rng(1)
    size = np.geomspace(0.5, 8.0, 9)
    error = size**3 * np.exp(0.2 * generator.normal(size=9))
    fit, expected = fit_order(size, error), linregress(np.log(size), np.log(error))
    assert fit.order == pytest.approx(expected.slope)
    assert fit.standard_error == pytest.approx(expected.stderr)


def test_points_near_the_numerical_error_are_left_out() -> None:
    size = np.array([1.0, 2.0, 4.0, 8.0])
    error = np.array([5e-9, 16.0, 256.0, 4096.0])
    fit = fit_order(size, error, floor=1e-9)
    assert fit.used == (1, 2, 3)
    assert fit.order == pytest.approx(4.0)


def test_signs_do_not_matter_and_missing_points_are_left_out() -> None:
    fit = fit_order([1.0, 2.0, 3.0, 4.0], [-1.0, 4.0, np.nan, -16.0])
    assert fit.used == (0, 1, 3)
    assert fit.order == pytest.approx(2.0)


def test_two_points_have_a_slope_and_no_standard_error() -> None:
    fit = fit_order([1.0, 2.0], [1.0, 8.0])
    assert fit.order == pytest.approx(3.0)
    assert np.isnan(fit.standard_error)


def test_one_point_is_refused() -> None:
    with pytest.raises(ValueError, match="1 points stand above"):
        fit_order([1.0, 2.0], [1.0, 0.0])


def test_rounding_has_no_order() -> None:
    with pytest.raises(ValueError, match="0 points stand above"):
        fit_order([5.0, 6.0], [1.7e-14, 1.2e-14])
    fit = fit_order([1.0, 2.0, 4.0], [1e-13, 16.0, 256.0])
    assert fit.used == (1, 2)


def test_signals_that_mean_nothing_have_no_order_but_keep_their_errors() -> None:
    size = np.array([1.0, 2.0, 4.0, 8.0])
    # The second model is unstable at the largest period.
    error = np.array([size**2, [1.0, 16.0, 256.0, 1e9]])
    sound = np.array([[True] * 4, [True, True, True, False]])
    found = orders_of(["R0", "R2"], size, error, np.zeros(4), sound)
    np.testing.assert_allclose(found.order, [2.0, 4.0])
    np.testing.assert_array_equal(found.used, sound)
    np.testing.assert_array_equal(found.error, error)
    assert orders_of(["R0", "R2"], size, error, np.zeros(4)).order[1] > 8.0
