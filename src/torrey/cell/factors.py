"""Factors of sparse matrices."""

from __future__ import annotations

from scipy.sparse import csc_array
from scipy.sparse.linalg import SuperLU, splu


def factorise(matrix: csc_array) -> SuperLU:
    """Sparse LU of a Hermitian positive definite matrix numbered by nested dissection."""
    return splu(
        matrix,
        permc_spec="NATURAL",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True, "Equil": False},
    )
