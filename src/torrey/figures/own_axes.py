"""Tables of studies cut into the panels and colours of a figure of one's own, and its labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import matplotlib
import numpy as np
import xarray
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from torrey.base import artifacts
from torrey.figures import style
from torrey.figures.panels import instability
from torrey.figures.style import CurveLabel, Look, look_of, new_figure
from torrey.figures.words import text_of

Array = NDArray[np.float64]

COLOUR: Final = "colour"
"""Dimension of the colours of a cut table."""
_STUDY: Final = "study"
#: Axes of a figure: their texts, and their units there in the units of files.
_AXES: Final[dict[str, tuple[str, float]]] = {
    "period": (r"$L$ ($\mu$m)", 1.0),
    "permeability": (r"$\kappa$ (m/s)", 1e-3),
    "sigma0": (r"$\sigma_0$ (m/s)", 1e-3),
    "surface_relaxivity": (r"$\rho$ (m/s)", 1e-3),
    "delta": (r"$\delta$ (ms)", 1.0),
    "Delta": (r"$\Delta$ (ms)", 1.0),
    "b": (r"$b$ (s/mm$^2$)", 1e3),
    "q": (r"$q$ (rad/$\mu$m)", 1.0),
    "gradient": (r"$\gamma G$ (rad/$\mu$m/ms)", 1.0),
    "measurement": ("number of the measurement", 1.0),
}
#: Width of a letter in units of the font's size, and letters of room that a sample of a line takes.
_LETTER: Final = 0.6
_SAMPLE: Final = 7
_MANY_DECADES: Final = 10.0
"""Ratio of the largest to the smallest value from which on a scale is logarithmic."""
#: Colours of names: of Okabe and Ito, which all kinds of colour vision tell apart.
_NAMES: Final = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31",
)  # fmt: skip
#: Part of the map of colours that is dark enough to be read on white.
_DARK: Final = 0.82


def cut_axes(
    files: Mapping[str, str],
    places: Mapping[str, Any],
    names: Sequence[str],
    kept: Sequence[str],
    cells: Mapping[str, str],
) -> xarray.Dataset:
    """Cut the tables of studies by the axes of a figure.

    Parameters
    ----------
    files : mapping of str to str
        Table of each study by its name.
    places : mapping
        Axes by ``colour`` and ``panel``; empty texts, or no entry, where there is none. Only the
        ``models`` are taken, if there are some, and of the axes in ``at``, by study, the values at
        these places.
    names : sequence of str
        Variables to take.
    kept : sequence of str
        Axes that stay dimensions, beside ``model``.
    cells : mapping of str to str
        What the cell of each study is, in words: see `SourceFiles.cells`.

    Returns
    -------
    Dataset
        With the dimensions ``panel`` and ``colour`` (of length one where no axis has the place),
        ``model`` and `kept`. All other axes are coordinates, of the panels or colours in which
        they differ.
    """
    tables = {
        study: _part(_table(study, path, names, cells), study, places)
        for study, path in files.items()
    }
    first = next(iter(tables.values()))
    rows = []
    for panel in _indices(tables, first, places.get("panel", "")):
        cuts = [
            _cut(tables, {**panel, **colour}, kept)
            for colour in _indices(tables, first, places.get(COLOUR, ""))
        ]
        rows.append(_joined(cuts, COLOUR))
    joined = _joined(rows, "panel")
    order = dict.fromkeys(str(m) for table in tables.values() for m in table.model.values)
    joined = joined.sel(model=list(order))
    for axis in kept:
        # Labels stay in the order of the file.
        if joined[axis].dtype.kind == "f":
            joined = joined.sortby(axis)
    if _STUDY not in places.values():
        joined = joined.drop_vars(_STUDY)
    letters = xarray.Variable(
        "panel", style.letters(joined.sizes["panel"]), {"long_name": "panel of the figure"}
    )
    return _reduced(joined).assign_coords(panel=letters)


def _table(study: str, path: str, names: Sequence[str], cells: Mapping[str, str]) -> xarray.Dataset:
    table = artifacts.open_dataset(path)
    table = table[[name for name in names if name in table]].load()
    told: dict[str, Any] = {_STUDY: ((), study, {"units": "", "long_name": "name of the study"})}
    if study in cells:
        text = "cell; lengths in units of its period"
        told["cell"] = ((), cells[study], {"units": "", "long_name": text})
    return table.assign_coords(told)


def _part(table: xarray.Dataset, study: str, settings: Mapping[str, Any]) -> xarray.Dataset:
    """The models and the values of axes that a figure shows of a study."""
    named = settings.get("models") or table.model.values
    models = [model for model in table.model.values if model in named]
    return table.isel(settings.get("at", {}).get(study, {})).sel(model=models)


def _indices(
    tables: Mapping[str, xarray.Dataset], first: xarray.Dataset, axis: str
) -> list[dict[str, Any]]:
    """What to pick for each value of an axis: a study by its name, else a number on the axis."""
    if not axis:
        return [{}]
    if axis == _STUDY:
        return [{_STUDY: study} for study in tables]
    return [{axis: i} for i in range(first.sizes[axis])]


def _cut(
    tables: Mapping[str, xarray.Dataset], picked: dict[str, Any], kept: Sequence[str]
) -> xarray.Dataset:
    table = tables[picked.get(_STUDY, next(iter(tables)))]
    return table.isel({dim: picked.get(str(dim), 0) for dim in table.dims if _goes(dim, kept)})


def _goes(dim: Any, kept: Sequence[str]) -> bool:
    return dim not in ("model", "axis", *kept)


def _joined(cuts: Sequence[xarray.Dataset], dim: str) -> xarray.Dataset:
    return xarray.concat(
        cuts, dim, data_vars="all", coords="all", join="outer", combine_attrs="override"
    )


def _reduced(data: xarray.Dataset) -> xarray.Dataset:
    """Take the colours and panels off the coordinates that are the same in all of them."""
    for name in list(data.coords):
        # Alone, without the coordinates that it carries.
        values = data[name].variable
        for dim in (COLOUR, "panel"):
            if dim in values.dims and name != dim:
                first = values.isel({dim: 0})
                if bool((values == first).all()):
                    values = first
        data = data.drop_vars([name]).assign_coords({name: values})
    return data


# ---- how it is drawn ----


def with_instability(data: xarray.Dataset) -> xarray.Dataset:
    """Add which points mean nothing; a point that a study lacks is none of them."""
    return data.assign(unstable=instability(data.validity.fillna(0))).drop_vars("validity")


def axis_values(data: xarray.Dataset, axis: str) -> Array:
    """Values of an axis in the unit of its label."""
    _, unit = _AXES.get(axis, ("", 1.0))
    return np.asarray(unit * data[axis].values)


def label_axis(data: xarray.Dataset, axis: str) -> str:
    """Text of an axis with its unit."""
    if axis in _AXES:
        return _AXES[axis][0]
    units = str(data[axis].attrs.get("units", "1"))
    words = axis.replace("_", " ")
    return words if units in ("1", "") else f"{words} ({units})"


def set_x(ax: Axes, data: xarray.Dataset, axis: str) -> None:
    """Label the horizontal axis; a quantity over many decades has a logarithmic one."""
    x = axis_values(data, axis)
    if x.min() > 0.0 and x.max() >= _MANY_DECADES * x.min():
        ax.set_xscale("log")
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.set_xlabel(label_axis(data, axis))


def spans_decades(values: Array) -> bool:
    """Whether values, those that are finite, are positive and span more than a decade."""
    seen = values[np.isfinite(values)]
    return bool(len(seen) and seen.min() > 0.0 and seen.max() > _MANY_DECADES * seen.min())


def colours_of(data: xarray.Dataset, axis: str) -> list[str]:
    """Colours of the values of an axis: in one order for numbers, and apart for names."""
    count = data.sizes[COLOUR]
    if data[axis].dtype.kind != "f":
        return list(_NAMES[:count])
    shades = matplotlib.colormaps["viridis"](np.linspace(0.0, _DARK, max(count, 2)))
    return [to_hex(shade) for shade in shades[:count]]


def colour_texts(data: xarray.Dataset, axis: str) -> list[str]:
    """What the colours stand for, in words."""
    values = np.broadcast_to(data[axis].values, data.sizes[COLOUR])
    units = str(data[axis].attrs.get("units", ""))
    return [text_of(axis, value, units) for value in values.tolist()]


def figure_of_panels(count: int, height: float = 0.36) -> tuple[Figure, list[Axes]]:
    """Make a figure of the page's width with axes for panels, which share their limits.

    Parameters
    ----------
    count : int
    height : float
        Of a row of panels, in units of the width of the page.
    """
    columns = 1 if count == 1 else 2 if count <= 4 else 3
    rows = -(-count // columns)
    width = style.PAGE if count > 1 else 0.62 * style.PAGE
    figure = new_figure(width, (rows * height + 0.08) * style.PAGE)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for ax in axes[count:]:
        ax.remove()
    for ax in axes[max(count - columns, 0) : count]:
        ax.xaxis.set_tick_params(labelbottom=True)
    return figure, list(axes[:count])


def head(figure: Figure, text: str, samples: Sequence[Artist] = ()) -> None:
    """Write what all panels share, and samples, in as many lines as the width of a figure asks for.

    Parameters
    ----------
    figure : Figure
    text : str
        Parts are joined by commas, at which a line may end.
    samples : sequence of Artist
        With labels.
    """
    room = int(figure.get_size_inches()[0] * 72.0 / (_LETTER * style.SMALL))
    widths = [_letters(str(sample.get_label())) + _SAMPLE for sample in samples]
    columns = max(room // max(widths), 1) if sum(widths) > room else None
    lines = [wrapped(line, room) for line in text.split("\n")]
    style.head(figure, "\n".join(lines), samples, columns)


def wrapped(text: str, room: int) -> str:
    """Break a text at commas into lines of so many letters, as far as it has commas."""
    lines = [""]
    for part in text.split(", "):
        longer = f"{lines[-1]}, {part}" if lines[-1] else part
        if lines[-1] and _letters(longer) > room:
            lines[-1] += ","
            lines.append(part)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def _letters(text: str) -> int:
    """About how many letters a text with formulas takes."""
    return len(re.sub(r"\\[a-zA-Z]+", "x", re.sub(r"\\math[a-z]+|[{}$^_]|\\ ", "", text)))


def model_sample(model: str) -> Line2D:
    """Line and mark of a model for the legend of a figure whose colours are not those of models."""
    look = coloured(look_of(model), style.GREY)
    line: dict[str, Any] = {"linestyle": look.linestyle, "linewidth": look.width}
    mark: dict[str, Any] = {"marker": look.marker if look.size else "none", "markersize": look.size}
    return Line2D([], [], color=look.color, markeredgewidth=0.0, label=look.label, **line, **mark)


def draw_within(
    ax: Axes,
    look: Look,
    x: ArrayLike,
    y: ArrayLike,
    unstable: ArrayLike,
    error: ArrayLike | None = None,
    text: str = "",
) -> CurveLabel | None:
    """Draw the curve of a model, without what means nothing and lies beyond the axes.

    Such signals may be of any size, and a line to them would cross the axes. In the place of them
    is one hollow mark at the border, beside the label if the curve ends there.

    Parameters
    ----------
    ax : Axes
        With its final limits.
    look : Look
    x, y : (n,) array_like
    unstable : (n,) array_like of bool
        Points that mean nothing.
    error : (n,) array_like, optional
        Numerical error of y.
    text : str
        Of the label; that of the look without it.

    Returns
    -------
    CurveLabel or None
        For the end of what is drawn; None if nothing is.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    unstable, (low, high) = np.asarray(unstable, dtype=bool), ax.get_ylim()
    lost = unstable & ~((y >= low) & (y <= high))
    shown = np.where(lost, np.nan, y)
    line = style.draw_model(ax, "", x, shown, error, unstable & ~lost, look)
    beyond = np.flatnonzero(lost)
    if not len(beyond):
        return style.last_point(line, text or look.label, look.ink)
    returns = bool(np.isfinite(shown[beyond[-1] :]).any())
    place = beyond[0] if returns else beyond[-1]
    border = low if y[place] < low else high
    (mark,) = style.draw_hollow(ax, look, x[[place]], np.array([border]), np.array([True]))
    mark.set(clip_on=False, label="_beyond")
    if returns:
        return style.last_point(line, text or look.label, look.ink)
    return CurveLabel(float(x[place]), border, text or look.label, look.ink)


