"""What a periodic cell is, read from quantities; and how similar ones are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self, TypedDict, Unpack

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.cell.material import Material
from torrey.door.materials import check_material, frozen, read_parts, read_permeability
from torrey.door.medium import Discretisation, Medium
from torrey.door.quantities import argument, arguments, is_number, quantity
from torrey.door.signals import Site
from torrey.geometry import MeshOptions, Shape

if TYPE_CHECKING:
    from torrey.door.materials import ByPart
    from torrey.door.quantities import Quantity

#: In space a second refinement takes minutes and gigabytes to factorise.
_MESH_IN_SPACE: Final = MeshOptions(0.2, 1)


class Changes(TypedDict, total=False):
    """What may be another in a similar cell: the arguments of `Cell`."""

    shape: Shape
    diffusivity: ByPart
    period: Quantity
    permeability: Quantity | Sequence[Quantity]
    surface_relaxivity: Quantity | Sequence[Quantity]
    T2: ByPart | None
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
    medium: Medium = field(compare=False)

    def __init__(
        self,
        shape: Shape,
        diffusivity: ByPart,
        period: Quantity,
        permeability: Quantity | Sequence[Quantity] = 0.0,
        *,
        surface_relaxivity: Quantity | Sequence[Quantity] = 0.0,
        T2: ByPart | None = None,
        density: ByPart | None = None,
        mesh: MeshOptions | float | None = None,
    ) -> None:
        with argument("Cell", "shape"):
            shape = frozen(shape)
        kappa, factors = read_permeability("Cell", shape, permeability, surface_relaxivity)
        parts = {"diffusivity": diffusivity, "T2": T2, "density": density}
        values = {k: read_parts("Cell", shape, k, v) for k, v in parts.items() if v is not None}
        with arguments("Cell"):
            material = Material(**{"diffusivity": ()} | values, membranes=factors)
        options = _read_mesh("Cell", mesh, shape)
        self._set(shape, material, _read_period("Cell", period), kappa, options, None)

    @classmethod
    def of(
        cls, shape: Shape, material: Material, period: float, permeability: float, mesh: MeshOptions
    ) -> Self:
        """Make a cell of the library's own objects: lengths in um, times in ms."""
        made = object.__new__(cls)
        made._set(shape, material, period, permeability, mesh, None)
        return made

    def _set(
        self,
        shape: Shape,
        material: Material,
        period: float,
        permeability: float,
        mesh: MeshOptions,
        like: Medium | None,
    ) -> None:
        check_material("Cell", shape, material)
        medium = (like or Medium(Discretisation(shape, mesh), material)).filled_with(
            shape, mesh, material
        )
        values = (shape, material, period, permeability, mesh, medium)
        names = ("shape", "material", "period", "permeability", "mesh", "medium")
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies in other processes make their meshes themselves."""
        values = (self.shape, self.material, self.period, self.permeability, self.mesh)
        return type(self).of, values

    def __repr__(self) -> str:
        names = self.shape.region_names
        shown = ", ".join(names) if len(names) <= 4 else f"{names[0]} to {names[-1]}"
        D = [f"{x:g}" if isinstance(x, float) else "a matrix" for x in self.material.diffusivity]
        values = ", ".join(D if len(D) <= 4 and len(set(D)) > 1 else dict.fromkeys(D))
        factors = " times factors" if self.material.membranes else ""
        return (
            f"Cell of {self.shape.kind} in {self.shape.dimension}D: {shown} with D = {values} "
            f"um^2/ms,\n  period {self.period:g} um, permeability {self.permeability:g} um/ms"
            f"{factors}{', with T2' if self.material.T2 else ''}"
            f"{', with densities' if self.material.density else ''}"
        )

    def with_(self, **changes: Unpack[Changes]) -> Self:
        """Make a similar cell, which shares meshes and operators as far as they are the same.

        Parameters
        ----------
        **changes
            Arguments of `Cell` that are others.

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
        with argument(call, "shape"):
            shape = frozen(changes.get("shape", self.shape))
        material, kappa = self.material, self.permeability
        for key in ("diffusivity", "T2", "density"):
            if key in changes:
                given: Any = changes.get(key)
                values = () if given is None else read_parts(call, shape, key, given)
                with arguments(call):
                    material = replace(material, **{key: values})
        if "permeability" in changes or "surface_relaxivity" in changes:
            kappa, factors = read_permeability(
                call,
                shape,
                changes.get("permeability", 0.0),
                changes.get("surface_relaxivity", 0.0),
            )
            material = replace(material, membranes=factors)
        period = self.period
        if "period" in changes:
            period = _read_period(call, changes["period"])
        mesh = self.mesh
        if "mesh" in changes:
            mesh = _read_mesh(call, changes["mesh"], shape)
        made = object.__new__(type(self))
        made._set(shape, material, period, kappa, mesh, self.medium)
        return made

    @property
    def site(self) -> Site:
        """Medium, period and permeability: what signals depend on."""
        return Site(self.medium, self.period, self.permeability)


def _read_period(call: str, period: Quantity) -> float:
    with argument(call, "period"):
        return quantity(period, "length", "positive")


def _read_mesh(call: str, mesh: MeshOptions | float | None, shape: Shape) -> MeshOptions:
    """Options of the meshes; two at least, which tell the error of a signal."""
    with argument(call, "mesh"):
        usual = _MESH_IN_SPACE if shape.dimension == 3 else MeshOptions()
        if mesh is None:
            return usual
        if isinstance(mesh, int | float) and is_number(mesh):
            return MeshOptions(float(mesh), usual.refinements)
        if not isinstance(mesh, MeshOptions):
            raise InputError(quoted(str(mesh)), "MeshOptions(size, refinements), or a size")
        if mesh.refinements < 1:
            raise InputError(f"{mesh}", "refinements of 1 or more: two meshes tell the error")
        return mesh
