"""The system A(g) of one period and permeability, affine in g and g g^T."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array

from torrey.cell.operators import Array, BlochTorrey


@dataclass(frozen=True)
class GradientSystem:
    """A(g) for one period, permeability and set of gradient axes.

    A(g) = static + (i/L) sum_a g_a C_a + sum_ab g_a g_b N_ab.
    """

    operators: BlochTorrey
    static: Array
    C: Array
    N: Array

    @classmethod
    def at(
        cls, operators: BlochTorrey, period: float, permeability: float, frame: ArrayLike
    ) -> GradientSystem:
        """Operators scaled to a period (um) and a permeability (um/ms).

        ``frame`` is one direction (d,), or the axes (k, d) of a waveform's components.
        """
        along = operators.along(frame)
        return cls(
            operators=operators,
            static=operators.K / period**2 + (permeability / period) * operators.J + operators.R,
            C=along.C / period,
            N=along.N,
        )

    def matrix(self, g: Array) -> csc_array:
        """A(g); g (k,) in rad/um."""
        return self.operators.cell.matrix(self.entries(g))

    def entries(self, g: Array) -> NDArray[np.complex128]:
        """Entries of A(g) on the common pattern."""
        entries = self.static + (1j * g[0]) * self.C[0]
        for a, C in enumerate(self.C[1:], start=1):
            entries += (1j * g[a]) * C
        for a, b in zip(*np.nonzero(np.multiply.outer(g, g)), strict=True):
            entries += (g[a] * g[b]) * self.N[a, b]
        return entries

    def slope(self, g: Array, rate: Array) -> csc_array:
        """dA/dt at g, where dg/dt = rate."""
        mixed = np.multiply.outer(g, rate)
        real = np.tensordot(mixed + mixed.T, self.N, axes=2)
        return self.operators.cell.matrix(real + 1j * np.tensordot(rate, self.C, axes=1))
