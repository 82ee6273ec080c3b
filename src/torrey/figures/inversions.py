"""Figures of inversions: what biases recovered parameters, and what noise adds."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.style import PAGE, CurveLabel, Look, styled
from torrey.models.registry import kind_of

Array = NDArray[np.float64]

_PROJECTED: Final = dict.fromkeys(
    kind_of("P0").names(), Look("#009E73", "#00795A", "o", "-", size=4.0, zorder=2.5)
)
"""One look for projected models of all orders."""
_IDENTITY: Final = "#B0B0B0"

# ---- recovered against true permeability ----

#: Values of kappa that are drawn, in units of the true ones.
_SHOWN: Final = (0.3, 40.0)
#: Errors of the radius that are drawn (%), and the largest on the linear part of the axis.
_RADIUS_SHOWN: Final = 40.0
_RADIUS_LINEAR: Final = 0.1
_LINEAR: Final = "#ECECEC"
_FILLED: Final[dict[str, Any]] = {"label": "_beyond"}
_HOLLOW: Final[dict[str, Any]] = {"label": "_bound", "markerfacecolor": "white"}


@styled
def inversion_bias(files: FigureFiles) -> Drawing:
    """Recovered over true permeability by model, one panel per set of fitted parameters.

    Where the radius is one of them, a second panel shows its error.
    """
    fits = {name: _read_physical(path) for name, path in files.files["fit"].items()}
    panels = [(_draw_recovered, data) for data in fits.values()]
    panels += [(_draw_radius, data) for data in fits.values() if "radius" in data.parameter]
    rows = -(-len(panels) // 2)
    figure = style.new_figure(PAGE, (0.06 + 0.4 * rows) * PAGE)
    axes = figure.subplots(rows, min(len(panels), 2), squeeze=False).ravel()
    for ax in axes[len(panels) :]:
        ax.remove()
    for ax, letter, (draw, data) in zip(axes, style.letters(len(panels)), panels, strict=False):
        draw(ax, data)
        style.panel_title(ax, letter, _unknowns(data))
    _explain_models(figure, fits)
    return Drawing(figure, _bias_group(fits))


def _read_physical(path: str) -> xarray.Dataset:
    data = artifacts.open_dataset(path)
    if "kappa" not in data.get("parameter", ()):
        raise ValueError(f"{path}: the figure shows recovered permeabilities, found none")
    kappa = data.sel(parameter="kappa")
    # On a bound the fit has found no value: it would be larger without end.
    open_ended = (kappa.at_bound == 1) & (kappa.estimate > kappa.truth)
    data = data.assign(
        ratio=(kappa.estimate / kappa.truth).where(~open_ended, np.inf), ratio_bound=kappa.at_bound
    )
    if "radius" in data.parameter:
        radius = data.sel(parameter="radius")
        error = radius.estimate / radius.truth - 1.0
        data = data.assign(radius_error=error, radius_bound=radius.at_bound)
    return data


def _draw_recovered(ax: Axes, data: xarray.Dataset) -> None:
    x = 1e-3 * data.permeability.values
    ax.set(xscale="log", yscale="log", ylim=_SHOWN, xlabel=r"true $\kappa$ (m/s)")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ticks = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
    ax.yaxis.set_major_locator(FixedLocator(list(ticks)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylabel(r"$\kappa$ recovered / $\kappa$ true")
    ax.axhline(1.0, color=_IDENTITY, linewidth=0.8, zorder=1.0, label="_identity")
    _draw_models(ax, x, data.ratio, data.ratio_bound, _SHOWN)


def _draw_radius(ax: Axes, data: xarray.Dataset) -> None:
    ax.set(xscale="log", xlabel=r"true $\kappa$ (m/s)")
    band = rf"linear within $\pm${_RADIUS_LINEAR:g} (grey)"
    ax.set_ylabel(r"$R$ recovered / $R$ true $-$ 1 (%)" + f"\n{band}")
    ax.axhspan(-_RADIUS_LINEAR, _RADIUS_LINEAR, color=_LINEAR, linewidth=0.0, zorder=0)
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_yscale("symlog", linthresh=_RADIUS_LINEAR, linscale=0.5)
    ax.set_ylim(-_RADIUS_SHOWN, _RADIUS_SHOWN)
    ticks = (0.1, 1.0, 10.0)
    ax.yaxis.set_major_locator(FixedLocator([*(-t for t in ticks), 0.0, *ticks]))
    ax.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\u2212"))
    )
    ax.yaxis.set_minor_locator(NullLocator())
    ax.axhline(0.0, color=_IDENTITY, linewidth=0.8, zorder=1.0, label="_identity")
    # A radius on the end of its bracket would be farther.
    error = data.radius_error.where(data.radius_bound == 0, np.sign(data.radius_error) * np.inf)
    limits = (-_RADIUS_SHOWN, _RADIUS_SHOWN)
    x = 1e-3 * data.permeability.values
    _draw_models(ax, x, 100.0 * error, data.radius_bound, limits)


def _draw_models(
    ax: Axes,
    x: Array,
    table: xarray.DataArray,
    bound: xarray.DataArray,
    shown: tuple[float, float],
) -> None:
    """One curve per model, and marks for what lies beyond the axes or on a bound of the fit."""
    labels: list[CurveLabel | None] = []
    for model in map(str, table.model.values):
        look = _look(model)
        values = table.sel(model=model).values
        on_bound = bound.sel(model=model).values == 1
        inside = (values >= shown[0]) & (values <= shown[1]) & ~on_bound
        (line,) = ax.plot(
            x,
            np.where(inside, values, np.nan),
            color=look.color,
            linestyle=look.linestyle,
            linewidth=look.width,
            marker=look.marker,
            markersize=look.size,
            markeredgewidth=0.0,
            zorder=look.zorder,
            label=model,
        )
        labels.append(style.last_point(line, look.label, look.ink))
        _mark_beyond(ax, look, x, values, on_bound, shown)
    style.label_ends(ax, labels)


def _mark_beyond(
    ax: Axes,
    look: Look,
    x: Array,
    values: Array,
    on_bound: NDArray[np.bool_],
    shown: tuple[float, float],
) -> None:
    """Mark what the curve leaves out, on the border where it lies beyond it.

    Filled arrows for values beyond the axes, hollow ones where the fit ended on a bound, crosses
    where there is no fit.
    """
    paint: dict[str, Any] = {"color": look.color, "linestyle": "none", "clip_on": False}
    middle = np.where(on_bound & (values >= shown[0]) & (values <= shown[1]), values, np.nan)
    for where, place, marker in (
        (values > shown[1], np.full_like(values, shown[1]), "^"),
        (values < shown[0], np.full_like(values, shown[0]), "v"),
        (np.isfinite(middle), middle, "D"),
    ):
        for chosen, kind in ((where & ~on_bound, _FILLED), (where & on_bound, _HOLLOW)):
            if chosen.any():
                ax.plot(x[chosen], place[chosen], marker=marker, markersize=4.0, **kind, **paint)
    missing = np.isnan(values)
    if missing.any():
        at = np.full(int(missing.sum()), shown[1])
        ax.plot(x[missing], at, marker="x", markersize=4.0, label="_missing", **paint)


def _look(model: str) -> Look:
    return style.look_of(model, _PROJECTED)


_SYMBOLS: Final = {
    "kappa": r"$\kappa$",
    "radius": "$R$",
    "D_e": r"$D_e$",
    "D_c": r"$D_c$",
    "eta_e": r"$\eta_e$",
    "eta_c": r"$\eta_c$",
    "theta_c": r"$\theta_c$",
    "D_e_xx": r"$D_{e,xx}$",
    "D_e_xy": r"$D_{e,xy}$",
    "D_e_yx": r"$D_{e,yx}$",
    "D_e_yy": r"$D_{e,yy}$",
}


def _unknowns(data: xarray.Dataset) -> str:
    names = [_SYMBOLS[str(name)] for name in data.parameter.values]
    return f"unknown: {', '.join(names)}"


def _explain_models(figure: Figure, fits: dict[str, xarray.Dataset]) -> None:
    first = next(iter(fits.values()))
    period = style.period_text(float(first.period))
    entries: list[Line2D] = [Line2D([], [], color=_IDENTITY, linewidth=0.8, label="no bias")]
    marks = {line.get_label() for ax in figure.axes for line in ax.lines}
    for name, marker, face, text in (
        ("_beyond", "^", style.GREY, "beyond the axes"),
        ("_bound", "^", "white", "at a bound of the fit: no value"),
        ("_missing", "x", style.GREY, "no fit (unstable)"),
    ):
        if name in marks:
            paint: dict[str, Any] = {"marker": marker, "markerfacecolor": face, "markersize": 4.0}
            entries.append(Line2D([], [], color=style.GREY, linestyle="none", label=text, **paint))
    style.head(figure, f"signals of the reference, {period}", entries)


def _bias_group(fits: dict[str, xarray.Dataset]) -> Group:
    """Variables ``<quantity>_<inversion>``: each panel has parameters of its own."""
    group: dict[str, Variable] = {}
    for name, data in fits.items():
        along = (f"model_{name}", f"permeability_{name}")
        group[along[0]] = Variable(along[:1], data.model.values.astype(str), "", "model")
        group[along[1]] = Variable(
            along[1:], data.permeability.values, "um ms-1", "true permeability"
        )
        kappa = data.sel(parameter="kappa")
        columns = {
            "kappa": (kappa.estimate, "um ms-1", "recovered permeability"),
            "ratio": (data.ratio, "1", "recovered over true permeability"),
            "standard_error": (kappa.standard_error, "um ms-1", "standard error of kappa"),
            "at_bound": (data.ratio_bound, "1", "1 where the permeability is at a bound"),
        }
        if "radius_error" in data:
            columns["radius_error"] = (data.radius_error, "1", "relative error of the radius")
            text = "1 where the radius is at a bound"
            columns["radius_at_bound"] = (data.radius_bound, "1", text)
        for column, (values, units, text) in columns.items():
            group[f"{column}_{name}"] = Variable(
                along, values.values, units, text, {"allow_missing": True}
            )
    return group


# ---- noise ----

_DATA: Final = {
    "reference": Look("#0072B2", "#0072B2", "o", "-"),
    "R0": Look("#D55E00", "#B84F00", "s", "--"),
}
#: Shares of the repeats below and above the band: one standard deviation of a normal spread.
_BAND: Final = (0.1587, 0.8413)


@styled
def inversion_noise(files: FigureFiles) -> Drawing:
    """Errors of estimates against the signal-to-noise ratio, one panel per parameter."""
    ((name, path),) = files.files["fit"].items()
    data = artifacts.open_dataset(path)
    if "noisy_estimate" not in data:
        raise ValueError(f"{name}: the figure shows estimates from signals with noise, found none")
    shown = _shown_parameters(data)
    figure = style.new_figure(PAGE, 0.34 * PAGE)
    axes = figure.subplots(1, len(shown), sharex=True, squeeze=False)[0]
    quantiles = _quantiles(data)
    for ax, letter, parameter in zip(axes, style.letters(len(shown)), shown, strict=True):
        _draw_noise(ax, quantiles.sel(parameter=parameter))
        style.panel_title(ax, letter, _SYMBOLS.get(parameter, parameter))
    axes[0].set_ylabel("estimate / truth $-$ 1 (%)")
    _explain_noise(figure, data)
    return Drawing(figure, _noise_group(quantiles.sel(parameter=shown)))


def _shown_parameters(data: xarray.Dataset) -> list[str]:
    """Those that can be identified; one of D_e_xx and D_e_yy where the cell makes both the same."""
    found = [
        str(p)
        for p in data.parameter.values
        if bool((data.sel(parameter=p).identifiable == 1).all())
    ]
    x, y = "D_e_xx", "D_e_yy"
    if {x, y} <= set(found):
        along_x, along_y = (float(data.truth.sel(parameter=p)) for p in (x, y))
        if np.isclose(along_x, along_y, rtol=_SAME):
            found.remove(y)
    return found


#: How much truths may differ that the symmetry of a cell makes the same, and its mesh does not.
_SAME: Final = 1e-4


def _quantiles(data: xarray.Dataset) -> xarray.Dataset:
    """Median and band of the relative errors over the repeats, and the errors without noise."""
    relative = data.noisy_estimate / data.truth - 1.0
    low, middle, high = (
        relative.quantile(share, "repeat", skipna=False).drop_vars("quantile")
        for share in (_BAND[0], 0.5, _BAND[1])
    )
    linear = data.noise_standard_error / np.abs(data.truth)
    return xarray.Dataset(
        {
            "low": low,
            "median": middle,
            "high": high,
            "linear": linear,
            "noiseless": data.bias / data.truth,
        }
    )


def _draw_noise(ax: Axes, data: xarray.Dataset) -> None:
    snr = data.snr.values
    ax.set(xscale="log", xlabel="signal-to-noise ratio")
    ax.xaxis.set_major_locator(FixedLocator(list(snr)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.axhline(0.0, color=_IDENTITY, linewidth=0.8, zorder=1.0, label="_zero")
    for shift, name in _shifted(data):
        look, row = _look_of_data(name), data.sel(data=name)
        x = snr * shift
        middle = 100.0 * row["median"].values
        bars = np.abs(100.0 * np.array([row.low.values, row.high.values]) - middle)
        ax.errorbar(
            x,
            middle,
            bars,
            fmt=look.marker,
            color=look.color,
            markersize=look.size + 0.6,
            markeredgewidth=0.0,
            elinewidth=1.0,
            capsize=1.5,
            zorder=look.zorder,
            label=name,
        )
        ax.axhline(
            100.0 * float(row.noiseless),
            color=look.color,
            linestyle=":",
            linewidth=1.0,
            zorder=2.0,
            label="_noiseless",
        )
    _limit(ax, data)
    _mark_cut(ax, data)


def _mark_cut(ax: Axes, data: xarray.Dataset) -> None:
    """Arrows on the border where a bar goes on beyond it."""
    low, high = ax.get_ylim()
    for shift, name in _shifted(data):
        row, look = data.sel(data=name), _look_of_data(name)
        for cut, place, marker in (
            (100.0 * row.high.values > high, high, "^"),
            (100.0 * row.low.values < low, low, "v"),
        ):
            if cut.any():
                x = data.snr.values[cut] * shift
                paint: dict[str, Any] = {"color": look.color, "linestyle": "none"}
                at = np.full(len(x), place)
                ax.plot(x, at, marker=marker, ms=4.0, clip_on=False, label="_cut", **paint)


def _shifted(data: xarray.Dataset) -> list[tuple[float, str]]:
    """Names of the signals fitted, and the factors by which their marks stand side by side."""
    names = [str(name) for name in data.data.values]
    shifts = 1.06 ** np.linspace(-1.0, 1.0, len(names))
    return list(zip(shifts.tolist(), names, strict=True))


def _look_of_data(name: str) -> Look:
    return style.look_of(name, _DATA)


def _limit(ax: Axes, data: xarray.Dataset) -> None:
    """Axes that show the errors of all but the noisiest signals in full."""
    calm = data.isel(snr=slice(1, None)) if data.sizes["snr"] > 2 else data
    reach = 100.0 * float(np.abs(np.stack([calm.low, calm.high])).max())
    ax.set_ylim(-1.6 * reach, 1.6 * reach)


def _explain_noise(figure: Figure, data: xarray.Dataset) -> None:
    kind = str(data.snr.attrs.get("noise", "")).capitalize()
    entries: list[Line2D | Patch] = []
    for name in map(str, data.data.values):
        look = _look_of_data(name)
        mark: dict[str, Any] = {"marker": look.marker, "markersize": 4.0, "linewidth": 1.0}
        entries.append(Line2D([], [], color=look.color, label=f"signals of {look.label}", **mark))
    repeats = data.sizes["repeat"]
    entries += [
        Line2D(
            [],
            [],
            color=style.GREY,
            marker="|",
            markersize=7.0,
            linestyle="none",
            label=f"median, 68 % of {repeats} repeats, {kind} noise",
        ),
        Line2D([], [], color=style.GREY, linestyle=":", label="without noise"),
    ]
    if any(line.get_label() == "_cut" for ax in figure.axes for line in ax.lines):
        cut: dict[str, Any] = {"marker": "^", "markersize": 4.0, "linestyle": "none"}
        entries.append(Line2D([], [], color=style.GREY, label="cut by the axes", **cut))
    style.head(figure, "", entries)


def _noise_group(data: xarray.Dataset) -> Group:
    texts = {
        "low": "relative error that a sixth of the repeats is below",
        "median": "median of the relative error over the repeats",
        "high": "relative error that a sixth of the repeats is above",
        "linear": "standard error from the Jacobian, relative",
        "noiseless": "relative error without noise",
    }
    group = {
        name: Variable(
            tuple(map(str, data[name].dims)), data[name].values, "1", text, {"allow_missing": True}
        )
        for name, text in texts.items()
    }
    for name, text in (("data", "signals fitted"), ("parameter", "parameter")):
        group[name] = Variable((name,), data[name].values.astype(str), "", text)
    group["snr"] = Variable(("snr",), data.snr.values, "1", "signal-to-noise ratio")
    return group
