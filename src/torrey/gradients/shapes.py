"""Shapes of b-tensors: how anisotropic they are, and along which axis of their waveform."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from torrey.base.errors import InputError
from torrey.gradients.waveforms import Waveform

Axis = tuple[float, float, float]

_ALIKE: Final = 0.02
"""Difference of b_delta within one shape: optimised waveforms miss the round number a little."""

_AXIS: Final = 0.02
"""Of the components of an axis across the one that it is taken for, likewise."""

_TILT: Final = 1e-5
"""In rad: far below the digits of directions in files."""


@dataclass(frozen=True)
class Shape:
    """Of a b-tensor with eigenvalues b/3 (1 + 2 b_delta) and b/3 (1 - b_delta (1 +- b_eta)).

    As in Eriksson et al., J. Chem. Phys. 142, 104201 (2015).

    Parameters
    ----------
    b_delta : float
        Anisotropy: 1 linear, 0 spherical, -0.5 planar.
    b_eta : float
        Asymmetry, 0 where there is an axis of symmetry.
    axis : (3,) tuple of float
        The axis of the first eigenvalue, in the frame of the waveform's components.
    """

    b_delta: float
    b_eta: float
    axis: Axis

    @property
    def skewed(self) -> bool:
        """Whether the tensor has no axis of symmetry."""
        return abs(self.b_delta) * self.b_eta > _ALIKE

    def is_like(self, b_delta: float) -> bool:
        """Whether it is a symmetric tensor of this anisotropy."""
        return not self.skewed and abs(self.b_delta - b_delta) <= _ALIKE * (1 + 1e-9)


def shape_of(waveform: Waveform) -> Shape:
    """Return the shape of the b-tensor of a waveform."""
    factor = np.zeros((3, 3))
    k = waveform.n_components
    factor[:k, :k] = waveform.b_tensor_factor
    values, axes = np.linalg.eigh(factor)
    mean = float(values.mean())
    first = int(np.argmax(np.abs(values - mean)))
    others = np.delete(values, first)
    b_delta = float(values[first] / mean - 1.0) / 2.0
    b_eta = float(others[1] - others[0]) / (2.0 * mean * abs(b_delta)) if b_delta else 0.0
    x, y, z = axes[:, first].tolist()
    return Shape(b_delta, b_eta, (x, y, z))


def turned_to(shape: Shape, axis: Axis) -> Axis:
    """Return the direction of a measurement whose b-tensor is symmetric about an axis.

    Parameters
    ----------
    shape : Shape
        Its own axis is the first or the third of the waveform's components.
    axis : (3,) tuple of float
        Unit vector; the frame of the waveform is turned so that its axis lies along it.

    Raises
    ------
    InputError
        If its axis is another one.
    """
    if abs(shape.b_delta) <= _ALIKE:
        return (1.0, 0.0, 0.0)
    if math.hypot(*shape.axis[1:]) <= _AXIS:
        return axis
    if math.hypot(*shape.axis[:2]) <= _AXIS:
        # The shortest rotation that takes x to this direction takes z to +- the axis.
        x, y, z = axis if axis[2] <= 0 else (-axis[0], -axis[1], -axis[2])
        # An axis across x needs a half turn, which is no shortest rotation: it is tilted by a hair.
        x = x if abs(x) >= _TILT else math.copysign(_TILT, x)
        length = math.hypot(x, y, z)
        x, y, z = x / length, y / length, z / length
        return x**2 / (1.0 - z) - 1.0, x * y / (1.0 - z), -x
    raise InputError(
        "a waveform whose b-tensor is symmetric about an axis between its components",
        "one that is symmetric about its first or third component",
    )
