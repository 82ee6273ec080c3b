"""Homogenised models of a study as NetCDF files: signals, and eigenvalues along the waveform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable, group_of, stored
from torrey.cell.operators import BlochTorrey
from torrey.gradients.axes import MAY_OVERFLOW, coordinates
from torrey.gradients.protocol import group_measurements
from torrey.gradients.sweep import Product, Sweep
from torrey.models.evaluation import ModelTable, build_systems
from torrey.models.registry import kind_of
from torrey.models.validity import amplification_variable, growth_variable, known


@dataclass(frozen=True)
class Eigenvalues:
    """Eigenvalues of rate matrices along the waveforms of a sweep.

    Attributes
    ----------
    models : tuple of str
    time : (..., n_instants) float
        The axes on which the waveform depends come first.
    eigenvalue : (n_models, ..., n_instants, n) float
        The axes of the sweep in the middle; models with fewer eigenvalues have gaps.
    """

    models: tuple[str, ...] = field(
        metadata=stored(("model",), "", "homogenised model", name="model")
    )
    time: NDArray[np.float64] = field(
        metadata=stored(("*times", "instant"), "ms", "time in the waveform")
    )
    eigenvalue: NDArray[np.float64] = field(
        metadata=stored(
            ("model", "*sweep", "instant", "eigenvalue"),
            "ms-1",
            "real part of the eigenvalues of G, smallest first",
            name="eigenvalue_real",
            allow_missing=True,
        )
    )


def write_model(path: str | Path, table: ModelTable, sweep: Sweep, provenance: Provenance) -> None:
    """Write the signals of one homogenised model over a slab, on every mesh."""
    axes = tuple(sweep.axes())
    (signal,), (growth,), (error,) = table.signal, table.growth, table.space_error()
    (amplification,) = table.amplification
    signal, error = (known(values) for values in (signal, error))
    dims = ("level", *axes)
    variables = {
        "model": Variable((), np.array(table.models[0]), "", "homogenised model"),
        "signal_real": Variable(dims, signal.real, "1", "signal, real part", MAY_OVERFLOW),
        "signal_imag": Variable(dims, signal.imag, "1", "signal, imaginary part", MAY_OVERFLOW),
        "space_error": Variable(
            axes, error, "1", "estimated error of the finest mesh, absolute", MAY_OVERFLOW
        ),
        "growth_rate": growth_variable(axes, growth),
        "amplification": amplification_variable(axes, amplification),
        **coordinates(sweep),
    }
    artifacts.write(path, variables, provenance)


def eigenvalue_table(
    operators: BlochTorrey, sweep: Sweep, models: Sequence[str], instants: int = 181
) -> Group:
    """Eigenvalues of the models' rate matrices along the waveform (KL23 figure 9).

    Models without rate matrices, such as the Pade form, are left out.
    """
    models = [model for model in models if kind_of(model).is_system]
    axes, protocol = sweep.axes(), sweep.protocol
    cells = np.array(list(sweep.cells()))
    # Instants lie off the jumps of the gradient.
    fraction = (np.arange(instants) + 0.5) / instants
    built = {
        axes: build_systems(operators, np.array(axes), models)
        for axes in group_measurements(protocol.measurements)
    }
    width = max(len(model.start) for group in built.values() for model in group)
    n = len(protocol.measurements)
    eigenvalues = np.full((len(models), len(cells), n, instants, width), np.nan)
    time = np.empty((n, instants))
    for row, m in enumerate(protocol.measurements):
        time[row] = m.waveform.echo_time * fraction
        for i, model in enumerate(built[tuple(map(tuple, m.frame.tolist()))]):
            jets = m.q * m.waveform.sample(time[row], model.n_derivatives)
            here = [model.during(segment) for segment in m.waveform.segments_at(time[row])]
            for cell, (period, kappa) in enumerate(cells):
                G = np.array(
                    [
                        one.matrix(jet, period, kappa / period)
                        for one, jet in zip(here, jets, strict=True)
                    ]
                )
                values = np.sort(np.linalg.eigvals(G).real, axis=-1)
                eigenvalues[i, cell, row, :, : len(model.start)] = values
    shape = tuple(len(values) for values in protocol.axes().values())
    time = time.reshape(*shape, instants)
    names = tuple(protocol.axes())
    if isinstance(protocol, Product):  # neither strength nor direction change the times
        names, time = tuple(protocol.shapes.axes), time[..., 0, 0, :]
    real = eigenvalues.reshape(len(models), *sweep.shape, instants, width)
    found = Eigenvalues(tuple(models), time, real)
    return {**group_of(found, sweep=tuple(axes), times=names), **coordinates(sweep)}
