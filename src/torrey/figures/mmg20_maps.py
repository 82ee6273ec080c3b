"""Magnetisation over the cell and half of its neighbours: figures 4, 5, A1 and A2 of MMG20.

All four have the same panels and the same colours: one map for real and imaginary parts, one for
the modulus, one that closes for the phase.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.collections import TriMesh
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from torrey.base.stored import Variable
from torrey.figures import cells, style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.fields import draw_field, draw_phase
from torrey.figures.mmg20_cells import draw_obstacles, only_mesh
from torrey.figures.panels import only_table, to_group
from torrey.figures.style import PAGE, SMALL, styled
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_TITLES: Final = (r"Re $m$", r"Im $m$", r"$|m|$", r"arg $m$")
_COLORS: Final = ("RdBu_r", "RdBu_r", "cividis")
_SHIFTS: Final = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1))
_NEIGHBOURS: Final = 0.5
"""How much of the neighbouring cells is shown."""


@styled
def fig4(files: FigureFiles) -> Drawing:
    """Magnetisation for a gradient along x."""
    return _echoes(files, (1, 0))


@styled
def fig5(files: FigureFiles) -> Drawing:
    """Magnetisation for a gradient along the diagonal."""
    return _echoes(files, (1, 1))


@styled
def figA1(files: FigureFiles) -> Drawing:
    """Magnetisation after two narrow pulses along x."""
    return _narrow(files, (1, 0))


@styled
def figA2(files: FigureFiles) -> Drawing:
    """Magnetisation after two narrow pulses along the diagonal."""
    return _narrow(files, (1, 1))


def _echoes(files: FigureFiles, direction: tuple[int, int]) -> Drawing:
    """Rows of one gradient each, with the largest difference of the two schemes."""
    data = _toward(only_table(files, "maps"), direction, "direction_vector", "direction")
    m = data.magnetisation_real.values + 1j * data.magnetisation_imag.values
    pulsed = data.pulsed_magnetisation_real.values + 1j * data.pulsed_magnetisation_imag.values
    fields = (np.abs(pulsed - m).max(axis=1) / np.abs(m).max(axis=1)).tolist()
    signals = (data.pulsed_signal.values / data.signal.values - 1.0).tolist()
    pulses = int(data.pulses)
    labels = []
    for i, length in enumerate(data.gradient_length.values):
        labels.append(
            rf"$\ell_g/a$ = {length:g},  $S$ = {style.power_of_ten(float(data.signal[i]))}"
            f"\n$P$ = {pulses}: $\\Delta S/S$ = {_signed(signals[i])},\n"
            rf"$|\Delta m|\,/\,\max |m| \leq$ {_short(fields[i])}"
        )
    heading = (
        f"Gradient as it is; $P$ = {pulses}: difference of the scheme of MMG20, "
        f"{pulses} narrow pulses in a reciprocal lattice vector, by rounding"
    )
    figure = _draw(only_mesh(files), m, labels, heading)
    names = ("magnetisation_real", "magnetisation_imag", "signal", "place", "ratio", "pulses",
             "pulsed_magnetisation_real", "pulsed_magnetisation_imag", "pulsed_signal")  # fmt: skip
    rows = ("gradient_length",)
    return Drawing(
        figure,
        {
            **to_group(data, names),
            "field_difference": Variable(
                rows, np.array(fields), "1", "largest |m of narrow pulses - m| over largest |m|"
            ),
            "signal_difference": Variable(
                rows, np.array(signals), "1", "signal of narrow pulses over signal, less 1"
            ),
        },
    )


def _narrow(files: FigureFiles, direction: tuple[int, int]) -> Drawing:
    """Rows of one time between two infinitely narrow pulses each."""
    data = _toward(only_table(files, "narrow-maps"), direction, "direction", "line")
    mesh = only_mesh(files)
    m = data.m_real.values + 1j * data.m_imag.values
    lengths = np.sqrt(data.Delta.values * float(data.diffusivity)) / float(data.period)
    labels = [
        rf"$\ell_\Delta/a$ = {length:g},  $S$ = {style.power_of_ten(float(signal))}"
        for length, signal in zip(lengths, data.map_signal.values, strict=True)
    ]
    figure = _draw(mesh, m, labels, _weight_text(data))
    names = ("direction", "Delta", "m_real", "m_imag", "map_signal", "shown", "width", "period")
    places = Variable(("node", "axis"), mesh.points, "1", "place in units of the cell")
    return Drawing(figure, {**to_group(data, names), "place": places})


def _weight_text(data: xarray.Dataset) -> str:
    """The weight of the pulses, as the paper writes it."""
    turns = Fraction(2.0 * float(data.shown)).limit_denominator(99)
    value = rf"{turns.numerator}\pi" + (f"/{turns.denominator}" if turns.denominator > 1 else "")
    square = round((float(data.width) * float(data.period) / (2.0 * np.pi)) ** 2)
    root = rf"/\sqrt{{{square}}}" if square > 1 else ""
    return rf"$q\,a{root} = {value}$"


def _toward(
    data: xarray.Dataset, direction: tuple[int, int], vectors: str, dim: str
) -> xarray.Dataset:
    """The part of a table for one direction of the gradient, of those in a variable along `dim`."""
    given = data[vectors].values
    # Files hold unit vectors, or whole numbers.
    units = given / np.linalg.norm(given, axis=1, keepdims=True)
    wanted = np.array(direction) / np.linalg.norm(direction)
    rows = np.flatnonzero(np.abs(units - wanted).max(axis=1) < 1e-9)
    if len(rows) != 1:
        raise ValueError(f"{len(rows)} maps for a gradient along {direction}, accepted: one")
    return data.isel({dim: int(rows[0])})


# ---- panels ----


def _draw(mesh: CellMesh, fields: ComplexArray, labels: Sequence[str], heading: str) -> Figure:
    """Real part, imaginary part, modulus and phase of some fields, a row for each."""
    figure = style.new_figure(PAGE, 0.28 * PAGE * len(fields) + 0.06 * PAGE)
    figure.set_dpi(300)
    axes = figure.subplots(len(fields), len(_TITLES), squeeze=False)
    for row, (field, label) in enumerate(zip(fields, labels, strict=True)):
        _draw_row(figure, axes[row], mesh, field)
        axes[row, 0].set_ylabel(label, fontsize=SMALL, linespacing=1.4)
    for ax, title in zip(axes[0], _TITLES, strict=True):
        ax.set_title(title, loc="center")
    for ax, letter in zip(axes.ravel(), style.letters(axes.size), strict=True):
        # On the obstacle in the corner.
        style.note(ax, 0.02, 0.985, f"({letter})", color="black", weight="bold", va="top",
                   fontsize=style.FONT_SIZE, zorder=9)  # fmt: skip
    figure.suptitle(heading, x=0.01, ha="left", fontsize=style.FONT_SIZE)
    return figure


def _draw_row(figure: Figure, axes: NDArray[Any], mesh: CellMesh, m: ComplexArray) -> None:
    largest = float(np.abs(m).max())
    lows = (-largest, -largest, 0.0)
    for ax, field, low, colors in zip(
        axes[:-1], (m.real, m.imag, np.abs(m)), lows, _COLORS, strict=True
    ):
        options = {"cmap": colors, "norm": Normalize(low, largest)}
        picture = draw_field(ax, mesh.points, mesh.elements, field, _SHIFTS, **options)
        ticks = (low, (low + largest) / 2, largest)
        _finish(figure, ax, mesh, picture).set_ticks(ticks, labels=[_short(x) for x in ticks])
    bar = _finish(
        figure, axes[-1], mesh, draw_phase(axes[-1], mesh.points, mesh.elements, m, _SHIFTS)
    )
    bar.ax.set_xlim(-np.pi, np.pi)
    bar.set_ticks([-np.pi, 0, np.pi], labels=[r"$-\pi$", "0", r"$\pi$"])


def _finish(figure: Figure, ax: Axes, mesh: CellMesh, picture: TriMesh) -> Colorbar:
    """Draw the obstacles, the cell and the colour bar."""
    for shift in _SHIFTS:
        draw_obstacles(ax, mesh, Affine2D().translate(*shift))
    cells.draw_box(ax, width=0.9)
    ax.set(xlim=(-_NEIGHBOURS, 1 + _NEIGHBOURS), ylim=(-_NEIGHBOURS, 1 + _NEIGHBOURS))
    ax.set(xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    bar = figure.colorbar(picture, ax=ax, orientation="horizontal", shrink=0.9, aspect=20, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL - 1, length=2)
    return bar


def _short(value: float) -> str:
    """A number with two digits."""
    if value == 0.0 or abs(value) >= 0.01:
        return f"{value:.2g}".replace("-", "\N{MINUS SIGN}")
    return style.power_of_ten(float(f"{value:.1e}"))


def _signed(value: float) -> str:
    return style.power_of_ten(float(f"{value:.1e}"))
