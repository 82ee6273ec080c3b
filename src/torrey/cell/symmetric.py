"""Signals of symmetric waveforms: the second half of the flow is known from the first.

    S = 1^T M P rho / 1^T M rho,    P the propagator from 0 to T_E

A(g) is Hermitian, and A(-g) is its complex conjugate. Where F(T_E - t) = F(t) the second half of P
is the adjoint of the first in the inner product of M; where F(T_E - t) = -F(t) it is the transpose.
With u and v the states that rho and 1 have become in the middle, and E the propagator over what
stands still there,

    S 1^T M rho = v^H M E u,  or  v^T M E u.

The first is real and positive for uniform rho, where u = v is one state. Nothing here knows what a
state is, nor what propagates it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Part = TypeVar("Part")
States = NDArray[np.complex128]
#: A number, or one for each of several points.
Values = TypeVar("Values", complex, NDArray[np.complex128])


def symmetric_signal(
    parts: Sequence[Part],
    symmetry: int,
    sources: States,
    advance: Callable[[States, Part], States],
    product: Callable[[States, States], Values],
    still: Callable[[Part], bool],
    form: Callable[[States, Part], Values] | None = None,
) -> Values:
    """1^T M P rho, by half the work where the waveform is symmetric.

    Parameters
    ----------
    parts : sequence
        Of the waveform, in the order of time.
    symmetry : int
        1 if F(T_E - t) = F(t), -1 if F(T_E - t) = -F(t), 0 otherwise.
    sources : (n, 2, ...) complex
        rho at [:, 0] and 1 at [:, 1]: the second axis counts states.
    advance : callable
        (states (n, m, ...), part) -> states after the part; m is 1 or 2.
    product : callable
        (a, b) -> a^T M b, not conjugated, of states (n, ...).
    still : callable
        Whether g is constant on a part: only then the middle one joins the halves as it is.
    form : callable, optional
        (u, part) -> u^H M E u over the middle part, where there is a better way than a product
        of u with E u.
    """
    half, odd = divmod(len(parts), 2)
    halved = symmetry != 0 and (not odd or still(parts[half]))
    single = not halved or np.array_equal(sources[:, 0], sources[:, 1])
    states = sources[:, :1] if single else sources
    for part in parts[:half] if halved else parts:
        states = advance(states, part)
    right = states[:, :1]
    if not halved:
        return product(sources[:, 1], right[:, 0])
    real = single and symmetry > 0
    if odd and real and form is not None:
        return form(states[:, 0], parts[half])
    if odd:
        right = advance(right, parts[half])
    left = states[:, -1]
    value = product(left.conj() if symmetry > 0 else left, right[:, 0])
    return 0.5 * (value + value.conjugate()) if real else value
