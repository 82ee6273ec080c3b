"""Measured signals of voxels as a file of a run: read once, and from there part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import netCDF4
import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import printable
from torrey.base.errors import InputError, TorreyError
from torrey.base.stored import Group, group_of, stored
from torrey.inversion.data_keys import COLUMNS, content_digest, protocol_of, protocol_text
from torrey.inversion.measured import MeasuredProtocol
from torrey.inversion.nifti import header_text, read_volumes
from torrey.inversion.signal_tables import SignalTable, read_signal_table

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
PathLike = str | Path

PROTOCOL: Final = "protocol"
HEADER: Final = "nifti_header"
"""Attributes of a file: what was measured as JSON, and the header of the volumes."""


class ChangedDataError(TorreyError):
    """A file of data that is not what it was when the run began."""


@dataclass(frozen=True)
class VoxelData:
    """Signals of voxels and what was measured.

    Attributes
    ----------
    signals : (v, m) float
        Missing where a file had no finite number.
    sigma : (v,) or (v, m) float, optional
        Standard deviation of the noise of one signal.
    index : (v, 3) int, optional
        Place of each voxel in its volume.
    voxels : tuple of str, optional
        Names of the voxels of a table.
    protocol : MeasuredProtocol
    shape : tuple of int
        Of the volumes; empty for a table.
    affine : (4, 4) float, optional
        From indices to places in space (mm), as the volumes have it.
    header : str
        Of the volumes, as hexadecimal digits.
    total : int
        Voxels of the file that these are a share of; 0 where they are all there are.
    """

    signals: Array
    sigma: Array | None
    index: Ints | None
    voxels: tuple[str, ...] | None
    protocol: MeasuredProtocol
    shape: tuple[int, ...] = ()
    affine: Array | None = None
    header: str = ""
    total: int = 0

    def __len__(self) -> int:
        return len(self.signals)

    @classmethod
    def of_table(cls, table: SignalTable, sigma: float | None = None) -> VoxelData:
        """Of a table with signals, with the noise of all of them in the place of its own."""
        assert table.signals is not None
        noise = table.sigma if sigma is None else np.full(len(table.signals), float(sigma))
        return cls(table.signals, noise, None, table.voxels, table.protocol)


@dataclass(frozen=True)
class _Rows:
    """How a file holds the data."""

    signals: Array = field(
        metadata=stored(("voxel", "row"), "1", "measured signal", name="signal", allow_missing=True)
    )
    sigma: Array | None = field(
        metadata=stored(
            ("*noise",), "1", "standard deviation of the noise of one signal", allow_missing=True
        )
    )
    index: Ints | None = field(
        metadata=stored(("voxel", "axis"), "1", "place of the voxel in its volume, from 0")
    )
    voxels: tuple[str, ...] | None = field(
        metadata=stored(("voxel",), "", "name of the voxel", name="voxel")
    )
    b: Array = field(metadata=stored(("row",), "ms um-2", "b-value"))
    delta: Array = field(
        metadata=stored(("row",), "ms", "duration of the pulses", allow_missing=True)
    )
    Delta: Array = field(
        metadata=stored(
            ("row",), "ms", "time between the beginnings of the pulses", allow_missing=True
        )
    )
    TE: Array = field(metadata=stored(("row",), "ms", "echo time", allow_missing=True))
    directions: Array = field(
        metadata=stored(
            ("row", "component"),
            "1",
            "direction of the gradient; missing where a row is a mean over directions",
            name="direction",
            allow_missing=True,
        )
    )
    weights: Array = field(
        metadata=stored(("row",), "1", "number of signals of which a row is the mean")
    )
    b_filter: Array = field(
        metadata=stored(("row",), "ms um-2", "b-value of the filter", allow_missing=True)
    )
    mixing_time: Array = field(metadata=stored(("row",), "ms", "mixing time", allow_missing=True))
    shape: tuple[int, ...] | None = field(
        metadata=stored(("axis",), "1", "number of voxels along each axis of a volume")
    )
    affine: Array | None = field(
        metadata=stored(
            ("homogeneous", "homogeneous_index"), "1", "from indices to places in space (mm)"
        )
    )


def read_measured(
    files: Mapping[str, PathLike],
    digests: Mapping[str, str],
    protocol: MeasuredProtocol,
    sigma: float | None = None,
    volumes: Sequence[int] = (),
) -> tuple[VoxelData, list[str]]:
    """Read the signals of a table or of volumes.

    Parameters
    ----------
    files : mapping of str to path
        ``table``; or ``nifti``, and ``mask`` and ``sigma`` if there are.
    digests : mapping of str to str
        Of their content, which must be theirs: see `content_digest`.
    protocol : MeasuredProtocol
        One row for each volume; of a table, what it says itself.
    sigma : float, optional
        Noise of all signals.
    volumes : sequence of int
        Those that the rows of the protocol are, from 0; all of them without it.

    Returns
    -------
    data : VoxelData
    remarks : list of str
        What whoever fits them should know.

    Raises
    ------
    ChangedDataError
        If a file is not what the digest says.
    InputError
        If a file cannot be used, or no voxel is left.
    """
    for name, path in files.items():
        if content_digest(path) != digests[name]:
            raise ChangedDataError(
                f"{printable(str(path))} was changed after this run began. Start it again"
            )
    remarks: list[str] = []
    if "table" in files:
        data = VoxelData.of_table(read_signal_table(Path(files["table"])), sigma)
    else:
        data = _of_volumes(
            {name: Path(path) for name, path in files.items()}, protocol, sigma, volumes, remarks
        )
    bad = int((~np.isfinite(data.signals)).any(axis=1).sum())
    if bad:
        remarks.append(f"{bad} of {len(data)} voxels have signals that are no finite numbers")
    return data, remarks


def _of_volumes(
    files: Mapping[str, Path],
    protocol: MeasuredProtocol,
    sigma: float | None,
    volumes: Sequence[int],
    remarks: list[str],
) -> VoxelData:
    signals, affine = read_volumes(files["nifti"], volumes=True)

    def beside(path: Path) -> Array:
        values, place = read_volumes(path)
        remarks.extend(_elsewhere(path.name, place, affine, values.shape))
        return values

    if volumes:
        signals = signals[..., list(volumes)]
    if "mask" in files:
        inside = np.nan_to_num(beside(files["mask"])) > 0
    else:
        inside = np.any(signals != 0, axis=-1)
    index = np.argwhere(inside)
    if not len(index):
        where = files["mask" if "mask" in files else "nifti"]
        raise InputError(f"{where.name} without a voxel above zero", "a mask with voxels to fit")
    values = np.asarray(signals[inside], dtype=float)
    values[~np.isfinite(values)] = np.nan
    noise = None if sigma is None else np.full(len(index), sigma)
    if "sigma" in files:
        noise = np.asarray(beside(files["sigma"])[inside], dtype=float)
        noise[~np.isfinite(noise)] = np.nan
    shape = signals.shape[:3]
    return VoxelData(
        values, noise, index, None, protocol, shape, affine, header_text(files["nifti"])
    )


def _elsewhere(name: str, place: Array, affine: Array, shape: Sequence[int]) -> list[str]:
    """Say how far a volume is from the signals by its affine, if that is half a voxel or more."""
    corners = np.array([*np.ndindex(2, 2, 2)]) * (np.array(shape) - 1)
    away = np.linalg.norm((place - affine)[:3] @ np.column_stack([corners, np.ones(8)]).T, axis=0)
    side = np.linalg.norm(affine[:3, :3], axis=0).min()
    if not away.max() > 0.5 * side:
        return []
    return [
        f"the affine of {name} puts it up to {away.max():.3g} mm away from the volumes; its voxels "
        "were taken for those with the same indices"
    ]


def data_group(data: VoxelData) -> tuple[Group, dict[str, str]]:
    """Variables and attributes of the file that `read_part` reads."""
    p = data.protocol
    rows = _Rows(
        signals=data.signals,
        sigma=data.sigma,
        index=data.index,
        voxels=data.voxels,
        **{name: getattr(p, name) for name in (*COLUMNS, "delta", "Delta")},
        shape=data.shape or None,
        affine=data.affine,
    )
    dims = ("voxel",) if data.sigma is None or data.sigma.ndim == 1 else ("voxel", "row")
    return group_of(rows, noise=dims), {PROTOCOL: protocol_text(p), HEADER: data.header}


def read_part(path: PathLike, part: int = 0, parts: int = 1) -> VoxelData:
    """One of several shares of the voxels in a file, in their order; it may have none.

    Parameters
    ----------
    path : path
    part, parts : int
        Which of how many.
    """
    with netCDF4.Dataset(str(path)) as file:
        file.set_auto_mask(False)
        count = file.dimensions["voxel"].size
        rows = slice(part * count // parts, (part + 1) * count // parts)

        def read(name: str, cut: bool = True) -> NDArray[Any] | None:
            if name not in file.variables:
                return None
            variable = file[name]
            return np.asarray(variable[rows] if cut else variable[...])

        signals, index, names, shape = read("signal"), read("index"), read("voxel"), None
        assert signals is not None
        if (sizes := read("shape", cut=False)) is not None:
            shape = tuple(sizes.tolist())
        return VoxelData(
            signals,
            read("sigma"),
            index,
            None if names is None else tuple(map(str, names)),
            protocol_of(file.getncattr(PROTOCOL)),
            shape or (),
            read("affine", cut=False),
            file.getncattr(HEADER),
            count,
        )
