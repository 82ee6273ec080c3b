"""The two files of FSL, b-values and directions without times, and b_delta beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from torrey.base.budgets import MOST_MEASUREMENTS
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.gradients.acquisition.reader import AcquisitionReader, Row, Scan
from torrey.gradients.acquisition.tables import (
    B_UNIT,
    SCALED,
    SKIP,
    THRESHOLD,
    THRESHOLD_VALUE,
    Entry,
    Table,
    read_entries,
)
from torrey.gradients.acquisition.text import (
    UNIT_VECTOR,
    Direction,
    counted,
    is_unit,
    place_of,
    read_numbers,
    written,
)


@dataclass(frozen=True)
class GradientTable:
    """b-values and directions, one of each per measurement.

    Parameters
    ----------
    b : tuple of float
        n b-values (ms/um^2), not negative.
    directions : tuple of tuple of float
        n unit vectors (no unit); (0, 0, 0) only where b = 0.
    lines : tuple of str
        n places, such as ``"line 1 of dwi.bval, entry 7"``, from which the b-values came.
    words : tuple of str
        What was done to the rows of the files, in half sentences.

    Raises
    ------
    ValueError
        If the lengths differ, there is no measurement, a b-value is negative or not finite, or a
        direction is neither a unit vector nor zero at b = 0.
    """

    b: tuple[float, ...]
    directions: tuple[Direction, ...]
    lines: tuple[str, ...]
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < len(self.b) == len(self.directions) == len(self.lines):
            raise InputError(
                f"{counted(len(self.b), 'b-value')}, {counted(len(self.directions), 'direction')} "
                f"and {counted(len(self.lines), 'line')}",
                "one of each for every measurement, and at least one measurement",
                at=("b",),
            )
        for i, (b, direction) in enumerate(zip(self.b, self.directions, strict=True)):
            if not (math.isfinite(b) and b >= 0):
                raise InputError(
                    f"b = {b / B_UNIT:g} s/mm^2", "a finite b-value, zero or above", at=("b", i)
                )
            if not (is_unit(direction) or (b == 0 and not any(direction))):
                raise InputError(
                    f"the direction {written(direction)} at b = {b / B_UNIT:g} s/mm^2",
                    f"{UNIT_VECTOR}; a vector without direction only at b = 0",
                    at=("directions", i),
                )

    def where(self, i: int) -> str:
        """Return the place from which measurement `i` came: ``"line 1 of dwi.bval, entry 7"``."""
        return self.lines[i]

    def summary(self) -> str:
        """Say what was read.

        >>> GradientTable((3.0,), ((1.0, 0.0, 0.0),), ("",)).summary()
        '1 measurement, b = 3000 s/mm^2 (read as s/mm^2)'
        """
        rows = zip(self.b, self.directions, self.lines, strict=True)
        return Table(tuple(Row(*row) for row in rows), self.words).summary()


def read_fsl(
    bval: Path,
    bvec: Path,
    *,
    b0_threshold: float = THRESHOLD_VALUE,
    scaled_vectors: bool = False,
    skip: Sequence[int] = (),
) -> GradientTable:
    """Read the two files of FSL.

    Parameters
    ----------
    bval : Path
        N b-values in s/mm^2, in one row or one per line.
    bvec : Path
        3 rows of N, or N rows of 3; if N = 3, the rows are x, y and z. Vectors are brought to
        length 1 if they are within 1 % of it; where b is 0 or below the threshold, they play no
        part.
    b0_threshold, scaled_vectors, skip
        See `torrey.gradients.acquisition.tables.read_entries`.

    Raises
    ------
    InputError
        If a file cannot be read, the two do not fit or entries cannot be used.
    """
    table = read_entries(
        fsl_entries(bval, bvec),
        b0_threshold=b0_threshold,
        scaled_vectors=scaled_vectors,
        skip=skip,
    )
    return GradientTable(
        tuple(row.strength for row in table.rows),
        tuple(row.direction for row in table.rows),
        tuple(row.place for row in table.rows),
        table.words,
    )


def fsl_entries(bval: Path, bvec: Path) -> list[Entry]:
    """Return what the two files hold, entry by entry."""
    b = read_values(bval, "b-value")
    vectors = _vectors(bvec, bval, len(b))
    return [
        Entry(
            round_significant(value * B_UNIT),
            vector,
            f"{place_of(line, bval)}, entry {i}",
            f"{place}, entry {i}",
        )
        for i, ((line, value), (place, vector)) in enumerate(zip(b, vectors, strict=True), start=1)
    ]


def read_values(path: Path, noun: str) -> list[tuple[int, float]]:
    """Return numbers in one row or one per line, each with its line."""
    rows = read_numbers(path)
    if len(rows) > 1 and any(len(row) > 1 for _, row in rows):
        # The line at fault is one of several numbers, which need not be the second.
        line, row = next((line, row) for line, row in (*rows[1:], rows[0]) if len(row) > 1)
        raise InputError(
            f"{place_of(line, path)}: {counted(len(row), 'number')}",
            f"one row of {noun}s, or one {noun} per line",
        )
    values = [(line, x) for line, row in rows for x in row]
    if len(values) > MOST_MEASUREMENTS:
        raise InputError(f"{path.name}: {len(values)} {noun}s", f"at most {MOST_MEASUREMENTS}")
    return values


def _vectors(bvec: Path, bval: Path, n: int) -> list[tuple[str, Direction]]:
    """Return n vectors, each with its place in words."""
    rows = read_numbers(bvec)
    width = len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            raise InputError(
                f"{place_of(line, bvec)}: {counted(len(row), 'number')}",
                f"{width}, as many as in line {rows[0][0]}",
            )
    # A table of 3 by 3 has FSL's own orientation, which the other one only stands in for.
    if len(rows) == 3 and width == n:
        columns = zip(*(row for _, row in rows), strict=True)
        return [(bvec.name, (x, y, z)) for x, y, z in columns]
    if len(rows) == n and width == 3:
        return [(place_of(line, bvec), (x, y, z)) for line, (x, y, z) in rows]
    raise InputError(
        f"{bvec.name}: {counted(len(rows), 'row')} of {counted(width, 'number')} "
        f"for {counted(n, 'b-value')} in {bval.name}",
        f"3 rows of {n}, or {n} rows of 3",
    )


def _scan(bval: Path, bvec: Path, **options: Any) -> Scan:
    table = read_entries(fsl_entries(bval, bvec), **options)
    return Scan("b", table.rows, table.summary())


FSL: Final = AcquisitionReader(
    name="fsl",
    noun="FSL files",
    keys={"bval": "an FSL file of b-values", "bvec": "an FSL file of directions"},
    about="b-values in s/mm² and directions; the files do not say delta and Delta",
    read=_scan,
    has_waveforms=False,
    options=(THRESHOLD, SCALED, SKIP),
)


def _tensors(bval: Path, bvec: Path, bdelta: Path, **options: Any) -> Scan:
    entries = fsl_entries(bval, bvec)
    values = read_values(bdelta, "b_delta")
    if len(values) == 1:
        values = values * len(entries)
    if len(values) != len(entries):
        raise InputError(
            f"{bdelta.name}: {len(values)} values for {counted(len(entries), 'b-value')} in "
            f"{bval.name}",
            "one b_delta for each b-value, or one for all",
        )
    shaped = [
        replace(entry, b_delta=value, shape_place=f"{place_of(line, bdelta)}, entry {i}")
        for i, (entry, (line, value)) in enumerate(zip(entries, values, strict=True), start=1)
    ]
    table = read_entries(shaped, **options)
    return Scan("b", table.rows, table.summary())


B_TENSORS: Final = AcquisitionReader(
    name="b-tensors",
    noun="FSL files with the shapes of b-tensors",
    keys={
        "bval": FSL.keys["bval"],
        "bvec": FSL.keys["bvec"],
        "bdelta": "a file of b_delta (1 linear, 0 spherical, -0.5 planar), one per b-value",
    },
    about="b-values in s/mm², axes of symmetry and b_delta; the study has a waveform of each shape",
    read=_tensors,
    has_waveforms=False,
    options=(THRESHOLD, SCALED, SKIP),
)
