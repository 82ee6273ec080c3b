"""Lines, numbers and vectors of text files, and the words for what is wrong with them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from torrey.base.budgets import MOST_FILE_BYTES, printable, quoted, read_bytes
from torrey.base.errors import InputError
from torrey.base.keys import round_significant
from torrey.base.units import PROTON_GYROMAGNETIC_RATIO, UNITS, Kind

Direction = tuple[float, float, float]
"""Files always have three components."""

GRADIENT_UNIT: Final = PROTON_GYROMAGNETIC_RATIO * 1e-9  # 1 T/m, times gamma, in rad/(um ms)

_ROUNDING: Final = 0.01
"""How far from 1 the length of a direction may be in a file: digits are cut off there."""

_MOST_SHOWN: Final = 5
"""Faults of a file that are told in full: who mends these has seen what is wrong."""

UNIT_VECTOR: Final = "a vector of length 1 (within 1 % in a file)"


def read_text(path: Path) -> str:
    """Return the text of a regular file, with or without a mark of the byte order.

    Raises
    ------
    InputError
        If the file cannot be read, is none of text or is too large.
    """
    try:
        content = read_bytes(path, MOST_FILE_BYTES)
        text = re.sub("\r\n?", "\n", content.decode("utf-8-sig"))
    except InputError as error:
        accepted = error.accepted.replace("a file", "a text file")
        raise InputError(f"{printable(str(path))}: {error.found}", accepted) from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: not a text in UTF-8", "a text file") from None
    if "\0" in text:
        raise InputError(f"{path.name}: not a text (it has null bytes)", "a text file")
    return text


def numbers_in(text: str, place: str) -> list[float]:
    """Numbers that spaces, tabs or commas separate."""
    return [to_number(field, place) for field in fields_of(text)]


def fields_of(text: str) -> list[str]:
    """What spaces, tabs or commas separate."""
    return re.split(r"\s*,\s*|\s+", text.strip())


def read_lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that say something and their numbers, from 1; at least one line."""
    # Split as editors do; str.splitlines() would also count form feeds.
    stripped = (line.partition("#")[0].strip() for line in read_text(path).split("\n"))
    lines = [(i, line) for i, line in enumerate(stripped, start=1) if line]
    if not lines:
        raise InputError(f"{path.name}: an empty file", "a file with numbers")
    return lines


def read_numbers(path: Path) -> list[tuple[int, list[float]]]:
    """Return rows of numbers that spaces separate, with the numbers of their lines."""
    return [
        (line, [to_number(field, place_of(line, path)) for field in text.split()])
        for line, text in read_lines(path)
    ]


def to_number(text: str, place: str) -> float:
    """A number, or a refusal that names its place."""
    # Python also takes 1_000, and the digits of other scripts; no program that writes such files
    # means that.
    if text.isascii() and "_" not in text:
        try:
            return float(text)
        except ValueError:
            pass
    raise InputError(f"{place}: {quoted(text.strip())}", "a number")


def normalised(vector: Direction) -> Direction:
    """Bring a vector to length 1 unless it is further from it than rounding explains."""
    length = math.hypot(*vector)
    if not round_significant(abs(length - 1)) <= _ROUNDING:
        return vector
    x, y, z = (component / length for component in vector)
    return x, y, z


def is_unit(vector: Direction) -> bool:
    """Whether the length is 1 to rounding."""
    return len(vector) == 3 and abs(math.hypot(*vector) - 1) < 1e-9


def place_of(line: int, path: Path) -> str:
    """Say where a line is."""
    return f"line {line} of {path.name}"


def check_range(value: float, kind: Kind, place: str, column: str) -> None:
    """Refuse a value in internal units that no measurement has; infinities are told elsewhere.

    Raises
    ------
    InputError
        If the value is finite and not plausible: see `torrey.base.units.UNITS`.
    """
    unit = UNITS[kind]
    if math.isfinite(value) and not unit.holds(value):
        raise InputError(f"{place}: {column} = {value:g} {unit.internal}", f"0, or {unit.range}")


class Faults:
    """What is wrong with the rows of a file: all of it is said at once."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str, str], None] = {}

    def add(self, place: str, found: str, accepted: str) -> None:
        """Note what was found at a place, and what would be accepted there."""
        self._noted[place, found, accepted] = None

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Note a refusal, which says its own place where `place` is empty."""
        try:
            yield
        except InputError as error:
            self.add(place, error.found, error.accepted)

    def check(self) -> None:
        """Refuse the file if anything was noted.

        Raises
        ------
        InputError
            With the first places in full, the number of all and what is accepted. What is noted
            again at the same place, as by each row of a file with one line, counts once.
        """
        noted = [*self._noted]
        if not noted:
            return
        shown = [f"{place}: {found}" if place else found for place, found, _ in noted]
        rest = len(shown) - _MOST_SHOWN
        if rest > 0:
            places = [place for place, _, _ in noted[_MOST_SHOWN:] if place]
            named = ", ".join(places[: 2 * _MOST_SHOWN])
            dots = ", ..." if rest > 2 * _MOST_SHOWN else ""
            shown[_MOST_SHOWN:] = [f"and {rest} more" + (f" ({named}{dots})" if named else "")]
        accepted = dict.fromkeys(accepted for _, _, accepted in noted)
        raise InputError("; ".join(shown), "; ".join([*accepted][:_MOST_SHOWN]))


def written(values: Sequence[float]) -> str:
    """Numbers in brackets."""
    return f"({', '.join(f'{value:g}' for value in values)})"


def counted(n: int, noun: str) -> str:
    """A number and its noun, in the plural where that is due."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def spread(values: Iterable[float]) -> str:
    """From the least to the most."""
    ordered = sorted(values)
    least, most = ordered[0], ordered[-1]
    return f"= {least:g}" if least == most else f"from {least:g} to {most:g}"
