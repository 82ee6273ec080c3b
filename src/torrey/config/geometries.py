"""Geometries: what a configuration may say of each kind, and the cells that it means."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Union

import numpy as np
from pydantic import Field

from torrey.base.budgets import ELEMENTS_PER_CURVED, ELEMENTS_PER_VOLUME, MOST_ELEMENTS
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
        mesh = fit_mesh(shape, mesh)
    return Geometry(name, shape, mesh) if len(findings.problems) == before else None


def fit_mesh(shape: Shape, mesh: MeshOptions) -> MeshOptions:
    """Return options with what was left out, and refuse sizes whose meshes no machine can make.

    A limit of refinements that was left out is the usual one, or what `MOST_ELEMENTS` leaves of it:
    one at least, which tells the error of the coarsest mesh.

    Raises
    ------
    InputError
        At ``mesh``.
    """
    d, size = len(shape.periods), mesh.coarsest(len(shape.periods))
    volume = abs(float(np.linalg.det(shape.periods)))
    brought = shape.own_elements(size)
    water = ELEMENTS_PER_VOLUME[d] * volume / size**d if brought is None else brought
    limit = mesh.limit(d)
    if mesh.refinements is None:
        coarsest = estimated_elements(shape, mesh)
        while limit > 1 and coarsest * 2 ** (d * limit) > MOST_ELEMENTS:
            limit -= 1
    count = water * 2 ** (d * limit)
    if count > MOST_ELEMENTS:
        least = (ELEMENTS_PER_VOLUME[d] * volume / MOST_ELEMENTS) ** (1 / d) * 2**limit
        times = "1 refinement" if limit == 1 else f"{limit} refinements"
        if brought is not None:
            raise InputError(
                f"a mesh of {brought:,.0f} elements with {times}, about {count:.1g}",
                f"at most {MOST_ELEMENTS:,} elements: fewer refinements, or a coarser file",
                at=("mesh",),
            )
        raise InputError(
            f"size {size:g} with {times}, about {count:.1g} elements",
            f"at most {MOST_ELEMENTS:,} elements: a size of {least:.2g} or more",
            at=("mesh",),
        )
    return MeshOptions(size, limit)


def estimated_elements(shape: Shape, mesh: MeshOptions) -> float:
    """Return about how many elements the coarsest mesh of a cell will have."""
    d = len(shape.periods)
    brought = shape.own_elements(mesh.coarsest(d))
    if brought is not None:
        return brought
    volume = abs(float(np.linalg.det(shape.periods)))
    curved = int(np.isfinite(shape.membrane_radii()).sum())
    water = ELEMENTS_PER_VOLUME[d] * volume / mesh.coarsest(d) ** d
    return water + ELEMENTS_PER_CURVED[d] * curved
