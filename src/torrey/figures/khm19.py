"""Boxes and signals of Kchaou, Haddar and Moakher 2019: figures 1 to 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from numpy.typing import NDArray

from torrey.base.stored import Group, Variable
from torrey.figures import cells, style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.panels import (
    add_logarithm,
    draw_models,
    each_panel,
    explain_hollow,
    instability,
    labelled,
    panel_axes,
    read_panels,
    to_group,
)
from torrey.figures.style import PAGE, S_PER_MS, UM_PER_MM, CurveLabel, letters, look_of, styled
from torrey.figures.words import words_of
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]


LABELS: Final = {"R0": "order 0", "R2": "order 2"}
"""The paper's names: without exchange R0 and R2 are its models of order 0 and 2."""


@styled
def fig1(files: FigureFiles) -> Drawing:
    """Boxes with their coarsest meshes; there is no water inside the cells."""
    return draw_boxes(files)


@styled
def fig2(files: FigureFiles) -> Drawing:
    """Minus the logarithm of the signals against the period, one panel per box."""
    signals = files.files["signals"]
    panels = add_logarithm(read_panels(signals, "period", cells=files.cells()), np.e)
    words = words_of(panels)
    panels = panels.assign(
        exponent=labelled(-panels.log_signal, "1", "-log S (natural)"),
        exponent_error=labelled(panels.log_error, "1", "numerical error of -log S"),
        epsilon=labelled(panels.period / UM_PER_MM, "1", "period of the cell over 1 mm"),
    )
    figure, axes = panel_axes(panels, columns=2, height=0.42)
    meshes = files.files["mesh"]
    for ax, panel, study, title in zip(
        axes, each_panel(panels), signals, _told_apart(words.titles, list(signals)), strict=True
    ):
        x = 1e3 * panel.epsilon.values
        labels = draw_models(ax, panel, x, "exponent", "exponent_error", LABELS)
        # The period in micrometres is the same number.
        label = r"$10^3\,\varepsilon = L\,/\,(1$ $\mu$m$)$"
        ax.set(xlabel=label, ylabel=r"$-\log S$ (natural)")
        ax.set_xlim(left=0.0)
        style.panel_title(ax, str(panel.panel.values), title)
        _draw_inset(ax, meshes[study])
        explain_hollow(ax, panel, _labels(panel), (0.36, 0.04))
        style.label_ends(ax, labels)
    style.head(figure, words.shared)
    names = ["exponent", "exponent_error", "unstable", "epsilon"]
    return Drawing(figure, to_group(panels, names))


def _told_apart(titles: Sequence[str], studies: Sequence[str]) -> Sequence[str]:
    """Titles of the panels, with the names of the studies where they do not differ."""
    if len(set(titles)) == len(titles):
        return titles
    names = [study.replace("_", " ") for study in studies]
    return [f"{name}: {title}".rstrip(": ") for name, title in zip(names, titles, strict=True)]


@styled
def fig3(files: FigureFiles) -> Drawing:
    """Signals against b, one panel per time between the pulses."""
    return draw_against_b(files)


@styled
def fig4(files: FigureFiles) -> Drawing:
    """Boxes with a layer around each cell, with their coarsest meshes."""
    return draw_boxes(files)


@styled
def fig5(files: FigureFiles) -> Drawing:
    """Signals against b in the boxes with layers, one panel per box and time between the pulses."""
    drawing = draw_against_b(files, remark=(0.36, 0.04), height=0.68)
    # Panels come time by time, the boxes side by side.
    meshes = list(files.files["mesh"].values())
    panels = [ax for ax in drawing.figure.axes if ax.get_title(loc="left")]
    for i, ax in enumerate(panels):
        _draw_inset(ax, meshes[i % len(meshes)])
    return drawing


def draw_boxes(files: FigureFiles) -> Drawing:
    """Boxes with their coarsest meshes, side by side."""
    paths = files.files["mesh"]
    figure = style.new_figure(PAGE, 0.55 * PAGE)
    axes = np.atleast_1d(figure.subplots(1, len(paths)))
    meshes = {name: cells.read_cell(path) for name, path in paths.items()}
    words = files.cells()
    for ax, letter, (name, levels) in zip(axes, letters(len(paths)), meshes.items(), strict=True):
        cells.fill_cell(ax, levels[0])
        cells.draw_elements(ax, levels[0])
        cells.draw_box(ax)
        cells.unit_axes(ax)
        ax.set(xlabel="$y_1$ (units of the cell)", ylabel="$y_2$ (units of the cell)")
        sizes = [cells.size_text(levels[0]), cells.size_text(levels[-1])]
        style.panel_title(
            ax, letter, f"{words[name]}\ncoarsest (drawn): {sizes[0]}\nfinest: {sizes[1]}"
        )
    return Drawing(figure, _mesh_sizes(meshes))


