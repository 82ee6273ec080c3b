"""What the papers say of stability: KL23 figures 4, 6 and 9, KHM19 sections 3, 4 and figure 5."""

from __future__ import annotations

import numpy as np
import pytest
from support.cells import D_C, D_E, DISC, FOUR_DISCS, LARGE_DISC, Cell

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.waveforms import Pgse
from torrey.models.evaluation import build_models
from torrey.models.kurtosis import second_order_limits
from torrey.models.rates import RateModel
from torrey.models.tensors import papers_tensors

DIRECTION = (0.0, 1.0)


def model_of(cell: Cell, name: str = "R2") -> RateModel:
    (model,) = build_models(cell.operators(0), DIRECTION, [name])
    return model


def smallest_eigenvalue(
    model: RateModel, waveform: Pgse, b: float, period: float, kappa: float
) -> tuple[float, float]:
    """Smallest real part over the second pulse (1/ms), and the time that is left then (ms)."""
    fall = waveform.segments[-1]
    left = np.geomspace(1e-5 * fall.duration, fall.duration, 4001)
    jets = waveform.q_of_b(b) * fall.jet(fall.duration - left, model.n_derivatives)
    values = np.linalg.eigvals(model.matrix(jets, period, kappa / period)).real.min(axis=-1)
    return float(values.min()), float(left[values.argmin()])


@pytest.mark.parametrize("b", [0.25, 1.0, 4.0])
@pytest.mark.parametrize(("Delta", "kappa"), [(25.0, 0.05), (50.0, 0.05), (25.0, 0.1)])
def test_an_eigenvalue_is_negative_in_figure_6_of_kl23_and_no_state_grows(
    b: float, Delta: float, kappa: float
) -> None:
    model, waveform = model_of(LARGE_DISC), Pgse(5.0, Delta)
    assert smallest_eigenvalue(model, waveform, b, 10.0, kappa)[0] < -1e-6
    found = model.stability(waveform, waveform.q_of_b(b), 10.0, kappa / 10.0)
    assert (found.growth, found.amplification) == (0.0, 1.0)


def test_what_is_negative_in_figure_6_is_a_total_derivative_less_the_exchange_rate() -> None:
    model, waveform = model_of(LARGE_DISC), Pgse(5.0, 25.0)
    found, left = smallest_eigenvalue(model, waveform, 4.0, 10.0, 0.05)
    assert found == pytest.approx(-0.1133, abs=1e-3)
    assert left == pytest.approx(5.0)  # the pulse begins
    q, radius, period = waveform.q_of_b(4.0), 0.4, 10.0
    S_c, eta_c = -(radius**2) / 4, 2 * 0.005 / radius
    derivative = -q * (q / 5.0) * period**2 * S_c
    assert derivative - eta_c == pytest.approx(-found, rel=0.03)


@pytest.mark.parametrize(
    ("cell", "name", "period", "kappa", "Delta", "b"),
    [
        (DISC, "R2", 10.0, 0.2, 15.0, 0.85),  # figure 4
        (DISC, "R2", 1.0, 0.02, 30.0, 2.5),
        (FOUR_DISCS, "R2", 2.0, 0.3, 5.0, 4.0),  # figure 9
        (FOUR_DISCS, "lumped-R2", 2.0, 0.6, 15.0, 4.0),
    ],
)
def test_close_to_the_echo_an_eigenvalue_is_negative_in_every_cell(
    cell: Cell, name: str, period: float, kappa: float, Delta: float, b: float
) -> None:
    """KL23, figure 9: "both eigenvalues are always non-negative".

    Where exchange is faster the smallest one is D g^2 + L^2 S |g dg/dt|, with S and D (that of
    both compartments together) weighted by volumes: negative for |g| < L^2 |dg/dt| |S| / D, at
    any period.
    """
    model, waveform = model_of(cell, name), Pgse(5.0, Delta)
    found, left = smallest_eigenvalue(model, waveform, b, period, kappa)
    share = model.start / model.start.sum()
    through = model.rates[0][2, 0, 0] + period * kappa * model.rates[2][2, 0, 1]
    D = -np.sum(through @ share)
    S = share @ np.diag(model.rates[2][1, 1, 0])
    p = waveform.q_of_b(b) / 5.0
    assert S < 0.0 < D
    assert found == pytest.approx(-((period**2 * p * S) ** 2) / (4 * D), rel=0.1)
    assert left == pytest.approx(-(period**2) * S / (2 * D), rel=0.1)
    stability = model.stability(waveform, waveform.q_of_b(b), period, kappa / period)
    assert (stability.growth, stability.amplification) == (0.0, 1.0)


