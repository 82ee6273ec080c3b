"""Reference signals, and what they are computed from, as NetCDF files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from torrey.base import artifacts
from torrey.base.lazy import Lazy
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable, group_of, object_of
from torrey.gradients.axes import coordinates
from torrey.gradients.protocol import Point
from torrey.models.projection import ProjectedModel
from torrey.reference.full import ReferenceSignal
from torrey.reference.slab import Table

PathLike = str | Path


def write_reference(
    path: PathLike, reference: ReferenceSignal, point: Point, provenance: Provenance
) -> None:
    """Write one reference signal."""
    b_value = Variable((), point.b, "ms um-2", "b-value")
    variables = {**group_of(reference), "b_value": b_value}
    artifacts.write(path, variables, provenance, compress=False)


def write_ladders(
    path: PathLike, ladders: Sequence[ProjectedModel], provenance: Provenance
) -> None:
    """Write the ladder of projected models on each mesh, coarsest first."""
    groups = {f"level{i}": group_of(model) for i, model in enumerate(ladders)}
    artifacts.write(path, {}, provenance, groups=groups, compress=False)


def lazy_ladders(path: PathLike) -> Lazy[ProjectedModel]:
    """Ladders by mesh; each is read when first asked for."""

    def ladder(level: int) -> ProjectedModel:
        return object_of(ProjectedModel, artifacts.read(path, f"level{level}"))

    return Lazy.of(ladder, len(artifacts.groups(path)))


def table_variables(table: Table) -> Group:
    """Variables of the signals of a slab by projected models."""
    sweep, found = table.sweep, table.signals
    dims = tuple(sweep.axes())

    def variable(values: np.ndarray, units: str, name: str) -> Variable:
        return Variable(dims, values.reshape(sweep.shape), units, name)

    return {
        "signal_real": variable(found.signal.real, "1", "signal, real part"),
        "signal_imag": variable(found.signal.imag, "1", "signal, imaginary part"),
        "coarse_signal_real": variable(
            found.coarse_signal.real, "1", "signal on the coarsest mesh, real part"
        ),
        "coarse_signal_imag": variable(
            found.coarse_signal.imag, "1", "signal on the coarsest mesh, imaginary part"
        ),
        "space_error": variable(found.space_error, "1", "estimated error of the mesh, absolute"),
        "basis_error": variable(found.basis_error, "1", "estimated error of the basis, absolute"),
        "time_error": variable(
            found.time_error, "1", "estimated error of the time steps, absolute"
        ),
        "coarse_error": variable(
            found.coarse_error, "1", "estimated error of the signal on the coarsest mesh, absolute"
        ),
        "level": variable(found.level.astype(np.int32), "1", "mesh, 0 is the coarsest"),
        "rung": variable(
            found.rung.astype(np.int32), "1", "rung of the ladder; 0 is the full system"
        ),
        "steps": variable(found.steps.astype(np.int32), "1", "time steps for a change of F by one"),
        **coordinates(sweep),
    }
