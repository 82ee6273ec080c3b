"""Directions all over the sphere, and how fibres lie, as they are given in a call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from torrey.base.budgets import MOST_VALUES, quoted
from torrey.base.errors import InputError
from torrey.door.quantities import argument, inside, is_list, is_number, listed, quantity
from torrey.gradients.orientations import (
    FEWEST_ORIENTATIONS,
    MOST_CONCENTRATED,
    Fibres,
    Orientation,
    Watson,
)
from torrey.gradients.protocol import Vector
from torrey.gradients.rules import MOST_POINTS, Sphere

if TYPE_CHECKING:
    from collections.abc import Sequence

    Orientations: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]

_SPHERES: Final = "{'powder': 60}, so many directions, or {'lebedev': 19}, a degree"
_ONE: Final = "{'axis': [1, 0, 0], 'roll': '30 deg'}, where the roll may be left out"
_WATSON: Final = "{'watson': {'kappa': 8, 'axis': [0, 0, 1], 'roll': 0, 'points': 60}}"

#: Of a vector: shorter and longer ones lose digits when they are brought to length 1.
_LEAST_LENGTH: Final = 1e-6


def read_sphere(given: Any, whole: bool) -> Sphere | None:
    """Rule that stands in the place of directions, or None where they are given.

    Parameters
    ----------
    given
        See `Cell.signal`.
    whole : bool
        Whether points must lie on all of the sphere.
    """
    if not isinstance(given, Mapping):
        return None
    items = [(kind, number) for kind, number in given.items() if kind in ("powder", "lebedev")]
    if len(given) != 1 or len(items) != 1 or not _is_whole(items[0][1]):
        raise InputError(quoted(str(dict(given))), _SPHERES)
    kind, number = items[0][0], int(items[0][1])
    if kind == "powder" and number > MOST_POINTS:
        raise InputError(f"{number} directions", f"at most {MOST_POINTS}")
    sphere = Sphere(kind, number, whole)
    _ = sphere.rule  # there may be none
    return sphere


def read_fibres(call: str, given: Orientations | None) -> tuple[Fibres | None, bool]:
    """Orientations that were given, and whether there were several.

    Parameters
    ----------
    call : str
        For messages.
    given
        See `Cell.signal`.
    """
    with argument(call, "orientation"):
        if given is None:
            return None, False
        if isinstance(given, Mapping) and "watson" in given:
            return Fibres.spread(_watson(given)), True
        items = listed(given) if is_list(given) else (given,)
        if not items:
            raise InputError("an empty list", f"{_ONE}; a list of such; or {_WATSON}")
        found: list[Orientation] = []
        for i, item in enumerate(items):
            with inside(*((i,) if is_list(given) else ())):
                one = _orientation(item)
                if one in found:
                    raise InputError(f"{item} a second time", "each orientation once")
                found.append(one)
        return Fibres(tuple(found)), is_list(given)


def _orientation(given: Any) -> Orientation:
    if not isinstance(given, Mapping) or not {"axis"} <= set(given) <= {"axis", "roll"}:
        raise InputError(quoted(str(given)), f"{_ONE}; a list of such; or {_WATSON}")
    return Orientation(_axis(given["axis"]), quantity(given.get("roll", 0.0), "angle"))


def _watson(given: Mapping[str, Any]) -> Watson:
    parts = given["watson"]
    known = {"kappa", "axis", "roll", "points"}
    if set(given) != {"watson"} or not isinstance(parts, Mapping) or not set(parts) <= known:
        raise InputError(quoted(str(dict(given))), _WATSON)
    kappa, points = parts.get("kappa", "nothing"), parts.get("points", 60)
    if not (is_number(kappa) and 0.0 <= kappa <= MOST_CONCENTRATED):
        accepted = f"a number from 0 to {MOST_CONCENTRATED:g}"
        raise InputError(quoted(str(kappa)), accepted, ("watson", "kappa"))
    if not (_is_whole(points) and FEWEST_ORIENTATIONS <= points <= MOST_VALUES):
        accepted = f"a whole number, at least {FEWEST_ORIENTATIONS} and at most {MOST_VALUES}"
        raise InputError(quoted(str(points)), accepted, ("watson", "points"))
    axis = _axis(parts.get("axis", (0.0, 0.0, 1.0)))
    return Watson(float(kappa), axis, quantity(parts.get("roll", 0.0), "angle"), int(points))


def _is_whole(given: Any) -> bool:
    return isinstance(given, Integral) and not isinstance(given, bool)


def _axis(given: Any) -> Vector:
    numbers = listed(given) if is_list(given) else (given,)
    if len(numbers) != 3 or not all(map(is_number, numbers)):
        raise InputError(quoted(str(given)), "three numbers, such as [0, 0, 1]", ("axis",))
    return unit_vector(numbers, "axis")


def unit_vector(numbers: Sequence[float], *at: str) -> Vector:
    """The vector of length 1 along a given one; ``at`` is where it was given, for messages."""
    norm = math.hypot(*map(float, numbers))
    if not _LEAST_LENGTH <= norm <= 1 / _LEAST_LENGTH:
        accepted = f"a length from {_LEAST_LENGTH:g} to {1 / _LEAST_LENGTH:g}"
        raise InputError(f"a vector of length {norm:g}", accepted, at)
    return tuple(float(x) / norm + 0.0 for x in numbers)  # + 0.0: no negative zeros
