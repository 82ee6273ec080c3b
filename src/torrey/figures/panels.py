"""Panels of a figure, cut from the tables of studies, and the data group behind the figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final, Literal

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.figures.sources import SourceFiles
from torrey.figures.style import (
    PAGE,
    UM_PER_MM,
    CurveLabel,
    draw_model,
    last_point,
    letters,
    look_of,
    new_figure,
    note,
)

# Neither swept nor told apart: they describe an entry and are not axes of the sweep.
_INNER: Final = ("axis", "instant", "eigenvalue", "harmonic")
_CELL: Final = {"long_name": "cell; lengths in units of its period"}
_UNNAMED: Final[Mapping[str, str]] = {}


def read_panels(
    files: Mapping[str, str],
    x: str | Sequence[str] | None,
    over: Sequence[str] = (),
    cells: Mapping[str, str] = _UNNAMED,
) -> xarray.Dataset:
    """Cut the tables of studies into panels.

    Parameters
    ----------
    files : mapping of str to str
        Table of each study by its name.
    x : str, sequence of str or None
        Swept quantities that stay dimensions, the axes of the panels.
    over : sequence of str
        Swept quantities that have one value in each panel; panels are in their order, the first
        one slowest. Without any, each study is a panel.
    cells : mapping of str to str
        What the cell of each study is, in words: see `SourceFiles.cells`. It becomes the coordinate
        ``cell`` of the panels.

    Returns
    -------
    Dataset
        With dimension ``panel`` and its letters, beside ``model``, `x` and inner ones. Swept
        quantities other than `x` are numbers of the panels.

    Raises
    ------
    ValueError
        If a study lacks one of the quantities, sweeps others, or the studies differ in `x` or in
        their models.
    """
    cuts = []
    for study, path in files.items():
        table = artifacts.open_dataset(path).drop_vars("b_tensor", errors="ignore")
        kept = ("model", *([x] if isinstance(x, str) else x or ()), *over)
        _check(study, table, kept)
        table = table.isel({dim: 0 for dim in table.dims if dim not in (*kept, *_INNER)})
        if study in cells:
            table = table.assign_coords(cell=((), cells[study], {"units": "", **_CELL}))
        values = [table[name].values for name in over]
        cuts += [table.sel(dict(zip(over, point, strict=True))) for point in product(*values)]
    if over:
        cuts.sort(key=lambda cut: [float(cut[name]) for name in over])
    try:
        joined = xarray.concat(
            cuts, "panel", data_vars="all", coords="all", join="exact", combine_attrs="override"
        )
    except ValueError as error:
        raise ValueError(f"studies {', '.join(files)} do not share their axes: {error}") from error
    names = xarray.Variable("panel", letters(len(cuts)), {"long_name": "panel of the figure"})
    return joined.assign_coords(panel=names)


def only_table(files: SourceFiles, kind: str) -> xarray.Dataset:
    """The one table of a kind that a figure shows.

    Raises
    ------
    ValueError
        If there are several, or none.
    """
    paths = list(files.files[kind].values())
    if len(paths) != 1:
        raise ValueError(f"{len(paths)} files of {kind}, the figure shows one")
    return artifacts.open_dataset(paths[0])


def _check(study: str, table: xarray.Dataset, kept: Sequence[str]) -> None:
    for name in kept:
        if name not in table.dims:
            raise ValueError(f"study {study}: the figure needs {name}, found {list(table.dims)}")
    for dim, size in table.sizes.items():
        if size > 1 and dim not in (*kept, *_INNER):
            raise ValueError(f"study {study}: {size} values of {dim}, the figure shows one")


def panel_axes(
    panels: xarray.Dataset,
    columns: int,
    height: float,
    parts: int = 1,
    share: Literal["none", "y", "both"] = "none",
) -> tuple[Figure, NDArray[np.object_]]:
    """Make a figure of the page's width with axes for its panels, row by row.

    Parameters
    ----------
    panels : Dataset
        With dimension ``panel``.
    columns : int
        Panels in a row, at most.
    height : float
        Of the figure, in units of its width.
    parts : int
        Axes of each panel, side by side.
    share : {"none", "y", "both"}
        Axes that all panels have in common.

    Returns
    -------
    figure : Figure
    axes : (parts * n_panels,) ndarray of Axes
    """
    count = panels.sizes["panel"]
    columns = min(columns, count)
    figure = new_figure(PAGE, height * PAGE)
    axes = figure.subplots(
        -(-count // columns),
        parts * columns,
        squeeze=False,
        sharex=share == "both",
        sharey=share != "none",
    ).ravel()
    for ax in axes[parts * count :]:
        ax.remove()
    return figure, axes[: parts * count]


def each_panel(panels: xarray.Dataset) -> Iterator[xarray.Dataset]:
    """Panels one after the other."""
    return (panels.isel(panel=i) for i in range(panels.sizes["panel"]))


def draw_models(
    ax: Axes,
    data: xarray.Dataset,
    x: ArrayLike,
    name: str,
    error: str,
    labels: Mapping[str, str] = _UNNAMED,
) -> list[CurveLabel | None]:
    """Draw one curve per model and return the labels of the curves.

    Parameters
    ----------
    ax : Axes
    data : Dataset
        Of one panel, with ``model``, ``unstable`` and the two variables.
    x : (n,) array_like
    name, error : str
        Variables with y and its numerical error.
    labels : mapping of str to str
        Of models that a figure names otherwise than all others do.
    """
    ends = []
    for model in map(str, data.model.values):
        row, look = data.sel(model=model), look_of(model)
        line = draw_model(ax, model, x, row[name], row[error], row.unstable)
        ends.append(last_point(line, labels.get(model, look.label), look.ink))
    ax.margins(x=0.03)
    return ends


def add_logarithm(panels: xarray.Dataset, base: float) -> xarray.Dataset:
    """Add the logarithm of the signal, its numerical error and which points are unstable.

    A signal that is missing or not positive has no logarithm and is left missing.
    """
    name = "log10 S" if base == 10.0 else "log S"
    signal = panels.signal_real.where(np.isfinite(panels.signal_real) & (panels.signal_real > 0.0))
    log = np.log(signal) / np.log(base)
    error = panels.numerical_error / signal / np.log(base)
    return panels.assign(
        log_signal=labelled(log, "1", name),
        log_error=labelled(error, "1", f"numerical error of {name}"),
        unstable=instability(panels.validity),
    )


def with_epsilon(panels: xarray.Dataset) -> xarray.Dataset:
    """Add the small number of the expansion: the period over 1 mm."""
    epsilon = labelled(panels.period / UM_PER_MM, "1", "period of the cell over 1 mm")
    return panels.assign(epsilon=epsilon)


def instability(validity: xarray.DataArray) -> xarray.DataArray:
    """1 where a signal means nothing: see `torrey.models.validity`."""
    return labelled((validity != 0).astype(np.int8), "1", "1 where the signal means nothing")


def explain_hollow(
    ax: Axes,
    data: xarray.Dataset,
    labels: Mapping[str, str],
    place: tuple[float, float],
    **options: Any,
) -> None:
    """Say which models have hollow markers, by their labels; nothing if none has."""
    names = [labels[model] for model in unstable_models(data)]
    if names:
        text = f"hollow: {', '.join(names)} unstable\nin a part of the waveform"
        note(ax, *place, text, **options)


def hollow_text(data: xarray.Dataset) -> str:
    """Say which models have hollow markers, for the head of a figure; empty if none has."""
    names = [look_of(model).label for model in unstable_models(data)]
    return f"hollow: {', '.join(names)} unstable in a part of the waveform" if names else ""


def unstable_models(data: xarray.Dataset) -> list[str]:
    """Models with a signal that means nothing."""
    unstable = data.unstable.any([dim for dim in data.unstable.dims if dim != "model"])
    return [str(model) for model in data.model.values[unstable.values]]


def labelled(values: xarray.DataArray, units: str, long_name: str) -> xarray.DataArray:
    """Give computed values their unit and name."""
    return values.assign_attrs(units=units, long_name=long_name)


def to_group(data: xarray.Dataset, names: Sequence[str]) -> Group:
    """Some variables of a dataset, with their coordinates, as they are written to a file."""
    chosen = data[list(names)]
    return {str(name): _variable(chosen[name]) for name in (*chosen.coords, *names)}


def _variable(values: xarray.DataArray) -> Variable:
    missing = {"allow_missing": True} if values.dtype.kind == "f" else {}
    dims = tuple(str(dim) for dim in values.dims)
    attributes = values.attrs
    return Variable(
        dims, values.values, attributes.get("units", ""), attributes["long_name"], missing
    )
