"""Sets of diffusion vectors as Siemens scanners read them (.dvs)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.gradients.acquisition.reader import AcquisitionReader, Scan, ScanOption
from torrey.gradients.acquisition.tables import SKIP, THRESHOLD, Entry, read_entries
from torrey.gradients.acquisition.text import (
    Direction,
    Faults,
    counted,
    numbers_in,
    place_of,
    read_lines,
)

_SET: Final = re.compile(r"\[\s*directions\s*=\s*([0-9]{1,6})\s*\]", re.IGNORECASE)
_VECTOR: Final = re.compile(r"vector\s*\[\s*([0-9]{1,6})\s*\]\s*=\s*\(([^()]*)\)", re.IGNORECASE)
_SETTING: Final = re.compile(r"([A-Za-z]+)\s*=\s*([A-Za-z]+)")
_SETTINGS: Final = {
    "coordinatesystem": ("xyz", "prs"),
    "normalisation": ("none", "unity", "maximum"),
    "normalization": ("none", "unity", "maximum"),
}
_LINES: Final = "CoordinateSystem = xyz, Normalisation = none or Vector[0] = (1, 0, 0)"

_UNIT: Final = 0.01
"""How far from 1 a length may be where nothing is said of lengths."""

NOMINAL: Final = ScanOption(
    "b", "b_value", "of a vector of length 1", "none: it has to be said", "b: 3000 s/mm^2"
)
SET: Final = ScanOption(
    "directions",
    "count",
    "number of vectors of the set that is meant, where a file has several",
    "the only set",
    "directions: 64",
)


@dataclass
class _Set:
    """A set while it is read."""

    count: int
    line: int
    settings: dict[str, str] = field(default_factory=dict)
    vectors: list[tuple[int, Direction]] = field(default_factory=list)


def _sets(path: Path) -> list[_Set]:
    """Return the sets of a file."""
    sets: list[_Set] = []
    faults = Faults()
    for line, text in read_lines(path):
        place = place_of(line, path)
        with faults.at(""):
            begin = _SET.fullmatch(text)
            if begin:
                sets.append(_Set(int(begin[1]), line))
            elif not sets:
                raise InputError(f"{place}: {quoted(text)}", "[directions=30] above the vectors")
            else:
                _add(sets[-1], line, text, place)
    faults.check()
    return sets


def _add(current: _Set, line: int, text: str, place: str) -> None:
    """Read one line of a set."""
    vector, setting = _VECTOR.fullmatch(text), _SETTING.fullmatch(text)
    if vector:
        numbers = numbers_in(vector[2], place)
        if len(numbers) != 3:
            raise InputError(f"{place}: {counted(len(numbers), 'number')}", "3: x, y, z")
        if int(vector[1]) != len(current.vectors):
            raise InputError(
                f"{place}: Vector[{vector[1]}]", f"Vector[{len(current.vectors)}], the next one"
            )
        if not all(map(math.isfinite, numbers)):
            raise InputError(f"{place}: {quoted(text)}", "three finite numbers")
        current.vectors.append((line, (numbers[0], numbers[1], numbers[2])))
        return
    if setting is None or setting[1].lower() not in _SETTINGS:
        raise InputError(f"{place}: {quoted(text)}", _LINES)
    name, value = setting[1].lower().replace("z", "s"), setting[2].lower()
    known = _SETTINGS[setting[1].lower()]
    if value not in known:
        raise InputError(f"{place}: {setting[1]} = {setting[2]}", " or ".join(known))
    current.settings[name] = value


def _chosen(path: Path, directions: int | None) -> _Set:
    """The set that is meant."""
    sets = _sets(path)
    named = ", ".join(f"{one.count}" for one in sets[:20])
    matching = [one for one in sets if directions in (None, one.count)]
    if not matching:
        raise InputError(
            f"directions = {directions} with sets of {named} in {path.name}",
            f"one of {named}",
            at=("directions",),
        )
    if len(matching) > 1:
        accepted = "directions: N, the one that is meant" if directions is None else "each set once"
        raise InputError(
            f"{place_of(matching[1].line, path)}: a second set of vectors ({named})", accepted
        )
    (chosen,) = matching
    if chosen.count != len(chosen.vectors) or not chosen.count:
        raise InputError(
            f"{place_of(chosen.line, path)}: directions = {chosen.count} above "
            f"{counted(len(chosen.vectors), 'vector')}",
            "as many vectors as it says, at least 1",
        )
    return chosen


def _scan(
    dvs: Path, *, b: float | None = None, directions: int | None = None, **options: Any
) -> Scan:
    if b is None:
        raise InputError(
            f"{dvs.name} without a b-value", "b: 3000 s/mm^2, of a vector of length 1", at=("b",)
        )
    chosen = _chosen(dvs, directions)
    lengths = [math.hypot(*vector) for _, vector in chosen.vectors]
    # Where all lengths are 0 or 1, no normalisation makes another one of them.
    plain = all(length == 0 or abs(length - 1) <= _UNIT for length in lengths)
    kind = chosen.settings.get("normalisation", "unity" if plain else "")
    if not kind:
        raise InputError(
            f"{place_of(chosen.line, dvs)}: no Normalisation, and lengths other than 1",
            "Normalisation = none, unity or maximum",
        )
    vectors = _normalised([vector for _, vector in chosen.vectors], lengths, kind)
    places = [f"{place_of(line, dvs)}" for line, _ in chosen.vectors]
    entries = [
        Entry(b, vector, place, place) for vector, place in zip(vectors, places, strict=True)
    ]
    table = read_entries(entries, scaled_vectors=True, **options)
    system = chosen.settings.get("coordinatesystem", "xyz")
    axes = "along x, y, z" if system == "xyz" else "along phase, read and slice, as x, y, z"
    return Scan("b", table.rows, f"{table.summary()}; vectors {axes}, Normalisation = {kind}")


def _normalised(
    vectors: Sequence[Direction], lengths: Sequence[float], kind: str
) -> list[Direction]:
    longest = max(lengths)
    found: list[Direction] = []
    for (x, y, z), length in zip(vectors, lengths, strict=True):
        divisor = {"none": 1.0, "maximum": longest, "unity": length}[kind] or 1.0
        found.append((x / divisor, y / divisor, z / divisor))
    return found


DVS: Final = AcquisitionReader(
    name="dvs",
    noun="a Siemens vector file",
    keys={"dvs": "a set of vectors for Siemens scanners (.dvs)"},
    about="vectors, the squares of whose lengths scale the `b` beside it; the file does not say "
    "delta and Delta",
    read=_scan,
    has_waveforms=False,
    options=(NOMINAL, SET, THRESHOLD, SKIP),
)
