"""Errors of Kchaou and Li 2023 against the period: figure 5."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes

from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.panels import (
    each_panel,
    labelled,
    panel_axes,
    read_panels,
    to_group,
    with_epsilon,
)
from torrey.figures.style import UM_PER_MM, look_of, styled
from torrey.figures.words import words_of
from torrey.study.orders import fit_order, local_orders

THEORY: Final = {"R0": 2, "R2": 4}
"""Orders in epsilon of the errors: odd terms of the expansion do not reach the signal."""
PUBLISHED: Final = {"R0": 1.8, "R2": 3.5}
"""Orders that the paper reports, section 5.2."""
UPPER: Final = 3e-3
"""Period over 1 mm from which the orders come near to those that the paper reports."""


@styled
def fig5(files: FigureFiles) -> Drawing:
    """Errors of the homogenised models against the period, with their orders."""
    cut = read_panels(files.files["convergence"], "period", cells=files.cells())
    panels = with_epsilon(cut)
    words = words_of(panels, ["Delta", "b"])
    panels["local_order"] = _orders_at_small_end(panels)
    panels["upper_order"] = _orders_of_large_periods(panels)
    figure, axes = panel_axes(panels, columns=3, height=0.48, share="y")
    for ax, panel, title in zip(axes, each_panel(panels), words.titles, strict=True):
        ax.set(xscale="log", yscale="log", xlabel=r"$\varepsilon = L\,/\,(1$ mm$)$")
        for corner, model in zip(_CORNERS, map(str, panel.model.values), strict=False):
            _draw_errors(ax, panel.sel(model=model))
            style.note(
                ax, *corner, _order_text(panel.sel(model=model)), **_alignment(corner, model)
            )
        _draw_floor(ax, panel)
        style.panel_title(ax, str(panel.panel.values), title)
    style.head(figure, "\n".join(filter(None, (words.shared, _published_text(panels)))))
    axes[0].set_ylim(_error_limits(panels))
    axes[0].set_ylabel(r"$|S_{\mathrm{Ref}} - S_{\mathrm{model}}|$")
    names = ["error", "error_floor", "used", "order", "order_standard_error", "constant"]
    return Drawing(figure, to_group(panels, [*names, "local_order", "upper_order", "epsilon"]))


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


def _orders_of_large_periods(panels: xarray.Dataset) -> xarray.DataArray:
    """Order fitted to the larger periods alone; missing where there are not three of them."""
    large = panels.isel(period=panels.period.values >= UPPER * UM_PER_MM * (1.0 - 1e-9))
    order = np.full((panels.sizes["model"], panels.sizes["panel"]), np.nan)
    for i, j in np.ndindex(order.shape):
        line = large.isel(model=i, panel=j)
        usable = line.used.values == 1
        if usable.sum() >= 3:
            order[i, j] = fit_order(line.period.values[usable], line.error.values[usable]).order
    result = xarray.DataArray(order, dims=("model", "panel"))
    return labelled(result, "1", f"order fitted to periods over 1 mm of at least {UPPER:g}")


def _published_text(panels: xarray.Dataset) -> str:
    """Say what the larger periods alone give, beside the orders that the paper reports."""
    parts = []
    for model in (name for name in map(str, panels.model.values) if name in PUBLISHED):
        orders = panels.upper_order.sel(model=model).values
        orders = orders[np.isfinite(orders)]
        ends = (f"{end:.2f}" for end in (orders.min(), orders.max())) if len(orders) else ()
        found = " to ".join(dict.fromkeys(ends))
        published = f"published {PUBLISHED[model]}"
        parts.append(f"{look_of(model).label}: {f'{found}, {published}' if found else published}")
    start = rf"order where $\varepsilon \geq$ {style.power_of_ten(UPPER)} alone is fitted: "
    return (start if panels.upper_order.notnull().any() else "orders: ") + "; ".join(parts)


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
        text += f"\ntheory {THEORY[model]} (dotted)"
    return text
