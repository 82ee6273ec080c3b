"""Segments: values, derivatives, integrals and time steps of a smooth stretch of F(t)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from torrey.gradients.waveforms import (
    CosineOgse,
    Pgse,
    SampledWaveform,
    Segment,
    TrapezoidalOgse,
    Wave,
)
from torrey.gradients.waveforms.segments import (
    constant,
    integrate_gradient,
    largest,
    moment,
    ramp,
    symmetry_of,
)

REST = constant(3.0, (0.5, -0.25))
RAMP = ramp(4.0, (0.0, 0.3), (1.0, -0.1))
PARABOLA = Segment(2.0, ((0.1,), (0.5,), (-0.2,)))
SINE = Segment(5.0, ((0.0,),), Wave((1.0,), 2 * math.pi * 3 / 5.0))
#: Everything at once, in three components.
MIXED = Segment(
    2.5, ((0.1, 0.0, 0.2), (0.3, -0.1, 0.0), (0.0, 0.2, 0.1)), Wave((0.5, -0.2, 0.1), 3.0, 0.7)
)
ALL = [REST, RAMP, PARABOLA, SINE, MIXED]


def test_a_jet_is_the_function_and_its_derivatives():
    t, omega = 1.3, 3.0
    wave = [omega**n * math.sin(omega * t + 0.7 + n * math.pi / 2) for n in range(4)]
    polynomial = [0.1 + 0.3 * t, 0.3, 0.0, 0.0]
    expected = [p + 0.5 * w for p, w in zip(polynomial, wave, strict=True)]
    np.testing.assert_allclose(MIXED.jet(t, 3)[:, 0], expected, rtol=1e-14)
    polynomial = [-0.1 * t + 0.2 * t**2, -0.1 + 0.4 * t, 0.4, 0.0]
    expected = [p - 0.2 * w for p, w in zip(polynomial, wave, strict=True)]
    np.testing.assert_allclose(MIXED.jet(t, 3)[:, 1], expected, rtol=1e-14)


def test_ends_are_those_of_the_function():
    np.testing.assert_array_equal(RAMP.start, [0.0, 0.3])
    np.testing.assert_allclose(RAMP.end, [1.0, -0.1], rtol=1e-15)
    np.testing.assert_array_equal(REST.start, REST.end)
    np.testing.assert_allclose(PARABOLA.end, [0.1 + 1.0 - 0.8])


def test_what_moves_and_how():
    assert [s.constant for s in ALL] == [True, False, False, False, False]
    assert [s.linear for s in ALL] == [True, True, False, False, False]
    assert constant(1.0, (0.0,)).constant
    # Coefficients that are there but zero move nothing.
    assert Segment(1.0, ((1.0, 2.0), (0.0, 0.0), (0.0, 0.0))).constant
    assert Segment(1.0, ((1.0,), (1.0,), (0.0,))).linear


@pytest.mark.parametrize("segment", ALL)
@pytest.mark.parametrize("factor", [-1.0, 0.3, 0.0])
def test_scaling_scales_every_derivative(segment, factor):
    t = np.linspace(0.0, segment.duration, 7)
    scaled = segment.scale(factor)
    assert scaled.duration == segment.duration
    np.testing.assert_allclose(scaled.jet(t, 3), factor * segment.jet(t, 3), rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("segment", ALL)
def test_quadrature_is_exact_for_four_factors(segment):
    nodes, weights = segment.quadrature()
    assert weights.sum() == pytest.approx(segment.duration, rel=1e-14)
    assert 0 < nodes.min() <= nodes.max() < segment.duration
    fine, w = np.polynomial.legendre.leggauss(200)
    fine, w = (fine + 1) * segment.duration / 2, w * segment.duration / 2
    F, many = segment.jet(nodes, 0)[:, 0, 0], segment.jet(fine, 0)[:, 0, 0]
    for power in range(1, 5):
        assert weights @ F**power == pytest.approx(w @ many**power, rel=1e-13, abs=1e-13)


def test_moments_are_the_closed_ones():
    # int sin^4 over whole periods, and int (1 + t)^2 over [0, 2].
    assert moment([SINE], lambda F: F[:, 0] ** 4) == pytest.approx(3 / 8 * 5.0, rel=1e-13)
    line = ramp(2.0, (1.0,), (3.0,))
    assert moment([line], lambda F: F[:, 0] ** 2) == pytest.approx(26 / 3, rel=1e-14)
    assert moment([line, line], lambda F: F**2)[0] == pytest.approx(52 / 3, rel=1e-14)


def length_of_path(segment: Segment) -> float:
    t = np.linspace(0.0, segment.duration, 100_001)
    return float(np.linalg.norm(np.diff(segment.jet(t, 0)[:, 0], axis=0), axis=1).sum())


@pytest.mark.parametrize("segment", ALL)
def test_the_variation_is_the_length_of_the_path(segment):
    assert segment.variation() == pytest.approx(length_of_path(segment), rel=0.01, abs=1e-15)


def test_the_variation_of_a_line_and_of_a_wave():
    assert RAMP.variation() == pytest.approx(math.hypot(1.0, 0.4), rel=1e-15)
    assert SINE.variation() == pytest.approx(3 * 4, rel=0.01)
    # To the end and back: more than the distance of the ends.
    assert PARABOLA.variation() > np.linalg.norm(PARABOLA.end - PARABOLA.start)


def n_steps(segment: Segment, steps: int) -> int:
    return len(segment.grid(steps)) - 1


@pytest.mark.parametrize("segment", ALL)
@pytest.mark.parametrize("steps", [1, 6, 50])
def test_a_grid_runs_from_end_to_end(segment, steps):
    grid = segment.grid(steps)
    assert grid[0] == 0.0
    assert grid[-1] == segment.duration
    assert np.all(np.diff(grid) > 0)


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0, 2.7])
@pytest.mark.parametrize("steps", [1, 4, 5, 6, 7, 12, 50])
def test_a_segment_gets_its_share_of_the_steps(share, steps):
    count = n_steps(replace(RAMP, share=share), steps)
    assert count >= max(1.0, steps * share * (1 - 1e-9))
    if steps < 8:
        assert count == max(1, math.ceil(steps * share - 1e-9))


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0, 2.7])
@pytest.mark.parametrize("steps", [4, 5, 6, 7, 12, 50])
def test_twice_the_steps_are_twice_as_many_on_every_segment(share, steps):
    segment = replace(RAMP, share=share)
    assert n_steps(segment, 2 * steps) == 2 * n_steps(segment, steps)
    # All instants of the fewer steps are among the others.
    np.testing.assert_array_equal(segment.grid(2 * steps)[::2], segment.grid(steps))


def test_shares_are_those_of_the_path_or_of_the_time():
    up, plateau, down = Pgse(5.0, 15.0).segments
    assert (up.share, plateau.share, down.share) == (1.0, 0.5, 1.0)
    assert [n_steps(up, steps) for steps in (6, 12, 24, 96)] == [6, 12, 24, 96]
    # A change of F by two, within a trapezoid as well as by a wave.
    first = CosineOgse(12.0, 12.0, 1.0).segments[0]
    assert first.share == pytest.approx(4.0, rel=0.01)
    lobes = TrapezoidalOgse(10.0, 20.0, 1.0, 0.5).segments
    assert sum(s.share for s in lobes[3:6]) == pytest.approx(2.0, rel=0.01)
    # Slow pulses in two dimensions: the length of the path, not of a component.
    sampled = SampledWaveform(
        "w", "wave_vector", (0.0, 1.0, 2.0, 3.0), ((0.0, 0.0), (0.6, 0.0), (0.6, 0.8), (0.0, 0.0))
    )
    assert [s.share for s in sampled.segments] == pytest.approx([0.6, 0.8, 1.0])


def test_rounding_adds_no_step():
    assert n_steps(replace(RAMP, share=1.0 + 1e-12), 6) == 6
    assert n_steps(replace(RAMP, share=0.1 + 0.2), 10) == n_steps(replace(RAMP, share=0.3), 10)


def test_steps_after_a_jump_of_the_gradient_are_shorter():
    steps = np.diff(RAMP.grid(20))
    assert np.all(np.diff(steps) > 0)
    assert steps[0] < 0.6 * steps.mean()
    # Those on a wave are all alike.
    np.testing.assert_allclose(np.diff(np.diff(SINE.grid(20))), 0.0, atol=1e-14)


def test_gradients_that_are_linear_on_pieces_are_integrated():
    pieces = [(2.0, (0.0, 1.0), (1.0, 1.0)), (1.0, (1.0, -1.0), (-1.0, 0.0))]
    first, second = integrate_gradient(pieces, (0.5, 0.0))
    t = np.array([0.0, 0.7, 2.0])
    np.testing.assert_allclose(first.jet(t, 0)[:, 0], np.column_stack([0.5 + t**2 / 4, t]))
    np.testing.assert_allclose(second.start, first.end)
    np.testing.assert_allclose(second.end, [1.5, 1.5])
    np.testing.assert_allclose(second.jet(0.0, 1)[1], [1.0, -1.0])
    # No power that is not needed.
    assert len(integrate_gradient([(1.0, (2.0,), (2.0,))], (0.0,))[0].coefficients) == 2
    assert len(integrate_gradient([(1.0, (0.0,), (0.0,))], (1.0,))[0].coefficients) == 1


def test_the_largest_value_lies_within_a_segment():
    # The vertex of a parabola, off every grid: t - t^2 / (2 c) at t = c.
    c = 0.7137
    vertex = Segment(1.0, ((0.0,), (1.0,), (-0.5 / c,)))
    assert largest([vertex], 0) == pytest.approx(c / 2, rel=1e-14)
    assert largest([SINE], 0) == pytest.approx(1.0, rel=1e-15)
    assert largest([SINE], 1) == pytest.approx(2 * math.pi * 3 / 5.0, rel=1e-14)
    t = np.linspace(0.0, 2.5, 1_000_001)
    dense = np.linalg.norm(MIXED.jet(t, 1), axis=2).max(axis=0)
    assert [largest([REST, MIXED], n) for n in (0, 1)] == pytest.approx(dense, rel=1e-11)


def test_symmetry_needs_equal_durations_and_values():
    up, down = ramp(2.0, (0.0,), (1.0,)), ramp(2.0, (1.0,), (0.0,))
    assert symmetry_of([up, down]) == 1
    assert symmetry_of([up, constant(1.0, (1.0,)), down]) == 1
    assert symmetry_of([up, ramp(2.1, (1.0,), (0.0,))]) == 0
    assert symmetry_of([up, down, up.scale(-1.0), down.scale(-1.0)]) == -1
    assert symmetry_of([up, down, up, down]) == 1
    # Zero at all of nine evenly spaced nodes, or of seventeen.
    for cycles in (8, 16):
        fast = Segment(5.0, ((0.0,),), Wave((1.0,), 2 * math.pi * cycles / 5.0))
        assert symmetry_of([fast]) == -1
        assert symmetry_of([fast, fast.scale(-1.0)]) == 1
    # Alike at both ends of every segment, but not between.
    bent = Segment(2.0, ((1.0,), (0.5,), (-0.5,)))
    np.testing.assert_allclose([bent.start, bent.end], [[1.0], [0.0]])
    assert symmetry_of([up, bent]) == 0
