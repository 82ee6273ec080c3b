"""Homogenised models as small systems dm/dt = -G m.

The state of a model are the masses of the compartments; G is a polynomial in the wave vector and
its derivatives in time:

    G = sum_n L^n sum_monomials (i g)^a (i g')^a' (i g'')^a'' ... sigma^c G_n^(a, a', a'', ..., c)

with one exponent per component of g, and sigma = kappa/L. At a jump of a derivative of g the state
of the Bloch-Torrey system leaves the slow manifold u = U m, U = sum_n L^n H_n, on which the model
lives, and returns to it with other masses. The adjoint system runs backwards in time on the slow
manifold of the same H_n with odd derivatives of g reversed, Z; what decays fast is M-orthogonal to
it, so that the masses after a jump are those with Z^H M U m the same on both sides:

    m_after = (Z^H M U)_after^-1 (Z_after^H M U_before) m_before

which differs from m_before from L^4 on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from torrey.gradients.waveforms import Waveform
from torrey.models.energy import Energy
from torrey.models.integration import collocated_signal, common_decay
from torrey.models.model import TIME_TOLERANCE, Stability
from torrey.models.polynomials import Array, ComplexArray, Monomial, Polynomial, monomial
from torrey.models.stability import stability
from torrey.models.taylor import divide_series, homogenised_taylor

#: Lowest order at which a jump of the gradient changes the masses.
_FIRST_JUMP = 4


@dataclass(frozen=True)
class Overlap:
    """L^power times the product of two monomials times H_left^T M H_right."""

    power: int
    left: Monomial
    right: Monomial
    matrix: Array


@dataclass(frozen=True)
class RateModel:
    """A homogenised model for gradients along one direction, or several axes.

    Attributes
    ----------
    rates : tuple of Polynomial
        G_0, G_1, ...: real (k, k) matrices per monomial, um and ms.
    start : (k,) float
        Initial masses, |Y_a| for a uniform unit density.
    n_components : int
        Components of g.
    overlaps : tuple of Overlap
        Products of the correctors, which give the masses after a jump; empty below order 4.
    energy : Energy, optional
        Of the fields, to the order of the model; that of uniform fields of unit density if not
        given.
    axial : (n_components, n_components) float, optional
        Part of the diffusivity that is the same everywhere and taken out of signals: see
        `torrey.cell.operators.BlochTorrey.axial`.
    """

    rates: tuple[Polynomial, ...]
    start: Array
    n_components: int = 1
    overlaps: tuple[Overlap, ...] = field(default=())
    energy: Energy | None = None
    axial: Array | None = None

    @property
    def readout(self) -> Array:
        """The signal is the sum of the masses."""
        return np.ones_like(self.start)

    @property
    def order(self) -> int:
        """Highest power of the period L."""
        return len(self.rates) - 1

    @property
    def n_derivatives(self) -> int:
        """Highest derivative of g that G depends on."""
        return most_derivatives(self.order)

    def truncate(self, order: int) -> RateModel:
        """The model R_order of lower order.

        Raises
        ------
        ValueError
            If the model has no rate matrices of that order.
        """
        if not 0 <= order <= self.order:
            raise ValueError(f"order {order} of a model with orders 0 to {self.order}")
        kept = tuple(o for o in self.overlaps if o.power <= order)
        return replace(
            self,
            rates=self.rates[: order + 1],
            overlaps=kept if order >= _FIRST_JUMP else (),
            energy=self.energy and self.energy.truncate(order),
        )

    def signal(
        self,
        waveform: Waveform,
        q: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        tolerance: float = TIME_TOLERANCE,
    ) -> ComplexArray:
        """Signals of any number of points at once: see `torrey.models.model.Model.signal`."""
        found = collocated_signal(self._bare, waveform, q, period, sigma, tolerance)
        if self.axial is None:
            return found
        shape = np.broadcast_shapes(found.shape, np.shape(q))
        return found * np.broadcast_to(common_decay(self.axial, waveform, q), shape)

    @cached_property
    def _bare(self) -> RateModel:
        """The model without `axial`."""
        if self.axial is None or not self.axial.any():
            return self
        lowest, one = dict(self.rates[0]), np.eye(len(self.start))
        length = len(next(iter(lowest)))
        for a, b in np.argwhere(self.axial):
            powers = tuple(int(n == a) + int(n == b) for n in range(length))
            # A product of two components of i g, hence the sign.
            lowest[powers] = lowest.get(powers, 0.0 * one) + self.axial[a, b] * one
        return replace(self, rates=(lowest, *self.rates[1:]), axial=None)

    def taylor(self, waveform: Waveform, period: ArrayLike, sigma: ArrayLike) -> ComplexArray:
        """Series of the signal in q: see `torrey.models.model.Model.taylor`."""
        return homogenised_taylor(self, waveform, period, sigma)

    def stability(
        self, waveform: Waveform, q: ArrayLike, period: ArrayLike, sigma: ArrayLike
    ) -> Stability:
        """How states grow over a waveform: see `torrey.models.model.Model.stability`."""
        return stability(self, waveform, q, period, sigma)

    def weights(
        self, jet: ArrayLike | None, period: ArrayLike, sigma: ArrayLike
    ) -> tuple[Array, Array]:
        """Logarithms of the weights of |m_a|^2 in the energy of the fields, and their changes.

        Parameters
        ----------
        jet : (..., n, n_components) array_like
            As for `matrix`. None before the experiment begins, when the density is constant on
            each compartment.
        period, sigma : (...) array_like
            As for `matrix`.

        Returns
        -------
        logarithm, change : (..., k) float
            Without a unit, and in 1/ms.
        """
        none = (0,) * (self.n_components * (self.n_derivatives + 1) + 1)
        energy = self.energy or Energy(({none: 1.0 / self.start},), self.n_components)
        if jet is None:
            energy = energy.truncate(0)
            jet = np.zeros((self.n_derivatives + 1, self.n_components))
        return energy.weights(*(np.asarray(values, dtype=float) for values in (jet, period, sigma)))

    def matrix(self, jet: ArrayLike, period: ArrayLike, sigma: ArrayLike) -> ComplexArray:
        """G, with dm/dt = -G m.

        Parameters
        ----------
        jet : (..., n, n_components) array_like
            g and its derivatives (rad/um, rad/(um ms), ...), at least `n_derivatives` of them.
        period : (...) array_like, um
        sigma : (...) array_like, 1/ms
            kappa / L.

        Returns
        -------
        (..., k, k) complex, 1/ms
        """
        return self._matrix(jet, period, sigma)

    def matrix_series(
        self, jet: ArrayLike, period: ArrayLike, sigma: ArrayLike, order: int
    ) -> ComplexArray:
        """Parts of G that are of degree 0 ... order in the gradient, (order + 1, ..., k, k)."""
        return np.array([self._matrix(jet, period, sigma, n) for n in range(order + 1)])

    def _matrix(
        self, jet: ArrayLike, period: ArrayLike, sigma: ArrayLike, degree: int | None = None
    ) -> ComplexArray:
        """G, or what is of one degree in the gradient."""
        jet = np.asarray(jet, dtype=float)
        period, sigma = np.asarray(period, dtype=float), np.asarray(sigma, dtype=float)
        k = len(self.start)
        shape = np.broadcast_shapes(jet.shape[:-2], period.shape, sigma.shape)
        total = np.zeros((*shape, k * k), dtype=complex)
        for n, polynomial in enumerate(self.rates):
            for powers, coefficient in polynomial.items():
                if degree is not None and sum(powers[:-1]) != degree:
                    continue
                factor = period**n * monomial(powers, 1j * jet, sigma)
                total += np.multiply.outer(np.broadcast_to(factor, shape), coefficient.ravel())
        return total.reshape(*shape, k, k)

    def jump(
        self, before: ArrayLike | None, after: ArrayLike, period: ArrayLike, sigma: ArrayLike
    ) -> ComplexArray | None:
        """Masses after a jump of derivatives of g, from those before.

        Parameters
        ----------
        before, after : (..., n, n_components) array_like
            g and its derivatives on both sides. None before the experiment begins, when the
            density is constant on each compartment.
        period, sigma : (...) array_like
            See `matrix`.

        Returns
        -------
        (..., k, k) complex, or None below order 4, where masses do not jump.
        """
        if not self.overlaps:
            return None
        old = self._product(after, before, period, sigma)
        new = self._product(after, after, period, sigma)
        return np.asarray(np.linalg.solve(new, old), dtype=np.complex128)

    def jump_series(
        self,
        before: ArrayLike | None,
        after: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        order: int,
    ) -> ComplexArray | None:
        """The matrix of `jump` by degrees in the gradient, (order + 1, ..., k, k), or None."""
        if not self.overlaps:
            return None
        old, new = (
            np.array([self._product(after, side, period, sigma, n) for n in range(order + 1)])
            for side in (before, after)
        )
        return divide_series(new, old)

    def _product(
        self,
        left: ArrayLike,
        right: ArrayLike | None,
        period: ArrayLike,
        sigma: ArrayLike,
        degree: int | None = None,
    ) -> ComplexArray:
        """Z^H M U with Z on the jet `left` and U on the jet `right`; U = H_0 where that is None.

        With a degree, what is of that degree in the gradient.
        """
        past = np.asarray(left, dtype=float).copy()
        past[..., 1::2, :] *= -1.0
        period, sigma = np.asarray(period, dtype=float), np.asarray(sigma, dtype=float)
        k = len(self.start)
        shape = np.broadcast_shapes(past.shape[:-2], period.shape, sigma.shape)
        total = np.zeros((*shape, k * k), dtype=complex)
        for o in self.overlaps:
            if right is None and any(o.right):
                continue
            if degree is not None and sum(o.left[:-1]) + sum(o.right[:-1]) != degree:
                continue
            u = 1.0 if right is None else monomial(o.right, 1j * np.asarray(right), sigma)
            factor = period**o.power * np.conj(monomial(o.left, 1j * past, sigma)) * u
            total += np.multiply.outer(np.broadcast_to(factor, shape), o.matrix.ravel())
        return total.reshape(*shape, k, k)


def most_derivatives(order: int) -> int:
    """Highest derivative of g in the correctors that G_order needs; at least one is kept."""
    return max(1, order // 2)
