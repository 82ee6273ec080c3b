"""Tables of a study, made of the files of its points and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.artifacts import Group, Variable
from torrey.gradients.axes import AXIS_UNITS, MAY_OVERFLOW, coordinates, measurement_variables
from torrey.gradients.sweep import REFERENCE, Index, Sweep
from torrey.reference.methods import method_variable, read_methods
from torrey.study.fits import fit_kurtosis
from torrey.study.orders import Order, fit_order

PathLike = str | Path


def gather_signals(
    sweep: Sweep,
    models: Sequence[str],
    references: Mapping[Index, PathLike] | PathLike | None,
    model_table: PathLike | None,
) -> Group:
    """Join the reference signals and those of the models into one table.

    Parameters
    ----------
    sweep : Sweep
    models : sequence of str
        In the order wanted; may contain ``reference``.
    references : mapping or path, optional
        File of the reference signal by index of the point, or one file with all of them by
        projected models.
    model_table : path, optional
        File of the homogenised models.

    Returns
    -------
    Group
        Variables of ``signals.nc``.
    """
    dims = ("model", *sweep.axes())
    shape = (len(models), *sweep.shape)
    signal = np.zeros(shape, dtype=complex)
    error, growth = np.zeros(shape), np.full(shape, np.nan)
    coarse = {}
    if model_table is not None:
        table = artifacts.read(model_table)
        values = table["signal_real"] + 1j * table["signal_imag"]
        for row, name in enumerate(table["model"]):
            i = list(models).index(name)
            signal[i], error[i] = values[row, -1], table["space_error"][row]
            growth[i] = table["growth_rate"][row]
            coarse[i] = values[row, 0]
    variables = {"model": Variable(("model",), np.array(models), "", "reference or model")}
    if references:
        i = list(models).index(REFERENCE)
        points = _read_references(sweep, references)
        signal[i], error[i] = points["signal"], points["error"]
        variables |= _reference_variables(sweep, points)
        if coarse:
            variables |= _model_errors(dims, shape, coarse, points)
    return {
        **variables,
        "signal_real": Variable(dims, signal.real, "1", "signal, real part", MAY_OVERFLOW),
        "signal_imag": Variable(dims, signal.imag, "1", "signal, imaginary part", MAY_OVERFLOW),
        "numerical_error": Variable(
            dims,
            error,
            "1",
            "estimated error of the discretisation, absolute; not the error of the model",
            MAY_OVERFLOW,
        ),
        "growth_rate": Variable(
            dims,
            growth,
            "ms-1",
            "largest growth rate of a homogenised model; above zero it is unstable",
            {"allow_missing": True},
        ),
        **measurement_variables(sweep),
        **coordinates(sweep),
    }


def fit_orders(signals: PathLike, models: Sequence[str]) -> Group:
    """Orders of the model errors in the period, along every line of the sweep.

    Parameters
    ----------
    signals : path
        A ``signals.nc`` with a reference and more than one period.
    models : sequence of str
        Homogenised models in it.
    """
    data = artifacts.read(signals)
    names = list(data["model"])
    rows = [names.index(model) for model in models]
    error = np.abs(data["model_error"][rows])
    floor = data["model_error_floor"]
    periods = data["period"]
    orders = np.empty((len(rows), *error.shape[2:]))
    spread, constant = np.full_like(orders, np.nan), np.full_like(orders, np.nan)
    used = np.zeros(error.shape, dtype=np.int8)
    orders[...] = np.nan
    for index in np.ndindex(orders.shape):
        i, rest = index[0], index[1:]
        try:
            fit: Order = fit_order(
                periods, error[(i, slice(None), *rest)], floor[(slice(None), *rest)]
            )
        except ValueError:  # a line below its numerical error has no order: left missing
            continue
        orders[index], spread[index], constant[index] = fit.order, fit.standard_error, fit.constant
        used[(i, list(fit.used), *rest)] = 1
    dims = artifacts.dimensions(signals, "model_error")
    line = tuple(dim for dim in dims if dim != "period")
    axes = {dim: Variable((dim,), data[dim], *AXIS_UNITS[dim]) for dim in dims if dim in AXIS_UNITS}
    missing = {"allow_missing": True}
    return {
        "model": Variable(("model",), np.array(models), "", "homogenised model"),
        "error": Variable(
            dims, error, "1", "|S_model - S_reference| in the same finite-element space", missing
        ),
        "error_floor": Variable(dims[1:], floor, "1", "numerical error of that difference"),
        "order": Variable(line, orders, "1", "fitted order of the error in the period", missing),
        "order_standard_error": Variable(
            line, spread, "1", "standard error of the fitted order", missing
        ),
        "constant": Variable(line, constant, "1", "error = constant * period^order", missing),
        "used": Variable(dims, used, "1", "1 for the points of the fit"),
        **axes,
    }


def fit_kurtoses(signals: PathLike) -> Group:
    """Apparent diffusion coefficient and kurtosis along b, for every line of a study's table."""
    data = artifacts.read(signals)
    dims = artifacts.dimensions(signals, "signal_real")
    b_axis = next(dims.index(name) for name in ("b", "q", "gradient") if name in dims)
    line = tuple(dim for i, dim in enumerate(dims) if i != b_axis)
    signal = np.moveaxis(data["signal_real"], b_axis, -1)
    error = np.moveaxis(data["numerical_error"], b_axis, -1)
    fields = ("adc", "kurtosis", "s0", "adc_error", "kurtosis_error", "residual")
    fitted = {name: np.full(signal.shape[:-1], np.nan) for name in fields}
    b_dims = artifacts.dimensions(signals, "b_value")[:-1]
    for index in np.ndindex(signal.shape[:-1]):
        here = tuple(index[line.index(name)] for name in b_dims)
        try:
            fit = fit_kurtosis(data["b_value"][here], signal[index], error[index])
        except ValueError:  # an unstable model may have no positive signal: left missing
            continue
        for name in fields:
            fitted[name][index] = getattr(fit, name)
    labels = {
        "adc": ("um2 ms-1", "apparent diffusion coefficient"),
        "kurtosis": ("1", "apparent kurtosis"),
        "s0": ("1", "signal at b = 0 of the fit"),
        "adc_error": ("um2 ms-1", "numerical error of the apparent diffusion coefficient"),
        "kurtosis_error": ("1", "numerical error of the apparent kurtosis"),
        "residual": ("1", "largest misfit of log S"),
    }
    axes = {
        dim: Variable((dim,), data[dim], *AXIS_UNITS.get(dim, ("", "reference or model")))
        for dim in line
        if dim != "direction"
    }
    values = {name: Variable(line, fitted[name], *labels[name], MAY_OVERFLOW) for name in fields}
    return {**axes, **values}


