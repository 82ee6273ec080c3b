"""The periodic media of Moutal, Moutal and Grebenkov 2020: figures 1 and 3."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Polygon, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from torrey.base.stored import Group, Variable
from torrey.figures import cells, style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.style import COLUMN, GREY, LEAF, PAGE, styled
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]

_WATER: Final = "#FFFFFF"
_OBSTACLE: Final = "#BDBDBD"
_EDGE: Final = "#555555"
_INK: Final = "#000000"
_BLUE: Final = "#0072B2"
_DIAGONAL: Final = 1.0 / np.sqrt(2.0)
_REACH: Final = 1.75
"""Half the width of what figure 3 shows of the lattices, in periods."""


@styled
def fig1(files: FigureFiles) -> Drawing:
    """A medium that is periodic along x and bounded across."""
    mesh = only_mesh(files)
    count = 4
    figure = style.new_figure(COLUMN, 0.42 * COLUMN)
    ax = figure.add_subplot()
    ax.add_patch(Rectangle((-0.35, 0.0), count + 0.7, 1.0, facecolor=_WATER, edgecolor="none"))
    shifts = [(i, 0.0) for i in range(-1, count + 1)]
    window = Rectangle((-0.35, 0.0), count + 0.7, 1.0, transform=ax.transData)
    for shift in shifts:
        draw_obstacles(ax, mesh, Affine2D().translate(*shift), window)
    for y in (0.0, 1.0):
        ax.plot([-0.35, count + 0.35], [y, y], color=_INK, linewidth=1.4)
    for x in range(count + 1):
        ax.plot([x, x], [-0.08, 1.08], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    _span(ax, (1.0, -0.2), (2.0, -0.2), "$a_x$", (0.0, -0.13))
    for end in (-0.5, count + 0.5):
        ax.text(end, 0.5, r"$\cdots$", ha="center", va="center", color=GREY, fontsize=11)
    _span(ax, (-0.1, 1.22), (0.55, 1.22), "$x$", (0.42, 0.0), "->")
    ax.set(xlim=(-0.75, count + 0.75), ylim=(-0.48, 1.36))
    _bare(ax)
    corners = np.array([shift for shift in shifts if 0 <= shift[0] < count])
    return Drawing(figure, {"corner": _corners(corners), **_outline_group(mesh)})


@styled
def fig3(files: FigureFiles) -> Drawing:
    """Three unit cells of the square lattice for a gradient along its diagonal."""
    mesh = only_mesh(files)
    figure = style.new_figure(PAGE, 0.36 * PAGE)
    axes = figure.subplots(1, 3)
    upright = Affine2D().translate(-0.5, -0.5)
    turned = Affine2D().translate(-0.5, -0.5).rotate_deg(-45.0)
    s = 1.0 / _DIAGONAL
    cases = (
        ("gradient along the diagonal", upright, [(1.0, 0.0), (0.0, 1.0)], (1.0, 1.0)),
        (r"side $a\sqrt{2}$, two obstacles", turned, [(s, 0.0), (0.0, s)], (1.0, 0.0)),
        (
            r"length $a/\sqrt{2}$ along the gradient",
            turned,
            [(s / 2, s / 2), (0.0, -s)],
            (1.0, 0.0),
        ),
    )
    group: dict[str, Variable] = {}
    for ax, letter, case in zip(axes, "abc", cases, strict=True):
        text, transform, periods, gradient = case
        first, second = np.array(periods)
        cell = np.array([0 * first, first, first + second, second]) - (first + second) / 2
        _draw_lattice(ax, mesh, transform)
        ax.add_patch(
            Polygon(cell, closed=True, fill=False, edgecolor=cells.BOX, linewidth=1.4,
                    linestyle=(0, (4, 2)), zorder=4.0)
        )  # fmt: skip
        _draw_gradient(ax, gradient)
        style.panel_title(ax, letter, text)
        group[f"cell_{letter}"] = Variable(
            ("corner", "axis"), cell, "1", f"corners of the unit cell ({letter}) in units of a"
        )
    return Drawing(figure, {**group, **_outline_group(mesh)})


def _draw_lattice(ax: Axes, mesh: CellMesh, transform: Affine2D) -> None:
    """Draw obstacles of a turned lattice within a window."""
    reach = _REACH
    window = Rectangle((-reach, -reach), 2 * reach, 2 * reach, transform=ax.transData)
    for i in range(-4, 5):
        for j in range(-4, 5):
            moved = Affine2D((Affine2D().translate(i, j) + transform).get_matrix())
            if np.abs(moved.transform((0.5, 0.5))).max() < reach + 0.5:
                draw_obstacles(ax, mesh, moved, window)
    ax.set(xlim=(-reach, reach), ylim=(-reach - 0.75, reach))
    _bare(ax)


def _draw_gradient(ax: Axes, direction: tuple[float, float]) -> None:
    along = 0.65 * np.array(direction) / np.linalg.norm(direction)
    start = np.array([-0.4, -_REACH - 0.4]) - along * (0.0, 0.5)
    arrow = {"arrowstyle": "-|>", "color": _BLUE, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
    (x, y), tip = start, start + along
    ax.annotate("", (tip[0], tip[1]), xytext=(x, y), arrowprops=arrow, zorder=6.0)
    x, y = tip + (0.12, 0.0)
    ax.text(x, y, r"$\mathbf{g}$", color=_BLUE, fontsize=9, va="center", zorder=6.0)


def draw_obstacles(
    ax: Axes, mesh: CellMesh, transform: Affine2D, window: Rectangle | None = None
) -> None:
    """Fill the obstacles of one cell."""
    for path in _obstacles(mesh):
        patch = PathPatch(
            path.transformed(transform), facecolor=_OBSTACLE, edgecolor=_EDGE, linewidth=LEAF
        )
        ax.add_patch(patch)
        if window is not None:
            patch.set_clip_path(window)


def _obstacles(mesh: CellMesh) -> list[Path]:
    """Outlines of the holes of a mesh that lie inside the cell."""
    whole = cells.compartment_path(mesh, 0)
    vertices, codes = np.asarray(whole.vertices), np.asarray(whole.codes)
    starts = np.flatnonzero(codes == Path.MOVETO)
    parts = zip(np.split(vertices, starts[1:]), np.split(codes, starts[1:]), strict=True)
    # The outline of the water turns counter-clockwise, its holes clockwise.
    return [Path(v, c) for v, c in parts if _area(v) < 0.0]


def _area(points: Array) -> float:
    x, y = points.T
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _span(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    text: str,
    away: tuple[float, float],
    arrow: str = "<->",
) -> None:
    """Draw an arrow and write its meaning beside its middle."""
    shape = {"arrowstyle": arrow, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, xytext=start, arrowprops=shape)
    x, y = (start[0] + end[0]) / 2 + away[0], (start[1] + end[1]) / 2 + away[1]
    ax.text(x, y, text, ha="center", va="center")


def _bare(ax: Axes) -> None:
    ax.set_aspect("equal")
    ax.set(xticks=(), yticks=())
    ax.spines[:].set_visible(False)


def _corners(corners: Array) -> Variable:
    return Variable(("cell", "axis"), corners, "1", "lower left corner of each cell in units of a")


def _outline_group(mesh: CellMesh) -> Group:
    outline = np.concatenate([np.asarray(path.vertices) for path in _obstacles(mesh)])
    return {
        "obstacle": Variable(
            ("point", "axis"), outline, "1", "outline of the obstacle in units of the cell"
        )
    }


def only_mesh(files: FigureFiles) -> CellMesh:
    """The coarsest mesh of the one geometry of a figure."""
    (path,) = files.files["mesh"].values()
    return cells.read_cell(path)[-1]
