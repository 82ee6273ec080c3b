"""A point has one name, however its gradient was given; components of F have their axes."""

from __future__ import annotations

import json
import random
import re

import numpy as np
import pytest
from support.waveform_cases import EVERY, PLANE, SPACE, name_of

from torrey.base.keys import round_significant
from torrey.gradients.protocol import Measurement, Point, frame, group_measurements
from torrey.gradients.waveforms import CosineOgse, DoublePgse, Pgse, SineOgse, Waveform

WAVEFORM = Pgse(5.0, 25.0)


def point(q: float, waveform: Waveform = WAVEFORM) -> Point:
    return Point(10.0, 0.05, waveform, q, (0.0, 1.0))


def test_keys_show_what_was_given():
    assert point(WAVEFORM.q_of_b(4.0)).key() == "L10_kappa0.05_pgse-5-25_b4_n0_1"
    assert point(0.2).key("q") == "L10_kappa0.05_pgse-5-25_q0.2_n0_1"
    gradient = point(WAVEFORM.q_of_gradient(0.015))
    assert gradient.key("gradient") == "L10_kappa0.05_pgse-5-25_G0.015_n0_1"


def test_keys_survive_the_way_to_q_and_back():
    rng = random.Random(4)
    for _ in range(2000):
        waveform = Pgse(rng.uniform(0.1, 5), rng.uniform(5, 90))
        b = round_significant(rng.random() * 10.0 ** rng.randint(-6, 3))
        assert f"_b{b:.12g}_".replace("e-0", "e-") in point(waveform.q_of_b(b), waveform).key()


@pytest.mark.parametrize("waveform", EVERY, ids=name_of)
def test_keys_show_round_numbers_for_every_waveform(waveform):
    for encoding, value, name in (("b", 0.85, "_b0.85_n"), ("gradient", 0.015, "_G0.015_n")):
        shape, q = waveform.measure(encoding, value)
        assert name in point(q, shape).key(encoding)


def test_keys_tell_points_apart():
    keys = [point(0.2, waveform).key("q") for waveform in EVERY]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"L10_kappa0\.05_[A-Za-z0-9.-]+_q0\.2_n0_1", key) for key in keys)
    assert point(0.2).key("q") != Point(10.0, 0.05, WAVEFORM, 0.2, (1.0, 0.0)).key("q")


def test_derived_quantities():
    assert point(0.2).b == pytest.approx(0.04 * (25 - 5 / 3))
    assert point(0.2).gradient == pytest.approx(0.04)
    assert point(0.2).sigma == pytest.approx(0.005)


@pytest.mark.parametrize("waveform", EVERY, ids=name_of)
@pytest.mark.parametrize("direction", [(1.0,), (0.6, 0.8), (0.0, 0.0, 1.0)])
def test_plain_values_describe_the_whole_point(waveform, direction):
    original = Point(10.0, 0.05, waveform, 1 / 3, direction)
    plain = original.to_dict()
    assert all(type(value) in (str, int, float) for value in plain.values())
    assert Point.from_dict(json.loads(json.dumps(plain))) == original


# ---- axes of the components ----


def directions(dimension: int) -> list[tuple[float, ...]]:
    """Axes, their opposites, and random unit vectors; in space also some close to -x."""
    eye = np.eye(dimension)
    vectors = [*eye, *-eye]
    rng = np.random.default_rng(dimension)
    vectors += list(rng.normal(size=(50, dimension)))
    vectors += [-eye[0] + s * eye[-1] for s in (1e-5, 1e-8, 1e-12)] if dimension > 1 else []
    return [tuple((v / np.linalg.norm(v)).tolist()) for v in vectors]


@pytest.mark.parametrize(("dimension", "k"), [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)])
def test_frames_are_orthonormal_and_begin_with_the_direction(dimension, k):
    for n in directions(dimension):
        axes = frame(n, k)
        assert axes.shape == (k, dimension)
        np.testing.assert_allclose(axes @ axes.T, np.eye(k), atol=1e-14)
        np.testing.assert_allclose(axes[0], n, atol=1e-14)


@pytest.mark.parametrize("dimension", [2, 3])
def test_frames_are_right_handed(dimension):
    for n in directions(dimension):
        assert np.linalg.det(frame(n, dimension)) == pytest.approx(1.0, abs=1e-13)
        np.testing.assert_allclose(frame(n, dimension)[:2], frame(n, 2), atol=1e-15)


def test_along_x_the_frame_is_that_of_the_cell():
    for dimension in (1, 2, 3):
        n = (1.0, 0.0, 0.0)[:dimension]
        np.testing.assert_array_equal(frame(n, dimension), np.eye(dimension))


def test_in_the_plane_the_second_axis_is_to_the_left():
    np.testing.assert_allclose(frame((0.6, 0.8), 2)[1], [-0.8, 0.6])
    np.testing.assert_array_equal(frame((0.0, -1.0), 2)[1], [1.0, 0.0])


def test_in_space_the_rotation_is_the_shortest():
    for n in directions(3):
        rotation = frame(n, 3).T
        # What is perpendicular to x and n stays, and the angle is that between x and n.
        axis = np.cross([1.0, 0.0, 0.0], n)
        np.testing.assert_allclose(rotation @ axis, axis, atol=1e-14)
        assert (np.trace(rotation) - 1) / 2 == pytest.approx(n[0], abs=1e-13)


