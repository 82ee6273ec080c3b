"""Signals of a study: homogenised models over a whole sweep, and the tables that gather them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

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
    cells = np.array(list(sweep.cells()))
    n_measurements = len(sweep.protocol.measurements)
    signal = np.empty((len(models), len(levels), len(cells), n_measurements), dtype=complex)
    growth = np.empty((len(models), len(cells), n_measurements))
    groups = group_measurements(sweep.protocol.measurements)
    for level, operators in enumerate(levels):
        finest = level == len(levels) - 1
        for axes, members in groups.items():
            built = _build_all(operators, np.array(axes), models)
            for (waveform, rows), (i, model) in product(members.items(), enumerate(built)):
                q = np.array([sweep.protocol.measurements[row].q for row in rows])
                if isinstance(model, PadeModel):
                    signal[i, level][:, rows] = model.signal(waveform, q, cells[:, :1])
                    growth[i][:, rows] = 0.0
                    continue
                at = (waveform, q, cells[:, :1], cells[:, 1:] / cells[:, :1])
                signal[i, level][:, rows] = model_signal(model, *at, TIME_TOLERANCE)
                if finest:
                    growth[i][:, rows] = growth_rate(model, *at)
    return ModelTable(
        tuple(models),
        signal.reshape(len(models), len(levels), *sweep.shape),
        growth.reshape(len(models), *sweep.shape),
    )


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
