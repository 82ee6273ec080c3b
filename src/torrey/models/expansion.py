"""Correctors H_n and rate matrices G_n of any order: the homogenised models.

Compartments carry the masses m_a(t) = int_{Y_a} u. With u = sum_n L^n H_n m and
dm/dt = -sum_n L^n G_n m, where sigma = kappa/L is held fixed, the Bloch-Torrey system becomes

    K H_n = -s.C H_{n-1} + (s s:N - sigma J - R) H_{n-2} - M dH_{n-2}/dt
            + M sum_{j<=n-2} H_j G_{n-2-j}
    G_n   = 1^T [ s.C H_{n+1} + (sigma J + R - s s:N) H_n ]

with H_0 = 1_a/|Y_a|, int_{Y_a} H_n = 0 for n >= 1, and s = i g. Written in s instead of g
every coefficient is real. H_n and G_n are polynomials in s, its derivatives and sigma, and a time
derivative raises one factor s^(j) to s^(j+1). With the weights 2j + 1 of s^(j) and 2 of sigma, H_n
has the weight n (less what R takes): few derivatives are enough.

G_0 is the finite-pulse Karger model of CHL14; the truncations after G_0, G_1, G_2 are R0, R1, R2
of KL23 (4.11)-(4.15); with sigma = 0 they are the kurtosis model of KHM19.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csc_array

from torrey.base.errors import InputError
from torrey.cell.factors import PinnedFactor
from torrey.cell.operators import Array, BlochTorrey, CellOperators
from torrey.models.energy import energy_of
from torrey.models.polynomials import Monomial, Polynomial
from torrey.models.rates import Overlap, RateModel, most_derivatives

NO_HOMOGENISED: Final = (
    "membranes that relax magnetisation beside letting water through",
    "the reference, or projected models P0, P1, ...: homogenised models know one of the two, a "
    "permeability or a surface_relaxivity",
)
"""What is wrong, and what is accepted, where there is no homogenised model."""

#: A load this small, relative to the terms it is the sum of, is rounding.
_ROUNDING = 1e-11


@dataclass(frozen=True)
class Expansion:
    """Homogenised description of one cell and material for gradients along some axes.

    Attributes
    ----------
    frame : (c, d) float
        Axes of the components of g; one direction n for gradients along a line.
    rates : tuple of Polynomial
        G_0 ... G_order: real (k+1, k+1) matrices per monomial, in um, ms.
    fields : tuple of Polynomial
        H_0 ... H_{order+1}: real (n_dofs, k+1) fields per monomial.
    start : (k+1,) float
        Initial masses; |Y_a| for a uniform unit density.
    overlaps : tuple of Overlap
        Products H_i^T M H_j with i + j <= order.
    axial : (c, c) float
        See `torrey.cell.operators.BlochTorrey.axial`.
    stored : Expansion, optional
        The same of magnetisation stored along z; None where it is not another one, or not known.
    crossing : tuple of Overlap
        Products of the fields on the left with those of `stored` on the right.
    keeps : bool
        Whether stored magnetisation is known to relax as the rest does: see `RateModel.keeps`.
    relaxing : tuple of Expansion
        Where membranes relax magnetisation beside letting water through: the same with relaxation
        at membranes in the place of what they let through, and with both. Fields for a basis; there
        is no homogenised model.
    """

    frame: Array
    rates: tuple[Polynomial, ...]
    fields: tuple[Polynomial, ...]
    start: Array
    overlaps: tuple[Overlap, ...]
    axial: Array
    stored: Expansion | None = None
    crossing: tuple[Overlap, ...] = ()
    keeps: bool = True
    relaxing: tuple[Expansion, ...] = ()

    @property
    def model(self) -> RateModel:
        """The homogenised model of the highest order at hand.

        Raises
        ------
        InputError
            If membranes relax magnetisation beside letting water through.
        """
        if self.relaxing:
            raise InputError(*NO_HOMOGENISED)
        products = ((o.power, o.left, o.right, o.matrix) for o in self.overlaps)
        energy = energy_of(len(self.rates) - 1, products, len(self.frame))
        stored = None
        if self.stored:
            back = tuple(Overlap(o.power, o.right, o.left, o.matrix.T) for o in self.crossing)
            stored = replace(self.stored.model, crossing=back)
        full = RateModel(
            self.rates,
            self.start,
            len(self.frame),
            self.overlaps,
            energy,
            self.axial,
            stored,
            self.crossing,
            self.keeps,
        )
        return full.truncate(full.order)


def expand(operators: BlochTorrey, frame: ArrayLike, order: int) -> Expansion:
    """Correctors and rate matrices up to G_order.

    One factorisation of K serves all of them, those of stored magnetisation included.

    Parameters
    ----------
    operators : BlochTorrey
    frame : (d,) or (c, d) array_like
        One gradient direction, or the axes of the components of g.
    order : int
    """
    factor = operators.stiffness_factor
    found = _Recursion(operators, frame, order, factor).run()
    if operators.T is not None:
        # As for sigma, the size of what relaxes is that of its factor.
        T = operators.T / np.abs(operators.T).max()
        others = [T, operators.J + T] if operators.J.any() else [T]
        again = [_Recursion(replace(operators, J=J), frame, order, factor).run() for J in others]
        found = replace(found, relaxing=tuple(again))
    if operators.stored is None:
        known = operators.R_stored is not None or not operators.R.any()
        return replace(found, keeps=known)
    stored = _Recursion(operators.stored, frame, order, factor).run()
    crossing = _overlaps(operators.mass_matrix, found.fields, stored.fields, order)
    return replace(found, stored=stored, crossing=tuple(crossing))


def homogenised_models(
    operators: BlochTorrey, frame: ArrayLike, orders: Sequence[int]
) -> list[RateModel]:
    """R_n of some orders, all of them truncations of the one of highest order."""
    highest = expand(operators, frame, max(orders)).model
    return [highest.truncate(order) for order in orders]


class _Recursion:
    """The recursion of the module's docstring, term by term."""

    def __init__(
        self, operators: BlochTorrey, frame: ArrayLike, order: int, factor: PinnedFactor
    ) -> None:
        cell = operators.cell
        axes = np.atleast_2d(np.asarray(frame, dtype=float))
        self.frame = axes / np.linalg.norm(axes, axis=1, keepdims=True)
        along = operators.along(self.frame)
        self.order, self.axial = order, along.axial
        self.cell: CellOperators = cell
        self.factor = factor
        self.C = [cell.matrix(data) for data in along.C]
        self.N = {
            pair: cell.matrix(along.N[pair])
            for pair in product(range(len(axes)), repeat=2)
            if np.any(along.N[pair])
        }
        self.J, self.M, self.R = map(cell.matrix, (operators.J, operators.M, operators.R))
        self.start = cell.indicators.T @ (self.M @ operators.rho)
        # Powers of s, s', ..., of sigma.
        self.n_factors = len(axes) * (most_derivatives(order) + 1)
        self.none: Monomial = (0,) * (self.n_factors + 1)
        self.fields: list[dict[Monomial, Array]] = [{self.none: cell.indicators / cell.measures()}]
        self.rates: list[dict[Monomial, Array]] = []

    def run(self) -> Expansion:
        for n in range(1, self.order + 2):
            self.fields.append(self._field(n))
            self.rates.append(self._rate(n - 1))
        overlaps = tuple(_overlaps(self.M, self.fields, self.fields, self.order))
        return Expansion(
            self.frame, tuple(self.rates), tuple(self.fields), self.start, overlaps, self.axial
        )

    def _rate(self, n: int) -> dict[Monomial, Array]:
        terms = _Sum()
        ones = self.cell.indicators.T
        for powers, h in self.fields[n + 1].items():
            for c, C in enumerate(self.C):
                terms.add(_raise(powers, c), ones @ (C @ h))
        for powers, h in self.fields[n].items():
            terms.add(_raise(powers, -1), ones @ (self.J @ h))
            terms.add(powers, ones @ (self.R @ h))
            for (c, d), N in self.N.items():
                terms.add(_raise(_raise(powers, c), d), -(ones @ (N @ h)))
        return {powers: value for powers, value in terms.values.items() if np.any(value)}

    def _field(self, n: int) -> dict[Monomial, Array]:
        loads = _Sum()
        for powers, h in self.fields[n - 1].items():
            for c, C in enumerate(self.C):
                loads.add(_raise(powers, c), -(C @ h))
        if n >= 2:
            for powers, h in self.fields[n - 2].items():
                self._load_two_orders_later(loads, powers, h)
            for j in range(n - 1):
                for left, h in self.fields[j].items():
                    for right, rate in self.rates[n - 2 - j].items():
                        power = tuple(x + y for x, y in zip(left, right, strict=True))
                        loads.add(power, self.M @ (h @ rate))
        return {powers: self.factor.solve(load) for powers, load in loads.significant().items()}

    def _load_two_orders_later(self, loads: _Sum, powers: Monomial, h: Array) -> None:
        """Loads of order n that come of a corrector of order n - 2."""
        loads.add(_raise(powers, -1), -(self.J @ h))
        loads.add(powers, -(self.R @ h))
        for (c, d), N in self.N.items():
            loads.add(_raise(_raise(powers, c), d), N @ h)
        for position, power in enumerate(powers[:-1]):
            if power:
                later = _raise(powers, position + len(self.C))
                loads.add(_raise(later, position, -1), -power * (self.M @ h))


