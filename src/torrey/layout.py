"""Where every file of a run is, and which points a configuration asks for: the one place for paths.

All paths are relative to the directory of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from torrey.config import Config, Study
from torrey.keys import format_number
from torrey.material import Material
from torrey.protocol import Point
from torrey.sweep import REFERENCE, Index

RESULTS = "results"

MESH = f"{RESULTS}/geometry/{{geometry}}/mesh.nc"
OPERATORS = f"{RESULTS}/geometry/{{geometry}}/operators.nc"
TENSORS = f"{RESULTS}/tensors/{{geometry}}/{{material}}/tensors.nc"
REFERENCE_SIGNAL = f"{RESULTS}/reference/{{geometry}}/{{material}}/{{point}}.nc"
MODELS = f"{RESULTS}/studies/{{study}}/models.nc"
SIGNALS = f"{RESULTS}/studies/{{study}}/signals.nc"
CONVERGENCE = f"{RESULTS}/studies/{{study}}/convergence.nc"
KURTOSIS = f"{RESULTS}/studies/{{study}}/kurtosis.nc"
EIGENVALUES = f"{RESULTS}/studies/{{study}}/eigenvalues.nc"
FIGURE = f"{RESULTS}/figures/{{figure}}"
"""Stem of a figure: .pdf, .png and .nc."""

Plain = dict[str, str | int | float]


@dataclass(frozen=True)
class Job:
    """A reference signal to compute."""

    geometry: str
    material: Material
    point: Point
    tolerance: float

    def parameters(self) -> Plain:
        """Plain values that the job depends on."""
        return {
            **self.material.to_dict(),
            **self.point.to_dict(),
            "tolerance": self.tolerance,
        }


@dataclass(frozen=True)
class Layout:
    """Files and points of a configuration."""

    config: Config

    @cached_property
    def materials(self) -> Mapping[str, Material]:
        """Materials of all studies by their canonical name."""
        return {study.material.key(): study.material for study in self.config.studies.values()}

    @cached_property
    def jobs(self) -> Mapping[str, Job]:
        """Reference signals to compute by their path; studies share what they have in common."""
        jobs = {}
        for study in self.config.studies.values():
            if REFERENCE in study.models:
                for point in study.points().values():
                    job = Job(study.geometry, study.material, point, study.tolerance)
                    jobs[self.reference(study, point)] = job
        return jobs

    def reference(self, study: Study, point: Point) -> str:
        """Path of the reference signal of one point, to the tolerance that the study wants."""
        key = point.key(study.sweep.encoding_kind)
        return REFERENCE_SIGNAL.format(
            geometry=study.geometry,
            material=study.material.key(),
            point=f"{key}_tol{format_number(study.tolerance)}",
        )

    def references(self, study: Study) -> dict[Index, str]:
        """Paths of all reference signals of a study; none if it asks for no reference."""
        if REFERENCE not in study.models:
            return {}
        return {index: self.reference(study, point) for index, point in study.points().items()}

    def models(self, study: Study) -> tuple[str, ...]:
        """Homogenised models of a study."""
        return tuple(model for model in study.models if model != REFERENCE)

    def has_orders(self, study: Study) -> bool:
        """Whether orders of convergence can be fitted: a reference, models and several periods."""
        several = len(study.sweep.periods) > 1
        return several and REFERENCE in study.models and len(study.models) > 1

    def has_kurtosis(self, study: Study) -> bool:
        """Whether a kurtosis can be fitted: three values along b or more."""
        return len(study.sweep.encodings) >= 3

    def tensors(self, study: Study) -> list[str]:
        """Tensors of the cell and material; none where a membrane lies within one compartment."""
        if any(m.outside == m.inside for m in study.shape.membranes()):
            return []
        return [TENSORS.format(geometry=study.geometry, material=study.material.key())]

    def study_files(self, study: Study) -> list[str]:
        """Everything that is made for a study."""
        files = [SIGNALS.format(study=study.name), *self.tensors(study)]
        if self.has_orders(study):
            files.append(CONVERGENCE.format(study=study.name))
        return files
