"""Signals, errors and eigenvalues of Kchaou and Li 2023: figures 4 to 6, 8 and 9."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.panels import (
    add_logarithm,
    each_panel,
    explain_hollow,
    labelled,
    panel_axes,
    read_panels,
    to_group,
)
from torrey.figures.style import S_PER_MS, UM_PER_MM, CurveLabel, look_of, styled
from torrey.study.orders import local_orders

Array = NDArray[np.float64]


THEORY: Final = {"R0": 2, "R2": 4}
"""Orders in epsilon of the errors: odd terms of the expansion do not reach the signal."""
PUBLISHED: Final = {"R0": 1.8, "R2": 3.5}
"""Orders that the paper reports, section 5.2."""


@styled
def fig4(files: FigureFiles) -> Drawing:
    """Logarithm of the signals against the period."""
    panels = _with_epsilon(add_logarithm(read_panels(files.files["signals"], "period"), np.e))
    figure, axes = panel_axes(panels, columns=2, height=0.4)
    for ax, panel in zip(axes, each_panel(panels), strict=True):
        labels = _draw_signals(ax, panel, panel.epsilon.values)
        _cap(ax)
        ax.set(xlabel=r"$\varepsilon = L\,/\,(1$ mm$)$", ylabel=r"$\log S$ (natural)")
        top = ax.secondary_xaxis("top", functions=(_um_of_epsilon, _epsilon_of_um))
        top.set_xlabel(r"$L$ ($\mu$m)")
        _title(ax, panel, "Delta", "b")
        style.label_ends(ax, labels)
    names = ["log_signal", "log_error", "unstable", "epsilon"]
    return Drawing(figure, to_group(panels, names))


@styled
def fig5(files: FigureFiles) -> Drawing:
    """Errors of the homogenised models against the period, with their orders."""
    panels = _with_epsilon(read_panels(files.files["convergence"], "period"))
    panels["local_order"] = _orders_at_small_end(panels)
    figure, axes = panel_axes(panels, columns=3, height=0.43, share="y")
    for ax, panel in zip(axes, each_panel(panels), strict=True):
        ax.set(xscale="log", yscale="log", xlabel=r"$\varepsilon = L\,/\,(1$ mm$)$")
        for corner, model in zip(_CORNERS, map(str, panel.model.values), strict=False):
            _draw_errors(ax, panel.sel(model=model))
            style.note(
                ax, *corner, _order_text(panel.sel(model=model)), **_alignment(corner, model)
            )
        _draw_floor(ax, panel)
        _title(ax, panel, "Delta", "b")
    axes[0].set_ylim(_error_limits(panels))
    axes[0].set_ylabel(r"$|S_{\mathrm{Ref}} - S_{\mathrm{model}}|$")
    names = ["error", "error_floor", "used", "order", "order_standard_error", "constant"]
    return Drawing(figure, to_group(panels, [*names, "local_order", "epsilon"]))


@styled
def fig6(files: FigureFiles) -> Drawing:
    """Signals against b for one cell, several permeabilities and times."""
    return _signals_against_b(files, over=("permeability", "Delta"), height=0.75)


@styled
def fig8(files: FigureFiles) -> Drawing:
    """Signals against b for several cells: compartments apart, and lumped into one."""
    return _signals_against_b(files, over=("Delta", "permeability"), height=1.05)


@styled
def fig9(files: FigureFiles) -> Drawing:
    """Eigenvalues of the second-order model along the waveform."""
    panels = read_panels(files.files["eigenvalues"], "b", over=("Delta", "permeability"))
    present = [model for model in ("lumped-R2", "R2") if model in panels.model.values]
    count = panels.sizes["b"]
    some = sorted({count // 4, (5 * count) // 8, count - 1})
    panels = panels.sel(model=present).isel(b=some)
    figure, axes = panel_axes(panels, columns=2, height=0.95, parts=2)
    for (left, right), panel in zip(axes.reshape(-1, 2), each_panel(panels), strict=True):
        _draw_smallest(left, panel)
        _draw_others(right, panel)
        _title(left, panel, "Delta", "permeability")
    labels = {
        "lumped-R2": "lumped R2, as in the paper: 2 eigenvalues",
        "R2": f"R2, one compartment per cell: {panels.sizes['eigenvalue']} eigenvalues",
    }
    samples = [_sample(model, labels[model]) for model in present]
    samples.append(Line2D([], [], label=r"$b$ in s/mm$^2$", **_LEVEL))
    figure.legend(handles=samples, loc="outside upper center", ncols=len(samples))
    return Drawing(figure, to_group(panels, ["eigenvalue_real", "time"]))


def _signals_against_b(files: FigureFiles, over: Sequence[str], height: float) -> Drawing:
    panels = add_logarithm(read_panels(files.files["signals"], "b", over), 10.0)
    figure, axes = panel_axes(panels, columns=2, height=height, share="both")
    drawn = [
        _draw_signals(ax, panel, S_PER_MS * panel.b.values)
        for ax, panel in zip(axes, each_panel(panels), strict=True)
    ]
    # The axes share their limits, and labels need the final ones.
    _cap(axes[0])
    for ax, panel, labels in zip(axes, each_panel(panels), drawn, strict=True):
        _title(ax, panel, "Delta", "permeability")
        _explain_hollow(ax, panel, (0.03, 0.05))
        ax.set(xlabel=r"$b$ (s/mm$^2$)", ylabel=r"$\log_{10} S$")
        ax.label_outer()
        style.label_ends(ax, labels)
    return Drawing(figure, to_group(panels, ["log_signal", "log_error", "unstable"]))


def _title(ax: Axes, panel: xarray.Dataset, *quantities: str) -> None:
    texts = {"Delta": style.Delta_text, "b": style.b_text, "permeability": style.kappa_text}
    values = [texts[name](float(panel[name])) for name in quantities]
    style.panel_title(ax, str(panel.panel.values), ", ".join(values))


def _draw_signals(ax: Axes, panel: xarray.Dataset, x: Array) -> list[CurveLabel | None]:
    return _draw_models(ax, panel, x, "log_signal", "log_error")


def _cap(ax: Axes) -> None:
    """End the axes above log S = 0: what an unstable model may have beyond is not shown."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, min(high, -0.05 * low))


