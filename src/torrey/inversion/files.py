"""Signals that an inversion reads from the tables of studies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from torrey.base import artifacts
from torrey.base.errors import InputError
from torrey.gradients.sweep import Sweep
from torrey.inversion.study import Data

PathLike = str | Path

#: An imaginary part beyond this and the numerical error does not come of rounding.
_REAL = 1e-8


def read_data(files: Sequence[PathLike], sweeps: Sequence[Sweep], name: str) -> Data:
    """Signals of a model, or of the reference, in several tables one after the other.

    Parameters
    ----------
    files : sequence of path
        ``signals.nc`` of each study.
    sweeps : sequence of Sweep
        Of the studies.
    name : str
        Model.

    Returns
    -------
    Data
        Measurements of all studies, those of each sweep in their order. Of a sweep over several
        cells, these are the first axis: shape (n_cells, n).

    Raises
    ------
    InputError
        If a table has no such model, or signals that are complex or not finite.
    """
    signals, errors = [], []
    for file, sweep in zip(files, sweeps, strict=True):
        table = artifacts.read(file)
        names = [str(model) for model in table["model"]]
        if name not in names:
            raise InputError(f"no signals of {name} in {file}", ", ".join(names))
        row = names.index(name)
        shape = (len(list(sweep.cells())), len(sweep.protocol.measurements))
        real, imag, error = (
            table[key][row].reshape(shape)
            for key in ("signal_real", "signal_imag", "numerical_error")
        )
        if not np.all(np.isfinite(real)):
            raise InputError(f"signals of {name} in {file} that are not finite", "finite ones")
        if np.any(np.abs(imag) > _REAL + 10.0 * error):
            raise InputError(
                f"complex signals of {name} in {file}",
                "real ones: of a cell and pulses with symmetry",
            )
        signals.append(real)
        errors.append(error)
    signal, error = np.hstack(signals), np.hstack(errors)
    one = len(signal) == 1
    return Data(name, signal[0] if one else signal, error[0] if one else error)
