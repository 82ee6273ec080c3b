"""Which gradients a signal is asked for: waveforms, strengths and directions, with their axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.units import Kind
from torrey.door.quantities import argument, inside, is_list, is_number, listed, quantities
from torrey.gradients.protocol import EncodingKind, Measurement, Vector, frame
from torrey.gradients.waveforms import Waveform

if TYPE_CHECKING:
    from torrey.door.quantities import Quantities

    Directions: TypeAlias = Sequence[float] | Sequence[Sequence[float]] | NDArray[Any]
    Waveforms: TypeAlias = Waveform | Sequence[Waveform]
    Strengths: TypeAlias = dict[EncodingKind, Quantities | None]

_STRENGTHS: Final[dict[EncodingKind, Kind]] = {"b": "b_value", "q": "q", "gradient": "gradient"}

#: Of a direction: shorter and longer ones lose digits when they are brought to length 1.
_LEAST_LENGTH: Final = 1e-6


@dataclass(frozen=True)
class Gradients:
    """Every waveform at every strength along every direction.

    Parameters
    ----------
    waveforms : tuple of Waveform
    strength : {"b", "q", "gradient"}
        What `strengths` are: b-values (ms/um^2), wave numbers (rad/um) or gradients (rad/um/ms).
    strengths : tuple of float
    directions : tuple of tuple of float
        Unit vectors.
    dims : tuple of str
        Those of ``waveform``, the name of the strength and ``direction`` that were given as lists.
    """

    waveforms: tuple[Waveform, ...]
    strength: EncodingKind
    strengths: tuple[float, ...]
    directions: tuple[Vector, ...]
    dims: tuple[str, ...]

    @property
    def axes(self) -> tuple[str, str, str]:
        """Names of all axes, given as lists or not, in the order of the measurements."""
        return "waveform", self.strength, "direction"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of values along each of the axes."""
        return len(self.waveforms), len(self.strengths), len(self.directions)

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """All measurements, the direction fastest."""
        return tuple(
            Measurement(*waveform.measure(self.strength, value), direction)
            for waveform in self.waveforms
            for value in self.strengths
            for direction in self.directions
        )


def read_gradients(
    call: str,
    dimension: int,
    waveform: Waveforms,
    strengths: Strengths,
    direction: Directions | None,
) -> Gradients:
    """Gradients from what was given.

    Parameters
    ----------
    call : str
        For messages, such as ``Cell.signal``.
    dimension : int
        Of the cell.
    waveform, direction
        See `Cell.signal`.
    strengths : dict
        What was given as b, q and gradient; exactly one of them.

    Raises
    ------
    InputError
        If something cannot be used: the message names the argument.
    """
    with argument(call, "waveform"):
        waveforms = _waveforms(waveform, dimension)
    given = [name for name, values in strengths.items() if values is not None]
    if len(given) != 1:
        found = " and ".join(given) or "no strength of the gradients"
        raise InputError(found, "exactly one of b, q and gradient", (f"{call}(...)",))
    (strength,) = given
    values: Any = strengths[strength]
    with argument(call, strength):
        numbers = quantities(values, _STRENGTHS[strength], "zero")
    with argument(call, "direction"):
        directions, several = _directions(direction, dimension)
    listed_axes = (
        ("waveform", is_list(waveform)),
        (strength, is_list(values)),
        ("direction", several),
    )
    dims = tuple(name for name, several in listed_axes if several)
    return Gradients(waveforms, strength, numbers, directions, dims)


def read_direction(direction: Directions | None, dimension: int) -> Vector:
    """Read one direction, as a unit vector."""
    directions, several = _directions(direction, dimension)
    if several:
        raise InputError(f"{len(directions)} directions", "one")
    return directions[0]


def _waveforms(given: Any, dimension: int) -> tuple[Waveform, ...]:
    items = tuple(given) if is_list(given) else (given,)
    if not items:
        raise InputError("no waveform", "one or more")
    for i, item in enumerate(items):
        with inside(*((i,) if is_list(given) else ())):
            if not isinstance(item, Waveform):
                raise InputError(quoted(str(item)), 'a waveform, such as Pgse("5 ms", "25 ms")')
            frame((1.0,) * dimension, item.n_components)
            if item in items[:i]:
                raise InputError(f"{item.label} a second time", "each waveform once")
    return items


def _directions(given: Any, dimension: int) -> tuple[tuple[Vector, ...], bool]:
    """Unit vectors, and whether there was a list of them."""
    if given is None:
        if dimension > 1:
            raise InputError("no direction", f"a vector of {dimension} numbers, or a list of them")
        return ((1.0,),), False
    items = listed(given) if is_list(given) else (given,)
    several = bool(items) and is_list(items[0])
    vectors = items if several else (items,)
    found: list[Vector] = []
    for i, vector in enumerate(vectors):
        with inside(*((i,) if several else ())):
            unit = _unit(vector, dimension)
            if any(np.allclose(unit, other, rtol=0.0, atol=1e-12) for other in found):
                raise InputError(f"{list(vector)} a second time", "each direction once")
            found.append(unit)
    return tuple(found), several


def _unit(vector: Any, dimension: int) -> Vector:
    numbers = listed(vector) if is_list(vector) else (vector,)
    if len(numbers) != dimension or not all(map(is_number, numbers)):
        example = [1, 0, 0][:dimension]
        raise InputError(
            quoted(str(vector)),
            f"{dimension} numbers, as many as the cell has dimensions: {example}",
        )
    norm = math.hypot(*map(float, numbers))
    if not _LEAST_LENGTH <= norm <= 1 / _LEAST_LENGTH:
        accepted = f"a length from {_LEAST_LENGTH:g} to {1 / _LEAST_LENGTH:g}"
        raise InputError(f"a vector of length {norm:g}", accepted)
    return tuple(float(x) / norm + 0.0 for x in numbers)  # + 0.0: no negative zeros
