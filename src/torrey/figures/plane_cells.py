"""A cell of one or two dimensions on axes: regions, membranes, neighbours, elements, names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray

from torrey.figures import cells
from torrey.figures.cell_colors import Palette
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]

#: Part of the cell's width that is shown of its neighbours, and how opaque they are.
MARGIN: Final = 0.14
_FAINT: Final = 0.38
#: Sizes of labels that are tried (points), and the mean width of a letter in units of the size.
_SIZES: Final = (8.0, 7.0, 6.0)
_LETTER: Final = 0.58
#: Part of the room that a name may take, so that it keeps clear of the border of its region.
_SURE: Final = 0.9
BEHIND: Final = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.6}
"""Behind a name on elements."""
#: Height of the strip that stands for a cell of one dimension.
_STRIP: Final = 0.16


def draw_plane(
    ax: Axes,
    mesh: CellMesh,
    palette: Palette,
    elements: bool,
    points_per_unit: float,
    share: float = MARGIN,
) -> list[int]:
    """Draw a cell in the plane with parts of its neighbours.

    Parameters
    ----------
    ax : Axes
    mesh : CellMesh
        In whatever unit.
    palette : Palette
    elements : bool
        Whether to draw their edges.
    points_per_unit : float
        Points of the page for a unit of length, which tells where a name fits.
    share : float
        Part of the cell's width that is shown of its neighbours.

    Returns
    -------
    list of int
        Regions without a label.
    """
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    margin = share * float(np.max(high - low)) if repeats(mesh) else 0.03 * float(max(high - low))
    window = np.array([low - margin, high + margin])
    fills = {
        color: cells.outline(mesh, np.isin(mesh.region, regions))
        for color, regions in palette.groups().items()
    }
    # Thinner where membranes are close to each other.
    _, gaps = cells.roomiest_places(mesh)
    width = float(np.clip(0.12 * np.median(gaps) * points_per_unit, 0.4, 1.2))
    membranes, sides = cells.membrane_path(mesh), cells.sides_path(mesh)
    for shift in _shifts(mesh, window):
        faint = _FAINT if np.any(shift) else 1.0
        for color, path in fills.items():
            _fill(ax, _moved(path, shift), color, faint)
        _stroke(ax, _moved(membranes, shift), cells.MEMBRANE, width, 2.5, faint)
    if elements:
        edge = float(np.sqrt(np.prod(high - low) / len(mesh.elements))) * points_per_unit
        cells.draw_elements(ax, mesh, float(np.clip(0.04 * edge, 0.05, 0.3)))
    if repeats(mesh):
        _stroke(ax, sides, cells.BOX, 1.2, 3.0, 1.0)
    ax.set_aspect("equal")
    ax.set(xlim=window[:, 0], ylim=window[:, 1])
    return _label(ax, mesh, palette, points_per_unit, elements)


def draw_line(
    ax: Axes, mesh: CellMesh, palette: Palette, elements: bool, share: float = MARGIN
) -> None:
    """Draw a cell of one dimension as a strip, with its names above and parts of its neighbours."""
    period = float(mesh.points.max() - mesh.points.min())
    height = _STRIP * period
    for shift in (-period, 0.0, period):
        faint = 1.0 if shift == 0.0 else _FAINT
        for region in np.unique(mesh.region):
            for start, end in _stretches(mesh, int(region)):
                box = (start + shift, 0.0), end - start, height
                ax.add_patch(
                    Rectangle(*box, facecolor=palette.colors[region], edgecolor="none", alpha=faint)
                )
        where = mesh.points[mesh.membrane_outside[:, 0], 0] + shift
        ax.vlines(where, 0.0, height, color=cells.MEMBRANE, linewidth=1.6, alpha=faint, zorder=2.5)
    if elements:
        ends = np.unique(mesh.points[mesh.elements[:, :2], 0])
        ax.vlines(ends, 0.0, height, color="#555555", linewidth=0.4, zorder=2.0)
    sides = [float(mesh.points.min()), float(mesh.points.max())]
    ax.vlines(sides, -0.25 * height, 1.25 * height, color=cells.BOX, linewidth=1.2, zorder=3.0)
    for region in np.unique(mesh.region):
        for start, end in _stretches(mesh, int(region)):
            ax.text(
                0.5 * (start + end), 1.15 * height, palette.names[region], ha="center", va="bottom",
                fontsize=_SIZES[1], rotation=0 if end - start > 0.15 * period else 60,
            )  # fmt: skip
    margin = share * period
    ax.set_aspect("equal")
    ax.set(xlim=(sides[0] - margin, sides[1] + margin), ylim=(-0.3 * height, 3.2 * height))
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def repeats(mesh: CellMesh) -> bool:
    """Whether the cell repeats itself: some nodes have periodic images."""
    return bool(np.any(mesh.periodic != np.arange(len(mesh.periodic))))


def place_names(palette: Palette, rooms: Array) -> dict[int, tuple[str, float]]:
    """Texts and their sizes (points) for the regions whose names have room.

    Where there is room for few of the names that differ in their numbers alone, none is written.

    Parameters
    ----------
    palette : Palette
    rooms : (n_regions,) float
        Radii of the circles that are free (points).
    """
    found = {}
    for family in palette.families():
        texts = {
            region: text
            for region in family.tolist()
            if (text := _fit(palette.names[region], float(rooms[region])))
        }
        if 2 * len(texts) >= len(family):
            found.update(texts)
    return found


def _fit(name: str, room: float) -> tuple[str, float] | None:
    for size in _SIZES:
        if 0.5 * np.hypot(_LETTER * size * len(name), 0.75 * size) <= _SURE * room:
            return name, size
    return None


def _label(
    ax: Axes, mesh: CellMesh, palette: Palette, points_per_unit: float, elements: bool
) -> list[int]:
    places, gaps = cells.roomiest_places(mesh)
    found = place_names(palette, gaps * points_per_unit)
    for region, (text, size) in found.items():
        x, y = places[region].tolist()
        ax.text(
            x, y, text, fontsize=size, ha="center", va="center", zorder=4.0,
            bbox=BEHIND if elements else None,
        )  # fmt: skip
    return [region for region in range(len(gaps)) if region not in found]


def _shifts(mesh: CellMesh, window: Array) -> Iterator[Array]:
    """Periods by which the cell is seen in a window, itself last."""
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    steps = sorted(product(range(-2, 3), repeat=2), key=lambda step: step == (0, 0))
    for step in steps if repeats(mesh) else [(0, 0)]:
        shift = np.array(step) @ mesh.lattice
        if np.all(low + shift < window[1]) and np.all(high + shift > window[0]):
            yield shift


def _stretches(mesh: CellMesh, region: int) -> list[tuple[float, float]]:
    """Intervals of a region, in their order."""
    ends = np.sort(mesh.points[mesh.elements[mesh.region == region, :2], 0], axis=1)
    merged: list[tuple[float, float]] = []
    for start, end in ends[np.argsort(ends[:, 0])].tolist():
        if merged and abs(start - merged[-1][1]) < 1e-9:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _moved(path: Path, shift: Array) -> Path:
    return Path(np.asarray(path.vertices) + shift, path.codes)


def _fill(ax: Axes, path: Path, color: str, alpha: float) -> None:
    ax.add_artist(PathPatch(path, facecolor=color, edgecolor="none", alpha=alpha, zorder=1.0))


def _stroke(ax: Axes, path: Path, color: str, width: float, order: float, alpha: float) -> None:
    ax.add_artist(
        PathPatch(
            path, facecolor="none", edgecolor=color, linewidth=width, capstyle="butt",
            joinstyle="round", alpha=alpha, zorder=order,
        )
    )  # fmt: skip
