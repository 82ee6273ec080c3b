"""Figures of the project's own: how exact the models are, and where each may be trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.cell.material import Material
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.fitted_times import bias_group, draw_bias, explained_bias, read_bias
from torrey.figures.panels import (
    each_panel,
    instability,
    labelled,
    panel_axes,
    read_panels,
    to_group,
)
from torrey.figures.style import PAGE, SMALL, CurveLabel, Look, styled
from torrey.figures.words import words_of
from torrey.gradients.sweep import REFERENCE

Array = NDArray[np.float64]

_FLOOR: Final = "#DADADA"
_ERROR: Final = r"$|S_{\mathrm{model}} - S_{\mathrm{Ref}}|$"
_UNSTABLE: Final = "unstable in a part of the waveform"

# ---- errors of the series and of the projected models ----

# Two families, told apart by colour and by line; within one, higher orders are darker.
_SERIES: Final = {
    "R0": Look("#E69F00", "#A87000", "s", "--"),
    "R2": Look("#D55E00", "#B84F00", "D", "--", size=2.8),
    "R4": Look("#7F2704", "#7F2704", "^", "--"),
}
_PROJECTED: Final = {
    "P1": Look("#9CCBEA", "#4F97C4", "o", "-", zorder=4.0),
    "P2": Look("#56B4E9", "#2A85BC", "v", "-", zorder=4.1),
    "P3": Look("#0072B2", "#0072B2", "p", "-", zorder=4.2),
    "P4": Look("#08488A", "#08488A", "h", "-", zorder=4.3),
    "P5": Look("#041C44", "#041C44", "o", "-", zorder=4.4),
}
_LOOKS: Final = {**_SERIES, **_PROJECTED}

#: Swept quantity of each panel: label of its axis, and its unit there in the files' unit.
_SWEPT: Final = {
    "period": (r"$L$ ($\mu$m)", 1.0),
    "permeability": (r"$\kappa$ (m/s)", 1e-3),
    "b": (r"$b$ (s/mm$^2$)", 1e3),
}


@styled
def projected_vs_order(files: FigureFiles) -> Drawing:
    """Errors of truncated series and projected models against period, permeability and b."""
    signals = files.files["signals"]
    if len(signals) != len(_SWEPT):
        raise ValueError(f"{len(signals)} studies, accepted: one over each of {', '.join(_SWEPT)}")
    errors = {
        name: _read_errors({study: path}, name, files.cells())
        for name, (study, path) in zip(_SWEPT, signals.items(), strict=True)
    }
    figure = style.new_figure(PAGE, 0.47 * PAGE)
    axes = figure.subplots(1, len(errors), sharey=True)
    axes[0].set(yscale="log", ylim=_error_limits(errors), ylabel=_ERROR)
    for ax, letter, (name, data) in zip(axes, "abc", errors.items(), strict=True):
        labels = _draw_errors(ax, data, name)
        style.panel_title(ax, letter, _fixed(data))
        style.label_ends(ax, labels)
    _explain_families(figure, errors)
    return Drawing(figure, _error_group(errors))


def _read_errors(files: dict[str, str], swept: str, cells: Mapping[str, str]) -> xarray.Dataset:
    panel = read_panels(files, swept, cells=cells).isel(panel=0)
    return _with_errors(panel).drop_vars("direction_vector")


def _with_errors(panels: xarray.Dataset) -> xarray.Dataset:
    """Errors of the models and their floor; an error is infinite where a model has overflowed."""
    models = panels.sel(model=[name for name in panels.model.values if name != REFERENCE])
    # Files mark an overflow as missing or infinite.
    error = np.abs(models.model_error).fillna(np.inf)
    floor = panels.model_error_floor
    return models.assign(
        error=labelled(error, "1", "|S_model - S_reference|, both on the coarsest mesh"),
        error_floor=labelled(floor, "1", "numerical error of that difference"),
        unstable=instability(models.validity),
    )


def _error_limits(errors: dict[str, xarray.Dataset]) -> tuple[float, float]:
    """From below the smallest error that is drawn up to 1."""
    drawn = [
        float(data.error.where(data.error > data.error_floor).min()) for data in errors.values()
    ]
    low = np.floor(np.log10(np.nanmin(drawn))) if np.isfinite(drawn).any() else -8.0
    return 10.0 ** float(min(low, -2.0)), 1.0


def _draw_errors(ax: Axes, data: xarray.Dataset, swept: str) -> list[CurveLabel | None]:
    """Draw one curve per model over the band of the numerical error; return the labels."""
    text, unit = _SWEPT[swept]
    x, floor = unit * data[swept].values, data.error_floor.values
    ax.set(xscale="log", xlabel=text)
    ax.xaxis.set_minor_formatter(NullFormatter())
    if swept == "period":
        _plain_ticks(ax.xaxis, x.min(), x.max())
    ax.margins(x=0.04)
    labels = []
    for model in map(str, data.model.values):
        row = data.sel(model=model)
        labels.append(_draw_curve(ax, _look(model), x, row, floor))
    _draw_floor(ax, x, floor)
    hidden = [
        str(model) for model, label in zip(data.model.values, labels, strict=True) if not label
    ]
    if hidden:
        place = {"ha": "left", "va": "bottom", "zorder": 7.0}
        style.note(ax, 0.03, 0.015, f"below: {', '.join(hidden)}", **place)
    return labels


def _plain_ticks(axis: Axis, low: float, high: float) -> None:
    """Label a logarithmic axis with 1, 2, 5, 10, ... instead of powers of ten."""
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    ticks = np.outer(decades, [1.0, 2.0, 5.0]).ravel()
    # Limits that were computed may miss a number by rounding.
    inside = (ticks >= low * (1 - 1e-9)) & (ticks <= high * (1 + 1e-9))
    axis.set_major_locator(FixedLocator(list(ticks[inside])))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _look(model: str) -> Look:
    return style.look_of(model, _LOOKS)


def _draw_curve(
    ax: Axes, look: Look, x: Array, row: xarray.Dataset, floor: Array
) -> CurveLabel | None:
    """Draw the errors of a model: marks above the numerical error, a line that ends in it."""
    top = ax.get_ylim()[1]
    # An infinite error leaves the axes as steeply as a large one.
    error = np.minimum(row.error.values, 1e6 * top)
    paint: dict[str, Any] = {"color": look.color, "zorder": look.zorder}
    ax.plot(x, error, linestyle=look.linestyle, linewidth=look.width, label=look.label, **paint)
    seen = (error > floor) & (error <= top)
    marks = np.where(seen, error, np.nan)
    above = {**paint, "zorder": look.zorder + 4.0, "markersize": look.size}
    (points,) = ax.plot(
        x, marks, marker=look.marker, markeredgewidth=0.0, linestyle="none", label="_marks", **above
    )
    style.draw_hollow(ax, _raised(look), x, marks, seen & (row.unstable.values == 1))
    return style.last_point(points, look.label, look.ink)


def _raised(look: Look) -> Look:
    """Above the band of the numerical error, which hides lines."""
    return replace(look, zorder=look.zorder + 4.0)


def _draw_floor(ax: Axes, x: Array, floor: Array) -> None:
    """Hide what is below the numerical error under a band from edge to edge."""
    low, high = ax.get_xlim()
    edge = np.concatenate([floor[:1], floor, floor[-1:]])
    place = np.concatenate([[low], x, [high]])
    bottom = np.full_like(edge, np.finfo(float).tiny)
    ax.fill_between(place, bottom, edge, color=_FLOOR, linewidth=0.0, zorder=6.0)
    ax.set_xlim(low, high)


def _fixed(data: xarray.Dataset) -> str:
    """What a panel holds fixed."""
    texts = {"period": style.period_text, "permeability": style.kappa_text, "b": style.b_text}
    return "\n".join(text(float(data[name])) for name, text in texts.items() if not data[name].ndim)


def _explain_families(figure: Figure, errors: dict[str, xarray.Dataset]) -> None:
    entries: list[Line2D | Patch] = [
        Line2D([], [], color=_SERIES["R2"].color, linestyle="--", label="truncated series"),
        Line2D([], [], color=_PROJECTED["P3"].color, label="projected models"),
    ]
    if any(bool(data.unstable.any()) for data in errors.values()):
        hollow: dict[str, Any] = {"marker": "D", "markersize": 3.0, "markerfacecolor": "white"}
        hollow |= {"markeredgecolor": style.GREY, "linestyle": "none"}
        entries.append(Line2D([], [], label=_UNSTABLE, **hollow))
    entries.append(Patch(color=_FLOOR, label="below the numerical error"))
    style.head(figure, _shared(errors), entries)


def _shared(errors: dict[str, xarray.Dataset]) -> str:
    """What the panels share besides what their titles hold fixed; nothing if they differ in it."""
    said = {words_of(data.drop_vars(list(_SWEPT))).shared for data in errors.values()}
    return said.pop() if len(said) == 1 else ""


def _error_group(errors: dict[str, xarray.Dataset]) -> Group:
    """Variables ``error_against_<quantity>`` and so on: each panel has an axis of its own."""
    group: dict[str, Variable] = {}
    for swept, data in errors.items():
        names = ["error", "error_floor", "unstable"]
        chosen = data[names].drop_vars(
            [name for name in data.coords if name not in ("model", swept)]
        )
        renamed = chosen.rename({name: f"{name}_against_{swept}" for name in names})
        group |= to_group(renamed, list(map(str, renamed.data_vars)))
    return group


# ---- where a model may be trusted ----

_DECADES: Final = tuple(range(-5, 1))
_COLOURS: Final = "YlOrRd"
_BOUNDS: Final = {-3.0: "0.1 %", -2.0: "1 %"}
_INK: Final = "#222222"
_LABEL: Final = 0.12
"""Half of the length of a line that a label takes, in units of the axes."""
_CLEAR: Final = (0.75, 0.45)
"""Where in the axes labels are best."""
_REFINED: Final = 8
"""Parts into which the way from point to point of the sweep is cut, evenly in logarithms."""


@styled
def validity_map(files: FigureFiles) -> Drawing:
    """Errors of the models against diffusion and exchange, in numbers without dimension."""
    signals = files.files["signals"]
    if len(signals) != 1:
        raise ValueError(f"{len(signals)} studies, the figure shows one")
    (table,) = signals.values()
    cut = read_panels(signals, ("period", "permeability"), over=["b"], cells=files.cells())
    panels = _with_errors(cut)
    panels = _with_ratios(panels, _diffusivity(table, panels.direction_vector.values[0]))
    models = panels.sizes["model"]
    figure, axes = panel_axes(panels, columns=1, height=0.7, parts=models, share="both")
    axes[0].set(xscale="log", yscale="log", **_covered(panels))
    maps = [panel.isel(model=i) for panel in each_panel(panels) for i in range(models)]
    for ax, letter, data in zip(axes, style.letters(len(axes)), maps, strict=True):
        colours = _draw_map(ax, data)
        ax.set(xlabel=r"$\delta D\,/\,L^2$", ylabel=r"$\kappa L\,/\,D$")
        ax.label_outer()
        style.panel_title(ax, letter, _map_title(data))
    for ax in axes[:models]:
        _add_periods(ax, maps[0])
    bar = figure.colorbar(colours, ax=list(axes), ticks=_DECADES, pad=0.015, aspect=35)
    bar.set_label(_ERROR)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda level, _: rf"$10^{{{level:.0f}}}$"))
    fit = next(map(read_bias, files.files.get("fit", {}).values()), None)
    _explain_map(figure, panels, fit)
    figure.draw_without_rendering()
    for ax, data in zip(axes, maps, strict=True):
        _draw_bounds(ax, data)
        if fit is not None:
            draw_bias(ax, fit, float(data.delta * data.diffusivity), float(data.diffusivity))
    names = ["error", "error_floor", "unstable", "time_ratio", "exchange_ratio", "diffusivity"]
    # The letters are those of the maps, one per model.
    data = panels.swap_dims(panel="b").drop_vars("panel")
    group = to_group(data, [*names, "b_ratio"])
    return Drawing(figure, group if fit is None else {**group, **bias_group(fit)})


def _diffusivity(signals: str, direction: Array) -> float:
    """Diffusivity outside (um^2/ms) along a direction, from what made a table of signals."""
    recipe = json.loads(artifacts.attributes(signals)["parameters"])
    outside = Material.from_dict(recipe).tensors(len(direction))[0]
    return float(direction @ outside @ direction)


def _with_ratios(panels: xarray.Dataset, D: float) -> xarray.Dataset:
    """Add the numbers without dimension on which an error depends."""
    return panels.assign(
        diffusivity=xarray.DataArray(
            D, attrs={"units": "um2 ms-1", "long_name": "diffusivity D outside"}
        ),
        time_ratio=labelled(panels.delta * D / panels.period**2, "1", "delta D / L^2"),
        exchange_ratio=labelled(panels.period * panels.permeability / D, "1", "kappa L / D"),
        b_ratio=labelled(panels.b * D, "1", "b D"),
    )


def _covered(panels: xarray.Dataset) -> dict[str, tuple[float, float]]:
    """Limits of the largest rectangle that the sweep fills in the plane."""
    x, y = panels.time_ratio, panels.exchange_ratio
    low, high = float(y.min("permeability").max()), float(y.max("permeability").min())
    if low >= high:
        low, high = float(y.min()), float(y.max())
    return {"xlim": (float(x.min()), float(x.max())), "ylim": (low, high)}


def _draw_map(ax: Axes, data: xarray.Dataset) -> QuadContourSet:
    """Draw the error of one model in colours, hatched where it is unstable."""
    x, y, level = _map(data)
    colours = ax.contourf(x, y, level, levels=_DECADES, cmap=_COLOURS, extend="both")
    # Viewers show gaps between areas without edges.
    colours.set(edgecolor="face", linewidth=0.2)
    unstable = _refine(data.unstable.astype(float))
    if unstable.max() > 0.5:
        hatched = ax.contourf(x, y, unstable, levels=[0.5, 1.5], colors="none", hatches=["////"])
        hatched.set(edgecolor=style.GREY, linewidth=0.0, label=_UNSTABLE)
    return colours


def _draw_bounds(ax: Axes, data: xarray.Dataset) -> None:
    """Draw lines of some errors, with labels; in the final layout, which they are fitted to."""
    lines = ax.contour(
        *_map(data), levels=list(_BOUNDS), colors=_INK, linestyles="-", linewidths=0.9
    )
    to_axes = ax.transScale + ax.transLimits
    places = []
    for parts in lines.allsegs:
        seen = [_inner_part(to_axes.transform(part)) for part in parts]
        longest = max(seen, key=_total, default=np.empty((0, 2)))
        if _total(longest) >= 2.5 * _LABEL:
            places.append(tuple(to_axes.inverted().transform(_straightest(longest))))
    # An empty list would ask the user for places.
    if places:
        ax.clabel(lines, fmt=_BOUNDS, fontsize=SMALL, inline_spacing=2, manual=places)


def _inner_part(line: Array) -> Array:
    """Part of a line well inside the unit square."""
    inside = np.flatnonzero(np.all((line > 0.05) & (line < 0.95), axis=1))
    return line[inside[0] : inside[-1] + 1] if len(inside) else line[:0]


def _lengths(line: Array) -> Array:
    """Length of a line up to each of its points."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])


