"""Homogenised models as small systems dm/dt = -G(g, p) m, and their signals.

A model is a polynomial rate matrix: G = sum_n L^n sum_(a,b,c) s^a r^b sigma^c G_n^(a,b,c) with
s = i |g|, r = ds/dt, sigma = kappa/L. It is small (one mass per compartment), so that whole tables
of signals are integrated at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.polynomial import Polynomial as Polynomial1D
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import expm

from torrey.waveforms import Segment, Waveform

Array = NDArray[np.float64]
#: Powers of (s, ds/dt, sigma).
Monomial = tuple[int, int, int]
Polynomial = Mapping[Monomial, Array]

_STAGES = 4
_MOST_STEPS = 4096


class SmallModel(Protocol):
    """A linear system dw/dt = -G(g, p) w of a few unknowns, whose signal is a weighted sum."""

    @property
    def start(self) -> Array:
        """State of a uniform unit magnetisation, shape (k,)."""

    @property
    def readout(self) -> Array:
        """Weights of the signal, shape (k,)."""

    def matrix(
        self, g: ArrayLike, slope: ArrayLike, period: ArrayLike, sigma: ArrayLike
    ) -> NDArray[np.complex128]:
        """G(g, p), shape (..., k, k), in 1/ms."""


@dataclass(frozen=True)
class RateModel:
    """A homogenised model along one gradient direction.

    Attributes
    ----------
    rates : tuple of Polynomial
        G_0, G_1, ...: real (k, k) matrices per monomial, um and ms.
    masses : (k,) float
        Initial masses |Y_a| of a uniform unit density.
    """

    rates: tuple[Polynomial, ...]
    masses: Array

    @property
    def start(self) -> Array:
        """Initial masses."""
        return self.masses

    @property
    def readout(self) -> Array:
        """The signal is the sum of the masses."""
        return np.ones_like(self.masses)

    @property
    def order(self) -> int:
        """Highest power of the period L."""
        return len(self.rates) - 1

    def truncate(self, order: int) -> RateModel:
        """The model R_order of lower order.

        Raises
        ------
        ValueError
            If the model has no rate matrices of that order.
        """
        if not 0 <= order <= self.order:
            raise ValueError(f"order {order} of a model with orders 0 to {self.order}")
        return replace(self, rates=self.rates[: order + 1])

    def matrix(
        self, g: ArrayLike, slope: ArrayLike, period: ArrayLike, sigma: ArrayLike
    ) -> NDArray[np.complex128]:
        """G(g, p), with dm/dt = -G m.

        Parameters
        ----------
        g, slope : array_like, rad/um and rad/(um ms)
            Component of g along the direction, and p = dg/dt.
        period : array_like, um
        sigma : array_like, 1/ms
            kappa / L. All arguments broadcast to one shape (...).

        Returns
        -------
        (..., k, k) complex, 1/ms
        """
        g, slope, period, sigma = np.broadcast_arrays(g, slope, period, sigma)
        k = len(self.masses)
        total = np.zeros((*g.shape, k * k), dtype=complex)
        for n, polynomial in enumerate(self.rates):
            for (a, b, c), coefficient in polynomial.items():
                factor = 1j ** (a + b) * (period**n * g**a * slope**b * sigma**c)
                total += np.multiply.outer(factor, coefficient.ravel())
        return total.reshape(*g.shape, k, k)


def model_signal(
    model: SmallModel,
    waveform: Waveform,
    q: ArrayLike,
    period: ArrayLike,
    sigma: ArrayLike,
    tolerance: float = 1e-10,
) -> NDArray[np.complex128]:
    """Signals of a model for one waveform and any number of points at once.

    Parameters
    ----------
    model : RateModel or another SmallModel
    waveform : Waveform
    q : array_like, rad/um
        Largest |g(t)|.
    period : array_like, um
    sigma : array_like, 1/ms
        kappa / L. The three broadcast to one shape (...).
    tolerance : float
        Absolute, for the integration in time, wherever |m| stays below its initial value.

    Returns
    -------
    (...) complex
        Signals normalised to the initial mass. A model may be unstable at a point: its signal is
        then large, or infinite (see `growth_rate`).
    """
    q, period, sigma = (np.asarray(a, dtype=float) for a in np.broadcast_arrays(q, period, sigma))
    shape = q.shape
    points = (q.ravel(), period.ravel(), sigma.ravel())
    start = model.start.astype(complex)
    m: NDArray[np.complex128] = np.repeat(start[None, :, None], q.size, axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        for segment in waveform.segments():
            m = _cross(model, segment, points, m, tolerance)
    readout = model.readout.astype(complex)
    return (m[..., 0] @ readout / (start @ readout)).reshape(shape)


def growth_rate(
    model: SmallModel,
    waveform: Waveform,
    q: ArrayLike,
    period: ArrayLike,
    sigma: ArrayLike,
    samples: int = 17,
) -> Array:
    """Largest -Re(eigenvalue of G) over the waveform, 1/ms: above zero the model is unstable.

    See KL23 remark 4.4. Parameters as for `model_signal`; ``samples`` instants per segment.
    """
    q, period, sigma = np.broadcast_arrays(q, period, sigma)
    worst = np.full(q.shape, -np.inf)
    for segment in waveform.segments():
        for F in np.linspace(segment.start, segment.end, samples if segment.slope else 1):
            G = model.matrix(q * F, q * segment.slope, period, sigma)
            growth = -np.linalg.eigvals(G).real.min(axis=-1)
            # Without gradient the total mass stays: an eigenvalue zero, but for rounding.
            rounding = 1e-13 * np.abs(G).max(axis=(-2, -1))
            worst = np.maximum(worst, np.where(np.abs(growth) <= rounding, 0.0, growth))
    return worst


Points = tuple[Array, Array, Array]


def _cross(
    model: SmallModel,
    segment: Segment,
    points: Points,
    m: NDArray[np.complex128],
    tolerance: float,
) -> NDArray[np.complex128]:
    """Masses at the end of one linear piece of the waveform."""
    q, period, sigma = points
    if segment.slope == 0.0:
        G = model.matrix(q * segment.start, 0.0, period, sigma)
        return expm(-segment.duration * G) @ m
    steps = 2
    coarse = _collocate(model, segment, points, m, steps)
    while steps <= _MOST_STEPS:
        steps *= 2
        fine = _collocate(model, segment, points, m, steps)
        scale = np.maximum(1.0, np.abs(fine).max(axis=(1, 2)))
        change = np.abs(fine - coarse).max(axis=(1, 2)) / scale
        # The finer result is better than the change by 2^8; an unstable point may overflow.
        if np.all((change <= 50 * tolerance) | ~np.isfinite(change)):
            return fine
        coarse = fine
    raise ArithmeticError(f"{_MOST_STEPS} steps do not integrate the model to {tolerance:.1e}")


def _collocate(
    model: SmallModel,
    segment: Segment,
    points: Points,
    m: NDArray[np.complex128],
    steps: int,
) -> NDArray[np.complex128]:
    """Gauss collocation with 4 stages: order 8, A-stable, one linear solve per step and point."""
    q, period, sigma = points
    nodes, weights, matrix = _gauss(_STAGES)
    h = segment.duration / steps
    k = m.shape[1]
    identity = np.eye(_STAGES * k)
    for step in range(steps):
        F = segment.start + segment.slope * h * (step + nodes)
        G = model.matrix(
            q[:, None] * F, q[:, None] * segment.slope, period[:, None], sigma[:, None]
        )
        # Stages K_i = -G_i (m + h sum_j a_ij K_j).
        block = h * matrix[None, :, None, :, None] * G[:, :, :, None, :]
        system = identity + block.reshape(len(q), _STAGES * k, _STAGES * k)
        load = -(G @ m[:, None]).reshape(len(q), _STAGES * k, 1)
        stages = np.linalg.solve(system, load).reshape(len(q), _STAGES, k, 1)
        m = m + h * np.einsum("s,zskx->zkx", weights, stages)
    return m


@lru_cache(maxsize=4)
def _gauss(stages: int) -> tuple[Array, Array, Array]:
    """Nodes, weights and matrix of Gauss collocation on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(stages)
    nodes, weights = (x + 1) / 2, w / 2
    matrix = np.empty((stages, stages))
    for j in range(stages):
        others = np.delete(nodes, j)
        cardinal = Polynomial1D.fromroots(others) / np.prod(nodes[j] - others)
        matrix[:, j] = cardinal.integ()(nodes) - cardinal.integ()(0.0)
    return nodes, weights, matrix
