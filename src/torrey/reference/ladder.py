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

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array
from scipy.sparse.linalg import SuperLU

from torrey.base.lazy import Lazy
from torrey.cell.factors import factorise
from torrey.cell.operators import Array, BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.models.expansion import expand
from torrey.models.projection import (
    ProjectedModel,
    corrector_basis,
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
    expansion = expand(operators, frame, min(highest, _HIGHEST_CORRECTOR) - 1)
    M = operators.mass_matrix
    basis, ranks = corrector_basis(operators, expansion, LOWEST_RUNG)
    # Enrichments are made when a rung first asks for them.
    places = [
        _Enrichment(operators, gamma)
        for gamma in _wave_numbers(operators, expansion.frame, max(highest - 3, 0))
    ]
    for rung in range(LOWEST_RUNG + 1, highest + 1):
        if rung <= _HIGHEST_CORRECTOR:
            basis = extend(basis, correctors(expansion, rung, operators.cell.n_dofs), M)
        for place in places:
            depth = rung - 2 - place.number
            if 1 <= depth <= _DEEPEST:
                basis = extend(basis, place.layer(depth), M, _NEW)
        if basis.shape[1] > _FILLED * operators.cell.n_dofs:
            basis = basis[:, : ranks[-1]]
            break
        ranks = (*ranks, basis.shape[1])
    return project_on(operators, expansion.frame, basis, ranks)


def climb_meshes(
    levels: Sequence[BlochTorrey], frame: ArrayLike, highest: int
) -> Lazy[ProjectedModel]:
    """Ladders on a sequence of meshes, to the height that reference signals need.

    Each is made when first asked for. The two highest rungs tell errors of lower ones, on the
    coarsest mesh alone.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    frame : (d,) or (c, d) array_like
    highest : int
        On the coarsest mesh; see `climb`.
    """
    finer = max(highest - 2, LOWEST_RUNG)
    return Lazy.of(lambda k: climb(levels[k], frame, finer if k else highest), len(levels))


def climb_further(
    kept: Sequence[ProjectedModel], levels: Sequence[BlochTorrey]
) -> Lazy[ProjectedModel]:
    """Ladders that are kept, and those on finer meshes, made when first asked for.

    Parameters
    ----------
    kept : sequence of ProjectedModel
        As `climb_meshes` made them, on the first meshes.
    levels : sequence of BlochTorrey
        By mesh, coarsest first, on as many meshes or more.
    """

    def ladder(level: int) -> ProjectedModel:
        if level < len(kept):
            return kept[level]
        coarsest = kept[0]
        return climb(levels[level], coarsest.frame, max(coarsest.order - 2, LOWEST_RUNG))

    return Lazy.of(ladder, len(levels))


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
    """

    def __init__(self, operators: BlochTorrey, place: tuple[int, Array]) -> None:
        self._operators = operators
        self.number, gamma = place
        size = np.array([np.linalg.norm(gamma)])
        along = operators.along(gamma)
        mean = float(np.trace(operators.diffusivity.mean(axis=0))) / operators.n_axes
        # Any shift will do where nothing moves.
        shift = float(size[0]) * (mean or 1.0)
        # The unit cell without permeability and relaxation.
        self._system = AffineSystem(operators, operators.K + shift * operators.M, along.C, along.N)
        self._gamma = size
        self._fields = [operators.cell.indicators.astype(complex)]

    def layer(self, depth: int) -> Array:
        """Fields that this depth adds to the one before, real and imaginary parts."""
        op = self._operators
        while len(self._fields) < depth:
            self._fields.append(self._lu.solve(op.mass_matrix @ self._fields[-1]))
        before = self._fields[depth - 1]
        loads = [op.mass_matrix @ before]
        if depth >= 2:
            loads.append(self._slope @ before)
            if depth >= 3 and op.J.any():
                loads.append(op.cell.matrix(op.J) @ before)
            if op.T is not None:
                loads.append(op.cell.matrix(op.T / np.abs(op.T).max()) @ before)
        new = self._lu.solve(np.hstack(loads))
        if len(self._fields) == depth:
            self._fields.append(new[:, : before.shape[1]])
        return np.hstack([new.real, new.imag])

    @cached_property
    def _lu(self) -> SuperLU:
        return factorise(self._system.matrix(self._gamma))

    @cached_property
    def _slope(self) -> csc_array:
        """dA/d|gamma|."""
        return self._system.slope(self._gamma, np.ones(1))
