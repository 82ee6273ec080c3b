"""Waveforms given by samples: the gradient or the wave vector, in columns with units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path
from typing import Final

from torrey.base.budgets import MOST_SAMPLES
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.base.units import UNITS, Kind
from torrey.gradients.acquisition.columns import (
    Columns,
    columns_given,
    columns_of_file,
    half_unit,
)
from torrey.gradients.acquisition.rasters import (
    BETWEEN,
    FIRST,
    Between,
    First,
    Rows,
    check_held,
    from_zero,
    held,
    in_middle,
    pulses_of,
    raster_times,
    refocused,
)
from torrey.gradients.acquisition.reader import Option, WaveformInFile, WaveformReader
from torrey.gradients.acquisition.text import (
    GRADIENT_UNIT,
    check_range,
    counted,
    place_of,
    read_lines,
    to_number,
    written,
)
from torrey.gradients.waveforms.sampled import SampledKind, SampledWaveform
from torrey.gradients.waveforms.segments import Vector


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
    rounding : tuple of float, optional
        Half a unit of the last digit of each component.
    relative : bool
        Whether the values have no unit: their size plays no part.
    said : tuple of str
        What else was done to read them, in words.

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
    rounding: Vector = ()
    relative: bool = False
    said: tuple[str, ...] = ()

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
        return SampledWaveform(self.name, self.kind, self.times, self.values, self.rounding)

    def summary(self) -> str:
        """Say what was read, in internal units and how the columns were understood."""
        largest = max(math.hypot(*row) for row in self.values)
        size = f"|g| up to {largest:g} rad/um"
        if self.relative:
            size = "in units of their own"
        elif self.kind == "gradient":
            tesla = 1e3 * largest / GRADIENT_UNIT
            size = f"|gamma G| up to {largest:g} rad/um/ms ({tesla:g} mT/m of protons)"
        components = counted(len(self.values[0]), "component")
        said = [*([f"read as {', '.join(self.columns)}"] if self.columns else []), *self.said]
        read = "".join(f", {part}" for part in said)
        return (
            f"{self.name}: {len(self.times)} samples of {components} "
            f"over {self.times[-1]:g} ms, {size}{read}"
        )


@dataclass(frozen=True)
class SampleOptions:
    """What a file of samples does not say itself.

    Parameters
    ----------
    columns : tuple of str
        Names of the columns of a file without them, in its order: ``("t (ms)", "gx", "gy")``.
    dt : float, ms
        Step of the raster of a file without a column of times; zero if it has one.
    first : {"zero", "half"}, optional
        Where the first sample stands: at 0, or in the middle of the first step of the raster.
    between : {"linear", "hold"}
        Straight lines between samples, or values that stay until the next.
    refocus : tuple of float, ms
        Instants of 180 degree pulses, from which on the sign is turned.
    """

    columns: tuple[str, ...] = ()
    dt: float = 0.0
    first: First | None = None
    between: Between = "linear"
    refocus: tuple[float, ...] = ()


def read_waveform(path: Path, options: SampleOptions = SampleOptions()) -> SampledGradient:
    """Read a sampled waveform, G(t) or g(t).

    Parameters
    ----------
    path : Path
        Numbers in columns below a line that names the columns with their units, either
        ``time (ms),gx (mT/m),gy (mT/m)`` or, as a comment, ``# time (ms)  gx (mT/m)  gy (mT/m)``.
        If the names are separated by commas, so are the numbers. The gradient is g or gx, gy, gz;
        the wave vector is q or qx, qy, qz. A last column rf has the sign with which the gradient
        acts, 1 or -1, or 180 at 180 degree pulses and 0 elsewhere.
    options : SampleOptions, optional
        For files without names or times.

    Raises
    ------
    InputError
        If the file cannot be read, the columns are not named so or a sample cannot be used.
    """
    columns, lines = _lines(path, options)
    if len(lines) > MOST_SAMPLES:
        raise InputError(f"{path.name}: {len(lines)} samples", f"at most {MOST_SAMPLES}")
    fields = [_fields(place_of(i, path), text, columns) for i, text in lines]
    places = [place_of(i, path) for i, _ in lines]
    numbers = [
        [to_number(x, place) for x in row] for row, place in zip(fields, places, strict=True)
    ]
    skip = columns.time is not None
    components = slice(skip, skip + len(columns.factors))
    values = [
        _components(place, row[components], columns)
        for row, place in zip(numbers, places, strict=True)
    ]
    if columns.time is None:
        times = raster_times(len(lines), options.dt, options.first or "zero")
    else:
        times = [
            _time(place, row[0] * columns.time) for row, place in zip(numbers, places, strict=True)
        ]
    rows = list(zip(times, values, strict=True))
    marks = [row[-1] for row in numbers] if columns.pulses else []
    texts = [[row[k] for row in fields] for k in range(columns.count)][components]
    rounding = tuple(map(mul, map(half_unit, texts), columns.factors))
    try:
        return _acting(path.stem, rows, marks, rounding, columns, options)
    except InputError as error:
        of_file = error.at[:1] in (("times",), ("values",)) and len(error.at) > 1
        place = places[int(error.at[1])] if of_file else path.name
        option = error.at if error.at[:1] == ("refocus",) else ()
        raise InputError(f"{place}: {error.found}", error.accepted, option) from None


def _lines(path: Path, options: SampleOptions) -> tuple[Columns, list[tuple[int, str]]]:
    """What the columns hold, and the lines with numbers."""
    if not options.columns:
        if options.dt:
            raise InputError(
                "dt without columns", "columns as well, such as [gx, gy, gz]", at=("dt",)
            )
        line, columns = columns_of_file(path)
        # A header that is no comment is a line like the others.
        return columns, [(i, text) for i, text in read_lines(path) if i != line]
    columns = columns_given(options.columns)
    if (columns.time is None) != bool(options.dt):
        raise InputError(
            "dt beside a column of times" if options.dt else "neither dt nor a column of times",
            'one of them: dt, the step of the raster, or a column such as "t (ms)"',
            at=("dt",),
        )
    lines = read_lines(path)
    # Optimisers write the number of samples first.
    if lines[0][1].isdecimal() and int(lines[0][1]) == len(lines) - 1:
        lines = lines[1:]
    return columns, lines


def _fields(place: str, text: str, columns: Columns) -> list[str]:
    """The numbers of a line, as they are written."""
    commas = "," in text if columns.commas is None else columns.commas
    fields = text.split("," if commas else None)
    if len(fields) != columns.count:
        raise InputError(
            f"{place}: {counted(len(fields), 'column')}",
            f"{columns.count}, as many as have a name and separated as the names are",
        )
    return fields


def _time(place: str, value: float) -> float:
    time = round_significant(value)
    check_range(time, "time", place, "time")
    return time


def _components(place: str, numbers: Sequence[float], columns: Columns) -> Vector:
    """Components of a sample in internal units."""
    values = tuple(
        round_significant(x * factor) for x, factor in zip(numbers, columns.factors, strict=True)
    )
    kind: Kind = "gradient" if columns.kind == "gradient" else "q"
    size = math.hypot(*values)
    # Small values are the noise of a waveform about zero; large ones no scanner has.
    if size > UNITS[kind].most and not columns.relative:
        check_range(size, kind, place, UNITS[kind].noun)
    return values


def _acting(
    name: str,
    rows: Rows,
    marks: Sequence[float],
    rounding: Vector,
    columns: Columns,
    options: SampleOptions,
) -> SampledGradient:
    """The gradient that acts, from the samples as they are written."""
    gradient, hold = columns.kind == "gradient", options.between == "hold"
    said: list[str] = []
    turned = (options.refocus, hold, options.first == "half")
    if not gradient and any(turned):
        raise InputError(
            "refocus, between or first beside samples of a wave vector",
            "none of them: straight lines between values that have their sign",
        )
    if options.first == "zero" and columns.time is not None:
        rows = [(0.0, rows[0][1]), *rows[1:]] if rows else rows
    times = [time for time, _ in rows]
    middle = gradient and bool(times) and times[0] > 0.0 and in_middle(times)
    if times and times[0] > 0.0 and not middle:
        raise InputError(
            f"the first time {times[0]:g} ms",
            "0, or half of a step of a raster of equal steps; with `first: zero` the first sample "
            "is moved to 0",
            at=("times", 0),
        )

    def made(rows: Rows) -> SampledGradient:
        return SampledGradient(
            times=tuple(time for time, _ in rows),
            values=tuple(value for _, value in rows),
            kind=columns.kind,
            name=name,
            columns=columns.words,
            rounding=rounding,
            relative=columns.relative,
            said=tuple(said),
        )

    _ = made([(time - times[0] if middle else time, value) for time, value in rows])  # checks them
    if marks and options.refocus:
        raise InputError("refocus beside a column rf", "one of them", at=("refocus",))
    instants = pulses_of(times, marks, hold and not middle) if marks else options.refocus
    if hold:
        said.append("each held until the next")
        if not (middle or columns.time is None):
            check_held(rows)
        half = times[0] if middle else 0.0
        closing = (round_significant(times[-1] + options.dt), rows[-1][1])
        rows = held(rows if columns.time is not None or middle else [*rows, closing], half)
    elif middle:
        rows = from_zero(rows)
    if middle:
        said.append("in the middle of the steps of the raster")
    if instants:
        rows = refocused(rows, instants)
        said.append(f"the sign turned from {', '.join(f'{t:g}' for t in instants)} ms on")
    return made(rows)


def _waveform(
    path: Path,
    columns: Sequence[str] = (),
    dt: float = 0.0,
    first: First | None = None,
    between: Between = "linear",
    refocus: Sequence[float] = (),
) -> WaveformInFile:
    options = SampleOptions(tuple(columns), dt, first, between, tuple(refocus))
    samples = read_waveform(path, options)
    return WaveformInFile(samples.waveform, len(samples.times), samples.summary())


SAMPLES: Final = WaveformReader(
    name=SampledWaveform.kind,
    noun="a file of samples",
    keys={"path": "a file of samples: columns such as time (ms), gx (mT/m), gy (mT/m)"},
    about="samples, with straight lines between them",
    read=_waveform,
    options={
        "columns": Option(
            "texts",
            "names of the columns of a file without them, in its order, such as "
            '["t (ms)", gx, gy, gz]; of the gradient (g, gx, gy, gz) or of the wave vector (q, qx, '
            "qy, qz), with a unit or without; rf last if there is one",
        ),
        "dt": Option("time", "the step of the raster, where no column has the times"),
        "first": Option(
            "choice",
            "where the first sample stands: zero (at 0, whatever the file says), or half (in the "
            "middle of the first step of dt)",
            FIRST,
        ),
        "between": Option(
            "choice", "linear, or hold: a gradient stays until the next sample", BETWEEN
        ),
        "refocus": Option(
            "times", "a time or several: 180 degree pulses, from which on the sign is turned"
        ),
    },
)
