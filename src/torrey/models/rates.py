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

which differs from m_before from L^4 on. Where magnetisation is put along z, or taken back, and its
relaxation changes between T2 and T1, U_before has the correctors of the relaxation before the
change, and Z those of the one after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from torrey.base.errors import InputError
from torrey.cell.material import NO_T1
from torrey.gradients.waveforms import Segment, Waveform
from torrey.models.energy import Energy
from torrey.models.integration import collocated_signal, common_decay
from torrey.models.model import TIME_TOLERANCE, Stability
from torrey.models.polynomials import Array, ComplexArray, Monomial, Polynomial, monomial
from torrey.models.stability import stability
from torrey.models.taylor import divide_series, homogenised_taylor

#: Lowest order at which a jump of the gradient, or of the relaxation, changes the masses.
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
    stored : RateModel, optional
        The model of magnetisation stored along z, where it relaxes otherwise.
    crossing : tuple of Overlap
        Products of the correctors with those of the model before or after, where relaxation
        changes; empty below order 4.
    keeps : bool
        Whether stored magnetisation relaxes as the rest does if there is no `stored`: not where T2
        is given and T1 is not.
    """

    rates: tuple[Polynomial, ...]
    start: Array
    n_components: int = 1
    overlaps: tuple[Overlap, ...] = field(default=())
    energy: Energy | None = None
    axial: Array | None = None
    stored: RateModel | None = None
    crossing: tuple[Overlap, ...] = ()
    keeps: bool = True

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
        overlaps, crossing = (
            tuple(o for o in some if o.power <= order) if order >= _FIRST_JUMP else ()
            for some in (self.overlaps, self.crossing)
        )
        return replace(
            self,
            rates=self.rates[: order + 1],
            overlaps=overlaps,
            energy=self.energy and self.energy.truncate(order),
            stored=self.stored and self.stored.truncate(order),
            crossing=crossing,
        )

    def during(self, segment: Segment) -> RateModel:
        """The model on a segment of a waveform: another one while magnetisation is stored.

        Raises
        ------
        InputError
            If it is not known how stored magnetisation relaxes.
        """
        if segment.stored and not self.keeps:
            raise InputError(*NO_T1)
        return self.stored if segment.stored and self.stored else self

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
        return found if self.axial is None else found * common_decay(self.axial, waveform, q)

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
        stored = self.stored and self.stored._bare
        return replace(self, rates=(lowest, *self.rates[1:]), axial=None, stored=stored)

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
        self,
        before: ArrayLike | None,
        after: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        since: RateModel | None = None,
    ) -> ComplexArray | None:
        """Masses after a jump of derivatives of g, from those before.

        Parameters
        ----------
        before, after : (..., n, n_components) array_like
            g and its derivatives on both sides. None before the experiment begins, when the
            density is constant on each compartment.
        period, sigma : (...) array_like
            See `matrix`.
        since : RateModel, optional
            The model before the jump, if it is not this one.

        Returns
        -------
        (..., k, k) complex, or None below order 4, where masses do not jump.
        """
        if not self.overlaps:
            return None
        across = since is not None and since is not self
        old = self._product(after, before, period, sigma, across=across)
        new = self._product(after, after, period, sigma)
        return np.asarray(np.linalg.solve(new, old), dtype=np.complex128)

    def jump_series(
        self,
        before: ArrayLike | None,
        after: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        order: int,
        since: RateModel | None = None,
    ) -> ComplexArray | None:
        """The matrix of `jump` by degrees in the gradient, (order + 1, ..., k, k), or None."""
        if not self.overlaps:
            return None
        across = since is not None and since is not self
        old, new = (
            np.array(
                [self._product(after, side, period, sigma, n, other) for n in range(order + 1)]
            )
            for side, other in ((before, across), (after, False))
        )
        return divide_series(new, old)

    def _product(
        self,
        left: ArrayLike,
        right: ArrayLike | None,
        period: ArrayLike,
        sigma: ArrayLike,
        degree: int | None = None,
        across: bool = False,
    ) -> ComplexArray:
        """Z^H M U with Z on the jet `left` and U on the jet `right`; U = H_0 where that is None.

        With a degree, what is of that degree in the gradient. U is that of the other relaxation if
        `across`.
        """
        past = np.asarray(left, dtype=float).copy()
        past[..., 1::2, :] *= -1.0
        period, sigma = np.asarray(period, dtype=float), np.asarray(sigma, dtype=float)
        k = len(self.start)
        shape = np.broadcast_shapes(past.shape[:-2], period.shape, sigma.shape)
        total = np.zeros((*shape, k * k), dtype=complex)
        for o in self.crossing if across else self.overlaps:
            if right is None and o.power:
                continue  # H_0 is orthogonal to all others, those of relaxation included
            if degree is not None and sum(o.left[:-1]) + sum(o.right[:-1]) != degree:
                continue
            u = 1.0 if right is None else monomial(o.right, 1j * np.asarray(right), sigma)
            factor = period**o.power * np.conj(monomial(o.left, 1j * past, sigma)) * u
            total += np.multiply.outer(np.broadcast_to(factor, shape), o.matrix.ravel())
        return total.reshape(*shape, k, k)


def most_derivatives(order: int) -> int:
    """Highest derivative of g in the correctors that G_order needs; at least one is kept."""
    return max(1, order // 2)
