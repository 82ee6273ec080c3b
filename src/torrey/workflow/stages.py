"""What each rule depends on beside its inputs: one frozen dataclass per rule.

Snakemake takes flat dictionaries of texts and numbers for the parameters of a job. The fields of a
stage say how they become such entries and come back (see `torrey.workflow.stage`):
`torrey.workflow.recipes` makes stages from a configuration, the scripts read them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torrey.cell.material import Material
from torrey.geometry.registry import shape_from_dict
from torrey.geometry.shapes import MeshOptions, Shape
from torrey.gradients.protocol import Point
from torrey.gradients.sweep import Sweep
from torrey.inversion.design_settings import DesignSettings
from torrey.inversion.fit_settings import FitSettings
from torrey.workflow.stage import (
    Stage,
    as_names,
    as_settings,
    as_sweep,
    as_text,
    as_tuples,
    spread,
)

Axes = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class PlaceDiscs(Stage):
    """Draw and place the discs of a random packing."""

    rule = "place_discs"
    shape: Shape = spread(shape_from_dict)


@dataclass(frozen=True, kw_only=True)
class BuildMesh(Stage):
    """Mesh a cell."""

    rule = "build_mesh"
    shape: Shape = spread(shape_from_dict)
    mesh: MeshOptions = spread(MeshOptions.from_dict)


@dataclass(frozen=True, kw_only=True)
class DrawCell(Stage):
    """Draw a cell; with the elements of its coarsest mesh or without."""

    rule = "draw_cell"
    elements: bool = as_text(lambda elements: str(int(elements)), lambda text: text == "1")


@dataclass(frozen=True, kw_only=True)
class AssembleOperators(Stage):
    """Assemble the operators of a mesh."""

    rule = "assemble_operators"


@dataclass(frozen=True, kw_only=True)
class ExtractTensors(Stage):
    """Solve the papers' cell problems."""

    rule = "extract_tensors"
    material: Material = spread(Material.from_dict)


@dataclass(frozen=True, kw_only=True)
class SolveReference(Stage):
    """Solve one point in full."""

    rule = "solve_reference"
    material: Material = spread(Material.from_dict)
    point: Point = spread(Point.from_dict)
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class SolveMagnetisation(Stage):
    """Solve one point in full, and keep the magnetisation at some times."""

    rule = "solve_magnetisation"
    material: Material = spread(Material.from_dict)
    point: Point = spread(Point.from_dict)
    tolerance: float
    times: tuple[float, ...] = as_tuples()


@dataclass(frozen=True, kw_only=True)
class BuildBasis(Stage):
    """Build ladders of projected models along some axes, to some rung."""

    rule = "build_basis"
    material: Material = spread(Material.from_dict)
    axes: Axes = as_tuples()
    rungs: int


@dataclass(frozen=True, kw_only=True)
class SolveProjected(Stage):
    """Solve a slab by projected models."""

    rule = "solve_projected"
    material: Material = spread(Material.from_dict)
    sweep: Sweep = as_sweep()
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class CheckProjected(Stage):
    """Compare some points of slabs, by their rows, with the full system."""

    rule = "check_projected"
    rows: tuple[int, ...] = as_tuples()


@dataclass(frozen=True, kw_only=True)
class EvaluateModels(Stage):
    """Evaluate one homogenised model on a slab."""

    rule = "evaluate_models"
    material: Material = spread(Material.from_dict)
    sweep: Sweep = as_sweep()
    model: str


@dataclass(frozen=True, kw_only=True)
class TraceEigenvalues(Stage):
    """Follow the eigenvalues of homogenised models along the waveform."""

    rule = "trace_eigenvalues"
    material: Material = spread(Material.from_dict)
    sweep: Sweep = as_sweep()
    models: tuple[str, ...] = as_names()


@dataclass(frozen=True, kw_only=True)
class GatherSignals(Stage):
    """Gather the signals of a study."""

    rule = "gather_signals"
    material: Material = spread(Material.from_dict)
    sweep: Sweep = as_sweep()
    models: tuple[str, ...] = as_names()


@dataclass(frozen=True, kw_only=True)
class SolveDictionary(Stage):
    """Solve a block of a dictionary by projected models."""

    rule = "solve_dictionary"
    material: Material = spread(Material.from_dict)
    sweep: Sweep = as_sweep()
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class EvaluateDictionary(Stage):
    """Evaluate one homogenised model on a block of a dictionary."""

    rule = "evaluate_dictionary"
    material: Material = spread(Material.from_dict)
    sweep: Sweep = as_sweep()
    model: str


@dataclass(frozen=True, kw_only=True)
class GatherDictionary(Stage):
    """Gather the signals of a dictionary.

    Attributes
    ----------
    places : tuple of (str, tuple of float)
        Parts of the cell whose diffusivities are swept.
    """

    rule = "gather_dictionary"
    places: tuple[tuple[str, tuple[float, ...]], ...] = as_tuples()
    sweep: Sweep = as_sweep()
    models: tuple[str, ...] = as_names()


@dataclass(frozen=True, kw_only=True)
class FitOrders(Stage):
    """Fit orders of convergence in the period."""

    rule = "fit_orders"
    models: tuple[str, ...] = as_names()


@dataclass(frozen=True, kw_only=True)
class FitKurtosis(Stage):
    """Fit diffusion coefficients and kurtoses along b."""

    rule = "fit_kurtosis"


