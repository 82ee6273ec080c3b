"""Projected references against the full system, from their files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from torrey.base import artifacts
from torrey.base.errors import TorreyError
from torrey.base.stored import Group, Variable
from torrey.gradients.sweep import Index

PathLike = str | Path


class DisagreementError(TorreyError, ArithmeticError):
    """A projected signal and that of the full system differ by more than their error estimates."""


def compare_with_full(table: PathLike, references: Mapping[Index, PathLike]) -> Group:
    """Compare projected signals with those of the full system at some points.

    Parameters
    ----------
    table : path
        Signals of a study by projected models.
    references : mapping
        File of the full reference by index of the point.

    Raises
    ------
    DisagreementError
        If a difference is larger than the two error estimates together.
    """
    data = artifacts.read(table)
    rows = []
    for index, file in references.items():
        full = artifacts.read(file)
        projected = data["signal_real"][index] + 1j * data["signal_imag"][index]
        exact = complex(full["signal_real"], full["signal_imag"])
        estimate = sum(float(data[name][index]) for name in _ERRORS)
        estimate += float(full["space_error"] + full["time_error"])
        difference = abs(projected - exact)
        if not difference <= estimate:
            raise DisagreementError(
                f"point {index} of {table}: the projected signal {projected:.9g} and the full one "
                f"{exact:.9g} differ by {difference:.1e}, their error estimates allow "
                f"{estimate:.1e}"
            )
        rows.append((projected.real, exact.real, difference, estimate))
    columns = np.array(rows, dtype=float).reshape(-1, 4).T
    names = {
        "projected": "signal by projected models, real part",
        "full": "signal of the full system, real part",
        "difference": "absolute difference of the two",
        "estimate": "sum of their estimated errors",
    }
    return {
        name: Variable(("point",), values, "1", text)
        for (name, text), values in zip(names.items(), columns, strict=True)
    }


_ERRORS = ("space_error", "basis_error", "time_error")
