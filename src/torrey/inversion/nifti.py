"""Volumes in NIfTI files: their headers without any other package, and what is in them by nibabel.

A configuration is read for every job of a run, so that a header costs a read of 540 bytes there.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import printable
from torrey.base.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ACCEPTED: Final = "a NIfTI file, .nii or .nii.gz"
#: By the size of their header: format of the dimensions, and where the dimensions and the magic
#: word are.
_VERSIONS: Final = {348: ("8h", 40, 344, (b"n+1\0",)), 540: ("8q", 16, 4, (b"n+2\0",))}


@dataclass(frozen=True)
class Header:
    """What the header of a file says.

    Attributes
    ----------
    shape : tuple of int
        Of the volumes, and their number if there are several; further dimensions of one are left
        out.
    """

    shape: tuple[int, ...]

    @property
    def grid(self) -> tuple[int, int, int]:
        """Shape of a volume."""
        x, y, z = (*self.shape, 1, 1, 1)[:3]
        return x, y, z

    @property
    def volumes(self) -> int:
        """How many."""
        return self.shape[3] if len(self.shape) > 3 else 1


def read_header(path: Path) -> Header:
    """Read the header of a NIfTI file of version 1 or 2.

    Raises
    ------
    InputError
        If the file cannot be read, or is none.
    """
    shown = printable(str(path))
    try:
        with path.open("rb") as file:
            begin = file.read(2)
        if begin == b"\x1f\x8b":
            with gzip.open(path, "rb") as packed:
                content = packed.read(540)
        else:
            with path.open("rb") as file:
                content = file.read(540)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be unpacked"
        raise InputError(f"{shown}: {reason}", _ACCEPTED) from None
    for order in "<>":
        size = struct.unpack_from(f"{order}i", content)[0] if len(content) >= 4 else 0
        if size in _VERSIONS and len(content) >= size:
            form, at, magic, words = _VERSIONS[size]
            if content[magic : magic + 4] in words:
                return Header(_shape(struct.unpack_from(order + form, content, at), shown))
            raise InputError(f"{shown}: a header without its image (.hdr)", _ACCEPTED)
    raise InputError(f"{shown}: no NIfTI file", _ACCEPTED)


def _shape(dims: tuple[int, ...], shown: str) -> tuple[int, ...]:
    count, sizes = dims[0], dims[1:]
    if not 1 <= count <= 7 or min(sizes[:count]) < 1:
        raise InputError(f"{shown}: dimensions {list(dims)} in its header", _ACCEPTED)
    shape = list(sizes[:count])
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) > 4:
        found = " x ".join(map(str, shape))
        raise InputError(f"{shown}: {found} values", "volumes one after the other: 4 dimensions")
    return tuple(shape)


def read_volumes(path: Path, volumes: bool = False) -> tuple[Array, Array]:
    """Values, scaled as the header says, and the affine (4, 4).

    Parameters
    ----------
    path : Path
    volumes : bool
        Whether there are several: the values then have four dimensions, else three.

    Raises
    ------
    InputError
        If the file is not whole.
    """
    import nibabel

    header = read_header(path)
    try:
        image: Any = nibabel.load(path)
        values = np.asanyarray(image.dataobj)
    except Exception as error:  # nibabel hands on what zlib, numpy and its own checks say
        found = f"{printable(str(path))}: {printable(str(error))[:200]}"
        raise InputError(found, f"{_ACCEPTED}, that is whole") from None
    shape = (*header.grid, header.volumes) if volumes else header.grid
    affine = getattr(image, "affine", None)
    return (
        np.asarray(values).reshape(shape),
        np.eye(4) if affine is None else np.asarray(affine, dtype=float),
    )


def write_map(path: Path | str, values: Array, like: Any) -> None:
    """Write a volume of 32-bit numbers, whole or not at all, with the place in space of another.

    Parameters
    ----------
    path : path
        Ends in ``.nii.gz``.
    values : (x, y, z) float
        Empty voxels are not a number.
    like : Header of nibabel
        Of the image whose affine, codes and units of space are kept.
    """
    import nibabel

    from torrey.base import artifacts

    header = like.copy()
    header.set_data_dtype(np.float32)
    header.set_slope_inter(1.0, 0.0)
    header.set_data_shape(values.shape)
    header["cal_max"] = header["cal_min"] = 0.0
    kind = nibabel.Nifti2Image if header["sizeof_hdr"] == 540 else nibabel.Nifti1Image
    image = kind(values.astype(np.float32), None, header)
    # No time and no name in the packed file: the same numbers are the same bytes.
    with artifacts.whole(path) as name:
        name.write_bytes(gzip.compress(image.to_bytes(), mtime=0))


def header_text(path: Path) -> str:
    """The header of a file as hexadecimal digits, from which `header_of` makes it again."""
    import nibabel

    image: Any = nibabel.load(path)
    return bytes(image.header.binaryblock).hex()


def header_of(text: str) -> Any:
    """The header that `header_text` wrote."""
    import nibabel

    block = bytes.fromhex(text)
    kind = nibabel.Nifti2Header if len(block) == 540 else nibabel.Nifti1Header
    return kind(block)
