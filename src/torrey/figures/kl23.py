"""Signals and eigenvalues of Kchaou and Li 2023: figures 4, 6, 8 and 9."""

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
    draw_models,
    each_panel,
    explain_hollow,
    labelled,
    panel_axes,
    read_panels,
    to_group,
    with_epsilon,
)
from torrey.figures.style import S_PER_MS, UM_PER_MM, CurveLabel, look_of, styled
from torrey.figures.words import words_of
from torrey.gradients.sweep import REFERENCE

Array = NDArray[np.float64]


@styled
def fig4(files: FigureFiles) -> Drawing:
    """Logarithm of the signals against the period."""
    cut = read_panels(files.files["signals"], "period", cells=files.cells())
    panels = with_epsilon(add_logarithm(cut, np.e))
    words = words_of(panels, ["Delta", "b"])
    figure, axes = panel_axes(panels, columns=2, height=0.4)
    for ax, panel, title in zip(axes, each_panel(panels), words.titles, strict=True):
        labels = _draw_signals(ax, panel, panel.epsilon.values)
        _cap(ax)
        ax.set(xlabel=r"$\varepsilon = L\,/\,(1$ mm$)$", ylabel=r"$\log S$ (natural)")
        top = ax.secondary_xaxis("top", functions=(_um_of_epsilon, _epsilon_of_um))
        top.set_xlabel(r"$L$ ($\mu$m)")
        style.panel_title(ax, str(panel.panel.values), title)
        style.label_ends(ax, labels)
    style.head(figure, words.shared)
    names = ["log_signal", "log_error", "unstable", "epsilon"]
    return Drawing(figure, to_group(panels, names))


@styled
def fig6(files: FigureFiles) -> Drawing:
    """Signals against b for one cell, several permeabilities and times."""
    over = ("permeability", "Delta")
    panels = add_logarithm(read_panels(files.files["signals"], "b", over, files.cells()), 10.0)
    words = words_of(panels, ["Delta", "permeability"])
    figure, axes = panel_axes(panels, columns=2, height=0.75, share="both")
    drawn = [
        _draw_signals(ax, panel, S_PER_MS * panel.b.values)
        for ax, panel in zip(axes, each_panel(panels), strict=True)
    ]
    # The axes share their limits, and labels need the final ones.
    _cap(axes[0])
    for ax, panel, title, labels in zip(axes, each_panel(panels), words.titles, drawn, strict=True):
        style.panel_title(ax, str(panel.panel.values), title)
        _explain_hollow(ax, panel, (0.03, 0.05))
        ax.set(xlabel=r"$b$ (s/mm$^2$)", ylabel=r"$\log_{10} S$")
        ax.label_outer()
        style.label_ends(ax, labels)
    if not panels.unstable.any():
        style.note(axes[0], 0.03, 0.05, "No model makes a state grow at any point:\nall dissipate.")
    style.head(figure, words.shared)
    return Drawing(figure, to_group(panels, ["log_signal", "log_error", "unstable"]))


@styled
def fig8(files: FigureFiles) -> Drawing:
    """Signals against b for several cells: compartments apart, and lumped into one.

    Beside the signals of each panel are the differences of the models from the reference.
    """
    over = ("Delta", "permeability")
    panels = add_logarithm(read_panels(files.files["signals"], "b", over, files.cells()), 10.0)
    panels = _with_differences(panels)
    words = words_of(panels, over)
    figure, axes = panel_axes(panels, columns=2, height=1.0, parts=2)
    left, right = axes.reshape(-1, 2).T
    drawn = []
    for ax, beside, panel, title in zip(left, right, each_panel(panels), words.titles, strict=True):
        x = S_PER_MS * panel.b.values
        _draw_signals(ax, panel, x)
        models = panel.sel(model=panel.model != REFERENCE)
        drawn.append(_draw_differences(beside, models, x))
        for either in (ax, beside):
            either.xaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
        beside.axhline(0.0, color=style.GREY, linewidth=style.LEAF, zorder=1.0, label="_zero")
        style.panel_title(ax, str(panel.panel.values), title)
        ax.set(xlabel=r"$b$ (s/mm$^2$)", ylabel=r"$\log_{10} S$")
        beside.set(xlabel=r"$b$ (s/mm$^2$)", ylabel=r"$S\,/\,S_{\mathrm{Ref}} - 1$ (%)")
        _explain_hollow(ax, panel, (0.03, 0.05))
    _share_limits(list(left))
    for ax in left:
        _cap(ax)
    for beside, labels in zip(right, drawn, strict=True):
        style.label_ends(beside, labels)
    style.head(figure, words.shared, [_model_sample(str(name)) for name in panels.model.values])
    names = ["log_signal", "log_error", "difference", "difference_error", "unstable"]
    return Drawing(figure, to_group(panels, names))


