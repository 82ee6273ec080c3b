"""Fits of the voxels of a run, part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.progress import Progress, untold
from torrey.base.stored import Group, Variable, group_of
from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.measured import MeasuredProtocol, powder_average
from torrey.inversion.table_model import TableModel
from torrey.inversion.table_models import table_model
from torrey.inversion.voxel_data import VoxelData
from torrey.inversion.voxel_fit import TableFit, fit_table

Array = NDArray[np.float64]

#: Of a cell each signal of the dictionary costs those of a model.
_FEW, _MANY = 200, 2000
_FAILED: Final = 5
#: Voxels of a table with so few have curves of their profile likelihoods, which a figure shows.
_DRAWN: Final = 100
CRITERIA: Final = ("log_likelihood", "aic", "aicc", "bic")
"""By which models of the same signals are compared, after their likelihood."""


def fit_part(
    data: VoxelData,
    settings: FitSettings,
    operators: str | Path | None = None,
    progress: Progress = untold,
) -> Group:
    """Fit the model, and those that it is compared with, to some voxels.

    Parameters
    ----------
    data : VoxelData
        It may have no voxels.
    settings : FitSettings
    operators : path, optional
        Of the cell of the model ``physical``.
    progress : Progress
        Is told how many of the voxels are done, for each of the models.

    Returns
    -------
    mapping of str to Variable
        Of the file that `torrey.inversion.table_report.gathered` reads.
    """
    model = _model(data.protocol, settings, operators)
    limits = {"fixed": settings.fixed, "bounds": settings.bounds}
    fit = _fit(model, data, settings, limits, progress)
    group = group_of(fit, voxel=("voxel",))
    meanings = {one.name: one.description for one in model.parameters}
    group["parameter_meaning"] = Variable(
        ("parameter",), [meanings[name] for name in fit.names], "", "what the parameter is"
    )
    if settings.compare:
        others = [
            _fit(table_model(name), data, replace(settings, intervals=False), {}, progress)
            for name in settings.compare
        ]
        for name in CRITERIA:
            values = np.column_stack([getattr(one, name) for one in (fit, *others)])
            group[f"compared_{name}"] = Variable(("voxel", "compared"), values, "1", name)
    return {
        name: replace(one, attributes={**one.attributes, "allow_missing": True})
        for name, one in group.items()
    }


def _model(
    protocol: MeasuredProtocol, settings: FitSettings, operators: str | Path | None
) -> TableModel:
    if settings.model != "physical":
        return table_model(settings.model, **settings.options)
    # Other fits start without the room of cells in memory.
    from torrey.inversion.cell_runs import cell_model

    assert operators is not None
    return cell_model(settings.options, protocol, operators)


def _fit(
    model: TableModel,
    data: VoxelData,
    settings: FitSettings,
    limits: Mapping[str, Any],
    progress: Progress,
) -> TableFit:
    protocol, signals, sigma = data.protocol, data.signals, data.sigma
    empty = not len(signals)
    if empty:  # a fit of nothing has the names and units of any other
        signals = np.full((1, len(protocol)), np.nan)
        sigma = None if sigma is None else np.ones((1, *sigma.shape[1:]))
    if model.powder and not protocol.powder:
        shells = powder_average(protocol, signals, sigma)
        protocol, signals = shells.protocol, shells.signals
        if shells.errors is not None:
            sigma = shells.errors * np.sqrt(protocol.weights)

    def fit(rows: slice, lost: bool = False) -> TableFit:
        return fit_table(
            model,
            protocol,
            np.full_like(signals[rows], np.nan) if lost else signals[rows],
            None if sigma is None else sigma[rows],
            settings.noise,
            intervals=settings.intervals,
            curves=data.voxels is not None and (data.total or len(data)) <= _DRAWN,
            starts=settings.starts,
            seed=settings.seed,
            dictionary=_FEW if settings.model == "physical" else _MANY,
            progress=untold if empty else progress,
            **limits,
        )

    found = _bisected(fit, 0, len(signals))
    return _rows(found, slice(0, 0)) if empty else found


def _bisected(fit: Callable[..., TableFit], begin: int, end: int) -> TableFit:
    """Fit voxels together; where the arithmetic fails, halves of them, down to the one at fault."""
    rows = slice(begin, end)
    try:
        return fit(rows)
    except (np.linalg.LinAlgError, ArithmeticError):
        if end - begin == 1:
            nothing = fit(rows, lost=True)
            return replace(nothing, status=np.full_like(nothing.status, _FAILED))
    middle = (begin + end) // 2
    return _joined([_bisected(fit, begin, middle), _bisected(fit, middle, end)])


def _arrays(fit: TableFit) -> dict[str, Any]:
    return {
        one.name: getattr(fit, one.name)
        for one in fields(fit)
        if isinstance(getattr(fit, one.name), np.ndarray)
    }


def _rows(fit: TableFit, rows: slice) -> TableFit:
    return replace(fit, **{name: values[rows] for name, values in _arrays(fit).items()})


def _joined(fits: Sequence[TableFit]) -> TableFit:
    names = _arrays(fits[0])
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in fits]) for name in names
    }
    return replace(fits[0], **joined)
