"""Signals that a study computed as tables: its measurements are rows, its cells the voxels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.errors import InputError
from torrey.gradients.sweep import Product, Sweep
from torrey.gradients.waveforms import AtEcho, FilteredEncoding
from torrey.inversion.files import read_data
from torrey.inversion.measured import (
    MeasuredProtocol,
    powder_average,
    protocol_of_measurements,
)

Array = NDArray[np.float64]

OVER_THE_SPHERE = "directions: {lebedev: 19} or {powder: 60}, or an acquisition with many"


def table_of_sweep(sweep: Sweep, powder: bool) -> MeasuredProtocol:
    """Rows of the measurements of a study.

    Parameters
    ----------
    sweep : Sweep
        With one orientation of its cell, if any.
    powder : bool
        Whether rows are means over directions. Their weight is the number of signals that have the
        same noise in the mean: 1 over the sum of the squared weights of the directions.

    Raises
    ------
    InputError
        If means are wanted of a study whose directions are not all over the sphere.
    """
    protocol = sweep.protocol
    if not powder:
        return _rows(sweep)
    if isinstance(protocol, Product):
        if protocol.sphere is None:
            raise InputError("directions that are no rule for means", OVER_THE_SPHERE)
        weights = protocol.sphere.rule.weights
        first = protocol.measurements[:: len(weights)]
        effective = 1.0 / float(weights @ weights)
        return protocol_of_measurements(first, weights=effective, powder=True)
    if protocol.n_axes < 3:
        raise InputError("directions in the plane of the cell", OVER_THE_SPHERE)
    rows = _rows(sweep)
    return powder_average(rows, np.ones((1, len(rows)))).protocol


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
    rows = _rows(sweep)
    return powder_average(rows, signal).signals, powder_average(rows, error).signals


def _rows(sweep: Sweep) -> MeasuredProtocol:
    """Measurements as rows; those of filter exchange with their filter and mixing time."""
    measurements = sweep.protocol.measurements
    rows = protocol_of_measurements(measurements)
    waveforms = [m.waveform for m in measurements]
    shapes = [w.inner if isinstance(w, AtEcho) else w for w in waveforms]
    times = [shape.times for shape in shapes if isinstance(shape, FilteredEncoding)]
    if len(times) < len(shapes):
        return rows
    return replace(
        rows,
        b_filter=np.array([each.b_filter for each in times]),
        mixing_time=np.array([each.mixing_time for each in times]),
    )
