"""Ellipses in the plane."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.interiors import Interior, read_interior
from torrey.geometry.membranes import Plain, numbered
from torrey.geometry.outlines.base import LEAST_BEND, Outlined
from torrey.geometry.outlines.curves import EllipseCurve


@dataclass(frozen=True)
class Ellipse:
    """An ellipse; it may reach across the boundary of the cell.

    Parameters
    ----------
    center : tuple of float
        In [0, 1[ across and in [0, height[ along the cell, in units of its width.
    semi_axes : tuple of float
        Half of the two axes, in units of the cell.
    angle : float
        From x to the first axis, counterclockwise (degrees).
    name : str
        Of the compartment inside; ``cell_1``, ``cell_2``, ... without it.

    Raises
    ------
    ValueError
        If a value is impossible.
    """

    center: tuple[float, ...] = declared(
        description="two numbers, such as [0.5, 0.5]", min_length=2, max_length=2
    )
    semi_axes: tuple[float, ...] = declared(
        description="two numbers above 0, such as [0.3, 0.2]: halves of the axes, in units of the "
        "cell",
        min_length=2,
        max_length=2,
    )
    angle: float = declared(
        unit="angle", description="from x to the first of the axes, counterclockwise", default=0.0
    )
    name: str = declared(
        description="a name of the compartment inside, cell_1, cell_2, ... without it", default=""
    )

    def __post_init__(self) -> None:
        check_kinds(self)
        if len(self.center) != 2 or not all(math.isfinite(x) for x in self.center):
            raise InputError(f"{list(self.center)}", "two numbers", at=("center",))
        if len(self.semi_axes) != 2 or not all(0 < x < 10 for x in self.semi_axes):
            raise InputError(f"{list(self.semi_axes)}", "two numbers above 0", at=("semi_axes",))
        if not abs(self.angle) <= 360:
            raise InputError(f"{self.angle:g} degrees", "-360 to 360 degrees", at=("angle",))
        short, long = sorted(self.semi_axes)
        if not short * short / long >= LEAST_BEND:
            raise InputError(
                f"{list(self.semi_axes)}, which bends with a radius of {short * short / long:.3g}",
                f"axes with a radius of curvature of {LEAST_BEND:g} or more at the ends of the "
                "longer one, b^2 / a",
                at=("semi_axes",),
            )


@dataclass(frozen=True)
class Ellipses(Outlined):
    """Ellipses in the plane that neither overlap nor touch, periodic images included.

    One may lie inside another: the membrane is then between their insides.

    Parameters
    ----------
    cells : tuple of Ellipse
        None at all makes a homogeneous cell.
    interior : {"water", "obstacle"}
    height : float
        Of the cell, over its width.

    Raises
    ------
    ValueError
        If outlines cross, touch, or are closer than `LEAST_GAP`.
    """

    cells: tuple[Ellipse, ...] = declared(
        description="a list of ellipses, such as {center: [0.5, 0.5], semi_axes: [0.3, 0.2], "
        "angle: 30 deg}"
    )
    interior: Interior = declared(
        description="water (the insides are compartments) or obstacle (they are not there)",
        default="water",
    )
    height: float = declared(
        description="a number of 0.05 to 20: height of the cell over its width", default=1.0
    )

    kind: ClassVar[str] = "ellipses"

    def __post_init__(self) -> None:
        check_kinds(self)
        for i, cell in enumerate(self.cells):
            for x, side, axis in zip(cell.center, (1.0, self.height), (0, 1), strict=True):
                if not 0 <= x < side:
                    accepted = f"a number in [0, {side:g}["
                    raise InputError(f"{x:g}", accepted, at=("cells", i, "center", axis))
        self.check_outlines()

    @cached_property
    def curves(self) -> tuple[EllipseCurve, ...]:
        """The ellipses."""
        return tuple(
            EllipseCurve(
                cell.center,
                cell.semi_axes,
                # A circle has no axes: all of the same radius are one.
                0.0 if len(set(cell.semi_axes)) == 1 else math.radians(cell.angle),
            )
            for cell in self.cells
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Name of the compartment inside each ellipse, or nothing."""
        return tuple(cell.name for cell in self.cells)

    def describe(self) -> str:
        """Say how many ellipses there are, and their half axes if there is one."""
        said = self._described("ellipse")
        if len(self.cells) == 1:
            first, second = self.cells[0].semi_axes
            return said.replace("one ellipse", f"one ellipse of {first:.3g} and {second:.3g}")
        return said

    def to_dict(self) -> Plain:
        """Return plain values, numbered from 1 as the compartments are."""
        plain: Plain = {"kind": self.kind, "interior": self.interior}
        if self.height != 1.0:
            plain["height"] = self.height
        for i, cell in enumerate(self.cells, start=1):
            plain |= {f"cell_{i}_x": cell.center[0], f"cell_{i}_y": cell.center[1]}
            plain |= {f"cell_{i}_a": cell.semi_axes[0], f"cell_{i}_b": cell.semi_axes[1]}
            plain[f"cell_{i}_angle"] = cell.angle
            if cell.name:
                plain[f"cell_{i}_name"] = cell.name
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        cells = []
        for i, angle in numbered(plain, "cell_{}_angle", first=1):
            x, y, a, b = (float(plain[f"cell_{i}_{key}"]) for key in "xyab")
            name = str(plain.get(f"cell_{i}_name", ""))
            cells.append(Ellipse((x, y), (a, b), float(angle), name))
        return cls(tuple(cells), read_interior(plain), float(plain.get("height", 1.0)))
