"""Apparent diffusivity and kurtosis of the reference at b -> 0, with their errors.

Cumulants need what happens close to g = 0 alone. The basis of `models.resolvents` holds it for any
waveform, and converges so fast that it serves studies whose reference is solved in full as well.
It is made for each period, permeability and mesh, of nine shifts.
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
from torrey.models.resolvents import resolvent_model, shifts_between
from torrey.reference.estimates import resolves_layers, space_error
from torrey.reference.span import Span

Array = NDArray[np.float64]

#: Rates that the shifts span, times the echo time.
_SLOWEST, _FASTEST = 0.5, 500.0
#: Shifts of the rung that tells the error of all, and by what its difference is multiplied.
_FEWER, _SAFETY = 7, 2.0
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
    layers = resolves_layers(levels[1], period, min(times))
    free = float(np.abs(levels[0].diffusivity).max())
    values: dict[str, list[Array]] = {"adc": [], "kurtosis": []}
    in_basis = dict.fromkeys(values, np.zeros(len(measurements)))
    for level, operators in enumerate(levels):
        model = resolvent_model(operators, axes, period, permeability, shifts)
        if level == 0:
            in_time = _time_errors(model, period, sigma, measurements)
        best = _evaluate(model, period, sigma, measurements)
        fewer = _evaluate(model.truncate(_FEWER), period, sigma, measurements)
        errors = {}
        for name, found in values.items():
            found.append(getattr(best, name))
            change = _SAFETY * np.abs(found[-1] - getattr(fewer, name))
            # Two rungs may agree by chance on one mesh.
            in_basis[name] = np.maximum(in_basis[name], change)
            if level:
                # x^2 is no function of a curved element: kurtoses converge less regularly, and of
                # two meshes the whole change counts.
                regular = layers if name == "adc" else False
                space = space_error(np.array(found, dtype=complex), regular)
                errors[name] = space + in_basis[name] + getattr(in_time, name)
        if level and all(np.all(~(errors[x] > tolerance * np.abs(values[x][-1]))) for x in values):
            break
    adc = values["adc"][-1]
    lost = np.divide(free, np.abs(adc), out=np.zeros_like(adc), where=adc != 0.0)
    return EstimatedCumulants(
        adc=adc,
        adc_error=errors["adc"] + _ROUNDING * free,
        kurtosis=values["kurtosis"][-1],
        kurtosis_error=errors["kurtosis"] + 6.0 * _ROUNDING * lost**2,
        s0=best.s0,
    )


def _evaluate(
    model: ProjectedModel, period: float, sigma: float, measurements: Sequence[Measurement]
) -> Cumulants:
    """Cumulants of all measurements by one model."""
    coefficients = np.empty((len(measurements), 5), dtype=complex)
    for axes, members in group_measurements(measurements).items():
        stores = any(waveform.stores for waveform in members)
        system = RestingSystem.of(model.along(np.array(axes)), period, sigma, stores)
        for waveform, rows in members.items():
            coefficients[rows] = taylor_at_echo(system, waveform)
    return cumulants_of(coefficients, [m.waveform.b_factor for m in measurements])


def _time_errors(
    model: ProjectedModel, period: float, sigma: float, measurements: Sequence[Measurement]
) -> Cumulants:
    """What fewer nodes of the panels of time change in the cumulants."""
    change = np.empty((2, len(measurements)))
    for axes, members in group_measurements(measurements).items():
        stores = any(waveform.stores for waveform in members)
        system = RestingSystem.of(model.along(np.array(axes)), period, sigma, stores)
        for waveform, rows in members.items():
            exact = taylor_at_echo(system, waveform)
            moved = exact + time_error(system, waveform) * np.array([1.0, -1.0, 1.0, -1.0, 1.0])
            pair = [cumulants_of(x, waveform.b_factor) for x in (exact, moved)]
            for i, name in enumerate(("adc", "kurtosis")):
                a, b = (getattr(each, name) for each in pair)
                change[i, rows] = np.abs(a - b)
    return Cumulants(change[0], change[1], np.zeros(len(measurements)))
