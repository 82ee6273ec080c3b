"""Tables with a line of names: b, its shape, directions and times in columns with units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from torrey.base.errors import InputError
from torrey.gradients.acquisition.bids import timed_scan
from torrey.gradients.acquisition.headers import NamedTable, read_named_table
from torrey.gradients.acquisition.reader import AcquisitionReader, Scan
from torrey.gradients.acquisition.tables import (
    SCALED,
    SKIP,
    THRESHOLD,
    Entry,
    read_entries,
)
from torrey.gradients.acquisition.text import Faults, spread

_NAMES: Final = ("b", "b_delta", "x", "y", "z", "delta", "Delta", "TE")
_NO_TIMES: Final = "the table has no columns delta and Delta"


def _scan(table: Path, **options: Any) -> Scan:
    read = read_named_table(table, _NAMES, needed=("b",))
    missing = [math.nan] * len(read.places)
    column = read.numbers.get
    vectors = zip(*(column(axis, missing) for axis in "xyz"), strict=True)
    shapes = column("b_delta", [None] * len(missing))
    entries = [
        Entry(b, vector, place, place, b_delta=shape)
        for b, vector, place, shape in zip(
            read.numbers["b"], vectors, read.places, shapes, strict=True
        )
    ]
    echoes = column("TE", [0.0] * len(missing))
    times = [*zip(column("delta", missing), column("Delta", missing), echoes, strict=True)]
    scan = _measured(entries, times, read, options)
    return replace(scan, summary=f"{scan.summary}; {read.words()}")


def _measured(
    entries: Sequence[Entry],
    times: Sequence[tuple[float, float, float]],
    table: NamedTable,
    options: Mapping[str, Any],
) -> Scan:
    unit = table.columns["b"].unit
    if "delta" in table.columns:
        shaped = [e for e in entries if e.b > 0 and e.b_delta not in (None, 1.0)]
        if shaped:
            raise InputError(
                f"{shaped[0].place}: b_delta = {shaped[0].b_delta:g} with delta and Delta",
                "times of pulses for b_delta = 1 alone; a waveform in the study for other shapes",
            )
        plain = [replace(entry, b_delta=None) for entry in entries]
        return timed_scan(plain, times, (unit, ""), "", options)
    if "TE" not in table.columns:
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
