"""What a periodic unit cell is made of, checked before anything is meshed.

Lengths are in units of the cell. Compartments are numbered from 0; in a cell of discs or spheres, 0
is the outside. A region is a part of a compartment with a material of its own: most compartments
are one region.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.geometry.balls import LEAST_GAP, Discs, Spheres
from torrey.geometry.membranes import Membrane, Plain, numbered

LEAST_THICKNESS: Final = LEAST_GAP
"""Of a layer, in units of the cell. At a tenth of it the basis of a projected model begins to be
dominated by rounding: P4 without permeability is off by 3e-4 there, six times its estimate."""


@dataclass(frozen=True)
class Layers:
    """Flat layers across the cell, with a membrane at every change of layer.

    Layer 0 is centred on the origin, so it wraps around; the others follow it along x. One layer of
    thickness 1 has one membrane per period, at x = 0.5.

    Parameters
    ----------
    thicknesses : tuple of float
        At least `LEAST_THICKNESS`, with sum 1 (units of the cell).
    dimension : {1, 2}

    Raises
    ------
    ValueError
        If a thickness is too small, the sum is not 1 or the dimension is neither 1 nor 2.
    """

    thicknesses: tuple[float, ...]
    dimension: int = 1

    kind: ClassVar[str] = "layers"

    def __post_init__(self) -> None:
        if self.dimension not in (1, 2):
            raise InputError(f"{self.dimension}", "1 or 2", at=("dimension",))
        for i, thickness in enumerate(self.thicknesses):
            if not thickness > 0:
                raise InputError(f"{thickness:g}", "a thickness above 0", at=("thicknesses", i))
            if thickness < LEAST_THICKNESS * (1 - 1e-12):
                raise InputError(
                    f"{thickness:g}",
                    f"a thickness of at least {LEAST_THICKNESS:g} of the cell: models of thinner "
                    "layers are lost in rounding",
                    at=("thicknesses", i),
                )
        total = math.fsum(self.thicknesses)
        if not abs(total - 1) <= 1e-9:
            raise InputError(
                f"thicknesses with sum {total:.12g}",
                "thicknesses in units of the cell, with sum 1",
                at=("thicknesses",),
            )

    @property
    def n_compartments(self) -> int:
        """One per layer."""
        return len(self.thicknesses)

    @property
    def compartment_names(self) -> tuple[str, ...]:
        """``layer_0``, ``layer_1``, ..."""
        return tuple(f"layer_{i}" for i in range(self.n_compartments))

    @property
    def region_names(self) -> tuple[str, ...]:
        """The compartments: each is one region."""
        return self.compartment_names

    @property
    def region_compartment(self) -> tuple[int, ...]:
        """Compartment of each region."""
        return tuple(range(self.n_compartments))

    @property
    def periods(self) -> NDArray[np.float64]:
        """Vectors by which the cell repeats, as rows, shape (d, d)."""
        return np.eye(self.dimension)

    def membranes(self) -> tuple[Membrane, ...]:
        """Return the membranes: number i has layer i outside and the next layer inside."""
        n = self.n_compartments
        return tuple(Membrane(f"membrane_{i}", i, (i + 1) % n) for i in range(n))

    def measures(self) -> tuple[float, ...]:
        """Return the thickness of each layer (units of the cell; an area where d = 2)."""
        return self.thicknesses

    def region_measures(self) -> tuple[float, ...]:
        """Return the thickness of each region."""
        return self.thicknesses

    def interface_measures(self) -> tuple[float, ...]:
        """Return the measure of each membrane: a point counts 1, a line across the cell is 1."""
        return (1.0,) * self.n_compartments

    def to_dict(self) -> Plain:
        """Return plain values, numbered from 0 as the layers are."""
        thicknesses = {f"thickness_{i}": value for i, value in enumerate(self.thicknesses)}
        return {"kind": self.kind, "dimension": self.dimension, **thicknesses}

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        thicknesses = tuple(float(value) for _, value in numbered(plain, "thickness_{}", first=0))
        return cls(thicknesses, int(plain["dimension"]))


Shape = Discs | Spheres | Layers

_KINDS: Final[dict[str, type[Shape]]] = {kind.kind: kind for kind in (Discs, Spheres, Layers)}


def shape_from_dict(plain: Mapping[str, str | int | float]) -> Shape:
    """Rebuild a shape of any kind from what its `to_dict` returned."""
    return _KINDS[str(plain["kind"])].from_dict(plain)


@dataclass(frozen=True)
class MeshOptions:
    """How finely a cell is meshed.

    Parameters
    ----------
    size : float
        Target size of the coarsest elements, above 0 and at most 0.5 (units of the cell).
    refinements : int
        How many uniform refinements of the coarsest mesh are available, 0 to 6; each halves the
        size.

    Raises
    ------
    ValueError
        If a value is out of its range.
    """

    size: float = 0.1
    refinements: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.size <= 0.5:
            raise InputError(f"{self.size:g}", "a size above 0 and at most 0.5", at=("size",))
        if self.refinements not in range(7):
            raise InputError(f"{self.refinements}", "0 to 6 refinements", at=("refinements",))

    def to_dict(self) -> Plain:
        """Return plain values."""
        return {"size": self.size, "refinements": self.refinements}
