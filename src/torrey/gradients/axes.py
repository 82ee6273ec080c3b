"""The axes of a sweep as coordinates of a NetCDF file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.keys import format_number
from torrey.base.stored import Group, Variable
from torrey.base.units import UNITS, Kind
from torrey.gradients.protocol import Vector
from torrey.gradients.sweep import WAVEFORM, Sweep, axis_declaration

#: Attributes of values that may be infinite: the signals of an unstable model.
MAY_OVERFLOW = {"allow_missing": True}

#: Decimals of the components of a direction in its label, unless it takes more to tell them apart.
_DECIMALS = 3
_MOST_DECIMALS = 12


def coordinates(sweep: Sweep) -> Group:
    """Return the coordinate of each axis, and the vectors of the directions."""
    axes = sweep.axes()
    directions = sweep.protocol.directions
    along = "direction" if "direction" in axes else "measurement"
    if "direction" in axes:
        axes["direction"] = direction_labels(directions)
    variables = {name: axis_variable(name, values) for name, values in axes.items()}
    variables["direction_vector"] = Variable(
        (along, "axis"),
        np.array(directions, dtype=float),
        "1",
        "unit vector of the gradient: first axis of the waveform",
    )
    return variables


def axis_variable(name: str, values: ArrayLike) -> Variable:
    """Return the coordinate of an axis of a sweep, with its unit and long name.

    Parameters
    ----------
    name : str
        Name of the axis: see `Sweep.axes`.
    values : (n,) array_like
        Numbers in internal units; of ``direction``, labels: see `direction_labels`.

    Raises
    ------
    KeyError
        If no sweep has such an axis.
    """
    units, long_name = axis_labels(name)
    is_label = name in ("direction", WAVEFORM)
    numbers = np.asarray(values) if is_label else np.array(values, dtype=float)
    return Variable((name,), numbers, units, long_name)


def axis_labels(name: str) -> tuple[str, str]:
    """Unit and long name of an axis.

    Raises
    ------
    KeyError
        If no sweep has such an axis.
    """
    if name == "direction":
        return "", "direction of the gradient, as a label"
    if name == WAVEFORM:
        return "", "file of the waveform"
    declaration = axis_declaration(name)
    units = UNITS[cast(Kind, declaration.unit)].cf if declaration.unit else "1"
    return units, declaration.description


def direction_labels(directions: Sequence[Vector]) -> tuple[str, ...]:
    """Return the labels by which a table is asked for a direction.

    They have the components to three decimals, or to as many as it takes to tell the directions
    of the table apart.

    Examples
    --------
    >>> direction_labels([(1.0, 0.0), (0.5**0.5, -(0.5**0.5))])
    ('1,0', '0.707,-0.707')
    """
    for decimals in range(_DECIMALS, _MOST_DECIMALS + 1):
        labels = tuple(
            ",".join(format_number(round(x, decimals)) for x in direction)
            for direction in directions
        )
        if len(set(labels)) == len(labels):
            break
    return labels


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
