"""Quantities with units, read into the units used inside: um, ms and what follows from them.

pint is used here and nowhere else, and only when the first quantity is read: its import and its
registry cost a third of a second that most jobs do not need.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from torrey.errors import InputError
from torrey.keys import round_significant

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
]


class UnitError(InputError):
    """A text that is not a quantity of the kind asked for."""


@dataclass(frozen=True)
class Unit:
    """How one kind of quantity is called, measured inside and written by people."""

    noun: str
    internal: str
    example: str

    @property
    def accepted(self) -> str:
        """What to write, with an example."""
        return f'{self.noun} with its unit, such as "{self.example}"'


UNITS: Final[dict[Kind, Unit]] = {
    "length": Unit("a length", "um", "6 um"),
    "time": Unit("a time", "ms", "5 ms"),
    "relaxation_time": Unit("a relaxation time", "ms", "80 ms"),
    "diffusivity": Unit("a diffusivity", "um^2/ms", "3e-3 mm^2/s"),
    "b_value": Unit("a b-value", "ms/um^2", "850 s/mm^2"),
    "permeability": Unit("a permeability", "um/ms", "5e-5 m/s"),
    "q": Unit("a wave number", "rad/um", "0.2 rad/um"),
    "gradient": Unit("a gradient", "rad/(um*ms)", "300 mT/m"),
    "angle": Unit("an angle", "degree", "90 deg"),
}

_QUANTITY = re.compile(
    r"\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\d\s+-].*?)\s*",
    re.DOTALL,
)


def parse(text: object, kind: Kind) -> float:
    """Read a quantity with its unit.

    Parameters
    ----------
    text : str
        A number and a unit: ``"850 s/mm^2"``, ``"10 µm"``, ``"3e-3 mm**2/s"``. Anything that is
        not a text, a bare number for one, is refused.
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
        value is not finite.

    Examples
    --------
    >>> parse("850 s/mm^2", "b_value")
    0.85
    """
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise UnitError(f'"{text}"', UNITS[kind].accepted)
    factor = _factor(match["unit"], kind)
    if isinstance(factor, str):
        raise UnitError(f'"{text}" ({factor})', UNITS[kind].accepted)
    value = float(match["number"]) * factor
    if not math.isfinite(value):
        raise UnitError(f'"{text}" (not finite)', UNITS[kind].accepted)
    return round_significant(value)


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(on_redefinition="ignore")
    # An angle is a dimension here: 1/um and rad/um differ by 2 pi in half of the literature.
    registry.define("radian = [angle] = rad")
    return registry


@cache
def _factor(unit: str, kind: Kind) -> float | str:
    """Return what one `unit` is in internal units, or the reason why it is not of this kind."""
    registry = _registry()
    try:
        quantity = registry.Quantity(1.0, registry.parse_units(unit))
    except Exception:  # pint lets the tokenizer's and its own assertions through
        return f'unknown unit "{unit}"'
    if kind == "gradient" and quantity.is_compatible_with("T/m"):
        quantity = quantity * registry.Quantity(PROTON_GYROMAGNETIC_RATIO, "rad/s/T")
    if quantity.is_compatible_with(UNITS[kind].internal):
        return float(quantity.m_as(UNITS[kind].internal))
    for other in UNITS.values():
        if quantity.is_compatible_with(other.internal):
            return other.noun
    return f"not {UNITS[kind].noun}"
