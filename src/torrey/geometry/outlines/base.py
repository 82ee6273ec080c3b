"""What cells bounded by closed curves in the plane have in common.

A curve may reach across the boundary of the cell and lie inside another one: the membrane is then
between the two insides. Curves never cross, touch, or come nearer to each other than `LEAST_GAP`.
"""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.geometry.boxes import Box
from torrey.geometry.interiors import Interior, check_interior
from torrey.geometry.membranes import NOTHING, Membrane
from torrey.geometry.outlines.boxes import ranked_boxes
from torrey.geometry.outlines.curves import Curve
from torrey.geometry.outlines.surroundings import Approach, Surroundings, sizes_along
from torrey.geometry.pieces import Drawing, Side
from torrey.geometry.shapes import LEAST_GAP, Shape
from torrey.geometry.sizes import ELEMENTS_PER_CIRCLE, ROUNDING

if TYPE_CHECKING:
    from torrey.geometry.drawing import Canvas

Array = NDArray[np.float64]

LEAST_BEND: Final = 1e-3
"""Smallest radius of curvature of a curve, in units of the cell: sharper bends cannot be meshed."""

SIDES: Final = (0.05, 20.0)
"""Least and largest height of a cell, over its width."""

_ROUNDING: Final = 1e-9
_SHOWN: Final = 5
#: Curves that are nearer to each other than this are said to cross (units of the cell).
_CROSSING: Final = 1e-5
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_COUNTED: Final = re.compile(r"cell_[1-9][0-9]{0,8}")
_TAKEN: Final = ("outside", "inside", "layer")


