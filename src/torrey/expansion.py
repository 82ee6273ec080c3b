"""Correctors H_n and rate matrices G_n of any order: the homogenised models.

Compartments carry the masses m_a(t) = int_{Y_a} u. With u = sum_n L^n H_n m and
dm/dt = -sum_n L^n G_n m, where sigma = kappa/L is held fixed, the Bloch-Torrey system becomes

    K H_n = -s C H_{n-1} + (s^2 N - sigma J) H_{n-2} - M dH_{n-2}/dt + M sum_{j<=n-2} H_j G_{n-2-j}
    G_n   = 1^T [ s C H_{n+1} + (sigma J - s^2 N) H_n ]

with H_0 = 1_a/|Y_a|, int_{Y_a} H_n = 0 for n >= 1, and s = i |g|. Written in s instead of g
every coefficient is real. H_n and G_n are polynomials in (s, ds/dt, sigma); on each piece of the
waveform ds/dt is constant, so that d/dt(s^a r^b) = a s^(a-1) r^(b+1).

G_0 is the finite-pulse Karger model of CHL14; the truncations after G_0, G_1, G_2 are R0, R1, R2
of KL23 (4.11)-(4.15); with sigma = 0 they are the kurtosis model of KHM19.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from torrey.cell.operators import Array, BlochTorrey, CellOperators, PinnedFactor
from torrey.rates import Monomial, Polynomial, RateModel


@dataclass(frozen=True)
class Expansion:
    """Homogenised description of one cell and material for one gradient direction.

    Attributes
    ----------
    direction : (d,) float
        Unit vector n.
    rates : tuple of Polynomial
        G_0 ... G_order: real (k+1, k+1) matrices per monomial, in um, ms.
    fields : tuple of Polynomial
        H_0 ... H_{order+1}: real (n_dofs, k+1) fields per monomial.
    masses : (k+1,) float
        |Y_a|: masses of a uniform unit density.
    """

    direction: Array
    rates: tuple[Polynomial, ...]
    fields: tuple[Polynomial, ...]
    masses: Array

    @property
    def model(self) -> RateModel:
        """The homogenised model of the highest order at hand."""
        return RateModel(self.rates, self.masses)


def expand(operators: BlochTorrey, direction: Sequence[float], order: int) -> Expansion:
    """Correctors and rate matrices up to G_order along one direction.

    One factorisation of K serves all of them.
    """
    return _Recursion(operators, direction).run(order)


class _Recursion:
    """The recursion of the module's docstring, term by term."""

    def __init__(self, operators: BlochTorrey, direction: Sequence[float]) -> None:
        cell = operators.cell
        along = operators.along(direction)
        self.cell: CellOperators = cell
        self.factor: PinnedFactor = operators.stiffness_factor
        self.C, self.N, self.J, self.M = (
            cell.matrix(data) for data in (along.C, along.N, operators.J, operators.M)
        )
        self.n = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
        self.masses = cell.measures()
        self.fields: list[dict[Monomial, Array]] = [{(0, 0, 0): cell.indicators / self.masses}]
        self.rates: list[dict[Monomial, Array]] = []

    def run(self, order: int) -> Expansion:
        for n in range(1, order + 2):
            self.fields.append(self._field(n))
            self.rates.append(self._rate(n - 1))
        return Expansion(self.n, tuple(self.rates), tuple(self.fields), self.masses)

    def _rate(self, n: int) -> dict[Monomial, Array]:
        terms: dict[Monomial, Array] = {}
        ones = self.cell.indicators.T
        for (a, b, c), h in self.fields[n + 1].items():
            _add(terms, (a + 1, b, c), ones @ (self.C @ h))
        for (a, b, c), h in self.fields[n].items():
            _add(terms, (a, b, c + 1), ones @ (self.J @ h))
            _add(terms, (a + 2, b, c), -(ones @ (self.N @ h)))
        return terms

    def _field(self, n: int) -> dict[Monomial, Array]:
        loads: dict[Monomial, Array] = {}
        for (a, b, c), h in self.fields[n - 1].items():
            _add(loads, (a + 1, b, c), -(self.C @ h))
        if n >= 2:
            for (a, b, c), h in self.fields[n - 2].items():
                _add(loads, (a + 2, b, c), self.N @ h)
                _add(loads, (a, b, c + 1), -(self.J @ h))
                if a:
                    _add(loads, (a - 1, b + 1, c), -a * (self.M @ h))
            for j in range(n - 1):
                for left, h in self.fields[j].items():
                    for right, rate in self.rates[n - 2 - j].items():
                        power = tuple(x + y for x, y in zip(left, right, strict=True))
                        _add(loads, power, self.M @ (h @ rate))
        return {power: self.factor.solve(load) for power, load in loads.items()}


def _add(terms: dict, power: tuple[int, ...], value: Array) -> None:
    terms[power] = terms[power] + value if power in terms else value
