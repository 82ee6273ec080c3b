"""Waveforms of every kind, and the gradient of each as its definition says it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares

from torrey.gradients.waveforms import (
    BTensor,
    CosineOgse,
    DoublePgse,
    FilteredEncoding,
    FilterExchange,
    Pgse,
    SampledWaveform,
    SineOgse,
    StimulatedEcho,
    TrapezoidalOgse,
    TrapezoidalPgse,
    TriplePgse,
    Waveform,
)

PULSES = SampledWaveform(
    "pulses",
    "gradient",
    (0.0, 0.0, 3.0, 3.0, 9.0, 9.0, 12.0, 12.0),
    tuple((x,) for x in (0.0, 40.0, 40.0, 0.0, 0.0, -40.0, -40.0, 0.0)),
)
TRIANGLES = SampledWaveform(
    "triangles",
    "gradient",
    (0.0, 1.0, 2.5, 4.0, 5.0),
    tuple((x,) for x in (0.0, 10.0, 0.0, -10.0, 0.0)),
)
PLANE = SampledWaveform(
    "plane",
    "gradient",
    (0.0, 2.0, 6.0, 8.0),
    ((0.0, 3.0), (1.0, -2.0), (-1.0, 0.5), (0.0, 1.5)),
)
SPACE = SampledWaveform(
    "space",
    "gradient",
    (0.0, 1.0, 1.0, 3.0, 3.0, 4.0),
    ((1.0, 0.5, 0.0), (1.0, 0.5, 1.0), (-0.5, 0.0, 0.5), (-0.5, 0.5, -0.5))
    + ((0.0, -1.0, -0.5), (0.0, -1.0, -0.5)),
)
LINE_Q = SampledWaveform(
    "line-q", "wave_vector", (0.0, 1.0, 2.0, 5.0), ((0.0,), (0.3,), (-0.1,), (0.0,))
)
PLANE_Q = SampledWaveform(
    "plane-q",
    "wave_vector",
    (0.0, 2.0, 5.0, 9.0, 11.0),
    ((0.0, 0.0), (1.0, 0.3), (0.2, -0.8), (-0.6, 0.4), (0.0, 0.0)),
)
SPACE_Q = SampledWaveform(
    "space-q",
    "wave_vector",
    (0.0, 2.0, 4.0, 6.0),
    ((0.0, 0.0, 0.0), (0.2, 0.1, -0.4), (0.2, 0.1, -0.4), (0.0, 0.0, 0.0)),
)

#: Waveforms with times, angles and numbers, several of each kind.
GRIDDED: tuple[Waveform, ...] = (
    Pgse(5.0, 15.0),
    Pgse(2.5, 2.5),
    Pgse(0.01, 80.0),
    TrapezoidalPgse(4.0, 12.0, 0.5),
    TrapezoidalPgse(2.0, 2.5, 0.5),
    TrapezoidalPgse(1.0, 5.0, 1.0),
    TrapezoidalPgse(0.3, 0.4, 0.1),
    SineOgse(10.0, 20.0, 1.0),
    SineOgse(12.0, 12.0, 4.0),
    SineOgse(7.3, 30.1, 3.0),
    CosineOgse(10.0, 20.0, 2.0),
    CosineOgse(12.0, 12.0, 1.0),
    CosineOgse(40.0, 41.0, 12.0),
    TrapezoidalOgse(10.0, 20.0, 1.0, 0.5),
    TrapezoidalOgse(13.0, 13.0, 3.0, 0.1),
    TrapezoidalOgse(7.0, 20.0, 2.0, 7.0 / 13.0),
    DoublePgse(3.0, 10.0, 5.0, 0.0),
    DoublePgse(3.0, 10.0, 5.0, 45.0),
    DoublePgse(3.0, 10.0, 5.0, 90.0),
    DoublePgse(3.0, 10.0, 5.0, 180.0),
    DoublePgse(4.0, 4.0, 0.0, -120.0),
    DoublePgse(4.0, 4.0, 0.0, 180.0),
    TriplePgse(3.0, 10.0, 2.0),
    BTensor(3.0, 20.0, 0.0),
    BTensor(3.0, 20.0, -0.5),
    BTensor(5.0, 8.0, 0.7),
    BTensor(5.0, 5.0, 1.0),
    StimulatedEcho(3.0, 60.0, 7.0),
    StimulatedEcho(4.0, 4.0, 4.0),
    FilterExchange(4.0, 12.0, 2.0, 15.0, 0.7, 40.0).measure("b", 0.4)[0],
    FilterExchange(4.0, 12.0, 2.0, 15.0, 0.0, 0.0).measure("gradient", 0.02)[0],
)
SAMPLED = (PULSES, TRIANGLES, PLANE, SPACE, LINE_Q, PLANE_Q, SPACE_Q)
EVERY = GRIDDED + SAMPLED


def name_of(waveform: Waveform) -> str:
    return waveform.label


def echo_time(waveform: Waveform) -> float:
    """From the beginning of the first gradient to the end of the last (ms)."""
    if isinstance(waveform, SampledWaveform):
        return waveform.times[-1]
    times = waveform.parameters
    block = times["delta"] + times["Delta"]
    if isinstance(waveform, FilteredEncoding):
        return block + times["delta_filter"] + times["Delta_filter"] + times["mixing_time"]
    if isinstance(waveform, StimulatedEcho):
        return times["Delta"] + times["tau"]
    if isinstance(waveform, TriplePgse):
        return 3 * block + 2 * times["mixing_time"]
    if isinstance(waveform, TrapezoidalPgse):
        return block + times["rise_time"]
    return 2 * block + times["mixing_time"] if isinstance(waveform, DoublePgse) else block


def gradient(waveform: Waveform, t: np.ndarray) -> np.ndarray:
    """The gradient at times off its jumps, up to a factor: shape (n, k)."""
    if isinstance(waveform, SampledWaveform):
        return _between_samples(waveform, t)
    p = waveform.parameters
    if isinstance(waveform, DoublePgse):
        start = p["delta"] + p["Delta"] + p["mixing_time"]
        angle = np.radians(p["angle"])
        first, second = (_pair(t - begin, p, _box(p["delta"])) for begin in (0.0, start))
        turned = np.column_stack([second * np.cos(angle), second * np.sin(angle)])
        return turned + np.column_stack([first, 0.0 * first])
    if isinstance(waveform, BTensor):
        return _on_a_cone(p, t)
    if isinstance(waveform, TriplePgse):
        block = p["delta"] + p["Delta"] + p["mixing_time"]
        return np.column_stack([_pair(t - i * block, p, _box(p["delta"])) for i in range(3)])
    if isinstance(waveform, StimulatedEcho):
        t = t - (p["tau"] - p["delta"]) / 2
    if isinstance(waveform, FilteredEncoding):
        filter_ = {"delta": p["delta_filter"], "Delta": p["Delta_filter"]}
        strength = np.sqrt(p["b_filter"] / (filter_["Delta"] - filter_["delta"] / 3))
        begin = filter_["delta"] + filter_["Delta"] + p["mixing_time"]
        first = strength / filter_["delta"] * _pair(t, filter_, _box(filter_["delta"]))
        second = waveform.detection / p["delta"] * _pair(t - begin, p, _box(p["delta"]))
        return (first + second)[:, None]
    return _pair(t, p, _TRAINS.get(type(waveform), _rectangle)(p))[:, None]


Train = Callable[[np.ndarray], np.ndarray]


def _pair(t: np.ndarray, p: dict[str, float], train: Train) -> np.ndarray:
    """A pulse or train, and its opposite from Delta on."""
    return train(t) - train(t - p["Delta"])


def _box(duration: float) -> Train:
    return lambda t: ((t > 0) & (t < duration)).astype(float)


def _rectangle(p: dict[str, float]) -> Train:
    return _box(p["delta"])


def _on_a_cone(p: dict[str, float], t: np.ndarray) -> np.ndarray:
    """Two pulses to and from a point of an ellipse, which is run through once in between.

    The ellipse is found from its moments: of the plane (x, y) the mean of x y and that of x z are
    zero, the others as the anisotropy asks.
    """
    delta, turn, anisotropy = p["delta"], p["Delta"] - p["delta"], p["b_delta"]
    if anisotropy == 1.0:
        return _pair(t, p, _box(delta))[:, None]

    def moments(shape: np.ndarray) -> np.ndarray:
        height, middle, a, b = shape
        ends = np.array([height, middle + a, 0.0])
        circle = np.diag([height**2, middle**2 + a**2 / 2, b**2 / 2])
        circle[0, 1] = circle[1, 0] = height * middle
        total = turn * circle + 2 * delta / 3 * np.outer(ends, ends)
        return total - np.diag([1 + 2 * anisotropy, 1 - anisotropy, 1 - anisotropy]) / 3

    if anisotropy == -0.5:  # nothing stands along the axis, nor asks for a middle of the ellipse
        pulses = 2 * delta / 3
        middle = -pulses / (turn + pulses)
        size = turn * (middle**2 + 0.5) + pulses * (1 + middle) ** 2
        shape = np.sqrt(0.5) * np.array([0.0, middle / size**0.5, size**-0.5, (2 / turn) ** 0.5])
        np.testing.assert_allclose(moments(shape), 0.0, atol=1e-12)
    else:
        start = np.array([0.3, -0.1, 0.3, 0.3]) / np.sqrt(turn)
        found = least_squares(
            lambda x: moments(x)[[0, 1, 2, 0], [0, 1, 2, 1]], start, xtol=1e-15, ftol=1e-15
        )
        shape = found.x
    height, middle, a, b = shape
    angle = 2 * np.pi / turn
    turning = ((t > delta) & (t < delta + turn)) * angle
    across = [-a * turning * np.sin(angle * (t - delta)), b * turning * np.cos(angle * (t - delta))]
    pulses = _box(delta)(t) - _box(delta)(t - delta - turn)
    first = np.multiply.outer(pulses / delta, [height, middle + a, 0.0])
    return first + np.column_stack([0.0 * t, *across])


def _trapezoid(p: dict[str, float]) -> Train:
    rise, flat_end = p["rise_time"], p["delta"]
    return lambda t: np.interp(t, [0.0, rise, flat_end, flat_end + rise], [0.0, 1.0, 1.0, 0.0])


def _oscillation(function: Train) -> Callable[[dict[str, float]], Train]:
    def train(p: dict[str, float]) -> Train:
        omega = 2 * np.pi * p["cycles"] / p["delta"]
        return lambda t: _box(p["delta"])(t) * function(omega * t)

    return train


def _trapezoids(p: dict[str, float]) -> Train:
    """The gradient is zero at every quarter and three quarters of the cosine's period."""
    delta, rise = p["delta"], p["rise_time"]
    lobe = (delta - rise) / (2 * p["cycles"])
    zeros = np.concatenate(
        [[0.0], (lobe + rise) / 2 + lobe * np.arange(round(2 * p["cycles"])), [delta]]
    )
    knots, values = [], []
    for i, (begin, end) in enumerate(zip(zeros[:-1], zeros[1:], strict=True)):
        knots += [begin, begin + rise, end - rise]
        values += [0.0, (-1.0) ** i, (-1.0) ** i]
    return lambda t: np.interp(t, [*knots, delta], [*values, 0.0])


_TRAINS: dict[type[Waveform], Callable[[dict[str, float]], Train]] = {
    Pgse: lambda p: _box(p["delta"]),
    TrapezoidalPgse: _trapezoid,
    SineOgse: _oscillation(np.sin),
    CosineOgse: _oscillation(np.cos),
    TrapezoidalOgse: _trapezoids,
}


def _between_samples(waveform: SampledWaveform, t: np.ndarray) -> np.ndarray:
    times, values = np.array(waveform.times), np.array(waveform.values)
    after = np.searchsorted(times, t)
    width = (times[after] - times[after - 1])[:, None]
    change = values[after] - values[after - 1]
    if waveform.samples == "wave_vector":
        return change / width
    return values[after - 1] + change * (t - times[after - 1])[:, None] / width
