"""What a periodic cell is, read from quantities; and how similar ones are made from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.cell.material import Material, Radial
from torrey.config.geometries import fit_mesh
from torrey.door.given import Given, fit_material, given_of, read_arguments
from torrey.door.medium import Discretisation, Medium
from torrey.door.quantities import argument, arguments
from torrey.door.site import Site
from torrey.geometry import MeshOptions, Shape

if TYPE_CHECKING:
    from torrey.door.materials import ByPart
    from torrey.door.quantities import Quantity


class Changes(TypedDict, total=False):
    """What may be another in a similar cell: the arguments of `Cell`."""

    shape: Shape
    diffusivity: ByPart
    period: Quantity
    permeability: Quantity | Sequence[Quantity]
    surface_relaxivity: Quantity | Sequence[Quantity]
    T2: ByPart | None
    T1: ByPart | None
    density: ByPart | None
    mesh: MeshOptions | float | None


@dataclass(frozen=True, init=False, repr=False)
class Description:
    """Shape, material, size and meshes of a cell: see `torrey.door.cell.Cell`."""

    shape: Shape
    material: Material
    period: float
    permeability: float
    mesh: MeshOptions
    given: Given = field(compare=False)
    medium: Medium = field(compare=False)

    @classmethod
    def of(
        cls, shape: Shape, material: Material, period: float, permeability: float, mesh: MeshOptions
    ) -> Self:
        """Make a cell of the library's own objects: lengths in um, times in ms."""
        return cls._made("Cell", given_of(shape, material, period, permeability, mesh), None)

    @classmethod
    def _made(cls, call: str, given: Given, like: Medium | None) -> Self:
        made = object.__new__(cls)
        made._fit(call, given, like)
        return made

    def _fit(self, call: str, given: Given, like: Medium | None) -> None:
        """Fit what was given to the shape: the one way in which a cell comes about.

        Parameters
        ----------
        call : str
            For messages.
        given : Given
        like : Medium, optional
            With which meshes and operators are shared as far as they are the same.
        """
        shape = given.shape
        material, kappa = fit_material(call, given)
        mesh = _fit_mesh(call, given.mesh, shape)
        medium = (like or Medium(Discretisation(shape, mesh), material)).filled_with(
            shape, mesh, material
        )
        values = (shape, material, given.period, kappa, mesh, given, medium)
        for field_, value in zip(fields(Description), values, strict=True):
            object.__setattr__(self, field_.name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies in other processes make their meshes themselves."""
        return type(self)._made, ("Cell", self.given, None)

    def __repr__(self) -> str:
        names = self.shape.region_names
        shown = ", ".join(names) if len(names) <= 4 else f"{names[0]} to {names[-1]}"
        D = [
            "a matrix" if isinstance(x, tuple) else f"({x})" if isinstance(x, Radial) else f"{x:g}"
            for x in self.material.diffusivity
        ]
        values = ", ".join(D if len(D) <= 4 and len(set(D)) > 1 else dict.fromkeys(D))
        factors = " times factors" if self.material.membranes else ""
        return (
            f"Cell of {self.shape.kind} in {self.shape.dimension}D: {shown} with D = {values} "
            f"um^2/ms,\n  {self.site.described}"
            f"{factors}{', with relaxing membranes' if self.material.relaxivity else ''}"
            f"{', with T2' if self.material.T2 else ''}"
            f"{', with T1' if self.material.T1 else ''}"
            f"{', with densities' if self.material.density else ''}"
            + "".join(f",\n  {remark}" for remark in self._remarks())
        )

    def _remarks(self) -> tuple[str, ...]:
        """What was made of a file, and how the period scales a cell with a length of its own."""
        own = self.shape.own_length()
        if own is None or math.isclose(own, self.period, rel_tol=1e-9):
            return self.shape.remarks()
        return (*self.shape.remarks(), f"scaled to that period from {own:g} um")

    def with_(self, **changes: Unpack[Changes]) -> Self:
        """Make a similar cell, which shares meshes and operators as far as they are the same.

        It is the cell that `Cell` makes of the same arguments, with these in the place of others,
        and is refused where that one is.

        Parameters
        ----------
        **changes
            Arguments of `Cell` that are others.

        Returns
        -------
        Cell

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", 0.01)
        >>> cell.with_(period="20 um").period
        20.0
        """
        call = "Cell.with_"
        for name in changes:
            if name not in Changes.__annotations__:
                raise InputError(
                    quoted(name), ", ".join(Changes.__annotations__), (f"{call}(...)",)
                )
        given = replace(self.given, **read_arguments(call, changes))
        return self._made(call, given, self.medium)

    @property
    def site(self) -> Site:
        """Medium, period and permeability: what signals depend on."""
        return Site(self.medium, self.period, self.permeability)


def _fit_mesh(call: str, mesh: MeshOptions | float | None, shape: Shape) -> MeshOptions:
    """Options of the meshes; two at least, which tell the error of a signal."""
    with argument(call, "mesh"):
        options = mesh if isinstance(mesh, MeshOptions) else MeshOptions(mesh)
    with arguments(call):
        return fit_mesh(shape, options)
