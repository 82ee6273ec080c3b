"""Taylor series in q of the signal of a system that is symmetric and dissipates at q = 0.

With s = i q every coefficient is real. Of M du/dt = -A(q F) u, u = sum_n s^n u_n obeys

    du_n/dt = -A(0) u_n - (F.C/L) u_{n-1} + (F F:N) u_{n-2},    u_0(0) = rho,  u_n(0) = 0

a block-triangular system, which one pass in time solves for all orders. The eigenvectors of A(0)
make its diagonal blocks numbers. A panel of time is crossed by Radau collocation; panels double
their length from the beginning of each segment, where the slope of F jumps and every mode of A(0)
starts anew, so that each panel resolves all that has not decayed before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.cell.system import N_STATIC, at_rest, cell_factors
from torrey.gradients.waveforms import Segment, Waveform
from torrey.models.reduced import GalerkinSystem

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

TAYLOR_ORDER: Final = 4
"""Highest power of q: that of the kurtosis."""

NODES, FEWER_NODES = 16, 12
"""Collocation nodes of a panel, and those of a second run that tells the error."""

#: Decay of the fastest mode over the first panel, and phase of a wave over any.
_FIRST_DECAY, _MOST_PHASE = 4.0, 2.0


@dataclass(frozen=True)
class RestingSystem:
    """A system at one period and permeability, on the eigenvectors of A(0).

    Attributes
    ----------
    rates : (r,) float, 1/ms
        Eigenvalues of A(0), ascending.
    C : (c, r, r) float, um/ms
        C_a / L.
    N : (c, c, r, r) float, um^2/ms
    start, readout : (r,) float
    modes : (r, r) float
        The eigenvectors, columns on the basis of the model.
    stored : RestingSystem, optional
        The same of magnetisation stored along z; see `of`.
    """

    rates: Array
    C: Array
    N: Array
    start: Array
    readout: Array
    modes: Array
    stored: RestingSystem | None = None

    @classmethod
    def of(
        cls, model: GalerkinSystem, period: float, sigma: float, stores: bool = False
    ) -> RestingSystem:
        """Diagonalise A(0) for a period (um) and sigma = kappa/L (1/ms).

        Parameters
        ----------
        model : GalerkinSystem
        period, sigma : float
        stores : bool
            Whether waveforms store magnetisation: `stored` is made for them alone.

        Raises
        ------
        InputError
            If they do, and T1 is not given beside T2.
        """
        system = cls._of(model, period, sigma, stored=False)
        if not stores:
            return system
        return replace(system, stored=cls._of(model, period, sigma, stored=True))

    @classmethod
    def _of(cls, model: GalerkinSystem, period: float, sigma: float, stored: bool) -> RestingSystem:
        rates, modes = np.linalg.eigh(at_rest(model, period, sigma, stored))
        *_, of_C = cell_factors(period, sigma)
        c, r = len(model.C), len(rates)
        return cls(
            rates=np.maximum(rates, 0.0),
            C=of_C * (modes.T @ model.C @ modes),
            N=(modes.T @ model.symmetric[N_STATIC:] @ modes).reshape(c, c, r, r),
            start=modes.T @ model.start,
            readout=modes.T @ model.readout,
            modes=modes,
        )

    def during(self, segment: Segment) -> RestingSystem:
        """The system on a segment of a waveform.

        Raises
        ------
        ValueError
            If magnetisation is stored there, for which the system was not made.
        """
        if not segment.stored:
            return self
        if self.stored is None:
            raise ValueError("a system that was not made for waveforms that store magnetisation")
        return self.stored


def galerkin_taylor(
    model: GalerkinSystem,
    waveform: Waveform,
    period: ArrayLike,
    sigma: ArrayLike,
) -> ComplexArray:
    """Coefficients of q^0 ... q^4 in the signal of a projected model.

    Parameters
    ----------
    model : GalerkinSystem
    waveform : Waveform
    period, sigma : (...) array_like
        L (um) and kappa/L (1/ms).

    Returns
    -------
    (..., 5) complex, um^n
        Normalised to the initial magnetisation.
    """
    period, sigma = np.broadcast_arrays(np.asarray(period, float), sigma)
    found: ComplexArray = np.empty((*period.shape, TAYLOR_ORDER + 1), dtype=complex)
    stores = waveform.stores
    for place in np.ndindex(period.shape):
        system = RestingSystem.of(model, float(period[place]), float(sigma[place]), stores)
        found[place] = taylor_at_echo(system, waveform)
    return found


def taylor_at_echo(system: RestingSystem, waveform: Waveform, nodes: int = NODES) -> ComplexArray:
    """Coefficients of q^0 ... q^4 in the signal at the echo, shape (5,).

    What fewer nodes change is far more than the error of `NODES`.
    """
    u, now = _beginning(system), system
    for segment in waveform.segments:
        before, now = now, system.during(segment)
        if now is not before:
            u = u @ before.modes.T @ now.modes
        for begin, length in _panels(segment, float(now.rates[-1])):
            u = _cross(now, segment, begin, length, u, nodes)
    return _read_out(system, u if now is system else u @ now.modes.T @ system.modes)


def taylor_of_narrow_pulses(system: RestingSystem, times: Sequence[float]) -> ComplexArray:
    """Coefficients after two narrow pulses, F = 1 in between, at several times between them.

    Parameters
    ----------
    system : RestingSystem
        Along one direction.
    times : (n,) sequence of float, ms
        Ascending and above zero.

    Returns
    -------
    (n, 5) complex
        Of q^2 they give the mean square displacement <x^2>/2, of q^4 <x^4>/24.
    """
    still = Segment(float(times[-1]), ((1.0,),))
    u, found = _beginning(system), []
    begin = 0.0
    for time in times:
        for start, length in _between(begin, float(time), _first(system.rates[-1])):
            u = _cross(system, still, start, length, u, NODES)
        begin = float(time)
        found.append(_read_out(system, u))
    return np.array(found)


def _beginning(system: RestingSystem) -> Array:
    u = np.zeros((TAYLOR_ORDER + 1, len(system.rates)))
    u[0] = system.start
    return u


def _read_out(system: RestingSystem, u: Array) -> ComplexArray:
    powers = 1j ** np.arange(TAYLOR_ORDER + 1)
    total = float(system.readout @ system.start)
    return np.asarray(powers * (u @ system.readout) / total, dtype=np.complex128)


def _first(fastest: float) -> float:
    """Length of the first panel after a jump (ms)."""
    return _FIRST_DECAY / fastest if fastest > 0.0 else np.inf


def _panels(segment: Segment, fastest: float) -> Iterator[tuple[float, float]]:
    """Beginning and length of the panels of a segment (ms)."""
    most = np.inf if segment.wave is None else _MOST_PHASE / segment.wave.omega
    yield from _between(0.0, segment.duration, _first(fastest), most)


def _between(
    begin: float, end: float, first: float, most: float = np.inf
) -> Iterator[tuple[float, float]]:
    """Panels that double their length from time zero on, up to a longest one."""
    while begin < end * (1.0 - 1e-12):
        length = min(max(first, begin), most)
        # A rest shorter than a panel goes with the last one.
        stop = end if begin + 1.5 * length >= end else begin + length
        yield begin, stop - begin
        begin = stop


def _cross(
    system: RestingSystem, segment: Segment, begin: float, length: float, u: Array, nodes: int
) -> Array:
    """All orders at the end of a panel, from those at its beginning (5, r)."""
    places, slopes, first = _radau(nodes)
    F = segment.jet(begin + length * places, 0)[:, 0]
    # Of each mode: rate, and derivative by the values at the nodes.
    matrices = system.rates[:, None, None] * np.eye(nodes) + slopes / length
    inverse = np.linalg.inv(matrices)
    values: list[Array] = []
    for n in range(TAYLOR_ORDER + 1):
        load = -np.multiply.outer(u[n], first / length)
        for a in range(len(system.C) if n >= 1 else 0):
            load -= (system.C[a] @ values[n - 1]) * F[:, a]
        for a, b in np.ndindex(system.N.shape[:2] if n >= 2 else (0, 0)):
            load += (system.N[a, b] @ values[n - 2]) * (F[:, a] * F[:, b])
        values.append(np.einsum("rij,rj->ri", inverse, load))
    return np.array([value[:, -1] for value in values])


@lru_cache(maxsize=4)
def _radau(nodes: int) -> tuple[Array, Array, Array]:
    """Nodes in ]0, 1], the last one 1; derivatives there by the values at nodes and at 0."""
    from scipy.special import roots_jacobi

    inner = (1.0 + roots_jacobi(nodes - 1, 1, 0)[0]) / 2.0
    every = np.array([0.0, *inner, 1.0])
    gaps = every[:, None] - every + np.eye(nodes + 1)
    weights = 1.0 / np.prod(4.0 * gaps, axis=1)
    slopes = weights / weights[:, None] / gaps
    np.fill_diagonal(slopes, 0.0)
    np.fill_diagonal(slopes, -slopes.sum(axis=1))
    return every[1:], slopes[1:, 1:], slopes[1:, 0]
