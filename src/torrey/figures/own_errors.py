"""Errors of models in one's own studies: against an axis of their sweeps, or over two as maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    draw_within,
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
from torrey.figures.panels import each_panel, hollow_text, labelled, to_group
from torrey.figures.style import CurveLabel, look_of, styled
from torrey.figures.words import words_of
from torrey.gradients.sweep import REFERENCE
from torrey.study.orders import ROUNDING

Array = NDArray[np.float64]

_READ: Final = ("model_error", "model_error_floor", "validity")
_WRITTEN: Final = ("error", "error_floor", "unstable")
ERROR: Final = r"$|S_{\mathrm{model}} - S_{\mathrm{Ref}}|$"
FLOOR: Final = "_floor"
"""Label of the band of the numerical error."""
_FLOOR: Final = "#DADADA"
_MIDDLE: Final[Mapping[str, Any]] = {"ha": "center", "va": "center", "linespacing": 1.4}
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
            np.maximum(data.model_error_floor, ROUNDING), "1", "numerical error of that difference"
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
        style.label_ends(ax, inside(ax, labels))
    outer_labels(axes)
    said = words.shared if len(axes) > 1 else ", ".join(filter(None, (*words.titles, words.shared)))
    said = "\n".join(filter(None, (said, hollow_text(data))))
    samples: list[Line2D | Patch] = []
    if colour:
        samples += [model_sample(str(model)) for model in data.model.values]
    head(figure, said, [*samples, *floor_samples(axes)])
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
            above = row.error > row.error_floor
            seen, unstable = row.error.where(above), above & (row.unstable == 1)
            ends.append(draw_within(ax, look, places, seen, unstable, text=text))
        labels += [next(filter(None, ends), None)] if colour else ends
    ax.margins(x=0.03)
    if not any(labels) and bool((data.error <= data.error_floor).any()):
        style.note(ax, 0.5, 0.5, "all errors are below\nthe numerical error", **_MIDDLE)
    return labels


def floor_samples(axes: Sequence[Axes]) -> list[Patch]:
    """What the band of `draw_floor` means, for the legend of a figure; none where none is seen."""
    for ax in axes:
        for band in ax.collections:
            box = band.get_datalim(ax.transData)
            if band.get_label() == FLOOR and box.width and box.y1 > ax.get_ylim()[0]:
                return [Patch(color=_FLOOR, label="below the numerical error")]
    return []


def draw_floor(ax: Axes, data: xarray.Dataset, x: str) -> None:
    """Draw the numerical error, the largest of all colours, as a band behind the curves."""
    floor = data.error_floor.max(COLOUR).values
    bottom = np.full_like(floor, np.finfo(float).tiny)
    low, high = ax.get_ylim()
    ax.fill_between(
        axis_values(data, x), bottom, floor, color=_FLOOR, linewidth=0.0, zorder=0.5, label=FLOOR
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
        # Marks at zero are whole. The layout fails where nothing at all is not clipped.
        paint: dict[str, Any] = {"color": "#222222", "markersize": 3.0, "clip_on": not len(row)}
        ax.plot(places[0][column], places[1][row], mark, **paint)
    for values, scale in zip(places, (ax.set_xscale, ax.set_yscale), strict=True):
        if spans_decades(values):
            scale("log")
    ax.set(xlim=edges[0][[0, -1]], ylim=edges[1][[0, -1]])
    ax.set(xlabel=label_axis(data, x), ylabel=label_axis(data, y))
    return colours


def _edges(values: Array) -> Array:
    """Places between the values, as they lie on the axis, and one beyond each end.

    None is below zero where no value is.
    """
    on_axis = np.log(values) if spans_decades(values) else values
    between = 0.5 * (on_axis[1:] + on_axis[:-1])
    ends = 2.0 * on_axis[[0, -1]] - between[[0, -1]]
    edges = np.concatenate([ends[:1], between, ends[1:]])
    edges = np.exp(edges) if spans_decades(values) else edges
    return np.asarray(np.maximum(edges, 0.0) if values.min() >= 0.0 else edges)
