"""Signals of one's own studies on the sphere of directions, by Mollweide's projection.

Every direction n stands for -n too, as the reversed gradient has the complex conjugate signal.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from torrey.figures import style
from torrey.figures.own_axes import head
from torrey.figures.panels import each_panel
from torrey.figures.style import PAGE, look_of
from torrey.figures.words import words_of

#: Height of a row of maps and of what stands above them, in units of the page's width, by columns.
_ROW: Final = {1: 0.36, 2: 0.27, 3: 0.19}
_HEAD: Final = 0.12
_UNSTABLE: Final[dict[str, Any]] = {"linestyle": "none", "marker": "x", "color": "#222222"}


def draw_spheres(data: xarray.Dataset, panel: str, what: str) -> Figure:
    """Draw a map for each model in each panel.

    Parameters
    ----------
    data : Dataset
        With ``signal_real``, ``unstable`` and ``direction_vector`` over ``panel``, ``model`` and
        ``direction``.
    panel : str
        Axis of the panels, or an empty text.
    what : str
        Text of the signal.
    """
    models = [str(model) for model in data.model.values]
    words = words_of(data, [panel] if panel else [])
    cuts = [
        (one.sel(model=model), ", ".join(filter(None, (look_of(model).label, title))))
        for one, title in zip(each_panel(data), words.titles, strict=True)
        for model in models
    ]
    columns = 1 if len(cuts) == 1 else 2 if len(cuts) <= 4 else 3
    rows = -(-len(cuts) // columns)
    figure = style.new_figure(PAGE, (rows * _ROW[columns] + _HEAD) * PAGE)
    grid = figure.add_gridspec(rows, columns)
    sound = data.signal_real.where(data.unstable == 0)
    limits = float(sound.min()), float(sound.max())
    axes = []
    for i, (letter, (one, title)) in enumerate(zip(style.letters(len(cuts)), cuts, strict=True)):
        ax = figure.add_subplot(grid[i // columns, i % columns], projection="mollweide")
        points = _draw(ax, one, limits)
        style.panel_title(ax, letter, title)
        axes.append(ax)
    bar = figure.colorbar(points, ax=axes, shrink=0.8, aspect=24, pad=0.02)
    bar.set_label(what)
    samples = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="+",
            color=style.GREY,
            label="poles: z and \N{MINUS SIGN}z",
        )
    ]
    if bool((data.unstable == 1).any()):
        samples.append(Line2D([], [], markersize=4.0, label="unstable", **_UNSTABLE))
    said = f"{words.shared}\nthe x axis of the cell in the middle, y on its right, z above"
    head(figure, said, samples)
    return figure


def _draw(ax: Axes, data: xarray.Dataset, limits: tuple[float, float]) -> PathCollection:
    """Draw each direction and the opposite one in the colour of its signal."""
    vector = data.direction_vector.transpose("direction", "axis").values
    both = np.concatenate([vector, -vector])
    longitude = np.arctan2(both[:, 1], both[:, 0])
    latitude = np.arcsin(np.clip(both[:, 2], -1.0, 1.0))
    signal = np.tile(data.signal_real.values, 2)
    unstable = np.tile(data.unstable.values == 1, 2)
    size = float(np.clip(2400.0 / len(both), 8.0, 60.0))
    sound = np.isfinite(signal) & ~unstable
    points = ax.scatter(
        longitude[sound],
        latitude[sound],
        size,
        signal[sound],
        cmap="viridis",
        vmin=limits[0],
        vmax=limits[1],
        linewidths=0.0,
        zorder=3.0,
    )
    ax.plot(longitude[unstable], latitude[unstable], markersize=4.0, **_UNSTABLE)
    poles = np.array([0.5, -0.5]) * np.pi
    ax.plot([0.0, 0.0], poles, "+", color=style.GREY, clip_on=False, zorder=4.0)
    ax.grid(color="#D8D8D8", linewidth=style.LEAF)
    ax.set_xticks(np.radians([-90.0, 0.0, 90.0]), [])
    ax.set_yticks(np.radians([-45.0, 0.0, 45.0]), [])
    ax.spines[:].set(color="#B0B0B0")
    return points
