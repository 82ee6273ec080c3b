"""NetCDF files written whole or not at all, with the same bytes for the same content.

The writer and the light reader use netCDF4 alone: xarray and pandas would more than double the
start-up of the hundreds of small jobs of a sweep. `open_dataset` gives an xarray Dataset to those
who analyse and draw.
"""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.provenance import Provenance

if TYPE_CHECKING:
    import xarray

PathLike = str | Path


@dataclass(frozen=True)
class Variable:
    """One labelled array.

    Attributes
    ----------
    dims : tuple of str
    values : array_like
        Real numbers, integers or strings.
    units : str
        CF style, such as ``um2 ms-1``; ``1`` for numbers without a unit, empty for names.
    long_name : str
    attributes : mapping
        Further attributes.
    """

    dims: tuple[str, ...]
    values: ArrayLike
    units: str
    long_name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


Group = Mapping[str, Variable]


def write(
    path: PathLike,
    variables: Group,
    provenance: Provenance,
    groups: Mapping[str, Group] | None = None,
    attributes: Mapping[str, Any] | None = None,
    compress: bool = True,
) -> None:
    """Write a NetCDF-4 file; it gets its name only when it is complete.

    Parameters
    ----------
    path : path
    variables : mapping of str to Variable
        Variables of the root group; a variable named like its one dimension is a coordinate.
    provenance : Provenance
    groups : mapping of str to mapping, optional
        Further groups.
    attributes : mapping, optional
        Further global attributes.
    compress : bool
        Compress arrays; large files read often are faster without.

    Raises
    ------
    ValueError
        If a value is not finite where the variable does not allow it (attribute
        ``allow_missing``), or dimensions disagree.
    """
    with whole(path) as name, netCDF4.Dataset(name, "w", format="NETCDF4") as file:
        file.setncatts({**provenance.attributes(), **(attributes or {})})
        _fill(file, variables, compress)
        for label, group in (groups or {}).items():
            _fill(file.createGroup(label), group, compress)


@contextmanager
def whole(path: PathLike) -> Iterator[Path]:
    """A temporary name in the same folder; what is written there gets its own name at the end.

    What an interrupted attempt left behind is removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        leftover.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: PathLike, group: str | None = None) -> dict[str, NDArray[Any]]:
    """All variables of one group of a file as plain arrays."""
    with netCDF4.Dataset(path) as file:
        place = file[group] if group else file
        place.set_auto_mask(False)
        return {name: variable[...] for name, variable in place.variables.items()}


def groups(path: PathLike) -> tuple[str, ...]:
    """Names of the groups of a file."""
    with netCDF4.Dataset(path) as file:
        return tuple(file.groups)


def dimensions(path: PathLike, variable: str) -> tuple[str, ...]:
    """Names of the dimensions of a variable in the root group."""
    with netCDF4.Dataset(path) as file:
        return tuple(file[variable].dimensions)


def attributes(path: PathLike) -> dict[str, Any]:
    """Global attributes of a file."""
    with netCDF4.Dataset(path) as file:
        return {name: file.getncattr(name) for name in file.ncattrs()}


def open_dataset(path: PathLike, group: str | None = None) -> xarray.Dataset:
    """A file as an xarray Dataset, loaded and closed."""
    import xarray

    return xarray.load_dataset(path, group=group, engine="netcdf4")


def _fill(place: netCDF4.Dataset, variables: Group, compress: bool) -> None:
    for name, variable in variables.items():
        values = np.asarray(variable.values)
        if values.ndim != len(variable.dims):
            raise ValueError(f"{name}: {values.ndim} axes for dimensions {variable.dims}")
        for dim, length in zip(variable.dims, values.shape, strict=True):
            if dim not in place.dimensions:
                place.createDimension(dim, length)
            elif len(place.dimensions[dim]) != length:
                raise ValueError(
                    f"{name}: dimension {dim} has {length} entries here, "
                    f"{len(place.dimensions[dim])} elsewhere"
                )
        _create(place, name, variable, values, compress)


def _create(
    place: netCDF4.Dataset,
    name: str,
    variable: Variable,
    values: NDArray[Any],
    compress: bool,
) -> None:
    text = values.dtype.kind in "UO"
    attributes = dict(variable.attributes)
    missing = attributes.pop("allow_missing", False)
    if values.dtype.kind == "f" and not missing and not np.all(np.isfinite(values)):
        raise ValueError(f"{name}: {np.sum(~np.isfinite(values))} values are not finite")
    if values.dtype.kind == "b":
        values = values.astype(np.int8)
    kind: Any = str if text else values.dtype
    zlib = compress and not text and values.ndim > 0
    created = place.createVariable(name, kind, variable.dims, zlib=zlib, complevel=4)
    created.long_name = variable.long_name
    if variable.units:
        created.units = variable.units
    created.setncatts(attributes)
    created[...] = values.astype(object) if text else values
