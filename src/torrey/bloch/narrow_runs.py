"""Runs of narrow pulses: signals and maps after two of them, and waveforms sampled by all rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.stored import nested, stored
from torrey.bloch.bands import BandSet, ComplexArray
from torrey.bloch.narrow_pulses import short_pulse_magnetisation, short_pulse_signals
from torrey.bloch.sampling import RULES, Plateaus, Rule, Steps, sample
from torrey.cell.operators import Array
from torrey.gradients.waveforms import Waveform

#: Points at which a waveform is drawn.
_DRAWN = 401


@dataclass(frozen=True)
class ShortPulses:
    """Two infinitely narrow pulses along some lines."""

    direction: Array = field(metadata=stored(("line", "axis"), "1", "of the gradient"))
    width: Array = field(metadata=stored(("line",), "rad um-1", "reciprocal lattice vector"))
    Delta: Array = field(metadata=stored(("Delta",), "ms", "time between the narrow pulses"))
    period: float = field(metadata=stored((), "um", "period L of the cell"))
    diffusivity: float = field(metadata=stored((), "um2 ms-1", "diffusivity"))

    @classmethod
    def of(cls, sets: Sequence[BandSet], Delta: Array) -> ShortPulses:
        """Pulses along the lines of some bands, one set per direction."""
        return cls(
            direction=np.array([s.line.direction for s in sets]),
            width=np.array([s.line.width for s in sets]),
            Delta=Delta,
            period=sets[0].basis.period,
            diffusivity=sets[0].basis.diffusivity,
        )


@dataclass(frozen=True)
class ShortPulseSignals:
    """Signals of two infinitely narrow pulses along some lines (MMG20 figure A3)."""

    pulses: ShortPulses = field(metadata=nested())
    turns: Array = field(metadata=stored(("turns",), "1", "wave number of the pulses over width"))
    signal: ComplexArray = field(
        metadata=stored(
            ("line", "Delta", "turns"),
            "1",
            ("real part of the signal", "imaginary part of the signal"),
            name=("signal", "signal_imag"),
            dtype=complex,
        )
    )
    ratio: Array = field(
        metadata=stored(("line", "Delta"), "1", "beta, effective over free diffusivity")
    )
    surface_to_volume: float = field(metadata=stored((), "um-1", "sigma"))


@dataclass(frozen=True)
class ShortPulseMaps:
    """Magnetisation after two infinitely narrow pulses along some lines (MMG20 figures A1, A2).

    Signs are as in MMG20, where fields are complex conjugates of those of this library.
    """

    pulses: ShortPulses = field(metadata=nested())
    shown: float = field(
        metadata=stored((), "1", "wave number of the pulses of the maps over width")
    )
    m: ComplexArray = field(
        metadata=stored(
            ("line", "Delta", "node"),
            "1",
            ("real part of m after the pulses", "imaginary part of m after the pulses"),
            dtype=complex,
        )
    )
    map_signal: Array = field(
        metadata=stored(("line", "Delta"), "1", "signal of the maps, real part")
    )


@dataclass(frozen=True)
class SampledSteps:
    """Steps of a waveform by the rule ``{rule}``."""

    begin: Array = field(
        metadata=stored(
            ("{rule}_step",), "ms", "beginning of each step, {rule}", name="{rule}_begin"
        )
    )
    level: Array = field(
        metadata=stored(
            ("{rule}_step",), "rad um-1", "wave number of each step, {rule}", name="{rule}_level"
        )
    )
    b: float = field(
        metadata=stored((), "ms um-2", "b-value of the steps, {rule}", name="{rule}_b")
    )

    @classmethod
    def of(cls, steps: Steps) -> SampledSteps:
        """What is drawn of a step function."""
        return cls(steps.times[:-1], steps.levels, steps.b)


@dataclass(frozen=True)
class Samplings:
    """Wave number of a waveform and its step functions by all rules (MMG20 figure 2)."""

    time: Array = field(metadata=stored(("time",), "ms", "time"))
    q: Array = field(metadata=stored(("time",), "rad um-1", "wave number of the gradient"))
    pulse: float = field(metadata=stored((), "rad um-1", "weight of a narrow pulse"))
    b: float = field(metadata=stored((), "ms um-2", "b-value of the gradient"))
    steps: Mapping[Rule, SampledSteps] = field(metadata=nested(over="rule"))


def run_narrow_signals(
    sets: Sequence[BandSet], turns: ArrayLike, times: ArrayLike, surface_to_volume: float
) -> ShortPulseSignals:
    """Signals of two infinitely narrow pulses along some lines (MMG20 figure A3).

    Parameters
    ----------
    sets : sequence of BandSet
        One per direction.
    turns : (n_q,) array_like
        Wave numbers of the pulses in units of |G|: q a / (2 pi) along an axis, q a / (2 sqrt(2) pi)
        along the diagonal of a square.
    times : (n_times,) array_like, ms
        Delta, between the pulses.
    surface_to_volume : float, 1/um
        sigma, for the law of Debye and Porod.
    """
    q, Delta = np.asarray(turns, dtype=float), np.asarray(times, dtype=float)
    signals = np.array([short_pulse_signals(s, q * s.line.width, Delta).T for s in sets])
    return ShortPulseSignals(
        ShortPulses.of(sets, Delta), q, signals, _ratio(sets, Delta), surface_to_volume
    )


def run_narrow_maps(
    sets: Sequence[BandSet], node: NDArray[np.int64], turns: float, times: ArrayLike
) -> ShortPulseMaps:
    """Magnetisation after two infinitely narrow pulses along some lines (MMG20 figures A1, A2).

    Parameters
    ----------
    sets : sequence of BandSet
        One per direction.
    node : (n_nodes,) int
        Degree of freedom of each node: see `fields.dof_of_node`.
    turns : float
        Wave number of the pulses in units of |G|: 7/3 for q a = 14 pi / 3.
    times : (n_times,) array_like, ms
    """
    Delta = np.asarray(times, dtype=float)
    fields = np.array(
        [[short_pulse_magnetisation(s, turns * s.line.width, t)[node] for t in Delta] for s in sets]
    ).conj()
    signals = [short_pulse_signals(s, [turns * s.line.width], Delta)[0].real for s in sets]
    return ShortPulseMaps(ShortPulses.of(sets, Delta), turns, fields, np.array(signals))


def _ratio(sets: Sequence[BandSet], Delta: Array) -> Array:
    """Beta of MMG20 (A.2): the slope of log S at the smallest wave number of the bands."""
    slopes = [
        -np.log(short_pulse_signals(s, [s.pulse], Delta)[0].real) / (s.pulse**2 * Delta)
        for s in sets
    ]
    return np.array(slopes) / sets[0].basis.diffusivity


def run_sampling(
    waveform: Waveform, q: float, pulse: float, plateaus: Plateaus = "sampled"
) -> Samplings:
    """Wave number of a waveform and its step functions by all rules (MMG20 figure 2).

    Parameters
    ----------
    waveform, q, pulse, plateaus
        See `sampling.sample`.
    """
    t = np.linspace(0.0, waveform.echo_time, _DRAWN)
    curve = q * waveform.sample(t, 0)[:, 0, 0]
    rules = {rule: SampledSteps.of(sample(waveform, q, pulse, rule, plateaus)) for rule in RULES}
    return Samplings(t, curve, pulse, waveform.b_value(q), rules)
