"""What a configuration may say of gradients: waveforms, and files of an acquisition."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from torrey.base.units import UNITS
from torrey.config.quantities import (
    Angle,
    Cycles,
    Model,
    NotNegativeTime,
    Sweep,
    Time,
    or_more,
)

_ECHO = (
    f"{UNITS['time'].accepted} (from excitation to echo, with the gradients in its middle; without "
    "it the signal is read at the end of the gradients)"
)
_CYCLES = "a whole number of periods in a train; or a list of them"


class PairModel(Model):
    """What all pairs of pulses or trains share."""

    kind: str  # each kind gives its own
    delta: Sweep[Time] = Field(description=or_more("time", "the length of a pulse or train"))
    Delta: Sweep[Time] = Field(
        description=or_more("time", "from the start of one pulse to the start of the other")
    )
    echo_time: Time | None = Field(None, description=_ECHO)


class PgseModel(PairModel):
    """Pulsed-gradient spin echo with rectangular pulses."""

    kind: Literal["pgse"] = Field(description="pgse")


class TrapezoidModel(PairModel):
    """Pulsed-gradient spin echo with rise times."""

    kind: Literal["trapezoid"] = Field(description="trapezoid")
    rise_time: Sweep[Time] = Field(description=or_more("time", "from zero to the full gradient"))


class SineModel(PairModel):
    """Oscillating gradients, sine."""

    kind: Literal["sine-ogse"] = Field(description="sine-ogse")
    cycles: Sweep[Cycles] = Field(description=_CYCLES)


class CosineModel(PairModel):
    """Oscillating gradients, cosine."""

    kind: Literal["cosine-ogse"] = Field(description="cosine-ogse")
    cycles: Sweep[Cycles] = Field(description=_CYCLES)


class TrapezoidalOgseModel(PairModel):
    """Oscillating trapezoids."""

    kind: Literal["trapezoid-ogse"] = Field(description="trapezoid-ogse")
    cycles: Sweep[Cycles] = Field(description=_CYCLES)
    rise_time: Sweep[Time] = Field(description=or_more("time", "from zero to the full gradient"))


class DoublePgseModel(PairModel):
    """Two PGSE blocks at an angle."""

    kind: Literal["double-pgse"] = Field(description="double-pgse")
    mixing_time: Sweep[NotNegativeTime] = Field(
        description=or_more("time", "from the end of the first block to the start of the second")
    )
    angle: Sweep[Angle] = Field(description=or_more("angle", "between the two blocks"))


class SampledModel(Model):
    """A gradient or a wave vector sampled in a file."""

    kind: Literal["file"] = Field(description="file")
    path: str = Field(
        description="a file of samples: columns such as time (ms), gx (mT/m), gy (mT/m), from the "
        "folder of the configuration"
    )
    echo_time: Time | None = Field(None, description=_ECHO)


AnyWaveform = Annotated[
    PgseModel
    | TrapezoidModel
    | SineModel
    | CosineModel
    | TrapezoidalOgseModel
    | DoublePgseModel
    | SampledModel,
    Field(discriminator="kind"),
]


class AcquisitionModel(Model):
    """Files that scanners and other programs write."""

    bval: str = Field("", description="an FSL file of b-values, from the folder of this file")
    bvec: str = Field("", description="an FSL file of directions, from the folder of this file")
    scheme: str = Field(
        "", description="a Camino scheme file (STEJSKALTANNER), from the folder of this file"
    )