def inside(ax: Axes, labels: Sequence[CurveLabel | None]) -> list[CurveLabel | None]:
    """Labels of curves, those that end beyond the axes at the edge where they leave."""
    low, high = ax.get_ylim()
    return [
        replace(label, y=float(np.clip(label.y, low, high))) if label else None for label in labels
    ]


def outer_labels(axes: Sequence[Axes]) -> None:
    """Keep the labels of axes at the edges of the figure, below the last panel of each column."""
    columns = axes[0].get_subplotspec().get_gridspec().ncols  # type: ignore[union-attr]
    for i, ax in enumerate(axes):
        if i + columns < len(axes):
            ax.set_xlabel("")
        if i % columns:
            ax.set_ylabel("")


def look_in(model: str, colour: str, joined: bool = True) -> Look:
    """The look of a model, in a colour if there is one; marks alone where no line joins points."""
    look = coloured(look_of(model), colour) if colour and joined else look_of(model)
    if joined:
        return look
    shade = colour or look.color
    ink = colour or look.ink
    return replace(look, linestyle="none", size=max(look.size, 2.4), color=shade, ink=ink)


def coloured(look: Look, colour: str) -> Look:
    """The look of a model in the colour of a value: a line, and marks for the reference alone."""
    marks = look.size if look.linestyle == "none" else 0.0
    return replace(look, color=colour, ink=colour, size=marks, width=min(look.width, 1.6))
