"""What cells of discs in the plane and cells of spheres in space have in common.

Lengths are in units of the cell. A centre is given in fractions of the periods of the lattice,
which are the unit vectors unless said otherwise. How they are meshed:
`torrey.geometry.balls.packing`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from itertools import product
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.boxes import reduced_basis
from torrey.geometry.interiors import Interior, check_apart, check_interior, read_interior
from torrey.geometry.membranes import NOTHING, Membrane, Plain, numbered
from torrey.geometry.shapes import LEAST_GAP, Part, Shape

Exterior = Literal["water", "wall"]

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Ball:
    """A disc or a sphere; it may reach across the boundary of the cell.

    Parameters
    ----------
    center : tuple of float
        In [0, 1[, in fractions of the periods.
    radius : float
        Above 0, in units of the cell.

    Raises
    ------
    ValueError
        If the centre lies outside the cell or the radius is impossible.
    """

    center: tuple[float, ...]
    radius: float = declared(description="a number above 0 and below 0.5, in units of the cell")

    dimension: ClassVar[int]

    def __post_init__(self) -> None:
        check_kinds(self)
        if len(self.center) != self.dimension or not all(0 <= x < 1 for x in self.center):
            count = {2: "two", 3: "three"}[self.dimension]
            raise InputError(f"{list(self.center)}", f"{count} numbers in [0, 1[", at=("center",))
        largest = (1 - LEAST_GAP) / 2
        if not 0 < self.radius <= largest + _ROUNDING:
            raise InputError(
                f"{self.radius:g}",
                f"a radius above 0 and at most {largest:g}, "
                f"so that the {type(self).__name__.lower()} does not touch its own periodic image",
                at=("radius",),
            )


@dataclass(frozen=True)
class Balls(Shape):
    """Discs or spheres that neither overlap nor touch, periodic images included.

    Compartment 0 is the outside. With ``interior="water"`` each ball is a compartment behind its
    own membrane; with ``"obstacle"`` it is not there, and its surface may relax magnetisation. With
    ``exterior="wall"`` the outside is not there: the balls are pores, the compartments from 0 on,
    and their surfaces may relax magnetisation.

    Parameters
    ----------
    cells : tuple of Ball
        None at all makes a homogeneous cell.
    interior : {"water", "obstacle"}
    exterior : {"water", "wall"}
        By its name alone.

    Raises
    ------
    ValueError
        If two balls, layers included, are closer than `LEAST_GAP`, or nothing holds water.
    """

    cells: tuple[Ball, ...]
    interior: Interior = declared(
        description="water (the insides are compartments) or obstacle (they are not there)",
        default="water",
    )
    _: KW_ONLY
    exterior: Exterior = declared(
        description="water, or wall (the outside is not there: water is inside the balls alone)",
        default="water",
    )

    dimension: ClassVar[int]
    ball: ClassVar[type[Ball]]

    def __post_init__(self) -> None:
        check_kinds(self)
        check_interior(self.interior)
        if self.exterior not in ("water", "wall"):
            raise InputError(f'"{self.exterior}"', "water or wall", at=("exterior",))
        if self.has_wall and not self._n_inside:
            accepted = f"{self.kind} with water inside: nothing else holds water"
            raise InputError("a wall around no water", accepted, at=("exterior",))
        check_apart(self.kind, self._conflicts())

    @property
    def coat_thickness(self) -> float:
        """Thickness of a coat of water around each ball, between two membranes; 0 without."""
        return 0.0

    @property
    def outer_radii(self) -> NDArray[np.float64]:
        """Radius of each ball with what coats it, shape (n_cells,)."""
        return np.array([cell.radius for cell in self.cells], dtype=float) + self.coat_thickness

    @property
    def has_wall(self) -> bool:
        """Whether there is no water outside."""
        return self.exterior == "wall"

    @property
    def first_inside(self) -> int:
        """Number of the compartment, and region, inside the first ball."""
        return 0 if self.has_wall else 1

    @property
    def compartment_names(self) -> tuple[str, ...]:
        """``outside``, ``cell_1``, ..., and where there are coats ``coat_1``, ..."""
        numbers = range(1, self._n_inside + 1)
        coats = [f"coat_{i}" for i in numbers if self.coat_thickness]
        return ("outside", *(f"cell_{i}" for i in numbers), *coats)[1 - self.first_inside :]

    @property
    def region_parts(self) -> tuple[Part, ...]:
        """Key of a material: ``outside``, ``inside`` and ``coat``."""
        outside: tuple[Part, ...] = () if self.has_wall else ("outside",)
        inside: tuple[Part, ...] = ("inside",)
        coat: tuple[Part, ...] = ("coat",) if self.coat_thickness else ()
        return (*outside, *inside * self._n_inside, *coat * self._n_inside)

    def radial_centres(self) -> Mapping[int, NDArray[np.float64]]:
        """Return the centre of each coat, by its region; see `Shape.radial_centres`."""
        if not self.coat_thickness:
            return {}
        first = self.first_inside + len(self.cells)
        return {
            first + i: np.array(cell.center) @ self.periods for i, cell in enumerate(self.cells)
        }

    @property
    def _n_inside(self) -> int:
        return len(self.cells) if self.interior == "water" else 0

    def membranes(self) -> tuple[Membrane, ...]:
        """Return one membrane, or surface of an obstacle or a wall, per ball, in their order.

        Those around the coats follow: ``coat_membrane_1``, ..., or ``surface_1``, ... within walls.
        """
        numbers, first = range(len(self.cells)), self.first_inside
        if self.interior != "water":
            return tuple(Membrane(f"surface_{i + 1}", 0, NOTHING) for i in numbers)
        last = first
        inner: tuple[Membrane, ...] = ()
        if self.coat_thickness:
            last += len(self.cells)
            inner = tuple(Membrane(f"membrane_{i + 1}", last + i, first + i) for i in numbers)
        if self.has_wall:
            return inner + tuple(Membrane(f"surface_{i + 1}", last + i, NOTHING) for i in numbers)
        name = "coat_membrane" if inner else "membrane"
        return inner + tuple(Membrane(f"{name}_{i + 1}", 0, last + i) for i in numbers)

    def measures(self) -> tuple[float, ...]:
        """Return the exact area or volume of each compartment."""
        d = self.dimension
        insides = [ball_measure(d, cell.radius) for cell in self.cells]
        whole = [ball_measure(d, float(radius)) for radius in self.outer_radii]
        cell = abs(float(np.linalg.det(self.periods)))
        coats = [outer - inner for outer, inner in zip(whole, insides, strict=True)]
        every = (cell - math.fsum(whole), *insides, *coats)[1 - self.first_inside :]
        return every[: self.n_compartments]

    def interface_measures(self) -> tuple[float, ...]:
        """Return the exact length or area of each membrane or surface."""
        radii = [cell.radius for cell in self.cells]
        if self.coat_thickness:
            radii += self.outer_radii.tolist()
        return tuple(surface_measure(self.dimension, radius) for radius in radii)

    def to_dict(self) -> Plain:
        """Return plain values, numbered from 1 as the compartments are."""
        plain: Plain = {"kind": self.kind, "interior": self.interior}
        # Only where it is so: what has always been keeps its name.
        plain |= {"exterior": self.exterior} if self.has_wall else {}
        for i, cell in enumerate(self.cells, start=1):
            plain |= {f"cell_{i}_{axis}": x for axis, x in zip("xyz", cell.center, strict=False)}
            plain[f"cell_{i}_radius"] = cell.radius
        return plain

    @classmethod
    def read_cells(cls, plain: Mapping[str, str | int | float]) -> tuple[Any, ...]:
        """Return the balls of plain values."""
        axes = "xyz"[: cls.dimension]
        return tuple(
            cls.ball(tuple(float(plain[f"cell_{i}_{axis}"]) for axis in axes), float(radius))
            for i, radius in numbered(plain, "cell_{}_radius", first=1)
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        return cls(cls.read_cells(plain), read_interior(plain), exterior=read_exterior(plain))

    def _conflicts(self) -> Iterator[str]:
        """Say of every pair of balls that overlaps, touches or nearly touches what is wrong."""
        if not self.cells:
            return
        periods, radii = self.periods, self.outer_radii
        centers = np.array([cell.center for cell in self.cells])
        if np.any(periods != np.eye(self.dimension)):
            # Next neighbours differ by -1, 0 or 1 of the shortest vectors, not of any.
            centers = centers @ periods
            periods = reduced_basis(periods)
            centers = centers @ np.linalg.inv(periods)
        images = np.array(list(product((-1, 0, 1), repeat=self.dimension)))
        # In a cubic lattice the nearest image is found by rounding.
        near = images if np.any(periods != np.eye(self.dimension)) else images[:1] * 0
        own = np.linalg.norm(images[images.any(axis=1)] @ periods, axis=1).min()
        for i in range(len(self.cells)):
            if own < 2 * radii[i] + LEAST_GAP - _ROUNDING:
                yield (
                    f"the centres of cell_{i + 1} and its periodic image are {own:.6g} apart, "
                    f"the least is {2 * radii[i] + LEAST_GAP:.6g}"
                )
            apart = centers[i + 1 :] - centers[i]
            apart -= np.round(apart)
            places = (apart[:, None] + near) @ periods
            distance = np.linalg.norm(places, axis=-1).min(axis=1, initial=np.inf)
            least = radii[i] + radii[i + 1 :] + LEAST_GAP
            for j in np.flatnonzero(distance < least - _ROUNDING):
                yield (
                    f"the centres of cell_{i + 1} and cell_{i + j + 2} are {distance[j]:.6g} "
                    f"apart, the least is {least[j]:.6g}"
                )


def ball_measure(dimension: int, radius: float) -> float:
    """Return the area of a disc or the volume of a sphere."""
    return math.pi * radius**2 if dimension == 2 else 4.0 / 3.0 * math.pi * radius**3


def surface_measure(dimension: int, radius: float) -> float:
    """Return the length of a circle or the area of a sphere."""
    return 2 * math.pi * radius if dimension == 2 else 4 * math.pi * radius**2


def read_exterior(plain: Mapping[str, str | int | float]) -> Exterior:
    """Return what stands outside, of plain values."""
    return "wall" if plain.get("exterior") == "wall" else "water"
