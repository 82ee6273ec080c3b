"""From the text of one study to a `Study`: the checks that need more than one key."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from torrey.base.errors import InputError, KeyPath
from torrey.cell.material import NO_CELL_PROBLEM, Material
from torrey.cell.motion import radii_refused
from torrey.config.cells import check_cells, cost_notes, scaling_notes
from torrey.config.derivatives import read_derivatives
from torrey.config.domain import Geometry, ReferenceMethod, Study
from torrey.config.findings import Findings
from torrey.config.materials import fill, is_in_space, material_facts
from torrey.config.models import (
    MATERIAL_KEYS,
    MEMBRANE_KEYS,
    PERMEABILITY_KEYS,
    StudyModel,
    SweepModel,
)
from torrey.config.protocols import check_keys, once, read_protocol, require_one, swept
from torrey.config.scales import check_meshes, check_scales, spend_points
from torrey.geometry.shapes import Shape
from torrey.gradients.rules import fit_harmonics
from torrey.gradients.sweep import Acquisition, PermeabilityKind, Product, Sweep
from torrey.models import registry
from torrey.models.registry import StudyFacts
from torrey.study.averages import direction_rule, shell_rules


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
    require_permeability(findings, path)
    check_keys(findings, path)
    model: StudyModel | None = findings.validate(path, StudyModel)
    if model is None:
        return None
    cells = cells_of(findings, path, model)
    with findings.under(*path, "models"):
        once(model.models, str)
    geometry = geometries.get(model.geometry)
    dimension = geometry.shape.dimension if geometry else None
    in_space = dimension is not None and is_in_space(model.diffusivity, dimension)
    protocol, notes = read_protocol(findings, path, model, dimension, in_space)
    if not spend_points(findings, path, model, cells, protocol, _method(model, dimension)):
        return None
    if geometry is None:
        findings.require_entry((*path, "geometry"), model.geometry, "geometries")
        return None
    if not check_cells(findings, path, geometry):
        return None
    check_meshes(findings, path, geometry)
    in_space = protocol is not None and protocol.n_axes > geometry.shape.dimension
    material = fill(findings, path, model, cells, geometry.shape, in_space)
    _check_models(findings, path, model, facts_of(model, cells, geometry.shape, protocol, material))
    if material is None or protocol is None or len(findings.problems) > before:
        return None
    sweep = _sweep(model, cells, protocol)
    _check_sweep(findings, path, model, sweep, material)
    method = _method(model, geometry.shape.dimension, material)
    refused = radii_refused(material, geometry.shape)
    derivatives, without = read_derivatives(findings, path, model, sweep, method, refused)
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
        method=method,
        cumulants=model.cumulants,
        derivatives=derivatives,
        notes=(*notes, *scaling_notes(geometry, sweep.periods), *cost_notes(geometry), *without),
    )


def _sweep(
    model: StudyModel, cells: Mapping[str, tuple[float, ...]], protocol: Product | Acquisition
) -> Sweep:
    kind = permeability_kind(cells)
    return Sweep(cells["period"], kind, cells[kind], protocol, model.spherical_harmonics)


def _method(
    model: StudyModel, dimension: int | None, material: Material | None = None
) -> ReferenceMethod:
    """How the reference is computed; where that is not said, it depends on the cell.

    In space one signal by the full system takes longer than tables by a small basis, which sticks
    have none of.
    """
    if "reference" in model.model_fields_set or dimension != 3:
        return model.reference.method
    sticks = material is not None and np.any(material.axes_of_motion(3) % 3)
    return "full" if sticks else "projected"


def require_permeability(findings: Findings, path: KeyPath) -> None:
    """Note a problem unless there is one permeability, or a relaxivity, or one of each."""
    given = findings.keys(path)
    if "surface_relaxivity" not in given or all(key in given for key in MEMBRANE_KEYS):
        keys = MEMBRANE_KEYS if "surface_relaxivity" in given else PERMEABILITY_KEYS
        require_one(findings, path, keys)


def cells_of(findings: Findings, path: KeyPath, model: SweepModel) -> dict[str, tuple[float, ...]]:
    """Values of periods, permeabilities and relaxivities; a relaxivity beside another is fixed."""
    cells = {key: swept(findings, path, model, key) for key in ("period", *PERMEABILITY_KEYS)}
    if any(cells[key] for key in MEMBRANE_KEYS) and len(cells["surface_relaxivity"]) > 1:
        found = f"{len(cells['surface_relaxivity'])} values beside a permeability"
        findings.add((*path, "surface_relaxivity"), found, "one value, or no other permeability")
    return cells


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


def _check_models(findings: Findings, path: KeyPath, model: StudyModel, facts: StudyFacts) -> None:
    """Note models that cannot be had in this study, and a reference by models of sticks."""
    check_models(findings, path, model, facts)
    if facts.sticks and model.reference.method == "projected":
        findings.add((*path, "reference", "method"), *NO_CELL_PROBLEM)


def facts_of(
    model: SweepModel,
    swept: Mapping[str, tuple[float, ...]],
    shape: Shape,
    protocol: Product | Acquisition | None,
    material: Material | None,
) -> StudyFacts:
    """What a model may be refused for."""
    measurements = protocol.measurements if protocol else ()
    return StudyFacts(
        dimension=shape.dimension,
        membranes=tuple((m.outside, m.inside) for m in shape.membranes()),
        permeability_kind=permeability_kind(swept),
        permeable=any(any(swept[key]) for key in PERMEABILITY_KEYS),
        material_keys=tuple(key for key in MATERIAL_KEYS if key in model.model_fields_set),
        n_components=max((m.waveform.n_components for m in measurements), default=1),
        **(material_facts(material, shape) if material else {}),
    )


def check_models(findings: Findings, path: KeyPath, model: SweepModel, facts: StudyFacts) -> None:
    """Note models that cannot be had in this study."""
    for i, name in enumerate(model.models):
        if accepted := registry.parse(name).refusal(facts):
            findings.add((*path, "models", i), name, accepted)


def permeability_kind(swept: Mapping[str, tuple[float, ...]]) -> PermeabilityKind:
    """Which of the keys of permeabilities is swept."""
    given: tuple[PermeabilityKind, ...] = ("permeability", "sigma0", "surface_relaxivity")
    return next((key for key in given if swept[key]), "permeability")
