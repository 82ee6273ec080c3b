"""From arrays and groups of variables to xarray, with units, names and coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray
from numpy.typing import ArrayLike, NDArray

from torrey.base.stored import Group, Variable
from torrey.door.gradients import Gradients
from torrey.gradients.axes import (
    angles,
    axis_labels,
    direction_labels,
    orientation_labels,
    orientation_variables,
)
from torrey.gradients.sweep import PermeabilityKind

Coordinates = dict[str, tuple[tuple[str, ...], Any, dict[str, Any]]]


def attributes(units: str, long_name: str) -> dict[str, str]:
    """Attributes of a labelled array; names and other texts have no units."""
    return {"long_name": long_name, **({"units": units} if units else {})}


def labelled_variable(variable: Variable) -> tuple[tuple[str, ...], Any, dict[str, Any]]:
    """A variable of a file as a coordinate, with its flags if it has some."""
    more = {name: value for name, value in variable.attributes.items() if name[:4] == "flag"}
    return (
        variable.dims,
        variable.values,
        {**attributes(variable.units, variable.long_name), **more},
    )


def dataset(group: Group) -> xarray.Dataset:
    """Variables as a Dataset; real and imaginary parts become one complex variable.

    A table that is called like one of its axes is no coordinate: it becomes its ``_value``.
    """
    variables: dict[str, Any] = {}
    for name, variable in group.items():
        stem = name.removesuffix("_real")
        values, text = np.asarray(variable.values), variable.long_name
        if name.endswith("_imag") and f"{name.removesuffix('_imag')}_real" in group:
            continue
        if f"{stem}_imag" in group and stem != name:
            values = values + 1j * np.asarray(group[f"{stem}_imag"].values)
            text = text.removesuffix(", real part")
        label = stem if values.dtype.kind == "c" else name
        label += "_value" if label in variable.dims and len(variable.dims) > 1 else ""
        variables[label] = (variable.dims, values, attributes(variable.units, text))
    return xarray.Dataset(variables)


def gradient_coordinates(gradients: Gradients) -> Coordinates:
    """Strengths in all three measures, times of the waveforms, and components of the directions.

    Each has those of its axes that were given as lists; the others are scalars.
    """
    first = np.array(
        [
            [m.b, m.q, m.gradient, m.waveform.echo_time]
            for m in gradients.in_scanner[:: len(gradients.directions)]
        ]
    ).reshape(len(gradients.waveforms), len(gradients.strengths), 4)
    tables = dict(zip(("b", "q", "gradient"), np.moveaxis(first, -1, 0)[:3], strict=True))
    strength = gradients.strength
    coordinates: Coordinates = {}
    for name, values in tables.items():
        if name == strength:
            continue
        coordinates[name] = _coordinate(gradients, ("waveform", strength), values, name)
    given = np.array(gradients.strengths)
    coordinates[strength] = _coordinate(gradients, (strength,), given, strength)
    labels = np.array([waveform.label for waveform in gradients.waveforms])
    coordinates["waveform"] = _named(gradients, ("waveform",), labels, "", "waveform")
    echo = np.array([waveform.echo_time for waveform in gradients.waveforms])
    coordinates["echo_time"] = _named(
        gradients, ("waveform",), echo, "ms", "time at which the signal is read"
    )
    for name in dict.fromkeys(n for w in gradients.waveforms for n in w.parameters):
        values = np.array([w.parameters.get(name, np.nan) for w in gradients.waveforms])
        coordinates[name] = _coordinate(gradients, ("waveform",), values, name)
    directions = np.array(direction_labels(gradients.directions))
    coordinates["direction"] = _named(
        gradients, ("direction",), directions, *axis_labels("direction")
    )
    for axis, components in zip("xyz", zip(*gradients.directions, strict=True), strict=False):
        coordinates[f"direction_{axis}"] = _named(
            gradients, ("direction",), np.array(components), "1", f"gradient direction, {axis}"
        )
    return coordinates | _of_fibres(gradients)


def _of_fibres(gradients: Gradients) -> Coordinates:
    """Orientations, angles of the gradients to them, and weights of means over both."""
    fibres, sphere = gradients.fibres, gradients.sphere
    found: Coordinates = {}
    if sphere is not None:
        weights, text = sphere.rule.weights, "weight in the spherical mean"
        found["direction_weight"] = _named(gradients, ("direction",), weights, "1", text)
    if fibres is not None:
        labels = np.array(orientation_labels(fibres.orientations))
        along = ("orientation",)
        found["orientation"] = _named(gradients, along, labels, *axis_labels("orientation"))
        for name, variable in orientation_variables(fibres).items():
            values, text = np.asarray(variable.values), variable.long_name
            if name == "orientation_axis":
                for axis, components in zip("xyz", values.T, strict=True):
                    found[f"orientation_{axis}"] = _named(
                        gradients, along, components, "1", f"{text}, {axis}"
                    )
            else:
                found[name] = _named(gradients, along, values, variable.units, text)
    if gradients.n_axes == 3:
        axes = [o.axis for o in fibres.orientations] if fibres else [(0.0, 0.0, 1.0)]
        values = angles(np.array(axes), np.array(gradients.directions))
        text = "angle of the gradient, as a line, to the axis of the fibre (z of the cell)"
        over = ("orientation", "direction") if fibres else ("direction",)
        values = values if fibres else values[0]
        found["fibre_angle"] = _named(gradients, over, values, "degree", text)
    return found


@dataclass(frozen=True)
class Layout:
    """Axes of what is found of some models: those, then the axes of the gradients.

    Parameters
    ----------
    models : tuple of str
    several : bool
        Whether the models were given as a list.
    gradients : Gradients
    """

    models: tuple[str, ...]
    several: bool
    gradients: Gradients

    @property
    def _axes(self) -> dict[str, bool]:
        """Whether a list was given for each of the axes."""
        given = {axis: axis in self.gradients.dims for axis in self.gradients.axes}
        return {"model": self.several, **given}

    @property
    def dims(self) -> tuple[str, ...]:
        """The axes that lists were given for."""
        return tuple(axis for axis, listed in self._axes.items() if listed)

    def table(self, values: ArrayLike) -> NDArray[Any]:
        """Values of each model, flat in the order of the measurements, over the dims."""
        every = np.asarray(values).reshape(len(self.models), *self.gradients.shape)
        return keep(self._axes, every)

    def coordinates(self) -> Coordinates:
        """Of the models and the gradients."""
        names = (("model",), np.array(self.models)) if self.several else ((), self.models[0])
        return {"model": (*names, {}), **gradient_coordinates(self.gradients)}


def cell_coordinates(period: float, permeability: float, meaning: PermeabilityKind) -> Coordinates:
    """Period and permeability as scalars: along them results of several cells can be joined.

    In cells of obstacles the permeability means their surface relaxivity, as its long name says.
    """
    return {
        "period": ((), period, attributes(*axis_labels("period"))),
        "permeability": ((), permeability, attributes(*axis_labels(meaning))),
    }


def keep(axes: Mapping[str, bool], values: NDArray[Any]) -> NDArray[Any]:
    """Values without the axes that no list was given for, each of length one."""
    return values[tuple(slice(None) if listed else 0 for listed in axes.values())]


def _coordinate(
    gradients: Gradients, axes: tuple[str, ...], values: NDArray[Any], name: str
) -> tuple[tuple[str, ...], Any, dict[str, str]]:
    return _named(gradients, axes, values, *axis_labels(name))


def _named(
    gradients: Gradients, axes: tuple[str, ...], values: NDArray[Any], units: str, text: str
) -> tuple[tuple[str, ...], Any, dict[str, str]]:
    kept = {axis: axis in gradients.dims for axis in axes}
    dims = tuple(axis for axis, listed in kept.items() if listed)
    return dims, keep(kept, values), attributes(units, text)
