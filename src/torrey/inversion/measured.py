"""Tables of measured signals: what was measured in each row, and means over directions.

A row has a b-value, a waveform, an echo time and a direction, or stands for the mean over several
directions. Rows of filter exchange have the b-value of the filter and a mixing time instead.
Columns that a table does not have are not a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.errors import InputError
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import Pgse, Waveform

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rows whose b-values are nearer than the larger of these two belong to one shell: ms/um^2, and a
#: part of b.
_SHELL, _SHELL_PART = 0.05, 0.03


@dataclass(frozen=True)
class MeasuredProtocol:
    """The rows of a table, without their signals.

    Parameters
    ----------
    b : (m,) float
        b-values (ms/um^2); of filter exchange, those of the second block.
    waveforms : tuple of Waveform
        The different ones.
    which : (m,) int
        Waveform of each row; -1 if the table does not say it.
    directions : (m, d) float
        Unit vectors; not a number where a row is a mean over directions.
    TE : (m,) float
        Echo times (ms).
    weights : (m,) float
        Number of signals of which each row is the mean: its variance is that of one signal divided
        by this.
    b_filter, mixing_time : (m,) float
        Of filter exchange (ms/um^2, ms).

    Raises
    ------
    InputError
        If columns do not have one length, or hold impossible numbers.
    """

    b: Array
    waveforms: tuple[Waveform, ...]
    which: Ints
    directions: Array
    TE: Array
    weights: Array
    b_filter: Array
    mixing_time: Array

    def __post_init__(self) -> None:
        m = len(self.b)
        if not m:
            raise InputError("a table without rows", "at least one row", at=("b",))
        for name in ("which", "directions", "TE", "weights", "b_filter", "mixing_time"):
            rows = len(getattr(self, name))
            if rows != m:
                raise InputError(f"{rows} rows", f"{m}, as many as b has", at=(name,))
        _refuse("b", self.b, np.isfinite(self.b) & (self.b >= 0.0), "b-values of at least zero")
        _refuse("weights", self.weights, self.weights > 0.0, "numbers above zero")
        for name in ("TE", "b_filter", "mixing_time"):
            values = getattr(self, name)
            _refuse(name, values, np.isnan(values) | (values >= 0.0), "at least zero")
        lengths = np.linalg.norm(self.directions, axis=1)
        good = np.isnan(lengths) | (np.abs(lengths - 1.0) < 1e-6) | (self.b == 0.0)
        _refuse("directions", lengths, good, "vectors of length 1")

    def __len__(self) -> int:
        return len(self.b)

    @property
    def delta(self) -> Array:
        """Durations of the pulses (ms), shape (m,); not a number for other waveforms."""
        return self._times("delta")

    @property
    def Delta(self) -> Array:
        """Times between the beginnings of the pulses (ms), shape (m,)."""
        return self._times("Delta")

    @property
    def filter_exchange(self) -> bool:
        """Whether all rows say what the filter was."""
        return bool(np.all(np.isfinite(self.b_filter) & np.isfinite(self.mixing_time)))

    @property
    def powder(self) -> bool:
        """Whether all rows with gradients are means over directions."""
        return bool(np.all(np.isnan(self.directions).any(axis=1) | (self.b == 0.0)))

    def rows(self, keep: ArrayLike) -> MeasuredProtocol:
        """Some of the rows, by numbers or by a mask."""
        at = np.arange(len(self))[np.asarray(keep)]
        names = ("b", "which", "directions", "TE", "weights", "b_filter", "mixing_time")
        return replace(self, **{name: getattr(self, name)[at] for name in names})

    def measurements(self) -> tuple[Measurement, ...]:
        """The rows as measurements of a study.

        Raises
        ------
        InputError
            If a row has no waveform, or is a mean over directions.
        """
        if np.any(self.which < 0):
            row = int(np.flatnonzero(self.which < 0)[0])
            raise InputError("a row without timings", "delta and Delta, or a waveform", at=(row,))
        axis = np.eye(self.directions.shape[1])[0]
        found = []
        for row, (b, n) in enumerate(zip(self.b, self.directions, strict=True)):
            lost = not np.isclose(np.linalg.norm(n), 1.0, atol=1e-6)
            if lost and b > 0.0:
                raise InputError("a mean over directions", "a row with one direction", at=(row,))
            waveform = self.waveforms[self.which[row]]
            vector = tuple((axis if lost else n).tolist())
            found.append(Measurement(waveform, waveform.q_of_b(float(b)), vector))
        return tuple(found)

    def _times(self, name: str) -> Array:
        times = np.array([getattr(w, name, np.nan) for w in self.waveforms] + [np.nan])
        return times[self.which]


def protocol_of_columns(
    b: ArrayLike,
    delta: ArrayLike = np.nan,
    Delta: ArrayLike = np.nan,
    *,
    directions: ArrayLike | None = None,
    TE: ArrayLike = np.nan,
    weights: ArrayLike = 1.0,
    b_filter: ArrayLike = np.nan,
    mixing_time: ArrayLike = np.nan,
) -> MeasuredProtocol:
    """A protocol of pulsed gradients from its columns; single numbers hold for all rows.

    Parameters
    ----------
    b : (m,) array_like
        In ms/um^2.
    delta, Delta : (m,) array_like
        In ms; not a number where the table does not say them.
    directions : (m, d) array_like, optional
        Vectors of any length above zero; without them rows are means over directions.
    TE, weights, b_filter, mixing_time
        See `MeasuredProtocol`.

    Raises
    ------
    InputError
        If the columns do not fit each other.
    """
    b = np.asarray(b, dtype=float).ravel()
    m = len(b)
    columns = {
        name: _column(name, values, m)
        for name, values in {
            "delta": delta,
            "Delta": Delta,
            "TE": TE,
            "weights": weights,
            "b_filter": b_filter,
            "mixing_time": mixing_time,
        }.items()
    }
    pairs = list(zip(columns.pop("delta").tolist(), columns.pop("Delta").tolist(), strict=True))
    known = [pair for pair in dict.fromkeys(pairs) if not np.isnan(pair).any()]
    which = np.array([known.index(pair) if pair in known else -1 for pair in pairs], dtype=int)
    waveforms = tuple(Pgse(*pair) for pair in known)
    return MeasuredProtocol(b, waveforms, which, _unit(directions, m), **columns)


def protocol_of_measurements(
    measurements: Sequence[Measurement],
    *,
    TE: ArrayLike = np.nan,
    weights: ArrayLike = 1.0,
    powder: bool = False,
) -> MeasuredProtocol:
    """A protocol of the measurements of a study, with any waveforms.

    Parameters
    ----------
    measurements : sequence of Measurement
    TE, weights
        See `MeasuredProtocol`.
    powder : bool
        Whether the signals are means over directions, whatever the directions of the measurements.
    """
    m = len(measurements)
    numbers: dict[Waveform, int] = {}
    which = np.array([numbers.setdefault(one.waveform, len(numbers)) for one in measurements])
    directions = np.array([one.direction for one in measurements], dtype=float)
    if powder:
        directions = np.full_like(directions, np.nan)
    b = np.array([one.b for one in measurements])
    nothing = np.full(m, np.nan)
    return MeasuredProtocol(
        b,
        tuple(numbers),
        which,
        directions,
        _column("TE", TE, m),
        _column("weights", weights, m),
        nothing,
        nothing.copy(),
    )


@dataclass(frozen=True)
class PowderTable:
    """Means over the directions of each shell.

    Attributes
    ----------
    protocol : MeasuredProtocol
        One row for each shell, its weight the number of signals behind it.
    signals : (v, s) float
        Weighted means.
    errors : (v, s) float, optional
        Standard errors of the means by the noise; None if the noise is not given.
    spread : (v, s) float
        Standard deviation over the directions: anisotropy and noise together; not a number for
        shells of one row.
    shell : (m,) int
        Shell of each row of the table.
    """

    protocol: MeasuredProtocol
    signals: Array
    errors: Array | None
    spread: Array
    shell: Ints


def powder_average(
    protocol: MeasuredProtocol, signals: ArrayLike, sigma: ArrayLike | None = None
) -> PowderTable:
    """Mean over the directions of each shell: rows of one b-value, waveform, TE and filter.

    b-values belong to one shell if no gap between neighbours exceeds 50 s/mm^2 or 3 % of b.

    Parameters
    ----------
    protocol : MeasuredProtocol
    signals : (v, m) or (m,) array_like
    sigma : float, (v,) or (v, m) array_like, optional
        Standard deviation of the noise of one signal.
    """
    y = np.atleast_2d(np.asarray(signals, dtype=float))
    if y.shape[1] != len(protocol):
        raise InputError(f"{y.shape[1]} signals", f"{len(protocol)}, one for each row")
    shell = _shells(protocol)
    count = int(shell.max()) + 1
    member = (shell[:, None] == np.arange(count)).astype(float)
    share = member * protocol.weights[:, None]
    total = share.sum(axis=0)
    mean = y @ (share / total)
    square = np.maximum(((y[:, :, None] - mean[:, None]) ** 2 * member).sum(axis=1), 0.0)
    rows = member.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.where(rows > 1, np.sqrt(square / (rows - 1.0)), np.nan)
    errors = None
    if sigma is not None:
        noise = spread_noise(sigma, *y.shape)
        errors = np.sqrt(noise**2 @ (share**2 / protocol.weights[:, None])) / total
    first = np.array([int(np.flatnonzero(shell == s)[0]) for s in range(count)])
    averaged = replace(
        protocol.rows(first),
        b=(protocol.b @ share) / total,
        directions=np.full((count, protocol.directions.shape[1]), np.nan),
        weights=total,
    )
    return PowderTable(averaged, mean, errors, spread, shell)


def spread_noise(sigma: ArrayLike, voxels: int, rows: int) -> Array:
    """Noise of every voxel and row from a number, one per voxel or one per signal.

    Raises
    ------
    InputError
        If it has another shape.
    """
    noise = np.asarray(sigma, dtype=float)
    if noise.ndim == 1 and len(noise) == voxels:
        noise = noise[:, None]
    try:
        noise = np.broadcast_to(noise, (voxels, rows))
    except ValueError:
        raise InputError(
            f"noise of shape {noise.shape}",
            f"one number, {voxels} (one per voxel) or {voxels} x {rows}",
            at=("sigma",),
        ) from None
    return np.array(noise)


def groups_of_columns(columns: Sequence[Array]) -> Ints:
    """Numbers of the different rows of some columns, as they come; not a number is one value."""
    seen: dict[tuple[float, ...], int] = {}
    rows = np.round(np.nan_to_num(np.column_stack(columns), nan=-1.0), 9)
    return np.array([seen.setdefault(tuple(row), len(seen)) for row in rows.tolist()])


def _shells(protocol: MeasuredProtocol) -> Ints:
    kinds = groups_of_columns(
        [protocol.which.astype(float), protocol.TE, protocol.b_filter, protocol.mixing_time]
    )
    shell = np.empty(len(protocol), dtype=np.int64)
    count = 0
    for kind in range(int(kinds.max()) + 1):
        rows = np.flatnonzero(kinds == kind)
        rows = rows[np.argsort(protocol.b[rows], kind="stable")]
        b = protocol.b[rows]
        new = np.diff(b) > np.maximum(_SHELL, _SHELL_PART * b[1:])
        # Without a gradient there is nothing to average with small gradients.
        shell[rows] = count + np.concatenate([[0], np.cumsum(new | ((b[:-1] == 0) & (b[1:] > 0)))])
        count = int(shell[rows].max()) + 1
    return shell


def _column(name: str, values: ArrayLike, m: int) -> Array:
    array = np.asarray(values, dtype=float)
    if array.ndim and array.shape != (m,):
        raise InputError(f"shape {array.shape}", f"one number or {m}", at=(name,))
    return np.array(np.broadcast_to(array, (m,)))


def _unit(directions: ArrayLike | None, m: int) -> Array:
    if directions is None:
        return np.full((m, 3), np.nan)
    n = np.atleast_2d(np.asarray(directions, dtype=float))
    lengths = np.linalg.norm(n, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(lengths > 0.0, n / lengths, 0.0 * n)


def _refuse(name: str, values: Array, good: NDArray[np.bool_], accepted: str) -> None:
    bad = np.flatnonzero(~good)
    if len(bad):
        more = f" and {len(bad) - 1} more rows" if len(bad) > 1 else ""
        raise InputError(f"{values[bad[0]]:g}{more}", accepted, at=(name, int(bad[0])))