LAYER = Discs((Disc((0.5, 0.5), 0.3),), layer=0.01)


@pytest.fixture(scope="module")
def layer() -> RateModel:
    """KHM19 figure 4a: one field in the whole box, whose diffusivity jumps."""
    operators = levels(LAYER, MeshOptions(0.12, 1), Material((D_E, D_C, 0.01)))[1]
    (model,) = build_models(operators, DIRECTION, ["R2"])
    return model


def test_order_two_grows_in_figure_5_of_khm19_where_the_plateau_does(layer: RateModel) -> None:
    waveform, period = Pgse(2.5, 5.0), 6.0
    b = np.linspace(0.0, 2.5, 21)
    q = waveform.q_of_b(1.0) * np.sqrt(b)
    found = layer.stability(waveform, q, period, 0.0)
    assert b[found.amplification > 1.01][0] == 1.875
    assert np.all(found.amplification[b < 1.8] == 1.0)
    D, B = -layer.rates[0][2, 0, 0][0, 0], layer.rates[2][4, 0, 0][0, 0]
    positive, dissipative = (x / period**2 for x in second_order_limits(D, B, waveform))
    assert dissipative == pytest.approx(1.76, abs=0.03)
    # K = -log S is positive up to a larger b.
    signal = layer.signal(waveform, q, period, 0.0).real
    np.testing.assert_array_equal(signal < 1.0, (b > 0.0) & (b < positive))
    assert positive / dissipative == pytest.approx((5.0 - 2.5 / 3) / (5.0 - 3 * 2.5 / 5))
    late = Pgse(2.5, 15.0)
    stability = layer.stability(late, late.q_of_b(1.0) * np.sqrt(b), period, 0.0)
    assert np.all(stability.amplification == 1.0)


def test_the_model_does_not_depend_on_the_unit_of_the_box() -> None:
    """KHM19 remark 1: in Y' = eta Y, D is D, S is eta^2 S and T is eta^2 T."""
    eta = 0.5
    centre, radius = (0.45, 0.6), 0.2
    plain = Discs((Disc(centre, radius),), "obstacle")
    sides = ((eta, 0.0), (0.0, eta))
    scaled = Discs((Disc((eta * 0.45, eta * 0.6), eta * radius),), "obstacle", lattice=sides)
    one, other = (
        levels(shape, MeshOptions(size, 0), Material((D_E,)))[0]
        for shape, size in ((plain, 0.1), (scaled, 0.1 * eta))
    )
    a, b = papers_tensors(one), papers_tensors(other)
    # Two meshes of the same resolution, each with its own error.
    np.testing.assert_allclose(b.D, a.D, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(b.S, eta**2 * a.S, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(b.T, eta**2 * a.T, rtol=1e-3, atol=1e-5)
    waveform = Pgse(2.5, 5.0)
    q = waveform.q_of_b(2.5)
    signals = [
        build_models(operators, DIRECTION, ["R2"])[0].signal(waveform, q, period, 0.0)
        for operators, period in ((one, 6.0), (other, 6.0 / eta))
    ]
    assert signals[0] == pytest.approx(signals[1], rel=1e-3)
