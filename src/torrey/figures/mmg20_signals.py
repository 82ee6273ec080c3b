"""Figures 4 to 6 of MMG20: magnetisation after an echo, and signals with their limiting laws."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from torrey.base.stored import Variable
from torrey.bloch import laws
from torrey.figures import style
from torrey.figures.cells import draw_box
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.fields import draw_field, draw_phase
from torrey.figures.panels import only_table, to_group
from torrey.figures.style import PAGE, CurveLabel, styled

Array = NDArray[np.float64]

#: The cell and half of each neighbour.
_VIEW: Final = (-0.5, 1.5)
_COLORS: Final = ("#0072B2", "#009E73", "#B8860B", "#D55E00", "#CC79A7")
#: Width of the slab that MMG20 fit to (34), in units of the cell.
_SLAB: Final = 0.3
_TITLES: Final = (r"Re $m$", r"Im $m$", r"$|m|$", r"arg $m$")
_NAMES: Final[dict[tuple[int, ...], str]] = {
    (1, 0): "gradient along $x$",
    (1, 1): "gradient along the diagonal",
}


@styled
def fig4(files: FigureFiles) -> Drawing:
    """Magnetisation for a gradient along x."""
    return _maps(files, (1, 0))


@styled
def fig5(files: FigureFiles) -> Drawing:
    """Magnetisation for a gradient along the diagonal."""
    return _maps(files, (1, 1))


def _maps(files: FigureFiles, direction: tuple[int, int]) -> Drawing:
    data = _toward(only_table(files, "maps"), direction)
    rows = data.sizes["gradient_length"]
    figure = style.new_figure(PAGE, 0.27 * PAGE * rows + 0.02 * PAGE)
    figure.set_dpi(300)
    axes = figure.subplots(rows, 4, squeeze=False)
    for i in range(rows):
        row = data.isel(gradient_length=i)
        _draw_row(figure, axes[i], row)
        length, signal = float(row.gradient_length), float(row.signal)
        text = f"$\\ell_g/a$ = {length:g}\n$S$ = {style.power_of_ten(signal)}"
        axes[i, 0].set_ylabel(text, fontsize=style.SMALL)
    for ax, title, letter in zip(axes[0], _TITLES, "abcd", strict=True):
        style.panel_title(ax, letter, title)
    names = ("magnetisation_real", "magnetisation_imag", "signal", "place", "ratio")
    return Drawing(figure, to_group(data, names))


def _draw_row(figure: Figure, axes: NDArray[np.object_], row: xarray.Dataset) -> None:
    m = row.magnetisation_real.values + 1j * row.magnetisation_imag.values
    limit = float(np.abs(m).max())
    looks = (
        (m.real, "RdBu_r", -limit, limit),
        (m.imag, "RdBu_r", -limit, limit),
        (np.abs(m), "cividis", 0.0, limit),
        (m, "twilight_shifted", -np.pi, np.pi),
    )
    shifts = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(-1, 2)
    places, elements = row.place.values, row.element_node.values
    for ax, (values, cmap, low, high) in zip(axes, looks, strict=True):
        draw = draw_phase if np.iscomplexobj(values) else draw_field
        picture = draw(ax, places, elements, values, shifts, cmap=cmap, vmin=low, vmax=high)
        draw_box(ax, width=0.9)
        ax.set(xlim=_VIEW, ylim=_VIEW, xticks=(), yticks=())
        ax.spines[:].set_visible(False)
        bar = figure.colorbar(picture, ax=ax, orientation="horizontal", aspect=22, pad=0.02)
        if draw is draw_phase:
            bar.set_ticks([-np.pi, 0, np.pi], labels=[r"$-\pi$", "0", r"$\pi$"])
        else:
            bar.locator = MaxNLocator(4)


@styled
def fig6(files: FigureFiles) -> Drawing:
    """Signals against the strength of the gradient, with three limiting laws."""
    data = only_table(files, "strengths")
    figure = style.new_figure(PAGE, 0.55 * PAGE)
    axes = figure.subplots(1, data.sizes["direction"], sharey=True, squeeze=False)[0]
    group: dict[str, Variable] = dict(to_group(data, ("signal", "signal_error")))
    for i, ax in enumerate(axes):
        panel = data.isel(direction=i)
        k = tuple(int(x) for x in panel.direction_vector.values)
        ax.set(yscale="log", xlabel=r"$(\ell_\delta/\ell_g)^6$", xlim=(0, float(data.strength[-1])))
        labels = _draw_curves(ax, panel)
        group |= _draw_laws(ax, panel, k, "ab"[i])
        ax.set_ylim(_floor(data), 1.0)
        style.panel_title(ax, "ab"[i], _NAMES.get(k, f"gradient along {k}"))
        style.label_ends(ax, labels)
    axes[0].set_ylabel(r"$S$")
    return Drawing(figure, group)


def _draw_curves(ax: Axes, panel: xarray.Dataset) -> list[CurveLabel | None]:
    labels = []
    for n, length in enumerate(panel.pulse_length.values):
        color = _COLORS[n % len(_COLORS)]
        (line,) = ax.plot(panel.strength, panel.signal[n], color=color, zorder=3)
        labels.append(style.last_point(line, rf"$\ell_\delta/a$ = {length:g}", color))
    return labels


def _draw_laws(
    ax: Axes, panel: xarray.Dataset, k: tuple[int, ...], letter: str
) -> dict[str, Variable]:
    """The laws (33), (34) and (35), and the values that are drawn."""
    x = panel.strength.values
    l_min, l_max = float(panel.pulse_length.min()), float(panel.pulse_length.max())
    radius = float(np.sqrt((1.0 - float(panel.water)) / np.pi))
    free = laws.short_gradient(2.0 / 3.0 * x, 1.0)
    l_g = l_min * x ** (-1 / 6)
    factor = laws.localisation_prefactor(l_g, radius, float(panel.water))
    local = laws.localisation(l_min, l_g, radius, factor)
    drawn: dict[str, tuple[Array, str, Any]] = {
        "free": (free, "(33)", ":"),
        "localised": (local, "(35)", (0, (5, 2))),
    }
    if sum(abs(c) for c in k) == 1:
        wide = panel.signal.sel(pulse_length=l_max).values
        slab = laws.motional_narrowing(l_max, l_max * x ** (-1 / 6), _SLAB)
        # MMG20 fit the fraction of the spins in the slab; here it is that of the last point.
        drawn["narrowed"] = (wide[-1] / slab[-1] * slab, "(34)", (0, (4, 1, 1, 1)))
    colors = {"free": "black", "localised": _COLORS[0], "narrowed": "#7F2704"}
    group = {}
    for name, (values, text, dash) in drawn.items():
        ax.plot(x, values, color=colors[name], linestyle=dash, linewidth=0.9, zorder=4)
        below = name == "localised"
        place = 3 * len(x) // 4 if below else len(x) // 4
        if name == "free":
            place = int(np.searchsorted(-values, -0.02))
        ax.annotate(
            text, (x[place], values[place]), xytext=(-14, -12) if below else (3, 4),
            textcoords="offset points", color=colors[name], fontsize=style.SMALL,
        )  # fmt: skip
        group[f"law_{name}_{letter}"] = Variable(("strength",), values, "1", f"MMG20 {text}")
    return group


def _floor(data: xarray.Dataset) -> float:
    return float(10.0 ** np.floor(np.log10(data.signal.min())))


def _toward(data: xarray.Dataset, direction: tuple[int, int]) -> xarray.Dataset:
    """The part of a table for one direction of the gradient."""
    rows = np.flatnonzero((data.direction_vector.values == direction).all(axis=1))
    if len(rows) != 1:
        raise ValueError(f"{len(rows)} maps for a gradient along {direction}, accepted: one")
    return data.isel(direction=int(rows[0]))
