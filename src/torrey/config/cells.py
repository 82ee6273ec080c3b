"""What is computed in a geometry, a study or a run of ``bloch``, against the size of its cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from torrey.base.budgets import (
    ELEMENTS_PER_CURVED,
    ELEMENTS_PER_SPHERE,
    ELEMENTS_PER_VOLUME,
    MOST_CELLS,
    MOST_ELEMENTS,
)
from torrey.base.errors import KeyPath
from torrey.base.memory import factor_bytes, factor_seconds, in_gigabytes
from torrey.config.domain import Geometry
from torrey.config.findings import Findings
from torrey.geometry import MeshOptions, Shape

#: Unknowns per element of a fine mesh, by dimension.
_UNKNOWNS: Final = {1: 2.0, 2: 2.1, 3: 1.45}
#: Unknowns from which on it is said what a cell costs.
_WORTH_SAYING: Final = {1: 1_000_000, 2: 100_000, 3: 15_000}


def check_cells(findings: Findings, path: KeyPath, geometry: Geometry) -> bool:
    """Note a cell with so many compartments that nothing could be computed in it.

    Parameters
    ----------
    findings : Findings
        Collects the problems.
    path : tuple of str
        Of what is computed: a study, or a run of ``bloch``.
    geometry : Geometry

    Returns
    -------
    bool
        Whether there is none.
    """
    shape = geometry.shape
    brings_its_mesh = shape.own_elements(geometry.mesh.coarsest(shape.dimension)) is not None
    if shape.own_length() is None or brings_its_mesh:
        return True
    count = len(geometry.shape.membranes())
    d = geometry.shape.dimension
    refinements = geometry.mesh.limit(d)
    what = "outlines" if shape.kind != "packing" else "discs" if d == 2 else "spheres"
    elements = _elements_at_one(shape) * count * 2 ** (d * refinements)
    if count > MOST_CELLS:
        found = f"{count:,} {what}"
        of = "a packing of " if shape.kind == "packing" else ""
        accepted = f"{of}at most {MOST_CELLS:,} {what}: each is a compartment of the models"
    elif elements > MOST_ELEMENTS:
        found = f"{count:,} {what} and mesh.refinements of {refinements}, {elements:,} elements"
        accepted = f"at most {MOST_ELEMENTS:,} elements: fewer {what} or refinements"
    else:
        return True
    findings.add((*path, "geometry"), f"{geometry.name}, with {found}", accepted)
    return False


def scaling_notes(geometry: Geometry, periods: Sequence[float]) -> tuple[str, ...]:
    """Say how a cell was made, and that periods (um) scale one with a length of its own."""
    remarks = tuple(f"{geometry.name}: {remark}" for remark in geometry.shape.remarks())
    own = geometry.shape.own_length()
    others = [period for period in periods if own is not None and period != own]
    if not others:
        return remarks
    listed = ", ".join(f"{period:g}" for period in others)
    what = "box" if geometry.shape.kind == "packing" else "cell"
    return (*remarks, f"periods of {listed} um scale {geometry.name}, whose {what} is {own:g} um")


def cost_notes(geometry: Geometry) -> tuple[str, ...]:
    """Say what the meshes of a cell cost, where that is much."""
    shape, mesh = geometry.shape, geometry.mesh
    d = shape.dimension
    kept, limit = estimated_unknowns(shape, mesh)
    if kept < _WORTH_SAYING[d]:
        return ()
    note = f"the meshes of {geometry.name} have about {_cost(d, kept)}"
    if limit > kept:
        note += f"; on the finest that a tolerance may ask for, {_cost(d, limit)}"
    return (note,)


def _cost(dimension: int, unknowns: float) -> str:
    memory, seconds = factor_bytes(dimension, unknowns), factor_seconds(dimension, unknowns)
    return (
        f"{float(f'{unknowns:.2g}'):,.0f} unknowns: {in_gigabytes(memory)} of memory, and "
        f"{seconds:.2g} s of one core for each of the factors of a signal"
    )


def estimated_unknowns(shape: Shape, mesh: MeshOptions) -> tuple[float, float]:
    """Return about how many unknowns two meshes of a cell will have.

    They are the finest of those that are kept, and the finest that a tolerance may ask for.
    """
    d = shape.dimension
    coarsest = _UNKNOWNS[d] * estimated_elements(shape, mesh)
    return coarsest * 2 ** (d * mesh.kept(d)), coarsest * 2 ** (d * mesh.limit(d))


def estimated_elements(shape: Shape, mesh: MeshOptions) -> float:
    """Return about how many elements the coarsest mesh of a cell will have."""
    size = mesh.coarsest(shape.dimension)
    if (brought := shape.own_elements(size)) is not None:
        return brought
    curved = int(np.isfinite(shape.membrane_radii()).sum())
    return elements_of_size(shape, size) + _elements_at_one(shape) * curved


def _elements_at_one(shape: Shape) -> int:
    """Elements at one curved membrane; next to many others there are more, in the gaps."""
    if shape.kind == "packing" and shape.dimension == 3:
        return ELEMENTS_PER_SPHERE
    return ELEMENTS_PER_CURVED[shape.dimension]


def elements_of_size(shape: Shape, size: float) -> float:
    """Return about how many elements of one size fill a cell."""
    d = shape.dimension
    return ELEMENTS_PER_VOLUME[d] * abs(float(np.linalg.det(shape.periods))) / size**d
