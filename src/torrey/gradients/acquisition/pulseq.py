"""Sequences of Pulseq (.seq), read by pypulseq, which is installed for them alone."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import MOST_MEASUREMENTS, printable
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.gradients.acquisition.reader import AcquisitionReader, Scan
from torrey.gradients.acquisition.shapes import Played, shared_waveforms
from torrey.gradients.acquisition.tables import SKIP, without_skipped
from torrey.gradients.acquisition.text import counted, read_text

_HERTZ: Final = 2 * math.pi * 1e-9  # 1 Hz/m of gamma G / 2 pi, in rad/(um ms)
_TIME_UNIT: Final = 1e3  # 1 s in ms

_SAME: Final = 1e-6
"""Times in ms that are one: far below the raster of any gradient system."""

Array = NDArray[np.float64]


def _sequence(path: Path) -> Any:
    """Return the sequence of a file as pypulseq understands it."""
    read_text(path)  # refuses what is no file of text
    try:
        pypulseq = importlib.import_module("pypulseq")
    except ImportError:
        raise InputError(
            f"{path.name}, a Pulseq sequence, without the package pypulseq",
            "pypulseq beside torrey: pip install 'torrey[pulseq]'",
        ) from None
    sequence = pypulseq.Sequence()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sequence.read(str(path), detect_rf_use=None)
            return sequence, sequence.waveforms_and_times()
    # What pypulseq raises at a broken file is of no fixed kind.
    except Exception as error:
        reason = printable(f"{type(error).__name__}: {error}"[:200])
        raise InputError(
            f"{path.name}: pypulseq cannot read it ({reason})", "a Pulseq sequence (.seq)"
        ) from None


def _scan(pulseq: Path, *, skip: Sequence[int] = ()) -> Scan:
    sequence, (waves, excitations, refocusings, *_) = _sequence(pulseq)
    starts = sorted(_TIME_UNIT * float(t) for t in np.asarray(excitations)[0])
    turns = sorted(_TIME_UNIT * float(t) for t in np.asarray(refocusings)[0])
    shots = [
        (start, [turn for turn in turns if start < turn < end])
        for start, end in zip(starts, [*starts[1:], math.inf], strict=True)
    ]
    echoes = [(start, inside) for start, inside in shots if inside]
    if not echoes:
        raise InputError(
            f"{pulseq.name}: {counted(len(starts), 'excitation')}, none of them refocused",
            "spin echoes: excitations with refocusing pulses after them",
        )
    if len(echoes) > MOST_MEASUREMENTS:
        raise InputError(
            f"{pulseq.name}: {len(echoes)} spin echoes", f"at most {MOST_MEASUREMENTS}"
        )
    left, words = without_skipped(echoes, skip)
    if len(echoes) < len(shots):
        words.append(
            f"{counted(len(shots) - len(echoes), 'excitation')} without refocusing left aside"
        )
    stated = _stated_echo(sequence)
    axes = [np.asarray(wave, dtype=float) for wave in waves[:3]]
    measured = [
        _played(axes, start, inside, stated, f"excitation {i} of {pulseq.name}")
        for i, (start, inside) in enumerate(left)
    ]
    shapes = shared_waveforms(pulseq.stem, measured)
    said = (
        f"{shapes.words} (all gradients from each excitation to its echo, read as Hz/m and s"
        f"{', TE as the file defines it' if stated else ''})"
    )
    return Scan(
        "gradient", shapes.rows, "; ".join((said, *words)), shapes.waveforms, shapes.segments
    )


def _stated_echo(sequence: Any) -> float:
    """The echo time (ms) among the definitions of the file, or 0."""
    given = getattr(sequence, "definitions", {}).get("TE", 0.0)
    try:
        value = float(np.ravel(np.asarray(given, dtype=float))[0])
    except (TypeError, ValueError, IndexError):
        return 0.0
    return round_significant(value * _TIME_UNIT) if math.isfinite(value) and value > 0 else 0.0


def _played(
    axes: Sequence[Array], start: float, turns: Sequence[float], stated: float, place: str
) -> Played:
    """The gradient from an excitation to its echo, turned by each refocusing pulse.

    Parameters
    ----------
    axes : sequence of array
        Times (s) and gradients (Hz/m) of x, y and z, each (2, n): lines between them.
    start : float
        Of the excitation (ms).
    turns : sequence of float
        Centres of the refocusing pulses (ms).
    stated : float
        Echo time (ms), or 0: the echo then mirrors the excitation at each refocusing pulse.
    place : str
    """
    echo = start
    for turn in turns:
        echo = 2 * turn - echo
    end = start + stated if stated else echo
    inside = [turn for turn in turns if turn < end - _SAME]
    knots = [start, end, *inside]
    knots += [1e3 * t for wave in axes for t in wave[0].tolist() if start < 1e3 * t < end]
    times: list[float] = []
    for time in sorted(knots):
        if not times or time - times[-1] > _SAME:
            times.append(time)
    at = np.array(times)
    values = np.stack([_on(wave, at / _TIME_UNIT) for wave in axes], axis=1) * _HERTZ
    return Played(*_turned(at - start, values, [turn - start for turn in inside]), place)


def _on(wave: Array, times: Array) -> Array:
    if wave.shape[1] == 0:
        return np.zeros_like(times)
    return np.interp(times, wave[0], wave[1], left=0.0, right=0.0)


def _turned(
    times: Array, values: Array, turns: Sequence[float]
) -> tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]:
    """Change the sign at each refocusing pulse, where a gradient jumps if it is not zero."""
    sign = 1.0
    found: list[tuple[float, tuple[float, ...]]] = []
    for time, row in zip(times.tolist(), values, strict=True):
        moment = round(time, 9)
        found.append((moment, tuple((sign * row).tolist())))
        if any(abs(time - turn) <= _SAME for turn in turns):
            sign = -sign
            if row.any():
                found.append((moment, tuple((sign * row).tolist())))
    return tuple(t for t, _ in found), tuple(v for _, v in found)


PULSEQ: Final = AcquisitionReader(
    name="pulseq",
    noun="a Pulseq sequence",
    keys={"pulseq": "a Pulseq sequence (.seq)"},
    about="all gradients from each excitation to its spin echo (with pypulseq: "
    "pip install 'torrey[pulseq]')",
    read=_scan,
    has_waveforms=True,
    options=(SKIP,),
)
