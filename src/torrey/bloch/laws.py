"""Asymptotic laws of MMG20, each for the signal normalised to 1 without gradient.

The exponents of (33)-(35) and the prefactors of (A.4) and (A.5) were derived again and hold as
printed, and `localisation_prefactor` gives in full the factor of which (35) states the scaling.
Formula (28) is the error of a sampled gradient whose largest wave number is a multiple of the
pulse: between two multiples the difference of the b-values is smaller, and may have the other sign.
(46), the error of an eigenvalue, does not follow from (28) and (42): see `eigenvalue_error`.

Lengths: l_g = (D / g)^(1/3) with the gradient g in rad/um/ms, l_delta = (D delta)^(1/2).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad
from scipy.special import ai_zeros, airy, itairy

Array = NDArray[np.float64]


def gradient_length(gradient: ArrayLike, diffusivity: float) -> Array:
    """l_g = (D / g)^(1/3), in um.

    Parameters
    ----------
    gradient : array_like, rad/um/ms
        gamma G.
    diffusivity : float, um^2/ms
    """
    return np.cbrt(diffusivity / np.asarray(gradient, dtype=float))


def diffusion_length(time: ArrayLike, diffusivity: float) -> Array:
    """sqrt(D t), in um; time in ms."""
    return np.sqrt(diffusivity * np.asarray(time, dtype=float))


def airy_zero() -> float:
    """a_1' = -1.0188, the first zero of the derivative of the Airy function."""
    return float(ai_zeros(1)[1][0])


def short_gradient(b: ArrayLike, diffusivity: float, ratio: float = 1.0) -> Array:
    """Signal at low b: exp(-alpha b D), MMG20 (33), and (A.2) with beta in place of alpha.

    Parameters
    ----------
    b : array_like, ms/um^2
    diffusivity : float, um^2/ms
    ratio : float
        Effective over free diffusivity; 1 in free space, (31) and (A.1).
    """
    return np.exp(-ratio * diffusivity * np.asarray(b, dtype=float))


def pgse_b(diffusion: ArrayLike, gradient: ArrayLike, diffusivity: float) -> Array:
    """b-value of two pulses with Delta = delta, b D = (2/3) (l_delta / l_g)^6, MMG20 (31).

    Parameters
    ----------
    diffusion, gradient : array_like, um
        Lengths l_delta and l_g.
    diffusivity : float, um^2/ms

    Returns
    -------
    ndarray, ms/um^2
    """
    return (2.0 / 3.0) * (np.asarray(diffusion) / np.asarray(gradient)) ** 6 / diffusivity


def motional_narrowing(
    diffusion: ArrayLike, gradient: ArrayLike, width: float, fraction: float = 1.0
) -> Array:
    """Signal of slabs across the gradient, two pulses with Delta = delta, MMG20 (34).

    Valid where the width is below the diffusion length and well below the gradient length.

    Parameters
    ----------
    diffusion, gradient : array_like, um
        Lengths l_delta and l_g.
    width : float, um
        Of the slabs.
    fraction : float
        C_mn, of the spins in them.
    """
    l_delta, l_g = np.asarray(diffusion, dtype=float), np.asarray(gradient, dtype=float)
    return fraction * np.exp(-(l_delta**2) * width**4 / (60.0 * l_g**6))


def fit_narrowing(strength: ArrayLike, signal: ArrayLike, diffusion: float) -> tuple[float, float]:
    """Width of the slabs and fraction of the spins in them that fit signals best, MMG20 (34).

    Least squares of log S against (l_delta / l_g)^6, which is a straight line in (34).

    Parameters
    ----------
    strength : (n,) array_like
        (l_delta / l_g)^6, two values or more.
    signal : (n,) array_like
        Above zero.
    diffusion : float, um
        l_delta.

    Returns
    -------
    width : float, um
        L.
    fraction : float
        C_mn.

    Raises
    ------
    ValueError
        If the signals do not fall as the strength rises: no slab explains them.
    """
    slope, offset = np.polyfit(np.asarray(strength, float), np.log(np.asarray(signal, float)), 1)
    if not slope < 0.0:
        raise ValueError(f"log S changes by {slope:.3g} per unit of strength, accepted: a decay")
    return float(diffusion * (-60.0 * slope) ** 0.25), float(np.exp(offset))


def localisation(
    diffusion: ArrayLike, gradient: ArrayLike, radius: float, prefactor: ArrayLike = 1.0
) -> Array:
    """Signal localised at round obstacles, two pulses with Delta = delta, MMG20 (35).

    Parameters
    ----------
    diffusion, gradient : array_like, um
        Lengths l_delta and l_g; l_g well below the radius and the gaps between obstacles.
    radius : float, um
        Of the obstacles; infinite for a plane boundary across the gradient.
    prefactor : array_like
        C_loc, such as `localisation_prefactor`.
    """
    l_delta, l_g = np.asarray(diffusion, dtype=float), np.asarray(gradient, dtype=float)
    a = abs(airy_zero())
    curvature = l_g / radius
    rate = a + np.sqrt(curvature) + math.sqrt(3.0) / (2.0 * a) * curvature
    return np.asarray(prefactor) * np.exp(-((l_delta / l_g) ** 2) * rate)


def parallel_length(gradient: ArrayLike, radius: float) -> Array:
    """(2 l_g^3 R)^(1/4): size of a localised magnetisation along the boundary, MMG20 (32), um."""
    return (2.0 * np.asarray(gradient, dtype=float) ** 3 * radius) ** 0.25


