"""Ladders of a material by what they must span, with what their models change by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Protocol

from torrey.base.lazy import Lazy
from torrey.cell.operators import Array, BlochTorrey
from torrey.gradients.protocol import Vector
from torrey.models.projection import ProjectedModel
from torrey.reference.derivatives import SensitiveLadder, turning_ladders
from torrey.reference.ladder import Ladder
from torrey.reference.ladder_levels import Climbing, climb_meshes, continued
from torrey.reference.span import Span

if TYPE_CHECKING:
    # Who reads slopes makes none.
    from torrey.cell.radii import Slopes

Ladders = Lazy[SensitiveLadder]


class LadderSource(Protocol):
    """Ladders on each mesh, coarsest first."""

    def sensitive(self, span: Span) -> Ladders:
        """Those along the axes of a span."""

    def turning(self, direction: Vector, rungs: int) -> Ladders:
        """Those along a direction and small turns of it, with so many rungs."""


class MaterialLadders:
    """Ladders that are made when they are first asked for, and kept.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    slopes : sequence of sequence of Slopes, optional
        What each radius changes in them, by mesh; may be lazy. Without, there are no radii.
    turned : int, optional
        Directions whose turning ladders are kept, the last ones: in space one may take a gigabyte.
        All of them by default.
    """

    def __init__(
        self,
        levels: Sequence[BlochTorrey],
        slopes: Sequence[Sequence[Slopes]] = (),
        turned: int | None = None,
    ) -> None:
        self._levels, self._slopes, self._turned = levels, slopes, turned

    def of(self, span: Span) -> Lazy[Climbing]:
        """Ladders for the directions and the reach of some points."""
        return self._of(span)

    def sensitive(self, span: Span) -> Ladders:
        """The same ladders, with what their models change by."""
        return self._sensitive(span)

    def turning(self, direction: Vector, rungs: int) -> Ladders:
        """Ladders for a direction and small turns of it."""
        return self._turning(direction, rungs)

    @cached_property
    def _of(self) -> Callable[[Span], Lazy[Climbing]]:
        def ladders(span: Span) -> Lazy[Climbing]:
            return climb_meshes(self._levels, span.axes, span.rungs)

        return lru_cache(None)(ladders)

    @cached_property
    def _sensitive(self) -> Callable[[Span], Ladders]:
        return lru_cache(None)(lambda span: self._with_slopes(self.of(span)))

    @cached_property
    def _turning(self) -> Callable[[Vector, int], Ladders]:
        def ladders(direction: Vector, rungs: int) -> Ladders:
            return self._with_slopes(turning_ladders(self._levels, direction, rungs))

        return lru_cache(self._turned)(ladders)

    def _with_slopes(self, ladders: Sequence[Climbing]) -> Ladders:
        def slopes(level: int) -> Sequence[Slopes]:
            return self._slopes[level] if self._slopes else ()

        return Lazy.of(
            lambda level: SensitiveLadder(ladders[level], partial(slopes, level)), len(ladders)
        )


class StoredLadders:
    """Ladders of bases that were built before: their fields are not kept with them.

    There are no derivatives by diffusivities, directions and radii of them.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    stored : mapping of Span to sequence of ProjectedModel
        See `torrey.reference.ladder.models_to_store`.
    """

    def __init__(
        self, levels: Sequence[BlochTorrey], stored: Mapping[Span, Sequence[ProjectedModel]]
    ) -> None:
        self._levels = levels
        self._ladders = {span: continued(models, levels) for span, models in stored.items()}

    def sensitive(self, span: Span) -> Ladders:
        """Ladders along the axes of a span."""
        ladders, levels = self._ladders[span], self._levels
        return Lazy.of(lambda k: SensitiveLadder(_Reduced(ladders[k], levels[k])), len(levels))

    def turning(self, direction: Vector, rungs: int) -> Ladders:
        """There are none."""
        raise ValueError("ladders of stored bases turn towards no axis beside the gradient")


@dataclass(frozen=True)
class _Reduced:
    """A ladder of which the reduced matrices are known, and no fields."""

    ladder: Ladder
    operators: BlochTorrey

    @property
    def order(self) -> int:
        return self.ladder.order

    def reaches(self, order: int) -> bool:
        return self.ladder.reaches(order)

    def complete(self, order: int) -> bool:
        return self.ladder.complete(order)

    def truncate(self, order: int) -> ProjectedModel:
        return self.ladder.truncate(order)

    def along(self, frame: Array) -> Ladder:
        return self.ladder.along(frame)

    def basis(self, order: int) -> Array:
        raise ValueError(f"fields of rung {order} are not kept")
