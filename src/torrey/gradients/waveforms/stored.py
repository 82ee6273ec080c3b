"""Waveforms that store magnetisation along z: stimulated echoes, and filter exchange (FEXI).

What is stored keeps the phase that the gradients gave it, so that F stands still meanwhile, and
relaxes with T1. One of the two transverse components is stored: the factor 1/2 that this takes is
left out, as all signals are divided by the magnetisation at the beginning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from torrey.base.errors import InputError
from torrey.base.fields import declared
from torrey.base.keys import format_number
from torrey.gradients.waveforms.base import (
    Encoding,
    PulsePair,
    Waveform,
    check_pair,
    declared_mixing_time,
)
from torrey.gradients.waveforms.pulses import check_mixing, pulse_block, rest
from torrey.gradients.waveforms.segments import Array, Segment, constant, ramp

#: What is wrong where a shape is asked for without a strength, and what is accepted.
_NO_SHAPE = (
    "filter-exchange without the strength of its second block",
    "a waveform whose shape does not depend on its strength",
)
#: Lengths of time that are nothing but rounding, relative to Delta.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class StimulatedEcho(PulsePair):
    """Stimulated echo (STEAM): PGSE whose magnetisation is stored along z between the pulses.

    Each gradient pulse stands in the middle of a time `tau` in which magnetisation is transverse:
    between the first two radio-frequency pulses, and between the third one and the echo. In the
    time between, Delta - tau, it is stored.

    Parameters
    ----------
    delta, Delta : float
        As for `Pgse` (ms).
    tau : float
        In ms, from `delta` to `Delta`.

    Raises
    ------
    InputError
        If a time is not finite, or the times do not fit.
    """

    kind: ClassVar[str] = "stimulated-echo"

    tau: float = declared(
        unit="time",
        symbol="τ",
        description="time between the first two pulses of a stimulated echo, half its echo time TE",
        gt=0,
    )

    def __post_init__(self) -> None:
        check_pair(self.delta, self.Delta)
        near = 1 + _ROUNDING
        if not self.delta <= self.tau * near <= self.Delta * near**2:
            raise InputError(
                f"tau = {self.tau:g} ms with delta = {self.delta:g} ms, Delta = {self.Delta:g} ms",
                "tau from delta to Delta: a gradient pulse stands within it",
                at=("tau",),
            )

    def shape(self) -> tuple[Segment, ...]:
        """Both pulses with the waits beside them, and the storage."""
        wait, stored = (self.tau - self.delta) / 2, self.Delta - self.tau
        off, on = (0.0,), (1.0,)
        outer, inner = rest(wait, self.Delta, off), rest(wait, self.Delta, on)
        kept = [constant(stored, on, stored=True)] if stored > _ROUNDING * self.Delta else []
        up, down = ramp(self.delta, off, on), ramp(self.delta, on, off)
        return (*outer, up, *inner, *kept, *inner, down, *outer)


@dataclass(frozen=True)
class FilterExchange(PulsePair):
    """Filter exchange (FEXI): a PGSE block filters, and another one detects after a mixing time.

    `b`, `q` and `gradient` of a study are those of the second block; the first has a b-value of its
    own. Both lie along one direction.

    Parameters
    ----------
    delta, Delta : float
        Of the second block, as for `Pgse` (ms).
    delta_filter, Delta_filter : float
        Of the first (ms).
    b_filter : float
        Of the first block (ms/um^2), at least zero.
    mixing_time : float
        From the end of the first block to the beginning of the second (ms), at least zero;
        magnetisation is stored along z meanwhile.

    Raises
    ------
    InputError
        If a time or the b-value is not finite or negative, or a pulse does not fit.
    """

    kind: ClassVar[str] = "filter-exchange"
    scales: ClassVar[bool] = False

    delta_filter: float = declared(
        unit="time", symbol="δ_f", description="duration of a pulse of the filter", gt=0
    )
    Delta_filter: float = declared(
        unit="time",
        symbol="Δ_f",
        description="time between the beginnings of the two pulses of the filter",
        gt=0,
    )
    b_filter: float = declared(
        unit="b_value", symbol="b_f", description="b-value of the filter", ge=0
    )
    mixing_time: float = declared_mixing_time()

    def __post_init__(self) -> None:
        check_pair(self.delta, self.Delta)
        try:
            check_pair(self.delta_filter, self.Delta_filter)
        except InputError as error:
            raise InputError(
                f"of the filter, {error.found}", error.accepted, at=("delta_filter",)
            ) from None
        check_mixing(self.mixing_time)
        if not (math.isfinite(self.b_filter) and self.b_filter >= 0):
            raise InputError(
                f"b_filter = {self.b_filter:g} ms/um^2", "at least 0 s/mm^2", at=("b_filter",)
            )

    @property
    def q_filter(self) -> float:
        """Wave number between the pulses of the filter (rad/um)."""
        return math.sqrt(self.b_filter / (self.Delta_filter - self.delta_filter / 3))

    def measure(self, encoding: Encoding, value: float) -> tuple[Waveform, float]:
        """Both blocks with strengths of their own, and the larger of their wave numbers."""
        q = value
        if encoding == "b":
            q = math.sqrt(value / (self.Delta - self.delta / 3))
        elif encoding == "gradient":
            q = value * self.delta
        return FilteredEncoding(self, q), max(q, self.q_filter)

    def shape(self) -> tuple[Segment, ...]:
        """Both blocks at the same wave number: times alone are meant."""
        return self.blocks(1.0, 1.0)

    def blocks(self, first: float, second: float) -> tuple[Segment, ...]:
        """Both blocks with plateaus of F, and the storage between them."""
        between = [constant(self.mixing_time, (0.0,), stored=True)]
        if self.mixing_time <= _ROUNDING * self.Delta:
            between = []
        return (
            *pulse_block(self.delta_filter, self.Delta_filter, (first,)),
            *between,
            *pulse_block(self.delta, self.Delta, (second,)),
        )

    @property
    def b_tensor_factor(self) -> Array:
        """None: the shape depends on the strengths of both blocks, see `measure`."""
        raise InputError(*_NO_SHAPE)

    def b_value(self, q: float) -> float:
        """b-value of the second block (ms/um^2) for its own wave number `q` (rad/um)."""
        return q**2 * (self.Delta - self.delta / 3)

    def q_of_gradient(self, gradient: float) -> float:
        """None: see `b_tensor_factor`."""
        raise InputError(*_NO_SHAPE)


@dataclass(frozen=True)
class FilteredEncoding(Waveform):
    """Filter exchange at given strengths of both blocks: what `FilterExchange.measure` makes.

    Its b-value and its gradient are those of the second block; its b-tensor is that of both.

    Parameters
    ----------
    times : FilterExchange
    detection : float
        Wave number between the pulses of the second block (rad/um).
    """

    kind: ClassVar[str] = FilterExchange.kind
    scales: ClassVar[bool] = False

    times: FilterExchange
    detection: float

    def shape(self) -> tuple[Segment, ...]:
        """Both blocks; where there is no gradient at all, the second as if there were."""
        strengths = self.times.q_filter, self.detection
        return self.times.blocks(*(strengths if any(strengths) else (0.0, 1.0)))

    @cached_property
    def label(self) -> str:
        """Name of the times and the filter, with the b-value of the second block."""
        return f"{self.times.label}-b{format_number(self.times.b_value(self.detection))}"

    @property
    def parameters(self) -> dict[str, float]:
        """Those of both blocks' times, and the b-value of the filter."""
        return self.times.parameters

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.times.to_dict(), "detection": self.detection}

    def measure(self, encoding: Encoding, value: float) -> tuple[Waveform, float]:
        """The same times at another strength of the second block."""
        return self.times.measure(encoding, value)

    def b_value(self, q: float) -> float:
        """b-value of the second block (ms/um^2) where the larger wave number is `q` (rad/um)."""
        return self.times.b_value(q * self._share)

    def gradient_of_q(self, q: float) -> float:
        """Gradient of the second block (rad/um/ms) where the larger wave number is `q`."""
        return q * self._share / self.times.delta

    def q_of_b(self, b: float) -> float:
        """None: another strength is another shape, see `measure`."""
        raise InputError(*_NO_SHAPE)

    def q_of_gradient(self, gradient: float) -> float:
        """None: another strength is another shape, see `measure`."""
        raise InputError(*_NO_SHAPE)

    @property
    def _share(self) -> float:
        """Wave number of the second block over the larger one."""
        largest = max(self.detection, self.times.q_filter)
        return self.detection / largest if largest else 1.0
