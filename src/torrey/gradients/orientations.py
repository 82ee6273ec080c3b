"""How fibres lie in the frame of the scanner: one orientation, several, or a distribution of them.

The z axis of a cell is the axis of its fibre. A fibre that is turned sees the gradients turned the
other way round: nothing else knows of orientations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.gradients.protocol import Measurement, Vector, shortest_rotation
from torrey.gradients.rules import Check, Rule

Array = NDArray[np.float64]

FEWEST_ORIENTATIONS: Final = 18
"""Of a distribution: three rings of six, which tell the error of a mean."""
MOST_CONCENTRATED: Final = 1e6
"""The largest kappa of Watson: fibres within a tenth of a degree."""

#: Decimals of components and angles that are the result of rotations: the others are rounding.
_DECIMALS: Final = 15
_ANGLE_DECIMALS: Final = 12
#: Orders of magnitude (base e) after which a density counts as zero.
_DECAY: Final = 40.0
_FINE_POINTS: Final = 400
#: On the error in the cosine of a distribution: the density is steep where kappa is large, and
#: coefficients decay less evenly than those on the sphere.
_CAUTION: Final = 5.0


@dataclass(frozen=True)
class Orientation:
    """Where the fibre of a cell points in the frame of the scanner.

    The cell is turned about its z axis first, by the roll, and then by the shortest rotation that
    takes its z axis to the axis (about y where that is -z).

    Parameters
    ----------
    axis : tuple of float
        Unit vector of three components.
    roll : float
        In degrees.
    """

    axis: Vector
    roll: float = 0.0

    @property
    def matrix(self) -> Array:
        """Rotation that takes vectors in the frame of the cell to that of the scanner, (3, 3)."""
        angle = math.radians(self.roll)
        c, s = math.cos(angle), math.sin(angle)
        about_z = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        turned: Array = _from_z(self.axis) @ about_z
        return turned

    def into_cell(self, measurement: Measurement) -> Measurement:
        """The measurement as the turned cell sees it: its whole frame turned the other way round.

        Parameters
        ----------
        measurement : Measurement
            With a direction of three components.
        """
        axes = measurement.frame @ self.matrix
        direction = tuple(float(x) + 0.0 for x in np.round(axes[0], _DECIMALS))
        if len(axes) == 1:
            return replace(measurement, direction=direction)
        # The turned frame is that of the turned direction but for an angle about it.
        plain = replace(measurement, direction=direction, roll=0.0).frame
        third = np.cross(plain[0], plain[1])
        roll = math.degrees(math.atan2(axes[1] @ third, axes[1] @ plain[1]))
        return replace(measurement, direction=direction, roll=_angle(roll))


@dataclass(frozen=True)
class Watson:
    """Fibres spread about an axis with the density exp(kappa cos^2) of their angle to it.

    Points of a Gauss rule for this density in the cosine, from 0 to 1, times evenly spaced ones
    about the axis: each fibre is turned away from the one along the axis by the shortest rotation.

    Parameters
    ----------
    kappa : float
        Zero for fibres in all directions alike.
    axis : tuple of float
        Unit vector of three components.
    roll : float
        In degrees, as of an `Orientation`.
    points : int
        No more orientations than this.
    """

    kappa: float
    axis: Vector = (0.0, 0.0, 1.0)
    roll: float = 0.0
    points: int = 60

    @property
    def rule(self) -> Rule:
        """Axes of the fibres in the frame of the distribution, with their weights."""
        return _watson_rule(self.kappa, self.points)

    @cached_property
    def orientations(self) -> tuple[Orientation, ...]:
        """The fibres."""
        middle = Orientation(self.axis, self.roll)
        turns = (_from_z(axis) for axis in self.rule.points)
        upright = Orientation(self.axis).matrix
        return tuple(_orientation(upright @ turn, middle.roll) for turn in turns)


def _orientation(matrix: Array, roll: float) -> Orientation:
    """The orientation of a rotation after a roll (degrees) about z."""
    axis = tuple(float(x) + 0.0 for x in np.round(matrix[:, 2], _DECIMALS))
    rest = _from_z(axis).T @ matrix
    return Orientation(axis, _angle(roll + math.degrees(math.atan2(rest[1, 0], rest[0, 0]))))


def _angle(degrees: float) -> float:
    """An angle between -180 and 180, without what is but rounding."""
    return round(math.remainder(degrees, 360.0), _ANGLE_DECIMALS) + 0.0


@dataclass(frozen=True)
class Fibres:
    """The orientations of a study: a list, or those of a distribution.

    Parameters
    ----------
    orientations : tuple of Orientation
    watson : Watson, optional
        The distribution whose orientations they are.
    """

    orientations: tuple[Orientation, ...]
    watson: Watson | None = None

    @classmethod
    def spread(cls, watson: Watson) -> Self:
        """Those of a distribution."""
        return cls(watson.orientations, watson)

    def turn(self, measurements: Sequence[Measurement]) -> tuple[Measurement, ...]:
        """All measurements as the first fibre sees them, then as the next does."""
        return tuple(o.into_cell(m) for o in self.orientations for m in measurements)

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        if self.watson is not None:
            w = self.watson
            return {"watson": [w.kappa, w.axis, w.roll, w.points]}
        return {"orientations": [[o.axis, o.roll] for o in self.orientations]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_plain` wrote."""
        if "watson" in plain:
            kappa, axis, roll, points = plain["watson"]
            return cls.spread(Watson(kappa, tuple(axis), roll, points))
        return cls(tuple(Orientation(tuple(axis), roll) for axis, roll in plain["orientations"]))


