"""Waveforms given by samples, of the gradient or of the wave vector, as a file holds them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Literal, Self

from torrey.base.errors import InputError
from torrey.gradients.waveforms.base import Waveform
from torrey.gradients.waveforms.segments import Segment, Vector, integrate_gradient, ramp

SampledKind = Literal["gradient", "wave_vector"]


@dataclass(frozen=True)
class SampledWaveform(Waveform):
    """Straight lines between samples of G(t) or of g(t).

    Parameters
    ----------
    name : str
        For names of files.
    samples : {"gradient", "wave_vector"}
        What the values are; their size plays no part, as F is scaled to max |F| = 1.
    times : tuple of float
        In ms, from 0. Where samples are of the gradient, two equal times write a jump.
    values : tuple of (k,) tuple of float

    Raises
    ------
    InputError
        If there are fewer than two samples, or the waveform does not end at g(T_E) = 0.
    """

    kind: ClassVar[str] = "file"

    name: str
    samples: SampledKind
    times: tuple[float, ...]
    values: tuple[Vector, ...]

    def __post_init__(self) -> None:
        if len(self.times) < 2 or len(self.times) != len(self.values):
            raise InputError(
                f"{len(self.times)} times with {len(self.values)} values", "two samples or more"
            )
        least = min(after - before for before, after in pairwise(self.times))
        jump = least == 0.0 and self.samples == "wave_vector"
        if self.times[0] != 0.0 or least < 0.0 or jump:
            raise InputError(
                "times that do not increase from 0",
                "times from 0 on; two equal ones in a row for a jump of the gradient alone",
            )
        if self.samples == "wave_vector" and any(self.values[0]):
            raise InputError("a wave vector that is not zero at the beginning", "g(0) = 0")
        _ = self.segments  # refuses what is not back at zero

    def shape(self) -> tuple[Segment, ...]:
        """One segment between each two samples."""
        knots = list(pairwise(zip(self.times, self.values, strict=True)))
        pieces = [(after - before, a, b) for (before, a), (after, b) in knots if after > before]
        if self.samples == "wave_vector":
            return tuple(ramp(duration, a, b) for duration, a, b in pieces)
        return integrate_gradient(pieces, (0.0,) * len(self.values[0]))

    @cached_property
    def label(self) -> str:
        """Name of the file, as far as paths can hold it, with a digest of the samples."""
        digest = hashlib.sha256(self._text().encode()).hexdigest()[:8]
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", self.name)
        return f"{self.kind}-{name}-{digest}"

    @property
    def parameters(self) -> dict[str, float]:
        """None that could be swept."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; the samples as one text."""
        return {"waveform": self.kind, "samples": self._text()}

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Rebuild what `to_dict` wrote."""
        plain = json.loads(text)
        values = tuple(map(tuple, plain["values"]))
        return cls(plain["name"], plain["samples"], tuple(plain["times"]), values)

    def _text(self) -> str:
        return json.dumps(
            {
                "name": self.name,
                "samples": self.samples,
                "times": self.times,
                "values": self.values,
            },
            sort_keys=True,
        )
