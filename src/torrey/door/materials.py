"""What fills a cell and what its membranes let through, from quantities by part of the cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.cell.material import Material, Tensor
from torrey.door.quantities import (
    argument,
    arguments,
    inside,
    is_list,
    is_number,
    listed,
    quantity,
)
from torrey.geometry import Discs, Shape

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

OUTSIDE, INSIDE, LAYER = "outside", "inside", "layer"


def read_parts(call: str, shape: Shape, key: str, given: ByPart) -> tuple[Any, ...]:
    """Diffusivity, T2 or density of each region of a cell.

    Parameters
    ----------
    call, key : str
        For messages, such as ``Cell`` and ``diffusivity``.
    shape : Shape
    given
        One value for all of the cell; a list with one per region; or a mapping from ``outside``,
        ``inside`` and ``layer``, or from names of regions, to values or lists of them.
    """
    with argument(call, key):
        return _by_region(key, given, shape)


def check_material(call: str, shape: Shape, material: Material) -> None:
    """Refuse a material that does not fit a cell."""
    with arguments(call):
        material.tensors(shape.dimension)  # refuses matrices of another dimension
        owners = shape.region_compartment
        for key in ("diffusivity", "T2", "density"):
            values = getattr(material, key)
            if len(values) not in ((len(owners),) if key == "diffusivity" else (0, len(owners))):
                names = ", ".join(shape.region_names)
                raise InputError(f"{len(values)} values", f"one for each of {names}", (key,))
        found: dict[int, float] = {}
        for owner, value in zip(owners, material.density, strict=False):
            if found.setdefault(owner, value) != value:
                accepted = "one density: the field is continuous across layers"
                raise InputError("densities that differ", accepted, ("density",))


def read_permeability(
    call: str, shape: Shape, permeability: Any, surface_relaxivity: Any
) -> tuple[float, tuple[float, ...]]:
    """Largest permeability (um/ms), and factors on it where membranes differ.

    The relaxivity of the surfaces of obstacles stands in the place of the permeability.
    """
    membranes = shape.membranes()
    surfaces = sum(m.is_surface for m in membranes)
    for name, value, count, noun in (
        ("permeability", permeability, len(membranes) - surfaces, "membrane"),
        ("surface_relaxivity", surface_relaxivity, surfaces, "surface of an obstacle"),
    ):
        with argument(call, name):
            given = _permeabilities(value)
            if len(given) > 1 and len(given) != count:
                found = f"{len(given)} values"
                raise InputError(found, f"one value, or one for each {noun}: {count}")
            if any(given) and not count:
                raise InputError(f"{max(given):g} um/ms", f"0 um/ms: there is no {noun}")
            if any(given):
                largest = max(given)
                same = min(given) == largest
                factors = tuple(round_significant(kappa / largest) for kappa in given)
                return largest, () if same else factors
    return 0.0, ()


def frozen(shape: D) -> D:
    """Return a shape whose lists have become tuples."""
    if not is_dataclass(shape) or isinstance(shape, type):
        raise InputError(quoted(str(shape)), "a shape, such as Discs, Spheres or Layers")
    changed = {f.name: _freeze(getattr(shape, f.name)) for f in fields(shape) if f.init}
    return replace(shape, **changed)


def _freeze(value: Any) -> Any:
    if isinstance(value, list | tuple | np.ndarray):
        return tuple(map(_freeze, value))
    if isinstance(value, np.generic):
        return value.item()
    return frozen(value) if is_dataclass(value) else value


def _permeabilities(value: Any) -> tuple[float, ...]:
    items = listed(value) if is_list(value) else (value,)
    found = []
    for i, item in enumerate(items):
        with inside(*((i,) if is_list(value) else ())):
            found.append(quantity(item, "permeability", "zero"))
    return tuple(found)


def _by_region(key: str, given: Any, shape: Shape) -> tuple[Any, ...]:
    """One value for each region of a shape."""
    names = shape.region_names
    if isinstance(given, Mapping):
        return _by_name(key, given, shape)
    items = _items(given)
    if items is None:
        return (_value(key, given),) * len(names)
    if len(items) != len(names):
        raise InputError(
            f"{len(items)} values", f"one, or {len(names)}: one for each of {', '.join(names)}"
        )
    return _values(key, items)


def _by_name(key: str, given: Mapping[str, Any], shape: Shape) -> tuple[Any, ...]:
    """Values by the parts of a cell; a name of a region goes before that of its part."""
    names, parts = shape.region_names, _parts(shape)
    for name in given:
        if name not in (*parts, *names):
            accepted = f"one of the keys {', '.join(dict.fromkeys((*parts, *names)))}"
            raise InputError(quoted(str(name)), accepted)
    found = dict[str, Any]()
    for part in dict.fromkeys(parts):
        members = [name for name, other in zip(names, parts, strict=True) if other == part]
        if part not in given:
            continue
        with inside(part):
            items = _items(given[part])
            if items is None:
                found |= dict.fromkeys(members, _value(key, given[part]))
            elif len(items) == len(members):
                found |= zip(members, _values(key, items), strict=True)
            else:
                accepted = f"one, or {len(members)}: one for each of {', '.join(members)}"
                raise InputError(f"{len(items)} values", accepted)
    for name in names:
        if name in given and name not in parts:
            with inside(name):
                found[name] = _value(key, given[name])
    if missing := [name for name in names if name not in found]:
        wanted = dict.fromkeys(p for n, p in zip(names, parts, strict=True) if n in missing)
        raise InputError(
            f"nothing for {', '.join(missing)}", f"a value for {', '.join(wanted)} too"
        )
    return tuple(found[name] for name in names)


def _parts(shape: Shape) -> tuple[str, ...]:
    """Part of the cell that each region belongs to: outside, inside or layer."""
    count = len(shape.region_names)
    coats = len(shape.cells) if isinstance(shape, Discs) and shape.layer else 0
    return (OUTSIDE, *(INSIDE,) * (count - 1 - coats), *(LAYER,) * coats)


def _items(given: Any) -> tuple[Any, ...] | None:
    """Values of a list; None of a single value, which may be a matrix."""
    if not is_list(given):
        return None
    items = listed(given)
    is_matrix = bool(items) and is_list(items[0]) and not any(map(is_list, listed(items[0])))
    return None if is_matrix else items


def _values(key: str, items: Sequence[Any]) -> tuple[Any, ...]:
    values = []
    for i, item in enumerate(items):
        with inside(i):
            values.append(_value(key, item))
    return tuple(values)


def _value(key: str, given: Any) -> float | Tensor:
    """One diffusivity, which may be a matrix, relaxation time or density."""
    if key == "density":
        if not is_number(given):
            raise InputError(quoted(str(given)), "a number without a unit, at least zero")
        return round_significant(float(given))
    if key == "T2":
        if given == "infinite" or (is_number(given) and given == math.inf):
            return math.inf
        return quantity(given, "relaxation_time", "positive")
    if is_list(given):
        rows = [listed(row) if is_list(row) else (row,) for row in listed(given)]
        return tuple(tuple(_entry(entry) for entry in row) for row in rows)
    return quantity(given, "diffusivity", "positive")


def _entry(given: Any) -> float:
    return quantity(given, "diffusivity")