def _draw_models(
    ax: Axes, data: xarray.Dataset, x: Array, name: str, error: str
) -> list[CurveLabel | None]:
    """Draw one curve per model and return its labels."""
    labels = []
    for model in map(str, data.model.values):
        row = data.sel(model=model)
        line = style.draw_model(ax, model, x, row[name], row[error], row.unstable)
        labels.append(style.last_point(line, look_of(model).label, look_of(model).ink))
    ax.margins(x=0.03)
    return labels


def _explain_hollow(
    ax: Axes, data: xarray.Dataset, place: tuple[float, float], **options: Any
) -> None:
    labels = {str(model): look_of(str(model)).label for model in data.model.values}
    explain_hollow(ax, data, labels, place, **options)


def _with_epsilon(panels: xarray.Dataset) -> xarray.Dataset:
    epsilon = labelled(panels.period / UM_PER_MM, "1", "period of the cell over 1 mm")
    return panels.assign(epsilon=epsilon)


def _um_of_epsilon(epsilon: Array) -> Array:
    return epsilon * UM_PER_MM


def _epsilon_of_um(length: Array) -> Array:
    return length / UM_PER_MM


_CORNERS: Final = ((0.04, 0.98), (0.98, 0.23))
"""Where the curves leave room for text: above the first model's, below the second's."""


def _alignment(place: tuple[float, float], model: str) -> dict[str, Any]:
    left, top = place[0] < 0.5, place[1] > 0.5
    sides = {"ha": "left" if left else "right", "va": "top" if top else "bottom"}
    return {**sides, "color": look_of(model).ink, "linespacing": 1.35}


def _error_limits(panels: xarray.Dataset) -> tuple[float, float]:
    """Decades around the errors and their floors, with room for text above."""
    error = panels.error.where(panels.error > 0.0)
    low = float(np.fmin(error.min(), panels.error_floor.where(panels.error_floor > 0.0).min()))
    return low / 4.0, 10.0 ** (2.0 + np.floor(np.log10(float(error.max()))))


def _draw_errors(ax: Axes, errors: xarray.Dataset) -> None:
    """Draw the errors of one model, the fit and a line of the order that theory gives."""
    model = str(errors.model.values)
    look = look_of(model)
    x, y = errors.epsilon.values, errors.error.values
    used = errors.used.values.astype(bool)
    points = np.where(used, y, np.nan)
    ax.plot(x, points, marker=look.marker, color=look.color, linestyle="none", markersize=3.4)
    style.draw_hollow(ax, look, x, y, ~used)
    fit = float(errors.constant) * errors.period.values ** float(errors.order)
    ax.plot(x, fit, color=look.color, linewidth=0.9, label="fit")
    if model in THEORY and used.any():
        start = int(np.flatnonzero(used)[0])
        theory = y[start] * (x / x[start]) ** THEORY[model]
        ax.plot(x, theory, color=style.GREY, linestyle=":", linewidth=0.9, label="theory", zorder=1)


