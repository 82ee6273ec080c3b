"""A kind of waveform that the library does not know: all that a new one takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torrey.base.fields import declared
from torrey.gradients.waveforms import Segment, Waveform
from torrey.gradients.waveforms.segments import ramp


@dataclass(frozen=True)
class Triangles(Waveform):
    """A wave vector that rises and falls along straight lines, several times.

    Without a pause between them.
    """

    kind: ClassVar[str] = "triangles"

    rise: float = declared(
        unit="time", symbol="τ", description="time in which the wave vector rises", gt=0
    )
    number: float = declared(description="triangles one after the other", ge=1, multiple_of=1)
    tilt: float = declared(unit="angle", description="an angle that plays no part")

    def shape(self) -> tuple[Segment, ...]:
        up, down = ramp(self.rise, (0.0,), (1.0,)), ramp(self.rise, (1.0,), (0.0,))
        return (up, down) * int(self.number)
