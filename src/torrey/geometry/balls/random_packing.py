"""A cell of random discs or spheres, which the program draws and places.

Its compartments and all its measures follow from the radii, which are drawn at once. They are
placed when somebody asks where they are: a configuration can be read without that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import MOST_DISCS
from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.balls.base import Ball, ball_measure, surface_measure
from torrey.geometry.balls.discs import Disc, Discs
from torrey.geometry.balls.radius_laws import Gamma, Lognormal, RadiusLaw
from torrey.geometry.balls.random_discs import (
    ONE,
    Placement,
    check_room,
    narrowest_place,
    place_discs,
)
from torrey.geometry.balls.spheres import Sphere, Spheres
from torrey.geometry.boxes import Box
from torrey.geometry.interiors import Interior, check_interior, read_interior
from torrey.geometry.membranes import NOTHING, Membrane, Plain, numbered
from torrey.geometry.pieces import Drawing
from torrey.geometry.shapes import Shape

if TYPE_CHECKING:
    from torrey.geometry.drawing import Canvas

Array = NDArray[np.float64]

USUAL_GAP: Final = 0.05
"""Least distance of two surfaces in um, unless another is given."""

LEAST_GAP: Final = 1e-5
"""The same in units of the box: gmsh takes places that differ by a hundredth of it for one."""

MOST_FRACTION: Final = {2: 0.65, 3: 0.55}
"""Largest fraction that may be asked for, by dimension."""

PLACED: Final = "placed"
"""Mark of discs that were placed, among plain values."""

_LARGEST_SEED: Final = 2**32 - 1


class _Placed:
    """Balls that were placed by the program, which keep the distance that they were given."""

    if TYPE_CHECKING:
        cells: tuple[Ball, ...]

        @property
        def outer_radii(self) -> Array:
            """Radius of each ball."""

    def _conflicts(self) -> Iterator[str]:
        if not self.cells:
            return
        centres = np.array([cell.center for cell in self.cells])
        # As in `place_discs`: it is the worst place that tells.
        first, second, width = narrowest_place(centres, self.outer_radii)
        if not width >= 0.0:
            yield f"cell_{first + 1} and cell_{second + 1} overlap by {-width:.3g}"

    def to_dict(self) -> Plain:
        """Return plain values, with a mark: they would be refused as discs of a configuration."""
        return {**super().to_dict(), PLACED: 1}  # type: ignore[misc]


@dataclass(frozen=True)
class PlacedDiscs(_Placed, Discs):
    """Discs that were placed by the program."""


@dataclass(frozen=True)
class PlacedSpheres(_Placed, Spheres):
    """Spheres that were placed by the program."""


PlacedBalls = PlacedDiscs | PlacedSpheres


def placed_balls(centres: Array, radii: Array, interior: Interior) -> PlacedBalls:
    """Make discs or spheres of centres (n, d) and radii (n,), in units of the cell."""
    places = list(zip(map(tuple, centres.tolist()), radii.tolist(), strict=True))
    if centres.shape[1] == 2:
        return PlacedDiscs(tuple(Disc(*place) for place in places), interior)
    return PlacedSpheres(tuple(Sphere(*place) for place in places), interior)


@dataclass(frozen=True)
class RandomPacking(Shape):
    """Random discs in a periodic square, or spheres in a cube, drawn and placed by the program.

    Lengths of its fields are in um, since radii come from histology. A study whose period is not
    the box scales all of it.

    Parameters
    ----------
    box : float
        Side of the square or cube (um).
    radius : RadiusLaw
    count : int, optional
        How many discs or spheres; in the place of it, `fraction`.
    fraction : float, optional
        Part of the box inside them: as many as come nearest to it.
    seed : int
        Another one gives others.
    gap : float, optional
        Least distance of two surfaces (um); `USUAL_GAP` without it.
    interior : {"water", "obstacle"}
    dimension : {2, 3}
        Discs, or spheres.

    Raises
    ------
    ValueError
        If such a packing cannot be: too many, too large or too dense.
    """

    box: float = declared(
        unit="length",
        description="side of the square or cube; another period of a study or bloch run scales all "
        "of it",
    )
    radius: RadiusLaw = declared(
        description="one distribution, such as {uniform: [1 um, 5 um]}; or gamma, lognormal, list"
    )
    count: int | None = declared(
        description=f"a whole number of discs or spheres, 1 to {MOST_DISCS}; or fraction in its "
        "place",
        default=None,
    )
    fraction: float | None = declared(
        description=f"a number above 0 and at most {MOST_FRACTION[2]:g}: part of the area in "
        f"discs, or of the volume in spheres, at most {MOST_FRACTION[3]:g}",
        default=None,
    )
    seed: int = declared(description="a whole number of at least 0", default=1)
    gap: float | None = declared(
        unit="length",
        description=f"least distance of two surfaces, {USUAL_GAP:g} um without the key",
        default=None,
    )
    interior: Interior = declared(
        description="water (the insides are compartments) or obstacle (they are not there)",
        default="water",
    )
    dimension: int = declared(description="2 (discs) or 3 (spheres)", default=2)

    kind: ClassVar[str] = "packing"
    dimensions: ClassVar[tuple[int, ...]] = (2, 3)

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.dimension not in self.dimensions:
            raise InputError(f"{self.dimension}", "2 or 3", at=("dimension",))
        if not 0 < self.box < math.inf:
            raise InputError(f"{self.box:g} um", "a length above 0", at=("box",))
        check_interior(self.interior)
        if not 0 <= self.seed <= _LARGEST_SEED:
            accepted = f"a whole number from 0 to {_LARGEST_SEED}"
            raise InputError(f"{self.seed}", accepted, at=("seed",))
        self._check_number()
        least, most = LEAST_GAP * self.box, self.box / 4 - self.radius.most
        if not most > self.least_gap / 2:
            raise InputError(
                f"radii of up to {self.radius.most:g} um in a box of {self.box:g} um",
                f"a box of more than {4 * self.radius.most + 2 * self.least_gap:.6g} um, four "
                "times the largest radius and twice the gap",
                at=("box",),
            )
        if not self.least_gap >= least:
            raise InputError(
                f"a gap of {self.least_gap:g} um",
                f"one of at least {least:.3g} um, {LEAST_GAP:g} of the box: narrower ones cannot "
                "be meshed",
                at=("gap",),
            )
        check_room(self.radii, self.least_gap / self.box, self.dimension)

    def _check_number(self) -> None:
        if self.count is not None and self.fraction is not None:
            raise InputError("count and fraction", "one of them", at=("fraction",))
        if self.count is None and self.fraction is None and not self.radius.list:
            raise InputError(
                "neither count nor fraction",
                "one of them; without both, radii of a list are taken once each",
            )
        if self.count is not None and not 1 <= self.count <= MOST_DISCS:
            raise InputError(
                f"{self.count}", f"1 to {MOST_DISCS:,} {ONE[self.dimension]}s", at=("count",)
            )
        most = MOST_FRACTION[self.dimension]
        if self.fraction is not None and not 0 < self.fraction <= most:
            raise InputError(
                f"{self.fraction:g}",
                f"a fraction above 0 and at most {most:g}",
                at=("fraction",),
            )

    # ---- its discs or spheres ----

    @property
    def least_gap(self) -> float:
        """Least distance of two surfaces (um)."""
        return USUAL_GAP if self.gap is None else self.gap

    @cached_property
    def radii(self) -> Array:
        """Radius of each disc or sphere in units of the box, shape (n,)."""
        return self.radius.draw(self.box, self.seed, self.count, self.fraction, self.dimension)

    @cached_property
    def placement(self) -> Placement:
        """Where they are; placed when first asked for.

        Raises
        ------
        InputError
            If no places are found.
        """
        return place_discs(self.radii, self.seed, self.least_gap / self.box, self.dimension)

    @cached_property
    def balls(self) -> PlacedBalls:
        """The discs or spheres as a cell of their own, with the same compartments."""
        return placed_balls(self.placement.centres, self.radii, self.interior)

    def describe(self) -> str:
        """Say how many discs or spheres the cell holds."""
        count = len(self.radii)
        return f"{count:,} random {ONE[self.dimension]}{'s' if count != 1 else ''}"

    def own_length(self) -> float:
        """Return the side of the box (um)."""
        return self.box

    # ---- what it holds ----

    @cached_property
    def compartment_names(self) -> tuple[str, ...]:
        """``outside``, ``cell_1``, ..."""
        count = len(self.radii) if self.interior == "water" else 0
        return ("outside", *(f"cell_{i}" for i in range(1, count + 1)))

    def membranes(self) -> tuple[Membrane, ...]:
        """Return one membrane, or surface of an obstacle, per ball, in their order."""
        numbers = range(1, len(self.radii) + 1)
        if self.interior == "water":
            return tuple(Membrane(f"membrane_{i}", 0, i) for i in numbers)
        return tuple(Membrane(f"surface_{i}", 0, NOTHING) for i in numbers)

    def measures(self) -> tuple[float, ...]:
        """Return the exact area or volume of each compartment."""
        insides = tuple(ball_measure(self.dimension, radius) for radius in self.radii.tolist())
        return (1.0 - math.fsum(insides), *insides)[: self.n_compartments]

    def interface_measures(self) -> tuple[float, ...]:
        """Return the exact length or area of each membrane or surface."""
        return tuple(surface_measure(self.dimension, radius) for radius in self.radii.tolist())

    # ---- how it is written ----

    def to_dict(self) -> Plain:
        """Return plain values: what the packing is made from, not where its balls are."""
        plain: Plain = {"kind": self.kind, "box": self.box, "seed": self.seed}
        plain |= {"interior": self.interior, "law": self.radius.name}
        given = {"count": self.count, "fraction": self.fraction, "gap": self.gap}
        plain |= {key: value for key, value in given.items() if value is not None}
        if self.dimension != 2:
            plain["dimension"] = self.dimension
        if spread := self.radius.gamma or self.radius.lognormal:
            keys = ("mean", "sd", "least", "most")
            return plain | {f"radius_{key}": float(getattr(spread, key)) for key in keys}
        radii = self.radius.uniform or self.radius.list
        return plain | {f"radius_{i}": float(radius) for i, radius in enumerate(radii)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        law: dict[str, Any]
        if (name := str(plain["law"])) in (Gamma.name, Lognormal.name):
            keys = ("mean", "sd", "least", "most")
            spread = Gamma if name == Gamma.name else Lognormal
            law = {name: spread(*(float(plain[f"radius_{key}"]) for key in keys))}
        else:
            law = {name: tuple(float(r) for _, r in numbered(plain, "radius_{}", first=0))}
        return cls(
            box=float(plain["box"]),
            radius=RadiusLaw(**law),
            count=int(plain["count"]) if "count" in plain else None,
            fraction=float(plain["fraction"]) if "fraction" in plain else None,
            seed=int(plain["seed"]),
            gap=float(plain["gap"]) if "gap" in plain else None,
            interior=read_interior(plain),
            dimension=int(plain.get("dimension", 2)),
        )

    # ---- how it is meshed: as its discs or spheres are ----

    def boxes(self, size: float) -> Iterator[Box]:
        """Yield the boxes whose faces pass them at a distance or cut them well."""
        return self.balls.boxes(size)

    def draw(self, canvas: Canvas) -> Drawing:
        """Draw the box with the discs or spheres in it."""
        return self.balls.draw(canvas)

    def membrane_radii(self) -> Array:
        """Return the radius of each membrane."""
        return self.radii

    def region_tolerances(self, relative: Array) -> Array:
        """Return how far the measure of each region may be off, shape (n_regions,)."""
        return self.balls.region_tolerances(relative)

    def on_membrane(self, places: Array, membrane: NDArray[np.int64]) -> Array:
        """Return places moved onto the nearest image of their circle or sphere."""
        return self.balls.on_membrane(places, membrane)

    def place_name(self, place: Array) -> str:
        """Say which disc or sphere is nearest to a place."""
        return self.balls.place_name(place)

    def advice(self, least: str) -> str:
        """Say where it is narrowest, and what could help."""
        return f"{self.balls.advice(least)}, a larger gap, and another seed"
