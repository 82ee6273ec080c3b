"""What may stand in a configuration file, key by key.

The models hold the shape of the file and the units; what the values mean together is checked where
the domain objects are built. The description of a field is what a message offers as accepted and
what an editor shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    RootModel,
    StringConstraints,
    Tag,
)
from pydantic_core import CoreSchema, core_schema

from torrey.errors import InputError
from torrey.keys import round_significant
from torrey.units import UNITS, Kind, UnitError, parse

NAME_PATTERN: Final = r"^[A-Za-z0-9_-]+$"
MODELS_ACCEPTED: Final = "reference, R0, R1, R2, ..., P0, P1, ... (any order), lumped-R0, lumped-R2"
MODEL_PATTERN: Final = r"^(reference|[RP](0|[1-9][0-9]?)|lumped-R[02])$"

T = TypeVar("T", bound="Quantity")


class Quantity(float):
    """A number in internal units, read from a text with its unit; at least zero."""

    kind: ClassVar[Kind]
    may_be_zero: ClassVar[bool] = False

    @classmethod
    def read(cls, text: object) -> Self:
        """Read the text.

        Raises
        ------
        UnitError
            If it is not such a quantity, or is negative, or is zero where it must not be.
        """
        value = parse(text, cls.kind)
        if value < 0 or (value == 0 and not cls.may_be_zero):
            least = "at least zero" if cls.may_be_zero else "above zero"
            raise UnitError(f'"{text}"', f"{UNITS[cls.kind].accepted}, {least}")
        return cls(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.read)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        unit = UNITS[cls.kind]
        return {
            "type": "string",
            "pattern": r"^\s*[+]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*[^\d\s+-].*$",
            "description": f"{unit.accepted}.",
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


class Model(BaseModel):
    """What all models share: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(Model, Generic[T]):
    """Evenly spaced values that stand for a list."""

    start: T = Field(description="the first value")
    stop: T = Field(description="the last value, which is included")
    num: int = Field(ge=2, le=100_000, description="a whole number of values, at least 2")
    scale: Literal["linear", "log"] = Field("linear", description="linear or log")

    def values(self) -> tuple[float, ...]:
        """Return the values, ends included.

        Raises
        ------
        ValueError
            If an end is zero on a logarithmic scale.
        """
        start, stop = float(self.start), float(self.stop)
        steps = [i / (self.num - 1) for i in range(self.num)]
        if self.scale == "linear":
            return tuple(round_significant(start + x * (stop - start)) for x in steps)
        if start == 0 or stop == 0:
            end = "start" if start == 0 else "stop"
            raise InputError("zero on a logarithmic scale", "a value above zero", at=(end,))
        return tuple(round_significant(start ** (1 - x) * stop**x) for x in steps)


def _form(value: object) -> str:
    return "range" if isinstance(value, dict) else "list" if isinstance(value, list) else "one"