def _overlaps(
    M: csc_array, lefts: Sequence[Polynomial], rights: Sequence[Polynomial], order: int
) -> list[Overlap]:
    """Products of correctors up to L^order; H_0 is orthogonal to all others."""
    found = []
    for i, j in product(range(order + 1), repeat=2):
        if i + j <= order and (i == 0) == (j == 0):
            for left, h in lefts[i].items():
                for right, k in rights[j].items():
                    found.append(Overlap(i + j, left, right, h.T @ (M @ k)))
    return found


def _raise(powers: Monomial, position: int, by: int = 1) -> Monomial:
    changed = list(powers)
    changed[position] += by
    return tuple(changed)


class _Sum:
    """Sums by monomial, and the size of what has been added to each."""

    def __init__(self) -> None:
        self.values: dict[Monomial, Array] = {}
        self._sizes: dict[Monomial, float] = {}

    def add(self, powers: Monomial, value: Array) -> None:
        self.values[powers] = self.values[powers] + value if powers in self.values else value
        self._sizes[powers] = self._sizes.get(powers, 0.0) + float(np.abs(value).max())

    def significant(self) -> dict[Monomial, Array]:
        """Sums without those whose terms cancel but for rounding: they would become fields."""
        return {
            powers: value
            for powers, value in self.values.items()
            if np.abs(value).max() > _ROUNDING * self._sizes[powers]
        }
