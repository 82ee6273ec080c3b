"""Spherical means, harmonics and dispersed signals of the tables of studies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erf

import torrey as tr
from torrey.gradients.orientations import Fibres, Watson
from torrey.gradients.protocol import Measurement
from torrey.gradients.rules import Sphere
from torrey.gradients.sweep import Acquisition, Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import Pgse
from torrey.study.averages import average_variables, shells

PULSES = Pgse(5.0, 25.0)
GRID = WaveformGrid("pgse", (("delta", (5.0,)), ("Delta", (25.0,))))
ALONG, ACROSS = 1.9, 0.7


def stick_mean(attenuation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the sphere of exp(-a cos^2)."""
    root = np.sqrt(attenuation)
    return np.asarray(math.sqrt(math.pi) / 2.0 * erf(root) / root)


def free(sweep: Sweep) -> NDArray[np.complex128]:
    """Signals of free water that diffuses faster along z, for one model."""
    tensor = np.diag([ACROSS, ACROSS, ALONG])
    values = [np.exp(-np.sum(p.measurement.b_tensor * tensor)) for p in sweep.points().values()]
    return np.array(values, dtype=complex).reshape(1, *sweep.shape)


def averages(sweep: Sweep) -> dict[str, NDArray[np.float64]]:
    signal = free(sweep)
    nothing = np.zeros(signal.shape)
    found = average_variables(sweep, signal, nothing, nothing > 0.0)
    return {name: np.asarray(variable.values) for name, variable in found.items()}


def powder(sphere: Sphere, harmonics: int = 0, fibres: Fibres | None = None) -> Sweep:
    directions = tuple(map(tuple, sphere.rule.points.tolist()))
    product = Product(GRID, "b", (0.5, 1.0, 3.0), directions, sphere, fibres)
    return Sweep((10.0,), "permeability", (0.0,), product, harmonics)


B = np.array([0.5, 1.0, 3.0])
EXPECTED = np.exp(-B * ACROSS) * stick_mean(B * (ALONG - ACROSS))


@pytest.mark.parametrize("sphere", [Sphere("lebedev", 23), Sphere("powder", 200)])
def test_the_powder_average_of_free_water_is_a_closed_form(sphere):
    found = averages(powder(sphere, harmonics=4))
    error = np.abs(found["spherical_mean"].ravel() - EXPECTED)
    assert np.all(error < 1e-6)
    assert np.all(error <= found["spherical_mean_error"].ravel() + 1e-15)
    assert np.all(found["spherical_mean_error"] < 1e-4)
    # The first harmonic is the mean, and the others are symmetric about the fibre.
    harmonics = found["harmonics"].reshape(3, -1)
    assert harmonics[:, 0] / math.sqrt(4.0 * math.pi) == pytest.approx(EXPECTED, abs=1e-5)
    assert found["harmonic_degree"].tolist() == [0] + 5 * [2] + 9 * [4]
    assert np.abs(harmonics[:, found["harmonic_order"] != 0]).max() < 1e-4
    assert harmonics[2, 3] < -0.1


def test_numerical_errors_are_part_of_the_error_of_a_mean():
    sweep = powder(Sphere("lebedev", 23))
    signal = free(sweep)
    error = np.full(signal.shape, 1e-3)
    found = average_variables(sweep, signal, error, error > 1.0)
    bound = np.asarray(found["spherical_mean_error"].values)
    assert np.all((bound >= 1e-3) & (bound < 1.1e-3))


def test_a_mean_over_a_signal_that_says_nothing_is_missing():
    sweep = powder(Sphere("lebedev", 7), 2, Fibres.spread(Watson(4.0, points=18)))
    signal = free(sweep)
    meaningless = np.zeros(signal.shape, dtype=bool)
    meaningless[0, 0, 0, 3, 0, 0, 1, 5] = True
    found = average_variables(sweep, signal, np.zeros(signal.shape), meaningless)
    for name, place in (
        ("spherical_mean", (0, 0, 0, 3, 0, 0, 1)),
        ("spherical_mean_error", (0, 0, 0, 3, 0, 0, 1)),
        ("dispersed_signal_real", (0, 0, 0, 0, 0, 1, 5)),
        ("dispersed_signal_error", (0, 0, 0, 0, 0, 1, 5)),
    ):
        values = np.asarray(found[name].values)
        assert np.isnan(values[place])
        assert np.isnan(values).sum() == 1
    assert np.isnan(np.asarray(found["harmonics"].values)).sum() == 6


