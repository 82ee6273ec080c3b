"""The overview of a study: its cell, its signals, and the errors of its models, on one page.

It is made for every study, whatever that sweeps: a part that cannot be drawn says so in its place
and leaves the others alone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.figures import style
from torrey.figures.cell_pictures import draw_on
from torrey.figures.drawing import Drawing
from torrey.figures.own_axes import (
    COLOUR,
    cut_axes,
    head,
    inside,
    label_axis,
    model_sample,
    set_x,
    with_instability,
)
from torrey.figures.own_errors import (
    ERROR,
    draw_errors,
    draw_floor,
    error_limits,
    floor_samples,
    with_errors,
)
from torrey.figures.own_signals import draw_signals, is_complex, set_signal_axis
from torrey.figures.panels import hollow_text, labelled, to_group
from torrey.figures.sources import cell_in_words
from torrey.figures.style import PAGE
from torrey.figures.words import text_of, words_of
from torrey.geometry.files import read_mesh
from torrey.gradients.sweep import ENCODINGS, REFERENCE

_READ: Final = (
    "signal_real",
    "signal_imag",
    "numerical_error",
    "validity",
    "model_error",
    "model_error_floor",
    "b_value",
)
_PARTS: Final = ("signal_imag", "validity")
_MEANS: Final = ("spherical_mean", "spherical_mean_error")
_MOST_COLOURS: Final = 8
#: Labels that find room below an axis.
_MOST_LABELS: Final = 5
_MEASUREMENT: Final = "measurement"
#: Letters of the words for a cell in a line above its picture.
_LINE: Final = 38


@dataclass(frozen=True)
class Chosen:
    """What of a study an overview shows.

    Attributes
    ----------
    x : str
        Axis along which signals are drawn; empty where the study has one measurement.
    colour : str
        Axis with a colour for each value; empty for none.
    left : dict of str to int
        How many values the other axes have, whose first is shown.
    """

    x: str
    colour: str
    left: dict[str, int]

    @classmethod
    def of(cls, signal: xarray.DataArray) -> Chosen:
        """Choose from the axes of a table: the one with most numbers, then that with most values.

        An axis of labels stands along x only where there are no numbers.
        """
        count = {str(dim): size for dim, size in signal.sizes.items() if dim != "model"}
        # Of axes with as many values, the strength of the gradient comes first.
        varying = sorted(
            (dim for dim in count if count[dim] > 1),
            key=lambda dim: (-count[dim], dim not in ENCODINGS),
        )
        numbers = [dim for dim in varying if signal[dim].dtype.kind == "f"]
        x = next(iter(numbers or varying), "")
        others = [dim for dim in varying if dim != x]
        colour = next((dim for dim in others if count[dim] <= _MOST_COLOURS), "")
        return cls(x, colour, {dim: count[dim] for dim in others if dim != colour})

    @property
    def words(self) -> str:
        """What is not shown; may be empty."""
        texts = [f"{count} values of {axis.replace('_', ' ')}" for axis, count in self.left.items()]
        return f"the first of {' and of '.join(texts)}" if texts else ""


@style.styled
def overview(study: str, signals: str, mesh: str, remarks: list[str] | None = None) -> Drawing:
    """Draw the overview of a study.

    Parameters
    ----------
    study : str
        Its name.
    signals, mesh : path
        Its table, and the meshes of its geometry.
    remarks : list of str, optional
        Takes what could not be drawn, and why.
    """
    said = [] if remarks is None else remarks
    page = _Page.read(study, signals, said)
    parts: Mapping[str, Callable[[Axes, str], None]] = {
        "cell": partial(_draw_cell, mesh),
        "signals": page.draw_signals,
        "errors": page.draw_errors,
    }
    figure, axes = _axes(page.has_errors)
    for letter, (name, ax) in zip(style.letters(len(axes)), axes.items(), strict=True):
        _try(name, partial(parts[name], ax, letter), ax, said)
    _try("title", partial(page.head, figure, study), None, said)
    return Drawing(figure, page.group)


def _try(name: str, draw: Callable[[], None], ax: Axes | None, said: list[str]) -> None:
    """Draw a part; where that fails, say so in its place: a picture fails no study."""
    try:
        draw()
    except Exception as error:
        said.append(f"the overview lacks its {name}: {type(error).__name__}: {error}")
        if ax is not None:
            ax.clear()
            ax.set_axis_off()
            style.note(ax, 0.5, 0.5, f"{name}: cannot be drawn", ha="center", va="center")


def _axes(errors: bool) -> tuple[Figure, dict[str, Axes]]:
    """The cell on the left; signals, and errors below them, on the right."""
    figure = style.new_figure(PAGE, (0.72 if errors else 0.42) * PAGE)
    grid = figure.add_gridspec(2 if errors else 1, 2, width_ratios=(1.0, 1.15))
    axes = {"cell": figure.add_subplot(grid[:, 0]), "signals": figure.add_subplot(grid[0, 1])}
    if errors:
        axes["errors"] = figure.add_subplot(grid[1, 1], sharex=axes["signals"])
    return figure, axes


def _draw_cell(path: str, ax: Axes, letter: str) -> None:
    regions = [str(region) for region in artifacts.read(path)["region"]]
    draw_on(ax, read_mesh(path), regions, False, "in units of the cell")
    style.panel_title(ax, letter, textwrap.fill(cell_in_words(path), _LINE))


@dataclass(frozen=True)
class _Page:
    """A table that is cut for an overview; without data where that fails.

    `data` has what is drawn, with numbers along x whatever they stand for; `group` what the study
    has. Signals are means over `directions` of them where this is not zero. `is_complex` says
    whether there are imaginary parts to know of, in any direction.
    """

    chosen: Chosen
    data: xarray.Dataset | None
    group: Group
    directions: int = 0
    is_complex: bool = False

    @classmethod
    def read(cls, study: str, path: str, said: list[str]) -> _Page:
        """Cut the table of a study."""
        group: dict[str, Variable] = {
            "study": Variable((), np.array(study, object), "", "name of the study")
        }
        chosen, data, directions, imaginary = Chosen("", "", {}), None, 0, False
        try:
            table = artifacts.open_dataset(path)
            # Directions of a rule are there for their mean.
            mean = "direction_weight" in table and _MEANS[0] in table
            directions = table.sizes["direction"] if mean else 0
            chosen = Chosen.of(table[_MEANS[0] if mean else "signal_real"])
            kept = [chosen.x] if chosen.x else []
            read = (*_MEANS, "b_value") if mean else _READ
            cut = cut_axes({study: path}, {COLOUR: chosen.colour}, read, kept, {}).isel(panel=0)
            data = _of_means(cut) if mean else with_instability(cut)
            every = [*kept, "direction"] if mean else kept
            parts = cut_axes({study: path}, {COLOUR: chosen.colour}, _PARTS, every, {})
            imaginary = is_complex(with_instability(parts))
            names = ["signal_real", "numerical_error", "unstable"]
            names += [name for name in ("model_error", "model_error_floor") if name in data]
            group |= to_group(data if chosen.colour else data.squeeze(COLOUR), names)
            data = _numbered(data, chosen.x)
        except Exception as error:
            said.append(f"the overview lacks its signals: {type(error).__name__}: {error}")
        return cls(chosen, data, group, directions, imaginary)

    @property
    def has_errors(self) -> bool:
        """Whether the study has a reference and other models."""
        models = [] if self.data is None else [str(name) for name in self.data.model.values]
        return REFERENCE in models and len(models) > 1

    @property
    def joined(self) -> bool:
        """Whether neighbouring points belong together, so that a line joins them."""
        return self.chosen.x not in ("", _MEASUREMENT)

    @property
    def drawn(self) -> xarray.Dataset:
        """What is drawn, with an axis of one value where nothing is swept."""
        if self.data is None:
            raise ValueError("its table could not be cut")
        return self.data if self.chosen.x else self.data.expand_dims({"": [0.0]}, axis=-1)

    def draw_signals(self, ax: Axes, letter: str) -> None:
        """Draw signals on axes."""
        data, x = self.drawn, self.chosen.x
        set_signal_axis(ax, data)
        labels = draw_signals(ax, data, x, self.chosen.colour, self.joined)
        self._label_x(ax)
        ax.set_ylabel(r"Re $S$" if self.is_complex else "$S$")
        over = f", mean over {self.directions} directions" if self.directions else ""
        style.panel_title(ax, letter, f"signals{over}")
        style.label_ends(ax, inside(ax, labels))
        if self.has_errors:
            ax.tick_params(labelbottom=False)
            ax.set_xlabel("")

    def draw_errors(self, ax: Axes, letter: str) -> None:
        """Draw errors of models on axes."""
        data, x = with_errors(self.drawn), self.chosen.x
        ax.set(yscale="log", ylim=error_limits(data), ylabel=ERROR)
        labels = draw_errors(ax, data, x, self.chosen.colour, self.joined)
        self._label_x(ax)
        if self.joined:
            draw_floor(ax, data, x)
        style.panel_title(ax, letter, "errors of models")
        style.label_ends(ax, inside(ax, labels))

    def _label_x(self, ax: Axes) -> None:
        data, x = self.drawn, self.chosen.x
        texts = data.attrs.get("texts")
        if not x:
            ax.set_xticks([], [])
            ax.set_xlabel("one measurement")
        elif x == _MEASUREMENT:
            ax.set_xlabel(data.attrs["label"])
        elif texts is None:
            set_x(ax, data, x)
        elif len(texts) <= _MOST_LABELS:
            ax.set_xticks(range(len(texts)), texts)
        else:
            ax.set_xlabel(f"number of the {x.replace('_', ' ')}")

    def head(self, figure: Figure, study: str) -> None:
        """Write above all panels what they show."""
        data = self.drawn
        words = words_of(data.drop_vars([self.chosen.colour] if self.chosen.colour else []))
        said = ", ".join(filter(None, (*words.titles, words.shared)))
        said = f"{study.replace('_', ' ')}: {said}"
        samples: list[Line2D | Patch] = []
        if self.chosen.colour and self.joined:
            samples += [model_sample(str(model)) for model in data.model.values]
        samples += floor_samples(figure.axes)
        hollow = hollow_text(data)
        head(figure, "\n".join(filter(None, (said, self.chosen.words, hollow))), samples)


def _of_means(data: xarray.Dataset) -> xarray.Dataset:
    """Means over directions in the place of signals; one that means nothing is missing."""
    mean, error = (data[name] for name in _MEANS)
    data = data.drop_vars(_MEANS).assign(
        signal_real=mean,
        numerical_error=error,
        unstable=labelled(mean.isnull().astype(np.int8), "1", "1 where a signal means nothing"),
    )
    if REFERENCE not in data.model.values:
        return data
    difference, floor = abs(mean - mean.sel(model=REFERENCE)), error + error.sel(model=REFERENCE)
    return data.assign(
        model_error=labelled(difference, "1", "|mean of a model - mean of the reference|"),
        # Of the worst model: errors of a study have one floor.
        model_error_floor=labelled(floor.max("model"), "1", "error of that difference"),
    )


def _numbered(data: xarray.Dataset, x: str) -> xarray.Dataset:
    """Put numbers along x: b-values of the rows of an acquisition, places of labels."""
    if x == _MEASUREMENT:
        b = 1e3 * data.b_value.isel({dim: 0 for dim in data.b_value.dims if dim != x})
        if float(np.ptp(b.values)) > 0.0:
            moved = xarray.Variable((x,), b.values, {"units": "s mm-2", "long_name": "b-value"})
            return data.assign_coords({x: moved}).assign_attrs(label=r"$b$ (s/mm$^2$)")
        return data.assign_attrs(label=label_axis(data, x))
    if not x or data[x].dtype.kind == "f":
        return data
    texts = [text_of(x, value, "") for value in data[x].values.tolist()]
    places: dict[Hashable, Any] = {x: np.arange(len(texts), dtype=float)}
    return data.assign_coords(places).assign_attrs(texts=texts)
