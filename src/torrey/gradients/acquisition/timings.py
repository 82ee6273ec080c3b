"""The times of two rectangular pulses, as files that round them give them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.base.units import UNITS
from torrey.gradients.acquisition.text import counted, spread
from torrey.gradients.waveforms import AtEcho, Pgse, Waveform

ROUNDED: Final = 0.1
"""By how much Delta + delta may be beyond TE (ms): times are written with four digits in s."""


@dataclass(frozen=True)
class Timing:
    """Of one measurement, in ms.

    Parameters
    ----------
    delta : float
        Duration of each pulse.
    Delta : float
        Time from the beginning of one pulse to that of the other.
    echo_time : float
        Time to the echo; 0 where it is not known, and the echo is at the end of the pulses.

    Raises
    ------
    InputError
        If a time is no time, or they do not fit.
    """

    delta: float
    Delta: float
    echo_time: float = 0.0

    def __post_init__(self) -> None:
        unit = UNITS["time"]
        for name in ("delta", "Delta", "echo_time"):
            value = getattr(self, name)
            shown = "TE" if name == "echo_time" else name
            least = 0 if name == "echo_time" else math.ulp(0.0)
            if not (math.isfinite(value) and value >= least and unit.holds(value)):
                raise InputError(f"{shown} = {value:g} ms", f"a time above zero, {unit.range}")
        times = f"Delta = {self.Delta:g} ms, delta = {self.delta:g} ms"
        if self.delta > self.Delta:
            raise InputError(times, "delta not longer than Delta")
        if self.echo_time and self.excess > ROUNDED * (1 + 1e-9):
            raise InputError(
                f"{times}, TE = {self.echo_time:g} ms", "Delta + delta not longer than TE"
            )

    @property
    def excess(self) -> float:
        """By how much (ms) the pulses end after the echo, if that is known."""
        end = round_significant(self.Delta + self.delta)
        return max(round_significant(end - self.echo_time), 0.0) if self.echo_time else 0.0

    def fitted(self) -> Timing:
        """The same with an echo that is not before the end of the pulses."""
        end = round_significant(self.Delta + self.delta)
        return replace(self, echo_time=max(self.echo_time, end))


def pulses_at_echo(gradient: bool, delta: float, Delta: float, echo_time: float) -> Waveform:
    """Rectangular pulses in the middle of the time to the echo of a row."""
    if gradient:
        return AtEcho(Pgse(delta, Delta), echo_time)
    # Without gradient its shape plays no part, but its echo time does where water relaxes.
    half = echo_time / 2 or 1.0
    return Pgse(half, half)


def rounded_words(excesses: Sequence[float]) -> list[str]:
    """Say how many echo times were rounded to before the end of the pulses, if any."""
    beyond = [excess for excess in excesses if excess]
    if not beyond:
        return []
    return [
        f"TE of {counted(len(beyond), 'row')} is up to {max(beyond):g} ms before the end of the "
        "gradients, as rounded times may be: read as that end"
    ]


def timing_words(timings: Sequence[Timing]) -> str:
    """Say the times of some measurements."""
    shown = (("Delta", "Delta"), ("delta", "delta"), ("TE", "echo_time"))
    parts = [
        f"{name} {spread(getattr(timing, field) for timing in timings)} ms" for name, field in shown
    ]
    return ", ".join(parts)
