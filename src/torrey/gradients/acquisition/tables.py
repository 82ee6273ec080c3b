"""Rows of b-values and vectors, wherever a file keeps them: what they mean, and in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from torrey.base.budgets import MOST_MEASUREMENTS
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.base.units import UNITS
from torrey.gradients.acquisition.reader import Row, ScanOption
from torrey.gradients.acquisition.text import (
    UNIT_VECTOR,
    Direction,
    Faults,
    counted,
    is_unit,
    normalised,
    spread,
    written,
)

T = TypeVar("T")

B_UNIT: Final = 1e-3  # 1 s/mm^2 in ms/um^2
B_UNIT_SI: Final = 1e-9  # 1 s/m^2 in ms/um^2

THRESHOLD_VALUE: Final = 50 * B_UNIT
"""Scanners and their users call what is below it b = 0: crushers and imaging gradients weight so.
"""

_NEAR: Final = 0.05
"""Relative distance of b-values within one shell, for the words alone."""

_MOST_SHELLS: Final = 8
"""That are listed in words."""

_X: Final = (1.0, 0.0, 0.0)

THRESHOLD: Final = ScanOption(
    "b0_threshold",
    "b_value",
    "a b-value below it runs as b = 0, and its vector plays no part; 0 s/mm^2: none does",
    "50 s/mm^2",
    "b0_threshold: 80 s/mm^2",
)
SCALED: Final = ScanOption(
    "scaled_vectors",
    "flag",
    "whether the square of a vector's length scales the b-value, as some scanners write shells",
    "false: a vector has length 1",
    "scaled_vectors: true",
)
SKIP: Final = ScanOption(
    "skip",
    "numbers",
    "measurements that are left out, from 0, such as trace volumes",
    "none",
    "skip: [7, 15]",
)


@dataclass(frozen=True)
class Entry:
    """One row of a table, as its file has it.

    Parameters
    ----------
    b : float
        b-value (ms/um^2).
    vector : (3,) tuple of float
        Of any length, also NaN.
    place : str
        Where the b-value stands.
    vector_place : str
        Where the vector stands.
    waveform : int
    b_delta, echo_time : float, optional
        As of a `Row`.
    shape_place : str
        Where b_delta stands, if that is elsewhere.
    """

    b: float
    vector: Direction
    place: str
    vector_place: str
    waveform: int = 0
    b_delta: float | None = None
    echo_time: float | None = None
    shape_place: str = ""


@dataclass(frozen=True)
class Table:
    """Rows that can be measured, and what was done to get there.

    Parameters
    ----------
    rows : tuple of Row
    words : tuple of str
        Half sentences: what ran as b = 0, what was scaled and what was skipped.
    """

    rows: tuple[Row, ...]
    words: tuple[str, ...]

    def summary(self, unit: str = "s/mm^2") -> str:
        """Say what was read, b in s/mm^2 whatever the `unit` of the file is."""
        said = f"{counted(len(self.rows), 'measurement')}, {b_words(self.rows, unit)}"
        return "; ".join((said, *self.words))


def read_entries(
    entries: Sequence[Entry],
    *,
    b0_threshold: float = THRESHOLD_VALUE,
    scaled_vectors: bool = False,
    skip: Sequence[int] = (),
) -> Table:
    """Return the measurements of a table.

    Parameters
    ----------
    entries : sequence of Entry
    b0_threshold : float
        b-values below it (ms/um^2) run as b = 0.
    scaled_vectors : bool
        Whether the square of a vector's length scales its b-value.
    skip : sequence of int
        Numbers of the entries that are no single measurement, from 0.

    Raises
    ------
    InputError
        With all rows that cannot be used.
    """
    left, words = without_skipped(entries, skip)
    if len(left) > MOST_MEASUREMENTS:
        raise InputError(f"{len(left)} measurements", f"at most {MOST_MEASUREMENTS}")
    faults = Faults()
    rows: list[Row] = []
    resting: list[float] = []
    for entry in left:
        b, direction = _weighting(entry, scaled_vectors)
        if _is_refused(entry, b, direction, b0_threshold, scaled_vectors, faults):
            continue
        if 0 < b < b0_threshold:
            resting.append(b)
            b = 0.0
        if not is_unit(direction):
            direction = (0.0, 0.0, 0.0) if b == 0 else _X
        said = entry.waveform, entry.b_delta, entry.echo_time, entry.shape_place
        rows.append(Row(b, direction, entry.place, *said))
    faults.check()
    if resting and not any(row.strength for row in rows):
        raise InputError(
            f"b {spread(map(_shown, resting))} s/mm^2, all below b0_threshold = "
            f"{_shown(b0_threshold):g} s/mm^2",
            "b-values in the unit of the file, some of them not below b0_threshold; with "
            "b0_threshold: 0 s/mm^2 they run as they stand",
        )
    if resting:
        words.append(
            f"{len(resting)} with b {spread(map(_shown, resting))} s/mm^2, below b0_threshold = "
            f"{_shown(b0_threshold):g} s/mm^2, run as b = 0"
        )
    if scaled_vectors:
        lengths = [round(math.hypot(*entry.vector), 4) for entry in left if entry.b > 0]
        lengths = [length for length in lengths if math.isfinite(length)]
        if lengths:
            words.append(f"b scaled by the squares of the vectors' lengths, {spread(lengths)}")
    return Table(tuple(rows), tuple(words))


def without_skipped(entries: Sequence[T], skip: Sequence[int]) -> tuple[list[T], list[str]]:
    """Return the entries that are not left out, and in words which are.

    Raises
    ------
    InputError
        If there is no entry of such a number, or none is left.
    """
    n = len(entries)
    out = set(skip)
    wrong = [i for i in skip if not 0 <= i < n]
    if wrong:
        raise InputError(
            f"skip = {', '.join(map(str, wrong[:9]))} of {counted(n, 'measurement')}",
            f"numbers from 0 to {n - 1}",
            at=("skip",),
        )
    left = [entry for i, entry in enumerate(entries) if i not in out]
    if not left:
        raise InputError(f"all of {counted(n, 'measurement')} skipped", "one left", at=("skip",))
    if not skip:
        return left, []
    numbers = sorted(out)
    shown = ", ".join(map(str, numbers[:12])) + (", ..." if len(numbers) > 12 else "")
    return left, [f"{counted(len(numbers), 'volume')} skipped (number {shown}, from 0)"]


def _weighting(entry: Entry, scaled: bool) -> tuple[float, Direction]:
    """The b-value and the direction that are meant."""
    length = math.hypot(*entry.vector)
    if not (scaled and entry.b > 0 and math.isfinite(entry.b) and math.isfinite(length)):
        return entry.b, normalised(entry.vector)
    if length == 0:
        return 0.0, (0.0, 0.0, 0.0)
    x, y, z = (component / length for component in entry.vector)
    return round_significant(entry.b * (length * length)), (x, y, z)


def _is_refused(
    entry: Entry, b: float, direction: Direction, threshold: float, scaled: bool, faults: Faults
) -> bool:
    """Note what is wrong with an entry; whether anything is."""
    unit = UNITS["b_value"]
    said = f"b = {_shown(entry.b):g} s/mm^2"
    if not (math.isfinite(entry.b) and entry.b >= 0):
        faults.add(entry.place, said, "a finite b-value, zero or above")
    elif math.isfinite(b) and b >= threshold and not unit.holds(b):
        faults.add(entry.place, f"b = {b:g} {unit.internal}", f"0, or {unit.range}")
    elif b < threshold or b == 0:
        return False
    elif entry.b_delta is not None and not -0.5 <= entry.b_delta <= 1:
        accepted = "-0.5 (planar) to 1 (linear); 0 is spherical"
        faults.add(entry.shape_place or entry.place, f"b_delta = {entry.b_delta:g}", accepted)
    elif entry.b_delta == 0 or is_unit(direction):
        return False
    else:
        found = f"the direction {written(entry.vector)} at {said}"
        faults.add(entry.vector_place, found, _accepted_vector(entry.vector, scaled))
    return True


def _accepted_vector(vector: Direction, scaled: bool) -> str:
    if scaled:
        return "three finite numbers"
    said = f"{UNIT_VECTOR}; a vector without direction only at b = 0"
    if not any(vector):
        return f"{said} (a trace volume is left out by its number from 0, such as skip: [7])"
    return f"{said} (where the square of the length scales b: scaled_vectors: true)"


def _shown(b: float) -> float:
    return round_significant(b / B_UNIT)


def b_words(rows: Iterable[Row], unit: str) -> str:
    """Say b-values, shells and directions.

    >>> rows = [Row(b, (1.0, 0.0, 0.0), "") for b in (0.0, 0.995, 1.0, 3.0)]
    >>> b_words(rows, "s/mm^2")
    'b from 0 to 3000 s/mm^2 (read as s/mm^2): 1 at b = 0, 2 near 997.5, 1 at 3000, 1 direction'
    """
    rows = list(rows)
    said = f"b {spread(_shown(row.strength) for row in rows)} s/mm^2 (read as {unit})"
    if len(rows) == 1:
        return said
    shells = _shells(sorted(row.strength for row in rows if row.strength > 0))
    parts = [f"{len(rows) - sum(map(len, shells))} at b = 0"]
    if len(shells) <= _MOST_SHELLS:
        parts += [_shell(shell) for shell in shells]
    else:
        parts.append(f"{len(shells)} shells")
    axes = Counter(tuple(round(x, 4) for x in r.direction) for r in rows if r.strength > 0)
    parts.append(counted(len(axes), "direction"))
    deltas = {row.b_delta for row in rows if row.strength > 0 and row.b_delta is not None}
    if deltas:
        parts.append(f"b_delta of {', '.join(f'{x:g}' for x in sorted(deltas, reverse=True)[:9])}")
    return f"{said}: {', '.join(part for part in parts if part != '0 at b = 0')}"


def _shells(values: Sequence[float]) -> list[list[float]]:
    """Sorted values in groups without large gaps."""
    shells: list[list[float]] = []
    for b in values:
        if shells and b - shells[-1][-1] <= _NEAR * b:
            shells[-1].append(b)
        else:
            shells.append([b])
    return shells


def _shell(values: Sequence[float]) -> str:
    mean = round_significant(math.fsum(values) / len(values) / B_UNIT)
    return f"{len(values)} {'at' if values[0] == values[-1] else 'near'} {mean:.6g}"
