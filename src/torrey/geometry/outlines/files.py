"""Files of outlines: CSV with columns id, x and y, and SVG with closed paths.

What is read is rounded to 1e-9 of the cell, so that another machine reads the same numbers.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import MOST_FILE_BYTES, quoted, read_bytes
from torrey.base.errors import InputError

Array = NDArray[np.float64]

MOST_POINTS: Final = 2_000
"""Of one outline."""

_DIGITS: Final = 9


@dataclass(frozen=True)
class ReadOutline:
    """An outline of a file.

    Attributes
    ----------
    where : str
        It and its file, for messages.
    name : str
        Of the compartment inside; may be empty.
    points : (n, 2) float
        In units of the cell, rounded to 1e-9.
    curved : bool or None
        Whether the drawing says that it is; None where nothing is said.
    """

    where: str
    name: str
    points: Array
    curved: bool | None


def read_drawing(file: str) -> tuple[list[ReadOutline], float]:
    """Return the outlines of an SVG, and its height over its width.

    Raises
    ------
    InputError
        At ``file``.
    """
    # Only those who read drawings load their reader.
    from torrey.geometry.outlines.svg_outlines import read_svg

    drawn, height = read_svg(file, _text(file))
    found = []
    for number, (name, points, curved) in enumerate(drawn, start=1):
        where = f"{file}, outline {quoted(name) if name else number}"
        found.append(ReadOutline(where, name, _rounded(points), curved))
    return _some(file, found), height


def read_table(file: str, scale: float) -> list[ReadOutline]:
    """Return the outlines of a CSV.

    Parameters
    ----------
    file : str
    scale : float
        A unit of its numbers in units of the cell.

    Raises
    ------
    InputError
        At ``file``.
    """
    found = [
        ReadOutline(f"{file}, outline {quoted(key)}", _name(key), _rounded(scale * points), None)
        for key, points in _read_csv(file, _text(file))
    ]
    return _some(file, found)


def _some(file: str, found: list[ReadOutline]) -> list[ReadOutline]:
    if not found:
        raise InputError(f"{file}: no outline", "closed outlines", at=("file",))
    return found


def _rounded(points: Array) -> Array:
    return np.round(points, _DIGITS) + 0.0


def _text(file: str) -> str:
    try:
        return read_bytes(Path(file), MOST_FILE_BYTES).decode("utf-8-sig")
    except InputError as error:
        raise InputError(f"{file}: {error.found}", error.accepted, at=("file",)) from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: text that is not UTF-8", "UTF-8", at=("file",)) from None


def _name(key: str) -> str:
    """Name of the compartment inside the outline with an id."""
    if not key:
        return ""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", key)[:40]
    return name if re.match("[A-Za-z]", name) else f"cell_{name}"[:40]


def _read_csv(file: str, text: str) -> list[tuple[str, Array]]:
    """Return id and points of each outline."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise InputError(f"{file}: nothing", "a header id,x,y and rows", at=("file",))
    delimiter = max(",;\t", key=lines[0].count)
    header = [name.strip().lower() for name in next(csv.reader([lines[0]], delimiter=delimiter))]
    missing = [name for name in ("x", "y") if header.count(name) != 1]
    if missing or header.count("id") > 1:
        raise InputError(
            f"{file}: the columns {', '.join(map(quoted, header[:8]))}",
            "the columns x and y, once each, and id for several outlines",
            at=("file",),
        )
    found: dict[str, list[tuple[float, float]]] = {}
    last = None
    for number, row in _rows(text, delimiter):
        where = f"{file}, line {number}"
        if len(row) != len(header):
            accepted = f"{len(header)} values, as in the header"
            raise InputError(f"{where}: {len(row)} values", accepted, at=("file",))
        values = dict(zip(header, row, strict=True))
        key = values.get("id", "").strip()
        if key != last and key in found:
            raise InputError(
                f"{where}: the outline {quoted(key)} again",
                "all points of an outline after each other, in their order around it",
                at=("file",),
            )
        last = key
        found.setdefault(key, []).append((_number(where, values["x"]), _number(where, values["y"])))
    return [(key, _open(file, key, np.array(points))) for key, points in found.items()]


def _rows(text: str, delimiter: str) -> Iterable[tuple[int, list[str]]]:
    """Rows below the header, with the numbers of their lines."""
    is_header = True
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if not is_header:
            yield number, next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter))
        is_header = False


def _number(where: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {quoted(text)}", "a number", at=("file",))
    return value


def _open(file: str, key: str, points: Array) -> Array:
    """The points without the last one where it repeats the first."""
    if len(points) > 1 and np.array_equal(points[0], points[-1]):
        points = points[:-1]
    if not 3 <= len(points) <= MOST_POINTS:
        raise InputError(
            f"{file}: {len(points)} points of the outline {quoted(key)}",
            f"3 to {MOST_POINTS:,} points of each",
            at=("file",),
        )
    return points
