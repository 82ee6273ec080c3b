"""Fewer and longer segments in the place of the straight lines between samples.

Solvers take a step of time or more on every segment: thousands of samples of a smooth gradient cost
hundreds of times what the gradient needs. Straight lines that continue each other are one. Where
more of them are left than `_FEW`, polynomials of degree 3 to 8 follow runs of them. They have the
same F and dF/dt at both ends, so that nothing adds up and the echo stays where it is, and F between
departs by no more than is allowed, which is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.polynomial import Legendre, Polynomial
from numpy.typing import NDArray

from torrey.gradients.waveforms.segments import Array, Segment, Vector

#: So few straight lines are left as they are.
_FEW: Final = 64
#: Departure from a straight line, relative to the largest gradient, that is rounding of a computer.
_STRAIGHT: Final = 1e-9
#: A line of so many intervals, and of so much of the time, is one on purpose and not by the rounding
#: of a curve: no curve runs across it.
_LONG, _LONG_SHARE = 4, 1 / 200
#: Terms beside the cubic that has F and dF/dt at both ends.
_TERMS: Final = 5
#: Instants between two samples at which F is compared, from 0 to 1; what a curve does between them
#: changes the departure by less than the margin.
_BETWEEN: Final = (0.21, 0.5, 0.79)
_MARGIN: Final = 1.05


@dataclass(frozen=True)
class Line:
    """F on a stretch on which the gradient is linear.

    Parameters
    ----------
    duration : float
    F, before, after : (k,) float
        F at the beginning, and the gradient at the beginning and at the end.
    count : int
        Lines between samples that it stands for.
    """

    duration: float
    F: Array
    before: Array
    after: Array
    count: int = 1

    @property
    def still(self) -> bool:
        """Whether there is no gradient."""
        return not (self.before.any() or self.after.any())

    def segment(self, end: Array) -> Segment:
        """The segment that ends at a given F."""
        # The slope is taken from both ends of F: lines that were joined keep it to all digits.
        bend = (self.after - self.before) / (2.0 * self.duration)
        slope = self.before if self.count == 1 else (end - self.F) / self.duration
        if self.count > 1:
            slope = slope - bend * self.duration
        return Segment(self.duration, _vectors([self.F, slope, bend]))


def merged(lines: Sequence[Line], end: Array, allowed: float) -> tuple[tuple[Segment, ...], float]:
    """Segments of F with max |F| = 1, and by how much they depart from the lines at most.

    Parameters
    ----------
    lines : sequence of Line
        Between each two samples, in the order of time.
    end : (k,) float
        F at the end.
    allowed : float
        Largest departure of F; zero for none.

    Returns
    -------
    segments : tuple of Segment
    departure : float
    """
    lines = _joined(lines, end)
    ends = [*(line.F for line in lines[1:]), end]
    if len(lines) <= _FEW or not allowed > 0.0:
        return tuple(line.segment(F) for line, F in zip(lines, ends, strict=True)), 0.0
    segments: list[Segment] = []
    departure = 0.0
    for first, last in _runs(lines, allowed):
        run = _Run.of(lines[first:last], ends[last - 1])
        for curve in run.curves(allowed / _MARGIN):
            if curve.last - curve.first == 1:
                i = first + curve.first
                segments.append(lines[i].segment(ends[i]))
            else:
                segments.append(curve.segment)
                departure = max(departure, _MARGIN * curve.departure)
    return tuple(segments), departure


def _joined(lines: Sequence[Line], end: Array) -> list[Line]:
    """Lines that continue each other become one."""
    before, after = (np.array([getattr(x, name) for x in lines]) for name in ("before", "after"))
    times = np.concatenate([[0.0], np.cumsum([line.duration for line in lines])])
    small = _STRAIGHT * max(np.abs(before).max(), np.abs(after).max())
    smooth = np.all(np.abs(after[:-1] - before[1:]) <= small, axis=1)
    still = np.array([line.still for line in lines])
    smooth &= still[:-1] == still[1:]
    stops = [*(np.flatnonzero(~smooth) + 1), len(lines)]
    found: list[Line] = []
    i = 0

    def straight(j: int) -> bool:
        """Whether lines i to j - 1 lie on the one from the beginning of the first to the end."""
        x = (times[i + 1 : j] - times[i]) / (times[j] - times[i])
        chord = before[i] + x[:, None] * (after[j - 1] - before[i])
        return bool(np.all(np.abs(before[i + 1 : j] - chord) <= small))

    while i < len(lines):
        stop = int(next(s for s in stops if s > i))
        j = _furthest(i + 1, stop, straight)
        count = sum(line.count for line in lines[i:j])
        found.append(Line(float(times[j] - times[i]), lines[i].F, before[i], after[j - 1], count))
        i = j
    return found


def _runs(lines: Sequence[Line], allowed: float) -> Iterator[tuple[int, int]]:
    """Runs of lines that curves may follow: from, to. A long line or rest is its own."""
    least = _LONG_SHARE * sum(line.duration for line in lines)
    alone = [line.duration >= least and (line.still or line.count >= _LONG) for line in lines]
    begin = 0
    for i in range(1, len(lines) + 1):
        ends = i == len(lines) or alone[i] or alone[i - 1]
        if ends or _jumps(lines[i - 1], lines[i], allowed):
            yield begin, i
            begin = i


def _jumps(one: Line, other: Line, allowed: float) -> bool:
    """Whether the gradient jumps; a step of values that are held does not if a curve may cut it."""
    jump = float(np.linalg.norm(other.before - one.after))
    return jump * min(one.duration, other.duration) > 8.0 * allowed


def _furthest(least: int, most: int, holds: Callable[[int], bool]) -> int:
    """The furthest number found from ``least`` on, which holds, by steps that double and halve."""
    low, step = least, 1
    while low < most and holds(min(low + step, most)):
        low, step = min(low + step, most), 2 * step
    high = min(low + step, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


@dataclass(frozen=True)
class _Curve:
    """A polynomial that follows some lines of a run, from the first to before the last."""

    first: int
    last: int
    segment: Segment
    departure: float


@dataclass(frozen=True)
class _Run:
    """F at the instants between and at the ends of lines that join smoothly.

    Parameters
    ----------
    knots : (n + 1,) float
        Times of the ends.
    G : (n + 1, k) float
        dF/dt there.
    times, F : (4 n + 1,), (4 n + 1, k) float
        Instants at which F is compared: ends, and `_BETWEEN` them.
    """

    knots: Array
    G: Array
    times: Array
    F: Array

    @classmethod
    def of(cls, lines: Sequence[Line], end: Array) -> _Run:
        durations = np.array([line.duration for line in lines])
        knots = np.concatenate([[0.0], np.cumsum(durations)])
        F, before, after = (
            np.array([getattr(line, name) for line in lines])[:, None]
            for name in ("F", "before", "after")
        )
        inside = np.array([0.0, *_BETWEEN])[:, None] * durations[:, None, None]
        within = F + inside * before + inside**2 * (after - before) / (2 * durations[:, None, None])
        times = (knots[:-1, None] + inside[..., 0]).ravel()
        return cls(
            knots=knots,
            G=np.vstack([before[:1, 0], (before[1:, 0] + after[:-1, 0]) / 2, after[-1:, 0]]),
            times=np.append(times, knots[-1]),
            F=np.vstack([within.reshape(-1, F.shape[-1]), end]),
        )

    def curves(self, allowed: float) -> Iterator[_Curve]:
        """Curves that follow the run, each as far as it can."""
        first, count = 0, len(self.knots) - 1
        while first < count:
            begin = first

            def follows(last: int, begin: int = begin) -> bool:
                return self._curve(begin, last, _TERMS).departure <= allowed

            last = _furthest(begin + 1, count, follows)
            best = self._curve(begin, last, _TERMS)
            for terms in range(_TERMS):
                simpler = self._curve(begin, last, terms)
                if simpler.departure <= allowed:
                    best = simpler
                    break
            yield best
            first = last

    def _curve(self, first: int, last: int, terms: int) -> _Curve:
        """The curve with F and dF/dt of both ends that is closest between."""
        per = len(_BETWEEN) + 1
        here = slice(per * first, per * last + 1)
        duration = float(self.knots[last] - self.knots[first])
        x = (self.times[here] - self.knots[first]) / duration
        F, (a, b) = self.F[here], duration * self.G[[first, last]]
        rise = F[-1] - F[0]
        cubic = np.array([F[0], a, 3 * rise - 2 * a - b, a + b - 2 * rise])
        missing = F - np.polynomial.polynomial.polyval(x, cubic).T
        coefficients = np.zeros((4 + terms, F.shape[1]))
        coefficients[:4] = cubic
        if terms:
            bubbles = _bubbles(terms)
            columns = np.polynomial.polynomial.polyval(x, bubbles).T
            best = np.linalg.lstsq(columns, missing, rcond=None)[0]
            coefficients += bubbles @ best
            missing = missing - columns @ best
        departure = float(np.linalg.norm(missing, axis=1).max())
        powers = duration ** -np.arange(4.0 + terms)
        return _Curve(
            first, last, Segment(duration, _vectors(powers[:, None] * coefficients)), departure
        )


@lru_cache(maxsize=16)
def _bubbles(terms: int) -> NDArray[np.float64]:
    """Coefficients of x^2 (1 - x)^2 P_m(2 x - 1), m < terms, in columns (4 + terms, terms)."""
    bubble = Polynomial([0.0, 0.0, 1.0, -2.0, 1.0])
    columns = []
    for m in range(terms):
        of_x = Legendre.basis(m, domain=[0.0, 1.0]).convert(kind=Polynomial, domain=[-1, 1])
        c = (bubble * of_x).coef
        columns.append(np.pad(c, (0, 4 + terms - len(c))))
    return np.array(columns, dtype=float).T


def _vectors(rows: Sequence[Array] | Array) -> tuple[Vector, ...]:
    """Coefficients as plain numbers, without the highest powers that are zero."""
    found = [tuple(float(x) for x in row) for row in rows]
    while len(found) > 1 and not any(found[-1]):
        found.pop()
    return tuple(found)
