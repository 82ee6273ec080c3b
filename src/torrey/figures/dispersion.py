"""Diffusivity and kurtosis of cells against time and frequency, with their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.cell.material import Diffusing, Material, Radial
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.sources import parameters_of, shape_of
from torrey.figures.style import PAGE, SMALL, styled
from torrey.geometry.shapes import Shape

_COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_INKS: Final = ("#0072B2", "#B84F00", "#00795A", "#A04E7C")
#: Up to how many runs are named beside their curves; more have a legend.
_BESIDE: Final = 2
#: Part of the axis of times that the name of the law takes.
_ROOM: Final = 0.4
#: Height of a line of small text (inches).
_LINE: Final = 1.3 * SMALL / 72.0
#: Width and height of the note on exchange, in units of the axes, and places tried along a curve.
_NOTE: Final = (0.4, 0.38)
_STEPS: Final = 200
_IMPERMEABLE: Final = "impermeable"
_HZ: Final = 1000.0
"""Frequencies in Hz of one in 1/ms."""


def own_dispersion(files: FigureFiles, settings: Mapping[str, Any]) -> Drawing:
    """Draw runs of one's own as `dispersion` does; its kind has no settings."""
    del settings
    return dispersion(files)


@styled
def dispersion(files: FigureFiles) -> Drawing:
    """D(t), D(omega) and K(t) of each cell, along the first direction."""
    runs = [
        artifacts.open_dataset(path).isel(line=0) for path in files.files["dispersion"].values()
    ]
    names = _names(list(files.files["dispersion"]), runs)
    described = _described(runs, names, _media(files, runs))
    # The panels keep their height whatever is said below them.
    figure = style.new_figure(PAGE, 0.43 * PAGE + _LINE * described.count("\n"))
    axes = figure.subplots(1, 3)
    beside = len(runs) <= _BESIDE
    fast = max(float(run.D_fast) for run in runs)
    one_material = all(np.isclose(float(run.D_fast), fast, rtol=1e-9) for run in runs)
    for run, text, color, ink in zip(runs, names, _COLORS, _INKS, strict=False):
        for ax, name in zip(axes, ("D_time", "D_frequency", "K_time"), strict=True):
            _draw(ax, run, name, color, text)
            if name != "K_time" and beside:
                _label(ax, name, text, float(run.D_slow), ink)
        if beside:
            _label_kurtosis(axes[2], run, text, ink)
        for ax in axes[:2]:
            ax.axhline(float(run.D_slow), color=color, linewidth=style.LEAF, zorder=1)
            paint = style.GREY if one_material else color
            ax.axhline(float(run.D_fast), color=paint, linewidth=style.LEAF, zorder=1)
        _draw_exchange(axes[2], run, color)
    for ax in axes[:2]:
        style.note(ax, 0.98, 1.0, r"$\langle D \rangle$", ha="right", va="top")
    _draw_laws(axes[0], runs)
    _finish(axes, fast)
    _explain_exchange(axes[2], runs)
    if not beside:
        samples = [
            Line2D([], [], color=color, label=text)
            for text, color in zip(names, _COLORS, strict=False)
        ]
        style.head(figure, "", samples)
    figure.supxlabel(
        described
        + "solid: resolved by the mesh; pale: not, the layers at membranes are thinner than three "
        r"elements; thin lines in (a), (b): $\langle D \rangle$, $D(\omega = 0)$"
        + ("\nin (c): times of exchange" if _rates_below(runs) else ""),
        fontsize=SMALL,
        color=style.GREY,
    )
    return Drawing(figure, _group(runs))


def _names(entries: Sequence[str], runs: Sequence[xarray.Dataset]) -> list[str]:
    """A word or a number for each run, and those of the configuration where these are the same."""
    words = [_word(run, runs) for run in runs]
    if len(set(words)) == len(words):
        return words
    return [entry.replace("_", " ") for entry in entries]


def _word(run: xarray.Dataset, runs: Sequence[xarray.Dataset]) -> str:
    """A word where there is one permeability above zero, and numbers where there are several."""
    kappa = float(run.permeability)
    if not kappa:
        return _IMPERMEABLE
    return style.kappa_text(kappa) if len(_permeable(runs)) > 1 else "permeable"


def _permeable(runs: Sequence[xarray.Dataset]) -> list[xarray.Dataset]:
    return [run for run in runs if float(run.permeability)]


