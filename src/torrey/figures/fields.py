"""Pictures of fields on the quadratic elements of a cell and of its neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import TriMesh
from matplotlib.colors import ListedColormap, Normalize
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
) -> TriMesh:
    """Colour the phase of a complex field; parameters as for `draw_field`, one field for all cells.

    The phase is continuous within each element, and the colours go round twice: no element across
    the cut at pi runs through all of them. Their limits are -2 pi and 2 pi; zero is pale.
    """
    corners = values[elements]
    phase = np.angle(corners[:, :1]) + np.angle(corners * corners[:, :1].conj())
    apart = places[elements].reshape(-1, 2)
    numbers = np.arange(len(apart)).reshape(elements.shape)
    turns = np.linspace(-1.0, 1.0, 1025)
    twice = ListedColormap(colormaps["twilight"](turns % 1.0), name="twilight_twice")
    limits = Normalize(-2 * np.pi, 2 * np.pi)
    return draw_field(ax, apart, numbers, phase.ravel(), shifts, cmap=twice, norm=limits)
