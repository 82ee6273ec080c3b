"""Asymptotic laws against exact solutions of simple geometries and against each other."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.special import airy

from torrey.bloch import laws
from torrey.bloch.sampling import sample
from torrey.gradients.waveforms import Pgse

D = 2.3


def test_the_zero_of_the_airy_derivative():
    assert abs(airy(laws.airy_zero())[1]) < 1e-14
    np.testing.assert_allclose(laws.airy_zero(), -1.01879297, atol=1e-8)


def test_b_of_two_touching_pulses():
    delta, g = 3.0, 0.4
    b = Pgse(delta, delta).b_value(g * delta)
    lengths = laws.diffusion_length(delta, D), laws.gradient_length(g, D)
    np.testing.assert_allclose(laws.pgse_b(*lengths, D), b)
    np.testing.assert_allclose(laws.short_gradient(b, D), np.exp(-b * D))


def slab_signal(width: float, g: float, delta: float, count: int = 40) -> float:
    """Two pulses on an impermeable slab: cosines, the exponential of a matrix."""
    k = np.pi * np.arange(count) / width
    nodes, weights = np.polynomial.legendre.leggauss(8 * count)
    x, weights = width * (nodes + 1) / 2, weights * width / 2
    modes = np.cos(np.outer(x, k)) * np.sqrt((2.0 - (k == 0)) / width)
    X = modes.T @ ((weights * x)[:, None] * modes)
    rate = D * np.diag(k**2) - 1j * g * X
    state = expm(-delta * rate) @ (modes.T @ weights)
    return float(np.vdot(state, state).real / width)


def test_motional_narrowing_of_a_slab():
    """The law is the first term for a narrow slab: the rest falls like (width / l_g)^6."""
    width, delta = 1.0, 30.0
    errors = []
    for g in (1.2, 0.6, 0.3):
        exact = slab_signal(width, g, delta)
        l_delta, l_g = laws.diffusion_length(delta, D), laws.gradient_length(g, D)
        rate = -np.log(laws.motional_narrowing(l_delta, l_g, width))
        # Beyond the rate, the time that it takes to build up is missing: a term in 1 / delta.
        late = slab_signal(width, g, 2 * delta)
        errors.append(np.log(exact / late) / rate - 1)
    assert np.all(np.abs(errors) < 5e-3)
    assert abs(errors[-1]) < abs(errors[0]) / 10


def test_localisation_at_a_plane_wall():
    """Far from the other wall the decay is that of the complex Airy operator, and the prefactor."""
    g, width = 8000.0, 1.0
    l_g = float(laws.gradient_length(g, D))
    assert width / l_g > 15
    times = np.array([10.0, 11.0]) * l_g**2 / D
    first, second = (slab_signal(width, g, delta, 100) for delta in times)
    law = laws.localisation(laws.diffusion_length(times, D), l_g, np.inf)
    np.testing.assert_allclose(second / first, law[1] / law[0], rtol=1e-4)


def test_the_prefactor_of_localisation_by_direct_integration():
    """|int psi|^2 int |psi|^2 / |int psi^2|^2 on a grid of rho and y."""
    l_g, R = 0.7, 3.0
    rho = np.linspace(0.0, 20.0 * l_g, 40001)
    phi = airy(laws.airy_zero() + np.exp(1j * np.pi / 6) * rho / l_g)[0]
    y = np.linspace(-15.0, 15.0, 40001)
    f = np.exp(-np.exp(1j * np.pi / 4) * y**2 / (2 * (2 * l_g**3 * R) ** 0.5))

    def factor(u, x):
        norm = np.trapezoid(abs(u) ** 2, x)
        return abs(np.trapezoid(u, x)) ** 2 * norm / abs(np.trapezoid(u**2, x)) ** 2

    expected = 2 * factor(phi, rho) * factor(f, y) / 5.0
    np.testing.assert_allclose(laws.localisation_prefactor(l_g, R, 5.0), expected, rtol=1e-5)


def test_the_prefactor_scales_as_published():
    C = laws.localisation_prefactor(np.array([0.01, 0.02]), 0.4, 1.0)
    np.testing.assert_allclose(C[1] / C[0], 2**1.75)
    np.testing.assert_allclose(laws.parallel_length(0.05, 0.4), 0.1)


def wall_share(q: float, l: float) -> float:
    """What one plane wall across the gradient adds to the signal per area: two exact integrals."""

    def density(u: float) -> float:
        return np.exp(-(u**2) / (4 * l**2)) / np.sqrt(4 * np.pi * l**2)

    lost, _ = quad(lambda u: u * density(u) * np.cos(q * u), 0, 40 * l, limit=2000)
    reflected, _ = quad(lambda v: density(v) * np.sin(q * v) / q, 0, 40 * l, limit=2000)
    return reflected - lost


@pytest.mark.parametrize("dimension", [2, 3])
def test_debye_porod_is_the_mean_over_the_orientations_of_a_wall(dimension):
    q, l, sigma = 100.0, 0.3, 5.0

    def share(theta: float) -> float:
        along = np.exp(-((q * l * np.sin(theta)) ** 2))
        measure = 1 / np.pi if dimension == 2 else np.sin(theta)
        return along * wall_share(q * np.cos(theta), l) * measure

    top = 6.0 / (q * l)
    mean = 2 * quad(share, 0.0, top)[0] if dimension == 2 else quad(share, 0.0, top)[0]
    np.testing.assert_allclose(laws.debye_porod(q, l, sigma, dimension), sigma * mean, rtol=5e-3)


def test_debye_porod_is_known_in_two_and_three_dimensions():
    with pytest.raises(ValueError, match="2 or 3"):
        laws.debye_porod(1.0, 1.0, 1.0, 1)


def test_the_error_of_sampling_is_that_of_the_paper():
    """MMG20 (28) prints 7 for 4 pi^2 / 6."""
    error = laws.sampling_error(120, 1.0, 1.0, 1.0)
    np.testing.assert_allclose(error * 120**2, 4 * np.pi**2 / 6, rtol=1e-3)


@pytest.mark.parametrize("remainder", [0.0, 0.25, 0.5])
def test_the_error_of_sampling_between_two_multiples_of_the_pulse(remainder):
    """b of the rounded steps less that of the gradient, from the steps themselves."""
    pulse, delta = 0.1, 3.0
    for count, accuracy in ((40, 2e-2), (400, 2e-3)):
        q = (count + remainder) * pulse
        waveform = Pgse(delta, delta)
        excess = sample(waveform, q, pulse).b - waveform.b_value(q)
        law = laws.sampling_error(1, D, 2 * delta, 2 * np.pi / pulse, remainder)
        np.testing.assert_allclose(-np.expm1(-D * excess), law, rtol=accuracy)


def test_the_published_error_of_eigenvalues_lacks_a_factor_of_41():
    """MMG20 (28) with the time of (42), tau = 2 pi / (g a), against (46), D / (P^2 g a^3)."""
    period, P = 1.7, 1000
    gradient = D / (0.3 * period) ** 3
    time = 2 * np.pi / (gradient * period)
    printed = D / (P**2 * gradient * period**3)
    factor = laws.sampling_error(P, D, time, period) / printed
    np.testing.assert_allclose(factor, 4 * np.pi**3 / 3, rtol=1e-4)
    assert round(4 * np.pi**3 / 3) == 41
    # An eigenvalue has half of the error of a signal: see `eigenvalue_error`.
    l_g = float(laws.gradient_length(gradient, D))
    np.testing.assert_allclose(
        laws.eigenvalue_error(P, l_g, period), factor * printed / 2, rtol=1e-4
    )


def test_a_slab_is_found_again_from_its_law():
    strength = np.linspace(40.0, 60.0, 7)
    signal = laws.motional_narrowing(0.3, 0.3 * strength ** (-1 / 6), 0.34, 0.09)
    np.testing.assert_allclose(laws.fit_narrowing(strength, signal, 0.3), (0.34, 0.09))
    with pytest.raises(ValueError, match="accepted: a decay"):
        laws.fit_narrowing(strength, signal[::-1], 0.3)


def test_rates_are_lost_where_their_exponential_is_rounding():
    g, period = 5.0, 2.0
    tau = 2 * np.pi / (g * period)
    np.testing.assert_allclose(np.exp(-tau * laws.lost_rate(g, period)), np.finfo(float).eps)


DOCUMENT = Path(__file__).parents[3] / "docs" / "theory.md"
NUCLEI = {"water": (2.0, 2.7e8), "xenon": (4e4, 7.4e7)}


@pytest.mark.parametrize("name", NUCLEI)
def test_the_lengths_of_water_and_xenon_are_those_of_the_document(name):
    """MMG20 3.1; gamma in 1/(T s), G in T/m, so that gamma G is in rad/m/s."""
    diffusivity, gamma = NUCLEI[name]
    (row,) = re.findall(rf"^\| {name} \| (.*) \|$", DOCUMENT.read_text(encoding="utf-8"), re.M)
    printed = [float(cell.removesuffix(" um")) for cell in row.split(" | ")]
    gradients = gamma * np.array([0.01, 0.1, 1.0]) * 1e-6 * 1e-3
    lengths = [
        *laws.gradient_length(gradients, diffusivity),
        *laws.diffusion_length([1.0, 10.0, 100.0], diffusivity),
    ]
    np.testing.assert_allclose(printed, lengths, rtol=3e-3)
