"""What fits of exchange find of media whose exchange is known exactly.

The truth is the slowest mode of A(0) that moves water between compartments. Between layers it is
known in closed form: with u = cos(k_c x) inside a layer of thickness a and cos(k_e y) outside, of
thickness b, from the middle of each, D_c k_c^2 = D_e k_e^2 = lambda and

    1/kappa = cot(k_c a/2)/(D_c k_c) + cot(k_e b/2)/(D_e k_e).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from support.cells import DISC, Cell, layers

from torrey.base.errors import InputError
from torrey.bloch.dispersion import exchange_rates, karger_rates
from torrey.geometry import Disc, Discs
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import Pgse
from torrey.inversion.exact_rates import exact_exchange, exchange_rate
from torrey.inversion.measured import protocol_of_measurements
from torrey.inversion.voxel_fit import fit_table
from torrey.models.evaluation import build_models

#: kappa / L of all cells of the limit (1/ms): they have the same rates of exchange to order L^2.
SIGMA = 0.004
WAVEFORMS = tuple(Pgse(5.0, Delta) for Delta in (10.0, 20.0, 40.0, 80.0))
ROWS = [Measurement(w, w.q_of_b(b), (1.0, 0.0)) for w in WAVEFORMS for b in range(5)]
PORES = Cell(Discs((Disc((0.5, 0.5), 0.4),)), (2.0, 1.0))


def rate_between_layers(kappa: float, a: float, b: float, D_e: float, D_c: float) -> float:
    def mismatch(rate: float) -> float:
        parts = ((a, D_c), (b, D_e))
        each = [1.0 / (D * k * np.tan(k * h / 2)) for h, D in parts for k in [np.sqrt(rate / D)]]
        return float(sum(each) - 1.0 / kappa)

    first = min(D_c * (np.pi / a) ** 2, D_e * (np.pi / b) ** 2)
    # Beyond that, cotangents are below zero: the root lies before the next pole.
    last = min(D_c * (2 * np.pi / a) ** 2, D_e * (2 * np.pi / b) ** 2)
    return brentq(mismatch, 1e-9 * first, (1.0 - 1e-9) * last, xtol=1e-14)


@pytest.mark.parametrize("kappa", [1e-3, 0.1, 5.0])
def test_the_exact_rate_is_that_between_layers(kappa):
    cell = layers((0.6, 0.4), (2.0, 1.0), size=0.02)
    exact = rate_between_layers(kappa, 0.4 * 3.0, 0.6 * 3.0, 2.0, 1.0)
    assert exchange_rate(cell.operators(0), 3.0, kappa) == pytest.approx(exact, rel=1e-5)


def test_modes_of_diffusion_alone_are_no_exchange():
    operators = layers((0.9, 0.1), (2.0, 1.0), size=0.01).operators(0)
    # Odd about the middle of the thin layer, across which water then diffuses.
    assert exchange_rates(operators, 3.0, 1.0)[0] < 0.8 * exchange_rate(operators, 3.0, 1.0)
    exact = rate_between_layers(1.0, 0.3, 2.7, 2.0, 1.0)
    assert exchange_rate(operators, 3.0, 1.0) == pytest.approx(exact, rel=1e-5)


def test_kargers_time_is_the_exact_one_to_order_L2():
    levels = [PORES.operators(0), PORES.operators(1)]
    found = exact_exchange(levels, [(L, SIGMA * L) for L in (0.5, 1.0, 2.0, 4.0)])
    apart = np.array([one.time / one.karger_time - 1.0 for one in found])
    assert np.all(apart > 0.0)
    np.testing.assert_allclose(np.log2(apart[1:] / apart[:-1]), 2.0, atol=0.02)
    karger = 1.0 / karger_rates(levels[1], 1.0, SIGMA)[0]
    assert all(one.karger_time == pytest.approx(karger, rel=1e-9) for one in found)
    assert all(one.error < 1e-4 * one.time for one in found)
    assert found[0].fraction == pytest.approx(np.pi * 0.4**2, rel=1e-5)


def test_closed_cells_have_no_exchange():
    with pytest.raises(InputError, match="exchange no water"):
        exchange_rate(DISC.operators(0), 3.0, 0.0)


def fitted_bias(L: float) -> float:
    """Relative bias of the exchange time of two compartments, without noise."""
    model = build_models(PORES.operators(0), np.array([1.0, 0.0]), ["P4"])[0]
    q = np.array([[m.q for m in ROWS if m.waveform is w] for w in WAVEFORMS])
    signals = [
        model.signal(w, each, L, SIGMA, 1e-10).real for w, each in zip(WAVEFORMS, q, strict=True)
    ]
    fit = fit_table(
        "karger",
        protocol_of_measurements(ROWS),
        np.concatenate(signals),
        1e-5,
        fixed={"D_c": 0.0},
        starts=1,
        dictionary=300,
    )
    (exact,) = exact_exchange([PORES.operators(0)], [(L, SIGMA * L)])
    return float(fit.estimate[0, fit.names.index("t_ex")] / exact.time - 1.0)


@pytest.mark.slow
def test_the_fitted_exchange_time_is_exact_in_small_cells_and_biased_in_large_ones():
    small = np.array([fitted_bias(L) for L in (0.125, 0.25, 0.5)])
    assert np.all(np.abs(small) < 1e-3)
    # Signals of the model are right to 2e-5, which the smallest cell shows.
    assert abs(np.log2(small[2] / small[1]) - 2.0) < 0.05
    assert abs(small[0]) < abs(small[1]) / 3.0
    assert abs(fitted_bias(1.0)) < 0.01
    # Diffusion within a pore takes R^2/D = 2.6 ms here, half of a pulse.
    assert fitted_bias(4.0) > 0.08
