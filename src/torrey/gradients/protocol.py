"""One measurement in one cell: the point of a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError, KeyPath
from torrey.base.keys import slug
from torrey.gradients import waveforms
from torrey.gradients.waveforms import Waveform
from torrey.gradients.waveforms.base import Encoding

EncodingKind = Encoding
Vector = tuple[float, ...]
Axes = tuple[Vector, ...]

#: Of a vector: shorter and longer ones lose digits when they are brought to length 1.
_LEAST_LENGTH: Final = 1e-6
_LABELS: Final[dict[EncodingKind, str]] = {"b": "b", "q": "q", "gradient": "G"}


@dataclass(frozen=True)
class Measurement:
    """A gradient applied to the cell: g(t) = q F(t), F turned into the frame of the direction.

    Parameters
    ----------
    waveform : Waveform
        Shape of the gradient in time.
    q : float
        Largest wave number, max |g(t)| (rad/um).
    direction : tuple of float
        Unit vector, the first axis of the waveform's frame: one number per dimension of the cell,
        or three, where gradients are in space: see `in_cell`.
    roll : float
        Angle (degrees) by which the frame is turned about its first axis, as in a fibre that is
        not along z: see `torrey.gradients.orientations`.
    """

    waveform: Waveform
    q: float
    direction: Vector
    roll: float = 0.0

    @property
    def frame(self) -> NDArray[np.float64]:
        """Axes of the components of F, shape (k, d)."""
        return frame(self.direction, self.waveform.n_components, self.roll)

    @property
    def b(self) -> float:
        """The b-value (ms/um^2); of filter exchange that of the second block."""
        return self.waveform.b_value(self.q)

    @property
    def b_tensor(self) -> NDArray[np.float64]:
        """The b-tensor (ms/um^2), shape (d, d)."""
        axes = self.frame
        tensor: NDArray[np.float64] = axes.T @ self.waveform.b_tensor_factor @ axes
        return self.q**2 * tensor

    @property
    def gradient(self) -> float:
        """Largest gradient gamma G (rad/um/ms)."""
        return self.waveform.gradient_of_q(self.q)

    def free_signal(self, diffusivity: NDArray[np.float64]) -> float:
        """exp(-b:D), the signal of free water with a diffusion tensor (d, d)."""
        return float(np.exp(-np.sum(self.b_tensor * diffusivity)))


@dataclass(frozen=True)
class Point:
    """A measurement in a cell of some size, with membranes of some permeability.

    Parameters
    ----------
    period : float
        Physical size L of the unit cell (um).
    permeability : float
        kappa, of every membrane (um/ms).
    waveform, q, direction, roll
        See `Measurement`.
    """

    period: float
    permeability: float
    waveform: Waveform
    q: float
    direction: Vector
    roll: float = 0.0

    @property
    def measurement(self) -> Measurement:
        """The gradient alone."""
        return Measurement(self.waveform, self.q, self.direction, self.roll)

    @property
    def b(self) -> float:
        """The b-value (ms/um^2)."""
        return self.measurement.b

    @property
    def gradient(self) -> float:
        """Largest gradient gamma G (rad/um/ms)."""
        return self.measurement.gradient

    @property
    def frame(self) -> NDArray[np.float64]:
        """Axes of the waveform's components, shape (k, d)."""
        return self.measurement.frame

    @property
    def sigma(self) -> float:
        """kappa / L (1/ms), which the expansion in L holds fixed."""
        return self.permeability / self.period

    def key(self, encoding: EncodingKind = "b") -> str:
        """Return the canonical stem of the point's file.

        Parameters
        ----------
        encoding : {"b", "q", "gradient"}
            Which of the three was given, so that the name shows a round number: the 12 digits that
            a name keeps do not see the rounding of the way from there to q and back.

        Examples
        --------
        >>> waveform = waveforms.Pgse(5.0, 25.0)
        >>> Point(10.0, 0.05, waveform, waveform.q_of_b(4.0), (0.0, 1.0)).key()
        'L10_kappa0.05_pgse-5-25_b4_n0_1'
        """
        return slug(
            {
                "L": self.period,
                "kappa": self.permeability,
                "": self.waveform.label,
                _LABELS[encoding]: float(getattr(self, encoding)),
                "n": self.direction,
                **({"roll": self.roll} if self.roll else {}),
            }
        )

    def to_dict(self) -> dict[str, str | int | float]:
        """Return plain values."""
        return {
            "period": self.period,
            "permeability": self.permeability,
            **self.waveform.to_dict(),
            "q": self.q,
            **{f"direction_{axis}": x for axis, x in zip("xyz", self.direction, strict=False)},
            **({"roll": self.roll} if self.roll else {}),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` described."""
        return cls(
            period=float(plain["period"]),
            permeability=float(plain["permeability"]),
            waveform=waveforms.from_dict(plain),
            q=float(plain["q"]),
            direction=tuple(
                float(plain[f"direction_{axis}"]) for axis in "xyz" if f"direction_{axis}" in plain
            ),
            roll=float(plain.get("roll", 0.0)),
        )


def group_measurements(
    measurements: Sequence[Measurement],
) -> dict[Axes, dict[Waveform, list[int]]]:
    """Numbers of the measurements by their axes and then by waveform: what is evaluated at once."""
    groups: dict[Axes, dict[Waveform, list[int]]] = {}
    for i, measurement in enumerate(measurements):
        axes = tuple(map(tuple, measurement.frame.tolist()))
        groups.setdefault(axes, {}).setdefault(measurement.waveform, []).append(i)
    return groups


def unit_vector(vector: Sequence[float], at: KeyPath = ()) -> Vector:
    """Return the vector of length 1 along another one, which stands at a place of the input.

    Raises
    ------
    InputError
        If its length is zero, or so small or large that digits would be lost.
    """
    norm = math.hypot(*vector)
    if not _LEAST_LENGTH <= norm <= 1 / _LEAST_LENGTH:
        accepted = f"a length from {_LEAST_LENGTH:g} to {1 / _LEAST_LENGTH:g}"
        raise InputError(f"a vector of length {norm:g}", accepted, at)
    return tuple(x / norm + 0.0 for x in vector)  # + 0.0: no negative zeros in names


def in_cell(
    directions: Sequence[Vector], dimension: int, n_components: int, in_space: bool = False
) -> tuple[Vector, ...]:
    """Directions with as many numbers as the gradients have axes in a cell: all have the same.

    Those of its dimensions d are enough where all gradients lie within the cell; of others all
    three components are kept.

    Parameters
    ----------
    directions : sequence of tuple of float
        Of d or three numbers each.
    dimension : int
        d.
    n_components : int
        Of the waveform with the most components.
    in_space : bool
        Whether three are wanted in any case.

    Raises
    ------
    InputError
        If a direction has another number of components.
    """
    for i, direction in enumerate(directions):
        if len(direction) not in (dimension, 3):
            cell = f"{dimension}, as many as the cell has dimensions"
            accepted = cell if dimension == 3 else f"{cell}, or 3, for a gradient in space"
            found = "one number" if len(direction) == 1 else f"{len(direction)} numbers"
            raise InputError(found, accepted, at=(i,))
    across = any(any(direction[dimension:]) for direction in directions)
    if in_space or across or n_components > dimension:
        return tuple((*direction, *(0.0,) * (3 - len(direction))) for direction in directions)
    return tuple(direction[:dimension] for direction in directions)


def frame(direction: Vector, n_components: int, roll: float = 0.0) -> NDArray[np.float64]:
    """Axes of a waveform's components, shape (n_components, d): orthonormal rows.

    The first axis is the direction n. In two dimensions the second is n turned by 90 degrees to the
    left; in three, the axes are x, y and z after the shortest rotation that takes x to n, and after
    a turn about n by the roll (degrees).

    Raises
    ------
    InputError
        If the waveform has more components than the cell has dimensions.
    """
    n = np.asarray(direction, dtype=float)
    n = n / np.linalg.norm(n)
    d = len(n)
    if n_components > d:
        raise InputError(
            f"a waveform of {n_components} components",
            f"one of at most {d}, as many as the cell has dimensions",
        )
    if n_components == 1:
        return n[None]
    if d == 2:
        return np.array([n, [-n[1], n[0]]])[:n_components]
    axes = shortest_rotation(n).T
    if roll:
        c, s = math.cos(math.radians(roll)), math.sin(math.radians(roll))
        axes = np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]]) @ axes
    return axes[:n_components]


def shortest_rotation(n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation matrix that takes x to the unit vector n and turns as little as possible."""
    v = np.array([0.0, -n[2], n[1]])  # x cross n
    sine = np.hypot(n[1], n[2])
    if n[0] < 0.0 and sine < 1e-15:  # opposite to x: any half turn will do; this one is about z
        return np.diag([-1.0, -1.0, 1.0])
    cross = np.array([[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]])
    # 1 + n_x is nothing but rounding where n is close to -x.
    bend = 1.0 / (1.0 + n[0]) if n[0] >= 0.0 else (1.0 - n[0]) / sine**2
    rotation: NDArray[np.float64] = np.eye(3) + cross + bend * (cross @ cross)
    return rotation
