"""Files of derivatives of studies, and of designs from them, for `torrey.workflow.recipes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from torrey.cell.motion import derivable_radii
from torrey.config import Study
from torrey.gradients.derivable import needs_fields
from torrey.gradients.sweep import REFERENCE
from torrey.reference.span import spans_of
from torrey.workflow import layout as paths
from torrey.workflow.layout import Basis, Layout, basis_path
from torrey.workflow.stage import Stage
from torrey.workflow.stages import BoundParameters, DeriveSignals

Inputs = Mapping[str, str | list[str]]


def derivative_files(layout: Layout) -> Iterator[tuple[str, Stage, Inputs]]:
    """Yield the path, the stage and the inputs of the derivatives of all studies."""
    for study in layout.config.studies.values():
        if study.derivatives:
            path = paths.DERIVATIVES.format(study=study.name)
            yield path, _stage(study), _inputs(layout, study)


def design_files(layout: Layout) -> Iterator[tuple[str, Stage, Inputs, Sequence[str]]]:
    """Yield the path, the stage, the inputs and the files beside it of all designs."""
    for design in layout.config.designs.values():
        path, *beside = layout.design_files(design.name)
        sweep = layout.config.studies[design.study].sweep
        inputs: Inputs = {"derivatives": paths.DERIVATIVES.format(study=design.study)}
        yield path, BoundParameters(sweep=sweep, settings=design.settings), inputs, beside


def _stage(study: Study) -> DeriveSignals:
    return DeriveSignals(
        material=study.material,
        sweep=study.sweep,
        models=study.derived_models,
        by=study.derivatives,
        tolerance=study.tolerance,
        regions=study.shape.region_names,
        radii=tuple(radius.name for radius in derivable_radii(study.material, study.shape)),
    )


def _inputs(layout: Layout, study: Study) -> Inputs:
    """Operators, signals of the reference, and bases where derivatives need not more of them."""
    slabs = layout.slabs[study.name] if REFERENCE in study.derived_models else []
    stored = bool(slabs) and not needs_fields(study.derivatives)
    spans = spans_of(study.sweep) if stored else []
    return {
        "operators": paths.OPERATORS.format(geometry=study.geometry),
        "mesh": paths.MESH.format(geometry=study.geometry),
        "slabs": layout.slab_files(study, REFERENCE) if slabs else [],
        "bases": [basis_path(Basis(study.geometry, study.material, span)) for span in spans],
    }
