"""``torrey export``: the variables of a file as a table with a row for each point."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import netCDF4
import numpy as np

from torrey.base.artifacts import whole
from torrey.base.errors import InputError
from torrey.command.show import flags_of, opened, values_of

if TYPE_CHECKING:
    import pandas

_SEPARATORS: Final = {".csv": ",", ".tsv": "\t"}
_MOST_ROWS: Final = 5_000_000
"""Of a table: one of as many takes some hundred MB as text."""
#: Dimensions whose entries become columns of their own: components of vectors.
_COMPONENTS: Final = ("axis",)


def run(arguments: argparse.Namespace) -> int:
    """Write the table of a file, and say on stderr what was written and what was left out.

    Raises
    ------
    InputError
        If the file holds no variable over axes, or the name of the table is not one of a table.
    """
    path, asked = Path(arguments.file), arguments.csv
    out = Path(asked) if asked else path.with_suffix(".csv")
    if asked != "-" and out.suffix not in _SEPARATORS:
        raise InputError(f'"{out}"', "a name that ends in .csv or .tsv", at=("--csv",))
    if asked != "-" and not out.parent.is_dir():
        raise InputError(f"no folder {out.parent}", "a folder that is there", at=("--csv",))
    with opened(path) as file:
        table, left = long_table(file)
    separator = _SEPARATORS.get(out.suffix, ",")
    if asked == "-":
        table.to_csv(sys.stdout, sep=separator, index=False)
    else:
        with whole(out) as name:
            table.to_csv(name, sep=separator, index=False)
    target = "" if asked == "-" else f"{out}: "
    print(f"{target}{len(table):,} rows, {len(table.columns)} columns", file=sys.stderr)
    if left:
        print(f"left out, as they are over other axes: {', '.join(left)}", file=sys.stderr)
    return 0


def long_table(file: netCDF4.Dataset) -> tuple[pandas.DataFrame, list[str]]:
    """Return a row for each point of the largest set of axes in a file.

    Parameters
    ----------
    file : netCDF4.Dataset

    Returns
    -------
    pandas.DataFrame
        Columns of the axes first; units stand in parentheses behind the names, flags are words.
    list of str
        Variables over other axes.

    Raises
    ------
    InputError
        If the file has no variable over axes, or too many points.
    """
    import pandas

    dims = _dimensions(file)
    shape = tuple(len(file.dimensions[dim]) for dim in dims)
    if int(np.prod(shape)) > _MOST_ROWS:
        found = f"{int(np.prod(shape)):,} points"
        raise InputError(found, f"at most {_MOST_ROWS:,}: read it with tr.open_dataset instead")
    columns: dict[str, Any] = {}
    left = []
    names = [*(dim for dim in dims if dim in file.variables), *file.variables]
    for name in dict.fromkeys(names):
        own = dict(_columns(file, name, dims, shape))
        if not own and file[name].dimensions != (name,):
            left.append(name)
        columns |= own
    return pandas.DataFrame(columns), left


def _dimensions(file: netCDF4.Dataset) -> tuple[str, ...]:
    """Axes of the signals, or of the variable with most values."""
    candidates = [variable for variable in file.variables.values() if variable.dimensions]
    if not candidates:
        accepted = "a file of signals, such as results/studies/NAME/signals.nc"
        raise InputError("a file without a variable over axes", accepted)
    chosen = file.variables.get("signal_real") or max(candidates, key=lambda one: one.size)
    return tuple(chosen.dimensions)


def _columns(
    file: netCDF4.Dataset, name: str, dims: tuple[str, ...], shape: tuple[int, ...]
) -> Iterator[tuple[str, Any]]:
    """Yield the columns of a variable: one, one for each component, or none."""
    variable = file[name]
    *some, last = variable.dimensions or ("",)
    values = values_of(variable)
    if flags := flags_of(variable):
        words = np.array([flags.get(value, str(value)) for value in values.ravel().tolist()])
        values = words.reshape(values.shape)
    if not variable.dimensions:
        return
    if set(variable.dimensions) <= set(dims):
        yield _titled(variable, name), _spread(values, variable.dimensions, dims, shape)
    elif last in _COMPONENTS and set(some) <= set(dims):
        for component in range(values.shape[-1]):
            letter = "xyz"[component] if values.shape[-1] <= 3 else str(component)
            title = _titled(variable, f"{name}_{letter}")
            yield title, _spread(values[..., component], tuple(some), dims, shape)


def _titled(variable: netCDF4.Variable[Any], name: str) -> str:
    unit = str(getattr(variable, "units", ""))
    return name if unit in ("", "1") else f"{name} ({unit})"


def _spread(
    values: Any, own: tuple[str, ...], dims: tuple[str, ...], shape: tuple[int, ...]
) -> Any:
    """Values for each point, repeated along the axes that they do not depend on."""
    order = [own.index(dim) for dim in dims if dim in own]
    at = tuple(slice(None) if dim in own else None for dim in dims)
    return np.broadcast_to(np.transpose(values, order)[at], shape).ravel()
