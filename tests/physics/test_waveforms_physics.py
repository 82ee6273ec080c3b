"""Waveforms of every kind: exact signals, symmetry and projections.

    dM/dt = div D grad M - i g'(t).x M,    g(t) = q F(t)

- homogeneous water: S = exp(-D:B) with the b-tensor B = q^2 int F F^T;
- water between impermeable walls: a second discretisation that knows the gradient, not its integral
  (`intervals`); in the direction along the walls it is free;
- a rotation of the water and of the gradient changes nothing;
- F(T_E - t) = +-F(t): half the waveform gives the signal of the whole;
- P_l comes to the full system on the same mesh.

Orders of the models are in `test_waveform_orders`.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support.intervals import Piece, interval_signal
from support.waveform_systems import (
    ASYMMETRIC,
    DISC,
    EVERY_KIND,
    FREE,
    OBLIQUE,
    PAIRS,
    POLYGON,
    PULSES,
    TENSOR,
    THREE_LAYERS,
    full_signal,
    measure,
    operators,
    small_signal,
)

from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.geometry import Layers
from torrey.gradients.waveforms import (
    CosineOgse,
    DoublePgse,
    SampledWaveform,
    SineOgse,
    TrapezoidalOgse,
    TrapezoidalPgse,
    Waveform,
)
from torrey.models.expansion import expand
from torrey.models.projection import project


def rotate(degrees: float) -> np.ndarray:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s], [s, c]])


def as_tensor(D: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, ((D + D.T) / 2).tolist()))


# ---- homogeneous water ----


@pytest.mark.parametrize(
    ("waveform", "D", "direction"),
    [(waveform, TENSOR, (0.6, -0.8)) for waveform in EVERY_KIND]
    + [(PULSES, 2.0, OBLIQUE), (SineOgse(6.0, 8.0, 1), 2.0, (1.0, 0.0))],
    ids=lambda x: getattr(x, "kind", None),
)
def test_free_water_decays_with_b_in_every_model(waveform, D, direction):
    water = operators(FREE, Material((D,)))
    measurement = measure(waveform, 1.0, direction)
    assert np.trace(measurement.b_tensor) == pytest.approx(1.0, rel=1e-12)
    exact = math.exp(-np.sum(Material((D,)).tensors(2)[0] * measurement.b_tensor))
    series = expand(water, measurement.frame, 4).model
    for model in (*map(series.truncate, (0, 2, 4)), project(water, measurement.frame, 2)):
        assert small_signal(model, measurement, 5.0, 0.0) == pytest.approx(exact, abs=1e-10)
    # A uniform state: nothing but the steps in time, 7e-8 for the worst of the waveforms.
    result = full_signal(water, measurement, 5.0, 0.0, steps=24)
    assert result == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize("waveform", [PULSES, PAIRS], ids=lambda w: w.kind)
def test_free_water_and_gradient_turned_together_have_the_same_signal(waveform):
    D = np.array([[2.6, 0.5], [0.5, 0.9]])
    found = []
    for degrees in (0.0, 110.0):
        turn = rotate(degrees)
        water = operators(FREE, Material((as_tensor(turn @ D @ turn.T),)))
        measurement = measure(waveform, 1.0, tuple((turn @ OBLIQUE).tolist()))
        series = expand(water, measurement.frame, 2).model
        models = (series.truncate(0), series, project(water, measurement.frame, 2))
        found.append(
            [full_signal(water, measurement, 5.0, 0.0, 24)]
            + [small_signal(model, measurement, 5.0, 0.0) for model in models]
        )
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-10)
    # Turning the gradient alone is another experiment.
    alone = measure(waveform, 1.0, tuple((rotate(37.0) @ OBLIQUE).tolist()))
    still = operators(FREE, Material((as_tensor(D),)))
    assert abs(full_signal(still, alone, 5.0, 0.0, 24) - found[0][0]) > 1e-3


@pytest.mark.parametrize(
    "waveform", [PULSES, pytest.param(PAIRS, marks=pytest.mark.slow)], ids=lambda w: w.kind
)
def test_an_impermeable_disc_of_anisotropic_water_may_be_turned(waveform):
    # The disc looks the same from all sides; its mesh does not.
    geometry = operators(DISC, Material((3.0, 1.7)), level=1).cell.restrict([1])
    D = np.array([[2.6, 0.5], [0.5, 0.9]])
    found = []
    for degrees in (0.0, 37.0):
        turn = rotate(degrees)
        disc = bloch_torrey(geometry, Material((as_tensor(turn @ D @ turn.T),)))
        measurement = measure(waveform, 1.0, tuple((turn @ OBLIQUE).tolist()))
        found.append(full_signal(disc, measurement, 20.0, 0.0, 24))
    print(found, abs(found[1] / found[0] - 1))
    assert found[0].real < 0.9
    assert found[1] == pytest.approx(found[0], rel=1e-6)


# ---- between walls ----


def sine_pieces(delta: float, Delta: float, cycles: int, phase: float = 0.0) -> list[Piece]:
    omega = 2 * math.pi * cycles / delta
    return [
        (delta, lambda t: math.sin(omega * t + phase)),
        (Delta - delta, 0.0),
        (delta, lambda t: -math.sin(omega * t + phase)),
    ]


def trapezoid_pieces(delta: float, Delta: float, rise: float) -> list[Piece]:
    def pulse(sign: float) -> list[Piece]:
        return [
            (rise, lambda t: sign * t / rise),
            (delta - rise, sign),
            (rise, lambda t: sign * (1 - t / rise)),
        ]

    return [*pulse(1.0), (Delta - delta - rise, 0.0), *pulse(-1.0)]


def double_pieces(
    delta: float, Delta: float, pause: float, angle: float, direction: tuple[float, float]
) -> list[Piece]:
    """The component along x."""
    first, second = direction[0], (rotate(angle) @ direction)[0]
    heights = [first, 0.0, -first, 0.0, second, 0.0, -second]
    durations = [delta, Delta - delta, delta, pause, delta, Delta - delta, delta]
    return list(zip(durations, heights, strict=True))


def times(factor: float, pieces: list[Piece]) -> list[Piece]:
    return [
        (duration, (lambda t, G=G: factor * G(t)) if callable(G) else factor * G)
        for duration, G in pieces
    ]


@pytest.mark.parametrize(
    ("waveform", "pieces"),
    [
        (SineOgse(6.0, 8.0, 2), sine_pieces(6.0, 8.0, 2)),
        (CosineOgse(8.0, 9.0, 1), sine_pieces(8.0, 9.0, 1, math.pi / 2)),
        (TrapezoidalPgse(4.0, 12.0, 1.0), trapezoid_pieces(4.0, 12.0, 1.0)),
    ],
    ids=lambda x: getattr(x, "kind", None),
)
def test_impermeable_layers_have_the_signal_of_the_polynomials(waveform, pieces):
    thicknesses, D, period = (0.4, 0.6), (2.0, 1.0), 8.0
    cell = operators(Layers(thicknesses), Material(D), level=4)
    measurement = measure(waveform, 1.0, (1.0,))
    gradient = times(measurement.gradient, pieces)
    expected = sum(
        width * interval_signal(width * period, d, gradient)
        for width, d in zip(thicknesses, D, strict=True)
    )
    result = full_signal(cell, measurement, period, 0.0, steps=48)
    print(f"S = {result:.9g}, expected {expected:.9g}, {abs(result / expected - 1):.1e}")
    assert result == pytest.approx(expected, rel=1e-8)


def test_the_polynomials_are_converged():
    gradient = times(0.6, sine_pieces(6.0, 8.0, 2))
    usual, finer = (interval_signal(4.8, 1.0, gradient, degree) for degree in (10, 12))
    assert usual == pytest.approx(finer, rel=1e-9)
    # Short pulses far apart: |mean of exp(i q x)|^2.
    q, width = 1.2, 3.0
    pulses = [(1e-10, q * 1e10), (60.0, 0.0), (1e-10, -q * 1e10)]
    expected = np.sinc(q * width / (2 * math.pi)) ** 2
    assert interval_signal(width, 2.0, pulses) == pytest.approx(expected, rel=1e-8)


def test_strips_under_two_pairs_of_pulses_are_walls_across_and_free_along():
    waveform, direction = DoublePgse(4.0, 10.0, 3.0, 60.0), OBLIQUE
    D, period = 2.0, 6.0
    strips = operators(Layers((1.0,), 2), Material((D,)), level=1)
    measurement = measure(waveform, 1.0, direction)
    across = double_pieces(4.0, 10.0, 3.0, 60.0, direction)
    walls = interval_signal(period, D, times(measurement.gradient, across))
    expected = walls * math.exp(-D * measurement.b_tensor[1, 1])
    result = full_signal(strips, measurement, period, 0.0, steps=16)
    print(f"S = {result:.9g}, expected {expected:.9g}, {abs(result / expected - 1):.1e}")
    assert result == pytest.approx(expected, rel=1e-6)


# ---- symmetry ----


def whole(waveform: Waveform) -> Waveform:
    """The same waveform, not known to be symmetric."""
    cls = type(f"Whole{type(waveform).__name__}", (type(waveform),), {"symmetry": 0})
    return cls(**waveform.parameters)


@pytest.mark.parametrize(
    "waveform",
    [
        *EVERY_KIND,
        DoublePgse(3.0, 8.0, 2.0, 0.0),
        DoublePgse(3.0, 8.0, 2.0, 180.0),
        CosineOgse(16.0, 20.0, 8),
        SineOgse(16.0, 20.0, 8),
    ],
    ids=lambda w: w.label,
)
def test_symmetry_is_that_of_the_samples(waveform):
    t = waveform.echo_time * np.random.default_rng(0).random(40)
    forward, backward = waveform.sample(t, 0), waveform.sample(waveform.echo_time - t, 0)
    signs = [sign for sign in (1, -1) if np.allclose(backward, sign * forward, atol=1e-12)]
    assert waveform.symmetry == (signs[0] if signs else 0)


@pytest.mark.parametrize(
    ("waveform", "density"),
    [
        (PULSES, ()),
        (PULSES, (1.0, 0.2, 2.0)),
        (SineOgse(6.0, 6.0, 1), (1.0, 0.2, 2.0)),
        pytest.param(SineOgse(6.0, 8.0, 1), (), marks=pytest.mark.slow),
        pytest.param(CosineOgse(6.0, 7.0, 1), (), marks=pytest.mark.slow),
        (TrapezoidalPgse(4.0, 12.0, 1.0), (1.0, 0.2, 2.0)),
    ],
    ids=lambda x: getattr(x, "label", None),
)
def test_half_a_symmetric_waveform_gives_the_signal_of_the_whole(waveform, density):
    cell = operators(THREE_LAYERS, Material((2.0, 1.0, 0.5), density=density))
    model = project(cell, (1.0,), 2)
    measurements = [measure(w, 1.0, (1.0,)) for w in (waveform, whole(waveform))]
    half, all_ = (full_signal(cell, m, 6.0, 0.05, steps=32) for m in measurements)
    # The second half is integrated with other steps.
    assert half == pytest.approx(all_, rel=2e-8)
    half_P, all_P = (small_signal(model, m, 6.0, 0.05) for m in measurements)
    assert half_P == pytest.approx(all_P, rel=1e-9)
    # A phase is left but where a uniform density meets F(T_E - t) = F(t).
    assert (abs(all_.imag) > 1e-7) == (bool(density) or waveform.symmetry < 0)


@pytest.mark.parametrize("angle", [pytest.param(0.0, marks=pytest.mark.slow), 180.0])
def test_half_of_two_parallel_pairs_gives_the_signal_of_the_whole(angle):
    waveform = DoublePgse(3.0, 8.0, 2.0, angle)
    cell = operators(ASYMMETRIC, Material((3.0, 1.7, 1.1), density=(1.0, 0.2, 2.0)))
    half, all_ = (
        full_signal(cell, measure(w, 1.0, OBLIQUE), 5.0, 0.05, steps=24)
        for w in (waveform, whole(waveform))
    )
    assert abs(all_.imag) > 1e-6
    assert half == pytest.approx(all_, rel=2e-8)


# ---- steps ----


def test_a_slow_drift_of_the_wave_vector_takes_steps_too():
    drift = SampledWaveform(
        "drift", "wave_vector", (0.0, 5.0, 35.0, 40.0), ((0.0,), (1.0,), (0.98,), (0.0,))
    )
    measurement = measure(drift, 1.0, (0.0, 1.0))
    model = project(operators(DISC, Material((3.0, 1.7))), measurement.frame, 2)

    def rate(t: float, w: np.ndarray) -> np.ndarray:
        g = measurement.q * np.interp(t, drift.times, np.ravel(drift.values))
        return -(model.matrix([[g]], 10.0, 0.005) @ w)

    w = model.start.astype(complex)
    for segment in pairwise(drift.times):
        w = solve_ivp(rate, segment, w, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
    expected = model.readout @ w / (model.readout @ model.start)
    found = small_signal(model, measurement, 10.0, 0.05)
    print(abs(found - expected))
    assert found == pytest.approx(expected, abs=1e-9)


# ---- projections ----


@pytest.mark.parametrize(
    ("waveform", "period", "order"),
    [
        (PAIRS, 6.0, 3),
        (SineOgse(6.0, 8.0, 1), 4.0, 4),
        (TrapezoidalPgse(4.0, 12.0, 1.0), 6.0, 4),
        pytest.param(CosineOgse(8.0, 9.0, 1), 4.0, 4, marks=pytest.mark.slow),
        pytest.param(TrapezoidalOgse(8.0, 9.0, 1, 0.5), 4.0, 4, marks=pytest.mark.slow),
        pytest.param(POLYGON, 5.0, 4, marks=pytest.mark.slow),
    ],
    ids=lambda x: getattr(x, "kind", None),
)
def test_a_projection_comes_to_the_full_system(waveform, period, order):
    cell = operators(ASYMMETRIC, Material((3.0, 1.7, 1.1)))
    measurement = measure(waveform, 1.0, OBLIQUE)
    exact = full_signal(cell, measurement, period, 0.05, steps=24)
    model = project(cell, measurement.frame, order)
    errors = [
        abs(small_signal(model.truncate(l), measurement, period, 0.05) / exact - 1)
        for l in (order - 2, order)
    ]
    print(waveform.kind, *(f"{error:.1e}" for error in errors))
    assert errors[1] < 1e-5
    assert errors[1] < 0.01 * errors[0]
