"""A picture of a cell, for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib import pyplot
from matplotlib.axes import Axes

from torrey.base.errors import InputError
from torrey.figures.cell_pictures import draw_on
from torrey.geometry.mesh import CellMesh


def draw_cell(
    mesh: CellMesh, regions: Sequence[str], period: float, elements: bool, ax: Axes | None
) -> Axes:
    """Draw a cell of any dimension: regions, membranes, and elements if wanted.

    Parameters
    ----------
    mesh : CellMesh
    regions : sequence of str
        Their names.
    period : float, um
    elements : bool
    ax : Axes, optional
        A new figure, if there are none.

    Raises
    ------
    InputError
        If the axes are in three dimensions.
    """
    if getattr(ax, "name", "") == "3d":
        accepted = "axes of a plane: cells in space are drawn as they are seen from a corner"
        raise InputError("axes in three dimensions", accepted, ("ax",))
    if ax is None:
        _, ax = pyplot.subplots()
    scaled = replace(mesh, points=period * mesh.points, lattice=period * mesh.lattice)
    draw_on(ax, scaled, regions, elements, "\N{MICRO SIGN}m")
    return ax
