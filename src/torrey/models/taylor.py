"""Taylor series in q of the signal of a homogenised model.

The matrix of such a model is a polynomial in q, G = sum_p q^p G_p, and m = sum_n q^n m_n obeys

    dm_n/dt = -sum_{p <= n} G_p m_{n-p}

which is again a small system, block-triangular with one block per order: what integrates the model
integrates its series. Where masses jump, the series of the jump multiplies that of the masses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.gradients.waveforms import Segment, Waveform
from torrey.models.integration import Points, propagate
from torrey.models.model import TIME_TOLERANCE
from torrey.models.moments import TAYLOR_ORDER

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


class PolynomialModel(Protocol):
    """A model whose matrix is a polynomial in q; see `torrey.models.rates.RateModel`."""

    @property
    def start(self) -> Array: ...
    @property
    def n_derivatives(self) -> int: ...

    def matrix_series(
        self, jet: ArrayLike, period: ArrayLike, sigma: ArrayLike, order: int
    ) -> ComplexArray:
        """G_0 ... G_order, shape (order + 1, ..., k, k)."""

    def jump_series(
        self,
        before: ArrayLike | None,
        after: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        order: int,
        since: Any = None,
    ) -> ComplexArray | None:
        """What multiplies the masses where derivatives of g jump, likewise; None for nothing."""

    def during(self, segment: Segment) -> PolynomialModel:
        """The model on a segment of a waveform."""


@dataclass(frozen=True)
class _Blocks:
    """The system of all orders, as a small model of its own."""

    model: PolynomialModel

    @property
    def start(self) -> Array:
        first = np.zeros((TAYLOR_ORDER + 1, len(self.model.start)))
        first[0] = self.model.start
        return first.ravel()

    @property
    def n_derivatives(self) -> int:
        return self.model.n_derivatives

    def matrix(self, jet: ArrayLike, period: ArrayLike, sigma: ArrayLike) -> ComplexArray:
        return _triangular(self.model.matrix_series(jet, period, sigma, TAYLOR_ORDER))

    def during(self, segment: Segment) -> _Blocks:
        return _Blocks(self.model.during(segment))

    def jump(
        self,
        before: ArrayLike | None,
        after: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        since: _Blocks | None = None,
    ) -> ComplexArray | None:
        old = since and since.model
        series = self.model.jump_series(before, after, period, sigma, TAYLOR_ORDER, old)
        return None if series is None else _triangular(series)


def homogenised_taylor(
    model: PolynomialModel, waveform: Waveform, period: ArrayLike, sigma: ArrayLike
) -> ComplexArray:
    """Coefficients of q^0 ... q^4 in the signal of a homogenised model.

    Parameters
    ----------
    model : PolynomialModel
    waveform : Waveform
    period, sigma : (...) array_like
        L (um) and kappa/L (1/ms).

    Returns
    -------
    (..., 5) complex, um^n
        Normalised to the initial magnetisation.
    """
    shape = np.broadcast_shapes(np.shape(period), np.shape(sigma))
    # In units of q in which b is 1, all orders are of one size for the tolerance in time.
    unit = waveform.q_of_b(1.0)
    points = Points.of(unit, np.broadcast_to(period, shape), sigma)
    masses = propagate(_Blocks(model), waveform, points, TIME_TOLERANCE)[..., 0]
    sums = masses.reshape(len(points), TAYLOR_ORDER + 1, -1).sum(axis=-1)
    scaled = sums / float(model.start.sum()) / unit ** np.arange(TAYLOR_ORDER + 1)
    return np.asarray(scaled.reshape(*shape, TAYLOR_ORDER + 1), dtype=np.complex128)


def divide_series(left: ComplexArray, right: ComplexArray) -> ComplexArray:
    """The series X with left X = right, all of shape (order + 1, ..., k, k)."""
    found: list[ComplexArray] = []
    for n in range(len(right)):
        rest = right[n] - sum(left[p] @ found[n - p] for p in range(1, n + 1))
        found.append(np.linalg.solve(left[0], rest))
    return np.array(found)


def _triangular(series: ComplexArray) -> ComplexArray:
    """The matrix (..., n k, n k) by which a series (n, ..., k, k) multiplies another."""
    n, k = len(series), series.shape[-1]
    blocks = np.zeros((*series.shape[1:-2], n, k, n, k), dtype=complex)
    for row in range(n):
        for column in range(row + 1):
            blocks[..., row, :, column, :] = series[row - column]
    return blocks.reshape(*series.shape[1:-2], n * k, n * k)