@styled
def fig9(files: FigureFiles) -> Drawing:
    """Eigenvalues of the second-order model along the waveform."""
    over = ("Delta", "permeability")
    panels = read_panels(files.files["eigenvalues"], "b", over, files.cells())
    words = words_of(panels, over)
    present = [model for model in ("lumped-R2", "R2") if model in panels.model.values]
    count = panels.sizes["b"]
    some = sorted({count // 4, (5 * count) // 8, count - 1})
    panels = panels.sel(model=present).isel(b=some)
    figure, axes = panel_axes(panels, columns=2, height=0.95, parts=2)
    for (left, right), panel, title in zip(
        axes.reshape(-1, 2), each_panel(panels), words.titles, strict=True
    ):
        _draw_smallest(left, panel)
        _draw_others(right, panel)
        style.panel_title(left, str(panel.panel.values), title)
    labels = {
        "lumped-R2": "lumped R2, as in the paper: 2 eigenvalues",
        "R2": f"R2, one compartment per cell: {panels.sizes['eigenvalue']} eigenvalues",
    }
    samples = [_sample(model, labels[model]) for model in present]
    samples.append(Line2D([], [], label=r"$b$ in s/mm$^2$", **_LEVEL))
    style.head(figure, words.shared, samples)
    return Drawing(figure, to_group(panels, ["eigenvalue_real", "time"]))


def _with_differences(panels: xarray.Dataset) -> xarray.Dataset:
    """Add how far each model is from the reference, relative, and the numerical error of that."""
    reference = panels.sel(model=REFERENCE, drop=True)
    exact, error = reference.signal_real, reference.numerical_error
    ratio = panels.signal_real / exact
    spread = (panels.numerical_error + np.abs(ratio) * error) / np.abs(exact)
    return panels.assign(
        difference=labelled(100.0 * (ratio - 1.0), "percent", "S / S_reference - 1"),
        difference_error=labelled(100.0 * spread, "percent", "numerical error of that difference"),
    )


def _draw_differences(ax: Axes, models: xarray.Dataset, x: Array) -> list[CurveLabel | None]:
    """Draw one curve per model with its numerical error, thinner than where models coincide."""
    labels = []
    for model in map(str, models.model.values):
        look, row = look_of(model), models.sel(model=model)
        pale = not look.size
        bars = ax.errorbar(
            x,
            row.difference.values,
            row.difference_error.values,
            color=look.ink if pale else look.color,
            linestyle=look.linestyle,
            linewidth=0.9,
            marker="none" if pale else look.marker,
            markersize=0.7 * look.size,
            markeredgewidth=0.0,
            elinewidth=0.7,
            capsize=0.0,
            zorder=look.zorder,
        )
        bars.lines[0].set_label(look.label)
        labels.append(style.last_point(bars.lines[0], look.label, look.ink))
    ax.margins(x=0.03)
    return labels


def _share_limits(axes: Sequence[Axes]) -> None:
    """Give axes the limits that hold what all of them show."""
    low, high = np.array([ax.get_ylim() for ax in axes]).T
    for ax in axes:
        ax.set_ylim(low.min(), high.max())


def _model_sample(model: str) -> Line2D:
    """Line and mark of a model for the legend."""
    look = look_of(model)
    line: dict[str, Any] = {"linestyle": look.linestyle, "linewidth": look.width}
    mark: dict[str, Any] = {"marker": look.marker if look.size else "none", "markersize": look.size}
    return Line2D([], [], color=look.color, markeredgewidth=0.0, label=look.label, **line, **mark)


def _draw_signals(ax: Axes, panel: xarray.Dataset, x: Array) -> list[CurveLabel | None]:
    return draw_models(ax, panel, x, "log_signal", "log_error")


def _cap(ax: Axes) -> None:
    """End the axes above log S = 0: what an unstable model may have beyond is not shown."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, min(high, -0.05 * low))


def _explain_hollow(
    ax: Axes, data: xarray.Dataset, place: tuple[float, float], **options: Any
) -> None:
    labels = {str(model): look_of(str(model)).label for model in data.model.values}
    explain_hollow(ax, data, labels, place, **options)


def _um_of_epsilon(epsilon: Array) -> Array:
    return epsilon * UM_PER_MM


def _epsilon_of_um(length: Array) -> Array:
    return length / UM_PER_MM


_LEVEL: Final[dict[str, Any]] = {"color": style.GREY, "linestyle": ":", "linewidth": 0.6}
"""Line from the top of a curve to the b-value beside the axes."""


def _draw_smallest(ax: Axes, panel: xarray.Dataset) -> None:
    """Draw the smallest eigenvalue, by which the paper decides on stability."""
    smallest = panel.eigenvalue_real.isel(eigenvalue=0)
    _draw_eigenvalues(ax, panel, smallest)
    low, high = float(smallest.min()), float(smallest.max())
    ax.set_ylim(min(-0.12 * high, 1.1 * low), 1.05 * high)
    ax.axhspan(ax.get_ylim()[0], 0.0, color="#E8E8E8", linewidth=0.0, zorder=0)
    ax.axhline(0.0, color=style.GREY, linewidth=style.LEAF, zorder=1)
    style.note(ax, 0.02, 0.02, "negative", va="bottom")
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
