"""Sampling of the wave number: a gradient as a sequence of narrow pulses (MMG20 2.2, 2.5).

The wave number q(t) = q F(t) of a waveform along one direction is replaced by a step function that
takes multiples of a pulse q_0, and whatever other levels are wanted, such as the value between two
pulses (MMG20 2.5.2). Each step is a narrow pulse; between steps there is diffusion alone.

floor
    the level at or below q(t)
ceil
    the level at or above q(t)
round
    the level nearest to q(t)
midpoint
    steps half-way in time between those of floor and those of ceil. Where q(t) turns between two
    levels, one of the two has no step, and that of round stands instead.

Round and midpoint are the same where the gradient is constant. Where it is not, MMG20 expects
midpoint to reproduce the b-value best; round does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise

from torrey.base.errors import InputError
from torrey.cell.folding import turning_points
from torrey.gradients.waveforms import Segment, Waveform

Array = NDArray[np.float64]
Rule = Literal["floor", "ceil", "round", "midpoint"]
Plateaus = Literal["explicit", "sampled"]

RULES: Final[tuple[Rule, ...]] = get_args(Rule)

#: Values of q closer than this to a level, in units of the pulse, are on it.
_ON_LEVEL = 1e-7
#: Times closer than this, of the echo time, are one.
_SAME_TIME = 1e-13


@dataclass(frozen=True)
class Steps:
    """A step function of time: the wave number between narrow pulses.

    Attributes
    ----------
    levels : (n,) float
        Wave number on each step (rad/um); before the first and after the last it is zero.
    durations : (n,) float
        Of each step, above zero (ms): the tau_k of MMG20 (26).
    pulse : float
        q_0, of which all levels are multiples but those asked for (rad/um).
    """

    levels: Array
    durations: Array
    pulse: float

    @property
    def b(self) -> float:
        """The b-value of the steps (ms/um^2): that of the pulses instead of that of q(t)."""
        return float(self.levels**2 @ self.durations)

    @property
    def times(self) -> Array:
        """Times at which the steps begin, and the last one ends, shape (n + 1,) (ms)."""
        return np.concatenate([[0.0], np.cumsum(self.durations)])

    @property
    def symmetric(self) -> bool:
        """Whether the steps read backwards are the same."""
        return np.array_equal(self.levels, self.levels[::-1]) and np.allclose(
            self.durations, self.durations[::-1], rtol=0.0, atol=1e-11 * self.durations.sum()
        )


def sample(
    waveform: Waveform,
    q: float,
    pulse: float,
    rule: Rule = "round",
    plateaus: Plateaus = "explicit",
) -> Steps:
    """Step function of a waveform.

    Parameters
    ----------
    waveform : Waveform
        With one component.
    q : float, rad/um
        Largest |q(t)|.
    pulse : float, rad/um
        Distance q_0 of the levels: |G| / P for a line G of the Brillouin zone.
    rule : {"floor", "ceil", "round", "midpoint"}
    plateaus : {"explicit", "sampled"}
        Whether the values of q(t) where there is no gradient are levels of their own, or sampled as
        the rest is: over a long time a small difference is large (MMG20 2.5.2).

    Raises
    ------
    ValueError
        If the waveform has several components or stores magnetisation, the pulse is not positive,
        or a choice is unknown.
    """
    if waveform.n_components != 1:
        raise InputError(
            f"a waveform with {waveform.n_components} components", "gradients along one direction"
        )
    if waveform.stores:
        raise InputError(
            "a waveform that stores magnetisation along z", "one whose magnetisation is transverse"
        )
    if not (np.isfinite(pulse) and pulse > 0.0):
        raise InputError(f"pulses of {pulse} rad/um", "a weight above zero")
    if rule not in RULES:
        raise InputError(f'rule "{rule}"', ", ".join(RULES))
    if plateaus not in get_args(Plateaus):
        raise InputError(f'plateaus "{plateaus}"', ", ".join(get_args(Plateaus)))
    segments = waveform.segments
    rests = [q * float(s.start[0]) for s in segments if s.constant]
    grid = _Levels.of(abs(q), pulse, rests if plateaus == "explicit" else ())
    pieces = list(_pieces(segments, q))
    spans = [step for piece in pieces for step in piece.steps(grid, rule)]
    steps = _merge(spans, pulse, waveform.echo_time)
    return _midway(steps, pieces, grid) if rule == "midpoint" else steps


@dataclass(frozen=True)
class _Levels:
    """Increasing levels, and the accuracy to which a value is on one."""

    values: Array
    accuracy: float

    @classmethod
    def of(cls, largest: float, pulse: float, extra: Iterable[float]) -> _Levels:
        """Multiples of the pulse that cover [-largest, largest], and others."""
        count = int(np.ceil(largest / pulse)) + 1
        multiples = pulse * np.arange(-count, count + 1)
        accuracy = _ON_LEVEL * pulse
        new = [x for x in extra if np.abs(multiples - x).min() > accuracy]
        values = np.unique(np.concatenate([multiples, new]))
        # Plateaus that differ by rounding are one level.
        apart = np.concatenate([[True], np.diff(values) > accuracy])
        return cls(values[apart], accuracy)

    @property
    def halves(self) -> Array:
        """Where the nearest level changes."""
        return (self.values[:-1] + self.values[1:]) / 2

    def floor(self, q: Array) -> NDArray[np.int64]:
        """Number of the level at or below each value."""
        return np.searchsorted(self.values, q + self.accuracy, side="right") - 1

    def ceil(self, q: Array) -> NDArray[np.int64]:
        """Number of the level at or above each value."""
        return np.searchsorted(self.values, q - self.accuracy, side="left")

    def round(self, q: Array) -> NDArray[np.int64]:
        """Number of the level nearest to each value."""
        return np.searchsorted(self.halves, q)

    def by(self, rule: Rule, q: Array) -> Array:
        """The level of each value by a rule that looks at the value alone."""
        numbers: NDArray[np.int64] = getattr(self, rule)(q)
        return self.values[numbers]

    def strictly_between(self, marks: Array, a: float, b: float) -> Array:
        """Marks between two values, in the order in which they are passed from a to b."""
        low, high = min(a, b) + self.accuracy, max(a, b) - self.accuracy
        inside = marks[(marks > low) & (marks < high)]
        return inside if a < b else inside[::-1]


@dataclass(frozen=True)
class _Piece:
    """A part of a segment on which q(t) is monotone, and the time at which the segment begins."""

    segment: Segment
    q: float
    begin: float
    end: float
    offset: float

    def value(self, t: Array) -> Array:
        """q(t)."""
        values: Array = self.q * self.segment.jet(t, 0)[..., 0, 0]
        return values

    def passes(self, marks: Array) -> Array:
        """When q(t) passes some values, in the order given."""
        if not len(marks):
            return np.empty(0)
        first, last = self._ends
        if self.segment.linear:
            return np.asarray(self.begin + (marks - first) / (last - first) * self._length)
        ends = (np.full_like(marks, self.begin), np.full_like(marks, self.end))
        found = elementwise.find_root(lambda t, m: self.value(t) - m, ends, args=(marks,))
        if not np.all(found.success):
            raise ArithmeticError("the times of some narrow pulses were not found")
        return np.asarray(found.x)

    def steps(self, grid: _Levels, rule: Rule) -> list[tuple[float, float]]:
        """(level, duration) of the steps on this piece; those of round for the rule midpoint."""
        marks = grid.values if rule in ("floor", "ceil") else grid.halves
        jumps = self.passes(grid.strictly_between(marks, *self._ends))
        edges = np.array([self.begin, *jumps, self.end])
        levels = grid.by("round" if rule == "midpoint" else rule, self.value(_middles(edges)))
        return list(zip(levels.tolist(), np.diff(edges).tolist(), strict=True))

    def touches(self, grid: _Levels) -> list[tuple[float, float]]:
        """(time since the beginning of the segment, level) where q(t) is on a level."""
        inside = grid.strictly_between(grid.values, *self._ends)
        found = list(zip(self.passes(inside).tolist(), inside.tolist(), strict=True))
        for t, value in zip((self.begin, self.end), self._ends, strict=True):
            nearest = grid.values[grid.round(np.array(value))]
            if abs(nearest - value) <= grid.accuracy:
                found.append((t, float(nearest)))
        return found

    @property
    def _ends(self) -> tuple[float, float]:
        first, last = self.value(np.array([self.begin, self.end]))
        return float(first), float(last)

    @property
    def _length(self) -> float:
        return self.end - self.begin


def _pieces(segments: Iterable[Segment], q: float) -> Iterator[_Piece]:
    """Parts of the segments between the turning points of q(t)."""
    offset = 0.0
    for segment in segments:
        edges = [0.0, segment.duration]
        if not segment.linear:
            edges[1:1] = turning_points(segment, partial(_slope, segment))
        for begin, end in zip(edges[:-1], edges[1:], strict=True):
            yield _Piece(segment, q, begin, end, offset)
        offset += segment.duration


def _midway(rounded: Steps, pieces: Iterable[_Piece], grid: _Levels) -> Steps:
    """Move each jump half-way between the times at which q(t) leaves a level and reaches the next.

    A jump before or after which q(t) turns back without having been on the level stays.
    """
    touches = sorted(
        (piece.offset + t, level) for piece in pieces for t, level in piece.touches(grid)
    )
    times, levels = np.array(touches).T
    edges = rounded.times
    moved = edges.copy()
    # Touches at both ends of the waveform count, whatever their rounding.
    limits = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
    for i in range(1, len(edges) - 1):
        start, middle, stop = np.searchsorted(times, limits[i - 1 : i + 2])
        left = times[start:middle][levels[start:middle] == rounded.levels[i - 1]]
        reached = times[middle:stop][levels[middle:stop] == rounded.levels[i]]
        if len(left) and len(reached):
            moved[i] = (left[-1] + reached[0]) / 2
    return Steps(rounded.levels, np.diff(moved), rounded.pulse)


def _slope(segment: Segment, t: Array) -> Array:
    """dF/dt of the one component."""
    return np.asarray(segment.jet(t, 1)[..., 1, 0])


def _middles(edges: Array) -> Array:
    middles: Array = (edges[:-1] + edges[1:]) / 2
    return middles


def _merge(spans: list[tuple[float, float]], pulse: float, total: float) -> Steps:
    """Join equal neighbours and leave out what has no length."""
    merged: list[list[float]] = []
    for level, duration in spans:
        if duration <= _SAME_TIME * total:
            continue
        if merged and merged[-1][0] == level:
            merged[-1][1] += duration
        else:
            merged.append([level, duration])
    levels, durations = np.array(merged).T
    return Steps(levels, durations, pulse)
