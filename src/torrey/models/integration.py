"""Signals of small models: whole tables of points are integrated at once.

Rate matrices of homogenised models are tiny and may be anything: Gauss collocation of order 8, with
as many steps as it takes. Projected models are larger, Hermitian and positive semi-definite:
Rodas5P on varying gradients, eigenvectors on constant ones, and the symmetry of the waveform where
it has one, which halves the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.polynomial import Polynomial as Polynomial1D
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import expm

from torrey.cell.symmetric import symmetric_signal
from torrey.gradients.waveforms import Segment, Waveform
from torrey.models.model import TIME_TOLERANCE, SmallModel
from torrey.models.reduced import Flow, GalerkinSystem, IntegrationError, batch_size

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_STAGES = 4
#: An unstable model's masses, from which on they are not worth more steps.
_EXPLODED = 1e6
_MOST_STEPS = 4096
#: Steps on a change of F by one; Rodas5P gains about 2^5 when they are doubled.
_FEWEST_STEPS = 4
_GAIN = 16.0


@dataclass(frozen=True)
class Points:
    """Where signals are wanted: flat arrays of one length."""

    q: Array
    period: Array
    sigma: Array

    @classmethod
    def of(cls, q: ArrayLike, period: ArrayLike, sigma: ArrayLike) -> Points:
        """Broadcast and flatten."""
        arrays = np.broadcast_arrays(q, period, sigma)
        return cls(*(np.ravel(a).astype(float) for a in arrays))

    def __getitem__(self, rows: NDArray) -> Points:
        return Points(self.q[rows], self.period[rows], self.sigma[rows])

    def __len__(self) -> int:
        return len(self.q)

    def jets(self, F: Array) -> Array:
        """g and its derivatives for F and its derivatives (n, k): shape (points, n, k)."""
        return self.q[:, None, None] * F

    def matrix(self, model: Propagated, F: Array) -> ComplexArray:
        """G at every point for F and its derivatives."""
        return model.matrix(self.jets(F), self.period, self.sigma)


def collocated_signal(
    model: SmallModel,
    waveform: Waveform,
    q: ArrayLike,
    period: ArrayLike,
    sigma: ArrayLike,
    tolerance: float = TIME_TOLERANCE,
) -> ComplexArray:
    """Signals of a homogenised model, whose rate matrices may be anything.

    Parameters and result as for `torrey.models.model.Model.signal`.
    """
    shape = np.broadcast_shapes(np.shape(q), np.shape(period), np.shape(sigma))
    points = Points.of(q, period, sigma)
    values = _through(model, waveform, points, tolerance) / (model.start @ model.readout)
    return values.reshape(shape)


def dissipative_signal(
    model: GalerkinSystem,
    waveform: Waveform,
    q: ArrayLike,
    period: ArrayLike,
    sigma: ArrayLike,
    tolerance: float = TIME_TOLERANCE,
) -> ComplexArray:
    """Signals of a projected model, whose matrices are Hermitian and positive semi-definite.

    Parameters, result and errors as for `torrey.models.model.Model.signal`.
    """
    shape = np.broadcast_shapes(np.shape(q), np.shape(period), np.shape(sigma))
    return _converge(model, waveform, Points.of(q, period, sigma), tolerance).reshape(shape)


class Propagated(Protocol):
    """What `propagate` needs of a system; a `SmallModel` has it."""

    @property
    def start(self) -> Array: ...
    @property
    def n_derivatives(self) -> int: ...
    def matrix(self, jet: ArrayLike, period: ArrayLike, sigma: ArrayLike) -> ComplexArray: ...
    def jump(
        self, before: ArrayLike | None, after: ArrayLike, period: ArrayLike, sigma: ArrayLike
    ) -> ComplexArray | None: ...


def _through(
    model: SmallModel, waveform: Waveform, points: Points, tolerance: float
) -> ComplexArray:
    """Signals of a homogenised model."""
    m = propagate(model, waveform, points, tolerance)
    return m[..., 0] @ model.readout.astype(complex)


def propagate(
    model: Propagated, waveform: Waveform, points: Points, tolerance: float
) -> ComplexArray:
    """State (points, k, 1) of a homogenised model at the echo, segment by segment."""
    m: ComplexArray = np.repeat(model.start.astype(complex)[None, :, None], len(points), axis=0)
    before: Array | None = None
    with np.errstate(over="ignore", invalid="ignore"):
        for segment in waveform.segments:
            first, last = segment.jet(np.array([0.0, segment.duration]), model.n_derivatives)
            jump = model.jump(before, points.jets(first), points.period, points.sigma)
            if jump is not None:
                m = jump @ m
            m = _cross(model, segment, points, m, tolerance)
            before = points.jets(last)
    return m


def _cross(
    model: Propagated, segment: Segment, points: Points, m: ComplexArray, tolerance: float
) -> ComplexArray:
    """Masses at the end of a segment."""
    if segment.constant:
        G = points.matrix(model, segment.jet(0.0, model.n_derivatives))
        return expm(-segment.duration * G) @ m
    steps = max(1, int(np.ceil(2 * segment.variation() - 1e-9)))
    coarse = _collocate(model, segment, points, m, steps)
    rows = np.arange(len(points))
    while len(rows) and steps <= _MOST_STEPS:
        steps *= 2
        fine = _collocate(model, segment, points[rows], m[rows], steps)
        scale = np.maximum(1.0, np.abs(fine).max(axis=(1, 2)))
        change = np.abs(fine - coarse[rows]).max(axis=(1, 2)) / scale
        coarse[rows] = fine
        # The finer result is better than the change by 2^8; what has exploded means nothing.
        sound = np.isfinite(change) & (scale < _EXPLODED)
        rows = rows[sound & (change > 50 * tolerance)]
    return coarse


def _collocate(
    model: Propagated, segment: Segment, points: Points, m: ComplexArray, steps: int
) -> ComplexArray:
    """Masses at the end of a segment with a given number of steps."""
    h = segment.duration / steps
    for step in range(steps):
        jets = segment.jet(h * (step + collocation_nodes()), model.n_derivatives)
        m = collocate(np.stack([points.matrix(model, F) for F in jets], axis=1), h, m)
    return m


def collocation_nodes() -> Array:
    """Places in a time step at which `collocate` takes the matrices, from 0 to 1."""
    return _gauss(_STAGES)[0]


def collocate(G: ComplexArray, h: float, m: ComplexArray) -> ComplexArray:
    """Steps of dm/dt = -G m by Gauss collocation, each on its own.

    Order 8, A-stable, one linear solve per step; a system that dissipates in the Euclidean norm
    dissipates in every step, however long it is.

    Parameters
    ----------
    G : (..., stages, k, k) complex
        At the nodes of each step.
    h : float, ms
    m : (..., k, n) complex
        Any number of states side by side.
    """
    _, weights, matrix = _gauss(_STAGES)
    k, width = m.shape[-2:]
    # Stages K_i = -G_i (m + h sum_j a_ij K_j).
    block = h * matrix[:, None, :, None] * G[..., :, :, None, :]
    flat = (*G.shape[:-3], _STAGES * k)
    system = np.eye(_STAGES * k) + block.reshape(*flat, _STAGES * k)
    load = -(G @ m[..., None, :, :]).reshape(*flat, width)
    stages = np.linalg.solve(system, load).reshape(*G.shape[:-3], _STAGES, k, width)
    end: ComplexArray = m + h * np.einsum("s,...skx->...kx", weights, stages)
    return end


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


def _converge(
    model: GalerkinSystem, waveform: Waveform, points: Points, tolerance: float
) -> ComplexArray:
    """Signals of a Hermitian model with steps doubled until they no longer matter."""
    steps = _FEWEST_STEPS
    values = projected_signal(model, waveform, points, steps)
    open_rows = np.arange(len(points))
    while len(open_rows):
        steps *= 2
        if steps > _MOST_STEPS:
            raise IntegrationError(
                f"{_MOST_STEPS} time steps per ramp do not bring the error below {tolerance:.1e}"
            )
        finer = projected_signal(model, waveform, points[open_rows], steps)
        with np.errstate(invalid="ignore"):
            change = np.abs(finer - values[open_rows])
        values[open_rows] = finer
        open_rows = open_rows[~(change <= _GAIN * tolerance)]
    return values


def projected_signal(
    model: GalerkinSystem, waveform: Waveform, points: Points, steps: int
) -> ComplexArray:
    """Signals with a given number of time steps per change of F by one, shape (points,).

    The system dissipates: a state whose norm grows in a step has been given too few of them, and
    its signal is infinite.
    """
    count = max(1, -(-len(points) // batch_size(model)))
    batches = np.array_split(np.arange(len(points)), count)
    with np.errstate(invalid="ignore", over="ignore"):
        signals = np.concatenate(
            [_read_out(model.bare, waveform, points[rows], steps) for rows in batches]
        )
    signals = signals * common_decay(model.axial, waveform, points.q)
    return np.where(np.isfinite(signals), signals, complex(np.inf))


def common_decay(axial: Array, waveform: Waveform, q: ArrayLike) -> Array:
    """What a diffusivity (c, c) that is the same everywhere makes of signals, by itself."""
    rate = float(np.sum(waveform.b_tensor_factor * axial))
    return np.exp(-(np.asarray(q, dtype=float) ** 2) * rate)


def _read_out(
    model: GalerkinSystem, waveform: Waveform, points: Points, steps: int
) -> ComplexArray:
    flow = Flow(model, points.q, points.period, points.sigma)
    both = np.array([model.start, model.readout], dtype=complex)

    def advance(w: ComplexArray, segment: Segment) -> ComplexArray:
        return flow.across(segment, w, steps)

    def product(left: ComplexArray, right: ComplexArray) -> ComplexArray:
        result: ComplexArray = np.einsum("zi,zi->z", left, right)
        return result

    signal = symmetric_signal(
        parts=waveform.segments,
        symmetry=waveform.symmetry,
        sources=np.repeat(both[None], len(points), axis=0),
        advance=advance,
        product=product,
        still=lambda segment: segment.constant,
    )
    return signal / float(model.start @ model.readout)
