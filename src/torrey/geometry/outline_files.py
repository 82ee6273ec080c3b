"""Files of outlines: CSV with columns id, x and y, and SVG with closed paths.

What is read is rounded to 1e-9 of the cell, so that another machine reads the same numbers.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import MOST_FILE_BYTES, quoted, read_bytes
from torrey.base.errors import InputError
from torrey.geometry.outlined import SIDES
from torrey.geometry.polygons import MOST_POINTS, Polygon, SidesKind

Array = NDArray[np.float64]

_DIGITS: Final = 9
_COLUMNS: Final = ("id", "x", "y")


def read_outlines(
    file: str,
    width: float | None,
    unit: float | None,
    sides: SidesKind,
    smooth: float,
    height: float,
) -> tuple[tuple[Polygon, ...], float]:
    """Read the outlines of a file, in units of the cell.

    Parameters
    ----------
    file : str
        Its path; its ending says what it is.
    width : float, optional
        Of the cell (um).
    unit : float, optional
        Length of a unit of the numbers in a CSV (um).
    sides, smooth
        Of the outlines.
    height : float
        Of the cell, over its width.

    Returns
    -------
    outlines : tuple of Polygon
    height : float
        That of the drawing, where the file says it.

    Raises
    ------
    InputError
        At ``file``, ``unit``, ``sides`` or ``height``, if something cannot be used.
    """
    path, kind = Path(file), Path(file).suffix.lower()
    if kind not in (".csv", ".tsv", ".txt", ".svg"):
        raise InputError(quoted(file), "a file .csv or .svg", at=("file",))
    try:
        content = read_bytes(path, MOST_FILE_BYTES)
        text = content.decode("utf-8-sig")
    except InputError as error:
        raise InputError(f"{file}: {error.found}", error.accepted, at=("file",)) from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: text that is not UTF-8", "UTF-8", at=("file",)) from None
    if kind == ".svg":
        # Only those who read drawings load their reader.
        from torrey.geometry.svg_outlines import read_svg

        if unit is not None:
            accepted = "no such key with an SVG: the width of the drawing is that of the cell"
            raise InputError("a unit of an SVG", accepted, at=("unit",))
        if sides != "straight":
            accepted = "no such key with an SVG: it says which sides are curved"
            raise InputError(sides, accepted, at=("sides",))
        if height != 1.0:
            accepted = "no such key with an SVG: it says its height"
            raise InputError(f"{height:g}", accepted, at=("height",))
        drawn, height = read_svg(file, text)
        if not SIDES[0] <= height <= SIDES[1]:
            accepted = f"a height of {SIDES[0]:g} to {SIDES[1]:g} times the width"
            raise InputError(f"{file}: a drawing {height:.3g} times as high as wide", accepted,
                             at=("file",))  # fmt: skip
        made = (
            _made(file, name, name, points, "curved" if curved else "straight",
                  0.0 if curved else smooth)
            for name, points, curved in drawn
        )  # fmt: skip
    else:
        if unit is not None and width is None:
            accepted = "width beside unit: how wide the cell is"
            raise InputError("a unit without a width", accepted, at=("unit",))
        scale = unit / width if unit is not None and width is not None else 1.0
        found = _read_csv(file, text)
        made = (
            _made(file, f"outline {quoted(key)}", _name(key), scale * points, sides, smooth)
            for key, points in found
        )
    outlines = tuple(made)
    if not outlines:
        raise InputError(f"{file}: no outline", "closed outlines", at=("file",))
    return outlines, height


def _made(
    file: str, where: str, name: str, points: Array, sides: SidesKind, smooth: float
) -> Polygon:
    """An outline; what is wrong with it is said of the file."""
    rounded = np.round(points, _DIGITS) + 0.0
    try:
        return Polygon(tuple(map(tuple, rounded.tolist())), sides, smooth, name)
    except InputError as error:
        said = f"{where}: {error.found}" if where else error.found
        at = ("smooth",) if error.at == ("smooth",) else ("file",)
        raise InputError(f"{file}, {said}", error.accepted, at=at) from None


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
