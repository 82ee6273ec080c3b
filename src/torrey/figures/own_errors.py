"""Errors of models in one's own studies: against an axis of their sweeps, or over two as maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.own_axes import (
    COLOUR,
    axis_values,
    colour_texts,
    colours_of,
    cut_axes,
    figure_of_panels,
    head,
    inside,
    label_axis,
    look_in,
    model_sample,
    outer_labels,
    set_x,
    spans_decades,
    with_instability,
)
from torrey.figures.panels import each_panel, explain_hollow, labelled, to_group
from torrey.figures.style import CurveLabel, draw_model, last_point, look_of, styled
from torrey.figures.words import words_of
from torrey.gradients.sweep import REFERENCE

Array = NDArray[np.float64]

#: Rounding of signals: where all of them are 1, their differences are smaller, and mean nothing.
_ROUNDING: Final = 1e-12
_READ: Final = ("model_error", "model_error_floor", "validity")
_WRITTEN: Final = ("error", "error_floor", "unstable")
ERROR: Final = r"$|S_{\mathrm{model}} - S_{\mathrm{Ref}}|$"
_FLOOR: Final = "#DADADA"
_DECADES: Final = (-5, 0)
"""Errors that a map tells apart: powers of ten."""


@styled
def own_errors(files: FigureFiles, settings: Mapping[str, Any]) -> Drawing:
    """Errors of models against the reference, above their numerical error.

    Parameters
    ----------
    files : FigureFiles
        With ``signals`` and ``mesh`` of each study.
    settings : mapping
        Axes by ``x``, ``colour`` and ``panel``, and ``y`` for maps; empty texts for none.
    """
    kept = [str(settings[place]) for place in ("x", "y") if settings[place]]
    data = cut_axes(files.files["signals"], settings, _READ, kept, files.cells())
    data = with_errors(with_instability(data))
    panel = str(settings["panel"])
    if settings["y"]:
        return _maps(data.squeeze(COLOUR), kept[0], kept[1], panel)
    return _curves(data, kept[0], str(settings[COLOUR]), panel)


def with_errors(data: xarray.Dataset) -> xarray.Dataset:
    """Errors and their floor without the reference; infinite where a model has overflowed."""
    data = data.sel(model=[name for name in data.model.values if name != REFERENCE])
    error = np.abs(data.model_error)
    # Files mark an overflow as missing or infinite; so is what another study does not have.
    error = error.where(np.isfinite(error) | (data.unstable == 0), np.inf)
    return data.assign(
        error=labelled(error, "1", "|S_model - S_reference|, both on the coarsest mesh"),
        error_floor=labelled(
            np.maximum(data.model_error_floor, _ROUNDING), "1", "numerical error of that difference"
        ),
    )


# ---- against an axis ----


def _curves(data: xarray.Dataset, x: str, colour: str, panel: str) -> Drawing:
    figure, axes = figure_of_panels(data.sizes["panel"])
    words = words_of(data.drop_vars(colour) if colour else data, [panel] if panel else [])
    axes[0].set(yscale="log", ylim=error_limits(data))
    drawn = []
    for ax, one in zip(axes, each_panel(data), strict=True):
        set_x(ax, data, x)
        drawn.append(draw_errors(ax, one, x, colour))
    for ax, one, title, labels in zip(axes, each_panel(data), words.titles, drawn, strict=True):
        draw_floor(ax, one, x)
        ax.set_ylabel(ERROR)
        if len(axes) > 1:
            style.panel_title(ax, str(one.panel.values), title)
        names = {str(model): look_of(str(model)).label for model in one.model.values}
        explain_hollow(ax, one, names, (0.97, 0.97), va="top", ha="right")
        style.label_ends(ax, inside(ax, labels))
    outer_labels(axes)
    said = words.shared if len(axes) > 1 else ", ".join(filter(None, (*words.titles, words.shared)))
    samples: list[Line2D | Patch] = []
    if colour:
        samples += [model_sample(str(model)) for model in data.model.values]
    samples.append(floor_sample())
    head(figure, said, samples)
    group = data if colour else data.squeeze(COLOUR)
    return Drawing(figure, to_group(group, _WRITTEN))


def error_limits(data: xarray.Dataset) -> tuple[float, float]:
    """From below the smallest error that is drawn to above the largest that means something."""
    drawn = data.error.where(np.isfinite(data.error) & (data.error > data.error_floor))
    sound = drawn.where(data.unstable == 0).values
    seen = sound[np.isfinite(sound)]
    if not len(seen):
        return 1e-8, 1.0
    return 10.0 ** np.floor(np.log10(seen.min())), 10.0 ** np.ceil(np.log10(1.001 * seen.max()))


def draw_errors(
    ax: Axes, data: xarray.Dataset, x: str, colour: str, joined: bool = True
) -> list[CurveLabel | None]:
    """Draw what is above the numerical error; return the labels of models, or of colours."""
    places = axis_values(data, x)
    shades = colours_of(data, colour) if colour else [""]
    texts = colour_texts(data, colour) if colour else [""]
    labels = []
    for i, (shade, text) in enumerate(zip(shades, texts, strict=True)):
        ends = []
        for model in map(str, data.model.values):
            row = data.isel(colour=i).sel(model=model)
            look = look_in(model, shade, joined)
            seen = row.error.where((row.error > row.error_floor) & np.isfinite(row.error))
            line = draw_model(ax, model, places, seen, unstable=row.unstable, look=look)
            ends.append(last_point(line, text or look.label, look.ink))
        labels += [next(filter(None, ends), None)] if colour else ends
    ax.margins(x=0.03)
    return labels


def floor_sample() -> Patch:
    """What the band of `draw_floor` means, for the legend of a figure."""
    return Patch(color=_FLOOR, label="below the numerical error")


def draw_floor(ax: Axes, data: xarray.Dataset, x: str) -> None:
    """Draw the numerical error, the largest of all colours, as a band behind the curves."""
    floor = data.error_floor.max(COLOUR).values
    bottom = np.full_like(floor, np.finfo(float).tiny)
    low, high = ax.get_ylim()
    ax.fill_between(
        axis_values(data, x), bottom, floor, color=_FLOOR, linewidth=0.0, zorder=0.5, label="_floor"
    )
    ax.set_ylim(low, high)


# ---- over two axes ----


def _maps(data: xarray.Dataset, x: str, y: str, panel: str) -> Drawing:
    words = words_of(data, [panel] if panel else [])
    models = [str(model) for model in data.model.values]
    figure, axes = figure_of_panels(data.sizes["panel"] * len(models), height=0.34)
    cuts = [
        (one.sel(model=model), ", ".join(filter(None, (look_of(model).label, title))))
        for one, title in zip(each_panel(data), words.titles, strict=True)
        for model in models
    ]
    for ax, letter, (one, title) in zip(axes, style.letters(len(axes)), cuts, strict=True):
        colours = _draw_map(ax, one, x, y)
        style.panel_title(ax, letter, title)
    outer_labels(axes)
    bar = figure.colorbar(colours, ax=axes, pad=0.015, aspect=30, extend="both")
    bar.set_label(ERROR)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda level, _: rf"$10^{{{level:.0f}}}$"))
    marks: dict[str, Any] = {"linestyle": "none", "color": "#222222"}
    samples = [
        Line2D([], [], marker=".", markersize=4.0, label="below the numerical error", **marks)
    ]
    if bool((data.unstable == 1).any()):
        samples.append(Line2D([], [], marker="x", markersize=4.0, label="unstable", **marks))
    head(figure, words.shared, samples)
    # The letters are those of the maps, one per model.
    return Drawing(figure, to_group(data.drop_vars("panel"), _WRITTEN))


def _draw_map(ax: Axes, data: xarray.Dataset, x: str, y: str) -> QuadMesh:
    """Draw a field around each point of the sweep in the colour of its error."""
    low, high = _DECADES
    table = data.transpose(y, x)
    # No colour promises more than is known.
    error = np.maximum(table.error.values, table.error_floor.values)
    level = np.log10(np.clip(error, 10.0 ** (low - 1), 10.0 ** (high + 1)))
    places = axis_values(data, x), axis_values(data, y)
    edges = [_edges(values) for values in places]
    colours = ax.pcolormesh(*edges, level, cmap="YlOrRd", vmin=low, vmax=high)
    colours.set_rasterized(True)
    for which, mark in (
        (table.error.values <= table.error_floor.values, "."),
        (table.unstable.values == 1, "x"),
    ):
        row, column = np.nonzero(which)
        ax.plot(places[0][column], places[1][row], mark, color="#222222", markersize=3.0)
    for values, scale in zip(places, (ax.set_xscale, ax.set_yscale), strict=True):
        if spans_decades(values):
            scale("log")
    ax.set(xlim=edges[0][[0, -1]], ylim=edges[1][[0, -1]])
    ax.set(xlabel=label_axis(data, x), ylabel=label_axis(data, y))
    return colours


def _edges(values: Array) -> Array:
    """Places between the values, as they lie on the axis, and one beyond each end."""
    on_axis = np.log(values) if spans_decades(values) else values
    between = 0.5 * (on_axis[1:] + on_axis[:-1])
    ends = 2.0 * on_axis[[0, -1]] - between[[0, -1]]
    edges = np.concatenate([ends[:1], between, ends[1:]])
    return np.asarray(np.exp(edges) if spans_decades(values) else edges)
