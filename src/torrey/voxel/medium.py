"""A periodic square full of discs, in um."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.stored import stored
from torrey.geometry.balls.packing_files import StoredPacking
from torrey.geometry.balls.random_discs import inner_voxel
from torrey.geometry.membranes import NOTHING

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DiscMedium:
    """Discs in a periodic square that do not overlap.

    Attributes
    ----------
    side : float
        Of the square (um).
    centres : (n, 2) float
        In [0, side[ (um).
    radii : (n,) float
        In um.
    gap : float
        Least distance of two circles (um).
    dropped : int
        Discs of a larger packing that found no room when this square was cut out of it.
    """

    side: float = field(metadata=stored((), "um", "side of the periodic square"))
    centres: Array = field(metadata=stored(("disc", "axis"), "um", "centre of each disc"))
    radii: Array = field(metadata=stored(("disc",), "um", "radius of each disc"))
    gap: float = field(metadata=stored((), "um", "least distance of two circles"))
    dropped: int = field(
        default=0,
        metadata=stored(
            (), "1", "discs that found no room when the square was cut out", dtype=np.int32
        ),
    )

    @classmethod
    def of(cls, packing: StoredPacking) -> Self:
        """Return the discs of a placed packing.

        Raises
        ------
        InputError
            If they are obstacles.
        """
        if np.any(packing.compartment == NOTHING):
            raise InputError("discs that are obstacles", "interior: water", at=("interior",))
        box = packing.box
        return cls(box, packing.center * box, packing.radius * box, packing.gap)

    def inner(self, side: float) -> Self:
        """Return the central square of some side (um), as a periodic medium of its own.

        A disc belongs to it if its centre does; see
        `torrey.geometry.balls.random_discs.inner_voxel`.
        """
        box = self.side
        centres, radii, dropped = inner_voxel(
            self.centres / box, self.radii / box, box, side, self.gap / box * (1.0 - 1e-6)
        )
        return type(self)(side, centres * side, radii * side, self.gap, dropped)

    @property
    def fraction(self) -> float:
        """Part of the square inside the discs: theta_c."""
        return math.pi * math.fsum((self.radii**2).tolist()) / self.side**2

    @property
    def surface(self) -> float:
        """Length of all membranes over the area inside them, |Gamma| / |Y_c| (1/um)."""
        return 2.0 * math.fsum(self.radii.tolist()) / math.fsum((self.radii**2).tolist())
