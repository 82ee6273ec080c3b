"""Waveforms that store magnetisation, whose shape depends on their strength, and b-tensors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.slabs import slabs_of
from torrey.gradients.sweep import Acquisition, Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import (
    AtEcho,
    BTensor,
    DoublePgse,
    FilterExchange,
    Pgse,
    StimulatedEcho,
    TriplePgse,
    Waveform,
    from_dict,
)
from torrey.gradients.waveforms.segments import Segment, constant, ramp, symmetry_of

FEXI = FilterExchange(4.0, 12.0, 2.0, 15.0, 0.7, 40.0)
N = (1.0, 0.0)


def stored_time(waveform: Waveform) -> float:
    return sum(segment.duration for segment in waveform.segments if segment.stored)


# ---- what is stored ----


def test_a_stimulated_echo_is_a_pgse_that_is_stored_between_its_pulses():
    echo = StimulatedEcho(3.0, 60.0, 7.0)
    assert stored_time(echo) == pytest.approx(53.0)
    assert echo.echo_time - stored_time(echo) == pytest.approx(14.0)
    # F stands still meanwhile: the b-value is Stejskal's and Tanner's.
    assert echo.b_factor == pytest.approx(Pgse(3.0, 60.0).b_factor, rel=1e-14)
    # Without a time between the second and the third pulse nothing is stored.
    assert not StimulatedEcho(3.0, 7.0, 7.0).stores
    assert not Pgse(3.0, 60.0).stores


def test_only_the_mixing_time_is_stored():
    for strength in (0.0, 0.5):
        waveform, _ = FEXI.measure("b", strength)
        assert stored_time(waveform) == pytest.approx(40.0)
        assert waveform.echo_time == pytest.approx(4 + 12 + 40 + 2 + 15)
    assert not FilterExchange(4.0, 12.0, 2.0, 15.0, 0.7, 0.0).measure("b", 0.5)[0].stores


def test_a_waveform_that_is_stored_on_one_side_has_no_symmetry():
    up, down = ramp(2.0, (0.0,), (1.0,)), ramp(2.0, (1.0,), (0.0,))
    still, kept = constant(3.0, (1.0,)), constant(3.0, (1.0,), stored=True)
    assert symmetry_of((up, still, down)) == symmetry_of((up, kept, down)) == 1
    assert symmetry_of((up, kept, still, down)) == 0
    assert symmetry_of((up, kept, still, kept, down)) == 1


# ---- strengths of their own ----


@pytest.mark.parametrize("b_filter", [0.0, 0.7, 3.0])
@pytest.mark.parametrize("b", [0.0, 0.4, 2.0])
def test_each_block_has_its_b_value(b_filter, b):
    waveform, q = FilterExchange(4.0, 12.0, 2.0, 15.0, b_filter, 40.0).measure("b", b)
    m = Measurement(waveform, q, N)
    assert m.b == pytest.approx(b, rel=1e-14)
    assert np.trace(m.b_tensor) == pytest.approx(b + b_filter, rel=1e-14)
    F = waveform.segments
    first = sum(s.duration for s in F) - 40.0 - 16.0
    t = np.linspace(0.0, first, 20001)
    values = q * waveform.sample(t, 0)[:, 0, 0]
    assert np.trapezoid(values**2, t) == pytest.approx(b_filter, rel=1e-6)


def test_gradients_and_wave_numbers_are_those_of_the_second_block():
    for encoding, value in (("gradient", 0.05), ("q", 0.2), ("b", 0.4)):
        waveform, q = FEXI.measure(encoding, value)
        m = Measurement(waveform, q, N)
        assert m.gradient * 4.0 == pytest.approx(math.sqrt(m.b / (12 - 4 / 3)), rel=1e-14)
        assert q == pytest.approx(max(m.gradient * 4.0, FEXI.q_filter), rel=1e-14)
    assert FEXI.measure("gradient", 0.05)[0] == FEXI.measure("q", 0.2)[0]
    again, q = waveform.measure("b", 0.9)
    assert (again, q) == FEXI.measure("b", 0.9)


def test_waiting_times_go_about_both_blocks():
    waveform, q = AtEcho(FEXI, 100.0).measure("b", 0.4)
    assert waveform.echo_time == 100.0
    assert waveform.b_value(q) == pytest.approx(0.4, rel=1e-14)
    assert from_dict(waveform.to_dict()) == waveform
    assert stored_time(waveform) == 40.0
    point = Point(5.0, 0.0, waveform, q, N)
    assert Point.from_dict(point.to_dict()) == point


def test_a_shape_without_a_strength_is_refused():
    for shape in (FEXI, AtEcho(FEXI, 100.0), FEXI.measure("b", 0.4)[0]):
        assert not shape.scales
        with pytest.raises(InputError, match="depends on its strength|second block"):
            shape.q_of_b(1.0)
    with pytest.raises(InputError, match="second block"):
        _ = FEXI.b_factor


def grid(b_filters: tuple[float, ...], mixing: tuple[float, ...]) -> Sweep:
    times = {"delta": (4.0,), "Delta": (12.0,), "delta_filter": (2.0,), "Delta_filter": (15.0,)}
    parameters = {**times, "b_filter": b_filters, "mixing_time": mixing}
    shapes = WaveformGrid("filter-exchange", tuple(parameters.items()))
    protocol = Product(shapes, "b", (1.0, 0.0), ((1.0, 0.0), (0.0, 1.0)))
    return Sweep((5.0,), "permeability", (0.0, 0.01), protocol)


def test_a_slab_has_one_filter_and_mixing_time_and_all_strengths():
    sweep = grid((0.0, 0.7), (10.0, 40.0))
    slabs = slabs_of(sweep)
    assert len(slabs) == 2 * 4
    assert len({slab.name for slab in slabs}) == len(slabs)
    points = list(sweep.points().values())
    for slab in slabs:
        assert slab.size == 4
        assert [points[i] for i in slab.places] == list(slab.sweep.points().values())
        assert "filter-exchange" in slab.name
    again = Sweep.from_json(sweep.to_json())
    assert again.points() == sweep.points()
    assert len({point.key("b") for point in points}) == len(points)


def test_nothing_is_independent_of_the_strength_of_filter_exchange():
    sweep = grid((0.7,), (10.0,))
    rows = Sweep((5.0,), "permeability", (0.0,), Acquisition("b", sweep.protocol.measurements))
    for each in (sweep, rows):
        with pytest.raises(InputError, match="filter-exchange, whose shape depends"):
            each.without_strengths()


# ---- b-tensors ----


@pytest.mark.parametrize("b_delta", [-0.5, -0.25, 0.0, 0.3, 0.99, 1.0])
@pytest.mark.parametrize("times", [(5.0, 30.0), (0.1, 30.0), (20.0, 22.0)])
@pytest.mark.parametrize("direction", [(1.0, 0.0, 0.0), (0.48, -0.6, 0.64)])
def test_the_b_tensor_is_axially_symmetric_about_the_direction(b_delta, times, direction):
    waveform = BTensor(*times, b_delta)
    m = Measurement(waveform, waveform.q_of_b(1.7), direction)
    n = np.array(direction)
    expected = 1.7 / 3 * (1 - b_delta) * np.eye(3) + 1.7 * b_delta * np.outer(n, n)
    np.testing.assert_allclose(m.b_tensor, expected, rtol=0.0, atol=1e-12)
    assert np.linalg.norm(waveform.segments[-1].end) < 1e-14


def test_short_pulses_spin_the_wave_vector_at_the_magic_angle():
    waveform = BTensor(1e-3, 30.0, 0.0)
    F = waveform.sample(np.linspace(0.1, 29.9, 50), 0)[:, 0]
    np.testing.assert_allclose(F[:, 0], 1 / math.sqrt(3), rtol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(F, axis=1), 1.0, rtol=1e-3)
    turns = np.unwrap(np.arctan2(F[:, 2], F[:, 1])) / (2 * np.pi)
    np.testing.assert_allclose(np.diff(turns), 29.8 / 49 / 30.0, rtol=1e-3)


def test_a_linear_b_tensor_is_a_pgse():
    assert BTensor(5.0, 30.0, 1.0).segments == Pgse(5.0, 30.0).segments


def test_three_blocks_are_spherical_and_two_are_planar():
    three, two = TriplePgse(3.0, 10.0, 2.0), DoublePgse(3.0, 10.0, 2.0, 90.0)
    np.testing.assert_allclose(three.b_tensor_factor, np.eye(3) * three.b_factor / 3, atol=1e-13)
    np.testing.assert_allclose(two.b_tensor_factor, np.eye(2) * two.b_factor / 2, atol=1e-13)


def test_a_wave_with_two_amplitudes_turns():
    waveform = BTensor(5.0, 30.0, 0.2)
    segment: Segment = waveform.segments[1]
    t, h = np.linspace(0.5, 24.5, 7), 1e-4
    jets = segment.jet(t, 3)
    for n in range(3):
        slope = (segment.jet(t + h, n)[:, n] - segment.jet(t - h, n)[:, n]) / (2 * h)
        np.testing.assert_allclose(jets[:, n + 1], slope, atol=1e-7)
