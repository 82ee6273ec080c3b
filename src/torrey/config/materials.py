"""From the keys of a study to its material: one value for each region, by part or by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from torrey.base.budgets import quoted
from torrey.base.errors import InputError, KeyPath, either
from torrey.base.keys import round_significant
from torrey.base.nearest import did_you_mean
from torrey.cell.material import Diffusing, Material, Radial
from torrey.cell.motion import check_motion
from torrey.config.findings import Findings, MissingKeyError
from torrey.config.material_models import (
    ByRegion,
    DensityModel,
    DiffusivityModel,
    RadialModel,
    RelaxationModel,
    form_inside,
)
from torrey.config.models import MEMBRANE_KEYS, PERMEABILITY_KEYS, SweepModel
from torrey.geometry.shapes import Shape

_NOUNS: Final = {
    "diffusivity": ("diffusivity", "diffusivities"),
    "T2": ("relaxation time", "relaxation times"),
    "T1": ("relaxation time", "relaxation times"),
    "density": ("density", "densities"),
}
_NO_MEMBRANE: Final = (
    "the geometry has no permeable membrane (its cells are obstacles or in layers, or there are "
    "none)"
)
_NO_SURFACE: Final = "the geometry has no membrane, nor an obstacle, whose surface could relax"
_CONTINUOUS: Final = "the field is continuous across layers and other regions of a compartment"

_PLACES: Final = {
    "outside": "outside",
    "inside": "inside",
    "layer": "in a layer",
    "coat": "in a coat",
}
_EACH: Final = {"inside": "compartment inside", "layer": "layer", "coat": "coat"}
_WITHOUT: Final = {
    "outside": "the geometry has no outside",
    "inside": "the geometry has one compartment, outside (obstacles hold no water)",
    "layer": "the geometry has no layer around its cells",
    "coat": "the geometry has no coat around its cells",
}

#: Names of regions that a message lists.
_LISTED: Final = 6


def is_in_space(model: DiffusivityModel, dimension: int) -> bool:
    """Whether a matrix has three rows, more than the cell has dimensions."""
    given = [getattr(model, key) for key in type(model).model_fields]
    values = [value for one in (*given, *model.by_name().values()) for value in _listed(one)]
    return dimension < 3 and any(isinstance(x, Sequence) and len(x) == 3 for x in values)


def material_facts(material: Material, shape: Shape) -> dict[str, bool]:
    """Return what some models refuse: entries of `torrey.models.registry.StudyFacts`."""
    moving = material.axes_of_motion(shape.dimension)
    return {
        "relaxing": any(material.relaxivity),
        "immobile": bool((moving == 0).any()),
        "sticks": bool(((moving > 0) & (moving < shape.dimension)).any()),
    }


def fill(
    findings: Findings,
    path: KeyPath,
    model: SweepModel,
    swept: Mapping[str, tuple[float, ...]],
    shape: Shape,
    in_space: bool,
) -> Material | None:
    """Return the material of a study, or note what is wrong with it and return None.

    Parameters
    ----------
    findings : Findings
        Collects the problems.
    path : tuple of str
        Of the study.
    model : SweepModel
    swept : mapping of str to tuple of float
        Permeabilities and relaxivities by their keys; where there is no membrane nothing may pass.
    shape : Shape
    in_space : bool
        Whether gradients have three components whatever the cell.
    """
    _check_permeabilities(findings, path, swept, shape)
    before = len(findings.problems)
    diffusivity: tuple[Diffusing, ...] = ()
    times: dict[str, Any] = {}
    density: tuple[float, ...] = ()
    with findings.under(*path, "diffusivity"):
        values = _by_region("diffusivity", model.diffusivity, shape)
        diffusivity = tuple(map(_diffusing, values))
    for key in ("T2", "T1"):
        if key in model.model_fields_set:
            with findings.under(*path, key):
                times[key] = tuple(map(float, _by_region(key, getattr(model, key), shape)))
    if "density" in model.model_fields_set:
        with findings.under(*path, "density"):
            if len(shape.region_names) > shape.n_compartments:
                raise InputError("densities", f"no such key: {_CONTINUOUS}")
            values = _by_region("density", model.density, shape)
            density = tuple(map(round_significant, values))
    membranes = _on_membranes(findings, path, model, swept, shape)
    if len(findings.problems) > before:
        return None
    with findings.under(*path):
        try:
            material = Material(
                diffusivity, density=density, in_space=in_space, **times, **membranes
            )
            material.tensors(shape.dimension)  # refuses matrices of another dimension
            passes = any(any(swept.get(key, ())) for key in PERMEABILITY_KEYS)
            check_motion(material, shape, passes)
            return material
        except InputError as error:
            raise InputError(error.found, error.accepted, _key_of(model, error.at, shape)) from None
    return None


def _check_permeabilities(
    findings: Findings, path: KeyPath, swept: Mapping[str, tuple[float, ...]], shape: Shape
) -> None:
    """Note what passes membranes, or relaxes at surfaces, that are not there."""
    surfaces = [m.is_surface for m in shape.membranes()]
    for key in PERMEABILITY_KEYS:
        nothing = all(surfaces) if key in MEMBRANE_KEYS else not surfaces
        if nothing and any(swept.get(key, ())):
            noun, why = (
                ("permeability", _NO_MEMBRANE)
                if key in MEMBRANE_KEYS
                else ("relaxivity", _NO_SURFACE)
            )
            findings.add((*path, key), f"a {noun} above zero", f"0 m/s: {why}")


def _listed(given: Any) -> list[Any]:
    return given if form_inside(given) == "list" else [given]


def _by_region(
    key: str, model: DiffusivityModel | RelaxationModel | DensityModel, shape: Shape
) -> list[Any]:
    """Return the value of each region: a name goes before the part that it belongs to."""
    found: dict[int, Any] = {}
    for part in type(model).model_fields:
        members = [i for i, other in enumerate(shape.region_parts) if other == part]
        found |= zip(members, _in_part(key, part, model, len(members)), strict=False)
    # The name of a single region goes before that of several.
    named = sorted(model.by_name().items(), key=lambda item: item[0] in shape.region_names)
    for name, value in named:
        found |= dict.fromkeys(_regions_named(name, shape), value)
    for i, (name, part) in enumerate(zip(shape.region_names, shape.region_parts, strict=True)):
        if i not in found and not model.by_name():
            accepted = f"{type(model).model_fields[part].description}"
            if part == "outside":
                raise MissingKeyError(accepted, (part,))
            raise InputError(f"no key {part}", accepted)
        if i not in found:
            keys = either(dict.fromkeys((part, name)))
            raise InputError(f"nothing for {name}", f"a value for {keys} too")
    return [found[i] for i in range(len(shape.region_names))]


def _in_part(key: str, part: str, model: ByRegion, count: int) -> list[Any]:
    """Return a value for each region of a part, where one may stand for all; or none."""
    given = getattr(model, part)
    # Without the key, the list is empty.
    values: list[Any] = _listed(given)
    if not values:
        return []
    if count == 0:
        found = f"a {_NOUNS[key][0]} {_PLACES[part]}"
        raise InputError(found, f"no such key: {_WITHOUT[part]}", at=(part,))
    if len(values) not in (1, count):
        raise InputError(
            f"{len(values)} {_NOUNS[key][1]}",
            f"one value, or a list of {count}: one per {_EACH[part]}",
            at=(part,),
        )
    return values * count if len(values) == 1 else values


def _regions_named(name: str, shape: Shape) -> list[int]:
    """Return the regions of a name, which may be that of their compartment or group.

    Raises
    ------
    InputError
        If there are none.
    """
    names, owners = shape.region_names, shape.region_compartment
    if name in names:
        return [names.index(name)]
    if name in shape.compartment_names:
        number = shape.compartment_names.index(name)
        return [i for i, owner in enumerate(owners) if owner == number]
    if name in shape.region_groups:
        return [i for i, group in enumerate(shape.region_groups) if group == name]
    known = [
        *dict.fromkeys(
            (*shape.region_parts, *shape.region_groups, *names, *shape.compartment_names)
        )
    ]
    shown = known if len(known) <= 2 * _LISTED else [*known[:_LISTED], "...", known[-1]]
    found = f"the unknown key {quoted(name)}{did_you_mean(name, known)}"
    raise InputError(found, f"the keys {', '.join(shown)}", at=(name,))


def _diffusing(value: float | RadialModel | Sequence[Sequence[float]]) -> Diffusing:
    if isinstance(value, RadialModel):
        return Radial(float(value.radial), float(value.tangential))
    if isinstance(value, Sequence):
        return tuple(tuple(map(float, row)) for row in value)
    return float(value)


def _on_membranes(
    findings: Findings,
    path: KeyPath,
    model: SweepModel,
    swept: Mapping[str, tuple[float, ...]],
    shape: Shape,
) -> dict[str, Any]:
    """Return what a material says of membranes and surfaces: factors, relaxivities, walls."""
    surfaces = [m.is_surface for m in shape.membranes()]
    permeable = any(key in model.model_fields_set for key in MEMBRANE_KEYS)
    relaxes = "surface_relaxivity" in model.model_fields_set
    # Permeabilities are those of membranes; relaxivities those of membranes and surfaces.
    passable = [not s for s in surfaces] if permeable else [True] * len(surfaces)
    result: dict[str, Any] = {}
    with findings.under(*path, "permeability_factors"):
        result["membranes"] = _factors(model.permeability_factors, passable)
    with findings.under(*path, "relaxivity_factors"):
        both = permeable and relaxes
        if model.relaxivity_factors and not both:
            raise InputError(
                "relaxivity_factors", "no such key: surface_relaxivity and permeability beside it"
            )
        of_each = _factors(model.relaxivity_factors, [both] * len(surfaces))
        if both and surfaces:
            value, *_ = model.surface_relaxivity.values()
            of_each = of_each or (1.0,) * len(surfaces)
            result["relaxivity"] = tuple(round_significant(value * x) for x in of_each)
    if relaxes and not permeable and any(swept["surface_relaxivity"]):
        # Where there are obstacles alone, surfaces are all that there is.
        result["walls"] = not all(surfaces)
    return result


def _factors(given: Sequence[float], among: Sequence[bool]) -> tuple[float, ...]:
    """Return a factor for each membrane, of those that may have one; none if none is given."""
    if len(given) not in (0, sum(among)):
        raise InputError(
            f"{len(given)} factor{'s' if len(given) > 1 else ''}",
            f"{sum(among)}, one per membrane" if any(among) else f"no such key: {_NO_MEMBRANE}",
        )
    values = iter(map(round_significant, given))
    return tuple(next(values) if it else 1.0 for it in among) if given else ()


def _key_of(model: SweepModel, at: KeyPath, shape: Shape) -> KeyPath:
    """Return the place in the study of what a material refuses."""
    name, *index = at
    if name == "membranes":
        return ("permeability_factors", *index)
    if name == "relaxivity":
        return ("surface_relaxivity",)
    if name == "permeability":
        return (next(key for key in PERMEABILITY_KEYS if key in model.model_fields_set),)
    if not index:
        return at
    number, values = int(index[0]), getattr(model, str(name))
    owner = shape.compartment_names[shape.region_compartment[number]]
    named = (shape.region_names[number], owner, shape.region_groups[number])
    for key in named:
        if key in values.by_name():
            return (name, key)
    part = shape.region_parts[number]
    if part == "outside":
        return (name, part)
    place = shape.region_parts[:number].count(part)
    is_list = form_inside(getattr(values, part)) == "list"
    return (name, part, place) if is_list else (name, part)
