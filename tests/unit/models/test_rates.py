"""Integration of small models: against an independent integrator, an exponential, a closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from support.waveform_cases import PLANE, PLANE_Q

from torrey.gradients.waveforms import DoublePgse, Pgse, SineOgse, TrapezoidalPgse, Waveform
from torrey.models.rates import RateModel

WAVEFORM = Pgse(4.0, 11.0)


def random_model(seed: int, size: int = 3) -> RateModel:
    """Rates that dissipate, with every kind of monomial up to order 2."""
    generator = np.random.default_rng(seed)

    def matrix(scale: float) -> np.ndarray:
        return scale * generator.normal(size=(size, size))

    diffusion = -np.diag(generator.uniform(0.5, 3.0, size))
    exchange = np.diag(generator.uniform(1.0, 2.0, size)) - 0.3
    rates = (
        {(2, 0, 0): diffusion, (0, 0, 1): exchange},
        {(1, 0, 1): matrix(0.05), (3, 0, 0): matrix(0.01)},
        {(4, 0, 0): matrix(0.002), (1, 1, 0): matrix(0.01), (0, 0, 2): matrix(0.05)},
    )
    return RateModel(rates, generator.uniform(0.1, 1.0, size))


def by_solve_ivp(
    model: RateModel, q: float, period: float, sigma: float, waveform: Waveform = WAVEFORM
) -> complex:
    """The same signal by an explicit Runge-Kutta method of order 8, piece by piece."""
    m = model.start.astype(complex)
    for segment in waveform.segments:

        def rhs(t: float, m: np.ndarray, segment=segment) -> np.ndarray:
            return -model.matrix(q * segment.jet(t, 1), period, sigma) @ m

        m = solve_ivp(rhs, (0, segment.duration), m, method="DOP853", rtol=1e-12, atol=1e-13).y[
            :, -1
        ]
    return complex(m.sum() / model.start.sum())


@pytest.mark.parametrize("seed", range(4))
def test_signals_agree_with_another_integrator(seed: int) -> None:
    model = random_model(seed)
    q, period, sigma = np.array([0.1, 0.4, 0.8]), np.array([1.0, 2.0, 3.0]), 0.05
    found = model.signal(WAVEFORM, q, period, sigma)
    for i in range(3):
        assert found[i] == pytest.approx(by_solve_ivp(model, q[i], period[i], sigma), abs=1e-9)


def plane_model(seed: int) -> RateModel:
    """Rates for two components of g: powers of g_x, g_y, of their derivatives, and of sigma."""
    generator = np.random.default_rng(seed)

    def matrix(scale: float) -> np.ndarray:
        return scale * generator.normal(size=(2, 2))

    rates = (
        {
            (2, 0, 0, 0, 0): -np.diag([2.0, 0.7]),
            (0, 2, 0, 0, 0): -np.diag([1.0, 1.5]),
            (1, 1, 0, 0, 0): matrix(0.2),
            (0, 0, 0, 0, 1): np.array([[1.0, -2.0], [-1.0, 2.0]]),
        },
        {(0, 1, 0, 0, 1): matrix(0.05)},
        {(0, 1, 1, 0, 0): matrix(0.02), (1, 0, 1, 0, 0): matrix(0.02)},
    )
    return RateModel(rates, np.array([0.6, 0.4]), n_components=2)


@pytest.mark.parametrize("waveform", [SineOgse(4.0, 6.0, 2.0), TrapezoidalPgse(3.0, 8.0, 1.0)])
def test_gradients_that_vary_agree_with_another_integrator(waveform: Waveform) -> None:
    model = random_model(2)
    found = model.signal(waveform, 0.5, 2.0, 0.05)
    expected = by_solve_ivp(model, 0.5, 2.0, 0.05, waveform)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("waveform", [DoublePgse(2.0, 6.0, 1.0, 60.0), PLANE, PLANE_Q])
def test_two_components_agree_with_another_integrator(waveform: Waveform) -> None:
    model = plane_model(4)
    found = model.signal(waveform, 0.5, 2.0, 0.05)
    expected = by_solve_ivp(model, 0.5, 2.0, 0.05, waveform)
    assert found == pytest.approx(expected, abs=1e-9)


def test_pure_diffusion_is_the_exact_exponential() -> None:
    model = RateModel(({(2, 0, 0): -np.diag([2.0, 0.7])},), np.array([0.6, 0.4]))
    b = np.linspace(0.0, 3.0, 7)
    found = model.signal(WAVEFORM, WAVEFORM.q_of_b(1.0) * np.sqrt(b), 1.0, 0.0)
    exact = 0.6 * np.exp(-2.0 * b) + 0.4 * np.exp(-0.7 * b)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-10)


def test_exchange_without_gradient_keeps_the_mass() -> None:
    exchange = np.array([[1.0, -2.0], [-1.0, 2.0]])
    model = RateModel(({(0, 0, 1): exchange},), np.array([0.5, 0.5]))
    assert model.signal(WAVEFORM, 0.0, 1.0, 0.3) == pytest.approx(1.0, abs=1e-12)


def test_the_matrix_is_the_polynomial_with_i_per_gradient() -> None:
    A, B, C = np.array([[2.0]]), np.array([[3.0]]), np.array([[5.0]])
    model = RateModel(({(2, 0, 0): A}, {(1, 0, 1): B}, {(1, 1, 0): C}), np.array([1.0]))
    g, p, L, sigma = 0.3, 0.7, 2.0, 0.11
    expected = -2.0 * g**2 + L * 3.0j * g * sigma - L**2 * 5.0 * g * p
    assert model.matrix([[g], [p]], L, sigma)[0, 0] == pytest.approx(expected)


def test_each_component_and_derivative_has_its_power() -> None:
    A, B, C, D = (np.array([[x]]) for x in (2.0, 3.0, 5.0, 7.0))
    rates = (
        {(1, 1, 0, 0, 0): A, (0, 0, 0, 0, 1): B},
        {(0, 2, 1, 0, 0): C},
        {(1, 0, 0, 1, 1): D},
    )
    model = RateModel(rates, np.array([1.0]), n_components=2)
    (gx, gy), (px, py) = jet = [[0.3, -0.2], [0.7, 0.4]]
    L, sigma = 2.0, 0.11
    expected = -2 * gx * gy + 3 * sigma - 5j * L * gy**2 * px - 7 * L**2 * gx * py * sigma
    assert model.matrix(jet, L, sigma)[0, 0] == pytest.approx(expected)


def test_points_broadcast_and_agree_with_one_at_a_time() -> None:
    model = random_model(7)
    q, period = np.array([0.2, 0.5])[:, None], np.array([1.0, 2.0, 3.0])
    table = model.signal(WAVEFORM, q, period, 0.02)
    assert table.shape == (2, 3)
    assert table[1, 2] == pytest.approx(model.signal(WAVEFORM, 0.5, 3.0, 0.02), abs=1e-10)


def test_an_unstable_model_gives_a_large_signal_and_no_error() -> None:
    model = RateModel(({(2, 0, 0): np.array([[400.0]])},), np.array([1.0]))
    assert not np.isfinite(model.signal(WAVEFORM, 3.0, 1.0, 0.0))


def test_truncation_keeps_the_lower_orders() -> None:
    model = random_model(3)
    assert model.truncate(0).rates == model.rates[:1]
    with pytest.raises(ValueError, match="orders 0 to 2"):
        model.truncate(3)


def test_constant_gradient_agrees_with_the_matrix_exponential() -> None:
    model = random_model(5)
    waveform = Pgse(1e-6, 9.0)  # all plateau
    G = model.truncate(0).matrix([[0.4], [0.0]], 2.0, 0.1)
    expected = (expm(-9.0 * G) @ model.start).sum() / model.start.sum()
    found = model.truncate(0).signal(waveform, 0.4, 2.0, 0.1)
    assert found == pytest.approx(expected, rel=1e-5)
