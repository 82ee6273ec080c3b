"""From the text of one study to a `Study`: the checks that need more than one key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from torrey.base.errors import InputError, KeyPath
from torrey.base.keys import round_significant
from torrey.cell.material import Material, Tensor
from torrey.config.cells import check_cells, scaling_notes
from torrey.config.domain import Geometry, Study
from torrey.config.findings import Findings
from torrey.config.models import (
    MATERIAL_KEYS,
    MEMBRANE_KEYS,
    PERMEABILITY_KEYS,
    DensityModel,
    DiffusivityModel,
    RelaxationModel,
    StudyModel,
    form_inside,
)
from torrey.config.protocols import check_keys, once, read_protocol, require_one, swept
from torrey.config.quantities import Model
from torrey.config.scales import check_meshes, check_scales, spend_points
from torrey.geometry.shapes import Shape
from torrey.gradients.rules import fit_harmonics
from torrey.gradients.sweep import Acquisition, PermeabilityKind, Product, Sweep
from torrey.models import registry
from torrey.models.registry import StudyFacts
from torrey.study.averages import direction_rule, shell_rules

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
_NO_SURFACE: Final = "the geometry has no obstacle, whose surface could relax"
_CONTINUOUS: Final = "the field is continuous across layers and other regions of a compartment"


def read_study(findings: Findings, name: str, geometries: Mapping[str, Geometry]) -> Study | None:
    """Build a study, or note what is wrong with it and return None.

    Parameters
    ----------
    findings : Findings
        Holds the files and collects the problems.
    name : str
        Name of the study.
    geometries : mapping of str to Geometry
        Those without problems; a study in another one is not checked against its cell.
    """
    path = ("studies", name)
    before = len(findings.problems)
    require_one(findings, path, PERMEABILITY_KEYS)
    check_keys(findings, path)
    model: StudyModel | None = findings.validate(path, StudyModel)
    if model is None:
        return None
    cells = {key: swept(findings, path, model, key) for key in ("period", *PERMEABILITY_KEYS)}
    with findings.under(*path, "models"):
        once(model.models, str)
    geometry = geometries.get(model.geometry)
    dimension = geometry.shape.dimension if geometry else None
    in_space = dimension is not None and _is_in_space(model.diffusivity, dimension)
    protocol, notes = read_protocol(findings, path, model, dimension, in_space)
    if not spend_points(findings, path, model, cells, protocol):
        return None
    if geometry is None:
        findings.require_entry((*path, "geometry"), model.geometry, "geometries")
        return None
    if not check_cells(findings, path, geometry):
        return None
    _check_models(findings, path, model, cells, geometry.shape, protocol)
    check_meshes(findings, path, geometry)
    in_space = protocol is not None and protocol.n_axes > geometry.shape.dimension
    material = _fill(findings, path, model, cells, geometry.shape, in_space)
    if material is None or protocol is None or len(findings.problems) > before:
        return None
    permeability_kind = _permeability_kind(cells)
    harmonics = model.spherical_harmonics
    sweep = Sweep(cells["period"], permeability_kind, cells[permeability_kind], protocol, harmonics)
    _check_sweep(findings, path, model, sweep, material)
    if len(findings.problems) > before:
        return None
    return Study(
        name=name,
        geometry=geometry.name,
        shape=geometry.shape,
        mesh=geometry.mesh,
        material=material,
        sweep=sweep,
        models=tuple(model.models),
        tolerance=model.tolerance,
        method=model.reference.method,
        cumulants=model.cumulants,
        notes=(*notes, *scaling_notes(geometry, sweep.periods)),
    )


def _check_harmonics(sweep: Sweep) -> None:
    """Refuse spherical harmonics of directions that do not tell them.

    Raises
    ------
    InputError
        If they do not.
    """
    protocol = sweep.protocol
    if not sweep.harmonics:
        return
    if protocol.n_axes < 3:
        accepted = "directions in space, such as {lebedev: 19}, for spherical harmonics"
        raise InputError("directions within the cell", accepted)
    if isinstance(protocol, Acquisition):
        shell_rules(protocol, sweep.harmonics)
    else:
        fit_harmonics(direction_rule(protocol), sweep.harmonics)


def _check_sweep(
    findings: Findings, path: KeyPath, model: StudyModel, sweep: Sweep, material: Material
) -> None:
    """Note values that leave no signal, harmonics and cumulants that there are none of."""
    with findings.under(*path, "spherical_harmonics"):
        _check_harmonics(sweep)
    check_scales(findings, path, sweep, material)
    if model.cumulants:
        with findings.under(*path, "cumulants"):
            sweep.without_strengths()


def _check_models(
    findings: Findings,
    path: KeyPath,
    model: StudyModel,
    swept: Mapping[str, tuple[float, ...]],
    shape: Shape,
    protocol: Product | Acquisition | None,
) -> None:
    """Note models that cannot be had in this study."""
    measurements = protocol.measurements if protocol else ()
    facts = StudyFacts(
        dimension=shape.dimension,
        membranes=tuple((m.outside, m.inside) for m in shape.membranes()),
        permeability_kind=_permeability_kind(swept),
        permeable=any(any(swept[key]) for key in PERMEABILITY_KEYS),
        material_keys=tuple(key for key in MATERIAL_KEYS if key in model.model_fields_set),
        n_components=max((m.waveform.n_components for m in measurements), default=1),
    )
    for i, name in enumerate(model.models):
        if accepted := registry.parse(name).refusal(facts):
            findings.add((*path, "models", i), name, accepted)


def _permeability_kind(swept: Mapping[str, tuple[float, ...]]) -> PermeabilityKind:
    given: tuple[PermeabilityKind, ...] = ("sigma0", "surface_relaxivity")
    return next((key for key in given if swept[key]), "permeability")


def _fill(
    findings: Findings,
    path: KeyPath,
    model: StudyModel,
    swept: Mapping[str, tuple[float, ...]],
    shape: Shape,
    in_space: bool,
) -> Material | None:
    """Return the material of the cell; where there is no membrane, nothing may pass one."""
    surfaces = [m.is_surface for m in shape.membranes()]
    for key in PERMEABILITY_KEYS:
        nothing = all(surfaces) if key in MEMBRANE_KEYS else not any(surfaces)
        if nothing and any(swept.get(key, ())):
            noun, why = (
                ("permeability", _NO_MEMBRANE)
                if key in MEMBRANE_KEYS
                else ("relaxivity", _NO_SURFACE)
            )
            findings.add((*path, key), f"a {noun} above zero", f"0 m/s: {why}")
    before = len(findings.problems)
    diffusivity: tuple[float | Tensor, ...] = ()
    times: dict[str, tuple[float, ...]] = {}
    density: tuple[float, ...] = ()
    with findings.under(*path, "diffusivity"):
        values = _by_region("diffusivity", model.diffusivity, shape)
        diffusivity = tuple(map(_number_or_matrix, values))
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
    with findings.under(*path, "permeability_factors"):
        _check_factors(len(model.permeability_factors), shape, bool(swept["surface_relaxivity"]))
    if len(findings.problems) > before:
        return None
    factors = tuple(map(round_significant, model.permeability_factors))
    with findings.under(*path):
        try:
            material = Material(
                diffusivity, density=density, membranes=factors, in_space=in_space, **times
            )
            material.tensors(shape.dimension)  # refuses matrices of another dimension
            return material
        except InputError as error:
            raise InputError(error.found, error.accepted, _key_of(model, error.at, shape)) from None
    return None


def _is_in_space(model: DiffusivityModel, dimension: int) -> bool:
    """Whether a matrix has three rows, more than the cell has dimensions."""
    values = [value for key in type(model).model_fields for value in _listed(getattr(model, key))]
    return dimension < 3 and any(isinstance(x, Sequence) and len(x) == 3 for x in values)


def _listed(given: Any) -> list[Any]:
    return given if form_inside(given) == "list" else [given]


def _by_region(
    key: str, model: DiffusivityModel | RelaxationModel | DensityModel, shape: Shape
) -> list[Any]:
    """Return the value of each region: that outside, or those inside and in layers in order."""
    parts = shape.region_parts
    values = {
        part: iter(_in_regions(key, part, model, parts.count(part)))
        for part in type(model).model_fields
        if part != "outside"
    }
    return [model.outside if part == "outside" else next(values[part]) for part in parts]


_WITHOUT: Final = {
    "inside": "the geometry has one compartment, outside (obstacles hold no water)",
    "layer": "the geometry has no layer around its cells",
}


def _in_regions(key: str, part: str, model: Model, count: int) -> list[Any]:
    """Return a value for each of some regions, where one may stand for all."""
    given = getattr(model, part)
    # Without the key, the list is empty.
    values: list[Any] = _listed(given)
    if count == 0:
        if values:
            found = f"a {_NOUNS[key][0]} {_PLACES[part]}"
            raise InputError(found, f"no such key: {_WITHOUT[part]}", at=(part,))
    elif not values:
        raise InputError(f"no key {part}", f"{type(model).model_fields[part].description}")
    elif len(values) not in (1, count):
        raise InputError(
            f"{len(values)} {_NOUNS[key][1]}",
            f"one value, or a list of {count}: one per {_EACH[part]}",
            at=(part,),
        )
    return values * count if len(values) == 1 else values


_PLACES: Final = {"inside": "inside", "layer": "in a layer"}
_EACH: Final = {"inside": "compartment inside", "layer": "layer"}


def _number_or_matrix(value: float | Sequence[Sequence[float]]) -> float | Tensor:
    if isinstance(value, Sequence):
        return tuple(tuple(map(float, row)) for row in value)
    return float(value)


def _check_factors(count: int, shape: Shape, of_surfaces: bool) -> None:
    membranes = sum(m.is_surface == of_surfaces for m in shape.membranes())
    if count not in (0, membranes):
        raise InputError(
            f"{count} factor{'s' if count > 1 else ''}",
            f"{membranes}, one per membrane" if membranes else f"no such key: {_NO_MEMBRANE}",
        )


def _key_of(model: StudyModel, at: KeyPath, shape: Shape) -> KeyPath:
    """Return the place in the study of what a material refuses."""
    name, *index = at
    if name == "membranes":
        return ("permeability_factors", *index)
    if not index:
        return at
    number = int(index[0])
    part = shape.region_parts[number]
    if part == "outside":
        return (name, part)
    place = shape.region_parts[:number].count(part)
    is_list = form_inside(getattr(getattr(model, str(name)), part)) == "list"
    return (name, part, place) if is_list else (name, part)
