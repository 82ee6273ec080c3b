"""Karger's model: against another integrator, its own derivatives, and its closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import DoublePgse, Pgse, SineOgse, TrapezoidalPgse
from torrey.models.karger import Exchange, FinitePulseKarger, narrow_pulse_signal
from torrey.models.rates import RateModel

X, Y = (1.0, 0.0), (0.0, 1.0)
OBLIQUE = (0.6, 0.8)
PARAMETERS = Exchange(0.63, 0.21, 0.7, np.array([[0.9, 0.1], [0.1, 1.3]]))
WAVEFORMS = (
    Pgse(3.5, 5.0),
    Pgse(2.0, 30.0),
    TrapezoidalPgse(3.0, 8.0, 0.7),
    SineOgse(10.0, 12.0, 2.0),
)


def measure(waveform, b, direction=X):
    return Measurement(waveform, waveform.q_of_b(b), direction)


def signals(parameters, *measurements):
    return FinitePulseKarger(measurements).signal(parameters)


def small_model(parameters, direction):
    """The same system as a homogenised model of order 0, which is integrated by collocation."""
    n = np.array(direction)
    D_e, D_c = parameters.tensors(2)
    eta_e, eta_c = parameters.eta_e, parameters.eta_c
    rates = {
        (0, 0, 0): np.array([[eta_e, -eta_c], [-eta_e, eta_c]]),
        (2, 0, 0): -np.diag([n @ D_e @ n, n @ D_c @ n]),
    }
    start = np.array([1.0 - parameters.theta_c, parameters.theta_c])
    return RateModel((rates,), start)


@pytest.mark.parametrize("waveform", WAVEFORMS, ids=lambda w: w.label)
@pytest.mark.parametrize("direction", [X, Y, OBLIQUE], ids=["x", "y", "oblique"])
def test_signals_are_those_of_collocation_in_time(waveform, direction):
    parameters = replace(PARAMETERS, D_c=0.2)
    q = np.array([0.1, 0.7, 1.5])
    model = small_model(parameters, direction)
    expected = model.signal(waveform, q, 1.0, 0.0, tolerance=1e-12).real
    found = signals(parameters, *(Measurement(waveform, x, direction) for x in q))
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-11)


def test_measurements_keep_their_order_whatever_their_waveforms():
    points = [measure(w, b, n) for b in (0.3, 2.0) for w in WAVEFORMS for n in (X, Y)]
    together = signals(PARAMETERS, *points)
    apart = np.concatenate([signals(PARAMETERS, point) for point in points])
    np.testing.assert_allclose(together, apart, rtol=0.0, atol=1e-13)


@pytest.mark.parametrize("waveform", [WAVEFORMS[0], DoublePgse(2.0, 6.0, 1.0, 60.0)], ids=str)
def test_derivatives_are_those_of_differences_of_order_four(waveform):
    model = FinitePulseKarger(tuple(measure(waveform, b, OBLIQUE) for b in (0.0, 0.5, 4.0)))
    _, jacobian = model.signal_and_jacobian(PARAMETERS)

    def at(row, step):
        values = np.array([0.63, 0.21, 0.7, 0.9, 0.1, 0.1, 1.3])
        values[row] += step
        return model.signal(Exchange(*values[:3], values[3:].reshape(2, 2)))

    h = 1e-3
    for row in range(7):
        near, far = (at(row, s * h) - at(row, -s * h) for s in (1, 2))
        difference = (8 * near - far) / (12 * h)
        np.testing.assert_allclose(jacobian[:, row], difference, rtol=0.0, atol=1e-9)


def test_large_rates_and_gradients_lose_no_digits():
    # Rates of 20 /ms over 40 ms: the series is summed on many stretches.
    fast = Exchange(12.0, 8.0, 0.6, 3.0)
    point = measure(Pgse(2.0, 40.0), 20.0)
    model = small_model(fast, X)
    expected = model.signal(point.waveform, point.q, 1.0, 0.0, tolerance=1e-13).real
    np.testing.assert_allclose(signals(fast, point)[0], expected, rtol=1e-9)


def test_without_exchange_each_compartment_has_its_own_exponential():
    apart = Exchange(0.0, 0.0, 0.4, 1.1, 0.3)
    points = [measure(w, 1.7) for w in WAVEFORMS]
    expected = 0.6 * np.exp(-1.1 * 1.7) + 0.4 * np.exp(-0.3 * 1.7)
    np.testing.assert_allclose(signals(apart, *points), expected, rtol=1e-13)


def test_fast_exchange_gives_the_mean_diffusivity():
    b, errors = 1.5, []
    for speed in (50.0, 100.0, 200.0):
        mixed = Exchange(3 * speed, speed, 0.75, 1.2)
        error = signals(mixed, measure(Pgse(1.0, 4.0), b))[0] - math.exp(-0.25 * 1.2 * b)
        errors.append(error)
    # First order in the time that exchange takes.
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 1.0, atol=0.03)


def test_narrow_pulses_are_the_limit_of_short_ones_with_first_order():
    q, time = 1.1, 9.0
    limit = narrow_pulse_signal(PARAMETERS, q, time, OBLIQUE)
    deltas = np.array([0.1, 0.05, 0.025, 0.0125])
    found = signals(PARAMETERS, *(Measurement(Pgse(d, time), q, OBLIQUE) for d in deltas))
    orders = np.diff(np.log(np.abs(found - limit))) / np.diff(np.log(deltas))
    np.testing.assert_allclose(orders, 1.0, atol=0.02)
    # Two orders at once: extrapolated to pulses of no length.
    extrapolated = (8 * found[3] - 6 * found[2] + found[1]) / 3
    np.testing.assert_allclose(extrapolated, limit, rtol=0.0, atol=2e-6)


def test_narrow_pulses_give_two_exponentials():
    # By the eigenvalues and eigenvectors of the matrix of rates.
    q, D_e, D_c = 0.8, 1.4, 0.2
    parameters = Exchange(0.5, 0.3, 0.55, D_e, D_c)
    A = np.array([[q**2 * D_e + 0.5, -0.3], [-0.5, q**2 * D_c + 0.3]])
    values, vectors = np.linalg.eig(A)
    times = np.array([0.0, 0.5, 5.0, 60.0])
    weights = np.linalg.solve(vectors, [0.45, 0.55])
    expected = (np.exp(-np.outer(times, values)) * weights) @ vectors.sum(axis=0)
    found = narrow_pulse_signal(parameters, q, times, X)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_narrow_pulses_without_exchange_and_with_one_diffusivity_are_one_exponential():
    same = Exchange(0.0, 0.0, 0.5, 0.9, 0.9)
    found = narrow_pulse_signal(same, [0.0, 1.0], 7.0, X)
    np.testing.assert_allclose(found, [1.0, np.exp(-0.9 * 7.0)], rtol=1e-14)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"eta_e": -0.1}, "at least zero"),
        ({"theta_c": 1.2}, "a share from 0 to 1"),
        ({"eta_c": np.nan}, "finite numbers"),
    ],
)
def test_impossible_parameters_are_refused(change, text):
    with pytest.raises(InputError, match=text):
        signals(replace(PARAMETERS, **change), measure(Pgse(1.0, 2.0), 1.0))


def test_a_model_of_no_measurements_is_refused():
    with pytest.raises(InputError, match="at least one"):
        FinitePulseKarger(())
