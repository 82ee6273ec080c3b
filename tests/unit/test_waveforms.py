"""PGSE: F(t), the b-value and the wave number belong together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from torrey.waveforms import Pgse, Waveform, integral_of_square

PAIRS = [(5.0, 15.0), (2.5, 2.5), (3.5, 35.0), (0.01, 80.0)]


def sampled(waveform: Waveform, count: int = 20_001) -> tuple[np.ndarray, np.ndarray]:
    """Times and F(t) on a fine grid of every segment."""
    times, values, start = [], [], 0.0
    for segment in waveform.segments():
        t = np.linspace(0.0, segment.duration, count)
        times.append(start + t)
        values.append(segment.start + segment.slope * t)
        start += segment.duration
    return np.concatenate(times), np.concatenate(values)


@pytest.mark.parametrize(("delta", "Delta"), PAIRS)
def test_b_factor_is_the_integral_of_the_square(delta, Delta):
    waveform = Pgse(delta, Delta)
    t, F = sampled(waveform)
    assert waveform.b_factor == pytest.approx(np.trapezoid(F**2, t), rel=1e-8)
    assert waveform.b_factor == pytest.approx(integral_of_square(waveform.segments()), rel=1e-14)


@pytest.mark.parametrize(("delta", "Delta"), PAIRS)
def test_segments_are_continuous_and_end_at_zero_at_the_echo(delta, Delta):
    waveform = Pgse(delta, Delta)
    segments = waveform.segments()
    assert sum(s.duration for s in segments) == pytest.approx(waveform.echo_time)
    assert waveform.echo_time == delta + Delta
    for before, after in zip(segments, segments[1:], strict=False):
        assert before.end == pytest.approx(after.start, abs=1e-15)
    assert segments[0].start == 0
    assert segments[-1].end == pytest.approx(0, abs=1e-15)
    assert max(abs(sampled(waveform)[1])) == pytest.approx(1)


def test_the_waveform_is_its_own_mirror_image():
    waveform = Pgse(5.0, 15.0)
    t, F = sampled(waveform)
    assert waveform.mirror_symmetric
    assert np.interp(waveform.echo_time - t, t, F) == pytest.approx(F, abs=1e-12)


def test_a_plateau_without_length_is_left_out():
    assert len(Pgse(5.0, 5.0).segments()) == 2
    assert len(Pgse(5.0, 6.0).segments()) == 3


def test_encodings_are_inverse_to_each_other():
    waveform = Pgse(5.0, 15.0)
    assert waveform.b_value(waveform.q_of_b(0.85)) == pytest.approx(0.85, rel=1e-14)
    assert waveform.q_of_b(0.0) == 0.0
    assert waveform.gradient_of_q(waveform.q_of_gradient(0.015)) == pytest.approx(0.015)
    # b = (gamma G)^2 delta^2 (Delta - delta/3)
    q = waveform.q_of_gradient(0.015)
    assert waveform.b_value(q) == pytest.approx(0.015**2 * 25 * (15 - 5 / 3))


def test_the_label_names_the_times():
    assert Pgse(3.25, 7.5).label == "pgse-3.25-7.5"


@pytest.mark.parametrize(
    ("delta", "Delta"),
    [(0.0, 5.0), (-1.0, 5.0), (6.0, 5.0), (math.nan, 5.0), (5.0, math.nan), (5.0, math.inf)],
)
def test_impossible_times_are_refused(delta, Delta):
    with pytest.raises(ValueError, match="not longer than Delta"):
        Pgse(delta, Delta)
