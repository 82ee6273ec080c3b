"""Tables of measured signals in text files: a line of names with units, and a row for each signal.

The rows of one voxel stand together or apart, and all voxels have the same rows. A file without a
column S says what was measured, and volumes beside it hold the signals.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.base.units import UNITS, Kind, UnitError, unit_factor
from torrey.gradients.acquisition.text import (
    Faults,
    counted,
    place_of,
    read_lines,
    spread,
    to_number,
)
from torrey.inversion.measured import MeasuredProtocol, protocol_of_columns

Array = NDArray[np.float64]

#: What a column is, by the names in use; upper and lower case tell delta and Delta apart alone.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "b": ("b", "bval", "b_value"),
    "delta": ("small_delta",),
    "Delta": ("big_delta",),
    "TE": ("te", "echo_time"),
    "x": ("x", "ux", "u_x", "bvec_x"),
    "y": ("y", "uy", "u_y", "bvec_y"),
    "z": ("z", "uz", "u_z", "bvec_z"),
    "weight": ("weight", "directions", "averages"),
    "b_filter": ("b_filter", "bf"),
    "mixing_time": ("mixing_time", "tm", "t_m"),
    "voxel": ("voxel", "roi", "region"),
    "S": ("s", "signal"),
    "sigma": ("sigma", "noise"),
}
_KINDS: Final[Mapping[str, Kind]] = {
    "b": "b_value",
    "b_filter": "b_value",
    "delta": "time",
    "Delta": "time",
    "TE": "time",
    "mixing_time": "time",
}
#: Columns that say how a row was measured, which all voxels share.
_PROTOCOL: Final = ("b", "delta", "Delta", "TE", "x", "y", "z", "weight", "b_filter", "mixing_time")
_EXAMPLES: Final = {"b_value": "s/mm^2", "time": "ms"}
_ACCEPTED: Final = (
    "names of columns in the first line, such as b (s/mm^2), x, y, z, delta (ms), Delta (ms), S"
)
_HEADER: Final = re.compile(r"([^()\[\]]*?)\s*(?:[(\[](.*)[)\]])?")
_MISSING: Final = ("", "n/a", "na", "nan", "-")
#: Between them lie the largest b-values of all measurements (ms/um^2).
_LEAST_B, _MOST_B = 0.02, 100.0


@dataclass(frozen=True)
class SignalTable:
    """What a file holds.

    Attributes
    ----------
    protocol : MeasuredProtocol
        Of every voxel.
    signals : (v, m) float, optional
        None where the file has no column S.
    sigma : (v, m) float, optional
        Noise of each signal, where the file says it.
    voxels : tuple of str
        Their names; one without a column of that name.
    summary : str
        What was read, in words.
    """

    protocol: MeasuredProtocol
    signals: Array | None
    sigma: Array | None
    voxels: tuple[str, ...]
    summary: str


@dataclass(frozen=True)
class _Column:
    index: int
    factor: float
    read: str


def read_signal_table(path: Path, with_signals: bool = True) -> SignalTable:
    """Read a table of named columns.

    Parameters
    ----------
    path : Path
        Columns with tabs, commas or spaces between them. ``b`` must be there, ``S`` too if
        `with_signals`; ``delta`` and ``Delta``, ``TE``, ``x``, ``y`` and ``z`` (none: rows are
        means over directions), ``weight`` (number of signals behind a mean), ``sigma``,
        ``voxel``, and ``b_filter`` with ``mixing_time`` of filter exchange may be. b-values and
        times carry units in their names: ``b (s/mm^2)``.
    with_signals : bool
        Whether signals are wanted, or else refused.

    Raises
    ------
    InputError
        If the file cannot be used; it names the first lines at fault.
    """
    (line, header), *lines = read_lines(path)
    separator = "\t" if "\t" in header else "," if "," in header else None
    names = _cells(header, separator)
    known, others = _columns(path, line, names, with_signals)
    if not lines:
        raise InputError(f"{path.name}: no row below its names", "one row per signal")
    rows = _rows(path, lines, len(names), known, separator)
    places = [place_of(number, path) for number, _ in lines]
    voxels, order = _voxels(path, rows["voxel"], places)
    columns = {
        name: np.array(values, dtype=float)[order]
        for name, values in rows.items()
        if name in known and name != "voxel"
    }
    _check_voxels(columns, places, order, voxels)
    _check_rows(columns, [places[i] for i in order[0]])
    protocol = _protocol(columns)
    check_strengths(protocol, path.name)
    said = f"{counted(len(voxels), 'voxel')} of {counted(order.shape[1], 'row')}"
    words = [f"{said}, read as {', '.join(c.read for c in known.values())}"]
    if others:
        words.append(f"left aside: {', '.join(map(quoted, others[:9]))}")
    if protocol.powder:
        words.append("rows are means over directions")
    return SignalTable(protocol, columns.get("S"), columns.get("sigma"), voxels, "; ".join(words))


def check_strengths(protocol: MeasuredProtocol, name: str) -> None:
    """Refuse b-values that are those of another unit.

    Raises
    ------
    InputError
        If the largest b-value is one that no scanner measures and another unit explains.
    """
    most = float(protocol.b.max())
    if most > _MOST_B:
        raise InputError(
            f"{name}: b-values up to {most:g} ms/um^2 ({1e3 * most:g} s/mm^2)",
            f"up to {_MOST_B:g} ms/um^2: numbers such as 1000 are b (s/mm^2)",
        )
    if most < _LEAST_B:
        raise InputError(
            f"{name}: b-values up to {most:g} ms/um^2 ({1e3 * most:g} s/mm^2)",
            f"a largest one of {_LEAST_B:g} ms/um^2 or more: numbers such as 1 are b (ms/um^2)",
        )


def _cells(text: str, separator: str | None) -> list[str]:
    if separator is None:
        # A unit that stands apart from its name is part of the same column.
        joined = re.sub(r"\s+([(\[])", r"\1", text)
        return re.split(r"\s+(?![^()]*\))", joined.strip())
    return [cell.strip() for cell in next(csv.reader([text], delimiter=separator))]


def _columns(
    path: Path, line: int, cells: Sequence[str], with_signals: bool
) -> tuple[dict[str, _Column], list[str]]:
    """Return the columns that are known, and the names of the others."""
    place = place_of(line, path)
    known: dict[str, _Column] = {}
    others = []
    for i, cell in enumerate(cells):
        match = _HEADER.fullmatch(cell)
        name = _name(match[1]) if match else None
        if match is None or name is None:
            others.append(cell)
            continue
        if name in known:
            raise InputError(f"{place}: a second column {quoted(cell)}", "each once")
        known[name] = _Column(i, _factor(name, match[2], place), cell)
    needed = ("b", "S") if with_signals else ("b",)
    for name in needed:
        if name not in known:
            raise InputError(f"{place}: no column {name}", _ACCEPTED)
    if not with_signals and (extra := [n for n in ("S", "sigma", "voxel") if n in known]):
        accepted = "columns of the measurement alone: the volumes hold the signals"
        raise InputError(f"{place}: a column {extra[0]}", accepted)
    for together in (("x", "y", "z"), ("delta", "Delta"), ("b_filter", "mixing_time")):
        there = [name for name in together if name in known]
        if there and len(there) < len(together):
            found = f"{place}: {' and '.join(there)} without the others"
            raise InputError(found, f"all of {', '.join(together)}, or none")
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
        example = f"one such as {name} ({_EXAMPLES[_KINDS[name]]})"
        raise InputError(f"{place}: a column {name} without a unit", example)
    try:
        return unit_factor(unit.strip(), _KINDS[name], f"{place}: {name} in {quoted(unit)}")
    except UnitError as error:
        raise InputError(error.found, error.accepted) from None


def _rows(
    path: Path,
    lines: Sequence[tuple[int, str]],
    width: int,
    known: Mapping[str, _Column],
    separator: str | None,
) -> dict[str, list[Any]]:
    """Numbers of each column, and names of voxels."""
    columns: dict[str, list[Any]] = {name: [] for name in (*known, "voxel")}
    faults = Faults()
    for number, text in lines:
        place = place_of(number, path)
        cells = _cells(text, separator)
        if len(cells) != width:
            faults.add(place, counted(len(cells), "column"), f"{width}, as have a name")
            continue
        with faults.at(""):
            values = {
                n: _value(cells[c.index], c.factor, place) for n, c in known.items() if n != "voxel"
            }
            values["voxel"] = cells[known["voxel"].index] if "voxel" in known else ""  # type: ignore[assignment]
            for name, value in values.items():
                columns[name].append(value)
    faults.check()
    return columns


def _value(cell: str, factor: float, place: str) -> float:
    if cell.lower() in _MISSING:
        return math.nan
    value = to_number(cell, place) * factor
    return round_significant(value) if math.isfinite(value) else value


def _voxels(
    path: Path, names: Sequence[str], places: Sequence[str]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of the voxels, and the rows of each."""
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        rows.setdefault(name, []).append(i)
    first, count = next((name, len(found)) for name, found in rows.items())
    for name, found in rows.items():
        if len(found) != count:
            raise InputError(
                f"{places[found[-1]]}: the last of {len(found)} rows of voxel {quoted(name)}",
                f"{count}, as many as voxel {quoted(first)} has in {path.name}",
            )
    return tuple(rows), np.array(list(rows.values()))


