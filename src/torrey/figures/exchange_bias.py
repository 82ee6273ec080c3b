"""Figure of what models of measured tables find of an exchange time that is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.style import PAGE, CurveLabel, Look, styled

Array = NDArray[np.float64]
Key = tuple[str, float, float, float]

#: One look per set of cells, in every panel; a figure with more begins again.
_LOOKS: Final = (
    Look("#0072B2", "#0072B2", "o", "-", 0.8, 3.6, 3.4),
    Look("#D55E00", "#B84F00", "s", "-", 0.8, 3.4, 3.3),
    Look("#009E73", "#00795A", "^", "-", 0.8, 4.0, 3.2),
    Look("#CC79A7", "#A04E7C", "D", "-", 0.8, 3.2, 3.1),
    Look("#56B4E9", "#2A85BC", "v", "-", 0.8, 4.0, 3.0),
    Look("#E69F00", "#A87000", "P", "-", 0.8, 4.0, 2.9),
)
_IDENTITY: Final = "#B0B0B0"
#: Beyond the true times, as factors, so far the axes go.
_ROOM: Final = 1.6
_FARTHEST: Final = 6.0
_TIMES: Final = ("t_ex", "AXR")
_PANELS: Final = 3

#: Quantities by which sets of cells differ, in words.
_SHAPES: Final = {1: "layers", 2: "cylinders", 3: "spheres"}
_SAID: Final = {
    "shape": ("{}", ""),
    "period": (r"$L$ = {:.3g} $\mu$m", "um"),
    "fraction": (r"$f$ = {:.2f}", "1"),
    "ratio": (r"$D_c/D_e$ = {:.2g}", "1"),
}


@dataclass(frozen=True)
class _Series:
    """Cells of one size and one share of the water inside, by a model."""

    model: str
    shape: str
    period: float
    fraction: float
    ratio: float
    cells: xarray.Dataset

    @property
    def key(self) -> Key:
        """What tells the set from others, in the order of the words for it."""
        return self.shape, self.period, self.fraction, self.ratio

    def say(self, names: Sequence[str]) -> str:
        """Some of the quantities in words."""
        return ", ".join(_SAID[name][0].format(getattr(self, name)) for name in names)


@styled
def exchange_bias(files: FigureFiles) -> Drawing:
    """Fitted against exact exchange times, one panel per model."""
    fits = {name: artifacts.open_dataset(path) for name, path in files.files["fit"].items()}
    series = [one for data in fits.values() for one in _series(data)]
    models = list(dict.fromkeys(one.model for one in series))
    keys = list(dict.fromkeys(one.key for one in series))
    rows = -(-len(models) // _PANELS)
    figure = style.new_figure(PAGE, (0.08 + 0.36 * rows) * PAGE)
    columns = min(len(models), _PANELS)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for ax in axes[len(models) :]:
        ax.remove()
    limits = _limits(series)
    names = _differing(keys)
    for ax, letter, model in zip(axes, style.letters(len(models)), models, strict=False):
        shown = [one for one in series if one.model == model]
        _draw_panel(ax, shown, keys, names, limits)
        style.panel_title(ax, letter, model)
        ax.label_outer()
    _explain(figure, series, keys, names, fits)
    return Drawing(figure, _group(fits))


def _series(data: xarray.Dataset) -> Iterator[_Series]:
    """Sets of cells that differ in their permeability alone, along the exchange time."""
    if "fitted_exchange_time" not in data:
        raise ValueError("the figure shows fits of kind exchange")
    inside = data.diffusivity_inside / data.diffusivity_outside
    columns = [data.dimension, data.period, data.fraction, inside]
    keys = np.round(np.column_stack(columns), 6)
    bound = data.at_bound.sel(parameter=[p for p in _TIMES if p in data.parameter.values]).max(
        "parameter"
    )
    data = data.assign(time_bound=bound)
    for d, period, fraction, ratio in np.unique(keys, axis=0)[np.argsort(_first(keys))].tolist():
        same = (keys == [d, period, fraction, ratio]).all(axis=1)
        cells = data.isel(cell=np.flatnonzero(same)).sortby("exchange_time")
        yield _Series(str(data.model.values), _SHAPES[int(d)], period, fraction, ratio, cells)


def _first(keys: Array) -> NDArray[np.int64]:
    """Where each of the different rows, in ascending order, comes first."""
    return np.unique(keys, axis=0, return_index=True)[1]


def _differing(keys: Sequence[Key]) -> list[str]:
    """Quantities of which the sets of cells have more than one value."""
    return [name for i, name in enumerate(_SAID) if len({key[i] for key in keys}) > 1]


def _limits(series: Sequence[_Series]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of true and of fitted times (ms): all true ones, and most of the fitted ones."""
    true = np.concatenate([one.cells.exchange_time.values for one in series])
    found = np.concatenate([one.cells.fitted_exchange_time.values for one in series])
    low, high = float(true.min()) / _ROOM, float(true.max()) * _ROOM
    within = found[np.isfinite(found) & (found > 0.0)]
    bottom = max(min(low, float(within.min(initial=low)) / _ROOM), low / _FARTHEST)
    top = min(max(high, float(within.max(initial=high)) * _ROOM), high * _FARTHEST)
    return (low, high), (bottom, top)


