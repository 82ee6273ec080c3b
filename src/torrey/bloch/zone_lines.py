"""Lines through the Brillouin zone along which wave vectors return to where they began."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm

import numpy as np
from numpy.typing import ArrayLike

from torrey.base.errors import InputError
from torrey.base.stored import stored
from torrey.cell.folding import Zone
from torrey.cell.operators import Array

Integers = tuple[int, ...]

#: Largest component of the reciprocal lattice vector along a line.
_LARGEST = 12
#: Unit vectors that differ by less are the same.
PARALLEL = 1e-9


@dataclass(frozen=True)
class ZoneLine:
    """A line through the Brillouin zone along a reciprocal lattice vector G.

    p and p + |G| are equivalent. 2 pi / width is the period of the lattice along the line, such as
    L / sqrt(2) along the diagonal of the square lattice (MMG20 figure 3). The integers have no
    common divisor.
    """

    integers: Integers = field(
        metadata=stored(
            ("axis",), "1", "G in units of the basis of the reciprocal lattice", dtype=np.int32
        )
    )
    direction: Array = field(metadata=stored(("axis",), "1", "unit vector"))
    width: float = field(metadata=stored((), "rad um-1", "length of G"))


def zone_line(lattice: Array, period: float, direction: ArrayLike) -> ZoneLine:
    """The line along a direction, if a reciprocal lattice vector lies on it.

    Parameters
    ----------
    lattice : (d, d) float
        Rows are the periods of the cell, in units of L.
    period : float
        L (um).
    direction : (d,) array_like

    Raises
    ------
    ValueError
        If no reciprocal lattice vector with components up to 12 is along the direction.
    """
    n = np.asarray(direction, dtype=float)
    if n.shape != (len(lattice),) or not np.all(np.isfinite(n)) or not np.any(n):
        raise InputError(
            f"direction {n.tolist()}", f"{len(lattice)} finite components, not all zero"
        )
    zone = Zone(lattice, period)
    turns = zone.turns(n)
    scaled = turns / turns[np.abs(turns).argmax()]
    parts = [Fraction(float(x)).limit_denominator(_LARGEST) for x in scaled]
    common = lcm(*(part.denominator for part in parts))
    sign = 1 if turns[np.abs(turns).argmax()] > 0 else -1
    integers = tuple(sign * int(part * common) for part in parts)
    integers = tuple(m // gcd(*integers) for m in integers)
    vector = zone.vector(integers)
    width = float(np.linalg.norm(vector))
    unit = vector / width
    aligned = np.allclose(unit, n / np.linalg.norm(n), rtol=0.0, atol=PARALLEL)
    if not aligned or max(map(abs, integers)) > _LARGEST:
        raise InputError(
            f"direction {n.tolist()}",
            "one along a vector of the reciprocal lattice with integer components up to "
            f"{_LARGEST}, such as (1, 0) or (1, 1) for the square lattice",
        )
    return ZoneLine(integers, unit, width)
