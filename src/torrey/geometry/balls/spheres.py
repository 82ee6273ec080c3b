"""Spheres in space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.balls.base import Ball, read_exterior
from torrey.geometry.balls.packing import Packing
from torrey.geometry.interiors import read_interior
from torrey.geometry.lattices import (
    CUBIC,
    LATTICES,
    check_lattice,
    describe_lattice,
    lattice_from_plain,
    lattice_to_plain,
)
from torrey.geometry.membranes import Plain
from torrey.geometry.pieces import Drawing

if TYPE_CHECKING:
    from torrey.geometry.drawing import Canvas


LEAST_COAT: Final = 5e-3
"""Of a coat, in units of the cell: thinner ones take millions of elements."""


@dataclass(frozen=True)
class Sphere(Ball):
    """A sphere in space.

    Parameters
    ----------
    center : tuple of float
        Three numbers in [0, 1[, in fractions of the periods.
    radius : float
        Above 0 and below 0.5, in units of the cell. It may reach across the faces of the cell.

    Raises
    ------
    InputError
        If the centre lies outside the cell or the radius is impossible.
    """

    center: tuple[float, ...] = declared(
        description="three numbers in [0, 1[, such as [0.5, 0.5, 0.5]", min_length=3, max_length=3
    )

    dimension: ClassVar[int] = 3


@dataclass(frozen=True)
class Spheres(Packing):
    """Spheres in space that neither overlap nor touch, periodic images included.

    Compartment 0 is the water outside, each sphere is another one behind its own membrane. Surfaces
    of obstacles and pores may relax magnetisation.

    Parameters
    ----------
    cells : tuple of Sphere
        None at all makes a homogeneous cell.
    interior : {"water", "obstacle"}
        Whether the insides are compartments behind membranes, or are not there.
    exterior : {"water", "wall"}
        Whether there is water outside, or the spheres are pores. By its name alone.
    lattice : tuple of tuple of float, or str
        Three vectors by which the cell repeats, or the name of one of
        `torrey.geometry.lattices.LATTICES`.
    coat : float
        Thickness of a concentric shell around each sphere (units of the cell). Above zero it is a
        compartment of its own between two membranes: outside, coat and sphere.

    Raises
    ------
    ValueError
        If spheres with their coats are closer than `LEAST_GAP`, obstacles have a coat, or the
        lattice is no lattice.
    """

    cells: tuple[Sphere, ...] = declared(
        description="a list of spheres, such as {center: [0.5, 0.5, 0.5], radius: 0.4}"
    )
    lattice: tuple[tuple[float, ...], ...] = declared(
        description=f"{', '.join(LATTICES)}, or three vectors by which the cell repeats, such as "
        "[[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0.8]]",
        default=CUBIC,
        max_length=3,
        named=LATTICES,
    )
    coat: float = declared(
        description="0, or a number of 0.005 to 0.5: thickness of a coat of water around each "
        "sphere, between two membranes, in units of the cell",
        default=0.0,
    )

    kind: ClassVar[str] = "spheres"
    dimension: ClassVar[int] = 3
    dimensions: ClassVar[tuple[int, ...]] = (3,)
    ball: ClassVar[type[Ball]] = Sphere

    def __post_init__(self) -> None:
        if isinstance(self.lattice, str) and self.lattice in LATTICES:
            object.__setattr__(self, "lattice", LATTICES[self.lattice])
        check_kinds(self)
        check_lattice(self.lattice)
        if self.coat and not LEAST_COAT <= self.coat < 0.5:
            raise InputError(
                f"{self.coat:g}", f"0, or a thickness of {LEAST_COAT:g} to 0.5", at=("coat",)
            )
        if self.coat and self.interior != "water":
            raise InputError("obstacles with a coat", "a coat around water", at=("coat",))
        if self.coat and not self.cells:
            raise InputError("a coat around nothing", "a coat around spheres", at=("coat",))
        super().__post_init__()

    @property
    def periods(self) -> NDArray[np.float64]:
        """Vectors by which the cell repeats, as rows, shape (3, 3)."""
        return np.array(self.lattice, dtype=float)

    @property
    def coat_thickness(self) -> float:
        """Thickness of the coat around each sphere; 0 without."""
        return self.coat

    def draw(self, canvas: Canvas) -> Drawing:
        """Draw the box with the spheres and their coats in it."""
        if not self.coat:
            return super().draw(canvas)
        # The mesher is loaded by those who mesh.
        from torrey.geometry.balls.shell_drawing import draw_shells

        return draw_shells(self, canvas)

    def lengths(self) -> Mapping[str, tuple[float, str]]:
        """Return the thickness of the coats where there are some."""
        if not self.coat:
            return {}
        return {"coat": (self.coat, "thickness of the coats in units of the cell")}

    def describe(self) -> str:
        """Say what the cell is: its spheres, and a lattice that is not cubic."""
        return ", ".join(filter(None, (super().describe(), describe_lattice(self.lattice))))

    def to_dict(self) -> Plain:
        """Return plain values; lattice and coat only where they are not the usual ones."""
        coat: Plain = {"coat": self.coat} if self.coat else {}
        return super().to_dict() | coat | lattice_to_plain(self.lattice)

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        lattice, coat = lattice_from_plain(plain), float(plain.get("coat", 0.0))
        cells, interior = cls.read_cells(plain), read_interior(plain)
        return cls(cells, interior, lattice, coat, exterior=read_exterior(plain))
