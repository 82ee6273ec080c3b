"""Text for a terminal: columns, paragraphs, numbers with their units."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

#: Units of files (CF style) as scanners and papers write the same quantity, and the factor to them.
_CLINICAL: Final[dict[str, tuple[float, str]]] = {
    "ms um-2": (1000.0, "s/mm^2"),
    "um2 ms-1": (1e-3, "mm^2/s"),
    "um ms-1": (1e-3, "m/s"),
}
_MOST_WIDTH: Final = 110
_LEAST_LAST: Final = 24


def width() -> int:
    """Characters in a line of the terminal, or as many as are easily read."""
    return min(shutil.get_terminal_size((_MOST_WIDTH, 24)).columns, _MOST_WIDTH)


def columns(rows: Iterable[Sequence[str]], indent: int = 2) -> str:
    """Return rows one below the other; the last column is wrapped to the terminal.

    Parameters
    ----------
    rows : iterable of sequences of str
        All of one length.
    indent : int
        Blanks before each row.
    """
    table = [tuple(row) for row in rows]
    if not table:
        return ""
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]) - 1)]
    start = indent + sum(w + 2 for w in widths)
    last = max(width() - start, _LEAST_LAST)
    lines = []
    for row in table:
        before = "".join(f"{cell:<{w + 2}}" for cell, w in zip(row[:-1], widths, strict=True))
        text = textwrap.wrap(row[-1], last, break_on_hyphens=False) or [""]
        lines.append(f"{'':{indent}}{before}{text[0]}".rstrip())
        lines += [f"{'':{start}}{more}" for more in text[1:]]
    return "\n".join(lines)


def paragraph(text: str, indent: int = 0) -> str:
    """Return a text wrapped to the terminal."""
    blanks = " " * indent
    return textwrap.fill(
        text, width(), initial_indent=blanks, subsequent_indent=blanks, break_on_hyphens=False
    )


def counted(number: int, noun: str) -> str:
    """Say how many there are of something.

    >>> counted(1, "study"), counted(2, "study"), counted(3, "figure")
    ('1 study', '2 studies', '3 figures')
    """
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {plural}"


def with_unit(values: Sequence[float], unit: str) -> str:
    """Say one value or the range of several, in the unit of the file and as scanners write it.

    >>> with_unit([0.0, 3.0], "ms um-2")
    '0 to 3 ms um-2 (0 to 3000 s/mm^2)'
    """
    least, most = min(values), max(values)
    said = _range(least, most)
    if unit in ("", "1"):
        return said
    factor, other = _CLINICAL.get(unit, (0.0, ""))
    clinical = f" ({_range(least * factor, most * factor)} {other})" if other else ""
    return f"{said} {unit}{clinical}"


def _range(least: float, most: float) -> str:
    return f"{least:.4g}" if least == most else f"{least:.4g} to {most:.4g}"


def seconds(time: float) -> str:
    """Say a time as people do.

    >>> seconds(0.2), seconds(50), seconds(700), seconds(9000)
    ('1 s', '50 s', '12 min', '2.5 h')
    """
    if time < 100:
        return f"{max(1, float(f'{time:.1g}')):.0f} s"
    if time < 5400:
        return f"{float(f'{time / 60:.2g}'):g} min"
    return f"{float(f'{time / 3600:.2g}'):g} h"
