"""Projected references against the full system, from their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.errors import TorreyError
from torrey.base.stored import Group, group_of, stored

PathLike = str | Path
Array = NDArray[np.float64]


class DisagreementError(TorreyError, ArithmeticError):
    """A projected signal and that of the full system differ by more than their error estimates."""


@dataclass(frozen=True)
class Comparison:
    """Projected signals and those of the full system, point by point."""

    projected: Array = field(
        metadata=stored(("point",), "1", "signal by projected models, real part")
    )
    full: Array = field(metadata=stored(("point",), "1", "signal of the full system, real part"))
    difference: Array = field(metadata=stored(("point",), "1", "absolute difference of the two"))
    estimate: Array = field(metadata=stored(("point",), "1", "sum of their estimated errors"))


def compare_with_full(points: Sequence[tuple[PathLike, int, PathLike]]) -> Group:
    """Compare projected signals with those of the full system at some points.

    Parameters
    ----------
    points : sequence of (path, int, path)
        File of a slab by projected models, row of the point in it, and file of the full reference.

    Raises
    ------
    DisagreementError
        If a difference is larger than the two error estimates together.
    """
    rows = []
    for slab, row, file in points:
        data = {name: values.ravel() for name, values in artifacts.read(slab).items()}
        full = artifacts.read(file)
        projected = data["signal_real"][row] + 1j * data["signal_imag"][row]
        exact = complex(full["signal_real"], full["signal_imag"])
        estimate = sum(float(data[name][row]) for name in _ERRORS)
        estimate += float(full["space_error"] + full["time_error"])
        difference = abs(projected - exact)
        if not difference <= estimate:
            raise DisagreementError(
                f"point {row} of {slab}: the projected signal {projected:.9g} and the full one "
                f"{exact:.9g} differ by {difference:.1e}, their error estimates allow "
                f"{estimate:.1e}"
            )
        rows.append((projected.real, exact.real, difference, estimate))
    columns = np.array(rows, dtype=float).reshape(-1, 4).T
    return group_of(Comparison(*columns))


_ERRORS = ("space_error", "basis_error", "time_error")
