"""Apparent diffusivity and kurtosis at b -> 0 of one's own studies, against an axis of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes

from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.own_axes import (
    COLOUR,
    axis_values,
    colour_texts,
    colours_of,
    cut_axes,
    head,
    look_in,
    model_sample,
    set_x,
)
from torrey.figures.panels import to_group
from torrey.figures.style import PAGE, CurveLabel, draw_model, last_point, look_of, styled
from torrey.figures.words import words_of

_QUANTITIES: Final = {"adc": r"$D$ ($\mu$m$^2$/ms)", "kurtosis": "$K$ (no unit)"}
_TITLES: Final = {"adc": "apparent diffusivity", "kurtosis": "apparent kurtosis"}
_READ: Final = ("adc", "adc_error", "kurtosis", "kurtosis_error")
#: Least part of the largest value that an axis spans: equal values are no matter of rounding.
_LEAST_SPAN: Final = 0.02


@styled
def own_cumulants(files: FigureFiles, settings: Mapping[str, Any]) -> Drawing:
    """Apparent diffusivity and kurtosis: colours for the values of a second axis.

    Parameters
    ----------
    files : FigureFiles
        With ``cumulants`` and ``mesh`` of each study.
    settings : mapping
        Axes by ``x`` and ``colour``; an empty text for no colour.
    """
    x, colour = str(settings["x"]), str(settings[COLOUR])
    data = cut_axes(files.files["cumulants"], settings, _READ, (x,), files.cells()).isel(panel=0)
    figure = style.new_figure(PAGE, 0.44 * PAGE)
    axes = figure.subplots(1, 2)
    for ax, letter, (name, label) in zip(axes, "ab", _QUANTITIES.items(), strict=True):
        set_x(ax, data, x)
        labels = _draw(ax, data, x, colour, name)
        ax.set_ylabel(label)
        _widen(ax, data[name].values)
        style.panel_title(ax, letter, _TITLES[name])
        style.label_ends(ax, labels)
    words = words_of(data.drop_vars(colour) if colour else data)
    said = ", ".join(filter(None, (*words.titles, words.shared)))
    models = [str(model) for model in data.model.values]
    head(figure, said, [model_sample(model) for model in models] if colour else [])
    group = (data if colour else data.squeeze(COLOUR)).drop_vars("panel")
    return Drawing(figure, to_group(group, _READ))


def _draw(
    ax: Axes, data: xarray.Dataset, x: str, colour: str, name: str
) -> list[CurveLabel | None]:
    """Draw one quantity; return the labels of models, or of colours if there are any."""
    shades = colours_of(data, colour) if colour else [""]
    texts = colour_texts(data, colour) if colour else [""]
    labels = []
    for i, (shade, text) in enumerate(zip(shades, texts, strict=True)):
        ends = []
        for model in map(str, data.model.values):
            row, look = data.isel(colour=i).sel(model=model), look_in(model, shade)
            values = (row[name], row[f"{name}_error"])
            line = draw_model(ax, model, axis_values(data, x), *values, look=look)
            ends.append(last_point(line, text or look_of(model).label, look.ink))
        labels += [next(filter(None, ends), None)] if colour else ends
    ax.margins(x=0.03)
    return labels


def _widen(ax: Axes, values: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    """Limits round all values, no closer than a part of them."""
    seen = values[np.isfinite(values)]
    if not len(seen):
        return
    low, high = float(seen.min()), float(seen.max())
    room = max(0.08 * (high - low), 0.5 * _LEAST_SPAN * max(abs(low), abs(high)))
    ax.set_ylim(low - room, high + room)
