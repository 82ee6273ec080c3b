"""Implicit steps of variable length and order, each of which solves one system.

The numerical differentiation formulas of Shampine and Reichelt (1997), with steps that stay equal
for a while, for M du/dt = -A(g(t)) u. The spectrum of A is real and not negative, so that orders up
to 5 are stable. The unknown of a step is the correction of what the last steps extrapolate to: it
is small, and single precision resolves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.voxel.blocks import Crew
from torrey.voxel.multigrid import Multigrid, step_entries

States = NDArray[np.complex128]

_HIGHEST: Final = 5
_KAPPA: Final = np.array([0.0, -0.1850, -1 / 9, -0.0823, -0.0415, 0.0])
_GAMMA: Final = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, _HIGHEST + 1))])
_ALPHA: Final = (1 - _KAPPA) * _GAMMA
_ERROR: Final = _KAPPA * _GAMMA + 1.0 / np.arange(1, _HIGHEST + 2)

#: Share of the tolerance that solvers may leave of each correction.
_ALGEBRAIC: Final = 0.03
#: The first step of a segment, in segments, at a tolerance of 1e-3; its error is of order two.
_FIRST: Final = 1e-2
_SAFETY, _LEAST, _MOST = 0.9, 0.2, 10.0
#: Steps stay as they are for changes by less.
_INDIFFERENT: Final = 1.2


@dataclass
class History:
    """Where a run is within a segment of the waveform: all that it needs to go on.

    Attributes
    ----------
    time, step : float
        In ms, from the beginning of the segment; length of the next step.
    order : int
    equal : int
        Steps since the length last changed.
    iterations : int
        Of the solver, in the whole run.
    trace : list of (float, int)
        Length and order of each step of the whole run.
    differences : (8, n) complex
        Backward differences of the state; the first is the state itself.
    """

    time: float
    step: float
    order: int
    equal: int
    iterations: int
    trace: list[tuple[float, int]]
    differences: States

    @property
    def taken(self) -> int:
        """Steps of the whole run."""
        return len(self.trace)

    @property
    def state(self) -> States:
        """The state at this time, shape (n,)."""
        return np.asarray(self.differences[0])


@dataclass(frozen=True)
class Stepper:
    """Steps to a tolerance.

    Attributes
    ----------
    solver : Multigrid
    tolerance : float
        For the error of a step, by mass, relative to a state that is 1 everywhere.
    plan : sequence of (float, int)
        The trace of another run, whose steps are then taken whatever their error is; without it
        the tolerance alone decides.
    """

    solver: Multigrid
    tolerance: float
    plan: Sequence[tuple[float, int]] = ()

    @property
    def crew(self) -> Crew:
        """Threads."""
        return self.solver.crew

    def begin(self, before: History | None, duration: float) -> History:
        """Start a segment from where the last one ended, or from a state of 1."""
        n = self.solver.levels[0].operators.size
        differences = np.zeros((_HIGHEST + 3, n), dtype=complex)
        differences[0] = 1.0 if before is None else before.state
        step = _FIRST * np.sqrt(self.tolerance / 1e-3) * duration
        iterations, trace = (0, []) if before is None else (before.iterations, before.trace)
        return History(0.0, step, 0, 0, iterations, trace, differences)

    def advance(self, run: History, g: Callable[[float], float], end: float) -> None:
        """Take one step of a segment: towards its end, at most to it.

        Parameters
        ----------
        run : History
            Changed in place.
        g : callable
            Wave number (rad/um) at a time of the segment.
        end : float
            Duration of the segment (ms).
        """
        if run.order == 0:
            self._slope(run, g(run.time))
        change, error = self._planned(run, g) if self.plan else self._found(run, g, end)
        run.trace.append((run.step, run.order))
        run.time, run.equal = run.time + run.step, run.equal + 1
        self._remember(run, change)
        if end - run.time < 1e-9 * end:
            run.time = end
        elif error is not None and run.equal > run.order:
            self._adapt(run, error)

    def _planned(self, run: History, g: Callable[[float], float]) -> tuple[States, None]:
        """Correction of the step that the plan wants."""
        step, run.order = self.plan[run.taken]
        if step != run.step:
            self._stretch(run, step / run.step)
            run.step = step
        return self._correct(run, g(run.time + step)), None

    def _found(self, run: History, g: Callable[[float], float], end: float) -> tuple[States, float]:
        """Correction of a step that meets the tolerance, and its error in parts of that."""
        if run.time + run.step > end * (1 - 1e-12):
            self._stretch(run, (end - run.time) / run.step)
        while True:
            change = self._correct(run, g(run.time + run.step))
            error = _ERROR[run.order] * self._norm(change) / self.tolerance
            if error <= 1.0:
                return change, error
            self._stretch(run, max(_LEAST, _SAFETY * error ** (-1 / (run.order + 1))))

    def _slope(self, run: History, g: float) -> None:
        """The first difference: the step times the solution of M v = -A u."""
        solver = self.solver
        fine = solver.levels[0].operators
        u = run.state
        load = np.empty_like(u)

        def work(rows: slice) -> None:
            # (M - (M + c A)) / c with c = 1.
            entries = step_entries(fine, rows, 0.0, g) - step_entries(fine, rows, 1.0, g)
            load[rows] = fine.pattern.block(rows, entries) @ u

        self.crew.each(work, len(u))
        solver.form(0.0, g)
        allowed = self.tolerance * np.sqrt(fine.weights.sum())
        found, count = solver.solve((run.step * load).astype(np.complex64), _ALGEBRAIC * allowed)
        run.differences[1] = found
        run.iterations += count
        run.order = 1

    def _correct(self, run: History, g: float) -> States:
        """Difference between the state after a step and its extrapolation, shape (n,)."""
        order, D = run.order, run.differences
        fine = self.solver.levels[0].operators
        c = run.step / _ALPHA[order]
        n = fine.size
        ahead, past = np.empty(n, dtype=complex), np.empty(n, dtype=complex)
        weights = _GAMMA[1 : order + 1] / _ALPHA[order]

        def extrapolate(rows: slice) -> None:
            ahead[rows] = D[: order + 1, rows].sum(axis=0)
            past[rows] = weights @ D[1 : order + 1, rows] - ahead[rows]

        load = np.empty(n, dtype=np.complex64)

        # -c A y - M psi = -(M + c A) y - M (psi - y).
        def residual(rows: slice) -> None:
            pattern = fine.pattern
            here = pattern.block(rows, step_entries(fine, rows, c, g)) @ ahead
            masses = pattern.block(rows, fine.M[pattern.entries(rows)].astype(complex))
            load[rows] = -here - masses @ past

        self.crew.each(extrapolate, n)
        self.crew.each(residual, n)
        self.solver.form(c, g)
        allowed = _ALGEBRAIC * self.tolerance * float(np.sqrt(fine.weights.sum()))
        change, count = self.solver.solve(load, allowed)
        run.iterations += count
        return change.astype(complex)

    def _remember(self, run: History, change: States) -> None:
        order, D = run.order, run.differences

        def work(rows: slice) -> None:
            D[order + 2, rows] = change[rows] - D[order + 1, rows]
            D[order + 1, rows] = change[rows]
            for i in reversed(range(order + 1)):
                D[i, rows] += D[i + 1, rows]

        self.crew.each(work, D.shape[1])

    def _adapt(self, run: History, error: float) -> None:
        """Choose the order and the length that promise the longest step."""
        order, D = run.order, run.differences
        errors = np.array([np.inf, error, np.inf])
        if order > 1:
            errors[0] = _ERROR[order - 1] * self._norm(D[order]) / self.tolerance
        if order < _HIGHEST:
            errors[2] = _ERROR[order + 1] * self._norm(D[order + 2]) / self.tolerance
        with np.errstate(divide="ignore"):
            factors = errors ** (-1.0 / np.arange(order, order + 3))
        best = int(np.argmax(factors))
        factor = min(_MOST, _SAFETY * float(factors[best]))
        if _SAFETY < factor < _INDIFFERENT:
            return
        run.order = order + best - 1
        self._stretch(run, factor)

    def _stretch(self, run: History, factor: float) -> None:
        """Change the length of steps: the differences are those of the same polynomial."""
        order, D = run.order, run.differences
        change = (_scaling(order, factor) @ _scaling(order, 1.0)).T

        def work(rows: slice) -> None:
            D[: order + 1, rows] = change @ D[: order + 1, rows]

        self.crew.each(work, D.shape[1])
        run.step *= factor
        run.equal = 0

    def _norm(self, v: States) -> float:
        """Mean square by mass, lumped."""
        weights = self.solver.levels[0].operators.weights
        square = self.crew.total(
            lambda rows: float((v[rows].real ** 2 + v[rows].imag ** 2) @ weights[rows]), len(v)
        )
        return float(np.sqrt(square / weights.sum()))


def _scaling(order: int, factor: float) -> NDArray[np.float64]:
    """Matrix that takes backward differences to those of steps `factor` times as long."""
    i, j = np.arange(1, order + 1)[:, None], np.arange(1, order + 1)
    matrix = np.zeros((order + 1, order + 1))
    matrix[1:, 1:] = (i - 1 - factor * j) / i
    matrix[0] = 1.0
    return np.asarray(np.cumprod(matrix, axis=0), dtype=float)
