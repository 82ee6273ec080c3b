"""Diffusivity and kurtosis of cells against time and frequency, with their limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.style import PAGE, SMALL, styled

_COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_INKS: Final = ("#0072B2", "#B84F00", "#00795A", "#A04E7C")
_HZ: Final = 1000.0
"""Frequencies in Hz of one in 1/ms."""


@styled
def dispersion(files: FigureFiles) -> Drawing:
    """D(t), D(omega) and K(t) of each cell, along the first direction."""
    runs = [
        artifacts.open_dataset(path).isel(line=0) for path in files.files["dispersion"].values()
    ]
    figure = style.new_figure(PAGE, 0.45 * PAGE)
    axes = figure.subplots(1, 3)
    for run, color, ink in zip(runs, _COLORS, _INKS, strict=False):
        text = _name(run, runs)
        for ax, name in zip(axes, ("D_time", "D_frequency", "K_time"), strict=True):
            x = _draw(ax, run, name, color, text)
            if name != "K_time":
                _label(ax, name, text, x, float(run.D_slow), ink)
        _label_kurtosis(axes[2], run, text, ink)
        for ax in axes[:2]:
            ax.axhline(float(run.D_slow), color=color, linewidth=style.LEAF, zorder=1)
        _draw_exchange(axes[2], run, color, ink)
    fast = float(runs[0].D_fast)
    for ax in axes[:2]:
        ax.axhline(fast, color=style.GREY, linewidth=style.LEAF, zorder=1)
        style.note(ax, 0.98, 1.0, r"$\langle D \rangle$", ha="right", va="top")
    _draw_law(axes[0], runs[0])
    _finish(axes, fast)
    figure.supxlabel(
        _permeabilities(runs)
        + "solid: resolved by the mesh; pale: not, the layers at membranes are thinner than three "
        r"elements; thin lines in (a), (b): $\langle D \rangle$, $D(\omega = 0)$",
        fontsize=SMALL,
        color=style.GREY,
    )
    return Drawing(figure, _group(runs))


def _name(run: xarray.Dataset, runs: Sequence[xarray.Dataset]) -> str:
    """A word where there is one permeability above zero, and numbers where there are several."""
    kappa = float(run.permeability)
    several = sum(bool(float(other.permeability)) for other in runs) > 1
    if not kappa:
        return "impermeable"
    return style.kappa_text(kappa) if several else "permeable"


def _permeabilities(runs: Sequence[xarray.Dataset]) -> str:
    """What is permeable has which permeability and size."""
    texts = [
        f"{_name(run, runs)}: {style.kappa_text(float(run.permeability))}, "
        f"{style.period_text(float(run.period))}\n"
        for run in runs
        if float(run.permeability)
    ]
    return texts[0] if len(texts) == 1 else ""


def _draw(ax: Axes, run: xarray.Dataset, name: str, color: str, text: str) -> NDArray[np.float64]:
    """Draw a curve, pale where it is not resolved; return its places."""
    dim = name.split("_")[1]
    x = run[dim].values * (_HZ if dim == "frequency" else 1.0)
    y, resolved = run[name].values, run[f"{dim}_resolved"].values == 1
    ax.plot(x, y, color=color, alpha=0.35, linewidth=1.0, label="_unresolved")
    ax.plot(x, np.where(resolved, y, np.nan), color=color, label=text)
    return x


def _label(ax: Axes, name: str, text: str, x: NDArray[np.float64], height: float, ink: str) -> None:
    """Write the name of a cell on its thin line, at the side where its curve leaves room."""
    left = name == "D_time"
    ax.annotate(
        text,
        (x[0] if left else x[-1], height),
        xytext=(0, 2),
        textcoords="offset points",
        ha="left" if left else "right",
        va="bottom",
        fontsize=SMALL,
        color=ink,
    )


def _label_kurtosis(ax: Axes, run: xarray.Dataset, text: str, ink: str) -> None:
    """Write the name of a cell beside a maximum of its kurtosis, or below a curve that rises."""
    peak = int(np.argmax(run.K_time.values))
    rises = peak > 0.8 * run.sizes["time"]
    ax.annotate(
        text,
        (float(run.time[peak]), float(run.K_time[peak])),
        xytext=(0, -26) if rises else (10, 2),
        textcoords="offset points",
        ha="right" if rises else "left",
        va="top" if rises else "bottom",
        fontsize=SMALL,
        color=ink,
    )


def _draw_exchange(ax: Axes, run: xarray.Dataset, color: str, ink: str) -> None:
    """Mark the time of exchange, exact and of Karger's model; nothing without exchange."""
    rate, karger = float(run.rate[0]), float(run.karger_rate[0])
    if not float(run.permeability):
        return
    ax.axvline(1.0 / rate, color=color, linewidth=style.LEAF, zorder=1)
    text = f"thin line:\nexchange,\n{rate:.4f}/ms\nKärger:\n{karger:.4f}/ms"
    style.note(ax, 0.03, 0.97, text, va="top", color=ink)


def _draw_law(ax: Axes, run: xarray.Dataset) -> None:
    """Draw the law of short times as far as it is above the curve's end."""
    t = run.time.values
    law = float(run.D_fast) - float(run.wall_slope) * np.sqrt(t)
    shown = law > 0.7 * float(run.D_slow) + 0.3 * float(run.D_fast)
    ax.plot(t[shown], law[shown], color=style.GREY, linestyle=":", linewidth=1.0, label="law")
    if not shown.any():
        return
    middle = int(np.flatnonzero(shown)[-1] * 0.85)
    ax.annotate(
        r"$\langle D \rangle - c\,\sqrt{t}$",
        (t[middle], law[middle]),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=SMALL,
        color=style.GREY,
    )


def _finish(axes: Sequence[Axes], fast: float) -> None:
    texts = (
        ("$t$ (ms)", r"$D(t)$ ($\mu$m$^2$/ms)"),
        (r"$\omega/2\pi$ (Hz)", r"Re $D(\omega)$ ($\mu$m$^2$/ms)"),
        ("$t$ (ms)", "$K(t)$ (no unit)"),
    )
    for ax, letter, (x, y) in zip(axes, "abc", texts, strict=True):
        ax.set(xscale="log", xlabel=x, ylabel=y)
        ax.xaxis.set_major_locator(LogLocator(numticks=6))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.margins(x=0.03)
        style.panel_title(ax, letter)
    for ax in axes[:2]:
        ax.set_ylim(top=1.06 * fast)
    axes[2].set_ylim(bottom=0.0)


def _group(runs: Sequence[xarray.Dataset]) -> Group:
    """All variables of the runs, one after the other."""
    first = runs[0]
    shared = ("time", "frequency", "time_resolved", "frequency_resolved")
    for run in runs[1:]:
        if not (run.time.equals(first.time) and run.frequency.equals(first.frequency)):
            raise ValueError("the runs of the figure need the same times and frequencies")
    group: dict[str, Variable] = {}
    for name, values in first.variables.items():
        units, long_name = values.attrs.get("units", ""), values.attrs["long_name"]
        missing = {"allow_missing": True} if values.dtype.kind == "f" else {}
        dims = tuple(map(str, values.dims))
        if name in shared:
            group[str(name)] = Variable(dims, values.values, units, long_name, missing)
        elif all(run[name].shape == values.shape for run in runs):
            every = np.array([run[name].values for run in runs])
            group[str(name)] = Variable(("cell", *dims), every, units, long_name, missing)
    return group
