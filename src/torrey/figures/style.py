"""The look that all figures share: sizes, fonts, one colour and one mark per model, labels.

Figures are made with matplotlib's objects and not with pyplot: nothing here keeps a state. The only
exception are matplotlib's defaults, which `styled` sets for the time of one drawing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Final, ParamSpec

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from torrey.figures.drawing import Drawing
from torrey.models import registry

P = ParamSpec("P")

MM: Final = 1.0 / 25.4
"""One millimetre in inches."""
COLUMN: Final = 88.0 * MM
"""Width of one column of a journal (inches)."""
UM_PER_MM: Final = 1000.0
S_PER_MS: Final = 1000.0
"""b in s/mm^2 of one in ms/um^2."""

PAGE: Final = 180.0 * MM
"""Width of a journal's page (inches)."""

FONT_SIZE: Final = 8.0
SMALL: Final = 7.0
GREY: Final = "#6E6E6E"
LEAF: Final = 0.5
"""Width of the thinnest lines (points)."""

_DEFAULTS: Final[dict[Any, Any]] = {
    # Bundled with matplotlib: the same letters on every machine.
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "dejavusans",
    "font.size": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "axes.titlesize": FONT_SIZE,
    "legend.fontsize": SMALL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.formatter.use_mathtext": True,
    "axes.formatter.limits": (-3, 5),
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "lines.linewidth": 1.3,
    "lines.solid_capstyle": "round",
    "hatch.linewidth": 0.4,
    "legend.frameon": False,
    "figure.constrained_layout.h_pad": 0.05,
    "figure.constrained_layout.w_pad": 0.05,
}


@dataclass(frozen=True)
class Look:
    """How a model is drawn, in every figure.

    Attributes
    ----------
    color : str
        From the palette of Okabe and Ito, which all kinds of colour vision tell apart.
    ink : str
        Colour of the label: as `color`, darker where that is too pale to read.
    marker, linestyle : str
        Told apart without colour, too.
    width, size : float
        Of line and marker (points); size 0 draws the line alone.
    zorder : float
    label : str
        Text for the curve: see `look_of`.
    """

    color: str
    ink: str
    marker: str
    linestyle: str
    width: float = 1.3
    size: float = 3.2
    zorder: float = 3.0
    label: str = ""


# The lumped models are wide pale lines underneath: they often coincide with the models that keep
# the compartments apart, and both have to be seen.
LOOKS: Final[dict[str, Look]] = {
    "reference": Look("#000000", "#000000", "o", "none", size=3.0, zorder=5.0),
    "R0": Look("#D55E00", "#B84F00", "s", "--"),
    "R1": Look("#009E73", "#00795A", "^", "-."),
    "R2": Look("#0072B2", "#0072B2", "D", "-", size=2.8, zorder=4.0),
    "Pade": Look("#CC79A7", "#A04E7C", "^", ":"),
    "lumped-R0": Look("#F0C27B", "#A87000", "s", "-", 4.0, 0.0, 2.0),
    "lumped-R2": Look("#A6D5F2", "#3489BC", "D", "-", 4.0, 0.0, 2.1),
}
_OTHER: Final = Look("#56B4E9", "#2A85BC", "v", ":")
_NONE: Final[Mapping[str, Look]] = {}


@dataclass(frozen=True)
class CurveLabel:
    """A text for the point where a curve ends."""

    x: float
    y: float
    text: str
    color: str


