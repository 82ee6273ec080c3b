"""True eigenmodes of the Bloch-Torrey operator, from the pseudo-periodic ones.

A true mode v of conj(B) is localised; its periodic parts

    Z(p, x) = sum_k v(x + k) exp(i p (x + k)),    Z(p + 2 pi, x) = exp(2 pi i x) Z(p, x),

k over the lattice along the gradient, are the pseudo-periodic eigenvectors, and

    v(x) = (1 / 2 pi) int Z(p, x) exp(-i p x) dp    (MMG20 (52)).

conj(B) v = conj(mu) v becomes G dZ/dp = -(A(p) - conj(mu)) Z, so that one eigenvector gives all the
others with their normalisation,

    Z(p) = exp(conj(mu) (p - p_0) / G) T(p, p_0) Z(p_0),

constants that MMG20 find by optimisation. The integrand is periodic in p and smooth: the sum over
P points (53) is exact but for the copies of v at a distance of P cells (54). A step of the
lattice added to Im mu moves the mode by one cell; the smallest imaginary part is that of the mode
in the cell of the origin, since Im mu = -G <x> (40).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.bloch.spectrum import Crossing, Spectrum

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True)
class Eigenmode:
    """A localised mode of B.

    Attributes
    ----------
    crossing : Crossing
    eigenvalue : complex, 1/ms
        mu.
    parts : (steps, r) complex
        Z(p_j) of its conjugate in the basis, p_j at the beginning of each step of the crossing;
        int |v|^2 = 1, and int v^2 is real and positive.
    """

    crossing: Crossing
    eigenvalue: complex
    parts: ComplexArray

    @property
    def places(self) -> Array:
        """p_j in [-1/2, 1/2) of the road."""
        steps = self.crossing.steps
        return np.arange(steps) / steps - 0.5

    def values(self, places: Array, dofs: NDArray[np.int64], shifts: ArrayLike) -> ComplexArray:
        """v at some places of the medium.

        Parameters
        ----------
        places : (n, d) float
            In units of the cell, within the cell or on its faces.
        dofs : (n,) int
            Degree of freedom at each of them.
        shifts : (n_shifts, d) array_like of int
            Cells to which the places are moved, as numbers of periods.

        Returns
        -------
        (n_shifts, n) complex
        """
        model = self.crossing.model
        zone = model.zone
        periodic = self.parts @ model.basis[dofs].T
        p = self.crossing.wave_vector(self.places)
        origin = zone.lattice.sum(axis=0) / 2.0
        result = []
        for shift in np.atleast_2d(np.asarray(shifts, dtype=float)):
            x = zone.period * (places + shift @ zone.lattice - origin)
            result.append((periodic * np.exp(-1j * p @ x.T)).mean(axis=0).conj())
        return np.array(result)

    def dissipation(self) -> float:
        """What (39) says Re mu is: the mean of D |grad v|^2 and losses over |v|^2 (1/ms)."""
        model = self.crossing.model
        rates = [
            np.vdot(z, model.system.matrix(g) @ z).real
            for g, z in zip(self.crossing.wave_vector(self.places), self.parts, strict=True)
        ]
        return float(np.mean(rates))


def eigenmode(crossing: Crossing, found: Spectrum, number: int) -> Eigenmode:
    """One of the modes of a spectrum.

    Parameters
    ----------
    crossing : Crossing
        That the spectrum was computed with.
    found : Spectrum
    number : int
        Which of its eigenvalues.
    """
    mu = complex(found.eigenvalues[number])
    states = crossing.along(found.gradient, found.right[:, number])
    times = np.arange(crossing.steps) * (2.0 * np.pi / found.step / crossing.steps)
    parts = np.exp(np.conj(mu) * times)[:, None] * states
    parts = parts / np.sqrt((np.abs(parts) ** 2).sum(axis=1).mean())
    square = product(crossing, parts, parts)
    return Eigenmode(crossing, mu, parts * np.exp(-0.5j * np.angle(square)))


def product(crossing: Crossing, first: ComplexArray, second: ComplexArray) -> complex:
    """int v w of two modes (38) from their periodic parts: those at p meet those at -p."""
    total = first[1:] * second[:0:-1]
    # The beginning of the road is its end, but for a fold.
    edge = first[0] * (crossing.fold.conj().T @ second[0])
    return complex((total.sum() + edge.sum()) / len(first))
