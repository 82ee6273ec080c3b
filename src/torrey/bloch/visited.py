"""Smaller systems for tables: the span of the states that some of their signals pass through.

The Bloch functions of a few wave vectors span far more than signals in one direction ever need: in
a square lattice of discs the states under all strengths of a gradient along x lie within 1e-6 in a
third of the dimensions, since half of all functions are odd across x. What some signals of a table
pass through is an orthonormal basis for the others (proper orthogonal decomposition). Signals
between them, computed by both systems, tell what the smaller one misses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.bloch.folded_basis import FoldedModel
from torrey.bloch.folded_signals import FoldingError, Propagator, converged_signal, folded_signal
from torrey.bloch.pulse_tables import Pulses, Road, TableSignals, again, converged_table
from torrey.cell.system import AffineSystem
from torrey.gradients.waveforms import Waveform

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Integers = tuple[int, ...]

FEWEST_SIGNALS: Final = 12
"""Signals of a table from which on a smaller system pays."""

#: Time steps per turn: with so many the span hardly depends on them.
_STEPS: Final = 16
#: Signals that are learnt, or compared, at a time, and how often.
_AT_A_TIME, _ROUNDS = 4, 4
#: Directions with a smaller part in all states are left out, relative to what is asked of signals;
#: by how much smaller in each round.
_LEAST, _STRICTER = 4.0, 0.2
#: Of the vectors, above which nothing is gained.
_MOST: Final = 0.8
#: Signals that were not computed by both systems may miss more than those that were.
_SAFETY: Final = 4.0
#: What a smaller system may miss, relative to the error of the time steps: little, as signals may
#: take other numbers of steps than those that it was learnt with.
_OF_TIME: Final = 0.05


@dataclass(frozen=True)
class Case:
    """A signal of a table.

    Attributes
    ----------
    waveform : Waveform
    frame : (k, c) float
        Axes of its components.
    q : float, rad/um
    """

    waveform: Waveform
    frame: Array
    q: float


@dataclass(frozen=True)
class Thinned:
    """A system for the signals of a table.

    Attributes
    ----------
    road : Road
    error : float
        Estimate of what it misses, relative to each signal.
    """

    road: Road
    error: float


def thinned(whole: Road, pulses: Pulses, tolerance: float) -> Thinned:
    """A smaller system that is as good for some signals, or the same if there is none.

    Parameters
    ----------
    whole : Road
    pulses : Pulses
        Of the table.
    tolerance : float
        Relative error that the smaller system may have, by its estimate.

    Raises
    ------
    FoldingError
        If a field is not resolved.
    """
    n = len(pulses.q)
    if n < FEWEST_SIGNALS:
        return Thinned(whole, 0.0)
    order = _apart(pulses, _AT_A_TIME * (_ROUNDS + 1))
    groups = [order[k : k + _AT_A_TIME] for k in range(0, len(order), _AT_A_TIME)]
    states: list[Array] = []
    expected = np.empty(0)

    def learn(numbers: NDArray[np.int64]) -> Array:
        record: list[ComplexArray] = []
        found = whole.signals(pulses[numbers], _STEPS, record)
        states.extend(part for state in record for part in (state.real, state.imag))
        return np.concatenate([expected, found])

    expected = learn(groups[0])
    for turn, numbers in enumerate(groups[1:]):
        basis = _span(whole.model, states, _LEAST * _STRICTER**turn * tolerance)
        expected = learn(numbers)
        if basis.shape[1] > _MOST * whole.model.rank:
            break
        small = Road(_reduced(whole.model, basis), whole.k)
        try:
            # Those that were learnt, too: directions that are left out may matter to them alone.
            found = small.signals(pulses[order[: len(expected)]], _STEPS)
        except FoldingError:
            continue  # The states that were learnt are not those of these signals.
        error = float(np.abs(found / expected - 1.0).max())
        if _SAFETY * error <= tolerance:
            return Thinned(small, _SAFETY * error)
    return Thinned(whole, 0.0)


def _apart(pulses: Pulses, count: int) -> NDArray[np.int64]:
    """Numbers of signals, each as unlike those before it as possible; the strongest first."""
    every = np.stack([pulses.q, pulses.delta, pulses.delta + pulses.pause], axis=1)
    least = np.finfo(float).tiny
    places = np.log(np.maximum(every, least + 1e-6 * every.max(axis=0)))
    places = places / np.maximum(np.ptp(places, axis=0), 1e-9)
    found = [int(pulses.q.argmax())]
    distance = np.full(len(places), np.inf)
    while len(found) < min(count, len(places)):
        distance = np.minimum(distance, np.linalg.norm(places - places[found[-1]], axis=1))
        distance[found] = -1.0
        found.append(int(distance.argmax()))
    return np.array(found)


class SignalTable:
    """Signals of many waveforms by small systems that fold, all at once where that is known.

    Parameters
    ----------
    fine, coarse : FoldedModel
        Those of `folded_basis.folded_models`.
    k : tuple of int, optional
        Vector of the reciprocal lattice along the gradients, as far as they lie in the cell.
    cases : sequence of Case
    tolerance : float
        For the steps in time, relative to each signal.
    """

    def __init__(
        self,
        fine: FoldedModel,
        coarse: FoldedModel,
        k: Integers | None,
        cases: Sequence[Case],
        tolerance: float,
    ) -> None:
        self._models, self._cases, self._tolerance = (fine, coarse), cases, tolerance
        self._pulses = Pulses.of([x.waveform for x in cases], [x.q for x in cases])
        self._roads: tuple[Thinned, ...] = ()
        frames = [case.frame for case in cases]
        if k is not None and self._pulses is not None and Road.fits(fine, k, frames):
            share = _OF_TIME * tolerance
            self._roads = tuple(
                thinned(Road(model, k), self._pulses, share) for model in self._models
            )
        self._propagators = Propagator(fine), Propagator(coarse)

    def converged(self) -> TableSignals:
        """Signals with as many steps as they need, and their errors.

        Raises
        ------
        FoldingError
            If a field is not resolved, or the steps do not converge.
        """
        if self._roads and self._pulses is not None:
            fine, coarse = self._roads
            found = converged_table(fine.road, coarse.road, self._pulses, self._tolerance)
            missed = self._missed(found.signal)
            return replace(found, basis_error=found.basis_error + missed)
        whole, fewer = self._propagators
        each = [
            converged_signal(whole, fewer, x.waveform, x.frame, x.q, self._tolerance)
            for x in self._cases
        ]
        return TableSignals(
            signal=np.array([one.signal for one in each]),
            basis_error=np.array([one.basis_error for one in each]),
            time_error=np.array([one.time_error for one in each]),
            steps=np.array([one.steps for one in each]),
        )

    def again(self, steps: NDArray[np.int64]) -> tuple[ComplexArray, Array]:
        """Signals with a number of steps for each, and the errors of the basis."""
        if self._roads and self._pulses is not None:
            fine, fewer = (
                again(one.road, self._pulses, steps).astype(complex) for one in self._roads
            )
        else:
            fine, fewer = (
                np.array([self._single(one, *x) for x in zip(self._cases, steps, strict=True)])
                for one in self._propagators
            )
        return fine, np.abs(fine - fewer) + self._missed(fine)

    def _single(self, propagator: Propagator, case: Case, steps: int) -> complex:
        return folded_signal(propagator, case.waveform, case.frame, case.q, int(steps))[0]

    def _missed(self, signal: ComplexArray) -> Array:
        """What smaller systems may miss."""
        return np.asarray(sum(one.error for one in self._roads) * np.abs(signal))


def _span(model: FoldedModel, states: Sequence[Array], least: float) -> Array:
    """Orthonormal basis of states and of what signals begin with, shape (r, n)."""
    first = (model.start / np.linalg.norm(model.start))[:, None]
    rest = np.hstack(states)
    rest = rest / np.maximum(np.linalg.norm(rest, axis=0), np.finfo(float).tiny)
    rest = rest - first @ (first.T @ rest)
    # Sizes down to 1e-8 of the largest: squares have the digits.
    squares, vectors = np.linalg.eigh(rest @ rest.T)
    kept = squares > max(least, 1e-7) ** 2 * squares[-1]
    return np.hstack([first, vectors[:, kept][:, ::-1]])


def _reduced(model: FoldedModel, basis: Array) -> FoldedModel:
    """The same system on some vectors of its basis, orthonormal columns (r, n)."""

    def small(X: NDArray) -> NDArray:
        return basis.T @ X @ basis

    system, rest = model.system, model.system.relaxation
    return FoldedModel(
        zone=model.zone,
        system=AffineSystem(
            operators=None,
            static=small(system.static),
            C=small(system.C),
            N=small(system.N),
            relaxation=None if rest is None else small(rest),
        ),
        folds={k: small(fold) for k, fold in model.folds.items()},
        start=basis.T @ model.start,
        readout=basis.T @ model.readout,
        basis=model.basis @ basis,
    )
