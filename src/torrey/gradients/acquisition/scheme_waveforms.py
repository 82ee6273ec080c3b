"""Schemes with gradients of any shape: GRADIENT_WAVEFORM of Camino, WAVEFORM of MC/DC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from torrey.base.budgets import MOST_MEASUREMENTS, MOST_SAMPLES
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.base.units import UNITS
from torrey.gradients.acquisition.reader import Scan
from torrey.gradients.acquisition.shapes import Played, held, linear, shared_waveforms
from torrey.gradients.acquisition.tables import without_skipped
from torrey.gradients.acquisition.text import (
    GRADIENT_UNIT,
    Faults,
    check_range,
    counted,
    numbers_in,
    place_of,
)

TIME_UNIT: Final = 1e3  # 1 s in ms

Lines = Sequence[tuple[int, str]]


def step_waveforms(path: Path, lines: Lines, skip: Sequence[int]) -> Scan:
    """Read Camino's ``VERSION: GRADIENT_WAVEFORM``.

    Parameters
    ----------
    path : Path
        For messages.
    lines : sequence of tuple
        Each K dt and then K vectors in T/m, which are held for dt (s) one after the other.
    skip : sequence of int

    Raises
    ------
    InputError
        With all lines that cannot be used.
    """
    left, words = without_skipped(lines, skip)
    measured, faults = [], Faults()
    for line, text in left:
        place = place_of(line, path)
        with faults.at(""):
            measured.append(_steps(numbers_in(text, place), place))
    faults.check()
    shapes = shared_waveforms(path.stem, measured)
    said = f"{shapes.words} (read as steps in T/m and s that hold their values)"
    return Scan(
        "gradient", shapes.rows, "; ".join((said, *words)), shapes.waveforms, shapes.segments
    )


def _steps(numbers: Sequence[float], place: str) -> Played:
    count, *rest = numbers
    if not (math.isfinite(count) and count >= 1 and count == int(count)):
        raise InputError(f"{place}: K = {count:g}", "a whole number of steps, at least 1")
    if count > MOST_SAMPLES:
        raise InputError(f"{place}: K = {count:g}", f"at most {MOST_SAMPLES} steps")
    if len(rest) != 1 + 3 * int(count):
        raise InputError(
            f"{place}: {counted(len(numbers), 'number')}",
            f"{2 + 3 * int(count)}: K, dt and 3 for each of K = {count:g} steps",
        )
    dt, *flat = rest
    duration = _duration(count * dt, f"{place}: K dt")
    values = [_gradient(flat[i : i + 3], place) for i in range(0, len(flat), 3)]
    return Played(*held(duration / count, values), place)


def interpolated_waveforms(path: Path, lines: Lines, skip: Sequence[int]) -> Scan:
    """Read MC/DC's ``VERSION: WAVEFORM``.

    Parameters
    ----------
    path : Path
        For messages.
    lines : sequence of tuple
        A duration (s), a number of samples and one of measurements; then a vector in T/m in each
        line, the samples of one measurement after those of the other, with straight lines between
        them from 0 to the duration.
    skip : sequence of int

    Raises
    ------
    InputError
        With all lines that cannot be used, or if they are too few or too many.
    """
    (first, head), *rest = lines
    place = place_of(first, path)
    numbers = numbers_in(head, place)
    if len(numbers) != 3:
        raise InputError(
            f"{place}: {counted(len(numbers), 'number')}",
            "3: the duration in s, the samples of a measurement and the measurements",
        )
    duration = _duration(numbers[0], f"{place}: the duration")
    samples, count = (
        _count(numbers[1], 2, MOST_SAMPLES, f"{place}: samples"),
        _count(numbers[2], 1, MOST_MEASUREMENTS, f"{place}: measurements"),
    )
    if len(rest) != samples * count:
        raise InputError(
            f"{path.name}: {counted(len(rest), 'vector')} below its second line",
            f"{samples * count}: {samples} samples of {counted(count, 'measurement')}",
        )
    blocks, words = without_skipped(
        [rest[i * samples : (i + 1) * samples] for i in range(count)], skip
    )
    measured, faults = [], Faults()
    for block in blocks:
        values = []
        for line, text in block:
            with faults.at(""):
                values.append(
                    _gradient(numbers_in(text, place_of(line, path)), place_of(line, path))
                )
        begin = f"lines {block[0][0]} to {block[-1][0]} of {path.name}"
        if len(values) == samples:
            measured.append(Played(*linear(duration / (samples - 1), values), begin))
    faults.check()
    shapes = shared_waveforms(path.stem, measured)
    said = f"{shapes.words} (read as samples in T/m and s with straight lines between them)"
    return Scan(
        "gradient", shapes.rows, "; ".join((said, *words)), shapes.waveforms, shapes.segments
    )


def _count(number: float, least: int, most: int, what: str) -> int:
    if not (math.isfinite(number) and number == int(number) and least <= number <= most):
        raise InputError(f"{what} = {number:g}", f"a whole number from {least} to {most}")
    return int(number)


def _duration(seconds: float, what: str) -> float:
    """A time above zero in ms."""
    time = round_significant(seconds * TIME_UNIT) if math.isfinite(seconds) else math.nan
    unit = UNITS["time"]
    if not (time > 0 and unit.holds(time)):
        raise InputError(f"{what} = {seconds:g} s", f"a time above 0 in s, {unit.range}")
    return time


def _gradient(vector: Sequence[float], place: str) -> tuple[float, ...]:
    """A vector in T/m as gamma G."""
    if len(vector) != 3:
        raise InputError(f"{place}: {counted(len(vector), 'number')}", "3: gx gy gz in T/m")
    size = math.hypot(*vector) * GRADIENT_UNIT
    if not math.isfinite(size):
        raise InputError(f"{place}: a gradient that is not finite", "three finite numbers in T/m")
    # Small values are the noise of a waveform about zero; large ones no scanner has.
    if size > UNITS["gradient"].most:
        check_range(size, "gradient", place, "gamma |G|")
    return tuple(x * GRADIENT_UNIT + 0.0 for x in vector)
