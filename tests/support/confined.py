"""Cumulants of water in an impermeable disc or sphere, by series of Bessel functions.

In the eigenfunctions of the Laplacian with reflecting walls -lap is diag(lambda)/R^2 and the
coordinate along the gradient is R B (Grebenkov, Rev. Mod. Phys. 79, 1077, 2007). B joins angular
orders that differ by one, so that what is of fourth order in the gradient needs the orders 0, 1
and 2 alone; of the radial ones as many are taken as it takes. Under a piecewise constant gradient
G q(t) the powers of q are the columns of a block-triangular exponential. Nothing is shared with the
finite-element code: it is the gradient that counts here, not its integral.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import expm
from scipy.optimize import brentq
from scipy.special import jnp_zeros, spherical_jn

from torrey.gradients.waveforms import Waveform

_ORDERS = 5


def eigenbasis(dimension: int, highest: float) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and the matrix of x/R: dimension 2 for a disc, 3 for a sphere."""
    modes = [(0, 0.0)]
    for n in range(3):
        modes += [(n, alpha) for alpha in _zeros(dimension, n, highest)]
    order = np.array([n for n, _ in modes])
    lam = np.array([alpha**2 for _, alpha in modes])
    bend = order**2 if dimension == 2 else order * (order + 1)
    weight = np.ones(len(lam))
    weight[1:] = np.sqrt((2 * order[1:] + 1 if dimension == 3 else 1) * lam[1:] / (lam - bend)[1:])
    if dimension == 3:
        weight[0] = math.sqrt(1.5)
    n, m = order[:, None], order[None, :]
    neighbours = np.abs(n - m) == 1
    gap = np.where(neighbours, lam[:, None] - lam[None, :], 1.0)
    both = weight[:, None] * weight
    total = lam[:, None] + lam[None, :]
    if dimension == 2:
        B = both * (total - 2 * n * m) / gap**2
        B = B * np.where((n == 0) | (m == 0), math.sqrt(2.0), 1.0)
    else:
        factor = (n + m + 1) / ((2 * n + 1) * (2 * m + 1))
        B = both * factor * (total - n * (m + 1) - m * (n + 1) + 1) / gap**2
    return lam, np.where(neighbours, B, 0.0)


def taylor(
    waveform: Waveform, dimension: int, radius: float, diffusivity: float, highest: float = 50.0
) -> np.ndarray:
    """Coefficients of q^0 ... q^4 in the signal (um^n)."""
    lam, B = eigenbasis(dimension, highest)
    diffusion = np.diag(diffusivity / radius**2 * lam)
    # Powers of i q, whose coefficients are real.
    u = np.zeros(_ORDERS * len(lam))
    u[0] = 1.0
    for segment in waveform.segments:
        assert segment.linear, "a pulse of constant gradient"
        (slope,) = segment.jet(0.0, 1)[1]
        pulse = np.kron(np.eye(_ORDERS, k=-1), slope * radius * B)
        u = expm(-segment.duration * (np.kron(np.eye(_ORDERS), diffusion) + pulse)) @ u
    return 1j ** np.arange(_ORDERS) * u.reshape(_ORDERS, -1)[:, 0]


def diffusivity_of_time(
    dimension: int, radius: float, diffusivity: float, t: np.ndarray, highest: float = 400.0
) -> np.ndarray:
    """Mean square displacement over 2 t: sum of 1 - exp(-lambda t) over B_0k^2."""
    lam, B = eigenbasis(dimension, highest)
    decay = -np.expm1(-np.multiply.outer(t, diffusivity * lam / radius**2))
    return radius**2 * (decay @ B[0] ** 2) / t


def _zeros(dimension: int, n: int, highest: float) -> list[float]:
    """Zeros of J_n' or j_n' up to the highest."""
    if dimension == 2:
        zeros = jnp_zeros(n, math.ceil(highest / math.pi) + 1)
        return [float(alpha) for alpha in zeros if alpha <= highest]

    def slope(x: float) -> float:
        return float(spherical_jn(n, x, derivative=True))

    grid = np.arange(0.5, highest, 0.5)
    signs = np.sign([slope(x) for x in grid])
    return [
        float(brentq(slope, grid[i], grid[i + 1], xtol=1e-13))
        for i in np.flatnonzero(signs[1:] != signs[:-1])
    ]
