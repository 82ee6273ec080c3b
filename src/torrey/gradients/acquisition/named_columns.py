"""Tables with a line of names: b, its shape, directions and times in columns with units."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.base.units import Kind, UnitError, unit_factor
from torrey.gradients.acquisition.bids import timed_scan
from torrey.gradients.acquisition.reader import AcquisitionReader, Scan
from torrey.gradients.acquisition.tables import (
    SCALED,
    SKIP,
    THRESHOLD,
    Entry,
    read_entries,
)
from torrey.gradients.acquisition.text import (
    Faults,
    counted,
    place_of,
    read_lines,
    spread,
    to_number,
)

_HEADER: Final = re.compile(r"([^()]*?)\s*(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\))?")
#: What a column is, by the names in use: only delta and Delta are told apart by their case.
_NAMES: Final = {
    "b": ("b", "bval", "b_value"),
    "b_delta": ("b_delta", "bdelta"),
    "x": ("x", "ux", "u_x", "bvec_x"),
    "y": ("y", "uy", "u_y", "bvec_y"),
    "z": ("z", "uz", "u_z", "bvec_z"),
    "delta": ("small_delta",),
    "Delta": ("big_delta",),
    "TE": ("te", "echo_time"),
}
_KINDS: Final[Mapping[str, Kind]] = {
    "b": "b_value",
    "delta": "time",
    "Delta": "time",
    "TE": "time",
}
_ACCEPTED: Final = (
    "names of columns in the first line, such as b (s/mm^2), x, y, z, and where they are known "
    "b_delta, delta (ms), Delta (ms), TE (ms)"
)
_NO_TIMES: Final = "the table has no columns delta and Delta"
_MISSING: Final = ("", "n/a", "na", "nan")


@dataclass(frozen=True)
class _Column:
    """Where a column is, and what its numbers are multiplied with."""

    index: int
    factor: float
    unit: str
    read: str


def _columns(path: Path, line: int, cells: Sequence[str]) -> tuple[dict[str, _Column], list[str]]:
    """Return the columns that are known, and the names of the others."""
    place = place_of(line, path)
    known: dict[str, _Column] = {}
    others = []
    for i, cell in enumerate(cells):
        match = _HEADER.fullmatch(cell.strip())
        name = _name(match[1]) if match else None
        if match is None or name is None:
            others.append(cell.strip())
            continue
        if name in known:
            raise InputError(f"{place}: a second column {quoted(cell.strip())}", "each once")
        known[name] = _Column(i, _factor(name, match[2], place), match[2] or "", cell.strip())
    if "b" not in known:
        raise InputError(f"{place}: no column b", _ACCEPTED)
    axes = [axis for axis in "xyz" if axis in known]
    if 0 < len(axes) < 3:
        raise InputError(f"{place}: a direction of {' and '.join(axes)} alone", "x, y and z")
    if ("delta" in known) != ("Delta" in known):
        there = "delta" if "delta" in known else "Delta"
        raise InputError(f"{place}: a column {there} alone", "both delta and Delta, or neither")
    return known, others


def _name(text: str) -> str | None:
    if text in ("delta", "Delta"):
        return text
    if text == "DELTA":
        return "Delta"
    return next((name for name, given in _NAMES.items() if text.lower() in given), None)


def _factor(name: str, unit: str | None, place: str) -> float:
    if name not in _KINDS:
        return 1.0
    if not unit:
        example = "b (s/mm^2)" if name == "b" else f"{name} (ms)"
        raise InputError(f"{place}: a column {name} without a unit", f"one such as {example}")
    try:
        return unit_factor(unit, _KINDS[name], f"{place}: {name} in {quoted(unit)}")
    except UnitError as error:
        raise InputError(error.found, error.accepted) from None


def _split(text: str, separator: str | None) -> list[str]:
    if separator is not None:
        return text.split(separator)
    return re.split(r"\s+(?![^()]*\))", text)


def _scan(table: Path, **options: Any) -> Scan:
    (line, header), *lines = read_lines(table)
    separator = "\t" if "\t" in header else "," if "," in header else None
    names = _split(re.sub(r"\s+\(", " (", header), separator)
    if separator is None:
        # A unit that stands apart from its name is part of the same column.
        names = re.findall(r"[^\s()]+(?:\s*\((?:[^()]|\([^()]*\))*\))?", header)
    known, others = _columns(table, line, names)
    if not lines:
        raise InputError(f"{table.name}: no row below its names", "one row per measurement")
    entries, times, faults = [], [], Faults()
    for number, text in lines:
        with faults.at(""):
            cells = [cell.strip() for cell in _split(text, separator)]
            place = place_of(number, table)
            if len(cells) != len(names):
                raise InputError(
                    f"{place}: {counted(len(cells), 'column')}", f"{len(names)}, as have a name"
                )
            entry, time = _row(cells, known, place)
            entries.append(entry)
            times.append(time)
    faults.check()
    scan = _measured(entries, times, known, options)
    words = [f"read as {', '.join(column.read for column in known.values())}"]
    if others:
        shown = ", ".join(map(quoted, others[:9]))
        words.append(f"{'column' if len(others) == 1 else 'columns'} {shown} left aside")
    return replace(scan, summary="; ".join((scan.summary, *words)))


def _row(
    cells: Sequence[str], known: Mapping[str, _Column], place: str
) -> tuple[Entry, tuple[float, float, float]]:
    """A row and its delta, Delta and TE (ms); NaN where a cell is empty."""
    values = {
        name: _value(cells[column.index], column.factor, place) for name, column in known.items()
    }
    nan = math.nan
    vector = (values.get("x", nan), values.get("y", nan), values.get("z", nan))
    shape = values.get("b_delta")
    entry = Entry(values["b"], vector, place, place, b_delta=shape)
    return entry, (values.get("delta", nan), values.get("Delta", nan), values.get("TE", 0.0))


def _value(cell: str, factor: float, place: str) -> float:
    if cell.lower() in _MISSING:
        return math.nan
    value = to_number(cell, place) * factor
    return round_significant(value) if math.isfinite(value) else value


def _measured(
    entries: Sequence[Entry],
    times: Sequence[tuple[float, float, float]],
    known: Mapping[str, _Column],
    options: Mapping[str, Any],
) -> Scan:
    unit = known["b"].unit
    if "delta" in known:
        shaped = [e for e in entries if e.b > 0 and e.b_delta not in (None, 1.0)]
        if shaped:
            raise InputError(
                f"{shaped[0].place}: b_delta = {shaped[0].b_delta:g} with delta and Delta",
                "times of pulses for b_delta = 1 alone; a waveform in the study for other shapes",
            )
        plain = [replace(entry, b_delta=None) for entry in entries]
        return timed_scan(plain, times, (unit, ""), "", options)
    if "TE" not in known:
        read = read_entries(entries, **options)
        return Scan("b", read.rows, read.summary(unit), missing=_NO_TIMES)
    faults = Faults()
    for entry, (_, _, echo) in zip(entries, times, strict=True):
        if not 0 < echo < math.inf:
            faults.add(entry.place, f"TE = {echo:g} ms", "a time above zero")
    faults.check()
    timed = [replace(e, echo_time=te) for e, (_, _, te) in zip(entries, times, strict=True)]
    read = read_entries(timed, **options)
    said = f"TE {spread(te for _, _, te in times)} ms"
    return Scan("b", read.rows, f"{read.summary(unit)}; {said}", missing=_NO_TIMES)


COLUMNS: Final = AcquisitionReader(
    name="columns",
    noun="a table of named columns",
    keys={"table": "a table (.tsv, .csv) with names and units in its first line"},
    about="b-values, directions and, where there are such columns, b_delta, delta, Delta and TE",
    read=_scan,
    has_waveforms=None,
    options=(THRESHOLD, SCALED, SKIP),
)
