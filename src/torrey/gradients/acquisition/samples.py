"""Waveforms given by samples: the gradient or the wave vector, in columns with units."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torrey.base.budgets import MOST_SAMPLES, quoted
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.base.units import UNITS, Kind, UnitError, unit_factor
from torrey.gradients.acquisition.reader import WaveformInFile, WaveformReader
from torrey.gradients.acquisition.text import (
    GRADIENT_UNIT,
    check_range,
    counted,
    place_of,
    read_lines,
    read_text,
    to_number,
    written,
)
from torrey.gradients.waveforms.sampled import SampledKind, SampledWaveform

_COLUMN: Final = re.compile(r"([A-Za-z]\w*)\s*\(((?:[^()]|\([^()]*\))*)\)")
_COLUMNS: Final = re.compile(rf"{_COLUMN.pattern}(?:[\s,]+{_COLUMN.pattern})+")
_TIME_FIRST: Final = re.compile(r"(time|t)\b", re.IGNORECASE)
_TIME_NAMES: Final = ("time", "t")
_GRADIENT_NAMES: Final = (("g",), ("gx",), ("gx", "gy"), ("gx", "gy", "gz"))
_WAVE_VECTOR_NAMES: Final = (("q",), ("qx",), ("qx", "qy"), ("qx", "qy", "qz"))
_WAVEFORM_HEADER: Final = (
    'names of columns, each with its unit: "time (ms),gx (mT/m),gy (mT/m)" as the first line, or '
    '"# time (ms)  gx (mT/m)  gy (mT/m)" above numbers that spaces separate; g or gx, gy, gz for '
    "the gradient, q or qx, qy, qz for the wave vector, in this order and without gaps"
)


@dataclass(frozen=True)
class SampledGradient:
    """A waveform given by samples: linear between them.

    Parameters
    ----------
    times : tuple of float
        n >= 2 times (ms) from 0 on, increasing; where `kind` is "gradient" a time may stand twice
        in a row, which writes a jump.
    values : tuple of tuple of float
        n rows of k components, k = 1, 2 or 3: gamma G(t) in rad/um/ms, or g(t) in rad/um.
    kind : {"gradient", "wave_vector"}
        Which of the two; a wave vector begins at zero.
    name : str
        What the waveform is called; of a file, its name without its ending.
    columns : tuple of str, optional
        Names and units of the columns as the file gave them: ``("time (ms)", "gx (mT/m)")``.

    Raises
    ------
    ValueError
        If the samples are too few, ragged, not finite, or not in the order of time.
    """

    times: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    kind: SampledKind
    name: str
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.times) < 2 or len(self.times) != len(self.values):
            raise InputError(
                f"{counted(len(self.times), 'time')} and {counted(len(self.values), 'value')}",
                "two samples or more, each a time and a value",
                at=("times",),
            )
        self._check_values()
        self._check_times()

    def _check_values(self) -> None:
        for i, row in enumerate(self.values):
            if not 1 <= len(row) <= 3 or len(row) != len(self.values[0]):
                raise InputError(
                    counted(len(row), "component"),
                    "1, 2 or 3 components, as many in all rows",
                    at=("values", i),
                )
            if not all(map(math.isfinite, row)):
                raise InputError(written(row), "finite values", at=("values", i))
        if self.kind == "wave_vector" and any(self.values[0]):
            raise InputError(
                f"{written(self.values[0])} rad/um at the beginning",
                "a wave vector that begins at zero: no gradient has acted yet",
                at=("values", 0),
            )

    def _check_times(self) -> None:
        if self.times[0] != 0:
            raise InputError(f"the first time {self.times[0]:g} ms", "0", at=("times", 0))
        # A wave vector is an integral and cannot jump.
        jumps = self.kind == "gradient"
        for i, (before, time) in enumerate(zip(self.times, self.times[1:], strict=False), start=1):
            twice = jumps and time == before and (i < 2 or time != self.times[i - 2])
            if not (math.isfinite(time) and (time > before or twice)):
                raise InputError(
                    f"the time {time:g} ms after {before:g} ms",
                    "times that increase"
                    + (", or stand twice in a row where G jumps" if jumps else " strictly"),
                    at=("times", i),
                )
        if self.times[-1] == 0:
            raise InputError("no time after 0", "a waveform that lasts", at=("times", 1))

    def waveform(self) -> SampledWaveform:
        """Return its shape.

        Raises
        ------
        InputError
            If the gradient does not end at g(T_E) = 0.
        """
        return SampledWaveform(self.name, self.kind, self.times, self.values)

    def summary(self) -> str:
        """Say what was read, in internal units and how the columns were understood."""
        largest = max(math.hypot(*row) for row in self.values)
        size = f"|g| up to {largest:g} rad/um"
        if self.kind == "gradient":
            tesla = 1e3 * largest / GRADIENT_UNIT
            size = f"|gamma G| up to {largest:g} rad/um/ms ({tesla:g} mT/m of protons)"
        components = counted(len(self.values[0]), "component")
        read = f", read as {', '.join(self.columns)}" if self.columns else ""
        return (
            f"{self.name}: {len(self.times)} samples of {components} "
            f"over {self.times[-1]:g} ms, {size}{read}"
        )


def read_waveform(path: Path) -> SampledGradient:
    """Read a sampled waveform, G(t) or g(t).

    Parameters
    ----------
    path : Path
        Numbers in columns below a line that names the columns with their units, either
        ``time (ms),gx (mT/m),gy (mT/m)`` or, as a comment, ``# time (ms)  gx (mT/m)  gy (mT/m)``.
        If the names are separated by commas, so are the numbers. The gradient is g or gx, gy, gz;
        the wave vector is q or qx, qy, qz.

    Raises
    ------
    InputError
        If the file cannot be read, the columns are not named so or a sample cannot be used.
    """
    line, header = _header(path)
    separator = "," if "," in header else None
    kind, factors = _columns(place_of(line, path), header)
    # A header that is no comment is a line like the others.
    lines = [(i, text) for i, text in read_lines(path) if i != line]
    if len(lines) > MOST_SAMPLES:
        raise InputError(f"{path.name}: {len(lines)} samples", f"at most {MOST_SAMPLES}")
    unit: Kind = "gradient" if kind == "gradient" else "q"
    samples = [
        _sample(place_of(i, path), text.split(separator), factors, unit) for i, text in lines
    ]
    try:
        return SampledGradient(
            times=tuple(time for time, *_ in samples),
            values=tuple(tuple(row) for _, *row in samples),
            kind=kind,
            name=path.stem,
            columns=tuple(match[0] for match in _COLUMN.finditer(header)),
        )
    except InputError as error:
        place = path.name if len(error.at) == 1 else place_of(lines[int(error.at[1])][0], path)
        raise InputError(f"{place}: {error.found}", error.accepted) from None


def _header(path: Path) -> tuple[int, str]:
    """Return the line that names the columns, without a sign of comment, and its number."""
    line, first = read_lines(path)[0]
    comments = [
        (i, text.strip().lstrip("#").strip())
        for i, text in enumerate(read_text(path).split("\n")[: line - 1], start=1)
    ]
    about_time = [(i, text) for i, text in comments if _TIME_FIRST.match(text)]
    headers = [(i, text) for i, text in about_time if _COLUMNS.fullmatch(text)]
    if len(headers) > 1:
        raise InputError(f"{place_of(headers[1][0], path)}: a second line with names", "one line")
    if not headers and first[0] in "+-.0123456789":
        # Numbers without a header: what was meant to be one says more than the numbers do.
        headers = about_time[:1]
    return headers[0] if headers else (line, first)


def _columns(place: str, header: str) -> tuple[SampledKind, list[float]]:
    """Return what the columns hold, and the factor to internal units of each."""
    if not _COLUMNS.fullmatch(header):
        raise InputError(f"{place}: {quoted(header)}", _WAVEFORM_HEADER)
    time, *names = (match[1].lower() for match in _COLUMN.finditer(header))
    is_gradient = tuple(names) in _GRADIENT_NAMES
    if time not in _TIME_NAMES or not (is_gradient or tuple(names) in _WAVE_VECTOR_NAMES):
        raise InputError(f"{place}: the columns {', '.join((time, *names))}", _WAVEFORM_HEADER)
    kind: Kind = "gradient" if is_gradient else "q"
    factors: list[float] = []
    for match in _COLUMN.finditer(header):
        unit = match[2].strip()
        try:
            shown = f"{place}: {match[1]} in {quoted(unit)}"
            factors.append(unit_factor(unit, kind if factors else "time", shown))
        except UnitError as error:
            raise InputError(error.found, error.accepted) from None
    return "gradient" if is_gradient else "wave_vector", factors


def _sample(place: str, fields: Sequence[str], factors: Sequence[float], kind: Kind) -> list[float]:
    """Return a time and the components at it, in internal units."""
    if len(fields) != len(factors):
        raise InputError(
            f"{place}: {counted(len(fields), 'column')}",
            f"{len(factors)}, as many as have a name and separated as the names are",
        )
    time, *values = (
        round_significant(to_number(field, place) * factor)
        for field, factor in zip(fields, factors, strict=True)
    )
    check_range(time, "time", place, "time")
    size = math.hypot(*values)
    # Small values are the noise of a waveform about zero; large ones no scanner has.
    if size > UNITS[kind].most:
        check_range(size, kind, place, UNITS[kind].noun)
    return [time, *values]


def _waveform(path: Path) -> WaveformInFile:
    samples = read_waveform(path)
    return WaveformInFile(samples.waveform, len(samples.times), samples.summary())


SAMPLES: Final = WaveformReader(
    name=SampledWaveform.kind,
    noun="a file of samples",
    keys={"path": "a file of samples: columns such as time (ms), gx (mT/m), gy (mT/m)"},
    about="samples, with straight lines between them",
    read=_waveform,
)
