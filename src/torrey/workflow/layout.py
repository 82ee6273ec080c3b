"""Where every file of a run is, and which points a configuration asks for: the one place for paths.

All paths are relative to the directory of the run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from torrey.base.keys import format_number
from torrey.cell.material import Material
from torrey.config import Config, FigureRequest, Inversion, Study, TableRequest, Voxel
from torrey.config.domain import DataFit
from torrey.figures.catalogue import shown
from torrey.figures.entries import Source
from torrey.gradients.protocol import Point
from torrey.gradients.slabs import Slab, slabs_of
from torrey.gradients.sweep import REFERENCE, Index
from torrey.inversion.map_names import map_names
from torrey.reference.span import Span
from torrey.workflow.pictured import pictured

RESULTS = "results"

REPORT = f"{RESULTS}/report.html"
"""What `make report` makes; no file of a configuration."""

PACKING = f"{RESULTS}/geometry/{{geometry}}/packing.nc"
"""Where the discs of a random packing are."""
MESH = f"{RESULTS}/geometry/{{geometry}}/mesh.nc"
OPERATORS = f"{RESULTS}/geometry/{{geometry}}/operators.nc"
PICTURE = f"{RESULTS}/geometry/{{geometry}}/{{picture}}"
"""Stem of a picture of a cell: .pdf, .png and .nc."""
PICTURES: Final[Mapping[str, bool]] = {"cell": False, "elements": True}
"""Pictures of a cell, and whether they show the elements of its mesh."""
TENSORS = f"{RESULTS}/tensors/{{geometry}}/{{material}}/tensors.nc"
REFERENCE_SIGNAL = f"{RESULTS}/reference/{{geometry}}/{{material}}/{{point}}.nc"
BASIS = f"{RESULTS}/basis/{{geometry}}/{{material}}/{{span}}.nc"
SLAB = f"{RESULTS}/slabs/{{geometry}}/{{material}}/{{slab}}"
"""Folder of a slab: one period, permeability and waveform with all strengths and directions."""
PROJECTED = f"{SLAB}/reference_{{tolerance}}.nc"
"""Reference signals of a slab by projected models."""
MODEL = f"{SLAB}/{{model}}.nc"
"""Signals of a slab by one homogenised model."""
SIGNALS = f"{RESULTS}/studies/{{study}}/signals.nc"
CHECK = f"{RESULTS}/studies/{{study}}/check.nc"
CONVERGENCE = f"{RESULTS}/studies/{{study}}/convergence.nc"
KURTOSIS = f"{RESULTS}/studies/{{study}}/kurtosis.nc"
CUMULANTS = f"{RESULTS}/studies/{{study}}/cumulants.nc"
DERIVATIVES = f"{RESULTS}/studies/{{study}}/derivatives.nc"
OVERVIEW = f"{RESULTS}/studies/{{study}}/overview"
"""Stem of the overview of a study: .pdf, .png and .nc."""
EIGENVALUES = f"{RESULTS}/studies/{{study}}/eigenvalues.nc"
DICTIONARY = f"{RESULTS}/dictionaries/{{dictionary}}/signals.nc"
REFERENCE_BLOCK = (
    f"{RESULTS}/dictionaries/{{dictionary}}/batches/{{material}}/reference/{{block}}.nc"
)
"""Reference signals of a block of a dictionary by projected models."""
MODEL_BLOCK = f"{RESULTS}/dictionaries/{{dictionary}}/batches/{{material}}/{{model}}/{{block}}.nc"
"""Signals of a block of a dictionary by one homogenised model."""
MAGNETISATION = f"{RESULTS}/magnetisation/{{geometry}}/{{material}}/{{state}}/magnetisation.nc"
BLOCH = f"{RESULTS}/bloch/{{bloch}}/{{kind}}.nc"
"""Something of a periodic medium at any gradient, by its name and kind."""

VOXEL_MESH = f"{RESULTS}/voxels/{{voxel}}/{{domain}}/mesh.nc"
"""Coarsest mesh of a voxel alone, or of the box around it."""
VOXEL_SIGNAL = f"{RESULTS}/voxels/{{voxel}}/{{domain}}/signals/{{point}}.nc"
VOXEL_CHECKPOINT = f"{RESULTS}/voxels/{{voxel}}/checkpoints/{{domain}}_{{point}}.npz"
"""Progress of a job that may be killed: no output of it, so that Snakemake leaves it alone."""
VOXEL_HOMOGENISED = f"{RESULTS}/voxels/{{voxel}}/{{domain}}/homogenised.nc"
VOXEL_SIGNALS = f"{RESULTS}/voxels/{{voxel}}/signals.nc"

INVERSION = f"{RESULTS}/inversions/{{inversion}}/fit.nc"
DATA = f"{RESULTS}/data/{{data}}/signals.nc"
"""Measured signals of the voxels that are fitted."""
FIT = f"{RESULTS}/inversions/{{fit}}/fit.nc"
"""Of measured signals: a file as `INVERSION`, made by another rule."""
CHUNK = f"{RESULTS}/inversions/{{fit}}/chunks/{{chunk}}.nc"
"""Fits of a share of the voxels."""
MAPS = f"{RESULTS}/inversions/{{fit}}/maps.nc"
MAP = f"{RESULTS}/inversions/{{fit}}/maps/{{map}}.nii.gz"
DESIGN = f"{RESULTS}/designs/{{design}}/design"
"""Stem of a design: .nc and .csv."""
FIGURE = f"{RESULTS}/figures/{{figure}}"
"""Stem of a figure: .pdf, .png and .nc."""
FILM = f"{RESULTS}/figures/{{film}}"
"""Stem of a figure with a film, a .gif: as `FIGURE`, made by another rule."""
TABLE = f"{RESULTS}/tables/{{table}}"
"""Stem of a table: .csv, .md and .nc."""

_MANY_DISCS: Final = 3_000
#: Smallest tolerance of the full system that a projected reference in space is compared with.
#: A smaller one takes a mesh more, and there minutes or hours for a check of a table of seconds.
_LEAST_IN_SPACE: Final = 1e-3

_SOURCES: Final[Mapping[Source, str]] = {
    "mesh": MESH,
    "signals": SIGNALS,
    "convergence": CONVERGENCE,
    "kurtosis": KURTOSIS,
    "cumulants": CUMULANTS,
    "eigenvalues": EIGENVALUES,
    "tensors": TENSORS,
    "inversion": INVERSION,
    "bloch": BLOCH,
    "voxel": VOXEL_SIGNALS,
    "magnetisation": MAGNETISATION,
}


@dataclass(frozen=True)
class Job:
    """A reference signal to compute."""

    geometry: str
    material: Material
    point: Point
    tolerance: float


@dataclass(frozen=True)
class SlabJob:
    """Signals of a slab to compute: the reference, or one model.

    Attributes
    ----------
    study : Study
        One that asks for it.
    slab : Slab
    model : str
        ``reference`` or the name of a model.
    """

    study: Study
    slab: Slab
    model: str


@dataclass(frozen=True)
class Basis:
    """A basis of projected models to build: of which operators, and what it must span."""

    geometry: str
    material: Material
    span: Span


@dataclass(frozen=True)
class Layout:
    """Files and points of a configuration."""

    config: Config

    @cached_property
    def materials(self) -> Mapping[tuple[str, str], Material]:
        """Materials of studies and dictionaries by the name of the geometry and their own.

        Equal insides stand once in a name: it says all only together with the geometry.
        """
        config = self.config
        used = [(study.geometry, study.material) for study in config.studies.values()]
        used += [(one.geometry, m) for one in config.dictionaries.values() for m in one.materials]
        return {(geometry, material.key()): material for geometry, material in used}

    @cached_property
    def jobs(self) -> Mapping[str, Job]:
        """Points to solve in full by their path; studies share what they have in common."""
        jobs = {}
        for study in self.config.studies.values():
            points, in_full = study.points(), _tolerance_in_full(study)
            for index, path in (self.references(study) | self.samples(study)).items():
                jobs[path] = Job(study.geometry, study.material, points[index], in_full)
        return jobs

    @cached_property
    def slabs(self) -> Mapping[str, Sequence[Slab]]:
        """Slabs of each study by its name."""
        return {name: slabs_of(study.sweep) for name, study in self.config.studies.items()}

    @cached_property
    def slab_jobs(self) -> Mapping[str, SlabJob]:
        """Slabs to compute by their path; studies share what they have in common."""
        jobs: dict[str, SlabJob] = {}
        for study in self.config.studies.values():
            for model in self.slab_models(study):
                for path, slab in zip(
                    self.slab_files(study, model), self.slabs[study.name], strict=True
                ):
                    jobs.setdefault(path, SlabJob(study, slab, model))
        return jobs

    @cached_property
    def spans(self) -> Mapping[str, Basis]:
        """Bases of the slabs of studies, to build, by their path."""
        return {
            self.basis(job.study, job.slab): Basis(
                job.study.geometry, job.study.material, Span.of(job.slab.sweep)
            )
            for job in self.slab_jobs.values()
            if job.model == REFERENCE
        }

    def slab_models(self, study: Study) -> tuple[str, ...]:
        """What of a study is computed slab by slab: its models, and a projected reference."""
        projected = (REFERENCE,) if study.is_projected else ()
        return (*projected, *study.homogenised)

    def slab_files(self, study: Study, model: str) -> list[str]:
        """Paths of the slabs of a study, for the reference or for one model."""
        return [self._slab_file(study, slab, model) for slab in self.slabs[study.name]]

    def _slab_file(self, study: Study, slab: Slab, model: str) -> str:
        pattern = PROJECTED if model == REFERENCE else MODEL
        return pattern.format(
            geometry=study.geometry,
            material=study.material.key(),
            slab=slab.name,
            tolerance=_tolerance(study),
            model=model,
        )

    def basis(self, study: Study, slab: Slab) -> str:
        """Path of the basis of a slab's projected reference."""
        return basis_path(Basis(study.geometry, study.material, Span.of(slab.sweep)))

    def reference(self, study: Study, point: Point) -> str:
        """Path of the signal in full of one point: the reference, or what it is compared with."""
        key = point.key(study.sweep.protocol.encoding_kind)
        tolerance = format_number(_tolerance_in_full(study))
        return REFERENCE_SIGNAL.format(
            geometry=study.geometry,
            material=study.material.key(),
            point=f"{key}_tol{tolerance}",
        )

    def references(self, study: Study) -> dict[Index, str]:
        """Paths of all signals of a study that are solved in full, point by point."""
        if REFERENCE not in study.models or study.is_projected:
            return {}
        return {index: self.reference(study, point) for index, point in study.points().items()}

    def samples(self, study: Study) -> dict[Index, str]:
        """Paths of the signals in full that a projected reference is compared with.

        They are the point with the largest |g| L, and one in the middle of those with a gradient,
        as without one there is next to nothing to compare. In space they are solved to 1e-3
        at best.
        """
        if not study.is_projected:
            return {}
        points = study.points()
        hardest = max(points, key=lambda index: points[index].q * points[index].period)
        moving = [index for index, point in points.items() if point.q > 0.0] or list(points)
        middle = moving[len(moving) // 2]
        return {index: self.reference(study, points[index]) for index in (hardest, middle)}

    def sampled(self, study: Study) -> list[tuple[str, int]]:
        """For each of the samples the file of its slab, and its row there."""
        slabs = self.slabs[study.name]
        files = self.slab_files(study, REFERENCE) if study.is_projected else []
        found = []
        for index in self.samples(study):
            place = int(np.ravel_multi_index(index, study.sweep.shape))
            number = next(i for i, slab in enumerate(slabs) if place in slab.places)
            found.append((files[number], slabs[number].places.index(place)))
        return found

    def tensors(self, study: Study) -> list[str]:
        """Tensors of the cell and material; none where a membrane lies within one compartment."""
        if not study.has_tensors:
            return []
        return [TENSORS.format(geometry=study.geometry, material=study.material.key())]

    def checks(self, study: Study) -> list[str]:
        """Comparison of a projected reference with the full system, where there is one."""
        return [CHECK.format(study=study.name)] if study.is_projected else []

    def sources(self, kinds: Sequence[Source], entry: FigureRequest | TableRequest) -> list[str]:
        """Files that a figure or a table reads: kind by kind, each for all that it shows."""
        if isinstance(entry, FigureRequest) and (one := pictured(self.config, entry)):
            fields = [one.fields]
        elif entry.studies:
            studies = [self.config.studies[name] for name in entry.studies]
            fields = [
                {"study": s.name, "geometry": s.geometry, "material": s.material.key()}
                for s in studies
            ]
        elif entry.geometries:
            fields = [{"geometry": name} for name in entry.geometries]
        else:
            runs = [self.config.bloch[name] for name in shown(entry, "bloch")]
            fields = [{"bloch": r.name, "kind": r.kind, "geometry": r.geometry} for r in runs]
            fields += [{"inversion": name} for name in entry.inversions]
            fields += [{"voxel": name} for name in shown(entry, "voxels")]
        return [_SOURCES[kind].format(**values) for kind in kinds for values in fields]

    def figure_inputs(
        self, kinds: Sequence[Source], figure: FigureRequest
    ) -> dict[str, str | list[str]]:
        """Files that a figure reads: of what it shows, and of the fits beside that."""
        inputs: dict[str, str | list[str]] = {"sources": self.sources(kinds, figure)}
        if figure.fits:
            inputs["fits"] = [INVERSION.format(inversion=name) for name in figure.fits]
        return inputs

    def inversion_inputs(self, inversion: Inversion) -> dict[str, list[str] | str]:
        """Signals that an inversion fits, and the tensors or the operators of their cells."""
        signals = [SIGNALS.format(study=name) for name in inversion.studies]
        if inversion.kind == "exchange":
            cells = [self.config.studies[name].geometry for name in inversion.studies]
            operators = [OPERATORS.format(geometry=geometry) for geometry in cells]
            return {"signals": signals, "operators": operators}
        study = self.config.studies[inversion.studies[0]]
        if inversion.kind == "physical":
            return {"signals": signals, "operators": OPERATORS.format(geometry=study.geometry)}
        return {"signals": signals, "tensors": self.tensors(study)[0]}

    def chunks(self, fit: DataFit) -> list[str]:
        """Paths of the shares of a fit of measured signals."""
        names = [f"{part + 1}of{fit.chunks}" for part in range(fit.chunks)]
        return [CHUNK.format(fit=fit.name, chunk=name) for name in names]

    @cached_property
    def mapped(self) -> Mapping[str, list[str]]:
        """Paths of the maps of each fit of volumes, by its name."""
        return {
            fit.name: [MAP.format(fit=fit.name, map=name) for name in map_names(fit.parameters)]
            for fit in self.config.fits.values()
            if self.config.data[fit.data].is_volume
        }

    @cached_property
    def mappings(self) -> Mapping[tuple[str, ...], list[str]]:
        """Names of fits of volumes by those of their maps."""
        found: dict[tuple[str, ...], list[str]] = {}
        for name in self.mapped:
            found.setdefault(map_names(self.config.fits[name].parameters), []).append(name)
        return found

    def fit_files(self, fit: DataFit) -> list[str]:
        """What a fit of measured signals makes."""
        maps = [MAPS.format(fit=fit.name)] if fit.name in self.mapped else []
        return [FIT.format(fit=fit.name), *maps, *self.mapped.get(fit.name, ())]

    def data_files(self, data: str) -> dict[str, str]:
        """Paths of the files of measured signals by their keys, however they were written."""
        return {key: os.path.relpath(path) for key, path in self.config.data[data].files}

    def voxel_signals(self, voxel: Voxel, domain: str) -> list[str]:
        """Paths of the signals of a voxel in a domain, one for each b."""
        return [
            VOXEL_SIGNAL.format(
                voxel=voxel.name, domain=domain, point=f"{point.key()}_{_tolerance(voxel)}"
            )
            for point in voxel.points(domain)
        ]

    def voxel_threads(self, voxel: str) -> int:
        """Threads of the jobs of a voxel: one where another job makes better use of a second."""
        return 2 if self.config.voxels[voxel].count >= _MANY_DISCS else 1

    def held_back(self, section: str) -> set[str]:
        """Entries of a section that figures on request alone show: they may take hours.

        Studies are shown where an inversion of them is.
        """
        figures = self.config.figures.values()
        usual = [entry for entry in figures if not entry.on_request]
        asked = [entry for entry in figures if entry.on_request]

        def names(entries: Sequence[FigureRequest | TableRequest]) -> set[str]:
            found = {name for entry in entries for name in shown(entry, section)}
            beside = {name for entry in entries for name in getattr(entry, "fits", ())}
            if section == "inversions":
                found |= beside
            if section == "studies":
                fits = beside | {name for entry in entries for name in entry.inversions}
                of_studies = fits & set(self.config.inversions)
                found.update(*(self.config.inversions[name].studies for name in of_studies))
            return found

        return names(asked) - names([*usual, *self.config.tables.values()])

    def usual_studies(self) -> list[Study]:
        """Studies but those that are held back."""
        held_back = self.held_back("studies")
        return [study for name, study in self.config.studies.items() if name not in held_back]

    def own_files(self) -> list[str]:
        """What inversions, runs of bloch and voxels make but those that are held back."""
        config = self.config

        def usual(section: str, names: Iterable[str]) -> list[str]:
            held_back = self.held_back(section)
            return [name for name in names if name not in held_back]

        inversions = usual("inversions", config.inversions)
        runs = [config.bloch[name] for name in usual("bloch", config.bloch)]
        voxels = usual("voxels", config.voxels)
        return [
            *(INVERSION.format(inversion=name) for name in inversions),
            *(file for fit in self.config.fits.values() for file in self.fit_files(fit)),
            *(BLOCH.format(bloch=run.name, kind=run.kind) for run in runs),
            *(VOXEL_SIGNALS.format(voxel=name) for name in voxels),
            *(file for name in config.designs for file in self.design_files(name)),
        ]

    def design_files(self, design: str) -> list[str]:
        """What is made for a design."""
        return [f"{DESIGN.format(design=design)}.{kind}" for kind in ("nc", "csv")]

    def study_files(self, study: Study) -> list[str]:
        """Everything that is made for a study."""
        files = [SIGNALS.format(study=study.name), *self.checks(study)]
        if study.has_orders:
            files.append(CONVERGENCE.format(study=study.name))
        if study.cumulants:
            files.append(CUMULANTS.format(study=study.name))
        if study.derivatives:
            files.append(DERIVATIVES.format(study=study.name))
        cell = PICTURE.format(geometry=study.geometry, picture="cell")
        stems = (cell, OVERVIEW.format(study=study.name))
        return [*files, *(f"{stem}.{kind}" for stem in stems for kind in ("pdf", "png", "nc"))]


def basis_path(basis: Basis) -> str:
    """Path of a basis, which all that need the same one share."""
    return BASIS.format(
        geometry=basis.geometry, material=basis.material.key(), span=basis.span.label
    )


def _tolerance_in_full(study: Study) -> float:
    """Tolerance of what is solved in full: that of the study, or a larger one for a check."""
    if study.is_projected and study.shape.dimension == 3:
        return max(study.tolerance, _LEAST_IN_SPACE)
    return study.tolerance


def _tolerance(study: Study | Voxel) -> str:
    """Part of the name of what is solved to a tolerance."""
    return f"tol{format_number(study.tolerance)}"
