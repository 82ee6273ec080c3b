"""Signals of many points at strong gradients by small systems that fold (`bloch.folded_signals`).

Where |g| L is far beyond pi, no ladder of projected models reaches the tolerance. Points of one
period and permeability whose gradients lie along one vector of the reciprocal lattice share a
basis of Bloch functions; those along the same axes in other directions share the states that some
of them pass in full (`torrey.reference.trained`). Either is worth it for several points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.bloch.folded_basis import FoldedModel, count_modes, folded_models, road
from torrey.bloch.folded_signals import FoldingError
from torrey.bloch.visited import Case, SignalTable
from torrey.bloch.zone_lines import zone_line
from torrey.cell.operators import BlochTorrey
from torrey.gradients.protocol import Axes, Point
from torrey.reference.estimates import space_error
from torrey.reference.outcome import ProjectedSignals, Rows, Signals, solved
from torrey.reference.trained import FEWEST_CASES, trained_models

Levels = Sequence[BlochTorrey]
Integers = tuple[int, ...]
Array = NDArray[np.float64]

#: Points that a basis is made for, at least; it takes about as long as so many in full.
_FEWEST_POINTS = 20
#: Bands of a basis, at most: beyond, it is hardly smaller than the system it stands for.
_MOST_BANDS = 400
#: The same of points in other directions, some of which are computed in full for it.
_FEWEST_TRAINED = 40
#: Dimensions up to which a few points in full take no longer than many others.
_MOST_DIMENSIONS = 2
#: Share of the tolerance for the steps in time.
_TIME_SHARE = 0.1
_BASIS_SAFETY = 2.0


@dataclass(frozen=True)
class _Group:
    """Points that share a basis, by their rows."""

    period: float
    permeability: float
    rows: tuple[int, ...]
    k: Integers | None = None

    def models(
        self, operators: BlochTorrey, cases: Sequence[Case], bands: int, tolerance: float
    ) -> tuple[FoldedModel, FoldedModel]:
        """Two small systems on a mesh, the second of which tells the error of the first."""
        if self.k is None:
            return trained_models(operators, self.period, self.permeability, cases, tolerance)
        stations, folds = road(self.k), [self.k]
        return folded_models(operators, self.period, self.permeability, stations, bands, folds)


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
    """Points along lattice vectors, or along the same axes, by period and permeability."""
    along: dict[tuple[float, float, Integers], list[int]] = {}
    others: dict[tuple[float, float, Axes], list[int]] = {}
    for row in rows:
        point = points[row]
        if not point.q:
            continue  # No gradient folds; what relaxation leaves is a matter of the full system.
        cell = point.period, point.permeability
        if (k := _lattice_vector(point, lattice)) is not None:
            along.setdefault((*cell, k), []).append(row)
        elif len(lattice) <= _MOST_DIMENSIONS and point.waveform.n_components == 1:
            axes = tuple(map(tuple, point.frame.tolist()))
            others.setdefault((*cell, axes), []).append(row)
    groups = [_Group(L, kappa, tuple(found), k) for (L, kappa, k), found in along.items()]
    groups += [_Group(L, kappa, tuple(found)) for (L, kappa, _), found in others.items()]
    trained = max(FEWEST_CASES, fewest if fewest < _FEWEST_POINTS else _FEWEST_TRAINED)
    return [g for g in groups if len(g.rows) >= (trained if g.k is None else fewest)]


def _lattice_vector(point: Point, lattice: Array) -> Integers | None:
    """Vector of the reciprocal lattice that the gradients of a point fold by, if it is one."""
    if point.waveform.n_components > 1:
        return None
    try:
        # A component out of the cell does not fold.
        k = zone_line(lattice, point.period, point.direction[: len(lattice)]).integers
    except InputError:
        return None
    # Along longer ones each component folds by itself.
    return k if max(map(abs, k)) == 1 else None


def _solve(
    group: _Group, points: Sequence[Point], tolerance: float, levels: Levels
) -> Iterator[tuple[Rows, ProjectedSignals]]:
    """Climb the meshes; yield the points of a group that a mesh brings below the tolerance."""
    count = _bands(group, points, levels[0])
    if group.k is not None and count > _MOST_BANDS:
        return
    rows, time, steps = np.array(group.rows), np.empty(0), np.empty(0, dtype=np.int64)
    values: list[Signals] = []
    basis = np.empty(0)
    cases = {
        row: Case(points[row].waveform, points[row].frame, points[row].q) for row in group.rows
    }
    for level, one in enumerate(levels):
        # Those that are done train the finer systems, too: fewer would tell no error.
        models = group.models(one, [cases[row] for row in group.rows], count, tolerance)
        left = [cases[row] for row in rows]
        table = SignalTable(*models, group.k, left, _TIME_SHARE * tolerance)
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
