"""Signals of a study: homogenised models over a whole sweep, and the tables that gather them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from torrey.cell.operators import BlochTorrey
from torrey.expansion import expand
from torrey.projection import ProjectedModel, project
from torrey.rates import RateModel, SmallModel, growth_rate, model_signal
from torrey.sweep import Sweep
from torrey.tensors import lump, papers_tensors, rate_matrices

#: Differences between two meshes over-estimate the error of the finer one by about three.
_SPACE_DIVISOR = 5.0
#: Absolute tolerance of the integration of a homogenised model in time.
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
    levels: Sequence[Callable[[], BlochTorrey]], sweep: Sweep, models: Sequence[str]
) -> ModelTable:
    """Signals of models at all points of a sweep, on every mesh.

    Parameters
    ----------
    levels : sequence of callables
        Operators by mesh, coarsest first.
    sweep : Sweep
    models : sequence of str
        ``R0``, ``R2``, ``P4``, ``lumped-R2``, ...
    """
    signal = np.empty((len(models), len(levels), *sweep.shape), dtype=complex)
    growth = np.empty((len(models), *sweep.shape))
    for level, operators in enumerate(levels):
        finest = level == len(levels) - 1
        for n, direction in enumerate(sweep.directions):
            for i, model in enumerate(build_models(operators(), direction, models)):
                signal[i, level, ..., n] = _over_sweep(model_signal, model, sweep)
                if finest:
                    growth[i, ..., n] = _over_sweep(growth_rate, model, sweep).real
    return ModelTable(tuple(models), signal, growth)


def build_models(
    operators: BlochTorrey, direction: Sequence[float], models: Sequence[str]
) -> list[SmallModel]:
    """Models by name along one direction; correctors are shared between orders."""
    names = [ModelName.parse(model) for model in models]
    full: dict[str, RateModel | ProjectedModel] = {}
    for kind in {name.kind for name in names}:
        highest = max(name.order for name in names if name.kind == kind)
        full[kind] = _BUILDERS[kind](operators, direction, highest)
    return [full[name.kind].truncate(name.order) for name in names]


def _homogenised(operators: BlochTorrey, direction: Sequence[float], order: int) -> RateModel:
    return expand(operators, direction, order).model


def _lumped(operators: BlochTorrey, direction: Sequence[float], _order: int) -> RateModel:
    # As in the paper, without the imaginary first-order terms: KL23 (4.11).
    tensors = lump(papers_tensors(operators))
    return RateModel(rate_matrices(tensors, direction, first_order=False), tensors.measures)


_BUILDERS: Mapping[str, Callable[..., RateModel | ProjectedModel]] = {
    "R": _homogenised,
    "P": project,
    "lumped-R": _lumped,
}


def _over_sweep(function: Callable[..., NDArray], model: SmallModel, sweep: Sweep) -> NDArray:
    """A function of (model, waveform, q, period, sigma) over all axes but the direction."""
    result = np.empty(sweep.shape[:-1], dtype=complex)
    period = np.array(sweep.periods)[:, None, None]
    sigma = np.array([[sweep.kappa(L, k) / L for k in sweep.permeabilities] for L in sweep.periods])
    for k, delta in enumerate(sweep.deltas):
        for l, Delta in enumerate(sweep.Deltas):
            waveform = sweep.waveform(delta, Delta)
            q = np.array([sweep.wave_number(waveform, value) for value in sweep.encodings])
            result[:, :, k, l] = function(model, waveform, q, period, sigma[:, :, None])
    return result
