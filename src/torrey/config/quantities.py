"""Building blocks of the models of configuration files: quantities with units, ranges, lists."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

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
from torrey.base.keys import round_significant
from torrey.base.units import UNITS, Kind, UnitError, parse
from torrey.gradients.waveforms.oscillating import MOST_CYCLES

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


class Length(Quantity):
    """In um."""

    kind = "length"


class Time(Quantity):
    """In ms."""

    kind = "time"


class Diffusivity(Quantity):
    """In um^2/ms."""

    kind = "diffusivity"


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


class NotNegativeTime(Quantity):
    """In ms."""

    kind = "time"
    may_be_zero = True


class Angle(Quantity):
    """In degrees."""

    kind = "angle"
    may_be_zero = True
    may_be_negative = True


class Cycles(Readable):
    """A whole number of periods; without a unit."""

    @classmethod
    def read(cls, text: object) -> Self:
        """Read the number."""
        digits = text.strip() if isinstance(text, str) else ""
        if digits.isascii() and digits.isdecimal() and 1 <= float(digits) <= MOST_CYCLES:
            return cls(int(digits))
        raise InputError(quoted(str(text)), f"a whole number, at least 1 and at most {MOST_CYCLES}")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1, "maximum": MOST_CYCLES}


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


class Sweep(
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


def or_more(kind: Kind, note: str) -> str:
    forms = "; or a list of them, or {start, stop, num, scale}"
    return f"{UNITS[kind].accepted} ({note}){forms}"


def absent() -> Sweep[Any]:
    """Stand for a key that is not there: without values, which a key in a file cannot be."""
    return Sweep.model_construct(root=[])


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
