"""Growth of truncated models: small systems whose growth is known, and brute force."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import expm
from support.cells import DISC, LARGE_DISC

from torrey.gradients.waveforms import (
    DoublePgse,
    Pgse,
    SineOgse,
    TrapezoidalPgse,
    Waveform,
)
from torrey.gradients.waveforms.segments import Segment, ramp
from torrey.models import stability
from torrey.models.energy import Energy
from torrey.models.evaluation import build_models
from torrey.models.expansion import expand
from torrey.models.model import LARGEST_FACTOR, Stability
from torrey.models.rates import RateModel

WAVEFORM = Pgse(4.0, 11.0)
#: Powers of i g, of its derivative, and of sigma.
GG, GP, SIGMA = (2, 0, 0), (1, 1, 0), (0, 0, 1)


def scalar(*rates: dict[tuple[int, ...], float], energy: Energy | None = None) -> RateModel:
    matrices = tuple({powers: np.array([[x]]) for powers, x in rate.items()} for rate in rates)
    return RateModel(matrices, np.ones(1), energy=energy)


def of(model: RateModel, q: float, waveform: Waveform = WAVEFORM, sigma: float = 0.0) -> Stability:
    return model.stability(waveform, q, 1.0, sigma)


def test_exchange_alone_contracts() -> None:
    exchange = np.array([[1.0, -2.0], [-1.0, 2.0]])
    model = RateModel(({SIGMA: exchange},), np.array([2.0, 1.0]) / 3.0)
    found = of(model, 0.0, sigma=0.3)
    assert (found.growth, found.amplification) == (0.0, 1.0)


def test_a_constant_unstable_matrix_grows_by_the_norm_of_its_exponential() -> None:
    G = np.array([[-0.02, 0.3], [0.0, 0.05]])
    model = RateModel(({SIGMA: G},), np.ones(2))
    found = of(model, 0.0, sigma=1.0)
    assert found.growth == pytest.approx(np.linalg.eigvalsh(-(G + G.T) / 2)[-1], rel=1e-9)
    times = np.linspace(0.0, WAVEFORM.echo_time, 400)
    expected = max(np.linalg.norm(expm(-t * G), 2) for t in times)
    assert found.amplification == pytest.approx(expected, rel=1e-3)


def test_what_decays_in_the_end_may_still_have_grown() -> None:
    # Both eigenvalues decay; the angle between their vectors makes some states grow at first.
    G = np.array([[0.5, 40.0], [0.0, 1.0]])
    found = of(RateModel(({SIGMA: G},), np.ones(2)), 0.0, sigma=1.0)
    expected = max(np.linalg.norm(expm(-t * G), 2) for t in np.linspace(0.0, 4.0, 4001))
    assert found.amplification == pytest.approx(expected, rel=1e-3)
    assert expected > 5.0


def test_a_total_derivative_that_returns_is_no_growth() -> None:
    # -c g dg/dt gives on the second pulse what it takes on the first, and does not decay.
    c, q = 0.7, 2.0
    energy = Energy(({(0, 0, 0): np.ones(1)}, {}, {GG: np.array([c])}))
    model = scalar({}, {}, {GP: c}, energy=energy)
    found = of(model, q)
    assert found.growth == pytest.approx(0.0, abs=1e-15)
    assert found.amplification == 1.0
    assert model.signal(WAVEFORM, q, 1.0, 0.0) == pytest.approx(1.0, abs=1e-9)
    # Not so in the plain norm of the masses, in which it grows on one pulse.
    plain = of(scalar({}, {}, {GP: c}), q)
    assert plain.amplification == pytest.approx(np.exp(c * q**2 / 2), rel=1e-3)
    assert plain.growth == pytest.approx(c * q**2 / WAVEFORM.delta, rel=1e-3)


@pytest.mark.parametrize("D", [40.0, 400.0])
def test_growth_close_to_the_echo_alone_is_found(D: float) -> None:
    # mu = -c g dg/dt - D g^2 is positive for |g| < c |dg/dt| / D on the second pulse: the last
    # per cents of a pulse, where no node of a coarse grid may lie.
    c, q = 2.0, 1.0
    model = scalar({GG: -D, GP: c})
    p = q / WAVEFORM.delta
    width = c / D  # of the end of the pulse (ms)
    assert width / WAVEFORM.delta < 0.02
    found = of(model, q)
    assert found.growth == pytest.approx((c * p) ** 2 / (4 * D), rel=1e-3)
    log = c * (p * width) ** 2 / 2 - D * p**2 * width**3 / 3
    assert np.log(found.amplification) == pytest.approx(log, rel=1e-2, abs=2e-4)
    # Sampled at 17 instants, as evenly as they come, there is none.
    even = np.linspace(0.0, WAVEFORM.delta, 17)[:-1]
    g = p * (WAVEFORM.delta - even)
    assert np.all(c * g * p - D * g**2 < 0.0)


def test_growth_far_beyond_numbers_is_the_largest_factor() -> None:
    for rate in (400.0, 4e7):
        found = of(scalar({GG: rate}), 3.0)
        assert found.amplification == LARGEST_FACTOR
        assert found.growth == pytest.approx(9.0 * rate)


def brute(model: RateModel, waveform: Waveform, q: float, period: float, sigma: float) -> float:
    """The largest singular value from s to t, of exponentials over short times."""
    steps = []
    for segment in waveform.segments:
        times = np.linspace(0.0, segment.duration, 161)
        h = times[1]
        jets = q * segment.jet(times, model.n_derivatives)
        scale = np.exp(model.weights(jets, period, sigma)[0] / 2)
        middle = q * segment.jet(times[:-1] + h / 2, model.n_derivatives)
        P = expm(-h * model.matrix(middle, period, sigma))
        steps.append(scale[1:, :, None] * P / scale[:-1, None, :])
    P = np.concatenate(steps)
    worst, product = 1.0, P
    for length in range(1, len(P) + 1):
        worst = max(worst, float(np.linalg.norm(product, 2, axis=(1, 2)).max()))
        product = P[length:] @ product[: len(P) - length]
    return worst


@pytest.mark.parametrize(
    ("waveform", "q"),
    [
        (Pgse(5.0, 9.0), 0.62),
        (TrapezoidalPgse(3.0, 8.0, 1.0), 0.65),
        (SineOgse(6.0, 8.0, 2.0), 0.8),
    ],
)
def test_the_factor_is_that_of_brute_force(waveform: Waveform, q: float) -> None:
    (model,) = build_models(LARGE_DISC.operators(0), (0.0, 1.0), ["R2"])
    found = model.stability(waveform, q, 10.0, 0.02)
    expected = brute(model, waveform, q, 10.0, 0.02)
    assert 1.05 < expected < 1e3
    assert found.amplification == pytest.approx(expected, rel=3e-3)


@dataclass(frozen=True)
class _Cut(Waveform):
    """The PGSE of 5 ms and 9 ms, cut into segments at some times."""

    kind = "cut"

    times: tuple[float, ...]

    def shape(self) -> tuple[Segment, ...]:
        g = np.interp(self.times, [0.0, 5.0, 9.0, 14.0], [0.0, 1.0, 1.0, 0.0])
        knots = list(pairwise(zip(self.times, g.tolist(), strict=True)))
        return tuple(ramp(after - before, (a,), (b,)) for (before, a), (after, b) in knots)


@pytest.mark.parametrize("pieces", [70, 100, 300])
def test_a_waveform_in_many_segments_has_the_factor_of_that_in_a_few(pieces: int) -> None:
    # Numbers of pieces are not compared then, but segments are themselves pieces.
    (model,) = build_models(LARGE_DISC.operators(0), (0.0, 1.0), ["R2"])
    whole, T = Pgse(5.0, 9.0), 14.0
    times = np.unique([0.0, 5.0, 9.0, T, *np.linspace(0.0, T, pieces)])
    cut = _Cut(tuple(times.tolist()))
    assert len(cut.segments) > 62
    q = np.array([0.62, 0.75])
    expected = model.stability(whole, q, 10.0, 0.02)
    found = model.stability(cut, q, 10.0, 0.02)
    assert np.all(expected.amplification > 1.05)
    np.testing.assert_allclose(found.growth, expected.growth, rtol=1e-3)
    np.testing.assert_allclose(found.amplification, expected.amplification, rtol=3e-3)


@pytest.mark.parametrize("order", [0, 2, 3])
def test_points_are_judged_each_on_its_own(order: int) -> None:
    model = expand(LARGE_DISC.operators(0), (0.0, 1.0), order).model
    waveform = Pgse(5.0, 25.0)
    q, period = np.array([0.1, 0.7, 1.5])[:, None], np.array([3.0, 10.0])
    table = model.stability(waveform, q, period, 0.01)
    assert table.growth.shape == table.amplification.shape == (3, 2)
    for i, j in np.ndindex(3, 2):
        alone = model.stability(waveform, q[i, 0], period[j], 0.01)
        assert alone.growth == pytest.approx(table.growth[i, j], rel=1e-3, abs=1e-12)
        assert alone.amplification == pytest.approx(table.amplification[i, j], rel=3e-3)


@pytest.mark.parametrize("batch", [1, 300, 2**12])
def test_batches_do_not_matter_however_large_one_piece_is(
    batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of many compartments the matrices of one piece of time are more than a batch holds.
    (model,) = build_models(LARGE_DISC.operators(0), (0.0, 1.0), ["R2"])
    at = Pgse(5.0, 9.0), np.array([0.2, 0.62]), 10.0, 0.02
    expected = model.stability(*at)
    monkeypatch.setattr(stability, "_BATCH", batch)
    found = model.stability(*at)
    np.testing.assert_allclose(found.growth, expected.growth, rtol=1e-12)
    np.testing.assert_allclose(found.amplification, expected.amplification, rtol=1e-9)
    assert expected.amplification[1] > 1.05


def test_gradients_of_two_components_have_an_energy() -> None:
    # A turn of the gradients within the plane: the energy of fields along x alone says the same.
    operators = LARGE_DISC.operators(0)
    line = expand(operators, (1.0, 0.0), 2).model
    plane = expand(operators, np.eye(2), 2).model
    for q in (0.3, 0.8):
        pulses = DoublePgse(5.0, 12.0, 1.0, 0.0)
        both = plane.stability(pulses, q, 10.0, 0.005)
        single = _single(line, pulses, q)
        assert both.growth == pytest.approx(single.growth, rel=1e-3, abs=1e-12)
        assert both.amplification == pytest.approx(single.amplification, rel=3e-3)


def _single(model: RateModel, waveform: Waveform, q: float) -> Stability:
    """The first component of a waveform that has no other."""
    from torrey.gradients.waveforms.segments import Segment

    class Along(Waveform):
        kind = "along"

        def shape(self) -> tuple[Segment, ...]:
            return tuple(
                Segment(s.duration, tuple(c[:1] for c in s.coefficients)) for s in waveform.segments
            )

    return model.stability(Along(), q, 10.0, 0.005)


def test_without_exchange_growth_is_that_of_the_second_order_exponent() -> None:
    """KHM19 (19): D g^2 + L^2 B g^4 falls below zero on the plateau first."""
    model = expand(DISC.operators(0), (0.0, 1.0), 2).model
    D, B = -model.rates[0][GG][0, 0], model.rates[2][4, 0, 0][0, 0]
    assert B < 0.0 < D
    period = 10.0
    edge = np.sqrt(-D / B) / period
    waveform = Pgse(2.5, 5.0)
    for factor in (0.999, 1.05):
        found = model.stability(waveform, factor * edge, period, 0.0)
        g = factor * edge
        rate = -(D * g**2 + period**2 * B * g**4)
        assert found.growth == pytest.approx(max(0.0, rate), rel=1e-3, abs=1e-12)
        # What grows on the plateau and on the parts of the ramps where |g| is large enough.
        t = np.linspace(0.0, 1.0, 100001)
        ramp = -(D * (g * t) ** 2 + period**2 * B * (g * t) ** 4)
        log = 2.5 * rate + 2 * 2.5 * np.mean(np.maximum(ramp, 0.0)) if rate > 0 else 0.0
        assert np.log(found.amplification) == pytest.approx(log, abs=2e-3)


def test_jumps_of_the_gradient_alone_do_not_count_as_growth() -> None:
    # From order 4 on masses jump above the true ones, and lose that soon after: signals are good.
    operators = DISC.operators(0)
    waveform, q = Pgse(5.0, 15.0), Pgse(5.0, 15.0).q_of_b(0.85)
    r4, p7 = build_models(operators, (0.0, 1.0), ["R4", "P7"])
    jump = r4.jump(None, q * waveform.segments[0].jet(0.0, r4.n_derivatives), 8.0, 0.02)
    assert np.linalg.norm(jump, 2) > 1.0002
    assert abs(r4.signal(waveform, q, 8.0, 0.02) - p7.signal(waveform, q, 8.0, 0.02)) < 2e-4
    assert r4.stability(waveform, q, 8.0, 0.02).amplification == 1.0
