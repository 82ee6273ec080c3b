"""``torrey show``: what is in a file of results, in words."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import netCDF4
import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts, seals
from torrey.base.errors import InputError
from torrey.command.text import columns, counted, paragraph, with_unit
from torrey.workflow.costs import summary
from torrey.workflow.stage import Stage

_MOST_LISTED: Final = 12
"""Values of an axis that are listed one by one."""
_MOST_SIZE: Final = 50_000_000
"""Values of a variable that are read for their range."""


def run(arguments: argparse.Namespace) -> int:
    """Say what is in the files that are named.

    Raises
    ------
    InputError
        If one of them is not of the workflow.
    DamagedError
        If its content is not what was written.
    """
    print("\n\n".join(said(Path(file)) for file in arguments.files))
    return 0


def said(path: Path) -> str:
    """Return what is in a file: stage, axes, variables, largest error, flags and groups."""
    with opened(path) as file:
        parts = [_head(path, file), *_axes(file), *_variables(file), *_errors(file), *_flags(file)]
        if file.groups:
            parts.append(
                f"Groups with the same on finer meshes or of parts: {', '.join(file.groups)}"
            )
    return "\n\n".join(parts)


@contextmanager
def opened(path: Path) -> Iterator[netCDF4.Dataset]:
    """A file of the workflow, whose content is what was written.

    Raises
    ------
    InputError
        If there is no such file, or another program has written it.
    DamagedError
        If its content is not what was written.
    """
    if found := artifacts.foreign(path) if path.exists() else "no such file":
        raise InputError(found, artifacts.OURS, at=(str(path),))
    try:
        file = netCDF4.Dataset(path)
    except OSError:
        found = (
            "a NetCDF file that is cut off or damaged" if path.stat().st_size else "an empty file"
        )
        raise InputError(found, artifacts.OURS, at=(str(path),)) from None
    with file:
        seals.check(path)
        file.set_auto_mask(False)
        yield file


def values_of(variable: netCDF4.Variable[Any]) -> NDArray[Any]:
    """All values of a variable."""
    return np.asarray(variable[...])


def _head(path: Path, file: netCDF4.Dataset) -> str:
    rule = str(getattr(file, "stage", ""))
    about = {stage.rule: summary(stage) for stage in Stage.__subclasses__()}.get(rule, "")
    inputs = len(json.loads(getattr(file, "input_digests", "{}")))
    made = f"made by {rule}" + (f" ({about[0].lower()}{about[1:]})" if about else "")
    source = f" from {counted(inputs, 'file')}" if inputs else ""
    return paragraph(
        f"{path}: {made}{source}, Torrey {file.torrey_version}. Its content is intact."
    )


def _is_axis(file: netCDF4.Dataset, name: str) -> bool:
    return file[name].dimensions == (name,)


def _axes(file: netCDF4.Dataset) -> Iterator[str]:
    rows = []
    for name, dimension in file.dimensions.items():
        size = f"{len(dimension):,}"
        if name not in file.variables or not _is_axis(file, name):
            rows.append((name, size, "", "numbered"))
            continue
        variable = file[name]
        about = str(getattr(variable, "long_name", ""))
        rows.append((name, size, _listed(variable), about))
    if rows:
        yield f"Axes\n{columns(rows)}"


def _listed(variable: netCDF4.Variable[Any]) -> str:
    values, unit = values_of(variable), str(getattr(variable, "units", ""))
    if values.dtype.kind in "iuf":
        return with_unit([float(value) for value in values], unit)
    names = [str(value) for value in values[:_MOST_LISTED]]
    more = len(values) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _variables(file: netCDF4.Dataset) -> Iterator[str]:
    """The variables, sorted by the axes that they are over."""
    groups: dict[tuple[str, ...], list[tuple[str, str, str]]] = {}
    for name, variable in file.variables.items():
        if not _is_axis(file, name):
            row = (name, _range(variable), str(getattr(variable, "long_name", "")))
            groups.setdefault(tuple(variable.dimensions), []).append(row)
    for dims, rows in groups.items():
        title = paragraph(f"Variables over {', '.join(dims)}" if dims else "Single values")
        yield f"{title}\n{columns(rows)}"


def _range(variable: netCDF4.Variable[Any]) -> str:
    if hasattr(variable, "flag_meanings"):
        return "flags"
    if variable.dtype is str or variable.dtype.kind not in "iuf":
        return "names"
    if variable.size > _MOST_SIZE:
        return f"{variable.size:,} values"
    values = values_of(variable).astype(float)
    known = values[~np.isnan(values)]
    if not known.size:
        return "no value"
    missing, infinite = values.size - known.size, int(np.isinf(known).sum())
    unit = str(getattr(variable, "units", ""))
    finite = known[np.isfinite(known)]
    shown = finite if finite.size else known
    parts = [with_unit([float(shown.min()), float(shown.max())], unit)]
    if infinite and finite.size:
        parts.append(f"{infinite:,} of {values.size:,} infinite")
    if missing:
        parts.append(f"{missing:,} of {values.size:,} missing")
    return ", ".join(parts)


def _errors(file: netCDF4.Dataset) -> Iterator[str]:
    """The largest numerical error, and where it is."""
    name = "numerical_error"
    if name not in file.variables or file[name].size > _MOST_SIZE:
        return
    variable = file[name]
    values = values_of(variable)
    if not np.isfinite(values).any():
        return
    at = np.unravel_index(
        int(np.nanargmax(np.where(np.isfinite(values), values, np.nan))), values.shape
    )
    places = [
        f"{dimension} {_value(file, dimension, int(place))}"
        for dimension, place in zip(variable.dimensions, at, strict=True)
        if len(file.dimensions[dimension]) > 1
    ]
    where = f", at {', '.join(places)}" if places else ""
    yield paragraph(
        f"The largest numerical error is {values[at]:.2g} (absolute, estimated{where}). It is that "
        "of meshes and time steps, not that of a model."
    )


def _value(file: netCDF4.Dataset, dimension: str, place: int) -> str:
    if dimension not in file.variables:
        return f"number {place}"
    value = file[dimension][place]
    unit = str(getattr(file[dimension], "units", ""))
    if isinstance(value, str):
        return value
    return f"{float(value):.4g}{f' {unit}' if unit not in ('', '1') else ''}"


def _flags(file: netCDF4.Dataset) -> Iterator[str]:
    rows = []
    for name, variable in file.variables.items():
        if hasattr(variable, "flag_meanings") and variable.size <= _MOST_SIZE:
            values = values_of(variable)
            counts = [
                f"{int(np.sum(values == flag)):,} {meaning}"
                for flag, meaning in flags_of(variable).items()
                if np.any(values == flag)
            ]
            rows.append((name, ", ".join(counts)))
    if rows:
        yield f"Flags, and how many values have each\n{columns(rows)}"


def flags_of(variable: netCDF4.Variable[Any]) -> dict[int, str]:
    """Meanings of the values of a flag variable; none of others."""
    if not hasattr(variable, "flag_meanings"):
        return {}
    values = np.atleast_1d(variable.flag_values).tolist()
    return dict(zip(values, str(variable.flag_meanings).split(), strict=True))
