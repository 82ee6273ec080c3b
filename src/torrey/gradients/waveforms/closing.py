"""Sampled gradients that do not quite end at g(T_E) = 0: rounding, and the sign after 180 degrees.

A file has so many digits. What they leave at the echo is spread over the samples, each component in
proportion to its own gradient: what is zero stays zero, and a straight line from zero stays
straight. More than the digits explain is refused, with the cause where one is likely.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

import numpy as np

from torrey.base.errors import InputError
from torrey.gradients.waveforms.merging import Lines
from torrey.gradients.waveforms.segments import Array

#: A residual, relative to the largest |g|, that is spread whatever the digits are.
SMALL: Final = 1e-6
#: The largest that digits may explain: beyond it b is not known well enough.
LARGEST: Final = 1e-3
#: Half a unit of the last digit, relative to the largest gradient: fewer digits than three are what
#: somebody chose, and exact.
_DIGITS: Final = 1e-3
#: A sign that is turned leaves so little: a file may have its imperfections as well.
_TURNED: Final = 1e-3
#: So many rests are looked at.
_MOST_RESTS: Final = 100


@dataclass(frozen=True)
class Closed:
    """Lines whose F is zero at the end, and what was spread over them.

    Parameters
    ----------
    lines : Lines
        With max |F| = 1.
    residual : float
        |F| at the end before, relative to the largest.
    explained : float
        The largest residual that the digits of the samples can leave.
    rounding : float
        Root mean square of what the digits leave in F at the end.
    slope : float
        The largest gradient before, over the largest |F|.
    """

    lines: Lines
    residual: float
    explained: float
    rounding: float
    slope: float


def closed(lines: Lines, unit: Array) -> Closed:
    """Spread the residual of F at the end over the gradient.

    Parameters
    ----------
    lines : Lines
    unit : (k,) float
        Half a unit of the last digit of each component of the gradient, or zeros.

    Raises
    ------
    InputError
        If F does not move, or its residual is larger than the digits explain.
    """
    h, before, after, end = lines.duration[:, None], lines.before, lines.after, lines.F[-1]
    peak = _largest(lines)
    if not (np.isfinite(peak) and peak > 0.0):
        raise InputError("a waveform without gradient", "a gradient that is not zero throughout")
    strongest = float(np.linalg.norm(np.vstack([before, after]), axis=1).max())
    unit = np.where(unit <= _DIGITS * strongest, unit, 0.0)
    acts = (before != 0.0) | (after != 0.0)
    explained = float(np.linalg.norm(unit * np.sum(h * acts, axis=0))) / peak
    rounding = float(np.linalg.norm(unit * np.sqrt(np.sum(h**2 * acts, axis=0) / 3.0))) / peak
    residual = float(np.linalg.norm(end)) / peak
    if residual > max(SMALL, min(explained, LARGEST)):
        raise _refusal(lines, residual, peak, explained)
    # The path of each component of F, as the lines between samples have it.
    path = np.sum(h * (np.abs(before) + np.abs(after)) / 2.0, axis=0)
    part = np.divide(end, path, out=np.zeros_like(end), where=path > 0.0)
    spread = (((G - part * np.abs(G)) / peak) for G in (before, after))
    return Closed(
        Lines.of(lines.duration, *spread), residual, explained, rounding, strongest / peak
    )


def _largest(lines: Lines) -> float:
    """Largest |F| at the ends of lines and in their middle: to normalise with, no more."""
    h = lines.duration[:, None]
    middle = lines.F[:-1] + h * (3.0 * lines.before + lines.after) / 8.0
    return float(max(np.linalg.norm(x, axis=1).max() for x in (lines.F, middle)))


def _refusal(lines: Lines, residual: float, peak: float, explained: float) -> InputError:
    accepted = f"a gradient whose integral is zero, so that g(T_E) = 0 to {SMALL:g}"
    if min(explained, LARGEST) > SMALL:
        at_most = f", of which {LARGEST:g} is accepted" if explained > LARGEST else ""
        accepted += f"; the rounding of its digits explains up to {explained:.2g}{at_most}"
    instants = turns(lines, _TURNED * peak)
    if instants:
        times = " and ".join(f"{t:g} ms" for t in instants)
        value = f"[{', '.join(f'{t:g} ms' for t in instants)}]" if len(instants) > 1 else times
        accepted += (
            f". With the sign turned from {times} on, inside a rest, it would be: the file seems "
            "to give the gradient that the scanner plays out, without the sign that a pulse of 180 "
            f"degrees gives to what follows, which `refocus: {value}` in the waveform says"
        )
    found = f"a wave vector g(T_E) at the echo of {residual:.3g} times the largest |g|"
    return InputError(found, accepted)


def turns(lines: Lines, small: float) -> tuple[float, ...]:
    """Instants inside rests, one or two, from which on a turned sign lets F end at zero; or none.

    Parameters
    ----------
    lines : Lines
    small : float
        |F| at the end that counts as zero.
    """
    rests = list(_rests(lines))[:_MOST_RESTS]
    for count in (1, 2):
        for some in combinations(rests, count):
            # F(T) = F_1 - (F_2 - F_1) + ..., with the sign turned at each of them.
            left = lines.F[-1] * (-1) ** count
            for i, (_, F) in enumerate(some):
                left = left + 2.0 * (-1) ** i * F
            if np.linalg.norm(left) <= small:
                return tuple(t for t, _ in some)
    return ()


def _rests(lines: Lines) -> Iterator[tuple[float, Array]]:
    """An instant inside each rest between gradients, and F there: T_E / 2 where it rests then."""
    times = np.concatenate([[0.0], np.cumsum(lines.duration)])
    moves = np.flatnonzero(~lines.still)
    for i, j in pairwise(moves):
        begin, end = times[i + 1], times[j]
        if j > i + 1:
            middle = times[-1] / 2.0
            if not begin <= middle <= end:
                middle = (begin + end) / 2.0
            yield float(f"{middle:.6g}"), lines.F[j]