def test_directions_of_any_length_will_do():
    np.testing.assert_allclose(frame((3.0, 4.0), 2), frame((0.6, 0.8), 2), atol=1e-15)


@pytest.mark.parametrize(("direction", "k"), [((1.0,), 2), ((1.0, 0.0), 3), ((0.0, 0.0, 1.0), 4)])
def test_more_components_than_dimensions_are_refused(direction, k):
    d = len(direction)
    with pytest.raises(ValueError, match=f"found a waveform of {k} components.*at most {d}, as"):
        frame(direction, k)
    if k <= 3:
        waveform = PLANE if k == 2 else SPACE
        with pytest.raises(ValueError, match=f"{k} components"):
            _ = Measurement(waveform, 0.2, direction).b_tensor


# ---- measurements ----


def fitting(dimension: int) -> list[Waveform]:
    scaling = [waveform for waveform in EVERY if waveform.scales]
    return [waveform for waveform in scaling if waveform.n_components <= dimension]


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_trace_of_the_b_tensor_is_the_b_value(dimension):
    for waveform in fitting(dimension):
        for n in directions(dimension)[:8]:
            m = Measurement(waveform, waveform.q_of_b(1.7), n)
            assert m.b_tensor.shape == (dimension, dimension)
            assert m.b == pytest.approx(1.7, rel=1e-13)
            assert np.trace(m.b_tensor) == pytest.approx(1.7, rel=1e-13)
            np.testing.assert_allclose(m.b_tensor, m.b_tensor.T, atol=1e-15)


def test_along_one_direction_the_b_tensor_is_b_n_n():
    for waveform in fitting(1):
        m = Measurement(waveform, waveform.q_of_b(0.9), (0.6, -0.8))
        expected = 0.9 * np.multiply.outer([0.6, -0.8], [0.6, -0.8])
        np.testing.assert_allclose(m.b_tensor, expected, rtol=1e-13)


def test_the_b_tensor_turns_with_the_direction():
    for waveform in fitting(2):
        along_x = Measurement(waveform, 0.4, (1.0, 0.0)).b_tensor
        for angle in (0.3, 1.9, -2.5):
            n = (np.cos(angle), np.sin(angle))
            R = np.array([[n[0], -n[1]], [n[1], n[0]]])
            turned = Measurement(waveform, 0.4, n).b_tensor
            np.testing.assert_allclose(turned, R @ along_x @ R.T, atol=1e-14)


def test_the_b_tensor_is_the_integral_of_g_with_itself():
    m = Measurement(DoublePgse(3.0, 10.0, 2.0, 60.0), 0.3, (0.0, 1.0))
    t = m.waveform.echo_time * (np.arange(100_000) + 0.5) / 100_000
    g = 0.3 * m.waveform.sample(t, 0)[:, 0] @ m.frame
    expected = g.T @ g * m.waveform.echo_time / 100_000
    np.testing.assert_allclose(m.b_tensor, expected, rtol=1e-6)
    # The first pair is along y, the second turned from there to the left.
    assert g[10_000] @ (0.0, 1.0) > 0
    np.testing.assert_allclose(g[75_000] / np.linalg.norm(g[75_000]), [-np.sqrt(0.75), 0.5])


def test_a_double_pair_at_a_right_angle_encodes_the_plane_evenly():
    m = Measurement(DoublePgse(3.0, 10.0, 2.0, 90.0), 0.3, (0.6, 0.8))
    np.testing.assert_allclose(m.b_tensor, m.b / 2 * np.eye(2), atol=1e-15)


def test_the_gradient_is_the_largest():
    m = Measurement(CosineOgse(10.0, 20.0, 2.0), 0.3, (1.0,))
    assert m.gradient == pytest.approx(0.3 * 2 * np.pi * 2 / 10.0)
    assert Point(5.0, 0.0, m.waveform, m.q, m.direction).measurement == m


ROWS = (
    Measurement(Pgse(3.0, 9.0), 0.4, (1.0, 0.0)),
    Measurement(DoublePgse(2.0, 6.0, 1.0, 60.0), 0.5, (0.6, 0.8)),
    Measurement(SineOgse(4.0, 6.0, 2.0), 0.6, (0.6, 0.8)),
    Measurement(Pgse(3.0, 9.0), 0.2, (0.6, 0.8)),
    Measurement(DoublePgse(2.0, 6.0, 1.0, 60.0), 0.3, (0.6, 0.8)),
    Measurement(Pgse(3.0, 9.0), 0.0, (1.0, 0.0)),
)


def test_measurements_are_grouped_by_axes_and_waveform():
    groups = group_measurements(ROWS)
    assert list(map(len, groups)) == [1, 2, 1]
    members = [sorted(rows.values()) for rows in groups.values()]
    assert members == [[[0, 5]], [[1, 4]], [[2], [3]]]
    for axes, by_waveform in groups.items():
        for waveform, rows in by_waveform.items():
            assert all(ROWS[row].waveform == waveform for row in rows)
            for row in rows:
                np.testing.assert_array_equal(ROWS[row].frame, axes)
