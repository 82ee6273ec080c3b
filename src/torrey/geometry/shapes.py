"""What a periodic unit cell is made of, checked before anything is meshed.

Lengths are in units of the cell, which is [0, 1[ in each direction. Compartments are numbered from
0; in a cell of discs, 0 is the outside.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from torrey.errors import InputError

LEAST_GAP = 1e-3
"""Least distance between two membranes, in units of the cell: thinner water cannot be meshed."""

Plain = dict[str, str | int | float]
Interior = Literal["water", "obstacle"]

_ROUNDING = 1e-12
_PAIRS_SHOWN = 5


@dataclass(frozen=True)
class Membrane:
    """A permeable interface and the indices of the compartments on its two sides."""

    name: str
    outside: int
    inside: int


@dataclass(frozen=True)
class Disc:
    """A disc in the unit square; it may reach across the boundary.

    Parameters
    ----------
    center : tuple of two floats
        In [0, 1[.
    radius : float
        Above 0 and below 0.5: the disc must not touch its own periodic image.

    Raises
    ------
    ValueError
        If the centre lies outside the cell or the radius is impossible.
    """

    center: tuple[float, float]
    radius: float

    def __post_init__(self) -> None:
        if len(self.center) != 2 or not all(0 <= x < 1 for x in self.center):
            raise InputError(f"{list(self.center)}", "two numbers in [0, 1[", at=("center",))
        largest = (1 - LEAST_GAP) / 2
        if not 0 < self.radius <= largest + _ROUNDING:
            raise InputError(
                f"{self.radius:g}",
                f"a radius above 0 and at most {largest:g}, "
                "so that the disc does not touch its own periodic image",
                at=("radius",),
            )


@dataclass(frozen=True)
class Discs:
    """Discs that neither overlap nor touch, periodic images included.

    Parameters
    ----------
    cells : tuple of Disc
        None at all makes a homogeneous cell.
    interior : {"water", "obstacle"}
        Whether the insides are compartments, or not there.

    Raises
    ------
    ValueError
        If two discs are closer than `LEAST_GAP`.
    """

    cells: tuple[Disc, ...]
    interior: Interior = "water"

    kind: ClassVar[str] = "discs"
    dimension: ClassVar[int] = 2

    def __post_init__(self) -> None:
        if self.interior not in ("water", "obstacle"):
            raise InputError(f'"{self.interior}"', "water or obstacle", at=("interior",))
        conflicts = list(_conflicts(self.cells))
        if conflicts:
            more = len(conflicts) - _PAIRS_SHOWN
            raise InputError(
                "; ".join(conflicts[:_PAIRS_SHOWN]) + (f"; and {more} more" if more > 0 else ""),
                "discs that neither overlap nor touch, periodic images included: "
                f"leave a gap of {LEAST_GAP:g}",
                at=("cells",),
            )

    @property
    def n_compartments(self) -> int:
        """The outside, and each disc that holds water."""
        return 1 + len(self.membranes())

    @property
    def compartment_names(self) -> tuple[str, ...]:
        """``outside``, ``cell_1``, ..."""
        return ("outside", *(f"cell_{m.inside}" for m in self.membranes()))

    def membranes(self) -> tuple[Membrane, ...]:
        """Return one membrane per disc that holds water, in the order of the discs."""
        count = len(self.cells) if self.interior == "water" else 0
        return tuple(Membrane(f"membrane_{i}", 0, i) for i in range(1, count + 1))

    def measures(self) -> tuple[float, ...]:
        """Return the exact area of each compartment (units of the cell squared)."""
        areas = tuple(math.pi * cell.radius**2 for cell in self.cells)
        return (1 - math.fsum(areas), *areas)[: self.n_compartments]

    def interface_measures(self) -> tuple[float, ...]:
        """Return the exact length of each membrane (units of the cell)."""
        return tuple(2 * math.pi * self.cells[m.inside - 1].radius for m in self.membranes())

    def to_dict(self) -> Plain:
        """Return plain values, numbered from 1 as the compartments are."""
        plain: Plain = {"kind": self.kind, "interior": self.interior}
        for i, cell in enumerate(self.cells, start=1):
            x, y = cell.center
            plain |= {f"cell_{i}_x": x, f"cell_{i}_y": y, f"cell_{i}_radius": cell.radius}
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        cells = tuple(
            Disc((float(plain[f"cell_{i}_x"]), float(plain[f"cell_{i}_y"])), float(radius))
            for i, radius in _numbered(plain, "cell_{}_radius", first=1)
        )
        return cls(cells, "obstacle" if plain["interior"] == "obstacle" else "water")


@dataclass(frozen=True)
class Layers:
    """Flat layers across the cell, with a membrane at every change of layer.

    Layer 0 is centred on the origin, so it wraps around; the others follow it along x. One layer of
    thickness 1 has one membrane per period, at x = 0.5.

    Parameters
    ----------
    thicknesses : tuple of float
        Above zero, with sum 1 (units of the cell).
    dimension : {1, 2}

    Raises
    ------
    ValueError
        If a thickness is not positive, the sum is not 1 or the dimension is neither 1 nor 2.
    """

    thicknesses: tuple[float, ...]
    dimension: int = 1

    kind: ClassVar[str] = "layers"

    def __post_init__(self) -> None:
        if self.dimension not in (1, 2):
            raise InputError(f"{self.dimension}", "1 or 2", at=("dimension",))
        for i, thickness in enumerate(self.thicknesses):
            if not thickness > 0:
                raise InputError(f"{thickness:g}", "a thickness above 0", at=("thicknesses", i))
        total = math.fsum(self.thicknesses)
        if not abs(total - 1) <= 1e-9:
            raise InputError(
                f"thicknesses with sum {total:.12g}",
                "thicknesses in units of the cell, with sum 1",
                at=("thicknesses",),
            )

    @property
    def n_compartments(self) -> int:
        """One per layer."""
        return len(self.thicknesses)

    @property
    def compartment_names(self) -> tuple[str, ...]:
        """``layer_0``, ``layer_1``, ..."""
        return tuple(f"layer_{i}" for i in range(self.n_compartments))

    def membranes(self) -> tuple[Membrane, ...]:
        """Return the membranes: number i has layer i outside and the next layer inside."""
        n = self.n_compartments
        return tuple(Membrane(f"membrane_{i}", i, (i + 1) % n) for i in range(n))

    def measures(self) -> tuple[float, ...]:
        """Return the thickness of each layer (units of the cell; an area where d = 2)."""
        return self.thicknesses

    def interface_measures(self) -> tuple[float, ...]:
        """Return the measure of each membrane: a point counts 1, a line across the cell is 1."""
        return (1.0,) * self.n_compartments

    def to_dict(self) -> Plain:
        """Return plain values, numbered from 0 as the layers are."""
        thicknesses = {f"thickness_{i}": value for i, value in enumerate(self.thicknesses)}
        return {"kind": self.kind, "dimension": self.dimension, **thicknesses}

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        thicknesses = tuple(float(value) for _, value in _numbered(plain, "thickness_{}", first=0))
        return cls(thicknesses, int(plain["dimension"]))


Shape = Discs | Layers


def shape_from_dict(plain: Mapping[str, str | int | float]) -> Shape:
    """Rebuild a shape of any kind from what its `to_dict` returned."""
    return Layers.from_dict(plain) if plain["kind"] == Layers.kind else Discs.from_dict(plain)


@dataclass(frozen=True)
class MeshOptions:
    """How finely a cell is meshed.

    Parameters
    ----------
    size : float
        Target size of the coarsest elements, above 0 and at most 0.5 (units of the cell).
    refinements : int
        How many uniform refinements of the coarsest mesh are available, 0 to 6; each halves the
        size.

    Raises
    ------
    ValueError
        If a value is out of its range.
    """

    size: float = 0.1
    refinements: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.size <= 0.5:
            raise InputError(f"{self.size:g}", "a size above 0 and at most 0.5", at=("size",))
        if self.refinements not in range(7):
            raise InputError(f"{self.refinements}", "0 to 6 refinements", at=("refinements",))

    def to_dict(self) -> Plain:
        """Return plain values."""
        return {"size": self.size, "refinements": self.refinements}


def _conflicts(cells: tuple[Disc, ...]) -> Iterator[str]:
    """Say of every pair of discs that overlaps, touches or nearly touches what is wrong."""
    if not cells:
        return
    centers = np.array([cell.center for cell in cells])
    radii = np.array([cell.radius for cell in cells])
    for i in range(len(cells) - 1):
        apart = np.abs(centers[i + 1 :] - centers[i])
        distance = np.hypot(*np.minimum(apart, 1 - apart).T)  # to the nearest periodic image
        least = radii[i] + radii[i + 1 :] + LEAST_GAP
        for j in np.flatnonzero(distance < least - _ROUNDING):
            yield (
                f"the centres of cell_{i + 1} and cell_{i + j + 2} are {distance[j]:.6g} apart, "
                f"the least is {least[j]:.6g}"
            )


def _numbered(
    plain: Mapping[str, str | int | float], pattern: str, first: int
) -> Iterator[tuple[int, str | int | float]]:
    i = first
    while pattern.format(i) in plain:
        yield i, plain[pattern.format(i)]
        i += 1