def localisation_prefactor(
    gradient: ArrayLike, radius: float, area: float, pockets: int = 2
) -> Array:
    """C_loc of the localisation law for discs in the plane.

    With the mode psi = phi(rho) f(y) at one pole, rho and y across and along the boundary,
    phi = Ai(a_1' + e^(i pi/6) rho / l_g) and f = exp(-e^(i pi/4) y^2 / (2 l_par^2)), the state
    after the first pulse is psi (psi | 1) / (psi | psi) with the bilinear product, and the signal
    its norm:

        C_loc = pockets |int psi|^2 int |psi|^2 / |int psi^2|^2 / area.

    Proportional to l_g l_par = 2^(1/4) l_g^(7/4) R^(1/4), as MMG20 states after (35).

    Parameters
    ----------
    gradient : array_like, um
        l_g.
    radius : float, um
    area : float, um^2
        Of the water per unit cell.
    pockets : int
        Per unit cell: two per disc.
    """
    a = airy_zero()
    peak = float(airy(a)[0])
    # itairy integrates Ai from 0 to x, and from 0 to -x; over (0, infinity) it is 1/3.
    integral = 1.0 / 3.0 + float(itairy(-a)[2])
    turn = np.exp(1j * np.pi / 6.0)
    square, _ = quad(lambda s: abs(airy(a + turn * s)[0]) ** 2, 0.0, 30.0, epsabs=1e-13)
    across = (integral / (abs(a) * peak**2)) ** 2 * square
    along = 2.0 * math.sqrt(math.pi * math.sqrt(2.0))
    l_g = np.asarray(gradient, dtype=float)
    return pockets * across * along * l_g * parallel_length(l_g, radius) / area


def debye_porod(
    q: ArrayLike, diffusion: float, surface_to_volume: float, dimension: int = 2
) -> Array:
    """Signal of two narrow pulses at large q l_Delta and short times, MMG20 (A.4), (A.5).

    Parameters
    ----------
    q : array_like, rad/um
    diffusion : float, um
        l_Delta = sqrt(D Delta), short beside the structure.
    surface_to_volume : float, 1/um
        sigma, of boundaries of isotropic orientation.
    dimension : {2, 3}

    Raises
    ------
    ValueError
        If the dimension is another.
    """
    if dimension not in (2, 3):
        raise ValueError(f"Debye-Porod law in {dimension} dimensions, accepted: 2 or 3")
    x = np.asarray(q, dtype=float) * diffusion
    factor = 1.0 / (math.pi * x**3) if dimension == 2 else 1.0 / (2.0 * math.sqrt(math.pi) * x**4)
    return surface_to_volume * diffusion * factor


def sampling_error(
    pulses: int, diffusivity: float, time: float, period: float, remainder: float = 0.0
) -> float:
    """Relative error of a gradient sampled by rounding in free space, MMG20 (28).

    With q_0 the weight of a pulse and f the remainder, 1 - exp(-q_0^2 D T (1/6 - f^2)) for many
    pulses. MMG20 give the case f = 0, the largest error; with f = 1/2 it is half as large, and the
    sampled signal is too large instead of too small.

    Parameters
    ----------
    pulses : int
        P: narrow pulses of 2 pi / (P period).
    diffusivity : float, um^2/ms
    time : float, ms
        During which there is a gradient.
    period : float, um
        Of the lattice along the gradient, such as L / sqrt(2) along the diagonal of a square.
    remainder : float
        Distance of the largest wave number from the nearest multiple of the pulse, in pulses:
        from 0 to 1/2.
    """
    pulse = 2.0 * math.pi / (pulses * period)
    return -math.expm1(-(pulse**2) * diffusivity * time * (1.0 / 6.0 - remainder**2))


def eigenvalue_error(pulses: int, gradient: ArrayLike, period: float) -> Array:
    """Relative error of exp(-tau mu), tau of MMG20 (42), where the gradient is narrow pulses.

    Narrow pulses are the symmetric splitting of exp(-tau B) into precession A = i G x and diffusion
    C = D lap, h = tau / P in a step. To second order -B = A + C becomes

        A + C - h^2/24 [A, [A, C]] - h^2/12 [C, [A, C]]

    The first commutator is the number -2 D G^2. The mean of [A + C, [A, C]] over an eigenmode, with
    its partner on the left, is zero, so that the mean of the second is 2 D G^2: mu rises by
    D (G h)^2 / 12 for each mode alike, and the error is, with tau = 2 pi / (G a),

        1 - exp(-D q_0^2 tau / 12) = (2 pi^3 / 3) / P^2 (l_g / a)^3 + ...

    That is half of (28) with T = tau. MMG20 (46) combines (28) and (42) and prints the same law
    without the factor (4 pi^3 / 3) = 41.

    Parameters
    ----------
    pulses : int
        P.
    gradient : array_like, um
        l_g.
    period : float, um
        Of the lattice along the gradient.
    """
    ratio = np.asarray(gradient, dtype=float) / period
    return -np.expm1(-2.0 * math.pi**3 / 3.0 / pulses**2 * ratio**3)


def lost_rate(gradient: ArrayLike, period: float, precision: float = np.finfo(float).eps) -> Array:
    """Re(mu_n - mu_0) from which eigenvalues drown in rounding, MMG20 (48), in 1/ms.

    Parameters
    ----------
    gradient : array_like, rad/um/ms
    period : float, um
        Of the lattice along the gradient.
    precision : float
        Relative precision eta of the arithmetic.
    """
    return -np.asarray(gradient, dtype=float) * period * math.log(precision) / (2.0 * math.pi)
