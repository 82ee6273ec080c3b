"""Fits of measured signals in a configuration: whether the model fits the data and its options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from torrey.base.budgets import quoted
from torrey.base.errors import InputError, KeyPath, either
from torrey.base.units import UNITS, Kind, parse
from torrey.config.data_models import PHYSICAL, DataFitModel, TableFitModel
from torrey.config.domain import DataFit, MeasuredData, Study
from torrey.config.findings import Findings
from torrey.config.inversions import check_cell, check_round
from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.table_model import ModelParameter
from torrey.models import registry

#: Voxels of a volume for one job, and the most jobs that are made without being asked for.
_AT_ONCE, _MOST_CHUNKS = 1_000, 200
UNIT_KINDS: Final[Mapping[str, Kind]] = {
    "um2 ms-1": "diffusivity",
    "ms": "time",
    "ms-1": "frequency",
    "um": "length",
    "um ms-1": "permeability",
}
"""How quantities of a unit are written; parameters of others are numbers."""
#: Files hold directions with few digits.
_ACROSS: Final = 1e-3
_OPTIONS: Final = ("anisotropic", "D_sphere")
_OF_CELLS: Final = ("study", "by", "parameters")
_NOT_OF_CELLS: Final = (*_OPTIONS, "fixed", "compare")


def is_data_fit(findings: Findings, name: str) -> bool:
    """Whether an entry of ``inversions`` is a fit of measured signals."""
    keys = findings.keys(("inversions", name))
    return "studies" not in keys and ("model" in keys or "kind" not in keys)


def read_data_fit(
    findings: Findings,
    name: str,
    data: Mapping[str, MeasuredData],
    studies: Mapping[str, Study],
) -> DataFit | None:
    """Build a fit of measured signals, or note what is wrong with it and return None.

    Parameters
    ----------
    findings : Findings
    name : str
    data, studies : mapping
        Those without problems; a fit of others is not checked against them.
    """
    path = ("inversions", name)
    before = len(findings.problems)
    model = findings.validate(path, DataFitModel)
    if model is None:
        return None
    if model.data not in data:
        findings.require_entry((*path, "data"), model.data, "data")
        return None
    found, others = None, _OF_CELLS if model.model != PHYSICAL else _NOT_OF_CELLS
    for key in (key for key in others if key in findings.keys(path)):
        findings.add((*path, key), key, f"no such key with {model.model}")
    if len(findings.problems) > before:
        return None
    with findings.under(*path):
        if model.model == PHYSICAL:
            found = _physical_fit(findings, path, model, data[model.data], studies)
        else:
            found = _fit(findings, path, model, data[model.data])
    return replace(found, name=name) if found and len(findings.problems) == before else None


def _fit(findings: Findings, path: KeyPath, model: DataFitModel, measured: MeasuredData) -> DataFit:
    # Models take a tenth of a second to import, which configurations without data do not spend.
    from torrey.inversion.table_checks import check_compared, check_fit
    from torrey.inversion.table_models import table_model

    options = options_of(findings, path, model)
    fitted = table_model(model.model, **options)
    settings = settings_of(model, measured, options, {one.name: one for one in fitted.parameters})
    findings.require_once((*path, "compare"), model.compare)
    check_compared(fitted, model.compare, measured.protocol, measured.has_sigma)
    check_fit(fitted, measured.protocol, settings, measured.has_sigma)
    free = tuple(name for name in fitted.names if name not in settings.fixed)
    return DataFit(model.data, model.data, settings, free, model.chunks or chunks_of(measured))


def _physical_fit(
    findings: Findings,
    path: KeyPath,
    model: DataFitModel,
    measured: MeasuredData,
    studies: Mapping[str, Study],
) -> DataFit | None:
    """A fit of the cell of a study."""
    from torrey.inversion.problem import unit_of
    from torrey.inversion.voxel_problem import ends_of

    if model.study not in studies:
        findings.require_entry((*path, "study"), model.study, "studies")
        return None
    study, place = studies[model.study], (*path, "study")
    check_cell(findings, place, study)
    _check_known(findings, place, study)
    findings.require_once((*path, "parameters"), model.parameters)
    if "radius" in model.parameters:
        check_round(findings, (*path, "parameters", model.parameters.index("radius")), study)
    if not registry.can_be_fitted(model.by):
        findings.add((*path, "by"), quoted(model.by), registry.accepted_by_fits())
    _check_directions(findings, (*path, "data"), measured)
    in_space = _in_space(measured, study.shape.dimension)
    cells = tuple(study.sweep.cells())
    outside, *inside = study.material.diffusivity
    options: dict[str, Any] = {
        "material": replace(study.material, in_space=in_space).to_dict(),
        "axes": 3 if in_space else study.shape.dimension,
        "period": cells[0][0],
        "by": model.by,
        "parameters": list(model.parameters),
        "known": {"kappa": cells[0][1], "D_e": outside, "D_c": inside[0]},
        "shape": {},
    }
    if "radius" in model.parameters:
        options["shape"] = {**study.shape.to_dict(), **study.mesh.to_dict()}
    # How far radii go is known with their meshes.
    named = {str(n): ModelParameter(n, unit_of(n), 0.0, 1.0, n) for n in model.parameters}
    settings = settings_of(model, measured, options, named)
    for one in named.values():
        ends_of(one, settings.fixed, settings.bounds)
    chunks = model.chunks or chunks_of(measured)
    # Those of `torrey.inversion.physical`, in its order.
    free = tuple(name for name in ("kappa", "D_e", "D_c", "radius") if name in named)
    return DataFit(model.data, model.data, settings, free, chunks, study.name)


def _check_known(findings: Findings, path: KeyPath, study: Study) -> None:
    """One value of each parameter that may be known, in a cell whose water does not reach far."""
    here = f"study {study.name}"
    if len(tuple(study.sweep.cells())) != 1:
        findings.add(path, here, "one period and one permeability")
    outside, *inside = study.material.diffusivity
    several = len(set(inside)) > 1 or any(not isinstance(D, float) for D in inside)
    if not isinstance(outside, float) or several:
        findings.add(path, here, "one diffusivity outside and one inside")


def _in_space(measured: MeasuredData, dimension: int) -> bool:
    """Whether some gradient leaves a cell of so many dimensions."""
    moving = measured.protocol.directions[measured.protocol.b > 0.0]
    return bool(np.any(np.abs(moving[:, dimension:]) > _ACROSS))


def _check_directions(findings: Findings, path: KeyPath, measured: MeasuredData) -> None:
    """Rows with gradients have a waveform and a direction."""
    protocol = measured.protocol
    moving = protocol.b > 0.0
    if np.isnan(protocol.directions[moving]).any():
        findings.add(path, "rows that are means over directions", "a direction in each row")
    if np.any(protocol.which < 0):
        findings.add(path, "rows without timings", "columns delta and Delta, or a waveform")


def settings_of(
    model: DataFitModel,
    measured: MeasuredData,
    options: dict[str, Any],
    named: Mapping[str, ModelParameter],
) -> FitSettings:
    """What is fitted and how; values of parameters in internal units."""
    fixed, bounds = limits_of(model, named)
    return FitSettings(
        model=model.model,
        options=options,
        fixed=fixed,
        bounds=bounds,
        intervals=model.profiles,
        starts=model.starts,
        seed=model.seed,
        noise=measured.noise,
        compare=tuple(model.compare),
    )


def limits_of(
    model: TableFitModel, named: Mapping[str, ModelParameter]
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Values of parameters that are not fitted, and bounds of others, in internal units."""
    fixed, bounds = (_mapping(getattr(model, key), named, key) for key in ("fixed", "bounds"))
    return (
        {key: _quantity(value, named[key], ("fixed", key)) for key, value in fixed.items()},
        {key: _pair(value, named[key], ("bounds", key)) for key, value in bounds.items()},
    )


