"""NetCDF files written whole or not at all, with the same bytes for the same content.

The writer and the light reader use netCDF4 alone: xarray and pandas would more than double the
start-up of the hundreds of small jobs of a sweep. `open_dataset` gives an xarray Dataset to those
who analyse and draw.
"""

from __future__ import annotations

import glob
import json
import os
import resource
import secrets
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

# Each file has one writer and gets its name when it is complete: nobody needs HDF5's locks, which
# some file systems refuse. HDF5 asks for this variable when it is loaded.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

import netCDF4
import numpy as np
from numpy.typing import NDArray

from torrey.base import seals
from torrey.base.errors import InputError, TorreyError
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable

if TYPE_CHECKING:
    import xarray

PathLike = str | Path

BESIDE: Final = "beside_digests"
"""Attribute with the digests of the files made together with this one, by name."""


class StorageError(TorreyError, OSError):
    """A file that cannot be written where it belongs."""


class NoSuchFileError(TorreyError, FileNotFoundError):
    """A file that is not there."""


def write(
    path: PathLike,
    variables: Group,
    provenance: Provenance,
    groups: Mapping[str, Group] | Iterable[tuple[str, Group]] = (),
    attributes: Mapping[str, Any] | None = None,
    compress: bool = True,
) -> None:
    """Write a NetCDF-4 file with its seal; it gets its name only when it is complete.

    Parameters
    ----------
    path : path
    variables : mapping of str to Variable
        Variables of the root group; a variable named like its one dimension is a coordinate.
    provenance : Provenance
    groups : mapping of str to mapping, or iterable of pairs of them, optional
        Further groups; of an iterable no more than one is held at a time.
    attributes : mapping, optional
        Further global attributes.
    compress : bool
        Compress arrays; large files read often are faster without.

    Raises
    ------
    ValueError
        If a value is not finite where the variable does not allow it (attribute
        ``allow_missing``), or dimensions disagree.
    StorageError
        If the file cannot be written.
    """
    with whole(path) as name:
        with netCDF4.Dataset(name, "w", format="NETCDF4") as file:
            file.setncatts({**provenance.attributes(), **(attributes or {})})
            _fill(file, variables, compress)
            for label, group in groups.items() if isinstance(groups, Mapping) else groups:
                _fill(file.createGroup(label), group, compress)
                del group
        seals.sign(name, provenance.key)


Part = tuple[tuple[slice, ...], Mapping[str, NDArray[Any]]]
"""Where a part of some tables lies, and their values there by name."""


