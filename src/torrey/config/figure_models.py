"""What may stand in the sections of figures and tables."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from torrey.base.budgets import MOST_ENTRIES
from torrey.config.quantities import Instant, Model, OrOne, one_of
from torrey.gradients.instants import MOST_STILLS

Names = Annotated[list[str], Field(min_length=1, max_length=MOST_ENTRIES), OrOne()]


class FigureModel(Model):
    """What a figure shows."""

    model_config = ConfigDict(
        json_schema_extra=one_of("geometries", "studies", "inversions", "bloch", "voxels")
    )

    geometries: Names = Field(default_factory=list, description="a list of geometries")
    studies: Names = Field(default_factory=list, description="a list of studies")
    inversions: Names = Field(default_factory=list, description="a list of inversions")
    bloch: Names = Field(default_factory=list, description="a list of entries of bloch")
    voxels: Names = Field(default_factory=list, description="a list of voxels")
    fits: Names = Field(
        default_factory=list,
        description="a list of inversions that validity_map shows beside its study",
    )
    on_request: bool = Field(
        False,
        description="true or false: whether the figure is drawn only where it is named, by "
        "snakemake NAME or its path, and not with all figures",
    )


class TableModel(Model):
    """What a table holds."""

    model_config = ConfigDict(json_schema_extra=one_of("geometries", "studies", "inversions"))

    geometries: Names = Field(default_factory=list, description="a list of geometries")
    studies: Names = Field(default_factory=list, description="a list of studies")
    inversions: Names = Field(default_factory=list, description="a list of inversions")


# ---- figures of one's own ----

KINDS: Final = {
    "signals": "signals against b, or against any other axis of studies",
    "geometry": "cells, their meshes, and the cells among their neighbours",
    "errors": "errors of models, by the reference, against an axis or as maps over two",
    "angles": "signals against the direction: round the plane, against its angle, or on the sphere",
    "orders": "errors of models against the period, with their fitted orders of convergence",
    "cumulants": "apparent diffusivity and kurtosis at b -> 0 against an axis of studies",
    "magnetisation": "the magnetisation in a cell at some times of one measurement, and as a film",
    "dispersion": "D and K against time and D against frequency, of runs of bloch",
    "fit": "estimates from measured signals, with their intervals, profiles and correlation",
    "maps": "slices of the maps of parameters that are fitted to volumes, and of their errors",
}
"""Kinds of figures of one's own, and what each shows."""

_AXIS: Final = "the name of an axis of the studies, such as b, Delta, period or direction"
_COLOUR: Final = f"{_AXIS}, or study: a colour for each of its values"
_PANEL: Final = f"{_AXIS}, or study: a panel for each of its values"
_REQUESTED: Final = "true or false: whether the figure is drawn only where it is named"
_STUDIES: Final = "a list of studies"
#: Values are read by the axis that they are of.
_AT_SCHEMA: Final = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [
            {"type": ["string", "number"]},
            {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 3},
        ]
    },
}


_At = Annotated[dict[str, Any], WithJsonSchema(_AT_SCHEMA)]


class _OfStudies(Model):
    """A part of studies."""

    studies: Names = Field(description=_STUDIES)
    models: Names = Field(
        default_factory=list,
        description="a list of models of the studies, such as [reference, R2]; all without it",
    )
    at: _At = Field(
        default_factory=dict,
        description="a mapping from axes to one value of each with its unit, such as "
        "{period: 6 um, direction: [1, 0]}: what is shown of axes with several values",
    )
    on_request: bool = Field(False, description=_REQUESTED)


class SignalsFigureModel(_OfStudies):
    """Signals against an axis of the sweep."""

    kind: Literal["signals"] = Field(description=KINDS["signals"])
    x: str = Field("", description=f"{_AXIS}: along the horizontal axis")
    colour: str = Field("", description=_COLOUR)
    panel: str = Field("", description=_PANEL)


