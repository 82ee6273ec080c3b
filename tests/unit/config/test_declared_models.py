"""Keys, messages and objects follow from the fields of a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest
from pydantic import ValidationError

from torrey.base.errors import InputError
from torrey.base.fields import declared
from torrey.config.declared_models import made, model_of
from torrey.config.findings import Findings
from torrey.config.nodes import Node
from torrey.config.quantities import summary


@dataclass(frozen=True)
class Brick:
    """A brick."""

    size: tuple[float, float] = declared(description="two numbers")

    def __post_init__(self) -> None:
        if self.size[0] < self.size[1]:
            raise InputError(f"{self.size}", "the long side first", at=("size",))


@dataclass(frozen=True)
class Wall:
    """Bricks, one beside
    the other.

    And more about them.
    """

    bricks: tuple[Brick, ...] = declared(description="a list of bricks", min_length=1)
    height: float = declared(unit="length", description="of the wall")
    bond: Literal["stretcher", "header"] = declared(description="a bond", default="header")
    rows: tuple[tuple[float, ...], ...] = declared(description="rows", default=((1.0, 2.0),))
    count: int = declared(description="a whole number", default=1, ge=1)


KEYS = {"bricks": [{"size": ["2", "1"]}], "height": "3 mm"}


def empty() -> Findings:
    """Findings of a file that holds one wall."""
    return Findings(Node({"wall": Node({}, "walls.yaml", 3)}, "walls.yaml", 1))


def test_a_class_is_read_with_units_and_nested_classes():
    model = model_of(Wall).model_validate(KEYS)
    wall = made(empty(), ("wall",), Wall, model)
    assert wall == Wall((Brick((2.0, 1.0)),), 3000.0)
    assert type(wall.height) is float
    model = model_of(Wall).model_validate({**KEYS, "rows": [["1"], ["2", "3"]]})
    assert made(empty(), ("wall",), Wall, model).rows == ((1.0,), (2.0, 3.0))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bricks", []),
        ("bricks", [{"size": ["2"]}]),
        ("bricks", [{"size": ["2", "1", "1"]}]),
        ("bricks", [{"size": ["2", "1"], "colour": "red"}]),
        ("bricks", [{"size": ["2", "1"]}] * 1001),
        ("height", "3"),
        ("height", "3 ms"),
        ("height", "-3 mm"),
        ("bond", "english"),
        ("rows", [["1", "x"]]),
        ("count", "0"),
        ("count", "1.5"),
        ("weight", "1"),
    ],
)
def test_what_no_field_accepts_is_refused(key, value):
    with pytest.raises(ValidationError) as refusal:
        model_of(Wall).model_validate({**KEYS, key: value})
    assert refusal.value.errors()[0]["loc"][0] == key


def test_all_that_the_class_refuses_is_noted_with_its_place():
    wrong = {"size": ["1", "2"]}
    model = model_of(Wall).model_validate({**KEYS, "bricks": [wrong, KEYS["bricks"][0], wrong]})
    findings = empty()
    assert made(findings, ("wall",), Wall, model) is None
    assert [problem.accepted for problem in findings.problems] == ["the long side first"] * 2


def test_messages_and_schema_say_unit_and_description():
    schema = model_of(Wall).model_json_schema()
    height = schema["properties"]["height"]
    assert height["description"] == 'a length with its unit, such as "6 um" (of the wall)'
    assert height["examples"] == ["6 um"]
    assert schema["description"] == summary(Wall) == "Bricks, one beside the other."
    assert schema["properties"]["count"]["minimum"] == 1
    assert schema["properties"]["bricks"]["minItems"] == 1
    assert schema["required"] == ["bricks", "height"]
