"""Step functions of gradients: levels, times, b-values."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.bloch.sampling import RULES, sample
from torrey.gradients.waveforms import CosineOgse, DoublePgse, Pgse, TrapezoidalPgse

PGSE = Pgse(4.0, 7.0)
TRAPEZOID = TrapezoidalPgse(4.0, 9.0, 1.0)
COSINE = CosineOgse(10.0, 14.0, 2.0)
WAVEFORMS = [PGSE, TRAPEZOID, COSINE]


def value_at(steps, t):
    return steps.levels[np.searchsorted(steps.times, t, side="right") - 1]


@pytest.mark.parametrize("waveform", WAVEFORMS, ids=lambda w: w.kind)
@pytest.mark.parametrize("q", [1.0, 0.93])
def test_rules_are_what_they_say_at_every_time(waveform, q):
    pulse = 0.1
    t = np.random.default_rng(3).uniform(0.0, waveform.echo_time, 500)
    exact = q * waveform.sample(t, 0)[:, 0, 0]
    found = {rule: value_at(sample(waveform, q, pulse, rule, "sampled"), t) for rule in RULES}
    np.testing.assert_allclose(found["floor"], pulse * np.floor(exact / pulse + 1e-6), atol=1e-12)
    np.testing.assert_allclose(found["ceil"], pulse * np.ceil(exact / pulse - 1e-6), atol=1e-12)
    np.testing.assert_allclose(found["round"], pulse * np.round(exact / pulse), atol=1e-12)
    assert np.all(np.abs(found["midpoint"] - exact) < pulse)


@pytest.mark.parametrize("waveform", WAVEFORMS, ids=lambda w: w.kind)
@pytest.mark.parametrize("rule", RULES)
def test_steps_fill_the_waveform_and_mirror_it(waveform, rule):
    steps = sample(waveform, 0.93, 0.05, rule)
    assert np.all(steps.durations > 0.0)
    np.testing.assert_allclose(steps.durations.sum(), waveform.echo_time, rtol=1e-12)
    assert steps.symmetric == (waveform.symmetry == 1)


def test_pulses_of_midpoint_lie_between_those_of_floor_and_ceil():
    floor, ceil, mid = (
        sample(TRAPEZOID, 1.0, 0.1, rule, "sampled") for rule in ("floor", "ceil", "midpoint")
    )
    rising = slice(1, 11)
    between = (np.append(floor.times[1:10], floor.times[10]) + np.append(0.0, ceil.times[1:10])) / 2
    np.testing.assert_allclose(mid.times[rising], between, rtol=1e-10)


def test_midpoint_and_round_are_one_where_the_gradient_is_constant():
    rounded, midpoint = (sample(PGSE, 1.0, 0.1, rule) for rule in ("round", "midpoint"))
    np.testing.assert_allclose(midpoint.levels, rounded.levels)
    np.testing.assert_allclose(midpoint.times, rounded.times, atol=1e-12)


def test_the_first_narrow_pulse_of_a_constant_gradient_is_half_as_far_as_the_next():
    steps = sample(Pgse(4.0, 4.0), 1.0, 0.25, "round")
    np.testing.assert_allclose(steps.levels, [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0])
    np.testing.assert_allclose(steps.durations, [0.5, 1, 1, 1, 1, 1, 1, 1, 0.5])


@pytest.mark.parametrize("rule", ["round", "midpoint"])
def test_the_b_value_converges_with_the_square_of_the_pulse(rule):
    q, gradient_on = 0.8, 2 * PGSE.delta
    for count in (4, 9, 20):
        pulse = q / count
        missing = sample(PGSE, q, pulse, rule).b - PGSE.b_value(q)
        np.testing.assert_allclose(missing, pulse**2 * gradient_on / 6, rtol=1e-9)


@pytest.mark.parametrize("waveform", WAVEFORMS, ids=lambda w: w.kind)
@pytest.mark.parametrize("count", [11, 60])
def test_round_reproduces_the_b_value_best(waveform, count):
    exact = waveform.b_value(1.0)
    error = {rule: abs(sample(waveform, 1.0, 1 / count, rule).b - exact) for rule in RULES}
    assert error["round"] <= error["midpoint"] * (1 + 1e-6)
    assert error["round"] < min(error["floor"], error["ceil"])


def test_a_plateau_between_two_levels_is_a_level_of_its_own():
    q = 0.93
    explicit = sample(PGSE, q, 0.1, "round", "explicit")
    sampled = sample(PGSE, q, 0.1, "round", "sampled")
    off = PGSE.Delta - PGSE.delta
    assert q in explicit.levels
    assert q not in sampled.levels
    exact = PGSE.b_value(q)
    assert abs(sampled.b - exact) > 0.5 * off * abs(0.9**2 - q**2)
    assert abs(explicit.b - exact) < 0.02 * abs(sampled.b - exact) + 0.1**2 * PGSE.delta / 3


def test_negative_wave_numbers_are_sampled_too():
    steps = sample(COSINE, 1.0, 0.2)
    assert steps.levels.min() < 0.0 < steps.levels.max()


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="2 components"):
        sample(DoublePgse(2.0, 4.0, 1.0, 90.0), 1.0, 0.1)
    with pytest.raises(ValueError, match="above zero"):
        sample(PGSE, 1.0, 0.0)
    with pytest.raises(ValueError, match="floor, ceil, round, midpoint"):
        sample(PGSE, 1.0, 0.1, "nearest")
    with pytest.raises(ValueError, match="explicit, sampled"):
        sample(PGSE, 1.0, 0.1, "round", "exact")