def _media(files: FigureFiles, runs: Sequence[xarray.Dataset]) -> list[dict[str, str]]:
    """Cell, diffusivities and period of each run, in words; what no file says is left out."""
    cells, meshes = files.cells(), files.files.get("mesh", {})
    media = []
    for (name, path), run in zip(files.files["dispersion"].items(), runs, strict=True):
        texts = {"cell": cells.get(name, "")}
        if name in meshes:
            shape, plain = shape_of(meshes[name]), parameters_of(path)
            texts["material"] = _diffusivities(shape, Material.from_dict(plain))
        media.append({**texts, "period": style.period_text(float(run.period))})
    return media


def _diffusivities(shape: Shape, material: Material) -> str:
    """Diffusivities by the parts of a cell, or by its regions where those of a part differ."""
    found = [_entries(D) for D in material.diffusivity]
    if len(set(found)) == 1:
        return rf"$D$ = {found[0]} $\mu$m$^2$/ms"
    by_part = dict(zip(shape.region_parts, found, strict=True))
    names: Sequence[str] = shape.region_parts
    if [by_part[part] for part in shape.region_parts] != found:
        names = [name.replace("_", " ") for name in shape.region_names]
    said = dict(zip(names, found, strict=True))
    texts = ", ".join(f"{value} {name}" for name, value in said.items())
    return rf"$D$ = {texts} ($\mu$m$^2$/ms)"


def _entries(D: Diffusing) -> str:
    if isinstance(D, Radial):
        return f"({D})"
    if isinstance(D, tuple):
        return f"[{'; '.join(' '.join(f'{x:g}' for x in row) for row in D)}]"
    return f"{D:g}"


def _described(
    runs: Sequence[xarray.Dataset], names: Sequence[str], media: Sequence[dict[str, str]]
) -> str:
    """What all runs share, and a line for each with what it has of its own."""
    shared = {key: text for key, text in media[0].items() if all(m[key] == text for m in media)}
    below = _rates_below(runs)
    lines = [", ".join(filter(None, shared.values()))]
    for run, name, medium in zip(runs, names, media, strict=True):
        kappa = style.kappa_text(float(run.permeability))
        parts = [text for key, text in medium.items() if text and key not in shared]
        if name not in (kappa, _IMPERMEABLE):
            parts.insert(0, kappa)
        if below and (rates := _rates(run)):
            parts.append("exchange {:.4f}/ms, K\u00e4rger {:.4f}/ms".format(*rates))
        if parts:
            lines.append(f"{name}: {', '.join(parts)}")
    return "".join(f"{line}\n" for line in lines if line)


def _rates_below(runs: Sequence[xarray.Dataset]) -> bool:
    """Whether rates are written below: those of several runs, or where marks stand for curves."""
    return len(_permeable(runs)) > 1 or any(run.sizes["time"] == 1 for run in runs)


def _rates(run: xarray.Dataset) -> tuple[float, float] | None:
    """Slowest rate of exchange, exact and of Karger's model; None without exchange."""
    if not float(run.permeability) or not run.rate.size or not float(run.rate[0]):
        return None
    return float(run.rate[0]), float(run.karger_rate[0])


def _draw(ax: Axes, run: xarray.Dataset, name: str, color: str, text: str) -> None:
    """Draw a curve, pale where it is not resolved."""
    dim = name.split("_")[1]
    x = run[dim].values * (_HZ if dim == "frequency" else 1.0)
    y, resolved = run[name].values, run[f"{dim}_resolved"].values == 1
    # A single value is no line.
    mark: dict[str, Any] = {"marker": "o" if len(x) == 1 else "none", "markersize": 4.0}
    ax.plot(x, y, color=color, alpha=0.35, linewidth=1.0, label="_unresolved", **mark)
    ax.plot(x, np.where(resolved, y, np.nan), color=color, label=text, **mark)


def _label(ax: Axes, name: str, text: str, height: float, ink: str) -> None:
    """Write the name of a cell on its thin line, at the side where its curve leaves room."""
    left = name == "D_time"
    ax.annotate(
        text,
        (0.03 if left else 0.97, height),
        xycoords=ax.get_yaxis_transform(),
        xytext=(0, 2),
        textcoords="offset points",
        ha="left" if left else "right",
        va="bottom",
        fontsize=SMALL,
        color=ink,
    )


