"""Fewer and longer segments in the place of the straight lines between samples.

Solvers take a step of time or more on every segment: thousands of samples of a smooth gradient need
thousands of steps, where the gradient needs few. Straight lines that continue each other are one.
Where more of them are left than `_FEW`, polynomials of degree 3 to 8 follow runs of them. They have
the same F and dF/dt at both ends, so that nothing adds up and the echo stays where it is, and F
between departs by no more than is allowed, which is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.polynomial import Legendre, Polynomial
from numpy.typing import NDArray

from torrey.gradients.waveforms.segments import Array, Segment, Vector

#: So few straight lines are left as they are.
_FEW: Final = 16
#: Departure from a straight line, relative to the largest gradient, that is rounding of a computer.
_STRAIGHT: Final = 1e-9
#: A line of so many intervals, and of so much of the time, is one on purpose and not by rounding:
#: no curve runs across it.
_LONG: Final = 4
_LONG_SHARE: Final = 1 / 200
#: How much of the departure a symmetry may take.
_ASYMMETRY: Final = 0.25
#: Terms beside the cubic that has F and dF/dt at both ends.
_TERMS: Final = 5
#: Instants between two samples at which F is compared, from 0 to 1; what a curve does between them
#: changes the departure by less than the margin.
_BETWEEN: Final = (0.21, 0.5, 0.79)
_MARGIN: Final = 1.05
#: About so many of them a curve is fitted to; all are compared.
_FITTED: Final = 200


@dataclass(frozen=True)
class Lines:
    """F on stretches of time on which the gradient is linear, in the order of time.

    Parameters
    ----------
    duration : (n,) float
    F : (n + 1, k) float
        At the beginning of each, and at the end of the last.
    before, after : (n, k) float
        The gradient at the beginning and at the end of each.
    count : (n,) int
        Lines between samples that each stands for.
    """

    duration: Array
    F: Array
    before: Array
    after: Array
    count: NDArray[np.int64]

    @classmethod
    def of(cls, duration: Array, before: Array, after: Array) -> Lines:
        """Lines from F = 0 on."""
        rise = duration[:, None] * (before + after) / 2.0
        F = np.vstack([np.zeros(before.shape[1]), np.cumsum(rise, axis=0)])
        return cls(duration, F, before, after, np.ones(len(duration), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.duration)

    @property
    def still(self) -> NDArray[np.bool_]:
        """Where there is no gradient."""
        found: NDArray[np.bool_] = ~np.any((self.before != 0.0) | (self.after != 0.0), axis=1)
        return found

    def segment(self, i: int) -> Segment:
        """The segment of one of them."""
        # The slope is taken from both ends of F: lines that were joined keep it to all digits.
        h = float(self.duration[i])
        bend = (self.after[i] - self.before[i]) / (2.0 * h)
        slope = self.before[i]
        if self.count[i] > 1:
            slope = (self.F[i + 1] - self.F[i]) / h - bend * h
        return Segment(h, _vectors([self.F[i], slope, bend]))


def merged(lines: Lines, allowed: float) -> tuple[tuple[Segment, ...], float]:
    """Segments of F with max |F| = 1, and by how much they depart from the lines at most.

    Parameters
    ----------
    lines : Lines
        Between each two samples.
    allowed : float
        Largest departure of F.

    Returns
    -------
    segments : tuple of Segment
    departure : float
    """
    lines = _joined(lines)
    if len(lines) <= _FEW:
        return tuple(lines.segment(i) for i in range(len(lines))), 0.0
    for sign in (1, -1):
        same, off = _mirrored(lines, sign)
        if off <= _ASYMMETRY * allowed:
            # A symmetric waveform costs half of another: the second half is made of the first.
            half, middle = len(lines) // 2, len(lines) % 2
            first, departure = _followed(same, half, allowed - off)
            centre = [same.segment(half)] if middle else []
            last = [_backwards(segment, sign) for segment in reversed(first)]
            return (*first, *centre, *last), departure + off
    segments, departure = _followed(lines, len(lines), allowed)
    return tuple(segments), departure


def _followed(lines: Lines, count: int, allowed: float) -> tuple[list[Segment], float]:
    """Segments along the first lines, so many of them, and their departure."""
    segments: list[Segment] = []
    departure = 0.0
    for first, last in _runs(lines, count, allowed):
        for curve in _Run.of(lines, first, last).curves(allowed / _MARGIN):
            if curve.last - curve.first == 1:
                segments.append(lines.segment(first + curve.first))
            else:
                segments.append(curve.segment)
                departure = max(departure, _MARGIN * curve.departure)
    return segments, departure


def _mirrored(lines: Lines, sign: int) -> tuple[Lines, float]:
    """The lines with F(T - t) = sign F(t), and by how much F departs from theirs; or infinity."""
    h = lines.duration
    if not np.allclose(h, h[::-1], rtol=0.0, atol=_STRAIGHT * h.sum()):
        return lines, np.inf
    same = Lines(
        duration=(h + h[::-1]) / 2.0,
        F=(lines.F + sign * lines.F[::-1]) / 2.0,
        before=(lines.before - sign * lines.after[::-1]) / 2.0,
        after=(lines.after - sign * lines.before[::-1]) / 2.0,
        count=lines.count,
    )
    return same, float(np.linalg.norm(same.F - lines.F, axis=1).max())


def _backwards(segment: Segment, sign: int) -> Segment:
    """The segment with sign F(h - t)."""
    later = Polynomial([segment.duration, -1.0])
    columns = np.zeros((len(segment.coefficients), len(segment.coefficients[0])))
    for k, c in enumerate(np.array(segment.coefficients).T):
        turned = sign * Polynomial(c)(later).coef
        columns[: len(turned), k] = turned
    return Segment(segment.duration, _vectors(columns))


def _joined(lines: Lines) -> Lines:
    """Lines that continue each other become one."""
    before, after = lines.before, lines.after
    small = _STRAIGHT * max(np.abs(before).max(), np.abs(after).max())
    times = np.concatenate([[0.0], np.cumsum(lines.duration)])
    # Two that continue each other, jumps and what begins or ends a rest left out.
    x = (lines.duration[:-1] / (lines.duration[:-1] + lines.duration[1:]))[:, None]
    chord = before[:-1] + x * (after[1:] - before[:-1])
    on = np.all(np.abs(np.stack([after[:-1], before[1:]]) - chord) <= 4 * small, axis=(0, 2))
    on &= lines.still[:-1] == lines.still[1:]
    stops = np.append(np.flatnonzero(~on) + 1, len(lines))
    begins: list[int] = []
    i = 0

    def straight(j: int) -> bool:
        """Whether lines i to j - 1 lie on the one from the beginning of the first to the end."""
        x = (times[i + 1 : j] - times[i]) / (times[j] - times[i])
        chord = before[i] + x[:, None] * (after[j - 1] - before[i])
        return bool(np.all(np.abs(before[i + 1 : j] - chord) <= small))

    while i < len(lines):
        begins.append(i)
        stop = int(stops[np.searchsorted(stops, i, side="right")])
        i = stop if stop == i + 1 else _furthest(i + 1, stop, straight)
    edges = np.array([*begins, len(lines)])
    return Lines(
        duration=np.add.reduceat(lines.duration, edges[:-1]),
        F=lines.F[edges],
        before=before[edges[:-1]],
        after=after[edges[1:] - 1],
        count=np.diff(edges),
    )


def _runs(lines: Lines, count: int, allowed: float) -> Iterator[tuple[int, int]]:
    """Runs of the first lines that curves may follow: from, to. A long line or rest is its own."""
    long = lines.duration >= _LONG_SHARE * lines.duration.sum()
    alone = long & (lines.still | (lines.count >= _LONG))
    # A step of values that are held is no jump if a curve may cut it.
    jump = np.linalg.norm(lines.before[1:] - lines.after[:-1], axis=1)
    jumps = jump * np.minimum(lines.duration[1:], lines.duration[:-1]) > 8.0 * allowed
    ends = np.flatnonzero(alone[1:] | alone[:-1] | jumps) + 1
    yield from pairwise([0, *map(int, ends[ends < count]), count])


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
    def of(cls, lines: Lines, first: int, last: int) -> _Run:
        here = slice(first, last)
        h, before, after = lines.duration[here], lines.before[here], lines.after[here]
        knots = np.concatenate([[0.0], np.cumsum(h)])
        s = h[:, None, None] * np.array([0.0, *_BETWEEN])[:, None]
        bend = ((after - before) / (2.0 * h[:, None]))[:, None]
        within = lines.F[here, None] + s * before[:, None] + s**2 * bend
        return cls(
            knots=knots,
            G=np.vstack([before[:1], (before[1:] + after[:-1]) / 2.0, after[-1:]]),
            times=np.append((knots[:-1, None] + s[..., 0]).ravel(), knots[-1]),
            F=np.vstack([within.reshape(-1, before.shape[1]), lines.F[last]]),
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
            some = slice(None, None, -(-len(x) // _FITTED))
            best = np.linalg.lstsq(columns[some], missing[some], rcond=None)[0]
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
