"""Factors of sparse matrices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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

    compartment: NDArray[np.int64]
    lu: SuperLU | None
    free: NDArray[np.int64]
    moments: Array
    scale: float

    @classmethod
    def of(
        cls,
        K: csc_array,
        mass: csc_array,
        compartment: NDArray[np.int64],
        immobile: NDArray[np.bool_] | None = None,
    ) -> PinnedFactor:
        """Pin the first degree of freedom of each compartment and factorise the rest.

        Parameters
        ----------
        K, mass : (n, n) csc_array
            They couple no two compartments.
        compartment : (n,) int
            All from 0 to some number.
        immobile : (n_compartments,) bool, optional
            Compartments without diffusion, in which nothing is solved.
        """
        _, pinned = np.unique(compartment, return_index=True)
        free = np.setdiff1d(np.arange(len(compartment)), pinned)
        if immobile is not None:
            free = free[~immobile[compartment[free]]]
        kept = K[free][:, free].tocsc()
        moments = mass @ np.ones(len(compartment))
        lu = factorise(kept) if len(free) else None
        return cls(compartment, lu, free, moments, float(np.abs(K.data).max()))

    @cached_property
    def _member(self) -> csc_array:
        """Indicator functions of the compartments as rows, shape (k, n)."""
        n = len(self.compartment)
        ends = np.arange(n + 1)
        return csc_array((np.ones(n), self.compartment, ends))

    def solve(self, load: Array, tolerance: float = 1e-9) -> Array:
        """Solution with zero mean on every compartment, shape of ``load``: (n,) or (n, m).

        Raises
        ------
        ArithmeticError
            If the load does not sum to zero on a compartment: the problem has no solution.
        """
        imbalance = np.abs(self._member @ load).max(initial=0.0)
        # Loads scale with the diffusivity, as K does; one that is nothing but rounding is zero.
        if imbalance > tolerance * max(float(np.abs(load).sum()), self.scale):
            raise ArithmeticError(
                f"a cell problem is not solvable: its load sums to {imbalance:.2e} on a compartment"
            )
        h = np.zeros_like(load, dtype=float)
        if self.lu is not None:
            h[self.free] = self.lu.solve(load[self.free])
        masses, measures = self._member @ (self.moments * h.T).T, self._member @ self.moments
        return h - (masses.T / measures).T[self.compartment]
