"""Flat layers across the cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.membranes import Membrane, Plain, numbered
from torrey.geometry.pieces import Drawing, Owner, Side
from torrey.geometry.shapes import Shape

if TYPE_CHECKING:
    from torrey.geometry.drawing import Canvas

Array = NDArray[np.float64]

LEAST_THICKNESS: Final = 1e-3
"""Of a layer, in units of the cell. At a tenth of it the basis of a projected model begins to be
dominated by rounding: P4 without permeability is off by 3e-4 there, six times its estimate."""


@dataclass(frozen=True)
class Layers(Shape):
    """Flat layers across the cell, with a membrane at every change of layer.

    Layer 0 is centred on the origin, so it wraps around; the others follow it along x. One layer of
    thickness 1 has one membrane per period, at x = 0.5.

    Parameters
    ----------
    thicknesses : tuple of float
        At least `LEAST_THICKNESS`, with sum 1 (units of the cell).
    dimension : {1, 2, 3}
        The layers are those of the line, of the square or of the cube.

    Raises
    ------
    ValueError
        If a thickness is too small, the sum is not 1 or the dimension is another.
    """

    thicknesses: tuple[float, ...] = declared(
        description=f"a list of numbers of at least {LEAST_THICKNESS:g} with sum 1, such as "
        "[0.6, 0.4]",
        min_length=1,
    )
    dimension: int = declared(description="1, 2 or 3", default=1)

    kind: ClassVar[str] = "layers"
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.dimension not in self.dimensions:
            raise InputError(f"{self.dimension}", "1, 2 or 3", at=("dimension",))
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
    def compartment_names(self) -> tuple[str, ...]:
        """``layer_0``, ``layer_1``, ..."""
        return tuple(f"layer_{i}" for i in range(len(self.thicknesses)))

    def describe(self) -> str:
        """Say how thick the layers are."""
        return f"flat layers of {', '.join(f'{x:.3g}' for x in self.thicknesses)}"

    def membranes(self) -> tuple[Membrane, ...]:
        """Return the membranes: number i has layer i outside and the next layer inside."""
        n = self.n_compartments
        return tuple(Membrane(f"membrane_{i}", i, (i + 1) % n) for i in range(n))

    def measures(self) -> tuple[float, ...]:
        """Return the thickness of each layer, which is its area or volume too."""
        return self.thicknesses

    def interface_measures(self) -> tuple[float, ...]:
        """Return the measure of each membrane: a point counts 1, what crosses the cell is 1."""
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

    def _edges(self) -> Array:
        """Places of the membranes along x: layer 0 is centred on the origin and wraps around."""
        half = self.thicknesses[0] / 2
        return half + np.concatenate([[0.0], np.cumsum(self.thicknesses[1:])])

    def segments(self) -> Sequence[tuple[float, int]]:
        """Return right end and layer of each segment; layer 0 is the first and the last."""
        ends = [*self._edges().tolist(), 1.0]
        return [(end, i % self.n_compartments) for i, end in enumerate(ends)]

    def draw(self, canvas: Canvas) -> Drawing:
        """Draw strips across the unit square, or slabs across the cube, from left to right."""
        d, occ = self.dimension, canvas.occ
        strips, left = [], 0.0
        for right, _ in self.segments():
            corner, width = (left, 0.0, 0.0), right - left
            drawn = (
                occ.addRectangle(*corner, width, 1.0)
                if d == 2
                else occ.addBox(*corner, width, 1, 1)
            )
            strips.append((d, drawn))
            left = right
        occ.fragment(strips[:1], strips[1:])
        pieces = canvas.entities()
        pieces.sort(key=lambda tag: occ.getCenterOfMass(d, tag)[0])
        owners = zip(pieces, self.segments(), strict=True)
        return Drawing({tag: Owner(layer) for tag, (_, layer) in owners})

    def membrane_between(self, first: Side, second: Side, place: Array) -> tuple[int, bool]:
        """Return the membrane at a place; the layer on its left is outside."""
        membrane = int(np.argmin(np.abs(self._edges() - place[0])))
        return membrane, bool(first.centre[0] < second.centre[0])
