"""Fibres that are turned, and distributions of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import dawsn

from torrey.gradients.axes import coordinates, measurement_variables, orientation_labels
from torrey.gradients.orientations import Fibres, Orientation, Watson
from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.rules import Sphere
from torrey.gradients.slabs import join, slabs_of
from torrey.gradients.sweep import Acquisition, Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import Pgse, SampledWaveform, Waveform

AXIS = (0.48, 0.6, 0.64)
PULSES = WaveformGrid("pgse", (("delta", (5.0,)), ("Delta", (25.0, 40.0))))
ALONG = ((0.0, 0.0, 1.0), (0.6, 0.0, -0.8))


@pytest.mark.parametrize("axis", [AXIS, (0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (0.6, -0.8, 0.0)])
@pytest.mark.parametrize("roll", [0.0, 30.0, -170.0])
def test_an_orientation_is_a_roll_and_then_the_shortest_rotation(axis, roll):
    matrix = Orientation(axis, roll).matrix
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-15)
    assert np.linalg.det(matrix) == pytest.approx(1.0)
    assert matrix[:, 2] == pytest.approx(axis, abs=1e-15)
    turn = matrix @ Orientation((0.0, 0.0, 1.0), roll).matrix.T
    # The shortest rotation turns by the angle between the axes: 1 + 2 cos is its trace.
    assert np.trace(turn) == pytest.approx(1.0 + 2.0 * axis[2], abs=1e-14)


@pytest.mark.parametrize("components", [1, 2, 3])
@pytest.mark.parametrize("direction", [*ALONG, (-1.0, 0.0, 0.0)])
def test_the_whole_frame_of_a_waveform_is_turned(components, direction):
    one = Measurement(_waveform(components), 0.2, direction)
    turn = Orientation(AXIS, 50.0)
    seen = turn.into_cell(one)
    assert seen.frame == pytest.approx(one.frame @ turn.matrix, abs=2e-14)
    assert seen.b_tensor == pytest.approx(turn.matrix.T @ one.b_tensor @ turn.matrix, abs=1e-13)
    # Fibres that are turned again see what is turned twice.
    again = Orientation((0.0, 0.6, 0.8), -20.0)
    twice = again.into_cell(seen)
    assert twice.frame == pytest.approx(one.frame @ turn.matrix @ again.matrix, abs=4e-14)


def _waveform(components: int) -> Waveform:
    if components == 1:
        return Pgse(5.0, 25.0)
    gradient = [(1.0, 0.0, 1.0), (-1.0, 1.0, 0.0), (1.0, -1.0, 0.0), (-1.0, 0.0, -1.0)]
    times = tuple(t for i in range(4) for t in (5.0 * i, 5.0 * i + 5.0))
    values = tuple(g[:components] for g in gradient for _ in range(2))
    return SampledWaveform("three", "gradient", times, values)


@pytest.mark.parametrize("kappa", [0.01, 1.0, 8.0, 100.0, 1e4])
def test_moments_of_watson(kappa):
    rule = Watson(kappa, points=60).rule
    z = rule.points[:, 2]
    root = math.sqrt(kappa)
    normal = dawsn(root) / root  # of the density, times exp(-kappa)
    second = 1.0 / (2.0 * kappa) * (1.0 / normal - 1.0)
    fourth = 1.0 / (2.0 * kappa) * (1.0 / normal - 3.0 * second)
    assert rule.weights.sum() == pytest.approx(1.0, abs=1e-14)
    assert rule.weights @ z**2 == pytest.approx(second, rel=1e-11)
    assert rule.weights @ z**4 == pytest.approx(fourth, rel=1e-9)
    assert rule.weights @ rule.points[:, :2] ** 2 == pytest.approx((1.0 - second) / 2.0, rel=1e-9)


def dispersed(kappa: float, attenuation: float, axis: np.ndarray) -> float:
    """Mean of exp(-a cos^2) over a distribution of Watson about z, by a fine rule."""
    reach = min(1.0, 60.0 / kappa) if kappa else 1.0
    x, w = np.polynomial.legendre.leggauss(100)
    s = (x + 1.0) / 2.0 * reach
    w = w * np.exp(-kappa * s * (2.0 - s))
    phi = 2.0 * np.pi * np.arange(64) / 64
    across = np.sqrt(s * (2.0 - s))[:, None] * np.cos(phi) * math.hypot(*axis[:2])
    cosine = across + axis[2] * (1.0 - s)[:, None]
    return float(w @ np.exp(-attenuation * cosine**2).mean(axis=1) / w.sum())


@pytest.mark.parametrize("kappa", [0.0, 1.0, 8.0, 64.0, 1e3])
@pytest.mark.parametrize("points", [18, 30, 60, 200])
def test_means_over_fibres_err_by_less_than_they_say(kappa, points):
    rule = Watson(kappa, points=points).rule
    assert points * 0.6 <= len(rule.weights) <= points
    for attenuation in (1.0, 3.0, 10.0):
        for axis in np.array([[0.0, 0.0, 1.0], AXIS, [0.6, 0.8, 0.0]]):
            mean, bound = rule.mean(np.exp(-attenuation * (rule.points @ axis) ** 2))
            assert abs(mean - dispersed(kappa, attenuation, axis)) <= bound + 1e-13


def test_fibres_alike_in_all_directions_are_a_powder():
    fibres, sphere = Watson(0.0, points=400).rule, Sphere("lebedev", 35).rule
    for axis in np.array([AXIS, [0.0, 0.0, 1.0]]):
        means = [r.weights @ np.exp(-3.0 * (r.points @ axis) ** 2) for r in (fibres, sphere)]
        assert means[0] == pytest.approx(means[1], abs=1e-12)


def test_fibres_close_together_are_one():
    one = Orientation(AXIS, 25.0)
    matrices = np.array([o.matrix for o in Watson(1e6, AXIS, 25.0, 30).orientations])
    assert np.abs(matrices - one.matrix).max() < 6e-3
    mean = np.einsum("i,ijk", Watson(1e6, AXIS, 25.0, 30).rule.weights, matrices)
    assert mean == pytest.approx(one.matrix, abs=2e-6)


def test_fibres_of_a_distribution_are_turned_from_the_one_in_its_middle():
    spread, upright = Watson(4.0, AXIS, 25.0, 40), Orientation(AXIS).matrix
    for fibre, axis in zip(spread.orientations, spread.rule.points, strict=True):
        assert fibre.axis == pytest.approx(upright @ axis, abs=1e-15)
        roll = Orientation((0.0, 0.0, 1.0), 25.0).matrix
        expected = upright @ Orientation(tuple(axis)).matrix @ roll
        assert fibre.matrix == pytest.approx(expected, abs=1e-13)


def sweep(fibres: Fibres | None, **more: object) -> Sweep:
    product = Product(PULSES, "b", (0.0, 1.0), ALONG, fibres=fibres)
    return Sweep((10.0, 20.0), "permeability", (0.01,), product, **more)  # type: ignore[arg-type]


TWO = Fibres((Orientation(AXIS, 30.0), Orientation((0.0, 0.0, 1.0))))


def test_orientations_are_an_axis_of_a_sweep():
    turned, plain = sweep(TWO), sweep(None)
    assert list(turned.axes())[2] == "orientation"
    assert turned.shape == (2, 1, 2, 1, 2, 2, 2)
    points, still = turned.points(), plain.points()
    for (period, kappa, fibre, *rest), point in points.items():
        lab = still[(period, kappa, *rest)]
        expected = TWO.orientations[fibre].into_cell(lab.measurement)
        assert point.measurement == expected
        assert fibre == 0 or point == lab


def test_without_orientations_nothing_is_called_otherwise():
    plain = sweep(None)
    assert "fibres" not in plain.to_json()
    assert "harmonics" not in plain.to_json()
    assert "sphere" not in plain.to_json()
    assert next(iter(plain.points().values())).key() == "L10_kappa0.01_pgse-5-25_b0_n0_0_1"
    turned = Point(10.0, 0.01, Pgse(5.0, 25.0), 0.2, ALONG[0], 30.0)
    assert turned.key("q") == "L10_kappa0.01_pgse-5-25_q0.2_n0_0_1_roll30"
    assert Point.from_dict(turned.to_dict()) == turned


@pytest.mark.parametrize(
    "fibres", [None, TWO, Fibres.spread(Watson(8.0, AXIS, 30.0, 20))], ids=["none", "two", "watson"]
)
def test_sweeps_with_fibres_come_back_from_text(fibres):
    given = sweep(fibres, harmonics=4)
    assert Sweep.from_json(given.to_json()) == given
    rows = tuple(given.protocol.measurements[:3])
    scan = Sweep((10.0,), "sigma0", (0.01,), Acquisition("b", rows, fibres))
    assert Sweep.from_json(scan.to_json()) == scan
    sphere = Sphere("lebedev", 7)
    directions = tuple(map(tuple, sphere.rule.points.tolist()))
    product = Product(PULSES, "b", (1.0,), directions, sphere, fibres)
    powder = Sweep((10.0,), "permeability", (0.01,), product)
    assert Sweep.from_json(powder.to_json()) == powder


def test_a_rotated_fibre_is_a_rotated_table():
    """The slabs of both have the same names, and their signals come to the same places."""
    turned = sweep(TWO)
    rows = tuple(turned.protocol.measurements)
    table = Sweep((10.0, 20.0), "permeability", (0.01,), Acquisition("b", rows))
    slabs, same = slabs_of(turned), slabs_of(table)
    assert {slab.name for slab in slabs} == {slab.name for slab in same}
    values = [np.array([p.q * hash(p.direction) for p in s.sweep.points().values()]) for s in slabs]
    expected = [p.q * hash(p.direction) for p in turned.points().values()]
    assert np.array_equal(join(turned, slabs, values).ravel(), expected)


def test_files_say_how_fibres_and_gradients_lie():
    found = coordinates(sweep(TWO))
    assert found["orientation"].values.tolist() == ["0.48,0.6,0.64 roll 30", "0,0,1 roll 0"]
    assert found["orientation_axis"].values[0] == pytest.approx(AXIS)
    assert found["orientation_roll"].values.tolist() == [30.0, 0.0]
    angle = np.degrees(np.arccos(np.abs(np.array([AXIS, (0.0, 0.0, 1.0)]) @ np.array(ALONG).T)))
    assert found["fibre_angle"].dims == ("orientation", "direction")
    assert found["fibre_angle"].values == pytest.approx(angle, abs=1e-6)
    # b-tensors are those of the scanner, whatever the fibres.
    turned, plain = measurement_variables(sweep(TWO)), measurement_variables(sweep(None))
    assert turned["b_tensor"].dims == plain["b_tensor"].dims
    assert np.array_equal(turned["b_tensor"].values, plain["b_tensor"].values)
    spread = coordinates(sweep(Fibres.spread(Watson(8.0))))
    assert spread["orientation_weight"].values.sum() == pytest.approx(1.0)
    flat = Sweep((10.0,), "permeability", (0.0,), Product(PULSES, "b", (1.0,), ((1.0, 0.0),)))
    assert "angle" not in coordinates(flat)


def test_labels_tell_close_orientations_apart():
    close = [Orientation((0.0, 0.0, 1.0), 30.0), Orientation((0.0, 0.0, 1.0), 30.0001)]
    assert orientation_labels(close) == ("0,0,1 roll 30", "0,0,1 roll 30.0001")
