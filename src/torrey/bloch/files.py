"""Bands along lines of the Brillouin zone as NetCDF files, one group per line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from torrey.base import artifacts
from torrey.base.stored import Group, group_of, nested, object_of, stored
from torrey.bloch.bands import BandBasis, BandSet, band_set
from torrey.cell.operators import Array

PathLike = str | Path


@dataclass(frozen=True)
class BandLine:
    """Bands along one line, those that are exact on the mesh, and their means."""

    direction: Array = field(metadata=stored(("axis",), "1", "direction of the line"))
    width: float = field(
        metadata=stored((), "rad um-1", "length of the reciprocal lattice vector along it")
    )
    pulses: int = field(metadata=stored((), "1", "P: pulses in that vector", dtype=np.int32))
    p: Array = field(metadata=stored(("p",), "rad um-1", "wave number along the line"))
    value: Array = field(
        metadata=stored(
            ("p", "band"), "ms-1", "eigenvalue; the other half of the zone mirrors this one"
        )
    )
    mean: Array = field(metadata=stored(("band",), "ms-1", "mean of the band over p"))

    @classmethod
    def of(cls, bands: BandSet) -> Self:
        count = max(bands.n_bands, 1)
        return cls(
            direction=bands.line.direction,
            width=bands.line.width,
            pulses=bands.pulses,
            p=bands.p,
            value=bands.values[:, :count],
            mean=bands.mean_values()[:count],
        )


@dataclass(frozen=True)
class _Stored:
    """A line in a file.

    Eigenvectors follow from the basis in less time than they take to read, and are left out.
    """

    basis: BandBasis = field(metadata=nested())
    line: BandLine = field(metadata=nested())


def band_groups(sets: Sequence[BandSet]) -> dict[str, Group]:
    """Bands along some lines, with the basis of each: groups ``line0``, ``line1``, ..."""
    return {
        f"line{i}": group_of(_Stored(bands.basis, BandLine.of(bands)))
        for i, bands in enumerate(sets)
    }


def read_bands(path: PathLike) -> tuple[BandSet, ...]:
    """Bands of a file, in the order in which they were written."""
    found = [object_of(_Stored, artifacts.read(path, group)) for group in artifacts.groups(path)]
    return tuple(band_set(one.basis, one.line.direction, one.line.pulses) for one in found)
