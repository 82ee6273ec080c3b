"""Spheres in space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.fields import check_kinds, declared
from torrey.geometry.balls import Ball, read_interior
from torrey.geometry.lattices import (
    CUBIC,
    LATTICES,
    check_lattice,
    describe_lattice,
    lattice_from_plain,
    lattice_to_plain,
)
from torrey.geometry.membranes import Plain
from torrey.geometry.packing import Packing


@dataclass(frozen=True)
class Sphere(Ball):
    """A sphere.

    See `Ball`.
    """

    center: tuple[float, ...] = declared(
        description="three numbers in [0, 1[, such as [0.5, 0.5, 0.5]", min_length=3, max_length=3
    )

    dimension: ClassVar[int] = 3


@dataclass(frozen=True)
class Spheres(Packing):
    """Spheres in space that neither overlap nor touch, periodic images included.

    See `Balls`.

    Parameters
    ----------
    cells, interior
        See `Balls`.
    lattice : tuple of tuple of float, or str
        Three vectors by which the cell repeats, or the name of one of
        `torrey.geometry.lattices.LATTICES`.

    Raises
    ------
    ValueError
        If spheres are closer than `LEAST_GAP`, or the lattice is no lattice.
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

    kind: ClassVar[str] = "spheres"
    dimension: ClassVar[int] = 3
    dimensions: ClassVar[tuple[int, ...]] = (3,)
    ball: ClassVar[type[Ball]] = Sphere

    def __post_init__(self) -> None:
        if isinstance(self.lattice, str) and self.lattice in LATTICES:
            object.__setattr__(self, "lattice", LATTICES[self.lattice])
        check_kinds(self)
        check_lattice(self.lattice)
        super().__post_init__()

    @property
    def periods(self) -> NDArray[np.float64]:
        """Vectors by which the cell repeats, as rows, shape (3, 3)."""
        return np.array(self.lattice, dtype=float)

    def describe(self) -> str:
        """Say what the cell is: its spheres, and a lattice that is not cubic."""
        return ", ".join(filter(None, (super().describe(), describe_lattice(self.lattice))))

    def to_dict(self) -> Plain:
        """Return plain values; the lattice only where it is not cubic."""
        return super().to_dict() | lattice_to_plain(self.lattice)

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        return cls(cls.read_cells(plain), read_interior(plain), lattice_from_plain(plain))
