"""exp(-tau M^{-1} A) for a constant Hermitian A: shift-and-invert Lanczos.

The Lanczos process runs on (M + gamma A)^{-1} M, which is self-adjoint in the inner product of M
and bounded however fine the mesh is (van den Eshof and Hochbruck 2006). One factorisation and some
ten to thirty solves; the accuracy does not depend on the length of tau.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from torrey.base.errors import TorreyError
from torrey.cell.factors import factorise

Vector = NDArray[np.complex128]

#: Pole of the rational Krylov space, as a fraction of tau.
_POLE = 0.1
_MOST_VECTORS = 120
#: A new vector this short, relative to the one it came from, is rounding.
_EXHAUSTED = 1e-13


class ConvergenceError(TorreyError, ArithmeticError):
    """An iteration did not reach its tolerance."""


def expm_form(M: csc_array, A: csc_array, v: Vector, tau: float, tolerance: float) -> float:
    """v^H M exp(-tau M^{-1} A) v.

    Parameters
    ----------
    M, A : (n, n) sparse
        Symmetric positive definite; Hermitian positive semi-definite.
    v : (n,) complex
    tau : float, ms
    tolerance : float
        Relative to the result.

    Raises
    ------
    ConvergenceError
        If 120 Krylov vectors do not suffice.
    """
    previous, close = np.inf, 0
    for _, norm, coefficients, exact in _lanczos(M, A, v, tau):
        value = norm**2 * coefficients[0]
        close = close + 1 if abs(value - previous) <= 0.1 * tolerance * abs(value) else 0
        if exact or close == 2:
            return float(value)
        previous = value
    raise ConvergenceError(f"{_MOST_VECTORS} Krylov vectors do not reach {tolerance:.1e}")


def expm_multiply(M: csc_array, A: csc_array, v: Vector, tau: float, tolerance: float) -> Vector:
    """exp(-tau M^{-1} A) v; tolerance relative to the norm of the result. See `expm_form`."""
    close = 0
    for basis, norm, coefficients, exact in _lanczos(M, A, v, tau):
        tail = np.abs(coefficients[-2:]).sum()
        close = close + 1 if tail <= 0.1 * tolerance * np.linalg.norm(coefficients) else 0
        if exact or close == 2:
            return norm * (np.array(basis).T @ coefficients)
    raise ConvergenceError(f"{_MOST_VECTORS} Krylov vectors do not reach {tolerance:.1e}")


def _lanczos(
    M: csc_array, A: csc_array, v: Vector, tau: float
) -> Iterator[tuple[list[Vector], float, NDArray[np.float64], bool]]:
    """Yield basis, norm of v, coefficients of the result in the basis, and whether it is exact."""
    gamma = _POLE * tau
    solve: Callable[[Vector], Vector] = factorise(csc_array(M + gamma * A, dtype=complex)).solve
    Mv = M @ v
    norm = float(np.sqrt(np.vdot(v, Mv).real))
    basis, dual = [v / norm], [Mv / norm]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(_MOST_VECTORS):
        w = solve(dual[-1].astype(complex))
        # Twice is enough: full orthogonalisation keeps the small eigenproblem honest.
        for repeat in range(2):
            overlap = np.array(dual).conj() @ w
            w = w - np.array(basis).T @ overlap
            if repeat == 0:
                diagonal.append(float(overlap[-1].real))
        Mw = M @ w
        length = float(np.sqrt(max(np.vdot(w, Mw).real, 0.0)))
        theta, modes = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
        rate = (1.0 / np.clip(theta, 1e-15, None) - 1.0) / gamma
        # Nothing new to add: the space is invariant, and holds the exact result.
        exhausted = length <= _EXHAUSTED or len(basis) == len(v)
        yield basis, norm, modes @ (np.exp(-tau * rate) * modes[0]), exhausted
        if exhausted:
            return
        beside.append(length)
        basis.append(w / length)
        dual.append(Mw / length)