def _check_voxels(
    columns: Mapping[str, Array],
    places: Sequence[str],
    order: NDArray[np.int64],
    voxels: Sequence[str],
) -> None:
    """All voxels have the rows of the first one, in its order."""
    faults = Faults()
    for name in _PROTOCOL:
        if name in columns:
            values = columns[name]
            other = ~np.isclose(values, values[0], rtol=1e-9, atol=0.0, equal_nan=True)
            unit = f" {UNITS[_KINDS[name]].internal}" if name in _KINDS else ""
            for v, row in np.argwhere(other):
                wanted = f"{values[0, row]:g}{unit}"
                faults.add(
                    places[order[v, row]],
                    f"{name} = {values[v, row]:g}{unit} of voxel {quoted(voxels[v])}",
                    f"the rows of voxel {quoted(voxels[0])} in their order: {wanted}",
                )
    faults.check()


def _check_rows(columns: Mapping[str, Array], places: Sequence[str]) -> None:
    """Numbers that rows of the first voxel must have."""
    faults = Faults()
    first = {name: columns[name][0] for name in _PROTOCOL if name in columns}
    for i, place in enumerate(places):
        row = {name: float(values[i]) for name, values in first.items()}
        _check_row(row, place, faults)
    faults.check()


def _check_row(row: Mapping[str, float], place: str, faults: Faults) -> None:
    b = row["b"]
    if not 0.0 <= b < math.inf:
        faults.add(place, f"b = {b:g} ms/um^2", "a number of at least 0")
    for name in ("TE", "b_filter", "mixing_time"):
        value = row.get(name, math.nan)
        if not (math.isnan(value) or 0.0 <= value < math.inf):
            faults.add(place, f"{name} = {value:g}", "a number of at least 0")
    if not row.get("weight", 1.0) > 0.0:
        faults.add(place, f"weight = {row['weight']:g}", "a number above 0")
    short, long = row.get("delta", math.nan), row.get("Delta", math.nan)
    if math.isnan(short) != math.isnan(long):
        faults.add(place, "one of delta and Delta", "both, or neither")
    elif not math.isnan(short) and not 0.0 < short <= long < math.inf:
        found = f"delta = {short:g} ms, Delta = {long:g} ms"
        faults.add(place, found, "0 < delta <= Delta: is one of them the other?")
    vector = [row.get(axis, math.nan) for axis in "xyz"]
    length = math.hypot(*vector)
    if b > 0.0 and not math.isnan(length) and not 0.5 < length < 2.0:
        faults.add(place, f"a direction of length {length:g}", "a vector of length 1, or n/a")


def _protocol(columns: Mapping[str, Array]) -> MeasuredProtocol:
    first = {name: columns[name][0] for name in _PROTOCOL if name in columns}
    vectors = [first.pop(axis) for axis in "xyz" if axis in first]
    directions = None
    if vectors:
        directions = np.column_stack(vectors)
        still = (first["b"] == 0.0) & ~np.isfinite(directions).all(axis=1)
        directions[still] = 0.0
    weights = first.pop("weight", np.float64(1.0))
    return protocol_of_columns(
        first.pop("b"),
        **first,
        directions=directions,
        weights=weights,
    )


def spread_in_words(protocol: MeasuredProtocol) -> str:
    """What was measured, in words with units."""
    said = [f"{counted(len(protocol), 'measurement')}, b {spread(1e3 * protocol.b)} s/mm^2"]
    for name in ("delta", "Delta", "TE", "b_filter", "mixing_time"):
        values = getattr(protocol, name)
        values = values[np.isfinite(values) & (protocol.b > 0.0)]
        if len(values):
            unit = "ms/um^2" if name == "b_filter" else "ms"
            said.append(f"{name} {spread(values.tolist())} {unit}")
    return ", ".join(said)
