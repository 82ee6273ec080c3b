"""Lowest eigenpairs of A(p) on the whole mesh, with proof that none is missing.

    A(p) w_n = lambda_n M w_n,    w_m^H M w_n = delta_mn

Spectrum slicing: a few shift-inverted Lanczos runs of some dozens of eigenpairs each are faster
than one of hundreds. Lanczos may miss one of several nearly equal eigenvalues, which symmetric
cells have; the number of eigenvalues below a shift is the number of negative pivots of A - shift M
(Sylvester), and every slice is held against it.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from torrey.cell.factors import factorise, factorise_indefinite
from torrey.cell.operators import Array
from torrey.cell.system import CellSystem

#: Real at p = 0, complex elsewhere.
Modes = NDArray[np.inexact]

#: Eigenpairs per slice: fewer cost factorisations, more cost orthogonalisation.
_SLICE = 64
#: Below this size all eigenpairs of the dense matrix are cheaper.
_DENSE = 800
_ATTEMPTS = 4


def count_below(system: CellSystem, p: Array, bound: float) -> int:
    """Number of eigenvalues of A(p) below a bound, by the pivots of A - bound M.

    Parameters
    ----------
    system : CellSystem
    p : (k,) float
        Wave vector in the axes of the system (rad/um).
    bound : float, 1/ms

    Raises
    ------
    ArithmeticError
        If the factorisation had to exchange rows, so that the signs of its pivots prove nothing.
    """
    A, M = matrices(system, p)
    lu = factorise_indefinite((A - bound * M).tocsc())
    if not np.array_equal(lu.perm_r, lu.perm_c):
        raise ArithmeticError(f"no count of eigenvalues below {bound:g} /ms: pivots were exchanged")
    return int(np.count_nonzero(lu.U.diagonal().real < 0.0))


def lowest_modes(system: CellSystem, p: Array, bound: float) -> tuple[Array, Modes]:
    """All eigenpairs of A(p) with eigenvalues below a bound.

    Parameters
    ----------
    system : CellSystem
    p : (k,) float
        Wave vector in the axes of the system (rad/um).
    bound : float, 1/ms

    Returns
    -------
    values : (n,) float
        Increasing (1/ms).
    modes : (n_dofs, n) float or complex
        M-orthonormal, to about 1e-10 between slices; real at p = 0.

    Raises
    ------
    ArithmeticError
        If the mesh does not resolve so many modes, or eigenvalues stay missing.
    """
    n_dofs = system.operators.cell.n_dofs
    total = count_below(system, p, bound)
    if total > n_dofs // 3:
        raise ArithmeticError(
            f"{total} modes below {bound:g} /ms on a mesh of {n_dofs} unknowns: choose a finer "
            "mesh or a larger resolution length"
        )
    if n_dofs <= _DENSE:
        A, M = matrices(system, p)
        w, v = scipy.linalg.eigh(A.toarray(), M.toarray(), subset_by_index=[0, max(total, 1) - 1])
        return w, v
    slices = max(1, math.ceil(total / _SLICE))
    # Weyl: the number of eigenvalues below lambda grows as lambda^(d/2).
    exponent = 2.0 / system.operators.cell.dimension
    edges = bound * (np.arange(slices + 1) / slices) ** exponent
    counts = [0, *(count_below(system, p, edge) for edge in edges[1:-1]), total]
    found: list[tuple[Array, Modes]] = [
        _slice(system, p, low, high, after - before)
        for low, high, before, after in zip(
            edges[:-1], edges[1:], counts[:-1], counts[1:], strict=True
        )
        if after > before
    ]
    return np.concatenate([w for w, _ in found]), np.hstack([v for _, v in found])


def _slice(
    system: CellSystem, p: Array, low: float, high: float, count: int
) -> tuple[Array, Modes]:
    """The ``count`` eigenpairs between two bounds."""
    A, M = matrices(system, p)
    # The lowest slice begins below zero: there A - shift M is positive definite.
    lowest = low == 0.0
    shift = -0.05 * high if lowest else (low + high) / 2
    factor = (factorise if lowest else factorise_indefinite)((A - shift * M).tocsc())
    inverse = LinearOperator(A.shape, factor.solve, dtype=A.dtype)
    random = np.random.default_rng(1)
    for attempt in range(_ATTEMPTS):
        k = count + 2 + 6 * attempt
        start = random.standard_normal(A.shape[0])
        w, v = eigsh(A, k, M, sigma=shift, OPinv=inverse, v0=start, ncv=2 * k + 20)
        inside = np.flatnonzero((w < high) & (lowest | (w >= low)))
        if len(inside) == count:
            order = inside[np.argsort(w[inside])]
            return w[order], v[:, order]
    raise ArithmeticError(
        f"{len(inside)} of {count} eigenvalues found between {low:g} and {high:g} /ms"
    )


def matrices(system: CellSystem, p: Array) -> tuple[scipy.sparse.csc_array, ...]:
    """A(p), real at p = 0, and M.

    Parameters
    ----------
    system : CellSystem
    p : (k,) float
        Wave vector in the axes of the system (rad/um).
    """
    A = system.matrix(p)
    return (A if np.any(p) else A.real), system.operators.mass_matrix
