"""Closed spheres in the Gaussian approximation of phases, and means over directions.

Murday and Cotts (1968): with the roots mu of the derivative of the spherical Bessel function j_1,

    -log S = 2 (q/delta)^2 / D sum_mu R^4 / (mu^4 (mu^2 - 2)) (2 delta - R^2/(mu^2 D) (2
             + E(Delta - delta) - 2 E(delta) - 2 E(Delta) + E(Delta + delta)))

with E(t) = exp(-mu^2 D t / R^2).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_ROOTS = 30
_STEP = 1e-5


def sphere_signal(b: Array, delta: Array, Delta: Array, radius: ArrayLike, D: float) -> Array:
    """Signal of impermeable spheres for pulsed gradients.

    Parameters
    ----------
    b, delta, Delta : (m,) float
        In ms/um^2 and ms.
    radius : (n,) array_like
        In um.
    D : float
        Diffusivity inside (um^2/ms).

    Returns
    -------
    (n, m) float
    """
    R = np.asarray(radius, dtype=float).reshape(-1, 1, 1)
    mu2 = _roots() ** 2
    rate = mu2 * D / R**2
    d, Dl = delta[:, None], Delta[:, None]

    def decay(time: Array) -> Array:
        return np.exp(-rate * time)

    inside = 2.0 + decay(Dl - d) - 2.0 * decay(d) - 2.0 * decay(Dl) + decay(Dl + d)
    terms = (2.0 * d - inside / rate) / (mu2**2 * (mu2 - 2.0))
    slope = np.where(b > 0.0, b / ((Delta - delta / 3.0) * delta**2), 0.0)
    exponent = 2.0 * slope / D * R[:, :, 0] ** 4 * terms.sum(axis=2)
    return np.asarray(np.exp(-np.nan_to_num(exponent)))


def sphere_signal_and_slope(
    b: Array, delta: Array, Delta: Array, radius: Array, D: float
) -> tuple[Array, Array]:
    """The same with its derivative by the radius (1/um), by a central difference."""
    step = _STEP * radius
    up, down = (sphere_signal(b, delta, Delta, radius + s * step, D) for s in (1.0, -1.0))
    return sphere_signal(b, delta, Delta, radius, D), (up - down) / (2.0 * step[:, None])


def cosines(largest: float) -> tuple[Array, Array]:
    """Nodes and weights for the mean over the sphere of functions like exp(-x cos^2).

    Parameters
    ----------
    largest : float
        Of |x|: up to it the mean is right to 1e-8.

    Returns
    -------
    nodes, weights : (c,) float
        Cosines from 0 to 1 by Gauss and Legendre; the weights add up to one.
    """
    x, w = np.polynomial.legendre.leggauss(_count(largest))
    return (x + 1.0) / 2.0, w / 2.0


def _count(largest: float) -> int:
    return int(np.ceil(6.0 + 1.3 * np.sqrt(max(largest, 1.0))))


@lru_cache(maxsize=1)
def _roots() -> Array:
    """The first roots of j_1'(x) = 0."""
    from scipy.optimize import brentq
    from scipy.special import spherical_jn

    edges = np.pi * np.arange(_ROOTS + 1) + 0.5

    def slope(x: float) -> float:
        return float(spherical_jn(1, x, derivative=True))

    return np.array([brentq(slope, a, b, xtol=1e-13) for a, b in pairwise(edges)])
