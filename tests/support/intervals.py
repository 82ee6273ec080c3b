"""Water between two impermeable walls, in Legendre polynomials, for any gradient.

    dM/dt = D M'' - i G(t) x M,    M' = 0 at both walls

The weak form needs no boundary condition of its basis. In polynomials P_n, normalised on the
interval, x is a matrix of three diagonals and -d^2/dx^2 is int P_m' P_n'; the signal is the
coefficient of the constant, and converges exponentially with the number of polynomials. A constant
gradient is an exponential of a matrix, DOP853 integrates under any other; it is the gradient that
counts here, not its integral, and nothing is shared with the finite-element code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.polynomial import legendre
from scipy.integrate import solve_ivp
from scipy.linalg import expm

#: Duration (ms) and the gradient G (rad/um/ms): a number, or a function of t from the beginning of
#: the piece.
Piece = tuple[float, float | Callable[[float], float]]


def interval_signal(
    width: float, diffusivity: float, gradient: Sequence[Piece], degree: int = 10
) -> complex:
    """Signal of uniform water in an interval.

    Parameters
    ----------
    width : float, um
    diffusivity : float, um^2/ms
    gradient : sequence of Piece
        Its integral over all pieces is zero.
    degree : int
        Highest degree of the polynomials.
    """
    n = np.arange(degree + 1)
    nodes, weights = legendre.leggauss(degree + 2)
    norm = np.sqrt(2 * n + 1)
    values = legendre.legvander(nodes, degree) * norm
    slopes = legendre.legval(nodes, legendre.legder(np.diag(norm))).T
    # Means over the interval, which is [-1, 1] here.
    decay = diffusivity * (2 / width) ** 2 * slopes.T @ (weights[:, None] / 2 * slopes)
    x = width / 2 * values.T @ ((weights * nodes)[:, None] / 2 * values)
    c = np.eye(degree + 1)[0].astype(complex)
    for duration, G in gradient:
        if not callable(G):
            c = expm(-duration * (decay + 1j * G * x)) @ c
            continue

        def rate(t, c, G=G):
            return -(decay @ c) - 1j * G(t) * (x @ c)

        piece = solve_ivp(rate, (0, duration), c, method="DOP853", rtol=1e-10, atol=1e-13)
        assert piece.success
        c = piece.y[:, -1]
    return complex(c[0])
