"""The cell problems of KL23, compartment by compartment: what `torrey.models.tensors` is made of.

Compartments meet on membranes alone, and a solution psi_m lives on the two sides of membrane m.
So one vector holds a psi in every compartment at once, each of another membrane: as many solutions
of K are needed as one compartment has membranes at most, not as many as there are pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array

from torrey.cell.factors import PinnedFactor
from torrey.cell.operators import Array, BlochTorrey, CellOperators

#: How many psi are solved for at a time: blocks are what is in memory.
_BLOCK: Final = 16


@dataclass(frozen=True)
class CellSolutions:
    """Solutions of the cell problems, each with zero mean on every compartment.

    Attributes
    ----------
    omega : (n_dofs, d) float
        omega_j, in units of the cell (KL23 (3.18)).
    chi, phi : (n_dofs, d, d) float
        chi_ij and phi_ij, in units of the cell squared (KL23 (3.21), (3.22)).
    """

    omega: Array
    chi: Array
    phi: Array


class Forms:
    """The integrals that the cell problems and the tensors need, on one finite-element space."""

    def __init__(self, operators: BlochTorrey) -> None:
        cell = operators.cell
        self.cell: CellOperators = cell
        self.n_axes = operators.n_axes
        self.factor: PinnedFactor = operators.stiffness_factor
        self.measures = cell.measures()
        self.mass: csc_array = cell.matrix(cell.mass)
        #: flux[i]: int D e_i . grad u v, with u the column and v the row.
        self.flux: list[csc_array] = [cell.matrix(data) for data in operators.B]
        #: weighted[i][j]: int D_ij u v.
        self.weighted = [[cell.matrix(data) for data in row] for row in operators.N]
        #: Indicator functions of the compartments as rows, shape (k+1, n).
        self.member = csc_array(
            (np.ones(cell.n_dofs), cell.compartment, np.arange(cell.n_dofs + 1)),
            shape=(cell.n_compartments, cell.n_dofs),
        )
        #: Mean of D_ij over each compartment, shape (k+1, d, d).
        ones = np.ones(cell.n_dofs)
        integrals = np.array([[w @ ones for w in row] for row in self.weighted])
        sums = self.member @ integrals.reshape(-1, cell.n_dofs).T
        self.diffusivity = sums.reshape(-1, self.n_axes, self.n_axes)
        self.diffusivity /= self.measures[:, None, None]

    def solve(self, load: Array, size: float | Array) -> Array:
        """Zero-mean solutions of K u = load, where the load must balance on each compartment.

        The balance is compared with ``size``, one number or one for each compartment and load, and
        not with the load: one that should vanish, as along layers, is rounding alone and balances
        nothing.
        """
        imbalance = np.abs(self.member @ load)
        if not np.all(imbalance <= 1e-9 * size):
            raise ArithmeticError(
                f"a cell problem has no solution: its load sums to {imbalance.max():.2e} on a "
                "compartment"
            )
        return self.factor.solve(load, tolerance=np.inf)

    def mean(self, u: Array, form: csc_array, v: Array) -> Array:
        """Mean of a product over each compartment, shape (k+1, columns of u, columns of v)."""
        products = u[:, :, None] * (form @ v)[:, None, :]
        integrals = self.member @ products.reshape(len(u), -1)
        return integrals.reshape(-1, *products.shape[1:]) / self.measures[:, None, None]

    def homogenised_diffusivity(self, omega: Array) -> Array:
        """<D e_i . (grad omega_j + e_j)>, shape (k+1, d, d): KL23 (3.17)."""
        ones = np.ones((self.cell.n_dofs, 1))
        return self.diffusivity + np.concatenate(
            [self.mean(ones, flux, omega) for flux in self.flux], axis=1
        )


def solve_cell_problems(forms: Forms) -> CellSolutions:
    """KL23 (3.18), (3.21), (3.22)."""
    cell, d = forms.cell, forms.n_axes
    degenerate = np.flatnonzero(cell.membranes[:, 0] == cell.membranes[:, 1])
    if degenerate.size:
        raise ValueError(
            f"membrane {degenerate[0]} has compartment {cell.membranes[degenerate[0], 0]} on both "
            "sides: the papers' tensors need two different ones; torrey.models.expansion does not"
        )
    ones = np.ones(cell.n_dofs)
    largest = float(np.abs(forms.diffusivity).max())
    omega = forms.solve(-np.column_stack([flux.T @ ones for flux in forms.flux]), largest)
    chi = forms.solve(-np.hstack([flux.T @ omega for flux in forms.flux]), largest)
    homogenised = forms.homogenised_diffusivity(omega)[cell.compartment].reshape(-1, d * d)
    source = np.column_stack([weighted @ ones for row in forms.weighted for weighted in row])
    source += np.hstack([flux @ omega for flux in forms.flux])
    phi = forms.solve(source - (forms.mass @ ones)[:, None] * homogenised, largest)
    return CellSolutions(omega, chi.reshape(-1, d, d), phi.reshape(-1, d, d))


@dataclass(frozen=True)
class Traces:
    """What a field leaves on membranes, each with two different compartments on its sides.

    Attributes
    ----------
    forms : Forms
    row, column, membrane : (n_entries,) int
        Entries of int_{Gamma_m} [u][v].
    value : (n_entries,) float
    jump : (n_dofs, n_membranes) csc_array
        int_{Gamma_m} [v] for each v.
    interface : (n_membranes,) float
        |Gamma_m|.
    """

    forms: Forms
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    membrane: NDArray[np.int64]
    value: Array
    jump: csc_array
    interface: Array

    @classmethod
    def of(cls, forms: Forms) -> Traces:
        """Of all membranes of a cell."""
        cell = forms.cell
        where, membrane = cell.jump_position, cell.jump_membrane
        row, value = cell.indices[where], cell.jump_value
        column = np.searchsorted(cell.indptr, where, side="right") - 1
        # [v] is v on the outside and -v on the inside: with u = 1 outside, int [u][v] is int [v].
        outside = cell.compartment[row] == cell.membranes[membrane, 0]
        entries = (value[outside], (column[outside], membrane[outside]))
        jump = coo_array(entries, shape=(cell.n_dofs, cell.n_membranes)).tocsc()
        both = outside & (cell.compartment[column] == cell.membranes[membrane, 0])
        interface = np.bincount(membrane[both], value[both], cell.n_membranes)
        return cls(forms, row, column, membrane, value, jump, interface.astype(float))

    def on_side(self, side: int) -> csc_array:
        """`jump` of what lives on the outside (0) or the inside (1) of each membrane alone."""
        cell, jump = self.forms.cell, self.jump.tocoo()
        here = cell.compartment[jump.row] == cell.membranes[jump.col, side]
        entries = (jump.data[here], (jump.row[here], jump.col[here]))
        return coo_array(entries, shape=jump.shape).tocsc()

    def product(self, u: Array, side_u: int, side_v: int) -> Array:
        """int_{Gamma_m} [u_i][u_j] of the columns of u, v = u_i and u = u_j on one side each.

        Returns
        -------
        (n_membranes, columns, columns) float
            [m, i, j].
        """
        cell = self.forms.cell
        sides = cell.membranes[self.membrane]
        here = cell.compartment[self.row] == sides[:, side_v]
        here &= cell.compartment[self.column] == sides[:, side_u]
        left, right = u[self.row[here]], u[self.column[here]]
        terms = self.value[here, None, None] * left[:, :, None] * right[:, None, :]
        total = np.zeros((cell.n_membranes, u.shape[1], u.shape[1]))
        np.add.at(total, self.membrane[here], terms)
        return total

    def packed(self) -> NDArray[np.int64]:
        """Membrane whose psi a packed vector holds in each compartment, -1 for none.

        Returns
        -------
        (n_packed, n_compartments) int
        """
        cell = self.forms.cell
        owner = cell.membranes.ravel()
        which = np.repeat(np.arange(cell.n_membranes), 2)
        order = np.argsort(owner, kind="stable")
        owner, which = owner[order], which[order]
        rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
        held = np.full((int(rank.max(initial=-1)) + 1, cell.n_compartments), -1)
        held[rank, owner] = which
        return held

    def psi(self) -> Iterator[tuple[NDArray[np.int64], Array]]:
        """Yield the solutions of (3.23), with its signs mended, some packed vectors at a time.

        Yields
        ------
        held : (b, n_compartments) int
            See `packed`.
        psi : (n_dofs, b) float
            psi of the membrane held in each compartment, zero where there is none; ms/um^2. With
            the load -s (int_{Gamma_m} v - eta int_{Y_a} v) on both sides a of membrane m.
        """
        forms, cell = self.forms, self.forms.cell
        moments, jump = forms.mass @ np.ones(cell.n_dofs), self.jump.tocoo()
        packed = self.packed()
        for first in range(0, len(packed), _BLOCK):
            held = packed[first : first + _BLOCK]
            load = np.zeros((cell.n_dofs, len(held)))
            for c, membranes in enumerate(held):
                here = membranes[cell.compartment[jump.row]] == jump.col
                load[jump.row[here], c] = -jump.data[here]
            balance = (forms.member @ load) / forms.measures[:, None]
            load -= moments[:, None] * balance[cell.compartment]
            yield held, forms.solve(load, forms.member @ np.abs(load))
