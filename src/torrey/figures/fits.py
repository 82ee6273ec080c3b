"""Figures of fits of measured signals: maps of volumes, estimates of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.profile_curves import curve_group, curve_samples, draw_curves, has_curves
from torrey.figures.style import PAGE, styled
from torrey.inversion.problem import EACH
from torrey.inversion.table_report import STATUS_FLAGS, volume_of

Array = NDArray[np.float64]

#: Slices that are shown of a volume, and voxels of a table that have room for their names.
_SLICES, _NAMED = 4, 12
#: Panels beside each other, and samples of lines.
_COLUMNS, _IN_A_ROW = 2, 4
#: Part of the values whose range a colour bar spans: what is left lies beyond its ends.
_SPAN: Final = (2.0, 98.0)
#: Part of the height of axes that is added where bars are open.
_OPEN_ROOM: Final = 0.15
_EMPTY: Final = "#FFFFFF"
_LOST: Final = "#B0B0B0"
_MAPS: Final = "viridis"
_ERRORS: Final = "cividis"
_MISSING: Final = {"allow_missing": True}
#: Correlation from which on a number is written in white.
_DARK: Final = 0.6
_SYMBOLS: Final = {
    "D_e": r"$D_e$",
    "D_c": r"$D_c$",
    "D_i": r"$D_i$",
    "D_e_par": r"$D_{e,\parallel}$",
    "D_e_perp": r"$D_{e,\perp}$",
    **{f"D_e_{ij}": rf"$D_{{e,{ij}}}$" for ij in ("xx", "yy", "zz", "xy", "xz", "yz")},
    "f": r"$f$",
    "f_s": r"$f_s$",
    "R_s": r"$R_s$",
    "t_ex": r"$t_{ex}$",
    "ADC": "ADC",
    "AXR": "AXR",
    "sigma": r"$\sigma$",
    "kappa": r"$\kappa$",
    "radius": r"$R$",
}
_UNITS: Final = {
    "um2 ms-1": r"$\mu$m$^2$/ms",
    "ms": "ms",
    "ms-1": "1/ms",
    "um": r"$\mu$m",
    "um ms-1": r"$\mu$m/ms",
    "1": "",
}


def own_maps(files: FigureFiles, settings: Mapping[str, Any]) -> Drawing:
    """Draw an inversion of one's own as `fit_maps` does; its kind has no settings."""
    del settings
    return fit_maps(files)


@styled
def own_fit(files: FigureFiles, settings: Mapping[str, Any]) -> Drawing:
    """Estimates as `fit_estimates` shows them, and their correlation; its kind has no settings."""
    del settings
    return _estimates(files, correlated=True)


