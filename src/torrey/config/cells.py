"""What is computed in a geometry, a study or a run of ``bloch``, against the size of its cell."""

from __future__ import annotations

from collections.abc import Sequence

from torrey.base.budgets import ELEMENTS_PER_DISC, MOST_CELLS, MOST_ELEMENTS
from torrey.base.errors import KeyPath
from torrey.config.domain import Geometry
from torrey.config.findings import Findings


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
    if geometry.shape.own_length() is None:
        return True
    count = len(geometry.shape.membranes())
    refinements = geometry.mesh.limit(geometry.shape.dimension)
    elements = ELEMENTS_PER_DISC * count * 4**refinements
    if count > MOST_CELLS:
        found = f"{count:,} discs"
        accepted = f"a packing of at most {MOST_CELLS:,} discs: each is a compartment of the models"
    elif elements > MOST_ELEMENTS:
        found = f"{count:,} discs and mesh.refinements of {refinements}, {elements:,} elements"
        accepted = f"at most {MOST_ELEMENTS:,} elements: fewer discs or refinements"
    else:
        return True
    findings.add((*path, "geometry"), f"{geometry.name}, with {found}", accepted)
    return False


def scaling_notes(geometry: Geometry, periods: Sequence[float]) -> tuple[str, ...]:
    """Say that periods (um) scale a cell that was described in a length of its own."""
    own = geometry.shape.own_length()
    others = [period for period in periods if own is not None and period != own]
    if not others:
        return ()
    listed = ", ".join(f"{period:g}" for period in others)
    return (f"periods of {listed} um scale {geometry.name}, whose box is {own:g} um",)
