"""Ladders of projected models as a NetCDF file, one group per mesh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torrey.base import artifacts
from torrey.base.lazy import Lazy
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of, object_of
from torrey.models.projection import ProjectedModel

PathLike = str | Path


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
