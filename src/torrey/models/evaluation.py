"""Models by their names, over a whole sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.errors import InputError
from torrey.cell.operators import BlochTorrey
from torrey.gradients.protocol import group_measurements
from torrey.gradients.sweep import Sweep

# What the registry imports by its name is imported here too: the digest of the code behind a job
# follows import statements alone.
from torrey.models import expansion, kurtosis, lumped, projection, registry  # noqa: F401
from torrey.models.model import TIME_TOLERANCE, Model, SmallModel
from torrey.models.registry import ModelName

#: Differences between two meshes over-estimate the error of the finer one by about three.
_SPACE_DIVISOR = 5.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ModelTable:
    """Signals of models over a sweep.

    Attributes
    ----------
    models : tuple of str
    signal : (n_models, n_levels, *sweep) complex
        On every mesh, coarsest first.
    growth : (n_models, *sweep) float
        Largest growth rate over the waveform (1/ms) on the finest mesh: above zero the model is
        unstable at that point (KL23 remark 4.4).
    """

    models: tuple[str, ...]
    signal: NDArray[np.complex128]
    growth: Array

    def space_error(self) -> Array:
        """Absolute estimate of the error on the finest mesh, shape (n_models, *sweep)."""
        if self.signal.shape[1] < 2:
            raise ValueError(
                "one mesh gives no error estimate: allow mesh.refinements of 1 or more"
            )
        with np.errstate(invalid="ignore"):  # an unstable model may have overflowed on both
            change = np.abs(self.signal[:, -1] - self.signal[:, -2])
        return change / _SPACE_DIVISOR + TIME_TOLERANCE


def evaluate_models(
    levels: Sequence[BlochTorrey], sweep: Sweep, models: Sequence[str]
) -> ModelTable:
    """Signals of models at all points of a sweep, on every mesh.

    Models do not depend on which others are asked for with them; together they share correctors.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    sweep : Sweep
    models : sequence of str
        One or more names: see `torrey.models.registry`.

    Raises
    ------
    InputError
        If there is no model of a name.
    """
    cells = np.array(list(sweep.cells()))
    period, sigma = cells[:, :1], cells[:, 1:] / cells[:, :1]
    measurements = sweep.protocol.measurements
    signal = np.empty((len(models), len(levels), len(cells), len(measurements)), dtype=complex)
    growth = np.empty((len(models), len(cells), len(measurements)))
    groups = group_measurements(measurements)
    for level, operators in enumerate(levels):
        finest = level == len(levels) - 1
        for axes, members in groups.items():
            built = build_models(operators, np.array(axes), models)
            for (waveform, rows), (i, model) in product(members.items(), enumerate(built)):
                at = waveform, np.array([measurements[row].q for row in rows]), period, sigma
                signal[i, level][:, rows] = model.signal(*at)
                if finest:
                    growth[i][:, rows] = model.growth(*at)
    return ModelTable(
        tuple(models),
        signal.reshape(len(models), len(levels), *sweep.shape),
        growth.reshape(len(models), *sweep.shape),
    )


def build_models(operators: BlochTorrey, frame: ArrayLike, models: Sequence[str]) -> list[Model]:
    """Models by name, for gradients along a direction or several axes.

    Those of one kind are built together, so that orders share correctors.

    Raises
    ------
    InputError
        If there is no model of a name, or it is the reference.
    """
    wanted = [registry.parse(model) for model in models]
    built: dict[ModelName, Model] = {}
    for kind in dict.fromkeys(name.kind for name in wanted):
        if kind.build is None:
            raise InputError(kind.pattern, "a model of the cell, such as R2")
        orders = sorted({name.order for name in wanted if name.kind is kind})
        found = kind.build(operators, frame, orders)
        built |= {ModelName(kind, n): model for n, model in zip(orders, found, strict=True)}
    return [built[name] for name in wanted]


def build_systems(
    operators: BlochTorrey, frame: ArrayLike, models: Sequence[str]
) -> list[SmallModel]:
    """The same, of kinds whose models are systems with rate matrices.

    Raises
    ------
    InputError
        If there is no model of a name, or it has no rate matrices.
    """
    for model in models:
        if not registry.kind_of(model).is_system:
            raise InputError(model, "a model with rate matrices, such as R2")
    return cast(list[SmallModel], build_models(operators, frame, models))
