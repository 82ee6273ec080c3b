"""The border: texts with units, pint quantities and plain numbers in, numbers in um and ms out.

What is refused is named as it was called: ``Cell(period=...)``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import MOST_VALUES, quoted
from torrey.base.errors import InputError, KeyPath
from torrey.base.keys import format_number, round_significant
from torrey.base.units import UNITS, Kind, UnitError, parse, unit_factor

if TYPE_CHECKING:
    import pint

    Quantity: TypeAlias = str | float | pint.Quantity[Any]
    Quantities: TypeAlias = Quantity | Sequence[Quantity] | NDArray[Any]

Sign = Literal["positive", "zero", "any"]
"""What a value may be: above zero, zero too, or negative too."""

_SIGNS: Final[dict[Sign, str]] = {"positive": "above zero", "zero": "at least zero", "any": ""}

#: Plain numbers are in um and ms. Those out of these ranges are more often a habit of another
#: unit, such as b = 1000 in s/mm^2 or D = 3e-3 in mm^2/s, than meant: with a unit they are taken.
_PLAIN: Final[dict[Kind, tuple[float, float]]] = {
    "b_value": (1e-4, 1e2),
    "diffusivity": (1e-2, 1e2),
    "gradient": (1e-5, 1e1),
    "permeability": (1e-4, 1e2),
    "relaxation_time": (1.0, 1e6),
    "time": (1e-2, 1e4),
}


def quantity(value: Quantity, kind: Kind, sign: Sign = "any") -> float:
    """Read one quantity.

    Parameters
    ----------
    value : str, pint.Quantity or float
        A text with a unit, a quantity of pint, or a plain number in um, ms and what follows from
        them: see `torrey.base.units.UNITS`.
    kind : str
        What the quantity is, such as ``"length"``: a key of `UNITS`.
    sign : {"any", "zero", "positive"}
        What it may be.

    Returns
    -------
    float
        In the internal unit of its kind, rounded to 12 significant digits, so that equal
        quantities in different units are equal.

    Raises
    ------
    UnitError
        If it is no such quantity.

    Examples
    --------
    >>> import torrey as tr
    >>> tr.quantity("850 s/mm^2", "b_value")
    0.85
    """
    if kind not in UNITS:
        raise InputError(quoted(str(kind)), f"a kind of quantity: {', '.join(UNITS)}", ("kind",))
    number = _read(value, kind)
    if (number < 0 and sign != "any") or (number == 0 and sign == "positive"):
        raise UnitError(_shown(value), f"{UNITS[kind].accepted}, {_SIGNS[sign]}")
    return number


def quantities(values: Quantities, kind: Kind, sign: Sign = "any") -> tuple[float, ...]:
    """Read one quantity or several, each as `quantity` does.

    Raises
    ------
    InputError
        At the first value that is no such quantity or repeats an earlier one, if there is none,
        or more than 10,000.
    """
    items = listed(values) if is_list(values) else (values,)
    if not 0 < len(items) <= MOST_VALUES:
        raise InputError(f"{len(items)} values", f"1 to {MOST_VALUES:,} values")
    numbers: dict[float, int] = {}
    for i, item in enumerate(items):
        with inside(*((i,) if is_list(values) else ())):
            number = quantity(item, kind, sign)
            if (first := numbers.setdefault(number, i)) != i:
                found = f"{_shown(item)}, the same as value {first}"
                raise InputError(found, "each value once")
    return tuple(numbers)


def is_list(values: object) -> bool:
    """Whether values were given as a list, even of one: the result has a dimension for it."""
    if isinstance(values, str):
        return False
    array = getattr(values, "magnitude", values)
    return isinstance(array, Sequence) or getattr(array, "ndim", 0) > 0


def listed(values: Any) -> tuple[Any, ...]:
    """Return the items of a list, of an array, or of a quantity of pint that is an array."""
    if _is_pint(values):
        return tuple(values.magnitude * values.units)
    return tuple(values if isinstance(values, Sequence) else np.asarray(values))


@contextmanager
def argument(call: str, name: str) -> Iterator[None]:
    """Name the argument that an error is about: ``Cell(period=...)``."""
    with inside(f"{call}({name}=...)"):
        yield


@contextmanager
def arguments(call: str) -> Iterator[None]:
    """Name the argument that an error is about, where the error knows it by its name."""
    try:
        yield
    except InputError as error:
        name, *rest = error.at or ("",)
        place: KeyPath = (f"{call}({name}{'=' if name else ''}...)", *rest)
        raise type(error)(error.found, error.accepted, place) from None


@contextmanager
def inside(*at: str | int) -> Iterator[None]:
    """Put a place before that of an error."""
    try:
        yield
    except InputError as error:
        raise type(error)(error.found, error.accepted, (*at, *error.at)) from None


def _read(value: Any, kind: Kind) -> float:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, str):
        return parse(value, kind)
    if _is_pint(value) and np.ndim(value.magnitude) == 0:
        factor = unit_factor(str(value.units), kind, _shown(value))
        return _checked(float(value.magnitude) * factor, value, kind)
    unit = UNITS[kind]
    if not is_number(value):
        raise UnitError(_shown(value), f"{unit.accepted}, or a number in {unit.internal}")
    number = _checked(float(value), value, kind)
    least, most = _PLAIN.get(kind, (0.0, math.inf))
    if number and not least <= abs(number) <= most:
        between = f"from {format_number(least)} to {format_number(most)} {unit.internal}"
        raise UnitError(_shown(value), f"{unit.accepted}; without a unit, {between}")
    return number


def _checked(number: float, value: Any, kind: Kind) -> float:
    """Round a number in internal units, unless it is of no plausible size."""
    unit = UNITS[kind]
    if not (math.isfinite(number) and unit.holds(number)):
        raise UnitError(_shown(value), f"{unit.accepted}, {unit.range}")
    return round_significant(number)


def is_number(value: object) -> bool:
    """Whether a value is a plain real number."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _is_pint(value: object) -> bool:
    """Of any registry: the classes of two are not the same."""
    return hasattr(value, "magnitude") and hasattr(value, "units")


def _shown(value: object) -> str:
    return f"{value}" if is_number(value) else quoted(str(value))
