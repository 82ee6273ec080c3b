"""Signals of many strengths and diffusion times that share their first pulse.

Where F(T_E - t) = F(t) and no gradient is on in the middle (PGSE, trapezoids, trains of mirrored
pulses), the second half of the flow is the adjoint of the first (`torrey.cell.symmetric`), and

    S = l(q)^H exp(-tau A(q F)) u(q)

with u and l the states that start and readout have become when the gradient ends, and tau the time
until the mirrored pulses begin, in which F stands still. u and l do not know tau, and are entire in
q: with A = A(0) + i q F C + q^2 F^2 N and u = sum_n (-i q)^n v_n,

    dv_n/dt = -A(0) v_n + F C v_(n-1) + F^2 N v_(n-2)

so that one series of real vectors serves all strengths. In the eigenvectors of A(0) each v_n takes
one product with small matrices: Radau collocation with all nodes of a segment in one step, whose
stages and end depend on the loads alone. What the pulses leave is decomposed in the eigenvectors of
A(q), once for all tau.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from torrey.cell.system import at_rest, cell_factors
from torrey.gradients.waveforms import Segment, Waveform
from torrey.models.reduced import GalerkinSystem, inverses

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Segments of an opening, at most: each takes all of its nodes.
_MOST_SEGMENTS = 4
#: Powers of q, at most. A series that is longer loses its digits to cancellation.
MOST_POWERS = 120
#: Numbers of Lanczos vectors that are compared, and matrices so small that their eigenvectors are
#: found as fast.
_VECTORS = (4, 6, 8, 11, 15, 20)
_SMALL = 18
#: Shift of Lanczos times the shortest time between pulses, and how much longer others may be. With
#: a shift that is far too large for them a few vectors more change nothing, right or wrong.
_SHIFT, _LONGEST = 2.0, 32.0
_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Opening:
    """The first pulse of a waveform, and whether magnetisation is stored after it.

    Attributes
    ----------
    segments : tuple of Segment
        One to four, of one component.
    stored : bool
        Whether what stands still in the middle is stored along z.
    """

    segments: tuple[Segment, ...]
    stored: bool

    @property
    def height(self) -> float:
        """F between the pulses: 1 after a pulse of PGSE, 0 after whole periods of a train."""
        return float(self.segments[-1].end[0])


def opening_of(waveform: Waveform) -> tuple[Opening, float] | None:
    """The first half of a waveform and the time (ms) in its middle; None if that is not enough.

    The halves have to mirror each other, with nothing but a stretch without gradient between them,
    and the gradients to lie along one direction.
    """
    segments = waveform.segments
    half, odd = divmod(len(segments), 2)
    few = 1 <= half <= _MOST_SEGMENTS
    if waveform.n_components > 1 or waveform.symmetry != 1 or not few:
        return None
    if any(segment.stored for segment in segments[:half]):
        return None
    middle = segments[half] if odd else None
    if middle is not None and not middle.constant:
        return None
    # The share of a segment in all of the waveform is no part of its shape.
    first = tuple(replace(segment, share=1.0) for segment in segments[:half])
    stored, tau = (False, 0.0) if middle is None else (middle.stored, middle.duration)
    return Opening(first, stored), tau


@dataclass(frozen=True)
class Opened:
    """Points of one cell that share their first pulse.

    Attributes
    ----------
    opening : Opening
    period : float, um
    sigma : float, 1/ms
    q, tau, b_factor : (points,) float
        Strengths (rad/um), times between the pulses (ms), and b-values of unit strength (ms).
    """

    opening: Opening
    period: float
    sigma: float
    q: Array
    tau: Array
    b_factor: Array

    def take(self, rows: NDArray) -> Opened:
        """Some of the points."""
        return replace(self, q=self.q[rows], tau=self.tau[rows], b_factor=self.b_factor[rows])


class OpenedCell:
    """A projected model of one period and permeability at some strengths of a first pulse.

    Parameters
    ----------
    model : GalerkinSystem
        Of one axis.
    opening : Opening
    period : float, um
    sigma : float, 1/ms
        kappa / L.
    q : (m,) float, rad/um
    """

    def __init__(
        self, model: GalerkinSystem, opening: Opening, period: float, sigma: float, q: Array
    ) -> None:
        self._model, self._opening, self._q = model, opening, q
        *_, of_C = cell_factors(period, sigma)
        first = opening.segments[0]
        now = model.during(first)
        # Any scale will do without gradient.
        self._strongest = float(np.abs(q).max()) or 1.0
        # A(0), C and N of the strongest gradient in the eigenvectors of A(0).
        self._rates, self._modes = np.linalg.eigh(at_rest(now, period, sigma))
        C = self._strongest * float(of_C) * now.C[0]
        N = self._strongest**2 * now.symmetric[-1]
        turned = [self._modes.T @ X @ self._modes for X in (C, N)]
        self._through = np.concatenate(turned)
        self._middle = model.during(replace(first, stored=opening.stored))
        self._still = at_rest(self._middle, period, sigma)
        self._shift = float(of_C)
        self._inverses: dict[float, ComplexArray] = {}

    def states(self, accuracy: float, nodes: int) -> tuple[ComplexArray, Array]:
        """States when the gradient ends.

        Parameters
        ----------
        accuracy : float
            Absolute, of what is left out of the series in q.
        nodes : int
            Of collocation on each segment.

        Returns
        -------
        states : (m, states, r) complex
            u, and l where it is another one.
        error : (m,) float
            Absolute, of the series and of its rounding.
        """
        terms = self._series(accuracy, nodes)
        powers = np.arange(len(terms))
        shares = (self._q[:, None] / self._strongest) ** powers
        factors = (-1j) ** (powers % 4) * shares
        sizes = np.sqrt(len(self._rates)) * np.abs(terms).max(axis=(1, 2)) * np.abs(shares)
        rounding = _EPS * np.sqrt(len(terms)) * sizes.max(axis=1)
        error = 2.0 * sizes[:, -2:].max(axis=1) + rounding
        flat = factors @ terms.reshape(len(terms), -1)
        return flat.reshape(len(self._q), *terms.shape[1:]), error

    def signals(self, states: ComplexArray, tau: Array, accuracy: float) -> ComplexArray:
        """S for times (n,) between the pulses (ms) from `states`, shape (m, n).

        `accuracy` is relative to |S|.
        """
        total = float(self._model.start @ self._model.readout)
        if not tau.any():
            ends: ComplexArray = np.sum(states[:, -1].conj() * states[:, 0], axis=1)
            return np.repeat(ends[:, None] / total, len(tau), axis=1)
        if states.shape[1] == 1 and len(self._rates) > _SMALL:
            form = self._by_resolvents(states[:, 0], tau, accuracy)
            if form is not None:
                return form / total
        rates, modes = self.middle_modes
        amplitudes = (states @ modes.conj()) / np.sqrt(total)
        weights = amplitudes[:, -1].conj() * amplitudes[:, 0]
        decays = np.exp(-rates[:, None, :] * tau[:, None])
        result: ComplexArray = (decays @ weights[:, :, None])[:, :, 0]
        return result

    def _by_resolvents(self, u: ComplexArray, tau: Array, accuracy: float) -> ComplexArray | None:
        """u^H exp(-tau A) u for any times, a shift for each group of them; see `_by_krylov`."""
        form = np.empty((len(u), len(tau)), dtype=complex)
        for rows in _similar(tau):
            part = self._by_krylov(u, tau[rows], accuracy)
            if part is None:
                return None
            form[:, rows] = part
        return form

    def _by_krylov(self, u: ComplexArray, tau: Array, accuracy: float) -> ComplexArray | None:
        """u^H exp(-tau A) u relative to its size, by Gauss quadrature in the spectrum of A.

        Its nodes and weights are those of Lanczos with (A + s)^-1, which sees what lives as long as
        tau before all else: a dozen vectors do. None if those at hand are not enough.
        """
        inverse, shift = self._resolvents(tau)
        norms = np.linalg.norm(u, axis=1)
        w = u / norms[:, None]
        basis = np.empty((len(u), _VECTORS[-1], u.shape[1]), dtype=complex)
        T = np.zeros((len(u), _VECTORS[-1], _VECTORS[-1]))
        before: Array | None = None
        for k in range(_VECTORS[-1]):
            basis[:, k] = w
            known = basis[:, : k + 1]
            z = (inverse @ w[:, :, None])[:, :, 0]
            T[:, k, k] = np.sum(w.conj() * z, axis=1).real
            z = z - ((known.conj() @ z[:, :, None]).swapaxes(1, 2) @ known)[:, 0]
            if k + 1 in _VECTORS:
                theta, modes = np.linalg.eigh(T[:, : k + 1, : k + 1])
                rates = np.maximum(1.0 / np.maximum(theta, _EPS) - shift, 0.0)
                weights = (norms[:, None] * modes[:, 0]) ** 2
                value = (np.exp(-rates[:, None, :] * tau[:, None]) @ weights[:, :, None])[:, :, 0]
                if before is not None and np.all(np.abs(value - before) <= accuracy * value):
                    return value.astype(complex)
                before = value
            length = np.linalg.norm(z, axis=1)
            if k + 1 < _VECTORS[-1]:
                T[:, k, k + 1] = T[:, k + 1, k] = length
            w = z / np.where(length > 0.0, length, 1.0)[:, None]
        return None

    def _resolvents(self, tau: Array) -> tuple[ComplexArray, float]:
        """(A(q) + s)^-1 between the pulses, and s."""
        shift = _SHIFT / float(tau[tau > 0.0].min())
        if shift not in self._inverses:
            A = self._matrices()
            np.einsum("mii->mi", A)[...] += shift
            self._inverses[shift] = inverses(A)
        return self._inverses[shift], shift

    @cached_property
    def middle_modes(self) -> tuple[Array, ComplexArray]:
        """Rates (m, r) and eigenvectors of A(q) between the pulses."""
        rates, modes = np.linalg.eigh(self._matrices())
        return np.maximum(rates, 0.0), modes

    @property
    def middle_strength(self) -> Array:
        """g between the pulses (rad/um), of each strength."""
        return self._q * self._opening.height

    def _matrices(self) -> ComplexArray:
        """A(q) between the pulses."""
        g = self.middle_strength
        A = np.empty((len(g), *self._still.shape), dtype=complex)
        A.real = self._still + np.multiply.outer(g**2, self._middle.symmetric[-1])
        A.imag = np.multiply.outer(g * self._shift, self._middle.C[0])
        return A

    def _starts(self) -> Array:
        """Start, and readout where it is another one, in the eigenvectors of A(0)."""
        start, readout = self._model.start, self._model.readout
        same = np.array_equal(start, readout)
        starts: Array = np.array([start] if same else [start, readout]) @ self._modes
        return starts

    def _series(self, accuracy: float, nodes: int) -> Array:
        """Terms (n, states, r) of the series for the strongest gradient."""
        r, starts = len(self._rates), self._starts()
        rates = np.maximum(self._rates, 0.0)
        pieces = [Piece(segment, rates, nodes) for segment in self._opening.segments]
        shape = (2 * r, len(starts), nodes)
        # C v and N v of the last two terms, on each segment.
        products = [(np.zeros(shape), np.zeros(shape)) for _ in pieces]
        terms: list[Array] = []
        last_two = [np.inf, np.inf]
        least = accuracy / (2.0 * np.sqrt(r))
        while len(terms) < MOST_POWERS and max(last_two) > least:
            state = None if terms else starts.T
            for k, piece in enumerate(pieces):
                last, before = products[k]
                inside = piece.inside(state, last[:r], before[r:])
                state = inside[:, :, -1]
                products[k] = (self._through @ inside.reshape(r, -1)).reshape(shape), last
            assert state is not None
            terms.append(state.T)
            last_two = [last_two[1], float(np.abs(state).max())]
        return np.array(terms) @ self._modes.T


def _similar(tau: Array) -> list[NDArray[np.intp]]:
    """Numbers of times, some of them positive, that one shift serves; zero is served by any."""
    groups: list[list[int]] = []
    shortest = 0.0
    for number in np.argsort(tau).tolist():
        if not groups or (tau[number] > _LONGEST * shortest > 0.0):
            groups.append([])
            shortest = 0.0
        groups[-1].append(number)
        shortest = shortest or float(tau[number])
    return [np.array(group) for group in groups]


class Piece:
    """Collocation on a segment, for all rates of decay."""

    def __init__(self, segment: Segment, rates: Array, nodes: int) -> None:
        times, matrix = _radau(nodes)
        h = segment.duration
        F = segment.jet(times * h, 0)[:, 0, 0]
        self._first, self._second = F, F**2
        # (I + h rate A) V = v0 + h A f.
        system = np.eye(nodes) + np.multiply.outer(h * rates, matrix)
        inverse = np.linalg.inv(system)
        self._start = inverse.sum(axis=2)
        self._load = np.ascontiguousarray((inverse @ (h * matrix)).swapaxes(1, 2))

    def loads(self, C_v: Array, N_v: Array) -> Array:
        """F C v + F^2 N v at the nodes, the last axis."""
        load: Array = self._first * C_v + self._second * N_v
        return load

    def inside(
        self, state: Array | None, C_v: Array, N_v: Array, more: Array | float = 0.0
    ) -> Array:
        """Values at the nodes, the end last, of states (r, m) under loads (r, m, nodes)."""
        load = self.loads(C_v, N_v) + more
        values: Array = load @ self._load
        return values if state is None else values + state[:, :, None] * self._start[:, None, :]


@lru_cache(maxsize=8)
def _radau(nodes: int) -> tuple[Array, Array]:
    """Nodes on ]0, 1] with the end among them, and the integrals of their Lagrange polynomials."""
    legendre = np.polynomial.legendre
    series = np.zeros(nodes + 1)
    series[-2:] = -1.0, 1.0
    x = np.sort(legendre.legroots(series))
    x[-1] = 1.0
    # Polish the roots.
    slope = legendre.legder(series)
    x[:-1] -= legendre.legval(x[:-1], series) / legendre.legval(x[:-1], slope)
    vandermonde = legendre.legvander(x, nodes)
    integrals = np.empty((nodes, nodes))
    for degree in range(nodes):
        antiderivative = legendre.legint(np.eye(nodes + 1)[degree], lbnd=-1.0)
        integrals[:, degree] = legendre.legval(x, antiderivative)
    matrix = 0.5 * integrals @ np.linalg.inv(vandermonde[:, :nodes])
    return (x + 1.0) / 2.0, matrix
