"""Ladders of projected models on a mesh and its refinements.

A small mesh, as layers have, is soon filled by the rungs of its ladder. There, the rungs beyond are
the whole space: nothing is lost by the projection, and all strengths and times still share matrices
and steps, which the full system does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cholesky, solve_triangular

from torrey.base.lazy import Lazy
from torrey.base.progress import Progress, untold
from torrey.cell.operators import Array, BlochTorrey
from torrey.models.projection import ProjectedModel, project_on
from torrey.reference.ladder import GrowingLadder, Ladder, Turned
from torrey.reference.span import HIGHEST_RUNG, LOWEST_RUNG, RUNGS_ABOVE

#: Degrees of freedom of a mesh whose whole space is small enough.
_SMALL = 400
#: The first rung that is the whole space, above all others of all ladders, and the last: two that
#: finer meshes are asked for, one to take signals from, and one above it that tells its error.
_WHOLE, _LAST = HIGHEST_RUNG + 2, HIGHEST_RUNG + 5


class FramedLadder(Ladder, Protocol):
    """A ladder that knows the axes it is for."""

    @property
    def frame(self) -> Array:
        """Axes of the gradients, shape (c, d)."""


def is_small(operators: BlochTorrey) -> bool:
    """Whether the whole space of a mesh is small enough to be a rung: as of layers it is."""
    return operators.cell.dimension == 1 and operators.cell.n_dofs <= _SMALL


class CompletedLadder:
    """A ladder on a small mesh, whose last rungs are the whole space of the mesh.

    Parameters
    ----------
    ladder : FramedLadder
        Some rungs may be missing at its end, which would nearly fill the mesh.
    operators : BlochTorrey
        On the mesh of the ladder.
    """

    def __init__(self, ladder: FramedLadder, operators: BlochTorrey) -> None:
        self._ladder, self._operators = ladder, operators

    @property
    def order(self) -> int:
        """Highest rung that may be asked for."""
        return _LAST

    @property
    def operators(self) -> BlochTorrey:
        """Of the cell on its mesh."""
        return self._operators

    @property
    def whole(self) -> ProjectedModel:
        """The model with all rungs that do not fill the mesh."""
        ladder = self._ladder
        return ladder.whole if isinstance(ladder, GrowingLadder) else ladder.truncate(ladder.order)

    def reaches(self, order: int) -> bool:
        """Whether there is such a rung."""
        return order <= self.order if self.complete(order) else self._ladder.reaches(order)

    def complete(self, order: int) -> bool:
        """Whether a rung is the whole space."""
        return order >= _WHOLE

    def truncate(self, order: int) -> ProjectedModel:
        """The model of one rung.

        Raises
        ------
        ValueError
            If there is no such rung.
        """
        if not self.reaches(order):
            raise ValueError(f"rung {order} of a ladder that does not reach it")
        return self._space if self.complete(order) else self._ladder.truncate(order)

    def basis(self, order: int) -> Array:
        """The M-orthonormal basis of one rung, shape (n_dofs, r).

        Raises
        ------
        ValueError
            If the rungs of the ladder are known without their fields.
        """
        if self.complete(order):
            return self._every_field
        if not isinstance(self._ladder, GrowingLadder):
            raise ValueError("a ladder of stored models knows no fields")
        return self._ladder.basis(order)

    def along(self, frame: Array) -> Ladder:
        """The ladder for gradients along other axes: see `ProjectedModel.along`."""
        return Turned(self, frame)

    @cached_property
    def _every_field(self) -> Array:
        M = self._operators.mass_matrix.toarray()
        fields: Array = solve_triangular(cholesky(M), np.eye(len(M)))
        return fields

    @cached_property
    def _space(self) -> ProjectedModel:
        fields = self._every_field
        ranks = (len(fields),) * (self.order + 1)
        return project_on(self._operators, self._ladder.frame, fields, ranks)


Climbing = GrowingLadder | CompletedLadder


def climb_meshes(
    levels: Sequence[BlochTorrey], frame: ArrayLike, highest: int, progress: Progress = untold
) -> Lazy[Climbing]:
    """Ladders on a sequence of meshes, to the height that reference signals need.

    Each is made when first asked for, and no higher than it is asked for. The two highest rungs
    tell errors of lower ones, on the coarsest mesh alone. Small meshes have rungs above these that
    are the whole space of the mesh: see `CompletedLadder`.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    frame : (d,) or (c, d) array_like
    highest : int
        On the coarsest mesh; see `climb`.
    progress : Progress
        Is told how much is done of each ladder as it grows.
    """
    finer = max(highest - 2, LOWEST_RUNG)

    def ladder(level: int) -> Climbing:
        rungs = finer if level else highest
        growing = GrowingLadder(levels[level], frame, rungs, progress=progress)
        return CompletedLadder(growing, levels[level]) if is_small(levels[level]) else growing

    return Lazy.of(ladder, len(levels))


@dataclass(frozen=True)
class StoredLadder:
    """A ladder whose lower rungs are at hand; those above are made when they are asked for.

    Attributes
    ----------
    model : ProjectedModel
        The rungs at hand.
    growing : sequence of GrowingLadder
        One, on the same mesh and along the same axes.
    """

    model: ProjectedModel
    growing: Sequence[GrowingLadder]

    @property
    def frame(self) -> Array:
        """Axes of the gradients."""
        return self.model.frame

    @property
    def order(self) -> int:
        """Highest rung that may be asked for."""
        return max(self.model.order, self.growing[0].order)

    def reaches(self, order: int) -> bool:
        """Whether there is such a rung."""
        return order <= self.model.order or self.growing[0].reaches(order)

    def complete(self, order: int) -> bool:
        """No rung fills the mesh."""
        return False

    def truncate(self, order: int) -> ProjectedModel:
        """The model of one rung."""
        return (self.model if order <= self.model.order else self.growing[0]).truncate(order)

    def along(self, frame: Array) -> Ladder:
        """The ladder for gradients along other axes: see `ProjectedModel.along`."""
        return Turned(self, frame)


def models_to_store(
    levels: Sequence[BlochTorrey], frame: ArrayLike, highest: int, progress: Progress = untold
) -> Lazy[ProjectedModel]:
    """What is kept of the ladders on a sequence of meshes for many tables of points.

    All rungs as a rule. In space, where the enrichment of one rung takes nine complex factors, the
    finer meshes keep those that points of the largest gradients begin with: see `continued`.

    Parameters
    ----------
    levels, frame, highest, progress
        See `climb_meshes`.
    """
    ladders = climb_meshes(levels, frame, highest, progress)
    several = np.atleast_2d(np.asarray(frame)).shape[0] > 1

    def model(level: int) -> ProjectedModel:
        if level and several and levels[level].cell.dimension == 3:
            return ladders[level].truncate(max(LOWEST_RUNG, highest - RUNGS_ABOVE - 1))
        return ladders[level].whole

    return Lazy.of(model, len(levels))


def continued(
    models: Sequence[ProjectedModel], levels: Sequence[BlochTorrey], progress: Progress = untold
) -> Lazy[Ladder]:
    """Ladders of stored models, which on the finer meshes grow if more is asked of them.

    On meshes beyond the stored ones they are made when first asked for.

    Parameters
    ----------
    models : sequence of ProjectedModel
        By mesh, coarsest first: see `models_to_store`.
    levels : sequence of BlochTorrey
        Operators on each mesh, on as many meshes or more.
    progress : Progress
        Is told how much is done of each ladder that grows.
    """

    def ladder(level: int) -> Ladder:
        incomplete, operators = _continued(models, levels, level, progress), levels[level]
        if not is_small(operators):
            return incomplete
        return CompletedLadder(incomplete, operators)

    return Lazy.of(ladder, len(levels))


def _continued(
    models: Sequence[ProjectedModel],
    levels: Sequence[BlochTorrey],
    level: int,
    progress: Progress,
) -> FramedLadder:
    coarsest = models[0]
    finer = max(coarsest.order - 2, LOWEST_RUNG)
    if level >= len(models):
        return GrowingLadder(levels[level], coarsest.frame, finer, progress=progress)
    model = models[level]
    if not level or model.order >= finer:
        return model
    growing = partial(GrowingLadder, levels[level], model.frame, finer, progress=progress)
    return StoredLadder(model, Lazy([growing]))
