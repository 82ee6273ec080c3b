"""Fields that say what they are: read back whole, from subclasses too."""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass
from typing import ClassVar

import pytest

from torrey.base.fields import declarations, declared


@dataclass(frozen=True)
class Wall:
    height: float = declared(unit="length", symbol="h", description="a length", gt=0)
    courses: tuple[int, ...] = declared(description="whole numbers", default=(1, 2), max_length=4)
    hidden: int = 0
    kind: ClassVar[str] = "wall"


@dataclass(frozen=True)
class Fence(Wall):
    height: float = declared(unit="length", description="a small length", default=1.0)


def test_declarations_are_read_back_with_resolved_types():
    found = declarations(Wall)
    assert list(found) == ["height", "courses"]
    height, courses = found.values()
    assert (height.annotation, height.unit, height.symbol) == (float, "length", "h")
    assert dict(height.constraints) == {"gt": 0}
    assert height.is_required
    assert height.default is MISSING
    assert courses.annotation == tuple[int, ...]
    assert (courses.default, courses.unit, courses.is_required) == ((1, 2), None, False)


def test_a_subclass_declares_a_field_anew_in_its_place():
    found = declarations(Fence)
    assert list(found) == ["height", "courses"]
    assert (found["height"].description, found["height"].default) == ("a small length", 1.0)


def test_declared_fields_are_fields_like_others():
    assert Wall(2.0) == Wall(height=2.0, courses=(1, 2), hidden=0)
    assert Wall.courses == (1, 2)
    with pytest.raises(TypeError, match="height"):
        Wall()
    with pytest.raises(FrozenInstanceError):
        Wall(1.0).height = 2.0
