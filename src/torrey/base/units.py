"""Quantities with units, read into the units used inside: um, ms and what follows from them.

pint is used here and nowhere else, and only when the first quantity is read: its import and its
registry cost a third of a second that most jobs do not need.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, Literal, TypeGuard

from torrey.base.budgets import MOST_QUANTITY_CHARACTERS, quoted
from torrey.base.errors import InputError
from torrey.base.keys import format_number, round_significant

if TYPE_CHECKING:
    import pint

PROTON_GYROMAGNETIC_RATIO: Final = 2.6752218744e8
"""Of the free proton, in rad/s/T (CODATA 2018)."""

Kind = Literal[
    "length",
    "time",
    "relaxation_time",
    "diffusivity",
    "b_value",
    "permeability",
    "q",
    "gradient",
    "angle",
    "frequency",
]


class UnitError(InputError):
    """A text that is not a quantity of the kind asked for."""


@dataclass(frozen=True)
class Unit:
    """How one kind of quantity is called, measured inside and written by people.

    `ways` are one and the same quantity as different people write it, for the documentation.

    Sizes that are not zero lie between `least` and `most`, in internal units: what tissue and
    scanners have, and some decades beyond, so that no combination leaves the range of the numbers
    of a computer or the condition of a matrix.
    """

    noun: str
    internal: str
    example: str
    least: float
    most: float
    ways: tuple[str, ...]

    @property
    def accepted(self) -> str:
        """What to write, with an example."""
        return f'{self.noun} with its unit, such as "{self.example}"'

    @property
    def cf(self) -> str:
        """The internal unit as files name it (CF conventions), such as ``ms um-2``."""
        above, _, below = self.internal.partition("/")
        factors = [factor.replace("^", "") for factor in above.split("*")]
        for factor in below.strip("()").split("*") if below else ():
            name, _, power = factor.partition("^")
            factors.append(f"{name}-{power or 1}")
        return " ".join(factors)

    @property
    def range(self) -> str:
        """Sizes that are accepted beside zero."""
        least, most = format_number(self.least), format_number(self.most)
        return f"from {least} to {most} {self.internal}"

    def holds(self, value: float) -> bool:
        """Whether a value in internal units is zero or of a plausible size."""
        return value == 0.0 or self.least <= abs(value) <= self.most


UNITS: Final[dict[Kind, Unit]] = {
    "length": Unit(
        "a length", "um", "6 um", 1e-2, 1e4, ("6 um", "6 µm", "0.006 mm", "6e-6 m", "6000 nm")
    ),
    "time": Unit("a time", "ms", "5 ms", 1e-3, 1e4, ("5 ms", "0.005 s", "5000 us", "5000 µs")),
    "relaxation_time": Unit("a relaxation time", "ms", "80 ms", 1e-2, 1e6, ("80 ms", "0.08 s")),
    "diffusivity": Unit(
        "a diffusivity",
        "um^2/ms",
        "3e-3 mm^2/s",
        1e-6,
        1e3,
        (
            "3e-3 mm^2/s",
            "3e-3 mm2/s",
            "3e-3 mm²/s",
            "3e-3 mm**2/s",
            "3e-3 mm2 s-1",
            "3 um2/ms",
            "3 µm²/ms",
            "3000 um2/s",
            "3e-9 m2/s",
        ),
    ),
    "b_value": Unit(
        "a b-value",
        "ms/um^2",
        "850 s/mm^2",
        1e-6,
        1e3,
        ("850 s/mm^2", "850 s/mm2", "850 s/mm²", "850 s mm-2", "0.85 ms/um2", "8.5e8 s/m2"),
    ),
    "permeability": Unit(
        "a permeability",
        "um/ms",
        "5e-5 m/s",
        1e-9,
        1e3,
        ("5e-5 m/s", "5e-3 cm/s", "50 um/s", "0.05 um/ms", "5e-5 m s-1"),
    ),
    "q": Unit(
        "a wave number",
        "rad/um",
        "0.2 rad/um",
        1e-4,
        1e2,
        ("0.2 rad/um", "200 rad/mm", "2e5 rad/m", "0.2 rad um-1"),
    ),
    "gradient": Unit(
        "a gradient",
        "rad/(um*ms)",
        "300 mT/m",
        1e-5,
        1e2,
        ("300 mT/m", "0.3 T/m", "30 G/cm", "300 mT m-1"),
    ),
    "frequency": Unit("a frequency", "kHz", "50 Hz", 1e-6, 1e4, ("50 Hz", "0.05 kHz", "50 s-1")),
    "angle": Unit("an angle", "degree", "90 deg", 1e-6, 360.0, ("90 deg", "90 degree", "90°")),
}

# Digits are those of ASCII; blanks are stripped before, so that nothing is tried twice.
_DIGITS: Final = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = re.compile(_DIGITS)
_QUANTITY = re.compile(rf"(?P<number>{_DIGITS})\s*(?P<unit>[^\d\s+-].*)", re.DOTALL)
# As in mm2 and s-1: a power without its sign, at the end of a name.
_PLAIN_POWER = re.compile(r"(?<=[A-Za-z])(?=-?[0-9](?![0-9^*]))")
# Names with exponents of one digit, and signs: a unit is computed, and um**9**9**9 takes for ever.
_UNIT = re.compile(
    r"""(?:
    (?:[A-Za-z_µμΩΩÅ°%]++|\))
    (?:\s*+(?:\*\*|\^)\s*+(?:[+-]?[0-9]|\(\s*+[+-]?[0-9]\s*+\))(?![0-9])|⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹])?+
    |[*/·⋅(](?!\*)
    |\s
    )*+""",
    re.VERBOSE,
)


def parse(text: object, kind: Kind) -> float:
    """Read a quantity with its unit.

    Parameters
    ----------
    text : str
        A number and a unit: ``"850 s/mm^2"``, ``"850 s/mm2"``, ``"10 µm"``, ``"3e-3 mm**2/s"``.
        Anything that is not a text, a bare number for one, is refused.
    kind : str
        What the quantity is. ``"q"`` is the wave number gamma G delta; ``"gradient"`` takes gamma G
        in units such as ``rad/(mm ms)``, or G in units such as ``mT/m`` (of protons).

    Returns
    -------
    float
        The value in the internal unit of its kind (see `UNITS`), rounded to 12 significant digits
        so that equal quantities written in different units are equal.

    Raises
    ------
    UnitError
        If there is no number or no unit, the unit is unknown or of another dimension, or the
        value is not finite or not plausible: see `UNITS` for the range of each kind.

    Examples
    --------
    >>> parse("850 s/mm^2", "b_value")
    0.85
    """
    unit = UNITS[kind]
    # Looked for first: 1e3 is no 1 of the unit e3.
    if _is_bare(text):
        raise UnitError(f"{_shown(text)} (a bare number)", unit.accepted)
    match = _QUANTITY.fullmatch(text.strip()) if _is_short(text) else None
    if match is None:
        raise UnitError(_shown(text), unit.accepted)
    value = float(match["number"]) * unit_factor(match["unit"], kind, _shown(text))
    if not math.isfinite(value):
        raise UnitError(f"{_shown(text)} (not finite)", unit.accepted)
    # A number too small for a computer is none that its author wrote as zero.
    vanished = value == 0.0 and re.search("[1-9]", re.split("[eE]", match["number"])[0])
    if vanished or not unit.holds(value):
        raise UnitError(_shown(text), f"{unit.accepted}, {unit.range}")
    return round_significant(value)


def unit_factor(text: str, kind: Kind, shown: str) -> float:
    """Return what one unit is in internal units.

    Parameters
    ----------
    text : str
        The unit alone, such as ``mT/m``.
    kind : str
        See `parse`.
    shown : str
        What was found, for the message.

    Raises
    ------
    UnitError
        If the unit is unknown or of another dimension.
    """
    if not re.match(r"[^\d\s+-]", text):
        raise UnitError(shown, UNITS[kind].accepted)
    factor = _factor(text, kind) if _is_short(text) else f"unknown unit {quoted(text)}"
    if isinstance(factor, str):
        raise UnitError(f"{shown} ({factor})", UNITS[kind].accepted)
    return factor


def _is_short(text: object) -> TypeGuard[str]:
    return isinstance(text, str) and len(text) <= MOST_QUANTITY_CHARACTERS


def _is_bare(text: object) -> bool:
    if isinstance(text, str):
        return _is_short(text) and _NUMBER.fullmatch(text.strip()) is not None
    return isinstance(text, Real) and not isinstance(text, bool)


def _shown(text: object) -> str:
    shown = quoted(str(text))
    return shown if not isinstance(text, str) or _is_short(text) else f"{shown} (too long)"


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(on_redefinition="ignore")
    # An angle is a dimension here: 1/um and rad/um differ by 2 pi in half of the literature.
    registry.define("radian = [angle] = rad")
    # pint's own gauss is that of the CGS, of another dimension than the tesla.
    registry.define("gauss = 1e-4 * tesla = G")
    return registry


@lru_cache(maxsize=1024)
def _factor(unit: str, kind: Kind) -> float | str:
    """Return what one `unit` is in internal units, or the reason why it is not of this kind."""
    unknown = f"unknown unit {quoted(unit)}"
    powers = _PLAIN_POWER.sub("^", unit)
    if not _UNIT.fullmatch(powers):
        return unknown
    registry = _registry()
    try:
        quantity = registry.Quantity(1.0, registry.parse_units(powers))
        if kind == "gradient" and quantity.is_compatible_with("T/m"):
            quantity = quantity * registry.Quantity(PROTON_GYROMAGNETIC_RATIO, "rad/s/T")
        if quantity.is_compatible_with(UNITS[kind].internal):
            return float(quantity.m_as(UNITS[kind].internal))
        for other in UNITS.values():
            if quantity.is_compatible_with(other.internal):
                return other.noun
    except Exception:  # pint lets the tokenizer's and its own assertions through
        return unknown
    return f"not {UNITS[kind].noun}"
