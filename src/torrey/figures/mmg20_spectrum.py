"""Figures 8 to 10 of MMG20: the spectrum of the Bloch-Torrey operator and its eigenmodes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from numpy.typing import NDArray

from torrey.figures import style
from torrey.figures.cells import draw_box
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.fields import draw_field
from torrey.figures.panels import only_table, to_group
from torrey.figures.style import GREY, LEAF, PAGE, SMALL, CurveLabel, styled

Array = NDArray[np.float64]

# Okabe and Ito; more branches than colours repeat them with another dash.
_COLORS: Final = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#56B4E9", "#7F2704", "#6A51A3",
)  # fmt: skip
_DASHES: Final = ("-", (0, (5, 1.2)), (0, (1.5, 1.0)))
#: Range of figure 8, in units of D / a^3 and D / a^2, and the gradients of figure 10.
_NARROW: Final = (180.0, 130.0)
_MODE_LENGTHS: Final = (0.3, 0.2)
#: How far from half a step an imaginary part may be, in steps, to be that of a mode between cells.
_BETWEEN: Final = 5e-4
_GRADIENT: Final = r"$(a/\ell_g)^3$"


@styled
def fig8(files: FigureFiles) -> Drawing:
    """Real and imaginary parts of the lowest eigenvalues against the gradient."""
    return _spectrum(files, *_NARROW)


@styled
def fig9(files: FigureFiles) -> Drawing:
    """The same over a wider range of gradients, with more branches."""
    return _spectrum(files, None, None)


def _spectrum(files: FigureFiles, widest: float | None, highest: float | None) -> Drawing:
    data = _scaled(only_table(files, "spectrum"))
    if widest is None or highest is None:
        widest = float(data.gradient_scaled.max())
        highest = 1.05 * float(data.mu_real.max())
    figure = style.new_figure(PAGE, 0.95 * PAGE)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1.25, 1.0))
    left = -0.035 * widest
    top.set(xlim=(left, widest), ylim=(0.0, highest), ylabel=r"Re $\mu_n\,a^2/D_0$")
    limit = 0.75 * widest
    bottom.set(ylim=(-limit, limit), ylabel=r"Im $\mu_n\,a^2/D_0$", xlabel=_GRADIENT)
    x, steps = data.gradient_scaled.values, data.imag_step.values
    labels = []
    for n in range(data.sizes["branch"]):
        color, dash = _COLORS[n % len(_COLORS)], _DASHES[n // len(_COLORS) % len(_DASHES)]
        real, imag = data.mu_real.values[n], _settled(data.mu_imag.values[n], steps)
        imag = np.where(real <= highest, imag, np.nan)
        top.plot(x, real, color=color, linestyle=dash)
        for k in (-1, 0, 1):
            copy = _unbroken(imag + k * steps, steps)
            bottom.plot(x, copy, color=color, linestyle=dash, linewidth=1.3 if k == 0 else LEAF)
        labels.append(_end(x, real, widest, highest, str(n + 1), color))
    _draw_bands(top, data, left, 0.11 * widest)
    lowest = float(data.band_mean_scaled.min())
    floor = np.concatenate([[lowest], data.floor_scaled.values])
    top.plot(np.concatenate([[0.0], x]), floor, color="black", linewidth=2.5, zorder=4)
    _mark_meetings(top, bottom, data)
    for length in _MODE_LENGTHS if widest < 500 else ():
        for ax in (top, bottom):
            ax.axvline(length**-3, color=GREY, linewidth=LEAF, linestyle=(0, (4, 3)), zorder=1)
        text = rf"$\ell_g/a$ = {length:g}"
        style.note(
            top, (length**-3 - left) / (widest - left) - 0.006, 0.53, text, rotation=90,
            horizontalalignment="right", verticalalignment="top",
        )  # fmt: skip
    style.label_ends(top, _merged(labels))
    style.panel_title(
        top,
        "a",
        r"bars: bands at $g=0$; dashes: their means (58); black line: numerical floor (48)",
    )
    style.panel_title(bottom, "b", r"thin lines: the same modes one cell away, $\pm\,g a$")
    return Drawing(figure, to_group(data, [str(name) for name in data.data_vars]))


def _scaled(data: xarray.Dataset) -> xarray.Dataset:
    """Eigenvalues in units of D / a^2, gradients in units of D / a^3."""
    L, D = float(data.length), float(data.diffusivity)
    time, force = L**2 / D, L**3 / D

    def named(values: xarray.DataArray, factor: float, name: str) -> xarray.DataArray:
        return (factor * values).assign_attrs(units="1", long_name=name)

    return xarray.Dataset(
        {
            "gradient_scaled": named(data.gradient.reset_coords(drop=True), force, "(a/l_g)^3"),
            "mu_real": named(data.eigenvalue_real, time, "Re mu a^2/D"),
            "mu_imag": named(data.eigenvalue_imag, time, "Im mu a^2/D"),
            "imag_step": named(data.imaginary_step, time, "step of Im mu a^2/D"),
            "floor_scaled": named(data.floor, time, "numerical floor of Re mu a^2/D"),
            "band_scaled": named(data.band, time, "bands a^2/D"),
            "band_mean_scaled": named(data.band_mean, time, "means of the bands a^2/D"),
            "branching_place": named(data.branching_gradient, force, "branching points (a/l_g)^3"),
            "branching_real": named(data.branching_eigenvalue_real, time, "Re mu a^2/D there"),
            "branching_imag": named(data.branching_eigenvalue_imag, time, "Im mu a^2/D there"),
        }
    ).drop_vars(["gradient", "wave_number"], errors="ignore")


def _settled(values: Array, steps: Array) -> Array:
    """A mode between two cells belongs to the left one, whatever rounding says."""
    between = np.abs(np.abs(values) / steps - 0.5) < _BETWEEN
    return np.where(between, np.abs(values), values)


def _unbroken(values: Array, steps: Array) -> Array:
    """No line where a branch goes on one cell away."""
    jumps = np.flatnonzero(np.abs(np.diff(values)) > 0.6 * steps[1:])
    result = values.copy()
    result[jumps + 1] = np.nan
    return result


def _draw_bands(ax: Axes, data: xarray.Dataset, left: float, reach: float) -> None:
    rates, means = data.band_scaled.values, data.band_mean_scaled.values
    for n in range(rates.shape[1]):
        color = _COLORS[n % len(_COLORS)]
        # Bands that overlap stand side by side.
        place = left * (0.35 + 0.35 * (n % 2))
        ax.plot([place, place], [rates[:, n].min(), rates[:, n].max()], color=color, linewidth=2.5,
                solid_capstyle="butt")  # fmt: skip
        ax.plot([0.0, reach], [means[n]] * 2, color=color, linewidth=0.8, linestyle=(0, (3, 2)))


def _mark_meetings(top: Axes, bottom: Axes, data: xarray.Dataset) -> None:
    place = data.branching_place.values
    look: dict[str, Any] = {
        "linestyle": "none", "marker": "o", "markersize": 4.0, "markerfacecolor": "white",
        "markeredgecolor": "black", "markeredgewidth": 0.8, "zorder": 6,
    }  # fmt: skip
    top.plot(place, data.branching_real.values, **look)
    bottom.plot(place, data.branching_imag.values, **look)


def _end(
    x: Array, y: Array, widest: float, highest: float, text: str, color: str
) -> CurveLabel | None:
    """Label at the right side for a branch that reaches it."""
    inside = np.flatnonzero((x <= widest * (1 + 1e-9)) & np.isfinite(y))
    if not len(inside) or x[inside[-1]] < 0.93 * widest or y[inside[-1]] > highest:
        return None
    return CurveLabel(float(x[inside[-1]]), float(y[inside[-1]]), text, color)


def _merged(labels: list[CurveLabel | None]) -> list[CurveLabel | None]:
    """One label for branches that end at one place."""
    result: list[CurveLabel | None] = []
    for label in labels:
        if label is None:
            continue
        last = next((i for i, o in enumerate(result) if o and abs(o.y / label.y - 1) < 1e-6), None)
        if last is None:
            result.append(label)
        else:
            other = result[last]
            assert other is not None
            result[last] = CurveLabel(other.x, other.y, f"{other.text}, {label.text}", other.color)
    return result


@styled
def fig10(files: FigureFiles) -> Drawing:
    """First eigenmodes below and above a branching point."""
    data = only_table(files, "modes")
    count, rows = data.sizes["mode"], data.sizes["gradient"]
    figure = style.new_figure(PAGE, 0.094 * PAGE * 2 * rows + 0.05 * PAGE)
    figure.set_layout_engine("compressed")
    figure.set_dpi(300)
    axes = figure.subplots(2 * rows, count, squeeze=False)
    L, D = float(data.length), float(data.diffusivity)
    places, elements = data.place.values, data.element_node.values
    shifts = data["shift"].values.astype(float)
    for i in range(rows):
        length = (L**3 * float(data.gradient[i]) / D) ** (-1 / 3)
        fields = data.mode_real.values[i] + 1j * data.mode_imag.values[i]
        fields = fields * _signs(fields, places)[:, None, None]
        for n in range(count):
            limit = float(np.abs(fields[n]).max())
            mu = complex(data.eigenvalue_real[i, n], data.eigenvalue_imag[i, n]) * L**2 / D
            for j, part in enumerate((fields[n].real, fields[n].imag)):
                ax = axes[2 * i + j, n]
                picture = draw_field(
                    ax, places, elements, part / limit, shifts, cmap="RdBu_r", vmin=-1, vmax=1
                )
                draw_box(ax, width=0.8)
                ax.set(xticks=(), yticks=(), xlim=(-1, 2), ylim=(0, 1))
                ax.spines[:].set_visible(False)
                if n == 0:
                    ax.set_ylabel(("Re", "Im")[j], rotation=0, ha="right", va="center")
            text = rf"$v_{n + 1}$, $\mu$ = {_complex_text(mu)}"
            axes[2 * i, n].set_title(text, fontsize=SMALL, loc="center", pad=2.5)
        figure_letter = style.letters(rows)[i]
        axes[2 * i, 0].annotate(
            rf"$\bf{{({figure_letter})}}$  $\ell_g/a$ = {length:.3g}", (0.0, 1.42),
            xycoords="axes fraction", fontsize=SMALL + 1.0, annotation_clip=False,
        )  # fmt: skip
    figure.colorbar(
        picture, ax=axes, shrink=0.5, aspect=30, ticks=(-1, 0, 1), label=r"$v_n$ / max $|v_n|$"
    )
    names = ("mode_real", "mode_imag", "eigenvalue_real", "eigenvalue_imag", "place", "shift")
    return Drawing(figure, to_group(data, names))


def _signs(fields: NDArray[np.complex128], places: Array) -> Array:
    """Signs that make the real parts of modes positive, on the upper side if they are odd."""
    weights = 1.0 + 0.5 * places[:, 1]
    signs: Array = np.sign((fields.real * np.abs(fields.real) @ weights).sum(axis=1))
    return signs


def _complex_text(value: complex) -> str:
    if abs(value.imag) < 1e-3 * abs(value):
        return f"{value.real:.2f}"
    sign = "+" if value.imag > 0 else "-"
    return f"{value.real:.2f} {sign} {abs(value.imag):.2f} i"
