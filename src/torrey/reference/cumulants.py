"""Apparent diffusivity and kurtosis of the reference at b -> 0, with their errors.

Cumulants need what happens close to g = 0 alone. The basis of `models.resolvents` holds it for any
waveform, and converges so fast that it serves studies whose reference is solved in full as well.
It is made for each period, permeability and mesh, of nine shifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.stored import stored
from torrey.cell.operators import BlochTorrey
from torrey.cell.refinement import ONE_MESH
from torrey.gradients.protocol import Measurement, group_measurements
from torrey.gradients.sweep import Sweep
from torrey.models.cumulants import Cumulants, cumulants_of
from torrey.models.moments import FEWER_NODES, NODES, RestingSystem, taylor_at_echo
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
#: Dims of a result in a file.
_LINE: Final = ("*line",)


@dataclass(frozen=True)
class EstimatedCumulants:
    """Cumulants and absolute estimates of their numerical errors; arrays of one shape."""

    adc: Array = field(metadata=stored(_LINE, "um2 ms-1", "apparent diffusion coefficient, b -> 0"))
    adc_error: Array = field(
        metadata=stored(_LINE, "um2 ms-1", "numerical error of the apparent diffusion coefficient")
    )
    kurtosis: Array = field(
        metadata=stored(
            _LINE,
            "1",
            "apparent kurtosis, b -> 0; missing where nothing diffuses",
            allow_missing=True,
        )
    )
    kurtosis_error: Array = field(
        metadata=stored(_LINE, "1", "numerical error of the apparent kurtosis", allow_missing=True)
    )
    s0: Array = field(
        metadata=stored(
            _LINE, "1", "signal without gradients, by which that of the cumulants is divided"
        )
    )

    def reshape(self, shape: Sequence[int]) -> EstimatedCumulants:
        """The same values in arrays of another shape."""
        return EstimatedCumulants(
            **{one.name: getattr(self, one.name).reshape(shape) for one in fields(self)}
        )

    @classmethod
    def join(cls, parts: Sequence[EstimatedCumulants]) -> EstimatedCumulants:
        """Several side by side along a new first axis."""
        return cls(
            **{one.name: np.array([getattr(x, one.name) for x in parts]) for one in fields(cls)}
        )


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
        raise ValueError(ONE_MESH)
    measurements = sweep.protocol.measurements
    axes = np.array(Span.of(sweep).axes)
    found = [
        _of_cell(levels, axes, period, kappa, measurements, tolerance)
        for period, kappa in sweep.cells()
    ]
    return EstimatedCumulants.join(found).reshape(sweep.shape)


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
        best = _evaluate(model, period, sigma, measurements)
        if level == 0:
            rough = _evaluate(model, period, sigma, measurements, FEWER_NODES)
            in_time = {name: np.abs(getattr(best, name) - getattr(rough, name)) for name in values}
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
                errors[name] = space + in_basis[name] + in_time[name]
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
    model: ProjectedModel,
    period: float,
    sigma: float,
    measurements: Sequence[Measurement],
    nodes: int = NODES,
) -> Cumulants:
    """Cumulants of all measurements by one model, with so many nodes on a panel of time."""
    coefficients = np.empty((len(measurements), 5), dtype=complex)
    for axes, members in group_measurements(measurements).items():
        stores = any(waveform.stores for waveform in members)
        system = RestingSystem.of(model.along(np.array(axes)), period, sigma, stores)
        for waveform, rows in members.items():
            coefficients[rows] = taylor_at_echo(system, waveform, nodes)
    return cumulants_of(coefficients, [m.waveform.b_factor for m in measurements])
