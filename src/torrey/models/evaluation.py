"""Models by their names, over a whole sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.errors import InputError
from torrey.base.progress import Progress, Steps, untold
from torrey.cell.operators import BlochTorrey
from torrey.cell.refinement import ONE_MESH, last_change
from torrey.gradients.protocol import Axes, group_measurements
from torrey.gradients.sweep import Sweep

# What the registry imports by its name is imported here too: the digest of the code behind a job
# follows import statements alone.
from torrey.models import expansion, kurtosis, lumped, projection, registry  # noqa: F401
from torrey.models.model import TIME_TOLERANCE, Model, SmallModel
from torrey.models.registry import ModelName

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True)
class ModelTable:
    """Signals of models over a sweep.

    Attributes
    ----------
    models : tuple of str
    signal : (n_models, n_levels, *sweep) complex
        On every mesh, coarsest first.
    growth, amplification : (n_models, *sweep) float
        The largest rate (1/ms) at which a state grows, and the largest factor, on the finest mesh:
        see `torrey.models.model.Stability`.
    has_corners : bool
        Whether water turns around corners, where errors fall slowly: see `torrey.cell.corners`.
    """

    models: tuple[str, ...]
    signal: NDArray[np.complex128]
    growth: Array
    amplification: Array
    has_corners: bool = False

    def space_error(self) -> Array:
        """Absolute estimate of the error on the finest mesh, shape (n_models, *sweep)."""
        if self.signal.shape[1] < 2:
            raise ValueError(ONE_MESH)
        with np.errstate(invalid="ignore"):  # an unstable model may have overflowed on both
            change = last_change(self.signal[:, -2], self.signal[:, -1], self.has_corners)
        return change + TIME_TOLERANCE


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
    (table,) = evaluate_many(levels, [(sweep, models)])
    return table


def evaluate_many(
    levels: Sequence[BlochTorrey],
    wanted: Sequence[tuple[Sweep, Sequence[str]]],
    progress: Progress = untold,
) -> list[ModelTable]:
    """Signals of models over several sweeps, each as if it were alone.

    What is built of a mesh and axes is built once for all of them.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    wanted : sequence of (Sweep, sequence of str)
        Each sweep with the names of its models.
    progress : Progress
        Is told how many models are built on each mesh, and how many tables are evaluated there.

    Raises
    ------
    InputError
        If there is no model of a name.
    """
    names: dict[Axes, dict[str, None]] = {}
    for sweep, models in wanted:
        for axes in group_measurements(sweep.protocol.measurements):
            names.setdefault(axes, {}).update(dict.fromkeys(models))
    signals: list[list[ComplexArray]] = [[] for _ in wanted]
    for operators in levels:
        where = f"on a mesh with {operators.cell.n_dofs:,} unknowns"
        built = _build(operators, names, Steps(progress, f"models {where}", len(names)))
        told = Steps(progress, f"signals of models {where}", len(wanted))
        for found, (sweep, models) in zip(signals, wanted, strict=True):
            found.append(_signals(sweep, models, built))
            told()
    return [
        ModelTable(
            tuple(models),
            np.stack(found, axis=1),
            *_stabilities(sweep, models, built),
            operators.has_corners,
        )
        for found, (sweep, models) in zip(signals, wanted, strict=True)
    ]


def evaluate_stability(
    operators: BlochTorrey, sweep: Sweep, models: Sequence[str]
) -> tuple[Array, Array]:
    """Growth and amplification of models at all points of a sweep, without their signals.

    Parameters
    ----------
    operators : BlochTorrey
    sweep : Sweep
    models : sequence of str
        One or more names: see `torrey.models.registry`.

    Returns
    -------
    growth, amplification : (n_models, *sweep) float
        See `ModelTable`.

    Raises
    ------
    InputError
        If there is no model of a name.
    """
    built = {
        axes: dict(zip(models, build_models(operators, np.array(axes), models), strict=True))
        for axes in group_measurements(sweep.protocol.measurements)
    }
    return _stabilities(sweep, models, built)


Built = Mapping[Axes, Mapping[str, Model]]


def _build(
    operators: BlochTorrey, names: Mapping[Axes, Mapping[str, None]], told: Steps
) -> dict[Axes, Mapping[str, Model]]:
    """Models by the axes of the gradients and by their names."""
    built: dict[Axes, Mapping[str, Model]] = {}
    for axes, known in names.items():
        models = build_models(operators, np.array(axes), list(known))
        built[axes] = dict(zip(known, models, strict=True))
        told()
    return built


def _signals(sweep: Sweep, models: Sequence[str], built: Built) -> ComplexArray:
    """Signals of the models at all points, shape (n_models, *sweep)."""
    (signal,) = _over(sweep, models, built, lambda model, *at: (model.signal(*at),))
    return signal


def _stabilities(sweep: Sweep, models: Sequence[str], built: Built) -> tuple[Array, Array]:
    """Growth and amplification of the models at all points, shapes (n_models, *sweep)."""

    def both(model: Model, *at: Any) -> tuple[Array, Array]:
        found = model.stability(*at)
        return found.growth, found.amplification

    growth, amplification = _over(sweep, models, built, both)
    return growth, amplification


def _over(
    sweep: Sweep,
    models: Sequence[str],
    built: Built,
    evaluate: Callable[..., tuple[NDArray[Any], ...]],
) -> list[NDArray[Any]]:
    """What is found of the models at all points, shapes (n_models, *sweep)."""
    cells = np.array(list(sweep.cells()))
    period, sigma = cells[:, :1], cells[:, 1:] / cells[:, :1]
    measurements = sweep.protocol.measurements
    tables: list[NDArray[Any]] = []
    for axes, members in group_measurements(measurements).items():
        for (waveform, rows), (i, name) in product(members.items(), enumerate(models)):
            q = np.array([measurements[row].q for row in rows])
            found = evaluate(built[axes][name], waveform, q, period, sigma)
            if not tables:
                shape = (len(models), len(cells), len(measurements))
                tables = [np.empty(shape, dtype=values.dtype) for values in found]
            for table, values in zip(tables, found, strict=True):
                table[i][:, rows] = values
    return [table.reshape(len(models), *sweep.shape) for table in tables]


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
