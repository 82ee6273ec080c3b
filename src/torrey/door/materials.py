"""What fills a cell and what its membranes let through, from quantities by part of the cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.cell.material import Material, Radial, Tensor
from torrey.cell.motion import check_motion
from torrey.door.quantities import (
    argument,
    arguments,
    inside,
    is_list,
    is_number,
    listed,
    quantity,
)
from torrey.geometry import Shape

if TYPE_CHECKING:
    from torrey.door.quantities import Quantity

    Matrix: TypeAlias = Sequence[Sequence[Quantity]] | NDArray[Any]
    ByPart: TypeAlias = (
        Quantity
        | Matrix
        | Sequence[Quantity | Matrix]
        | Mapping[str, Quantity | Matrix | Sequence[Quantity | Matrix]]
    )

D = TypeVar("D")

Value: TypeAlias = "float | Tensor | Radial"


@dataclass(frozen=True)
class PerRegion:
    """Values of a list, one for each region."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class ByName:
    """Values of a mapping, by parts of a cell or names of regions."""

    values: tuple[tuple[str, Value | PerRegion], ...]


Parts: TypeAlias = "Value | PerRegion | ByName"
"""Diffusivity, T2, T1 or density as it was given, in internal units; not yet fitted to a shape."""


@dataclass(frozen=True)
class Kappas:
    """Permeabilities, or surface relaxivities, as they were given; not yet fitted to a shape.

    Parameters
    ----------
    value : float
        The largest (um/ms).
    factors : tuple of float
        On it, where there are several that differ.
    count : int
        How many were given: one is meant for all.
    """

    value: float = 0.0
    factors: tuple[float, ...] = ()
    count: int = 1


def read_parts(key: str, given: ByPart) -> Parts:
    """Read diffusivity, T2, T1 or density: what was given, whatever the shape.

    Parameters
    ----------
    key : {"diffusivity", "T2", "T1", "density"}
    given
        One value for all of the cell; a list with one per region; or a mapping from ``outside``,
        ``inside`` and ``layer``, or from names of regions, to values or lists of them.
    """
    if not isinstance(given, Mapping):
        return _one_or_several(key, given)
    found = []
    for name, value in given.items():
        with inside(str(name)):
            found.append((str(name), _one_or_several(key, value)))
    return ByName(tuple(found))


def fit_parts(parts: Parts, shape: Shape) -> tuple[Value, ...]:
    """Return the value of each region of a shape.

    Raises
    ------
    InputError
        If there are too few or too many, or a name that the shape does not have.
    """
    if isinstance(parts, ByName):
        return _fit_names(dict(parts.values), shape)
    return _fit(parts, shape.region_names)


def check_material(call: str, shape: Shape, material: Material, kappa: float) -> None:
    """Refuse a material that does not fit a cell, of a permeability or relaxivity (um/ms)."""
    with arguments(call):
        material.tensors(shape.dimension)  # refuses matrices of another dimension
        owners = shape.region_compartment
        for key in ("diffusivity", "T2", "T1", "density"):
            values = getattr(material, key)
            if len(values) not in ((len(owners),) if key == "diffusivity" else (0, len(owners))):
                names = ", ".join(shape.region_names)
                raise InputError(f"{len(values)} values", f"one for each of {names}", (key,))
        found: dict[int, float] = {}
        for owner, value in zip(owners, material.density, strict=False):
            if found.setdefault(owner, value) != value:
                accepted = "one density: the field is continuous across layers"
                raise InputError("densities that differ", accepted, ("density",))
        check_motion(material, shape, kappa > 0.0)


def read_kappas(given: Quantity | Sequence[Quantity]) -> Kappas:
    """Read one permeability or relaxivity, or one for each membrane or surface."""
    items = listed(given) if is_list(given) else (given,)
    found = []
    for i, item in enumerate(items):
        with inside(*((i,) if is_list(given) else ())):
            found.append(quantity(item, "permeability", "zero"))
    largest = max(found, default=0.0)
    same = min(found, default=0.0) == largest
    factors = () if same else tuple(round_significant(kappa / largest) for kappa in found)
    return Kappas(largest, factors, len(found))


def fit_kappas(
    call: str, shape: Shape, permeability: Kappas, surface_relaxivity: Kappas
) -> tuple[float, dict[str, Any]]:
    """Largest permeability (um/ms), and what a material says of membranes.

    Where nothing passes membranes their relaxivity stands in the place of the permeability, as that
    of the surfaces of obstacles does.
    """
    surfaces = [m.is_surface for m in shape.membranes()]
    every = len(surfaces)
    for name, given, count, noun in (
        ("permeability", permeability, every - sum(surfaces), "membrane"),
        ("surface_relaxivity", surface_relaxivity, every, "membrane or surface"),
    ):
        with argument(call, name):
            if given.count > 1 and given.count != count:
                found = f"{given.count} values"
                raise InputError(found, f"one value, or one for each {noun}: {count}")
            if given.value and not count:
                raise InputError(f"{given.value:g} um/ms", f"0 um/ms: there is no {noun}")
    if surface_relaxivity.value and not permeability.value:
        walls = not all(surfaces)
        return surface_relaxivity.value, {"membranes": surface_relaxivity.factors, "walls": walls}
    factors = permeability.factors
    if factors and any(surfaces):
        values = iter(factors)
        factors = tuple(1.0 if is_surface else next(values) for is_surface in surfaces)
    values_of: dict[str, Any] = {"membranes": factors}
    if surface_relaxivity.value:
        each = surface_relaxivity.factors or (1.0,) * every
        values_of["relaxivity"] = tuple(
            round_significant(surface_relaxivity.value * x) for x in each
        )
    return permeability.value, values_of