def _label_kurtosis(ax: Axes, run: xarray.Dataset, text: str, ink: str) -> None:
    """Write the name of a cell beside a maximum of its kurtosis, or above a curve that rises.

    The white box is below all curves and above the lines of exchange.
    """
    peak = int(np.argmax(run.K_time.values))
    rises = peak > 0.8 * run.sizes["time"]
    ax.annotate(
        text,
        (float(run.time[peak]), float(run.K_time[peak])),
        xytext=(0, 3) if rises else (10, 2),
        textcoords="offset points",
        ha="right" if rises else "left",
        va="bottom",
        fontsize=SMALL,
        color=ink,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        zorder=1.5,
    )


def _draw_exchange(ax: Axes, run: xarray.Dataset, color: str) -> None:
    """Mark the time of exchange; nothing without exchange."""
    if rates := _rates(run):
        ax.axvline(1.0 / rates[0], color=color, linewidth=style.LEAF, zorder=1)


def _explain_exchange(ax: Axes, runs: Sequence[xarray.Dataset]) -> None:
    """Write the rates of one run beside its curve; those of several are written below."""
    found = [(rates, ink) for run, ink in zip(runs, _INKS, strict=False) if (rates := _rates(run))]
    if found and not _rates_below(runs):
        ((rate, karger), ink), *_ = found
        text = f"thin line:\nexchange,\n{rate:.4f}/ms\nKärger:\n{karger:.4f}/ms"
        x, y, sides = _empty_corner(ax, runs)
        style.note(ax, x, y, text, color=ink, **sides)


def _empty_corner(
    ax: Axes, runs: Sequence[xarray.Dataset]
) -> tuple[float, float, dict[str, Literal["left", "right", "top", "bottom"]]]:
    """Place of the corner where curves and their names take least of a note, and its alignment."""
    to_axes = ax.transScale + ax.transLimits
    taken = []
    for run in runs:
        time, K = run.time.values, run.K_time.values
        curve = to_axes.transform(np.column_stack([time, K]))
        peak = curve[int(np.nanargmax(K))]
        along = np.linspace(0.0, len(curve) - 1.0, _STEPS)
        taken.append([np.interp(along, np.arange(len(curve)), part) for part in curve.T])
        # The name of the curve is beside its peak.
        taken.append([peak[0] + np.linspace(0.0, _NOTE[0], _STEPS), np.full(_STEPS, peak[1])])
    x, y = np.concatenate(taken, axis=1)
    corners = [(left, top) for top in (True, False) for left in (True, False)]
    lies = [
        np.count_nonzero(
            ((x < _NOTE[0]) if left else (x > 1.0 - _NOTE[0]))
            & ((y > 1.0 - _NOTE[1]) if top else (y < _NOTE[1]))
        )
        for left, top in corners
    ]
    left, top = corners[int(np.argmin(lies))]
    return (
        0.03 if left else 0.97,
        0.97 if top else 0.03,
        {"ha": "left" if left else "right", "va": "top" if top else "bottom"},
    )


def _draw_laws(ax: Axes, runs: Sequence[xarray.Dataset]) -> None:
    """Draw the law of short times of each material and shape, and its name once."""
    drawn: list[tuple[float, float]] = []
    for run in runs:
        law = (float(run.D_fast), float(run.wall_slope))
        if not any(np.allclose(law, other, rtol=1e-9) for other in drawn):
            _draw_law(ax, run, named=not drawn)
            drawn.append(law)


def _draw_law(ax: Axes, run: xarray.Dataset, named: bool) -> None:
    """Draw the law of short times as far as it is above the curve's end."""
    t = run.time.values
    law = float(run.D_fast) - float(run.wall_slope) * np.sqrt(t)
    shown = law > 0.7 * float(run.D_slow) + 0.3 * float(run.D_fast)
    if np.count_nonzero(shown) < 2:
        return
    ax.plot(t[shown], law[shown], color=style.GREY, linestyle=":", linewidth=1.0, label="law")
    if not named:
        return
    middle = int(np.flatnonzero(shown)[-1] * 0.85)
    # Beside the line, where there is room between it and the axis; else below it.
    room = np.log(t[middle] / t[0]) > _ROOM * np.log(t[-1] / t[0])
    ax.annotate(
        r"$\langle D \rangle - c\,\sqrt{t}$",
        (t[middle] if room else t[0], law[middle]),
        xytext=(-4, 0) if room else (2, -6),
        textcoords="offset points",
        ha="right" if room else "left",
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
    # Room for a name above the highest curve.
    axes[2].margins(y=0.1)
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
