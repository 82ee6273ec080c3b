"""What is known of reference signals of many points: values, errors, and what solved each."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from torrey.reference.methods import Method, Names, methods

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Signals = NDArray[np.complex128]
Column = TypeVar("Column", bound=NDArray)


@dataclass(frozen=True)
class ProjectedSignals:
    """Signals of points and what is known of their errors; arrays of shape (points,).

    Attributes
    ----------
    signal : complex
        S, normalised to the initial magnetisation.
    space_error, basis_error, time_error : float
        Absolute estimates.
    method : str
        What solved the point, one of `methods.METHODS`; empty where nothing has been tried.
    level, rung, steps : int
        Mesh, rung of the ladder (0 for other methods), and time steps for a change of F by one (0
        where the first pulse is a series in q: `torrey.reference.shared`).
    coarse_signal : complex
        On the coarsest mesh, free of the error in space that models on that mesh share.
    coarse_error : float
        Absolute estimate of its error, of basis and time.
    reached : bool
        Whether the tolerance is met; where it is not, the other values mean little.
    """

    signal: Signals
    space_error: Array
    basis_error: Array
    time_error: Array
    method: Names
    level: Rows
    rung: Rows
    steps: Rows
    coarse_signal: Signals
    coarse_error: Array
    reached: Flags

    @classmethod
    def unsolved(cls, n_points: int) -> ProjectedSignals:
        """No tolerance met anywhere yet."""
        infinite, zero = np.full(n_points, np.inf), np.zeros(n_points, dtype=np.int64)
        nothing = np.full(n_points, np.nan, dtype=complex)
        return cls(
            signal=nothing,
            space_error=infinite,
            basis_error=infinite,
            time_error=infinite,
            method=methods(n_points, ""),
            level=zero,
            rung=zero,
            steps=zero,
            coarse_signal=nothing,
            coarse_error=infinite,
            reached=np.zeros(n_points, dtype=bool),
        )

    @property
    def error(self) -> Array:
        """Absolute estimate of the whole numerical error."""
        return self.space_error + self.basis_error + self.time_error

    def take(self, rows: Rows | Flags) -> ProjectedSignals:
        """Some of the points."""
        return ProjectedSignals(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def merge(self, rows: Rows, part: ProjectedSignals) -> ProjectedSignals:
        """A new table with some rows replaced by those of a part."""
        columns = {
            f.name: put(getattr(self, f.name), rows, getattr(part, f.name)) for f in fields(self)
        }
        return ProjectedSignals(**columns)


def solved(
    method: Method,
    *,
    signal: Signals,
    space_error: Array,
    time_error: Array,
    level: Rows,
    steps: Rows,
    coarse_signal: Signals,
    coarse_error: Array,
    basis_error: Array | None = None,
) -> ProjectedSignals:
    """Points that a method without a ladder has solved; see `ProjectedSignals`."""
    count = len(signal)
    return ProjectedSignals(
        signal=signal,
        space_error=space_error,
        basis_error=np.zeros(count) if basis_error is None else basis_error,
        time_error=time_error,
        method=methods(count, method),
        level=level,
        rung=np.zeros(count, dtype=np.int64),
        steps=steps,
        coarse_signal=coarse_signal,
        coarse_error=coarse_error,
        reached=np.ones(count, dtype=bool),
    )


def put(column: Column, rows: Rows, values: Column) -> Column:
    """A copy of a column with other values in some rows."""
    changed = column.copy()
    changed[rows] = values
    return changed
