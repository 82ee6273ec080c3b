"""Relaxation, density, membranes and anisotropy: cases whose signals are known.

    dM/dt = div D grad M - i g'(t).x M - M/T2,    D grad M . nu = w_i kappa [M] on membrane i

- T2 everywhere the same is a factor exp(-T_E/T2);
- compartments without exchange add up,

      S = sum_a rho_a |Y_a| S_a exp(-T_E/T2_a) / sum_a rho_a |Y_a|

- without a gradient R0 is the system of pools of McConnell (1958), with kappa/L = sigma,

      dm/dt = -(X + 1/T2) m,    X_aa = sum_b k_ab,  X_ba = -k_ab,  k_ab = sigma w |Gamma_ab|/|Y_a|

  to which the full system comes as L^2 at fixed sigma, to R2 as L^4 and to R4 as L^6, with a
  gradient too;
- a membrane of factor zero is a wall, and factors multiply the permeability;
- layers of anisotropic water: with y' = y - (D_xy/D_xx) x in place of y the tensor is diagonal and
  the walls are the same, so that, with D' = D_yy - D_xy^2/D_xx,

      S = sum_a |Y_a| S_wall(D_xx, q_x + q_y D_xy/D_xx) exp(-D' B_yy)

  where S_wall is the signal between walls (`intervals`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.linalg import expm
from support.intervals import interval_signal

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, Layers, MeshOptions, Shape
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import CosineOgse, DoublePgse, Pgse, Waveform
from torrey.models.expansion import expand
from torrey.models.projection import project
from torrey.reference.full import mesh_signal
from torrey.study.orders import local_orders

ASYMMETRIC = Discs((Disc((0.27, 0.4), 0.15), Disc((0.75, 0.93), 0.2)))
ONE_DISC = Discs((Disc((0.5, 0.5), 0.2),))
THREE_LAYERS = Layers((0.3, 0.5, 0.2))

PULSES = Pgse(5.0, 15.0)
PAIRS = DoublePgse(3.0, 8.0, 2.0, 60.0)
PARALLEL_PAIRS = DoublePgse(3.0, 8.0, 2.0, 0.0)
COSINE = CosineOgse(6.0, 6.0, 1)
DIRECTION = (0.6, 0.8)
PERIOD, PERMEABILITY = 5.0, 0.05

D = (3.0, 1.7, 1.1)
#: One disc is anisotropic.
TENSORS = (3.0, ((1.7, 0.3), (0.3, 0.9)), 1.1)
T2 = (80.0, 40.0, 20.0)
DENSITY = (1.0, 0.4, 2.0)


@cache
def geometry(shape: Shape, level: int = 0) -> BlochTorrey:
    plain = Material((1.0,) * shape.n_compartments)
    return levels(shape, MeshOptions(0.5, level), plain)[level]


def cell_of(shape: Shape, material: Material, level: int = 0) -> BlochTorrey:
    return bloch_torrey(geometry(shape, level).cell, material)


def alone(shape: Shape, compartment: int, diffusivity: float | tuple) -> BlochTorrey:
    """One compartment behind impermeable membranes."""
    return bloch_torrey(geometry(shape).cell.restrict([compartment]), Material((diffusivity,)))


def measure(
    waveform: Waveform, b: float = 1.0, direction: tuple[float, ...] = DIRECTION
) -> Measurement:
    return Measurement(waveform, waveform.q_of_b(b), direction)


def full_signal(
    cell: BlochTorrey,
    measurement: Measurement,
    steps: int = 12,
    period: float = PERIOD,
    permeability: float = PERMEABILITY,
) -> complex:
    system = AffineSystem.at(cell, period, permeability, measurement.frame)
    return mesh_signal(system, measurement.waveform, measurement.q, steps)


def series_signals(
    cell: BlochTorrey,
    measurement: Measurement,
    orders: Sequence[int] = (0, 2, 4),
    permeability: float = PERMEABILITY,
) -> np.ndarray:
    """Of R_n for some n."""
    model = expand(cell, measurement.frame, max(orders)).model
    at = (measurement.waveform, measurement.q, PERIOD, permeability / PERIOD)
    return np.array([complex(model.truncate(n).signal(*at)) for n in orders])


def projected_signal(
    cell: BlochTorrey, measurement: Measurement, order: int = 3, permeability: float = PERMEABILITY
) -> complex:
    model = project(cell, measurement.frame, order)
    at = (measurement.waveform, measurement.q, PERIOD, permeability / PERIOD)
    return complex(model.signal(*at))


# ---- relaxation ----


@pytest.mark.parametrize("waveform", [PULSES, COSINE], ids=lambda w: w.kind)
def test_relaxation_that_is_the_same_everywhere_is_a_factor(waveform):
    plain, relaxing = (cell_of(ASYMMETRIC, Material(D, T2=time)) for time in ((), (40.0,) * 3))
    measurement, factor = measure(waveform), math.exp(-waveform.echo_time / 40.0)
    expected = full_signal(plain, measurement) * factor
    assert full_signal(relaxing, measurement) == pytest.approx(expected, rel=1e-10)
    expected = series_signals(plain, measurement) * factor
    np.testing.assert_allclose(series_signals(relaxing, measurement), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "waveform", [PULSES, pytest.param(COSINE, marks=pytest.mark.slow)], ids=lambda w: w.kind
)
def test_relaxation_that_is_the_same_everywhere_is_a_factor_of_a_projection(waveform):
    plain, relaxing = (cell_of(ASYMMETRIC, Material(D, T2=time)) for time in ((), (40.0,) * 3))
    measurement, factor = measure(waveform), math.exp(-waveform.echo_time / 40.0)
    expected = projected_signal(plain, measurement) * factor
    assert projected_signal(relaxing, measurement) == pytest.approx(expected, rel=1e-9)


def test_relaxation_that_is_the_same_everywhere_adds_nothing_to_a_basis():
    plain, relaxing = (cell_of(ASYMMETRIC, Material(D, T2=time)) for time in ((), (40.0,) * 3))
    assert project(relaxing, DIRECTION, 3).ranks == project(plain, DIRECTION, 3).ranks


# ---- compartments without exchange ----


def weighted_sum(waveform: Waveform, parts: Sequence[complex], T2: Sequence[float]) -> complex:
    weights = geometry(ASYMMETRIC).cell.measures() * DENSITY
    return weights * np.exp(-waveform.echo_time / np.array(T2)) @ parts / weights.sum()


@pytest.mark.parametrize(
    ("waveform", "permeability", "factors"),
    [(PULSES, 0.05, (0.0, 0.0)), (PAIRS, 0.0, ())],
    ids=["walls-by-factors", "impermeable"],
)
def test_compartments_without_exchange_add_up(waveform, permeability, factors):
    measurement = measure(waveform)
    cell = cell_of(ASYMMETRIC, Material(TENSORS, T2=T2, density=DENSITY, membranes=factors))
    parts = [alone(ASYMMETRIC, a, diffusivity) for a, diffusivity in enumerate(TENSORS)]
    expected = weighted_sum(waveform, [full_signal(x, measurement, 24) for x in parts], T2)
    found = full_signal(cell, measurement, 24, permeability=permeability)
    assert found == pytest.approx(expected, rel=1e-8)
    R2 = [series_signals(x, measurement, (2,))[0] for x in parts]
    found = series_signals(cell, measurement, (2,), permeability=permeability)[0]
    assert found == pytest.approx(weighted_sum(waveform, R2, T2), abs=2e-10)


@pytest.mark.parametrize(
    "times",
    [(math.inf,) * 3, T2],
    ids=["no-T2", "T2"],
)
def test_projections_of_compartments_without_exchange_add_up(times):
    measurement = measure(PULSES)
    cell = cell_of(ASYMMETRIC, Material(TENSORS, T2=times, density=DENSITY, membranes=(0.0, 0.0)))
    parts = [
        projected_signal(alone(ASYMMETRIC, a, diffusivity), measurement)
        for a, diffusivity in enumerate(TENSORS)
    ]
    expected = weighted_sum(PULSES, parts, times)
    assert projected_signal(cell, measurement) == pytest.approx(expected, abs=2e-10)


# ---- exchange without a gradient ----

SIGMA = 0.02
POOLS_T2 = (60.0, 15.0)
POOLS_DENSITY = (0.5, 2.0)


def pools(
    sizes: Sequence[float],
    membranes: Sequence[tuple[int, int, float]],
    T2: Sequence[float],
    density: Sequence[float],
    time: float,
) -> float:
    """Signal of pools that exchange through membranes (from, to, factor times measure)."""
    X = np.diag(1.0 / np.array(T2))
    for a, b, measure in membranes:
        for source, target in ((a, b), (b, a)):
            rate = SIGMA * measure / sizes[source]
            X[source, source] += rate
            X[target, source] -= rate
    start = np.array(sizes) * density
    return float((expm(-time * X) @ start).sum() / start.sum())


def test_r0_without_a_gradient_is_the_system_of_pools_of_mcconnell():
    factors = (1.0, 0.3, 0.0)
    material = Material((2.0, 1.0, 0.5), T2=T2, density=DENSITY, membranes=factors)
    cell = cell_of(THREE_LAYERS, material)
    sides = [(0, 1, factors[0]), (1, 2, factors[1]), (2, 0, factors[2])]
    exact = pools(THREE_LAYERS.thicknesses, sides, T2, DENSITY, PULSES.echo_time)
    model = expand(cell, (1.0,), 0).model
    for period in (1.0, 7.0):
        assert model.signal(PULSES, 0.0, period, SIGMA) == pytest.approx(exact, abs=1e-10)
    # Exchange counts: the same pools behind walls have another signal.
    still = pools(THREE_LAYERS.thicknesses, [], T2, DENSITY, PULSES.echo_time)
    assert abs(exact - still) > 1e-3


def test_r0_of_a_disc_without_a_gradient_is_a_system_of_two_pools():
    cell = cell_of(ONE_DISC, Material((3.0, 1.7), T2=POOLS_T2, density=POOLS_DENSITY), level=2)
    sides = [(0, 1, 2 * math.pi * 0.2)]
    exact = pools(ONE_DISC.measures(), sides, POOLS_T2, POOLS_DENSITY, PULSES.echo_time)
    found = expand(cell, DIRECTION, 0).model.signal(PULSES, 0.0, 1.0, SIGMA)
    # The mesh has not quite the area of the disc.
    assert found == pytest.approx(exact, rel=1e-6)


def test_the_full_system_comes_to_the_two_pools_as_the_period_squared():
    layers = Layers((0.4, 0.6))
    cell = cell_of(layers, Material((2.0, 1.0), T2=POOLS_T2, density=POOLS_DENSITY))
    sides = [(0, 1, 2.0)]
    exact = pools(layers.thicknesses, sides, POOLS_T2, POOLS_DENSITY, PULSES.echo_time)
    measurement, periods = measure(PULSES, 0.0, (1.0,)), np.array([1.0, 2.0, 4.0])
    full = np.array([full_signal(cell, measurement, 24, L, SIGMA * L).real for L in periods])
    orders = local_orders(periods, full - exact)
    print(full - exact, orders)
    assert orders == pytest.approx(2.0, abs=0.01)
    # And the models above R0 to the full system; below R4 masses do not jump at the beginning.
    series = expand(cell, (1.0,), 4).model
    models = {2: series.truncate(2), 4: series}
    errors = {n: m.signal(PULSES, 0.0, periods, SIGMA).real - full for n, m in models.items()}
    lost = replace(series, overlaps=()).signal(PULSES, 0.0, periods, SIGMA).real - full
    assert local_orders(periods, errors[2]) == pytest.approx(4.0, abs=0.1)
    assert local_orders(periods[1:], errors[4][1:]) == pytest.approx(6.0, abs=0.1)
    assert local_orders(periods, lost) == pytest.approx(4.0, abs=0.01)


def test_models_of_a_cell_with_everything_keep_their_orders():
    # Uneven density: the masses jump at the beginning too, and the signal has a phase.
    material = Material(TENSORS, T2=T2, density=DENSITY, membranes=(1.0, 0.4))
    cell, measurement = cell_of(ASYMMETRIC, material), measure(PULSES)
    periods = np.array([2.5, 3.5])
    coarse, full = (
        np.array([full_signal(cell, measurement, n, L, SIGMA * L) for L in periods])
        for n in (24, 48)
    )
    assert np.all(abs(full.imag) > 1e-6)
    series = expand(cell, measurement.frame, 4).model
    errors = {
        n: series.truncate(n).signal(PULSES, measurement.q, periods, SIGMA, 1e-12) - full
        for n in (0, 2, 4)
    }
    assert np.abs(full - coarse).max() / 15 < 0.01 * np.abs(errors[4]).min()
    real = [local_orders(periods, error.real)[0] for error in errors.values()]
    imaginary = [local_orders(periods, error.imag)[0] for error in errors.values()]
    print(errors, real, imaginary)
    assert real == pytest.approx([2.0, 4.0, 6.0], abs=0.2)
    assert imaginary == pytest.approx([1.0, 3.0, 5.0], abs=0.2)
    lost = replace(series, overlaps=()).signal(PULSES, measurement.q, periods, SIGMA) - full
    assert local_orders(periods, lost.real) == pytest.approx(4.0, abs=0.2)
    small = project(cell, DIRECTION, 4)
    found = small.signal(PULSES, measurement.q, periods, SIGMA)
    np.testing.assert_allclose(found, full, rtol=1e-6)


# ---- factors of membranes ----


def every_signal(material: Material, permeability: float) -> np.ndarray:
    cell, measurement = cell_of(ASYMMETRIC, material), measure(PULSES)
    return np.array(
        [
            full_signal(cell, measurement, permeability=permeability),
            *series_signals(cell, measurement, permeability=permeability),
            projected_signal(cell, measurement, permeability=permeability),
        ]
    )


def test_factors_multiply_the_permeability():
    twice, usual = (every_signal(Material(D, membranes=(w, w)), 0.1 / w) for w in (2.0, 1.0))
    np.testing.assert_allclose(twice, usual, rtol=1e-11)
    assert np.all(abs(usual - every_signal(Material(D), 0.05)) > 1e-4)


@pytest.mark.parametrize("closed", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_water_behind_a_membrane_of_factor_zero_is_alone(closed):
    factors = tuple(float(i != closed) for i in (1, 2))
    measurement = measure(PULSES)
    inside = tuple(float(a == closed) for a in range(3))
    cell = cell_of(ASYMMETRIC, Material(D, density=inside, membranes=factors))
    found, expected = (
        full_signal(x, measurement, 24) for x in (cell, alone(ASYMMETRIC, closed, D[closed]))
    )
    assert found == pytest.approx(expected, rel=1e-8)
    # The water elsewhere does not feel what is in there, but exchanges with the other disc.
    elsewhere = tuple(1.0 - x for x in inside)
    usual, changed = (
        full_signal(cell_of(ASYMMETRIC, Material(Ds, T2, elsewhere, factors)), measurement, 24)
        for Ds, T2 in ((D, ()), (_with(D, closed, 0.4), _with((math.inf,) * 3, closed, 5.0)))
    )
    assert usual == pytest.approx(changed, rel=1e-9)
    walls = full_signal(
        cell_of(ASYMMETRIC, Material(D, (), elsewhere, (0.0, 0.0))), measurement, 24
    )
    assert abs(usual - walls) > 1e-3


def _with(values: tuple[float, ...], i: int, value: float) -> tuple[float, ...]:
    return (*values[:i], value, *values[i + 1 :])


# ---- anisotropic layers ----

STRIPS = Layers((0.3, 0.5, 0.2), 2)


@pytest.mark.parametrize(
    "waveform",
    [PULSES, COSINE, pytest.param(PARALLEL_PAIRS, marks=pytest.mark.slow)],
    ids=lambda w: w.kind,
)
def test_water_diffuses_freely_along_impermeable_layers(waveform):
    diagonals = ((2.0, 0.7), (1.0, 1.6), (0.5, 1.1))
    tensors = tuple(((x, 0.0), (0.0, y)) for x, y in diagonals)
    measurement = measure(waveform, 1.0, (0.0, 1.0))
    cell = cell_of(STRIPS, Material(tensors, T2=T2))
    decays = [
        math.exp(-y - waveform.echo_time / time) for (_, y), time in zip(diagonals, T2, strict=True)
    ]
    exact = np.dot(STRIPS.thicknesses, decays)
    found = [
        *series_signals(cell, measurement, permeability=0.0),
        projected_signal(cell, measurement, permeability=0.0),
    ]
    np.testing.assert_allclose(found, exact, rtol=0, atol=2e-10)
    assert full_signal(cell, measurement, 24, permeability=0.0) == pytest.approx(exact, rel=1e-7)


def test_membranes_do_not_matter_along_layers_of_one_longitudinal_diffusivity():
    tensors = tuple(((x, 0.0), (0.0, 1.4)) for x in (2.0, 1.0, 0.5))
    cell, measurement = cell_of(STRIPS, Material(tensors)), measure(PULSES, 1.0, (0.0, 1.0))
    found = [
        *series_signals(cell, measurement, permeability=0.3),
        projected_signal(cell, measurement, permeability=0.3),
    ]
    np.testing.assert_allclose(found, math.exp(-1.4), rtol=0, atol=2e-10)
    assert full_signal(cell, measurement, 24, permeability=0.3) == pytest.approx(
        math.exp(-1.4), rel=1e-7
    )


@pytest.mark.parametrize("direction", [(0.0, 1.0), (0.6, -0.8)])
def test_anisotropic_layers_are_layers_of_diagonal_water_after_a_shear(direction):
    tensors = (((2.0, 0.6), (0.6, 0.9)), ((1.0, -0.4), (-0.4, 1.5)), ((0.6, 0.2), (0.2, 1.2)))
    cell, period = cell_of(STRIPS, Material(tensors), level=2), 6.0
    measurement = measure(PULSES, 1.0, direction)
    expected = 0.0
    for width, ((xx, xy), (_, yy)) in zip(STRIPS.thicknesses, tensors, strict=True):
        across = measurement.gradient * (direction[0] + direction[1] * xy / xx)
        gradient = [(5.0, across), (10.0, 0.0), (5.0, -across)]
        walls = interval_signal(width * period, xx, gradient)
        expected += width * walls * math.exp(-(yy - xy**2 / xx) * direction[1] ** 2)
    found = full_signal(cell, measurement, 16, period, 0.0)
    print(f"S = {found:.9g}, expected {expected:.9g}, {abs(found / expected - 1):.1e}")
    assert found == pytest.approx(expected, rel=2e-7)
