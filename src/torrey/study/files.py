"""Tables of a study, made of the files of its points and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Group, Variable, group_of
from torrey.gradients.axes import MAY_OVERFLOW, axis_variable, coordinates, measurement_variables
from torrey.gradients.slabs import join, slabs_of
from torrey.gradients.sweep import REFERENCE, Sweep
from torrey.models.validity import (
    amplification_variable,
    describe,
    growth_variable,
    known,
    validity,
    validity_variable,
)
from torrey.reference.methods import method_variable, read_methods
from torrey.study.averages import average_variables
from torrey.study.fits import fit_lines
from torrey.study.orders import orders_of

PathLike = str | Path


def gather_signals(
    sweep: Sweep, models: Sequence[str], references: Sequence[PathLike], slabs: Sequence[PathLike]
) -> Group:
    """Join the reference signals and those of the models into the table of ``signals.nc``.

    Parameters
    ----------
    sweep : Sweep
    models : sequence of str
        In the order wanted; may contain ``reference``.
    references : sequence of path
        Files of the reference signals in full, in the order of the points; or none.
    slabs : sequence of path
        Files of the slabs of the sweep: those of the reference by projected models, if it is not
        given in full, and then those of each of the other models.
    """
    dims = ("model", *sweep.axes())
    shape = (len(models), *sweep.shape)
    signal = np.zeros(shape, dtype=complex)
    error, growth = np.zeros(shape), np.full(shape, np.nan)
    amplification = np.ones(shape)  # the reference dissipates
    coarse = {}
    tables = _read_slabs(sweep, models, slabs, projected=not references)
    for name, table in tables.items():
        if name != REFERENCE:
            i = list(models).index(name)
            signal[i], error[i], growth[i] = table["signal"], table["error"], table["growth"]
            coarse[i], amplification[i] = table["coarse"], table["amplification"]
    variables = {"model": Variable(("model",), np.array(models), "", "reference or model")}
    if REFERENCE in models:
        i = list(models).index(REFERENCE)
        points = _read_points(sweep, references) if references else tables[REFERENCE]
        signal[i], error[i] = points["signal"], points["error"]
        variables |= _reference_variables(sweep, points)
        if coarse:
            variables |= _model_errors(dims, shape, coarse, points)
    marks = validity(signal, error, amplification)
    averages = average_variables(sweep, signal, error, marks != 0)
    signal, error = known(signal), known(error)
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
        "growth_rate": growth_variable(dims, growth),
        "amplification": amplification_variable(dims, amplification),
        "validity": validity_variable(dims, marks),
        **averages,
        **measurement_variables(sweep),
        **coordinates(sweep),
    }


def meaningless_signals(table: Group) -> list[str]:
    """What the log of a run says of signals in a table that mean nothing, model by model.

    Parameters
    ----------
    table : Group
        See `gather_signals`.
    """
    marks = table["validity"]
    axes = {dim: np.asarray(table[dim].values).tolist() for dim in marks.dims if dim in table}
    units = {dim: table[dim].units for dim in axes}
    return describe(np.asarray(marks.values), axes.pop("model"), axes, units)


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
    error, sound = np.abs(data["model_error"][rows]), data["validity"][rows] == 0
    found = orders_of(models, data["period"], error, data["model_error_floor"], sound)
    sweep = artifacts.dimensions(signals, "model_error")[1:]
    line = tuple(dim for dim in sweep if dim != "period")
    axes = {dim: axis_variable(dim, data[dim]) for dim in sweep}
    return {**group_of(found, sweep=sweep, line=line), **axes}


def fit_kurtoses(signals: PathLike) -> Group:
    """Apparent diffusion coefficient and kurtosis along b, for every line of a study's table."""
    data = artifacts.read(signals)
    dims = artifacts.dimensions(signals, "signal_real")
    b_axis = next(dims.index(name) for name in ("b", "q", "gradient") if name in dims)
    line = tuple(dim for i, dim in enumerate(dims) if i != b_axis)
    signal, error, marks = (
        np.moveaxis(data[name], b_axis, -1)
        for name in ("signal_real", "numerical_error", "validity")
    )
    # b does not depend on all axes of the line: its table gets axes of length one for the others.
    along = artifacts.dimensions(signals, "b_value")
    lengths = dict(zip(along, data["b_value"].shape, strict=True))
    b = data["b_value"].reshape(*(lengths.get(dim, 1) for dim in line), -1)
    found = fit_lines(np.broadcast_to(b, signal.shape), signal, error, marks == 0)
    axes = {dim: axis_variable(dim, data[dim]) for dim in line if dim != "model"}
    if "model" in line:
        axes["model"] = Variable(("model",), data["model"], "", "reference or model")
    return {**axes, **group_of(found, line=line)}


Table = dict[str, NDArray[Any]]


def _read_slabs(
    sweep: Sweep, models: Sequence[str], files: Sequence[PathLike], projected: bool
) -> dict[str, Table]:
    """Signals and what is known of them, by model, in the shape of the sweep."""
    slabs = slabs_of(sweep)
    names = [model for model in models if model != REFERENCE]
    if projected and REFERENCE in models:
        names.insert(0, REFERENCE)
    tables = {}
    for number, name in enumerate(names):
        read = _reference if name == REFERENCE else _model
        part = files[number * len(slabs) : (number + 1) * len(slabs)]
        found = [read(artifacts.read(file)) for file in part]
        tables[name] = {
            key: join(sweep, slabs, [table[key] for table in found]) for key in found[0]
        }
    return tables


def _model(data: Mapping[str, NDArray[Any]]) -> Table:
    signal = data["signal_real"] + 1j * data["signal_imag"]
    return {
        "signal": signal[-1],
        "coarse": signal[0],
        "error": data["space_error"],
        "growth": data["growth_rate"],
        "amplification": data["amplification"],
    }


def _read_points(sweep: Sweep, files: Sequence[PathLike]) -> Table:
    """Reference signals in full, in the shape of the sweep."""
    points = [_reference(artifacts.read(file)) for file in files]
    return {
        key: np.array([point[key] for point in points]).reshape(sweep.shape) for key in points[0]
    }


def _reference(data: Mapping[str, NDArray[Any]]) -> Table:
    """Signals and errors of one point in full, or of a slab by projected models."""
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
            dims, points["steps"], "1", "time steps for a change of F by one, 0: a series in q"
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
