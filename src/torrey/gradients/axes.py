"""The axes of a sweep as coordinates of a NetCDF file."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.stored import Group, Variable
from torrey.gradients.sweep import Sweep

#: Attributes of values that may be infinite: the signals of an unstable model.
MAY_OVERFLOW = {"allow_missing": True}

AXIS_UNITS = {
    "period": ("um", "physical size of the cell"),
    "permeability": ("um ms-1", "membrane permeability kappa"),
    "sigma0": ("um ms-1", "sigma0, where kappa = sigma0 * period / (1 mm)"),
    "surface_relaxivity": ("um ms-1", "relaxivity of the surfaces of obstacles"),
    "delta": ("ms", "duration of a gradient pulse, or of a train of them"),
    "Delta": ("ms", "time between the beginnings of the two pulses or trains"),
    "rise_time": ("ms", "time in which the gradient rises from zero"),
    "mixing_time": ("ms", "time between the two blocks of a double PGSE"),
    "angle": ("degree", "angle between the gradients of the two blocks"),
    "cycles": ("1", "periods in a train of oscillating gradients"),
    "b": ("ms um-2", "b-value (1 ms um-2 is 1000 s mm-2)"),
    "q": ("rad um-1", "largest wave number; gamma G delta of rectangular pulses"),
    "gradient": ("rad um-1 ms-1", "largest gradient gamma G"),
    "measurement": ("1", "number of the measurement in its acquisition, from 0"),
}


def axis(name: str, values: ArrayLike) -> Variable:
    """The coordinate of one axis."""
    return Variable((name,), np.array(values, dtype=float), *AXIS_UNITS[name])


def coordinates(sweep: Sweep) -> Group:
    """Return the coordinate of each axis, and the vectors of the directions."""
    axes = sweep.axes()
    variables = {name: axis(name, values) for name, values in axes.items() if name != "direction"}
    directions = np.array(sweep.protocol.directions, dtype=float)
    along = "direction" if "direction" in axes else "measurement"
    variables["direction_vector"] = Variable(
        (along, "axis"), directions, "1", "unit vector of the gradient: first axis of the waveform"
    )
    return variables


def measurement_variables(sweep: Sweep) -> Group:
    """Return b-value, b-tensor, wave number and echo time of each measurement.

    Where one of them is swept, it is a coordinate already and takes the place of its table.
    """
    axes = sweep.protocol.axes()
    shape = tuple(len(values) for values in axes.values())
    measurements = sweep.protocol.measurements
    tensor = np.array([m.b_tensor for m in measurements])
    d = tensor.shape[-1]
    # Nothing but the tensor depends on the direction.
    dims = tuple(name for name in axes if name != "direction")
    first = (..., 0) if "direction" in axes else ...

    def table(values: list[float]) -> NDArray[np.float64]:
        return np.array(values).reshape(shape)[first]

    b, q = table([m.b for m in measurements]), table([m.q for m in measurements])
    echo = table([m.waveform.echo_time for m in measurements])
    tensor = tensor.reshape(*shape, d, d)
    return {
        "b_value": Variable(dims, b, "ms um-2", "b-value"),
        "b_tensor": Variable((*axes, "axis", "axis_2"), tensor, "ms um-2", "b-tensor"),
        "q": Variable(dims, q, "rad um-1", "largest wave number"),
        "echo_time": Variable(dims, echo, "ms", "time at which the signal is read"),
    }
