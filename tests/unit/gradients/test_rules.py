"""Means over the sphere, their estimated errors, and spherical harmonics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import erf

from torrey.base.errors import InputError
from torrey.gradients.rules import (
    LEBEDEV_DEGREES,
    Rule,
    Sphere,
    count_harmonics,
    fit_harmonics,
    fitted_weights,
    harmonics,
)

AXES = np.array([[0.0, 0.0, 1.0], [0.6, 0.0, 0.8], [0.48, 0.6, 0.64], [-0.3, 0.9, 0.1**0.5]])


def stick_mean(attenuation: float) -> float:
    """Mean over the sphere of exp(-a cos^2)."""
    root = math.sqrt(attenuation)
    return math.sqrt(math.pi) / 2.0 * erf(root) / root


def stick_error(rule: Rule, attenuation: float, axis: np.ndarray) -> tuple[float, float]:
    mean, bound = rule.mean(np.exp(-attenuation * (rule.points @ axis) ** 2))
    return abs(mean - stick_mean(attenuation)), float(bound)


@pytest.mark.parametrize("degree", [9, 11, 19, 29, 35])
@pytest.mark.parametrize("attenuation", [1.0, 3.0, 10.0])
def test_a_rule_of_lebedev_errs_by_less_than_it_says(degree, attenuation):
    rule = Sphere("lebedev", degree).rule
    for axis in AXES:
        error, bound = stick_error(rule, attenuation, axis)
        assert error <= bound + 1e-15


@pytest.mark.parametrize("count", [10, 20, 60, 200])
@pytest.mark.parametrize("attenuation", [1.0, 3.0, 10.0])
def test_a_spiral_errs_by_less_than_it_says(count, attenuation):
    rule = Sphere("powder", count).rule
    assert len(rule.weights) == count
    assert np.all(rule.weights > 0.0)
    for axis in AXES:
        error, bound = stick_error(rule, attenuation, axis)
        assert error <= bound + 1e-15


def test_estimates_are_of_use():
    bounds = {n: stick_error(Sphere("lebedev", n).rule, 3.0, AXES[2])[1] for n in (19, 29, 35)}
    assert bounds[19] < 1e-4
    assert bounds[29] < 1e-8
    assert bounds[35] < 1e-11
    assert stick_error(Sphere("powder", 200).rule, 3.0, AXES[2])[1] < 1e-6


@pytest.mark.parametrize("degree", LEBEDEV_DEGREES[:12])
def test_half_of_the_points_of_lebedev_stand_for_all(degree):
    half, whole = Sphere("lebedev", degree).rule, Sphere("lebedev", degree, True).rule
    assert 2 * len(half.weights) == len(whole.weights)
    assert half.weights.sum() == pytest.approx(1.0, abs=1e-14)
    even = [np.cosh(rule.points @ AXES[3]) for rule in (half, whole)]
    assert half.weights @ even[0] == pytest.approx(whole.weights @ even[1], abs=1e-13)


def test_rules_of_lebedev_agree_with_products_of_two_rules():
    matrix = np.array([[1.0, 0.3, -0.2], [0.3, 2.0, 0.4], [-0.2, 0.4, 0.5]])

    def values(points: np.ndarray) -> np.ndarray:
        quadratic = np.einsum("...i,ij,...j", points, matrix, points)
        return np.exp(-quadratic + 0.5 * points[..., 0])

    z, w = np.polynomial.legendre.leggauss(30)
    phi = 2.0 * np.pi * np.arange(60) / 60
    r = np.sqrt(1.0 - z**2)[:, None]
    grid = [r * np.cos(phi), r * np.sin(phi), np.broadcast_to(z[:, None], (30, 60))]
    expected = w @ values(np.stack(grid, axis=-1)).mean(axis=1) / 2.0
    mean, bound = Sphere("lebedev", 35, whole=True).rule.mean(
        values(Sphere("lebedev", 35, True).rule.points)
    )
    assert mean == pytest.approx(expected, abs=1e-13)
    assert bound < 1e-8


def test_a_spiral_over_all_of_the_sphere_knows_odd_functions():
    rule = Sphere("powder", 120, whole=True).rule
    x = rule.points @ AXES[2]
    mean, bound = rule.mean(x**3 + x**2)
    assert mean == pytest.approx(1.0 / 3.0, abs=1e-13)
    assert abs(rule.mean(np.exp(2.0 * x))[0] - math.sinh(2.0) / 2.0) < 1e-3


def test_means_of_constants_have_no_error_and_zero_is_no_trouble():
    for sphere in (Sphere("lebedev", 19), Sphere("powder", 30)):
        n = len(sphere.rule.weights)
        mean, bound = sphere.rule.mean(np.stack([np.ones(n), np.zeros(n)]))
        assert mean == pytest.approx([1.0, 0.0], abs=1e-13)
        assert np.all(bound < 1e-12)


def test_there_are_no_other_rules():
    with pytest.raises(InputError, match="at least 10"):
        _ = Sphere("powder", 9).rule
    with pytest.raises(InputError, match="31, 35, 41"):
        _ = Sphere("lebedev", 33).rule


def test_real_harmonics_are_orthonormal_and_the_ones_that_they_are_called():
    rule = Sphere("lebedev", 17, whole=True).rule
    basis, degrees = harmonics(rule.points, 8, odd=True)
    assert basis.shape[1] == count_harmonics(8, odd=True) == 81
    product = 4.0 * np.pi * basis.T @ (rule.weights[:, None] * basis)
    assert product == pytest.approx(np.eye(81), abs=1e-12)
    x, y, z = AXES.T
    named = dict(zip(map(tuple, degrees.tolist()), harmonics(AXES, 8, odd=True)[0].T, strict=True))
    third = math.sqrt(15.0 / (4.0 * np.pi))
    length = np.linalg.norm(AXES, axis=1)
    x, y, z = x / length, y / length, z / length
    # With the phase of Condon and Shortley: minus for odd m.
    assert named[2, -1] == pytest.approx(-third * x * z)
    assert named[2, 1] == pytest.approx(-third * y * z)
    assert named[2, 2] == pytest.approx(third * x * y)
    assert named[2, -2] == pytest.approx(third * (x**2 - y**2) / 2.0)


@pytest.mark.parametrize("sphere", [Sphere("lebedev", 15), Sphere("powder", 60)])
def test_coefficients_of_a_known_function_are_found(sphere):
    rule = sphere.rule
    basis, degrees = harmonics(rule.points, 6)
    wanted = np.random.default_rng(3).normal(size=basis.shape[1])
    rows, found = fit_harmonics(rule, 6)
    assert np.array_equal(found, degrees)
    assert rows @ (basis @ wanted) == pytest.approx(wanted, abs=1e-11)
    assert rows[0] @ np.ones(len(rule.weights)) == pytest.approx(math.sqrt(4.0 * np.pi))


def test_too_few_directions_or_such_in_a_plane_make_no_harmonics():
    with pytest.raises(InputError, match="at least 28"):
        fit_harmonics(Sphere("powder", 20).rule, 6)
    angle = np.arange(20) / 20 * np.pi
    flat = np.column_stack([np.cos(angle), np.sin(angle), 0.0 * angle])
    with pytest.raises(InputError, match="apart"):
        fit_harmonics(Rule(flat, np.full(20, 0.05), ()), 4)


def test_weights_that_are_fitted_are_exact_to_a_degree():
    points = np.random.default_rng(1).normal(size=(64, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    rule = fitted_weights(points)
    x = points @ AXES[1]
    for power in (2, 4, 6, 8):
        assert rule.weights @ x**power == pytest.approx(1.0 / (power + 1), abs=1e-11)
