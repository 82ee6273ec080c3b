"""Signals of one's own studies against any axis of their sweeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
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
    look_in,
    model_sample,
    outer_labels,
    set_x,
    spans_decades,
    with_instability,
)
from torrey.figures.panels import each_panel, hollow_text, to_group
from torrey.figures.style import CurveLabel, styled
from torrey.figures.words import words_of

Array = NDArray[np.float64]

_READ: Final = ("signal_real", "signal_imag", "numerical_error", "validity")
#: An imaginary part that a reader has to know of, of a signal that is 1 without a gradient.
_SEEN: Final = 1e-3


@styled
def own_signals(files: FigureFiles, settings: Mapping[str, Any]) -> Drawing:
    """Signals against an axis: colours for the values of a second one, panels for a third.

    Parameters
    ----------
    files : FigureFiles
        With ``signals`` and ``mesh`` of each study.
    settings : mapping
        Axes by ``x``, ``colour`` and ``panel``; empty texts for none.
    """
    x, colour, panel = (str(settings[place]) for place in ("x", COLOUR, "panel"))
    data = cut_axes(files.files["signals"], settings, _READ, (x,), files.cells())
    data = with_instability(data)
    figure, axes = figure_of_panels(data.sizes["panel"])
    told = data.drop_vars(colour) if colour else data
    words = words_of(told, [panel] if panel and panel != "cell" else [])
    set_signal_axis(axes[0], data)
    drawn = [
        draw_signals(ax, one, x, colour) for ax, one in zip(axes, each_panel(data), strict=True)
    ]
    for ax, one, title, labels in zip(axes, each_panel(data), words.titles, drawn, strict=True):
        set_x(ax, data, x)
        ax.set_ylabel("$S$" if not is_complex(data) else r"Re $S$")
        if len(axes) > 1:
            style.panel_title(ax, str(one.panel.values), title)
        style.label_ends(ax, inside(ax, labels))
    outer_labels(axes)
    models = [str(model) for model in data.model.values]
    said = words.shared if len(axes) > 1 else ", ".join(filter(None, (*words.titles, words.shared)))
    said = "\n".join(filter(None, (said, hollow_text(data))))
    head(figure, said, [model_sample(model) for model in models] if colour else [])
    group = data if colour else data.squeeze(COLOUR)
    return Drawing(figure, to_group(group, ["signal_real", "numerical_error", "unstable"]))


def is_complex(data: xarray.Dataset) -> bool:
    """Whether some signal that means something has an imaginary part to know of."""
    return bool((np.abs(data.signal_imag.where(data.unstable == 0)) > _SEEN).any())


def set_signal_axis(ax: Axes, data: xarray.Dataset) -> None:
    """Limits that hold every signal that means something, in logarithms where it spans a decade."""
    sound = data.signal_real.where(data.unstable == 0).values
    seen = sound[np.isfinite(sound)]
    if not len(seen):
        ax.set_ylim(0.0, 1.05)
        return
    low, high = float(seen.min()), float(seen.max())
    if spans_decades(seen):
        room = (high / low) ** 0.05
        ax.set(yscale="log", ylim=(low / room, high * room))
    else:
        room = 0.06 * max(high - low, 1e-3 * abs(high), 1e-12)
        ax.set_ylim(low - room, high + room)


def draw_signals(
    ax: Axes, data: xarray.Dataset, x: str, colour: str, joined: bool = True
) -> list[CurveLabel | None]:
    """Draw the curves of a panel, or points that no line joins.

    Returns
    -------
    list of CurveLabel or None
        Of models, or of colours if there are any.
    """
    models = [str(model) for model in data.model.values]
    shades = colours_of(data, colour) if colour else [""]
    texts = colour_texts(data, colour) if colour else [""]
    places = axis_values(data, x)
    labels = []
    for i, (shade, text) in enumerate(zip(shades, texts, strict=True)):
        ends = []
        for model in models:
            row = data.isel(colour=i).sel(model=model)
            look = look_in(model, shade, joined)
            values = (row.signal_real, row.unstable, row.numerical_error)
            ends.append(draw_within(ax, look, places, *values, text))
        # One label says what a colour is; models have samples of their lines.
        labels += [next(filter(None, ends), None)] if colour else ends
    ax.margins(x=0.03)
    return labels
