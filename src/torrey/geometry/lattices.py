"""Lattices of cells in space: three vectors, or the name of a usual one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from types import MappingProxyType
from typing import Final

import numpy as np

from torrey.base.errors import InputError
from torrey.geometry.membranes import Plain

Vectors = tuple[tuple[float, ...], ...]

LONGEST_PERIOD: Final = 1e3
"""Largest component of a vector of a lattice, in units of the cell."""

CUBIC: Final[Vectors] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

LATTICES: Final[Mapping[str, Vectors]] = MappingProxyType(
    {
        "cubic": CUBIC,
        "bcc": ((-0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.5, 0.5, -0.5)),
        "fcc": ((0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)),
        "hexagonal": ((1.0, 0.0, 0.0), (0.5, math.sqrt(3.0) / 2.0, 0.0), (0.0, 0.0, 1.0)),
    }
)
"""Lattices by name: those of a cube of side 1, its body or faces centred, and of a hexagon of side
1 with a height of 1. One point of the lattice is one cell."""

#: Volumes of a cell below this are those of no lattice.
_LEAST_VOLUME = 1e-3


def check_lattice(vectors: Vectors) -> None:
    """Refuse what does not span space in the right hand's order.

    Raises
    ------
    InputError
        At ``lattice``.
    """
    if (
        len(vectors) != 3
        or any(len(vector) != 3 for vector in vectors)
        or not all(abs(x) <= LONGEST_PERIOD for vector in vectors for x in vector)
        or not np.linalg.det(np.array(vectors, dtype=float)) > _LEAST_VOLUME
    ):
        raise InputError(
            f"{[list(vector) for vector in vectors]}",
            f"{', '.join(LATTICES)}, or three vectors of three numbers each with a positive "
            f"determinant, no number above {LONGEST_PERIOD:g}",
            at=("lattice",),
        )


def lattice_to_plain(vectors: Vectors) -> Plain:
    """Return plain values of a lattice; none of the cubic one."""
    if vectors == CUBIC:
        return {}
    return {f"lattice_{i}{j}": float(x) for (i, j), x in np.ndenumerate(np.array(vectors))}


def lattice_from_plain(plain: Mapping[str, str | int | float]) -> Vectors:
    """Return the lattice that `lattice_to_plain` described."""
    if "lattice_00" not in plain:
        return CUBIC
    x = {(i, j): float(plain[f"lattice_{i}{j}"]) for i, j in product(range(3), repeat=2)}
    return tuple(tuple(x[i, j] for j in range(3)) for i in range(3))


def describe_lattice(vectors: Vectors) -> str:
    """Say which lattice it is; nothing of the cubic one."""
    if vectors == CUBIC:
        return ""
    for name, known in LATTICES.items():
        if vectors == known:
            return name
    listed = [f"({', '.join(f'{x:.3g}' for x in vector)})" for vector in vectors]
    return f"periods {', '.join(listed[:-1])} and {listed[-1]}"
