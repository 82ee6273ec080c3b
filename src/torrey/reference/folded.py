"""Signals of many points at strong gradients by small systems that fold (`bloch.folded_signals`).

Where |g| L is far beyond pi, no ladder of projected models reaches the tolerance. Points of one
period and permeability whose gradients lie along one vector of the reciprocal lattice share a
basis of Bloch functions, whose making is worth it for several of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.bloch.folded_basis import count_modes, folded_models, road
from torrey.bloch.folded_signals import (
    FoldedSignal,
    FoldingError,
    Propagator,
    converged_signal,
    folded_signal,
)
from torrey.bloch.zone_lines import zone_line
from torrey.cell.operators import BlochTorrey
from torrey.gradients.protocol import Point
from torrey.reference.full import space_error
from torrey.reference.projected import ProjectedSignals

Levels = Sequence[BlochTorrey]
Integers = tuple[int, ...]
Array = NDArray[np.float64]

FOLDED: Final = -1
"""In the place of the rung of a ladder: a small system that folds."""

#: Points that a basis is made for, at least; it takes about as long as so many in full.
_FEWEST_POINTS = 20
#: Bands of a basis, at most: beyond, it is hardly smaller than the system it stands for.
_MOST_BANDS = 400
#: Share of the tolerance for the steps in time.
_TIME_SHARE = 0.1
_BASIS_SAFETY = 2.0


@dataclass(frozen=True)
class _Group:
    """Points that share a basis, by their rows."""

    period: float
    permeability: float
    k: Integers
    rows: tuple[int, ...]


def solve_folded(
    points: Sequence[Point],
    tolerance: float,
    levels: Levels,
    found: ProjectedSignals,
    fewest: int = _FEWEST_POINTS,
) -> None:
    """Solve points that are not reached yet, where enough of them share a basis.

    Parameters
    ----------
    points : sequence of Point
    tolerance : float
        Relative to |S|.
    levels : sequence of callables
        Operators on each mesh, coarsest first.
    found : ProjectedSignals
        Of the points; what is solved here is put in, with `FOLDED` for its rung.
    fewest : int
        Points that a basis is made for, at least.
    """
    left = [int(row) for row in np.flatnonzero(~found.reached)]
    if len(left) < fewest or len(levels) < 2:
        return
    for group in _groups(points, left, levels[0].cell.lattice, fewest):
        try:
            _solve(group, points, tolerance, levels, found)
        except FoldingError:
            continue  # the full system will say what is wrong, if it is


def _groups(
    points: Sequence[Point], rows: Sequence[int], lattice: Array, fewest: int
) -> list[_Group]:
    """Points along lattice vectors, period by period and permeability by permeability."""
    members: dict[tuple[float, float, Integers], list[int]] = {}
    for row in rows:
        point = points[row]
        if (k := _lattice_vector(point, lattice)) is not None:
            members.setdefault((point.period, point.permeability, k), []).append(row)
    return [
        _Group(*key, rows=tuple(found)) for key, found in members.items() if len(found) >= fewest
    ]


def _lattice_vector(point: Point, lattice: Array) -> Integers | None:
    """Vector of the reciprocal lattice along the gradients of a point; None if there is none."""
    if point.waveform.n_components > 1:
        return None
    try:
        return zone_line(lattice, point.period, point.direction).integers
    except InputError:
        return None


def _solve(
    group: _Group,
    points: Sequence[Point],
    tolerance: float,
    levels: Levels,
    found: ProjectedSignals,
) -> None:
    """Climb the meshes until the points of a group meet the tolerance."""
    operators = levels[0]
    count = _bands(group, points, operators)
    if count > _MOST_BANDS:
        return
    first: Mapping[int, FoldedSignal] = {}
    values: dict[int, list[complex]] = {row: [] for row in group.rows}
    left = list(group.rows)
    for level, one in enumerate(levels):
        models = folded_models(
            one, group.period, group.permeability, road(group.k), count, [group.k]
        )
        fine, coarse = map(Propagator, models)
        if level == 0:
            first = {row: _converge(fine, coarse, points[row], tolerance) for row in left}
        for row in left:
            value = first[row].signal
            if level:
                point = points[row]
                value, _ = folded_signal(
                    fine, point.waveform, point.frame, point.q, first[row].steps
                )
            values[row].append(value)
        if level:
            left = [
                row
                for row in left
                if not _put(row, level, values[row], first[row], tolerance, found)
            ]
        if not left:
            return


def _bands(group: _Group, points: Sequence[Point], operators: BlochTorrey) -> int:
    """Bands that the strongest gradient of a group needs."""
    cell = operators.cell
    steepest = max(points[row].gradient for row in group.rows)
    D = float(np.linalg.eigvalsh(operators.diffusivity).min())
    length = (D / steepest) ** (1 / 3) / group.period
    return count_modes(float(cell.measures().sum()), cell.dimension, min(length, 0.25))


def _converge(fine: Propagator, coarse: Propagator, point: Point, tolerance: float) -> FoldedSignal:
    return converged_signal(
        fine, coarse, point.waveform, point.frame, point.q, _TIME_SHARE * tolerance
    )


def _put(
    row: int,
    level: int,
    values: Sequence[complex],
    first: FoldedSignal,
    tolerance: float,
    found: ProjectedSignals,
) -> bool:
    """Put in a signal with its errors; return whether it meets the tolerance."""
    signal = values[-1]
    space = float(space_error(np.array(values)))
    basis = _BASIS_SAFETY * first.basis_error
    reached = space + basis + first.time_error <= tolerance * abs(signal)
    found.signal[row] = found.coarse_signal[row] = signal
    found.space_error[row], found.basis_error[row] = space, basis
    found.time_error[row] = first.time_error
    found.coarse_error[row] = space + basis + first.time_error
    found.level[row], found.rung[row], found.steps[row] = level, FOLDED, first.steps
    found.reached[row] = reached
    return bool(reached)
