"""Gradient waveforms: the shape F(t) of the wave vector g(t) = q F(t) n.

F is the running integral of the gradient's shape f, scaled so that max |F| = 1; q (rad/um) is then
the largest |g|, and b = q^2 int F^2 dt. Every waveform is piecewise linear in F.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from torrey.errors import InputError
from torrey.keys import format_number


@dataclass(frozen=True)
class Segment:
    """A stretch of time on which F(t) = start + slope * t, with t counted from its beginning.

    Parameters
    ----------
    duration : float
        In ms.
    slope : float
        dF/dt, in 1/ms: the gradient's shape f on this stretch.
    start : float
        F at the beginning; no unit.
    """

    duration: float
    slope: float
    start: float

    @property
    def end(self) -> float:
        """F at the end of the segment; no unit."""
        return self.start + self.slope * self.duration


class Waveform(Protocol):
    """What the solvers and the models ask of a waveform."""

    @property
    def echo_time(self) -> float:
        """Time at which F is back at zero and the signal is read (ms)."""

    @property
    def b_factor(self) -> float:
        """The integral of F^2 over the waveform (ms): b = q^2 b_factor."""

    @property
    def mirror_symmetric(self) -> bool:
        """Whether F(echo_time - t) = F(t)."""

    @property
    def label(self) -> str:
        """Canonical name, part of the names of files."""

    def segments(self) -> tuple[Segment, ...]:
        """Return the linear pieces of F in the order of time, without gaps."""


def integral_of_square(segments: Iterable[Segment]) -> float:
    """Return the exact integral of F^2 over linear pieces (ms)."""
    return sum(s.duration * (s.start**2 + s.start * s.end + s.end**2) / 3 for s in segments)


def sample(
    waveform: Waveform, times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return F and dF/dt (1/ms) at times (ms) off the jumps of the gradient."""
    F, slope = np.zeros(len(times)), np.zeros(len(times))
    begin = 0.0
    for segment in waveform.segments():
        here = (times >= begin) & (times <= begin + segment.duration)
        F[here] = segment.start + segment.slope * (times[here] - begin)
        slope[here] = segment.slope
        begin += segment.duration
    return F, slope


@dataclass(frozen=True)
class Pgse:
    """Pulsed-gradient spin echo with rectangular pulses.

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

    delta: float
    Delta: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.Delta) and 0 < self.delta <= self.Delta):
            raise InputError(
                f"delta = {self.delta:g} ms with Delta = {self.Delta:g} ms",
                "delta above zero and not longer than Delta",
                at=("delta",),
            )

    @property
    def echo_time(self) -> float:
        """End of the second pulse (ms)."""
        return self.delta + self.Delta

    @property
    def b_factor(self) -> float:
        """Delta - delta/3 (ms)."""
        return self.Delta - self.delta / 3

    @property
    def mirror_symmetric(self) -> bool:
        """True: the second pulse is the first one backwards."""
        return True

    @property
    def label(self) -> str:
        """Canonical name such as ``pgse-5-25``."""
        return f"pgse-{format_number(self.delta)}-{format_number(self.Delta)}"

    def segments(self) -> tuple[Segment, ...]:
        """Return the ramp up, the plateau (unless it has no length) and the ramp down."""
        slope = 1 / self.delta
        up, down = Segment(self.delta, slope, 0.0), Segment(self.delta, -slope, 1.0)
        if self.Delta == self.delta:
            return up, down
        return up, Segment(self.Delta - self.delta, 0.0, 1.0), down

    def b_value(self, q: float) -> float:
        """Return the b-value (ms/um^2) of a wave number `q` = gamma G delta (rad/um)."""
        return q**2 * self.b_factor

    def q_of_b(self, b: float) -> float:
        """Return the wave number (rad/um) of a b-value (ms/um^2)."""
        return math.sqrt(b / self.b_factor)

    def q_of_gradient(self, gradient: float) -> float:
        """Return the wave number (rad/um) of a gradient gamma G (rad/um/ms)."""
        return gradient * self.delta

    def gradient_of_q(self, q: float) -> float:
        """Return the gradient gamma G (rad/um/ms) of a wave number (rad/um)."""
        return q / self.delta
