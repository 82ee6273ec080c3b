"""Bands and narrow pulses of Moutal, Moutal and Grebenkov 2020: figures 2, 11 and A3."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Variable
from torrey.bloch import laws
from torrey.bloch.sampling import RULES
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.panels import only_table, to_group
from torrey.figures.style import GREY, LEAF, PAGE, SMALL, CurveLabel, styled

Array = NDArray[np.float64]

_INK: Final = "#000000"
_BLUE: Final = "#0072B2"
_ORANGE: Final = "#D55E00"
_GREEN: Final = "#00795A"
_VIOLET: Final = "#A04E7C"
_COLORS: Final = (_ORANGE, _GREEN, _BLUE, _VIOLET)

# ---- sampling: figure 2 ----


@styled
def fig2(files: FigureFiles) -> Drawing:
    """Step functions of the wave number of a PGSE by the four rules, and the narrow pulses."""
    data = only_table(files, "sampling")
    figure = style.new_figure(PAGE, 0.48 * PAGE)
    axes = figure.subplots(2, 4, sharex=True, sharey="row", height_ratios=(2.2, 1))
    unit, end = float(data.pulse), float(data.time[-1])
    for column, (letter, rule, color) in enumerate(zip("abcd", RULES, _COLORS, strict=True)):
        top, bottom = axes[:, column]
        begin, level = data[f"{rule}_begin"].values, data[f"{rule}_level"].values / unit
        top.plot(data.time, data.q / unit, color=_INK, linewidth=0.9)
        times, levels = np.append(begin, end), np.append(level, 0.0)
        top.step(times, levels, where="post", color=color)
        _draw_pulses(bottom, begin, level, end, color)
        change = float(data[f"{rule}_b"] / data.b) - 1.0
        style.panel_title(top, letter, rule)
        style.note(
            top, 0.5, 0.04, f"$b$ {100 * change:+.0f} %".replace("-", "\N{MINUS SIGN}"), ha="center"
        )
        top.yaxis.set_major_locator(MaxNLocator(integer=True))
        bottom.set(xlabel="time (ms)")
    axes[0, 0].set(ylabel=r"$q\,/\,q_0$")
    axes[1, 0].set(ylabel="pulses\n" r"($q_0$)", yticks=(-1, 0, 1))
    _name_curves(axes[0, 0], data, unit)
    return Drawing(figure, to_group(data, [str(name) for name in data.data_vars]))


def _draw_pulses(ax: Axes, begin: Array, level: Array, end: float, color: str) -> None:
    """Draw the narrow pulses as arrows from the axis."""
    times = np.append(begin, end)
    jumps = np.diff(np.concatenate([[0.0], level, [0.0]]))
    for t, jump in zip(times, jumps, strict=True):
        if jump:
            shape = {"arrowstyle": "-|>,head_width=0.12,head_length=0.25", "color": color}
            ax.annotate(
                "", (t, jump), xytext=(t, 0.0),
                arrowprops={**shape, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
            )  # fmt: skip
    ax.plot([0.0, end], [0.0, 0.0], color=_INK, linewidth=0.6)
    low, high = jumps.min(), jumps.max()
    ax.set_ylim(min(-1.25, low - 0.25), max(1.25, high + 0.25))


def _name_curves(ax: Axes, data: xarray.Dataset, unit: float) -> None:
    i = int(0.12 * data.sizes["time"])
    ax.annotate(
        "$q(t)$", (float(data.time[i]), float(data.q[i]) / unit), xytext=(-2, 8),
        textcoords="offset points", ha="right", fontsize=SMALL,
    )  # fmt: skip
    ax.text(
        0.5 * float(data.time[-1]), float(data.floor_level.max()) / unit - 0.3, r"$\tilde q(t)$",
        ha="center", va="top", color=_COLORS[0], fontsize=SMALL,
    )  # fmt: skip


# ---- bands: figure 11 ----


@styled
def fig11(files: FigureFiles) -> Drawing:
    """The first two bands along x, of free water and of the lattice, and the walk along them."""
    paths = files.files["bands"]
    figure = style.new_figure(PAGE, 0.42 * PAGE)
    axes = np.atleast_1d(figure.subplots(1, len(paths), sharey=True))
    bands = {
        name: _two_bands(artifacts.open_dataset(path, "line0")) for name, path in paths.items()
    }
    top = 1.1 * max(branches.max() for _, branches, _ in bands.values())
    group: dict[str, Variable] = {}
    for ax, letter, name in zip(axes, style.letters(len(bands)), bands, strict=True):
        p, branches, crossing = bands[name]
        ax.set(xlim=(0, 1), ylim=(0, top), xlabel=r"$p\,a\,/\,2\pi$")
        labels: list[CurveLabel | None] = []
        for n, color in enumerate((_BLUE, _ORANGE)):
            (curve,) = ax.plot(p, branches[:, n], color=color)
            labels.append(style.last_point(curve, f"$n$ = {n}", color))
        ax.axvline(0.5, color=GREY, linewidth=LEAF, linestyle=":")
        _walk(ax, p, branches[:, 0], _BLUE)
        meet = "the bands cross" if crossing else "the bands do not cross"
        style.panel_title(ax, letter, f"{name.replace('_', ' ')}: {meet}")
        style.label_ends(ax, labels)
        group |= {
            f"p_{name}": Variable((f"p_{name}",), p, "1", f"p a / (2 pi), {name}"),
            f"value_{name}": Variable(
                (f"p_{name}", "band"), branches, "1", f"lambda a^2 / D_0, {name}, by continuity"
            ),
        }
    axes[0].set_ylabel(r"$\lambda_{p,n}\,a^2/D_0$")
    return Drawing(figure, group)


def _two_bands(data: xarray.Dataset) -> tuple[Array, Array, bool]:
    """Two bands over the whole zone in units of a and D_0, followed where they cross."""
    values = float(data.period) ** 2 / float(data.diffusivity) * data.value.values[:, :2]
    p = data.p.values / float(data.width)
    whole = bool(data.pulses % 2 == 0)
    mirrored = slice(-2 if whole else -1, None, -1)
    p = np.concatenate([p, 1.0 - p[mirrored]])
    values = np.concatenate([values, values[mirrored]])
    middle = int(np.abs(p - 0.5).argmin())
    # At a crossing the distance of the bands falls to zero, not to a minimum.
    gap = values[middle, 1] - values[middle, 0]
    slope = abs(values[middle, 0] - values[middle - 1, 0])
    crossing = bool(gap < 0.5 * slope)
    if crossing:
        values[p > 0.5] = values[p > 0.5][:, ::-1]
    return p, values, crossing


def _walk(ax: Axes, p: Array, band: Array, color: str) -> None:
    """Arrows along a band: what a sequence of narrow pulses does."""
    away = 0.035 * ax.get_ylim()[1]
    for start in (0.12, 0.32, 0.6, 0.8):
        i, j = (int(np.abs(p - x).argmin()) for x in (start, start + 0.08))
        arrow = {"arrowstyle": "-|>", "color": color, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (p[j], band[j] + away), xytext=(p[i], band[i] + away), arrowprops=arrow)


# ---- narrow pulses: figure A3 ----


@styled
def figA3(files: FigureFiles) -> Drawing:
    """Signal of two narrow pulses against their wave number, with the laws (A.2) and (A.4)."""
    data = only_table(files, "narrow-signals")
    figure = style.new_figure(PAGE, 0.5 * PAGE)
    axes = figure.subplots(1, data.sizes["line"], sharey=True, squeeze=False)[0]
    drawn = data.signal.values[data.signal.values > 0]
    bottom = 10.0 ** np.floor(np.log10(max(drawn.min(), 1e-6)))
    for line, (ax, letter) in enumerate(zip(axes, style.letters(len(axes)), strict=True)):
        one = data.isel(line=line)
        ax.set(yscale="log", ylim=(bottom, 1.4), xlim=(0, float(one.turns.max())))
        ax.set_xlabel(_turns_label(one))
        labels = [_draw_signal(ax, one.isel(Delta=i), i) for i in range(one.sizes["Delta"])]
        _draw_debye_porod(ax, one.isel(Delta=0))
        style.panel_title(ax, letter, _toward(one.direction.values))
        style.label_ends(ax, labels)
    axes[0].set_ylabel("$S$")
    names = ("direction", "Delta", "turns", "signal", "ratio", "width", "surface_to_volume")
    return Drawing(figure, to_group(data, names))


def _draw_signal(ax: Axes, one: xarray.Dataset, i: int) -> CurveLabel | None:
    """Draw a signal and its law at small wave numbers (dotted)."""
    length = float(np.sqrt(one.Delta * one.diffusivity) / one.period)
    q = one.turns.values * float(one.width)
    law = laws.short_gradient(q**2 * float(one.Delta), float(one.diffusivity), float(one.ratio))
    color = _COLORS[i % len(_COLORS)]
    ax.plot(one.turns, law, color=color, linestyle=":", linewidth=0.9)
    values = np.where(one.signal > 0, one.signal, np.nan)
    (curve,) = ax.plot(one.turns, values, color=color)
    return style.last_point(curve, rf"$\ell_\Delta/a$ = {length:g}", color)


def _draw_debye_porod(ax: Axes, one: xarray.Dataset) -> None:
    """Draw the law of Debye and Porod where it has become smaller than one."""
    length = float(np.sqrt(one.Delta * one.diffusivity))
    turns = one.turns.values[1:]
    law = laws.debye_porod(turns * float(one.width), length, float(one.surface_to_volume))
    shown = law < 0.5
    ax.plot(turns[shown], law[shown], color=_INK, linestyle="--", linewidth=0.9)
    style.note(ax, 0.98, 0.98, "dotted: (A.2)\ndashed: (A.4), smallest $\\ell_\\Delta$",
               ha="right", va="top")  # fmt: skip


def _toward(direction: Array) -> str:
    """Whole numbers along a direction, or the paper's words for them."""
    least = np.abs(direction[np.abs(direction) > 1e-9]).min()
    vector = tuple(round(float(x / least)) for x in direction)
    words: dict[tuple[float, ...], str] = {
        (1, 0): "horizontal gradient",
        (1, 1): "diagonal gradient",
    }
    # Others than (1, n) are shown by their parts.
    exact = np.allclose(np.array(vector) * least, direction, atol=1e-9)
    shown: tuple[float, ...] = vector if exact else tuple(round(float(x), 3) for x in direction)
    return words.get(shown, f"gradient along {shown}")


def _turns_label(one: xarray.Dataset) -> str:
    """q over the reciprocal lattice vector, as the paper writes it."""
    factor = float(one.width) * float(one.period) / (2 * np.pi)
    if abs(factor - 1.0) < 1e-9:
        return r"$q\,a\,/\,2\pi$"
    return rf"$q\,a\,/\,(2\pi\sqrt{{{factor**2:g}}})$"
