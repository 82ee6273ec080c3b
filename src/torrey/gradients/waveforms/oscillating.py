"""Oscillating gradients (OGSE): sine, cosine and trapezoidal trains on both sides of the pulse.

A train runs for `delta`; the refocusing pulse reverses the second train, which begins `Delta` after
the first. The frequency is cycles / delta.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from torrey.base.errors import InputError
from torrey.base.fields import declared
from torrey.gradients.waveforms.base import PulsePair, check_pair, declared_rise_time
from torrey.gradients.waveforms.pulses import check_rise, rest, trapezoid
from torrey.gradients.waveforms.segments import Segment, Wave, integrate_gradient

MOST_CYCLES: Final = 100
"""Of one train: 1 kHz for 100 ms. Each turn of F is resolved in time."""


@dataclass(frozen=True)
class _Trains(PulsePair):
    """Two trains with the pause between them, the second one reversed."""

    cycles: float = declared(
        symbol="N",
        description="periods in a train of oscillating gradients",
        ge=1,
        le=MOST_CYCLES,
        multiple_of=1,
    )

    def __post_init__(self) -> None:
        check_pair(self.delta, self.Delta)
        check_cycles(self.cycles)

    def shape(self) -> tuple[Segment, ...]:
        """Two trains with the pause between them."""
        first = self.train()
        pause = rest(self.Delta - self.delta, self.Delta, (0.0,))
        return *first, *pause, *(segment.scale(-1.0) for segment in first)

    @abstractmethod
    def train(self) -> tuple[Segment, ...]:
        """F during the first train, up to a factor."""

    @property
    def omega(self) -> float:
        """Angular frequency of a train (rad/ms)."""
        return 2 * math.pi * self.cycles / self.delta


@dataclass(frozen=True)
class SineOgse(_Trains):
    """Gradient trains sin(2 pi cycles t / delta).

    F = (1 - cos(omega t)) / 2 in the first train and its opposite in the second: the encoding has
    a component at frequency zero besides that at the frequency of the train.

    Parameters
    ----------
    delta : float
        Duration of each train (ms).
    Delta : float
        Time from the beginning of one train to the beginning of the other (ms).
    cycles : float
        Whole number of periods in a train, at least 1.
    """

    kind: ClassVar[str] = "sine-ogse"

    def train(self) -> tuple[Segment, ...]:
        """(1 - cos) / 2."""
        return (Segment(self.delta, ((0.5,),), Wave((-0.5,), self.omega, math.pi / 2)),)


@dataclass(frozen=True)
class CosineOgse(_Trains):
    """Gradient trains cos(2 pi cycles t / delta): F = sin(omega t), free of frequency zero.

    Parameters as for `SineOgse`.
    """

    kind: ClassVar[str] = "cosine-ogse"

    def train(self) -> tuple[Segment, ...]:
        """A sine."""
        return (Segment(self.delta, ((0.0,),), Wave((1.0,), self.omega)),)


@dataclass(frozen=True)
class TrapezoidalOgse(_Trains):
    """Trains of trapezoids that follow a cosine.

    The first and the last lobe of a train have half the area of the others, so that F swings
    evenly about zero.

    Parameters
    ----------
    delta, Delta, cycles
        As for `SineOgse`.
    rise_time : float
        From zero to the full gradient (ms); the short lobes need room for a rise and a fall, so
        that it is at most delta / (6 cycles + 1).
    """

    kind: ClassVar[str] = "trapezoid-ogse"

    rise_time: float = declared_rise_time()

    def __post_init__(self) -> None:
        super().__post_init__()
        # The short lobes, (lobe + rise) / 2 long, need room for a rise and a fall.
        check_rise(self.rise_time, self.delta / (6 * self.cycles + 1))

    @classmethod
    def most_segments(cls, values: Mapping[str, tuple[float, ...]]) -> int:
        """Each period has lobes of its own."""
        cycles, waveforms = values["cycles"], math.prod(map(len, values.values()))
        return round(waveforms * (9 + 12 * math.fsum(cycles) / len(cycles)))

    def train(self) -> tuple[Segment, ...]:
        """Integrals of the lobes."""
        lobe = (self.delta - self.rise_time) / (2 * self.cycles)
        short = trapezoid((lobe + self.rise_time) / 2, self.rise_time)
        lobes, sign = list(short), -1.0
        for _ in range(2 * int(self.cycles) - 1):
            lobes += trapezoid(lobe, self.rise_time, sign)
            sign = -sign
        return integrate_gradient([*lobes, *short], (0.0,))


def check_cycles(cycles: float) -> None:
    """Refuse a number of periods that is not whole, or too large."""
    if not (1 <= cycles <= MOST_CYCLES and float(cycles).is_integer()):
        raise InputError(
            f"cycles = {cycles:g}",
            f"a whole number, at least 1 and at most {MOST_CYCLES}",
            at=("cycles",),
        )
