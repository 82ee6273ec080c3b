"""Signals of many points at strong gradients by small systems that fold (`bloch.folded_signals`).

Where |g| L is far beyond pi, no ladder of projected models reaches the tolerance. Points of one
period and permeability whose gradients lie along one vector of the reciprocal lattice share a
basis of Bloch functions, whose making is worth it for several of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.bloch.folded_basis import count_modes, folded_models, road
from torrey.bloch.folded_signals import FoldingError
from torrey.bloch.visited import Case, SignalTable
from torrey.bloch.zone_lines import zone_line
from torrey.cell.operators import BlochTorrey
from torrey.gradients.protocol import Point
from torrey.reference.estimates import space_error
from torrey.reference.projected import ProjectedSignals, Rows, Signals, solved

Levels = Sequence[BlochTorrey]
Integers = tuple[int, ...]
Array = NDArray[np.float64]

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
) -> ProjectedSignals:
    """Solve points that are not reached yet, where enough of them share a basis.

    Parameters
    ----------
    points : sequence of Point
    tolerance : float
        Relative to |S|.
    levels : sequence of BlochTorrey
        Operators on each mesh, coarsest first.
    found : ProjectedSignals
        What is known of the points.
    fewest : int
        Points that a basis is made for, at least.

    Returns
    -------
    ProjectedSignals
        The same with the points that are solved here.
    """
    left = [int(row) for row in np.flatnonzero(~found.reached)]
    if len(left) < fewest or len(levels) < 2 or not _moves(levels[0]):
        return found
    for group in _groups(points, left, levels[0].cell.lattice, fewest):
        try:
            for rows, part in _solve(group, points, tolerance, levels):
                found = found.merge(rows, part)
        except FoldingError:
            continue  # the full system will say what is wrong, if it is
    return found


def _moves(operators: BlochTorrey) -> bool:
    """Whether water moves along all axes everywhere: else countless bands lie at zero."""
    return bool(np.all(operators.axes_of_motion == operators.cell.dimension))


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
        # A component out of the cell does not fold.
        return zone_line(lattice, point.period, point.direction[: len(lattice)]).integers
    except InputError:
        return None


def _solve(
    group: _Group, points: Sequence[Point], tolerance: float, levels: Levels
) -> Iterator[tuple[Rows, ProjectedSignals]]:
    """Climb the meshes; yield the points of a group that a mesh brings below the tolerance."""
    count = _bands(group, points, levels[0])
    if count > _MOST_BANDS:
        return
    rows, time, steps = np.array(group.rows), np.empty(0), np.empty(0, dtype=np.int64)
    values: list[Signals] = []
    basis = np.empty(0)
    for level, one in enumerate(levels):
        models = folded_models(
            one, group.period, group.permeability, road(group.k), count, [group.k]
        )
        chosen = [points[row] for row in rows]
        cases = [Case(point.waveform, point.frame, point.q) for point in chosen]
        table = SignalTable(*models, group.k, cases, _TIME_SHARE * tolerance)
        if level == 0:
            first = table.converged()
            values, basis = [first.signal], first.basis_error
            time, steps = first.time_error, first.steps
            continue
        finer, change = table.again(steps)
        values.append(finer)
        # Bands that fill the coarsest mesh change nothing there, whatever they lack on this one.
        basis = np.maximum(basis, change)
        part = _part(level, values, basis, time, steps, levels[1].has_corners)
        enough = part.error <= tolerance * np.abs(part.signal)
        yield rows[enough], part.take(enough)
        values = [value[~enough] for value in values]
        rows, basis, time, steps = rows[~enough], basis[~enough], time[~enough], steps[~enough]
        if not len(rows):
            return


def _bands(group: _Group, points: Sequence[Point], operators: BlochTorrey) -> int:
    """Bands that the strongest gradient of a group needs."""
    cell = operators.cell
    steepest = max(points[row].gradient for row in group.rows)
    D = float(np.linalg.eigvalsh(operators.inner_diffusivity).min())
    length = (D / steepest) ** (1 / 3) / group.period
    return count_modes(float(cell.measures().sum()), cell.dimension, min(length, 0.25))


def _part(
    level: int,
    values: Sequence[Signals],
    change: Array,
    time: Array,
    steps: NDArray[np.int64],
    has_corners: bool,
) -> ProjectedSignals:
    """Signals on a mesh and those before it, with their errors; fewer bands make the change."""
    signal, basis = values[-1], _BASIS_SAFETY * change
    space = space_error(values, not has_corners)
    return solved(
        "folded",
        signal=signal,
        space_error=space,
        basis_error=basis,
        time_error=time,
        level=np.full(len(signal), level),
        steps=steps,
        coarse_signal=signal,
        coarse_error=space + basis + time,
    )
