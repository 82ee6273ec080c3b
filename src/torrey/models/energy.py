"""The energy ||u||^2 of the fields that a homogenised model stands for, compartment by compartment.

The exact flow contracts ||u||^2 = u^H M u. On the slow manifold u = sum_n L^n H_n m it is

    m^H (sum_ij L^(i+j) H_i^H M H_j) m,    |m_a|^2 / |Y_a| at order zero

and what it has on its diagonal beside 1/|Y_a| belongs to the fields, not to the masses: it depends
on g and its derivatives alone and is back at its first value when they are. At order two it is
-g^2 S^a::nn / |Y_a|, whose change in time is the term -f F q^2 S of KL23 (4.7), (4.8). Measured by
this energy a model neither gains nor loses by a total derivative.

Weights are exp of the truncated series of the logarithm: they are positive at every gradient, and
without exchange total derivatives cancel to the order of the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from torrey.models.polynomials import Array, ComplexArray, Monomial, Polynomial, monomial


@dataclass(frozen=True)
class Energy:
    """Diagonal of the energy as a series in the period.

    Attributes
    ----------
    terms : tuple of Polynomial
        Orders 0, 1, ...: real (k,) diagonals per monomial, as those of the rate matrices; the
        first one holds 1/|Y_a| alone.
    n_components : int
        Components of g.
    """

    terms: tuple[Polynomial, ...]
    n_components: int = 1

    def truncate(self, order: int) -> Energy:
        """The series up to a power of the period."""
        return Energy(self.terms[: order + 1], self.n_components)

    def weights(self, jet: Array, period: Array, sigma: Array) -> tuple[Array, Array]:
        """Logarithms of the weights of |m_a|^2, and their changes in time.

        Parameters
        ----------
        jet : (..., n, n_components) float
            g and its derivatives, as for `torrey.models.rates.RateModel.matrix`.
        period, sigma : (...) float

        Returns
        -------
        logarithm, change : (..., k) float
            Without a unit, and in 1/ms.
        """
        (zeroth,) = self.terms[0].values()
        shape = (*np.broadcast_shapes(jet.shape[:-2], period.shape, sigma.shape), len(zeroth))
        series = [_relative(p, zeroth, jet, sigma, shape) for p in self.terms[1:]]
        changes = [_relative(p, zeroth, jet, sigma, shape) for p in self._changes[1:]]
        logarithm, change = np.broadcast_to(np.log(zeroth), shape).copy(), np.zeros(shape)
        for n, (log, rate) in enumerate(_logarithm(series, changes), start=1):
            power = (period**n)[..., None]
            logarithm += power * log
            change += power * rate
        return logarithm, change

    @cached_property
    def _changes(self) -> tuple[Polynomial, ...]:
        """Derivatives of the terms in time: s^(j) becomes s^(j+1), factor by factor."""
        changes = []
        for polynomial in self.terms:
            found: dict[Monomial, Array] = {}
            for powers, value in polynomial.items():
                for position, power in enumerate(powers[:-1]):
                    later = position + self.n_components
                    if power and later < len(powers) - 1:
                        raised = list(powers)
                        raised[position] -= 1
                        raised[later] += 1
                        key = tuple(raised)
                        found[key] = found.get(key, 0.0) + power * value
            changes.append(found)
        return tuple(changes)


def energy_of(
    order: int, products: Iterable[tuple[int, Monomial, Monomial, Array]], n_components: int
) -> Energy:
    """The energy up to a power of the period.

    Parameters
    ----------
    order : int
    products : iterable of (power, left, right, matrix)
        L^power times two monomials times H_left^T M H_right, (k, k).
    n_components : int
        Of g.
    """
    terms: list[dict[Monomial, Array]] = [{} for _ in range(order + 1)]
    for power, left, right, matrix in products:
        if power <= order:
            key = tuple(x + y for x, y in zip(left, right, strict=True))
            # The left field is conjugated: i g becomes -i g.
            sign = -1.0 if sum(left[:-1]) % 2 else 1.0
            terms[power][key] = terms[power].get(key, 0.0) + sign * np.diag(matrix)
    # Odd powers of i g belong to pairs of fields that cancel on the diagonal.
    even = ({key: d for key, d in term.items() if sum(key[:-1]) % 2 == 0} for term in terms)
    return Energy(tuple(even), n_components)


def _relative(
    polynomial: Polynomial, zeroth: Array, jet: Array, sigma: Array, shape: tuple[int, ...]
) -> Array:
    """A term over that of order zero, shape (..., k)."""
    total: Array = np.zeros(shape)
    s: ComplexArray = np.asarray(1j * jet, dtype=np.complex128)
    for powers, value in polynomial.items():
        factor = monomial(powers, s, sigma)
        total += factor.real[..., None] * (value / zeroth)
    return total


def _logarithm(series: Sequence[Array], changes: Sequence[Array]) -> list[tuple[Array, Array]]:
    """Series of log(1 + x_1 L + x_2 L^2 + ...) and its change in time, term by term."""
    found: list[tuple[Array, Array]] = []
    for n, (x, rate) in enumerate(zip(series, changes, strict=True), start=1):
        log, change = n * x, n * rate
        for j, (earlier, earlier_rate) in enumerate(found, start=1):
            log = log - j * earlier * series[n - j - 1]
            change = change - j * (earlier_rate * series[n - j - 1] + earlier * changes[n - j - 1])
        found.append((log / n, change / n))
    return found
