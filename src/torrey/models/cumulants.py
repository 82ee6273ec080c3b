"""Apparent diffusivity and kurtosis of any waveform at b -> 0: from a Taylor series, not a fit.

With S(q) = S_0 (1 + a_1 q + a_2 q^2 + a_3 q^3 + a_4 q^4 + ...) and beta = int |F|^2, b = q^2 beta,

    log |S/S_0| = c_2 q^2 + c_4 q^4 + ... = -b D_app + b^2 D_app^2 K_app / 6 + ...
    c_2 = a_2 - a_1^2/2,    c_4 = a_4 - a_1 a_3 - a_2^2/2 + a_1^2 a_2 - a_1^4/4
    D_app = -c_2 / beta,    K_app = 6 c_4 / c_2^2

which is how imaging defines both (KL23 section 6, KHM19 (24)). S(-q) is the complex conjugate of
S(q): a_1 and a_3 are imaginary, and change the phase of S as well as c_2 and c_4. In equilibrium
a_1 = 0, and a_3 = 0 for waveforms that are their own mirror image or in cells that have a centre
of symmetry; then D_app = -a_2 / beta and K_app = 6 a_4 / a_2^2 - 3. With relaxation S_0 is the
signal of the same timing without gradients, and normalises what is left of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: Below this (um^2/ms) water is confined, its diffusivity rounding, and its kurtosis without sense.
_CONFINED: Final = 1e-9


@dataclass(frozen=True)
class Cumulants:
    """D_app and K_app, of one shape.

    Attributes
    ----------
    adc : (...) float, um^2/ms
    kurtosis : (...) float
        Missing (NaN) where nothing diffuses.
    s0 : (...) float
        Signal without gradients.
    """

    adc: Array
    kurtosis: Array
    s0: Array


def cumulants_of(coefficients: ArrayLike, beta: ArrayLike) -> Cumulants:
    """Cumulants from the Taylor coefficients of the signal.

    Parameters
    ----------
    coefficients : (..., 5) complex
        Of q^0 ... q^4 (um^n).
    beta : (...) array_like, ms
        int |F|^2 over the waveform: `Waveform.b_factor`.
    """
    every = np.asarray(coefficients, dtype=complex)
    s0 = every[..., 0]
    a1, a2, a3, a4 = np.moveaxis(every[..., 1:] / s0[..., None], -1, 0)
    c2 = (a2 - a1**2 / 2.0).real
    c4 = (a4 - a1 * a3 - a2**2 / 2.0 + a1**2 * a2 - a1**4 / 4.0).real
    adc = -c2 / np.asarray(beta, dtype=float)
    moving = np.abs(adc) > _CONFINED
    kurtosis = np.full(adc.shape, np.nan)
    np.divide(6.0 * c4, c2**2, out=kurtosis, where=moving)
    return Cumulants(adc, kurtosis, s0.real)
