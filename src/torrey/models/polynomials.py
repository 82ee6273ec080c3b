"""Polynomials in the gradient, its derivatives in time, and sigma: what a series in L consists of.

A monomial stands for (i g)^a (i g')^a' (i g'')^a'' ... sigma^c, with one exponent per component of
g; a polynomial has a real matrix or field for each of its monomials.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
#: Powers of the components of i g, of those of i g', ..., and of sigma.
Monomial = tuple[int, ...]
Polynomial = Mapping[Monomial, Array]


def monomial(powers: Monomial, jet: ComplexArray, sigma: ArrayLike) -> ComplexArray:
    """The product of powers of the components of a jet, derivative by derivative, and of sigma.

    Parameters
    ----------
    powers : tuple of int
        ``powers[j * k + c]`` belongs to component c of derivative j; the last to sigma.
    jet : (..., n, k) complex
    sigma : (...) array_like
    """
    k = jet.shape[-1]
    value: ComplexArray = np.asarray(sigma) ** powers[-1] + np.zeros(jet.shape[:-2], dtype=complex)
    for position, power in enumerate(powers[:-1]):
        if power:
            derivative, component = divmod(position, k)
            value = np.multiply(value, jet[..., derivative, component] ** power)
    return value
