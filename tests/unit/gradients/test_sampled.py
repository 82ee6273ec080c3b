"""Waveforms of many samples: few segments, the same F, and an echo where the digits allow one."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.gradients.waveforms import SampledWaveform, TrapezoidalPgse, from_dict

NAMED = TrapezoidalPgse(10.0, 30.0, 0.3)
CORNERS = [0.0, 0.3, 10.0, 10.3, 30.0, 30.3, 40.0, 40.3]
TRAPEZOIDS = [0, 60, 60, 0, 0, -60, -60, 0]
TIME = 50.0


def sampled(times, G, digits=None, kind="gradient"):
    """A waveform of samples, of so many digits."""
    rounding = ()
    if digits is not None:
        G = np.round(G, digits)
        rounding = (0.5 * 10.0**-digits,) * G.shape[1]
    return SampledWaveform("w", kind, tuple(times), tuple(map(tuple, G)), rounding)


def cone(t):
    """G of g = sin^2(pi x) on a cone at the magic angle that turns once, evenly in b."""
    x = t / TIME
    size, growth = np.sin(np.pi * x) ** 2, np.pi / TIME * np.sin(2 * np.pi * x)
    turn = 2 * np.pi * x - 4 / 3 * np.sin(2 * np.pi * x) + np.sin(4 * np.pi * x) / 6
    rate = 2 * np.pi / TIME * 8 / 3 * np.sin(np.pi * x) ** 4
    c, s, across = np.cos(turn), np.sin(turn), np.sqrt(2 / 3)
    return 10 * np.stack(
        [
            across * (growth * c - size * rate * s),
            across * (growth * s + size * rate * c),
            np.sqrt(1 / 3) * growth,
        ],
        axis=1,
    )


def between_samples(times, G, t):
    """The integral of straight lines between samples, scaled, by a rule that is exact for them."""
    F = np.concatenate(
        [np.zeros((1, G.shape[1])), np.cumsum(np.diff(times)[:, None] * (G[1:] + G[:-1]) / 2, 0)]
    )
    i = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2)
    h, s = (times[i + 1] - times[i])[:, None], (t - times[i])[:, None]
    value = F[i] + s * G[i] + s**2 * (G[i + 1] - G[i]) / (2 * h)
    return value, F


def raster(step=0.01):
    t = np.round(np.arange(0.0, 40.3 + step / 2, step), 9)
    return t, np.interp(t, CORNERS, TRAPEZOIDS)[:, None]


# ---- straight lines ----


@pytest.mark.parametrize("digits", [None, 6])
def test_a_raster_of_straight_lines_is_what_its_name_is(digits):
    waveform = sampled(*raster(), digits)
    assert len(waveform.segments) == len(NAMED.segments) == 7
    assert [s.constant for s in waveform.segments] == [s.constant for s in NAMED.segments]
    assert [s.linear for s in waveform.segments] == [s.linear for s in NAMED.segments]
    assert waveform.symmetry == NAMED.symmetry == 1
    assert waveform.departure == 0.0
    assert waveform.notes == ""
    assert waveform.b_factor == pytest.approx(NAMED.b_factor, rel=1e-13)
    t = np.linspace(0.001, 40.299, 997)
    np.testing.assert_allclose(waveform.sample(t, 1), NAMED.sample(t, 1), atol=1e-12)


def test_rounded_ramps_are_followed_within_their_rounding():
    # The slope 60/0.37 has no end: few samples in a row lie on a line.
    t, _ = raster()
    corners = [0, 0.37, 10, 10.37, 30, 30.37, 40, 40.37]
    times = np.append(t, np.round(t[-1] + 0.01 * np.arange(1, 8), 9))
    waveform = sampled(times, np.interp(times, corners, TRAPEZOIDS)[:, None], 5)
    assert len(waveform.segments) < 20
    assert 0.0 < waveform.departure <= 1.01e-6
    named = TrapezoidalPgse(10.0, 30.0, 0.37)
    assert waveform.b_factor == pytest.approx(named.b_factor, rel=2e-6)
    rests = [s.duration for s in waveform.segments if s.constant]
    assert rests == [pytest.approx(30.0 - 10.37, abs=1e-9)]


def test_few_samples_are_joined_by_straight_lines_exactly():
    t = np.linspace(0.0, TIME, 16)
    G = np.sin(np.outer(t, [2, 4]) * np.pi / TIME)
    waveform = sampled(t, G)
    assert len(waveform.segments) == 15
    assert waveform.departure == 0.0
    at = np.random.default_rng(1).uniform(0, TIME, 500)
    value, _ = between_samples(t, G, at)
    F = waveform.sample(at, 0)[:, 0]
    scale = np.linalg.norm(F) / np.linalg.norm(value)
    np.testing.assert_allclose(F, scale * value, atol=1e-12)


def test_a_jump_between_samples_stays_a_jump():
    t, G = raster(0.1)
    jumps = np.sort(np.concatenate([t, [10.0, 30.0]]))
    values = np.where((jumps < 10.0) | (jumps == 10.0), 60.0, 0.0)
    values[np.flatnonzero(jumps == 10.0)[1]] = 0.0
    values[jumps > 30.0] = -60.0
    values[np.flatnonzero(jumps == 30.0)[1]] = -60.0
    values[jumps > 40.0 + 1e-9] = 0.0
    keep = jumps <= 40.0 + 1e-9
    waveform = sampled(jumps[keep], values[keep, None])
    assert [(s.duration, s.linear) for s in waveform.segments] == [
        (pytest.approx(10.0), True),
        (pytest.approx(20.0), True),
        (pytest.approx(10.0), True),
    ]


# ---- curves ----


@pytest.mark.parametrize(("digits", "most"), [(6, 10), (4, 10), (2, 60)])
def test_a_thousand_samples_are_a_few_curves_that_stay_on_them(digits, most):
    t = np.linspace(0.0, TIME, 1001)
    G = cone(t) / 0.5
    waveform = sampled(t, G, digits)
    assert len(waveform.segments) <= most
    assert 0.0 < waveform.departure <= 1.01e-5
    rounded = np.round(G, digits)
    at = np.random.default_rng(2).uniform(0, TIME, 20_000)
    value, F = between_samples(t, rounded, at)
    peak = np.linalg.norm(F, axis=1).max()
    far = np.linalg.norm(waveform.sample(at, 0)[:, 0] - value / peak, axis=1).max()
    # Both are scaled to a largest value of one, each by its own.
    assert far <= 2.0 * waveform.departure + waveform.residual
    assert np.abs(waveform.segments[-1].end).max() < 1e-13


@pytest.mark.parametrize(("odd", "count"), [(1, 1000), (1, 1001), (-1, 1000), (-1, 1001)])
def test_a_symmetric_waveform_stays_one(odd, count):
    # F = sin^2 and F = sin of two turns: forth as back, or with the opposite sign.
    t = np.linspace(0.0, TIME, count)
    G = np.sin(2 * np.pi * t / TIME) ** 3 if odd == 1 else np.cos(2 * np.pi * t / TIME)
    waveform = sampled(t, G[:, None], 6)
    assert waveform.symmetry == odd
    assert len(waveform.segments) < 15
    assert waveform.departure <= 1.01e-6
    at = np.linspace(0.01, TIME - 0.01, 501)
    rounded = np.round(G, 6)[:, None]
    value, _ = between_samples(t, rounded, at)
    peak = np.abs(between_samples(t, rounded, np.linspace(0, TIME, 100_001))[0]).max()
    far = np.abs(waveform.sample(at, 0)[:, 0] - value / peak).max()
    assert far <= 2.0 * waveform.departure + waveform.residual


def test_curves_join_without_jumps_of_the_gradient():
    t = np.linspace(0.0, TIME, 1001)
    segments = sampled(t, cone(t), 6).segments
    for one, other in zip(segments, segments[1:], strict=False):
        ends = one.jet(one.duration, 1), other.jet(0.0, 1)
        np.testing.assert_allclose(*ends, atol=1e-11)


def test_the_b_tensor_of_a_cone_at_the_magic_angle_has_no_direction():
    t = np.linspace(0.0, TIME, 1001)
    B = sampled(t, cone(t), 6).b_tensor_factor
    # int sin^4 = 3/8 of the time.
    assert np.trace(B) == pytest.approx(3 / 8 * TIME, rel=1e-4)
    np.testing.assert_allclose(B, np.eye(3) * TIME / 8, atol=1e-4 * TIME / 8)


def test_samples_converge_to_their_function_with_the_square_of_the_step():
    errors = []
    at = np.linspace(0.1, TIME - 0.1, 301)
    x = at / TIME
    turn = 2 * np.pi * x - 4 / 3 * np.sin(2 * np.pi * x) + np.sin(4 * np.pi * x) / 6
    true = 10 * np.sqrt(2 / 3) * np.sin(np.pi * x) ** 2 * np.sin(turn)
    for count in (51, 101, 201):
        t = np.linspace(0.0, TIME, count)
        G = cone(t)[:, 1:2]
        peak = np.abs(between_samples(t, G, np.linspace(0, TIME, 10_001))[0]).max()
        errors.append(np.abs(peak * sampled(t, G).sample(at, 0)[:, 0, 0] - true).max())
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.2)


def test_twenty_thousand_samples_are_what_two_thousand_are():
    few, many = (
        sampled(np.linspace(0, TIME, n), cone(np.linspace(0, TIME, n))) for n in (2001, 20_001)
    )
    assert max(len(few.segments), len(many.segments)) <= 10
    t = np.linspace(0.01, TIME - 0.01, 1001)
    np.testing.assert_allclose(few.sample(t, 0), many.sample(t, 0), atol=4e-6)
    np.testing.assert_allclose(few.b_tensor_factor, many.b_tensor_factor, atol=1e-5 * TIME)


def test_values_that_are_held_are_followed_where_their_steps_are_small():
    t = np.linspace(0.0, TIME, 10_001)
    G = cone((t[:-1] + t[1:]) / 2)[:, :1]
    G -= G.mean()
    times = np.repeat(t, 2)[1:-1]
    waveform = sampled(times, np.repeat(G, 2, axis=0), 6)
    assert len(waveform.segments) < 40
    smooth = sampled(t, cone(t)[:, :1], 6)
    assert waveform.b_factor == pytest.approx(smooth.b_factor, rel=2e-5)


@pytest.mark.parametrize(("count", "least", "most"), [(1000, 1000, 1000), (3000, 1, 12)])
def test_curves_follow_wave_vectors_whose_steps_of_the_gradient_are_small(count, least, most):
    t = np.linspace(0.0, TIME, count + 1)
    angle = 2 * np.pi * t / TIME
    q = np.sin(angle[:, None] / 2) ** 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    q[-1] = 0.0
    waveform = sampled(t, q, kind="wave_vector")
    assert least <= len(waveform.segments) <= most
    assert waveform.departure <= 1e-6


def test_wave_vectors_are_joined_along_straight_lines():
    t, _ = raster()
    q = np.interp(t, [0.0, 10.0, 30.0, 40.0, 40.3], [0, 2, 2, 0, 0])[:, None]
    assert len(sampled(t, q, kind="wave_vector").segments) == 4


def test_the_largest_gradient_is_that_of_the_samples_and_not_of_the_curves():
    # Rounded samples of two periods: curves smooth their tops, and b goes with the square.
    t = 0.04 * np.arange(1001)
    G = np.round(73 * np.sin(4 * np.pi * t / t[-1]), 1)[:, None]
    waveform = sampled(t, G, 1)
    assert len(waveform.segments) < 200
    middle, F = between_samples(t, G, t[:-1] + 0.02)
    # F is a parabola between samples: Simpson's rule of F^2 is exact to the fourth order.
    b = 0.04 / 6 * np.sum(F[1:] ** 2 + F[:-1] ** 2 + 4 * middle**2)
    strongest = np.abs(G).max()
    assert waveform.b_value(waveform.q_of_gradient(strongest)) == pytest.approx(b, rel=3e-5)
    assert waveform.gradient_of_q(waveform.q_of_b(b)) == pytest.approx(strongest, rel=3e-5)


# ---- the echo ----


def test_five_digits_are_spread_over_the_gradient():
    waveform = sampled([0.0, 1.0, 1.0, 4.0], np.array([[1.0], [1.0], [-0.33333], [-0.33333]]), 5)
    assert waveform.residual == pytest.approx(1e-5, rel=1e-6)
    assert waveform.segments[-1].end == pytest.approx(0.0, abs=1e-15)
    assert waveform.notes == (
        "|g(T_E)| at the echo is 1e-05 of the largest |g|, which the digits of the file explain up "
        "to 2e-05: spread over the gradient"
    )
    assert waveform.b_factor == pytest.approx(4 / 3, rel=1e-5)


def test_what_rests_stays_at_rest_and_straight_lines_stay_straight():
    t, G = raster()
    G = np.where(t[:, None] > 20.0, 0.99999 * G, G)
    waveform = SampledWaveform("w", "gradient", tuple(t), tuple(map(tuple, G)), (5e-4,))
    assert waveform.residual == pytest.approx(1e-5, rel=0.01)
    assert len(waveform.segments) == 7
    assert [s.constant for s in waveform.segments] == [False] * 3 + [True] + [False] * 3
    assert waveform.symmetry == 1


@pytest.mark.parametrize(
    ("last", "digits", "found", "accepted"),
    [
        (-0.333, 5, "0.001 times the largest", "the rounding of its digits explains up to 2e-05"),
        (-0.33333, None, "1e-05 times the largest", "so that g(T_E) = 0 to 1e-06"),
        (-0.32, 3, "0.04 times the largest", "explains up to 0.002, of which 0.001 is accepted"),
        # Fewer digits than three are not those of a measured or computed gradient.
        (-0.3, 1, "0.1 times the largest", "so that g(T_E) = 0 to 1e-06"),
    ],
)
def test_more_than_the_digits_explain_is_refused(last, digits, found, accepted):
    values = np.array([[1.0], [1.0], [last], [last]])
    with pytest.raises(InputError) as refusal:
        sampled([0.0, 1.0, 1.0, 4.0], values, digits)
    assert found in refusal.value.found
    assert accepted in refusal.value.accepted
    assert "refocus" not in refusal.value.accepted


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ([0, 60, 60, 0, 0, 60, 60, 0], "refocus: 20.15 ms"),
        ([0, 60, 60, 0, 0, 60.02, 60.02, 0], "refocus: 20.15 ms"),
    ],
)
def test_a_sign_that_is_not_turned_is_named(values, key):
    with pytest.raises(InputError) as refusal:
        sampled(CORNERS, np.array(values, dtype=float)[:, None], 2)
    assert key in refusal.value.accepted
    assert "180 degrees" in refusal.value.accepted


def test_two_pulses_are_named():
    times = [0, 5, 5, 7, 7, 17, 17, 20, 20, 27]
    values = np.array([1, 1, 0, 0, 1, 1, 0, 0, 1, 1.0])[:, None]
    with pytest.raises(InputError) as refusal:
        sampled(times, np.where(values, [[5 / 5]], 0.0) * 1.0)
    assert "refocus" not in refusal.value.accepted  # 5 - 10 + 7 is not zero
    values[-2:] = 5 / 7
    with pytest.raises(InputError) as refusal:
        sampled(times, values)
    assert "refocus: [6 ms, 18.5 ms]" in refusal.value.accepted


def test_rounding_survives_the_way_through_a_file_and_is_part_of_the_name():
    t = np.linspace(0.0, TIME, 101)
    waveform = sampled(t, cone(t), 5)
    again = from_dict(waveform.to_dict())
    assert again == waveform
    assert again.label == waveform.label
    plain = SampledWaveform("w", "gradient", (0.0, 1.0, 2.0), ((1.0,), (0.0,), (-1.0,)))
    assert "rounding" not in plain.to_dict()["samples"]
