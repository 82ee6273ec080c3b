"""Conductivity of the square array of discs, by Lord Rayleigh's method, to any gap.

Perrins, McKenzie and McPhedran (Proc. R. Soc. A 369, 207, 1979): around each disc the potential is
a sum of r^l cos(l t) and r^-l cos(l t), and what the other discs send to one is a sum over the
lattice. Nearly touching discs need many l: some sqrt(R / gap).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln

#: Beyond this order the four nearest discs alone make a lattice sum.
_NEAREST_ALONE = 400


def insulating_array(radius: float, orders: int = 800) -> float:
    """Conductivity around insulating discs; around perfect conductors it is one over this."""
    order = np.arange(1, 2 * orders, 2.0)
    both = order[:, None] + order
    scale = gammaln(both) - gammaln(order[:, None] + 1) - gammaln(order)
    scale += both * math.log(radius) + 0.5 * np.log(order[:, None] / order)
    system = np.eye(orders) + np.exp(scale) * _lattice_sums(4 * orders)[both.astype(int)]
    sent = np.zeros(orders)
    sent[0] = radius
    return float(1 - 2 * math.pi * radius * np.linalg.solve(system, sent)[0])


def _lattice_sums(largest: int) -> np.ndarray:
    """Sums of u^-n over all places u of the square lattice but 0; S_2 = pi by his argument."""
    steps = np.arange(-30, 31)
    places = (steps[:, None] + 1j * steps).ravel()
    places = places[np.abs(places) > 0]
    sums = np.zeros(largest + 1)
    sums[2] = math.pi
    # The sum of u^-4 falls slowly: Gamma(1/4)^8 / (960 pi^2).
    sums[4] = math.gamma(0.25) ** 8 / (960 * math.pi**2)
    for n in range(8, largest + 1, 4):
        sums[n] = np.sum(places**-n).real if n < _NEAREST_ALONE else 4.0
    return sums
