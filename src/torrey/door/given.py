"""Arguments of a cell: read once, kept as they were meant, and fitted to a shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.cell.material import Material
from torrey.door.materials import (
    Kappas,
    Parts,
    PerRegion,
    check_material,
    fit_kappas,
    fit_parts,
    frozen,
    read_kappas,
    read_parts,
)
from torrey.door.quantities import argument, arguments, is_number, quantity
from torrey.geometry import MeshOptions, Shape


@dataclass(frozen=True)
class Given:
    """Arguments of `torrey.door.cell.Cell` in internal units, whatever the shape makes of them.

    A similar cell is made from these: what was given as permeability is never taken for anything
    else, and a value by part of the cell holds for the parts of another shape.
    """

    shape: Shape
    diffusivity: Parts
    period: float
    permeability: Kappas = Kappas()
    surface_relaxivity: Kappas = Kappas()
    T2: Parts | None = None
    T1: Parts | None = None
    density: Parts | None = None
    mesh: MeshOptions | float | None = None


def read_arguments(call: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read arguments of a cell, by name: values for `Given`.

    Parameters
    ----------
    call : str
        For messages, such as ``Cell``.
    given : mapping

    Raises
    ------
    InputError
        At the first that cannot be read.
    """
    found = {}
    for name, value in given.items():
        with argument(call, name):
            found[name] = _READERS[name](value)
    return found


def given_of(
    shape: Shape, material: Material, period: float, permeability: float, mesh: MeshOptions
) -> Given:
    """Arguments that make a cell of the library's own objects, to the last digit."""
    surfaces = [m.is_surface for m in shape.membranes()]
    relaxes = material.walls or (bool(surfaces) and all(surfaces))
    among = [relaxes or not is_surface for is_surface in surfaces]
    factors = tuple(x for x, it in zip(material.membranes, among, strict=False) if it)
    kappas = {"surface_relaxivity" if relaxes else "permeability": _kappas(permeability, factors)}
    if material.relaxivity:
        largest = max(material.relaxivity)
        each = tuple(x / largest if largest else 0.0 for x in material.relaxivity)
        kappas["surface_relaxivity"] = _kappas(largest, each)
    return Given(
        shape,
        PerRegion(material.diffusivity),
        period,
        **kappas,
        T2=PerRegion(material.T2) if material.T2 else None,
        T1=PerRegion(material.T1) if material.T1 else None,
        density=PerRegion(material.density) if material.density else None,
        mesh=mesh,
    )


def _kappas(value: float, factors: tuple[float, ...]) -> Kappas:
    return Kappas(value, factors, len(factors) or 1)


def fit_material(call: str, given: Given) -> tuple[Material, float]:
    """Material of a cell and its permeability (um/ms), which may be a surface relaxivity.

    Raises
    ------
    InputError
        If an argument does not fit the shape.
    """
    shape = given.shape
    kappa, membranes = fit_kappas(call, shape, given.permeability, given.surface_relaxivity)
    parts = {key: getattr(given, key) for key in ("diffusivity", "T2", "T1", "density")}
    values: dict[str, Any] = {}
    for key, part in parts.items():
        if part is not None:
            with argument(call, key):
                values[key] = fit_parts(part, shape)
    with arguments(call):
        material = Material(**values, **membranes)
        # A matrix of three rows says what gradients in space see.
        if material.needs_space(shape.dimension):
            material = replace(material, in_space=True)
    check_material(call, shape, material, kappa)
    return material, kappa


def _read_period(given: Any) -> float:
    return quantity(given, "length", "positive")


def _read_optional(key: str, given: Any) -> Parts | None:
    return None if given is None else read_parts(key, given)


def _read_mesh(given: Any) -> MeshOptions | float | None:
    if given is None:
        return None
    if is_number(given):
        return float(given)
    if not isinstance(given, MeshOptions):
        raise InputError(quoted(str(given)), "MeshOptions(size, refinements), or a size")
    if given.refinements is not None and given.refinements < 1:
        raise InputError(f"{given}", "refinements of 1 or more: two meshes tell the error")
    return given


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "shape": frozen,
    "diffusivity": partial(read_parts, "diffusivity"),
    "period": _read_period,
    "permeability": read_kappas,
    "surface_relaxivity": read_kappas,
    "T2": partial(_read_optional, "T2"),
    "T1": partial(_read_optional, "T1"),
    "density": partial(_read_optional, "density"),
    "mesh": _read_mesh,
}