def _total(line: Array) -> float:
    return float(_lengths(line)[-1])


def _straightest(line: Array) -> Array:
    """Middle of the straightest part of a line that a label has room on."""
    length = _lengths(line)
    middles = np.linspace(_LABEL, length[-1] - _LABEL, 101)

    def at(place: Array) -> Array:
        return np.stack([np.interp(place, length, line[:, i]) for i in (0, 1)], axis=1)

    chord = np.linalg.norm(at(middles + _LABEL) - at(middles - _LABEL), axis=1)
    # Of places about as straight, the one nearest to where a map is clear of hatching.
    away = np.linalg.norm(at(middles) - _CLEAR, axis=1)
    return np.asarray(at(middles)[np.argmax(chord - 0.02 * away)])


def _map(data: xarray.Dataset) -> tuple[Array, Array, Array]:
    """Place in the plane and logarithm of the error, between the points of the sweep, too."""
    # No colour promises more than is known.
    error = np.maximum(data.error, data.error_floor)
    level = np.log10(np.clip(error, 10.0 ** (_DECADES[0] - 2), 10.0 ** (_DECADES[-1] + 1)))
    x, y = xarray.broadcast(data.time_ratio, data.exchange_ratio)
    return 10.0 ** _refine(np.log10(x)), 10.0 ** _refine(np.log10(y)), _refine(level)


