"""Stored magnetisation, filter exchange and b-tensors: cases whose signals are known.

- one compartment: S = exp(-TE/T2 - t_m/T1 - b:D), TE the time in which magnetisation is transverse;
- cells much smaller than the diffusion length, gradients along the layers: two pools,

      dm/dt = -(q^2 F^2 D_a + R_a) m_a + exchange,    R_a = 1/T1_a while stored, 1/T2_a else

  which R0 is, and to which the full system comes as L^2 at fixed sigma;
- filter exchange: without exchange ADC' does not change with the mixing time; with one
  diffusivity there is no filter; ADC' comes back at the sum of both rates of exchange, as L^2;
- P_l, R_n and the ladder of the reference against the full system, relaxation of both kinds;
- b-tensors: exp(-B:D) in free water, isotropic or not.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support.axr import apparent_diffusivity, fit_axr
from support.waveform_systems import FREE, full_signal, measure, operators, small_signal

from torrey.base.errors import InputError
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, Layers, Spheres
from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.sweep import Acquisition, Sweep
from torrey.gradients.waveforms import (
    BTensor,
    FilterExchange,
    Pgse,
    StimulatedEcho,
    TriplePgse,
    Waveform,
)
from torrey.models.evaluation import build_models
from torrey.models.expansion import expand
from torrey.reference.cumulants import reference_cumulants
from torrey.reference.full import mesh_signal, reference_signal
from torrey.reference.ladder import climb
from torrey.reference.slab import solve_slab
from torrey.study.orders import local_orders

ECHO = StimulatedEcho(3.0, 40.0, 8.0)
TWO_LAYERS = Layers((0.6, 0.4), 2)
ALONG = (0.0, 1.0)
D = (2.0, 0.8)
RELAXING = Material(D, T2=(80.0, 30.0), T1=(900.0, 200.0))


def fexi(b_filter: float, mixing: float) -> FilterExchange:
    return FilterExchange(3.0, 10.0, 3.0, 12.0, b_filter, mixing)


# ---- one compartment ----


@pytest.mark.parametrize("name", ["full", "R0", "R4", "P2"])
def test_one_compartment_relaxes_with_both_times(name):
    cell = operators(FREE, Material((2.0,), T2=(60.0,), T1=(300.0,)))
    waves = [ECHO.measure("b", 0.7), fexi(0.3, 50.0).measure("b", 0.4)]
    for (waveform, q), transverse, stored in zip(waves, (16.0, 28.0), (32.0, 50.0), strict=True):
        m = Measurement(waveform, q, (0.6, 0.8))
        expected = math.exp(-transverse / 60 - stored / 300 - 0.7 * 2.0)
        if name == "full":
            found = full_signal(cell, m, 5.0, 0.0, 48)
        else:
            (model,) = build_models(cell, m.frame, [name])
            found = small_signal(model, m, 5.0, 0.0)
        assert found == pytest.approx(expected, rel=1e-9)


def test_without_relaxation_storing_changes_nothing():
    cell = operators(TWO_LAYERS, Material(D))
    stored, plain = (measure(w, 0.7, ALONG) for w in (ECHO, Pgse(3.0, 40.0)))
    found = [full_signal(cell, m, 5.0, 0.02, 24) for m in (stored, plain)]
    # Waiting times without a gradient do not matter either.
    assert found[0] == pytest.approx(found[1], rel=1e-7)


def test_t1_must_be_given_beside_t2():
    cell = operators(TWO_LAYERS, Material(D, T2=(80.0, 30.0)))
    m = measure(ECHO, 0.7, ALONG)
    models = build_models(cell, m.frame, ["R2", "P2"])
    calls = [lambda model=model: small_signal(model, m, 5.0, 0.02) for model in models]
    calls += [lambda model=model: model.taylor(ECHO, 5.0, 0.02) for model in models]
    calls.append(lambda: full_signal(cell, m, 5.0, 0.02, 6))
    for call in calls:
        with pytest.raises(InputError, match="accepted: T1 of every compartment beside T2"):
            call()


# ---- two pools ----


def pools(waveform: Waveform, q: float, sigma: float) -> float:
    """Signal of two exchanging pools, by a general solver of ordinary differential equations."""
    f = np.array([0.6, 0.4])
    k = 2.0 * sigma / f  # two membranes per cell
    exchange = np.array([[k[0], -k[1]], [-k[0], k[1]]])
    m = f.copy()
    for s in waveform.segments:
        rates = 1.0 / np.array(RELAXING.T1 if s.stored else RELAXING.T2)

        def slope(t: float, m: np.ndarray, s=s, rates=rates) -> np.ndarray:
            g = q * float(s.jet(t, 0)[0, 0])
            return -(g**2 * np.array(D) + rates) * m - exchange @ m

        m = solve_ivp(slope, (0.0, s.duration), m, "DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
    return float(m.sum())


@pytest.mark.parametrize("wave", [ECHO, fexi(1.1, 60.0)], ids=lambda w: w.kind)
def test_exchanging_compartments_are_two_pools(wave):
    cell, sigma = operators(TWO_LAYERS, RELAXING), 0.02
    waveform, q = wave.measure("b", 0.9)
    expected = pools(waveform, q, sigma)
    m = Measurement(waveform, q, ALONG)
    (R0,) = build_models(cell, m.frame, ["R0"])
    assert small_signal(R0, m, 1.0, sigma) == pytest.approx(expected, rel=1e-9)
    periods = (0.5, 1.0)
    errors = [full_signal(cell, m, L, sigma * L, 12).real - expected for L in periods]
    assert abs(errors[1]) < 1e-3
    assert local_orders(periods, np.array(errors)) == pytest.approx(2.0, abs=0.1)


# ---- filter exchange ----


def recovery(
    cell: BlochTorrey, period: float, sigma: float, b_filter: float, times: tuple[float, ...]
) -> np.ndarray:
    """ADC' after mixing times, from two weak second blocks."""
    b = np.array([0.0, 1e-3])
    found = []
    system = AffineSystem.at(cell, period, sigma * period, ALONG)
    for time in times:
        waves = [fexi(b_filter, time).measure("b", x) for x in b]
        signal = [mesh_signal(system, waveform, q, 12).real for waveform, q in waves]
        found.append(apparent_diffusivity(signal, b))
    return np.array(found)