def _draw_floor(ax: Axes, panel: xarray.Dataset) -> None:
    """Shade what is below the numerical error of the differences."""
    x, floor = panel.epsilon.values, panel.error_floor.values
    if not np.any(floor > 0.0):
        return
    ax.fill_between(x, floor, np.finfo(float).tiny, color="#DDDDDD", linewidth=0.0, zorder=0)
    ax.annotate(
        "numerical error",
        (x[0], floor[0]),
        xytext=(3, -3),
        textcoords="offset points",
        va="top",
        fontsize=style.SMALL,
        color=style.GREY,
    )


def _orders_at_small_end(panels: xarray.Dataset) -> xarray.DataArray:
    """Slope between the two smallest periods of the fit, missing where there are not two."""
    usable = panels.error.where(panels.used == 1)
    order = np.full((panels.sizes["model"], panels.sizes["panel"]), np.nan)
    for i, j in np.ndindex(order.shape):
        line = usable.isel(model=i, panel=j).dropna("period")[:2]
        if line.size == 2:
            order[i, j] = local_orders(line.period.values, line.values)[0]
    result = xarray.DataArray(order, dims=("model", "panel"))
    return labelled(result, "1", "order between the two smallest periods of the fit")


def _order_text(errors: xarray.Dataset) -> str:
    model = str(errors.model.values)
    label = look_of(model).label
    if not np.isfinite(errors.order):
        return f"{label}: no order above the\nnumerical error"
    text = f"{label}: order {float(errors.order):.2f}"
    if np.isfinite(errors.order_standard_error):
        text += rf" $\pm$ {float(errors.order_standard_error):.2f}"
    text += "\n" + rf"two smallest $\varepsilon$: {float(errors.local_order):.2f}"
    if model in THEORY:
        text += f"\ntheory {THEORY[model]} (dotted), published {PUBLISHED[model]}"
    return text


_LEVEL: Final[dict[str, Any]] = {"color": style.GREY, "linestyle": ":", "linewidth": 0.6}
"""Line from the top of a curve to the b-value beside the axes."""


def _draw_smallest(ax: Axes, panel: xarray.Dataset) -> None:
    """Draw the smallest eigenvalue, which decides on stability."""
    smallest = panel.eigenvalue_real.isel(eigenvalue=0)
    _draw_eigenvalues(ax, panel, smallest)
    low, high = float(smallest.min()), float(smallest.max())
    ax.set_ylim(min(-0.12 * high, 1.1 * low), 1.05 * high)
    ax.axhspan(ax.get_ylim()[0], 0.0, color="#E8E8E8", linewidth=0.0, zorder=0)
    ax.axhline(0.0, color=style.GREY, linewidth=style.LEAF, zorder=1)
    style.note(ax, 0.02, 0.02, "unstable", va="bottom")
    ax.set(xlabel="$t$ (ms)", ylabel=r"smallest eigenvalue (ms$^{-1}$)")
    middle = int(panel.sizes["instant"] // 2)
    start, end = float(panel.time[middle]), ax.get_xlim()[1]
    labels: list[CurveLabel | None] = []
    for b in panel.b.values:
        height = float(smallest.sel(b=b).isel(instant=middle).max())
        ax.plot([start, end], [height, height], **_LEVEL)
        labels.append(CurveLabel(end, height, f"{S_PER_MS * b:g}", style.GREY))
    style.label_ends(ax, labels)


def _draw_others(ax: Axes, panel: xarray.Dataset) -> None:
    others = panel.eigenvalue_real.isel(eigenvalue=slice(1, None))
    _draw_eigenvalues(ax, panel, others)
    ax.set(xlabel="$t$ (ms)", ylabel=r"other eigenvalues (ms$^{-1}$)")


def _draw_eigenvalues(ax: Axes, panel: xarray.Dataset, values: xarray.DataArray) -> None:
    for model in map(str, panel.model.values):
        look = look_of(model)
        rows = values.sel(model=model).transpose("instant", ...).values
        for row in rows.reshape(len(rows), -1).T:
            if np.isfinite(row).any():
                ax.plot(
                    panel.time.values,
                    row,
                    color=look.color,
                    linewidth=_eigenvalue_width(model),
                    zorder=look.zorder,
                    label=look.label,
                )
    ax.set_xlim(0.0, float(panel.delta + panel.Delta))
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))


def _sample(model: str, label: str) -> Line2D:
    width = _eigenvalue_width(model)
    return Line2D([], [], color=look_of(model).color, linewidth=width, label=label)


def _eigenvalue_width(model: str) -> float:
    # Many curves in a small panel: all thinner than elsewhere.
    return 0.65 * look_of(model).width
