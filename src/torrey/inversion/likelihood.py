"""How likely measured signals are, given those of a model: Gaussian noise and magnitudes.

Of a single magnitude y, with A without noise (Gudbjartsson and Patz 1995)::

    -log p = (y^2 + A^2) / (2 sigma^2) - log I_0(y A / sigma^2) - log(y / sigma^2)

A mean over n directions has no such law. It is taken to be normal with the mean and the variance/n
of a magnitude, so that the floor of small signals, sigma sqrt(pi/2), is there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import i0e, i1e

from torrey.base.errors import InputError

Array = NDArray[np.float64]
NoiseKind = Literal["gaussian", "rician"]

#: Signal over noise up to which the information of a magnitude is tabulated, and steps of 1.
_LARGEST, _FINE = 30.0, 40
_LOG_2PI = float(np.log(2.0 * np.pi))


def check_noise(noise: str, sigma: object) -> None:
    """Refuse a kind of noise that is not known, or magnitudes without their noise.

    Raises
    ------
    InputError
    """
    if noise not in ("gaussian", "rician"):
        raise InputError(f'"{noise}"', "gaussian or rician", at=("noise",))
    if noise == "rician" and sigma is None:
        raise InputError(
            "Rician noise without sigma",
            "the standard deviation of the noise, which magnitudes alone do not tell from signal",
            at=("sigma",),
        )


def likelihood(
    noise: NoiseKind, y: Array, model: Array, sigma: Array, weights: Array
) -> tuple[Array, Array, Array]:
    """Minus the log likelihood of each signal, its slope and the expected information.

    Parameters
    ----------
    noise : {"gaussian", "rician"}
    y, model, sigma : (n, m) float
        Measured signals, those of the model, and the noise of one signal.
    weights : (m,) float
        Number of signals of which a row is the mean.

    Returns
    -------
    value, slope, information : (n, m) float
        Slope and information by the model's signal.
    """
    if noise == "gaussian":
        return _normal(y, model, sigma / np.sqrt(weights))
    single = weights <= 1.0
    if single.all():
        return _rician(y, model, sigma)
    mean = _mean_of_magnitudes(y, model, sigma, weights)
    if not single.any():
        return mean
    one = _rician(y, model, sigma)
    return tuple(np.where(single, a, b) for a, b in zip(one, mean, strict=True))  # type: ignore[return-value]


def without_floor(noise: NoiseKind, y: Array, sigma: Array) -> Array:
    """Rough signals without noise, for starts."""
    if noise == "gaussian":
        return y
    return np.asarray(np.sqrt(np.maximum(y**2 - 2.0 * sigma**2, 0.0)))


def _normal(y: Array, model: Array, sigma: Array) -> tuple[Array, Array, Array]:
    r = (model - y) / sigma
    value = 0.5 * r * r + np.log(sigma) + 0.5 * _LOG_2PI
    return value, r / sigma, 1.0 / sigma**2


def _rician(y: Array, model: Array, sigma: Array) -> tuple[Array, Array, Array]:
    A, Y = model / sigma, y / sigma
    z = Y * A
    # A magnitude that a scanner has rounded to zero is a small one.
    value = 0.5 * (Y - A) ** 2 - np.log(i0e(z)) - np.log(np.maximum(Y, 1e-9)) + np.log(sigma)
    slope = (A - Y * i1e(z) / i0e(z)) / sigma
    return value, slope, _information(A) / sigma**2


def _mean_of_magnitudes(
    y: Array, model: Array, sigma: Array, weights: Array
) -> tuple[Array, Array, Array]:
    A, Y = model / sigma, y / sigma
    mean, by = mean_magnitude(A)
    variance = 2.0 + A * A - mean * mean
    change = 2.0 * A - 2.0 * mean * by
    r = mean - Y
    value = 0.5 * (weights * r * r / variance + np.log(variance / weights) + _LOG_2PI)
    slope = weights * r * by / variance + 0.5 * change / variance * (
        1.0 - weights * r * r / variance
    )
    information = weights * by * by / variance + 0.5 * (change / variance) ** 2
    return value + np.log(sigma), slope / sigma, information / sigma**2


def mean_magnitude(A: Array) -> tuple[Array, Array]:
    """Mean of a magnitude and its derivative, in units of the noise, at a signal A without noise.

    sqrt(pi/2) exp(-s) ((1 + 2 s) I_0(s) + 2 s I_1(s)) with s = A^2/4: sqrt(pi/2) where A = 0.
    """
    s = A * A / 4.0
    zeroth, first = i0e(s), i1e(s)
    root = np.sqrt(np.pi / 2.0)
    return root * ((1.0 + 2.0 * s) * zeroth + 2.0 * s * first), root * 0.5 * A * (zeroth + first)


def _information(A: Array) -> Array:
    """Fisher information of a magnitude about A, in units of the noise: from A^2 to 1."""
    grid, values = _table()
    far = 1.0 - 0.5 / np.maximum(A, 1.0) ** 2
    return np.where(A < _LARGEST, np.interp(A, grid, values), far)


@lru_cache(maxsize=1)
def _table() -> tuple[Array, Array]:
    """E[(Y I_1/I_0(Y A))^2] - A^2 on a grid of A."""
    grid = np.linspace(0.0, _LARGEST, int(_LARGEST * _FINE) + 1)
    nodes, weights = np.polynomial.legendre.leggauss(80)
    low = np.maximum(grid - 9.0, 0.0)[:, None]
    high = grid[:, None] + 9.0
    Y = low + (high - low) * (nodes + 1.0) / 2.0
    z = Y * grid[:, None]
    density = Y * np.exp(-0.5 * (Y - grid[:, None]) ** 2) * i0e(z)
    square = (Y * i1e(z) / i0e(z)) ** 2 * density
    values = (square * weights).sum(axis=1) * (high - low)[:, 0] / 2.0 - grid**2
    return grid, np.maximum(values, 1e-12)
