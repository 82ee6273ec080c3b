"""Figures 8 to 10 of MMG20: the spectrum of the Bloch-Torrey operator and its eigenmodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.collections import TriMesh
from numpy.typing import NDArray

from torrey.base.stored import Variable
from torrey.figures import style
from torrey.figures.cells import draw_box
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.fields import draw_field
from torrey.figures.panels import only_table, to_group
from torrey.figures.style import GREY, LEAF, PAGE, SMALL, CurveLabel, styled

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

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
#: Places between a branching point and the nearest gradient at which a branch is drawn.
_SHARES: Final = np.linspace(0.0, 0.95, 12) ** 2
#: Ends of branches that differ by less, of the height of the panel, have one label.
_SAME_HEIGHT: Final = 1e-3


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
    narrow = widest is not None
    if widest is None or highest is None:
        widest = float(data.gradient_scaled.max())
        highest = 1.05 * float(data.mu_real.max())
    figure = style.new_figure(PAGE, 0.95 * PAGE)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1.25, 1.0))
    left = -0.035 * widest
    top.set(xlim=(left, widest), ylim=(0.0, highest), ylabel=r"Re $\mu_n\,a^2/D_0$")
    limit = 0.75 * widest
    bottom.set(ylim=(-limit, limit), ylabel=r"Im $\mu_n\,a^2/D_0$", xlabel=_GRADIENT)
    reals, imags = [], []
    for n in range(data.sizes["branch"]):
        color, dash = _COLORS[n % len(_COLORS)], _DASHES[n // len(_COLORS) % len(_DASHES)]
        x, real, turns = branch_curve(data, n)
        top.plot(x, real, color=color, linestyle=dash)
        reals.append(_end(x, real, widest, (0.0, highest), str(n + 1), color))
        for k in (0, -1, 1):
            steps = np.interp(x, data.gradient_scaled, data.imag_step)
            copy = np.where(real <= highest, _unbroken(turns + k) * steps, np.nan)
            bottom.plot(x, copy, color=color, linestyle=dash, linewidth=LEAF if k else 1.3)
            text = f"{n + 1}" + ("\N{PRIME}" if k else "")
            if narrow or k == 0:
                imags.append(_end(x, copy, widest, (-limit, limit), text, color))
    _draw_bands(top, data, left, 0.11 * widest)
    lowest = float(data.band_mean_scaled.min())
    floor = np.concatenate([[lowest], data.floor_scaled.values])
    x = np.concatenate([[0.0], data.gradient_scaled.values])
    top.plot(x, floor, color="black", linewidth=2.5, zorder=4)
    _mark_meetings(top, bottom, data)
    if narrow:
        _mark_modes(top, bottom)
    label_groups(top, reals)
    label_groups(bottom, imags)
    text = r"bars: bands at $g=0$; dashes: their means (58); black line: numerical floor (48)"
    style.panel_title(top, "a", text)
    primed = " (primed numbers)" if narrow else ""
    style.panel_title(bottom, "b", rf"thin lines{primed}: the same modes one cell away, $\pm\,g a$")
    return Drawing(figure, to_group(data, [str(name) for name in data.data_vars]))


def _mark_modes(top: Axes, bottom: Axes) -> None:
    """Draw the gradients of figure 10."""
    low, high = top.get_xlim()
    for length in _MODE_LENGTHS:
        for ax in (top, bottom):
            ax.axvline(length**-3, color=GREY, linewidth=LEAF, linestyle=(0, (4, 3)), zorder=1)
        text = rf"$\ell_g/a$ = {length:g}"
        style.note(
            top, (length**-3 - low) / (high - low) - 0.006, 0.53, text, rotation=90,
            horizontalalignment="right", verticalalignment="top",
        )  # fmt: skip


def branch_curve(data: xarray.Dataset, n: int) -> tuple[Array, Array, Array]:
    """One branch as a curve, with its branching points.

    Beside a branching point mu_1 + mu_2 and (mu_1 - mu_2)^2 are straight lines up to the nearest
    known gradients (MMG20 (C.6), (C.7)).

    Parameters
    ----------
    data : Dataset
        Of `_scaled`.
    n : int
        Number of the branch.

    Returns
    -------
    x : (m,) float
        Gradients; not a number of the others where the branch is not known.
    real : (m,) float
    turns : (m,) float
        Imaginary part in steps of the lattice, without jumps at a branching point.
    """
    x, steps = data.gradient_scaled.values, data.imag_step.values
    real, turns = data.mu_real.values, data.mu_imag.values / steps
    pieces = [np.stack([x, real[n], _settled(turns[n])])]
    for place, pair, mu_real, mu_imag in zip(
        data.branching_place.values, data.branching_pair.values, data.branching_real.values,
        data.branching_imag.values, strict=True,
    ):  # fmt: skip
        if n not in pair:
            continue
        other = int(pair[0] if pair[1] == n else pair[1])
        point = mu_imag / np.interp(place, x, steps)
        beside = int(np.searchsorted(x, place))
        for i in (beside - 1, beside):
            apart = turns[n, i] - turns[other, i]
            half = (real[n, i] - real[other, i]) / 2, (apart - round(apart)) / 2
            middle = _settled(turns[n, i : i + 1])[0] - half[1]
            start = point + round(middle - point)
            share = _SHARES if i == beside else _SHARES[1:]
            pieces.append(
                np.stack(
                    [
                        place + share * (x[i] - place),
                        mu_real + share * (real[n, i] - half[0] - mu_real)
                        + np.sqrt(share) * half[0],
                        start + share * (middle - start) + np.sqrt(share) * half[1],
                    ]
                )
            )  # fmt: skip
    joined = np.concatenate(pieces, axis=1)
    ordered: Array = joined[:, np.argsort(joined[0], kind="stable")]
    return ordered[0], ordered[1], ordered[2]


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
            "branching_pair": data.branching_pair,
        }
    ).drop_vars(["gradient", "wave_number"], errors="ignore")


def _settled(turns: Array) -> Array:
    """A mode between two cells is that on the right, whatever rounding says."""
    between = np.abs(np.abs(turns) - 0.5) < _BETWEEN
    return np.where(between, -np.abs(turns), turns)


def _unbroken(turns: Array) -> Array:
    """No line where a branch goes on one cell away."""
    jumps = np.flatnonzero(np.abs(np.diff(turns)) > 0.6)
    result = turns.copy()
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
    x: Array, y: Array, widest: float, span: tuple[float, float], text: str, color: str
) -> CurveLabel | None:
    """Label at the right side for a branch that reaches it."""
    inside = np.flatnonzero((x <= widest * (1 + 1e-9)) & np.isfinite(y))
    if not len(inside) or x[inside[-1]] < 0.93 * widest:
        return None
    i = int(inside[-1])
    value = float(y[i])
    if i + 1 < len(x) and np.isfinite(y[i + 1]):
        value = float(np.interp(widest, x[i : i + 2], y[i : i + 2]))
    return CurveLabel(widest, value, text, color) if span[0] <= value <= span[1] else None


def label_groups(ax: Axes, labels: Sequence[CurveLabel | None]) -> None:
    """Write labels on the right of the axes, each in its colour; those of one height side by side.

    Parameters
    ----------
    ax : Axes
        With its final limits.
    labels : sequence of CurveLabel or None
    """
    present = sorted((label for label in labels if label is not None), key=lambda label: label.y)
    low, high = ax.get_ylim()
    groups: list[list[CurveLabel]] = []
    for label in present:
        near = groups and label.y - groups[-1][0].y < _SAME_HEIGHT * (high - low)
        if near:
            groups[-1].append(label)
        else:
            groups.append([label])
    figure = ax.get_figure(root=True)
    if figure is None or not groups:
        return
    ends = np.array([(group[0].y - low) / (high - low) for group in groups])
    # The layout, not known yet, takes some of the height for titles and tick labels.
    height = 0.8 * ax.get_position().height * figure.get_size_inches()[1] * 72.0
    places = style.spread(ends, 1.15 * SMALL / height, 0.01, 0.99)
    for group, place in zip(groups, places, strict=True):
        group.sort(key=lambda label: (len(label.text.rstrip("\N{PRIME}")), label.text))
        first = group[0]
        line = {"arrowstyle": "-", "color": first.color, "linewidth": LEAF, "shrinkA": 1.0}
        options: dict[str, Any] = {"fontsize": SMALL, "annotation_clip": False}
        written = ax.annotate(
            first.text, (first.x, first.y), xytext=(1.05, place), textcoords="axes fraction",
            color=first.color, verticalalignment="center",
            arrowprops={**line, "shrinkB": 2.0, "relpos": (0.0, 0.5)}, **options,
        )  # fmt: skip
        for label in group[1:]:
            written = ax.annotate(
                f" {label.text}", (1.0, 0.0), xycoords=written, color=label.color,
                verticalalignment="bottom", **options,
            )  # fmt: skip


@styled
def fig10(files: FigureFiles) -> Drawing:
    """First eigenmodes below and above a branching point."""
    data = only_table(files, "modes")
    rows = data.sizes["gradient"]
    figure = style.new_figure(PAGE, 0.094 * PAGE * 2 * rows + 0.05 * PAGE)
    figure.set_layout_engine("compressed")
    figure.set_dpi(300)
    axes = figure.subplots(2 * rows, data.sizes["mode"], squeeze=False)
    L, D = float(data.length), float(data.diffusivity)
    places, elements = data.place.values, data.element_node.values.astype(np.int64)
    shown, overlaps = [], []
    for i in range(rows):
        length = (L**3 * float(data.gradient[i]) / D) ** (-1 / 3)
        fields = data.mode_real.values[i] + 1j * data.mode_imag.values[i]
        fields = fields * phases(fields, places, elements)[:, None, None]
        overlaps.append(_overlaps(fields, places, elements))
        shown.append(fields)
        mu = (data.eigenvalue_real[i] + 1j * data.eigenvalue_imag[i]).values * L**2 / D
        picture = _draw_modes(axes[2 * i : 2 * i + 2], data, fields, mu)
        headings = {0: rf"$\bf{{({style.letters(rows)[i]})}}$  $\ell_g/a$ = {length:.3g}"}
        if len(fields) > 2:
            headings[2] = rf"$|\langle v_2, v_3\rangle|$ = {overlaps[i][1, 2]:.2f}"
        for n, text in headings.items():
            axes[2 * i, n].annotate(
                text, (0.0, 1.42), xycoords="axes fraction", fontsize=SMALL + 1.0,
                annotation_clip=False,
            )  # fmt: skip
    figure.colorbar(
        picture, ax=axes, shrink=0.5, aspect=30, ticks=(-1, 0, 1), label=r"$v_n$ / max $|v_n|$"
    )
    names = ("eigenvalue_real", "eigenvalue_imag", "place", "shift")
    group = dict(to_group(data, names))
    dims = tuple(str(dim) for dim in data.mode_real.dims)
    for part, values in (("real", np.real(shown)), ("imag", np.imag(shown))):
        group[f"mode_{part}"] = Variable(dims, values, "um-1", f"eigenmode as drawn, {part} part")
    group["overlap"] = Variable(
        ("gradient", "mode", "mode_2"), np.array(overlaps), "1", "|<v_m, v_n>| of modes of norm 1"
    )
    return Drawing(figure, group)


def _draw_modes(
    axes: NDArray[Any], data: xarray.Dataset, fields: ComplexArray, mu: ComplexArray
) -> TriMesh:
    """Real and imaginary parts of the modes at one gradient."""
    places, elements = data.place.values, data.element_node.values
    shifts = data["shift"].values.astype(float)
    for n, field in enumerate(fields):
        limit = float(np.abs(field).max())
        for ax, part in zip(axes[:, n], (field.real, field.imag), strict=True):
            picture = draw_field(
                ax, places, elements, part / limit, shifts, cmap="RdBu_r", vmin=-1, vmax=1
            )
            draw_box(ax, width=0.8)
            ax.set(xticks=(), yticks=(), xlim=(-1, 2), ylim=(0, 1))
            ax.spines[:].set_visible(False)
        text = rf"$v_{n + 1}$, $\mu$ = {_complex_text(mu[n])}"
        axes[0, n].set_title(text, fontsize=SMALL, loc="center", pad=2.5)
    for ax, name in zip(axes[:, 0], ("Re", "Im"), strict=True):
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
    return picture


def phases(fields: ComplexArray, places: Array, elements: NDArray[np.int64]) -> ComplexArray:
    """Factors of modulus 1 that make modes comparable.

    They make the integral of |v| v real and positive, with more weight on the upper side, as modes
    that are odd across the gradient would have none. A mode that is its own mirror image, with
    v*(-x) = v(x), then has a symmetric real and an antisymmetric imaginary part; of a pair,
    v_3(x) = v_2*(-x); and modes that coalesce at a branching point do so with their phase
    (MMG20 4.5).

    Parameters
    ----------
    fields : (n, n_shifts, n_nodes) complex
    places : (n_nodes, 2) float
    elements : (n_elements, 6) int
        Quadratic triangles, vertices first.

    Returns
    -------
    (n,) complex
    """
    weights = _weights(places, elements)
    moments = (fields * np.abs(fields) @ (weights * (1.0 + places[:, 1]))).sum(axis=1)
    factors: ComplexArray = np.conj(moments) / np.abs(moments)
    return factors


def _overlaps(fields: ComplexArray, places: Array, elements: NDArray[np.int64]) -> Array:
    """|<v_m, v_n>| over the cells shown, each mode of norm 1."""
    weighted = fields.conj() * _weights(places, elements)
    products = np.einsum("msk,nsk->mn", weighted, fields)
    norms = np.sqrt(np.diagonal(products).real)
    return np.asarray(np.abs(products) / np.outer(norms, norms))


def _weights(places: Array, elements: NDArray[np.int64]) -> Array:
    """Weights of the nodes in an integral over the cell.

    A quadratic field integrates to a third of the area times the sum over the middles of edges.
    """
    a, b, c = np.moveaxis(places[elements[:, :3]], 1, 0)
    (x, y), (u, v) = (b - a).T, (c - a).T
    weights = np.zeros(len(places))
    np.add.at(weights, elements[:, 3:], np.abs(x * v - y * u)[:, None] / 6.0)
    return weights


def _complex_text(value: complex) -> str:
    if abs(value.imag) < 1e-3 * abs(value):
        return f"{value.real:.2f}"
    sign = "+" if value.imag > 0 else "-"
    return f"{value.real:.2f} {sign} {abs(value.imag):.2f} i"
