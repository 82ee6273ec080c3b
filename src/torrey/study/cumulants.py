"""Exact cumulants of a study: apparent diffusivity and kurtosis of its models, without a fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from torrey.base.lazy import at_hand
from torrey.base.stored import Group, Variable, stacked
from torrey.cell.operators import BlochTorrey
from torrey.cell.refinement import ONE_MESH, last_change
from torrey.gradients.axes import coordinates
from torrey.gradients.protocol import group_measurements
from torrey.gradients.sweep import ENCODINGS, REFERENCE, Sweep
from torrey.models.cumulants import Cumulants, cumulants_of
from torrey.models.evaluation import build_models
from torrey.reference.cumulants import EstimatedCumulants, reference_cumulants

Array = NDArray[np.float64]

#: Relative, of the integration of a model in time.
_IN_TIME = 1e-9


def cumulant_table(
    levels: Sequence[BlochTorrey], sweep: Sweep, models: Sequence[str], tolerance: float
) -> Group:
    """Variables of ``cumulants.nc``.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    sweep : Sweep
        Its strengths play no part, and are no axis of the result.
    models : sequence of str
        In the order wanted; may contain ``reference``.
    tolerance : float
        Relative, for the reference.
    """
    resting = sweep.without_strengths()
    found = model_cumulants(levels, resting, models, tolerance)
    line = [dim for dim in resting.axes() if dim not in ENCODINGS]
    shape = [len(values) for dim, values in resting.axes().items() if dim not in ENCODINGS]
    table = [found[model].reshape(shape) for model in models]
    axes = {name: x for name, x in coordinates(resting).items() if name not in ENCODINGS}
    names = Variable(("model",), np.array(models), "", "reference or model")
    return {"model": names, **axes, **stacked(table, "model", line=line)}


def model_cumulants(
    levels: Sequence[BlochTorrey], sweep: Sweep, models: Sequence[str], tolerance: float
) -> dict[str, EstimatedCumulants]:
    """Cumulants of some models, each of the shape of the sweep; see `cumulant_table`."""
    resting = sweep.without_strengths()
    others = [model for model in models if model != REFERENCE]
    found = _of_models(levels, resting, others) if others else {}
    if REFERENCE in models:
        found[REFERENCE] = reference_cumulants(levels, resting, tolerance)
    return found


def _of_models(
    levels: Sequence[BlochTorrey], sweep: Sweep, models: Sequence[str]
) -> dict[str, EstimatedCumulants]:
    """Cumulants of homogenised models, with what the last refinement of the mesh changed."""
    if len(levels) < 2:
        raise ValueError(ONE_MESH)
    kept = at_hand(levels)
    coarse, fine = (_on_mesh(kept[k], sweep, models) for k in (-2, -1))
    has_corners = kept[-1].has_corners
    return {model: _with_errors(coarse[model], fine[model], has_corners) for model in models}


def _with_errors(coarse: Cumulants, fine: Cumulants, has_corners: bool) -> EstimatedCumulants:
    adc_error, kurtosis_error = (
        last_change(getattr(coarse, name), getattr(fine, name), has_corners)
        + _IN_TIME * (np.abs(getattr(fine, name)) + least)
        # A kurtosis is a difference of numbers of order one, and zero within their rounding.
        for name, least in (("adc", 0.0), ("kurtosis", 1.0))
    )
    return EstimatedCumulants(fine.adc, adc_error, fine.kurtosis, kurtosis_error, fine.s0)


def _on_mesh(operators: BlochTorrey, sweep: Sweep, models: Sequence[str]) -> dict[str, Cumulants]:
    cells = np.array(list(sweep.cells()))
    period, sigma = cells[:, 0], cells[:, 1] / cells[:, 0]
    measurements = sweep.protocol.measurements
    series = np.empty((len(models), len(cells), len(measurements), 5), dtype=complex)
    for axes, members in group_measurements(measurements).items():
        for i, model in enumerate(build_models(operators, np.array(axes), models)):
            for waveform, rows in members.items():
                series[i][:, rows] = model.taylor(waveform, period, sigma)[:, None]
    beta = np.array([m.waveform.b_factor for m in measurements])
    return {model: cumulants_of(series[i], beta) for i, model in enumerate(models)}
