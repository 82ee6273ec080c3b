"""Orders of convergence of models in one's own studies: errors against the period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.own_axes import (
    COLOUR,
    cut_axes,
    figure_of_panels,
    head,
    inside,
    label_axis,
    outer_labels,
)
from torrey.figures.own_errors import ERROR, draw_floor, floor_samples
from torrey.figures.panels import each_panel, to_group
from torrey.figures.style import CurveLabel, look_of, styled
from torrey.figures.words import words_of
from torrey.study.orders import ROUNDING

_READ: Final = ("error", "error_floor", "order", "order_standard_error", "constant", "used")
_X: Final = "period"
#: Periods that have room for their numbers, if they are evenly spaced.
_MOST_NUMBERS: Final = 6
#: Room for the text of an order beside a panel, in units of a row's usual height.
_HEIGHT: Final = 0.38


@styled
def own_orders(files: FigureFiles, settings: Mapping[str, Any]) -> Drawing:
    """Errors against the period, and the power of the period that is fitted to those of each model.

    Parameters
    ----------
    files : FigureFiles
        With ``convergence`` and ``mesh`` of each study.
    settings : mapping
        ``panel``, an axis or an empty text.
    """
    data = cut_axes(files.files["convergence"], settings, _READ, (_X,), files.cells())
    panel = str(settings["panel"])
    words = words_of(data.squeeze(COLOUR), [panel] if panel else [])
    figure, axes = figure_of_panels(data.sizes["panel"], _HEIGHT)
    axes[0].set(yscale="log", xscale="log", ylim=_limits(data))
    for ax, one, title in zip(axes, each_panel(data), words.titles, strict=True):
        _set_periods(ax, data)
        labels = [_draw(ax, one.squeeze(COLOUR).sel(model=model)) for model in one.model.values]
        draw_floor(ax, one, _X)
        ax.set_ylabel(ERROR)
        if len(axes) > 1:
            style.panel_title(ax, str(one.panel.values), title)
        style.label_ends(ax, inside(ax, labels))
    outer_labels(axes)
    said = words.shared if len(axes) > 1 else ", ".join(filter(None, (*words.titles, words.shared)))
    head(figure, said, [*_samples(), *floor_samples(axes)])
    return Drawing(figure, to_group(data.squeeze(COLOUR), _READ))


def _limits(data: xarray.Dataset) -> tuple[float, float]:
    """Decades around the errors that are above rounding."""
    seen = data.error.values[np.isfinite(data.error.values) & (data.error.values > ROUNDING)]
    if not len(seen):
        return 1e-8, 1.0
    return 10.0 ** np.floor(np.log10(seen.min())), 10.0 ** np.ceil(np.log10(1.001 * seen.max()))


def _set_periods(ax: Axes, data: xarray.Dataset) -> None:
    """Label periods on their axis, those that have room for their numbers."""
    periods = data[_X].values.tolist()
    least = (periods[-1] / periods[0]) ** (1.0 / _MOST_NUMBERS)
    numbers = periods[:1]
    for period in periods[1:]:
        if period >= numbers[-1] * least:
            numbers.append(period)
    ax.set_xticks(numbers, [f"{period:.3g}" for period in numbers])
    ax.set_xticks([], minor=True)
    ax.set_xlabel(label_axis(data, _X))


def _draw(ax: Axes, errors: xarray.Dataset) -> CurveLabel | None:
    """Draw the errors of a model and what is fitted to them; return its label with the order.

    Errors below the axes, which are those of rounding, are at their border.
    """
    model = str(errors.model.values)
    look = look_of(model)
    x, y = errors[_X].values, errors.error.values
    used = errors.used.values == 1
    marks: dict[str, Any] = {"linestyle": "none", "marker": look.marker, "color": look.color}
    (points,) = ax.plot(
        x, np.where(used, y, np.nan), markersize=3.6, markeredgewidth=0.0, label=look.label, **marks
    )
    shown = np.where(np.isfinite(y), np.maximum(y, ax.get_ylim()[0]), np.nan)
    for mark in style.draw_hollow(ax, look, x, shown, ~used & np.isfinite(shown)):
        mark.set_clip_on(False)
    fit = float(errors.constant) * x ** float(errors.order)
    ax.plot(x, fit, color=look.color, linewidth=0.9, zorder=look.zorder - 1, label="_fit")
    ax.margins(x=0.05)
    if not np.isfinite(errors.order):
        points.set_ydata(shown)
        label = style.last_point(points, f"{look.label}: no order", look.ink)
        points.set_ydata(np.where(used, y, np.nan))
        return label
    text = f"{look.label}: {float(errors.order):.2f}"
    if np.isfinite(errors.order_standard_error):
        text += rf" $\pm$ {float(errors.order_standard_error):.2f}"
    return style.last_point(points, text, look.ink)


def _samples() -> list[Line2D]:
    """What marks and lines mean; the numbers beside curves are the orders."""
    grey: dict[str, Any] = {"color": style.GREY, "markersize": 3.6}
    hollow: dict[str, Any] = {"markerfacecolor": "white", "linestyle": "none", "marker": "o"}
    return [
        Line2D([], [], linewidth=0.9, label="fitted power of the period, its order at the right",
               **grey),
        Line2D([], [], label="not in the fit", **hollow, **grey),
    ]  # fmt: skip