def test_fibres_in_all_directions_give_every_gradient_the_spherical_mean():
    axes = ((0.0, 0.0, 1.0), (0.48, 0.6, 0.64))
    fibres = Fibres.spread(Watson(0.0, (0.6, 0.0, 0.8), 20.0, 200))
    sweep = Sweep(
        (10.0,), "permeability", (0.0,), Product(GRID, "b", (1.0, 3.0), axes, fibres=fibres)
    )
    found = averages(sweep)
    assert found["dispersed_signal_real"].shape == (1, 1, 1, 1, 1, 2, 2)
    error = found["dispersed_signal_real"] - EXPECTED[1:, None]
    assert np.abs(error).max() < 1e-7
    assert np.all(np.abs(error) <= found["dispersed_signal_error"] + 1e-15)


def test_fibres_close_together_give_the_signal_of_one():
    middle = (0.48, 0.6, 0.64)
    fibres = Fibres.spread(Watson(1e6, middle, points=30))
    product = Product(GRID, "b", (1.0,), ((0.0, 0.0, 1.0), middle), fibres=fibres)
    found = averages(Sweep((10.0,), "permeability", (0.0,), product))
    cosine = np.array([0.64, 1.0])
    one = np.exp(-ACROSS - (ALONG - ACROSS) * cosine**2)
    assert found["dispersed_signal_real"].ravel() == pytest.approx(one, abs=1e-6)


def table(strengths: list[tuple[float, int]]) -> Acquisition:
    """Rows of shells of some b and number of directions, one after the other in turns."""
    rows = [
        (index / count, Measurement(PULSES, PULSES.q_of_b(b), tuple(map(float, n))))
        for b, count in strengths
        for index, n in enumerate(Sphere("powder", max(count, 10)).rule.points[:count])
    ]
    return Acquisition("b", tuple(row for _, row in sorted(rows, key=lambda pair: pair[0])))


def test_shells_of_a_table_are_its_rows_of_one_b():
    scan = table([(0.0, 2), (1.0, 40), (1.01, 8), (3.0, 90), (3.5, 4)])
    groups = shells(scan)
    assert [len(rows) for rows in groups] == [2, 48, 90, 4]
    assert sorted(row for rows in groups for row in rows) == list(range(144))


def test_spherical_means_of_shells():
    sweep = Sweep(
        (10.0,), "permeability", (0.0,), table([(0.0, 2), (1.0, 60), (3.0, 90), (2.0, 4)])
    )
    found = averages(sweep)
    assert found["shell_b"] == pytest.approx([0.0, 1.0, 2.0, 3.0])
    assert found["shell_size"].tolist() == [2, 60, 4, 90]
    size = np.bincount(found["shell_of_measurement"])
    assert size.tolist() == [2, 60, 4, 90]
    mean, bound = found["spherical_mean"].ravel(), found["spherical_mean_error"].ravel()
    for number, b in enumerate(found["shell_b"]):
        rows = found["shell_of_measurement"] == number
        assert mean[number] == pytest.approx(free(sweep).real.ravel()[rows].mean())
        if number in (1, 3):  # the rows have weights that are equal, which is not the best
            expected = math.exp(-b * ACROSS) * stick_mean(np.array(b * (ALONG - ACROSS)))
            assert abs(mean[number] - expected) <= bound[number] < 0.05
    assert (mean[0], bound[0]) == (1.0, 0.0)
    assert np.isnan(bound[2])  # four directions tell no error
    assert np.isnan(bound).sum() == 1


