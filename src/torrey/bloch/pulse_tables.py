"""Tables of signals under rectangular pulses along one vector of the reciprocal lattice.

Between the pulses or not, g = s 2 pi B k / L runs from s = 0 to some s_p and back, whatever the
strength and the times of signal p are: all of them pass the same wave vectors, at steps of 1/n
turn, and come back to them turn by turn. So the states of all signals are the columns of one
matrix, in the eigenvectors of the step they are in: a step is a factor exp(-h_p lambda) on each
entry and one product with the overlaps of the next step's eigenvectors, folds included. The last
step of each signal, to its own s_p, is its own. The second pulse mirrors the first, so that

    S = u^H exp(-(Delta - delta) A(q)) u / 1^T M 1

with the state u after the first one, where all densities are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.bloch.folded_basis import FoldedModel
from torrey.bloch.folded_signals import (
    FEWEST_STEPS,
    GAIN,
    MOST_STEPS,
    FoldingError,
    check_loss,
    decay,
    refined,
    step_means,
)
from torrey.cell.folding import Integers
from torrey.gradients.waveforms import Pgse, Waveform

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_SAME: Final = 1e-9


@dataclass(frozen=True)
class Pulses:
    """Rectangular pulses of some signals along one direction.

    Attributes
    ----------
    delta, pause : (n,) float
        Duration of each pulse, and the time between the two (ms).
    q : (n,) float, rad/um
    """

    delta: Array
    pause: Array
    q: Array

    def __getitem__(self, rows: NDArray) -> Pulses:
        """Some of them."""
        return Pulses(self.delta[rows], self.pause[rows], self.q[rows])

    @classmethod
    def of(cls, waveforms: Sequence[Waveform], q: Sequence[float]) -> Pulses | None:
        """Those of some waveforms; None if one of them has other pulses."""
        if not all(isinstance(waveform, Pgse) for waveform in waveforms):
            return None
        delta = np.array([waveform.delta for waveform in waveforms])  # type: ignore[attr-defined]
        Delta = np.array([waveform.Delta for waveform in waveforms])  # type: ignore[attr-defined]
        return cls(delta, Delta - delta, np.array(q, dtype=float))


@dataclass(frozen=True)
class TableSignals:
    """Signals of a table and their errors; arrays over the signals.

    Attributes
    ----------
    signal : (n,) complex
    basis_error, time_error : (n,) float
        Absolute estimates.
    steps : (n,) int
        Time steps per turn.
    """

    signal: ComplexArray
    basis_error: Array
    time_error: Array
    steps: NDArray[np.int64]


class Road:
    """The steps of one turn along a vector k, their eigenvectors and the overlaps between them.

    Parameters
    ----------
    model : FoldedModel
        With folds by k, and of equal densities.
    k : tuple of int
        Of entries -1, 0 and 1: it folds as a whole.
    """

    def __init__(self, model: FoldedModel, k: Integers) -> None:
        self.model, self.k = model, k
        self._turn = _along(model, k)
        self._fold = model.fold(k)
        self._known: dict[tuple[int, int], tuple[Array, ComplexArray]] = {}
        self._overlaps: dict[tuple[int, int], ComplexArray] = {}

    @staticmethod
    def fits(model: FoldedModel, k: Integers, frames: Sequence[Array]) -> bool:
        """Whether there is such a road for gradients along some axes, shape (1, c) each."""
        same = np.allclose(model.start * model.readout.sum(), model.readout * model.start.sum())
        unit = _along(model, k) / np.linalg.norm(_along(model, k))
        parallel = all(np.allclose(frame, unit, rtol=0.0, atol=_SAME) for frame in frames)
        return bool(same and parallel and max(map(abs, k)) == 1 and k in model.folds)

    def signals(
        self, pulses: Pulses, steps: int, record: list[ComplexArray] | None = None
    ) -> Array:
        """Signals with an even number of time steps per turn.

        Parameters
        ----------
        pulses : Pulses
        steps : int
        record : list, optional
            Gets the states after each exponential, of shape (r, some signals) each.

        Raises
        ------
        FoldingError
            If a field is not resolved.
        """
        turns = pulses.q / np.linalg.norm(self._turn)
        values, own = np.empty(len(turns)), refined(steps, turns)
        for count in np.unique(own):
            rows = np.flatnonzero(own == count)
            u = self._after_one_pulse(pulses[rows], turns[rows], int(count), record)
            values[rows] = self._mirrored(pulses[rows], turns[rows], u)
        return values / float(self.model.start @ self.model.readout)

    def _mirrored(self, pulses: Pulses, turns: Array, u: ComplexArray) -> Array:
        """u^H exp(-(Delta - delta) A) u of each signal."""
        values = np.einsum("ip,ip->p", u.conj(), u).real
        for p in np.flatnonzero(pulses.pause):
            # A state that ends at a fold is not folded any more.
            place = turns[p] - math.floor(turns[p] + 0.5 - _SAME)
            A = self._matrix(place, place**2)
            half = decay(A, pulses.pause[p] / 2.0, u[:, p : p + 1])
            values[p] = float(np.vdot(half, half).real)
        return np.asarray(values)

    def _after_one_pulse(
        self, pulses: Pulses, turns: Array, steps: int, record: list[ComplexArray] | None
    ) -> ComplexArray:
        h = pulses.delta / np.maximum(turns * steps, _SAME)
        whole = np.floor((turns + _SAME) * steps).astype(int)
        u = np.repeat(self.model.start[:, None].astype(complex), len(turns), axis=1)
        active = np.flatnonzero(whole)
        y = self._modes(steps, 0)[1].conj().T @ u[:, active] if len(active) else u[:, :0]
        for place in range(2 * int(whole.max(initial=0))):
            rates, modes = self._modes(steps, place)
            y = np.exp(np.multiply.outer(rates, -h[active] / 2.0)) * y
            if record is not None:
                record.append(modes @ y)
            done = 2 * whole[active] == place + 1
            if np.any(done):
                u[:, active[done]] = modes @ y[:, done]
                active, y = active[~done], y[:, ~done]
            if not len(active):
                break
            y = self._onwards(y, steps, place + 1)
        for p, turn in enumerate(turns):
            one = u[:, p : p + 1]
            if turn <= _SAME:
                u[:, p : p + 1] = decay(self._matrix(0.0, 0.0), pulses.delta[p], one)
            else:
                u[:, p : p + 1] = self._last(one, whole[p], turn, steps, h[p])
        if record is not None:
            record.append(u)
        return u

    def _onwards(self, y: ComplexArray, steps: int, place: int) -> ComplexArray:
        """States in the modes of one exponential, from those of the one before."""
        found: ComplexArray = self._overlap(steps, place) @ y
        if place % (2 * steps) == steps:
            _check_loss(y, found)
        return found

    def _last(self, u: ComplexArray, whole: int, turn: float, steps: int, h: float) -> ComplexArray:
        """The rest of the way of one signal, less than a step: halved, it errs less than others."""
        begin, rest = whole / steps, turn - whole / steps
        if rest <= _SAME:
            return u
        if whole % steps == steps // 2:
            before, u = u, self._fold @ u
            _check_loss(before, u)
        for part in (0, 1):
            for mean, square in self._means(begin, part * rest / 2.0, rest / 2.0):
                u = decay(self._matrix(mean, square), h * rest * steps / 4.0, u)
        return u

    def _means(self, begin: float, offset: float, width: float) -> list[tuple[float, float]]:
        """Mean s and mean s^2 of both exponentials of a step, folded: see `step_means`."""
        first = begin - math.floor(begin + 0.5 + _SAME) + offset
        means = step_means(lambda x: (first + width * x)[:, None])
        return [(float(mean[0]), float(square[0, 0])) for mean, square in means]

    def _matrix(self, mean: float, square: float) -> ComplexArray:
        """A for a mean s and a mean s^2, folded."""
        g, gg = mean * self._turn, square * np.multiply.outer(self._turn, self._turn)
        return self.model.system.matrix(g, gg)

    def _modes(self, steps: int, place: int) -> tuple[Array, ComplexArray]:
        """Rates and modes of an exponential of the road, two of which make a step."""
        place %= 2 * steps
        if (steps, place) not in self._known:
            if place >= steps:
                # This half of the turn mirrors the other: A(-g) is the conjugate of A(g).
                rates, modes = self._modes(steps, 2 * steps - 1 - place)
                self._known[steps, place] = rates, modes.conj()
            else:
                mean, square = self._means(place // 2 / steps, 0.0, 1.0 / steps)[place % 2]
                rates, modes = np.linalg.eigh(self._matrix(mean, square))
                self._known[steps, place] = rates, modes
        return self._known[steps, place]

    def _overlap(self, steps: int, place: int) -> ComplexArray:
        """What takes states in the modes before a place to those in its own."""
        place %= 2 * steps
        if (steps, place) not in self._overlaps:
            before = self._modes(steps, place - 1)[1]
            # The half turn is where the wave vector folds.
            passed = self._fold @ before if place == steps else before
            self._overlaps[steps, place] = self._modes(steps, place)[1].conj().T @ passed
        return self._overlaps[steps, place]


def _along(model: FoldedModel, k: Integers) -> Array:
    """2 pi B k / L along the axes of the gradients, shape (c,), in rad/um."""
    vector = model.zone.vector(k)
    return np.pad(vector, (0, len(model.system.C) - len(vector)))


def _check_loss(before: ComplexArray, after: ComplexArray) -> None:
    sizes = np.linalg.norm(before, axis=0), np.linalg.norm(after, axis=0)
    loss = float(np.max(np.abs(sizes[1] / sizes[0] - 1.0), initial=0.0))
    check_loss(loss)


def converged_table(fine: Road, coarse: Road, pulses: Pulses, tolerance: float) -> TableSignals:
    """Signals with steps doubled until they no longer matter, and their errors.

    Parameters
    ----------
    fine, coarse : Road
        Of the two models that `folded_basis.folded_models` gives.
    pulses : Pulses
    tolerance : float
        For the steps, relative to each signal.

    Raises
    ------
    FoldingError
        If 512 steps per turn do not meet the tolerance, or a field is not resolved.
    """
    n, steps = len(pulses.q), FEWEST_STEPS
    value = coarse.signals(pulses, steps)
    error, enough = np.full(n, np.inf), np.zeros(n, dtype=np.int64)
    left = np.arange(n)
    while len(left):
        steps *= 2
        if steps > MOST_STEPS:
            raise FoldingError(
                f"{MOST_STEPS} time steps per turn do not bring the error below {tolerance:.1e}"
            )
        # The error of the steps hardly depends on the basis: the small one tells it. The last step
        # of each signal has a length of its own, so that nothing can be extrapolated.
        finer = coarse.signals(pulses[left], steps)
        error[left] = np.abs(finer - value[left]) / GAIN
        value[left], enough[left] = finer, steps
        left = left[~(error[left] <= tolerance * np.abs(finer))]
    best = again(fine, pulses, enough)
    return TableSignals(best.astype(complex), np.abs(best - value), error, enough)


def again(road: Road, pulses: Pulses, steps: NDArray[np.int64]) -> Array:
    """Signals with a number of steps for each, by another system."""
    found = np.empty(len(steps))
    for count in np.unique(steps):
        rows = np.flatnonzero(steps == count)
        found[rows] = road.signals(pulses[rows], int(count))
    return found
