"""The voxel of Coatleven, Haddar and Li 2014: figure 6.1; and others like it.

Titles and remarks follow from the data: a voxel need not have the paper's numbers, nor be smaller
than its box.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.patches import Rectangle

from torrey.base.stored import Group
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.panels import only_table, to_group
from torrey.figures.style import GREY, LEAF, PAGE, S_PER_MS, CurveLabel, styled

#: The paper's box (um), and the discs in it: a smaller one as dense stands in for it and says so.
_PAPER, _DISCS = 1500.0, 20_000
#: What else is the paper's: radii (um), diffusivities, permeability and times of the pulses.
_RADII: Final = (1.0, 5.0)
_NUMBERS: Final = {
    "outside_diffusivity": 3.0,
    "inside_diffusivity": 3.0,
    "permeability": 0.01,
    "delta": 80.0,
    "Delta": 80.0,
}
#: How much the density of a box as dense may differ from the paper's.
_AS_DENSE: Final = 0.01
#: More discs than this are drawn as pixels in the PDF too: a path for each would fill megabytes.
_MANY: Final = 2_000

_CELL: Final = "#9DB8CE"
_REFERENCE: Final = "#000000"
_ALONE: Final = "#0072B2"
#: Model, label, colour, dashes and marker.
_Curve = tuple[str, str, str, str, str]
_CURVES: Final[tuple[_Curve, ...]] = (
    ("lumped_R0", "R0, one class", "#D55E00", "--", "s"),
    ("class_R0", "R0, {classes}", "#A87000", "-.", "^"),
    ("cell_R0", "R0, square cell", "#009E73", ":", "D"),
)


@styled
def fig6_1(files: FigureFiles) -> Drawing:
    """The voxel in its box, its signals by both domains and by R0, and their differences."""
    data = only_table(files, "signals")
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
    squares = [(box, "B")]
    if _has_voxel(data):
        squares.append((window, "V"))
        ax.add_patch(
            Rectangle(
                (-window / 2,) * 2, window, window, fill=False, color=_REFERENCE, linewidth=1.2
            )
        )
    paint = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
    for side, name in squares:
        ax.text(
            -side / 2 + 0.03 * box, side / 2 - 0.03 * box, f"${name}$", bbox=paint,
            horizontalalignment="left", verticalalignment="top",
        )  # fmt: skip
    reach = 0.52 * box
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel=r"$x$ ($\mu$m)", ylabel=r"$y$ ($\mu$m)")
    style.panel_title(ax, "a", f"{len(radius):,} discs in $B$")


def _has_voxel(data: xarray.Dataset) -> bool:
    """Whether signals are of a voxel in the box, by both domains; else they are of the box."""
    return data.sizes["domain"] > 1


def _remark(data: xarray.Dataset) -> str:
    """What the reader must know of the packing."""
    text = "$B$ is taken as periodic. "
    if _has_voxel(data):
        alone = data.isel(domain=-1)
        dropped = int(alone.dropped)
        text = (
            "Both $B$ and $V$ alone are taken as periodic. $V$ alone holds the "
            f"{int(alone.discs) + dropped:,} discs whose centres lie in $V$"
            + (f", less {dropped} that met another one across a face" if dropped else "")
            + ".\n"
        )
    text += f"Discs are {float(data.gap):.2g} $\\mu$m or more apart."
    if not _stands_in(data):
        return text
    return (
        f"{text} A box of {float(data.side[0]):g} $\\mu$m stands in for the paper's of "
        f"{_PAPER:g} $\\mu$m, as dense."
    )


def _stands_in(data: xarray.Dataset) -> bool:
    """Whether all is as in the paper but for a smaller box."""
    box, radius = float(data.side[0]), data.disc_radius.values
    density = len(radius) / box**2 / (_DISCS / _PAPER**2)
    same = [name in data and np.isclose(float(data[name]), x) for name, x in _NUMBERS.items()]
    return (
        box < _PAPER
        and abs(density - 1.0) < _AS_DENSE
        and bool(_RADII[0] <= radius.min() and radius.max() <= _RADII[1])
        and str(data.waveform.values) == "pgse"
        and all(same)
    )


def _pulses(data: xarray.Dataset) -> str:
    """The waveform in words: its kind, unless it is a plain pair of pulses, and their times."""
    kind = str(data.waveform.values)
    words = [] if kind == "pgse" else ["waveform of a file" if kind == "file" else kind]
    if "delta" in data and "Delta" in data:
        delta, Delta = float(data.delta), float(data.Delta)
        if delta == Delta:
            words.append(rf"$\delta = \Delta$ = {delta:g} ms")
        else:
            words += [style.delta_text(delta), style.Delta_text(Delta)]
    return ", ".join(words)


def _curves(data: xarray.Dataset) -> list[_Curve]:
    """`_CURVES` with the number of classes that hold discs of the box."""
    count = int(np.count_nonzero(data.isel(domain=0).class_fraction.values > 0.0))
    classes = f"{count} classes" if count > 1 else "by classes"
    return [
        (name, text.format(classes=classes), color, dashes, marker)
        for name, text, color, dashes, marker in _CURVES
    ]


def _draw_signals(ax: Axes, data: xarray.Dataset) -> None:
    """Signals against b."""
    b = S_PER_MS * data.b.values
    box = data.isel(domain=0)
    labels: list[CurveLabel | None] = []
    for name, text, color, dashes, _ in _curves(data):
        (line,) = ax.plot(b, box[name], color=color, linestyle=dashes)
        labels.append(style.last_point(line, text, color))
    if _has_voxel(data):
        (outer,) = ax.plot(
            b, data.isel(domain=-1).signal_real, marker="o", linestyle="none", color=_ALONE,
            markersize=6.5, markerfacecolor="none", markeredgewidth=0.9,
        )  # fmt: skip
        labels.append(style.last_point(outer, "$V$ alone", _ALONE))
    (inner,) = ax.plot(
        b, box.signal_real, marker="o", linestyle="none", color=_REFERENCE, markersize=2.8
    )
    labels.append(style.last_point(inner, _reference(data), _REFERENCE))
    ax.set(yscale="log", xlabel=r"$b$ (s/mm$^2$)", ylabel="$S$")
    ax.margins(x=0.06)
    style.panel_title(ax, "b", _pulses(data))
    style.label_ends(ax, labels)


def _reference(data: xarray.Dataset) -> str:
    """Whose signal the others are compared with."""
    return "$V$ in $B$" if _has_voxel(data) else "$B$"


def _draw_differences(ax: Axes, data: xarray.Dataset) -> None:
    """What the others differ by from the signal of the voxel in its box, or of the box."""
    b = S_PER_MS * data.b.values
    box = data.isel(domain=0)
    reference = box.signal_real.values
    labels: list[CurveLabel | None] = []
    ax.axhline(0.0, color=GREY, linewidth=LEAF)
    if _has_voxel(data):
        alone = data.isel(domain=-1)
        error = box.numerical_error.values + alone.numerical_error.values
        shown, text, color = alone.signal_real.values, "$V$ alone", _ALONE
    else:
        error = box.numerical_error.values
        shown, text, color = reference, "$B$", _REFERENCE
    bars = ax.errorbar(
        b, shown - reference, error, color=color, marker="o", markersize=3.0, elinewidth=0.8,
        capsize=2.0, linewidth=1.0,
    )  # fmt: skip
    labels.append(style.last_point(bars.lines[0], text, color))
    for name, text, color, dashes, marker in _curves(data):
        (line,) = ax.plot(
            b, box[name].values - reference, color=color, linestyle=dashes, marker=marker,
            markersize=2.6,
        )  # fmt: skip
        labels.append(style.last_point(line, text, color))
    if _has_voxel(data):
        change = data.lumped_R0.values[-1] - data.lumped_R0.values[0]
        (line,) = ax.plot(b, change, color=GREY, linewidth=0.8, linestyle="--")
        labels.append(style.last_point(line, "R0, $V$ less $B$", GREY))
    ax.set(xlabel=r"$b$ (s/mm$^2$)", ylabel=f"$S - S$({_reference(data)})")
    ax.margins(x=0.04)
    style.panel_title(ax, "c", "differences")
    style.label_ends(ax, labels)


def _data(data: xarray.Dataset) -> Group:
    """What is drawn, as variables of the figure's file."""
    names = (
        "b", "domain", "signal_real", "numerical_error", "lumped_R0", "class_R0", "cell_R0",
        "disc_center", "disc_radius", "window", "side", "dropped", "gap", "class_fraction",
        "outside_diffusivity", "inside_diffusivity", "permeability", "waveform", "delta", "Delta",
    )  # fmt: skip
    return to_group(data, [name for name in names if name in data])
