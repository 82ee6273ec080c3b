"""Canonical names: numbers as text, and readable names of files built from them.

A number is written with 12 significant digits and nothing that a file system or a shell minds.
Names are built from values and then looked up; they are never taken apart again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

SIGNIFICANT_DIGITS = 12
LONGEST_NAME = 120
_DIGEST_LENGTH = 12

Value = str | float | Sequence[float]


def round_significant(number: float) -> float:
    """Round to the 12 significant digits that a name can hold.

    >>> round_significant(850 * 1e-3 * (1 + 1e-15))
    0.85
    """
    return float(f"{number:.{SIGNIFICANT_DIGITS}g}")


def format_number(number: float) -> str:
    """Write a finite number in its one canonical form.

    Raises
    ------
    ValueError
        If the number is not finite.

    Examples
    --------
    >>> [format_number(x) for x in (850.0, 1e-5, 1 / 3, -0.0, 2.5e20)]
    ['850', '1e-5', '0.333333333333', '0', '2.5e20']
    """
    if not math.isfinite(number):
        raise ValueError(f"a name can only hold a finite number, found {number}")
    text = f"{number:.{SIGNIFICANT_DIGITS}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}"
    return "0" if text == "-0" else text


def parse_number(text: str) -> float:
    """Read what `format_number` wrote, and nothing else: one number has one name.

    Raises
    ------
    ValueError
        If the text is not the canonical form of a number.
    """
    try:
        number = float(text)
        canonical = format_number(number)
    except ValueError:
        raise ValueError(f'found "{text}", accepted: a number such as "0.05" or "1e-5"') from None
    if text != canonical:
        raise ValueError(f'found "{text}", accepted: its canonical form "{canonical}"')
    return number


def slug(parts: Mapping[str, Value]) -> str:
    """Build a readable name from labelled values, in the order given.

    Each part is its label followed by its value; several numbers are joined by underscores, not by
    commas, at which Snakemake would split the names of cluster jobs. A name longer than 120
    characters keeps its beginning and ends in a digest of the whole.

    Parameters
    ----------
    parts : mapping of str to str, float or sequence of float
        Labels (may be empty) and values.

    Examples
    --------
    >>> slug({"L": 10.0, "kappa": 0.05, "": "pgse-5-25", "n": (0.0, 1.0)})
    'L10_kappa0.05_pgse-5-25_n0_1'
    """
    return shorten("_".join(label + _text(value) for label, value in parts.items()))


def shorten(name: str) -> str:
    """Replace the end of a name that is too long by a digest of the whole name."""
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{name[: LONGEST_NAME - _DIGEST_LENGTH - 1]}-{digest}"


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float | int):
        return format_number(value)
    return "_".join(map(format_number, value))
