"""What is known of errors in space, of full and of projected references alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.cell.layers import layer_time
from torrey.cell.operators import Array, BlochTorrey
from torrey.cell.refinement import SPACE_DIVISOR
from torrey.cell.system import CellSystem

#: By which the error in space falls from one mesh to the next, like h^4.
_SPACE_RATIO = 16.0
#: Change of the signal from the coarsest mesh to the next below which both count as resolved.
_RESOLVED = 0.02


def space_error(
    values: Sequence[NDArray[np.complex128]] | NDArray[np.complex128],
    layers: NDArray[np.bool_] | bool = True,
) -> Array:
    """Estimate for the mesh of the last values, from the change that the last refinement made.

    If the change before was not much larger, the meshes do not resolve the field yet, and the
    error is closer to the change itself. If it was larger by more than the order of the elements
    explains, the last change is small by chance, and counts as what that order leaves.

    Parameters
    ----------
    values : (n_meshes, ...) complex
        Signals on a mesh and its refinements, two at least.
    layers : (...) bool
        Whether the second mesh resolves layers of diffusion (`resolves_layers`): two meshes that
        do not are not told to be resolved by a small change.
    """
    change = np.abs(values[-1] - values[-2])
    if len(values) == 2:
        resolved = (change <= _RESOLVED * np.abs(values[-1])) & layers
        return change / np.where(resolved, SPACE_DIVISOR, 1.0)
    before = np.abs(values[-2] - values[-3])
    change = np.maximum(change, before / _SPACE_RATIO)
    with np.errstate(divide="ignore", invalid="ignore"):
        divisor = np.where(change > 0.0, before / change - 1.0, 1.0)
    estimate: Array = change / np.clip(divisor, 1.0, SPACE_DIVISOR)
    return estimate


def resolves_layers(operators: BlochTorrey, period: ArrayLike, time: float) -> NDArray[np.bool_]:
    """Whether the elements of a mesh are small beside the layers of diffusion at membranes.

    Where they are not, two meshes may both miss a layer, and agree. Nor do two meshes tell the
    error of a third where water turns around corners: it falls more slowly there.

    Parameters
    ----------
    operators : BlochTorrey
        On that mesh.
    period : (...) float, um
    time : float, ms
        In which layers grow to sqrt(D t).
    """
    resolved = layer_time(operators) * np.asarray(period, dtype=float) ** 2 <= time
    return np.asarray(resolved) & (not operators.has_corners)


def rounding(system: CellSystem, time: float) -> float:
    """Bound on what the rounding of each flux adds to the signal until the echo.

    The sum of a row of A(0) without relaxation is zero but for the rounding of its diagonal.
    """
    cell = system.operators.cell
    fluxes = cell.matrix(system.static).diagonal().sum()
    return float(np.finfo(float).eps * fluxes * time / system.operators.mass_matrix.sum())
