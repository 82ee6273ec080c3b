"""Projected models of any reach: correctors, enriched with fields at gradients that are not small.

The correctors of `projection` are moments at g = 0. They converge slowly where gamma = |g| L is
large, about beyond pi. There the basis is enriched: at gamma_j = 3, 6, 9, ... along each direction,
with the rational Krylov space of the flow,

    X_0 = 1_a,    B X_i = M X_{i-1},    B Y_i = dA/dgamma X_i and J X_i,    B = A(gamma_j) + s M

whose real and imaginary parts serve +gamma_j and -gamma_j. The rungs of the ladder are nested:
rung l holds the correctors of P_l (of P_4 at most) and the fields at gamma_j to the depth
l - 2 - j, so that each rung goes deeper and further than the one before, and the difference of two
rungs estimates the error of the lower one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array

from torrey.base.progress import Progress, Steps, untold
from torrey.cell.factors import Factor, factorise
from torrey.cell.operators import Array, BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.models.expansion import expand
from torrey.models.polynomials import Monomial
from torrey.models.projection import (
    ProjectedModel,
    correctors,
    extend,
    project_on,
)
from torrey.reference.span import LOWEST_RUNG, SPACING

#: Correctors beyond this order are many and add less than the enrichment does.
_HIGHEST_CORRECTOR = 4
_DEEPEST = 4
#: Basis vectors per degree of freedom of a mesh. A basis that nearly fills a coarse mesh changes no
#: more from rung to rung there, whatever it lacks on the finer ones.
_FILLED = 0.75
#: What is new in a field of the enrichment must be larger than this to be kept.
_NEW = 1e-4

ComplexArray = NDArray[np.complex128]


class Ladder(Protocol):
    """A ladder of projected models on one mesh; a `ProjectedModel` is one, with all its rungs."""

    @property
    def order(self) -> int:
        """Highest rung that may be asked for."""

    def reaches(self, order: int) -> bool:
        """Whether there is such a rung: some meshes are filled by fewer."""

    def complete(self, order: int) -> bool:
        """Whether a rung is known to be the whole space of its mesh."""

    def truncate(self, order: int) -> ProjectedModel:
        """The model of one rung."""

    def along(self, frame: Array) -> Ladder:
        """The ladder for gradients along other axes, in the span of its own."""


def climb(operators: BlochTorrey, frame: ArrayLike, highest: int) -> ProjectedModel:
    """The projected model with the rungs 0 to `highest`: `truncate(l)` gives rung l.

    Parameters
    ----------
    operators : BlochTorrey
    frame : (d,) or (c, d) array_like
        Gradient direction, or axes that span all directions wanted.
    highest : int
        At least 3; the rungs up to 3 are P_0 to P_3. Those that would fill the mesh are left out.
    """
    return GrowingLadder(operators, frame, highest).whole


class GrowingLadder:
    """A ladder whose rungs are made when they are first asked for, with all below them.

    Parameters
    ----------
    operators, frame
        See `climb`.
    highest : int
        No rung above this one is made.
    beside : (k, d) float, optional
        Axes orthogonal to those of `frame`: gradients turn towards them, by small angles. Fields
        linear in them are in the basis, so that derivatives by the direction are as accurate as
        signals; signals of larger angles are not.
    progress : Progress
        Is told how much is done whenever the ladder grows.
    """

    def __init__(
        self,
        operators: BlochTorrey,
        frame: ArrayLike,
        highest: int,
        beside: ArrayLike | None = None,
        progress: Progress = untold,
    ) -> None:
        self._progress = progress
        axes = np.atleast_2d(np.asarray(frame, dtype=float))
        axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
        others = np.asarray(beside, dtype=float) if beside is not None else np.empty((0, 0))
        others = others.reshape(-1, axes.shape[1])
        self._operators = operators
        self._n_axes = len(axes)
        self._frame = np.concatenate([axes, others])
        self._order = max(highest, LOWEST_RUNG)
        self._basis = np.empty((operators.cell.n_dofs, 0))
        self._ranks: tuple[int, ...] = ()
        self._model: ProjectedModel | None = None
        self._places = [
            _Enrichment(operators, gamma, others)
            for gamma in _wave_numbers(operators, axes, max(highest - LOWEST_RUNG, 0))
        ]

    @property
    def order(self) -> int:
        """Highest rung that may be asked for; `reaches` tells whether it fills the mesh."""
        return self._order

    @property
    def operators(self) -> BlochTorrey:
        """Of the cell on its mesh."""
        return self._operators

    @property
    def frame(self) -> Array:
        """Axes of the gradients, and those beside them."""
        return self._frame

    def basis(self, order: int) -> Array:
        """The M-orthonormal basis of one rung, shape (n_dofs, r): see `truncate`."""
        rank = len(self.truncate(order).start)
        return self._basis[:, :rank]

    @property
    def whole(self) -> ProjectedModel:
        """The model with all rungs that do not fill the mesh."""
        self._grow(self._order)
        return self.truncate(self._order)

    def reaches(self, order: int) -> bool:
        """Whether there is such a rung; it is made to tell."""
        self._grow(min(order, self._order))
        return order <= self._order

    def complete(self, order: int) -> bool:
        """No rung fills the mesh."""
        return False

    def truncate(self, order: int) -> ProjectedModel:
        """The model of one rung.

        Raises
        ------
        ValueError
            If the ladder does not go that far.
        """
        if not self.reaches(order):
            raise ValueError(f"rung {order} of a ladder with rungs 0 to {self._order}")
        if self._model is None or self._model.order < order:
            self._model = project_on(self._operators, self._frame, self._basis, self._ranks)
        return self._model.truncate(order)

    def along(self, frame: Array) -> Ladder:
        """The ladder for gradients along other axes: see `ProjectedModel.along`."""
        return Turned(self, frame)

    def _grow(self, rung: int) -> None:
        """Make all rungs up to one, or to the last that does not fill the mesh."""
        made, cell, M = len(self._ranks), self._operators.cell, self._operators.mass_matrix
        if rung < made:
            return
        highest = min(max(rung, LOWEST_RUNG), _HIGHEST_CORRECTOR)
        wanted = range(made, max(rung, LOWEST_RUNG) + 1)
        name = f"basis of projected models on a mesh with {cell.n_dofs:,} unknowns"
        told = Steps(self._progress, name, sum(map(self._count_layers, wanted)) + 1)
        series = expand(self._operators, self._frame, highest - 1) if made <= highest else None
        told()
        for number in wanted:
            basis = self._basis
            if series is not None and number <= highest:
                fields = correctors(series, number, cell.n_dofs, self._counts)
                basis = extend(basis, fields, M)
            for place, depth in self._layers(number):
                basis = extend(basis, place.layer(depth), M, _NEW)
                told()
            if number > LOWEST_RUNG and basis.shape[1] > _FILLED * cell.n_dofs:
                self._order = number - 1
                break
            self._basis, self._ranks = basis, (*self._ranks, basis.shape[1])
        for place in self._places:
            place.release()
        told.end()

    def _layers(self, rung: int) -> list[tuple[_Enrichment, int]]:
        """Places of the enrichment and depths of the layers there that a rung adds."""
        if rung <= LOWEST_RUNG:
            return []
        depths = [(place, rung - 2 - place.number) for place in self._places]
        return [(place, depth) for place, depth in depths if 1 <= depth <= _DEEPEST]

    def _count_layers(self, rung: int) -> int:
        return len(self._layers(rung))

    def _counts(self, powers: Monomial) -> bool:
        """Whether a corrector is at most linear in the axes beside those of the gradients."""
        axes = len(self._frame)
        beside = (n for at, n in enumerate(powers[:-1]) if at % axes >= self._n_axes)
        return sum(beside) <= 1


@dataclass(frozen=True)
class Turned:
    """A ladder for gradients along other axes."""

    ladder: Ladder
    frame: Array

    @property
    def order(self) -> int:
        return self.ladder.order

    def reaches(self, order: int) -> bool:
        return self.ladder.reaches(order)

    def complete(self, order: int) -> bool:
        return self.ladder.complete(order)

    def truncate(self, order: int) -> ProjectedModel:
        return self._turned(order)

    @cached_property
    def _turned(self) -> Callable[[int], ProjectedModel]:
        return cache(lambda order: self.ladder.truncate(order).along(self.frame))

    def along(self, frame: Array) -> Ladder:
        return Turned(self.ladder, frame)


def _wave_numbers(operators: BlochTorrey, frame: Array, count: int) -> list[tuple[int, Array]]:
    """Numbers and vectors gamma (rad per period) of the enrichment, from the smallest on."""
    d = operators.cell.dimension
    if len(frame) > d and _shifts_compartments(operators):
        # Gradients out of the cell only shift the rates of compartments against each other, as
        # the resolvents in the basis do: fields at those within the cell are enough.
        frame = np.eye(d, operators.n_axes)
    if len(frame) == 1:
        directions = [frame[0]]
    else:
        # Axes and diagonals; a field at -gamma is the conjugate of that at gamma.
        pairs = [(a, b) for a in range(len(frame)) for b in range(a + 1, len(frame))]
        diagonals = [frame[a] + s * frame[b] for a, b in pairs for s in (1.0, -1.0)]
        directions = [*frame, *(x / np.linalg.norm(x) for x in diagonals)]
    return [(j, SPACING * j * n) for j in range(1, count + 1) for n in directions]


def _shifts_compartments(operators: BlochTorrey) -> bool:
    """Whether gradients out of the cell change nothing but the rate of each compartment."""
    d, owners = operators.cell.dimension, operators.cell.region_compartment
    out = operators.diffusivity[:, d:, d:]
    _, first = np.unique(owners, return_index=True)
    return not operators.C[d:].any() and np.array_equal(out, out[first[owners]])


class _Enrichment:
    """The Krylov fields at one wave vector, layer by layer; each layer is made once.

    Parameters
    ----------
    operators : BlochTorrey
    place : tuple of int, (d,) float
        j and gamma_j.
    beside : (k, d) float
        Axes towards which the wave vector turns by small angles.
    """

    def __init__(self, operators: BlochTorrey, place: tuple[int, Array], beside: Array) -> None:
        self._operators = operators
        self._beside = beside
        self.number, gamma = place
        size = np.array([np.linalg.norm(gamma)])
        along = operators.along(gamma)
        mean = float(np.trace(operators.diffusivity.mean(axis=0))) / operators.n_axes
        # Any shift will do where nothing moves.
        shift = float(size[0]) * (mean or 1.0)
        # The unit cell without permeability and relaxation.
        self._system = AffineSystem(operators, operators.K + shift * operators.M, along.C, along.N)
        self._gamma, self._direction = size, gamma / size[0]
        self._fields = [operators.cell.indicators.astype(complex)]

    def layer(self, depth: int) -> Array:
        """Fields that this depth adds to the one before, real and imaginary parts."""
        op = self._operators
        while len(self._fields) < depth:
            self._fields.append(self._factor.solve(op.mass_matrix @ self._fields[-1]))
        before = self._fields[depth - 1]
        loads = [op.mass_matrix @ before]
        if depth >= 2:
            loads.append(self._slope @ before)
            loads += [turning @ before for turning in self._turns]
            if depth >= 3 and op.J.any():
                loads.append(op.cell.matrix(op.J) @ before)
            if op.T is not None:
                loads.append(op.cell.matrix(op.T / np.abs(op.T).max()) @ before)
        new = self._factor.solve(np.hstack(loads))
        if len(self._fields) == depth:
            self._fields.append(new[:, : before.shape[1]])
        return np.hstack([new.real, new.imag])

    def release(self) -> None:
        """Give the memory of the factor back; it is made again if another layer is asked for."""
        self.__dict__.pop("_factor", None)

    @cached_property
    def _factor(self) -> Factor:
        return factorise(self._system.matrix(self._gamma))

    @cached_property
    def _slope(self) -> csc_array:
        """dA/d|gamma|."""
        return self._system.slope(self._gamma, np.ones(1))

    @cached_property
    def _turns(self) -> list[csc_array]:
        """dA for wave vectors that turn towards each of the axes beside."""
        length, found = self._gamma[0], []
        for axis in self._beside:
            along = self._operators.along(np.array([self._direction, axis]))
            pair = AffineSystem(self._operators, self._system.static, along.C, along.N)
            found.append(pair.slope(np.array([length, 0.0]), np.array([0.0, 1.0])))
        return found
