"""The axes of a sweep as coordinates of a NetCDF file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.keys import format_number
from torrey.base.stored import Group, Variable
from torrey.base.units import UNITS, Kind
from torrey.gradients.orientations import Fibres, Orientation
from torrey.gradients.protocol import Vector
from torrey.gradients.sweep import WAVEFORM, Acquisition, Product, Sweep, axis_declaration

#: Attributes of values that may be infinite: the signals of an unstable model.
MAY_OVERFLOW = {"allow_missing": True}

#: Decimals of the components of a direction in its label, unless it takes more to tell them apart.
_DECIMALS = 3
_MOST_DECIMALS = 12

#: Axes whose coordinates are labels.
_LABELLED: Final = {
    "direction": "direction of the gradient, as a label",
    "orientation": "orientation of the fibre, as a label",
    WAVEFORM: "file of the waveform",
}


def coordinates(sweep: Sweep) -> Group:
    """Return the coordinate of each axis, and the vectors of directions and orientations.

    Directions of three components have their angles to the fibre, and those of a rule their
    weights; so have orientations.
    """
    axes = sweep.axes()
    directions = sweep.protocol.directions
    along = "direction" if "direction" in axes else "measurement"
    if "direction" in axes:
        axes["direction"] = direction_labels(directions)
    if "orientation" in axes:
        axes["orientation"] = orientation_labels(axes["orientation"])
    variables = {name: axis_variable(name, values) for name, values in axes.items()}
    variables["direction_vector"] = Variable(
        (along, "axis"),
        np.array(directions, dtype=float),
        "1",
        "unit vector of the gradient: first axis of the waveform",
    )
    return variables | _of_fibres(sweep.protocol, along)


def _of_fibres(protocol: Product | Acquisition, along: str) -> dict[str, Variable]:
    """What orientations are, angles of the gradients to them, and weights of means over both."""
    variables = {}
    fibres, sphere = protocol.fibres, getattr(protocol, "sphere", None)
    if sphere is not None:
        text = "weight in the spherical mean"
        variables["direction_weight"] = Variable((along,), sphere.rule.weights, "1", text)
    if fibres is not None:
        variables |= orientation_variables(fibres)
    if protocol.n_axes == 3:
        axes = [o.axis for o in fibres.orientations] if fibres else [(0.0, 0.0, 1.0)]
        angle = angles(np.array(axes), np.array(protocol.directions))
        dims = ("orientation", along) if fibres else (along,)
        text = "angle of the gradient, as a line, to the axis of the fibre (z of the cell)"
        variables["fibre_angle"] = Variable(dims, angle if fibres else angle[0], "degree", text)
    return variables


def orientation_variables(fibres: Fibres) -> dict[str, Variable]:
    """Axes and rolls of the orientations of fibres, and the weights of those of a distribution."""
    found = fibres.orientations
    text = "unit vector of the fibre, the z axis of the cell, in the frame of the scanner"
    variables = {
        "orientation_axis": Variable(
            ("orientation", "axis"), np.array([o.axis for o in found]), "1", text
        ),
        "orientation_roll": Variable(
            ("orientation",),
            np.array([o.roll for o in found]),
            "degree",
            "angle by which the cell is turned about its z axis before that is turned",
        ),
    }
    if fibres.watson is not None:
        weights, text = fibres.watson.rule.weights, "weight in the mean over orientations"
        variables["orientation_weight"] = Variable(("orientation",), weights, "1", text)
    return variables


def angles(axes: NDArray[np.float64], directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles (degrees, from 0 to 90) between lines.

    Parameters
    ----------
    axes : (..., 3) float
    directions : (n, 3) float

    Returns
    -------
    (..., n) float
    """
    across = np.linalg.norm(np.cross(axes[..., None, :], directions), axis=-1)
    return np.degrees(np.arctan2(across, np.abs(axes @ directions.T)))


def axis_variable(name: str, values: ArrayLike) -> Variable:
    """Return the coordinate of an axis of a sweep, with its unit and long name.

    Parameters
    ----------
    name : str
        Name of the axis: see `Sweep.axes`.
    values : (n,) array_like
        Numbers in internal units; of ``direction`` and ``orientation``, labels: see
        `direction_labels`.

    Raises
    ------
    KeyError
        If no sweep has such an axis.
    """
    units, long_name = axis_labels(name)
    numbers = np.asarray(values) if name in _LABELLED else np.array(values, dtype=float)
    return Variable((name,), numbers, units, long_name)


def axis_labels(name: str) -> tuple[str, str]:
    """Unit and long name of an axis.

    Raises
    ------
    KeyError
        If no sweep has such an axis.
    """
    if name in _LABELLED:
        return "", _LABELLED[name]
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


def orientation_labels(orientations: Sequence[Orientation]) -> tuple[str, ...]:
    """Return the labels by which a table is asked for an orientation: axis, and roll if any has.

    Examples
    --------
    >>> orientation_labels([Orientation((0.0, 0.0, 1.0)), Orientation((1.0, 0.0, 0.0))])
    ('0,0,1', '1,0,0')
    >>> orientation_labels([Orientation((0.0, 0.0, 1.0), 30.0)])
    ('0,0,1 roll 30',)
    """
    if not any(o.roll for o in orientations):
        return direction_labels([o.axis for o in orientations])
    for decimals in range(_DECIMALS, _MOST_DECIMALS + 1):
        labels = tuple(
            ",".join(format_number(round(x, decimals)) for x in o.axis)
            + f" roll {format_number(round(o.roll, decimals))}"
            for o in orientations
        )
        if len(set(labels)) == len(labels):
            break
    return labels


def measurement_variables(sweep: Sweep) -> Group:
    """Return b-value, b-tensor, wave number and echo time of each measurement.

    Where one of them is swept, it is a coordinate already and takes the place of its table. The
    b-tensor is that in the frame of the scanner.
    """
    protocol = replace(sweep.protocol, fibres=None)
    axes = protocol.axes()
    shape = tuple(len(values) for values in axes.values())
    measurements = protocol.measurements
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
