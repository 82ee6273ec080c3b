"""FSL files with a sidecar of BIDS, which knows the echo time and perhaps those of the pulses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.gradients.acquisition.fsl import FSL, fsl_entries
from torrey.gradients.acquisition.reader import AcquisitionReader, Scan
from torrey.gradients.acquisition.tables import SCALED, SKIP, THRESHOLD, Entry, read_entries
from torrey.gradients.acquisition.text import Faults, check_range, place_of, read_text, spread
from torrey.gradients.acquisition.timings import (
    Timing,
    pulses_at_echo,
    rounded_words,
    timing_words,
)

_ECHO: Final = ("EchoTime",)
#: Names in use for the times of the pulses; the first is that of the specification.
_DURATION: Final = ("DiffusionGradientDuration", "GradientDuration", "SmallDelta", "small_delta")
_SEPARATION: Final = (
    "DiffusionGradientSeparation",
    "GradientSeparation",
    "BigDelta",
    "LargeDelta",
    "big_delta",
    "large_delta",
)
_TIME_UNIT: Final = 1e3  # 1 s in ms

_LONGEST: Final = 0.2
"""Longest pulse that a number can mean in s: what is larger was written in ms."""


@dataclass(frozen=True)
class Sidecar:
    """What the JSON file says of times.

    Parameters
    ----------
    echo : tuple of float
        Echo times (ms): none, one for all or one per volume.
    delta, Delta : tuple of float
        Durations of the pulses and times between their beginnings (ms), likewise.
    place : str
        Where the echo time stands, or the file.
    in_ms : bool
        Whether the times of the pulses were understood as ms.
    """

    echo: tuple[float, ...]
    delta: tuple[float, ...]
    Delta: tuple[float, ...]
    place: str
    in_ms: bool


def read_sidecar(path: Path) -> Sidecar:
    """Read the times of a sidecar: EchoTime, and those of the pulses where they are there.

    Parameters
    ----------
    path : Path
        A JSON object. Times are in s; a pulse of 0.2 or more is one in ms, as some converters
        write, and the time between the pulses with it.

    Raises
    ------
    InputError
        If the file is no such object, one of the two times of the pulses is missing, or a value is
        neither a time nor a list of them.
    """
    text = read_text(path)
    fields = _object(text, path)
    place = _place_in(text, path)
    echo = tuple(round_significant(x * _TIME_UNIT) for x in _times(fields, _ECHO, place))
    for time in echo:
        check_range(time, "time", place(_ECHO[0]), "TE")
    delta, Delta = _times(fields, _DURATION, place), _times(fields, _SEPARATION, place)
    if bool(delta) != bool(Delta):
        there, missing = (_DURATION, _SEPARATION) if delta else (_SEPARATION, _DURATION)
        key = next(key for key in there if key in fields)
        raise InputError(
            f"{place(key)}: {key} without the other time of the pulses",
            f"{missing[0]} too, or neither and a waveform in the study",
        )
    if delta and str(fields.get("DiffusionScheme", "")).lower() == "bipolar":
        raise InputError(
            f"{place('DiffusionScheme')}: bipolar gradients with one duration and separation",
            "two pulses (Monopolar), or a file without these times and a waveform in the study",
        )
    in_ms = bool(delta) and max(delta) >= _LONGEST
    factor = 1.0 if in_ms else _TIME_UNIT
    return Sidecar(
        echo,
        tuple(round_significant(x * factor) for x in delta),
        tuple(round_significant(x * factor) for x in Delta),
        place(_ECHO[0]),
        in_ms,
    )


def _object(text: str, path: Path) -> Mapping[str, Any]:
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{place_of(error.lineno, path)}: no JSON ({error.msg})", "a JSON object"
        ) from None
    except (ValueError, RecursionError):
        raise InputError(f"{path.name}: no JSON that can be read", "a JSON object") from None
    if not isinstance(fields, dict):
        raise InputError(f"line 1 of {path.name}: no JSON object", 'one such as {"EchoTime": 0.08}')
    return fields


def _place_in(text: str, path: Path) -> Any:
    """Return what says where a key stands."""
    lines = text.split("\n")

    def place(key: str) -> str:
        found = (i for i, line in enumerate(lines, start=1) if f'"{key}"' in line)
        line = next(found, None)
        return path.name if line is None else place_of(line, path)

    return place


def _times(fields: Mapping[str, Any], names: Sequence[str], place: Any) -> tuple[float, ...]:
    """The values of the first of some keys that is there."""
    key = next((name for name in names if name in fields), None)
    if key is None:
        return ()
    given = fields[key]
    values = given if isinstance(given, list) else [given]
    for value in values:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # Integers of JSON have any number of digits.
        if not (is_number and 0 < value <= 1e6 and math.isfinite(value)):
            shown = quoted(json.dumps(value)[:200])
            raise InputError(
                f"{place(key)}: {key} = {shown}", "a number above 0, or a list of them"
            )
    if not values:
        raise InputError(f"{place(key)}: {key} is an empty list", "a number, or one per volume")
    return tuple(map(float, values))


def _scan(bval: Path, bvec: Path, sidecar: Path, **options: Any) -> Scan:
    said = read_sidecar(sidecar)
    entries = fsl_entries(bval, bvec)
    n = len(entries)
    echo = _each(said.echo, n, "EchoTime", said.place) or [0.0] * n
    if not said.delta:
        timed = [
            replace(entry, echo_time=time or None)
            for entry, time in zip(entries, echo, strict=True)
        ]
        table = read_entries(timed, **options)
        words = f"TE {spread(said.echo)} ms (read as s)" if said.echo else "no EchoTime"
        missing = f"the sidecar has no {_DURATION[0]} and no {_SEPARATION[0]}"
        summary = f"{table.summary()}; {words}, no times of the pulses"
        return Scan("b", table.rows, summary, missing=missing)
    deltas = _each(said.delta, n, _DURATION[0], said.place)
    Deltas = _each(said.Delta, n, _SEPARATION[0], said.place)
    return timed_scan(
        entries,
        [*zip(deltas, Deltas, echo, strict=True)],
        ("s/mm^2", f" (pulses read as {'ms' if said.in_ms else 's'}, TE as s)"),
        said.place,
        options,
    )


def _each(values: Sequence[float], n: int, name: str, place: str) -> list[float]:
    """One value for each of n volumes."""
    if values and len(values) not in (1, n):
        raise InputError(f"{place}: {len(values)} values of {name} for {n} volumes", f"one, or {n}")
    return [*values] * n if len(values) == 1 else [*values]


def timed_scan(
    entries: Sequence[Entry],
    times: Sequence[tuple[float, float, float]],
    units: tuple[str, str],
    place: str,
    options: Mapping[str, Any],
) -> Scan:
    """Return rows of rectangular pulses with a b-value and times of their own.

    Parameters
    ----------
    entries : sequence of Entry
    times : sequence of tuple
        delta, Delta and TE (ms; 0 where it is not known) of each entry.
    units : tuple of str
        Of the b-values, and in words of the times.
    place : str
        Where they stand, for those that share it; empty where the entries know better.
    options : mapping
        Of the reader.

    Raises
    ------
    InputError
        With all rows that cannot be used.
    """
    numbered = [replace(entry, waveform=i) for i, entry in enumerate(entries)]
    table = read_entries(numbered, **options)
    found: dict[tuple[bool, Timing], int] = {}
    rows, excesses, faults = [], [], Faults()
    for row in table.rows:
        with faults.at(place or row.place):
            timing = _timing(times[row.waveform], row.strength)
            excesses.append(timing.excess)
            key = (row.strength > 0, timing.fitted())
            rows.append(replace(row, waveform=found.setdefault(key, len(found))))
    faults.check()
    weighted = [timing for has_gradient, timing in found if has_gradient]
    words = [f"{timing_words(weighted)}{units[1]}"] if weighted else []
    return Scan(
        "b",
        tuple(rows),
        "; ".join((table.summary(units[0]), *words, *rounded_words(excesses))),
        tuple(partial(pulses_at_echo, g, t.delta, t.Delta, t.echo_time) for g, t in found),
        segments=5 * len(found),
    )


def _timing(times: tuple[float, float, float], b: float) -> Timing:
    delta, Delta, echo = times
    if b == 0 and echo > 0 and not (delta > 0 and Delta > 0):
        # Without gradient there are no pulses; the echo alone counts.
        return Timing(echo / 2, echo / 2, echo)
    return Timing(delta, Delta, echo)


BIDS: Final = AcquisitionReader(
    name="bids",
    noun="FSL files with a BIDS sidecar",
    keys={
        "bval": FSL.keys["bval"],
        "bvec": FSL.keys["bvec"],
        "sidecar": "a BIDS sidecar (.json)",
    },
    about="FSL files with EchoTime and, where the sidecar has them, DiffusionGradientDuration and "
    "DiffusionGradientSeparation (or SmallDelta, BigDelta) of rectangular pulses",
    read=_scan,
    has_waveforms=None,
    options=(THRESHOLD, SCALED, SKIP),
)
