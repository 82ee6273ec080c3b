"""Files that say how signals were acquired: FSL b-tables, Camino schemes and sampled waveforms.

What a file leaves open is refused, not guessed. The classes check what holds for their values
wherever these come from; the readers convert to internal units and add the file and the line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from torrey.errors import InputError
from torrey.keys import round_significant
from torrey.units import PROTON_GYROMAGNETIC_RATIO, Kind, UnitError, parse

Vector = tuple[float, float, float]

_B_UNIT: Final = 1e-3  # 1 s/mm^2 in ms/um^2
_TIME_UNIT: Final = 1e3  # 1 s in ms
_GRADIENT_UNIT: Final = PROTON_GYROMAGNETIC_RATIO * 1e-9  # 1 T/m, times gamma, in rad/(um ms)

_ROUNDING: Final = 0.01
"""How far from 1 the length of a direction may be in a file: digits are cut off there."""

_UNIT_VECTOR: Final = "a vector of length 1 (within 1 % in a file)"


@dataclass(frozen=True)
class GradientTable:
    """b-values and directions, one of each per measurement.

    Parameters
    ----------
    b : tuple of float
        n b-values (ms/um^2), not negative.
    directions : tuple of tuple of float
        n unit vectors (no unit); (0, 0, 0) only where b = 0.
    lines : tuple of str
        n places, such as ``"dwi.bval:1, entry 7"``, from which the b-values came.

    Raises
    ------
    ValueError
        If the lengths differ, there is no measurement, a b-value is negative or not finite, or a
        direction is neither a unit vector nor zero at b = 0.
    """

    b: tuple[float, ...]
    directions: tuple[Vector, ...]
    lines: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.b) == len(self.directions) == len(self.lines):
            raise InputError(
                f"{_count(len(self.b), 'b-value')}, {_count(len(self.directions), 'direction')} "
                f"and {_count(len(self.lines), 'line')}",
                "one of each for every measurement, and at least one measurement",
                at=("b",),
            )
        for i, (b, direction) in enumerate(zip(self.b, self.directions, strict=True)):
            if not (math.isfinite(b) and b >= 0):
                raise InputError(
                    f"b = {b / _B_UNIT:g} s/mm^2", "a finite b-value, zero or above", at=("b", i)
                )
            if not (_is_unit(direction) or (b == 0 and not any(direction))):
                raise InputError(
                    f"the direction {_written(direction)} at b = {b / _B_UNIT:g} s/mm^2",
                    f"{_UNIT_VECTOR}; a vector without direction only at b = 0",
                    at=("directions", i),
                )

    def where(self, i: int) -> str:
        """Return the place from which measurement `i` came: ``"dwi.bval:1, entry 7"``."""
        return self.lines[i]

    def summary(self) -> str:
        """Say what was read.

        >>> GradientTable((0.0, 3.0), ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)), ("", "")).summary()
        '2 measurements, b from 0 to 3000 s/mm^2 (read as s/mm^2)'
        """
        b = _range(round_significant(b / _B_UNIT) for b in self.b)
        return f"{_count(len(self.b), 'measurement')}, b {b} s/mm^2 (read as s/mm^2)"


@dataclass(frozen=True)
class SchemeRow:
    """One measurement with rectangular gradient pulses, as in a Camino scheme.

    Parameters
    ----------
    direction : tuple of float
        Unit vector (no unit); (0, 0, 0) where `gradient` is zero.
    gradient : float
        gamma G (rad/um/ms), not negative.
    Delta : float
        Time from the beginning of one pulse to the beginning of the other (ms).
    delta : float
        Duration of each pulse (ms). Without a gradient, the three times may be anything finite.
    echo_time : float
        Time at which the signal is read (ms), not before the end of the second pulse.
    line : int
        Line of the file, from 1; 0 where there is no file.

    Raises
    ------
    ValueError
        If a number is negative or not finite, or the direction or the times do not fit.
    """

    direction: Vector
    gradient: float
    Delta: float
    delta: float
    echo_time: float
    line: int = 0

    def __post_init__(self) -> None:
        for name in ("gradient", "Delta", "delta", "echo_time"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(
                    f"{name} = {value:g}", "a finite number, zero or above", at=(name,)
                )
        if not (_is_unit(self.direction) if self.gradient else not any(self.direction)):
            raise InputError(
                f"the direction {_written(self.direction)} with |G| = {self._tesla():g} T/m",
                f"{_UNIT_VECTOR}; (0, 0, 0) where |G| = 0",
                at=("direction",),
            )
        if self.gradient:
            self._check_times()

    def _check_times(self) -> None:
        times = f"DELTA = {self.Delta:g} ms, delta = {self.delta:g} ms"
        if not (self.delta and self.Delta):
            raise InputError(
                f"{times} with |G| = {self._tesla():g} T/m",
                "both times known, above zero, wherever there is a gradient",
                at=("delta",),
            )
        if self.delta > self.Delta:
            raise InputError(times, "delta not longer than DELTA", at=("delta",))
        if round_significant(self.Delta + self.delta) > self.echo_time:
            raise InputError(
                f"{times}, TE = {self.echo_time:g} ms",
                "DELTA + delta not longer than TE",
                at=("echo_time",),
            )

    def _tesla(self) -> float:
        return round_significant(self.gradient / _GRADIENT_UNIT)


SampledKind = Literal["gradient", "wave_vector"]


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
                f"{_count(len(self.times), 'time')} and {_count(len(self.values), 'value')}",
                "two samples or more, each a time and a value",
                at=("times",),
            )
        self._check_values()
        self._check_times()

    def _check_values(self) -> None:
        for i, row in enumerate(self.values):
            if not 1 <= len(row) <= 3 or len(row) != len(self.values[0]):
                raise InputError(
                    _count(len(row), "component"),
                    "1, 2 or 3 components, as many in all rows",
                    at=("values", i),
                )
            if not all(map(math.isfinite, row)):
                raise InputError(_written(row), "finite values", at=("values", i))
        if self.kind == "wave_vector" and any(self.values[0]):
            raise InputError(
                f"{_written(self.values[0])} rad/um at the beginning",
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

    def summary(self) -> str:
        """Say what was read, in internal units and how the columns were understood."""
        largest = max(math.hypot(*row) for row in self.values)
        size = f"|g| up to {largest:g} rad/um"
        if self.kind == "gradient":
            tesla = 1e3 * largest / _GRADIENT_UNIT
            size = f"|gamma G| up to {largest:g} rad/um/ms ({tesla:g} mT/m of protons)"
        components = _count(len(self.values[0]), "component")
        read = f", read as {', '.join(self.columns)}" if self.columns else ""
        return (
            f"{self.name}: {len(self.times)} samples of {components} "
            f"over {self.times[-1]:g} ms, {size}{read}"
        )


def read_fsl(bval: Path, bvec: Path) -> GradientTable:
    """Read the two files of FSL.

    Parameters
    ----------
    bval : Path
        N b-values in s/mm^2, in one row or one per line.
    bvec : Path
        3 rows of N, or N rows of 3; if N = 3, the rows are x, y and z. Vectors are brought to
        length 1 if they are within 1 % of it. At b = 0, NaN stands for no direction.

    Raises
    ------
    InputError
        If a file cannot be read, the two do not fit or an entry cannot be used.
    """
    rows = _numbers(bval)
    if len(rows) > 1 and any(len(row) > 1 for _, row in rows):
        raise InputError(
            f"{_place(rows[1][0], bval)}: {_count(len(rows[1][1]), 'number')}",
            "one row of b-values, or one b-value per line",
        )
    b = [(line, round_significant(x * _B_UNIT)) for line, row in rows for x in row]
    vectors = _vectors(bvec, bval, len(b))
    try:
        return GradientTable(
            tuple(value for _, value in b),
            tuple(_direction(v, value) for (_, v), (_, value) in zip(vectors, b, strict=True)),
            tuple(f"{bval.name}:{line}, entry {i}" for i, (line, _) in enumerate(b, start=1)),
        )
    except InputError as error:
        column, i = error.at[0], int(error.at[1])
        place = _place(b[i][0], bval) if column == "b" else vectors[i][0]
        raise InputError(f"{place}, entry {i + 1}: {error.found}", error.accepted) from None


def _vectors(bvec: Path, bval: Path, n: int) -> list[tuple[str, Vector]]:
    """Return n vectors, each with its place in words."""
    rows = _numbers(bvec)
    width = len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            raise InputError(
                f"{_place(line, bvec)}: {_count(len(row), 'number')}",
                f"{width}, as many as in line {rows[0][0]}",
            )
    # A table of 3 by 3 has FSL's own orientation, which the other one only stands in for.
    if len(rows) == 3 and width == n:
        columns = zip(*(row for _, row in rows), strict=True)
        return [(bvec.name, (x, y, z)) for x, y, z in columns]
    if len(rows) == n and width == 3:
        return [(_place(line, bvec), (x, y, z)) for line, (x, y, z) in rows]
    raise InputError(
        f"{bvec.name}: {_count(len(rows), 'row')} of {_count(width, 'number')} "
        f"for {_count(n, 'b-value')} in {bval.name}",
        f"3 rows of {n}, or {n} rows of 3",
    )


def _direction(vector: Vector, b: float) -> Vector:
    """Bring a vector to length 1; at b = 0, where some converters write NaN, that is zero."""
    return (0.0, 0.0, 0.0) if b == 0 and any(map(math.isnan, vector)) else _normalised(vector)


_SCHEME_COLUMNS: Final = ("gx", "gy", "gz", "|G|", "DELTA", "delta", "TE")
_SCHEME_VERSIONS: Final = ("STEJSKALTANNER", "1")
_SCHEME_HEADER: Final = 'a first line "VERSION: STEJSKALTANNER" (or its old name "VERSION: 1")'


def read_scheme(path: Path) -> tuple[SchemeRow, ...]:
    """Read a Camino scheme of rectangular pulses, ``VERSION: STEJSKALTANNER``.

    Parameters
    ----------
    path : Path
        Lines of gx gy gz |G| DELTA delta TE in T/m and s. Without a gradient, the direction is
        read as zero and the times are not compared.

    Raises
    ------
    InputError
        If the file cannot be read, is of another version or has a row that cannot be used.
    """
    (line, header), *lines = _lines(path)
    match = re.fullmatch(r"VERSION\s*:\s*(\S+)", header)
    if match is None:
        raise InputError(f"{_place(line, path)}: {_quoted(header)}", _SCHEME_HEADER)
    if match[1] == "BVECTOR":
        raise InputError(
            f"{_place(line, path)}: VERSION: BVECTOR, which has no delta and no Delta",
            f"{_SCHEME_HEADER}, or FSL files (bval, bvec) together with a waveform",
        )
    if match[1] not in _SCHEME_VERSIONS:
        raise InputError(f"{_place(line, path)}: {_quoted(header)}", _SCHEME_HEADER)
    if not lines:
        raise InputError(f"{path.name}: no row below its first line", "one row per measurement")
    return tuple(_scheme_row(line, text, path) for line, text in lines)


def _scheme_row(line: int, text: str, path: Path) -> SchemeRow:
    place = _place(line, path)
    fields = text.split()
    if len(fields) != len(_SCHEME_COLUMNS):
        raise InputError(
            f"{place}: {_count(len(fields), 'column')}", f"7: {' '.join(_SCHEME_COLUMNS)}"
        )
    numbers = [_number(field, place) for field in fields]
    # Said here, in the units of the file, what the row itself would say in internal ones.
    for i, (name, number) in enumerate(zip(_SCHEME_COLUMNS, numbers, strict=True)):
        if not math.isfinite(number) or (i >= 3 and number < 0):
            accepted = "a finite number" + (", zero or above" if i >= 3 else "")
            raise InputError(f"{place}: {name} = {number:g}", accepted)
    x, y, z, tesla, *seconds = numbers
    Delta, delta, echo_time = (round_significant(time * _TIME_UNIT) for time in seconds)
    gradient = round_significant(tesla * _GRADIENT_UNIT)
    direction = _normalised((x, y, z)) if gradient else (0.0, 0.0, 0.0)
    try:
        return SchemeRow(direction, gradient, Delta, delta, echo_time, line)
    except InputError as error:
        raise InputError(f"{place}: {error.found}", error.accepted) from None


def scheme_summary(rows: Sequence[SchemeRow]) -> str:
    """Say what `read_scheme` read; times are those of the rows with a gradient."""
    measurements = _count(len(rows), "measurement")
    pulses = [row for row in rows if row.gradient]
    if not pulses:
        return f"{measurements} without a gradient"
    tesla = _range(round_significant(1e3 * row.gradient / _GRADIENT_UNIT) for row in rows)
    return (
        f"{measurements}, |G| {tesla} mT/m (read as T/m), "
        f"DELTA {_range(row.Delta for row in pulses)} ms, "
        f"delta {_range(row.delta for row in pulses)} ms, "
        f"TE {_range(row.echo_time for row in pulses)} ms (read as s)"
    )


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
    kind, factors = _columns(_place(line, path), header)
    # A header that is no comment is a line like the others.
    lines = [(i, text) for i, text in _lines(path) if i != line]
    samples = [_sample(_place(i, path), text.split(separator), factors) for i, text in lines]
    try:
        return SampledGradient(
            times=tuple(time for time, *_ in samples),
            values=tuple(tuple(row) for _, *row in samples),
            kind=kind,
            name=path.stem,
            columns=tuple(match[0] for match in _COLUMN.finditer(header)),
        )
    except InputError as error:
        place = path.name if len(error.at) == 1 else _place(lines[int(error.at[1])][0], path)
        raise InputError(f"{place}: {error.found}", error.accepted) from None


def _header(path: Path) -> tuple[int, str]:
    """Return the line that names the columns, without a sign of comment, and its number."""
    line, first = _lines(path)[0]
    comments = [
        (i, text.strip().lstrip("#").strip())
        for i, text in enumerate(_text(path).split("\n")[: line - 1], start=1)
    ]
    about_time = [(i, text) for i, text in comments if _TIME_FIRST.match(text)]
    headers = [(i, text) for i, text in about_time if _COLUMNS.fullmatch(text)]
    if len(headers) > 1:
        raise InputError(f"{_place(headers[1][0], path)}: a second line with names", "one line")
    if not headers and first[0] in "+-.0123456789":
        # Numbers without a header: what was meant to be one says more than the numbers do.
        headers = about_time[:1]
    return headers[0] if headers else (line, first)


def _columns(place: str, header: str) -> tuple[SampledKind, list[float]]:
    """Return what the columns hold, and the factor to internal units of each."""
    if not _COLUMNS.fullmatch(header):
        raise InputError(f"{place}: {_quoted(header)}", _WAVEFORM_HEADER)
    time, *names = (match[1].lower() for match in _COLUMN.finditer(header))
    is_gradient = tuple(names) in _GRADIENT_NAMES
    if time not in _TIME_NAMES or not (is_gradient or tuple(names) in _WAVE_VECTOR_NAMES):
        raise InputError(f"{place}: the columns {', '.join((time, *names))}", _WAVEFORM_HEADER)
    kind: Kind = "gradient" if is_gradient else "q"
    factors: list[float] = []
    for match in _COLUMN.finditer(header):
        try:
            factors.append(parse(f"1 {match[2].strip()}", kind if factors else "time"))
        except UnitError as error:
            found = error.found.removeprefix('"1 ')
            raise InputError(f'{place}: {match[1]} in "{found}', error.accepted) from None
    return "gradient" if is_gradient else "wave_vector", factors


def _sample(place: str, fields: Sequence[str], factors: Sequence[float]) -> list[float]:
    """Return a time and the components at it, in internal units."""
    if len(fields) != len(factors):
        raise InputError(
            f"{place}: {_count(len(fields), 'column')}",
            f"{len(factors)}, as many as have a name and separated as the names are",
        )
    return [
        round_significant(_number(field, place) * factor)
        for field, factor in zip(fields, factors, strict=True)
    ]


def _text(path: Path) -> str:
    """Return the text of a file, with or without a mark of the byte order."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "a text file that can be read") from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: not a text in UTF-8", "a text file") from None
    if "\0" in text:
        raise InputError(f"{path.name}: not a text (it has null bytes)", "a text file")
    return text


