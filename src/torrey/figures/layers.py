"""Layers that become membranes: a continuous field in a thin layer, and the jump of a membrane."""

from __future__ import annotations

from itertools import cycle
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.figures import cells, style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.style import PAGE, new_figure, styled

Array = NDArray[np.float64]

_COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_ORDER: Final = 1


@styled
def layer_limit(files: FigureFiles) -> Drawing:
    """Difference between the signals with layers and with a membrane against the thickness.

    The first study has the membrane; the others have layers around the same circle, of the
    diffusivity kappa L thickness.
    """
    membrane, *layered = files.files["signals"]
    sharp, sharp_error, Delta = _signals(files.files["signals"][membrane])
    values = [_signals(files.files["signals"][name]) for name in layered]
    thickness = np.array(
        [float(artifacts.read(files.files["mesh"][name])["layer"]) for name in layered]
    )
    difference = np.abs(np.array([signal for signal, _, _ in values]) - sharp)
    error = np.array([error for _, error, _ in values]) + sharp_error
    orders = np.diff(np.log(difference), axis=0) / np.diff(np.log(thickness))[:, None]

    figure = new_figure(PAGE, 0.46 * PAGE)
    picture, ax = figure.subplots(1, 2, width_ratios=(1.0, 1.5))
    _draw_cell(picture, files, layered[0], membrane)
    labels = []
    for column, color in zip(range(len(Delta)), cycle(_COLORS), strict=False):
        bars = ax.errorbar(
            thickness, difference[:, column], error[:, column], color=color, marker="o", ms=4
        )
        text = f"$\\Delta$ = {Delta[column]:g} ms, order {orders[-1, column]:.2f}"
        labels.append(style.last_point(bars.lines[0], text, color))
    guide = difference.min() * 0.6 * (thickness / thickness.min()) ** _ORDER
    ax.plot(thickness, guide, color=style.GREY, lw=0.8, ls="--")
    style.note(ax, 0.05, 0.05, "dashed: order 1")
    ax.set(xscale="log", yscale="log", xlabel="thickness of the layer (units of the cell)")
    ax.set_xticks(thickness, [f"{t:g}" for t in thickness])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{1e3 * value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylabel(r"$10^3\,|S_{\mathrm{layer}} - S_{\mathrm{membrane}}|$")
    ax.invert_xaxis()
    style.panel_title(ax, "b", r"$D_{\mathrm{layer}} = \kappa\,L \times$ thickness")
    style.label_ends(ax, labels)
    return Drawing(figure, _data(layered, thickness, Delta, difference, error, orders))


def _signals(path: str) -> tuple[Array, Array, Array]:
    """Reference signals, their numerical errors and the times between the pulses."""
    data = artifacts.read(path)
    row = list(data["model"]).index("reference")
    return data["signal_real"][row].ravel(), data["numerical_error"][row].ravel(), data["Delta"]


def _draw_cell(ax: Axes, files: FigureFiles, layered: str, membrane: str) -> None:
    """The thickest layer, and the membrane in its middle."""
    cells.fill_cell(ax, cells.read_cell(files.files["mesh"][layered])[-1])
    outline = cells.read_cell(files.files["mesh"][membrane])[-1]
    cells.draw_membranes(ax, outline)
    cells.draw_box(ax)
    cells.unit_axes(ax)
    ax.set(xlabel="$y_1$ (units of the cell)", ylabel="$y_2$ (units of the cell)")
    style.panel_title(ax, "a", "thickest layer, membrane")


def _data(
    names: list[str],
    thickness: Array,
    Delta: Array,
    difference: Array,
    error: Array,
    orders: Array,
) -> Group:
    dims = ("study", "Delta")
    return {
        "study": Variable(("study",), np.array(names), "", "study with a layer"),
        "thickness": Variable(("study",), thickness, "1", "thickness in units of the cell"),
        "Delta": Variable(("Delta",), Delta, "ms", "time between the pulses"),
        "difference": Variable(dims, difference, "1", "|S_layer - S_membrane|"),
        "numerical_error": Variable(dims, error, "1", "numerical error of the difference"),
        "order": Variable(
            ("pair", "Delta"), orders, "1", "order in the thickness between neighbouring studies"
        ),
    }
