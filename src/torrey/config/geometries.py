"""Geometries: what a configuration may say of each kind, and the cells that it means."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Union

from pydantic import Field

from torrey.base.budgets import MOST_ELEMENTS
from torrey.base.errors import InputError, either
from torrey.config.cells import elements_of_size, estimated_elements
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
    d = shape.dimension
    size, limit = mesh.coarsest(d), mesh.limit(d)
    brought = shape.own_elements(size)
    coarsest = estimated_elements(shape, mesh)
    if mesh.refinements is None:
        while limit > 1 and coarsest * 2 ** (d * limit) > MOST_ELEMENTS:
            limit -= 1
    times = f"{limit} refinement{'' if limit == 1 else 's'}"
    if brought is not None:
        if (count := round(coarsest) * 2 ** (d * limit)) > MOST_ELEMENTS:
            raise InputError(
                f"{times} of a mesh, {count:,} elements",
                f"at most {MOST_ELEMENTS:,} elements: fewer refinements, or a coarser mesh",
                at=("mesh", "refinements"),
            )
        return MeshOptions(size, limit)
    # Small balls have many elements, too; but it is the size that is asked for here.
    if (wide := elements_of_size(shape, size) * 2 ** (d * limit)) > MOST_ELEMENTS:
        least = size * (wide / MOST_ELEMENTS) ** (1 / d)
        raise InputError(
            f"size {size:g} with {times}, about {wide:.1g} elements",
            f"at most {MOST_ELEMENTS:,} elements: a size of {least:.2g} or more",
            at=("mesh",),
        )
    return MeshOptions(size, limit)