def styled(function: Callable[P, Drawing]) -> Callable[P, Drawing]:
    """Draw with the look of this module."""

    @wraps(function)
    def draw(*args: P.args, **kwargs: P.kwargs) -> Drawing:
        with matplotlib.rc_context(_DEFAULTS):
            drawing = function(*args, **kwargs)
            # Ticks are made at the first drawing and take the defaults of that moment.
            for figure in drawing.figures:
                figure.draw_without_rendering()
        return drawing

    return draw


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure (inches) that arranges itself."""
    return Figure(figsize=(width, height), layout="constrained")


def look_of(model: str, own: Mapping[str, Look] = _NONE) -> Look:
    """Look of a model, with its label.

    Parameters
    ----------
    model : str
        Name in the files. One that has no look yet gets the look of all others.
    own : mapping of str to Look, optional
        Looks that a figure gives to some models in the place of those of all figures.
    """
    look = own.get(model) or LOOKS.get(model, _OTHER)
    return replace(look, label=registry.label(model))


def draw_model(
    ax: Axes,
    model: str,
    x: ArrayLike,
    y: ArrayLike,
    error: ArrayLike | None = None,
    unstable: ArrayLike | None = None,
    look: Look | None = None,
) -> Line2D:
    """Draw the curve of one model.

    Parameters
    ----------
    ax : Axes
    model : str
        Name in the files: ``reference``, ``R0``, ``lumped-R2``, ...
    x, y : (n,) array_like
        Values that are not finite are left out.
    error : (n,) array_like, optional
        Numerical error of y. The bar hides behind the marker unless it is larger.
    unstable : (n,) array_like of bool, optional
        Points where the model is unstable: their markers are hollow.
    look : Look, optional
        In the place of that of all figures.

    Returns
    -------
    Line2D
        The line through all points.
    """
    look = look or look_of(model)
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    y = np.where(np.isfinite(y), y, np.nan)
    if error is not None:
        bar = np.where(np.isfinite(y), np.nan_to_num(np.asarray(error, dtype=float)), np.nan)
        ax.errorbar(x, y, bar, fmt="none", ecolor=look.color, elinewidth=0.8, zorder=look.zorder)
    (line,) = ax.plot(
        x,
        y,
        color=look.color,
        linestyle=look.linestyle,
        linewidth=look.width,
        marker=look.marker if look.size else "none",
        markersize=look.size,
        markeredgewidth=0.0,
        zorder=look.zorder,
        label=look.label,
    )
    if not look.size:
        _draw_alone(ax, look, x, y)
    if unstable is not None:
        draw_hollow(ax, look, x, y, np.asarray(unstable, dtype=bool))
    return line


def _draw_alone(ax: Axes, look: Look, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Draw marks where a curve without marks has a point without neighbours, which is no line."""
    seen = np.isfinite(y)
    if (alone := seen & ~np.r_[False, seen[:-1]] & ~np.r_[seen[1:], False]).any():
        paint: dict[str, Any] = {"color": look.color, "zorder": look.zorder, "label": "_alone"}
        ax.plot(x[alone], y[alone], look.marker, markersize=3.0, markeredgewidth=0.0, **paint)


def draw_hollow(
    ax: Axes,
    look: Look,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    where: NDArray[np.bool_],
) -> list[Line2D]:
    """Draw hollow markers over some of the points of a curve; nothing if there are none."""
    if not np.any(where):
        return []
    return ax.plot(
        x[where],
        y[where],
        linestyle="none",
        marker=look.marker,
        markersize=max(look.size, 3.0),
        markerfacecolor="white",
        markeredgecolor=look.color,
        markeredgewidth=0.9,
        zorder=look.zorder + 0.5,
        label="_hollow",
    )


def last_point(line: Line2D, text: str, color: str) -> CurveLabel | None:
    """Label for the last point of a curve that can be drawn; None if no point can."""
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    drawn = np.flatnonzero(np.isfinite(y))
    if not len(drawn):
        return None
    return CurveLabel(float(x[drawn[-1]]), float(y[drawn[-1]]), text, color)


def label_ends(ax: Axes, labels: Sequence[CurveLabel | None], gap: float = 1.25) -> None:
    """Write labels on the right of the axes, each at the height where its curve ends.

    Labels that would overlap are moved apart and joined to their curves by a thin line.

    Parameters
    ----------
    ax : Axes
        With its final limits.
    labels : sequence of CurveLabel or None
    gap : float
        Distance of neighbouring labels in units of the font size.
    """
    present = [label for label in labels if label is not None]
    if not present:
        return
    ax.viewLim  # noqa: B018 - limits are computed when asked for
    to_axes = ax.transScale + ax.transLimits
    ends = to_axes.transform([(label.x, label.y) for label in present])[:, 1]
    figure = ax.get_figure(root=True)
    assert figure is not None
    # The layout, not known yet, takes some of the height for titles and tick labels.
    height = 0.8 * ax.get_position().height * figure.get_size_inches()[1] * 72.0
    places = spread(np.clip(ends, 0.0, 1.0), gap * SMALL / height, 0.02, 0.98)
    # One that has moved needs a line, and then all stand farther away to be in one column.
    moved = bool(np.any(np.abs(places - ends) > 0.005))
    for label, place in zip(present, places, strict=True):
        line = {"arrowstyle": "-", "color": label.color, "linewidth": LEAF, "shrinkA": 1.0}
        ax.annotate(
            label.text,
            (label.x, label.y),
            xytext=(1.0 + (0.055 if moved else 0.025), place),
            textcoords="axes fraction",
            color=label.color,
            fontsize=SMALL,
            verticalalignment="center",
            annotation_clip=False,
            arrowprops={**line, "shrinkB": 3.0, "relpos": (0.0, 0.5)} if moved else None,
        )