TIMES = (5.0, 40.0, 120.0)


def test_without_exchange_the_filter_does_not_fade():
    cell = operators(TWO_LAYERS, Material(D))
    found = recovery(cell, 5.0, 0.0, 1.1, TIMES)
    np.testing.assert_allclose(found, found[0], rtol=1e-7)
    # What is left of each pool weighs its diffusivity.
    left = np.array([0.6, 0.4]) * np.exp(-1.1 * np.array(D))
    assert found[0] == pytest.approx(left @ D / left.sum(), rel=2e-3)
    assert np.isnan(fit_axr(TIMES, found, 1.52).rate) or fit_axr(TIMES, found, 1.52).rate < 1e-5


@pytest.mark.parametrize("shape", [FREE, TWO_LAYERS], ids=["free", "layers"])
def test_one_diffusivity_is_not_filtered(shape):
    count = 1 if shape is FREE else 2
    cell = operators(shape, Material((1.7,) * count))
    found = recovery(cell, 5.0, 0.02 if count > 1 else 0.0, 1.1, TIMES)
    np.testing.assert_allclose(found, 1.7, rtol=1e-5)
    assert abs(fit_axr(TIMES, found, 1.7).sigma) < 1e-5


def test_the_apparent_rate_is_that_of_exchange_to_second_order_in_the_period():
    cell, sigma = operators(TWO_LAYERS, Material(D)), 0.005
    exchange = 2.0 * sigma * (1 / 0.6 + 1 / 0.4)
    periods, errors = (1.0, 2.0, 4.0), []
    for period in periods:
        without = recovery(cell, period, sigma, 0.0, TIMES[:1])[0]
        found = fit_axr(TIMES, recovery(cell, period, sigma, 1.1, TIMES), without)
        assert found.sigma > 0.1
        errors.append(found.rate / exchange - 1.0)
    assert abs(errors[0]) < 5e-3
    assert local_orders(periods, np.array(errors)) == pytest.approx(2.0, abs=0.15)


# ---- models and methods ----

ONE_DIMENSION = Layers((0.3, 0.5, 0.2))
SLOW = Material((3.0, 1.7, 1.1), T2=(80.0, 30.0, 50.0), T1=(900.0, 200.0, 500.0))


