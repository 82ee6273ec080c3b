"""Where the model of order two of Kchaou, Haddar and Moakher 2019 holds (section 4)."""

from __future__ import annotations

from itertools import cycle
from typing import Any, Final, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.style import PAGE, S_PER_MS, CurveLabel, styled
from torrey.gradients.sweep import PermeabilityKind
from torrey.gradients.waveforms import Pgse
from torrey.models.kurtosis import CONFINED, second_order_limits

Array = NDArray[np.float64]

#: Of Okabe and Ito, one per box.
_COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_PERIODS: Final = np.geomspace(1.0, 20.0, 41)
_SIGNALS: Final[dict[str, Any]] = {"color": "#BBBBBB", "linewidth": 3.0, "zorder": 1.0}


@styled
def domain(files: FigureFiles) -> Drawing:
    """Largest b with K > 0, and without growth, against the period; one panel per Delta.

    Raises
    ------
    ValueError
        If gradients are not two pulses along one direction, the studies differ in delta, or water
        of a study is confined or leaves its compartment.
    """
    tables = {name: artifacts.read(path) for name, path in files.files["signals"].items()}
    delta, Deltas = _times(tables)
    words = files.cells()
    limits = np.empty((len(tables), len(Deltas), 2))
    for i, (name, table) in enumerate(tables.items()):
        _check_closed(name, table)
        D, B = _along(files.files["tensors"][name], table["direction_vector"][0])
        if np.any(D <= CONFINED):
            raise ValueError(f"study {name}: the limits are of water that is not confined")
        for j, Delta in enumerate(Deltas):
            # Of several compartments the first that leaves the domain decides.
            found = second_order_limits(D, B, Pgse(delta, Delta))
            limits[i, j] = [values.min() for values in found]
    figure = style.new_figure(PAGE, 0.46 * PAGE)
    axes = figure.subplots(1, len(Deltas), sharey=True, squeeze=False)[0]
    for j, (ax, letter) in enumerate(zip(axes, style.letters(len(axes)), strict=True)):
        lines = _draw(ax, limits[:, j], list(words.values()) or list(tables))
        for table in tables.values():
            if Deltas[j] in table["Delta"]:
                _draw_signals(ax, table)
        style.panel_title(ax, letter, style.Delta_text(Deltas[j]))
    axes[0].set_ylabel(r"$b$ (s/mm$^2$)")
    style.label_ends(axes[-1], [_label(line) for line in lines], gap=2.6)
    _explain(figure)
    return Drawing(figure, _group(list(tables), list(words.values()), delta, Deltas, limits))


def _times(tables: dict[str, dict[str, NDArray[Any]]]) -> tuple[float, list[float]]:
    """The pulses' one duration, and all times between them (ms)."""
    for name, table in tables.items():
        if not {"delta", "Delta"} <= set(table) or len(table["direction_vector"]) != 1:
            raise ValueError(f"study {name}: the figure needs two pulses along one direction")
    deltas = {float(x) for table in tables.values() for x in table["delta"]}
    if len(deltas) > 1:
        raise ValueError(f"studies {', '.join(tables)}: several delta, the figure shows one")
    return deltas.pop(), sorted({float(x) for table in tables.values() for x in table["Delta"]})


def _check_closed(name: str, table: dict[str, NDArray[Any]]) -> None:
    """Refuse a study whose water passes membranes or vanishes at surfaces."""
    for kind in get_args(PermeabilityKind):
        if np.any(table.get(kind, 0.0)):
            raise ValueError(f"study {name}: {kind} above zero, the limits hold without exchange")


def _along(path: str, n: Array) -> tuple[Array, Array]:
    """D:nn and B::nnnn of each compartment."""
    data = artifacts.read(path)
    n = n[: data["D"].shape[-1]]
    D = np.einsum("aij,i,j->a", data["D"], n, n)
    return D, np.einsum("aijkl,i,j,k,l->a", data["B"], n, n, n, n)


def _draw(ax: Axes, limits: Array, names: list[str]) -> list[Line2D]:
    """Draw the limits of all boxes; return the lines K = 0."""
    ax.set(xscale="log", yscale="log", xlabel=r"$L$ ($\mu$m)", ylim=(2e2, 1e6))
    ax.set_xlim(_PERIODS[0], _PERIODS[-1])
    ax.set_xticks([1, 2, 5, 10, 20], labels=["1", "2", "5", "10", "20"])
    ax.set_xticks([], minor=True)
    lines = []
    for (positive, dissipative), color, name in zip(limits, cycle(_COLORS), names, strict=False):
        (line,) = ax.plot(
            _PERIODS, S_PER_MS * positive / _PERIODS**2, color=color, linewidth=1.2, label=name
        )
        growth = S_PER_MS * dissipative / _PERIODS**2
        ax.plot(_PERIODS, growth, color=color, linestyle="--", linewidth=0.9, label="_growth")
        lines.append(line)
    return lines


def _label(line: Line2D) -> CurveLabel | None:
    """What a box is, in two lines of text."""
    name = str(line.get_label())
    words, _, last = name.rpartition(", ")
    return style.last_point(line, f"{words},\n{last}" if words else name, str(line.get_color()))


def _draw_signals(ax: Axes, table: dict[str, NDArray[Any]]) -> None:
    """Draw where a study's signals lie: along L, along b, or in a rectangle of both."""
    L, b = np.atleast_1d(table["period"]), S_PER_MS * np.atleast_1d(table["b"])
    left, right, top = L.min(), L.max(), b.max()
    low = max(b.min(), ax.get_ylim()[0])
    x, y = [left, right, right, left, left], [low, low, top, top, low]
    # A single point is no line.
    mark = "o" if (left, low) == (right, top) else "none"
    ax.fill(x, y, color=_SIGNALS["color"], alpha=0.3, linewidth=0.0, zorder=_SIGNALS["zorder"])
    ax.plot(x, y, label="_signals", marker=mark, markersize=4.0, **_SIGNALS)


def _explain(figure: Any) -> None:
    grey: dict[str, Any] = {"color": style.GREY}
    entries = [
        Line2D([], [], **grey, label=r"$K = 0$: below, $K > 0$"),
        Line2D([], [], **grey, linestyle="--", label="above: a state grows"),
        Line2D([], [], **_SIGNALS, label="signals of the studies"),
    ]
    figure.legend(handles=entries, loc="outside upper center", ncols=len(entries))


def _group(
    studies: list[str], words: list[str], delta: float, Deltas: list[float], limits: Array
) -> Group:
    dims = ("study", "Delta")
    names = {"positive": "largest b L^2 with K > 0", "dissipative": "largest b L^2 without growth"}
    group = {
        "study": Variable(("study",), np.array(studies), "", "study"),
        "cell": Variable(("study",), np.array(words or studies), "", "cell"),
        "delta": Variable((), np.array(delta), "ms", "duration of a pulse"),
        "Delta": Variable(("Delta",), np.array(Deltas), "ms", "time between the pulses"),
    }
    for i, (name, long_name) in enumerate(names.items()):
        # Infinite where the Burnett coefficient is zero.
        values = limits[..., i]
        group[name] = Variable(dims, values, "ms", long_name, {"allow_missing": True})
    return group