def test_harmonics_of_shells_are_missing_where_rows_do_not_tell_them():
    scan = table([(0.0, 2), (1.0, 60), (2.0, 4)])
    found = averages(Sweep((10.0,), "permeability", (0.0,), scan, 4))
    harmonics = found["harmonics"].reshape(3, 15)
    assert np.isnan(harmonics[[0, 2]]).all()
    mean = math.exp(-ACROSS) * stick_mean(np.array(ALONG - ACROSS))
    assert harmonics[1, 0] == pytest.approx(math.sqrt(4.0 * math.pi) * mean, abs=1e-3)
    assert np.abs(harmonics[1, found["harmonic_order"] != 0]).max() < 1e-3
    with pytest.raises(tr.InputError, match="at least 15"):
        averages(Sweep((10.0,), "permeability", (0.0,), table([(1.0, 12), (2.0, 4)]), 4))


def test_tables_within_the_plane_have_no_spherical_mean():
    rows = (Measurement(PULSES, 0.2, (1.0, 0.0)), Measurement(PULSES, 0.2, (0.0, 1.0)))
    assert averages_of_plane(rows) == {}


def averages_of_plane(rows: tuple[Measurement, ...]) -> dict[str, object]:
    sweep = Sweep((10.0,), "permeability", (0.0,), Acquisition("b", rows))
    ones = np.ones((1, *sweep.shape))
    return dict(average_variables(sweep, ones.astype(complex), ones, ones > 2.0))


@pytest.mark.slow
def test_the_powder_average_of_impermeable_cylinders():
    """Along the cylinders water is free: the signal is that in the plane times exp(-b D cos^2)."""
    disc = tr.Discs((tr.Disc((0.5, 0.5), 0.4),))
    cell = tr.Cell(disc, diffusivity=2.0, period=10.0, mesh=tr.MeshOptions(0.2, 1))
    pulses = tr.Pgse("5 ms", "25 ms")
    found = cell.signal(pulses, b=1.0, direction={"lebedev": 17}, model="P6")
    # The mean by a fine rule, of signals in the plane on the same meshes.
    x, w = np.polynomial.legendre.leggauss(10)
    cosine, weights = (x + 1.0) / 2.0, w / 2.0
    angles = (np.arange(8) + 0.5) * np.pi / 8
    plane = np.column_stack([np.cos(angles), np.sin(angles)])
    q = pulses.q_of_b(1.0) * np.sqrt(1.0 - cosine**2)
    signal = cell.signal(pulses, q=q, direction=plane, model="P6")
    expected = weights @ (signal.values.mean(axis=1) * np.exp(-2.0 * cosine**2))
    assert found.spherical_mean.item() == pytest.approx(expected, abs=1e-6)
    assert abs(found.spherical_mean.item() - expected) <= found.spherical_mean_error.item() < 1e-4


def test_the_powder_average_of_free_water_in_a_cell():
    """Different diffusivities along and across, by a model of a cell with nothing in it."""
    tensor = np.diag([ACROSS, ACROSS, ALONG]).tolist()
    cell = tr.Cell(tr.Discs(()), diffusivity=tensor, period=10.0, mesh=tr.MeshOptions(0.5, 1))
    gradients = tr.Pgse("5 ms", "25 ms")
    found = cell.signal(gradients, b=B, direction={"lebedev": 19}, model="R0")
    assert found.spherical_mean.values == pytest.approx(EXPECTED, abs=1e-6)
    assert found.direction_weight.sum().item() == pytest.approx(1.0)
    # The same fibre along x: no mean over all directions knows of it.
    turned = cell.signal(
        gradients, b=B, direction={"lebedev": 19}, model="R0", orientation={"axis": [1, 0, 0]}
    )
    assert turned.spherical_mean.values == pytest.approx(EXPECTED, abs=1e-6)
    assert turned.fibre_angle.values == pytest.approx(
        np.degrees(np.arccos(np.abs(turned.direction_x.values))), abs=1e-5
    )