@pytest.mark.parametrize("wave", [ECHO, fexi(0.8, 30.0)], ids=lambda w: w.kind)
def test_projected_models_and_ladders_come_to_the_full_system(wave):
    cell = operators(ONE_DIMENSION, SLOW)
    waveform, q = wave.measure("b", 0.6)
    m = Measurement(waveform, q, (1.0,))
    expected = full_signal(cell, m, 4.0, 0.02, 96)
    # What is left out of the change of relaxation would show: it is large.
    without = replace(SLOW, T1=SLOW.T2)
    assert abs(full_signal(operators(ONE_DIMENSION, without), m, 4.0, 0.02, 24) - expected) > 0.05
    errors = [
        abs(small_signal(p, m, 4.0, 0.02) - expected)
        for p in build_models(cell, m.frame, ["P2", "P4", "P6"])
    ]
    print(errors)
    assert errors[0] < 1e-2
    assert errors[2] < 1e-8
    assert errors[2] < errors[1] < errors[0]
    ladder = climb(cell, m.frame, 5)
    assert small_signal(ladder, m, 4.0, 0.02) == pytest.approx(expected, abs=1e-8)


LAYERED = Discs((Disc((0.35, 0.4), 0.15), Disc((0.8, 0.9), 0.1)), layer=0.05)
REGIONS = Material(
    (2.0, 0.8, 0.3, 1.5, 1.0),
    T2=(15.0, 5.0, 30.0, 9.0, 3.0),
    T1=(90.0, 30.0, 8.0, 500.0, 12.0),
)


@pytest.mark.parametrize(
    ("shape", "material", "sigma"),
    [
        (ONE_DIMENSION, SLOW, 0.02),
        pytest.param(LAYERED, REGIONS, 0.0, marks=pytest.mark.slow),
    ],
    ids=["layers", "regions"],
)
def test_homogenised_models_keep_their_order_where_relaxation_changes(shape, material, sigma):
    cell, periods = operators(shape, material), (2.0, 2.8)
    direction = (1.0,) if shape is ONE_DIMENSION else (0.6, 0.8)
    waveform, _ = FilterExchange(3.0, 10.0, 3.0, 12.0, 0.3, 20.0).measure("b", 0.3)
    m = Measurement(waveform, 0.2, direction)
    exact = [full_signal(cell, m, L, sigma * L, 96) for L in periods]
    series = expand(cell, m.frame, 4).model
    lost = replace(
        series,
        crossing=series.overlaps,
        stored=replace(series.stored, crossing=series.stored.overlaps),
    )
    found = {}
    for name, model in (("R2", series.truncate(2)), ("R4", series), ("no crossing", lost)):
        errors = model.signal(waveform, m.q, periods, sigma, 1e-13) - exact
        found[name] = float(local_orders(periods, errors.real)[0])
        print(name, errors, found[name])
    assert found["R2"] == pytest.approx(4.0, abs=0.4)
    assert found["R4"] == pytest.approx(6.0, abs=0.5)
    if shape is LAYERED:  # without the correctors of both relaxations the order is lost
        assert found["no crossing"] == pytest.approx(4.0, abs=0.4)


@cache
def two_meshes() -> tuple[BlochTorrey, ...]:
    return tuple(operators(ONE_DIMENSION, SLOW, level) for level in range(3))


def test_references_agree_and_are_not_one_without_a_gradient():
    levels = two_meshes()
    waves = [fexi(0.8, 30.0).measure("b", b) for b in (0.0, 0.6)]
    waves += [fexi(0.0, 30.0).measure("b", 0.0), ECHO.measure("b", 0.0)]
    rows = tuple(Measurement(waveform, q, (1.0,)) for waveform, q in waves)
    sweep = Sweep((4.0,), "permeability", (0.02,), Acquisition("b", rows))
    ladders = [climb(level, (1.0,), 7) for level in levels]
    table = solve_slab(sweep, 1e-5, ladders, levels).signals
    for row, signal in zip(rows, table.signal, strict=True):
        point = Point(4.0, 0.02, row.waveform, row.q, row.direction)
        full = reference_signal(levels, point, 1e-5)
        assert abs(signal - full.signal) < 2e-5 * abs(full.signal)
        assert abs(full.signal) < 0.9
    # Without any gradient, relaxation and exchange are left.
    assert waves[2][1] == 0.0


