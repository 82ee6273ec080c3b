"""Signals of MMG20: figure 6 with its limiting laws, and the error of narrow pulses."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Variable
from torrey.bloch import laws
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.panels import only_table, to_group
from torrey.figures.style import PAGE, CurveLabel, styled

Array = NDArray[np.float64]
Group = dict[str, Variable]

_COLORS: Final = ("#0072B2", "#009E73", "#B8860B", "#D55E00", "#CC79A7")
_NARROWED: Final = "#7F2704"
#: Part of the range of strengths, at its end, to which (34) is fitted.
_FITTED: Final = 0.25
_NAMES: Final[dict[tuple[int, ...], str]] = {
    (1, 0): "gradient along $x$",
    (1, 1): "gradient along the diagonal",
}
_MARKS: Final = {"floor": ("v", 0), "ceil": ("^", 1), "round": ("o", 3), "midpoint": ("s", 2)}

# ---- figure 6 ----


@styled
def fig6(files: FigureFiles) -> Drawing:
    """Signals against the strength of the gradient, with three laws; both schemes."""
    data = only_table(files, "strengths")
    figure = style.new_figure(PAGE, 0.78 * PAGE)
    axes = figure.subplots(
        2, data.sizes["direction"], sharex=True, sharey="row", squeeze=False, height_ratios=(2.4, 1)
    )
    group: Group = dict(to_group(data, ("signal", "signal_error", "pulses", "pulsed_signal")))
    for i, (top, bottom) in enumerate(axes.T):
        panel = data.isel(direction=i)
        k = tuple(int(x) for x in panel.direction_vector.values)
        top.set(yscale="log", xlim=(0, float(data.strength[-1])))
        labels = _draw_curves(top, panel)
        group |= _draw_laws(top, panel, k, "ab"[i])
        top.set_ylim(_floor(data), 1.0)
        style.panel_title(top, "ab"[i], _NAMES.get(k, f"gradient along {k}"))
        style.label_ends(top, labels)
        group |= _draw_difference(bottom, panel, "cd"[i])
    axes[0, 0].set_ylabel(r"$S$")
    axes[1, 0].set_ylabel(r"$|S_P\,/\,S-1|$")
    return Drawing(figure, group)


def _draw_curves(ax: Axes, panel: xarray.Dataset) -> list[CurveLabel | None]:
    labels = []
    for n, length in enumerate(panel.pulse_length.values):
        color = _COLORS[n % len(_COLORS)]
        (line,) = ax.plot(panel.strength, panel.signal[n], color=color, zorder=3)
        labels.append(style.last_point(line, rf"$\ell_\delta/a$ = {length:g}", color))
    return labels


def _draw_laws(ax: Axes, panel: xarray.Dataset, k: tuple[int, ...], letter: str) -> Group:
    """The laws (33), (34) and (35), and the values that are drawn."""
    x = panel.strength.values
    l_min = float(panel.pulse_length.min())
    radius = float(np.sqrt((1.0 - float(panel.water)) / np.pi))
    free = laws.short_gradient(2.0 / 3.0 * x, 1.0)
    l_g = l_min * x ** (-1 / 6)
    factor = laws.localisation_prefactor(l_g, radius, float(panel.water))
    local = laws.localisation(l_min, l_g, radius, factor)
    _draw_law(ax, x, free, "(33)", ("black", ":"), int(np.searchsorted(-free, -4e-3)))
    _draw_law(ax, x, local, "(35)", (_COLORS[0], (0, (5, 2))), int(0.87 * len(x)))
    group = {
        f"law_{name}_{letter}": Variable(("strength",), values, "1", f"MMG20 {text}")
        for name, values, text in (("free", free, "(33)"), ("localised", local, "(35)"))
    }
    if sum(abs(c) for c in k) == 1:
        group |= _draw_narrowing(ax, panel, letter)
    return group


def _draw_narrowing(ax: Axes, panel: xarray.Dataset, letter: str) -> Group:
    """Fit (34) to the last signals of the longest pulses, as MMG20 do, and draw it."""
    x, l_max = panel.strength.values, float(panel.pulse_length.max())
    wide = panel.signal.sel(pulse_length=l_max).values
    last = x >= (1.0 - _FITTED) * x[-1]
    width, fraction = laws.fit_narrowing(x[last], wide[last], l_max)
    law = laws.motional_narrowing(l_max, l_max * x ** (-1 / 6), width, fraction)
    _draw_law(ax, x, law, "(34)", (_NARROWED, (0, (4, 1, 1, 1))), int(0.31 * len(x)))
    text = (
        rf"(34) fitted to $\ell_\delta/a$ = {l_max:g} beyond {x[last][0]:.0f}:"
        f"\n$L/a$ = {width:.3f}, $C_{{\\mathrm{{mn}}}}$ = {fraction:.3f}"
    )
    style.note(ax, 0.98, 0.985, text, color=_NARROWED, ha="right", va="top")
    return {
        f"law_narrowed_{letter}": Variable(("strength",), law, "1", "MMG20 (34), fitted"),
        f"narrowing_width_{letter}": Variable((), width, "1", "L/a of (34)"),
        f"narrowing_fraction_{letter}": Variable((), fraction, "1", "C_mn of (34)"),
        f"narrowing_from_{letter}": Variable((), x[last][0], "1", "least strength of the fit"),
    }


def _draw_law(
    ax: Axes, x: Array, values: Array, text: str, look: tuple[str, Any], place: int
) -> None:
    """Draw a law with its number on the line."""
    color, dash = look
    ax.plot(x, values, color=color, linestyle=dash, linewidth=0.9, zorder=4)
    ax.text(
        x[place], values[place], text, color=color, fontsize=style.SMALL, ha="center", va="center",
        zorder=5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip


def _draw_difference(ax: Axes, panel: xarray.Dataset, letter: str) -> Group:
    """By how much the scheme of MMG20 differs, with (28) for each length of the pulses."""
    k = panel.direction_vector.values
    period = 1.0 / float(np.linalg.norm(k))
    pulses = int(panel.pulses)
    difference = panel.pulsed_signal.values / panel.signal.values - 1.0
    bounds = []
    for n, length in enumerate(panel.pulse_length.values):
        color = _COLORS[n % len(_COLORS)]
        ax.plot(panel.strength, np.abs(difference[n]), color=color, linewidth=1.0)
        bounds.append(laws.sampling_error(pulses, 1.0, 2.0 * float(length) ** 2, period))
        ax.axhline(bounds[-1], color=color, linewidth=0.8, linestyle=(0, (3, 2)))
    ax.set(yscale="log", xlabel=r"$(\ell_\delta/\ell_g)^6$", ylim=(1e-6, 1e-3))
    text = (
        f"$P$ = {pulses}, rounding: up to "
        + style.power_of_ten(float(f"{np.abs(difference).max():.1e}"))
        + "; (28) dashed"
    )
    style.panel_title(ax, letter, text)
    return {
        f"difference_{letter}": Variable(
            ("pulse_length", "strength"), difference, "1", "S by narrow pulses over S, less 1"
        ),
        f"sampling_bound_{letter}": Variable(
            ("pulse_length",), np.array(bounds), "1", "MMG20 (28)"
        ),
    }


def _floor(data: xarray.Dataset) -> float:
    return float(10.0 ** np.floor(np.log10(data.signal.min())))


# ---- error against P ----


@styled
def sampling_error(files: FigureFiles) -> Drawing:
    """Error of signals by narrow pulses against their number, for the four rules, with (28)."""
    tables = [artifacts.open_dataset(path) for path in files.files["schemes"].values()]
    figure = style.new_figure(PAGE, 0.44 * PAGE)
    axes = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
    group: Group = {}
    for ax, letter, table in zip(axes, style.letters(len(tables)), tables, strict=True):
        group |= _draw_convergence(ax, letter, table.isel(mesh=-1, modes=-1))
    axes[0].set_ylabel(r"$|S_P\,/\,S-1|$")
    return Drawing(figure, group)


def _draw_convergence(ax: Axes, letter: str, one: xarray.Dataset) -> Group:
    pulses = one.pulses.values.astype(float)
    errors = one.pulsed_signal.values / float(one.signal) - 1.0
    # D times the time during which there is a gradient.
    spread = 2.0 * (float(one.ratio) * float(one.gradient_length) * float(one.length)) ** 2
    period = 2.0 * np.pi / float(one.width)
    law = np.array([laws.sampling_error(int(P), 1.0, spread, period) for P in pulses])
    labels = []
    for name in map(str, one.rule.values):
        mark, n = _MARKS[name]
        values = np.abs(errors[:, [str(r) for r in one.rule.values].index(name)])
        # Rounding and midpoint are the same where the gradient is constant.
        under = name == "midpoint"
        (line,) = ax.plot(
            pulses, values, color=_COLORS[n], marker=mark, markersize=6.0 if under else 3.5,
            linewidth=0.9, markerfacecolor="none" if under else None, zorder=2 if under else 3,
        )  # fmt: skip
        labels.append(style.last_point(line, name, _COLORS[n]))
    (line,) = ax.plot(pulses, law, color="black", linestyle=(0, (5, 2)), linewidth=0.9)
    labels.append(style.last_point(line, "(28)", "black"))
    ax.set(xscale="log", yscale="log", xlabel="$P$")
    ax.set_xticks(pulses, [f"{P:g}" for P in pulses], minor=False)
    ax.minorticks_off()
    place = "plane" if one.sizes["axis"] == 2 else "space"
    style.panel_title(
        ax, letter, rf"{place}, $\ell_g/a$ = {float(one.gradient_length):.3g}, "
        rf"$q_{{\max}}/|G|$ = {float(one.q / one.width):.3g}",
    )  # fmt: skip
    style.label_ends(ax, labels)
    dim = f"pulses_{letter}"
    return {
        dim: Variable((dim,), pulses, "1", "P: narrow pulses per |G|"),
        f"rule_{letter}": Variable((f"rule_{letter}",), one.rule.values, "1", "rule"),
        f"error_{letter}": Variable(
            (dim, f"rule_{letter}"), errors, "1", "S by narrow pulses over S, less 1"
        ),
        f"law_{letter}": Variable((dim,), law, "1", "MMG20 (28)"),
        f"turns_{letter}": Variable((), float(one.q / one.width), "1", "largest q over |G|"),
        f"signal_{letter}": Variable((), float(one.signal), "1", "S, gradient as it is"),
        f"signal_error_{letter}": Variable(
            (), float(one.signal_error), "1", "estimated error of basis and steps, absolute"
        ),
    }
