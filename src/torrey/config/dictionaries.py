"""From the text of one dictionary to a `Dictionary`: the checks that need more than one key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, Final

from torrey.base.budgets import MOST_DICTIONARY_SIGNALS, MOST_MATERIALS, MOST_MEASUREMENTS
from torrey.base.errors import InputError, KeyPath
from torrey.cell.material import NO_CELL_PROBLEM, Material
from torrey.config.cells import check_cells, cost_notes, scaling_notes
from torrey.config.domain import Dictionary, Geometry
from torrey.config.findings import Findings
from torrey.config.material_models import DiffusivityModel
from torrey.config.materials import fill, is_in_space
from torrey.config.models import DictionaryModel, DiffusivityAxesModel
from torrey.config.nodes import Node
from torrey.config.problems import Problem
from torrey.config.protocols import check_keys, once, read_protocol, require_one, with_unit
from torrey.config.scales import check_meshes, check_scales
from torrey.config.studies import (
    cells_of,
    check_models,
    facts_of,
    permeability_kind,
    require_permeability,
)
from torrey.gradients.sweep import REFERENCE, Acquisition, Product, Sweep

Cells = dict[str, tuple[float, ...]]
Places = tuple[tuple[str, tuple[float, ...]], ...]

_ONE: Final = "diffusivity"
_SWEPT: Final = "diffusivities"


def read_dictionary(
    findings: Findings, name: str, geometries: Mapping[str, Geometry]
) -> Dictionary | None:
    """Build an entry of ``dictionaries``, or note what is wrong with it and return None.

    Parameters as of `torrey.config.studies.read_study`.
    """
    path = ("dictionaries", name)
    before = len(findings.problems)
    require_permeability(findings, path)
    require_one(findings, path, (_ONE, _SWEPT))
    check_keys(findings, path)
    model: DictionaryModel | None = findings.validate(path, DictionaryModel)
    if model is None:
        return None
    cells, places = cells_of(findings, path, model), _places(findings, path, model)
    with findings.under(*path, "models"):
        once(model.models, str)
    geometry = geometries.get(model.geometry)
    if geometry is None:
        findings.require_entry((*path, "geometry"), model.geometry, "geometries")
        return None
    dimension = geometry.shape.dimension
    in_space = is_in_space(model.diffusivity, dimension)
    protocol, notes = read_protocol(findings, path, model, dimension, in_space)
    if protocol is None or len(findings.problems) > before:
        return None
    if not _spend(findings, path, model, cells, places, protocol):
        return None
    if not check_cells(findings, path, geometry):
        return None
    check_meshes(findings, path, geometry)
    materials = _materials(findings, path, model, cells, geometry, protocol, places)
    kind = permeability_kind(cells)
    sweep = Sweep(cells["period"], kind, cells[kind], protocol)
    _check(findings, path, model, cells, geometry, sweep, materials)
    if len(findings.problems) > before:
        return None
    return Dictionary(
        name=name,
        geometry=geometry.name,
        shape=geometry.shape,
        mesh=geometry.mesh,
        places=places,
        materials=materials,
        sweep=sweep,
        models=tuple(model.models),
        tolerance=model.tolerance,
        notes=(*notes, *scaling_notes(geometry, sweep.periods), *cost_notes(geometry)),
    )


def _places(findings: Findings, path: KeyPath, model: DictionaryModel) -> Places:
    """Parts of the cell whose diffusivities are swept, each value once."""
    found = []
    for part in DiffusivityAxesModel.model_fields:
        with findings.under(*path, _SWEPT, part):
            given = getattr(model.diffusivities, part).values()
            if values := once(given, partial(with_unit, "um^2/ms")):
                found.append((part, values))
    return tuple(found)


def _spend(
    findings: Findings,
    path: KeyPath,
    model: DictionaryModel,
    cells: Cells,
    places: Places,
    protocol: Product | Acquisition,
) -> bool:
    """Whether a dictionary has so few signals, materials and measurements that it can be had."""
    sizes = {key: len(values) for key, values in protocol.axes().items()}
    rows = math.prod(sizes.values())
    sizes = {key: len(values) for key, values in cells.items() if values} | sizes
    materials = math.prod(len(values) for _, values in places)
    shown = ", ".join(f"{size} of {key}" for key, size in sizes.items() if size > 1)
    for found, count, most in (
        (f"{rows} measurements of each cell", rows, MOST_MEASUREMENTS),
        (f"{materials} combinations of diffusivities", materials, MOST_MATERIALS),
    ):
        if count > most:
            findings.add(path, f"{found} ({shown})" if shown else found, f"at most {most}")
            return False
    signals = materials * math.prod(sizes.values()) * len(model.models)
    try:
        findings.spend("signals of dictionaries", signals, MOST_DICTIONARY_SIGNALS)
    except InputError as error:
        findings.add(path, f"{error.found} ({shown})", error.accepted)
        return False
    return True


def _materials(
    findings: Findings,
    path: KeyPath,
    model: DictionaryModel,
    cells: Cells,
    geometry: Geometry,
    protocol: Product | Acquisition,
    places: Places,
) -> tuple[Material, ...]:
    """Materials of all combinations of diffusivities; none from the first that is refused."""
    shadow = _with_one_diffusivity(findings, path) if places else findings
    before = len(shadow.problems)
    in_space = protocol.n_axes > geometry.shape.dimension
    found = []
    for values in product(*(values for _, values in places)):
        given: dict[str, Any] = {
            part: value for (part, _), value in zip(places, values, strict=True)
        }
        one = DiffusivityModel.model_construct(**given) if places else model.diffusivity
        filled = model.model_copy(update={_ONE: one})
        material = fill(shadow, path, filled, cells, geometry.shape, in_space)
        if material is None or len(shadow.problems) > before:
            break
        found.append(material)
    if shadow is not findings:
        findings.problems += map(_at_the_axes, shadow.problems)
    return tuple(found)


def _with_one_diffusivity(findings: Findings, path: KeyPath) -> Findings:
    """Findings of a file whose key of swept diffusivities is that of one of them."""
    section, name = map(str, path)
    entry = list(findings.root.walk(path))[-1]
    given = entry.content if isinstance(entry.content, dict) else {}
    content = {_ONE if key == _SWEPT else key: node for key, node in given.items()}
    renamed = replace(entry, content=content)
    return Findings(replace(findings.root, content={section: Node({name: renamed}, "", 0)}))


def _at_the_axes(problem: Problem) -> Problem:
    """The same problem where the values of a diffusivity were given."""
    return replace(problem, path=tuple(_SWEPT if key == _ONE else key for key in problem.path))


def _check(
    findings: Findings,
    path: KeyPath,
    model: DictionaryModel,
    cells: Cells,
    geometry: Geometry,
    sweep: Sweep,
    materials: tuple[Material, ...],
) -> None:
    """Note models that cannot be had, and values that leave no signal."""
    for material in materials:
        facts = facts_of(model, cells, geometry.shape, sweep.protocol, material)
        count = len(findings.problems)
        check_models(findings, path, model, facts)
        if facts.sticks and REFERENCE in model.models:
            place = (*path, "models", model.models.index(REFERENCE))
            findings.add(place, *NO_CELL_PROBLEM)
        check_scales(findings, path, sweep, material)
        if len(findings.problems) > count:
            return
