"""Text files whose first line names their columns, with units; one row for each measurement."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.base.units import Kind, unit_factor
from torrey.gradients.acquisition.text import (
    Faults,
    check_range,
    counted,
    place_of,
    read_lines,
    to_number,
)

#: What a column is, by the names in use: only delta and Delta are told apart by their case.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "b": ("b", "bval", "b_value"),
    "b_delta": ("b_delta", "bdelta"),
    "x": ("x", "ux", "u_x", "bvec_x"),
    "y": ("y", "uy", "u_y", "bvec_y"),
    "z": ("z", "uz", "u_z", "bvec_z"),
    "delta": ("small_delta",),
    "Delta": ("big_delta",),
    "TE": ("te", "echo_time"),
    "weight": ("weight", "directions", "averages"),
    "b_filter": ("b_filter", "bf"),
    "mixing_time": ("mixing_time", "tm", "t_m"),
    "voxel": ("voxel", "roi", "region"),
    "S": ("s", "signal"),
    "sigma": ("sigma", "noise"),
}
_CASED: Final = {"delta": "delta", "Delta": "Delta", "DELTA": "Delta"}
COLUMN_KINDS: Final[Mapping[str, Kind]] = {
    "b": "b_value",
    "b_filter": "b_value",
    "delta": "time",
    "Delta": "time",
    "TE": "time",
    "mixing_time": "time",
}
"""What columns with a unit hold."""
_EXAMPLES: Final = {"b_value": "s/mm^2", "time": "ms"}
_TEXTS: Final = ("voxel",)
_TOGETHER: Final = (("x", "y", "z"), ("delta", "Delta"), ("b_filter", "mixing_time"))
_HEADER: Final = re.compile(r"([^()\[\]]*?)\s*(?:\((.*)\)|\[(.*)\])?")
_MISSING: Final = ("", "n/a", "na", "nan", "-")


@dataclass(frozen=True)
class NamedColumn:
    """Where a column is, and what its numbers are multiplied with.

    Parameters
    ----------
    index : int
        From 0.
    factor : float
        To internal units.
    unit : str
        As it was written; empty where there is none.
    read : str
        Name and unit as they were written.
    """

    index: int
    factor: float
    unit: str
    read: str


@dataclass(frozen=True)
class NamedTable:
    """The columns of a file that are known by their names.

    Parameters
    ----------
    columns : mapping
        By their names here, in the order of the file.
    others : tuple of str
        Names of columns that are left aside.
    numbers : mapping of list of float
        In internal units, NaN where a cell says that there is none.
    texts : mapping of list of str
        Cells of the columns that hold no numbers.
    places : tuple of str
        Where each row stands.
    """

    columns: Mapping[str, NamedColumn]
    others: tuple[str, ...]
    numbers: Mapping[str, list[float]]
    texts: Mapping[str, list[str]]
    places: tuple[str, ...]

    def words(self) -> str:
        """Say what was read as what."""
        said = f"read as {', '.join(column.read for column in self.columns.values())}"
        if not self.others:
            return said
        noun = "column" if len(self.others) == 1 else "columns"
        return f"{said}; {noun} {', '.join(map(quoted, self.others[:9]))} left aside"


def read_named_table(path: Path, names: Sequence[str], needed: Sequence[str]) -> NamedTable:
    """Read a table whose first line names its columns.

    Parameters
    ----------
    path : Path
        Tabs, commas or spaces separate the columns; between tabs and commas, cells may be quoted.
        b-values and times carry units in their names: ``b (s/mm^2)``, ``TE [ms]``.
    names : sequence of str
        Columns that are read where they are there; all others are left aside.
    needed : sequence of str
        Those that must be there.

    Raises
    ------
    InputError
        If the file cannot be used; it names the first lines at fault.
    """
    (line, header), *lines = read_lines(path)
    place = place_of(line, path)
    separator = "\t" if "\t" in header else "," if "," in header else None
    if separator is None and ";" in header:
        raise InputError(f"{place}: semicolons between the columns", "tabs, commas or spaces")
    cells = _header_cells(header, separator, place)
    columns, others = _columns(place, cells, names)
    _check_names(columns, place, names, needed)
    if not lines:
        raise InputError(f"{path.name}: no row below its names", "one row per measurement")
    numbers: dict[str, list[float]] = {name: [] for name in columns if name not in _TEXTS}
    texts: dict[str, list[str]] = {name: [] for name in columns if name in _TEXTS}
    places = tuple(place_of(number, path) for number, _ in lines)
    faults = Faults()
    for place, (_, text) in zip(places, lines, strict=True):
        with faults.at(""):
            row = _cells(text, separator, place)
            if len(row) != len(cells):
                accepted = f"{len(cells)}, as have a name"
                raise InputError(f"{place}: {counted(len(row), 'column')}", accepted)
            for name, given in texts.items():
                given.append(row[columns[name].index])
            for name, values in numbers.items():
                column = columns[name]
                value = _value(row[column.index], column.factor, place)
                if COLUMN_KINDS.get(name) == "time":
                    check_range(value, "time", place, name)
                values.append(value)
    faults.check()
    return NamedTable(columns, tuple(others), numbers, texts, places)


def _cells(text: str, separator: str | None, place: str) -> list[str]:
    if separator is None:
        return text.split()
    try:
        (cells,) = csv.reader([text], delimiter=separator, skipinitialspace=True)
    except csv.Error as error:
        raise InputError(f"{place}: {error}", "cells of a table") from None
    return [cell.strip() for cell in cells]


def _header_cells(text: str, separator: str | None, place: str) -> list[str]:
    if separator is not None:
        return _cells(text, separator, place)
    # A unit that stands apart from its name is part of the same column.
    joined = re.sub(r"\s+([(\[])", r"\1", text)
    return re.split(r"\s+(?![^()\[\]]*[)\]])", joined)


def _columns(
    place: str, cells: Sequence[str], names: Sequence[str]
) -> tuple[dict[str, NamedColumn], list[str]]:
    """Return the columns that are known, and the names of the others."""
    known: dict[str, NamedColumn] = {}
    others = []
    for i, cell in enumerate(cells):
        match = _HEADER.fullmatch(cell)
        name = _name(match[1], names) if match else None
        if match is None or name is None:
            others.append(cell)
            continue
        if name in known:
            raise InputError(f"{place}: a second column {quoted(cell)}", "each once")
        unit = (match[2] or match[3] or "").strip()
        known[name] = NamedColumn(i, _factor(name, unit, place), unit, cell)
    return known, others


def _name(text: str, names: Sequence[str]) -> str | None:
    if text in _CASED:
        found: str | None = _CASED[text]
    else:
        found = next((name for name, given in _NAMES.items() if text.lower() in given), None)
    return found if found in names else None


def _factor(name: str, unit: str, place: str) -> float:
    if name not in COLUMN_KINDS:
        return 1.0
    if not unit:
        raise InputError(f"{place}: a column {name} without a unit", f"one such as {_shown(name)}")
    return unit_factor(unit, COLUMN_KINDS[name], f"{place}: {name} in {quoted(unit)}")


def _shown(name: str) -> str:
    return f"{name} ({_EXAMPLES[COLUMN_KINDS[name]]})" if name in COLUMN_KINDS else name


def _check_names(
    known: Mapping[str, NamedColumn], place: str, names: Sequence[str], needed: Sequence[str]
) -> None:
    for name in needed:
        if name not in known:
            accepted = f"names of columns in the first line, of {', '.join(map(_shown, names))}"
            raise InputError(f"{place}: no column {name}", accepted)
    for together in _TOGETHER:
        there = [name for name in together if name in known]
        if 0 < len(there) < len(together):
            found = f"{place}: {' and '.join(there)} without the others"
            raise InputError(found, f"all of {', '.join(together)}, or none")


def _value(cell: str, factor: float, place: str) -> float:
    if cell.lower() in _MISSING:
        return math.nan
    value = to_number(cell, place) * factor
    return round_significant(value) if math.isfinite(value) else value