@dataclass(frozen=True)
class Outlined(Shape):
    """A cell of closed curves that neither cross nor touch, periodic images included.

    A kind says its `curves`, the `names` of what is inside them, and their `interior`.
    """

    dimension: ClassVar[int] = 2
    dimensions: ClassVar[tuple[int, ...]] = (2,)

    if TYPE_CHECKING:

        @property
        def interior(self) -> Interior:
            """What is inside: water or obstacle."""

        @property
        def height(self) -> float:
            """Of the cell, over its width."""

    @property
    @abstractmethod
    def curves(self) -> tuple[Curve, ...]:
        """The curves, in the order of their membranes."""

    @property
    @abstractmethod
    def names(self) -> Sequence[str]:
        """Name of the compartment inside each curve; empty for ``cell_1``, ``cell_2``, ..."""

    # ---- checks ----

    def check_outlines(self) -> None:
        """Refuse curves that cross, touch, bend too sharply or have the wrong names.

        Raises
        ------
        InputError
            At ``cells``, ``interior`` or ``height``.
        """
        check_interior(self.interior)
        if not SIDES[0] <= self.height <= SIDES[1]:
            accepted = f"a height of {SIDES[0]:g} to {SIDES[1]:g} times the width"
            raise InputError(f"{self.height:g}", accepted, at=("height",))
        for i, name in enumerate(self.names):
            if name and (not _NAME.fullmatch(name) or name in _TAKEN):
                raise InputError(
                    quoted(name),
                    "a name of letters, digits, _ and -, which starts with a letter and is none of "
                    f"{', '.join(_TAKEN)}",
                    at=("cells", i, "name"),
                )
        for i, name in enumerate(self.names if self.interior == "water" else ()):
            # The name that an outline has without one would make both one compartment.
            number = int(name[5:]) if _COUNTED.fullmatch(name) else 0
            if 1 <= number <= len(self.names) and not self.names[number - 1]:
                raise InputError(
                    f"{quoted(name)}, which is that of outline {number}, without a name",
                    f"another name, or a name for outline {number} too",
                    at=("cells", i, "name"),
                )
        if not self.curves:
            return
        for i, curve in enumerate(self.curves):
            if not curve.least_radius >= LEAST_BEND * (1 - _ROUNDING):
                x, y = curve.samples.places[int(curve.samples.radii.argmin())]
                raise InputError(
                    f"an outline that bends with a radius of {curve.least_radius:.3g} at "
                    f"({x:.4g}, {y:.4g})",
                    f"radii of curvature of {LEAST_BEND:g} of the cell or more",
                    at=("cells", i),
                )
        conflicts = [self._conflict(a) for a in self._approaches() if a.width < LEAST_GAP]
        if conflicts:
            more = len(conflicts) - _SHOWN
            raise InputError(
                "; ".join(conflicts[:_SHOWN]) + (f"; and {more} more" if more > 0 else ""),
                "outlines that neither cross nor touch, periodic images included: leave a gap of "
                f"{LEAST_GAP:g}",
                at=("cells",),
            )
        self._check_nesting()

    def _approaches(self) -> Iterator[Approach]:
        for approach in self.surroundings.approaches:
            width = approach.width + _ROUNDING
            yield Approach(
                approach.first, approach.second, width, approach.place, approach.is_image
            )

    def _conflict(self, approach: Approach) -> str:
        x, y = approach.place
        where = f"at ({x:.4g}, {y:.4g})"
        said = f"are {approach.width:.3g} apart {where}"
        if approach.width < _CROSSING:
            said = f"cross or touch {where}"
        first = f"cell_{approach.first + 1}"
        if approach.first != approach.second:
            return f"{first} and cell_{approach.second + 1} {said}"
        if approach.is_image:
            return f"{first} and its periodic image {said}"
        return f"two parts of {first} {said}"

    def _check_nesting(self) -> None:
        for i, parent in enumerate(self.surroundings.parents):
            if parent == NOTHING:
                continue
            if self.interior == "obstacle":
                raise InputError(
                    f"cell_{i + 1} inside cell_{parent + 1}", "obstacles beside each other",
                    at=("cells", i),
                )  # fmt: skip
            if self._owners[i] == self._owners[parent]:
                raise InputError(
                    f"{quoted(self._insides[self._owners[i] - 1])} inside an outline of the same "
                    "name",
                    "another name: there is a membrane between the two",
                    at=("cells", i, "name"),
                )

    # ---- what it holds ----

    @property
    def periods(self) -> Array:
        """Vectors by which the cell repeats, as rows."""
        return np.diag(self._sides)

    @property
    def _sides(self) -> Array:
        return np.array([1.0, self.height])

    @cached_property
    def surroundings(self) -> Surroundings:
        """The curves in their cell; there must be some."""
        return Surroundings(self.curves, self._sides)

    @cached_property
    def _insides(self) -> tuple[str, ...]:
        """Names of the compartments but the outside."""
        if self.interior == "obstacle":
            return ()
        named = (name or f"cell_{i}" for i, name in enumerate(self.names, start=1))
        return tuple(dict.fromkeys(named))

    @cached_property
    def _owners(self) -> tuple[int, ...]:
        """Compartment inside each curve."""
        if self.interior == "obstacle":
            return (NOTHING,) * len(self.names)
        number = {name: i for i, name in enumerate(self._insides, start=1)}
        return tuple(number[name or f"cell_{i}"] for i, name in enumerate(self.names, start=1))

    @property
    def _parents(self) -> tuple[int, ...]:
        return self.surroundings.parents if self.curves else ()

    @property
    def compartment_names(self) -> tuple[str, ...]:
        """``outside``, and the names of the insides."""
        return ("outside", *self._insides)

    def membranes(self) -> tuple[Membrane, ...]:
        """Return one membrane, or surface of an obstacle, per curve, in their order."""
        what = "surface" if self.interior == "obstacle" else "membrane"
        found = []
        for i, (owner, parent) in enumerate(zip(self._owners, self._parents, strict=True), start=1):
            outside = 0 if parent == NOTHING else self._owners[parent]
            found.append(Membrane(f"{what}_{i}", outside, owner))
        return tuple(found)

    def measures(self) -> tuple[float, ...]:
        """Return the exact area of each compartment."""
        parts: list[list[float]] = [[self.height], *([] for _ in self._insides)]
        for membrane, curve in zip(self.membranes(), self.curves, strict=True):
            parts[membrane.outside].append(-curve.area)
            if membrane.inside != NOTHING:
                parts[membrane.inside].append(curve.area)
        return tuple(map(math.fsum, parts))

    def interface_measures(self) -> tuple[float, ...]:
        """Return the exact length of each membrane or surface."""
        return tuple(curve.length for curve in self.curves)

    # ---- how it is meshed ----

    def _sizes(self, size: float) -> Array:
        """Size of the elements at each sample."""
        return np.minimum(sizes_along(self.surroundings, size, ELEMENTS_PER_CIRCLE[2]), size)

    def boxes(self, size: float) -> Iterator[Box]:
        """Yield the boxes whose faces graze no curve."""
        if not self.curves:
            yield Box(np.zeros(2), self.periods)
            return
        marks = np.concatenate([curve.marks for curve in self.curves])
        yield from ranked_boxes(self.surroundings, marks, self._sizes(size))

    def draw(self, canvas: Canvas) -> Drawing:
        """Draw the box with the curves in it, those that hold others first."""
        if not self.curves:
            return Drawing(canvas.cut(()))
        # The mesher is loaded by those who mesh.
        from torrey.geometry.outlines.drawing import draw_outlines

        return draw_outlines(self.surroundings, self._owners, self._sizes(canvas.size), canvas)

    def membrane_between(self, first: Side, second: Side, place: Array) -> tuple[int, bool]:
        """Return the membrane at a place: that of the nearest curve."""
        number = self.surroundings.nearest_curve(place)
        membrane = self.membranes()[number]
        pair = first.compartment, second.compartment
        if pair == (membrane.outside, membrane.inside):
            return number, True
        if pair == (membrane.inside, membrane.outside):
            return number, False
        return super().membrane_between(first, second, place)

    # ---- what a mesh of it must keep ----

    def membrane_radii(self) -> Array:
        """Return the smallest radius of curvature of each membrane; corners do not count."""
        return np.array([curve.least_radius for curve in self.curves])

    def facet_radii(self, nodes: Array, membrane: NDArray[np.int64]) -> Array:
        """Return the smallest radius of curvature of each facet's membrane at its nodes, (n,)."""
        found = np.empty(len(nodes))
        for number, here in self._by_curve(membrane):
            near = nodes[here].reshape(-1, 2)
            _, parameters = self.surroundings.onto(number, near)
            radii = self.curves[number].radii_at(parameters)
            found[here] = radii.reshape(len(here), -1).min(axis=1)
        return found

    def on_membrane(self, places: Array, membrane: NDArray[np.int64]) -> Array:
        """Return places moved onto the exact curves of their membranes, shape (n, 2)."""
        found = np.array(places, dtype=float)
        for number, here in self._by_curve(membrane):
            found[here] = self.surroundings.onto(number, found[here])[0]
        return found

    @staticmethod
    def _by_curve(membrane: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
        for number in np.unique(membrane).tolist():
            yield number, np.flatnonzero(membrane == number)

    def region_tolerances(self, relative: Array) -> Array:
        """Return how far the area of each region may be off, shape (n_regions,); like h^4."""
        found = np.full(len(self.region_names), ROUNDING)
        lengths = np.array(self.interface_measures())
        for membrane, part in zip(self.membranes(), relative * lengths**2, strict=True):
            for side in {membrane.outside, membrane.inside} - {NOTHING}:
                found[side] += part / (4 * math.pi)
        return found

    def place_name(self, place: Array) -> str:
        """Say which outline is nearest to a place."""
        if not self.curves:
            return ""
        return f"next to cell_{self.surroundings.nearest_curve(place) + 1}"

    def advice(self, least: str) -> str:
        """Say where it is narrowest, and what could help."""
        general = super().advice(least)
        narrow = next(iter(self.surroundings.approaches), None) if self.curves else None
        if narrow is None:
            return general
        return f"The narrowest place: {self._conflict(narrow)}. {general}"

    def _described(self, noun: str) -> str:
        """Say how many outlines there are and what is inside."""
        count = len(self.curves)
        number = f"{count} {noun}s" if count != 1 else f"one {noun}"
        return number + (", no water inside" if self.interior == "obstacle" else "")


def own_length_of(plain: Mapping[str, str | int | float]) -> float | None:
    """Return the width of a cell that plain values hold (um), if they do."""
    return float(plain["width"]) if "width" in plain else None
