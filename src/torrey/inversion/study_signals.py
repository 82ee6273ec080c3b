"""Signals that a study computed as those of a table: its cells are the voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.gradients.sweep import Product, Sweep
from torrey.inversion.files import read_data
from torrey.inversion.measured import powder_average
from torrey.inversion.study_tables import rows_of

Array = NDArray[np.float64]


def signals_of_study(
    file: str | Path, sweep: Sweep, name: str, powder: bool
) -> tuple[Array, Array]:
    """Signals of the rows of `table_of_sweep`, and their numerical errors.

    Parameters
    ----------
    file : path
        ``signals.nc`` of the study.
    sweep : Sweep
    name : str
        ``reference`` or a model of the study.
    powder : bool

    Returns
    -------
    signal, error : (n_cells, n_rows) float
    """
    data = read_data([file], [sweep], name)
    signal, error = np.atleast_2d(data.signal), np.atleast_2d(data.error)
    if not powder:
        return signal, error
    if isinstance(sweep.protocol, Product):
        table = artifacts.read(file)
        row = [str(model) for model in table["model"]].index(name)
        shape = (len(signal), -1)
        mean, bound = (
            table[key][row].reshape(shape) for key in ("spherical_mean", "spherical_mean_error")
        )
        return mean, bound
    rows = rows_of(sweep)
    return powder_average(rows, signal).signals, powder_average(rows, error).signals