class ErrorsFigureModel(_OfStudies):
    """Errors of models against an axis, or as maps over two."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["x", "map"]}})

    kind: Literal["errors"] = Field(description=KINDS["errors"])
    studies: Names = Field(description=f"{_STUDIES} with a reference and other models")
    x: str = Field("", description=f"{_AXIS}: along the horizontal axis")
    colour: str = Field("", description=_COLOUR)
    panel: str = Field("", description=_PANEL)
    map: Annotated[list[str], Field(min_length=2, max_length=2)] = Field(
        default_factory=list,
        description="a list of two axes of one study, such as [period, permeability], in the place "
        "of x and colour: a map of each model over both",
    )


class AnglesFigureModel(_OfStudies):
    """Signals against the direction of the gradient."""

    kind: Literal["angles"] = Field(description=KINDS["angles"])
    studies: Names = Field(description=f"{_STUDIES} with three directions or more")
    colour: str = Field("", description=_COLOUR)
    panel: str = Field("", description=_PANEL)
    sphere: bool = Field(
        False,
        description="true or false: whether directions in space are drawn on the sphere, a map of "
        "each model in the place of colours",
    )


class OrdersFigureModel(_OfStudies):
    """Errors of models against the period."""

    kind: Literal["orders"] = Field(description=KINDS["orders"])
    studies: Names = Field(
        description=f"{_STUDIES} with a reference, other models and several periods"
    )
    panel: str = Field("", description=_PANEL)


class CumulantsFigureModel(_OfStudies):
    """Apparent diffusivity and kurtosis against an axis of the sweep."""

    kind: Literal["cumulants"] = Field(description=KINDS["cumulants"])
    studies: Names = Field(description=f"{_STUDIES} with cumulants: true")
    x: str = Field("", description=f"{_AXIS}: along the horizontal axis")
    colour: str = Field("", description=_COLOUR)


class MagnetisationFigureModel(Model):
    """Stills and a film of one measurement."""

    kind: Literal["magnetisation"] = Field(description=KINDS["magnetisation"])
    studies: Names = Field(description="a study")
    at: _At = Field(
        default_factory=dict,
        description="a mapping from each axis with several values to one of them with its unit, "
        "such as {b: 1000 s/mm^2, direction: [1, 0]}: which measurement in which cell is shown",
    )
    times: Annotated[list[Instant], Field(max_length=MOST_STILLS), OrOne()] = Field(
        default_factory=list,
        description=f"up to {MOST_STILLS} times from 0 ms to the echo, such as [0 ms, 5 ms]; "
        "without it those at which pulses begin and end, and some between",
    )
    value: Literal["modulus", "real"] = Field(
        "modulus",
        description="modulus for |m|, or real for the real part of m, whose phase is that of the "
        "gradient",
    )
    on_request: bool = Field(False, description=_REQUESTED)


class DispersionFigureModel(Model):
    """Diffusivity against time and frequency."""

    kind: Literal["dispersion"] = Field(description=KINDS["dispersion"])
    bloch: Names = Field(description="a list of up to four runs of bloch, of kind dispersion")
    on_request: bool = Field(False, description=_REQUESTED)


class FitFigureModel(Model):
    """Estimates by voxel."""

    kind: Literal["fit"] = Field(description=KINDS["fit"])
    inversions: Names = Field(description="an inversion of measured signals")
    on_request: bool = Field(False, description=_REQUESTED)


class MapsFigureModel(Model):
    """Slices of maps."""

    kind: Literal["maps"] = Field(description=KINDS["maps"])
    inversions: Names = Field(description="an inversion of measured signals in NIfTI volumes")
    on_request: bool = Field(False, description=_REQUESTED)


Part = Literal["cell", "mesh", "extension"]


def _usual_parts() -> list[Part]:
    return ["cell", "mesh"]


class GeometryFigureModel(Model):
    """Cells with their meshes and neighbours."""

    kind: Literal["geometry"] = Field(description=KINDS["geometry"])
    geometries: Names = Field(description="a list of geometries")
    show: Annotated[list[Part], Field(min_length=1), OrOne()] = Field(
        default_factory=_usual_parts,
        description="one or more of cell, mesh (the coarsest one) and extension (the cell among "
        "its neighbours, in one or two dimensions): a panel for each of them",
    )
    on_request: bool = Field(False, description=_REQUESTED)


AnyOwnFigure = Annotated[
    SignalsFigureModel
    | ErrorsFigureModel
    | AnglesFigureModel
    | OrdersFigureModel
    | CumulantsFigureModel
    | MagnetisationFigureModel
    | DispersionFigureModel
    | FitFigureModel
    | MapsFigureModel
    | GeometryFigureModel,
    Field(discriminator="kind"),
]


def own_figure_models() -> tuple[type[Model], ...]:
    """Models of the kinds of figures of one's own, in the order of the documentation."""
    return (
        SignalsFigureModel,
        ErrorsFigureModel,
        AnglesFigureModel,
        OrdersFigureModel,
        CumulantsFigureModel,
        MagnetisationFigureModel,
        DispersionFigureModel,
        FitFigureModel,
        MapsFigureModel,
        GeometryFigureModel,
    )
