"""Signals of Coatleven, Haddar and Li 2014: figures 4.1 and 4.2."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray
from matplotlib.axes import Axes

from torrey.base.stored import Group, Variable
from torrey.figures import cells, style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.panels import (
    add_logarithm,
    draw_models,
    each_panel,
    panel_axes,
    read_panels,
    to_group,
)
from torrey.figures.style import PAGE, S_PER_MS, CurveLabel, letters, styled
from torrey.figures.words import words_of

LABELS: Final = {"R0": "R0 (ODE)"}
"""The paper's model with exchange is R0, the one of order zero."""


@styled
def fig4_1(files: FigureFiles) -> Drawing:
    """Logarithm of the signals against b for several times between the pulses."""
    cut = read_panels(files.files["signals"], "b", over=["Delta"], cells=files.cells())
    panels = add_logarithm(cut, np.e)
    words = words_of(panels, ["Delta"])
    figure, axes = panel_axes(panels, columns=2, height=0.68, share="both")
    drawn = [draw_signals(ax, panel) for ax, panel in zip(axes, each_panel(panels), strict=True)]
    # The axes share their limits, and labels need the final ones.
    for ax, letter, title, labels in zip(
        axes, letters(len(axes)), words.titles, drawn, strict=True
    ):
        style.panel_title(ax, letter, title)
        ax.label_outer()
        style.label_ends(ax, labels)
    style.head(figure, words.shared)
    return Drawing(figure, to_group(panels, ["log_signal", "log_error"]))


@styled
def fig4_2(files: FigureFiles) -> Drawing:
    """Logarithm of the signals against b along two directions, and the cell."""
    cut = read_panels(files.files["signals"], ["b", "direction"], cells=files.cells())
    signals = add_logarithm(cut.isel(panel=0), np.e)
    (path,) = files.files["mesh"].values()
    mesh = cells.read_cell(path)[-1]
    count = signals.sizes["direction"]
    figure = style.new_figure(PAGE, 0.36 * PAGE)
    *axes, picture = figure.subplots(1, count + 1)
    for ax in axes[1:]:
        ax.sharey(axes[0])
    rows = [signals.isel(direction=i) for i in range(count)]
    drawn = [draw_signals(ax, row) for ax, row in zip(axes, rows, strict=True)]
    titles = [style.direction_text(vector) for vector in signals.direction_vector.values]
    for ax, letter, title, labels in zip(axes, letters(count), titles, drawn, strict=True):
        style.panel_title(ax, letter, title)
        ax.label_outer()
        style.label_ends(ax, labels)
    cells.fill_cell(picture, mesh)
    cells.draw_box(picture)
    cells.unit_axes(picture)
    picture.set(xlabel="$y_1$ (units of the cell)", ylabel="$y_2$ (units of the cell)")
    style.panel_title(picture, letters(count + 1)[-1], "the cell")
    style.head(figure, words_of(signals).shared)
    group = to_group(signals.drop_vars("panel"), ["log_signal", "log_error"])
    return Drawing(figure, {**group, **_membranes(mesh.points[mesh.membrane_outside])})


def draw_signals(ax: Axes, data: xarray.Dataset) -> list[CurveLabel | None]:
    """Draw log S of every model against b and return the labels of the curves."""
    b = S_PER_MS * data.b.values
    labels = draw_models(ax, data, b, "log_signal", "log_error", LABELS)
    ax.set(xlabel=r"$b$ (s/mm$^2$)", ylabel=r"$\log S$ (natural)")
    return labels


def _membranes(facets: np.ndarray) -> Group:
    name = "ends and middle of each membrane facet in units of the cell"
    return {"membrane_facet": Variable(("facet", "facet_node", "axis"), facets, "1", name)}
