"""Camino schemes of rectangular pulses: every measurement with its own gradient and times."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from torrey.base.budgets import MOST_MEASUREMENTS, quoted
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.gradients.acquisition.reader import AcquisitionReader, Row, Scan
from torrey.gradients.acquisition.text import (
    GRADIENT_UNIT,
    UNIT_VECTOR,
    Direction,
    check_range,
    counted,
    is_unit,
    normalised,
    place_of,
    read_lines,
    spread,
    to_number,
    written,
)
from torrey.gradients.waveforms import AtEcho, Pgse, Waveform

TIME_UNIT: Final = 1e3  # 1 s in ms

_SCHEME_COLUMNS: Final = ("gx", "gy", "gz", "|G|", "DELTA", "delta", "TE")
_SCHEME_VERSIONS: Final = ("STEJSKALTANNER", "1")
_SCHEME_HEADER: Final = 'a first line "VERSION: STEJSKALTANNER" (or its old name "VERSION: 1")'


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
        Lines of gx gy gz |G| DELTA delta TE in T/m and s. Without a gradient, the direction is
        read as zero and the times are not compared.

    Raises
    ------
    InputError
        If the file cannot be read, is of another version or has a row that cannot be used.
    """
    (line, header), *lines = read_lines(path)
    match = re.fullmatch(r"VERSION\s*:\s*(\S+)", header)
    if match is None:
        raise InputError(f"{place_of(line, path)}: {quoted(header)}", _SCHEME_HEADER)
    if match[1] == "BVECTOR":
        raise InputError(
            f"{place_of(line, path)}: VERSION: BVECTOR, which has no delta and no Delta",
            f"{_SCHEME_HEADER}, or FSL files (bval, bvec) together with a waveform",
        )
    if match[1] not in _SCHEME_VERSIONS:
        raise InputError(f"{place_of(line, path)}: {quoted(header)}", _SCHEME_HEADER)
    if not lines:
        raise InputError(f"{path.name}: no row below its first line", "one row per measurement")
    if len(lines) > MOST_MEASUREMENTS:
        raise InputError(f"{path.name}: {len(lines)} rows", f"at most {MOST_MEASUREMENTS}")
    return tuple(_scheme_row(line, text, path) for line, text in lines)


def _scheme_row(line: int, text: str, path: Path) -> SchemeRow:
    place = place_of(line, path)
    fields = text.split()
    if len(fields) != len(_SCHEME_COLUMNS):
        raise InputError(
            f"{place}: {counted(len(fields), 'column')}", f"7: {' '.join(_SCHEME_COLUMNS)}"
        )
    numbers = [to_number(field, place) for field in fields]
    # Said here, in the units of the file, what the row itself would say in internal ones.
    for i, (name, number) in enumerate(zip(_SCHEME_COLUMNS, numbers, strict=True)):
        if not math.isfinite(number) or (i >= 3 and number < 0):
            accepted = "a finite number" + (", zero or above" if i >= 3 else "")
            raise InputError(f"{place}: {name} = {number:g}", accepted)
    x, y, z, tesla, *seconds = numbers
    Delta, delta, echo_time = (round_significant(time * TIME_UNIT) for time in seconds)
    gradient = round_significant(tesla * GRADIENT_UNIT)
    check_range(gradient, "gradient", place, "gamma |G|")
    for name, time in (("DELTA", Delta), ("delta", delta), ("TE", echo_time)):
        check_range(time, "time", place, name)
    direction = normalised((x, y, z)) if gradient else (0.0, 0.0, 0.0)
    try:
        return SchemeRow(direction, gradient, Delta, delta, echo_time, line)
    except InputError as error:
        raise InputError(f"{place}: {error.found}", error.accepted) from None


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


def _scan(scheme: Path) -> Scan:
    rows = read_scheme(scheme)
    # Rows with the same times share one waveform, whose integrals are made once.
    timings = [(bool(row.gradient), row.delta, row.Delta, row.echo_time) for row in rows]
    numbers = {timing: i for i, timing in enumerate(dict.fromkeys(timings))}
    return Scan(
        "gradient",
        tuple(
            Row(row.gradient, row.direction, place_of(row.line, scheme), numbers[timing])
            for row, timing in zip(rows, timings, strict=True)
        ),
        scheme_summary(rows),
        tuple(partial(_pulses, *timing) for timing in numbers),
        segments=5 * len({timing[1:] for timing in timings}),
    )


def _pulses(gradient: bool, delta: float, Delta: float, echo_time: float) -> Waveform:
    """Rectangular pulses in the middle of the time to the echo of a row."""
    if gradient:
        return AtEcho(Pgse(delta, Delta), echo_time)
    # Without gradient its shape plays no part, but its echo time does where water relaxes.
    half = echo_time / 2 or 1.0
    return Pgse(half, half)


SCHEME: Final = AcquisitionReader(
    name="scheme",
    noun="a scheme file",
    keys={"scheme": "a Camino scheme file (STEJSKALTANNER)"},
    about="Camino, version STEJSKALTANNER, in SI units; each line is a rectangular PGSE in the "
    "middle of its TE",
    read=_scan,
    has_waveforms=True,
)
