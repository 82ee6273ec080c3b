"""Inversions in a configuration file: which signals are fitted, by what, and from which starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from torrey.base.budgets import MOST_FITS, quoted
from torrey.base.errors import KeyPath
from torrey.config.domain import Inversion, Study
from torrey.config.findings import Findings
from torrey.config.quantities import Model, Number, OrOne
from torrey.geometry.balls.base import Balls
from torrey.gradients.sweep import REFERENCE
from torrey.models import registry

_KINDS: Final = "karger, physical or exchange"
_STARTS: Final = "a whole number of starts, at least 1, or a list of them, such as [10, 15, 20]"

_MOST_LISTED: Final = 100

Texts = Annotated[list[str], Field(min_length=1, max_length=_MOST_LISTED), OrOne()]
Counts = Annotated[
    list[Annotated[int, Field(ge=1, le=1000)]],
    Field(min_length=1, max_length=_MOST_LISTED),
    OrOne(),
]
Ratios = Annotated[
    list[Annotated[float, Field(ge=1e-3, le=1e9)]],
    Field(min_length=1, max_length=_MOST_LISTED),
    OrOne(),
]
ParameterName = Literal["kappa", "radius", "D_e", "D_c"]


def _nothing() -> Any:
    """Stand for a mapping that is not there, which a key in a file cannot be."""
    return None


def _all_parameters() -> list[ParameterName]:
    return ["kappa", "D_e", "D_c"]


class NoiseModel(Model):
    """Noise of repeated experiments."""

    kind: Literal["gaussian", "rician"] = Field(description="gaussian or rician")
    snr: Ratios = Field(
        description="a number above 0 (1e-3 to 1e9), or a list of them: S(b = 0) over the noise"
    )
    repeats: int = Field(ge=2, le=10_000, description="a whole number of repeats, at least 2")


class InversionModel(Model):
    """What inversions of every kind share."""

    studies: Texts = Field(description="the name of a study, or a list of them")
    starts: Counts = Field(default_factory=lambda: [1], description=_STARTS)
    seed: int = Field(1, ge=0, le=2**32 - 1, description="a whole number, at least 0, below 2^32")
    spread: Number = Field(
        0.5,
        gt=0,
        le=0.9,
        description="a number above 0, at most 0.9: of the starts round the truth",
    )


class KargerInversionModel(InversionModel):
    """Parameters of two exchanging compartments."""

    kind: Literal["karger"] = Field(description=_KINDS)
    data: Texts = Field(description="models of the studies, such as [reference, R0]")
    constraint: bool = Field(
        False, description="true or false: whether theta_c = eta_e/(eta_e + eta_c)"
    )
    symmetric: bool = Field(
        False, description="true or false: whether D_e is a symmetric matrix from the outset"
    )
    profile: bool = Field(False, description="true or false: profile likelihoods")
    noise: NoiseModel = Field(
        default_factory=_nothing,
        description="a mapping, such as {kind: rician, snr: [20, 50], repeats: 50}",
    )


class PhysicalInversionModel(InversionModel):
    """Permeability, diffusivities and the radius of a single cell."""

    kind: Literal["physical"] = Field(description=_KINDS)
    models: Texts = Field(description=f"models to fit with: {registry.accepted_by_fits()}")
    parameters: Annotated[list[ParameterName], Field(min_length=1), OrOne()] = Field(
        default_factory=_all_parameters,
        description="one or more of kappa, D_e, D_c, radius; the others are known",
    )


AnyInversion = Annotated[KargerInversionModel | PhysicalInversionModel, Field(discriminator="kind")]


def read_inversion(findings: Findings, name: str, studies: Mapping[str, Study]) -> Inversion | None:
    """Build an inversion, or note what is wrong with it and return None.

    Parameters
    ----------
    findings : Findings
        Holds the files and collects the problems.
    name : str
        Name of the inversion.
    studies : mapping of str to Study
        Those without problems; an inversion of another one is not checked against it.
    """
    path = ("inversions", name)
    before = len(findings.problems)
    model = findings.validate(path, AnyInversion)
    if model is None:
        return None
    findings.require_once((*path, "starts"), model.starts)
    known = fitted_studies(findings, path, model.studies, studies)
    if known is None:
        return None
    if isinstance(model, KargerInversionModel):
        _check_karger(findings, path, model, known)
    else:
        _check_physical(findings, path, model, known)
    return _inversion(name, model) if len(findings.problems) == before else None


def _inversion(name: str, model: KargerInversionModel | PhysicalInversionModel) -> Inversion:
    shared: dict[str, Any] = {
        "name": name,
        "studies": tuple(model.studies),
        "starts": tuple(model.starts),
        "seed": model.seed,
        "spread": model.spread,
    }
    if isinstance(model, PhysicalInversionModel):
        names = tuple(model.models), tuple(model.parameters)
        return Inversion(kind="physical", models=names[0], parameters=names[1], **shared)
    noise = model.noise
    return Inversion(
        kind="karger",
        data=tuple(model.data),
        constraint=model.constraint,
        symmetric=model.symmetric,
        profile=model.profile,
        noise=(noise.kind, tuple(noise.snr), noise.repeats) if noise else None,
        **shared,
    )


def fitted_studies(
    findings: Findings, path: KeyPath, names: Sequence[str], studies: Mapping[str, Study]
) -> list[Study] | None:
    """Studies that an inversion names, with what is wrong with their cells noted.

    None if one of them is not there, or has problems of its own.
    """
    for i, name in enumerate(names):
        findings.require_entry((*path, "studies", i), name, "studies")
    findings.require_once((*path, "studies"), names)
    known = [studies[name] for name in names if name in studies]
    if len(known) < len(names):
        return None
    for i, study in enumerate(known):
        check_cell(findings, (*path, "studies", i), study)
    return known


def check_cell(findings: Findings, path: KeyPath, study: Study) -> None:
    """Fits need membranes between the outside and cells, and nothing but diffusion."""
    membranes = study.shape.membranes()
    if not (membranes and all(m.outside == 0 and m.inside > 0 for m in membranes)):
        findings.add(
            path, f"study {study.name}", "one whose membranes lie between outside and cells"
        )
    if study.sweep.permeability_kind == "surface_relaxivity":
        findings.add(path, f"study {study.name}", "one with permeability or sigma0")
    elif not all(kappa > 0 for _, kappa in study.sweep.cells()):
        findings.add(path, f"study {study.name}", "one whose permeabilities are above zero")
    material = study.material
    if material.T2 or material.T1 or material.density or material.membranes:
        findings.add(
            path, f"study {study.name}", "one without T2, T1, density and permeability_factors"
        )
    if material.relaxivity:
        findings.add(path, f"study {study.name}", "one without surface_relaxivity")


def _check_karger(
    findings: Findings, path: KeyPath, model: KargerInversionModel, studies: Sequence[Study]
) -> None:
    first = studies[0]
    cells = tuple(first.sweep.cells())
    for i, study in enumerate(studies):
        where = (*path, "studies", i)
        if len(tuple(study.sweep.cells())) != 1:
            findings.add(where, f"study {study.name}", "one period and one permeability")
        same = (study.geometry, study.material, tuple(study.sweep.cells()))
        if same != (first.geometry, first.material, cells):
            findings.add(
                where,
                f"study {study.name}, of another cell than {first.name}",
                "studies of one geometry, diffusivity, period and permeability",
            )
    for i, study in enumerate(studies):
        if study.material.in_space:
            found = f"study {study.name}, with gradients out of the {_CELL[study.shape.dimension]}"
            accepted = "gradients across the cells, along which their water is confined: D_c = 0"
            findings.add((*path, "studies", i), found, accepted)
    if _reaches_across(first):
        findings.add(
            (*path, "studies", 0), f"study {first.name}", "discs or spheres, in which D_c = 0"
        )
    findings.require_once((*path, "data"), model.data)
    for i, name in enumerate(model.data):
        missing = [study.name for study in studies if name not in study.models]
        if missing:
            accepted = f"a model of study {missing[0]}"
            findings.add((*path, "data", i), quoted(name), accepted)
    fits = max(model.starts) * len(model.data)
    fits *= model.noise.repeats * len(model.noise.snr) if model.noise else 1
    with findings.under(*path):
        findings.spend("fits", fits, MOST_FITS)
    if model.noise:
        findings.require_once((*path, "noise", "snr"), model.noise.snr)


_CELL: Final = {1: "axis of the cell", 2: "plane of the cell"}


def _reaches_across(study: Study) -> bool:
    """Whether cells go on from one period to the next, as layers do in two dimensions."""
    return study.shape.to_dict()["kind"] == "layers"


def _check_physical(
    findings: Findings, path: KeyPath, model: PhysicalInversionModel, studies: Sequence[Study]
) -> None:
    (first, *more) = studies
    where = (*path, "studies")
    if more:
        findings.add(where, f"{len(studies)} studies", "one, which may sweep the permeability")
    if len(first.sweep.periods) != 1:
        findings.add(where, f"study {first.name}", "one period")
    if REFERENCE not in first.models:
        findings.add(where, f"study {first.name}", "one with a reference among its models")
    outside, *inside = first.material.diffusivity
    if (
        not isinstance(outside, float)
        or len(set(inside)) > 1
        or any(not isinstance(D, float) for D in inside)
    ):
        findings.add(where, f"study {first.name}", "one diffusivity outside and one inside")
    if "radius" in model.parameters:
        check_round(findings, (*path, "parameters", model.parameters.index("radius")), first)
    findings.require_once((*path, "models"), model.models)
    findings.require_once((*path, "parameters"), model.parameters)
    for i, name in enumerate(model.models):
        if not registry.can_be_fitted(name):
            findings.add((*path, "models", i), quoted(name), registry.accepted_by_fits())


def check_round(findings: Findings, path: KeyPath, study: Study) -> None:
    """A radius is that of one disc or one sphere, of which another may be made."""
    shape = study.shape
    if isinstance(shape, Balls) and shape.n_compartments == 2:
        return
    found = shape.kind
    if isinstance(shape, Balls):
        if shape.interior == "obstacle":
            found = "obstacles"
        elif shape.membranes() or not shape.cells:
            found = f"{len(shape.cells)} {shape.kind}"
        else:
            found = f"{shape.kind} with layers"
    findings.add(
        path,
        f"radius in study {study.name}, of {found}",
        "a study of one disc or one sphere, with water inside and no layer",
    )
