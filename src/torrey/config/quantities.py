"""Building blocks of the models of configuration files: quantities with units, ranges, lists."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, Self, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    RootModel,
    Tag,
)
from pydantic_core import CoreSchema, core_schema

from torrey.base.budgets import MOST_QUANTITY_CHARACTERS, MOST_VALUES, quoted
from torrey.base.errors import InputError
from torrey.base.fields import Declaration
from torrey.base.keys import round_significant
from torrey.base.units import UNITS, Kind, UnitError, parse

T = TypeVar("T", bound="Readable")


class Readable(float):
    """A number that is read from a text in its own way."""

    @classmethod
    def read(cls, text: object) -> Self:
        """Read the text.

        Raises
        ------
        InputError
            If it is not such a number.
        """
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.read)


class Quantity(Readable):
    """A number in internal units, read from a text with its unit."""

    kind: ClassVar[Kind]
    may_be_zero: ClassVar[bool] = False
    may_be_negative: ClassVar[bool] = False

    @classmethod
    def read(cls, text: object) -> Self:
        """Read the text.

        Raises
        ------
        UnitError
            If it is not such a quantity, or is negative or zero where it must not be.
        """
        value = parse(text, cls.kind)
        if (value < 0 and not cls.may_be_negative) or (value == 0 and not cls.may_be_zero):
            least = "at least zero" if cls.may_be_zero else "above zero"
            raise UnitError(quoted(str(text)), f"{UNITS[cls.kind].accepted}, {least}")
        return cls(value)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        unit = UNITS[cls.kind]
        sign = "[+-]?" if cls.may_be_negative else "[+]?"
        return {
            "type": "string",
            "pattern": rf"^\s*{sign}([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*[^\d\s+-].*$",
            "maxLength": MOST_QUANTITY_CHARACTERS,
            "description": f"{unit.accepted}, {unit.range}.",
            "examples": [unit.example],
        }


def one_of(*keys: str) -> dict[str, Any]:
    """Say in a schema that exactly one of some keys stands in a mapping."""
    return {"oneOf": [{"required": [key]} for key in keys]}


class Length(Quantity):
    """In um."""

    kind = "length"


class Time(Quantity):
    """In ms."""

    kind = "time"


class Instant(Time):
    """In ms from the beginning; zero is one."""

    may_be_zero = True


class Frequency(Quantity):
    """In kHz, which is 1/ms."""

    kind = "frequency"


class Diffusivity(Quantity):
    """In um^2/ms."""

    kind = "diffusivity"


class NotNegativeDiffusivity(Diffusivity):
    """In um^2/ms; zero where water is immobile."""

    may_be_zero = True


class DiffusivityEntry(Quantity):
    """Of a matrix, in um^2/ms."""

    kind = "diffusivity"
    may_be_zero = True
    may_be_negative = True


class RelaxationTime(Quantity):
    """In ms; infinite where nothing relaxes."""

    kind = "relaxation_time"

    @classmethod
    def read(cls, text: object) -> Self:
        """Read the text, which may be ``infinite``."""
        if text == "infinite":
            return cls(math.inf)
        try:
            return super().read(text)
        except UnitError as error:
            raise UnitError(error.found, f"{error.accepted}, or infinite") from None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        time = super().__get_pydantic_json_schema__(schema, handler)
        return {"anyOf": [time, {"const": "infinite"}]}


class Permeability(Quantity):
    """In um/ms."""

    kind = "permeability"
    may_be_zero = True


class BValue(Quantity):
    """In ms/um^2."""

    kind = "b_value"
    may_be_zero = True


class WaveNumber(Quantity):
    """In rad/um."""

    kind = "q"
    may_be_zero = True


class Gradient(Quantity):
    """gamma G, in rad/um/ms."""

    kind = "gradient"
    may_be_zero = True


class Angle(Quantity):
    """In degrees."""

    kind = "angle"
    may_be_zero = True
    may_be_negative = True


class BareNumber(Readable):
    """A number without a unit, between bounds by the names of JSON schema."""

    whole: ClassVar[bool] = False
    bounds: ClassVar[Mapping[str, float]] = {}

    @classmethod
    def accepted(cls) -> str:
        """What to write."""
        words = {
            "minimum": "at least",
            "exclusiveMinimum": "above",
            "maximum": "at most",
            "exclusiveMaximum": "below",
        }
        limits = [f"{words[name]} {value:g}" for name, value in cls.bounds.items()]
        noun = "a whole number" if cls.whole else "a number"
        return f"{noun}, {' and '.join(limits)}" if limits else noun

    @classmethod
    def read(cls, text: object) -> Self:
        """Read the number."""
        value = cls._value(text.strip()) if isinstance(text, str) else math.nan
        least, above = cls.bounds.get("minimum", -math.inf), cls.bounds.get("exclusiveMinimum")
        most, below = cls.bounds.get("maximum", math.inf), cls.bounds.get("exclusiveMaximum")
        if not (math.isfinite(value) and least <= value <= most) or (
            (above is not None and value <= above) or (below is not None and value >= below)
        ):
            raise InputError(quoted(str(text)), cls.accepted())
        return cls(value)

    @classmethod
    def _value(cls, digits: str) -> float:
        # Python also takes 1_000, and the digits of other scripts.
        if not digits.isascii() or "_" in digits or (cls.whole and not digits.isdecimal()):
            return math.nan
        try:
            return float(digits)
        except ValueError:
            return math.nan

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "integer" if cls.whole else "number", **cls.bounds}


#: Names of bounds in declarations, which are those of pydantic, and in JSON schema.
_BOUNDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}


def summary(cls: type) -> str:
    """Return the first paragraph of the docstring of a class, in one line."""
    return " ".join((cls.__doc__ or "").strip().split("\n\n")[0].split())


def type_of(declaration: Declaration) -> type[Readable]:
    """Return what reads a number that a dataclass declares.

    Parameters
    ----------
    declaration : Declaration
        Of a number with a unit, which may be bounded by zero (``gt=0``, ``ge=0``); or of one
        without, which may have other bounds and be whole (``multiple_of=1``).

    Raises
    ------
    TypeError
        If it has other constraints: nobody would check them.
    """
    constraints = dict(declaration.constraints)
    if declaration.unit is None:
        whole = constraints.pop("multiple_of", None) == 1
        if not constraints.keys() <= _BOUNDS.keys():
            raise TypeError(f"{declaration.name}: constraints {', '.join(constraints)}")
        return _bare_number(whole, tuple((_BOUNDS[k], v) for k, v in constraints.items()))
    if constraints not in ({}, {"gt": 0}, {"ge": 0}):
        raise TypeError(f"{declaration.name}: constraints {constraints} of a quantity with a unit")
    return _quantity(cast(Kind, declaration.unit), "gt" not in constraints, not constraints)


def quantity(kind: Kind) -> type[Quantity]:
    """Return what reads a quantity of a kind that is not negative."""
    return _quantity(kind, may_be_zero=True, may_be_negative=False)


@cache
def _quantity(kind: Kind, may_be_zero: bool, may_be_negative: bool) -> type[Quantity]:
    sign = "" if may_be_negative else "NotNegative" if may_be_zero else "Positive"
    members = {"kind": kind, "may_be_zero": may_be_zero, "may_be_negative": may_be_negative}
    return type(f"{sign}{kind.title().replace('_', '')}", (Quantity,), members)


@cache
def _bare_number(whole: bool, bounds: tuple[tuple[str, float], ...]) -> type[BareNumber]:
    limits = "".join(f"{name[:1].upper()}{name[1:]}{value:g}" for name, value in bounds)
    name = f"{'Whole' if whole else 'Bare'}Number{re.sub('[^A-Za-z0-9]', '_', limits)}"
    return type(name, (BareNumber,), {"whole": whole, "bounds": dict(bounds)})


class Model(BaseModel):
    """What all models share: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(Model, Generic[T]):
    """Evenly spaced values that stand for a list."""

    start: T = Field(description="the first value")
    stop: T = Field(description="the last value, which is included")
    num: int = Field(
        ge=2,
        le=MOST_VALUES,
        description=f"a whole number of values, at least 2 and at most {MOST_VALUES}",
    )
    scale: Literal["linear", "log"] = Field("linear", description="linear or log")

    def values(self) -> tuple[float, ...]:
        """Return the values, ends included.

        Raises
        ------
        InputError
            If an end is not above zero on a logarithmic scale.
        """
        start, stop = float(self.start), float(self.stop)
        steps = [i / (self.num - 1) for i in range(self.num)]
        if self.scale == "linear":
            return tuple(round_significant(start + x * (stop - start)) for x in steps)
        for end, value in (("start", start), ("stop", stop)):
            if value <= 0:
                found = "a negative value" if value else "zero"
                raise InputError(f"{found} on a logarithmic scale", "a value above zero", at=(end,))
        return tuple(round_significant(start ** (1 - x) * stop**x) for x in steps)