def spread(
    places: ArrayLike, gap: float, low: float = -np.inf, high: float = np.inf
) -> NDArray[np.float64]:
    """Move numbers apart until neighbours differ by a gap, as little as possible.

    Parameters
    ----------
    places : (n,) array_like
    gap : float
    low, high : float
        Limits; the lower one yields where there is not enough room.

    Returns
    -------
    (n,) ndarray
        In the order given. Numbers in conflict keep their mean.

    Examples
    --------
    >>> spread([0.5, 0.5, 3.0], 1.0)
    array([0., 1., 3.])
    """
    places = np.asarray(places, dtype=float)
    order = np.argsort(places, kind="stable")
    blocks: list[list[float]] = []  # [mean, count]: runs of touching labels, lowest first
    for place in places[order]:
        blocks.append([float(place), 1])
        while len(blocks) > 1 and _touch(blocks[-2], blocks[-1], gap):
            mean, count = blocks.pop()
            below = blocks[-1]
            below[0] = (below[0] * below[1] + mean * count) / (below[1] + count)
            below[1] += count
    moved = [mean + gap * (i - (n - 1) / 2) for mean, n in blocks for i in range(int(n))]
    result = np.empty_like(places)
    result[order] = _between(np.array(moved), gap, low, high)
    return result


def _between(
    places: NDArray[np.float64], gap: float, low: float, high: float
) -> NDArray[np.float64]:
    """Push sorted numbers inside limits without closing the gaps."""
    steps = gap * np.arange(len(places))
    lifted = np.maximum.accumulate(np.maximum(places, low) - steps) + steps
    steps = steps[::-1]
    lowered = np.minimum.accumulate((np.minimum(lifted, high) + steps)[::-1])[::-1]
    return np.asarray(lowered - steps)


def _touch(lower: list[float], upper: list[float], gap: float) -> bool:
    return upper[0] - lower[0] < gap * (lower[1] + upper[1]) / 2 - 1e-12


def panel_title(ax: Axes, letter: str, text: str = "") -> None:
    """Write the letter of a panel and what it shows above it, on the left."""
    ax.set_title(rf"$\bf{{({letter})}}$  {text}".rstrip(), loc="left")


def letters(count: int) -> list[str]:
    """Return the letters of a figure's panels."""
    return [chr(ord("a") + i) for i in range(count)]


def note(ax: Axes, x: float, y: float, text: str, **options: Any) -> None:
    """Write a small grey remark at a place in the axes, in fractions of them."""
    style = {"fontsize": SMALL, "color": GREY, **options}
    ax.text(x, y, text, transform=ax.transAxes, **style)


def head(
    figure: Figure, text: str, handles: Sequence[Artist] = (), columns: int | None = None
) -> None:
    """Write above all panels what they share, and below that what lines and marks mean.

    Parameters
    ----------
    figure : Figure
    text : str
        See `torrey.figures.words.words_of`; may be empty.
    handles : sequence of Artist
        Samples with labels.
    columns : int, optional
        Samples beside each other; all of them without it.
    """
    if text or handles:
        legend = figure.legend(
            handles=list(handles),
            title=text or None,
            title_fontsize=SMALL,
            loc="outside upper center",
            ncols=columns or max(len(handles), 1),
        )
        legend.get_title().set_multialignment("center")


def power_of_ten(value: float) -> str:
    """Write a number as mantissa and power of ten.

    Examples
    --------
    >>> power_of_ten(5e-5)
    '$5\\\\times10^{-5}$'
    """
    mantissa, exponent = f"{value:.3e}".split("e")
    return rf"${float(mantissa):g}\times10^{{{int(exponent)}}}$"


def b_text(b: float) -> str:
    """Write a b-value given in ms/um^2."""
    return rf"$b$ = {1000.0 * b:g} s/mm$^2$"


def Delta_text(Delta: float) -> str:
    """Write the time between the pulses, given in ms."""
    return rf"$\Delta$ = {Delta:g} ms"


def period_text(period: float) -> str:
    """Write a period given in um."""
    return rf"$L$ = {period:g} $\mu$m"


def kappa_text(kappa: float) -> str:
    """Write a permeability given in um/ms."""
    return rf"$\kappa$ = {power_of_ten(1e-3 * kappa)} m/s" if kappa else r"$\kappa$ = 0"


def sigma0_text(sigma0: float) -> str:
    """Write a permeability over the period in mm, given in um/ms."""
    return rf"$\sigma_0$ = {1e-3 * sigma0:g} m/s" if sigma0 else r"$\sigma_0$ = 0"


def delta_text(delta: float) -> str:
    """Write the duration of the pulses, given in ms."""
    return rf"$\delta$ = {delta:g} ms"


def direction_text(direction: str | ArrayLike) -> str:
    """Write a direction, given as a vector or as its label in files: that of an axis by its name.

    Examples
    --------
    >>> direction_text("0,1")
    '$\\mathbf{n} = \\mathbf{e}_y$'
    """
    parts = direction.split(",") if isinstance(direction, str) else direction
    vector = np.asarray(parts, dtype=float)
    along = np.flatnonzero(np.abs(vector) > 1e-12)
    if len(along) == 1 and vector[along[0]] > 0:
        return rf"$\mathbf{{n}} = \mathbf{{e}}_{'xyz'[along[0]]}$"
    return rf"$\mathbf{{n}}$ = ({', '.join(f'{x:.3g}' for x in vector)})"
