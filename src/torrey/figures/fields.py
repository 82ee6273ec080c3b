"""Pictures of fields on the quadratic elements of a cell and of its neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, TriMesh
from matplotlib.tri import Triangulation
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: The four triangles that the six nodes of a quadratic one make.
_QUARTERS = np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]])


def draw_field(
    ax: Axes,
    places: Array,
    elements: NDArray[np.int64],
    values: Array,
    shifts: ArrayLike = ((0.0, 0.0),),
    **options: Any,
) -> TriMesh:
    """Colour a field on some cells.

    Parameters
    ----------
    ax : Axes
    places : (n_nodes, 2) float
        In units of the cell.
    elements : (n_elements, 6) int
        Nodes of quadratic triangles, vertices first.
    values : (n_nodes,) or (n_shifts, n_nodes) float
        One field for all cells, or one for each.
    shifts : (n_shifts, 2) array_like of float
        Where the cells are.
    **options
        For ``tripcolor``.
    """
    triangles = elements[:, _QUARTERS].reshape(-1, 3)
    cells = np.asarray(shifts, dtype=float)
    values = np.broadcast_to(values, (len(cells), len(places)))
    for shift, field in zip(cells, values, strict=True):
        x, y = (places + shift).T
        shape = Triangulation(x, y, triangles)
        picture = ax.tripcolor(shape, field, shading="gouraud", **options)
        # Thousands of shaded triangles belong into a picture, the axes round them do not.
        picture.set_rasterized(True)
    ax.set_aspect("equal")
    return picture


def draw_phase(
    ax: Axes,
    places: Array,
    elements: NDArray[np.int64],
    values: NDArray[np.complex128],
    shifts: ArrayLike = ((0.0, 0.0),),
    **options: Any,
) -> PolyCollection:
    """Colour the phase of a complex field; parameters as for `draw_field`, one field for all cells.

    Each triangle has one colour, that of its mean value: between nodes on either side of the cut
    at pi a gradual colour would run through all others.
    """
    triangles = elements[:, _QUARTERS].reshape(-1, 3)
    phases = np.angle(values[triangles].mean(axis=1))
    for shift in np.asarray(shifts, dtype=float):
        x, y = (places + shift).T
        shape = Triangulation(x, y, triangles)
        picture = ax.tripcolor(shape, facecolors=phases, edgecolors="face", **options)
        picture.set_rasterized(True)
    ax.set_aspect("equal")
    return picture