class Sweep(
    RootModel[
        Annotated[
            Annotated[T, Tag("one")]
            | Annotated[list[T], Field(min_length=1), Tag("list")]
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


def _or_more(kind: Kind, note: str) -> str:
    forms = "; or a list of them, or {start, stop, num, scale}"
    return f"{UNITS[kind].accepted} ({note}){forms}"


def _absent() -> Sweep[Any]:
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
ModelName = Annotated[str, StringConstraints(pattern=MODEL_PATTERN)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


class CellModel(Model):
    """A disc."""

    center: list[Number] = Field(
        min_length=2, max_length=2, description="two numbers in [0, 1[, such as [0.5, 0.5]"
    )
    radius: Number = Field(description="a number above 0 and below 0.5, in units of the cell")


class MeshModel(Model):
    """How finely the cell is meshed."""

    size: Number = Field(
        0.1, description="the size of the coarsest elements: a number above 0 and at most 0.5"
    )
    refinements: int = Field(2, description="a whole number of uniform refinements, 0 to 6")


class GeometryModel(Model):
    """What geometries of every kind share."""

    mesh: MeshModel = Field(default_factory=MeshModel, description="a mapping: {size, refinements}")


class DiscsModel(GeometryModel):
    """Discs in the unit square."""

    kind: Literal["discs"] = Field(description="discs or layers")
    cells: list[CellModel] = Field(
        description="a list of discs, such as {center: [0.5, 0.5], radius: 0.2}"
    )
    interior: Literal["water", "obstacle"] = Field(
        "water", description="water (the insides are compartments) or obstacle (they are not there)"
    )


class LayersModel(GeometryModel):
    """Flat layers across the cell."""

    kind: Literal["layers"] = Field(description="discs or layers")
    thicknesses: list[Number] = Field(
        min_length=1, description="a list of numbers above 0 with sum 1, such as [0.6, 0.4]"
    )
    dimension: int = Field(1, description="1 or 2")


class DiffusivityModel(Model):
    """Diffusivities of the compartments."""

    outside: Diffusivity = Field(
        description=f"{UNITS['diffusivity'].accepted} (of layer 0 where there are layers)"
    )
    inside: Annotated[list[Diffusivity], Field(min_length=1), OrOne()] = Field(
        default_factory=list,
        description=f"{UNITS['diffusivity'].accepted}, or a list with one per cell",
    )


class PgseModel(Model):
    """Pulsed-gradient spin echo with rectangular pulses."""

    kind: Literal["pgse"] = Field(description="pgse")
    delta: Sweep[Time] = Field(description=_or_more("time", "the length of a pulse"))
    Delta: Sweep[Time] = Field(
        description=_or_more("time", "from the start of one pulse to the start of the other")
    )


def _one_of(*keys: str) -> dict[str, Any]:
    return {"oneOf": [{"required": [key]} for key in keys]}


PERMEABILITY_KEYS: Final = ("permeability", "sigma0")
ENCODING_KEYS: Final = ("b", "q", "gradient")


class StudyModel(Model):
    """The product of its lists."""

    model_config = ConfigDict(
        json_schema_extra={"allOf": [_one_of(*PERMEABILITY_KEYS), _one_of(*ENCODING_KEYS)]}
    )

    geometry: str = Field(description="the name of a geometry")
    diffusivity: DiffusivityModel = Field(
        description="a mapping, such as {outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}"
    )
    period: Sweep[Length] = Field(description=_or_more("length", "the size of the cell"))
    permeability: Sweep[Permeability] = Field(
        default_factory=_absent, description=_or_more("permeability", "0 m/s is impermeable")
    )
    sigma0: Sweep[Permeability] = Field(
        default_factory=_absent,
        description=_or_more("permeability", "kappa = sigma0 * period / mm"),
    )
    waveform: PgseModel = Field(
        description="a mapping, such as {kind: pgse, delta: 5 ms, Delta: 15 ms}"
    )
    b: Sweep[BValue] = Field(
        default_factory=_absent, description=_or_more("b_value", "of the waveform")
    )
    q: Sweep[WaveNumber] = Field(
        default_factory=_absent, description=_or_more("q", "gamma G delta")
    )
    gradient: Sweep[Gradient] = Field(
        default_factory=_absent, description=_or_more("gradient", "or gamma G, in rad/(mm ms)")
    )
    directions: Annotated[list[list[Number]], Field(min_length=1), OrOne(vectors=True)] = Field(
        description="a list of vectors, such as [[1, 0]]"
    )
    models: Annotated[list[ModelName], Field(min_length=1), OrOne()] = Field(
        description=f"one or more of {MODELS_ACCEPTED}"
    )
    tolerance: Number = Field(
        1e-4,
        ge=1e-8,
        le=1e-1,
        description="a number from 1e-8 to 1e-1, relative, for the reference",
    )


Names = Annotated[list[str], Field(min_length=1), OrOne()]


class FigureModel(Model):
    """What a figure shows."""

    model_config = ConfigDict(json_schema_extra=_one_of("geometries", "studies"))

    geometries: Names = Field(default_factory=list, description="a list of geometries")
    studies: Names = Field(default_factory=list, description="a list of studies")


AnyGeometry = Annotated[DiscsModel | LayersModel, Field(discriminator="kind")]


class FileModel(Model):
    """A configuration file."""

    geometries: dict[Name, AnyGeometry] = Field(
        default_factory=dict, description="a mapping from names to geometries"
    )
    studies: dict[Name, StudyModel] = Field(
        default_factory=dict, description="a mapping from names to studies"
    )
    figures: dict[Name, FigureModel] = Field(
        default_factory=dict, description="a mapping from names to figures"
    )
