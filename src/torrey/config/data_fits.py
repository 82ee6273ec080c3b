"""Fits of measured signals in a configuration: whether the model fits the data and its options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from torrey.base.budgets import quoted
from torrey.base.errors import InputError, KeyPath, either
from torrey.base.units import UNITS, Kind, parse
from torrey.config.data_models import PHYSICAL, DataFitModel
from torrey.config.domain import DataFit, MeasuredData
from torrey.config.findings import Findings
from torrey.inversion.fit_settings import FitSettings

if TYPE_CHECKING:
    from torrey.inversion.table_model import ModelParameter, TableModel

#: Voxels of a volume for one job, and the most jobs that are made without being asked for.
_AT_ONCE, _MOST_CHUNKS = 1_000, 200
#: How quantities of a unit are written; the others are numbers.
_KINDS: Final[Mapping[str, Kind]] = {
    "um2 ms-1": "diffusivity",
    "ms": "time",
    "ms-1": "frequency",
    "um": "length",
    "um ms-1": "permeability",
}
_OPTIONS: Final = ("anisotropic", "D_sphere")
_OF_CELLS: Final = ("study", "by", "parameters")


def is_data_fit(findings: Findings, name: str) -> bool:
    """Whether an entry of ``inversions`` is a fit of measured signals."""
    keys = findings.keys(("inversions", name))
    return "model" in keys or ("kind" not in keys and "studies" not in keys)


def read_data_fit(
    findings: Findings, name: str, data: Mapping[str, MeasuredData]
) -> DataFit | None:
    """Build a fit of measured signals, or note what is wrong with it and return None."""
    path = ("inversions", name)
    before = len(findings.problems)
    model = findings.validate(path, DataFitModel)
    if model is None:
        return None
    if model.data not in data:
        findings.require_entry((*path, "data"), model.data, "data")
        return None
    measured = data[model.data]
    if model.model != PHYSICAL:
        for key in (key for key in _OF_CELLS if key in findings.keys(path)):
            findings.add((*path, key), key, f"no such key with {model.model}")
    found = None
    with findings.under(*path):
        found = _fit(findings, path, name, model, measured)
    return found if len(findings.problems) == before else None


def _fit(
    findings: Findings, path: KeyPath, name: str, model: DataFitModel, measured: MeasuredData
) -> DataFit:
    # Models take a tenth of a second to import, which configurations without data do not spend.
    from torrey.inversion.table_models import table_model
    from torrey.inversion.table_runs import check_fit

    options = _options(findings, path, model)
    fitted = table_model(model.model, **options)
    named = {one.name: one for one in fitted.parameters}
    settings = FitSettings(
        model=model.model,
        options=options,
        fixed={
            key: _quantity(value, named[key], ("fixed", key))
            for key, value in _mapping(model.fixed, named, "fixed").items()
        },
        bounds={
            key: _pair(value, named[key], ("bounds", key))
            for key, value in _mapping(model.bounds, named, "bounds").items()
        },
        intervals=model.profiles,
        starts=model.starts,
        seed=model.seed,
        noise=measured.noise,
        compare=tuple(model.compare),
    )
    findings.require_once((*path, "compare"), ("", *model.compare))
    _check_compared(fitted, model, measured)
    check_fit(fitted, measured.protocol, settings, measured.has_sigma)
    return DataFit(
        name=name,
        data=measured.name,
        settings=settings,
        parameters=tuple(key for key in named if key not in settings.fixed),
        chunks=model.chunks or _chunks(measured),
    )


def _chunks(measured: MeasuredData) -> int:
    return min(_MOST_CHUNKS, max(1, math.ceil(measured.voxels / _AT_ONCE)))


def _options(findings: Findings, path: KeyPath, model: DataFitModel) -> dict[str, Any]:
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
    kind = _KINDS.get(one.unit)
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
        unit = f", {UNITS[_KINDS[one.unit]].accepted}" if one.unit in _KINDS else ""
        raise InputError("no pair", f"a list of the least and the most{unit}", at=at)
    low, high = (_quantity(value, one, (*at, i)) for i, value in enumerate(given))
    return low, high


def _check_compared(fitted: TableModel, model: DataFitModel, measured: MeasuredData) -> None:
    """Criteria compare fits to the same rows."""
    from torrey.inversion.table_models import table_model
    from torrey.inversion.table_runs import check_fit

    for i, name in enumerate(model.compare):
        at = ("compare", i)
        if name == model.model:
            raise InputError(f"{name}, which is fitted itself", "other models", at=at)
        other = table_model(name)
        if other.powder != fitted.powder and not measured.protocol.powder:
            one, two = "means over directions", "single directions"
            said = (one, two) if other.powder else (two, one)
            raise InputError(
                f"{name}, a model of {said[0]}",
                f"models of {said[1]}, as {model.model} is: criteria compare fits to the same rows",
                at=at,
            )
        try:
            check_fit(other, measured.protocol, FitSettings(name), measured.has_sigma)
        except InputError as error:
            raise InputError(f"{name} with {error.found}", error.accepted, at=at) from None