def frozen(shape: D) -> D:
    """Return a shape whose lists have become tuples."""
    if not is_dataclass(shape) or isinstance(shape, type):
        raise InputError(quoted(str(shape)), "a shape, such as Discs, Spheres or Layers")
    given = {f.name: getattr(shape, f.name) for f in fields(shape) if f.init}
    changed = {name: _freeze(value) for name, value in given.items()}
    if all(changed[name] is value for name, value in given.items()):
        # A copy would lose what the shape remarks about the file that it was read from.
        return shape
    return replace(shape, **changed)


def _freeze(value: Any) -> Any:
    if isinstance(value, list | tuple | np.ndarray):
        items = tuple(map(_freeze, value))
        same = isinstance(value, tuple) and all(a is b for a, b in zip(items, value, strict=True))
        return value if same else items
    if isinstance(value, np.generic):
        return value.item()
    return frozen(value) if is_dataclass(value) else value


def _one_or_several(key: str, given: Any) -> Value | PerRegion:
    items = _items(given)
    return _value(key, given) if items is None else PerRegion(_values(key, items))


def _fit(given: Value | PerRegion, names: Sequence[str]) -> tuple[Value, ...]:
    """One value for each of some regions."""
    if not isinstance(given, PerRegion):
        return (given,) * len(names)
    if len(given.values) != len(names):
        accepted = f"one, or {len(names)}: one for each of {', '.join(names)}"
        raise InputError(f"{len(given.values)} values", accepted)
    return given.values


def _fit_names(given: Mapping[str, Value | PerRegion], shape: Shape) -> tuple[Value, ...]:
    """Values by the parts of a cell; a name of a region goes before that of its group and part."""
    names, parts, groups = shape.region_names, shape.region_parts, shape.region_groups
    for name in given:
        if name not in (*parts, *names, *groups):
            accepted = f"one of the keys {', '.join(dict.fromkeys((*parts, *groups, *names)))}"
            raise InputError(quoted(name), accepted)
    found = dict[str, Value]()
    for part in dict.fromkeys(parts):
        members = [name for name, other in zip(names, parts, strict=True) if other == part]
        if part in given:
            with inside(part):
                found |= zip(members, _fit(given[part], members), strict=True)
    for group in dict.fromkeys(groups):
        if group in given and group not in (*parts, *names):
            members = [name for name, other in zip(names, groups, strict=True) if other == group]
            with inside(group):
                found |= zip(members, _fit(given[group], members), strict=True)
    for name in names:
        if name in given and name not in parts:
            with inside(name):
                (found[name],) = _fit(given[name], (name,))
    if missing := [name for name in names if name not in found]:
        wanted = dict.fromkeys(p for n, p in zip(names, parts, strict=True) if n in missing)
        raise InputError(
            f"nothing for {', '.join(missing)}", f"a value for {', '.join(wanted)} too"
        )
    return tuple(found[name] for name in names)


def _items(given: Any) -> tuple[Any, ...] | None:
    """Values of a list; None of a single value, which may be a matrix."""
    if not is_list(given):
        return None
    items = listed(given)
    is_matrix = bool(items) and is_list(items[0]) and not any(map(is_list, listed(items[0])))
    return None if is_matrix else items


def _values(key: str, items: Sequence[Any]) -> tuple[Value, ...]:
    values = []
    for i, item in enumerate(items):
        with inside(i):
            values.append(_value(key, item))
    return tuple(values)


def _value(key: str, given: Any) -> Value:
    """One diffusivity, which may be a matrix, relaxation time or density."""
    if key == "density":
        if not is_number(given):
            raise InputError(quoted(str(given)), "a number without a unit, at least zero")
        return round_significant(float(given))
    if key in ("T2", "T1"):
        if given == "infinite" or (is_number(given) and given == math.inf):
            return math.inf
        return quantity(given, "relaxation_time", "positive")
    if isinstance(given, Mapping):
        return _radial(given)
    if is_list(given):
        rows = [listed(row) if is_list(row) else (row,) for row in listed(given)]
        return _positive(tuple(tuple(_entry(entry) for entry in row) for row in rows))
    return quantity(given, "diffusivity", "zero")


def _radial(given: Mapping[str, Any]) -> Radial:
    """A diffusivity in a coat, of two values by their names."""
    names = ("radial", "tangential")
    if set(given) != set(names):
        raise InputError(quoted(f"keys {', '.join(map(str, given))}"), f"{' and '.join(names)}")
    found = []
    for name in names:
        with inside(name):
            found.append(quantity(given[name], "diffusivity", "zero"))
    return Radial(*found)


def _positive(matrix: Tensor) -> Tensor:
    """Refuse a matrix that no material has, at the place where it was given."""
    try:
        Material((matrix,))
    except InputError as error:
        raise InputError(error.found, error.accepted) from None
    return matrix


def _entry(given: Any) -> float:
    return quantity(given, "diffusivity")
