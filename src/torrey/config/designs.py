"""Designs in a configuration file: which parameters of a study's cell its protocol is to tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from torrey.base.budgets import MOST_COMPARISONS, MOST_MEASUREMENTS, MOST_VALUES, quoted
from torrey.base.errors import KeyPath, either
from torrey.base.nearest import did_you_mean
from torrey.cell.motion import derivable_radii
from torrey.config.domain import Design, Study
from torrey.config.findings import Findings
from torrey.config.quantities import Model, Number, OrOne
from torrey.geometry.membranes import Radius
from torrey.gradients.sweep import REFERENCE
from torrey.inversion.design_settings import DesignSettings, comparisons

Parameter = tuple[str, tuple[int, ...], float]

_OF_DIFFUSIVITIES: Final = "D_"
_OF_RADII: Final = "R_"
_MOST_LISTED: Final = 100
_EXAMPLE: Final = "such as [kappa, D_inside, L]"

Texts = Annotated[list[str], Field(min_length=1, max_length=_MOST_LISTED), OrOne()]


class DesignModel(Model):
    """What is asked of the protocol of a study."""

    study: str = Field(description="the name of a study with derivatives")
    model: str = Field("", description="a model of the study with derivatives")
    parameters: Texts = Field(
        default_factory=list, description=f"a list of what is unknown, {_EXAMPLE}"
    )
    sigma: Number = Field(
        gt=0,
        le=10,
        description="a number above 0, at most 10: noise of a signal, relative to one without "
        "gradient and relaxation",
    )
    choose: int = Field(
        0,
        ge=1,
        le=MOST_MEASUREMENTS,
        description=f"a whole number of measurements, 1 to {MOST_MEASUREMENTS}",
    )
    criterion: Literal["D", "A"] = Field(
        "D", description="D (determinant) or A (trace) of the bound of the covariance"
    )
    of: Texts = Field(default_factory=list, description="a list of some of the parameters")
    repeated: bool = Field(
        False, description="true or false: whether a measurement may be chosen several times"
    )


def read_design(findings: Findings, name: str, studies: Mapping[str, Study]) -> Design | None:
    """Build a design, or note what is wrong with it and return None.

    Parameters
    ----------
    findings : Findings
        Holds the files and collects the problems.
    name : str
    studies : mapping of str to Study
        Those without problems; a design of another one is not checked against it.
    """
    path = ("designs", name)
    before = len(findings.problems)
    model: DesignModel | None = findings.validate(path, DesignModel)
    if model is None:
        return None
    study = studies.get(model.study)
    if study is None:
        findings.require_entry((*path, "study"), model.study, "studies")
        return None
    derived = study.derived_models
    if not derived:
        accepted = "a study with derivatives: true, or a list of them"
        findings.add((*path, "study"), f"study {study.name} without derivatives", accepted)
        return None
    chosen = model.model or derived[0]
    if chosen not in derived:
        found = quoted(chosen)
        accepted = f"a model of study {study.name} with derivatives: {either(derived)}"
        findings.add((*path, "model"), found, accepted)
        return None
    parameters = _parameters(findings, path, model, study, chosen)
    if len(findings.problems) > before:
        return None
    names = [parameter for parameter, _, _ in parameters]
    _check_choice(findings, path, model, study, names)
    if len(findings.problems) > before:
        return None
    settings = DesignSettings(
        model=chosen,
        parameters=tuple(parameters),
        sigma=model.sigma,
        choose=model.choose,
        criterion=model.criterion,
        of=tuple(model.of),
        repeated=model.repeated,
    )
    return Design(name, study.name, settings)


def _parameters(
    findings: Findings, path: KeyPath, model: DesignModel, study: Study, chosen: str
) -> list[Parameter]:
    """What is unknown: as it is given, or all that the model is derived by."""
    where, places = (*path, "parameters"), _places(study) if chosen == REFERENCE else {}
    known = [name for name in study.derivatives if name in ("kappa", "L")]
    kappas = [kappa for _, kappa in study.sweep.cells()]
    if not model.parameters:
        # Where nothing passes there is no permeability to be found.
        first = [name for name in known if name == "kappa" and any(kappas)]
        last = [name for name in known if name == "L"]
        names = [*first, *_usual(study, places), *last]
    else:
        names = model.parameters
        findings.require_once(where, names)
    accepted = [*known, *places]
    if not names:
        found = f"study {study.name} without derivatives by kappa, D, L and R"
        findings.add((*path, "study"), found, "one with some of them")
    if "kappa" in names and not all(kappas):
        found = f"kappa, which is 0 in study {study.name}"
        findings.add(where, found, "permeabilities above zero, or parameters without kappa")
    parameters, taken = [], dict[tuple[str, int], str]()
    for i, name in enumerate(names):
        if name not in accepted:
            said = f"some of {', '.join(accepted)}: study {study.name} has derivatives by them"
            findings.add((*where, i), f"{quoted(name)}{did_you_mean(name, accepted)}", said)
            continue
        places_of, kind = places.get(name, ()), name[:2]
        value = _value(findings, (*where, i), study, name, places_of)
        parameters.append((name, places_of, value))
        for place in places_of:
            other = taken.setdefault((kind, place), name)
            if other != name:
                of_water = kind == _OF_DIFFUSIVITIES
                same, each = ("water", "region") if of_water else ("ball", "radius")
                found = f"{name} beside {other}, which is the same {same}"
                findings.add((*where, i), found, f"each {each} in one parameter")
                break
    return parameters


def _places(study: Study) -> dict[str, tuple[int, ...]]:
    """Regions, or radii, by the names under which they may be given: of a part, or their own."""
    shape, found = study.shape, dict[str, list[int]]()
    if "R" in study.derivatives:
        for i, radius in enumerate(derivable_radii(study.material, shape)):
            for one in (_part_of(radius), radius.name):
                found.setdefault(f"{_OF_RADII}{one}", []).append(i)
    if "D" not in study.derivatives:
        return {name: tuple(radii) for name, radii in found.items()}
    for i, (part, name, owner) in enumerate(
        zip(shape.region_parts, shape.region_names, shape.region_compartment, strict=True)
    ):
        for one in dict.fromkeys((part, shape.compartment_names[owner], name)):
            found.setdefault(f"{_OF_DIFFUSIVITIES}{one}", []).append(i)
    return {name: tuple(regions) for name, regions in found.items()}


def _part_of(radius: Radius) -> str:
    """Key of the part of a cell that a radius belongs to, as of its diffusivities."""
    return "coat" if radius.name.startswith("coat") else "inside"


def _usual(study: Study, places: Mapping[str, tuple[int, ...]]) -> list[str]:
    """One for each part of the cell, or for each region or radius of it where they differ."""
    shape, names = study.shape, []
    if "D" in study.derivatives and places:
        names += _usual_diffusivities(study, places)
    if "R" in study.derivatives and places:
        radii = derivable_radii(study.material, shape)
        lengths = shape.membrane_radii()
        for part in dict.fromkeys(map(_part_of, radii)):
            chosen = places[f"{_OF_RADII}{part}"]
            alike = len({lengths[radii[i].membrane] for i in chosen}) == 1
            own = [f"{_OF_RADII}{radii[i].name}" for i in chosen]
            names += [f"{_OF_RADII}{part}"] if alike else own
    return names


def _usual_diffusivities(study: Study, places: Mapping[str, tuple[int, ...]]) -> list[str]:
    shape, values = study.shape, study.material.diffusivity
    moving = study.material.axes_of_motion(shape.dimension)
    names = []
    for part in dict.fromkeys(shape.region_parts):
        regions = places[f"{_OF_DIFFUSIVITIES}{part}"]
        if len({values[i] for i in regions}) == 1:
            names += [f"{_OF_DIFFUSIVITIES}{part}"] if moving[regions[0]] else []
        else:
            names += [f"{_OF_DIFFUSIVITIES}{shape.region_names[i]}" for i in regions if moving[i]]
    return names


def _value(
    findings: Findings, path: KeyPath, study: Study, name: str, places: tuple[int, ...]
) -> float:
    """The diffusivity of some regions, or the length of some radii in units of the cell."""
    if not places:
        return 0.0
    if name.startswith(_OF_DIFFUSIVITIES):
        return _diffusivity(findings, path, study, name, places)
    radii, lengths = derivable_radii(study.material, study.shape), study.shape.membrane_radii()
    values = {float(lengths[radii[i].membrane]) for i in places}
    if len(values) > 1:
        names = ", ".join(f"{_OF_RADII}{radii[i].name}" for i in places)
        findings.add(path, f"{name}, of balls of different radii", names)
    return max(values)


def _diffusivity(
    findings: Findings, path: KeyPath, study: Study, name: str, regions: tuple[int, ...]
) -> float:
    """The diffusivity of some regions (um^2/ms), of matrices the mean along the axes."""
    material, d = study.material, study.shape.dimension
    if len({material.diffusivity[i] for i in regions}) > 1:
        names = ", ".join(f"{_OF_DIFFUSIVITIES}{study.shape.region_names[i]}" for i in regions)
        findings.add(path, f"{name}, of regions with different diffusivities", names)
    if not material.axes_of_motion(d)[list(regions)].all():
        findings.add(path, f"{name}, of immobile water", "water that moves")
    tensor = material.tensors(d)[regions[0]]
    return float(tensor.trace()) / len(tensor)


def _check_choice(
    findings: Findings, path: KeyPath, model: DesignModel, study: Study, names: list[str]
) -> None:
    """Note parameters that count and are none, and more measurements than there are, or too few."""
    findings.require_once((*path, "of"), model.of)
    for i, name in enumerate(model.of):
        if name not in names:
            found = f"{quoted(name)}{did_you_mean(name, names)}"
            findings.add((*path, "of", i), found, f"some of the parameters: {', '.join(names)}")
    count = len(study.sweep.protocol.measurements)
    if not model.choose:
        for key in ("criterion", "of", "repeated"):
            if key in model.model_fields_set:
                findings.add((*path, key), f"{key} without choose", "choose, too, or no such key")
        return
    most = MOST_VALUES if model.repeated else count
    if not len(names) <= model.choose <= most:
        why = "" if model.repeated else f", the measurements of study {study.name} in one cell"
        accepted = f"{len(names)}, the number of parameters, to {most}{why}"
        findings.add((*path, "choose"), f"{model.choose}", accepted)
        return
    cells = len(list(study.sweep.cells()))
    with findings.under(*path, "choose"):
        work = cells * comparisons(count, model.choose, model.repeated)
        findings.spend("comparisons of measurements", work, MOST_COMPARISONS)
