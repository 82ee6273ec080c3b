"""Gradient waveforms: the shape F(t) of the wave vector g(t) = q F(t).

F is the running integral of the gradient's shape f, scaled so that max |F| = 1; q (rad/um) is then
the largest |g|, and b = q^2 int |F|^2 dt. F has one component where all gradients lie along one
direction n, and then g = q F n; with more, the components belong to a frame whose first axis is n.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from torrey.gradients.waveforms.base import Waveform
from torrey.gradients.waveforms.echo import AtEcho
from torrey.gradients.waveforms.oscillating import CosineOgse, SineOgse, TrapezoidalOgse
from torrey.gradients.waveforms.pulses import DoublePgse, Pgse, TrapezoidalPgse
from torrey.gradients.waveforms.sampled import SampledWaveform
from torrey.gradients.waveforms.segments import Segment, Wave
from torrey.gradients.waveforms.stored import FilteredEncoding, FilterExchange, StimulatedEcho
from torrey.gradients.waveforms.tensors import BTensor, TriplePgse

#: Waveforms with parameters to sweep, by the name that configurations use.
KINDS: Final[dict[str, type[Waveform]]] = {
    cls.kind: cls
    for cls in (
        Pgse,
        TrapezoidalPgse,
        SineOgse,
        CosineOgse,
        TrapezoidalOgse,
        DoublePgse,
        TriplePgse,
        BTensor,
        StimulatedEcho,
        FilterExchange,
    )
}


def from_dict(plain: Mapping[str, Any]) -> Waveform:
    """Rebuild a waveform from what its `to_dict` wrote, among other keys."""
    if "echo_time" in plain:
        inner = {key: value for key, value in plain.items() if key != "echo_time"}
        return AtEcho(from_dict(inner), float(plain["echo_time"]))
    if plain["waveform"] == SampledWaveform.kind:
        return SampledWaveform.from_text(str(plain["samples"]))
    if "detection" in plain:
        names = FilterExchange.parameter_names()
        family = FilterExchange(*(float(plain[name]) for name in names))
        return FilteredEncoding(family, float(plain["detection"]))
    cls = KINDS[str(plain["waveform"])]
    return cls(*(float(plain[name]) for name in cls.parameter_names()))


__all__ = [
    "KINDS",
    "AtEcho",
    "BTensor",
    "CosineOgse",
    "DoublePgse",
    "FilterExchange",
    "FilteredEncoding",
    "Pgse",
    "SampledWaveform",
    "Segment",
    "SineOgse",
    "StimulatedEcho",
    "TrapezoidalOgse",
    "TrapezoidalPgse",
    "TriplePgse",
    "Wave",
    "Waveform",
    "from_dict",
]
