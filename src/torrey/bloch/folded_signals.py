"""Signals and magnetisation at any gradient strength, by the small systems of `folded_basis`.

Each step takes two exponentials of Hermitian matrices, a commutator-free Magnus method of order 4:

    exp(-h (a_1 A_1 + a_2 A_2)) exp(-h (a_2 A_1 + a_1 A_2)),    a_1, a_2 = 1/4 -+ sqrt(3)/6,

A_1 and A_2 at the two Gauss nodes of the step. A constant gradient passes the same wave vectors
again at each round through the folding zone, whatever its strength: steps begin at fixed wave
vectors, and the eigenvectors of their matrices are computed once for all signals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import TorreyError
from torrey.bloch.folded_basis import FoldedModel
from torrey.cell.folding import Stretch
from torrey.cell.symmetric import symmetric_signal
from torrey.gradients.waveforms import Segment, Waveform

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_NODES = (0.5 - math.sqrt(3.0) / 6.0, 0.5 + math.sqrt(3.0) / 6.0)
_SMALL, _LARGE = 0.25 - math.sqrt(3.0) / 6.0, 0.25 + math.sqrt(3.0) / 6.0
#: Weights of A_1 and A_2 in the exponential that acts first, and in the other.
_WEIGHTS = ((_LARGE, _SMALL), (_SMALL, _LARGE))

#: Steps per turn of the wave vector; the error falls by 16 when they are doubled.
FEWEST_STEPS, MOST_STEPS = 4, 512
#: Of the steps per turn, where gradients turn the wave vector by small parts of one.
_MOST_DOUBLINGS = 20
#: Doubled steps gain 16 where they resolve the fastest decay, and 4 where they do not: what
#: doubling changes is at least this many times the error that is left.
GAIN = 3.0
#: Of coefficients of Chebyshev polynomials that play no part.
_CHEBYSHEV = 1e-15
#: Durations times half the largest eigenvalue from which polynomials have too many terms.
_LONG = 40.0
#: A fold that changes the norm of a state by more than this has met a field that the mesh or the
#: basis does not resolve.
_MOST_LOSS = 0.05


class FoldingError(TorreyError, ArithmeticError):
    """A field is not resolved by the basis, or the time steps do not converge."""


@dataclass(frozen=True)
class FoldedSignal:
    """A signal and what is known of its error.

    Attributes
    ----------
    signal : complex
    basis_error, time_error : float
        Absolute estimates.
    steps : int
        Time steps per turn of the wave vector.
    loss : float
        Largest share of the norm that a fold changed: zero in the continuum.
    """

    signal: complex
    basis_error: float
    time_error: float
    steps: int
    loss: float

    @property
    def error(self) -> float:
        """Both errors together."""
        return self.basis_error + self.time_error


class Propagator:
    """A small system, and the eigenvectors that come back from one signal to the next.

    Parameters
    ----------
    model : FoldedModel
    """

    def __init__(self, model: FoldedModel) -> None:
        self.model = model
        self._known: dict[tuple[float, ...], tuple[Array, ComplexArray]] = {}

    def decompose(self, segment: Segment, g: Array, gg: Array) -> tuple[Array, ComplexArray]:
        """Eigenvalues (1/ms) and eigenvectors of A on a segment, for a mean g and a mean g g^T."""
        unit = self.model.zone.period
        place = np.concatenate([[segment.stored], unit * g, unit**2 * gg.ravel()])
        key = tuple(np.round(place, 9) + 0.0)
        if key in self._known:
            return self._known[key]
        found: tuple[Array, ComplexArray]
        found = np.linalg.eigh(self.model.system.during(segment).matrix(g, gg))
        self._known[key] = found
        return found

    def run(
        self, parts: Sequence[Sequence[Stretch]], q: float, c: ComplexArray, steps: int
    ) -> tuple[ComplexArray, float]:
        """States, the columns of c, after parts of a waveform, and the largest loss at a fold."""
        loss = 0.0
        for part in parts:
            count = self._steps(part, q, steps)
            for stretch in part:
                if any(stretch.fold):
                    before, c = np.linalg.norm(c), self.model.fold(stretch.fold) @ c
                    loss = max(loss, abs(float(np.linalg.norm(c) / before) - 1.0))
                    check_loss(loss)
                c = self._stretch(stretch.segment, q, c, count)
        return c, loss

    def _steps(self, part: Sequence[Stretch], q: float, steps: int) -> int:
        """Steps per turn on a part of a waveform: see `refined`."""
        path = sum(_turns(self.model, stretch.segment, q) for stretch in part)
        return int(refined(steps, np.array([path]))[0])

    def _stretch(self, segment: Segment, q: float, c: ComplexArray, steps: int) -> ComplexArray:
        if segment.constant:
            g = q * segment.start
            return self._decay(segment, (g, np.multiply.outer(g, g)), segment.duration, c, True)
        times, inner = _halved(*self._grid(segment, q, steps))
        for i, (begin, end) in enumerate(zip(times[:-1], times[1:], strict=True)):
            h = end - begin

            def wave_vector(x: Array, begin: float = begin, h: float = h) -> Array:
                values: Array = q * segment.jet(begin + h * x, 0)[:, 0]
                return values

            for means in step_means(wave_vector):
                c = self._decay(segment, means, h / 2, c, inner[i])
        return c

    def _decay(
        self,
        segment: Segment,
        means: tuple[Array, Array],
        duration: float,
        c: ComplexArray,
        keep: bool,
    ) -> ComplexArray:
        if keep:
            rates, modes = self.decompose(segment, *means)
            decayed = np.exp(-duration * rates)[:, None] * (modes.conj().T @ c)
            result: ComplexArray = modes @ decayed
            return result
        return decay(self.model.system.during(segment).matrix(*means), duration, c)

    def _grid(self, segment: Segment, q: float, steps: int) -> tuple[Array, list[bool]]:
        """Instants of steps, and whether each step is one of those that come back."""
        zone = self.model.zone
        first, last = zone.turns(q * np.array([segment.start, segment.end]))
        path = last - first
        if not segment.linear:
            count = max(2, math.ceil(steps * segment.variation() * q * zone.period / (2 * np.pi)))
            return np.linspace(0.0, segment.duration, count + 1), [False] * count
        axis = int(np.abs(path).argmax())
        low, high = sorted((first[axis], last[axis]))
        marks = np.arange(math.floor(low * steps) + 1, math.ceil(high * steps)) / steps
        marks = marks[(marks > low + 1e-9) & (marks < high - 1e-9)]
        inside = np.sort((marks - first[axis]) / path[axis])
        fractions = np.concatenate([[0.0], inside, [1.0]])
        whole = np.diff(fractions) * abs(path[axis]) * steps > 1.0 - 1e-6
        return segment.duration * fractions, [bool(x) for x in whole]


def _turns(model: FoldedModel, segment: Segment, q: float) -> float:
    """Length of the way of a wave vector on a segment, along its longest axis."""
    if segment.linear:
        return float(np.abs(model.zone.turns(q * (segment.end - segment.start))).max())
    return segment.variation() * q * model.zone.period / (2.0 * np.pi)


def refined(steps: int, turns: Array) -> NDArray[np.int64]:
    """Steps per turn that are at least half as many on each way, doublings of `steps`.

    Parameters
    ----------
    steps : int
        Per turn.
    turns : (n,) float
        Lengths of ways: those of less than a turn are weak gradients, and last as long as others.
    """
    short = np.clip(turns, 2.0**-_MOST_DOUBLINGS, 1.0)
    doublings = np.where(turns > 0.0, np.ceil(-np.log2(short) - 1e-9), 0.0)
    return np.asarray(steps * 2 ** doublings.astype(np.int64))


def _halved(times: Array, inner: list[bool]) -> tuple[Array, list[bool]]:
    """Instants of steps, those that come once halved: they have lengths of their own."""
    found, kept = [times[:1]], list[bool]()
    for begin, end, comes_back in zip(times[:-1], times[1:], inner, strict=True):
        found.append(np.array([end] if comes_back else [(begin + end) / 2.0, end]))
        kept += [True] if comes_back else [False, False]
    return np.concatenate(found), kept


def check_loss(loss: float) -> None:
    """Refuse a fold that changes the norm of a state by such a share.

    Raises
    ------
    FoldingError
    """
    if not loss <= _MOST_LOSS:
        raise FoldingError(
            f"a fold changes the norm of the state by {loss:.1%}: more bands, or a finer mesh, are "
            "needed to resolve it"
        )


def decay(A: ComplexArray, duration: float, c: ComplexArray) -> ComplexArray:
    """exp(-duration A) c of a Hermitian matrix A >= 0 that comes once, by Chebyshev polynomials.

    Over short times; otherwise by eigenvectors.

    Parameters
    ----------
    A : (r, r) complex, 1/ms
    duration : float
    c : (r, m) complex
    """
    # Gershgorin: no eigenvalue is larger.
    half = float(np.abs(A).sum(axis=1).max()) / 2.0
    if duration * half > _LONG:
        rates, modes = np.linalg.eigh(A)
        long: ComplexArray = modes @ (np.exp(-duration * rates)[:, None] * (modes.conj().T @ c))
        return long
    factors = _chebyshev(duration * half)
    before, last = c, A @ c / half - c
    result: ComplexArray = factors[0] * before + factors[1] * last
    for factor in factors[2:]:
        before, last = last, 2.0 * (A @ last / half - last) - before
        result += factor * last
    return result


@lru_cache(64)
def _chebyshev(a: float) -> Array:
    """Coefficients of exp(-a (x + 1)) on [-1, 1], as far as they matter."""
    count = 16 + math.ceil(8.0 * math.sqrt(a) + min(a, 30.0))
    x = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    values = np.exp(-a * (x + 1.0))
    n = np.arange(count)
    found = 2.0 / count * np.cos(np.pi * np.outer(n, np.arange(count) + 0.5) / count) @ values
    found[0] /= 2.0
    needed = np.flatnonzero(np.abs(found) > _CHEBYSHEV)
    result: Array = found[: max(int(needed.max(initial=0)) + 1, 2)]
    return result


def step_means(wave_vector: Callable[[Array], Array]) -> list[tuple[Array, Array]]:
    """Mean g (d,) and mean g g^T (d, d) of the two exponentials of a step, the first one first.

    Parameters
    ----------
    wave_vector : callable
        g (n, d) at places (n,) of the step, from 0 to 1.
    """
    nodes = wave_vector(np.array(_NODES))
    # Each exponential has half of the step.
    return [
        (w @ nodes, np.einsum("n,na,nb->ab", w, nodes, nodes)) for w in 2.0 * np.array(_WEIGHTS)
    ]


def folded_signal(
    propagator: Propagator, waveform: Waveform, frame: Array, q: float, steps: int
) -> tuple[complex, float]:
    """Signal with a number of time steps per turn, and the largest loss at a fold.

    Parameters
    ----------
    propagator : Propagator
    waveform : Waveform
    frame : (k, d) float
        Axes of the components of the waveform.
    q : float, rad/um
    steps : int
    """
    model = propagator.model
    losses = [0.0]

    def advance(c: ComplexArray, part: Sequence[Stretch]) -> ComplexArray:
        c, loss = propagator.run([part], q, c, steps)
        losses.append(loss)
        return c

    def product(left: ComplexArray, right: ComplexArray) -> complex:
        return complex(left @ right)

    value = symmetric_signal(
        parts=model.zone.fold(waveform.segments, frame, q),
        symmetry=waveform.symmetry,
        sources=np.array([model.start, model.readout], dtype=complex).T,
        advance=advance,
        product=product,
        still=lambda part: part[0].segment.constant,
    )
    return value / float(model.start @ model.readout), max(losses)


def converged_signal(
    fine: Propagator,
    coarse: Propagator,
    waveform: Waveform,
    frame: Array,
    q: float,
    tolerance: float,
) -> FoldedSignal:
    """Signal with steps doubled until they no longer matter, and its error.

    Parameters
    ----------
    fine, coarse : Propagator
        Of the two models that `folded_basis.folded_models` gives.
    waveform, frame, q
        See `folded_signal`.
    tolerance : float
        For the steps, relative to the signal.

    Raises
    ------
    FoldingError
        If 512 steps per turn do not meet the tolerance, or a field is not resolved.
    """
    steps = FEWEST_STEPS
    value, _ = folded_signal(coarse, waveform, frame, q, steps)
    while True:
        steps *= 2
        if steps > MOST_STEPS:
            raise FoldingError(
                f"{MOST_STEPS} time steps per turn do not bring the error below {tolerance:.1e}"
            )
        # The error of the steps hardly depends on the basis: the small one tells it.
        finer, _ = folded_signal(coarse, waveform, frame, q, steps)
        error = abs(finer - value) / GAIN
        value = finer
        if error <= tolerance * abs(finer):
            break
    best, loss = folded_signal(fine, waveform, frame, q, steps)
    return FoldedSignal(best, abs(best - value), error, steps, loss)


def magnetisation(
    propagator: Propagator, waveform: Waveform, frame: Array, q: float, steps: int
) -> ComplexArray:
    """M(T_E) at the degrees of freedom, for an initial magnetisation rho, shape (n_dofs,).

    Parameters as for `folded_signal`. At the echo g = 0, so that the field u is the magnetisation,
    and periodic.
    """
    model = propagator.model
    parts = model.zone.fold(waveform.segments, frame, q)
    c, _ = propagator.run(parts, q, model.start[:, None].astype(complex), steps)
    result: ComplexArray = model.basis @ c[:, 0]
    return result
