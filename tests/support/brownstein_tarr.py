"""Brownstein and Tarr (1979): decay of magnetisation in a pore whose wall relaxes it.

With D the diffusivity, a the half width or radius and B = rho a / D, M(t) = sum_n I_n
exp(-D x_n^2 t / a^2), where x_n are the positive roots of

    layer    x tan x = B               I_n = 4 sin^2 x / (x (2 x + sin 2x))
    disc     x J_1(x) = B J_0(x)       I_n = 4 J_1^2 / (x^2 (J_0^2 + J_1^2))
    sphere   1 - x cot x = B           I_n = 12 (sin x - x cos x)^2 / (x^3 (2 x - sin 2x))
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import j0, j1, jn_zeros


def pore_decay(
    dimension: int, diffusivity: float, radius: float, relaxivity: float, time: float, count=40
) -> float:
    """M(time) / M(0) of a layer (1), a disc (2) or a sphere (3); um and ms."""
    B = relaxivity * radius / diffusivity
    if dimension == 1:
        ends = [(n * np.pi, n * np.pi + np.pi / 2) for n in range(count)]
        condition = lambda x: x * np.sin(x) - B * np.cos(x)  # noqa: E731
    elif dimension == 2:
        zeros, extremes = jn_zeros(0, count), np.concatenate([[0.0], jn_zeros(1, count)])
        ends = list(zip(extremes, zeros, strict=False))
        condition = lambda x: x * j1(x) - B * j0(x)  # noqa: E731
    else:
        ends = [(n * np.pi, (n + 1) * np.pi) for n in range(count)]
        condition = lambda x: (1.0 - B) * np.sin(x) - x * np.cos(x)  # noqa: E731
    x = np.array([brentq(condition, a + 1e-12, b - 1e-12, xtol=1e-15) for a, b in ends])
    if dimension == 1:
        weight = 4 * np.sin(x) ** 2 / (x * (2 * x + np.sin(2 * x)))
    elif dimension == 2:
        weight = 4 * j1(x) ** 2 / (x**2 * (j0(x) ** 2 + j1(x) ** 2))
    else:
        weight = 12 * (np.sin(x) - x * np.cos(x)) ** 2 / (x**3 * (2 * x - np.sin(2 * x)))
    assert abs(weight.sum() - 1.0) < 5e-2
    return float(weight @ np.exp(-diffusivity * x**2 * time / radius**2))