def test_cumulants_of_a_stimulated_echo_are_those_of_its_signals():
    levels = two_meshes()
    waveform = StimulatedEcho(3.0, 40.0, 8.0)
    sweep = Sweep(
        (4.0,), "permeability", (0.02,), Acquisition("b", (Measurement(waveform, 1.0, (1.0,)),))
    )
    found = reference_cumulants(levels, sweep, 1e-4)
    (model,) = build_models(levels[-1], (1.0,), ["P6"])
    b = np.array([0.0, 0.01, 0.02])
    signal = model.signal(waveform, np.sqrt(b / waveform.b_factor), 4.0, 0.005).real
    rest, linear, _ = np.polynomial.polynomial.polyfit(b, np.log(signal), 2)
    assert float(found.s0.item()) == pytest.approx(math.exp(rest), rel=1e-6)
    assert float(found.adc.item()) == pytest.approx(-linear, rel=1e-3)
    assert float(found.adc_error.item()) < 1e-3 * abs(linear)
    series = [model.taylor(waveform, 4.0, 0.005)]
    series.append(build_models(levels[-1], (1.0,), ["R6"])[0].taylor(waveform, 4.0, 0.005))
    for each in series:
        assert each[0].real == pytest.approx(math.exp(rest), rel=1e-5)
        adc = -each[2].real / each[0].real / waveform.b_factor
        assert adc == pytest.approx(float(found.adc.item()), rel=1e-3)


# ---- b-tensors ----


TENSOR = ((2.5, 0.4, -0.2), (0.4, 1.2, 0.1), (-0.2, 0.1, 0.9))
SPACE = (0.48, -0.6, 0.64)


@pytest.mark.parametrize(
    "waveform",
    [
        BTensor(5.0, 30.0, -0.5),
        BTensor(5.0, 30.0, 0.0),
        BTensor(5.0, 30.0, 0.6),
        TriplePgse(3.0, 10.0, 2.0),
    ],
    ids=lambda w: w.label,
)
@pytest.mark.parametrize("name", ["P1", pytest.param("full", marks=pytest.mark.slow)])
def test_free_water_sees_the_b_tensor(waveform, name):
    for value in (1.3, TENSOR):
        cell = operators(Spheres(()), Material((value,)))
        matrix = np.array(TENSOR) if value is TENSOR else 1.3 * np.eye(3)
        m = measure(waveform, 0.8, SPACE)
        expected = math.exp(-np.sum(m.b_tensor * matrix))
        if waveform.parameters.get("b_delta", 0.0) == 0.0:
            assert expected == pytest.approx(math.exp(-0.8 * np.trace(matrix) / 3), rel=1e-13)
        if name == "full":
            assert full_signal(cell, m, 5.0, 0.0, 12) == pytest.approx(expected, rel=1e-6)
            return
        (model,) = build_models(cell, m.frame, [name])
        assert small_signal(model, m, 5.0, 0.0) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("wave", [ECHO, fexi(1.1, 60.0)], ids=lambda w: w.kind)
def test_gradients_out_of_a_cell_of_one_dimension_are_those_along_layers(wave):
    waveform, q = wave.measure("b", 0.9)
    plane, space = Measurement(waveform, q, ALONG), Measurement(waveform, q, (0.0, 0.0, 1.0))
    flat = operators(TWO_LAYERS, RELAXING)
    line = operators(Layers((0.6, 0.4)), replace(RELAXING, in_space=True))
    expected = full_signal(flat, plane, 4.0, 0.02, 48)
    assert full_signal(line, space, 4.0, 0.02, 48) == pytest.approx(expected, rel=1e-5)
    for name in ("R0", "R2", "R4", "P3"):
        pair = [
            small_signal(build_models(cell, m.frame, [name])[0], m, 4.0, 0.02)
            for cell, m in ((flat, plane), (line, space))
        ]
        assert pair[1] == pytest.approx(pair[0], rel=1e-8)
    levels = tuple(
        operators(Layers((0.6, 0.4)), replace(RELAXING, in_space=True), k) for k in range(3)
    )
    point = Point(4.0, 0.02, waveform, q, (0.0, 0.0, 1.0))
    found = reference_signal(levels, point, 1e-4)
    assert abs(found.signal - expected) < 3e-4 * abs(expected)
