"""How states change along a segment of a waveform: steps of Rodas5P, or a Krylov exponential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base import rosenbrock
from torrey.cell.factors import Factor, factorise
from torrey.cell.krylov import expm_multiply
from torrey.cell.system import CellSystem
from torrey.gradients.waveforms import Segment

#: Krylov exponentials are converged far below everything else.
KRYLOV_TOLERANCE: Final = 1e-11

#: Columns are states.
States = NDArray[np.complex128]


def count_factors(segment: Segment, steps: int) -> int:
    """Factorisations that a segment takes, which are most of the work."""
    return 1 if segment.constant else len(segment.grid(steps)) - 1


def _unheard() -> None:
    """Do nothing after a factorisation."""


def propagate(
    system: CellSystem,
    segment: Segment,
    q: float,
    u: States,
    steps: int,
    record: list[States] | None = None,
    after: Callable[[], None] = _unheard,
) -> States:
    """States, the columns of u, after one segment; those after each step go to the record.

    `after` is called after each of the factorisations: see `count_factors`.
    """
    system = system.during(segment)
    if segment.constant:
        A, M = system.matrix(q * segment.start), system.operators.mass_matrix
        ends = [expm_multiply(M, A, column, segment.duration, KRYLOV_TOLERANCE) for column in u.T]
        after()
        return np.array(ends).T
    times, factor = segment.grid(steps), None
    for begin, end in zip(times[:-1], times[1:], strict=True):
        u, factor = _step(system, segment, q, u, begin, end - begin, factor)
        after()
        if record is not None:
            record.append(u)
    return u


def _step(
    system: CellSystem,
    segment: Segment,
    q: float,
    u: States,
    begin: float,
    duration: float,
    before: Factor | None,
) -> tuple[States, Factor]:
    """One Rodas5P step under a varying gradient; with its factor, that the next one may reuse.

    The mean decay rate of the state is taken out exactly, as a factor: the steps then resolve how
    the state changes its shape, not how it fades. Of several states it is that of the slowest, so
    that none is made to grow.
    """
    cell, M = system.operators.cell, system.operators.mass_matrix
    g, rate = q * segment.jet(begin, 1)
    entries = system.entries(g)
    through, within = cell.matrix(entries) @ u, M @ u
    size = np.sum(u.conj() * within, axis=0).real
    rates = np.sum(u.conj() * through, axis=0).real / np.where(size > 0.0, size, 1.0)
    decay = min(float(rates.min()), 0.5 / (rosenbrock.GAMMA * duration))

    def shifted(t: float, v: States) -> States:
        now = system.entries(q * segment.jet(begin + t, 0)[0])
        return cell.matrix(now - decay * system.operators.M) @ v

    shift = 1.0 / (rosenbrock.GAMMA * duration) - decay
    matrix = cell.matrix(entries + shift * system.operators.M)
    factor = factorise(matrix) if before is None else before.again(matrix)
    after = rosenbrock.step(
        u, duration, factor.solve, lambda v: M @ v, shifted, system.slope(g, rate) @ u
    )
    return np.exp(-decay * duration) * after, factor