def _from_z(axis: Sequence[float] | Array) -> Array:
    """Shortest rotation that takes z to an axis."""
    x, y, z = axis
    # The same from x, with the axes renamed in a circle.
    turned = shortest_rotation(np.array([z, x, y]))
    return turned[np.ix_([1, 2, 0], [1, 2, 0])]


@cache
def _watson_rule(kappa: float, points: int) -> Rule:
    """Rings of a Gauss rule, turned by half a step from one to the next.

    Raises
    ------
    InputError
        If there are too few points.
    """
    if points < FEWEST_ORIENTATIONS:
        accepted = f"at least {FEWEST_ORIENTATIONS}, to tell the error of their mean"
        raise InputError(f"{points} orientations", accepted)
    rings = max(3, math.isqrt(points // 3))
    around = points // rings // 2 * 2
    below, vectors = _gauss_rule(kappa, rings)
    shares = vectors[0] ** 2
    angle = 2.0 * np.pi * np.add.outer(np.arange(rings) % 2 / 2.0, np.arange(around)) / around
    sine = np.sqrt(below * (2.0 - below))[:, None]
    cosine = np.broadcast_to((1.0 - below)[:, None], angle.shape)
    axes = np.stack([sine * np.cos(angle), sine * np.sin(angle), cosine], axis=-1).reshape(-1, 3)
    # Coefficients in the polynomials of the density, of the means of rings: the last two together,
    # as one may be small by chance.
    last = np.repeat(vectors[0] * vectors[-2:], around, axis=1) / around
    in_cosine = Check(last, 2.0 * rings / (rings - 1), _CAUTION)
    # Fourier coefficients about the axis. The last one that the points of a ring can tell may look
    # like nothing, where its waves are zero at all of them: others stand beside it.
    in_angle = [
        Check(rows, around / k, 2.0 * share)
        for k in (around // 2, around // 2 - 1, around // 2 - 2)
        for rows, share in zip(_fourier_rows(angle, k), shares, strict=True)
        if k > 0
    ]
    return Rule(axes, np.repeat(shares / around, around), (in_cosine, *in_angle))


def _fourier_rows(angle: Array, k: int) -> Array:
    """What makes coefficient k on each ring, real and imaginary part: (rings, 2, points)."""
    rings, around = angle.shape
    rows = np.zeros((rings, 2, rings, around))
    every = range(rings)
    rows[every, 0, every] = np.cos(k * angle) / around
    rows[every, 1, every] = np.sin(k * angle) / around
    return rows.reshape(rings, 2, rings * around)


def _gauss_rule(kappa: float, n: int) -> tuple[Array, Array]:
    """1 - cos of the points of the Gauss rule of the density, and its orthonormal polynomials.

    Returns
    -------
    points : (n,) float
    vectors : (n, n) float
        Polynomial k at point i times the root of the weight of the point.
    """
    reach = min(1.0, _DECAY / kappa) if kappa > 0.0 else 1.0
    x, w = np.polynomial.legendre.leggauss(_FINE_POINTS)
    s = 0.5 * (x + 1.0)
    w = w * np.exp(-kappa * reach * s * (2.0 - reach * s))
    w /= w.sum()
    diagonal, beside = np.zeros(n), np.zeros(n)
    last, here = np.zeros_like(s), np.ones_like(s)
    for k in range(n):
        diagonal[k] = w @ (s * here**2)
        following = (s - diagonal[k]) * here - beside[k - 1] * last
        if k < n - 1:
            beside[k] = math.sqrt(w @ following**2)
            last, here = here, following / beside[k]
    jacobi = np.diag(diagonal) + np.diag(beside[: n - 1], 1) + np.diag(beside[: n - 1], -1)
    points, vectors = np.linalg.eigh(jacobi)
    return reach * points, vectors
