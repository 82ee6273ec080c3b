"""Signals of a study: homogenised models over a whole sweep, and the tables that gather them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.cell.operators import BlochTorrey
from torrey.gradients.protocol import Measurement
from torrey.gradients.sweep import Sweep
from torrey.gradients.waveforms import Waveform
from torrey.models.expansion import expand
from torrey.models.integration import growth_rate, model_signal
from torrey.models.kurtosis import PADE, PadeModel, build_pade
from torrey.models.projection import ProjectedModel, project
from torrey.models.rates import RateModel, SmallModel
from torrey.models.tensors import lump, papers_tensors, rate_matrices

#: Differences between two meshes over-estimate the error of the finer one by about three.
_SPACE_DIVISOR = 5.0
#: Absolute tolerance of the integration of a model in time.
TIME_TOLERANCE = 1e-10

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True)
class ModelName:
    """What the name of a model stands for: R<order>, lumped-R<order>, or P<order>."""

    kind: str
    order: int

    @classmethod
    def parse(cls, name: str) -> ModelName:
        """Read a name.

        Raises
        ------
        ValueError
            If it is not that of a homogenised model.
        """
        found = re.fullmatch(r"(R|P|lumped-R)(\d+)", name)
        if not found:
            raise ValueError(f"found model {name!r}, accepted: R0, R2, ..., P3, ..., lumped-R0")
        return cls(found[1], int(found[2]))


@dataclass(frozen=True)
class ModelTable:
    """Signals of homogenised models over a sweep.

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

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    sweep : Sweep
    models : sequence of str
        ``R0``, ``R2``, ``P4``, ``lumped-R2``, ..., and ``Pade``, which takes all membranes as
        impermeable.
    """
    (table,) = evaluate_many(levels, [(sweep, models)])
    return table


def evaluate_many(
    levels: Sequence[BlochTorrey], wanted: Sequence[tuple[Sweep, Sequence[str]]]
) -> list[ModelTable]:
    """Signals of models over several sweeps, each as if it were alone.

    What is built of a mesh and axes is built once for all of them.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    wanted : sequence of (Sweep, sequence of str)
        Each sweep with the names of its models.
    """
    names: dict[Axes, list[str]] = {}
    for sweep, models in wanted:
        for axes in group_measurements(sweep.protocol.measurements):
            known = names.setdefault(axes, [])
            known.extend(model for model in models if model not in known)
    signals: list[list[ComplexArray]] = [[] for _ in wanted]
    for operators in levels:
        built = {axes: _built(operators, axes, known) for axes, known in names.items()}
        for found, (sweep, models) in zip(signals, wanted, strict=True):
            found.append(_over(sweep, models, built, _signal_of, complex))
    return [
        ModelTable(
            tuple(models), np.stack(found, axis=1), _over(sweep, models, built, _growth_of, float)
        )
        for found, (sweep, models) in zip(signals, wanted, strict=True)
    ]


Built = Mapping[str, "SmallModel | PadeModel"]


def _built(operators: BlochTorrey, axes: Axes, names: Sequence[str]) -> Built:
    return dict(zip(names, _build_all(operators, np.array(axes), names), strict=True))


def _over(
    sweep: Sweep,
    models: Sequence[str],
    built: Mapping[Axes, Built],
    value: Callable[..., NDArray[Any]],
    dtype: type,
) -> NDArray[Any]:
    """Something of the models at all points, shape (n_models, *sweep)."""
    cells = np.array(list(sweep.cells()))
    measurements = sweep.protocol.measurements
    result: NDArray[Any] = np.empty((len(models), len(cells), len(measurements)), dtype=dtype)
    for axes, members in group_measurements(measurements).items():
        for (waveform, rows), (i, name) in product(members.items(), enumerate(models)):
            q = np.array([measurements[row].q for row in rows])
            at = (waveform, q, cells[:, :1], cells[:, 1:] / cells[:, :1])
            result[i][:, rows] = value(built[axes][name], *at)
    return result.reshape(len(models), *sweep.shape)


def _signal_of(
    model: SmallModel | PadeModel, waveform: Waveform, q: Array, period: Array, sigma: Array
) -> NDArray[np.complex128]:
    if isinstance(model, PadeModel):
        return model.signal(waveform, q, period).astype(complex)
    return model_signal(model, waveform, q, period, sigma, TIME_TOLERANCE)


def _growth_of(
    model: SmallModel | PadeModel, waveform: Waveform, q: Array, period: Array, sigma: Array
) -> Array:
    if isinstance(model, PadeModel):
        return np.zeros(np.broadcast_shapes(q.shape, period.shape))
    return growth_rate(model, waveform, q, period, sigma)


Axes = tuple[tuple[float, ...], ...]


def group_measurements(
    measurements: Sequence[Measurement],
) -> dict[Axes, dict[Waveform, list[int]]]:
    """Numbers of the measurements by their axes and then by waveform: what is evaluated at once."""
    groups: dict[Axes, dict[Waveform, list[int]]] = {}
    for i, measurement in enumerate(measurements):
        axes = tuple(map(tuple, measurement.frame.tolist()))
        groups.setdefault(axes, {}).setdefault(measurement.waveform, []).append(i)
    return groups


def _build_all(
    operators: BlochTorrey, frame: Array, models: Sequence[str]
) -> list[SmallModel | PadeModel]:
    """Models by name; the Pade form is no system of differential equations, all others are."""
    systems = iter(build_models(operators, frame, [name for name in models if name != PADE]))
    return [build_pade(operators, frame) if name == PADE else next(systems) for name in models]


def build_models(
    operators: BlochTorrey, frame: ArrayLike, models: Sequence[str]
) -> list[SmallModel]:
    """Models by name, for gradients along a direction or several axes; orders share correctors."""
    names = [ModelName.parse(model) for model in models]
    full: dict[str, RateModel | ProjectedModel] = {}
    for kind in {name.kind for name in names}:
        highest = max(name.order for name in names if name.kind == kind)
        full[kind] = _BUILDERS[kind](operators, frame, highest)
    return [full[name.kind].truncate(name.order) for name in names]


def _homogenised(operators: BlochTorrey, frame: ArrayLike, order: int) -> RateModel:
    return expand(operators, frame, order).model


def _lumped(operators: BlochTorrey, frame: ArrayLike, _order: int) -> RateModel:
    # As in the paper, without the imaginary first-order terms: KL23 (4.11).
    tensors = lump(papers_tensors(operators))
    (direction,) = np.atleast_2d(np.asarray(frame, dtype=float))
    return RateModel(rate_matrices(tensors, direction, first_order=False), tensors.measures)


_BUILDERS: Mapping[str, Callable[..., RateModel | ProjectedModel]] = {
    "R": _homogenised,
    "P": project,
    "lumped-R": _lumped,
}
