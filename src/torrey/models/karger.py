"""Karger's model of two exchanging compartments, for pulses of any shape and in closed form.

With g(t) the wave vector, CHL14 (4.3) and (4.5) read::

    dm_e/dt = -(g.D_e g + eta_e) m_e + eta_c m_c          m_e(0) = 1 - theta_c
    dm_c/dt = -(g.D_c g + eta_c) m_c + eta_e m_e          m_c(0) = theta_c        S = m_e + m_c

where D_c = 0 for cells that are small and closed. The masses are summed as power series in time, on
stretches short enough that no digits cancel: a polynomial or harmonic g has them exactly, so that
the signals, and their derivatives by the same recursion, are right to rounding at any parameters.

Karger's own model (Karger, Pfeifer and Heink 1988) is the limit of narrow pulses, in which g is one
wave vector for the whole time between the pulses: a sum of two exponentials.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.errors import InputError
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import Segment, Waveform

Array = NDArray[np.float64]

#: Sum of the rates times the length of a stretch: the terms of a series exceed its value by less
#: than exp(_LONGEST), so that 13 digits are left.
_LONGEST = 6.0
#: Phase of a harmonic gradient on a stretch (rad), and terms that its own series has there.
_LARGEST_PHASE, _HARMONIC_TERMS = 1.0, 20
_NEGLIGIBLE = 1e-17
_MOST_TERMS = 400


@dataclass(frozen=True)
class Exchange:
    """Parameters of two exchanging compartments.

    Parameters
    ----------
    eta_e, eta_c : float
        Rates at which water leaves the outside and the cells (1/ms); CHL14 (3.18).
    theta_c : float
        Share of the water in the cells at the beginning.
    D_e : (d, d) array_like
        Diffusion tensor outside, a mean over the outside alone (um^2/ms).
    D_c : float or (d, d) array_like
        The same of the cells; zero where they are small and closed.
    """

    eta_e: float
    eta_c: float
    theta_c: float
    D_e: ArrayLike
    D_c: ArrayLike = 0.0

    def tensors(self, dimension: int) -> tuple[Array, Array]:
        """D_e and D_c as matrices, shape (dimension, dimension)."""
        e, c = (np.asarray(D, dtype=float) for D in (self.D_e, self.D_c))
        one = np.eye(dimension)
        return e if e.ndim else e * one, c if c.ndim else c * one


@dataclass(frozen=True)
class FinitePulseKarger:
    """The model for a set of measurements, prepared to be evaluated often.

    Parameters
    ----------
    measurements : tuple of Measurement
    """

    measurements: tuple[Measurement, ...]
    _batches: list[_Batch] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.measurements:
            raise InputError("no measurements", "at least one", at=("measurements",))
        rows: dict[tuple[int, int], list[int]] = {}
        for i, m in enumerate(self.measurements):
            rows.setdefault((len(m.waveform.segments), m.waveform.n_components), []).append(i)
        batches = [_Batch(self.measurements, np.array(where)) for where in rows.values()]
        object.__setattr__(self, "_batches", batches)

    @property
    def dimension(self) -> int:
        """d."""
        return len(self.measurements[0].direction)

    def signal(self, parameters: Exchange) -> Array:
        """Signals normalised to the initial magnetisation, shape (n_measurements,)."""
        return self.signal_and_jacobian(parameters)[0]

    def signal_and_jacobian(self, parameters: Exchange) -> tuple[Array, Array]:
        """Signals and their derivatives by the parameters.

        Returns
        -------
        signal : (n_measurements,) float
        jacobian : (n_measurements, 3 + d^2) float
            By eta_e, eta_c (ms), theta_c, and the entries of D_e row by row (ms/um^2), each on its
            own: of a gradient along an axis the signal does not depend on what is off the diagonal.

        Raises
        ------
        InputError
            If a parameter is not finite, or one that may not be is negative.
        """
        self._check(parameters)
        d = self.dimension
        signal = np.empty(len(self.measurements))
        jacobian = np.empty((len(self.measurements), 3 + d * d))
        for batch in self._batches:
            signal[batch.rows], jacobian[batch.rows] = batch.evaluate(parameters)
        return signal, jacobian

    def _check(self, parameters: Exchange) -> None:
        D_e, D_c = parameters.tensors(self.dimension)
        values = [parameters.eta_e, parameters.eta_c, parameters.theta_c, *D_e.flat, *D_c.flat]
        if not np.all(np.isfinite(values)):
            raise InputError(f"the parameters {parameters}", "finite numbers")
        if min(values[:3]) < 0.0 or parameters.theta_c > 1.0:
            raise InputError(
                f"eta_e, eta_c, theta_c = {values[0]:g}, {values[1]:g}, {values[2]:g}",
                "rates of at least zero, and a share from 0 to 1",
            )


@dataclass(frozen=True)
class _Batch:
    """Measurements whose waveforms have equally many segments and components."""

    measurements: Sequence[Measurement]
    rows: NDArray[np.int64]
    _series: dict[tuple[int, int, int], Array] = field(default_factory=dict)

    @cached_property
    def members(self) -> list[Measurement]:
        return [self.measurements[row] for row in self.rows]

    @cached_property
    def waveforms(self) -> tuple[list[Waveform], NDArray[np.int64]]:
        """The different waveforms, and which one each measurement has."""
        numbers: dict[Waveform, int] = {}
        which = [numbers.setdefault(m.waveform, len(numbers)) for m in self.members]
        return list(numbers), np.array(which)

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Pairs of components of g: a square form of g is a sum over them."""
        c = self.members[0].waveform.n_components
        return [(i, j) for i in range(c) for j in range(i, c)]

    @cached_property
    def products(self) -> Array:
        """How g.D g depends on D for each pair, shape (pairs, n, d, d)."""
        frames = np.array([m.frame for m in self.members])
        products = [
            np.einsum("n...k,n...l->nkl", frames[:, i], frames[:, j])
            + (np.einsum("nk,nl->nkl", frames[:, j], frames[:, i]) if i != j else 0.0)
            for i, j in self.pairs
        ]
        return np.array(products)

    @cached_property
    def durations(self) -> Array:
        """Of each segment and measurement (ms), shape (segments, n)."""
        waveforms, which = self.waveforms
        return np.array([[s.duration for s in w.segments] for w in waveforms]).T[:, which]

    def evaluate(self, parameters: Exchange) -> tuple[Array, Array]:
        """Signals and derivatives, as `FinitePulseKarger.signal_and_jacobian`."""
        D_e, D_c = parameters.tensors(self.products.shape[-1])
        e, c = (np.einsum("pnkl,kl->pn", self.products, D) for D in (D_e, D_c))
        n, n_pairs = len(self.rows), len(self.pairs)
        # Masses, and their derivatives by eta_e, eta_c, theta_c and the rates of each pair.
        m = np.zeros((2, 4 + n_pairs, n))
        m[0, 0], m[1, 0] = 1.0 - parameters.theta_c, parameters.theta_c
        m[0, 3], m[1, 3] = -1.0, 1.0
        for segment in range(len(self.durations)):
            stretches = self._stretches(segment, parameters, e, c)
            for stretch in range(stretches):
                p = self._coefficients(segment, stretches, stretch)
                h = self.durations[segment] / stretches
                m = _sum_series(m, h, p, e, c, parameters.eta_e, parameters.eta_c)
        total = m.sum(axis=0)
        by_tensor = np.einsum("pn,pnkl->nkl", total[4:], self.products).reshape(n, -1)
        return total[0], np.hstack([total[1:4].T, by_tensor])

    def _stretches(self, segment: int, parameters: Exchange, e: Array, c: Array) -> int:
        """Parts of a segment on which the series converges without loss of digits."""
        waveforms, _ = self.waveforms
        waves = [w.segments[segment] for w in waveforms if w.segments[segment].wave is not None]
        phase = max((s.wave.omega * s.duration for s in waves if s.wave), default=0.0)
        largest = np.array([m.q**2 for m in self.members])
        rates = largest * np.maximum(np.abs(e).sum(axis=0), np.abs(c).sum(axis=0))
        work = self.durations[segment] * (rates + parameters.eta_e + parameters.eta_c)
        return max(1, math.ceil(work.max() / _LONGEST), math.ceil(phase / _LARGEST_PHASE))

    def _coefficients(self, segment: int, stretches: int, stretch: int) -> Array:
        """Power series of the products of components of g, in parts of a stretch.

        Shape (powers, pairs, n), rad^2/um^2.
        """
        key = (segment, stretches, stretch)
        if key not in self._series:
            waveforms, which = self.waveforms
            series = [_taylor(w.segments[segment], stretches, stretch) for w in waveforms]
            length = max(len(s) for s in series)
            F = np.zeros((len(series), length, series[0].shape[1]))
            for row, s in zip(F, series, strict=True):
                row[: len(s)] = s
            q = np.array([m.q for m in self.members])
            F = F[which] * q[:, None, None]
            products = np.array(
                [[np.convolve(f[:, i], f[:, j]) for f in F] for i, j in self.pairs]
            ).transpose(2, 0, 1)
            sizes = np.abs(products).max(axis=(1, 2))
            last = int(np.flatnonzero(sizes > _NEGLIGIBLE * sizes.max()).max(initial=0))
            self._series[key] = products[: last + 1]
        return self._series[key]


