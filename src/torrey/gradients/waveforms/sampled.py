"""Waveforms given by samples, of the gradient or of the wave vector, as a file holds them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np

from torrey.base.errors import InputError
from torrey.gradients.waveforms.base import Waveform
from torrey.gradients.waveforms.closing import Closed, closed
from torrey.gradients.waveforms.merging import Lines, merged
from torrey.gradients.waveforms.segments import Segment, Vector, largest

SampledKind = Literal["gradient", "wave_vector"]

#: Departure of F from the straight lines between hundreds of samples: at least what is allowed; and
#: at most, where the digits of the samples leave more than the first.
_ALLOWED: Final = 1e-6
_MOST_ALLOWED: Final = 1e-5
#: A residual that is no more than the arithmetic leaves.
_ROUNDING_OF_NUMBERS: Final = 1e-10


@dataclass(frozen=True)
class SampledWaveform(Waveform):
    """Straight lines between samples of G(t) or of g(t).

    Lines that continue each other are one segment, and polynomials follow runs of more than 16 that
    do not: F departs from the lines by `departure` at most. A residual at the echo that the digits
    of the samples explain is spread over the gradient.

    Parameters
    ----------
    name : str
        For names of files.
    samples : {"gradient", "wave_vector"}
        What the values are; their size plays no part, as F is scaled to max |F| = 1.
    times : tuple of float
        In ms, from 0. Where samples are of the gradient, two equal times write a jump.
    values : tuple of (k,) tuple of float
    rounding : (k,) tuple of float, optional
        Half a unit of the last digit of each component, in the unit of the values.

    Raises
    ------
    InputError
        If there are fewer than two samples, or the waveform does not end at g(T_E) = 0 to 1e-6 of
        the largest |g|, or to what the rounding explains, at most 1e-3.
    """

    kind: ClassVar[str] = "file"

    name: str
    samples: SampledKind
    times: tuple[float, ...]
    values: tuple[Vector, ...]
    rounding: Vector = ()

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
        """Segments that follow the lines between the samples."""
        return self._merged[0]

    @property
    def residual(self) -> float:
        """|g| at the echo relative to the largest, as the samples have it."""
        return self._closed.residual

    @property
    def departure(self) -> float:
        """Largest departure of F from the lines between the samples, the residual spread.

        A signal departs by no more than q sqrt(2 D T_E) times this, D the largest diffusivity.
        """
        return self._merged[1]

    @cached_property
    def peak_slope(self) -> float:
        """Largest |dF/dt| (1/ms), as the samples have it: curves may smooth their tops."""
        return self._closed.slope / largest(self._merged[0], 0)

    @property
    def notes(self) -> str:
        """What was done with the samples, in words; empty where they are as they came."""
        said = []
        if self.residual > _ROUNDING_OF_NUMBERS:
            explained = self._closed.explained
            digits = f", which the digits of the file explain up to {explained:.2g}"
            said.append(
                f"|g(T_E)| at the echo is {self.residual:.2g} of the largest |g|"
                f"{digits if explained >= self.residual else ''}: spread over the gradient"
            )
        if self.departure > 0.0:
            said.append(
                f"polynomials follow the samples: {len(self._merged[0])} segments keep g(t) to "
                f"{self.departure:.1g} of its largest value"
            )
        return "; ".join(said)

    @cached_property
    def _closed(self) -> Closed:
        unit = np.array(self.rounding or (0.0,) * len(self.values[0]))
        if self.samples == "wave_vector":
            # A value that is off by a unit is a gradient that is off during the whole time.
            unit = 2.0 * unit / self.times[-1]
        return closed(self._lines(), unit)

    @cached_property
    def _merged(self) -> tuple[tuple[Segment, ...], float]:
        done = self._closed
        return merged(done.lines, min(max(_ALLOWED, done.rounding), _MOST_ALLOWED))

    def _lines(self) -> Lines:
        """Lines between the samples."""
        times, values = np.array(self.times), np.array(self.values, dtype=float)
        moves = np.diff(times) > 0.0
        h, before, after = np.diff(times)[moves], values[:-1][moves], values[1:][moves]
        if self.samples == "wave_vector":
            before = after = (after - before) / h[:, None]
        return Lines.of(h, before, after)

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
        rounding = tuple(plain.get("rounding", ()))
        return cls(plain["name"], plain["samples"], tuple(plain["times"]), values, rounding)

    def _text(self) -> str:
        return json.dumps(
            {
                "name": self.name,
                "samples": self.samples,
                "times": self.times,
                "values": self.values,
                **({"rounding": self.rounding} if self.rounding else {}),
            },
            sort_keys=True,
        )