def write_in_parts(
    path: PathLike,
    variables: Group,
    tables: Group,
    chunks: tuple[int, ...],
    parts: Iterable[Part],
    provenance: Provenance,
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Write a file whose tables are larger than memory, part by part.

    Parameters
    ----------
    path, variables, provenance, attributes
        See `write`.
    tables : mapping of str to Variable
        All of one shape, chunked and compressed. Their values say shape and type alone: they may be
        one number, broadcast.
    chunks : tuple of int
        Shape of a chunk. A part of whole chunks is written once; others are read and written again.
    parts : iterable of pairs
        Place and values of each part; together they fill the tables, and no more than one is held.

    Raises
    ------
    ValueError
        As for `write`, and if the parts do not fill the tables.
    StorageError
        If the file cannot be written.
    """
    with whole(path) as name:
        with netCDF4.Dataset(name, "w", format="NETCDF4") as file:
            file.setncatts({**provenance.attributes(), **(attributes or {})})
            _fill(file, variables, True)
            empty, created = 0, {}
            for label, table in tables.items():
                values = np.asarray(table.values)
                _set_dimensions(file, label, table, values)
                created[label] = _declare(file, label, table, values, True, chunks)
                empty = values.size
            for place, given in parts:
                for label, variable in created.items():
                    _require_finite(label, tables[label], given[label])
                    variable[place] = given[label]
                empty -= given[label].size
        if empty:
            raise ValueError(f"{path}: parts leave {empty} values of a table empty")
        seals.sign(name, provenance.key)


def beside(*files: PathLike) -> dict[str, str]:
    """Attribute of a NetCDF file with the digests of the files made together with it."""
    digests = {Path(file).name: seals.digest(file) for file in files}
    return {BESIDE: json.dumps(digests, sort_keys=True)}


@contextmanager
def whole(path: PathLike) -> Iterator[Path]:
    """A temporary name in the same folder; what is written there gets its own name at the end.

    What a dead process of this machine left behind is removed; what living ones and those of other
    machines write is theirs. With ``TORREY_FSYNC=1`` in the environment the content is on the disk
    before the file gets its name.

    Raises
    ------
    StorageError
        If the file cannot be written: no space, no permission, a limit.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        name = path.with_name(f"{_prefix(path)}{os.getpid()}.{secrets.token_hex(4)}.part")
        # The rights of the file are those that the umask leaves.
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error
    try:
        yield name
        if os.environ.get("TORREY_FSYNC") == "1":
            _flush(name)
        os.replace(name, path)
    except BaseException as error:
        name.unlink(missing_ok=True)
        # netCDF4 tells a full disk as an error of HDF.
        if isinstance(error, OSError | RuntimeError) and not isinstance(error, TorreyError):
            raise StorageError(
                f"{path} cannot be written ({error}): {_space(path.parent)}"
            ) from error
        raise


def _prefix(path: Path) -> str:
    return f".{path.name}.{socket.gethostname()}."


def _sweep(path: Path) -> None:
    """Remove unfinished files of processes of this machine that are no more."""
    prefix = _prefix(path)
    for leftover in path.parent.glob(f"{glob.escape(prefix)}*.part"):
        process = leftover.name.removeprefix(prefix).split(".")[0]
        if process.isdecimal() and not _lives(int(process)):
            leftover.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is somebody else's
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True  # a system that does not say more
    # Killed, though nobody has asked for its exit code yet.
    return state.rpartition(")")[2].split()[0] not in "ZX"


def _flush(name: Path) -> None:
    with open(name, "rb+") as stream:
        os.fsync(stream.fileno())


def _space(folder: Path) -> str:
    """What a writer needs to know where a file could not be written."""
    free = shutil.disk_usage(folder).free / 1e6
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    text = f"{free:,.0f} MB are free in {folder}"
    if limit != resource.RLIM_INFINITY:
        text += f", and no file may be larger than {limit / 1e6:.3g} MB (ulimit -f)"
    return text


@contextmanager
def _opened(path: PathLike) -> Iterator[netCDF4.Dataset]:
    """A file whose content is what was written."""
    seals.check(path)
    with netCDF4.Dataset(path) as file:
        yield file


def read(path: PathLike, group: str | None = None) -> dict[str, NDArray[Any]]:
    """All variables of one group of a file as plain arrays.

    Like all that reads here, it raises `DamagedError` where the content is not what was written.
    """
    with _opened(path) as file:
        place = file[group] if group else file
        place.set_auto_mask(False)
        return {name: variable[...] for name, variable in place.variables.items()}


def groups(path: PathLike) -> tuple[str, ...]:
    """Names of the groups of a file."""
    with _opened(path) as file:
        return tuple(file.groups)


def dimensions(path: PathLike, variable: str) -> tuple[str, ...]:
    """Names of the dimensions of a variable in the root group."""
    with _opened(path) as file:
        return tuple(file[variable].dimensions)


def attributes(path: PathLike) -> dict[str, Any]:
    """Global attributes of a file."""
    with _opened(path) as file:
        return {name: file.getncattr(name) for name in file.ncattrs()}


OURS: Final = "a NetCDF file of the workflow, such as results/studies/NAME/signals.nc"
"""What commands and functions that read results accept."""


def foreign(path: Path) -> str:
    """What a path is that nothing of this project has written, in words; empty for what may be.

    A file of this project that was cut off is none of these, nor is one that is not there.
    """
    if not path.is_file():
        return "a folder" if path.is_dir() else "no file"
    with path.open("rb") as stream:
        begin = stream.read(4)
    if begin and begin not in (b"\x89HDF", b"CDF\x01", b"CDF\x02"):
        return "no NetCDF file"
    try:
        with netCDF4.Dataset(path) as file:
            known = "torrey_version" in file.ncattrs()
    except OSError:
        return ""
    return "" if known else "a NetCDF file that Torrey has not written"


def open_dataset(path: PathLike, group: str | None = None) -> xarray.Dataset:
    """A file as an xarray Dataset, loaded and closed.

    Parameters
    ----------
    path : path
        A NetCDF file that the workflow or the library wrote; docs/artifacts.md names all variables.
    group : str, optional
        Of the file, such as ``level1`` of a mesh; the root group without it.

    Returns
    -------
    Dataset
        With units and long names; lengths in um, times in ms.

    Raises
    ------
    NoSuchFileError
        If it is not there.
    DamagedError
        If its content is not what was written.
    InputError
        If it is no NetCDF file, or another program has written it.
    """
    import xarray

    try:
        seals.check(path)
    except FileNotFoundError:
        raise NoSuchFileError(f"{path}: there is no such file") from None
    except seals.DamagedError:
        # Nobody is told to delete a file that is not of this project.
        if found := foreign(Path(path)):
            raise InputError(found, OURS, at=(str(path),)) from None
        raise
    return xarray.load_dataset(path, group=group, engine="netcdf4")


def _fill(place: netCDF4.Dataset, variables: Group, compress: bool) -> None:
    for name, variable in variables.items():
        values = np.asarray(variable.values)
        _set_dimensions(place, name, variable, values)
        _create(place, name, variable, values, compress)
        # The next one may be computed when it is asked for, in the memory of this one.
        del values


def _set_dimensions(
    place: netCDF4.Dataset, name: str, variable: Variable, values: NDArray[Any]
) -> None:
    """Create the dimensions of a variable that are not there yet."""
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


def _require_finite(name: str, variable: Variable, values: NDArray[Any]) -> None:
    missing = variable.attributes.get("allow_missing", False)
    if values.dtype.kind == "f" and not missing and not _is_finite(values):
        raise ValueError(f"{name}: {np.sum(~np.isfinite(values))} values are not finite")


def _is_finite(values: NDArray[Any]) -> bool:
    """Whether all values are finite, without an array of answers beside a large one."""
    return bool(np.isfinite(values.min(initial=0.0)) and np.isfinite(values.max(initial=0.0)))


def _create(
    place: netCDF4.Dataset,
    name: str,
    variable: Variable,
    values: NDArray[Any],
    compress: bool,
) -> None:
    _require_finite(name, variable, values)
    if values.dtype.kind == "b":
        values = values.astype(np.int8)
    created = _declare(place, name, variable, values, compress)
    created[...] = values.astype(object) if values.dtype.kind in "UO" else values


def _declare(
    place: netCDF4.Dataset,
    name: str,
    variable: Variable,
    values: NDArray[Any],
    compress: bool,
    chunks: tuple[int, ...] | None = None,
) -> netCDF4.Variable[Any]:
    """A variable of a file without its values, whose shape and type it has."""
    text = values.dtype.kind in "UO"
    kind: Any = str if text else values.dtype
    array = not text and values.ndim > 0
    created = place.createVariable(
        name,
        kind,
        variable.dims,
        zlib=compress and array,
        complevel=4,
        fletcher32=array,
        chunksizes=chunks,
        # Written once and as a whole: chunks that wait for more, of all variables, are only memory.
        chunk_cache=1,
    )
    created.long_name = variable.long_name
    if variable.units:
        created.units = variable.units
    attributes = dict(variable.attributes)
    attributes.pop("allow_missing", None)
    created.setncatts(attributes)
    return created
