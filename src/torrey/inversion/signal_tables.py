"""Tables of measured signals in text files: a line of names with units, and a row for each signal.

The rows of one voxel stand together or apart, and all voxels have the same rows. A file without a
column S says what was measured, and volumes beside it hold the signals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.units import UNITS
from torrey.gradients.acquisition.headers import COLUMN_KINDS, NamedTable, read_named_table
from torrey.gradients.acquisition.text import Faults, counted, spread
from torrey.inversion.measured import MeasuredProtocol, protocol_of_columns

Array = NDArray[np.float64]

#: Columns that say how a row was measured, which all voxels share.
_PROTOCOL: Final = ("b", "delta", "Delta", "TE", "x", "y", "z", "weight", "b_filter", "mixing_time")
_SIGNALS: Final = ("S", "sigma", "voxel")
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


def read_signal_table(path: Path, with_signals: bool = True) -> SignalTable:
    """Read a table of named columns.

    Parameters
    ----------
    path : Path
        Columns with tabs, commas or spaces between them. ``b`` must be there, ``S`` too if
        `with_signals`; ``delta`` and ``Delta``, ``TE``, ``x``, ``y`` and ``z`` (none: rows are
        means over directions), ``weight`` (number of signals behind a mean), ``sigma``,
        ``voxel``, ``b_delta`` of 1, and ``b_filter`` with ``mixing_time`` of filter exchange may
        be. b-values and
        times carry units in their names: ``b (s/mm^2)``.
    with_signals : bool
        Whether signals are wanted, or else refused.

    Raises
    ------
    InputError
        If the file cannot be used; it names the first lines at fault.
    """
    needed = ("b", "S") if with_signals else ("b",)
    table = read_named_table(path, (*_PROTOCOL, "b_delta", *_SIGNALS), needed)
    if not with_signals and (extra := [name for name in _SIGNALS if name in table.columns]):
        accepted = "columns of the measurement alone: the volumes hold the signals"
        raise InputError(f"{path.name}: a column {extra[0]}", accepted)
    _check_shapes(table)
    places = table.places
    voxels, order = _voxels(path, table.texts.get("voxel", [""] * len(places)), places)
    columns = {name: np.array(values)[order] for name, values in table.numbers.items()}
    _check_voxels(columns, places, order, voxels)
    _check_rows(columns, [places[i] for i in order[0]])
    protocol = _protocol(columns)
    check_strengths(protocol, path.name)
    said = f"{counted(len(voxels), 'voxel')} of {counted(order.shape[1], 'row')}"
    words = [f"{said}, {table.words()}"]
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


def _check_shapes(table: NamedTable) -> None:
    """Rows are of one gradient direction each: what other b-tensors give is no signal of theirs."""
    faults = Faults()
    linear = [1.0] * len(table.places)
    shapes = table.numbers.get("b_delta", linear)
    for b, shape, place in zip(table.numbers["b"], shapes, table.places, strict=True):
        if b > 0.0 and shape != 1.0:
            faults.add(place, f"b_delta = {shape:g}", "1: rows of linear b-tensors")
    faults.check()


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
            unit = f" {UNITS[COLUMN_KINDS[name]].internal}" if name in COLUMN_KINDS else ""
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
