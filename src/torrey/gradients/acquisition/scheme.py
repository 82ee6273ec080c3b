"""Schemes of Camino, dmipy and MC/DC: every measurement with its own gradient and times."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from torrey.base.budgets import MOST_MEASUREMENTS, quoted
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.gradients.acquisition.mrtrix import read_columns
from torrey.gradients.acquisition.reader import AcquisitionReader, Row, Scan
from torrey.gradients.acquisition.scheme_waveforms import (
    TIME_UNIT,
    interpolated_waveforms,
    step_waveforms,
)
from torrey.gradients.acquisition.tables import (
    B_UNIT_SI,
    SCALED,
    SKIP,
    THRESHOLD,
    read_entries,
    without_skipped,
)
from torrey.gradients.acquisition.text import (
    GRADIENT_UNIT,
    UNIT_VECTOR,
    Direction,
    Faults,
    check_range,
    counted,
    is_unit,
    normalised,
    numbers_in,
    place_of,
    read_lines,
    spread,
    to_number,
    written,
)
from torrey.gradients.acquisition.timings import ROUNDED, pulses_at_echo, rounded_words

_SCHEME_COLUMNS: Final = ("gx", "gy", "gz", "|G|", "DELTA", "delta", "TE")
#: Names of the versions, which are not told apart by their case: those of Camino, and MC/DC's PGSE.
_VERSIONS: Final = {
    "STEJSKALTANNER": "pulses",
    "1": "pulses",
    "PGSE": "pulses",
    "BVECTOR": "table",
    "2": "table",
    "GRADIENT_WAVEFORM": "steps",
    "WAVEFORM": "samples",
}
_SCHEME_HEADER: Final = (
    'a first line "VERSION: STEJSKALTANNER" (or its other names 1 and PGSE), BVECTOR (or 2), '
    "GRADIENT_WAVEFORM or WAVEFORM"
)
#: Versions that say too little, and what they say.
_REFUSED: Final = {
    "0": "which has diffusion times and wave vectors, no delta and no Delta",
    "3": "a twice-refocused sequence",
    "TRSE": "a twice-refocused sequence",
}


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

    direction: Direction
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
        if not (is_unit(self.direction) if self.gradient else not any(self.direction)):
            raise InputError(
                f"the direction {written(self.direction)} with |G| = {self._tesla():g} T/m",
                f"{UNIT_VECTOR}; (0, 0, 0) where |G| = 0",
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
        return round_significant(self.gradient / GRADIENT_UNIT)


def read_scheme(path: Path) -> tuple[SchemeRow, ...]:
    """Read a Camino scheme of rectangular pulses, ``VERSION: STEJSKALTANNER``.

    Parameters
    ----------
    path : Path
        Lines of gx gy gz |G| DELTA delta TE in T/m and s; without a first line with the version
        where they have these seven columns. Without a gradient, the direction is read as zero and
        the times are not compared. A TE that is up to 0.1 ms before the end of the gradients was
        rounded, and is read as that end.

    Raises
    ------
    InputError
        If the file cannot be read, is of another version or has rows that cannot be used.
    """
    version, lines, _ = _version(path)
    if version != "pulses":
        raise InputError(f"{path.name}: a scheme without rectangular pulses", _SCHEME_HEADER)
    return _pulse_rows(path, lines)[0]


def _version(path: Path) -> tuple[str, list[tuple[int, str]], list[str]]:
    """Return what a scheme holds, the lines that hold it and words on how that was found."""
    (line, header), *lines = read_lines(path)
    place = place_of(line, path)
    match = re.fullmatch(r"VERSION\s*:\s*(\S+)", header, re.IGNORECASE)
    if match is None:
        return _headless(path, [(line, header), *lines])
    name = match[1].upper()
    if name in _REFUSED:
        raise InputError(f"{place}: VERSION: {name}, {_REFUSED[name]}", _SCHEME_HEADER)
    if name not in _VERSIONS:
        raise InputError(f"{place}: {quoted(header)}", _SCHEME_HEADER)
    if not lines:
        raise InputError(f"{path.name}: no row below its first line", "one row per measurement")
    return _VERSIONS[name], lines, []


def _headless(
    path: Path, lines: list[tuple[int, str]]
) -> tuple[str, list[tuple[int, str]], list[str]]:
    """Of a scheme without a version: what its columns can mean is one thing, or it is refused."""
    line, first = lines[0]
    fields = first.split()
    if len(fields) == len(_SCHEME_COLUMNS) and all(map(_is_number, fields)):
        return "pulses", lines, ["no VERSION: 7 columns, read as STEJSKALTANNER"]
    found = f"{place_of(line, path)}: {quoted(first)}"
    if len(fields) == 1 and _is_number(fields[0]):
        raise InputError(f"{found}, a scheme of VERSION 0, {_REFUSED['0']}", _SCHEME_HEADER)
    if len(fields) == 4 and all(map(_is_number, fields)):
        raise InputError(
            f"{found}, 4 columns without the unit of b",
            'a first line "VERSION: BVECTOR" (b in s/m^2), or {grad: FILE} (b in s/mm^2)',
        )
    raise InputError(found, _SCHEME_HEADER)


def _is_number(text: str) -> bool:
    try:
        to_number(text, "")
    except InputError:
        return False
    return True


def _pulse_rows(
    path: Path, lines: Sequence[tuple[int, str]]
) -> tuple[tuple[SchemeRow, ...], list[str]]:
    """Return rows of rectangular pulses, and in words how many times were rounded."""
    if len(lines) > MOST_MEASUREMENTS:
        raise InputError(f"{path.name}: {len(lines)} rows", f"at most {MOST_MEASUREMENTS}")
    rows, faults, rounded = [], Faults(), []
    for line, text in lines:
        with faults.at(""):
            row, excess = _scheme_row(line, text, path)
            rows.append(row)
            rounded.append(excess)
    faults.check()
    return tuple(rows), rounded_words(rounded)


def _scheme_row(line: int, text: str, path: Path) -> tuple[SchemeRow, float]:
    """One row, and by how much (ms) its echo time was rounded."""
    place = place_of(line, path)
    numbers = numbers_in(text, place)
    if len(numbers) != len(_SCHEME_COLUMNS):
        raise InputError(
            f"{place}: {counted(len(numbers), 'column')}", f"7: {' '.join(_SCHEME_COLUMNS)}"
        )
    # Said here, in the units of the file, what the row itself would say in internal ones.
    for i, (name, number) in enumerate(zip(_SCHEME_COLUMNS, numbers, strict=True)):
        needed = i >= 3 or numbers[3] != 0
        if needed and (not math.isfinite(number) or (i >= 3 and number < 0)):
            accepted = "a finite number" + (", zero or above" if i >= 3 else "")
            raise InputError(f"{place}: {name} = {number:g}", accepted)
    x, y, z, tesla, *seconds = numbers
    Delta, delta, echo_time = (round_significant(time * TIME_UNIT) for time in seconds)
    gradient = round_significant(tesla * GRADIENT_UNIT)
    check_range(gradient, "gradient", place, "gamma |G|")
    for name, time in (("DELTA", Delta), ("delta", delta), ("TE", echo_time)):
        check_range(time, "time", place, name)
    excess = round_significant(Delta + delta - echo_time) if gradient else 0.0
    if 0 < excess <= ROUNDED * (1 + 1e-9):
        echo_time = round_significant(Delta + delta)
    direction = normalised((x, y, z)) if gradient else (0.0, 0.0, 0.0)
    try:
        row = SchemeRow(direction, gradient, Delta, delta, echo_time, line)
    except InputError as error:
        raise InputError(f"{place}: {error.found}", error.accepted) from None
    return row, max(excess, 0.0)


def scheme_summary(rows: Sequence[SchemeRow]) -> str:
    """Say what `read_scheme` read; times are those of the rows with a gradient."""
    measurements = counted(len(rows), "measurement")
    pulses = [row for row in rows if row.gradient]
    if not pulses:
        return f"{measurements} without a gradient"
    tesla = spread(round_significant(1e3 * row.gradient / GRADIENT_UNIT) for row in rows)
    return (
        f"{measurements}, |G| {tesla} mT/m (read as T/m), "
        f"DELTA {spread(row.Delta for row in pulses)} ms, "
        f"delta {spread(row.delta for row in pulses)} ms, "
        f"TE {spread(row.echo_time for row in pulses)} ms (read as s)"
    )


def _scan(scheme: Path, *, skip: Sequence[int] = (), **options: Any) -> Scan:
    version, lines, words = _version(scheme)
    if version == "steps":
        return step_waveforms(scheme, lines, skip)
    if version == "samples":
        return interpolated_waveforms(scheme, lines, skip)
    if version == "table":
        entries = read_columns(scheme, B_UNIT_SI, lines)
        table = read_entries(entries, skip=skip, **options)
        missing = "VERSION: BVECTOR has no delta and no Delta"
        return Scan("b", table.rows, table.summary("s/m^2"), missing=missing)
    if options:
        raise InputError(
            f"{' and '.join(options)} with gradients and times",
            "no such key: only a table of b-values (VERSION: BVECTOR) has it",
            at=(next(iter(options)),),
        )
    left, skipped = without_skipped(lines, skip)
    rows, rounded = _pulse_rows(scheme, left)
    rows, echoes = _with_echoes(scheme, rows)
    return _pulse_scan(scheme, rows, (*words, *rounded, *echoes, *skipped))


def _with_echoes(
    scheme: Path, rows: tuple[SchemeRow, ...]
) -> tuple[tuple[SchemeRow, ...], tuple[str, ...]]:
    """Rows without gradient and times have the echo time of the others, where that is one."""
    times = {row.echo_time for row in rows if row.echo_time}
    without = [row for row in rows if not row.gradient and not row.echo_time]
    if not without or not times:
        return rows, ()
    if len(times) > 1:
        raise InputError(
            f"{place_of(without[0].line, scheme)}: TE = 0 where other rows have several",
            "the echo time of each row, also without a gradient: water may relax until then",
        )
    (time,) = times
    found = tuple(row if row.echo_time else replace(row, echo_time=time) for row in rows)
    return found, (f"TE of {counted(len(without), 'row')} is 0: read as {time:g} ms",)


def _pulse_scan(scheme: Path, rows: Sequence[SchemeRow], words: Sequence[str]) -> Scan:
    # Rows with the same times share one waveform, whose integrals are made once.
    timings = [(bool(row.gradient), row.delta, row.Delta, row.echo_time) for row in rows]
    numbers = {timing: i for i, timing in enumerate(dict.fromkeys(timings))}
    return Scan(
        "gradient",
        tuple(
            Row(row.gradient, row.direction, place_of(row.line, scheme), numbers[timing])
            for row, timing in zip(rows, timings, strict=True)
        ),
        "; ".join((scheme_summary(rows), *words)),
        tuple(partial(pulses_at_echo, *timing) for timing in numbers),
        segments=5 * len({timing[1:] for timing in timings}),
    )


SCHEME: Final = AcquisitionReader(
    name="scheme",
    noun="a scheme file",
    keys={"scheme": "a scheme file of Camino, dmipy or MC/DC"},
    about="Camino, dmipy and MC/DC, in SI units: STEJSKALTANNER (or PGSE; each line is a "
    "rectangular PGSE in the middle of its TE), GRADIENT_WAVEFORM, WAVEFORM, or BVECTOR, which has "
    "no times",
    read=_scan,
    has_waveforms=None,
    options=(THRESHOLD, SCALED, SKIP),
)
