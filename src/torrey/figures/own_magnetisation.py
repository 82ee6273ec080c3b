"""The magnetisation in a cell at some times of one measurement: stills, and a film of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import TriMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import Stroke
from matplotlib.ticker import MaxNLocator
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Variable
from torrey.base.units import UNITS, Kind
from torrey.cell.material import Material
from torrey.figures import cells, style
from torrey.figures.cell_sections import Section, section_of
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.films import Film
from torrey.figures.own_axes import head
from torrey.figures.sources import parameters_of
from torrey.figures.style import COLUMN, PAGE, SMALL, styled
from torrey.figures.words import text_of
from torrey.geometry.files import read_mesh
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh
from torrey.gradients.instants import frames_of
from torrey.gradients.protocol import Point
from torrey.gradients.sweep import axis_declaration

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_LABELS: Final = {"modulus": "$|m|$", "real": r"Re $m$"}
_COLOURS: Final = {"modulus": "cividis", "real": "RdBu_r"}
_BORDER: Final = "#FFFFFF"
_EDGE: Final = "#000000"
_PROFILE: Final = "#0072B2"
#: Colours of the components of a gradient.
_COMPONENTS: Final = ("#000000", "#0072B2", "#009E73")
_MARK: Final = "#D55E00"
#: Most panels beside each other, and the height of the waveform, in units of the page's width.
_COLUMNS: Final = 5
_STRIP: Final = 0.16
#: Of profiles, in units of their width.
_LOW: Final = 1.1


@dataclass(frozen=True)
class _Cell:
    """What is drawn of a cell: fields, borders of its regions, and limits of the values."""

    section: Section
    values: Array
    borders: Path | None
    sides: Path | None
    walls: Array
    limits: tuple[float, float]
    show: str

    @property
    def is_line(self) -> bool:
        """Whether values are drawn as profiles."""
        return self.section.places.shape[1] == 1

    @property
    def shape(self) -> float:
        """Height of the cell over its width."""
        if self.is_line:
            return _LOW
        width, height = np.ptp(self.section.places, axis=0)
        return float(height / width)


@styled
def own_magnetisation(files: FigureFiles, settings: Mapping[str, Any]) -> Drawing:
    """Stills of m in one cell, the waveform with their times, and a film of all frames.

    Parameters
    ----------
    files : FigureFiles
        With ``magnetisation`` and ``mesh`` of one study.
    settings : mapping
        ``times`` of the stills (ms), and ``value``: ``modulus`` or ``real``.
    """
    ((_, path),) = files.files["magnetisation"].items()
    ((name, mesh),) = files.files["mesh"].items()
    data = artifacts.read(path)
    stills = [int(np.abs(data["time"] - time).argmin()) for time in settings["times"]]
    coarsest = read_mesh(mesh)
    cell = _cell(data, coarsest, str(settings["value"]), stills)
    point = Point.from_dict(parameters_of(path))
    names = [_axis_text(axis) for axis in point.frame]
    figure = _stills(cell, data, stills, names)
    said = [files.cells()[name], _plane(data), _words(path, coarsest), _signal(data)]
    head(figure, ", ".join(filter(None, said)))
    film = _film(cell, data, names)
    return Drawing(figure, _group(cell, data, stills), film)


def _cell(
    data: Mapping[str, NDArray[Any]], mesh: CellMesh, show: str, stills: Sequence[int]
) -> _Cell:
    section = section_of(data, show == "real")
    values = section.values.real if show == "real" else np.abs(section.values)
    drawn = values[stills]
    largest = float(np.abs(drawn).max())
    low = -largest if show == "real" else float(drawn.min())
    # Small differences are seen in colours of their own.
    if show == "modulus" and low < 0.5 * largest:
        low = 0.0
    period = float(data["length"])
    return _Cell(
        section,
        values,
        borders=_borders(mesh, section, period),
        sides=_scaled(cells.sides_path(mesh), period) if mesh.dimension == 2 else None,
        walls=_walls(mesh, period) if mesh.dimension == 1 else np.empty(0),
        limits=(low, largest if largest > low else low + 1.0),
        show=show,
    )


def _borders(mesh: CellMesh, section: Section, period: float) -> Path | None:
    """Borders of regions (um), which a section of a cell in space has itself."""
    if mesh.dimension == 2:
        return _scaled(cells.borders_path(mesh), period)
    codes = [Path.MOVETO, Path.LINETO] * len(section.borders)
    return Path(section.borders.reshape(-1, 2), codes) if codes else None


def _scaled(path: Path, period: float) -> Path:
    """A path in units of the cell, in um."""
    return Path(period * np.asarray(path.vertices), path.codes)


def _walls(mesh: CellMesh, period: float) -> Array:
    """Where regions of a cell of one dimension end (um), its own ends left out."""
    ends = [mesh.points[mesh.elements[mesh.region == r, :2], 0] for r in np.unique(mesh.region)]
    once = []
    for one in ends:
        places, count = np.unique(np.round(one, 9), return_counts=True)
        once += places[count == 1].tolist()
    inner = {x for x in once if mesh.points.min() + 1e-9 < x < mesh.points.max() - 1e-9}
    return period * np.array(sorted(inner))


# ---- panels ----


def _stills(
    cell: _Cell, data: Mapping[str, NDArray[Any]], stills: Sequence[int], names: Sequence[str]
) -> Figure:
    columns = len(stills) if len(stills) <= _COLUMNS else -(-len(stills) // 2)
    rows = -(-len(stills) // columns)
    # Labels and the colours take some of the width, titles some of the height.
    row = (0.86 * cell.shape / columns + 0.075) * PAGE
    figure = style.new_figure(PAGE, rows * row + (_STRIP + 0.115) * PAGE)
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=[row] * rows + [_STRIP * PAGE])
    first: Axes | None = None
    axes = []
    for i in range(len(stills)):
        ax = figure.add_subplot(grid[divmod(i, columns)], sharex=first, sharey=first)
        first = first or ax
        axes.append(ax)
    letters = style.letters(len(stills))
    for i, (ax, letter, number) in enumerate(zip(axes, letters, stills, strict=True)):
        update = _draw(ax, cell)
        update(number)
        style.panel_title(ax, letter, f"$t$ = {float(data['time'][number]):.4g} ms")
        _label(ax, cell, left=i % columns == 0, below=i + columns >= len(stills))
    if not cell.is_line:
        bar = figure.colorbar(axes[0].collections[0], ax=axes, pad=0.015, aspect=20, shrink=0.8)
        bar.set_label(_LABELS[cell.show])
    strip = figure.add_subplot(grid[rows, :])
    _draw_waveform(strip, data, names)
    _mark_times(strip, data["time"][stills], letters)
    return figure


def _draw(ax: Axes, cell: _Cell) -> Callable[[int], None]:
    """Draw what does not change; return what draws the values at a time, by its number."""
    section, low, high = cell.section, *cell.limits
    if cell.is_line:
        room = 0.04 * (high - low)
        ax.set(ylim=(low - room, high + room), xlim=(section.places.min(), section.places.max()))
        ax.vlines(cell.walls, low - room, high + room, color=style.GREY, linewidth=0.7)
        (line,) = ax.plot([], [], color=_PROFILE)
        return lambda number: _set_line(line, section, cell.values[number])
    x, y = section.places.T
    shape = Triangulation(x, y, section.simplices)
    options: dict[str, Any] = {"cmap": _COLOURS[cell.show], "norm": Normalize(low, high)}
    picture = ax.tripcolor(shape, cell.values[0], shading="gouraud", **options)
    assert isinstance(picture, TriMesh)
    # Thousands of shaded triangles belong into a picture, the axes round them do not.
    picture.set_rasterized(True)
    # Seen on dark and on pale colours.
    both = [Stroke(linewidth=1.5, foreground=_EDGE, alpha=0.55), Stroke(linewidth=0.7)]
    if cell.borders is not None and np.size(cell.borders.vertices):
        patch = PathPatch(cell.borders, facecolor="none", edgecolor=_BORDER, path_effects=both)
        ax.add_patch(patch)
    if cell.sides is not None and np.size(cell.sides.vertices):
        ax.add_patch(PathPatch(cell.sides, facecolor="none", edgecolor=_EDGE, linewidth=0.6))
    ax.set_aspect("equal")
    ax.set(xlim=(x.min(), x.max()), ylim=(y.min(), y.max()))
    ax.spines[:].set_visible(False)
    return lambda number: picture.set_array(cell.values[number])


def _set_line(line: Line2D, section: Section, values: Array) -> None:
    """Draw a profile, with gaps where it jumps."""
    ends = section.simplices[np.argsort(section.places[section.simplices[:, 0], 0])]
    x, y = section.places[ends, 0], values[ends]
    gap = np.full((len(ends), 1), np.nan)
    line.set_data(np.hstack([x, gap]).ravel(), np.hstack([y, gap]).ravel())


def _label(ax: Axes, cell: _Cell, left: bool, below: bool) -> None:
    names = cell.section.axes
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.tick_params(labelleft=left, labelbottom=below)
    if below:
        ax.set_xlabel(rf"${names[0]}$ ($\mu$m)")
    if left:
        ax.set_ylabel(_LABELS[cell.show] if cell.is_line else rf"${names[1]}$ ($\mu$m)")


# ---- waveform ----


def _draw_waveform(ax: Axes, data: Mapping[str, NDArray[Any]], names: Sequence[str]) -> None:
    """The gradient against time, with the names of its components where there are several."""
    instant, gradient = data["instant"], data["gradient"]
    ax.axhline(0.0, color=style.GREY, linewidth=style.LEAF)
    ends = np.concatenate([[0.0], instant, [instant[-1]]])
    for component, color, name in zip(gradient.T, _COMPONENTS, names, strict=False):
        values = np.concatenate([[0.0], component, [0.0]])
        ax.plot(ends, values, color=color, linewidth=1.0, label=name)
    if len(names) > 1:
        legend = ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.2)
        # The bar of colours above leaves room for it.
        legend.set_in_layout(data["place"].shape[1] == 1)
    ax.set(xlabel="$t$ (ms)", xlim=(0.0, instant[-1]))
    ax.set_ylabel("$\\gamma G$\n(rad/$\\mu$m/ms)")
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.margins(y=0.12)


def _mark_times(ax: Axes, times: Array, letters: Sequence[str]) -> None:
    """Mark the times of the stills, with the letters of their panels above."""
    low, high = ax.get_xlim()
    # About two letters apart, in units of the width.
    places = style.spread((times - low) / (high - low), 0.022, 0.0, 1.0)
    for time, place, letter in zip(times, places, letters, strict=True):
        ax.axvline(float(time), color=_MARK, linewidth=0.8, linestyle=(0, (3, 2)), clip_on=False)
        ax.annotate(
            letter,
            (float(time), 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(float(place), 1.09),
            textcoords="axes fraction",
            ha="center",
            va="bottom",
            fontsize=SMALL,
            fontweight="bold",
            color=_MARK,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": _MARK, "linewidth": style.LEAF, "shrinkA": 0.0,
                        "shrinkB": 0.0},
        )  # fmt: skip


# ---- film ----


def _film(cell: _Cell, data: Mapping[str, NDArray[Any]], names: Sequence[str]) -> Film:
    width = (0.86 if cell.is_line else 0.66) * COLUMN
    height = 0.6 * width if cell.is_line else cell.shape * width
    figure = style.new_figure(COLUMN, height + 0.5 * COLUMN)
    ax, strip = figure.subplots(2, 1, height_ratios=[height, 0.26 * COLUMN])
    update = _draw(ax, cell)
    _label(ax, cell, left=True, below=True)
    if not cell.is_line:
        bar = figure.colorbar(ax.collections[0], ax=ax, pad=0.02, aspect=25)
        bar.set_label(_LABELS[cell.show])
    _draw_waveform(strip, data, names)
    numbers, times = frames_of(data["time"]), data["time"]
    mark = strip.axvline(0.0, color=_MARK, linewidth=1.2, clip_on=False)
    digits = max(0, 2 - int(np.floor(np.log10(times[-1]))))
    title = ax.set_title("$t$ = 0 ms")

    def show(frame: int) -> None:
        number = numbers[frame]
        update(number)
        mark.set_xdata([times[number]] * 2)
        title.set_text(f"$t$ = {times[number]:.{digits}f} ms")

    show(0)
    lines = ("#000000", style.GREY, _MARK, *_COMPONENTS, _PROFILE)
    return Film(figure, show, len(numbers), lines, "" if cell.is_line else _COLOURS[cell.show])


# ---- words ----


def _words(path: str, mesh: CellMesh) -> str:
    """What was measured, in words: the period, the permeability and the gradient."""
    parameters = parameters_of(path)
    point, material = Point.from_dict(parameters), Material.from_dict(parameters)
    said = [style.period_text(point.period)]
    passable = bool(np.any(mesh.membrane_inside != NOTHING)) and not material.walls
    if passable:
        said.append(style.kappa_text(point.permeability))
    elif point.permeability:
        said.append(rf"$\rho$ = {style.power_of_ten(1e-3 * point.permeability)} m/s")
    for name, value in point.waveform.parameters.items():
        unit = cast(Kind | None, axis_declaration(name).unit)
        said.append(text_of(name, value, UNITS[unit].internal if unit else ""))
    said.append(style.b_text(float(f"{point.b:.6g}")))
    said.append(style.direction_text(np.round(point.direction, 12)))
    return ", ".join(said)


def _axis_text(axis: Array) -> str:
    """An axis of the gradient."""
    text = style.direction_text(np.round(axis, 12))
    return text.replace(r"\mathbf{n} = ", "").replace(r"$\mathbf{n}$ = ", "")


def _plane(data: Mapping[str, NDArray[Any]]) -> str:
    """Which plane is shown of a cell in space."""
    normal, height = int(data["normal"]), float(data["height"]) * float(data["length"])
    return "" if normal < 0 else rf"plane ${'xyz'[normal]}$ = {height:.3g} $\mu$m"


def _signal(data: Mapping[str, NDArray[Any]]) -> str:
    """The signal, as far as it is known."""
    value = complex(float(data["signal_real"]), float(data["signal_imag"]))
    error = float(data["signal_error"])
    if abs(value.imag) > error:
        return f"$S$ = {value.real:.3g} {'+' if value.imag > 0 else '-'} {abs(value.imag):.3g} i"
    return f"$S$ = {value.real:.3g}"


def _group(
    cell: _Cell, data: Mapping[str, NDArray[Any]], stills: Sequence[int]
) -> dict[str, Variable]:
    """What is drawn, and the signal."""
    section = cell.section
    name = {"modulus": "|m|", "real": "real part of m"}[cell.show]
    return {
        "time": Variable(("time",), data["time"][stills], "ms", "time"),
        "value": Variable(("time", "point"), cell.values[stills], "1", name),
        "place": Variable(("point", "axis"), section.places, "um", "place in the cell"),
        "simplex": Variable(
            ("simplex", "corner"), section.simplices.astype(np.int32), "1",
            "points of each piece of a line, or triangle",
        ),
        "axis": Variable(("axis",), np.array(section.axes, dtype=object), "", "axis of the cell"),
        "instant": Variable(("instant",), data["instant"], "ms", "time"),
        "gradient": Variable(
            ("instant", "component"), data["gradient"], "rad um-1 ms-1", "gradient gamma G"
        ),
        "signal_real": Variable((), data["signal_real"], "1", "signal at the echo, real part"),
        "signal_imag": Variable((), data["signal_imag"], "1", "signal at the echo, imaginary part"),
    }  # fmt: skip
