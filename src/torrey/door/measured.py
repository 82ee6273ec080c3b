"""Fits of tables of measured signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray

from torrey.base.budgets import quoted
from torrey.base.errors import InputError, either
from torrey.config.data_fits import UNIT_KINDS
from torrey.door.labels import dataset
from torrey.door.quantities import argument, arguments, is_number, quantity
from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.signal_tables import read_signal_table
from torrey.inversion.table_checks import check_compared, check_fit
from torrey.inversion.table_model import TableModel
from torrey.inversion.table_models import table_model
from torrey.inversion.table_report import report
from torrey.inversion.table_runs import fit_part
from torrey.inversion.voxel_data import VoxelData

if TYPE_CHECKING:
    from torrey.door.quantities import Quantity


def fit(
    table: str | Path,
    model: str = "karger",
    *,
    sigma: float | None = None,
    noise: Literal["gaussian", "rician"] = "gaussian",
    fixed: Mapping[str, Quantity] | None = None,
    bounds: Mapping[str, Sequence[Quantity]] | None = None,
    intervals: bool = True,
    compare: Sequence[str] = (),
    starts: int = 3,
    seed: int = 1,
    **options: bool | Quantity,
) -> xarray.Dataset:
    """Fit a model of exchange to a table of measured signals.

    Parameters
    ----------
    table : path
        A file of named columns with units, ``b (s/mm^2), delta (ms), Delta (ms), x, y, z, S``, and
        ``voxel`` if there are several: see docs/fits.md.
    model : str
        ``karger``, ``karger-tensor``, ``nexi``, ``smex``, ``sandix`` or ``fexi-axr``.
    sigma : float, optional
        Noise of one signal, in the place of such a column; without both, the misfit tells it.
    noise : {"gaussian", "rician"}
    fixed, bounds : mapping, optional
        By parameter: a value that is not fitted, or the least and the most.
    intervals : bool
        Whether profile likelihoods are wanted.
    compare : sequence of str
        Models whose information criteria are told beside those of the model.
    starts, seed : int
        Starts of each fit, and the seed of the points of which they are the best.
    **options
        ``anisotropic`` of nexi, smex and sandix, ``D_sphere`` of sandix.

    Returns
    -------
    Dataset
        What ``fit.nc`` of an inversion holds, over ``voxel``: each parameter with its ``_error``,
        ``_lower`` and ``_upper``. What cannot be identified is not a number.

    Raises
    ------
    InputError
        If the table cannot be read, or the model not be fitted to it.
    """
    with argument("fit", "table"):
        read = read_signal_table(Path(table))
    with argument("fit", "model"):
        given = _options(options)
        chosen = table_model(model, **given)
    held, limits = _values(chosen, fixed or {}, bounds or {})
    settings = FitSettings(
        model, given, held, limits, intervals, starts, seed, noise, tuple(compare)
    )
    _check_noise(sigma)
    return _fitted(VoxelData.of_table(read, sigma), chosen, settings)


def _check_noise(sigma: float | None) -> None:
    with argument("fit", "sigma"):
        if sigma is not None and not (is_number(sigma) and 0.0 < sigma < np.inf):
            raise InputError(quoted(str(sigma)), "a number above 0 in the units of the signals")


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a model with their quantities in internal units."""
    given = dict(options)
    if "D_sphere" in given:
        given["D_sphere"] = quantity(given["D_sphere"], "diffusivity")
    return given


def _values(
    chosen: TableModel, fixed: Mapping[str, Quantity], bounds: Mapping[str, Sequence[Quantity]]
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    with argument("fit", "bounds"):
        limits = {name: _pair(chosen, name, pair) for name, pair in bounds.items()}
    with argument("fit", "fixed"):
        held = {name: _value(chosen, name, value) for name, value in fixed.items()}
    return held, limits


def _fitted(data: VoxelData, model: TableModel, settings: FitSettings) -> xarray.Dataset:
    known = data.sigma is not None
    with arguments("fit"):
        check_compared(model, settings.compare, data.protocol, known)
    with argument("fit", "model"):
        check_fit(model, data.protocol, settings, known)
        values = {name: np.asarray(one.values) for name, one in fit_part(data, settings).items()}
    group, _ = report([values], data, settings)
    return dataset(group).assign_attrs(model=settings.model, noise_kind=settings.noise)


def _value(model: TableModel, name: str, value: Any) -> float:
    """A value of a parameter in its unit."""
    units = {one.name: one.unit for one in model.parameters}
    if name not in units:
        raise InputError(f'"{name}"', either(units))
    kind = UNIT_KINDS.get(units[name])
    return quantity(value, kind) if kind else float(value)


def _pair(model: TableModel, name: str, pair: Any) -> tuple[float, float]:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise InputError(f"{pair} of {name}", "the least and the most")
    return _value(model, name, pair[0]), _value(model, name, pair[1])
