"""The measurements of a study as rows of a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from torrey.base.errors import InputError
from torrey.gradients.sweep import Product, Sweep
from torrey.gradients.waveforms import AtEcho, FilteredEncoding
from torrey.inversion.measured import (
    MeasuredProtocol,
    powder_average,
    protocol_of_measurements,
)

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
        return rows_of(sweep)
    if isinstance(protocol, Product):
        if protocol.sphere is None:
            raise InputError("directions that are no rule for means", OVER_THE_SPHERE)
        weights = protocol.sphere.rule.weights
        first = protocol.measurements[:: len(weights)]
        effective = 1.0 / float(weights @ weights)
        return protocol_of_measurements(first, weights=effective, powder=True)
    if protocol.n_axes < 3:
        raise InputError("directions in the plane of the cell", OVER_THE_SPHERE)
    rows = rows_of(sweep)
    return powder_average(rows, np.ones((1, len(rows)))).protocol


def rows_of(sweep: Sweep) -> MeasuredProtocol:
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
