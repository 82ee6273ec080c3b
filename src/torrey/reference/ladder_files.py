"""Ladders of projected models as a NetCDF file, one group per mesh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from torrey.base import artifacts
from torrey.base.lazy import Lazy
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable
from torrey.models.projection import ProjectedModel

PathLike = str | Path


def write_ladders(
    path: PathLike, ladders: Sequence[ProjectedModel], provenance: Provenance
) -> None:
    """Write the ladder on each mesh, coarsest first."""
    groups = {f"level{i}": _ladder_variables(model) for i, model in enumerate(ladders)}
    artifacts.write(path, {}, provenance, groups=groups, compress=False)


def lazy_ladders(path: PathLike) -> Lazy[ProjectedModel]:
    """Ladders by mesh; each is read when first asked for."""

    def ladder(level: int) -> ProjectedModel:
        data = artifacts.read(path, f"level{level}")
        ranks = tuple(int(r) for r in data.pop("ranks"))
        return ProjectedModel(**data, ranks=ranks)

    return Lazy.of(ladder, len(artifacts.groups(path)))


def _ladder_variables(model: ProjectedModel) -> Group:
    inside = ("vector", "vector_2")
    along = ("component", *inside)
    return {
        "K": Variable(inside, model.K, "um2 ms-1", "W^T K W, lengths in units of the cell"),
        "C": Variable(along, model.C, "um2 ms-1", "W^T C W for each axis"),
        "N": Variable(("component", "component_2", *inside), model.N, "um2 ms-1", "W^T N W"),
        "J": Variable(inside, model.J, "1", "W^T J W"),
        "R": Variable(inside, model.R, "ms-1", "W^T R W"),
        "start": Variable(("vector",), model.start, "1", "W^T M rho"),
        "readout": Variable(("vector",), model.readout, "1", "W^T M 1"),
        "frame": Variable(("component", "axis"), model.frame, "1", "axes of the gradients"),
        "ranks": Variable(
            ("rung",), np.array(model.ranks), "1", "number of basis vectors of each rung"
        ),
    }
