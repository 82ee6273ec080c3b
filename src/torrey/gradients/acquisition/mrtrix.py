"""Gradient tables of MRtrix: a direction and a b-value in each line, without times."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.gradients.acquisition.reader import AcquisitionReader, Scan
from torrey.gradients.acquisition.tables import (
    B_UNIT,
    SCALED,
    SKIP,
    THRESHOLD,
    Entry,
    read_entries,
)
from torrey.gradients.acquisition.text import Faults, counted, numbers_in, place_of, read_lines


def read_columns(path: Path, unit: float, lines: list[tuple[int, str]]) -> list[Entry]:
    """Return lines of x y z b as entries.

    Parameters
    ----------
    path : Path
        For messages.
    unit : float
        Of b, in ms/um^2.
    lines : list
        Their numbers and texts.

    Raises
    ------
    InputError
        With all lines that are not four numbers.
    """
    entries, faults = [], Faults()
    for line, text in lines:
        place = place_of(line, path)
        with faults.at(""):
            numbers = numbers_in(text, place)
            if len(numbers) != 4:
                raise InputError(f"{place}: {counted(len(numbers), 'column')}", "4: x y z b")
            x, y, z, b = numbers
            entries.append(Entry(round_significant(b * unit), (x, y, z), place, place))
    faults.check()
    return entries


def _scan(grad: Path, **options: Any) -> Scan:
    table = read_entries(read_columns(grad, B_UNIT, read_lines(grad)), **options)
    return Scan("b", table.rows, table.summary())


MRTRIX: Final = AcquisitionReader(
    name="mrtrix",
    noun="an MRtrix gradient table",
    keys={"grad": "an MRtrix gradient table (.b): lines of x y z b"},
    about="directions and b-values in s/mm²; the file does not say delta and Delta",
    read=_scan,
    has_waveforms=False,
    options=(THRESHOLD, SCALED, SKIP),
)
