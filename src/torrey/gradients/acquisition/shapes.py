"""Gradients of any shape in the frame of the scanner: waveforms, directions and strengths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.gradients.acquisition.reader import Row
from torrey.gradients.acquisition.text import GRADIENT_UNIT, Direction, counted, spread
from torrey.gradients.waveforms import Pgse, SampledWaveform, Waveform

Samples = tuple[tuple[float, ...], ...]

_ALIGNED: Final = 1e-4
"""Largest gradient across a direction, over that along it: files hold few digits."""

_DIGITS: Final = 12
"""Of samples over the largest: equal shapes of different strengths are one waveform."""


@dataclass(frozen=True)
class Played:
    """The gradient of one measurement, as it is played out.

    Parameters
    ----------
    times : tuple of float
        n >= 2 times (ms) from 0 to the echo; one may stand twice, for a jump.
    values : tuple of tuple of float
        n rows of gamma G (rad/um/ms) along x, y and z, with the sign after the refocusing pulse.
    place : str
        For messages.
    """

    times: tuple[float, ...]
    values: Samples
    place: str


@dataclass(frozen=True)
class Shapes:
    """Measurements by their waveforms.

    Parameters
    ----------
    rows : tuple of Row
        With the largest |gamma G| as their strength.
    waveforms : tuple of functions
    segments : int
        Of all waveforms, at most.
    words : str
        What was read.
    """

    rows: tuple[Row, ...]
    waveforms: tuple[partial[Waveform], ...]
    segments: int
    words: str


def held(dt: float, values: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], Samples]:
    """Return times and samples of steps of length `dt` that hold their values."""
    knots: list[tuple[float, tuple[float, ...]]] = [(0.0, tuple(values[0]))]
    for i, (before, after) in enumerate(zip(values, values[1:], strict=False), start=1):
        if tuple(before) != tuple(after):
            time = round_significant(i * dt)
            knots += [(time, tuple(before)), (time, tuple(after))]
    knots.append((round_significant(len(values) * dt), tuple(values[-1])))
    return tuple(t for t, _ in knots), tuple(v for _, v in knots)


def linear(dt: float, values: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], Samples]:
    """Return times and samples `dt` apart; those inside a constant piece are left out."""
    last = len(values) - 1
    kept = [i for i in range(len(values)) if i in (0, last) or _turns(values, i)]
    return tuple(round_significant(i * dt) for i in kept), tuple(tuple(values[i]) for i in kept)


def _turns(values: Sequence[Sequence[float]], i: int) -> bool:
    return not tuple(values[i - 1]) == tuple(values[i]) == tuple(values[i + 1])


def shared_waveforms(name: str, measured: Sequence[Played]) -> Shapes:
    """Return the measurements, with one waveform for all that share a shape.

    A gradient along one direction becomes a waveform of one component with this direction; others
    keep their components along x, y and z.

    Parameters
    ----------
    name : str
        What the waveforms are called.
    measured : sequence of Played
    """
    numbers: dict[tuple[tuple[float, ...], Samples], int] = {}
    rows, places = [], []
    for played in measured:
        strength, direction, samples = _split(np.array(played.values))
        key = (played.times, samples) if strength else ((0.0, played.times[-1]), ())
        if key not in numbers:
            numbers[key] = len(numbers)
            places.append(played.place)
        rows.append(Row(strength, direction, played.place, numbers[key]))
    makers = tuple(
        partial(_made, f"{name}-{i}", place, *shape)
        for i, (shape, place) in enumerate(zip(numbers, places, strict=True), start=1)
    )
    segments = sum(max(len(times), 5) for times, _ in numbers)
    return Shapes(tuple(rows), makers, segments, _words(rows, [*numbers]))


def _split(values: NDArray[np.float64]) -> tuple[float, Direction, Samples]:
    """Largest gradient, direction and samples over the largest, of as few components as do."""
    sizes = np.linalg.norm(values, axis=1)
    strength = float(sizes.max())
    if strength == 0.0:
        return 0.0, (1.0, 0.0, 0.0), ()
    shape = values / strength
    largest = shape[int(np.argmax(sizes))]
    axis = largest / np.linalg.norm(largest)
    along = shape @ axis
    if np.abs(shape - np.outer(along, axis)).max() <= _ALIGNED:
        # The sign of the first lobe is that of the direction, so that opposite ones share a shape.
        sign = math.copysign(1.0, along[np.flatnonzero(np.abs(along) > _ALIGNED)[0]])
        x, y, z = (float(component) + 0.0 for component in sign * axis)
        return round_significant(strength), (x, y, z), _rounded((sign * along)[:, None])
    components = 2 if not shape[:, 2].any() else 3
    return round_significant(strength), (1.0, 0.0, 0.0), _rounded(shape[:, :components])


def _rounded(samples: NDArray[np.float64]) -> Samples:
    return tuple(tuple(round(x, _DIGITS) + 0.0 for x in row) for row in samples.tolist())


def _made(name: str, place: str, times: tuple[float, ...], samples: Samples) -> Waveform:
    if not samples:  # Without gradient its shape plays no part, but its echo time does.
        return Pgse(times[-1] / 2, times[-1] / 2)
    try:
        return SampledWaveform(name, "gradient", times, samples)
    except InputError as error:
        raise InputError(f"{place}: {error.found}", error.accepted) from None


def _words(rows: Sequence[Row], shapes: Sequence[tuple[tuple[float, ...], Samples]]) -> str:
    tesla = spread(round_significant(round(1e3 * r.strength / GRADIENT_UNIT, 9)) for r in rows)
    components = sorted({len(samples[0]) for _, samples in shapes if samples})
    *some, last = map(str, components or [1])
    of = f" of {', '.join(some)}{' and ' if some else ''}{counted(int(last), 'component')}"
    ends = spread(times[-1] for times, _ in shapes)
    return (
        f"{counted(len(rows), 'measurement')}, {counted(len(shapes), 'waveform')}{of}, "
        f"largest |G| {tesla} mT/m of protons, TE {ends} ms"
    )
