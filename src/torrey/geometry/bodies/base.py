"""What cells of closed bodies in space have in common: each is a compartment or an obstacle.

Lengths are in units of the cell, which is a cube of side 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declarations, declared
from torrey.geometry.interiors import Interior, check_apart, check_interior, read_interior
from torrey.geometry.membranes import NOTHING, Membrane, Plain
from torrey.geometry.shapes import Shape
from torrey.geometry.sizes import ROUNDING

Array = NDArray[np.float64]

_COUNTED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Bodies(Shape):
    """Bodies in a cube that neither overlap nor touch, periodic images included.

    Compartment 0 is the outside. With ``interior="water"`` each body is a compartment behind its
    own membrane; with ``"obstacle"`` it is not there, and its surface may relax magnetisation.

    Parameters
    ----------
    cells : tuple
        Of bodies, dataclasses whose fields are numbers and tuples of numbers.
    interior : {"water", "obstacle"}

    Raises
    ------
    ValueError
        If two bodies, or one and its image, are closer than `LEAST_GAP`.
    """

    cells: tuple[Any, ...]
    interior: Interior = declared(
        description="water (the insides are compartments) or obstacle (they are not there)",
        default="water",
    )

    dimension: ClassVar[int] = 3
    dimensions: ClassVar[tuple[int, ...]] = (3,)
    body: ClassVar[type]

    def __post_init__(self) -> None:
        check_kinds(self)
        check_interior(self.interior)
        if not self.cells:
            raise InputError("none", f"at least one of the {self.kind}", at=("cells",))
        check_apart(self.kind, self.conflicts())

    def conflicts(self) -> Iterator[str]:
        """Say of every pair of bodies that overlaps, touches or nearly touches what is wrong."""
        raise NotImplementedError

    def volumes(self) -> tuple[float, ...]:
        """Return the exact volume of each body."""
        raise NotImplementedError

    @property
    def compartment_names(self) -> tuple[str, ...]:
        """``outside``, ``cell_1``, ..."""
        count = len(self.cells) if self.interior == "water" else 0
        return ("outside", *(f"cell_{i}" for i in range(1, count + 1)))

    def membranes(self) -> tuple[Membrane, ...]:
        """Return one membrane, or surface of an obstacle, per body, in their order."""
        numbers = range(1, len(self.cells) + 1)
        if self.interior == "water":
            return tuple(Membrane(f"membrane_{i}", 0, i) for i in numbers)
        return tuple(Membrane(f"surface_{i}", 0, NOTHING) for i in numbers)

    def measures(self) -> tuple[float, ...]:
        """Return the exact volume of each compartment."""
        insides = self.volumes()
        return (1.0 - math.fsum(insides), *insides)[: self.n_compartments]

    def region_tolerances(self, relative: Array) -> Array:
        """Return how far the volume of each region may be off, shape (n_regions,); like h^4."""
        inside = np.array(self.volumes()) * relative
        return np.array([inside.sum() + ROUNDING, *inside])[: self.n_compartments]

    def owner_region(self, number: int) -> int | None:
        """Return the region inside a body, numbered from 0; None where nothing is."""
        return None if self.interior == "obstacle" else number + 1

    def counted(self) -> str:
        """Say how many bodies there are."""
        count = len(self.cells)
        number = _COUNTED[count] if count < len(_COUNTED) else f"{count}"
        return f"{number} {self.kind if count > 1 else self.kind.removesuffix('s')}"

    def to_dict(self) -> Plain:
        """Return plain values, numbered from 1 as the compartments are."""
        plain: Plain = {"kind": self.kind, "interior": self.interior}
        for i, cell in enumerate(self.cells, start=1):
            for name in declarations(self.body):
                plain |= _flat(f"cell_{i}_{name}", getattr(cell, name))
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        cells, i = [], 1
        while any(name.startswith(f"cell_{i}_") for name in plain):
            values = {name: _nested(plain, f"cell_{i}_{name}") for name in declarations(cls.body)}
            cells.append(cls.body(**values))
            i += 1
        return cls(tuple(cells), read_interior(plain))


def _flat(name: str, value: Any) -> Plain:
    """Plain values of a number, or of tuples of them: their places are added to the name."""
    if not isinstance(value, tuple):
        return {name: value}
    return {k: x for i, part in enumerate(value) for k, x in _flat(f"{name}_{i}", part).items()}


def _nested(plain: Mapping[str, str | int | float], name: str) -> Any:
    """What `_flat` made plain."""
    if name in plain:
        return plain[name]
    parts: list[Any] = []
    while any(
        key == (part := f"{name}_{len(parts)}") or key.startswith(f"{part}_") for key in plain
    ):
        parts.append(_nested(plain, part))
    return tuple(parts)


def check_place(center: tuple[float, ...]) -> None:
    """Refuse a centre outside the cell.

    Raises
    ------
    InputError
        At ``center``.
    """
    if len(center) != 3 or not all(0 <= x < 1 for x in center):
        raise InputError(f"{list(center)}", "three numbers in [0, 1[", at=("center",))
