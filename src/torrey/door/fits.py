"""Apparent diffusion coefficient and kurtosis of labelled signals."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray

from torrey.base.budgets import shortened
from torrey.base.errors import InputError
from torrey.door.labels import attributes
from torrey.door.quantities import argument
from torrey.study.fits import fit_kurtosis as fit_line

#: Fields of a fit, with their unit and name.
_FIELDS: Final = {
    "adc": ("um2 ms-1", "apparent diffusion coefficient"),
    "kurtosis": ("1", "apparent kurtosis"),
    "s0": ("1", "signal at b = 0 of the fit"),
    "adc_error": ("um2 ms-1", "numerical error of the apparent diffusion coefficient"),
    "kurtosis_error": ("1", "numerical error of the apparent kurtosis"),
    "residual": ("1", "largest misfit of log S"),
}
_STRENGTHS: Final = ("b", "q", "gradient")


def fit_kurtosis(signal: xarray.DataArray) -> xarray.Dataset:
    """Fit S = S0 exp(-ADC b + AK (ADC b)^2 / 6) along the b-values of signals (KL23 section 6).

    Parameters
    ----------
    signal : DataArray
        As `Cell.signal` returns it, with three b-values or more. Of a complex signal the real part
        is fitted.

    Returns
    -------
    Dataset
        ``adc`` (um^2/ms), ``kurtosis``, ``s0``, ``residual`` of log S, and ``adc_error`` and
        ``kurtosis_error``, what the numerical errors of the signals make of them at worst. Where a
        signal is not positive, as of an unstable model, they are not a number.

    Raises
    ------
    InputError
        If these are no signals with their b-values, or fewer than three.

    Examples
    --------
    >>> import torrey as tr
    >>> cell = tr.Cell(tr.Layers((1.0,)), diffusivity=2.0, period="10 um", permeability=0.01)
    >>> S = cell.signal(tr.Pgse("5 ms", "25 ms"), b=[0, 0.2, 0.4])
    >>> round(float(tr.fit_kurtosis(S).adc), 2)
    0.33
    """
    with argument("fit_kurtosis", "signal"):
        if not isinstance(signal, xarray.DataArray):
            raise InputError(shortened(str(signal)), "signals as Cell.signal returns them")
        if "b" not in signal.coords:
            raise InputError("an array without its b-values", "a coordinate b, in ms/um^2")
    along = next((name for name in _STRENGTHS if name in signal.dims), None)
    if along is None or signal.sizes[along] < 3:
        count = 1 if along is None else signal.sizes[along]
        where = (f"fit_kurtosis({signal.name or 'signal'})",)
        raise InputError(f"signals at {count} b-values", "three different b-values or more", where)
    error = signal.coords.get("numerical_error", xarray.zeros_like(signal.real))
    values, errors, b = (
        x.transpose(..., along) for x in xarray.broadcast(signal.real, error, signal.b)
    )
    lines = {dim: values.sizes[dim] for dim in values.dims if dim != along}
    fitted = {name: np.full(tuple(lines.values()), np.nan) for name in _FIELDS}
    for index in np.ndindex(*lines.values()):
        if not np.all(values.values[index] > 0.0):
            continue
        fit = fit_line(b.values[index], values.values[index], errors.values[index])
        for name in _FIELDS:
            fitted[name][index] = getattr(fit, name)
    variables = {name: (tuple(lines), fitted[name], attributes(*_FIELDS[name])) for name in _FIELDS}
    kept = {name: c for name, c in signal.coords.items() if along not in c.dims}
    return xarray.Dataset(variables, kept)


def with_error(fit: xarray.Dataset, name: str) -> xarray.DataArray:
    """One result of such a fit with its error for a coordinate."""
    return fit[name].assign_coords(numerical_error=fit[f"{name}_error"])
