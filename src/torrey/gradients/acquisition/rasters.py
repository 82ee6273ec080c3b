"""Samples of a gradient on a raster, values that are held, and the sign after 180 degree pulses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal, get_args

import numpy as np

from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.gradients.waveforms.segments import Vector

Between = Literal["linear", "hold"]
First = Literal["zero", "half"]
BETWEEN: Final = get_args(Between)
FIRST: Final = get_args(First)

#: Steps of a raster that differ by less, of one, are equal.
_EQUAL: Final = 1e-6
_MARK: Final = 180.0

Rows = list[tuple[float, Vector]]


def raster_times(count: int, dt: float, first: First) -> list[float]:
    """Times (ms) of samples on a raster, from 0 or from the middle of its first step."""
    begin = dt / 2 if first == "half" else 0.0
    return [round_significant(begin + i * dt) for i in range(count)]


def in_middle(times: Sequence[float]) -> bool:
    """Whether samples stand in the middle of equal steps, the first of which begins at 0."""
    steps = np.diff(times)
    if not len(steps) or not steps[0] > 0.0:
        return False
    even = np.all(np.abs(steps - steps[0]) <= _EQUAL * steps[0])
    return bool(even and abs(times[0] - steps[0] / 2) <= _EQUAL * steps[0])


def from_zero(rows: Rows) -> Rows:
    """Samples in the middle of their steps, with lines from zero and to zero beside them."""
    zero = (0.0,) * len(rows[0][1])
    after = rows[-1][0] + rows[0][0]
    return [(0.0, zero), *rows, (round_significant(after), zero)]


def held(rows: Rows, half: float = 0.0) -> Rows:
    """Values that stay until the next sample: jumps, as times that stand twice.

    Parameters
    ----------
    rows : list of (time, components)
    half : float, ms
        Where samples stand in the middle of their steps, half of a step: they hold before as well.
        Otherwise the last sample ends the one before it.
    """
    ends = [time + half for time, _ in rows] if half else [time for time, _ in rows[1:]]
    begin, found = 0.0, []
    for end, (_, G) in zip(ends, rows, strict=False):
        end = round_significant(end)
        found += [(begin, G), (end, G)]
        begin = end
    return found


def check_held(rows: Rows) -> None:
    """Refuse a last sample that would hold for no time."""
    if any(rows[-1][1]):
        raise InputError(
            "a last sample that is not zero, and is held until nothing",
            "a last row of zeros, whose time says when the one before it ends",
        )


def refocused(rows: Rows, instants: Sequence[float]) -> Rows:
    """Samples with the sign turned from each of some instants on.

    Raises
    ------
    InputError
        If an instant is not within the samples, or there twice.
    """
    for one, other in pairwise(sorted(instants)):
        if one == other:
            raise InputError(
                f"two 180 degree pulses at {one:g} ms", "each instant once", at=("refocus",)
            )
    for instant in sorted(instants):
        if not rows[0][0] < instant < rows[-1][0]:
            raise InputError(
                f"a 180 degree pulse at {instant:g} ms",
                f"an instant between {rows[0][0]:g} and {rows[-1][0]:g} ms",
                at=("refocus",),
            )
        rows = _turned(rows, instant)
    return rows


def _turned(rows: Rows, instant: float) -> Rows:
    before = [row for row in rows if row[0] < instant]
    at = [G for time, G in rows if time == instant]
    after = [(time, _negative(G)) for time, G in rows if time > instant]
    if not at:
        (t0, a), (t1, b) = rows[len(before) - 1], rows[len(before)]
        x = (instant - t0) / (t1 - t0)
        at = [tuple(u + x * (v - u) for u, v in zip(a, b, strict=True))]
        if not any(a) and not any(b):  # inside a rest
            return [*before, *after]
    left, right = at[0], _negative(at[-1])
    there = [(instant, left)] if left == right else [(instant, left), (instant, right)]
    return [*before, *there, *after]


def _negative(G: Vector) -> Vector:
    return tuple(0.0 - x for x in G)  # no negative zeros


def pulses_of(
    times: Sequence[float], marks: Sequence[float], stays: bool = False
) -> tuple[float, ...]:
    """Instants of 180 degree pulses by a column: 1 and -1, or 180 where a pulse is and 0 elsewhere.

    Parameters
    ----------
    times : sequence of float
    marks : sequence of float
    stays : bool
        Whether a mark stays until the next sample, as values do; else it turns half-way.

    Raises
    ------
    InputError
        If the column has other numbers.
    """
    t, signs = np.array(times), np.array(marks)
    until = np.append(t[1:], t[-1]) if stays else t
    if set(marks) <= {1.0, -1.0}:
        turns = np.flatnonzero(np.diff(signs) != 0.0)
        middles = (until[turns] + t[turns + 1]) / 2
    elif set(marks) <= {0.0, _MARK}:
        edges = np.diff(np.concatenate([[0.0], signs, [0.0]]))
        middles = (t[np.flatnonzero(edges > 0.0)] + until[np.flatnonzero(edges < 0.0) - 1]) / 2
    else:
        strange = [x for x in marks if x not in (1.0, -1.0, 0.0, _MARK)]
        raise InputError(
            f"rf = {strange[0]:g}" if strange else "rf of 1 or -1 beside 0 or 180",
            "1 and -1, the sign with which the gradient acts, or 180 where a 180 degree pulse is "
            "and 0 elsewhere",
        )
    return tuple(round_significant(float(x)) for x in middles)
