"""Which gradients a signal is asked for: waveforms, strengths and directions, with their axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.units import Kind
from torrey.door.orientations import read_fibres, read_sphere, unit_vector
from torrey.door.quantities import argument, inside, is_list, is_number, listed, quantities
from torrey.gradients.orientations import Fibres
from torrey.gradients.protocol import EncodingKind, Measurement, Vector, in_cell
from torrey.gradients.rules import Sphere
from torrey.gradients.waveforms import Waveform

if TYPE_CHECKING:
    from torrey.door.orientations import Orientations
    from torrey.door.quantities import Quantities

    Directions: TypeAlias = (
        Sequence[float] | Sequence[Sequence[float]] | NDArray[Any] | Mapping[str, int]
    )
    Waveforms: TypeAlias = Waveform | Sequence[Waveform]
    Strengths: TypeAlias = dict[EncodingKind, Quantities | None]

_STRENGTHS: Final[dict[EncodingKind, Kind]] = {"b": "b_value", "q": "q", "gradient": "gradient"}


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
        Those of ``orientation``, ``waveform``, the name of the strength and ``direction`` that were
        given as lists.
    sphere : Sphere, optional
        The rule whose points the directions are.
    fibres : Fibres, optional
        Orientations of the cell.
    """

    waveforms: tuple[Waveform, ...]
    strength: EncodingKind
    strengths: tuple[float, ...]
    directions: tuple[Vector, ...]
    dims: tuple[str, ...]
    sphere: Sphere | None = None
    fibres: Fibres | None = None

    @property
    def n_axes(self) -> int:
        """Number of components of the directions."""
        return len(self.directions[0])

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of all axes, given as lists or not, in the order of the measurements."""
        first = ("orientation",) if self.fibres else ()
        return (*first, "waveform", self.strength, "direction")

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values along each of the axes."""
        first = (len(self.fibres.orientations),) if self.fibres else ()
        return (*first, len(self.waveforms), len(self.strengths), len(self.directions))

    @cached_property
    def in_scanner(self) -> tuple[Measurement, ...]:
        """Measurements in the frame of the scanner, the direction fastest."""
        return tuple(
            Measurement(*waveform.measure(self.strength, value), direction)
            for waveform in self.waveforms
            for value in self.strengths
            for direction in self.directions
        )

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """All measurements as the cell sees them, the direction fastest."""
        return self.fibres.turn(self.in_scanner) if self.fibres else self.in_scanner


def read_gradients(
    call: str,
    dimension: int,
    waveform: Waveforms,
    strengths: Strengths,
    direction: Directions | None,
    in_space: bool = False,
    orientation: Orientations | None = None,
) -> Gradients:
    """Gradients from what was given.

    Parameters
    ----------
    call : str
        For messages, such as ``Cell.signal``.
    dimension : int
        Of the cell.
    waveform, direction, orientation
        See `Cell.signal`.
    strengths : dict
        What was given as b, q and gradient; exactly one of them.
    in_space : bool
        Whether directions have three components in any case.

    Raises
    ------
    InputError
        If something cannot be used: the message names the argument.
    """
    with argument(call, "waveform"):
        waveforms = _waveforms(waveform)
    given = [name for name, values in strengths.items() if values is not None]
    if len(given) != 1:
        found = " and ".join(given) or "no strength of the gradients"
        raise InputError(found, "exactly one of b, q and gradient", (f"{call}(...)",))
    (strength,) = given
    values: Any = strengths[strength]
    with argument(call, strength):
        numbers = quantities(values, _STRENGTHS[strength], "zero")
    fibres, several_fibres = read_fibres(call, orientation)
    with argument(call, "direction"):
        most = max(w.n_components for w in waveforms)
        sphere = read_sphere(direction, most > 1)
        in_space = in_space or fibres is not None or sphere is not None
        given_directions = sphere.rule.points.tolist() if sphere else direction
        directions, several = _directions(given_directions, dimension, most, in_space)
    listed_axes = (
        ("orientation", several_fibres),
        ("waveform", is_list(waveform)),
        (strength, is_list(values)),
        ("direction", several),
    )
    dims = tuple(name for name, several in listed_axes if several)
    return Gradients(waveforms, strength, numbers, directions, dims, sphere, fibres)


def read_direction(
    direction: Directions | None,
    dimension: int,
    n_components: int = 1,
    in_space: bool = False,
    *,
    within: bool = False,
) -> Vector:
    """Read one direction, as a unit vector.

    Parameters
    ----------
    direction
        See `Cell.signal`.
    dimension : int
        Of the cell.
    n_components : int
        Of the waveforms that it is for.
    in_space : bool
        Whether it has three components in any case.
    within : bool
        Whether it must lie within the cell.
    """
    directions, several = _directions(direction, dimension, n_components, in_space)
    if several:
        raise InputError(f"{len(directions)} directions", "one")
    (n,) = directions
    if within and len(n) > dimension:
        noun = "plane" if dimension == 2 else "axis"
        raise InputError(quoted(str(direction)), f"a direction in the {noun} of the cell")
    return n


def _waveforms(given: Any) -> tuple[Waveform, ...]:
    items = tuple(given) if is_list(given) else (given,)
    if not items:
        raise InputError("no waveform", "one or more")
    for i, item in enumerate(items):
        with inside(*((i,) if is_list(given) else ())):
            if not isinstance(item, Waveform):
                raise InputError(quoted(str(item)), 'a waveform, such as Pgse("5 ms", "25 ms")')
            if item in items[:i]:
                raise InputError(f"{item.label} a second time", "each waveform once")
    return items


def _directions(
    given: Any, dimension: int, n_components: int, in_space: bool
) -> tuple[tuple[Vector, ...], bool]:
    """Unit vectors with as many numbers as there are axes, and whether there was a list of them."""
    if given is None:
        if dimension > 1:
            raise InputError("no direction", f"a vector of {dimension} numbers, or a list of them")
        return in_cell(((1.0,),), dimension, n_components, in_space), False
    items = listed(given) if is_list(given) else (given,)
    several = bool(items) and is_list(items[0])
    vectors = items if several else (items,)
    found: list[Vector] = []
    for i, vector in enumerate(vectors):
        with inside(*((i,) if several else ())):
            found.append(_unit(vector, dimension))
    units = in_cell(found, dimension, n_components, in_space)
    for i, unit in enumerate(units):
        if any(np.allclose(unit, other, rtol=0.0, atol=1e-12) for other in units[:i]):
            with inside(i):
                raise InputError(f"{list(vectors[i])} a second time", "each direction once")
    return units, several


def _unit(vector: Any, dimension: int) -> Vector:
    numbers = listed(vector) if is_list(vector) else (vector,)
    if len(numbers) not in (dimension, 3) or not all(map(is_number, numbers)):
        example = [1, 0, 0][:dimension]
        accepted = f"{dimension} numbers, as many as the cell has dimensions: {example}"
        more = "; or 3 for a gradient in space" if dimension < 3 else ""
        raise InputError(quoted(str(vector)), accepted + more)
    return unit_vector(numbers)
