"""Geometries: what a configuration may say of each kind, and the cells that it means."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Union

import numpy as np
from pydantic import Field

from torrey.base.budgets import ELEMENTS_PER_VOLUME, MOST_ELEMENTS
from torrey.base.errors import InputError, either
from torrey.config.declared_models import create, made, model_of
from torrey.config.domain import Geometry
from torrey.config.findings import Findings
from torrey.geometry import MeshOptions, Shape, kinds
from torrey.geometry.registry import kind_named


def any_geometry() -> Any:
    """Return the union of the models of all kinds, told apart by their key ``kind``."""
    return _union(kinds())


@cache
def _union(of: tuple[type[Shape], ...]) -> Any:
    names = either(kind.kind for kind in of)
    mesh = model_of(MeshOptions)
    members = []
    for kind in of:
        tag = Literal[kind.kind], Field(description=names)
        options = Field(default_factory=mesh, description="a mapping: {size, refinements}")
        members.append(create(kind, {"kind": tag}, {"mesh": (mesh, options)}))
    return Annotated[Union[tuple(members)], Field(discriminator="kind")]  # noqa: UP007


def read_geometry(findings: Findings, name: str) -> Geometry | None:
    """Build a geometry, or note what is wrong with it and return None.

    Parameters
    ----------
    findings : Findings
        Holds the files and collects the problems.
    name : str
        Name of the geometry.
    """
    path = ("geometries", name)
    before = len(findings.problems)
    model = findings.validate(path, any_geometry())
    if model is None:
        return None
    mesh: MeshOptions = made(findings, (*path, "mesh"), MeshOptions, model.mesh) or MeshOptions()
    shape: Shape | None = made(findings, path, kind_named(model.kind), model)
    if shape is None:
        return None
    with findings.under(*path):
        check_elements(shape, mesh)
    return Geometry(name, shape, mesh) if len(findings.problems) == before else None


def check_elements(shape: Shape, mesh: MeshOptions) -> None:
    """Refuse sizes whose meshes no machine can make.

    Raises
    ------
    InputError
        At ``mesh``.
    """
    if (brought := shape.own_elements()) is not None:
        _check_brought(brought * 2 ** (shape.dimension * mesh.refinements), mesh)
        return
    d = len(shape.periods)
    finest = mesh.size / 2**mesh.refinements
    volume = abs(float(np.linalg.det(shape.periods)))
    count = ELEMENTS_PER_VOLUME[d] * volume / finest**d
    if count > MOST_ELEMENTS:
        least = (ELEMENTS_PER_VOLUME[d] * volume / MOST_ELEMENTS) ** (1 / d) * 2**mesh.refinements
        raise InputError(
            f"size {mesh.size:g} with {mesh.refinements} refinements, about {count:.1g} elements",
            f"at most {MOST_ELEMENTS:,} elements: a size of {least:.2g} or more",
            at=("mesh",),
        )


def _check_brought(count: int, mesh: MeshOptions) -> None:
    """Refuse refinements of a mesh that a cell brings which no machine can make."""
    if count > MOST_ELEMENTS:
        raise InputError(
            f"{mesh.refinements} refinements of a mesh, {count:,} elements",
            f"at most {MOST_ELEMENTS:,} elements: fewer refinements, or a coarser mesh",
            at=("mesh", "refinements"),
        )
