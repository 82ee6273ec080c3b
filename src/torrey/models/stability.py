"""By how much a truncated model can make a state grow: what its flow does, not its eigenvalues.

dm/dt = -G m is written for n_a = exp(w_a / 2) m_a, where exp(w_a) is the weight of |m_a|^2 in the
energy of the fields (`torrey.models.energy`); the exact flow contracts |n|. With

    X = exp(w / 2) G exp(-w / 2) - w' / 2,        dn/dt = -X n

total derivatives, which return to zero at T_E, are out of the matrix. Then

- the logarithmic norm mu(t), the largest eigenvalue of -(X + X^H) / 2, is the rate at which the
  energy norm of some state grows at an instant: where it is never positive, every state decays
  at all times, and the flow contracts;
- elsewhere the largest singular value of the propagator from s to t, over all s <= t, says by which
  factor some state grows in some part of the waveform.

An eigenvalue of G with a negative real part (KL23, remark 4.4) says neither: total derivatives
alone make it negative on one of two pulses, and what they give there they take on the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import expm

from torrey.gradients.waveforms import Segment, Waveform
from torrey.models.integration import Points, collocate, collocation_nodes
from torrey.models.model import LARGEST_FACTOR, Array, ComplexArray, SmallModel, Stability

#: Instants of a segment, closer together at its ends, at which growth is looked for; more where F
#: turns, fewer where a waveform has hundreds of segments.
_INSTANTS: Final = 17
_FEWEST_INSTANTS, _MOST_INSTANTS = 5, 400
#: Instants between the neighbours of the best of them, and so on: each round divides the distance
#: by three or more, and the maximum is flat.
_CLOSER, _ROUNDS = 9, 5
#: Growth that is rounding of the entries of the matrix.
_ROUNDING: Final = 1e-13
#: Relative accuracy of the factor.
_FACTOR_TOLERANCE: Final = 1e-3
#: Pieces of a segment, between which a state may begin or cease to grow: more and more, without
#: common ends, until three numbers of pieces agree. Less where a waveform has many segments.
_FEWEST_PIECES, _MOST_PIECES, _MORE = 8, 140, 1.5
_AGREEING: Final = 3
#: Growth over a piece in units of exp(1) from which on it is not followed: the factor is taken for
#: the largest.
_MOST_GROWTH: Final = 1024.0
#: Entries of the matrices that are solved together.
_BATCH: Final = 2**21


class Weighted(SmallModel, Protocol):
    """A small system whose fields have an energy."""

    def weights(
        self, jet: ArrayLike | None, period: ArrayLike, sigma: ArrayLike
    ) -> tuple[Array, Array]:
        """Logarithms of the weights of |m_a|^2 and their changes in time (1/ms), (..., k).

        Where the jet is None fields are constant on each compartment.
        """


def stability(
    model: Weighted, waveform: Waveform, q: ArrayLike, period: ArrayLike, sigma: ArrayLike
) -> Stability:
    """How states of a homogenised model grow over a waveform.

    Parameters and result as for `torrey.models.model.Model.stability`.
    """
    shape = np.broadcast_shapes(np.shape(q), np.shape(period), np.shape(sigma))
    points = Points.of(q, period, sigma)
    factor = np.ones(len(points))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        growth = _largest_rate(model, waveform, points)
        # No state grows by more than this.
        bound = np.maximum(growth, 0.0) * waveform.echo_time
        for P in _jumps(model, waveform, points):
            bound += np.log(np.maximum(1.0, _norm(P)))
        # Steps of a piece, so that the fastest growth is resolved: a power of two.
        each = np.maximum(growth, 0.0) * max(s.duration for s in waveform.segments) / _FEWEST_PIECES
        steps = np.exp2(np.ceil(np.log2(np.clip(each, 1.0, 2 * _MOST_GROWTH))))
        factor[steps > _MOST_GROWTH] = LARGEST_FACTOR
        some = (bound > _FACTOR_TOLERANCE) & (steps <= _MOST_GROWTH)
        for count in np.unique(steps[some]):
            rows = np.flatnonzero(some & (steps == count))
            factor[rows] = _largest_factor(model, waveform, points[rows], int(count))
    return Stability(growth.reshape(shape), factor.reshape(shape))


# ---- the largest rate ----


def _largest_rate(model: Weighted, waveform: Waveform, points: Points) -> Array:
    """The largest logarithmic norm over the waveform (1/ms)."""
    worst = np.full(len(points), -np.inf)
    most = max(_FEWEST_INSTANTS, min(_INSTANTS, _MOST_INSTANTS // len(waveform.segments)))
    for segment in waveform.segments:
        here, times = model.during(segment), _instants(segment, most)
        rates = _rate(_system(here, points, segment.jet(times, model.n_derivatives)))
        if not segment.constant:
            rates = _refined(here, segment, points, times, rates)
        worst = np.maximum(worst, rates.max(axis=1))
    return worst


def _instants(segment: Segment, most: int) -> Array:
    if segment.constant:
        return np.zeros(1)
    turns = 0.0 if segment.wave is None else segment.wave.omega * segment.duration
    return segment.duration * _towards_ends(most + 8 * int(np.ceil(turns)))


def _refined(
    model: Weighted, segment: Segment, points: Points, times: Array, rates: Array
) -> Array:
    """Largest rate of each point between the neighbours of its largest one, (points, 1)."""
    found, best = rates.max(axis=1), rates.argmax(axis=1)
    low, high = times[np.maximum(best - 1, 0)], times[np.minimum(best + 1, len(times) - 1)]
    rows = np.arange(len(points))
    for _ in range(_ROUNDS):
        t = low[:, None] + (high - low)[:, None] * _towards_ends(_CLOSER)
        closer = _rate(_system(model, points[rows], segment.jet(t, model.n_derivatives)))
        best = closer.argmax(axis=1)
        found[rows] = np.maximum(found[rows], closer.max(axis=1))
        # What does not grow is not wanted to more digits.
        going = found[rows] > 0.0
        each = np.arange(len(rows))
        low, high = t[each, np.maximum(best - 1, 0)], t[each, np.minimum(best + 1, _CLOSER - 1)]
        rows, low, high = rows[going], low[going], high[going]
        if not len(rows):
            break
    return found[:, None]


def _towards_ends(count: int) -> Array:
    """Places from 0 to 1 that lie closer together at both ends."""
    places: Array = (1.0 - np.cos(np.pi * np.arange(count) / (count - 1))) / 2.0
    return places


def _system(model: Weighted, points: Points, F: Array) -> ComplexArray:
    """X at every point for F and its derivatives at some times, (points, times, k, k).

    F is (times, n, c), or (points, times, n, c).
    """
    jets = points.q[:, None, None, None] * F
    period, sigma = points.period[:, None], points.sigma[:, None]
    log, change = model.weights(jets, period, sigma)
    X = model.matrix(jets, period, sigma)
    X = X * np.exp((log[..., :, None] - log[..., None, :]) / 2)
    each = np.arange(X.shape[-1])
    X[..., each, each] -= change / 2
    return X


def _rate(X: ComplexArray) -> Array:
    """The largest eigenvalue of -(X + X^H) / 2 for each of some matrices; zero if rounding."""
    k = X.shape[-1]
    if k == 1:
        rate = -X[..., 0, 0].real
    elif k == 2:
        a, d = -X[..., 0, 0].real, -X[..., 1, 1].real
        b = (X[..., 0, 1] + X[..., 1, 0].conj()) / 2
        rate = (a + d) / 2 + np.hypot((a - d) / 2, np.abs(b))
    else:
        sound = np.isfinite(X).all(axis=(-2, -1))
        rate = np.full(X.shape[:-2], np.inf)
        some = X[sound]
        rate[sound] = np.linalg.eigvalsh(-(some + some.conj().swapaxes(-2, -1)) / 2)[..., -1]
    rounding = _ROUNDING * np.abs(X).max(axis=(-2, -1))
    rate = np.where(np.isnan(rate), np.inf, rate)
    return np.asarray(np.where(np.abs(rate) <= rounding, 0.0, rate))


# ---- the largest factor ----


def _largest_factor(model: Weighted, waveform: Waveform, points: Points, steps: int) -> Array:
    """The largest singular value of all propagators from s to t, s <= t.

    ``steps`` are those of a piece of time when the pieces are longest.
    """
    pieces = float(_FEWEST_PIECES)
    most = max(_FEWEST_PIECES, _MOST_PIECES * 8 // max(8, len(waveform.segments)))
    found, agreeing = np.ones(len(points)), np.ones(len(points), dtype=int)
    rows = np.arange(len(points))
    while len(rows) and pieces <= most:
        count, each = round(pieces), int(np.ceil(steps * _FEWEST_PIECES / pieces))
        factor = _between_pieces(model, waveform, points[rows], count, each)
        same = np.abs(factor - found[rows]) <= _FACTOR_TOLERANCE * factor
        agreeing[rows] = np.where(same & (pieces > _FEWEST_PIECES), agreeing[rows] + 1, 1)
        found[rows] = np.maximum(factor, found[rows])
        rows = rows[(agreeing[rows] < _AGREEING) & (factor < LARGEST_FACTOR)]
        pieces *= _MORE
    return found


def _between_pieces(
    model: Weighted, waveform: Waveform, points: Points, pieces: int, steps: int
) -> Array:
    """The same, where s and t are ends of pieces."""
    parts = _joined(list(_propagators(model, waveform, points, pieces, steps)))
    P = np.stack([part.propagator for part in parts], axis=1)
    count = len(parts)
    jumps = np.cumsum([0, *(part.jumps for part in parts)])
    last = np.array([part.last for part in parts])
    product, worst = P, np.ones(len(points))
    for length in range(1, count + 1):
        # What a jump gives the flow takes back soon after: see `_Part`.
        counts = last[length - 1 :] | (jumps[length:] == jumps[: count + 1 - length])
        if counts.any():
            worst = np.maximum(worst, _norm(product[:, counts]).max(axis=1))
        product = P[:, length:] @ product[:, : count - length]
    return np.minimum(worst, LARGEST_FACTOR)


@dataclass(frozen=True)
class _Part:
    """A propagator over a jump or some pieces of a segment, for many points.

    Masses behind a jump are those of the slow manifold, before the state is on it: they begin above
    the true ones where the flow has yet to set in. Over a jump states are compared at the ends
    of segments alone.

    Parameters
    ----------
    propagator : (points, k, k) complex
    last : bool
        Whether a segment ends with it.
    jumps : bool
    """

    propagator: ComplexArray
    last: bool = False
    jumps: bool = False


def _joined(parts: list[_Part]) -> list[_Part]:
    """Runs of pieces of a segment over which no state of any point grows are one piece.

    A state that grows most neither begins nor ends to grow within such a run.
    """
    joined: list[_Part] = []
    open_run = False
    for part in parts:
        shrinks = not part.jumps and bool(np.all(_norm(part.propagator) <= 1.0 + _ROUNDING))
        if open_run and shrinks:
            part = _Part(part.propagator @ joined.pop().propagator, part.last)
        joined.append(part)
        open_run = shrinks and not part.last
    return joined


def _propagators(
    model: Weighted, waveform: Waveform, points: Points, pieces: int, steps: int
) -> Iterator[_Part]:
    """Of n: over the jumps and the pieces of all segments, in the order of time."""
    jumps = _jumps(model, waveform, points)
    for segment in waveform.segments:
        if (jump := next(jumps, None)) is not None:
            yield _Part(jump, jumps=True)
        here, share = model.during(segment), 0.25 if segment.constant else segment.variation()
        count = max(1, int(np.ceil(share * pieces)))
        h = segment.duration / count
        if segment.constant:
            still = expm(-h * _system(here, points, segment.jet(np.zeros(1), model.n_derivatives)))
            P = np.broadcast_to(still, (len(points), count, *still.shape[2:]))
        else:
            P = _across(here, segment, points, count, steps)
        for i in range(count):
            yield _Part(P[:, i], last=i == count - 1)


def _across(
    model: Weighted, segment: Segment, points: Points, count: int, steps: int
) -> ComplexArray:
    """Propagators of n over equal pieces of a segment, (points, count, k, k).

    Gauss collocation of a system that dissipates dissipates, however long its steps are.
    """
    k, h = len(model.start), segment.duration / (count * steps)
    P = np.empty((len(points), count, k, k), dtype=complex)
    size = steps * (4 * k) ** 2
    for some in _batches(count, size * min(len(points), max(1, _BATCH // size))):
        starts = (some[:, None] * steps + np.arange(steps))[..., None]
        times = h * (starts + collocation_nodes()).ravel()
        jets = segment.jet(times, model.n_derivatives)
        for rows in _batches(len(points), size * len(some)):
            X = _system(model, points[rows], jets)
            X = X.reshape(len(rows), len(some), steps, -1, k, k)
            one = np.broadcast_to(np.eye(k, dtype=complex), (*X.shape[:3], k, k))
            each = np.moveaxis(collocate(X, h, one), 2, 0)
            P[np.ix_(rows, some)] = reduce(lambda P, step: step @ P, each)
    return P


def _batches(count: int, size: int) -> list[NDArray[np.intp]]:
    """Numbers from 0 to count in parts whose matrices, of so many entries each, fit."""
    return np.array_split(np.arange(count), -(-count * size // _BATCH))


def _jumps(model: Weighted, waveform: Waveform, points: Points) -> Iterator[ComplexArray]:
    """What multiplies n at the beginning of each segment; nothing if masses do not jump."""
    before: Array | None = None
    since: Weighted | None = None
    for segment in waveform.segments:
        here = model.during(segment)
        first, last = segment.jet(np.array([0.0, segment.duration]), model.n_derivatives)
        after = points.jets(first)
        jump = here.jump(before, after, points.period, points.sigma, since)
        if jump is None:
            return
        old, new = (
            one.weights(jet, points.period, points.sigma)[0] / 2
            for one, jet in ((since or here, before), (here, after))
        )
        yield jump * np.exp(new[:, :, None] - old[:, None, :])
        before, since = points.jets(last), here


def _norm(P: ComplexArray) -> Array:
    """Largest singular values of matrices, (..., k, k); infinite if one is not finite."""
    k = P.shape[-1]
    if k == 1:
        norm = np.abs(P[..., 0, 0])
    elif k == 2:
        square = np.sum(np.abs(P) ** 2, axis=(-2, -1))
        determinant = P[..., 0, 0] * P[..., 1, 1] - P[..., 0, 1] * P[..., 1, 0]
        gap = np.maximum(0.0, square**2 - 4.0 * np.abs(determinant) ** 2)
        norm = np.sqrt((square + np.sqrt(gap)) / 2)
    else:
        sound = np.isfinite(P).all(axis=(-2, -1))
        norm = np.full(P.shape[:-2], np.inf)
        norm[sound] = np.linalg.norm(P[sound], 2, axis=(-2, -1))
    return np.asarray(np.where(np.isfinite(norm), norm, np.inf))
