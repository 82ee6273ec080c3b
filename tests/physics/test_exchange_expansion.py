"""CHL14, sections 3.2 and 4: what follows from the two-compartment model, and what is misprinted.

With eta = eta_e + eta_c and F the running integral of the gradient's profile, the masses are power
series in z = q^2 (CHL14 (4.6)-(4.8))::

    m_e,n(t) = -(sigma_e/eta) int_0^t F(s)^2 (eta_e exp(-eta (t - s)) + eta_c) m_e,n-1(s) ds
    m_c,n(t) = -(sigma_e eta_e/eta) int_0^t F(s)^2 (1 - exp(-eta (t - s))) m_e,n-1(s) ds

The paper prints exp(-eta (s + t)).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import cumulative_simpson
from support.cells import DISC, layers

from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import Pgse
from torrey.models.evaluation import build_models
from torrey.models.karger import Exchange, FinitePulseKarger
from torrey.reference.full import mesh_signal
from torrey.study.orders import local_orders

X = (1.0, 0.0)
DELTA, GAP = 3.5, 5.0
WAVEFORM = Pgse(DELTA, GAP)
#: In equilibrium: eta_e theta_e = eta_c theta_c, CHL14 (3.18).
PARAMETERS = Exchange(eta_e=0.63, eta_c=0.21, theta_c=0.75, D_e=0.9)
THETA_E = 1.0 - PARAMETERS.theta_c


def model(b: float) -> float:
    measurement = Measurement(WAVEFORM, WAVEFORM.q_of_b(b), X)
    return float(FinitePulseKarger((measurement,)).signal(PARAMETERS)[0])


def times(count: int = 801) -> np.ndarray:
    """Instants from 0 to the echo, with the ends of the pulses among them."""
    ends = (0.0, DELTA, GAP, GAP + DELTA)
    pieces = [np.linspace(*pair, count) for pair in zip(ends[:-1], ends[1:], strict=True)]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


def profile(t: np.ndarray) -> np.ndarray:
    """F(t) of unit gradients, ms."""
    return np.minimum(np.minimum(t, DELTA), DELTA + GAP - t).clip(0.0)


def running(values: np.ndarray, t: np.ndarray) -> np.ndarray:
    return cumulative_simpson(values, x=t, initial=0.0)


def outside(count: int, sign: float) -> list[np.ndarray]:
    """m_e,0, m_e,1, ... at `times`, with exp(-eta (t + sign s)) in (4.7)."""
    t, p = times(), PARAMETERS
    eta, weight = p.eta_e + p.eta_c, profile(t) ** 2
    found = [np.full_like(t, THETA_E)]
    for _ in range(count - 1):
        source = weight * found[-1]
        memory = np.exp(-eta * t) * running(source * np.exp(-sign * eta * t), t)
        found.append(-p.D_e / eta * (p.eta_e * memory + p.eta_c * running(source, t)))
    return found


def series(b: float, sign: float, count: int = 14) -> float:
    """The signal by (4.8)."""
    t = times()
    weight = profile(t) ** 2
    z = b / float(running(weight, t)[-1])
    terms = [running(weight * m, t)[-1] * z ** (n + 1) for n, m in enumerate(outside(count, sign))]
    return 1.0 - float(PARAMETERS.D_e) * math.fsum(terms)


def test_the_expansion_in_powers_of_q_holds_with_t_minus_s() -> None:
    for b in (0.2, 1.0, 2.0):
        assert series(b, sign=-1.0) == pytest.approx(model(b), abs=1e-8)


def test_the_expansion_as_printed_does_not_hold() -> None:
    assert abs(series(1.0, sign=1.0) - model(1.0)) > 1e-3


def test_the_signal_falls_first_with_the_fraction_and_the_diffusivity_outside() -> None:
    # log S = -sigma_e theta_e b + O(b^2), the slope after (4.8).
    b = np.array([0.04, 0.02, 0.01])
    slopes = np.array([-math.log(model(x)) / x for x in b])
    expected = THETA_E * float(PARAMETERS.D_e)
    assert local_orders(b[::-1], np.abs(slopes - expected)[::-1]) == pytest.approx(1.0, abs=0.02)
    assert 2 * slopes[2] - slopes[1] == pytest.approx(expected, abs=2e-5)


def test_the_water_inside_remembers_at_the_rate_at_which_it_is_exchanged() -> None:
    # CHL14 (3.21) and (3.23), without the phase: d m_c/dt = eta_e m_e - eta_c m_c, so that the
    # density inside is exp(-eta_c t) + eta_c int exp(-eta_c (t - s)) (density outside). The factor
    # eta_c is missing in print.
    t, p = times(), PARAMETERS
    z = 1.0 / float(running(profile(t) ** 2, t)[-1])
    # The masses, from the expansion that the first test holds to the model.
    m_e = sum(z**n * m for n, m in enumerate(outside(14, -1.0)))
    m_c = p.theta_c * np.exp(-p.eta_c * t)
    m_c += np.exp(-p.eta_c * t) * running(p.eta_e * m_e * np.exp(p.eta_c * t), t)
    memory = np.exp(-p.eta_c * t) * running(m_e / THETA_E * np.exp(p.eta_c * t), t)
    density = np.exp(-p.eta_c * t) + p.eta_c * memory
    np.testing.assert_allclose(density, m_c / p.theta_c, atol=1e-9)
    assert m_e[-1] + p.theta_c * density[-1] == pytest.approx(model(1.0), abs=1e-8)
    printed = np.exp(-p.eta_c * t[-1]) + memory[-1]
    assert printed > 1.0 > density[-1]  # of a density that began at 1 and can only fall


def test_connected_cells_have_a_diffusivity_of_their_own() -> None:
    # CHL14, remarks 1 and 2 and (4.5): layers are cells that go through all periods.
    thickness, D_e, D_c, kappa, L = (0.6, 0.4), 3.0, 1.7, 0.02, 2.0
    cell = layers(thickness, (D_e, D_c), dimension=2)
    eta_e, eta_c = (2 * kappa / (share * L) for share in thickness)
    b = np.array([0.5, 2.0])
    along = FinitePulseKarger(
        tuple(Measurement(WAVEFORM, WAVEFORM.q_of_b(x), (0.0, 1.0)) for x in b)
    ).signal(Exchange(eta_e, eta_c, thickness[1], D_e, D_c))
    (r0,) = build_models(cell.operators(0), (0.0, 1.0), ["R0"])
    q = np.array([WAVEFORM.q_of_b(x) for x in b])
    found = r0.signal(WAVEFORM, q, L, kappa / L)
    np.testing.assert_allclose(found, along, atol=1e-9)
    # Across them the same water is closed in: D_c = 0.
    (across,) = build_models(cell.operators(0), X, ["R0"])
    assert across.rates[0][(2, 0, 0)][1, 1] == pytest.approx(0.0, abs=1e-12)


def test_closed_cells_have_none() -> None:
    (r0,) = build_models(DISC.operators(0), X, ["R0"])
    assert r0.rates[0][(2, 0, 0)][1, 1] == pytest.approx(0.0, abs=1e-12)
    assert r0.rates[0][(2, 0, 0)][0, 0] < -2.0


def test_the_model_of_connected_cells_has_order_two() -> None:
    cell = layers((0.6, 0.4), (3.0, 1.7), dimension=2)
    periods, sigma, q = np.array([1.0, 1.5, 2.25]), 0.02, WAVEFORM.q_of_b(1.0)
    exact = [
        mesh_signal(cell.system(0, L, sigma * L, (0.0, 1.0)), WAVEFORM, q, 48).real for L in periods
    ]
    (r0,) = build_models(cell.operators(0), (0.0, 1.0), ["R0"])
    errors = np.abs(r0.signal(WAVEFORM, q, periods, sigma) - exact)
    assert local_orders(periods, errors) == pytest.approx([2.0, 2.0], abs=0.1)
