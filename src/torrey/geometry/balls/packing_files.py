"""Random discs or spheres in a NetCDF file: where they were placed, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.errors import InputError
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of, object_of, stored
from torrey.geometry.balls.random_discs import ONE, narrowest_place
from torrey.geometry.balls.random_packing import PlacedBalls, RandomPacking, placed_balls
from torrey.geometry.membranes import NOTHING

_METHODS = ("addition", "relaxation")


@dataclass(frozen=True)
class StoredPacking:
    """A random packing as its file holds it.

    Attributes
    ----------
    center : (n, d) float
        In units of the box.
    radius : (n,) float
        In units of the box.
    compartment : (n,) int
        Inside each disc or sphere; `NOTHING` where it is an obstacle.
    box : float
        um
    fraction : float
        Part of the box inside them.
    gap : float
        Least distance of two surfaces that was found, or of one and its own image (um).
    method : int
        How they were placed.
    """

    center: NDArray[np.float64] = field(
        metadata=stored(("disc", "axis"), "1", "centre of the disc or sphere in units of the box")
    )
    radius: NDArray[np.float64] = field(
        metadata=stored(("disc",), "1", "radius of the disc or sphere in units of the box")
    )
    compartment: NDArray[np.int64] = field(
        metadata=stored(
            ("disc",),
            "1",
            "compartment inside the disc or sphere; -1 where it is an obstacle",
            dtype=np.int32,
        )
    )
    box: float = field(metadata=stored((), "um", "side of the periodic box"))
    fraction: float = field(metadata=stored((), "1", "part of the box inside discs or spheres"))
    gap: float = field(metadata=stored((), "um", "least distance of two surfaces"))
    method: int = field(
        metadata=stored(
            (),
            "1",
            "one after the other, the largest first, or all pushed apart",
            dtype=np.int32,
            flag_values=np.arange(len(_METHODS), dtype=np.int32),
            flag_meanings=" ".join(_METHODS),
        )
    )

    @classmethod
    def of(cls, shape: RandomPacking) -> Self:
        """Place the discs or spheres of a packing.

        Raises
        ------
        InputError
            If no places are found.
        """
        placed = shape.placement
        numbers = np.arange(1, len(placed.radii) + 1)
        is_water = shape.interior == "water"
        return cls(
            center=placed.centres,
            radius=placed.radii,
            compartment=numbers if is_water else np.full(len(numbers), NOTHING),
            box=shape.box,
            fraction=placed.fraction,
            gap=shape.box * narrowest_place(placed.centres, placed.radii)[2],
            method=_METHODS.index(placed.method),
        )

    @property
    def balls(self) -> PlacedBalls:
        """The discs or spheres as a cell to be meshed."""
        is_obstacle = np.any(self.compartment == NOTHING)
        return placed_balls(self.center, self.radius, "obstacle" if is_obstacle else "water")


def write_packing(path: str | Path, shape: RandomPacking, provenance: Provenance) -> None:
    """Place the discs or spheres of a packing and write where they are."""
    artifacts.write(path, group_of(StoredPacking.of(shape)), provenance)


def read_packing(path: str | Path) -> StoredPacking:
    """Return random discs or spheres that were placed before.

    Raises
    ------
    InputError
        If some of the file overlap: nothing can be computed of them.
    """
    packing = object_of(StoredPacking, artifacts.read(path))
    if len(packing.radius):
        first, second, width = narrowest_place(packing.center, packing.radius)
        if not width > 0.0:
            balls = f"{ONE[packing.center.shape[1]]}s"
            raise InputError(
                f"{path}, whose {balls} {first + 1} and {second + 1} overlap by "
                f"{-width * packing.box:.3g} um",
                f"{balls} apart from each other: remove the file, and the next run places them "
                "anew",
            )
    return packing
