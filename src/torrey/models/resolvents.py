"""A basis for all that happens close to g = 0: resolvents of A(0) at several shifts.

Cumulants and dispersive diffusivities are made of exponentials and resolvents of A(0) and of the
products of those with C and N. A rational Krylov space at real shifts s_1, s_2, ... holds both, at
all times between the inverses of the smallest and the largest shift:

    X_0 = 1, rho             and (A(0) + s_j M)^-1 M X_0 where A(0) changes them, for relaxation
    X_1 = (A(0) + s_j M)^-1 C_a X_0
    X_2 = (A(0) + s_j M)^-1 (C_a X_1, N_ab X_0)

Half of the waveform acts on rho and, as A(0) is symmetric, half on the weights 1 of the signal: two
steps from both sides are the four of q^4. Rung m holds the first m shifts, so that the rungs are
nested and what the next one changes tells the error of one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from torrey.cell.factors import Factor, factorise
from torrey.cell.operators import Array, BlochTorrey
from torrey.cell.system import AffineSystem, CellSystem
from torrey.models.projection import ProjectedModel, extend, project_on

#: What is new in a field must be larger than this to be kept.
_NEW = 1e-7
#: A source that A(0) changes by less than this, over its size and that of A(0), stays as it is.
_STILL = 1e-10


def shifts_between(least: float, most: float, doublings: int = 3) -> Array:
    """Shifts (1/ms) from one rate to another: ends and middle first, then ever more in between.

    Parameters
    ----------
    least, most : float, 1/ms
    doublings : int
        n for 2^n + 1 shifts, of which the first 2^m + 1 are those of m.
    """
    places = [0.5, 0.0, 1.0]
    for n in range(1, doublings):
        step = 2.0**-n
        # From the far ends inwards: neighbours are not added one after the other.
        between = np.arange(step / 2.0, 1.0, step)
        places += [*between[::2], *between[1::2]]
    return np.asarray(least * (most / least) ** np.array(places))


def resolvent_model(
    operators: BlochTorrey,
    frame: ArrayLike,
    period: float,
    permeability: float,
    shifts: Sequence[float] | Array,
    depth: int = 2,
) -> ProjectedModel:
    """The projected model of a cell for small gradients; `truncate(m)` gives rung m.

    Parameters
    ----------
    operators : BlochTorrey
    frame : (d,) or (c, d) array_like
        Gradient direction, or axes that span all directions wanted.
    period, permeability : float
        um and um/ms.
    shifts : (n,) sequence of float, 1/ms
    depth : {1, 2}
        Whether the basis ends with X_1, which is enough for all that is of order q^2.
    """
    axes = np.atleast_2d(np.asarray(frame, dtype=float))
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    system = AffineSystem.at(operators, period, permeability, axes)
    space = _Space(operators, system, depth)
    ranks = [space.basis.shape[1]]
    for shift in shifts:
        space.add(float(shift))
        ranks.append(space.basis.shape[1])
    return project_on(operators, axes, space.basis, tuple(ranks))


class _Space:
    """The fields of the module's docstring, shift by shift."""

    def __init__(self, operators: BlochTorrey, system: CellSystem, depth: int) -> None:
        cell = operators.cell
        self._M = operators.mass_matrix
        self._A = [cell.matrix(system.static)]
        if operators.stored is not None and system.relaxation is not None:
            # Magnetisation that is stored meets another A(0), and each what the other leaves.
            self._A.append(cell.matrix(system.static + system.relaxation))
        self._C = [cell.matrix(C) for C in system.C]
        count = len(system.C)
        pairs = [(a, b) for a in range(count) for b in range(a, count)]
        self._N = [cell.matrix(system.N[p]) for p in pairs if np.any(system.N[p])]
        ones = np.ones(cell.n_dofs)
        empty = np.empty((cell.n_dofs, 0))
        sources = extend(empty, np.column_stack([ones, operators.rho]), self._M)
        changes = max(np.abs(A @ sources).max() for A in self._A)
        still = changes <= _STILL * np.abs(system.static).max()
        # What decays without a gradient has resolvents of its own.
        self._decaying = empty if still else sources
        self._depth = depth
        self._solvers: list[Factor] = []
        self._levels = [sources, empty]
        self.basis = sources

    def add(self, shift: float) -> None:
        """Fields of one shift more."""
        newest = [factorise((A + shift * self._M).tocsc()) for A in self._A]
        self._solvers += newest
        sources, first = self._levels
        more = extend(sources, self._solve(newest, self._M @ self._decaying), self._M, _NEW)
        new_sources = more[:, sources.shape[1] :]
        loads = self._through(self._C, sources)
        fields = np.hstack(
            [self._solve(newest, loads), self._solve(None, self._through(self._C, new_sources))]
        )
        both = extend(first, fields, self._M, _NEW)
        new_first = both[:, first.shape[1] :]
        second = []
        if self._depth > 1:
            old = [self._through(self._C, first), self._through(self._N, sources)]
            new = [self._through(self._C, new_first), self._through(self._N, new_sources)]
            second = [self._solve(newest, np.hstack(old)), self._solve(None, np.hstack(new))]
        fields = np.hstack([new_sources, new_first, *second])
        self.basis = extend(self.basis, fields, self._M, _NEW)
        self._levels = [more, both]

    def _solve(self, solvers: list[Factor] | None, loads: Array) -> Array:
        """Solutions for loads, the columns of an array, at the newest shift or at all (None)."""
        if not loads.shape[1]:
            return loads
        chosen = self._solvers if solvers is None else solvers
        return np.hstack([factor.solve(loads) for factor in chosen])

    @staticmethod
    def _through(matrices: Sequence, fields: Array) -> Array:
        return np.hstack([np.empty((len(fields), 0)), *(X @ fields for X in matrices)])
