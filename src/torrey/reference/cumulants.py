"""Apparent diffusivity and kurtosis of the reference at b -> 0, with their errors.

Cumulants need what happens close to g = 0 alone. The basis of `models.resolvents` holds it for any
waveform, and converges so fast that it serves studies whose reference is solved in full as well.
It is made for each period and permeability: nine shifts on the coarsest mesh, of which the first
five are taken on finer ones, and what they leave is added from the coarsest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.cell.operators import BlochTorrey
from torrey.gradients.protocol import Measurement, group_measurements
from torrey.gradients.sweep import Sweep
from torrey.models.cumulants import Cumulants, cumulants_of
from torrey.models.moments import RestingSystem, taylor_at_echo, time_error
from torrey.models.projection import ProjectedModel
from torrey.models.resolvents import MOST_SHIFTS, resolvent_model, shifts_between
from torrey.reference.estimates import resolves_layers, space_error
from torrey.reference.span import Span

Array = NDArray[np.float64]

#: Rates that the shifts span, times the echo time.
_SLOWEST, _FASTEST = 0.5, 500.0
#: Shifts on finer meshes, and those of the rung that tells the error of all.
_FEW, _NEXT = 5, 7
#: What the last rungs change is multiplied by this; of what finer meshes leave out and the coarsest
#: adds, this share is distrusted.
_SAFETY, _TRANSFER = 2.0, 0.1
#: Of the free diffusivity, as the difference of numbers of its size.
_ROUNDING: Final = 1e-11


@dataclass(frozen=True)
class EstimatedCumulants:
    """Cumulants and absolute estimates of their numerical errors; arrays of one shape.

    Attributes
    ----------
    adc, adc_error : float, um^2/ms
    kurtosis, kurtosis_error : float
        Missing (NaN) where nothing diffuses.
    s0 : float
        Signal without gradients.
    """

    adc: Array
    adc_error: Array
    kurtosis: Array
    kurtosis_error: Array
    s0: Array


def reference_cumulants(
    levels: Sequence[BlochTorrey], sweep: Sweep, tolerance: float
) -> EstimatedCumulants:
    """Cumulants of the Bloch-Torrey equation for all periods, permeabilities and waveforms.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first: two or more. Finer ones are asked for until the errors are small.
    sweep : Sweep
        Strengths of the gradient play no part: see `Sweep.without_strengths`.
    tolerance : float
        Relative, of both; where the finest mesh does not meet it the errors say so.

    Returns
    -------
    EstimatedCumulants
        Of the shape of the sweep.

    Raises
    ------
    ValueError
        If there is one mesh alone, which tells no error.
    """
    if len(levels) < 2:
        raise ValueError("one mesh gives no error estimate: allow mesh.refinements of 1 or more")
    measurements = sweep.protocol.measurements
    axes = np.array(Span.of(sweep).axes)
    found = [
        _of_cell(levels, axes, period, kappa, measurements, tolerance)
        for period, kappa in sweep.cells()
    ]
    names = ("adc", "adc_error", "kurtosis", "kurtosis_error", "s0")
    return EstimatedCumulants(
        **{name: np.array([getattr(x, name) for x in found]).reshape(sweep.shape) for name in names}
    )


def _of_cell(
    levels: Sequence[BlochTorrey],
    axes: Array,
    period: float,
    permeability: float,
    measurements: Sequence[Measurement],
    tolerance: float,
) -> EstimatedCumulants:
    """Cumulants of all measurements at one period and permeability."""
    times = [m.waveform.echo_time for m in measurements]
    shifts = shifts_between(_SLOWEST / max(times), _FASTEST / min(times))
    sigma = permeability / period

    def on(model: ProjectedModel, rung: int) -> Cumulants:
        return _evaluate(model.truncate(rung), period, sigma, measurements)

    coarse = resolvent_model(levels[0], axes, period, permeability, shifts)
    best, next_best, few = (on(coarse, rung) for rung in (MOST_SHIFTS, _NEXT, _FEW))
    in_time = _time_errors(coarse, period, sigma, measurements)
    layers = resolves_layers(levels[1], period, min(times))
    values = {name: [getattr(best, name)] for name in ("adc", "kurtosis")}
    free = float(np.abs(levels[0].diffusivity).max())
    for operators in levels[1:]:
        finer = on(resolvent_model(operators, axes, period, permeability, shifts[:_FEW]), _FEW)
        errors = {}
        for name, found in values.items():
            found.append(found[0] + getattr(finer, name) - getattr(few, name))
            basis = _SAFETY * np.abs(getattr(best, name) - getattr(next_best, name))
            basis += _TRANSFER * np.abs(getattr(best, name) - getattr(few, name))
            space = space_error(np.array(found, dtype=complex), layers)
            errors[name] = space + basis + getattr(in_time, name)
        if all(np.all(~(errors[x] > tolerance * np.abs(values[x][-1]))) for x in values):
            break
    adc = values["adc"][-1]
    lost = np.divide(free, np.abs(adc), out=np.zeros_like(adc), where=adc != 0.0)
    return EstimatedCumulants(
        adc=adc,
        adc_error=errors["adc"] + _ROUNDING * free,
        kurtosis=values["kurtosis"][-1],
        kurtosis_error=errors["kurtosis"] + 6.0 * _ROUNDING * lost**2,
        s0=finer.s0,
    )


def _evaluate(
    model: ProjectedModel, period: float, sigma: float, measurements: Sequence[Measurement]
) -> Cumulants:
    """Cumulants of all measurements by one model."""
    coefficients = np.empty((len(measurements), 5), dtype=complex)
    for axes, members in group_measurements(measurements).items():
        system = RestingSystem.of(model.along(np.array(axes)), period, sigma)
        for waveform, rows in members.items():
            coefficients[rows] = taylor_at_echo(system, waveform)
    return cumulants_of(coefficients, [m.waveform.b_factor for m in measurements])


def _time_errors(
    model: ProjectedModel, period: float, sigma: float, measurements: Sequence[Measurement]
) -> Cumulants:
    """What fewer nodes of the panels of time change in the cumulants."""
    change = np.empty((2, len(measurements)))
    for axes, members in group_measurements(measurements).items():
        system = RestingSystem.of(model.along(np.array(axes)), period, sigma)
        for waveform, rows in members.items():
            exact = taylor_at_echo(system, waveform)
            moved = exact + time_error(system, waveform) * np.array([1.0, -1.0, 1.0, -1.0, 1.0])
            pair = [cumulants_of(x, waveform.b_factor) for x in (exact, moved)]
            for i, name in enumerate(("adc", "kurtosis")):
                a, b = (getattr(each, name) for each in pair)
                change[i, rows] = np.abs(a - b)
    return Cumulants(change[0], change[1], np.zeros(len(measurements)))
