"""What a table is, and how it becomes files: CSV, Markdown and NetCDF."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final

import numpy as np

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable
from torrey.figures.entries import Entry
from torrey.figures.sources import SourceFiles


@dataclass(frozen=True)
class TableFiles(SourceFiles):
    """Files that a table is made from."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name : str
        Of the variable in the NetCDF file.
    label : str
        Header; the unit follows in brackets.
    values : sequence of str or float
        A value that is not finite is missing: an empty field.
    units : str
        CF style, such as ``um2 ms-1``; ``1`` for numbers without a unit, empty for text.
    texts : sequence of str, optional
        What Markdown shows in the place of the numbers, which have six digits otherwise.
    errors : sequence of float, optional
        How far each number may be off: see `zero_within`. The NetCDF file keeps all numbers.
    """

    name: str
    label: str
    values: Sequence[str] | Sequence[float]
    units: str = ""
    texts: Sequence[str] = ()
    errors: Sequence[float] = ()

    @property
    def header(self) -> str:
        """Label and unit."""
        return (
            f"{self.label} ({plain_unit(self.units)})"
            if self.units not in ("", "1")
            else self.label
        )

    @property
    def is_text(self) -> bool:
        """Whether the values are words."""
        return bool(self.values) and isinstance(self.values[0], str)

    def shown(self) -> list[str]:
        """Entries for a reader."""
        return list(self.texts) or [_entry(value, "{:.6g}") for value in self._printed()]

    def plain(self) -> list[str]:
        """Entries for a program, with all digits; 0 for what is no more than an error."""
        return [_entry(value, "{!r}") for value in self._printed()]

    def _printed(self) -> Sequence[str] | Sequence[float]:
        return (
            zero_within([float(x) for x in self.values], self.errors)
            if len(self.errors)
            else (self.values)
        )


@dataclass(frozen=True)
class Table:
    """A finished table.

    Attributes
    ----------
    title : str
    columns : tuple of Column
        Of one length.
    notes : tuple of str
        What a reader has to know, below the table.
    """

    title: str
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(entries) for c in self.columns for entries in (c.values, c.shown())}
        if len(lengths) != 1:
            raise ValueError(f"columns of {sorted(lengths)} entries: a table needs one length")


#: What is smaller beside the largest of its kind cannot be told from the error of the meshes.
RESOLVED: Final = 1e-6


def zero_within(values: Sequence[float], errors: Sequence[float]) -> list[float]:
    """Replace numbers by 0 that are no larger than their error: rounding, which says nothing.

    Parameters
    ----------
    values : (n,) sequence of float
    errors : (n,) sequence of float
        An error that is not finite tells nothing of a number, which is kept.

    Raises
    ------
    ValueError
        If there is not one error for each number.

    Examples
    --------
    >>> zero_within([0.9, -8e-9, 8e-9], [1e-6, 1e-6, float("inf")])
    [0.9, 0.0, 8e-09]
    """
    return [
        0.0 if np.isfinite(error) and abs(value) <= error else value
        for value, error in zip(values, errors, strict=True)
    ]


def make(entry: Entry, files: TableFiles) -> Table:
    """Call the function of an entry of the catalogue."""
    function = getattr(import_module(entry.module), entry.function)
    table: Table = function(files)
    return table


def save(table: Table, comma: str, markdown: str, data: str, provenance: Provenance) -> None:
    """Write a table as CSV and Markdown, and then as NetCDF, with the digests of both."""
    variables = {
        column.name: Variable(
            ("row",),
            np.array(column.values),
            column.units,
            column.label,
            {} if column.is_text else {"allow_missing": True},
        )
        for column in table.columns
    }
    for path, text in ((comma, to_csv(table)), (markdown, to_markdown(table))):
        with artifacts.whole(path) as name:
            name.write_text(text, encoding="utf-8")
    attributes = {"title": table.title, "comment": "\n".join(table.notes)}
    attributes |= artifacts.beside(comma, markdown)
    artifacts.write(data, variables, provenance, attributes=attributes)


def to_csv(table: Table) -> str:
    """Comma-separated values under one line of headers."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.header for column in table.columns])
    writer.writerows(zip(*(column.plain() for column in table.columns), strict=True))
    return stream.getvalue()


def to_markdown(table: Table) -> str:
    """Title, aligned table with numbers on the right, and notes."""
    columns = [[column.header, *column.shown()] for column in table.columns]
    columns = [[entry.replace("|", r"\|") for entry in column] for column in columns]
    words = [column.is_text for column in table.columns]
    widths = [max(3, *map(len, column)) for column in columns]
    rows = list(zip(*columns, strict=True))
    rule = [
        "-" * width if word else "-" * (width - 1) + ":"
        for width, word in zip(widths, words, strict=True)
    ]
    lines = [
        "| "
        + " | ".join(
            entry.ljust(width) if word else entry.rjust(width)
            for entry, width, word in zip(row, widths, words, strict=True)
        )
        + " |"
        for row in (rows[0], rule, *rows[1:])
    ]
    return (
        "\n".join([f"# {table.title}", "", *lines, *(f"\n{note}" for note in table.notes)]) + "\n"
    )


def plain_unit(units: str) -> str:
    """Write a CF unit as it is read.

    Examples
    --------
    >>> plain_unit("um2 ms-1")
    'um^2/ms'
    >>> plain_unit("ms-1")
    '1/ms'
    """
    above: list[str] = []
    below: list[str] = []
    for name, power in re.findall(r"([A-Za-z]+)(-?\d*)", units):
        number = int(power or 1)
        text = name if abs(number) == 1 else f"{name}^{abs(number)}"
        (above if number > 0 else below).append(text)
    denominator = f"({' '.join(below)})" if len(below) > 1 else "".join(below)
    return " ".join(above or ["1"]) + (f"/{denominator}" if below else "")


def _entry(value: str | float, pattern: str) -> str:
    if isinstance(value, str):
        return value
    return pattern.format(float(value)) if np.isfinite(value) else ""
