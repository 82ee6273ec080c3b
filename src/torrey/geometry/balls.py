"""Cells of discs in the plane or spheres in space, each a compartment, an obstacle or coated.

Lengths are in units of the cell. A centre is given in fractions of the periods of the lattice,
which are the unit vectors unless said otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.geometry.membranes import NOTHING, Membrane, Plain, numbered

LEAST_GAP = 1e-3
"""Least distance between two membranes, in units of the cell: thinner water cannot be meshed."""

LONGEST_PERIOD = 1e3
"""Largest component of a vector of a lattice, in units of the cell."""

Interior = Literal["water", "obstacle"]

_ROUNDING = 1e-12
_PAIRS_SHOWN = 5


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
    radius: float

    dimension: ClassVar[int]

    def __post_init__(self) -> None:
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
class Disc(Ball):
    """A disc in the plane; see `Ball`."""

    dimension: ClassVar[int] = 2


@dataclass(frozen=True)
class Sphere(Ball):
    """A sphere in space; see `Ball`."""

    dimension: ClassVar[int] = 3


@dataclass(frozen=True)
class Balls:
    """Discs or spheres that neither overlap nor touch, periodic images included.

    Compartment 0 is the outside. With ``interior="water"`` each ball is a compartment behind its
    own membrane; with ``"obstacle"`` it is not there, and its surface may relax magnetisation.

    Parameters
    ----------
    cells : tuple of Ball
        None at all makes a homogeneous cell.
    interior : {"water", "obstacle"}

    Raises
    ------
    ValueError
        If two balls, layers included, are closer than `LEAST_GAP`.
    """

    cells: tuple[Ball, ...]
    interior: Interior = "water"

    kind: ClassVar[str]
    dimension: ClassVar[int]
    ball: ClassVar[type[Ball]]

    def __post_init__(self) -> None:
        if self.interior not in ("water", "obstacle"):
            raise InputError(f'"{self.interior}"', "water or obstacle", at=("interior",))
        conflicts = list(self._conflicts())
        if conflicts:
            more = len(conflicts) - _PAIRS_SHOWN
            raise InputError(
                "; ".join(conflicts[:_PAIRS_SHOWN]) + (f"; and {more} more" if more > 0 else ""),
                f"{self.kind} that neither overlap nor touch, periodic images included: "
                f"leave a gap of {LEAST_GAP:g}",
                at=("cells",),
            )

    @property
    def periods(self) -> NDArray[np.float64]:
        """Vectors by which the cell repeats, as rows, shape (d, d)."""
        return np.eye(self.dimension)

    @property
    def outer_radii(self) -> NDArray[np.float64]:
        """Radius of each ball with what coats it, shape (n_cells,)."""
        return np.array([cell.radius for cell in self.cells], dtype=float)

    @property
    def n_compartments(self) -> int:
        """Compartments: the outside, and each ball that holds water behind a membrane."""
        return len(self.compartment_names)

    @property
    def compartment_names(self) -> tuple[str, ...]:
        """``outside``, ``cell_1``, ..."""
        return ("outside", *(f"cell_{i}" for i in range(1, self._n_inside + 1)))

    @property
    def region_names(self) -> tuple[str, ...]:
        """Parts with a material of their own; the compartments, unless some of them are coated."""
        return self.compartment_names

    @property
    def region_compartment(self) -> tuple[int, ...]:
        """Compartment of each region."""
        return tuple(range(self.n_compartments))

    @property
    def _n_inside(self) -> int:
        return len(self.cells) if self.interior == "water" else 0

    def membranes(self) -> tuple[Membrane, ...]:
        """Return one membrane, or surface of an obstacle, per ball, in their order."""
        if self.interior == "water":
            return tuple(Membrane(f"membrane_{i}", 0, i) for i in range(1, len(self.cells) + 1))
        return tuple(Membrane(f"surface_{i}", 0, NOTHING) for i in range(1, len(self.cells) + 1))

    def measures(self) -> tuple[float, ...]:
        """Return the exact area or volume of each compartment."""
        insides = tuple(_ball_measure(self.dimension, cell.radius) for cell in self.cells)
        cell = abs(float(np.linalg.det(self.periods)))
        return (cell - math.fsum(insides), *insides)[: self.n_compartments]

    def region_measures(self) -> tuple[float, ...]:
        """Return the exact area or volume of each region."""
        return self.measures()

    def interface_measures(self) -> tuple[float, ...]:
        """Return the exact length or area of each membrane or surface."""
        return tuple(_surface_measure(self.dimension, cell.radius) for cell in self.cells)

    def to_dict(self) -> Plain:
        """Return plain values, numbered from 1 as the compartments are."""
        plain: Plain = {"kind": self.kind, "interior": self.interior}
        for i, cell in enumerate(self.cells, start=1):
            plain |= {f"cell_{i}_{axis}": x for axis, x in zip("xyz", cell.center, strict=False)}
            plain[f"cell_{i}_radius"] = cell.radius
        return plain

    @classmethod
    def _read_cells(cls, plain: Mapping[str, str | int | float]) -> tuple[Ball, ...]:
        axes = "xyz"[: cls.dimension]
        return tuple(
            cls.ball(tuple(float(plain[f"cell_{i}_{axis}"]) for axis in axes), float(radius))
            for i, radius in numbered(plain, "cell_{}_radius", first=1)
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        return cls(cls._read_cells(plain), _interior(plain))

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


@dataclass(frozen=True)
class Discs(Balls):
    """Discs in the plane; see `Balls`.

    Parameters
    ----------
    cells, interior
        See `Balls`.
    layer : float
        Thickness of a layer around each disc (units of the cell). Above zero there are no
        membranes: outside, discs and layers are regions of one compartment, in which the field is
        continuous and the diffusivity is not (KHM19, section 5).
    lattice : tuple of tuple of float
        Two vectors by which the cell repeats.

    Raises
    ------
    ValueError
        If discs are closer than `LEAST_GAP`, obstacles have a layer or the lattice is no lattice.
    """

    layer: float = 0.0
    lattice: tuple[tuple[float, ...], ...] = ((1.0, 0.0), (0.0, 1.0))

    kind: ClassVar[str] = "discs"
    dimension: ClassVar[int] = 2
    ball: ClassVar[type[Ball]] = Disc

    def __post_init__(self) -> None:
        if not 0 <= self.layer < 0.5:
            raise InputError(f"{self.layer:g}", "a thickness of 0 to 0.5", at=("layer",))
        if self.layer and self.interior != "water":
            raise InputError("obstacles with a layer", "a layer around water", at=("layer",))
        if self.layer and not self.cells:
            raise InputError("a layer around nothing", "a layer around discs", at=("layer",))
        if (
            len(self.lattice) != 2
            or any(len(vector) != 2 for vector in self.lattice)
            or not all(abs(x) <= LONGEST_PERIOD for vector in self.lattice for x in vector)
            or not np.linalg.det(self.periods) > 1e-3
        ):
            raise InputError(
                f"{[list(vector) for vector in self.lattice]}",
                "two vectors of two numbers each, the second to the left of the first, "
                f"no number above {LONGEST_PERIOD:g}",
                at=("lattice",),
            )
        super().__post_init__()

    @property
    def periods(self) -> NDArray[np.float64]:
        """Vectors by which the cell repeats, as rows, shape (2, 2)."""
        return np.array(self.lattice, dtype=float)

    @property
    def outer_radii(self) -> NDArray[np.float64]:
        """Radius of each disc with its layer, shape (n_cells,)."""
        return super().outer_radii + self.layer

    @property
    def _n_inside(self) -> int:
        return 0 if self.layer else super()._n_inside

    @property
    def region_names(self) -> tuple[str, ...]:
        """The compartments; or ``outside``, ``cell_1``, ..., ``layer_1``, ... of a single one."""
        if not self.layer:
            return super().region_names
        numbers = range(1, len(self.cells) + 1)
        return ("outside", *(f"cell_{i}" for i in numbers), *(f"layer_{i}" for i in numbers))

    @property
    def region_compartment(self) -> tuple[int, ...]:
        """Compartment of each region."""
        return (0,) * len(self.region_names) if self.layer else super().region_compartment

    def membranes(self) -> tuple[Membrane, ...]:
        """Return the membranes; none where there are layers in their place."""
        return () if self.layer else super().membranes()

    def measures(self) -> tuple[float, ...]:
        """Return the exact area of each compartment."""
        return (math.fsum(self.region_measures()),) if self.layer else super().measures()

    def region_measures(self) -> tuple[float, ...]:
        """Return the exact area of each region."""
        if not self.layer:
            return super().measures()
        insides = [_ball_measure(2, cell.radius) for cell in self.cells]
        coated = [_ball_measure(2, float(radius)) for radius in self.outer_radii]
        layers = [outer - inner for outer, inner in zip(coated, insides, strict=True)]
        cell = abs(float(np.linalg.det(self.periods)))
        return (cell - math.fsum(coated), *insides, *layers)

    def interface_measures(self) -> tuple[float, ...]:
        """Return the exact length of each membrane or surface."""
        return () if self.layer else super().interface_measures()

    def to_dict(self) -> Plain:
        """Return plain values; layer and lattice only where they are not the usual ones."""
        plain = super().to_dict()
        if self.layer:
            plain["layer"] = self.layer
        if self.lattice != Discs.lattice:
            entries = np.ndenumerate(np.array(self.lattice))
            plain |= {f"lattice_{i}{j}": float(x) for (i, j), x in entries}
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        lattice = cls.lattice
        if "lattice_00" in plain:
            lattice = tuple(
                tuple(float(plain[f"lattice_{i}{j}"]) for j in range(2)) for i in range(2)
            )
        layer = float(plain.get("layer", 0.0))
        return cls(cls._read_cells(plain), _interior(plain), layer, lattice)


@dataclass(frozen=True)
class Spheres(Balls):
    """Spheres in a cubic cell; see `Balls`."""

    kind: ClassVar[str] = "spheres"
    dimension: ClassVar[int] = 3
    ball: ClassVar[type[Ball]] = Sphere


def reduced_basis(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shortest basis of the same lattice, by Lagrange and Gauss in the plane, shape (d, d).

    In space the lattices are cubic, and what is given comes back.
    """
    if len(vectors) != 2:
        return np.asarray(vectors, dtype=float)
    short, long = sorted(np.array(vectors, dtype=float), key=np.linalg.norm)
    while turns := round(float(short @ long) / float(short @ short)):
        short, long = sorted((short, long - turns * short), key=np.linalg.norm)
    basis = np.array([short, long])
    return basis if np.linalg.det(basis) > 0 else np.array([short, -long])


def _ball_measure(dimension: int, radius: float) -> float:
    return math.pi * radius**2 if dimension == 2 else 4.0 / 3.0 * math.pi * radius**3


def _surface_measure(dimension: int, radius: float) -> float:
    return 2 * math.pi * radius if dimension == 2 else 4 * math.pi * radius**2


def _interior(plain: Mapping[str, str | int | float]) -> Interior:
    return "obstacle" if plain["interior"] == "obstacle" else "water"