@styled
def fit_maps(files: FigureFiles) -> Drawing:
    """Maps of each parameter in some slices, and of its error in the middle one."""
    ((_, path),) = files.files["fit"].items()
    data = artifacts.open_dataset(path)
    maps = _maps_of(data)
    rows, count = len(maps.parameters), len(maps.slices)
    left, right, low, high = maps.window
    tall = maps.aspect * (high - low) / (right - left)
    # Bars with their numbers are about as wide as two maps.
    width = PAGE / (count + 2.6)
    figure = style.new_figure(PAGE, rows * (width * min(max(tall, 0.6), 1.6) + 0.08) + 0.45)
    axes = figure.subplots(rows, count + 1, squeeze=False)
    for i, name in enumerate(maps.parameters):
        _draw_row(figure, list(axes[i]), maps, i, name)
        for ax in axes[i]:
            ax.set(xlim=(left, right), ylim=(low, high))
    for j, number in enumerate(maps.slices):
        axes[0, j].set_title(f"slice {number}", loc="center", fontsize=style.SMALL)
    middle = maps.slices[count // 2]
    axes[0, -1].set_title(f"error, slice {middle}", loc="center", fontsize=style.SMALL)
    _explain(figure, data)
    return Drawing(figure, maps.group())


@dataclass(frozen=True)
class _Maps:
    """What is shown: (parameter, slice, y, x), and errors and voxels without a value of that.

    The aspect is that of the sides of a voxel, y over x; the window is what holds all voxels of the
    mask: from and to along x, then along y.
    """

    parameters: tuple[str, ...]
    units: tuple[str, ...]
    slices: tuple[int, ...]
    estimate: Array
    error: Array
    lost: Array
    aspect: float
    window: tuple[float, float, float, float]

    def group(self) -> Group:
        """Variables of the file beside the figure."""
        over = ("parameter", "slice", "y", "x")
        missing = {"allow_missing": True}
        return {
            "parameter": Variable(("parameter",), list(self.parameters), "", "parameter"),
            "parameter_unit": Variable(("parameter",), list(self.units), "", "its unit"),
            "slice": Variable(("slice",), np.array(self.slices), "1", "number of the slice"),
            "estimate": Variable(over, self.estimate, EACH, "map of the parameter", missing),
            "standard_error": Variable(over, self.error, EACH, "map of its error", missing),
        }


def _maps_of(data: xarray.Dataset) -> _Maps:
    names = tuple(map(str, data.parameter.values))
    index, shape = data["index"].values, data["shape"].values.tolist()
    filled = np.unique(index[:, 2])
    count = min(_SLICES, len(filled))
    # In the middles of equal parts: the outermost slices of a volume hold next to nothing.
    chosen = np.unique(((np.arange(count) + 0.5) * len(filled) / count - 0.5).round())
    slices = tuple(int(filled[int(i)]) for i in chosen)

    def cut(values: NDArray[Any]) -> Array:
        volume = volume_of(values, index, shape)[:, :, list(slices)]
        return np.asarray(volume.transpose(2, 1, 0))

    inside = cut(np.ones(len(index)))
    estimate = np.array([cut(data[name].values) for name in names])
    error = np.array([cut(data[f"{name}_error"].values) for name in names])
    lost = np.isfinite(inside) & ~np.isfinite(estimate)
    units = tuple(str(data[name].attrs["units"]) for name in names)
    sides = np.linalg.norm(data.affine.values[:3, :2], axis=0)
    aspect = float(sides[1] / sides[0]) if np.all(sides > 0) else 1.0
    (left, low), (right, high) = index[:, :2].min(axis=0) - 1.0, index[:, :2].max(axis=0) + 1.0
    window = (float(left), float(right), float(low), float(high))
    return _Maps(names, units, slices, estimate, error, lost.astype(float), aspect, window)


def _draw_row(figure: Figure, axes: list[Axes], maps: _Maps, i: int, name: str) -> None:
    """The slices of one parameter with their bar, and its error with another."""
    *slices, last = axes
    picture = None
    for j, ax in enumerate(slices):
        picture = _picture(
            ax, maps.estimate[i, j], maps.lost[i, j], maps.estimate[i], _MAPS, maps.aspect
        )
    label = labelled(name, maps.units[i])
    axes[0].set_ylabel(label)
    _bar(figure, picture, slices[-1])
    middle = len(slices) // 2
    shown = maps.error[i, middle]
    lost = maps.lost[i, middle] + (np.isfinite(maps.estimate[i, middle]) & ~np.isfinite(shown))
    picture = _picture(last, shown, lost, maps.error[i], _ERRORS, maps.aspect)
    _bar(figure, picture, last)


def _picture(
    ax: Axes, values: Array, lost: Array, all_values: Array, colors: str, aspect: float
) -> Any:
    """One slice: voxels outside the mask are white, those without a value grey."""
    known = all_values[np.isfinite(all_values)]
    low, high = np.percentile(known, _SPAN) if len(known) else (0.0, 1.0)
    if not high > low:
        low, high = low - 0.5 * abs(low) - 1e-9, high + 0.5 * abs(high) + 1e-9
    grey = np.where(lost > 0, 1.0, np.nan)
    options: dict[str, Any] = {"origin": "lower", "interpolation": "none", "aspect": aspect}
    ax.imshow(grey, cmap=ListedColormap([_LOST]), **options)
    picture = ax.imshow(values, vmin=low, vmax=high, cmap=colors, **options)
    ax.xaxis.set_major_locator(NullLocator())
    ax.yaxis.set_major_locator(NullLocator())
    ax.set_facecolor(_EMPTY)
    ax.spines[:].set_visible(False)
    return picture


def _bar(figure: Figure, picture: Any, ax: Axes) -> None:
    bar = figure.colorbar(picture, ax=ax, shrink=0.85, aspect=14, pad=0.02, extend="both")
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_locator(MaxNLocator(4))
    bar.ax.tick_params(labelsize=style.SMALL - 1, length=2)


def labelled(name: str, unit: str) -> str:
    """Symbol of a parameter, with its unit unless that is one."""
    shown = _UNITS.get(unit, unit)
    symbol = _SYMBOLS.get(name, name.replace("_", " "))
    return f"{symbol} ({shown})" if shown else symbol


def _explain(figure: Figure, data: xarray.Dataset) -> None:
    counts = np.bincount(data.status.values, minlength=len(STATUS_FLAGS))
    fitted = int(counts[0] + counts[1])
    text = f"{data.attrs['model']}: {fitted:,} of {data.sizes['voxel']:,} voxels fitted"
    grey = Patch(facecolor=_LOST, label="no value: not identified, on a bound, or not fitted")
    style.head(figure, text, [grey])


# ---- estimates of a table ----


@styled
def fit_estimates(files: FigureFiles) -> Drawing:
    """Estimates of each parameter by voxel, with intervals or standard errors."""
    return _estimates(files, correlated=False)


def _estimates(files: FigureFiles, correlated: bool) -> Drawing:
    ((_, path),) = files.files["fit"].items()
    data = artifacts.open_dataset(path)
    names = tuple(map(str, data.parameter.values))
    beside = correlated and len(names) > 1
    curves = names if correlated and has_curves(data) else ()
    count = len(names) + beside + len(curves)
    figure, axes = _page(count)
    letters = style.letters(count)
    ends = np.array([_ends(data, name) for name in names])
    for ax in axes[1 : len(names)]:
        ax.sharex(axes[0])
    for ax, letter, name, end in zip(axes, letters, names, ends, strict=False):
        _draw_estimates(ax, data[name].values, end)
        style.panel_title(ax, letter)
        ax.set_ylabel(labelled(name, str(data[name].attrs["units"])))
    if beside:
        _draw_correlation(axes[len(names)], letters[len(names)], data, names)
    last = count - len(curves)
    for ax, letter, name in zip(axes[last:], letters[last:], curves, strict=True):
        draw_curves(ax, data, name, labelled(name, str(data[name].attrs["units"])))
        style.panel_title(ax, letter, "profile likelihood")
    lowest = max(0, len(names) - _COLUMNS)
    for ax in axes[:lowest]:
        ax.tick_params(labelbottom=False)
    for ax in axes[lowest : len(names)]:
        _name_voxels(ax, data)
    samples = [*_samples(data, names, ends), *(curve_samples(data) if curves else ())]
    style.head(figure, str(data.attrs["model"]), samples, min(len(samples), _IN_A_ROW))
    group = _estimates_group(data, names, ends)
    if beside:
        over, text = ("parameter", "other_parameter"), "correlation of the estimates, median"
        group |= {"correlation": Variable(over, _correlation(data), "1", text, _MISSING)}
    if curves:
        group |= curve_group(data, names)
    return Drawing(figure, group)


def _page(count: int) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels."""
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    figure = style.new_figure(PAGE, 0.45 + 1.5 * rows)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for ax in axes[count:]:
        ax.remove()
    return figure, axes[:count]


def _samples(data: xarray.Dataset, names: tuple[str, ...], ends: Array) -> list[Line2D]:
    """What marks mean."""
    kind = "interval of 95 %" if f"{names[0]}_lower" in data else "standard error"
    bar = Line2D([], [], color="#0072B2", marker="o", markersize=3.2, label=f"estimate, {kind}")
    entries = [bar]
    for i, (marker, way) in enumerate((("^", "up"), ("v", "down"))):
        if np.isinf(ends[:, 1 - i]).any():
            arrow: dict[str, Any] = {"marker": marker, "markersize": 4.0, "linestyle": "none"}
            text = f"open: {way} to a bound of the fit"
            entries.append(Line2D([], [], color="#0072B2", label=text, **arrow))
    if np.isnan(np.array([data[name].values for name in names])).any():
        cross: dict[str, Any] = {"marker": "x", "markersize": 4.0, "linestyle": "none"}
        entries.append(Line2D([], [], color=style.GREY, label="no value", **cross))
    return entries


def _correlation(data: xarray.Dataset) -> Array:
    """Median over the voxels that have one, shape (parameters, parameters)."""
    return np.asarray(data.correlation.median("voxel", skipna=True).values)


def _draw_correlation(ax: Axes, letter: str, data: xarray.Dataset, names: tuple[str, ...]) -> None:
    """Draw what the signals tell of one parameter only together with another."""
    values, count = _correlation(data), len(names)
    ax.imshow(values, vmin=-1.0, vmax=1.0, cmap="RdBu_r", aspect="auto", interpolation="none")
    for i, j in np.ndindex(values.shape):
        if np.isfinite(values[i, j]):
            color = "white" if abs(values[i, j]) > _DARK else "black"
            text = f"{values[i, j]:.2f}".replace("-", "\N{MINUS SIGN}")
            ax.text(j, i, text, color=color, ha="center", va="center", fontsize=style.SMALL)
    for edge in np.arange(count - 1) + 0.5:
        ax.axhline(edge, color="white", linewidth=1.0)
        ax.axvline(edge, color="white", linewidth=1.0)
    symbols = [labelled(name, "1") for name in names]
    ax.set_xticks(range(count), symbols)
    ax.set_yticks(range(count), symbols)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    voxels = f", median of {data.sizes['voxel']:,} voxels" if data.sizes["voxel"] > 1 else ""
    style.panel_title(ax, letter, f"correlation of the estimates{voxels}")


def _ends(data: xarray.Dataset, name: str) -> Array:
    """Ends of the bars, shape (2, voxels)."""
    if f"{name}_lower" in data:
        return np.array([data[f"{name}_lower"].values, data[f"{name}_upper"].values])
    value, error = data[name].values, data[f"{name}_error"].values
    return np.array([value - error, value + error])


def _draw_estimates(ax: Axes, values: Array, ends: Array) -> None:
    x = np.arange(len(values))
    good = np.isfinite(values)
    bars = np.where(np.isfinite(ends), np.abs(ends - values), 0.0)[:, good]
    blue = "#0072B2"
    ax.errorbar(
        x[good],
        values[good],
        bars,
        fmt="o",
        color=blue,
        markersize=3.2,
        elinewidth=1.0,
        capsize=1.5,
    )
    _mark_open_ends(ax, values, ends)
    if not good.all():
        low = ax.get_ylim()[0]
        lost = x[~good]
        ax.plot(lost, np.full(len(lost), low), "x", color=style.GREY, markersize=4.0, clip_on=False)
        ax.set_ylim(bottom=low)
    ax.set_xlim(-0.6, len(values) - 0.4)


def _mark_open_ends(ax: Axes, values: Array, ends: Array) -> None:
    """Bars that only a bound of the fit ends go on to the border, and have an arrow there.

    The axes are widened at that side, so that no arrow covers an estimate.
    """
    low, high = ax.get_ylim()
    room = _OPEN_ROOM * (high - low)
    below, above = (bool((np.isinf(end) & np.isfinite(values)).any()) for end in ends)
    limits = low - room * below, high + room * above
    for end, border, marker in zip(ends, limits, "v^", strict=True):
        x = np.flatnonzero(np.isinf(end) & np.isfinite(values))
        if len(x):
            paint: dict[str, Any] = {"color": "#0072B2", "clip_on": False}
            ax.vlines(x, values[x], border, linewidth=1.0, color="#0072B2")
            at = np.full(len(x), border)
            ax.plot(x, at, marker, markersize=4.0, label="_open", **paint)
    ax.set_ylim(limits)


def _name_voxels(ax: Axes, data: xarray.Dataset) -> None:
    if "voxel" in data.coords and data.sizes["voxel"] <= _NAMED:
        ax.set_xticks(
            range(data.sizes["voxel"]), [str(n).replace("_", " ") for n in data.voxel.values]
        )
        ax.tick_params(axis="x", rotation=30)
    ax.set_xlabel("voxel")


def _estimates_group(
    data: xarray.Dataset, names: tuple[str, ...], ends: Array
) -> dict[str, Variable]:
    over, missing = ("parameter", "voxel"), {"allow_missing": True}
    units = [str(data[name].attrs["units"]) for name in names]
    return {
        "parameter": Variable(("parameter",), list(names), "", "parameter"),
        "parameter_unit": Variable(("parameter",), units, "", "its unit"),
        "estimate": Variable(
            over, np.array([data[name].values for name in names]), EACH, "estimate", missing
        ),
        "lower": Variable(over, ends[:, 0], EACH, "lower end of the bar", missing),
        "upper": Variable(over, ends[:, 1], EACH, "upper end of the bar", missing),
    }
