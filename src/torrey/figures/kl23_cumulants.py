"""Apparent diffusion and kurtosis of Kchaou and Li 2023, figure 7: exact, and as fitted there.

The paper fits both to log S at b <= 1000 s/mm^2, where terms of higher order in b count. Lines are
the cumulants at b -> 0, without a fit; marks are the paper's fit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray
from matplotlib.axes import Axes

from torrey.base import artifacts
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.panels import explain_hollow, instability, read_panels, to_group
from torrey.figures.style import PAGE, S_PER_MS, CurveLabel, look_of, styled

_QUANTITIES: Final = {"adc": r"ADC ($\mu$m$^2$/ms)", "kurtosis": "AK (no unit)"}
_SOLID: Final = {"reference": "-", "R0": "--", "R2": "-."}
#: Times between the pulses (ms) at which the note compares, the nearest that are there.
_OF_FIT, _SHORT = 25.0, 10.0
#: Up to which b (s/mm^2) the paper fits.
_PAPERS_B: Final = 1000.0


@styled
def fig7(files: FigureFiles) -> Drawing:
    """Apparent diffusion coefficient and kurtosis against the time between the pulses."""
    fits = read_panels(files.files["kurtosis"], "Delta").isel(panel=0)
    exact = read_panels(files.files["cumulants"], "Delta").isel(panel=0)
    (signals,) = files.files["signals"].values()
    table = artifacts.open_dataset(signals)
    marks = table.validity
    worst = marks.max([dim for dim in marks.dims if dim not in ("model", "Delta")])
    fits["unstable"] = instability(worst)
    largest = S_PER_MS * float(table.b_value.max())
    figure = style.new_figure(PAGE, 0.5 * PAGE)
    axes = figure.subplots(1, 2)
    for ax, letter, (name, label) in zip(axes, "ab", _QUANTITIES.items(), strict=True):
        labels = [*_draw_exact(ax, exact, name), *_draw_fits(ax, fits, name)]
        ax.set(xlabel=r"$\Delta$ (ms)", ylabel=label)
        ax.margins(x=0.03)
        style.panel_title(ax, letter)
        style.label_ends(ax, labels)
    names = {str(model): look_of(str(model)).label for model in fits.model.values}
    explain_hollow(axes[-1], fits, names, (0.97, 0.97), ha="right", va="top")
    as_there = ", as in the paper" if np.isclose(largest, _PAPERS_B) else ""
    lines = "lines" if exact.sizes["Delta"] > 1 else "bars"
    figure.supxlabel(
        rf"{lines}: exact, $b \to 0$; marks: fit to $b \leq$ {largest:g} s/mm$^2${as_there}"
        + _findings(exact, fits),
        fontsize=style.SMALL,
        color=style.GREY,
        linespacing=1.4,
    )
    return Drawing(figure, to_group(_both(exact, fits), [*_NAMES, "unstable"]))


_NAMES: Final = tuple(
    f"{prefix}{name}{suffix}"
    for prefix in ("", "fitted_")
    for name in _QUANTITIES
    for suffix in ("", "_error")
)


def _draw_exact(ax: Axes, exact: xarray.Dataset, name: str) -> list[CurveLabel | None]:
    """Draw the exact values as lines; a single one, which no line shows, as a short bar."""
    labels = []
    alone = exact.sizes["Delta"] == 1
    for model in map(str, exact.model.values):
        look, row = look_of(model), exact.sel(model=model)
        (line,) = ax.plot(
            row.Delta.values,
            row[name].values,
            color=look.color,
            linestyle=_SOLID.get(model, look.linestyle),
            linewidth=look.width,
            marker="_" if alone else "none",
            markersize=12.0,
            markeredgewidth=look.width,
            zorder=look.zorder,
            label=look.label,
        )
        labels.append(style.last_point(line, look.label, look.ink))
    return labels


def _draw_fits(ax: Axes, fits: xarray.Dataset, name: str) -> list[CurveLabel | None]:
    """Draw the fits as marks alone, hollow where the model is unstable."""
    labels = []
    for model in map(str, fits.model.values):
        look, row = look_of(model), fits.sel(model=model)
        x, y = row.Delta.values, row[name].values
        error = np.nan_to_num(row[f"{name}_error"].values)
        ax.errorbar(x, y, error, fmt="none", ecolor=look.color, elinewidth=0.8)
        (marks,) = ax.plot(
            x,
            y,
            color=look.color,
            linestyle="none",
            marker=look.marker,
            markersize=3.2,
            markeredgewidth=0.0,
            zorder=look.zorder,
            label=f"{look.label}, fit",
        )
        style.draw_hollow(ax, look, x, y, row.unstable.values.astype(bool))
        labels.append(style.last_point(marks, f"{look.label}, fit", look.ink))
    return labels


def _findings(exact: xarray.Dataset, fits: xarray.Dataset) -> str:
    """What the exact values say of the paper's claims, in numbers; empty without a reference."""
    if not {"reference", "R0", "R2"} <= set(map(str, exact.model.values)):
        return ""
    at, fitted = (x.sel(Delta=_OF_FIT, method="nearest") for x in (exact, fits))
    off = fitted.sel(model="reference") / at.sel(model="reference") - 1.0
    early = exact.kurtosis.sel(Delta=_SHORT, method="nearest")
    values = ", ".join(
        f"{float(early.sel(model=model)):.2f} {look_of(model).label}"
        for model in ("reference", "R0", "R2")
    )
    of_R0 = exact.adc.sel(model="R0")
    spread = float(of_R0.max() - of_R0.min()) <= 1e-6 * float(of_R0.max())
    said = spread and of_R0.size > 1
    constant = rf"R0's exact ADC is {float(of_R0[0]):.5f} at every $\Delta$" if said else ""
    fit = (
        f"the fit to Ref is off by {100 * float(off.adc):+.1f} % in ADC and "
        f"{100 * float(off.kurtosis):+.0f} % in AK"
    ).replace("-", "\N{MINUS SIGN}")
    last = [constant, rf"AK at $\Delta$ = {float(early.Delta):g} ms: {values}"]
    return "\n".join(
        ("", rf"at $\Delta$ = {float(at.Delta):g} ms {fit}", "; ".join(filter(None, last)))
    )


def _both(exact: xarray.Dataset, fits: xarray.Dataset) -> xarray.Dataset:
    """Exact values, and those of the fits with a prefix."""
    wanted = [f"{name}{suffix}" for name in _QUANTITIES for suffix in ("", "_error")]
    joined = exact[wanted].drop_vars("panel")
    for name in wanted:
        values = fits[name]
        long_name = f"{values.attrs['long_name']}, fitted along b"
        joined[f"fitted_{name}"] = values.drop_vars("panel").assign_attrs(long_name=long_name)
    return joined.assign(unstable=fits.unstable.drop_vars("panel"))
