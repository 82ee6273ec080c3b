"""Pulsed gradients: PGSE, with rise times, and two pairs of pulses at an angle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torrey.base.errors import InputError
from torrey.base.fields import declared
from torrey.gradients.waveforms.base import (
    PulsePair,
    check_pair,
    declared_mixing_time,
    declared_rise_time,
)
from torrey.gradients.waveforms.segments import Segment, Vector, constant, integrate_gradient, ramp


@dataclass(frozen=True)
class Pgse(PulsePair):
    """Pulsed-gradient spin echo with rectangular pulses: b = q^2 (Delta - delta/3).

    Parameters
    ----------
    delta : float
        Duration of each pulse (ms), above zero.
    Delta : float
        Time from the beginning of one pulse to the beginning of the other (ms), at least `delta`.

    Raises
    ------
    ValueError
        If a time is not finite, `delta` is not positive or `Delta` is shorter than `delta`.
    """

    kind: ClassVar[str] = "pgse"

    def __post_init__(self) -> None:
        check_pair(self.delta, self.Delta)

    def shape(self) -> tuple[Segment, ...]:
        """The ramp up, the plateau (unless it has no length) and the ramp down."""
        up, down = ramp(self.delta, (0.0,), (1.0,)), ramp(self.delta, (1.0,), (0.0,))
        return up, *rest(self.Delta - self.delta, self.Delta, (1.0,)), down


@dataclass(frozen=True)
class TrapezoidalPgse(PulsePair):
    """PGSE whose gradient rises and falls at a constant rate.

    Parameters
    ----------
    delta : float
        From the beginning of the rise to the beginning of the fall of each pulse (ms), so that
        the area of a pulse is its height times delta, as for a rectangle.
    Delta : float
        Time from the beginning of one pulse to the beginning of the other (ms), at least `delta`
        plus `rise_time`.
    rise_time : float
        In ms, above zero and at most `delta`.

    Raises
    ------
    ValueError
        If a time is not finite or they do not fit.
    """

    kind: ClassVar[str] = "trapezoid"

    rise_time: float = declared_rise_time()

    def __post_init__(self) -> None:
        check_rise(self.rise_time, self.delta)
        check_pair(self.delta, self.Delta, self.rise_time)

    def shape(self) -> tuple[Segment, ...]:
        """Rise, flat top and fall of both pulses, with the pause between them."""
        pulse = trapezoid(self.delta + self.rise_time, self.rise_time)
        up = integrate_gradient(pulse, (0.0,))
        top = tuple(up[-1].end.tolist())
        down = integrate_gradient(opposite(pulse), top)
        return *up, *rest(self.Delta - self.delta - self.rise_time, self.Delta, top), *down


@dataclass(frozen=True)
class DoublePgse(PulsePair):
    """Two PGSE blocks one after the other, the second at an angle to the first.

    F runs along the first axis of the waveform's frame during the first block, and at `angle` to
    it, in the plane of the first two axes, during the second: at 0 degrees the second block repeats
    the first, at 180 degrees it is its opposite.

    Parameters
    ----------
    delta, Delta : float
        Of both blocks, as for `Pgse` (ms).
    mixing_time : float
        From the end of the first block's second pulse to the beginning of the next (ms), at least
        zero.
    angle : float
        In degrees.

    Raises
    ------
    ValueError
        If a time is not finite or negative, or Delta is shorter than delta.
    """

    kind: ClassVar[str] = "double-pgse"

    mixing_time: float = declared_mixing_time()
    angle: float = declared(
        unit="angle",
        symbol="ψ",
        description="angle between the gradients of the two blocks",
    )

    def __post_init__(self) -> None:
        check_pair(self.delta, self.Delta)
        check_mixing(self.mixing_time)
        if not math.isfinite(self.angle):
            raise InputError(f"angle = {self.angle}", "a finite angle", at=("angle",))

    def shape(self) -> tuple[Segment, ...]:
        """Both blocks, with the pause between them."""
        turned = (_cosine(self.angle), _cosine(self.angle - 90.0))
        pause = rest(self.mixing_time, self.Delta, (0.0, 0.0))
        first, second = (pulse_block(self.delta, self.Delta, n) for n in ((1.0, 0.0), turned))
        return (*first, *pause, *second)


def pulse_block(delta: float, Delta: float, along: Vector) -> tuple[Segment, ...]:
    """A PGSE block with a plateau `along`: or a rest of its length, where that is zero."""
    zero = tuple(0.0 for _ in along)
    if not any(along):
        return (constant(delta + Delta, zero),)
    plateau = rest(Delta - delta, Delta, along)
    return (ramp(delta, zero, along), *plateau, ramp(delta, along, zero))


def check_mixing(mixing_time: float) -> None:
    """Refuse a time between blocks that is not finite, or negative."""
    if not (math.isfinite(mixing_time) and mixing_time >= 0):
        raise InputError(f"mixing_time = {mixing_time:g} ms", "at least 0 ms", at=("mixing_time",))


Piece = tuple[float, Vector, Vector]


def trapezoid(duration: float, rise_time: float, height: float = 1.0) -> list[Piece]:
    """Pieces of one pulse of the gradient: rise, top (unless it has no length), fall."""
    top = duration - 2 * rise_time
    rise: Piece = (rise_time, (0.0,), (height,))
    fall: Piece = (rise_time, (height,), (0.0,))
    # A top that is nothing but the rounding of a difference is none.
    return [rise, (top, (height,), (height,)), fall] if top > 1e-12 * duration else [rise, fall]


def rest(duration: float, scale: float, value: Vector) -> list[Segment]:
    """A stretch without gradient; none if its length is nothing but the rounding of `scale`."""
    return [constant(duration, value)] if duration > 1e-12 * scale else []


def opposite(pieces: list[Piece]) -> list[Piece]:
    """The same pieces with the gradient reversed."""
    return [(duration, tuple(-x for x in a), tuple(-x for x in b)) for duration, a, b in pieces]


def check_rise(rise_time: float, longest: float) -> None:
    """Refuse a rise time that is not positive or longer than `longest` (ms)."""
    if not 0 < rise_time <= longest * (1 + 1e-12):
        raise InputError(
            f"rise_time = {rise_time:g} ms",
            f"a time above zero and not longer than {longest:g} ms here",
            at=("rise_time",),
        )


def _cosine(degrees: float) -> float:
    """Cosine that is exact at multiples of 90 degrees."""
    quarter, rest = divmod(degrees, 90.0)
    if rest == 0.0:
        return (1.0, 0.0, -1.0, 0.0)[int(quarter) % 4]
    return math.cos(math.radians(degrees))
