"""Discs in the plane."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.balls.base import Ball, ball_measure, read_exterior
from torrey.geometry.balls.packing import Packing
from torrey.geometry.interiors import read_interior
from torrey.geometry.membranes import Membrane, Plain
from torrey.geometry.shapes import LEAST_GAP, Part

LONGEST_PERIOD: Final = 1e3
"""Largest component of a vector of a lattice, in units of the cell."""


@dataclass(frozen=True)
class Disc(Ball):
    """A disc in the plane.

    Parameters
    ----------
    center : tuple of float
        Two numbers in [0, 1[, in fractions of the periods.
    radius : float
        Above 0 and below 0.5, in units of the cell. It may reach across the faces of the cell.

    Raises
    ------
    InputError
        If the centre lies outside the cell or the radius is impossible.
    """

    center: tuple[float, ...] = declared(
        description="two numbers in [0, 1[, such as [0.5, 0.5]", min_length=2, max_length=2
    )

    dimension: ClassVar[int] = 2


@dataclass(frozen=True)
class Discs(Packing):
    """Discs in the plane that neither overlap nor touch, periodic images included.

    Compartment 0 is the water outside, each disc is another one behind its own membrane. Surfaces
    of obstacles and pores may relax magnetisation.

    Parameters
    ----------
    cells : tuple of Disc
        None at all makes a homogeneous cell.
    interior : {"water", "obstacle"}
        Whether the insides are compartments behind membranes, or are not there.
    exterior : {"water", "wall"}
        Whether there is water outside, or the discs are pores. By its name alone.
    coat : float
        Thickness of a ring around each disc (units of the cell), a compartment of its own between
        two membranes: outside, coat and disc. By its name alone.
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

    cells: tuple[Disc, ...] = declared(
        description="a list of discs, such as {center: [0.5, 0.5], radius: 0.2}"
    )
    layer: float = declared(
        description="a number of 0 to 0.5: thickness of a layer around each disc, in units of the "
        "cell, in the place of a membrane",
        default=0.0,
    )
    lattice: tuple[tuple[float, ...], ...] = declared(
        description="two vectors by which the cell repeats, such as [[1, 0], [0.5, 0.866]]",
        default=((1.0, 0.0), (0.0, 1.0)),
        max_length=3,
    )
    _: KW_ONLY
    coat: float = declared(
        description="0, or a number of 0.001 to 0.5: thickness of a coat of water around each "
        "disc, between two membranes, in units of the cell",
        default=0.0,
    )

    kind: ClassVar[str] = "discs"
    dimension: ClassVar[int] = 2
    dimensions: ClassVar[tuple[int, ...]] = (2,)
    ball: ClassVar[type[Ball]] = Disc

    def __post_init__(self) -> None:
        check_kinds(self)
        if not 0 <= self.layer < 0.5:
            raise InputError(f"{self.layer:g}", "a thickness of 0 to 0.5", at=("layer",))
        if self.layer and self.interior != "water":
            raise InputError("obstacles with a layer", "a layer around water", at=("layer",))
        if self.layer and not self.cells:
            raise InputError("a layer around nothing", "a layer around discs", at=("layer",))
        self._check_coat()
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

    def _check_coat(self) -> None:
        if self.coat and not LEAST_GAP <= self.coat < 0.5:
            raise InputError(
                f"{self.coat:g}", f"0, or a thickness of {LEAST_GAP:g} to 0.5", at=("coat",)
            )
        if self.coat and (self.interior != "water" or not self.cells):
            found = "obstacles with a coat" if self.cells else "a coat around nothing"
            raise InputError(found, "a coat around water", at=("coat",))
        if self.layer and (self.coat or self.has_wall):
            found = "a layer and a coat" if self.coat else "a layer at a wall"
            accepted = "a coat, in which water has membranes on both sides, without a layer"
            raise InputError(found, accepted, at=("layer",))

    @property
    def coat_thickness(self) -> float:
        """Thickness of the coat around each disc; 0 without."""
        return self.coat

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

    @property
    def region_parts(self) -> tuple[Part, ...]:
        """Outside, discs and layers have a value each."""
        if not self.layer:
            return super().region_parts
        inside: tuple[Part, ...] = ("inside",)
        layer: tuple[Part, ...] = ("layer",)
        return ("outside", *inside * len(self.cells), *layer * len(self.cells))

    def describe(self) -> str:
        """Say what the cell is: its discs, their layer and a lattice that is not square."""
        parts = [super().describe()]
        if self.layer:
            parts.append(f"layer of {self.layer:g}")
        if self.lattice != Discs.lattice:
            vectors = (f"({', '.join(f'{x:.3g}' for x in vector)})" for vector in self.lattice)
            parts.append(f"periods {' and '.join(vectors)}")
        return ", ".join(parts)

    def membranes(self) -> tuple[Membrane, ...]:
        """Return the membranes; none where there are layers in their place."""
        return () if self.layer else super().membranes()

    def measures(self) -> tuple[float, ...]:
        """Return the exact area of each compartment."""
        return (math.fsum(self.region_measures()),) if self.layer else super().measures()

    def region_measures(self) -> tuple[float, ...]:
        """Return the exact area of each region."""
        if not self.layer:
            return super().region_measures()
        insides = [ball_measure(2, cell.radius) for cell in self.cells]
        coated = [ball_measure(2, float(radius)) for radius in self.outer_radii]
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
        if self.coat:
            plain["coat"] = self.coat
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
        cells, interior = cls.read_cells(plain), read_interior(plain)
        coat, exterior = float(plain.get("coat", 0.0)), read_exterior(plain)
        return cls(cells, interior, layer, lattice, coat=coat, exterior=exterior)

    def lengths(self) -> Mapping[str, tuple[float, str]]:
        """Return the thickness of the layers or coats where there are some."""
        found = {"layer": self.layer, "coat": self.coat}
        return {
            name: (value, f"thickness of the {name}s in units of the cell")
            for name, value in found.items()
            if value
        }
