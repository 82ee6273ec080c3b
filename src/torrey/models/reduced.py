"""The flow dw/dt = -A_W(g) w of a projected model at many points at once.

A_W(g) is a sum of few fixed matrices with factors that differ from point to point: products with
it are made for all points and states in one go. Varying gradients take Rodas5P steps, constant ones
the eigenvectors of each matrix.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from torrey.base import rosenbrock
from torrey.base.errors import TorreyError
from torrey.cell.system import N_STATIC, at_rest, combine, family_factors
from torrey.gradients.waveforms import Segment

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Factors = tuple[Array, Array]

#: A norm that grows by more than rounding in a step of a system that dissipates.
_GROWTH = 1e-9
#: Size of a batch of matrices (bytes) that a processor keeps at hand.
_BATCH = 2**19


class GalerkinSystem(Protocol):
    """The small matrices that A_W(g) is a sum of; see `torrey.models.projection.ProjectedModel`."""

    @property
    def K(self) -> Array: ...
    @property
    def C(self) -> Array: ...
    @property
    def J(self) -> Array: ...
    @property
    def R(self) -> Array: ...
    @property
    def T(self) -> Array | None: ...
    @property
    def start(self) -> Array: ...
    @property
    def readout(self) -> Array: ...
    @property
    def R_stored(self) -> Array | None: ...
    @property
    def symmetric(self) -> Array: ...
    @property
    def axial(self) -> Array: ...
    @property
    def bare(self) -> GalerkinSystem: ...
    def during(self, segment: Segment) -> GalerkinSystem: ...


class IntegrationError(TorreyError, ArithmeticError):
    """A small model cannot be integrated to the accuracy asked for."""


def batch_size(model: GalerkinSystem) -> int:
    """Number of points that are best solved together."""
    return max(1, _BATCH // (16 * len(model.start) ** 2))


class Flow:
    """A_W(g) at some points.

    Parameters
    ----------
    model : GalerkinSystem
        Of c axes and r vectors.
    q, period, sigma : (points,) float
        Largest |g| (rad/um), L (um) and kappa/L (1/ms).
    """

    def __init__(self, model: GalerkinSystem, q: Array, period: Array, sigma: Array) -> None:
        self._q, self._period, self._sigma = q[:, None], period, sigma
        self._even, self._odd = model.symmetric, model.C
        gradient = np.arange(N_STATIC, len(self._even))
        if len(q) and np.all(period == period[0]) and np.all(sigma == sigma[0]):
            # One cell: what does not depend on the gradient is one matrix, with the factor of R.
            self._columns = np.array([2, *gradient])
            still = at_rest(model, period[0], sigma[0])[None]
            self._even = np.concatenate([still, self._even[gradient]])
        else:
            some = [n for n, X in enumerate(self._even[:N_STATIC]) if n == 0 or X.any()]
            self._columns = np.array([*some, *gradient])
            self._even = self._even[self._columns]
        r = len(model.start)
        # Products v^T X^T of rows with all matrices side by side.
        both = np.concatenate([self._even, self._odd])
        self._side_by_side = np.ascontiguousarray(both.transpose(2, 0, 1)).reshape(r, -1)

    def factors(self, F: Array) -> Factors:
        """Factors of the even and the odd matrices, (..., points, n) each, for F (..., c)."""
        return self._factors(self._q * F[..., None, :])

    def slopes(self, F: Array, change: Array) -> Factors:
        """Factors of dA/dt where dF/dt = `change`."""
        return self._factors(self._q * F[..., None, :], self._q * change[..., None, :])

    def _factors(self, g: Array, rate: Array | None = None) -> Factors:
        even, odd = family_factors(g, self._period, self._sigma, rate)
        return even[..., self._columns], odd

    def matrix(self, factors: Factors) -> ComplexArray:
        """A_W, shape (points, r, r)."""
        return combine(*factors, self._even, self._odd)

    def apply(self, factors: Factors, w: ComplexArray) -> ComplexArray:
        """A_W w for states (points, m, r)."""
        even, odd = factors
        points, m, r = w.shape
        # One real product for the real and imaginary parts of all states with all matrices.
        parts = np.concatenate([w.real, w.imag]).reshape(-1, r) @ self._side_by_side
        parts = parts.reshape(2, points, m, -1, r)
        n = even.shape[-1]
        through_even = np.einsum("kpmnr,pn->kpmr", parts[:, :, :, :n], even)
        through_odd = np.einsum("kpmnr,pn->kpmr", parts[:, :, :, n:], odd)
        result = np.empty(w.shape, dtype=complex)
        result.real = through_even[0] - through_odd[1]
        result.imag = through_even[1] + through_odd[0]
        return result

    def across(self, segment: Segment, w: ComplexArray, steps: int) -> ComplexArray:
        """States (points, m, r) at the end of a segment.

        Exact norms never grow: a state whose norm does in a step has been given too few of them,
        and is infinite from there on.
        """
        if segment.constant:
            return self.decay(segment, w)
        times = segment.grid(steps)
        lengths = np.diff(times)
        jets = segment.jet(times[:-1], 1)
        begins, slopes = self.factors(jets[:, 0]), self.slopes(jets[:, 0], jets[:, 1])
        stages = times[:-1, None] + np.multiply.outer(lengths, rosenbrock.TIMES)
        later = self.factors(segment.jet(stages, 0)[:, :, 0])
        norms = np.linalg.norm(w, axis=2)
        for n, duration in enumerate(lengths):
            w = self._step(_at(begins, n), _at(slopes, n), _at(later, n), w, float(duration))
            before, norms = norms, np.linalg.norm(w, axis=2)
            w[np.any(~(norms <= (1 + _GROWTH) * before), axis=1)] = np.inf
        return w

    def _step(
        self, begin: Factors, slope: Factors, later: Factors, w: ComplexArray, duration: float
    ) -> ComplexArray:
        """One step of Rodas5P, from the factors at its beginning and at its stages.

        The mean decay rate of each point is taken out exactly, as a factor: the step then resolves
        how a state changes its shape, not how it fades. Of several states of a point it is that of
        the slowest, so that none is made to grow.
        """
        first = self.apply(begin, w)
        decay = self.mean_decay(w, first, duration)
        matrix = self.matrix(begin)
        diagonal = np.einsum("pii->pi", matrix)
        diagonal += 1.0 / (rosenbrock.GAMMA * duration) - decay[:, 0]
        # States are rows: what they are multiplied with is the transpose.
        inverse = inverses(matrix).swapaxes(1, 2)
        stage_of = {time * duration: stage for stage, time in enumerate(rosenbrock.TIMES)}

        def rate(time: float, v: ComplexArray) -> ComplexArray:
            through = first if v is w else self.apply(_at(later, stage_of[time]), v)
            return through - decay * v

        after = rosenbrock.step(
            w, duration, lambda load: load @ inverse, lambda v: v, rate, self.apply(slope, w)
        )
        return np.exp(-decay * duration) * after

    def mean_decay(self, w: ComplexArray, through: ComplexArray, duration: float) -> Array:
        """The rate that a step takes out of its states, (points, 1, 1), from w and A w."""
        size = np.sum(w.conj() * w, axis=2).real
        rates = np.sum(w.conj() * through, axis=2).real / np.where(size > 0.0, size, 1.0)
        slowest = np.nan_to_num(np.min(rates, axis=1))
        # The matrix of the step stays positive definite.
        decay: Array = np.clip(slowest, 0.0, 0.5 / (rosenbrock.GAMMA * duration))
        return decay[:, None, None]

    def decay(self, segment: Segment, w: ComplexArray) -> ComplexArray:
        """States (points, m, r) after a constant gradient, by the eigenvectors of each matrix."""
        rates, modes = np.linalg.eigh(self.matrix(self.factors(segment.start)))
        decays = np.exp(-segment.duration * np.maximum(rates, 0.0))
        result: ComplexArray = ((w @ modes.conj()) * decays[:, None]) @ modes.swapaxes(1, 2)
        return result


def _at(factors: Factors, n: int) -> Factors:
    even, odd = factors
    return even[n], odd[n]


def inverses(matrices: ComplexArray) -> ComplexArray:
    """Inverses of Hermitian positive definite matrices, in half the time of general ones.

    Raises
    ------
    IntegrationError
        If a matrix is not positive definite.
    """
    upper = np.empty_like(matrices)
    for matrix, place in zip(matrices, upper, strict=True):
        factor, failed = lapack.zpotrf(matrix.T, lower=1)
        if failed:
            raise IntegrationError("a projected matrix is not positive definite")
        # The lower triangle of the transpose in columns is the upper one in rows; zero elsewhere.
        place[...] = lapack.zpotri(factor, lower=1, overwrite_c=1)[0].T
    result: ComplexArray = upper + upper.conj().swapaxes(1, 2)
    diagonal = np.einsum("pii->pi", result)
    diagonal *= 0.5
    return result
