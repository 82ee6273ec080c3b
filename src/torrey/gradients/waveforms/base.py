"""What every waveform has, once its segments are known."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.fields import declared
from torrey.base.keys import format_number
from torrey.gradients.waveforms.segments import Array, Segment, largest, moment, symmetry_of

Encoding = Literal["b", "q", "gradient"]
"""What the strength of a gradient is given as."""

#: A wave vector that is not back at zero at the echo, relative to its largest value.
_CLOSED = 1e-6


class Waveform(ABC):
    """The shape F(t) of the wave vector g(t) = q F(t), with max |F| = 1.

    A subclass is a frozen dataclass whose fields are its times and angles, each declared with its
    unit and meaning, and says in `shape` how the gradient runs. F is built from that, scaled, and
    checked to end at zero. Configurations, tables and documents call it by its `kind`, and say of
    it what the first paragraph of its docstring does.
    """

    kind: ClassVar[str]
    """Name in configurations and files."""
    scales: ClassVar[bool] = True
    """Whether the shape is the same at all strengths; else what `measure` returns is the shape."""

    @abstractmethod
    def shape(self) -> tuple[Segment, ...]:
        """Return F up to a factor, as segments in the order of time."""

    @property
    def n_components(self) -> int:
        """Number of components of F: 1 where all gradients lie along one direction."""
        return len(self.segments[0].coefficients[0])

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """F as smooth segments in the order of time, without gaps; max |F| = 1.

        Raises
        ------
        InputError
            If F does not move, or is not back at zero at the end.
        """
        raw = self.shape()
        peak = largest(raw, 0)
        if not (math.isfinite(peak) and peak > 0.0):
            raise InputError(
                "a waveform without gradient", "a gradient that is not zero throughout"
            )
        total = math.fsum(segment.duration for segment in raw)
        scaled = tuple(_with_share(segment.scale(1.0 / peak), total) for segment in raw)
        residual = float(np.linalg.norm(scaled[-1].end))
        if residual > _CLOSED:
            raise InputError(
                f"a wave vector g(T_E) at the echo of {residual:.3g} times the largest |g|",
                f"a gradient whose integral is zero, so that g(T_E) = 0 to {_CLOSED:g}",
            )
        return scaled

    @cached_property
    def echo_time(self) -> float:
        """T_E: time at which F is back at zero and the signal is read (ms)."""
        return math.fsum(segment.duration for segment in self.segments)

    @cached_property
    def b_tensor_factor(self) -> Array:
        """The integral of F F^T over the waveform, shape (k, k) (ms): B = q^2 times this."""
        return moment(self.segments, lambda F: F[:, :, None] * F[:, None, :])

    @cached_property
    def b_factor(self) -> float:
        """The integral of |F|^2 over the waveform (ms): b = q^2 b_factor."""
        return float(np.trace(self.b_tensor_factor))

    @cached_property
    def peak_slope(self) -> float:
        """Largest |dF/dt| (1/ms): the largest gradient is gamma G = q peak_slope."""
        return largest(self.segments, 1)

    @cached_property
    def symmetry(self) -> int:
        """1 if F(T_E - t) = F(t), -1 if F(T_E - t) = -F(t), 0 otherwise."""
        return symmetry_of(self.segments)

    @property
    def stores(self) -> bool:
        """Whether magnetisation is stored along z for a part of the time."""
        return any(segment.stored for segment in self.segments)

    @property
    def label(self) -> str:
        """Canonical name such as ``pgse-5-25``, part of the names of files."""
        return "-".join([self.kind, *(format_number(x) for x in self.parameters.values())])

    @property
    def parameters(self) -> dict[str, float]:
        """Times, angles and numbers by name, in their order."""
        return {name: getattr(self, name) for name in self.parameter_names()}

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Names of the times, angles and numbers in the order of the fields."""
        return tuple(f.name for f in fields(cls))  # type: ignore[arg-type]

    @classmethod
    def most_segments(cls, values: Mapping[str, tuple[float, ...]]) -> int:
        """Segments of all waveforms with these values of the parameters, before any is made.

        At most so many: what a configuration may ask for is limited by it.
        """
        return 9 * math.prod(map(len, values.values()))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, from which `waveforms.from_dict` rebuilds the waveform."""
        return {"waveform": self.kind, **self.parameters}

    def b_value(self, q: float) -> float:
        """Return the b-value (ms/um^2) of a largest wave number `q` (rad/um)."""
        return q**2 * self.b_factor

    def q_of_b(self, b: float) -> float:
        """Return the wave number (rad/um) of a b-value (ms/um^2)."""
        return math.sqrt(b / self.b_factor)

    def q_of_gradient(self, gradient: float) -> float:
        """Return the wave number (rad/um) of a largest gradient gamma G (rad/um/ms)."""
        return gradient / self.peak_slope

    def gradient_of_q(self, q: float) -> float:
        """Return the largest gradient gamma G (rad/um/ms) of a wave number (rad/um)."""
        return q * self.peak_slope

    def measure(self, encoding: Encoding, value: float) -> tuple[Waveform, float]:
        """The waveform at a strength, and the wave number max |g| (rad/um) that it has there.

        Parameters
        ----------
        encoding : {"b", "q", "gradient"}
            Which strength is given: a b-value (ms/um^2), a wave number (rad/um) or a gradient
            (rad/um/ms).
        value : float
        """
        if encoding == "b":
            return self, self.q_of_b(value)
        return self, self.q_of_gradient(value) if encoding == "gradient" else value

    def sample(self, times: Array, derivatives: int) -> Array:
        """F and its derivatives at times (ms) off the jumps, (n, derivatives + 1, k)."""
        ends = np.cumsum([segment.duration for segment in self.segments])
        where = self._where(times)
        values = np.empty((len(times), derivatives + 1, self.n_components))
        for i, segment in enumerate(self.segments):
            here = where == i
            begin = ends[i] - segment.duration
            values[here] = segment.jet(times[here] - begin, derivatives)
        return values

    def segments_at(self, times: Array) -> list[Segment]:
        """Segments in which times (ms) lie."""
        return [self.segments[i] for i in self._where(times)]

    def _where(self, times: Array) -> NDArray[np.intp]:
        """Numbers of the segments in which times (ms) lie."""
        ends = np.cumsum([segment.duration for segment in self.segments])
        return np.minimum(np.searchsorted(ends, times), len(ends) - 1)


@dataclass(frozen=True)
class PulsePair(Waveform):
    """What all waveforms of two pulses, or of two trains of pulses, share."""

    delta: float = declared(
        unit="time",
        symbol="δ",
        description="duration of a gradient pulse, or of a train of them",
        gt=0,
    )
    Delta: float = declared(
        unit="time",
        symbol="Δ",
        description="time between the beginnings of the two pulses or trains",
        gt=0,
    )


def declared_mixing_time() -> Any:
    """Declare the time between blocks of pulses, a field of several kinds."""
    return declared(
        unit="time",
        symbol="t_m",
        description="time between two blocks of pulses",
        ge=0,
    )


def declared_rise_time() -> Any:
    """Declare the time in which a gradient rises, a field of several kinds."""
    return declared(
        unit="time", symbol="t_r", description="time in which the gradient rises from zero", gt=0
    )


def _with_share(segment: Segment, total: float) -> Segment:
    """Give a segment time steps for the path of F, or for its part of the time if that is more."""
    return replace(segment, share=max(segment.variation(), segment.duration / total))


def check_pair(delta: float, Delta: float, least: float = 0.0) -> None:
    """Refuse a pulse that does not fit before the next.

    Raises
    ------
    InputError
        If a time is not finite, `delta` is not positive, or `Delta` is shorter than
        `delta` + `least`.
    """
    if math.isfinite(Delta) and delta > 0 and delta + least <= Delta * (1 + 1e-12):
        return
    pulse = f"delta and the rise time of {least:g} ms together" if least else "delta"
    raise InputError(
        f"delta = {delta:g} ms with Delta = {Delta:g} ms",
        f"delta above zero, and {pulse} not longer than Delta",
        at=("delta",),
    )
