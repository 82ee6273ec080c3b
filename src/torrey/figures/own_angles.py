"""Signals of one's own studies against the direction of the gradient.

In the plane they are drawn round a circle; there, every direction n stands for -n too, as the
reversed gradient has the complex conjugate signal. In space they are drawn against the angle
between the gradient, as a line, and the z axis of the cell, which is that of its fibre.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.own_axes import (
    COLOUR,
    colour_texts,
    colours_of,
    cut_axes,
    draw_within,
    figure_of_panels,
    head,
    look_in,
    model_sample,
    outer_labels,
    with_instability,
)
from torrey.figures.own_signals import is_complex, set_signal_axis
from torrey.figures.own_sphere import draw_spheres
from torrey.figures.panels import each_panel, hollow_text, to_group
from torrey.figures.style import PAGE, Look, look_of, styled
from torrey.figures.words import words_of

Array = NDArray[np.float64]

_READ: Final = (
    "signal_real",
    "signal_imag",
    "numerical_error",
    "validity",
    "direction_vector",
    "fibre_angle",
)
_WRITTEN: Final = ("signal_real", "numerical_error", "unstable", "direction_vector")
_X: Final = "direction"
#: Height of a row of circles, in units of the page's width, by their number in a row.
_ROUND: Final = {1: 0.62, 2: 0.48, 3: 0.34}


@styled
def own_angles(files: FigureFiles, settings: Mapping[str, Any]) -> Drawing:
    """Signals against the direction: colours for the values of an axis, panels for another.

    Parameters
    ----------
    files : FigureFiles
        With ``signals`` and ``mesh`` of each study.
    settings : mapping
        Axes by ``colour`` and ``panel``; empty texts for none. With ``sphere``, maps of directions
        in space in the place of colours.
    """
    colour, panel = str(settings[COLOUR]), str(settings["panel"])
    data = cut_axes(files.files["signals"], settings, _READ, (_X,), files.cells())
    data = with_instability(data)
    if settings.get("sphere"):
        what = "Re $S$" if is_complex(data) else "$S$"
        figure = draw_spheres(data.squeeze(COLOUR), panel, what)
        # The letters are those of the maps, one per model.
        return Drawing(figure, to_group(data.squeeze(COLOUR).drop_vars("panel"), _WRITTEN))
    planar = data.sizes["axis"] < 3
    figure, axes = (_circles if planar else figure_of_panels)(data.sizes["panel"])
    words = words_of(data.drop_vars(colour) if colour else data, [panel] if panel else [])
    what = "Re $S$" if is_complex(data) else "$S$"
    step = 0.0
    if planar:
        step = _set_circles(axes, data)
    else:
        _set_angles(axes, data, what)
    for ax, one, title in zip(axes, each_panel(data), words.titles, strict=True):
        (_draw_round if planar else _draw_against_angle)(ax, one, colour)
        if len(axes) > 1:
            style.panel_title(ax, str(one.panel.values), title)
    said = words.shared if len(axes) > 1 else ", ".join(filter(None, (*words.titles, words.shared)))
    if planar:
        said += f"\n{what} by the distance from the centre, a circle every {step:g}"
        said += ", directions as angles from x to y"
    said = "\n".join(filter(None, (said, hollow_text(data))))
    head(figure, said, _samples(data, colour, planar))
    names = [name for name in (*_WRITTEN, "fibre_angle") if name in data]
    return Drawing(figure, to_group(data if colour else data.squeeze(COLOUR), names))


def _circles(count: int) -> tuple[Figure, list[Axes]]:
    columns = 1 if count == 1 else 2 if count <= 4 else 3
    rows = -(-count // columns)
    width = PAGE if count > 1 else 0.62 * PAGE
    figure = style.new_figure(width, (rows * _ROUND[columns] + 0.1) * PAGE)
    grid = figure.add_gridspec(rows, columns)
    axes = [
        figure.add_subplot(grid[i // columns, i % columns], projection="polar")
        for i in range(count)
    ]
    return figure, axes


def _rows(data: xarray.Dataset, colour: str) -> list[tuple[xarray.Dataset, Look]]:
    """What is drawn in a panel: a row for each colour and model, and its look."""
    shades = colours_of(data, colour) if colour else [""]
    models = [str(model) for model in data.model.values]
    return [
        (data.isel(colour=i).sel(model=model), look_in(model, shade))
        for i, shade in enumerate(shades)
        for model in models
    ]


def _draw_round(ax: Axes, data: xarray.Dataset, colour: str) -> None:
    """Draw each direction and the opposite one round the circle."""
    for row, look in _rows(data, colour):
        vector = _vectors(row)
        seen = np.flatnonzero(np.isfinite(row.signal_real.values) & np.isfinite(vector[:, 0]))
        angle = np.arctan2(vector[seen, 1], vector[seen, 0])
        angle = np.mod(np.concatenate([angle, angle + np.pi]), 2.0 * np.pi)
        order = np.argsort(angle)
        order = np.append(order, order[:1])
        twice = np.concatenate([seen, seen])[order]
        turned = np.unwrap(angle[order])
        values = (row.signal_real, row.unstable, row.numerical_error)
        draw_within(ax, look, turned, *(value.values[twice] for value in values))


def _vectors(row: xarray.Dataset) -> Array:
    return np.asarray(row.direction_vector.transpose(_X, "axis").values, dtype=float)


def _set_circles(axes: list[Axes], data: xarray.Dataset) -> float:
    """One radius for all circles, that of the largest signal that means something.

    Numbers beside circles would lie on curves: return the distance of the circles.
    """
    sound = data.signal_real.where(data.unstable == 0).values
    sound = sound[np.isfinite(sound)]
    most = 1.05 * float(sound.max()) if len(sound) and sound.max() > 0.0 else 1.0
    ticks = np.asarray(MaxNLocator(3).tick_values(0.0, most))
    for ax in axes:
        ax.set_ylim(min(0.0, float(sound.min()) if len(sound) else 0.0), most)
        ax.set_yticks([float(tick) for tick in ticks if tick <= most], [])
        ax.grid(color="#D8D8D8", linewidth=style.LEAF)
        ax.spines[:].set(color="#B0B0B0")
    return float(ticks[1] - ticks[0])


def _set_angles(axes: list[Axes], data: xarray.Dataset, what: str) -> None:
    set_signal_axis(axes[0], data)
    for ax in axes:
        ax.set(xlim=(-3.0, 93.0), xticks=[0, 30, 60, 90])
        ax.set(ylabel=what, xlabel="angle to the z axis of the cell (degree)")
    outer_labels(axes)


def _draw_against_angle(ax: Axes, data: xarray.Dataset, colour: str) -> None:
    """Draw marks: directions of one angle to the fibre may have different signals."""
    for row, look in _rows(data, colour):
        marks = replace(look, linestyle="none", marker=look.marker, size=max(look.size, 2.6))
        values = (row.signal_real, row.unstable, row.numerical_error)
        draw_within(ax, marks, row.fibre_angle.values, *values)


def _samples(data: xarray.Dataset, colour: str, joined: bool) -> list[Line2D]:
    """Samples of models, and of colours where these are values of an axis."""
    models = [str(model) for model in data.model.values]

    def sample(model: str) -> Line2D:
        look = look_of(model)
        line = look.linestyle if joined else "none"
        shown: dict[str, Any] = {"linestyle": line, "color": look.color, "markeredgewidth": 0.0}
        return Line2D([], [], marker=look.marker, markersize=look.size, label=look.label, **shown)

    if not colour:
        return [sample(model) for model in models]
    shades = zip(colours_of(data, colour), colour_texts(data, colour), strict=True)
    values = [Line2D([], [], color=shade, linewidth=2.0, label=text) for shade, text in shades]
    greys = [model_sample(model) for model in models]
    if not joined:
        for grey, model in zip(greys, models, strict=True):
            grey.set(linestyle="none", marker=look_of(model).marker, markersize=2.8)
    return [*greys, *values]