def _refine(values: xarray.DataArray) -> Array:
    """Interpolate between the points of the sweep."""
    table = values.transpose("period", "permeability").values
    factors = [((n - 1) * _REFINED + 1) / n for n in table.shape]
    return np.asarray(ndimage.zoom(table, factors, order=1))


def _map_title(data: xarray.Dataset) -> str:
    return rf"{_look(str(data.model.values)).label},  $bD$ = {float(data.b_ratio):.2g}"


def _add_periods(ax: Axes, data: xarray.Dataset) -> None:
    """Add an axis on top that shows L."""
    product = float(data.delta * data.diffusivity)

    def period_of(ratio: ArrayLike) -> ArrayLike:
        with np.errstate(divide="ignore"):
            return np.sqrt(product / np.asarray(ratio))

    def ratio_of(period: ArrayLike) -> ArrayLike:
        with np.errstate(divide="ignore"):
            return np.asarray(product / np.square(period))

    top = ax.secondary_xaxis("top", functions=(period_of, ratio_of))
    _plain_ticks(top.xaxis, float(data.period.min()), float(data.period.max()))
    top.set_xlabel(r"$L$ ($\mu$m)")


def _explain_map(figure: Figure, panels: xarray.Dataset, fit: xarray.DataArray | None) -> None:
    first = panels.isel(panel=0)
    diffusivity = rf"$D$ = {float(first.diffusivity):g} $\mu$m$^2$/ms (outside)"
    bounds = " and ".join(_BOUNDS.values())
    entries: list[Line2D | Patch] = [
        Line2D([], [], color=_INK, linewidth=0.9, label=f"{bounds} of $S(b = 0)$"),
    ]
    if fit is not None:
        entries.append(explained_bias(fit))
    if bool(panels.unstable.any()):
        hatch: dict[str, Any] = {"facecolor": "none", "edgecolor": style.GREY, "hatch": "//////"}
        entries.append(Patch(**hatch, linewidth=0.0, label=_UNSTABLE))
    shared = words_of(panels.drop_vars("b")).shared
    style.head(figure, f"{shared}, {diffusivity}", entries)