def _taylor(segment: Segment, stretches: int, stretch: int) -> Array:
    """Power series of F on one of equal parts of a segment, in parts of it, shape (powers, c)."""
    h = segment.duration / stretches
    powers = len(segment.coefficients) if segment.wave is None else _HARMONIC_TERMS
    jet = segment.jet(stretch * h, powers - 1)
    factors = np.array([h**n / math.factorial(n) for n in range(powers)])
    return np.asarray(factors[:, None] * jet)


def _sum_series(
    m: Array, h: Array, p: Array, e: Array, c: Array, eta_e: float, eta_c: float
) -> Array:
    """Masses and derivatives, shape (2, 4 + pairs, n), at the end of a stretch of length h."""
    rates = [np.einsum("jpn,pn->jn", p, x) for x in (e, c)]
    # Small cells lose no signal by themselves: half of the work is not there.
    lossy = [a for a in (0, 1) if rates[a].any()]
    terms = [m]
    total = m.copy()
    small = 0
    for k in range(_MOST_TERMS):
        now = terms[-1]
        change = np.empty_like(now)
        flow = change[1]
        np.subtract(eta_e * now[0], eta_c * now[1], out=flow)
        # Of the derivatives by the rates themselves.
        flow[1] += now[0, 0]
        flow[2] -= now[1, 0]
        np.negative(flow, out=change[0])
        for j, older in enumerate(reversed(terms[-len(p) :])):
            for a in lossy:
                change[a] -= rates[a][j] * older[a]
            change[0, 4:] -= p[j] * older[0, 0]
        term = change * (h / (k + 1))
        total += term
        terms.append(term)
        # A series of even powers has terms that vanish.
        small = small + 1 if np.abs(term).max() < _NEGLIGIBLE else 0
        if small > len(p):
            return total
    raise ArithmeticError(f"a power series has not converged after {_MOST_TERMS} terms")