def chunks_of(measured: MeasuredData) -> int:
    """Jobs that share the voxels where nothing is said."""
    return min(_MOST_CHUNKS, max(1, math.ceil(measured.voxels / _AT_ONCE)))


def options_of(findings: Findings, path: KeyPath, model: TableFitModel) -> dict[str, Any]:
    """Options of the model that are given."""
    options: dict[str, Any] = {}
    given = findings.keys(path)
    if "anisotropic" in given:
        options["anisotropic"] = model.anisotropic
    if "D_sphere" in given:
        try:
            options["D_sphere"] = parse(model.D_sphere, "diffusivity")
        except InputError as error:
            raise InputError(error.found, error.accepted, at=("D_sphere",)) from None
    return options


def _mapping(given: object, named: Mapping[str, ModelParameter], key: str) -> Mapping[str, object]:
    if not isinstance(given, dict):
        raise InputError("no mapping", "a mapping from parameters to values", at=(key,))
    for name in given:
        if name not in named:
            raise InputError(quoted(str(name)), either(named), at=(key, str(name)))
    return given


def _quantity(text: object, one: ModelParameter, at: KeyPath) -> float:
    """A value of a parameter in its unit."""
    kind = UNIT_KINDS.get(one.unit)
    if kind is None:
        try:
            value = float(str(text))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(quoted(str(text)), f"a number ({one.description})", at=at)
        return value
    try:
        return parse(text, kind)
    except InputError as error:
        said = f"{error.accepted} ({one.description})"
        raise InputError(error.found, said, at=at) from None


def _pair(given: object, one: ModelParameter, at: KeyPath) -> tuple[float, float]:
    if not isinstance(given, list) or len(given) != 2:
        unit = f", {UNITS[UNIT_KINDS[one.unit]].accepted}" if one.unit in UNIT_KINDS else ""
        raise InputError("no pair", f"a list of the least and the most{unit}", at=at)
    low, high = (_quantity(value, one, (*at, i)) for i, value in enumerate(given))
    return low, high