def _form(value: object) -> str:
    return "range" if isinstance(value, dict) else "list" if isinstance(value, list) else "one"


class OneOrMore(
    RootModel[
        Annotated[
            Annotated[T, Tag("one")]
            | Annotated[list[T], Field(min_length=1, max_length=MOST_VALUES), Tag("list")]
            | Annotated[Range[T], Tag("range")],
            Discriminator(_form),
        ]
    ],
    Generic[T],
):
    """One value, a list of values, or a range."""

    def values(self) -> tuple[float, ...]:
        """Return the values as plain numbers."""
        if isinstance(self.root, Range):
            return self.root.values()
        items = self.root if isinstance(self.root, list) else [self.root]
        return tuple(float(item) for item in items)


_FORMS: Final = "; or a list of them, or {start, stop, num, scale}"


def or_more(kind: Kind, note: str) -> str:
    """Say what is accepted for one quantity or several."""
    return f"{UNITS[kind].accepted} ({note}){_FORMS}"


def declared_or_more(declaration: Declaration) -> str:
    """Say what is accepted for one value or several of a number that a dataclass declares."""
    return f"{accepted_number(declaration)} ({declaration.description}){_FORMS}"


def accepted_number(declaration: Declaration) -> str:
    """Say what is accepted for one value of a number that a dataclass declares."""
    number = type_of(declaration)
    if issubclass(number, BareNumber):
        return number.accepted()
    return UNITS[cast(Kind, declaration.unit)].accepted


def absent() -> OneOrMore[Any]:
    """Stand for a key that is not there: without values, which a key in a file cannot be."""
    return OneOrMore.model_construct(root=[])


@dataclass(frozen=True)
class OrOne:
    """Mark a list that one item may stand for; an item that is a vector is a list itself."""

    vectors: bool = False

    def listed(self, value: object) -> object:
        """Return a list in any case."""
        is_list = isinstance(value, list) and (
            not self.vectors or not value or isinstance(value[0], list)
        )
        return value if is_list else [value]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.listed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


Number = Annotated[float, Field(allow_inf_nan=False)]


def _plausible(value: float) -> float:
    if value and not 1e-6 <= value <= 1e6:
        raise InputError(f"{value:g}", "a number, at least 0; if it is not 0, from 1e-6 to 1e6")
    return value


Share = Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(_plausible)]
"""Of something relative to other values: a density, or a factor on a permeability."""
