"""Signals of Coatleven, Haddar and Li 2014: figures 4.1 and 4.2."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray
from matplotlib.axes import Axes

from torrey.base.stored import Group, Variable
from torrey.figures import cells, style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.panels import add_logarithm, each_panel, panel_axes, read_panels, to_group
from torrey.figures.style import PAGE, S_PER_MS, CurveLabel, letters, look_of, styled

LABELS: Final = {"R0": "R0 (ODE)"}
"""The paper's model with exchange is R0, the one of order zero."""


@styled
def fig4_1(files: FigureFiles) -> Drawing:
    """Logarithm of the signals against b for several times between the pulses."""
    panels = add_logarithm(read_panels(files.files["signals"], "b", over=["Delta"]), np.e)
    figure, axes = panel_axes(panels, columns=2, height=0.68, share="both")
    drawn = [draw_signals(ax, panel) for ax, panel in zip(axes, each_panel(panels), strict=True)]
    # The axes share their limits, and labels need the final ones.
    for ax, panel, labels in zip(axes, each_panel(panels), drawn, strict=True):
        style.panel_title(ax, str(panel.panel.values), style.Delta_text(float(panel.Delta)))
        ax.label_outer()
        style.label_ends(ax, labels)
    return Drawing(figure, to_group(panels, ["log_signal", "log_error"]))


@styled
def fig4_2(files: FigureFiles) -> Drawing:
    """Logarithm of the signals against b along two directions, and the cell."""
    signals = read_panels(files.files["signals"], ["b", "direction"]).isel(panel=0)
    signals = add_logarithm(signals, np.e)
    (path,) = files.files["mesh"].values()
    mesh = cells.read_cell(path)[-1]
    count = signals.sizes["direction"]
    figure = style.new_figure(PAGE, 0.36 * PAGE)
    *axes, picture = figure.subplots(1, count + 1)
    for ax in axes[1:]:
        ax.sharey(axes[0])
    rows = [signals.isel(direction=i) for i in range(count)]
    drawn = [draw_signals(ax, row) for ax, row in zip(axes, rows, strict=True)]
    for ax, letter, row, labels in zip(axes, letters(count), rows, drawn, strict=True):
        style.panel_title(ax, letter, direction_text(row.direction_vector.values))
        ax.label_outer()
        style.label_ends(ax, labels)
    cells.fill_cell(picture, mesh)
    cells.draw_box(picture)
    cells.unit_axes(picture)
    picture.set(xlabel="$y_1$ (units of the cell)", ylabel="$y_2$ (units of the cell)")
    style.panel_title(picture, letters(count + 1)[-1], style.period_text(float(signals.period)))
    group = to_group(signals.drop_vars("panel"), ["log_signal", "log_error"])
    return Drawing(figure, {**group, **_membranes(mesh.points[mesh.membrane_outside])})


def draw_signals(ax: Axes, data: xarray.Dataset) -> list[CurveLabel | None]:
    """Draw log S of every model against b and return the labels of the curves."""
    labels = []
    b = S_PER_MS * data.b.values
    for model in map(str, data.model.values):
        row = data.sel(model=model)
        line = style.draw_model(ax, model, b, row.log_signal, row.log_error, row.unstable)
        text = LABELS.get(model, look_of(model).label)
        labels.append(style.last_point(line, text, look_of(model).ink))
    ax.margins(x=0.03)
    ax.set(xlabel=r"$b$ (s/mm$^2$)", ylabel=r"$\log S$ (natural)")
    return labels


def direction_text(vector: np.ndarray) -> str:
    """Write a direction: that of an axis by its name."""
    axis = np.flatnonzero(np.abs(vector) > 1e-12)
    if len(axis) == 1 and vector[axis[0]] > 0:
        return rf"$\mathbf{{n}} = \mathbf{{e}}_{'xyz'[axis[0]]}$"
    return rf"$\mathbf{{n}}$ = ({', '.join(f'{x:.3g}' for x in vector)})"


def _membranes(facets: np.ndarray) -> Group:
    name = "ends and middle of each membrane facet in units of the cell"
    return {"membrane_facet": Variable(("facet", "facet_node", "axis"), facets, "1", name)}