def narrow_pulse_signal(
    parameters: Exchange, q: ArrayLike, time: ArrayLike, direction: Sequence[float]
) -> Array:
    """Karger's signal: two exponentials, for pulses much shorter than the time between them.

    With A = [[q^2 n.D_e n + eta_e, -eta_c], [-eta_e, q^2 n.D_c n + eta_c]], whose eigenvalues are
    l_1 <= l_2, S = P exp(-l_1 t) + (1 - P) exp(-l_2 t). Written with half their sum and half their
    difference it needs no division by zero where they meet.

    Parameters
    ----------
    parameters : Exchange
    q : array_like, rad/um
        Wave number between the pulses, gamma G delta.
    time : array_like, ms
        Between the pulses; broadcast with q.
    direction : (d,) sequence of float
        Unit vector.
    """
    n = np.asarray(direction, dtype=float)
    q, t = np.asarray(q, dtype=float), np.asarray(time, dtype=float)
    D_e, D_c = parameters.tensors(len(n))
    a = q**2 * (n @ D_e @ n) + parameters.eta_e
    b = q**2 * (n @ D_c @ n) + parameters.eta_c
    mean = (a + b) / 2
    half = np.sqrt(((a - b) / 2) ** 2 + parameters.eta_e * parameters.eta_c)
    slow, fast = np.exp(-t * (mean - half)), np.exp(-t * (mean + half))
    loss = q**2 * ((1 - parameters.theta_c) * (n @ D_e @ n) + parameters.theta_c * (n @ D_c @ n))
    # sinh(half t) / half, times exp(-mean t).
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(half * t > 1e-8, (slow - fast) / (2 * half), t * np.exp(-mean * t))
    return np.asarray((slow + fast) / 2 + (mean - loss) * slope)
