"""Projected models P_l: the Bloch-Torrey system on the span of the correctors.

W is an M-orthonormal basis of the span of the coefficient fields of H_0 ... H_l (`expansion`), one
gradient direction. The Galerkin system

    dw/dt = -A_W(g) w,    A_W(g) = W^T A(g) W,    S = a^T w(T_E) / a^T a,    w(0) = a = W^T M 1

inherits Hermitian and positive semi-definite from A(g): it can only dissipate, whatever the period,
the permeability, the gradient or the waveform, where the truncated series R_n may grow (KL23 remark
4.4). A is affine in 1/L^2, g/L, g^2 and kappa/L, so that one basis serves them all. The bases are
nested: P_l is a leading part of P_{l+1}, and the difference of the two estimates the error of P_l.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.cell.operators import Array, BlochTorrey
from torrey.expansion import Expansion, expand

#: A field whose part outside the span of the others is smaller than this adds nothing.
_INDEPENDENT = 1e-9


@dataclass(frozen=True)
class ProjectedModel:
    """Bloch-Torrey operators on a small basis, for one gradient direction.

    Attributes
    ----------
    K, C, N : (r, r) float, um^2/ms
        W^T K W, W^T (n.C) W, W^T (n n:N) W; lengths in units of the cell.
    J : (r, r) float
    start : (r,) float
        W^T M 1: the uniform initial magnetisation, and what is read out.
    ranks : tuple of int
        Number of basis vectors of P_0, P_1, ..., of this model.
    """

    K: Array
    C: Array
    N: Array
    J: Array
    start: Array
    ranks: tuple[int, ...]

    @property
    def order(self) -> int:
        """l of P_l."""
        return len(self.ranks) - 1

    @property
    def readout(self) -> Array:
        """Weights of the signal; those of the start, as both are uniform."""
        return self.start

    def truncate(self, order: int) -> ProjectedModel:
        """The model P_order of lower order.

        Raises
        ------
        ValueError
            If the basis does not go that far.
        """
        if not 0 <= order <= self.order:
            raise ValueError(f"order {order} of a basis with orders 0 to {self.order}")
        r = self.ranks[order]
        K, C, N, J = (matrix[:r, :r] for matrix in (self.K, self.C, self.N, self.J))
        return replace(
            self, K=K, C=C, N=N, J=J, start=self.start[:r], ranks=self.ranks[: order + 1]
        )

    def matrix(
        self, g: ArrayLike, slope: ArrayLike, period: ArrayLike, sigma: ArrayLike
    ) -> NDArray[np.complex128]:
        """A_W(g), Hermitian and positive semi-definite.

        Parameters
        ----------
        g : array_like, rad/um
        slope : array_like
            Not used: A depends on g alone.
        period : array_like, um
        sigma : array_like, 1/ms
            kappa / L. All broadcast to one shape (...).

        Returns
        -------
        (..., r, r) complex, 1/ms
        """
        g, slope, period, sigma = (
            array[..., None, None] for array in np.broadcast_arrays(g, slope, period, sigma)
        )
        real = self.K / period**2 + g**2 * self.N + sigma * self.J
        return real + (1j * g / period) * self.C


def project(operators: BlochTorrey, direction: Sequence[float], order: int) -> ProjectedModel:
    """Operators on the span of H_0 ... H_order.

    Parameters
    ----------
    operators : BlochTorrey
    direction : (d,) sequence of float
        Gradient direction.
    order : int
        l of P_l; P_0 to P_{l-1} are leading parts.
    """
    expansion = expand(operators, direction, max(order - 1, 0))
    basis, ranks = corrector_basis(operators, expansion, order)
    cell, along = operators.cell, operators.along(direction)
    K, C, N, J = (
        basis.T @ (cell.matrix(data) @ basis)
        for data in (operators.K, along.C, along.N, operators.J)
    )
    start = basis.T @ (operators.mass_matrix @ np.ones(cell.n_dofs))
    # Exactly (anti)symmetric: rounding must not feed growth.
    return ProjectedModel((K + K.T) / 2, (C - C.T) / 2, (N + N.T) / 2, (J + J.T) / 2, start, ranks)


def corrector_basis(
    operators: BlochTorrey, expansion: Expansion, order: int
) -> tuple[Array, tuple[int, ...]]:
    """M-orthonormal basis of the span of H_0 ... H_order, and its size after each order.

    Returns
    -------
    basis : (n_dofs, r) float
    ranks : tuple of int, length order + 1
    """
    M = operators.mass_matrix
    basis = np.empty((operators.cell.n_dofs, 0))
    ranks = []
    for fields in expansion.fields[: order + 1]:
        for field in fields.values():
            for v in field.T:
                basis = _extend(basis, v, M)
        ranks.append(basis.shape[1])
    return basis, tuple(ranks)


def _extend(basis: Array, v: Array, M: Array) -> Array:
    """Add what is new in v (modified Gram-Schmidt, twice)."""
    length = float(np.sqrt(v @ (M @ v)))
    if length == 0.0:
        return basis
    v = v / length
    for _ in range(2):
        v = v - basis @ (basis.T @ (M @ v))
    rest = float(np.sqrt(v @ (M @ v)))
    return np.column_stack([basis, v / rest]) if rest > _INDEPENDENT else basis
