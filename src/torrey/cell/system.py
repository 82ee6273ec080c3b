"""A(g): the one place where the Bloch-Torrey system is put together from its matrices.

    M du/dt = -A(g) u
    A(g) = K/L^2 + (kappa/L) J + R + T/L + (i/L) sum_a g_a C_a + sum_ab g_a g_b N_ab

(KL23 (5.1), CHL14 (3.25), KHM19 (18), MMG20 (11).) The matrices K, J, R, T, C, N serve all periods,
permeabilities and gradients: of a cell on a mesh as entries on the common pattern (`BlochTorrey`),
of a small basis as dense matrices (`models.projection.ProjectedModel`). With a period and a
permeability they are an `AffineSystem`, and its Galerkin reduction is another one.

While magnetisation is stored along z, R is that of T1: see `relaxation_of`.

Which numbers multiply which matrix is said by `cell_factors` and `gradient_factors`, and `combine`
adds up. What puts together A(g) at many points at once takes them from `family_factors`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Generic, Literal, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array

from torrey.base.errors import InputError
from torrey.cell.material import NO_T1
from torrey.cell.operators import Array, BlochTorrey, CellOperators
from torrey.gradients.waveforms import Segment

ComplexArray = NDArray[np.complex128]

#: Whose matrices they are: a cell's on a mesh, as entries, or of a small basis, dense.
Place = TypeVar("Place", bound=BlochTorrey | None, covariant=True)


N_STATIC: Final = 4
"""K, J, R and T: matrices that A(0) is made of."""


class OperatorFamily(Protocol):
    """What A(0) is made of, for all periods and permeabilities."""

    @property
    def K(self) -> Array:
        """Of diffusion, lengths in units of the cell."""

    @property
    def J(self) -> Array:
        """Of membranes."""

    @property
    def R(self) -> Array:
        """Of relaxation."""

    @property
    def R_stored(self) -> Array | None:
        """Of relaxation while magnetisation is stored; None if T1 is not given."""

    @property
    def T(self) -> Array | None:
        """Of relaxation at membranes; None where there is none."""


def relaxation_of(family: OperatorFamily, stored: bool) -> Array:
    """R of a family, or what stands in its place while magnetisation is stored along z.

    Raises
    ------
    InputError
        If magnetisation is stored and relaxes, but only T2 is given.
    """
    if not stored:
        return family.R
    if family.R_stored is not None:
        return family.R_stored
    if family.R.any():
        raise InputError(*NO_T1)
    return family.R


def cell_factors(period: ArrayLike, sigma: ArrayLike) -> tuple[Array, Array, Array, Array, Array]:
    """Factors of K, J, R, T and C in A, apart from the gradient: 1/L^2, kappa/L, 1, 1/L, 1/L.

    Parameters
    ----------
    period : (...) array_like, um
    sigma : (...) array_like, 1/ms
        kappa / L.
    """
    L, of_J = np.broadcast_arrays(np.asarray(period, float), np.asarray(sigma, float))
    return L**-2.0, of_J, np.ones_like(L), 1.0 / L, 1.0 / L


def at_rest(family: OperatorFamily, period: float, sigma: float, stored: bool = False) -> Array:
    """A(0) for a period (um) and sigma = kappa/L (1/ms), also of stored magnetisation."""
    of_K, of_J, of_R, of_T, _ = cell_factors(period, sigma)
    A = of_K * family.K + of_J * family.J + of_R * relaxation_of(family, stored)
    return np.asarray(A if family.T is None else A + of_T * family.T)


def gradient_factors(g: Array, rate: Array | None = None) -> tuple[Array, Array]:
    """Factors of the matrices C_a and N_ab in A, or in dA/dt.

    Parameters
    ----------
    g : (..., c) float, rad/um
    rate : (..., c) float, rad/um/ms, optional
        dg/dt: the factors are those of dA/dt.

    Returns
    -------
    linear : (..., c) float
        g_a, or its rate; of i C_a / L.
    quadratic : (..., c, c) float
        g_a g_b, or its rate; of N_ab.
    """
    if rate is None:
        return g, g[..., :, None] * g[..., None, :]
    mixed = g[..., :, None] * rate[..., None, :]
    return rate, mixed + mixed.swapaxes(-1, -2)


def family_factors(
    g: Array, period: ArrayLike, sigma: ArrayLike, rate: Array | None = None
) -> tuple[Array, Array]:
    """Factors of the matrices of a family in A, or in dA/dt, at many points.

    Parameters
    ----------
    g : (..., c) float, rad/um
    period, sigma : (...) array_like
        See `cell_factors`.
    rate : (..., c) float, rad/um/ms, optional
        See `gradient_factors`.

    Returns
    -------
    even : (..., N_STATIC + c c) float
        Of K, J, R, T and all N_ab.
    odd : (..., c) float
        Of i C_a.
    """
    linear, quadratic = gradient_factors(g, rate)
    *at_rest, of_C = cell_factors(period, sigma)
    still = np.stack(at_rest, axis=-1) if rate is None else np.zeros((*of_C.shape, len(at_rest)))
    pairs = quadratic.reshape(*linear.shape[:-1], -1)
    shape = np.broadcast_shapes(still.shape[:-1], pairs.shape[:-1])
    even = [np.broadcast_to(x, (*shape, x.shape[-1])) for x in (still, pairs)]
    return np.concatenate(even, axis=-1), linear * of_C[..., None]


def combine(even: Array, odd: Array, symmetric: Array, antisymmetric: Array) -> ComplexArray:
    """sum_n even_n X_n + i sum_m odd_m Y_m: Hermitian for symmetric X and antisymmetric Y.

    Parameters
    ----------
    even, odd : (..., n), (..., m) float
        Factors.
    symmetric, antisymmetric : (n, *shape), (m, *shape) float
        Matrices, or their entries.

    Returns
    -------
    (..., *shape) complex
    """
    shape = symmetric.shape[1:]
    result: ComplexArray = np.empty((*even.shape[:-1], *shape), dtype=complex)
    result.real = (even @ symmetric.reshape(len(symmetric), -1)).reshape(result.shape)
    result.imag = (odd @ antisymmetric.reshape(len(antisymmetric), -1)).reshape(result.shape)
    return result


def galerkin(cell: CellOperators, entries: Array, W: Array, sign: Literal[1, -1]) -> Array:
    """W^T X W, (anti)symmetric to the last digit: rounding must not feed growth.

    Parameters
    ----------
    cell : CellOperators
    entries : (..., nnz) float
        Of matrices X on the pattern of the cell.
    W : (n_dofs, r) float
    sign : int
        1 if X is symmetric, -1 if it is antisymmetric.

    Returns
    -------
    (..., r, r) float
    """
    different: list[tuple[Array, Array]] = []

    def reduced_of(X: Array) -> Array:
        # Most N_ab are zero, and the others the same, where water is free in all directions.
        for other, known in different:
            if np.array_equal(X, other):
                return known
        made: Array = W.T @ (cell.matrix(X) @ W) if X.any() else np.zeros((W.shape[1],) * 2)
        different.append((X, made))
        return made

    each = [reduced_of(X) for X in entries.reshape(-1, entries.shape[-1])]
    reduced = np.reshape(each, (*entries.shape[:-1], W.shape[1], W.shape[1]))
    return np.asarray((reduced + sign * reduced.swapaxes(-1, -2)) / 2)


@dataclass(frozen=True)
class AffineSystem(Generic[Place]):
    """A(g) = static + i sum_a g_a C_a + sum_ab g_a g_b N_ab for one period and permeability.

    Attributes
    ----------
    operators : BlochTorrey or None
        The cell whose pattern the entries are on; None where matrices are dense.
    static : (nnz,) or (r, r) float, 1/ms
        A(0), symmetric.
    C : (c, nnz) or (c, r, r) float, um/ms
        C_a / L for each axis of the gradients, antisymmetric.
    N : (c, c, nnz) or (c, c, r, r) float, um^2/ms
        Symmetric.
    relaxation : (nnz,) or (r, r) float, optional, 1/ms
        What is added to A while magnetisation is stored; None if that is not known.
    """

    operators: Place
    static: Array
    C: Array
    N: Array
    relaxation: Array | None = None

    @staticmethod
    def at(
        operators: BlochTorrey, period: float, permeability: float, frame: ArrayLike
    ) -> CellSystem:
        """The system of a cell on a mesh.

        Parameters
        ----------
        operators : BlochTorrey
        period : float, um
        permeability : float, um/ms
        frame : (d,) or (c, d) array_like
            One direction, or the axes of a waveform's components.
        """
        along = operators.along(frame)
        sigma = permeability / period
        *_, of_C = cell_factors(period, sigma)
        static = at_rest(operators, period, sigma)
        stored = operators.R_stored
        if stored is not None:
            change: Array | None = stored - operators.R
        else:
            change = None if operators.R.any() else np.zeros_like(operators.R)
        return AffineSystem(operators, static, of_C * along.C, along.N, change)

    def during(self, segment: Segment) -> AffineSystem[Place]:
        """The system on a segment of a waveform: another one while magnetisation is stored.

        Raises
        ------
        InputError
            See `relaxation_of`.
        """
        if not segment.stored:
            return self
        if self.relaxation is None:
            raise InputError(*NO_T1)
        return replace(self, static=self.static + self.relaxation)

    @overload
    def matrix(self: CellSystem, g: Array, gg: Array | None = None) -> csc_array: ...
    @overload
    def matrix(self: SmallSystem, g: Array, gg: Array | None = None) -> ComplexArray: ...
    def matrix(self, g: Array, gg: Array | None = None) -> csc_array | ComplexArray:
        """A(g), sparse or dense.

        Parameters
        ----------
        g : (..., c) float, rad/um
            One only where the matrix is sparse.
        gg : (..., c, c) float, optional
            In the place of g g^T: the mean of A over a time has the means of both.

        Returns
        -------
        csc_array, or (..., r, r) complex
        """
        return self._form(self.entries(g, gg))

    def entries(self, g: Array, gg: Array | None = None) -> ComplexArray:
        """Entries of A(g): those on the pattern of the cell, or all. See `matrix`."""
        linear, quadratic = gradient_factors(g)
        result = self._combine(linear, quadratic if gg is None else gg)
        result.real += self.static
        return result

    @overload
    def slope(self: CellSystem, g: Array, rate: Array) -> csc_array: ...
    @overload
    def slope(self: SmallSystem, g: Array, rate: Array) -> ComplexArray: ...
    def slope(self, g: Array, rate: Array) -> csc_array | ComplexArray:
        """dA/dt at g (rad/um) where dg/dt = rate (rad/um/ms)."""
        return self._form(self._combine(*gradient_factors(g, rate)))

    def project(self: CellSystem, W: Array) -> SmallSystem:
        """W^T A(g) W, Hermitian to the last digit.

        Parameters
        ----------
        W : (n_dofs, r) float
            Orthonormal in the inner product of M.
        """
        cell = self.operators.cell
        return AffineSystem(
            operators=None,
            static=galerkin(cell, self.static, W, 1),
            C=galerkin(cell, self.C, W, -1),
            N=galerkin(cell, self.N, W, 1),
            relaxation=None if self.relaxation is None else galerkin(cell, self.relaxation, W, 1),
        )

    def _combine(self, linear: Array, quadratic: Array) -> ComplexArray:
        c, shape = len(self.C), self.static.shape
        pairs = quadratic.reshape(*quadratic.shape[:-2], c * c)
        return combine(pairs, linear, self.N.reshape(c * c, *shape), self.C)

    def _form(self, entries: ComplexArray) -> csc_array | ComplexArray:
        return entries if self.operators is None else self.operators.cell.matrix(entries)


CellSystem = AffineSystem[BlochTorrey]
SmallSystem = AffineSystem[None]
