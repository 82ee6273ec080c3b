"""From the text of one study to a `Study`: the checks that need more than one key."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from torrey.config.domain import Geometry, Study
from torrey.config.findings import Findings
from torrey.config.models import (
    ENCODING_KEYS,
    PERMEABILITY_KEYS,
    DiffusivityModel,
    StudyModel,
)
from torrey.errors import InputError, KeyPath
from torrey.geometry.shapes import Shape
from torrey.keys import format_number
from torrey.material import Material
from torrey.sweep import Sweep
from torrey.units import UNITS, Kind
from torrey.waveforms import Pgse

T = TypeVar("T")
Vector = tuple[float, ...]

_UNITS: Final[Mapping[str, Kind]] = {
    "period": "length",
    "permeability": "permeability",
    "sigma0": "permeability",
    "delta": "time",
    "Delta": "time",
    "b": "b_value",
    "q": "q",
    "gradient": "gradient",
}


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
    for keys in (PERMEABILITY_KEYS, ENCODING_KEYS):
        _require_one(findings, path, keys)
    model: StudyModel | None = findings.validate(path, StudyModel)
    if model is None:
        return None
    swept = _swept(findings, path, model)
    directions: tuple[Vector, ...] = ()
    with findings.under(*path, "directions"):
        directions = once(
            [_unit_vector(i, v) for i, v in enumerate(model.directions)], _in_brackets
        )
    with findings.under(*path, "models"):
        once(model.models, str)
    geometry = geometries.get(model.geometry)
    if geometry is None:
        findings.require_entry((*path, "geometry"), model.geometry, "geometries")
        return None
    _check_lumped(findings, path, model.models, geometry.shape)
    material = _fill(findings, path, model.diffusivity, swept, geometry.shape)
    _check_dimension(findings, path, directions, geometry.shape)
    if material is None or len(findings.problems) > before:
        return None
    permeability_kind = next(key for key in PERMEABILITY_KEYS if key in swept)
    encoding_kind = next(key for key in ENCODING_KEYS if key in swept)
    return Study(
        name=name,
        geometry=geometry.name,
        shape=geometry.shape,
        mesh=geometry.mesh,
        material=material,
        sweep=Sweep(
            periods=swept["period"],
            permeability_kind=permeability_kind,
            permeabilities=swept[permeability_kind],
            deltas=swept["delta"],
            Deltas=swept["Delta"],
            encoding_kind=encoding_kind,
            encodings=swept[encoding_kind],
            directions=directions,
        ),
        models=tuple(model.models),
        tolerance=model.tolerance,
    )


def once(values: Sequence[T], show: Callable[[T], str]) -> tuple[T, ...]:
    """Return the values, if no two of them look the same.

    Raises
    ------
    InputError
        At the first value that repeats an earlier one.
    """
    first: dict[str, int] = {}
    for i, value in enumerate(values):
        text = show(value)
        if first.setdefault(text, i) != i:
            raise InputError(f"{text}, the same as entry {first[text]}", "each value once", at=(i,))
    return tuple(values)


def _require_one(findings: Findings, path: KeyPath, keys: Sequence[str]) -> None:
    given = findings.keys(path)
    present = [key for key in keys if key in given]
    if given and len(present) != 1:
        found = " and ".join(present) if present else f"none of {', '.join(keys)}"
        findings.add(path, found, f"exactly one of {', '.join(keys)}")


def _swept(findings: Findings, path: KeyPath, model: StudyModel) -> dict[str, tuple[float, ...]]:
    """Return the values of each swept key that is there, and check pulses against separations."""
    swept = {}
    for holder, place in ((model, path), (model.waveform, (*path, "waveform"))):
        for key in (key for key in type(holder).model_fields if key in _UNITS):
            with findings.under(*place, key):
                values = getattr(holder, key).values()
                swept[key] = once(values, partial(_with_unit, UNITS[_UNITS[key]].internal))
    if "delta" in swept and "Delta" in swept:
        with findings.under(*path, "waveform"):
            Pgse(max(swept["delta"]), min(swept["Delta"]))  # the worst pair: if it will do, all do
    return {key: values for key, values in swept.items() if values}


def _with_unit(unit: str, value: float) -> str:
    return f"{format_number(value)} {unit}"


def _unit_vector(i: int, vector: Sequence[float]) -> Vector:
    norm = math.hypot(*vector)
    if norm == 0:
        raise InputError("a vector of length 0", "a direction such as [1, 0]", at=(i,))
    return tuple(x / norm + 0.0 for x in vector)  # + 0.0: no negative zeros in names


def _in_brackets(vector: Vector) -> str:
    return f"[{', '.join(map(format_number, vector))}]"


def _check_dimension(
    findings: Findings, path: KeyPath, directions: Sequence[Vector], shape: Shape
) -> None:
    for i, direction in enumerate(directions):
        if len(direction) != shape.dimension:
            findings.add(
                (*path, "directions", i),
                f"{len(direction)} components",
                f"{shape.dimension}, as many as the geometry has dimensions",
            )


def _check_lumped(findings: Findings, path: KeyPath, models: Sequence[str], shape: Shape) -> None:
    """Cells can be lumped where each membrane lies between the outside and a cell."""
    membranes = shape.membranes()
    if membranes and all(m.outside == 0 and m.inside > 0 for m in membranes):
        return
    for i, model in enumerate(models):
        if model.startswith("lumped-"):
            findings.add(
                (*path, "models", i),
                model,
                f"{model.removeprefix('lumped-')}: only cells in an outside can be lumped",
            )


def _fill(
    findings: Findings,
    path: KeyPath,
    model: DiffusivityModel,
    swept: Mapping[str, tuple[float, ...]],
    shape: Shape,
) -> Material | None:
    """Return the material of the cell; where there is no membrane, nothing may pass one."""
    if not shape.membranes():
        for key in PERMEABILITY_KEYS:
            if any(swept.get(key, ())):
                findings.add(
                    (*path, key),
                    "a permeability above zero",
                    "0 m/s: the geometry has no permeable membrane (its cells are obstacles, or "
                    "there are none)",
                )
    with findings.under(*path, "diffusivity"):
        return Material((float(model.outside), *_insides(model, shape)))
    return None


def _insides(model: DiffusivityModel, shape: Shape) -> tuple[float, ...]:
    count = shape.n_compartments - 1
    if count == 0:
        if model.inside:
            raise InputError(
                "a diffusivity inside",
                "no such key: the geometry has one compartment, outside (obstacles hold no water)",
                at=("inside",),
            )
        return ()
    if not model.inside:
        raise InputError("no key inside", f"{UNITS['diffusivity'].accepted}, for what is inside")
    values = tuple(float(value) for value in model.inside)
    if len(values) not in (1, count):
        raise InputError(
            f"{len(values)} diffusivities",
            f"one value, or a list of {count}: one per compartment inside",
            at=("inside",),
        )
    return values * count if len(values) == 1 else values
