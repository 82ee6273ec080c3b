"""A picture of a cell, for a notebook."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes

from torrey.base.errors import InputError
from torrey.figures import cells
from torrey.geometry.mesh import CellMesh


def draw_cell(mesh: CellMesh, period: float, elements: bool, ax: Axes | None) -> Axes:
    """Draw one period of a cell in the plane: compartments, membranes, and elements if wanted.

    Parameters
    ----------
    mesh : CellMesh
    period : float, um
    elements : bool
    ax : Axes, optional
        A new figure, if there are none.

    Raises
    ------
    InputError
        If the cell is not in the plane.
    """
    if mesh.dimension != 2:
        raise InputError(
            f"a cell of {mesh.dimension} dimensions", "one in the plane", ("Cell.plot()",)
        )
    if ax is None:
        _, ax = pyplot.subplots()
    mesh = replace(mesh, points=period * mesh.points)
    cells.fill_cell(ax, mesh)
    if elements:
        cells.draw_elements(ax, mesh)
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    margin = 0.02 * float(np.max(high - low))
    ax.set_aspect("equal")
    ax.set(xlim=(low[0] - margin, high[0] + margin), ylim=(low[1] - margin, high[1] + margin))
    ax.set(xlabel="x (µm)", ylabel="y (µm)")
    return ax
