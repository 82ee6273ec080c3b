"""Projected references of tables: some waveforms in some cells, each point by its best road.

Waveforms whose first pulse is the same share it in each cell (`torrey.reference.shared`); other
waveforms, and points that this leaves uncertain, are integrated step by step
(`torrey.reference.projected`), with all cells of a waveform at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from torrey.base.progress import Progress, Steps, untold
from torrey.gradients.waveforms import Waveform
from torrey.models.integration import Points
from torrey.models.openings import Opening, opening_of
from torrey.reference.ladder import Ladder
from torrey.reference.outcome import Flags, ProjectedSignals
from torrey.reference.projected import projected_signals
from torrey.reference.shared import Family, shared_signals

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """All measurements in all cells, cell by cell.

    Attributes
    ----------
    periods, sigmas : (cells,) float
        L (um) and kappa / L (1/ms).
    waveforms : tuple of Waveform
    waveform : (measurements,) int
        Number of the waveform of each measurement.
    q : (measurements,) float, rad/um
    layers : (cells * measurements,) bool
        See `torrey.reference.estimates.space_error`.
    """

    periods: Array
    sigmas: Array
    waveforms: tuple[Waveform, ...]
    waveform: NDArray[np.int64]
    q: Array
    layers: Flags

    @classmethod
    def of(
        cls, periods: Array, sigmas: Array, strengths: Mapping[Waveform, Array], layers: Flags
    ) -> Table:
        """From strengths by waveform, in their order."""
        counts = [len(q) for q in strengths.values()]
        return cls(
            periods,
            sigmas,
            tuple(strengths),
            np.repeat(np.arange(len(counts)), counts),
            np.concatenate(list(strengths.values())),
            layers,
        )

    @cached_property
    def points(self) -> Points:
        """All points, flat."""
        columns = self.periods[:, None], self.sigmas[:, None]
        return Points.of(self.q, *columns)

    def families(self) -> dict[Opening, list[tuple[int, float]]]:
        """Numbers of waveforms and the times in their middle, by their first pulse."""
        found: dict[Opening, list[tuple[int, float]]] = {}
        for number, waveform in enumerate(self.waveforms):
            if opened := opening_of(waveform):
                found.setdefault(opened[0], []).append((number, opened[1]))
        return found


def table_signals(
    ladders: Sequence[Ladder], table: Table, tolerance: float, progress: Progress = untold
) -> ProjectedSignals:
    """Signals of a table, flat, to a relative tolerance where a rung reaches it.

    Parameters
    ----------
    ladders : sequence of Ladder
        By mesh, coarsest first, along the axes of the waveforms. Two at least.
    table : Table
    tolerance : float
        Relative to |S|.
    progress : Progress
        Is told how many signals are done.
    """
    cells, count = len(table.periods), len(table.q)
    told = Steps(progress, f"signals by projected models ({cells * count:,})", cells * count)
    found = ProjectedSignals.unsolved(cells * count)
    left = np.ones(cells * count, dtype=bool)
    for opening, members in table.families().items():
        taus, b_factors = np.zeros((2, len(table.waveforms)))
        for number, tau in members:
            taus[number], b_factors[number] = tau, table.waveforms[number].b_factor
        columns = np.flatnonzero(np.isin(table.waveform, [number for number, _ in members]))
        which = table.waveform[columns]
        for cell in range(cells):
            rows = cell * count + columns
            family = Family(
                opening=opening,
                period=float(table.periods[cell]),
                sigma=float(table.sigmas[cell]),
                q=table.q[columns],
                tau=taus[which],
                b_factor=b_factors[which],
                layers=table.layers[rows],
            )
            part, left[rows] = shared_signals(ladders, family, tolerance)
            found = found.merge(rows, part)
            told(int((~left[rows]).sum()))
    waveform = np.tile(table.waveform, cells)
    for number, one in enumerate(table.waveforms):
        rows = np.flatnonzero(left & (waveform == number))
        if len(rows):
            points = table.points[rows]
            part = projected_signals(ladders, one, points, tolerance, table.layers[rows])
            found = found.merge(rows, part)
            told(len(rows))
    told.end()
    return found