def _read_references(
    sweep: Sweep, files: Mapping[Index, PathLike] | PathLike
) -> dict[str, NDArray[Any]]:
    if not isinstance(files, Mapping):
        return _reference(artifacts.read(files))
    points: dict[str, NDArray[Any]] = {}
    for index, file in files.items():
        for name, value in _reference(artifacts.read(file)).items():
            points.setdefault(name, np.zeros(sweep.shape, dtype=value.dtype))[index] = value
    return points


def _reference(data: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Signals and errors of one point in full, or of a table by projected models."""
    full = "basis_error" not in data
    basis = np.zeros_like(data["space_error"]) if full else data["basis_error"]
    floor = data["coarse_time_error"] if full else data["coarse_error"]
    return {
        "signal": data["signal_real"] + 1j * data["signal_imag"],
        "coarse": data["coarse_signal_real"] + 1j * data["coarse_signal_imag"],
        "error": data["space_error"] + data["time_error"] + basis,
        "floor": floor,
        "level": data["level"],
        "steps": data["steps"],
        "method": np.full(data["level"].shape, "full") if full else read_methods(data["method"]),
        "rung": np.zeros_like(data["level"]) if full else data["rung"],
    }


def _reference_variables(sweep: Sweep, points: Mapping[str, NDArray[Any]]) -> Group:
    dims = tuple(sweep.axes())
    return {
        "reference_level": Variable(dims, points["level"], "1", "mesh of the reference signal"),
        "reference_steps": Variable(
            dims, points["steps"], "1", "time steps for a change of F by one"
        ),
        "reference_method": method_variable(dims, points["method"]),
        "reference_rung": Variable(
            dims, points["rung"], "1", "rung of the ladder of projected models; 0 for other methods"
        ),
    }


def _model_errors(
    dims: tuple[str, ...],
    shape: tuple[int, ...],
    coarse: Mapping[int, NDArray[np.complex128]],
    points: Mapping[str, NDArray[Any]],
) -> Group:
    """Difference of model and reference on the coarsest mesh: the mesh error cancels."""
    difference = np.full(shape, np.nan)
    for i, values in coarse.items():
        difference[i] = np.abs(values - points["coarse"])
    return {
        "model_error": Variable(
            dims,
            difference,
            "1",
            "|S_model - S_reference|, both on the coarsest mesh",
            {"allow_missing": True},
        ),
        "model_error_floor": Variable(
            dims[1:], points["floor"], "1", "numerical error of model_error"
        ),
    }
