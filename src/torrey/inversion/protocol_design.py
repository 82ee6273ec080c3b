"""What the protocol of a study tells of its cell, and the measurements of it that tell most.

Derivatives of signals S by parameters p, which `torrey.study.derivatives` has made, become those by
log p: dS/dlog p = p dS/dp. Bounds are then relative ones, and those of several parameters can be
added up (A) whatever their units are. In each cell of the study, a period and a permeability, all
measurements with a known derivative by every parameter are candidates; see
`torrey.inversion.design`. Where signals are complex, both parts of each are signals of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.errors import InputError
from torrey.gradients.sweep import Sweep
from torrey.inversion.design import bound, bound_error, choose, cramer_rao, information, ranked
from torrey.inversion.design_settings import DesignSettings

Array = NDArray[np.float64]

KNOWN, BELOW_ITS_ERROR, MISSING = range(3)
"""What is known of a derivative."""

#: Errors this small, relative to the largest derivative by a parameter in a cell, matter nowhere.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Sensitivity:
    """Derivatives of the signals of one or many cells by log p; arrays (cells, candidates, ...).

    Attributes
    ----------
    derivative : (cells, candidates, signals, parameters) float
        One signal of each candidate, or real and imaginary part.
    error : (cells, candidates, parameters) float
        Absolute.
    value : (cells, parameters) float
        The parameters themselves, um and ms.
    """

    derivative: Array
    error: Array
    value: Array

    @property
    def status(self) -> NDArray[np.int8]:
        """`KNOWN`, `BELOW_ITS_ERROR` or `MISSING`, (cells, candidates, parameters)."""
        size = np.linalg.norm(self.derivative, axis=2)
        missing = ~(np.isfinite(size) & np.isfinite(self.error))
        largest = np.where(missing, 0.0, size).max(axis=1, keepdims=True)
        # Without gradient derivatives are zero to rounding, which is known well enough.
        below = (size <= self.error) & (self.error > _ROUNDING * largest)
        return np.select([missing, below], [MISSING, BELOW_ITS_ERROR], KNOWN).astype(np.int8)


@dataclass(frozen=True)
class Bounds:
    """What some measurements tell of one cell.

    Attributes
    ----------
    information : (k, k) float
        Fisher's, about the logarithms of the parameters.
    relative : (k,) float
        Least standard deviation of an estimate of each, relative to its value.
    error : (k,) float
        How far errors of derivatives may move it: see `torrey.inversion.design.bound_error`.
    criterion : float
        See `torrey.inversion.design.bound`.
    """

    information: Array
    relative: Array
    error: Array
    criterion: float


@dataclass(frozen=True)
class Design:
    """Bounds in all cells of a study, and the measurements that were chosen.

    Attributes
    ----------
    sensitivity : Sensitivity
    whole : tuple of Bounds
        By cell: of all candidates.
    chosen : tuple of (n,) int
        By cell: numbers of measurements, the one that tells most first; empty without a choice.
    best : tuple of Bounds
        By cell: of those that were chosen.
    """

    sensitivity: Sensitivity
    whole: tuple[Bounds, ...]
    chosen: tuple[NDArray[np.int64], ...] = ()
    best: tuple[Bounds, ...] = ()


def design_protocol(derivatives: str | Path, sweep: Sweep, settings: DesignSettings) -> Design:
    """Bounds and choices in each cell of a study.

    Parameters
    ----------
    derivatives : path
        ``derivatives.nc`` of the study.
    sweep : Sweep
        That of the study.
    settings : DesignSettings

    Raises
    ------
    InputError
        If derivatives by a parameter are missing or no larger than their errors throughout, or
        there are too few candidates.
    """
    sensitivity = read_sensitivity(artifacts.read(derivatives), sweep, settings)
    return design_of(sensitivity, sweep, settings)


def design_of(sensitivity: Sensitivity, sweep: Sweep, settings: DesignSettings) -> Design:
    """Bounds and choices from derivatives; see `design_protocol`."""
    whole, chosen, best = [], [], []
    for number, (period, kappa) in enumerate(sweep.cells()):
        where = f"period {period:g} um, permeability {kappa:g} um/ms"
        rows = _candidates(sensitivity.status[number], settings, where)
        derivative, error = sensitivity.derivative[number], sensitivity.error[number]
        whole.append(_bounds(derivative[rows], error[rows], settings))
        if settings.choose:
            picked = rows[_pick(derivative[rows], settings, where)]
            chosen.append(picked)
            best.append(_bounds(derivative[picked], error[picked], settings))
    return Design(sensitivity, tuple(whole), tuple(chosen), tuple(best))


def read_sensitivity(
    data: Mapping[str, NDArray[Any]], sweep: Sweep, settings: DesignSettings
) -> Sensitivity:
    """Derivatives by the logarithms of the parameters, from those of a study.

    Parameters
    ----------
    data : mapping of str to array
        Variables of ``derivatives.nc``.
    sweep, settings
        See `design_protocol`.
    """
    cells = np.array(list(sweep.cells()))
    model = list(data["model"]).index(settings.model)
    shape = (len(cells), len(sweep.protocol.measurements))

    def table(name: str, places: tuple[int, ...]) -> NDArray[Any]:
        values = data[name][model].reshape(*shape, -1)
        return values[..., list(places) or [0]].sum(axis=-1)

    columns, errors, values = [], [], []
    for name, places, value in settings.parameters:
        by = name.split("_")[0]
        given = {"D": np.full(len(cells), value), "R": value * cells[:, 0]}
        own = {"L": cells[:, 0], "kappa": cells[:, 1], **given}[by]
        values.append(own)
        parts = [table(f"dS_d{by}_{part}", places) for part in ("real", "imag")]
        columns.append(own[:, None, None] * np.stack(parts, axis=-1))
        errors.append(own[:, None] * table(f"dS_d{by}_error", places))
    derivative, error = np.stack(columns, axis=-1), np.stack(errors, axis=-1)
    imaginary = np.abs(derivative[:, :, 1])
    if not np.any((imaginary > error) & np.isfinite(error)):
        derivative = derivative[:, :, :1]
    return Sensitivity(derivative, error, np.stack(values, axis=-1))


def _candidates(
    status: NDArray[np.int8], settings: DesignSettings, where: str
) -> NDArray[np.int64]:
    """Measurements with a derivative by every parameter, each of which some of them tell."""
    for column, name in enumerate(settings.names):
        if not np.any(status[:, column] == KNOWN):
            missing = np.all(status[:, column] == MISSING)
            found = "not known" if missing else "no larger than their errors"
            raise InputError(
                f"derivatives by {name} of {settings.model} that are {found} ({where})",
                "other parameters, or a smaller tolerance of the study",
            )
    return np.flatnonzero(np.all(status != MISSING, axis=1))


def _pick(derivative: Array, settings: DesignSettings, where: str) -> NDArray[np.int64]:
    given: dict[str, Any] = {"criterion": settings.criterion, "of": settings.columns}
    try:
        found = choose(derivative, settings.choose, repeated=settings.repeated, **given)
    except InputError as error:
        raise InputError(f"{error.found} ({where})", error.accepted, ("choose",)) from None
    return ranked(derivative, found, **given)


def _bounds(derivative: Array, error: Array, settings: DesignSettings) -> Bounds:
    count, signals, width = derivative.shape
    rows = derivative.reshape(-1, width)
    off = np.repeat(error, signals, axis=0)
    sigma = settings.sigma
    return Bounds(
        information(rows, sigma),
        cramer_rao(rows, sigma),
        bound_error(rows, off, sigma),
        bound(rows, sigma, settings.criterion, settings.columns),
    )
