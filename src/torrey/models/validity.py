"""Which signals of a truncated model mean something, and a mark for those that do not.

A series that is cut off may make states grow that the Bloch-Torrey equation only lets decay, or
leave what numbers can hold. Its signal is then no signal: it is marked, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.stored import Variable

MEANINGS: Final = ("sound", "amplified", "exceeds_one", "overflowed")
"""By the values of a mark: nothing is known against the signal; some state grows over the
waveform; ``|S|`` is larger than 1 by more than its error; the signal is no finite number."""

GROWTH_TOLERANCE: Final = 1e-2
"""An amplification of one and this much counts as none: ten times what it is known to."""

Codes = NDArray[np.int8]
_NONE: Final[Mapping[str, str]] = {}


def validity(signal: ArrayLike, error: ArrayLike, amplification: ArrayLike) -> Codes:
    """Mark of each signal: its place in `MEANINGS`, the last one that applies.

    Parameters
    ----------
    signal : (...) complex
        Normalised to the initial magnetisation.
    error : (...) float
        Numerical error, absolute.
    amplification : (...) float
        See `torrey.models.model.Stability`; 1 for the reference, which only dissipates.
    """
    signal, error, amplification = np.broadcast_arrays(signal, error, amplification)
    finite = np.isfinite(signal)
    with np.errstate(invalid="ignore"):
        exceeds = finite & (np.abs(signal) > 1.0 + np.where(np.isfinite(error), error, 0.0))
        codes = np.where(amplification > 1.0 + GROWTH_TOLERANCE, 1, 0)
    codes = np.where(finite, np.where(exceeds, 2, codes), 3)
    return codes.astype(np.int8)


def known(values: NDArray[Any]) -> NDArray[Any]:
    """The same, where what is no finite number is missing: files say by marks what it was."""
    missing = complex(np.nan, np.nan) if np.iscomplexobj(values) else np.nan
    return np.where(np.isfinite(values), values, missing)


def growth_variable(dims: tuple[str, ...], growth: ArrayLike) -> Variable:
    """Rates of `torrey.models.model.Stability` as a variable; missing for the reference."""
    return Variable(
        dims,
        growth,
        "ms-1",
        "largest rate at which a homogenised model makes the energy norm of some state grow",
        {"allow_missing": True},
    )


def amplification_variable(dims: tuple[str, ...], amplification: ArrayLike) -> Variable:
    """Factors of `torrey.models.model.Stability` as a variable."""
    return Variable(
        dims,
        amplification,
        "1",
        "largest factor by which the energy norm of some state grows in the waveform",
    )


def validity_variable(dims: tuple[str, ...], codes: Codes) -> Variable:
    """The marks as a flag variable of the CF conventions."""
    flags = {
        "flag_values": np.arange(len(MEANINGS), dtype=np.int8),
        "flag_meanings": " ".join(MEANINGS),
    }
    return Variable(dims, codes, "1", "whether the signal means something", flags)


def describe(
    codes: Codes,
    models: Sequence[str],
    axes: Mapping[str, Sequence[object]],
    units: Mapping[str, str] = _NONE,
) -> list[str]:
    """One sentence for each model some of whose signals mean nothing: how many, why and where.

    Parameters
    ----------
    codes : (n_models, ...) int
    models : sequence of str
    axes : mapping of str to sequence
        The axes after the first by their names, in order, with their values.
    units : mapping of str to str
        Of the axes that have some.

    Examples
    --------
    >>> describe(np.array([[0, 0, 1, 3]]), ["R2"], {"b": [0.0, 1.0, 2.0, 3.0]})
    ['R2: 2 of 4 signals mean nothing (1 amplified, 1 overflowed), at b 2 to 3']
    """
    sentences = []
    for model, marks in zip(models, codes, strict=True):
        if not np.any(marks):
            continue
        reasons = [
            f"{np.sum(marks == code)} {MEANINGS[code].replace('_', ' ')}"
            for code in range(1, len(MEANINGS))
            if np.any(marks == code)
        ]
        places = [
            f"{_range(name, values, np.unique(where))} {units.get(name, '')}".rstrip()
            for (name, values), where in zip(axes.items(), np.nonzero(marks), strict=True)
            if len(values) > 1
        ]
        at = f", at {', '.join(places)}" if places else ""
        sentences.append(
            f"{model}: {np.count_nonzero(marks)} of {marks.size} signals mean nothing "
            f"({', '.join(reasons)}){at}"
        )
    return sentences


def _range(name: str, values: Sequence[object], where: NDArray[np.intp]) -> str:
    """The smallest and the largest value concerned; labels one by one."""
    some = [values[i] for i in where]
    numbers = [float(value) for value in some if isinstance(value, Real)]
    if len(numbers) < len(some):
        return f"{name} {'; '.join(map(str, some))}"
    low, high = min(numbers), max(numbers)
    return f"{name} {low:g}" if low == high else f"{name} {low:g} to {high:g}"