@dataclass(frozen=True, kw_only=True)
class ExpandCumulants(Stage):
    """Expand the signals of a study round b = 0; the strengths of the sweep play no part."""

    rule = "expand_cumulants"
    material: Material = spread(Material.from_dict)
    sweep: Sweep = as_sweep()
    models: tuple[str, ...] = as_names()
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class DeriveSignals(Stage):
    """Derive the signals of a study.

    Attributes
    ----------
    models : tuple of str
        Those that have derivatives.
    by : tuple of str
        See `torrey.gradients.derivable`.
    regions, radii : tuple of str
        Names of the regions and radii of the cell.
    """

    rule = "derive_signals"
    material: Material = spread(Material.from_dict)
    sweep: Sweep = as_sweep()
    models: tuple[str, ...] = as_names()
    by: tuple[str, ...] = as_names()
    tolerance: float
    regions: tuple[str, ...] = as_tuples()
    radii: tuple[str, ...] = as_tuples()


@dataclass(frozen=True, kw_only=True)
class FitInversion(Stage):
    """Fit parameters to the signals of studies.

    Attributes
    ----------
    inversion : str
        All that is wanted, as JSON.
    cell : str
        Shape and mesh as JSON, where the fit makes meshes of its own.
    """

    rule = "fit_inversion"
    material: Material = spread(Material.from_dict)
    kind: str
    inversion: str
    cell: str
    sweeps: tuple[Sweep, ...] = as_text(
        lambda sweeps: json.dumps([sweep.to_json() for sweep in sweeps]),
        lambda text: tuple(map(Sweep.from_json, json.loads(text))),
    )


@dataclass(frozen=True, kw_only=True)
class BoundParameters(Stage):
    """Bound what the protocol of a study tells of its cell, and choose among its measurements."""

    rule = "bound_parameters"
    sweep: Sweep = as_sweep()
    settings: DesignSettings = as_text(DesignSettings.to_json, DesignSettings.from_json)


@dataclass(frozen=True, kw_only=True)
class ReadData(Stage):
    """Read measured signals.

    Attributes
    ----------
    protocol : str
        What was measured, as JSON: see `torrey.inversion.voxel_data.protocol_text`.
    digests : str
        Of the content of the files by their keys, as JSON.
    sigma : float
        Noise of all signals; 0 where it is not one number.
    volumes : tuple of int
        Those that are rows of the protocol; all without any.
    """

    rule = "read_data"
    protocol: str
    digests: str
    sigma: float
    volumes: tuple[int, ...] = as_tuples()


@dataclass(frozen=True, kw_only=True)
class FitChunk(Stage):
    """Fit a model to a share of the voxels of measured signals."""

    rule = "fit_chunk"
    settings: FitSettings = as_text(FitSettings.to_json, FitSettings.from_json)
    part: int
    parts: int


@dataclass(frozen=True, kw_only=True)
class GatherFit(Stage):
    """Gather the fits of all voxels."""

    rule = "gather_fit"
    settings: FitSettings = as_text(FitSettings.to_json, FitSettings.from_json)


@dataclass(frozen=True, kw_only=True)
class WriteMaps(Stage):
    """Write a NIfTI file for each of these maps of a fit."""

    rule = "write_maps"
    maps: tuple[str, ...] = as_names()


@dataclass(frozen=True, kw_only=True)
class SolveBloch(Stage):
    """Compute bands, spectra or maps of a periodic medium; `settings` are JSON."""

    rule = "solve_bloch"
    material: Material = spread(Material.from_dict)
    kind: str
    period: float
    permeability: float
    settings: str


@dataclass(frozen=True, kw_only=True)
class MeshVoxel(Stage):
    """Mesh a voxel or its box; all of it if `side` is 0."""

    rule = "mesh_voxel"
    side: float
    segments: int


@dataclass(frozen=True, kw_only=True)
class SolveVoxel(Stage):
    """Solve for one signal of a voxel."""

    rule = "solve_voxel"
    point: Point = spread(Point.from_dict)
    outside: float
    inside: float
    window: float
    tolerance: float
    refinements: int


@dataclass(frozen=True, kw_only=True)
class HomogeniseVoxel(Stage):
    """Solve the cell problem of a packing; and of the square cell that stands for it."""

    rule = "homogenise_voxel"
    outside: float
    inside: float
    permeability: float
    direction: tuple[float, ...] = as_tuples()


@dataclass(frozen=True, kw_only=True)
class GatherVoxel(Stage):
    """Gather the signals of a voxel against b."""

    rule = "gather_voxel"
    domains: tuple[str, ...] = as_names()
    points: tuple[Point, ...] = as_text(
        lambda points: json.dumps([point.to_dict() for point in points]),
        lambda text: tuple(map(Point.from_dict, json.loads(text))),
    )
    b: tuple[float, ...] = as_tuples()
    window: float
    outside: float
    inside: float


@dataclass(frozen=True, kw_only=True)
class DrawFigure(Stage):
    """Draw a figure; of what has these names, by a function of a module, or one of a kind."""

    rule = "draw_figure"
    figure: str
    module: str
    kind: str = ""
    settings: Mapping[str, Any] = as_settings()
    names: tuple[str, ...] = as_names()


@dataclass(frozen=True, kw_only=True)
class DrawFilm(Stage):
    """Draw a figure of a kind that has a film, and the film."""

    rule = "draw_film"
    figure: str
    module: str
    kind: str
    settings: Mapping[str, Any] = as_settings()
    names: tuple[str, ...] = as_names()


@dataclass(frozen=True, kw_only=True)
class DrawOverview(Stage):
    """Draw the cell, the signals and the errors of a study."""

    rule = "draw_overview"
    study: str


@dataclass(frozen=True, kw_only=True)
class WriteTable(Stage):
    """Write a table; of what has these names, by a function of a module."""

    rule = "write_table"
    table: str
    module: str
    names: tuple[str, ...] = as_names()
