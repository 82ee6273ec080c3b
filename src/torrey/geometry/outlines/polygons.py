"""Polygons and closed curves through points, of a configuration or of a file of outlines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import MOST_CELLS, quoted
from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.interiors import Interior, read_interior
from torrey.geometry.membranes import Plain, numbered
from torrey.geometry.outlines.base import LEAST_BEND, Outlined
from torrey.geometry.outlines.curves import Curve, SplineCurve, signed_area
from torrey.geometry.outlines.files import MOST_POINTS, ReadOutline, read_drawing, read_table
from torrey.geometry.outlines.sided_curves import SidedCurve

Array = NDArray[np.float64]
SidesKind = Literal["straight", "curved"]

MOST_ALL_POINTS: Final = 50_000
"""Of all outlines of a cell: each has its place in the names of files."""

LEAST_SIDE: Final = 1e-4
"""Least distance of neighbouring points, in units of the cell."""

LARGEST_TURN: Final = 160.0
"""Of a corner (degrees): what is sharper cannot be meshed well."""

_TABLES: Final = (".csv", ".tsv", ".txt")
_ROUNDING: Final = 1e-9
_FARTHEST: Final = 10.0


@dataclass(frozen=True)
class Polygon:
    """A polygon, or a smooth closed curve through points.

    Parameters
    ----------
    points : tuple of tuple of float
        In their order around it, either way, in units of the width of the cell; they may reach
        across its boundary.
    sides : {"straight", "curved"}
        Curved ones are a cubic spline through the points, twice continuously differentiable.
    smooth : float
        Radius of the arcs that round the corners between straight sides; 0 keeps them sharp.
    name : str
        Of the compartment inside; ``cell_1``, ``cell_2``, ... without it.

    Raises
    ------
    ValueError
        If the points are no outline.
    """

    points: tuple[tuple[float, ...], ...] = declared(
        description="a list of points around the outline, such as [[0.2, 0.2], [0.8, 0.2], "
        "[0.5, 0.7]]",
        min_length=3,
        max_length=MOST_POINTS,
    )
    sides: SidesKind = declared(
        description="straight, or curved (a smooth curve through the points)", default="straight"
    )
    smooth: float = declared(
        description="a radius in units of the cell that rounds the corners between straight sides",
        default=0.0,
    )
    name: str = declared(
        description="a name of the compartment inside, cell_1, cell_2, ... without it", default=""
    )

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.sides not in ("straight", "curved"):
            raise InputError(quoted(str(self.sides)), "straight or curved", at=("sides",))
        _check_points(self.points)
        if self.sides == "curved" and self.smooth:
            accepted = "0 with curved sides, which are smooth as they are"
            raise InputError(f"{self.smooth:g}", accepted, at=("smooth",))
        if self.smooth and not LEAST_BEND <= self.smooth < _FARTHEST:
            accepted = f"0, or a radius of {LEAST_BEND:g} of the cell or more"
            raise InputError(f"{self.smooth:g}", accepted, at=("smooth",))
        if self.sides == "straight":
            _check_corners(self._sided, self.points)

    @property
    def _sided(self) -> SidedCurve:
        return SidedCurve(self.points, self.smooth)

    @cached_property
    def curve(self) -> Curve:
        """The outline."""
        return self._sided if self.sides == "straight" else SplineCurve(self.points)


def _check_points(given: tuple[tuple[float, ...], ...]) -> None:
    for i, point in enumerate(given):
        if len(point) != 2 or not all(abs(x) < _FARTHEST for x in point):
            accepted = "two numbers, in units of the width of the cell"
            raise InputError(f"{list(point)}", accepted, at=("points", i))
    if not 3 <= len(given) <= MOST_POINTS:
        raise InputError(f"{len(given)} points", f"3 to {MOST_POINTS:,} points", at=("points",))
    points = np.array(given)
    steps = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    nearest = int(steps.argmin())
    if not steps[nearest] >= LEAST_SIDE:
        after = (nearest + 1) % len(points)
        last = ": an outline is closed by itself" if after == 0 else ""
        raise InputError(
            f"the points {nearest + 1} and {after + 1} only {steps[nearest]:.3g} apart",
            f"neighbouring points {LEAST_SIDE:g} of the cell apart or more{last}",
            at=("points", nearest),
        )
    if not abs(signed_area(points)) > LEAST_SIDE**2:
        found = "points on one line, or around areas that cancel: the outline crosses itself"
        raise InputError(found, "points in their order around an area", at=("points",))


def _check_corners(curve: SidedCurve, points: tuple[tuple[float, ...], ...]) -> None:
    """Refuse corners that are too sharp, and arcs that take more than there is of a side."""
    # Corners of the curve may be numbered the other way round.
    forward = signed_area(np.array(points)) > 0
    number = [i if forward else -i % len(points) for i in range(len(points))]
    turns = np.degrees(np.abs(curve.turns))
    sharpest = int(turns.argmax())
    if not turns[sharpest] <= LARGEST_TURN:
        raise InputError(
            f"a corner of {180 - turns[sharpest]:.3g} degrees at point {number[sharpest] + 1}",
            f"corners of {180 - LARGEST_TURN:g} degrees or more",
            at=("points", number[sharpest]),
        )
    left = curve.side_lengths - curve.cuts - np.roll(curve.cuts, -1)
    worst = int(left.argmin())
    if not left[worst] >= -_ROUNDING:
        side = float(curve.side_lengths[worst])
        need = side - float(left[worst])
        ends = sorted((number[worst] + 1, number[(worst + 1) % len(points)] + 1))
        raise InputError(
            f"{curve.radius:g}, whose arcs need {need:.3g} of the side between the points "
            f"{ends[0]} and {ends[1]}, which is {side:.3g} long",
            f"at most {curve.radius * side / need:.3g}",
            at=("smooth",),
        )


@dataclass(frozen=True)
class PointOutlines(Outlined):
    """Outlines through points, of a file or not; see `Polygons` and `LabelImage`.

    Parameters
    ----------
    cells : tuple of Polygon
    width : float, optional
        Of the cell (um): the period, unless another one is given.
    interior : {"water", "obstacle"}
    height : float
        Of the cell, over its width.
    """

    cells: tuple[Polygon, ...] = declared(
        description="a list of outlines, such as {points: [[0.2, 0.2], [0.8, 0.2], [0.5, 0.7]], "
        "smooth: 0.05}; or file in its place",
        default=(),
    )
    width: float | None = declared(
        unit="length",
        description="width of the cell; another period of a study scales the outlines",
        default=None,
    )
    interior: Interior = declared(
        description="water (the insides are compartments) or obstacle (they are not there)",
        default="water",
    )
    height: float = declared(
        description="a number of 0.05 to 20: height of the cell over its width", default=1.0
    )

    def _check_cells(self) -> None:
        """Refuse too many outlines, and what lies elsewhere, crosses or touches."""
        if not self.cells:
            raise InputError("neither cells nor a file", "one of them", at=("cells",))
        if self.width is not None and not 0 < self.width < math.inf:
            raise InputError(f"{self.width:g} um", "a length above 0", at=("width",))
        count = sum(len(cell.points) for cell in self.cells)
        if len(self.cells) > MOST_CELLS:
            raise InputError(f"{len(self.cells)} outlines", f"at most {MOST_CELLS}", at=("cells",))
        if count > MOST_ALL_POINTS:
            accepted = f"at most {MOST_ALL_POINTS:,} points in all"
            raise InputError(f"{count:,} points", accepted, at=("cells",))
        for i, cell in enumerate(self.cells):
            places = np.array(cell.points)
            low, high = places.min(axis=0), places.max(axis=0)
            if not (np.all(high > 0) and np.all(low < (1.0, self.height))):
                raise InputError(
                    f"an outline from ({low[0]:.4g}, {low[1]:.4g}) to ({high[0]:.4g}, "
                    f"{high[1]:.4g})",
                    f"one that reaches into the cell, from (0, 0) to (1, {self.height:g})",
                    at=("cells", i, "points"),
                )
        self.check_outlines()

    def _replace(self, **values: Any) -> None:
        """Put what was read in the place of what says where it is read."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @cached_property
    def curves(self) -> tuple[Curve, ...]:
        """The outlines."""
        return tuple(cell.curve for cell in self.cells)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of the compartment inside each outline, or nothing."""
        return tuple(cell.name for cell in self.cells)

    def own_length(self) -> float | None:
        """Return the width of the cell (um), if it was said."""
        return self.width

    def describe(self) -> str:
        """Say how many outlines there are."""
        return self._described("outline")

    def to_dict(self) -> Plain:
        """Return plain values: the points themselves, not where they were read."""
        plain: Plain = {"kind": self.kind, "interior": self.interior}
        if self.width is not None:
            plain["width"] = self.width
        if self.height != 1.0:
            plain["height"] = self.height
        for i, cell in enumerate(self.cells, start=1):
            plain[f"cell_{i}_points"] = " ".join(
                repr(float(x)) for point in cell.points for x in point
            )
            plain[f"cell_{i}_sides"] = cell.sides
            plain[f"cell_{i}_smooth"] = cell.smooth
            if cell.name:
                plain[f"cell_{i}_name"] = cell.name
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        cells = []
        for i, text in numbered(plain, "cell_{}_points", first=1):
            numbers = [float(x) for x in str(text).split()]
            points = tuple(zip(numbers[::2], numbers[1::2], strict=True))
            sides: SidesKind = "curved" if plain[f"cell_{i}_sides"] == "curved" else "straight"
            smooth, name = float(plain[f"cell_{i}_smooth"]), str(plain.get(f"cell_{i}_name", ""))
            cells.append(Polygon(points, sides, smooth, name))
        width = float(plain["width"]) if "width" in plain else None
        height = float(plain.get("height", 1.0))
        return cls(tuple(cells), width=width, interior=read_interior(plain), height=height)


@dataclass(frozen=True)
class Polygons(PointOutlines):
    """Polygons and smooth closed curves through points, which neither cross nor touch.

    They come from the configuration, or from a file of outlines (CSV or SVG). One may lie inside
    another: the membrane is then between their insides.

    Parameters
    ----------
    cells : tuple of Polygon
        In the place of a file.
    file : path, optional
        CSV with columns x, y and id, or SVG with closed paths; read when the cell is made, which
        holds its numbers from then on. Outlines are rounded to 1e-9 of the cell.
    width : float, optional
        Of the cell (um): the period, unless another one is given.
    unit : float, optional
        Length of a unit of the numbers in a CSV (um); without it they are in units of the cell.
    sides, smooth
        Of the outlines of a CSV: see `Polygon`. The radius is in units of the cell.
    interior : {"water", "obstacle"}
    height : float
        Of the cell, over its width; an SVG says its own.

    Raises
    ------
    ValueError
        If outlines cross, touch, or are closer than `LEAST_GAP`, or the file is none of outlines.
    """

    file: Path | None = declared(
        description="a CSV file of outlines (columns id, x, y), or an SVG file", default=None
    )
    unit: float | None = declared(
        unit="length",
        description="length of one unit of the numbers in a CSV; units of the cell without it",
        default=None,
    )
    sides: SidesKind = declared(
        description="straight, or curved (smooth curves through the points): of a CSV",
        default="straight",
    )
    smooth: float = declared(
        description="a radius in units of the cell that rounds the corners: of a file", default=0.0
    )

    kind: ClassVar[str] = "polygons"

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.file is not None:
            self._read()
        elif self.unit is not None or self.sides != "straight" or self.smooth:
            key = "unit" if self.unit is not None else "smooth" if self.smooth else "sides"
            raise InputError(
                f"{key} without a file", "no such key: outlines of cells have their own", at=(key,)
            )
        self._check_cells()

    def _read(self) -> None:
        """Put the outlines of the file in its place."""
        if self.cells:
            raise InputError("cells and a file", "one of them", at=("file",))
        file, height = str(self.file), self.height
        if (kind := Path(file).suffix.lower()) == ".svg":
            self._check_drawing()
            read, height = read_drawing(file)
        elif kind in _TABLES:
            if self.unit is not None and self.width is None:
                accepted = "width beside unit: how wide the cell is"
                raise InputError("a unit without a width", accepted, at=("unit",))
            scale = 1.0 if self.unit is None or self.width is None else self.unit / self.width
            read = read_table(file, scale)
        else:
            raise InputError(quoted(file), "a file .csv or .svg", at=("file",))
        cells = tuple(self._made(outline) for outline in read)
        self._replace(
            cells=cells, height=height, file=None, unit=None, sides="straight", smooth=0.0
        )

    def _check_drawing(self) -> None:
        """Refuse keys that a drawing answers itself."""
        for key, value, usual, why in (
            ("unit", self.unit, None, "the width of the drawing is that of the cell"),
            ("sides", self.sides, "straight", "it says which sides are curved"),
            ("height", self.height, 1.0, "it says its height"),
        ):
            if value != usual:
                raise InputError(f"{value}", f"no such key with an SVG: {why}", at=(key,))

    def _made(self, outline: ReadOutline) -> Polygon:
        """An outline; what is wrong with it is said of the file."""
        curved = self.sides == "curved" if outline.curved is None else outline.curved
        # A drawing may hold both kinds: the radius is that of its corners.
        smooth = 0.0 if outline.curved else self.smooth
        points = tuple(map(tuple, outline.points.tolist()))
        try:
            return Polygon(points, "curved" if curved else "straight", smooth, outline.name)
        except InputError as error:
            at = ("smooth",) if error.at == ("smooth",) else ("file",)
            found = f"{outline.where}: {error.found}"
            raise InputError(found, error.accepted, at=at) from None
