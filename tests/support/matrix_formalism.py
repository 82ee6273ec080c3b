"""Water in an impermeable disc or ball: the matrix formalism in their eigenfunctions.

Neumann eigenfunctions on a disc of radius R (Grebenkov, Rev. Mod. Phys. 79, 1077, 2007)::

    u_nk = J_n(alpha_nk r/R) cos(n theta) / norm,    J_n'(alpha_nk) = 0,    lambda = alpha^2

In them -lap is diag(lambda)/R^2 and the coordinate along the gradient is R B. A pulse of constant
gradient G is exp(-delta (D diag(lambda)/R^2 + i G R B)), exactly, and the signal is the entry of
the constant function. Nothing is discretised but the number of eigenfunctions, and what is left out
fades quickly with their number.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy.linalg import expm
from scipy.optimize import brentq
from scipy.special import jnp_zeros, spherical_jn

from torrey.gradients.waveforms import Waveform


def disc_signal(
    waveform: Waveform, q: float, radius: float, diffusivity: float, highest: float = 40.0
) -> complex:
    """Signal of uniform water in an impermeable disc.

    Parameters
    ----------
    waveform : Waveform
    q : float, rad/um
    radius : float, um
    diffusivity : float, um^2/ms
    highest : float
        Eigenfunctions with alpha up to here.
    """
    return _signal(waveform, q, radius, diffusivity, eigenbasis(highest))


def ball_signal(
    waveform: Waveform, q: float, radius: float, diffusivity: float, highest: float = 25.0
) -> complex:
    """Signal of uniform water in an impermeable ball; as `disc_signal`."""
    return _signal(waveform, q, radius, diffusivity, ball_basis(highest))


def _signal(
    waveform: Waveform,
    q: float,
    radius: float,
    diffusivity: float,
    basis: tuple[np.ndarray, np.ndarray],
) -> complex:
    lam, B = basis
    u = np.zeros(len(lam), dtype=complex)
    u[0] = 1.0
    diffusion = np.diag(diffusivity / radius**2 * lam)
    for segment in waveform.segments:
        assert segment.linear, "a pulse of constant gradient"
        (slope,) = segment.jet(0.0, 1)[1]
        pulse = 1j * q * slope * radius * B
        u = expm(-segment.duration * (diffusion + pulse)) @ u
    return complex(u[0])


@cache
def eigenbasis(highest: float) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues lambda, the smallest (zero) first, and the matrix of x/R."""
    modes = [(0, 0.0)]
    for n in range(math.ceil(highest)):
        zeros = jnp_zeros(n, math.ceil(highest / math.pi) + 1)
        modes += [(n, alpha) for alpha in zeros if alpha <= highest]
    order = np.array([n for n, _ in modes])
    lam = np.array([alpha**2 for _, alpha in modes])
    weight = np.ones(len(lam))
    weight[1:] = np.sqrt(lam[1:] / (lam[1:] - order[1:] ** 2))
    n, m = order[:, None], order[None, :]
    neighbours = np.abs(n - m) == 1
    gap = np.where(neighbours, lam[:, None] - lam[None, :], 1.0)
    B = weight[:, None] * weight * (lam[:, None] + lam[None, :] - 2 * n * m) / gap**2
    return lam, np.where(neighbours, B * np.where((n == 0) | (m == 0), math.sqrt(2), 1.0), 0.0)


@cache
def ball_basis(highest: float) -> tuple[np.ndarray, np.ndarray]:
    """The same of a ball: j_n'(alpha) = 0, and spherical harmonics that are even about the axis.

    Entries of z/R are integrals of products of the functions themselves, by Gauss's rule: nothing
    is taken from the formulae of the literature but the eigenfunctions.
    """
    modes = [(0, 0.0)]
    for n in range(math.ceil(highest)):
        grid = np.arange(0.5, highest, 0.25)
        slope = spherical_jn(n, grid, derivative=True)
        for i in np.flatnonzero(slope[1:] * slope[:-1] < 0):
            root = brentq(lambda x, n=n: spherical_jn(n, x, derivative=True), grid[i], grid[i + 1])
            modes.append((n, float(root)))
    modes[1:] = sorted(modes[1:], key=lambda mode: mode[1])
    r, w = np.polynomial.legendre.leggauss(200)
    r, w = (r + 1) / 2, w / 2 * ((r + 1) / 2) ** 2
    radial = np.array([spherical_jn(n, alpha * r) for n, alpha in modes])
    radial /= np.sqrt(radial**2 @ w)[:, None]
    order = np.array([n for n, _ in modes])
    n, m = order[:, None], order[None, :]
    low = np.minimum(n, m)
    # cos(theta) between normalised Legendre polynomials of next orders.
    angular = (low + 1) / np.sqrt((2.0 * low + 1) * (2 * low + 3)) * (np.abs(n - m) == 1)
    lam = np.array([alpha**2 for _, alpha in modes])
    return lam, angular * ((radial * (w * r)) @ radial.T)
