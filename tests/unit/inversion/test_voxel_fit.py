"""Fits of measured tables: against other minimisers, and what they say of what they do not know."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import least_squares, minimize
from scipy.stats import rice

from torrey.base.errors import InputError
from torrey.base.stored import group_of
from torrey.inversion.criteria import criteria, criterion_weights
from torrey.inversion.likelihood import likelihood, mean_magnitude
from torrey.inversion.measured import protocol_of_columns
from torrey.inversion.noise import add_noise
from torrey.inversion.table_models import table_model, table_signals
from torrey.inversion.voxel_fit import STATUS, fit_table

B = np.array([0.0, 0.3, 0.8, 1.5, 2.5, 4.0])
TABLE = protocol_of_columns(np.tile(B, 3), 8.0, np.repeat([15.0, 35.0, 80.0], len(B)))
SHELLS = protocol_of_columns(np.tile(2.0 * B, 3), 8.0, np.repeat([15.0, 35.0, 80.0], 6), weights=30)
KARGER, STICKS = [2.2, 0.4, 0.4, 40.0], [2.2, 0.9, 0.5, 25.0]


def noisy(model, table, truth, sigma, count, noise="gaussian", seed=2):
    signal = np.repeat(table_signals(model, table, truth), count, axis=0)
    generator = np.random.default_rng(seed)
    each = int(table.weights[0])
    return np.mean([add_noise(signal, noise, sigma, generator) for _ in range(each)], axis=0)


def test_exact_signals_give_their_parameters_in_any_units():
    signals = np.outer([1.0, 730.0], table_signals("karger", TABLE, KARGER)[0])
    found = fit_table("karger", TABLE, signals)
    assert found.estimate == pytest.approx(np.array([KARGER, KARGER]), rel=1e-4)
    assert found.amplitude[:, 0] == pytest.approx([1.0, 730.0], rel=1e-6)
    assert found.status.tolist() == [0, 0]
    assert (found.misfit < 1e-6 * found.amplitude[:, 0]).all()


def test_minima_are_those_of_a_trust_region_method():
    y = noisy("karger", TABLE, KARGER, 0.01, 4)
    found = fit_table("karger", TABLE, y, 0.01)
    evaluate = table_model("karger").prepare(TABLE)
    for row in range(len(y)):
        other = least_squares(
            lambda x, row=row: (x[4] * evaluate(x[None, :4], False)[0][0] - y[row]) / 0.01,
            [*KARGER, 1.0],
            x_scale=[1.0, 1.0, 1.0, 40.0, 1.0],
            bounds=([0.02, 0.02, 0.005, 1.0, 0.0], [3.5, 3.5, 0.995, 1000.0, 9.0]),
            xtol=1e-12,
            ftol=1e-12,
        )
        error = np.sqrt(np.diag(np.linalg.inv(other.jac.T @ other.jac)))
        away = (found.estimate[row] - other.x[:4]) / error[:4]
        assert np.abs(away).max() < 2e-3
        assert found.standard_error[row] == pytest.approx(error[:4], rel=5e-3)
        assert found.amplitude_error[row, 0] == pytest.approx(error[4], rel=5e-3)


def test_a_voxel_does_not_depend_on_its_neighbours():
    y = noisy("nexi", SHELLS, STICKS, 0.02, 7)
    together = fit_table("nexi", SHELLS, y, 0.02, intervals=True)
    alone = fit_table("nexi", SHELLS, y[3], 0.02, intervals=True)
    assert together.estimate[3] == pytest.approx(alone.estimate[0], rel=1e-9)
    assert together.interval[3] == pytest.approx(alone.interval[0], rel=1e-6)


def test_profiles_end_where_the_deviance_does():
    y = noisy("karger", TABLE, KARGER, 0.004, 1)
    found = fit_table("karger", TABLE, y, 0.004, intervals=True)
    best = found.log_likelihood[0]
    for name in ("D_c", "t_ex"):
        i = found.names.index(name)
        low, high = found.interval[0, i]
        assert low < found.estimate[0, i] < high
        for end in (low, high):
            held = fit_table("karger", TABLE, y, 0.004, fixed={name: end})
            assert 2.0 * (best - held.log_likelihood[0]) == pytest.approx(3.8415, rel=0.02)


def test_curves_are_the_deviance_with_a_parameter_held():
    y = noisy("karger", TABLE, KARGER, 0.004, 1)
    found = fit_table("karger", TABLE, y, 0.004, intervals=True, curves=True)
    best = found.log_likelihood[0]
    for name in ("D_c", "t_ex"):
        i = found.names.index(name)
        held, height = found.profile_value[0, i], found.profile_height[0, i]
        assert np.all(np.diff(held) > 0.0)
        middle = len(held) // 2
        assert held[middle] == pytest.approx(found.estimate[0, i])
        assert height[middle] == 0.0
        # The curve goes on beyond the ends of the interval.
        assert held[[1, -2]] == pytest.approx(found.interval[0, i])
        assert height[[1, -2]] == pytest.approx(1.0, rel=0.01)
        for point in (0, 2, -1):
            other = fit_table("karger", TABLE, y, 0.004, fixed={name: held[point]})
            deviance = 2.0 * (best - other.log_likelihood[0])
            assert deviance == pytest.approx(3.8415 * height[point], rel=0.02)


def test_a_curve_without_an_end_goes_to_the_bound():
    y = noisy("karger", TABLE, [2.2, 0.4, 0.4, 1e6], 0.003, 1, seed=4)
    found = fit_table("karger", TABLE, y, 0.003, intervals=True, curves=True)
    time = found.names.index("t_ex")
    assert found.profile_value[0, time, -1] == pytest.approx(1000.0)
    assert found.profile_height[0, time, -1] < 1.0
    plain = fit_table("karger", TABLE, y, 0.003, intervals=True)
    assert plain.profile_value is None
    np.testing.assert_array_equal(plain.interval, found.interval)


def test_what_signals_do_not_say_is_missing():
    # Without a share of sticks there is nothing to exchange.
    signals = 0.8 * np.exp(-SHELLS.b)
    found = fit_table("nexi", SHELLS, signals, 0.01, intervals=True)
    time = found.names.index("t_ex")
    assert found.status[0] == 1
    assert not found.identifiable[0, time]
    assert np.isnan(found.estimate[0, time])
    assert np.isnan(found.standard_error[0, time])
    assert np.isnan(found.interval[0, time]).all()
    # A single time, small b: of D_e, D_c and f one number is known.
    small = protocol_of_columns(np.linspace(0.0, 0.1, 9), 2.0, 10.0)
    blind = fit_table("karger", small, np.exp(-small.b), 0.01)
    assert not blind.identifiable[0].any()
    assert blind.amplitude[0, 0] == pytest.approx(1.0, abs=1e-3)


def test_no_exchange_has_one_end():
    truth = [2.2, 0.4, 0.4, 1e6]
    y = noisy("karger", TABLE, truth, 0.003, 1, seed=4)
    found = fit_table("karger", TABLE, y, 0.003, intervals=True)
    time = found.names.index("t_ex")
    low, high = found.interval[0, time]
    assert 100.0 < low < 1000.0
    assert np.isinf(high)


def test_bad_voxels_are_marked_and_others_fitted():
    y = noisy("karger", TABLE, KARGER, 0.01, 5)
    y[1, 3] = np.nan
    y[2] = 0.0
    sigma = np.full(5, 0.01)
    sigma[3] = 0.0
    found = fit_table("karger", TABLE, y, sigma)
    assert found.status.tolist()[1:4] == [3, 3, 4]
    assert all(0 <= status < len(STATUS) for status in found.status)
    assert np.isnan(found.estimate[1:4]).all()
    good = fit_table("karger", TABLE, y[[0, 4]], 0.01)
    assert found.estimate[[0, 4]] == pytest.approx(good.estimate, rel=1e-9, nan_ok=True)


def test_unknown_noise_is_that_of_the_misfit():
    y = noisy("karger", TABLE, KARGER, 0.01, 30)
    found, known = fit_table("karger", TABLE, y), fit_table("karger", TABLE, y, 0.01)
    assert found.estimate == pytest.approx(known.estimate, rel=1e-2, nan_ok=True)
    # chi-squared of 13 over 13, a mean of 30: 7 %.
    assert np.mean(found.noise**2) == pytest.approx(1e-4, rel=0.22)
    ratio = found.standard_error / known.standard_error
    assert ratio[:, 2] == pytest.approx(found.noise / 0.01, rel=0.02)


def test_fixed_parameters_bounds_and_echo_times():
    signals = table_signals("nexi", SHELLS, STICKS)[0]
    TE = np.where(SHELLS.Delta > 40.0, 110.0, 60.0)
    table = protocol_of_columns(SHELLS.b, SHELLS.delta, SHELLS.Delta, TE=TE)
    found = fit_table("nexi", table, signals * np.where(TE > 100.0, 0.4, 0.7), fixed={"D_i": 2.2})
    assert found.names == ("D_e", "f", "t_ex")
    assert found.estimate[0] == pytest.approx(STICKS[1:], rel=1e-4)
    assert found.amplitude[0] == pytest.approx([0.7, 0.4], rel=1e-5)
    cut = fit_table("nexi", SHELLS, signals, 0.01, bounds={"t_ex": (1.0, 10.0)})
    time = cut.names.index("t_ex")
    assert cut.at_bound[0, time]
    assert cut.estimate[0, time] == pytest.approx(10.0)
    assert np.isnan(cut.standard_error[0, time])


def test_the_faster_compartment_is_the_outside_wherever_the_bounds_allow_it():
    y = table_signals("karger", TABLE, KARGER)
    for fixed in ({}, {"t_ex": 40.0}):
        found = fit_table("karger", TABLE, y, 0.01, fixed=fixed, starts=1, seed=5)
        assert found.estimate[0, :3] == pytest.approx(KARGER[:3], rel=1e-3)
    slow = fit_table("karger", TABLE, y, 0.01, fixed={"D_e": 0.4})
    assert slow.estimate[0] == pytest.approx([2.2, 0.6, 40.0], rel=1e-3)


def test_magnitudes_have_a_floor():
    # At b = 8 nothing is left but the floor; least squares takes it for slow water.
    y = noisy("karger", TABLE, [2.2, 0.3, 0.3, 30.0], 0.1, 30, "rician")
    table = protocol_of_columns(TABLE.b, 8.0, TABLE.Delta, weights=1.0)
    share = [
        np.nanmean(fit_table("karger", table, y, 0.1, kind, fixed={"t_ex": 30.0}).amplitude)
        for kind in ("rician", "gaussian")
    ]
    assert abs(share[0] - 1.0) < 0.05
    many = protocol_of_columns(SHELLS.b, 8.0, SHELLS.Delta, weights=60)
    means = noisy("nexi", many, STICKS, 0.05, 20, "rician")
    fits = [fit_table("nexi", many, means, 0.05, kind) for kind in ("rician", "gaussian")]
    bias = [np.nanmean(fit.estimate[:, 2]) - STICKS[2] for fit in fits]
    assert abs(bias[0]) < 0.03
    assert abs(bias[1]) > 2.0 * abs(bias[0])


@pytest.mark.parametrize("weight", [1.0, 9.0])
@pytest.mark.parametrize("noise", ["gaussian", "rician"])
def test_slopes_and_information_of_likelihoods(noise, weight):
    A = np.array([[0.05, 0.7, 2.0, 6.0, 40.0]])
    y, sigma, weights = A + 0.3, np.full(A.shape, 0.5), np.full(A.shape[1], weight)
    _, slope, information = likelihood(noise, y, A, sigma, weights)
    up, down = (likelihood(noise, y, A + h, sigma, weights)[0] for h in (1e-6, -1e-6))
    assert slope == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-7)
    assert (information > 0.0).all()


def test_the_law_of_a_magnitude():
    A, sigma = np.array([[0.0, 0.4, 1.0, 3.0]]), np.full((1, 4), 0.5)
    y = np.array([[0.3, 0.8, 0.9, 3.2]])
    value, _, information = likelihood("rician", y, A, sigma, np.ones(4))
    assert value == pytest.approx(-rice.logpdf(y, A / 0.5, scale=0.5))
    assert mean_magnitude(A / 0.5)[0] * 0.5 == pytest.approx(rice.mean(A / 0.5, scale=0.5))
    for i in (1, 2, 3):
        a = A[0, i]

        def square(x, a=a):
            args = np.array([[x]]), np.array([[a]]), np.array([[0.5]]), np.ones(1)
            return likelihood("rician", *args)[1][0, 0] ** 2 * rice.pdf(x, a / 0.5, scale=0.5)

        expected = quad(square, 0.0, a + 5.0)[0]
        assert information[0, i] == pytest.approx(expected, rel=2e-3)


def test_a_minimum_of_magnitudes_is_that_of_another_method():
    y = noisy("karger", TABLE, KARGER, 0.05, 1, "rician")[0]
    evaluate = table_model("karger").prepare(TABLE)
    fixed = {"D_e": 2.2, "t_ex": 40.0}
    found = fit_table("karger", TABLE, y, 0.05, "rician", fixed=fixed)

    def value(x):
        signal = x[2] * evaluate(np.array([[2.2, x[0], x[1], 40.0]]), False)[0]
        return -rice.logpdf(y, signal[0] / 0.05, scale=0.05).sum()

    other = minimize(value, [0.4, 0.4, 1.0], method="Nelder-Mead", options={"xatol": 1e-7})
    assert -found.log_likelihood[0] == pytest.approx(other.fun, abs=1e-5)
    error = found.standard_error[0]
    assert np.abs((found.estimate[0] - other.x[:2]) / error).max() < 0.01


def test_criteria_find_the_model_that_made_the_signals():
    y = noisy("smex", SHELLS, STICKS, 0.02, 12)
    fits = [fit_table(name, SHELLS, y, 0.02) for name in ("karger", "smex")]
    weights = criterion_weights([fit.bic for fit in fits])
    assert weights.sum(axis=0) == pytest.approx(1.0)
    assert (weights[1] > 0.5).mean() > 0.9
    one = criteria(-3.0, 4, 20)
    assert one["aic"] == pytest.approx(14.0)
    assert one["aicc"] == pytest.approx(14.0 + 40.0 / 15.0)
    assert one["bic"] == pytest.approx(4.0 * np.log(20.0) + 6.0)
    assert np.isinf(criteria(-3.0, 4, 5)["aicc"])


def test_results_can_be_stored():
    fit = fit_table("karger", TABLE, noisy("karger", TABLE, KARGER, 0.01, 2), intervals=True)
    group = group_of(fit, voxel=("voxel",))
    assert group["estimate"].dims == ("voxel", "parameter")
    assert {"interval", "status", "bic", "parameter_unit"} <= set(group)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"noise": "rice"}, "gaussian or rician"),
        ({"noise": "rician"}, "Rician noise without sigma"),
        ({"fixed": {"R": 1.0}}, "fixed.R"),
        ({"bounds": {"f": (0.5, 0.2)}}, "bounds.f"),
        ({"bounds": {"t_ex": (0.0, 20.0)}}, "above zero"),
        ({"bounds": {"f": (0.2, 80.0)}}, "bounds.f: found 80, accepted: .* 0 to 1$"),
        ({"fixed": {"D_e": -1.0}}, "fixed.D_e: found -1, accepted: .* at least 0 um2 ms-1$"),
        ({"fixed": dict(zip(("D_e", "D_c", "f", "t_ex"), KARGER, strict=True))}, "no parameter"),
        ({"signals": np.ones((2, 3))}, "signals of shape"),
    ],
)
def test_what_cannot_be_fitted_is_refused(arguments, words):
    given = {"signals": np.ones((2, len(TABLE)))} | arguments
    with pytest.raises(InputError, match=words):
        fit_table("karger", TABLE, **given)
    with pytest.raises(InputError, match="4 rows"):
        fit_table("karger", TABLE.rows(range(4)), np.ones((1, 4)), 0.1)
