"""A waveform with waiting times, so that the signal is read at an echo time of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from torrey.base.errors import InputError
from torrey.base.keys import format_number
from torrey.gradients.waveforms.base import Encoding, Waveform
from torrey.gradients.waveforms.segments import Segment, constant


@dataclass(frozen=True)
class AtEcho(Waveform):
    """Another waveform in the middle of the time to the echo.

    Without relaxation and differences in density the waiting times change nothing.

    Parameters
    ----------
    inner : Waveform
    time : float
        Echo time (ms), at least the duration of the gradients.

    Raises
    ------
    InputError
        If the gradients take longer.
    """

    kind: ClassVar[str] = "echo"

    inner: Waveform
    time: float

    def __post_init__(self) -> None:
        least = self.inner.echo_time
        if not (math.isfinite(self.time) and self.time >= least * (1 - 1e-12)):
            raise InputError(
                f"echo_time = {self.time:g} ms",
                f"at least {least:g} ms, as long as the gradients take",
                at=("echo_time",),
            )

    def shape(self) -> tuple[Segment, ...]:
        """The gradients between two waiting times, if there are any."""
        wait = (self.time - self.inner.echo_time) / 2
        if wait <= 1e-12 * self.time:
            return self.inner.segments
        pause = constant(wait, (0.0,) * self.inner.n_components)
        return (pause, *self.inner.segments, pause)

    def measure(self, encoding: Encoding, value: float) -> tuple[Waveform, float]:
        """The same as for the inner waveform, with the waiting times about it."""
        inner, q = self.inner.measure(encoding, value)
        return (self if inner is self.inner else AtEcho(inner, self.time)), q

    def b_value(self, q: float) -> float:
        """b-value of the inner waveform."""
        return self.inner.b_value(q)

    def gradient_of_q(self, q: float) -> float:
        """Gradient of the inner waveform."""
        return self.inner.gradient_of_q(q)

    def q_of_b(self, b: float) -> float:
        """Wave number of the inner waveform."""
        return self.inner.q_of_b(b)

    def q_of_gradient(self, gradient: float) -> float:
        """Wave number of the inner waveform."""
        return self.inner.q_of_gradient(gradient)

    @property
    def scales(self) -> bool:  # type: ignore[override]
        """Whether the inner waveform has one shape at all strengths."""
        return self.inner.scales

    @property
    def label(self) -> str:
        """Name of the inner waveform with the echo time."""
        return f"{self.inner.label}-te{format_number(self.time)}"

    @property
    def parameters(self) -> dict[str, float]:
        """Those of the inner waveform."""
        return self.inner.parameters

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.inner.to_dict(), "echo_time": self.time}
