"""The two files of FSL: b-values and directions, without times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torrey.base.budgets import MOST_MEASUREMENTS
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.gradients.acquisition.reader import AcquisitionReader, Row, Scan
from torrey.gradients.acquisition.text import (
    UNIT_VECTOR,
    Direction,
    check_range,
    counted,
    is_unit,
    normalised,
    place_of,
    read_numbers,
    spread,
    written,
)

B_UNIT: Final = 1e-3  # 1 s/mm^2 in ms/um^2


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
        n places, such as ``"dwi.bval:1, entry 7"``, from which the b-values came.

    Raises
    ------
    ValueError
        If the lengths differ, there is no measurement, a b-value is negative or not finite, or a
        direction is neither a unit vector nor zero at b = 0.
    """

    b: tuple[float, ...]
    directions: tuple[Direction, ...]
    lines: tuple[str, ...]

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
        """Return the place from which measurement `i` came: ``"dwi.bval:1, entry 7"``."""
        return self.lines[i]

    def summary(self) -> str:
        """Say what was read.

        >>> GradientTable((0.0, 3.0), ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)), ("", "")).summary()
        '2 measurements, b from 0 to 3000 s/mm^2 (read as s/mm^2)'
        """
        b = spread(round_significant(b / B_UNIT) for b in self.b)
        return f"{counted(len(self.b), 'measurement')}, b {b} s/mm^2 (read as s/mm^2)"


def read_fsl(bval: Path, bvec: Path) -> GradientTable:
    """Read the two files of FSL.

    Parameters
    ----------
    bval : Path
        N b-values in s/mm^2, in one row or one per line.
    bvec : Path
        3 rows of N, or N rows of 3; if N = 3, the rows are x, y and z. Vectors are brought to
        length 1 if they are within 1 % of it. At b = 0, NaN stands for no direction.

    Raises
    ------
    InputError
        If a file cannot be read, the two do not fit or an entry cannot be used.
    """
    rows = read_numbers(bval)
    if len(rows) > 1 and any(len(row) > 1 for _, row in rows):
        raise InputError(
            f"{place_of(rows[1][0], bval)}: {counted(len(rows[1][1]), 'number')}",
            "one row of b-values, or one b-value per line",
        )
    b = [(line, round_significant(x * B_UNIT)) for line, row in rows for x in row]
    if len(b) > MOST_MEASUREMENTS:
        raise InputError(f"{bval.name}: {len(b)} b-values", f"at most {MOST_MEASUREMENTS}")
    for i, (line, value) in enumerate(b, start=1):
        check_range(max(value, 0.0), "b_value", f"{place_of(line, bval)}, entry {i}", "b")
    vectors = _vectors(bvec, bval, len(b))
    try:
        return GradientTable(
            tuple(value for _, value in b),
            tuple(_direction(v, value) for (_, v), (_, value) in zip(vectors, b, strict=True)),
            tuple(f"{bval.name}:{line}, entry {i}" for i, (line, _) in enumerate(b, start=1)),
        )
    except InputError as error:
        column, i = error.at[0], int(error.at[1])
        place = place_of(b[i][0], bval) if column == "b" else vectors[i][0]
        raise InputError(f"{place}, entry {i + 1}: {error.found}", error.accepted) from None


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


def _direction(vector: Direction, b: float) -> Direction:
    """Bring a vector to length 1; at b = 0, where some converters write NaN, that is zero."""
    return (0.0, 0.0, 0.0) if b == 0 and any(map(math.isnan, vector)) else normalised(vector)


def _scan(bval: Path, bvec: Path) -> Scan:
    table = read_fsl(bval, bvec)
    rows = zip(table.b, table.directions, table.lines, strict=True)
    return Scan("b", tuple(Row(*row) for row in rows), table.summary())


FSL: Final = AcquisitionReader(
    name="fsl",
    noun="FSL files",
    keys={"bval": "an FSL file of b-values", "bvec": "an FSL file of directions"},
    about="b-values in s/mm² and directions; the files do not say delta and Delta",
    read=_scan,
    has_waveforms=False,
)