def _draw_panel(
    ax: Axes,
    series: Sequence[_Series],
    keys: Sequence[Key],
    names: Sequence[str],
    limits: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    (low, high), (bottom, top) = limits
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(bottom, top))
    ax.set(xlabel=r"exact $t_{ex}$ (ms)", ylabel=r"fitted $t_{ex}$ (ms)")
    ends = max(low, bottom), min(high, top)
    ax.plot(ends, ends, color=_IDENTITY, linewidth=0.8, zorder=1.0, label="_identity")
    labels = [_draw_series(ax, one, _look(one, keys), names, keys) for one in series]
    style.label_ends(ax, labels)


def _look(one: _Series, keys: Sequence[Key]) -> Look:
    return _LOOKS[keys.index(one.key) % len(_LOOKS)]


def _draw_series(
    ax: Axes,
    one: _Series,
    look: Look,
    names: Sequence[str],
    keys: Sequence[Key],
) -> CurveLabel | None:
    """Marks with standard errors where there is a value, arrows where it lies beyond the axes."""
    low, high = ax.get_ylim()
    x, y = one.cells.exchange_time.values, one.cells.fitted_exchange_time.values
    error, bound = one.cells.fitted_exchange_time_error.values, one.cells.time_bound.values == 1
    inside = (y >= low) & (y <= high) & ~bound
    ax.plot(x, one.cells.karger_exchange_time, "+", color=style.GREY, ms=3.5, label="_karger")
    ax.errorbar(
        x[inside],
        y[inside],
        # A bar that ends below zero goes on to the edge of the axes.
        np.nan_to_num(np.array([np.minimum(error, y - 0.01 * low), error])[:, inside]),
        fmt=look.marker,
        color=look.color,
        markersize=look.size,
        markeredgewidth=0.0,
        elinewidth=0.8,
        capsize=1.5,
        zorder=look.zorder,
        label="_fit",
    )
    shown = np.where(np.isfinite(y), np.clip(y, low, high), np.nan)
    (line,) = ax.plot(x, shown, color=look.color, linewidth=look.width, zorder=look.zorder)
    paint: dict[str, Any] = {"color": look.color, "linestyle": "none", "clip_on": False}
    beyond = np.isfinite(y) & ~inside
    for chosen, name, face in (
        (beyond & ~bound, "_beyond", look.color),
        (beyond & bound, "_bound", "white"),
    ):
        for i in np.flatnonzero(chosen):
            marker = "^" if y[i] > x[i] else "v"
            place: dict[str, Any] = {"marker": marker, "ms": 4.5, "mfc": face, "label": name}
            ax.plot(x[i], shown[i], zorder=5.0, **place, **paint)
    lost = np.isnan(y)
    if lost.any():
        ax.plot(x[lost], np.full(lost.sum(), low), "x", ms=4.5, label="_lost", zorder=5.0, **paint)
    return style.last_point(line, _words(one, names, keys), look.ink)


def _words(one: _Series, names: Sequence[str], keys: Sequence[Key]) -> str:
    """In what cells differ from the first ones; of these, the period if others differ in it."""
    first = dict(zip(_SAID, keys[0], strict=True))
    other = [name for name in names if getattr(one, name) != first[name]]
    return one.say(other or (["period"] if "period" in names else list(names)[:1]) or ["period"])


def _explain(
    figure: Figure,
    series: Sequence[_Series],
    keys: Sequence[Key],
    names: Sequence[str],
    fits: dict[str, xarray.Dataset],
) -> None:
    first = next(one for one in series if one.key == keys[0])
    text = first.say(list(_SAID))
    if len(keys) > 1:
        text += " unless said"
    snr = {float(data.snr) for data in fits.values()}
    if len(snr) == 1 and np.isfinite(value := snr.pop()):
        text += f"; standard errors at an SNR of {value:g}"
    grey: dict[str, Any] = {"color": style.GREY, "linestyle": "none", "markersize": 4.0}
    entries = [
        Line2D([], [], color=_IDENTITY, linewidth=0.8, label="no bias"),
        Line2D([], [], marker="+", label=r"$1/(\eta_e+\eta_c)$, homogenised", **grey),
    ]
    marks = {line.get_label() for ax in figure.axes for line in ax.lines}
    for name, marker, face, meaning in (
        ("_beyond", "^", style.GREY, "beyond the axes"),
        ("_bound", "^", "white", "at a bound of the fit"),
        ("_lost", "x", style.GREY, "signals do not tell it"),
    ):
        if name in marks:
            entries.append(
                Line2D([], [], marker=marker, markerfacecolor=face, label=meaning, **grey)
            )
    style.head(figure, text, entries)


def _group(fits: dict[str, xarray.Dataset]) -> Group:
    """Variables ``<quantity>_<inversion>``: each inversion has cells of its own."""
    group: dict[str, Variable] = {}
    for name, data in fits.items():
        along = (f"cell_{name}",)
        group[f"model_{name}"] = Variable((), str(data.model.values), "", "model that was fitted")
        for column in (
            "period",
            "permeability",
            "fraction",
            "diffusivity_outside",
            "diffusivity_inside",
            "exchange_time",
            "karger_exchange_time",
            "fitted_exchange_time",
            "fitted_exchange_time_error",
            "exchange_time_bias",
        ):
            values = data[column]
            group[f"{column}_{name}"] = Variable(
                along,
                values.values,
                str(values.attrs["units"]),
                str(values.attrs["long_name"]),
                {"allow_missing": True},
            )
    return group
