"""Waveforms for b-tensors of any shape: a q-vector that turns on a cone, and three blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torrey.base.errors import InputError
from torrey.base.fields import declared
from torrey.gradients.waveforms.base import PulsePair, check_pair, declared_mixing_time
from torrey.gradients.waveforms.pulses import check_mixing, pulse_block, rest
from torrey.gradients.waveforms.segments import Segment, Vector, Wave, ramp


@dataclass(frozen=True)
class BTensor(PulsePair):
    """b-tensors of any anisotropy: the wave vector turns once on a cone about the direction.

    b_delta = 1 is linear (PGSE), 0 spherical, -0.5 planar, with the direction normal to the plane:
    B = b/3 (1 - b_delta) I + b b_delta n n^T. A rectangular pulse takes g from zero to the cone;
    there it turns at constant speed for Delta - delta, and a pulse takes it back. For short pulses
    this is the spinning q-vector of Eriksson, Lasic and Topgaard (J. Magn. Reson. 226, 2013), at
    the angle of Eriksson et al. (J. Chem. Phys. 142, 2015) for other anisotropies; that the pulses
    lie in one plane is made good by the axes and the centre of the circle, so that B is exact. The
    gradient jumps at both ends of a pulse.

    Parameters
    ----------
    delta, Delta : float
        As for `Pgse` (ms); Delta longer than delta unless b_delta is 1.
    b_delta : float
        From -0.5 to 1.

    Raises
    ------
    InputError
        If a time is not finite, the times do not fit, or there is no such anisotropy.
    """

    kind: ClassVar[str] = "b-tensor"

    b_delta: float = declared(
        symbol="b_Δ",
        description="anisotropy of the b-tensor: 1 linear, 0 spherical, -0.5 planar",
        ge=-0.5,
        le=1,
    )

    def __post_init__(self) -> None:
        check_pair(self.delta, self.Delta)
        if not -0.5 <= self.b_delta <= 1:
            raise InputError(f"b_delta = {self.b_delta}", "a number from -0.5 to 1", ("b_delta",))
        if self.b_delta < 1 and self.Delta - self.delta <= 1e-3 * self.Delta:
            raise InputError(
                f"Delta = {self.Delta:g} ms with delta = {self.delta:g} ms",
                "Delta longer than delta: g turns in the time between the pulses",
                at=("Delta",),
            )

    def shape(self) -> tuple[Segment, ...]:
        """A pulse, the turn and a pulse; the first component is along the axis of the cone."""
        if self.b_delta == 1:
            return pulse_block(self.delta, self.Delta, (1.0,))
        turn, pulses = self.Delta - self.delta, 2 * self.delta / 3
        along, across = (1 + 2 * self.b_delta) / 3, (1 - self.b_delta) / 3
        # F = (height, centre + a cos, b sin), and both pulses lead to (height, centre + a, 0): the
        # centre takes the mixed moment away, the axes make the moments right.
        shift = pulses / (turn + pulses)
        a = math.sqrt(across / (turn * (shift**2 + 0.5) + pulses * (1 - shift) ** 2))
        b = math.sqrt(2 * across / turn)
        height, centre = math.sqrt(along / (turn + pulses)), -shift * a
        wave = Wave((0.0, 0.0, b), 2 * math.pi / turn, 0.0, (0.0, a, 0.0))
        zero, place = (0.0, 0.0, 0.0), (height, centre + a, 0.0)
        return (
            ramp(self.delta, zero, place),
            Segment(turn, ((height, centre, 0.0),), wave),
            ramp(self.delta, place, zero),
        )


@dataclass(frozen=True)
class TriplePgse(PulsePair):
    """Three PGSE blocks of equal strength along three axes: a spherical b-tensor.

    Parameters
    ----------
    delta, Delta : float
        Of each block, as for `Pgse` (ms).
    mixing_time : float
        From the end of a block to the beginning of the next (ms), at least zero.

    Raises
    ------
    InputError
        If a time is not finite or negative, or Delta is shorter than delta.
    """

    kind: ClassVar[str] = "triple-pgse"

    mixing_time: float = declared_mixing_time()

    def __post_init__(self) -> None:
        check_pair(self.delta, self.Delta)
        check_mixing(self.mixing_time)

    def shape(self) -> tuple[Segment, ...]:
        """The blocks, with the pauses between them."""
        axes: tuple[Vector, ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        first, second, third = (pulse_block(self.delta, self.Delta, axis) for axis in axes)
        pause = rest(self.mixing_time, self.Delta, (0.0, 0.0, 0.0))
        return (*first, *pause, *second, *pause, *third)