def draw_against_b(
    files: FigureFiles, remark: tuple[float, float] = (0.04, 0.06), height: float = 0.42
) -> Drawing:
    """Signals against b; panels are the studies and their times between the pulses.

    ``remark`` is where a remark on instability begins, in fractions of the panels; ``height`` that
    of the figure over its width.
    """
    panels = read_panels(files.files["signals"], "b", over=["Delta"], cells=files.cells())
    words = words_of(panels, ["Delta"])
    panels = panels.assign(unstable=instability(panels.validity))
    figure, axes = panel_axes(panels, columns=2, height=height, share="both")
    drawn = [
        draw_models(ax, panel, S_PER_MS * panel.b.values, "signal_real", "numerical_error", LABELS)
        for ax, panel in zip(axes, each_panel(panels), strict=True)
    ]
    low, high = _sound_range(panels)
    axes[0].set(yscale="log", ylim=(low, high))
    # The axes share their limits, and labels need the final ones.
    for ax, panel, title, labels in zip(axes, each_panel(panels), words.titles, drawn, strict=True):
        style.panel_title(ax, str(panel.panel.values), title)
        ax.set(xlabel=r"$b$ (s/mm$^2$)", ylabel="$S$")
        ax.label_outer()
        explain_hollow(ax, panel, _labels(panel), remark)
        rows = (panel.isel(model=i) for i in range(panel.sizes["model"]))
        inside = [_inside(label, row, high) for label, row in zip(labels, rows, strict=True)]
        style.label_ends(ax, inside)
    style.head(figure, words.shared)
    return Drawing(figure, to_group(panels, ["signal_real", "numerical_error", "unstable"]))


def _sound_range(panels: xarray.Dataset) -> tuple[float, float]:
    """Limits round the signals that mean something: one that blows up would leave no room."""
    sound = panels.signal_real.where((panels.unstable == 0) & (panels.signal_real > 0.0))
    return 0.75 * float(sound.min()), 1.2 * float(sound.max())


def _inside(label: CurveLabel | None, row: xarray.Dataset, high: float) -> CurveLabel | None:
    """The label of a curve that ends above the axes stands where it leaves them, and says so."""
    if label is None or label.y <= high:
        return label
    seen = row.b.values[row.signal_real.values <= high]
    return replace(label, x=S_PER_MS * seen[-1], y=high, text=f"{label.text} (to {label.y:.3g})")


def _draw_inset(ax: Axes, path: str) -> None:
    """Draw the box of a panel where the curves leave room: on the left, at the bottom."""
    inset = ax.inset_axes((0.03, 0.04, 0.3, 0.36))
    cells.fill_cell(inset, cells.read_cell(path)[-1])
    cells.draw_box(inset, width=0.8)
    cells.unit_axes(inset)
    inset.set_axis_off()


def _labels(data: xarray.Dataset) -> dict[str, str]:
    models = map(str, data.model.values)
    return {model: LABELS.get(model, look_of(model).label) for model in models}


def _mesh_sizes(levels: dict[str, tuple[CellMesh, ...]]) -> Group:
    """Sizes of the mesh that is drawn and of the finest one."""
    ends: Sequence[int] = (0, -1)
    counts = [
        [[len(m[i].elements), cells.count_unknowns(m[i])] for i in ends] for m in levels.values()
    ]
    triangles, unknowns = np.moveaxis(np.array(counts, dtype=np.int32), -1, 0)
    dims = ("geometry", "mesh")
    return {
        "geometry": Variable(("geometry",), np.array(list(levels)), "", "box"),
        "mesh": Variable(("mesh",), np.array(["drawn", "finest"]), "", "mesh"),
        "triangles": Variable(dims, triangles, "1", "triangles of each mesh"),
        "unknowns": Variable(dims, unknowns, "1", "degrees of freedom of each mesh"),
    }
