"""What a kind of geometry says of itself: the one page that a new kind has to follow.

Lengths are in units of the cell. Compartments are numbered from 0, the outside where there is one.
A region is a part of a compartment with a material of its own: most compartments are one region.

A kind is a frozen dataclass in a file of its own that derives from `Shape`. Its fields are made by
`torrey.base.fields.declared`: the configuration, its schema and the documentation are made from
them, and from the first paragraph of the docstring. One entry in `torrey.geometry.registry.KINDS`
makes it known to all of them.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, get_origin

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declarations, declared
from torrey.geometry.boxes import Box
from torrey.geometry.membranes import Membrane, Plain, Radius, numbered
from torrey.geometry.pieces import Drawing, Side
from torrey.geometry.sizes import ROUNDING

if TYPE_CHECKING:
    # The mesher is loaded by those who mesh.
    from torrey.geometry.drawing import Canvas
    from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]

LEAST_GAP: Final = 1e-4
"""Least distance between two balls, in units of the cell."""

_LAST_DIGITS: Final = 1e-13

Part = Literal["outside", "inside", "layer", "coat"]
"""Under which key of a material the value of a region stands."""


class Shape(ABC):
    """A periodic unit cell: what it holds, how it is meshed, and how its values are written.

    A kind must say its `kind`, its `dimension` and what is abstract here, and `draw` itself (or
    list its `segments` in one dimension). All the rest has a meaning that fits cells with flat
    membranes in a square or cubic lattice, and may be replaced. A shape checks its values when it
    is made and raises `InputError` with the place of what it refuses.
    """

    kind: ClassVar[str]
    dimensions: ClassVar[tuple[int, ...]]
    """The dimensions that cells of this kind may have."""

    if TYPE_CHECKING:

        @property
        def dimension(self) -> int:
            """Number of space dimensions d."""

    # ---- what it holds ----

    @property
    @abstractmethod
    def compartment_names(self) -> tuple[str, ...]:
        """Name of each compartment."""

    @abstractmethod
    def membranes(self) -> tuple[Membrane, ...]:
        """Return the membranes between compartments, and the surfaces of obstacles."""

    @abstractmethod
    def measures(self) -> tuple[float, ...]:
        """Return the exact length, area or volume of each compartment."""

    @abstractmethod
    def interface_measures(self) -> tuple[float, ...]:
        """Return the exact length or area of each membrane; a point counts 1."""

    @property
    def n_compartments(self) -> int:
        """Number of compartments."""
        return len(self.compartment_names)

    @property
    def region_names(self) -> tuple[str, ...]:
        """Name of each region: the compartments, unless some of them have several."""
        return self.compartment_names

    @property
    def region_compartment(self) -> tuple[int, ...]:
        """Compartment of each region."""
        return tuple(range(self.n_compartments))

    @property
    def region_groups(self) -> tuple[str, ...]:
        """Name of each region under which a material may say its value beside its own name.

        That of its compartment, unless a region of the user's has fallen into pieces.
        """
        return tuple(self.compartment_names[owner] for owner in self.region_compartment)

    @property
    def region_parts(self) -> tuple[Part, ...]:
        """Key of a material with the value of each region: region 0 is ``outside``."""
        inside: tuple[Part, ...] = ("inside",)
        return ("outside", *inside * (len(self.region_names) - 1))

    def region_measures(self) -> tuple[float, ...]:
        """Return the exact length, area or volume of each region."""
        return self.measures()

    @property
    def periods(self) -> Array:
        """Vectors by which the cell repeats, as rows, shape (d, d); unit vectors in space."""
        return np.eye(self.dimension)

    def radial_centres(self) -> Mapping[int, Array]:
        """Return centres, shape (d,), of the regions that may have a radial diffusivity.

        Any periodic image; by the number of the region, which is a ring or a shell about it.
        """
        return {}

    def lengths(self) -> Mapping[str, tuple[float, str]]:
        """Return lengths that are kept with the meshes: by name, value and description."""
        return {}

    def own_length(self) -> float | None:
        """Return the period that the cell was described with (um); None if it has any."""
        return None

    # ---- how it is written ----

    def to_dict(self) -> Plain:
        """Return plain values: each field by its name, numbers in a tuple numbered from 0.

        Files are named after them, so that they must tell any two cells apart.
        """
        plain: Plain = {"kind": self.kind}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                plain |= {f"{field.name}_{i}": _scalar(x) for i, x in enumerate(value)}
            else:
                plain[field.name] = _scalar(value)
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        values: dict[str, Any] = {}
        for name, field in declarations(cls).items():
            if get_origin(field.annotation) is tuple:
                values[name] = tuple(x for _, x in numbered(plain, f"{name}_{{}}", first=0))
            else:
                values[name] = plain[name]
        return cls(**values)

    def describe(self) -> str:
        """Say in words what the cell is, for titles and messages; sizes in units of the cell."""
        return self.kind

    def remarks(self) -> tuple[str, ...]:
        """Return what whoever reads results should know of how the cell was made from its file."""
        return ()

    # ---- how it is meshed ----

    def own_mesh(self, size: float) -> CellMesh | None:
        """Return the coarsest mesh of a kind that brings its own; None of those that are drawn.

        Parameters
        ----------
        size : float
            Target size of the elements, for kinds that can follow it.

        Raises
        ------
        MeshError
            If there is none.
        """
        return None

    def own_elements(self, size: float) -> float | None:
        """Return about how many elements the mesh has that a kind brings; None if it is drawn."""
        return None

    def boxes(self, size: float) -> Iterator[Box]:
        """Yield the boxes in which it may be meshed, the best first: any period is as good."""
        yield Box(np.zeros(self.dimension), self.periods)

    def draw(self, canvas: Canvas) -> Drawing:
        """Draw the cell in the box of the canvas, and say whose each surface or volume is."""
        raise NotImplementedError(f"{self.kind} say nothing of how to draw them")

    def segments(self) -> Sequence[tuple[float, int]]:
        """Return right end and compartment of each segment of [0, 1], where d = 1."""
        raise NotImplementedError(f"{self.kind} are not made of segments")

    def membrane_between(self, first: Side, second: Side, place: Array) -> tuple[int, bool]:
        """Return the membrane at a place between two pieces, and whether the first is outside.

        Raises
        ------
        InputError
            If the shape has no membrane between their compartments.
        """
        pair = first.compartment, second.compartment
        for sides, first_is_outside in ((pair, True), (pair[::-1], False)):
            if sides in self._membrane_of:
                return self._membrane_of[sides], first_is_outside
        names = " and ".join(self.compartment_names[i] for i in pair)
        raise InputError(f"{names} side by side", f"a membrane of {self.kind} between them")

    @cached_property
    def _membrane_of(self) -> dict[tuple[int, int], int]:
        return {(m.outside, m.inside): i for i, m in enumerate(self.membranes())}

    # ---- what a mesh of it must keep, and what is said where none does ----

    def membrane_radii(self) -> Array:
        """Return the smallest radius of curvature of each membrane; infinite where it is flat."""
        return np.full(len(self.membranes()), np.inf)

    def named_radii(self) -> tuple[Radius, ...]:
        """Return the radii by which signals may be derived: those of circles and spheres."""
        return ()

    def facet_radii(self, nodes: Array, membrane: NDArray[np.int64]) -> Array:
        """Return the smallest radius of curvature of the membrane along each facet, shape (n,).

        Parameters
        ----------
        nodes : (n, n_facet_nodes, d) float
        membrane : (n,) int
            Of each facet.
        """
        return self.membrane_radii()[membrane]

    def region_tolerances(self, relative: Array) -> Array:
        """Return how far the measure of each region may be off on a mesh, shape (n_regions,).

        Parameters
        ----------
        relative : (n_membranes,) float
            Relative error that the elements explain of each membrane's measure.
        """
        return ROUNDING * np.array(self.region_measures()) + _LAST_DIGITS

    def on_membrane(self, places: Array, membrane: NDArray[np.int64]) -> Array:
        """Return places moved onto the exact surface of their membrane, shape (n, d).

        Places are close to the surface, or to a periodic image of it, and stay close to that one.
        Flat membranes, and those of meshes that have no exact surface, leave them where they are.

        Parameters
        ----------
        places : (n, d) float
        membrane : (n,) int
        """
        return places

    def on_interface(self, places: Array, regions: NDArray[np.int64]) -> Array:
        """Return places moved onto the exact surface between two regions of a compartment, (n, d).

        As `on_membrane`, where there is no membrane.

        Parameters
        ----------
        places : (n, d) float
        regions : (n, 2) int
            On both sides, the smaller number first.
        """
        return places

    def outward(self, places: Array, membrane: NDArray[np.int64]) -> Array:
        """Return unit vectors away from the centre of circles and spheres, shape (n, d).

        Parameters
        ----------
        places : (n, d) float
            On the membranes, or on periodic images of them.
        membrane : (n,) int
            Those of `named_radii`.
        """
        raise NotImplementedError(f"{self.kind} have no radii")

    def surface_gaps(self, nodes: Array, membrane: NDArray[np.int64]) -> Array:
        """Return how far the nodes of facets lie off the exact surface at most, shape (n,).

        Parameters
        ----------
        nodes : (n, n_facet_nodes, d) float
        membrane : (n,) int
            Of each facet.
        """
        count, d = nodes.shape[1:]
        exact = self.on_membrane(nodes.reshape(-1, d), np.repeat(membrane, count))
        gaps = np.linalg.norm(exact.reshape(nodes.shape) - nodes, axis=2)
        return np.asarray(gaps.max(axis=1))

    def place_name(self, place: Array) -> str:
        """Say what is near a place, for a message that names the place; may be empty."""
        return ""

    def advice(self, least: str) -> str:
        """Say what could help where no mesh was good down to a size."""
        return f"Not tried: a mesh.size below {least}"


def _scalar(value: object) -> str | int | float:
    if not isinstance(value, str | int | float):
        raise TypeError(
            f"found {value!r}; a kind whose fields are no numbers, texts or tuples of them has a "
            "to_dict and a from_dict of its own"
        )
    return value


USUAL_SIZE: Final = {1: 0.1, 2: 0.1, 3: 0.2}
"""Size of the coarsest elements by dimension, unless another is given (units of the cell)."""

USUAL_LIMIT: Final = {1: 6, 2: 4, 3: 2}
"""How often elements may be halved by dimension, unless another limit is given."""

KEPT_LEVELS: Final = {1: 2, 2: 2, 3: 1}
"""Refinements that are made with the coarsest mesh and kept; finer ones where they are needed."""

_MOST_REFINEMENTS: Final = 6


@dataclass(frozen=True)
class MeshOptions:
    """How finely a cell is meshed.

    Parameters
    ----------
    size : float, optional
        Target size of the coarsest elements, above 0 and at most 0.5 (units of the cell);
        `USUAL_SIZE` without it.
    refinements : int, optional
        How many uniform refinements of the coarsest mesh a tolerance may ask for, 0 to 6; each
        halves the size. `USUAL_LIMIT` without it.

    Raises
    ------
    ValueError
        If a value is out of its range.
    """

    size: float | None = declared(
        description="the size of the coarsest elements: a number above 0 and at most 0.5; without "
        "it 0.1, in three dimensions 0.2",
        default=None,
    )
    refinements: int | None = declared(
        description="a whole number, 0 to 6: how often all elements may be halved where a "
        "tolerance asks for it; without it 6, 4 and 2 times in one, two and three dimensions, "
        "less often in large cells",
        default=None,
    )

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.size is not None and not 0 < self.size <= 0.5:
            raise InputError(f"{self.size:g}", "a size above 0 and at most 0.5", at=("size",))
        if self.refinements is not None and self.refinements not in range(_MOST_REFINEMENTS + 1):
            raise InputError(
                f"{self.refinements}", f"0 to {_MOST_REFINEMENTS} refinements", at=("refinements",)
            )

    def coarsest(self, dimension: int) -> float:
        """Return the size of the coarsest elements."""
        return USUAL_SIZE[dimension] if self.size is None else self.size

    def limit(self, dimension: int) -> int:
        """Return how many refinements a tolerance may ask for."""
        return USUAL_LIMIT[dimension] if self.refinements is None else self.refinements

    def kept(self, dimension: int) -> int:
        """Return how many refinements are made with the coarsest mesh and kept."""
        return min(self.limit(dimension), KEPT_LEVELS[dimension])

    def kept_only(self, dimension: int) -> MeshOptions:
        """Return the options of the meshes that are kept."""
        return MeshOptions(self.coarsest(dimension), self.kept(dimension))

    def resolved(self, dimension: int) -> MeshOptions:
        """Return the same with what was left out."""
        return MeshOptions(self.coarsest(dimension), self.limit(dimension))

    def to_dict(self) -> Plain:
        """Return plain values; what was left out is left out."""
        given = {"size": self.size, "refinements": self.refinements}
        return {key: value for key, value in given.items() if value is not None}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, among other values."""
        return cls(plain.get("size"), plain.get("refinements"))
