"""What each kind of waveform is, from the literature and from its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest

from torrey.gradients.waveforms import (
    CosineOgse,
    DoublePgse,
    Pgse,
    SampledWaveform,
    SineOgse,
    TrapezoidalOgse,
    TrapezoidalPgse,
    Waveform,
)

GAMMA_G = 0.04


def b_of_gradient(waveform: Waveform) -> float:
    return waveform.b_value(waveform.q_of_gradient(GAMMA_G))


# ---- pulses ----


@pytest.mark.parametrize(("delta", "Delta"), [(5.0, 15.0), (2.5, 2.5), (0.01, 80.0)])
def test_the_b_value_of_rectangular_pulses(delta, Delta):
    # Stejskal and Tanner (1965).
    expected = GAMMA_G**2 * delta**2 * (Delta - delta / 3)
    assert b_of_gradient(Pgse(delta, Delta)) == pytest.approx(expected, rel=1e-13)
    assert Pgse(delta, Delta).q_of_gradient(GAMMA_G) == pytest.approx(GAMMA_G * delta)


@pytest.mark.parametrize(
    ("delta", "Delta", "rise"),
    [(4.0, 12.0, 0.5), (2.0, 2.5, 0.5), (1.0, 5.0, 1.0), (20.0, 45.0, 0.3), (5.0, 15.0, 1e-6)],
)
def test_the_b_value_of_trapezoidal_pulses(delta, Delta, rise):
    # Mattiello, Basser and Le Bihan (1994): delta from the beginning of the rise to that of the
    # fall.
    expected = GAMMA_G**2 * (delta**2 * (Delta - delta / 3) + rise**3 / 30 - delta * rise**2 / 6)
    waveform = TrapezoidalPgse(delta, Delta, rise)
    assert b_of_gradient(waveform) == pytest.approx(expected, rel=1e-12)
    # The area of a pulse is its height times delta.
    assert waveform.q_of_gradient(GAMMA_G) == pytest.approx(GAMMA_G * delta, rel=1e-12)


def test_short_rises_make_rectangles():
    sharp, ramped = Pgse(5.0, 15.0), TrapezoidalPgse(5.0, 15.0, 1e-7)
    t = np.linspace(0.01, 19.99, 500)
    np.testing.assert_allclose(ramped.sample(t, 0), sharp.sample(t, 0), atol=1e-7)


def test_a_plateau_without_length_is_left_out():
    assert len(Pgse(5.0, 5.0).segments) == 2
    assert len(Pgse(5.0, 6.0).segments) == 3
    # A Delta that rounding makes shorter than delta.
    assert [s.duration > 0 for s in Pgse(5.0 * (1 + 5e-13), 5.0).segments] == [True, True]
    # Rise and fall without a top, and pulses without a pause.
    assert len(TrapezoidalPgse(1.0, 5.0, 1.0).segments) == 5
    assert len(TrapezoidalPgse(2.0, 2.5, 0.5).segments) == 6
    assert len(TrapezoidalPgse(2.0, 3.0, 0.5).segments) == 7


# ---- two pairs of pulses ----

DOUBLE = (3.0, 10.0, 5.0)
T = np.linspace(0.05, 30.95, 311)


def block(t: np.ndarray) -> np.ndarray:
    """F of one pair of pulses, zero before and after."""
    return np.interp(t, [0.0, 3.0, 10.0, 13.0], [0.0, 1.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("angle", "turned"),
    [
        (0.0, (1.0, 0.0)),
        (90.0, (0.0, 1.0)),
        (180.0, (-1.0, 0.0)),
        (270.0, (0.0, -1.0)),
        (-90.0, (0.0, -1.0)),
        (360.0, (1.0, 0.0)),
    ],
)
def test_two_pairs_at_right_angles_are_exact(angle, turned):
    waveform = DoublePgse(*DOUBLE, angle)
    expected = np.multiply.outer(block(T), (1.0, 0.0)) + np.multiply.outer(block(T - 18.0), turned)
    F = waveform.sample(T, 0)[:, 0]
    np.testing.assert_allclose(F, expected, atol=1e-15)
    # Without a single digit of rounding where the second pair has no component.
    assert not F[T > 18.0][:, [x == 0.0 for x in turned]].any()
    one = Pgse(*DOUBLE[:2]).b_factor
    tensor = one * (np.diag([1.0, 0.0]) + np.multiply.outer(turned, turned))
    np.testing.assert_allclose(waveform.b_tensor_factor, tensor, rtol=1e-14)


@pytest.mark.parametrize("angle", [30.0, 45.0, -120.0, 200.0])
def test_two_pairs_at_an_angle(angle):
    waveform = DoublePgse(*DOUBLE, angle)
    turned = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    F = waveform.sample(T, 0)[:, 0]
    np.testing.assert_allclose(F[T > 18.0], block(T - 18.0)[T > 18.0, None] * turned, atol=1e-15)
    assert waveform.b_factor == pytest.approx(2 * Pgse(*DOUBLE[:2]).b_factor, rel=1e-14)
    assert waveform.symmetry == 0


def test_two_pairs_may_follow_each_other_at_once():
    assert len(DoublePgse(3.0, 10.0, 0.0, 90.0).segments) == 6
    assert len(DoublePgse(3.0, 10.0, 5.0, 90.0).segments) == 7
    assert len(DoublePgse(3.0, 3.0, 0.0, 90.0).segments) == 4


# ---- oscillating gradients ----

TRAINS = [(10.0, 20.0, 1), (12.0, 12.0, 4), (7.3, 30.1, 3)]


@pytest.mark.parametrize(("delta", "Delta", "cycles"), TRAINS)
def test_the_b_value_of_sines_and_cosines(delta, Delta, cycles):
    # Does, Parsons and Gore (2003): 3 and 1 times gamma^2 G^2 delta / (4 pi^2 f^2).
    one = GAMMA_G**2 * delta / (2 * math.pi * cycles / delta) ** 2
    assert b_of_gradient(SineOgse(delta, Delta, cycles)) == pytest.approx(3 * one, rel=1e-13)
    assert b_of_gradient(CosineOgse(delta, Delta, cycles)) == pytest.approx(one, rel=1e-13)


def first_train(waveform: Waveform, delta: float, derivative: int = 0) -> np.ndarray:
    t = delta * (np.arange(20_000) + 0.5) / 20_000
    return waveform.sample(t, derivative)[:, derivative, 0]


@pytest.mark.parametrize(("delta", "Delta", "cycles"), TRAINS)
def test_a_sine_encodes_at_zero_frequency_and_a_cosine_does_not(delta, Delta, cycles):
    assert first_train(SineOgse(delta, Delta, cycles), delta).mean() == pytest.approx(0.5)
    F = first_train(CosineOgse(delta, Delta, cycles), delta)
    assert F.mean() == pytest.approx(0.0, abs=1e-12)
    assert np.sum(np.diff(np.sign(F)) != 0) == 2 * cycles - 1


@pytest.mark.parametrize(
    ("delta", "Delta", "cycles", "rise"),
    [(10.0, 20.0, 1, 0.5), (13.0, 13.0, 3, 0.1), (7.0, 20.0, 2, 7.0 / 13.0), (40.0, 50.0, 8, 0.2)],
)
def test_trapezoids_swing_evenly_about_zero(delta, Delta, cycles, rise):
    waveform = TrapezoidalOgse(delta, Delta, cycles, rise)
    F = first_train(waveform, delta)
    assert F.max() == pytest.approx(1.0, abs=1e-6)
    assert F.min() == pytest.approx(-1.0, abs=1e-6)
    assert F.mean() == pytest.approx(0.0, abs=1e-9)
    assert np.sum(np.diff(np.sign(F)) != 0) == 2 * cycles - 1
    second = waveform.sample(np.array([0.3, 0.45, 0.8]) * delta + Delta, 0)
    first = waveform.sample(np.array([0.3, 0.45, 0.8]) * delta, 0)
    np.testing.assert_allclose(second, -first, atol=1e-12)


@pytest.mark.parametrize(
    ("delta", "cycles", "rise"), [(10.0, 1, 0.5), (13.0, 3, 0.1), (13.0, 2, 1.0)]
)
def test_lobes_of_trapezoids_have_their_areas(delta, cycles, rise):
    waveform = TrapezoidalOgse(delta, 2 * delta, cycles, rise)
    segments = [s for s in waveform.segments if not s.constant]
    # F at the ends of the lobes, where the gradient is zero.
    ends = [0.0]
    time = 0.0
    for segment in segments:
        time += segment.duration
        if abs(segment.jet(segment.duration, 1)[1, 0]) < 1e-9 * waveform.peak_slope:
            ends.append(segment.end[0])
    areas = np.diff(ends[: 2 * cycles + 2])
    assert areas[[0, -1]] == pytest.approx([1.0, 1.0])
    assert areas[1:-1] == pytest.approx([-2.0, *(2.0, -2.0) * (cycles - 1)])
    # Of a lobe (delta - rise) / (2 cycles) long: its height is the peak slope.
    lobe = (delta - rise) / (2 * cycles)
    assert waveform.peak_slope * (lobe - rise) == pytest.approx(2.0)
    assert sum(s.duration for s in segments) == pytest.approx(2 * delta)


def test_many_trapezoids_with_short_rises_have_the_b_value_of_their_squares():
    # F of square lobes is a triangle wave: int F^2 = delta / 3 for each train.
    assert TrapezoidalOgse(10.0, 20.0, 2, 1e-7).b_factor == pytest.approx(2 * 10.0 / 3, rel=1e-6)


# ---- samples ----


def test_samples_of_pulses_are_the_pulses():
    times = (0.0, 0.0, 5.0, 5.0, 15.0, 15.0, 20.0, 20.0)
    values = tuple((x,) for x in (0.0, 40.0, 40.0, 0.0, 0.0, -40.0, -40.0, 0.0))
    sampled, pgse = SampledWaveform("w", "gradient", times, values), Pgse(5.0, 15.0)
    t = np.linspace(0.01, 19.99, 500)
    np.testing.assert_allclose(sampled.sample(t, 2), pgse.sample(t, 2), atol=1e-14)
    assert sampled.b_factor == pytest.approx(pgse.b_factor, rel=1e-14)
    assert len(sampled.segments) == len(pgse.segments) == 3


def test_samples_of_the_integral_are_the_same_as_of_the_gradient():
    pgse = Pgse(5.0, 15.0)
    values = ((0.0,), (0.7,), (0.7,), (0.0,))
    sampled = SampledWaveform("w", "wave_vector", (0.0, 5.0, 15.0, 20.0), values)
    t = np.linspace(0.01, 19.99, 500)
    np.testing.assert_allclose(sampled.sample(t, 1), pgse.sample(t, 1), atol=1e-14)


def test_f_is_a_parabola_between_samples_of_the_gradient():
    sampled = SampledWaveform("w", "gradient", (0.0, 1.0, 3.0), ((1.0,), (-1.0,), (1.0,)))
    t = np.linspace(0.0, 1.0, 11)[1:-1]
    # The integrals of 1 - 2 t and of t - 2, over the largest |F|: that at t = 2.
    np.testing.assert_allclose(sampled.sample(t, 0)[:, 0, 0], (t - t**2) / 0.5, rtol=1e-13)
    later = 1.0 + 2.0 * t
    expected = (later**2 / 2 - 2 * later + 1.5) / 0.5
    np.testing.assert_allclose(sampled.sample(later, 0)[:, 0, 0], expected, rtol=1e-13)
