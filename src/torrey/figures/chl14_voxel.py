"""The voxel of Coatleven, Haddar and Li 2014: figure 6.1."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.patches import Rectangle

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.style import GREY, LEAF, PAGE, S_PER_MS, CurveLabel, styled

#: The paper's box (um); a smaller one stands in for it and says so.
_PAPER: Final = 1500.0
#: More discs than this are drawn as pixels in the PDF too: a path for each would fill megabytes.
_MANY: Final = 2_000

_CELL: Final = "#9DB8CE"
_REFERENCE: Final = "#000000"
_ALONE: Final = "#0072B2"
#: Model, label, colour, dashes and marker.
_CURVES: Final = (
    ("lumped_R0", "R0, one class", "#D55E00", "--", "s"),
    ("class_R0", "R0, 16 classes", "#A87000", "-.", "^"),
    ("cell_R0", "R0, square cell", "#009E73", ":", "D"),
)


@styled
def fig6_1(files: FigureFiles) -> Drawing:
    """The voxel in its box, its signals by both domains and by R0, and their differences."""
    (path,) = files.files["signals"].values()
    with artifacts.open_dataset(path) as data:
        data = data.load()
    figure = style.new_figure(PAGE, 0.44 * PAGE)
    packing, signals, differences = figure.subplots(1, 3, width_ratios=(1.55, 1.0, 1.0))
    _draw_packing(packing, data)
    _draw_signals(signals, data)
    _draw_differences(differences, data)
    height = 0.08
    figure.get_layout_engine().set(rect=(0.0, height, 1.0, 1.0 - height))  # type: ignore[call-arg,union-attr]
    figure.text(0.01, 0.01, _remark(data), fontsize=style.SMALL, color=GREY)
    return Drawing(figure, _data(data))


def _draw_packing(ax: Axes, data: xarray.Dataset) -> None:
    """Discs of the box, and the frames of box and voxel."""
    box, window = float(data.side[0]), float(data.window)
    centre, radius = data.disc_center.values, data.disc_radius.values
    # Those cut by a face come in again at the opposite one.
    shifts = box * np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    places = (centre[:, None] + shifts).reshape(-1, 2)
    width = np.repeat(2 * radius, len(shifts))
    near = np.all(np.abs(places) < box / 2 + width[:, None] / 2, axis=1)
    width = width[near]
    discs = EllipseCollection(
        width, width, np.zeros(len(width)), units="xy", offsets=places[near],
        offset_transform=ax.transData, facecolor=_CELL, edgecolor="none",
        rasterized=len(radius) > _MANY,
    )  # fmt: skip
    ax.add_collection(discs)
    frame = Rectangle((-box / 2, -box / 2), box, box, fill=False, color=GREY, linewidth=0.8)
    ax.add_patch(frame)
    discs.set_clip_path(frame)
    ax.add_patch(
        Rectangle((-window / 2,) * 2, window, window, fill=False, color=_REFERENCE, linewidth=1.2)
    )
    paint = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
    for side, name in ((box, "B"), (window, "V")):
        ax.text(
            -side / 2 + 0.03 * box, side / 2 - 0.03 * box, f"${name}$", bbox=paint,
            horizontalalignment="left", verticalalignment="top",
        )  # fmt: skip
    reach = 0.52 * box
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel=r"$x$ ($\mu$m)", ylabel=r"$y$ ($\mu$m)")
    style.panel_title(ax, "a", f"{len(radius):,} discs in $B$")


def _remark(data: xarray.Dataset) -> str:
    """What the reader must know of the packing."""
    alone = data.isel(domain=-1)
    text = (
        "$B$ and $V$ alone are periodic. $V$ alone holds the "
        f"{int(alone.discs) + int(alone.dropped):,} discs whose centres lie in $V$, less "
        f"{int(alone.dropped)} that met another one across a face.\n"
        f"Discs are {float(data.gap):.2g} $\\mu$m or more apart."
    )
    box = float(data.side[0])
    if box >= _PAPER:
        return text
    return (
        f"{text} A box of {box:g} $\\mu$m stands in for the paper's of {_PAPER:g} $\\mu$m, "
        "as dense; the full one is drawn on request."
    )


def _draw_signals(ax: Axes, data: xarray.Dataset) -> None:
    """Signals against b."""
    b = S_PER_MS * data.b.values
    box, alone = data.isel(domain=0), data.isel(domain=-1)
    labels: list[CurveLabel | None] = []
    for name, text, color, dashes, _ in _CURVES:
        (line,) = ax.plot(b, box[name], color=color, linestyle=dashes)
        labels.append(style.last_point(line, text, color))
    (outer,) = ax.plot(
        b, alone.signal_real, marker="o", linestyle="none", color=_ALONE, markersize=6.5,
        markerfacecolor="none", markeredgewidth=0.9,
    )  # fmt: skip
    (inner,) = ax.plot(
        b, box.signal_real, marker="o", linestyle="none", color=_REFERENCE, markersize=2.8
    )
    labels += [
        style.last_point(inner, "$V$ in $B$", _REFERENCE),
        style.last_point(outer, "$V$ alone", _ALONE),
    ]
    ax.set(yscale="log", xlabel=r"$b$ (s/mm$^2$)", ylabel="$S$")
    ax.margins(x=0.06)
    style.panel_title(ax, "b", r"$\delta = \Delta$ = 80 ms")
    style.label_ends(ax, labels)


def _draw_differences(ax: Axes, data: xarray.Dataset) -> None:
    """What the others differ by from the signal of the voxel in its box."""
    b = S_PER_MS * data.b.values
    box, alone = data.isel(domain=0), data.isel(domain=-1)
    reference = box.signal_real.values
    error = box.numerical_error.values + alone.numerical_error.values
    labels: list[CurveLabel | None] = []
    ax.axhline(0.0, color=GREY, linewidth=LEAF)
    bars = ax.errorbar(
        b, alone.signal_real.values - reference, error, color=_ALONE, marker="o", markersize=3.0,
        elinewidth=0.8, capsize=2.0, linewidth=1.0,
    )  # fmt: skip
    labels.append(style.last_point(bars.lines[0], "$V$ alone", _ALONE))
    for name, text, color, dashes, marker in _CURVES:
        (line,) = ax.plot(
            b, box[name].values - reference, color=color, linestyle=dashes, marker=marker,
            markersize=2.6,
        )  # fmt: skip
        labels.append(style.last_point(line, text, color))
    (line,) = ax.plot(
        b, alone.lumped_R0.values - box.lumped_R0.values, color=GREY, linewidth=0.8, linestyle="--"
    )
    labels.append(style.last_point(line, "R0, $V$ less $B$", GREY))
    ax.set(xlabel=r"$b$ (s/mm$^2$)", ylabel="$S - S$($V$ in $B$)")
    ax.margins(x=0.04)
    style.panel_title(ax, "c", "differences")
    style.label_ends(ax, labels)


def _data(data: xarray.Dataset) -> Group:
    """What is drawn, as variables of the figure's file."""
    names = (
        "b", "domain", "signal_real", "numerical_error", "lumped_R0", "class_R0", "cell_R0",
        "disc_center", "disc_radius", "window", "side", "dropped", "gap",
    )  # fmt: skip
    return {
        name: Variable(
            tuple(map(str, data[name].dims)),
            data[name].values,
            str(data[name].attrs.get("units", "")),
            str(data[name].attrs.get("long_name", name)),
        )
        for name in names
    }
