"""What the columns of a file of samples hold: names, units, and digits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.units import Kind, unit_factor
from torrey.gradients.acquisition.text import place_of, read_lines, read_text
from torrey.gradients.waveforms.sampled import SampledKind

_COLUMN: Final = re.compile(r"([A-Za-z]\w*)\s*\(((?:[^()]|\([^()]*\))*)\)|(rf)\b", re.IGNORECASE)
_COLUMNS: Final = re.compile(rf"(?i:{_COLUMN.pattern})(?:[\s,]+(?i:{_COLUMN.pattern}))+")
_BARE: Final = re.compile(r"([A-Za-z]\w*)\s*(?:\(((?:[^()]|\([^()]*\))*)\))?")
_TIME_FIRST: Final = re.compile(r"(time|t)\b", re.IGNORECASE)
_TIME_NAMES: Final = ("time", "t")
_GRADIENT_NAMES: Final = (("g",), ("gx",), ("gx", "gy"), ("gx", "gy", "gz"))
_WAVE_VECTOR_NAMES: Final = (("q",), ("qx",), ("qx", "qy"), ("qx", "qy", "qz"))
_PULSE_NAME: Final = "rf"
_WAVEFORM_HEADER: Final = (
    'names of columns, each with its unit: "time (ms),gx (mT/m),gy (mT/m)" as the first line, or '
    '"# time (ms)  gx (mT/m)  gy (mT/m)" above numbers that spaces separate; g or gx, gy, gz for '
    "the gradient, q or qx, qy, qz for the wave vector, in this order and without gaps, and rf "
    "last if there is one; or, of a file without them, the keys columns and dt in the waveform"
)
_GIVEN: Final = (
    'names of columns in the order of the file, such as ["t (ms)", gx, gy, gz], or [gx, gy, gz] '
    "with dt; g or gx, gy, gz for the gradient, q or qx, qy, qz for the wave vector, and rf last "
    "if there is one; a time has its unit, others may have theirs"
)


@dataclass(frozen=True)
class Columns:
    """The columns of a file.

    Parameters
    ----------
    kind : {"gradient", "wave_vector"}
    time : float, optional
        Factor of the times to ms; None where the file has no column of them.
    factors : tuple of float
        Of the components to internal units.
    relative : bool
        Whether the components have no unit.
    pulses : bool
        Whether a column rf comes last.
    words : tuple of str
        Names and units as they were written.
    commas : bool, optional
        Whether commas separate the numbers; None where nothing says so.
    """

    kind: SampledKind
    time: float | None
    factors: tuple[float, ...]
    relative: bool
    pulses: bool
    words: tuple[str, ...]
    commas: bool | None = None

    @property
    def count(self) -> int:
        """Number of columns."""
        return (self.time is not None) + len(self.factors) + self.pulses


def columns_of_file(path: Path) -> tuple[int, Columns]:
    """Return what the line with the names says, and its number."""
    line, header = _header(path)
    place = place_of(line, path)
    if not _COLUMNS.fullmatch(header):
        raise InputError(f"{place}: {quoted(header)}", _WAVEFORM_HEADER)
    pairs = [(m[1] or m[3], m[2], m[0]) for m in _COLUMN.finditer(header)]
    found = _columns(pairs, f"{place}: ", _WAVEFORM_HEADER, "," in header)
    if found.time is None:
        names = ", ".join(name.lower() for name, *_ in pairs)
        raise InputError(f"{place}: the columns {names}", _WAVEFORM_HEADER)
    return line, found


def columns_given(words: Sequence[str]) -> Columns:
    """Return what a configuration says of the columns.

    Raises
    ------
    InputError
        If they are not such names.
    """
    pairs = []
    for i, word in enumerate(words):
        match = _BARE.fullmatch(word.strip())
        if match is None:
            raise InputError(quoted(word), _GIVEN, at=("columns", i))
        pairs.append((match[1], match[2], word.strip()))
    try:
        return _columns(pairs, "", _GIVEN, None)
    except InputError as error:
        raise InputError(error.found, error.accepted, at=("columns",)) from None


def _header(path: Path) -> tuple[int, str]:
    """Return the line that names the columns, without a sign of comment, and its number."""
    line, first = read_lines(path)[0]
    comments = [
        (i, text.strip().lstrip("#").strip())
        for i, text in enumerate(read_text(path).split("\n")[: line - 1], start=1)
    ]
    about_time = [(i, text) for i, text in comments if _TIME_FIRST.match(text)]
    headers = [(i, text) for i, text in about_time if _COLUMNS.fullmatch(text)]
    if len(headers) > 1:
        raise InputError(f"{place_of(headers[1][0], path)}: a second line with names", "one line")
    if not headers and first[0] in "+-.0123456789":
        # Numbers without a header: what was meant to be one says more than the numbers do.
        headers = about_time[:1]
    return headers[0] if headers else (line, first)


def _columns(
    pairs: Sequence[tuple[str, str | None, str]], place: str, accepted: str, commas: bool | None
) -> Columns:
    """Return what names, units and words of columns mean together."""
    names = [name.lower() for name, *_ in pairs]
    times = bool(names) and names[0] in _TIME_NAMES
    pulses = len(names) > 1 and names[-1] == _PULSE_NAME
    inner = tuple(names[times : len(names) - pulses])
    is_gradient = inner in _GRADIENT_NAMES
    if not is_gradient and inner not in _WAVE_VECTOR_NAMES:
        raise InputError(f"{place}the columns {', '.join(names)}", accepted)
    if pulses and not is_gradient:
        raise InputError(f"{place}rf beside a wave vector", "rf beside a gradient, which it turns")
    of_components = pairs[times : len(pairs) - pulses]
    units = [unit for _, unit, _ in of_components]
    relative = not any(unit is not None for unit in units)
    if not relative and None in units:
        raise InputError(f"{place}some components without unit", "a unit for each, or for none")
    kind: Kind = "gradient" if is_gradient else "q"
    return Columns(
        kind="gradient" if is_gradient else "wave_vector",
        time=_factor(pairs[0], "time", place) if times else None,
        factors=tuple(1.0 if relative else _factor(pair, kind, place) for pair in of_components),
        relative=relative,
        pulses=pulses,
        words=tuple(word for *_, word in pairs),
        commas=commas,
    )


def _factor(pair: tuple[str, str | None, str], kind: Kind, place: str) -> float:
    name, unit, _ = pair
    unit = (unit or "").strip()
    return unit_factor(unit, kind, f"{place}{name} in {quoted(unit)}")


def half_unit(texts: Iterable[str]) -> float:
    """Half a unit of the last digit that numbers of a column are written with.

    >>> half_unit(["1", "-0.33333"])
    5e-06
    """
    plain, powers = [], []
    for text in texts:
        digits, _, power = text.strip().lower().partition("e")
        last = -len(digits.partition(".")[2])
        if not power:
            plain.append(last)
        elif re.search("[1-9]", digits):
            powers.append(last + int(power))
    # Without powers a column has one number of decimals, and zeros at the end may be left out.
    last = int(np.median(powers)) if powers else min(plain, default=0)
    return float(f"5e{last - 1}")
