"""The cells of Kchaou and Li 2023: figures 1 to 3."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from torrey.base.stored import Group, Variable
from torrey.figures import cells
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.style import COLUMN, PAGE, letters, new_figure, panel_title, styled
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]

_PERIODS: Final = (7, 5)
"""Lattice of figure 2, of which the periods inside Omega are drawn."""
_FRAME: Final = "#333333"
_FINE: Final = 0.25
"""Width of the edges of thousands of elements (points)."""


@styled
def fig1(files: FigureFiles) -> Drawing:
    """Cell with its subdomains, its membranes and the sides of the box."""
    (path,) = files.files["mesh"].values()
    mesh = cells.read_cell(path)[0]
    figure = new_figure(COLUMN, 0.97 * COLUMN)
    ax = figure.add_subplot()
    cells.fill_cell(ax, mesh)
    cells.draw_box(ax)
    cells.unit_axes(ax)
    ax.set(xlabel="$y_1$ (units of the cell)", ylabel="$y_2$ (units of the cell)")
    labels = _name_compartments(ax, mesh)
    _name_boundaries(ax, mesh)
    return Drawing(figure, {**_membranes(mesh), **_label_places(labels)})


@styled
def fig2(files: FigureFiles) -> Drawing:
    """Periodic extension of the cell inside a finite domain."""
    (path,) = files.files["mesh"].values()
    mesh = cells.read_cell(path)[0]
    omega = _domain()
    corners = _periods_inside(omega)
    figure = new_figure(1.4 * COLUMN, 1.1 * COLUMN)
    ax = figure.add_subplot()
    ax.add_patch(Polygon(omega, facecolor=cells.OUTSIDE, edgecolor=_FRAME, linewidth=1.2))
    for x, y in corners:
        cells.fill_cell(ax, mesh, (x, y))
        cells.draw_box(ax, (x, y), width=0.4)
    _name_period(ax, corners)
    _name_domain(ax, omega)
    ax.set_aspect("equal")
    ax.set(xlabel=r"$x_1$ (periods $\varepsilon$)", ylabel=r"$x_2$ (periods $\varepsilon$)")
    ax.set(xlim=(-0.6, _PERIODS[0] + 0.6), ylim=(-0.6, _PERIODS[1] + 0.6))
    ax.set(xticks=range(_PERIODS[0] + 1), yticks=range(_PERIODS[1] + 1))
    places = {
        "omega": Variable(
            ("outline", "axis"), omega, "1", "outline of Omega in units of the period"
        ),
        "corner": Variable(
            ("period", "axis"), corners, "1", "lower left corner of each period inside Omega"
        ),
    }
    return Drawing(figure, {**_membranes(mesh), **places})


@styled
def fig3(files: FigureFiles) -> Drawing:
    """Cells with their finest meshes and the sizes of all meshes."""
    paths = files.files["mesh"]
    figure = new_figure(PAGE, 0.55 * PAGE)
    axes = np.atleast_1d(figure.subplots(1, len(paths)))
    levels = {name: cells.read_cell(path) for name, path in paths.items()}
    words = files.cells()
    for ax, letter, (name, meshes) in zip(axes, letters(len(paths)), levels.items(), strict=True):
        cells.fill_cell(ax, meshes[-1])
        cells.draw_elements(ax, meshes[-1], _FINE)
        cells.draw_box(ax)
        cells.unit_axes(ax)
        ax.set(xlabel="$y_1$ (units of the cell)", ylabel="$y_2$ (units of the cell)")
        coarsest, finest = cells.size_text(meshes[0]), cells.size_text(meshes[-1])
        panel_title(ax, letter, f"{words[name]}\nfinest (drawn): {finest}\ncoarsest: {coarsest}")
    return Drawing(figure, _mesh_sizes(levels))


def _name_compartments(ax: Axes, mesh: CellMesh) -> dict[str, Array]:
    """Write Y^e and Y^c into the compartments and return the places."""
    places = {}
    for compartment in np.unique(mesh.compartment):
        outside = compartment == 0
        text = "$Y^e$" if outside else "$Y^c$"
        color = cells.OUTSIDE_INK if outside else cells.MEMBRANE
        place = cells.roomiest_place(mesh, int(compartment))
        ax.text(place[0], place[1], text, color=color, ha="center", va="center", fontsize=11)
        places[f"compartment {compartment}"] = place
    return places


def _name_boundaries(ax: Axes, mesh: CellMesh) -> None:
    """Label the longest membrane and a side of the box."""
    longest = int(np.bincount(mesh.membrane).argmax())
    loop = mesh.points[mesh.membrane_outside[mesh.membrane == longest]].reshape(-1, 2)
    centre = loop.mean(axis=0)
    # From the direction of the centre of the box: there the label lies between the cells.
    target = loop[np.linalg.norm(loop - (0.5, 0.5), axis=1).argmin()]
    away = (target - centre) / np.linalg.norm(target - centre)
    line = {"arrowstyle": "-", "linewidth": 0.6, "color": cells.MEMBRANE, "shrinkA": 0.0}
    ax.annotate(
        r"$\Gamma^m$",
        target,
        xytext=target + 0.09 * away,
        color=cells.MEMBRANE,
        fontsize=11,
        ha="center",
        va="center",
        arrowprops={**line, "shrinkB": 0.0},
    )
    ax.annotate(
        r"sides of $Y$",
        (0.5, 1.0),
        xytext=(0, 3),
        textcoords="offset points",
        color=cells.BOX,
        ha="center",
        va="bottom",
    )


def _domain() -> Array:
    """Smooth outline of a domain that holds the lattice of figure 2 without its corners."""
    size = np.array(_PERIODS, dtype=float)
    angle = np.linspace(0.0, 2.0 * np.pi, 241)[:-1]
    ripple = 1.0 + 0.02 * np.cos(3.0 * angle + 0.6) + 0.012 * np.sin(5.0 * angle)
    # A superellipse leaves less room between its outline and the squares than an ellipse.
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    radius = ripple * (np.abs(circle) ** 3).sum(axis=1) ** (-1.0 / 3.0)
    return 0.5 * (size + (size + 1.0) * radius[:, None] * circle)


def _periods_inside(omega: Array) -> Array:
    """Corners of the periods of the lattice that lie inside a domain, shape (n, 2)."""
    inside = Polygon(omega).get_path()
    corners = np.stack(np.meshgrid(*map(np.arange, _PERIODS), indexing="ij"), axis=-1).reshape(
        -1, 2
    )
    sides = np.linspace(0.0, 1.0, 9)
    square = np.stack(np.meshgrid(sides, sides), axis=-1).reshape(-1, 2)
    held = [bool(inside.contains_points(corner + square).all()) for corner in corners]
    return corners[held].astype(float)


def _name_period(ax: Axes, corners: Array) -> None:
    """Frame the lowest period on the right, and name it from outside the domain."""
    x, y = max(corners.tolist(), key=lambda corner: corner[0] - corner[1])
    cells.draw_box(ax, (x, y), width=1.8)
    ax.annotate(
        r"$\varepsilon Y$",
        (x + 1.0, y),
        xytext=(_PERIODS[0] + 0.2, -0.2),
        color=cells.BOX,
        fontsize=11,
        ha="center",
        va="center",
        arrowprops={"arrowstyle": "-", "linewidth": 0.6, "color": cells.BOX, "shrinkB": 0.0},
    )


def _name_domain(ax: Axes, omega: Array) -> None:
    corner = (_PERIODS[0] + 0.2, _PERIODS[1] + 0.2)
    nearest = omega[np.linalg.norm(omega - corner, axis=1).argmin()]
    ax.annotate(
        r"$\Omega$",
        nearest,
        xytext=corner,
        color=_FRAME,
        fontsize=11,
        ha="center",
        va="center",
        arrowprops={"arrowstyle": "-", "linewidth": 0.6, "color": _FRAME, "shrinkB": 0.0},
    )


def _membranes(mesh: CellMesh) -> Group:
    facets = mesh.points[mesh.membrane_outside]
    return {
        "membrane_facet": Variable(
            ("facet", "facet_node", "axis"),
            facets,
            "1",
            "ends and middle of each membrane facet in units of the cell",
        ),
        "facet_membrane": Variable(("facet",), mesh.membrane, "1", "membrane of each facet"),
    }


def _label_places(places: dict[str, Array]) -> Group:
    return {
        "label": Variable(("label",), np.array(list(places)), "", "what a label names"),
        "label_place": Variable(
            ("label", "axis"), np.array(list(places.values())), "1", "place in units of the cell"
        ),
    }


def _mesh_sizes(levels: dict[str, tuple[CellMesh, ...]]) -> Group:
    """Sizes of all meshes; cells may be refined differently often."""
    depth = max(map(len, levels.values()))
    triangles, unknowns = (np.zeros((len(levels), depth), dtype=np.int32) for _ in range(2))
    for i, meshes in enumerate(levels.values()):
        triangles[i, : len(meshes)] = [len(mesh.elements) for mesh in meshes]
        unknowns[i, : len(meshes)] = [cells.count_unknowns(mesh) for mesh in meshes]
    dims = ("geometry", "level")
    return {
        "geometry": Variable(("geometry",), np.array(list(levels)), "", "cell"),
        "triangles": Variable(dims, triangles, "1", "triangles of each mesh, 0 without a mesh"),
        "unknowns": Variable(dims, unknowns, "1", "degrees of freedom of each mesh"),
    }
