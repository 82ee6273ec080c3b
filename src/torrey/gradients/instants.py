"""Times at which pictures of a measurement are made: stills that tell its story, and a film."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.gradients.waveforms import Waveform

MOST_STILLS: Final = 8
"""Stills of one figure."""
FRAMES: Final = 37
"""Frames of a film, those at the beginning and at the echo included."""

_FEWEST: Final = 5
_EVEN: Final = 6
#: Two instants closer than this, of the echo time, are one.
_SAME: Final = 1e-6


def still_times(waveform: Waveform) -> tuple[float, ...]:
    """Times that show what a waveform does (ms), from 0 to the echo.

    They are those at which pulses begin and end, and the middle of each time without a gradient;
    the middle of each pulse, too, where these are few. Waveforms of many pieces have evenly spaced
    ones.
    """
    segments, echo = waveform.segments, waveform.echo_time
    ends = [0.0, *np.cumsum([segment.duration for segment in segments]).tolist()]
    ends[-1] = echo
    middles = [_rounded((a + b) / 2.0) for a, b in pairwise(ends)]
    still = [t for t, segment in zip(middles, segments, strict=True) if segment.constant]
    choices = [[*ends, *still], ends]
    if len(choices[0]) < _FEWEST:
        choices.insert(0, [*ends, *middles])
    for chosen in choices:
        found = distinct(chosen, echo)
        if len(found) <= MOST_STILLS:
            return found
    inner = [_rounded(i * echo / (_EVEN - 1)) for i in range(1, _EVEN - 1)]
    return (0.0, *inner, echo)


def film_times(echo: float, stills: Sequence[float]) -> tuple[float, ...]:
    """Evenly spaced times from 0 to the echo (ms), those of stills among them."""
    even = [echo * i / (FRAMES - 1) for i in range(FRAMES)]
    between = [t for t in even if all(abs(t - still) > _SAME * echo for still in stills)]
    return distinct([*stills, *between], echo)


def frames_of(times: NDArray[np.float64]) -> NDArray[np.intp]:
    """Numbers of the times that are nearest to the frames of a film, shape (FRAMES,)."""
    even = times[-1] * np.arange(FRAMES) / (FRAMES - 1)
    return np.abs(times[:, None] - even).argmin(axis=0)


def distinct(times: Sequence[float], echo: float) -> tuple[float, ...]:
    """Times in their order, each once: those that are the same up to rounding are one."""
    found: list[float] = []
    for t in sorted(times):
        if not found or not math.isclose(t, found[-1], rel_tol=0.0, abs_tol=_SAME * echo):
            found.append(t)
    return tuple(found)


def _rounded(time: float) -> float:
    """A time between others, to digits that people read."""
    return float(f"{time:.4g}")
