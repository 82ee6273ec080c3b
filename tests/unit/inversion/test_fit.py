"""Fits of the exchange model: what they recover, what they cannot, and what they say of it."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import Pgse
from torrey.inversion.fit import (
    InversionError,
    best,
    draw_starts,
    fit,
    fit_from,
    identify,
    noise_of,
)
from torrey.inversion.noise import Noise, add_noise, bias_and_spread, repeat
from torrey.inversion.problem import KargerProblem, Pinned
from torrey.inversion.profiles import BORDER, profile
from torrey.inversion.study import Data, Options, fit_karger
from torrey.models.karger import Exchange, FinitePulseKarger

AXES = ((1.0, 0.0), (0.0, 1.0))
OBLIQUE = (*AXES, (np.sqrt(0.5), np.sqrt(0.5)))
TRUTH = Exchange(0.6, 0.2, 0.75, np.array([[0.9, 0.0], [0.0, 1.1]]))
TURNED = Exchange(0.6, 0.2, 0.75, np.array([[0.9, 0.15], [0.15, 1.1]]))


def measurements(directions=AXES):
    pairs = [(3.5, 5.0), (2.75, 12.5)]
    return tuple(
        Measurement(Pgse(*pair), q, n)
        for pair in pairs
        for q in np.linspace(0.15, 1.3, 7)
        for n in directions
    )


def problem(directions=AXES, **options):
    return KargerProblem(FinitePulseKarger(measurements(directions)), **options)


def signals(karger, parameters=TRUTH):
    return karger.model.signal(parameters)


# ---- what is recovered ----


@pytest.mark.parametrize("constraint", [False, True])
def test_model_signals_give_the_truth_from_every_start(constraint):
    karger = problem(constraint=constraint)
    truth = karger.reduce(TRUTH)
    starts = draw_starts(karger, truth, 6, 0.5, seed=3)
    for one in fit_from(karger, signals(karger), starts):
        assert one.converged
        np.testing.assert_allclose(one.estimate, truth, rtol=0.0, atol=1e-7)


def test_a_tensor_off_the_axes_is_recovered_from_a_third_direction():
    karger = problem(OBLIQUE, symmetric=True)
    assert karger.names[3:] == ("D_e_xx", "D_e_xy", "D_e_yy")
    start = karger.reduce(Exchange(0.5, 0.25, 0.6, np.eye(2)))
    found = fit(karger, signals(karger, TURNED), start)
    np.testing.assert_allclose(found.estimate, karger.reduce(TURNED), rtol=0.0, atol=1e-7)


def test_the_same_seed_gives_the_same_starts_and_more_starts_begin_with_the_fewer():
    karger = problem()
    truth = karger.reduce(TRUTH)
    few, many = (draw_starts(karger, truth, n, 0.5, seed=5) for n in (3, 7))
    np.testing.assert_array_equal(few, many[:3])
    other = draw_starts(karger, truth, 3, 0.5, seed=6)
    assert not np.allclose(few, other)


def test_starts_lie_within_the_spread_and_the_bounds():
    karger = problem()
    truth = karger.reduce(TRUTH)
    starts = np.array(draw_starts(karger, truth, 200, 0.5, seed=1))
    assert np.all(np.abs(starts - truth) <= 0.5 * np.abs(truth) + 1e-12)
    lower, upper = karger.bounds
    assert np.all((starts > lower) & (starts < upper))
    # The share of 0.75 would reach 1.125.
    assert starts[:, 2].max() > 0.95


# ---- what is not ----


def test_entries_off_the_diagonal_are_not_seen_along_axes():
    karger = problem()
    start = karger.reduce(Exchange(0.5, 0.25, 0.6, np.array([[1.0, 0.3], [-0.2, 1.0]])))
    found = fit(karger, signals(karger), start)
    known = identify(karger, found.estimate, found.jacobian)
    assert dict(zip(karger.names, known.identifiable, strict=True)) == {
        "eta_e": True,
        "eta_c": True,
        "theta_c": True,
        "D_e_xx": True,
        "D_e_xy": False,
        "D_e_yx": False,
        "D_e_yy": True,
    }
    np.testing.assert_array_equal(found.estimate[4:6], [0.3, -0.2])
    np.testing.assert_array_equal(np.isinf(known.standard_errors), ~known.identifiable)
    assert np.sum(known.singular_values > 1e-10 * known.singular_values[0]) == 5


def test_of_mirrored_entries_the_sum_alone_is_seen():
    karger = problem(OBLIQUE)
    start = karger.reduce(Exchange(0.5, 0.25, 0.6, np.array([[1.0, 0.3], [-0.2, 1.0]])))
    found = fit(karger, signals(karger, TURNED), start)
    xy, yx = found.estimate[4:6]
    assert xy + yx == pytest.approx(0.3, abs=1e-7)
    assert xy - yx == pytest.approx(0.5, abs=1e-12)
    known = identify(karger, found.estimate, found.jacobian)
    assert not known.identifiable[4:6].any()
    assert known.identifiable[[0, 1, 2, 3, 6]].all()


def test_the_constraint_leaves_out_the_share_and_it_follows():
    karger = problem(constraint=True)
    assert "theta_c" not in karger.names
    x = karger.reduce(TRUTH)
    assert karger.complete(x)[2] == pytest.approx(0.6 / 0.8)
    signal, jacobian = karger.evaluate(x)
    np.testing.assert_allclose(signal, signals(karger), rtol=1e-12)
    for i, h in enumerate(1e-5 * x):
        step = np.zeros_like(x)
        step[i] = h or 1e-5
        change = karger.evaluate(x + step)[0] - karger.evaluate(x - step)[0]
        np.testing.assert_allclose(jacobian[:, i], change / (2 * step[i]), rtol=0.0, atol=1e-8)


def test_the_error_of_the_share_follows_from_those_of_the_rates():
    karger = problem(constraint=True)
    x = karger.reduce(TRUTH)
    covariance = identify(karger, x, karger.evaluate(x)[1]).covariance
    errors = karger.complete_errors(x, covariance)
    generator = np.random.default_rng(0)
    rates = generator.multivariate_normal(x[:2], 1e-6 * covariance[:2, :2], size=40_000)
    spread = np.std(rates[:, 0] / rates.sum(axis=1))
    assert 1e-3 * errors[2] == pytest.approx(spread, rel=0.02)
    assert np.isinf(errors[4])
    assert np.isinf(errors[5])


# ---- errors ----


def test_standard_errors_are_the_spread_of_repeated_experiments():
    karger = problem(constraint=True)
    x = karger.reduce(TRUTH)
    known = identify(karger, x, karger.evaluate(x)[1])
    noise = Noise("gaussian", (1e4,), repeats=60, seed=2)
    bias, spread = bias_and_spread(repeat(karger, signals(karger), x, noise), x)
    seen = known.identifiable
    expected = 1e-4 * known.standard_errors[seen]
    # A standard deviation of 60 draws is known to a tenth.
    np.testing.assert_allclose(spread[0, seen], expected, rtol=0.3)
    assert np.all(np.abs(bias[0, seen]) < 4 * expected / np.sqrt(60))


def test_the_misfit_tells_the_noise():
    karger = problem(constraint=True)
    x = karger.reduce(TRUTH)
    generator = np.random.default_rng(4)
    found = [
        noise_of(fit(karger, add_noise(signals(karger), "gaussian", 1e-3, generator), x))
        for _ in range(20)
    ]
    assert np.mean(found) == pytest.approx(1e-3, rel=0.1)


def test_rician_noise_lifts_small_signals():
    generator = np.random.default_rng(0)
    small = add_noise(np.zeros(100_000), "rician", 0.1, generator)
    assert small.min() > 0.0
    assert small.mean() == pytest.approx(0.1 * np.sqrt(np.pi / 2), rel=0.01)
    large = add_noise(np.ones(100_000), "rician", 0.01, generator)
    assert large.mean() == pytest.approx(1.0, abs=2e-4)


def test_profiles_are_parabolas_where_noise_is_small():
    karger = problem(constraint=True)
    x = karger.reduce(TRUTH)
    found = fit(karger, signals(karger), x)
    known = identify(karger, found.estimate, found.jacobian)
    noise = 1e-5
    likelihood = profile(karger, signals(karger), found, noise, points=7)
    for i in np.flatnonzero(known.identifiable):
        error = noise * known.standard_errors[i]
        expected = ((likelihood.values[i] - found.estimate[i]) / error) ** 2
        np.testing.assert_allclose(likelihood.deviance[i], expected, rtol=0.02, atol=1e-3)
        width = np.sqrt(BORDER) * error
        np.testing.assert_allclose(
            likelihood.interval[i], found.estimate[i] + np.array([-width, width]), rtol=1e-3
        )
    blind = ~known.identifiable
    assert np.isnan(likelihood.deviance[blind]).all()
    assert np.isinf(likelihood.interval[blind]).all()


def test_an_error_of_the_data_is_told_by_the_first_order():
    karger = problem(constraint=True)
    x = karger.reduce(TRUTH)
    error = 1e-6 * np.cos(np.arange(len(karger.model.measurements)))
    data = Data("reference", signals(karger) + error, np.full_like(error, 1e-9))
    result = fit_karger(karger, TRUTH, data, Options(starts=(1, 3)))
    bias = result.estimate(result.best_of(3)) - result.truth
    seen = result.problem.reduce_values(np.arange(7))[result.known.identifiable]
    np.testing.assert_allclose(bias[seen], result.predicted_bias[seen], rtol=2e-2, atol=1e-9)
    np.testing.assert_allclose(result.misfit, error, rtol=0.0, atol=1e-14)
    assert result.distance(0) == pytest.approx(
        np.abs(bias[seen] / karger.complete(karger.scale(x))[seen]).max(), rel=0.5
    )


# ---- a parameter that is held ----


def test_a_held_parameter_keeps_its_value_and_the_others_follow():
    karger = problem(constraint=True)
    x = karger.reduce(TRUTH)
    held = Pinned(karger, 1, 0.2)
    assert held.names == ("eta_e", "D_e_xx", "D_e_xy", "D_e_yx", "D_e_yy")
    found = fit(held, signals(karger), np.delete(1.1 * x, 1))
    np.testing.assert_allclose(held.fill(found.estimate)[[0, 1, 2, 5]], x[[0, 1, 2, 5]], rtol=1e-7)


# ---- refusals ----


def test_a_start_beyond_the_bounds_is_refused():
    karger = problem()
    start = karger.reduce(TRUTH)
    start[2] = 1.5
    with pytest.raises(InputError, match=r"theta_c = 1\.5"):
        fit(karger, signals(karger), start)


def test_data_that_are_not_finite_are_refused():
    karger = problem()
    data = signals(karger)
    data[3] = np.nan
    with pytest.raises(InputError, match="1 signals that are not finite"):
        fit(karger, data, karger.reduce(TRUTH))


def test_a_model_that_overflows_at_the_start_has_no_fit():
    class Overflows(KargerProblem):
        def evaluate(self, x):
            signal, jacobian = super().evaluate(x)
            return signal + np.inf, jacobian

    karger = Overflows(FinitePulseKarger(measurements()))
    with pytest.raises(InversionError, match="not finite"):
        fit(karger, np.ones(len(measurements())), karger.reduce(TRUTH))


def test_fewer_signals_than_parameters_tell_no_noise():
    karger = KargerProblem(FinitePulseKarger(measurements()[:4]))
    found = fit(karger, signals(karger), karger.reduce(TRUTH))
    with pytest.raises(InputError, match="more signals than parameters"):
        noise_of(found)


@pytest.mark.parametrize(
    "options",
    [("uniform", (10.0,), 5), ("rician", (0.0,), 5), ("rician", (10.0,), 1)],
)
def test_impossible_noise_is_refused(options):
    with pytest.raises(InputError):
        Noise(*options)


def test_the_best_fit_has_the_smallest_misfit():
    karger = problem()
    truth = karger.reduce(TRUTH)
    fits = fit_from(karger, signals(karger), draw_starts(karger, truth, 3, 0.5, 1))
    assert fits[best(fits)].residual == min(one.residual for one in fits)