def _lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that say something and their numbers, from 1; at least one line."""
    # Split as editors do; str.splitlines() would also count form feeds.
    stripped = (line.partition("#")[0].strip() for line in _text(path).split("\n"))
    lines = [(i, line) for i, line in enumerate(stripped, start=1) if line]
    if not lines:
        raise InputError(f"{path.name}: an empty file", "a file with numbers")
    return lines


def _numbers(path: Path) -> list[tuple[int, list[float]]]:
    """Return rows of numbers that spaces separate, with the numbers of their lines."""
    return [
        (line, [_number(field, _place(line, path)) for field in text.split()])
        for line, text in _lines(path)
    ]


def _number(text: str, place: str) -> float:
    try:
        # Python takes 1_000 for a number; no program that writes such files means that.
        return float(text.replace("_", "?"))
    except ValueError:
        raise InputError(f"{place}: {_quoted(text.strip())}", "a number") from None


def _normalised(vector: Vector) -> Vector:
    """Bring a vector to length 1 unless it is further from it than rounding explains."""
    length = math.hypot(*vector)
    if not round_significant(abs(length - 1)) <= _ROUNDING:
        return vector
    x, y, z = (component / length for component in vector)
    return x, y, z


def _is_unit(vector: Vector) -> bool:
    return len(vector) == 3 and abs(math.hypot(*vector) - 1) < 1e-9


def _place(line: int, path: Path) -> str:
    return f"line {line} of {path.name}"


def _quoted(text: str) -> str:
    longest = 60
    return f'"{text}"' if len(text) <= longest else f'"{text[:longest]}..."'


def _written(values: Sequence[float]) -> str:
    return f"({', '.join(f'{value:g}' for value in values)})"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _range(values: Iterable[float]) -> str:
    ordered = sorted(values)
    least, most = ordered[0], ordered[-1]
    return f"= {least:g}" if least == most else f"from {least:g} to {most:g}"
