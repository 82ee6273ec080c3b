"""Homogenised models of a study as NetCDF files: signals, and eigenvalues along the waveform."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from torrey import artifacts
from torrey.artifacts import Group, Variable
from torrey.cell.operators import BlochTorrey
from torrey.provenance import Provenance
from torrey.signals import ModelTable, build_models
from torrey.sweep import Sweep
from torrey.sweep_files import MAY_OVERFLOW, coordinates
from torrey.waveforms import sample


def write_models(path: str | Path, table: ModelTable, sweep: Sweep, provenance: Provenance) -> None:
    """Write the signals of homogenised models over a sweep, on every mesh."""
    dims = ("model", "level", *sweep.axes())
    variables = {
        "model": Variable(("model",), np.array(table.models), "", "homogenised model"),
        "signal_real": Variable(dims, table.signal.real, "1", "signal, real part", MAY_OVERFLOW),
        "signal_imag": Variable(
            dims, table.signal.imag, "1", "signal, imaginary part", MAY_OVERFLOW
        ),
        "space_error": Variable(
            _without(dims, "level"),
            table.space_error(),
            "1",
            "estimated error of the finest mesh, absolute",
            MAY_OVERFLOW,
        ),
        "growth_rate": Variable(
            _without(dims, "level"),
            table.growth,
            "ms-1",
            "largest growth rate over the waveform; above zero the model is unstable",
        ),
        **coordinates(sweep),
    }
    artifacts.write(path, variables, provenance)


def eigenvalue_table(
    operators: BlochTorrey, sweep: Sweep, models: Sequence[str], instants: int = 181
) -> Group:
    """Eigenvalues of the models' rate matrices along the waveform (KL23 figure 9)."""
    built = [build_models(operators, direction, models) for direction in sweep.directions]
    width = max(len(model.start) for model in built[0])
    shape = (len(models), *sweep.shape, instants, width)
    eigenvalues = np.full(shape, np.nan)
    time = np.empty((len(sweep.deltas), len(sweep.Deltas), instants))
    for index, point in sweep.points().items():
        k, l, direction = index[2], index[3], index[5]
        # Instants lie off the jumps of the gradient.
        time[k, l] = point.waveform.echo_time * (np.arange(instants) + 0.5) / instants
        F, slope = sample(point.waveform, time[k, l])
        for i, model in enumerate(built[direction]):
            G = model.matrix(point.q * F, point.q * slope, point.period, point.sigma)
            values = np.sort(np.linalg.eigvals(G).real, axis=-1)
            eigenvalues[(i, *index, slice(None), slice(len(model.start)))] = values
    dims = ("model", *sweep.axes(), "instant", "eigenvalue")
    return {
        "model": Variable(("model",), np.array(models), "", "homogenised model"),
        "time": Variable(("delta", "Delta", "instant"), time, "ms", "time in the waveform"),
        "eigenvalue_real": Variable(
            dims,
            eigenvalues,
            "ms-1",
            "real part of the eigenvalues of G, smallest first; below zero the model is unstable",
            {"allow_missing": True},
        ),
        **coordinates(sweep),
    }


def _without(dims: tuple[str, ...], dim: str) -> tuple[str, ...]:
    return tuple(d for d in dims if d != dim)
