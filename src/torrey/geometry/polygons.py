"""Polygons and closed curves through points, of a configuration or of a file of outlines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import MOST_CELLS, quoted
from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.balls import Interior, read_interior
from torrey.geometry.curves import Curve, SplineCurve, signed_area
from torrey.geometry.membranes import Plain, numbered
from torrey.geometry.outlined import LEAST_BEND, Outlined
from torrey.geometry.sided_curves import SidedCurve

Array = NDArray[np.float64]
SidesKind = Literal["straight", "curved"]

MOST_POINTS: Final = 2_000
"""Of one outline."""

MOST_ALL_POINTS: Final = 50_000
"""Of all outlines of a cell: each has its place in the names of files."""

LEAST_SIDE: Final = 1e-4
"""Least distance of neighbouring points, in units of the cell."""

LARGEST_TURN: Final = 160.0
"""Of a corner (degrees): what is sharper cannot be meshed well."""

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
        raise InputError("points on one line", "points around an area", at=("points",))


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
class Polygons(Outlined):
    """Polygons and smooth closed curves through points, which neither cross nor touch.

    They come from the configuration, or from a file of outlines (CSV or SVG). One may lie inside
    another: the membrane is then between their insides.

    Parameters
    ----------
    cells : tuple of Polygon
        In the place of a file.
    file : str
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

    cells: tuple[Polygon, ...] = declared(
        description="a list of outlines, such as {points: [[0.2, 0.2], [0.8, 0.2], [0.5, 0.7]], "
        "smooth: 0.05}; or file in its place",
        default=(),
    )
    file: str = declared(
        description="a CSV file of outlines (columns id, x, y), or an SVG file", default=""
    )
    width: float | None = declared(
        unit="length",
        description="width of the cell, with a file; another period of a study scales the outlines",
        default=None,
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
    interior: Interior = declared(
        description="water (the insides are compartments) or obstacle (they are not there)",
        default="water",
    )
    height: float = declared(
        description="a number of 0.05 to 20: height of the cell over its width", default=1.0
    )

    kind: ClassVar[str] = "polygons"
    file_keys: ClassVar[tuple[str, ...]] = ("file",)

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.width is not None and not 0 < self.width < math.inf:
            raise InputError(f"{self.width:g} um", "a length above 0", at=("width",))
        if self.file:
            self._read()
        elif self.unit is not None or self.sides != "straight" or self.smooth:
            key = "unit" if self.unit is not None else "smooth" if self.smooth else "sides"
            raise InputError(
                f"{key} without a file", "no such key: outlines of cells have their own", at=(key,)
            )
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

    def _read(self) -> None:
        """Put the outlines of the file in its place."""
        if self.cells:
            raise InputError("cells and a file", "one of them", at=("file",))
        # Readers are loaded where files are read.
        from torrey.geometry.outline_files import read_outlines

        cells, height = read_outlines(
            self.file, self.width, self.unit, self.sides, self.smooth, self.height
        )
        read: dict[str, Any] = {"cells": cells, "height": height, "file": "", "unit": None}
        for name, value in (read | {"sides": "straight", "smooth": 0.0}).items():
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
