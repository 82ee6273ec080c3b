"""Factors of sparse matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array
from scipy.sparse.linalg import SuperLU, splu

Array = NDArray[np.float64]


def factorise(matrix: csc_array) -> SuperLU:
    """Sparse LU of a Hermitian positive definite matrix numbered by nested dissection."""
    return splu(
        matrix,
        permc_spec="NATURAL",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True, "Equil": False},
    )


@dataclass(frozen=True)
class PinnedFactor:
    """Solver for K h = f whose kernel is the indicator functions of the compartments.

    Where water is immobile K is zero, and so are loads and solutions.
    """

    indicators: Array
    lu: SuperLU | None
    free: NDArray[np.int64]
    weights: Array
    scale: float

    @classmethod
    def of(
        cls,
        K: csc_array,
        mass: csc_array,
        indicators: Array,
        immobile: NDArray[np.bool_] | None = None,
    ) -> PinnedFactor:
        """Pin the first degree of freedom of each compartment and factorise the rest.

        Parameters
        ----------
        K, mass : (n, n) csc_array
        indicators : (n, k) float
        immobile : (k,) bool, optional
            Compartments without diffusion, in which nothing is solved.
        """
        pinned = np.argmax(indicators, axis=0)
        free = np.setdiff1d(np.arange(len(indicators)), pinned)
        if immobile is not None and immobile.any():
            free = free[indicators[free] @ immobile == 0.0]
        kept = K[free][:, free].tocsc()
        moments = (mass @ indicators).T
        weights = moments / moments.sum(axis=1, keepdims=True)
        lu = factorise(kept) if len(free) else None
        return cls(indicators, lu, free, weights, float(np.abs(K.data).max()))

    def solve(self, load: Array, tolerance: float = 1e-9) -> Array:
        """Solution with zero mean on every compartment, shape of ``load``: (n,) or (n, m).

        Raises
        ------
        ArithmeticError
            If the load does not sum to zero on a compartment: the problem has no solution.
        """
        imbalance = np.abs(self.indicators.T @ load).max(initial=0.0)
        # Loads scale with the diffusivity, as K does; one that is nothing but rounding is zero.
        if imbalance > tolerance * max(float(np.abs(load).sum()), self.scale):
            raise ArithmeticError(
                f"a cell problem is not solvable: its load sums to {imbalance:.2e} on a compartment"
            )
        h = np.zeros_like(load, dtype=float)
        if self.lu is not None:
            h[self.free] = self.lu.solve(load[self.free])
        return h - self.indicators @ (self.weights @ h)
