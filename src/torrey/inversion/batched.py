"""Levenberg and Marquardt's method with bounds, for many small problems at once.

A step solves (H + lambda diag H) s = -gradient with the Gauss-Newton or expected Hessian H, is cut
at the bounds and taken if it lowers the objective. Parameters on a bound with a gradient that
points outwards stand still. Problems that are done leave the batch; each goes its own way, whatever
is solved beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_FIRST, _LEAST, _MOST = 1e-3, 1e-12, 1e12
_TINY = 1e-300


class Objective(Protocol):
    """What is minimised."""

    def __call__(self, which: Ints, z: Array) -> tuple[Array, Array, Array]:
        """Values (n,), gradients (n, P) and Hessians (n, P, P) of problems by number."""


@dataclass(frozen=True)
class Minimum:
    """Where the problems ended.

    Attributes
    ----------
    z : (n, P) float
    value : (n,) float
    steps : (n,) int
        Evaluations.
    converged : (n,) bool
    """

    z: Array
    value: Array
    steps: Ints
    converged: Flags


def minimise(
    objective: Objective,
    which: Ints,
    z: Array,
    lower: Array,
    upper: Array,
    held: Flags | None = None,
    tolerance: float = 1e-9,
    most: int = 150,
) -> Minimum:
    """Minimise from one start each.

    Parameters
    ----------
    objective : Objective
    which : (n,) int
        Numbers that the objective knows the problems by; they may repeat.
    z : (n, P) float
        Starts.
    lower, upper : (P,) float
    held : (n, P) bool, optional
        Parameters that stay as they are.
    tolerance : float
        A step that would lower the objective by less ends the search.
    most : int
        Evaluations of one problem.
    """
    z, n = np.array(z, dtype=float), len(z)
    held = np.zeros(z.shape, dtype=bool) if held is None else held
    value, gradient, hessian = objective(which, z)
    damping, growth = np.full(n, _FIRST), np.full(n, 2.0)
    steps, converged = np.ones(n, dtype=np.int64), np.zeros(n, dtype=bool)
    active = np.isfinite(value)
    while active.any():
        rows = np.flatnonzero(active)
        here, slope, bend = z[rows], gradient[rows], hessian[rows]
        stuck = held[rows] | ((here <= lower) & (slope > 0)) | ((here >= upper) & (slope < 0))
        step, promised, cut = _step(here, slope, bend, damping[rows], stuck, lower, upper)
        # A step that a bound has cut may lead uphill: a shorter one does not.
        damping[rows[cut & (promised <= tolerance)]] *= 16.0
        done = (promised <= tolerance) & (~cut | (damping[rows] > _MOST))
        converged[rows[done]], active[rows[done]] = True, False
        done |= promised <= tolerance
        rows, step, promised = rows[~done], step[~done], promised[~done]
        if not len(rows):
            continue
        there = np.clip(z[rows] + step, lower, upper)
        new, slope, bend = objective(which[rows], there)
        steps[rows] += 1
        gain = np.where(np.isfinite(new), (value[rows] - new) / promised, -1.0)
        good = gain > 1e-4
        at = rows[good]
        z[at], value[at] = there[good], new[good]
        gradient[at], hessian[at] = slope[good], bend[good]
        damping[rows], growth[rows] = _damp(damping[rows], growth[rows], gain, good)
        # Steps that have shrunk to nothing end a search as well.
        lost = damping[rows] > _MOST
        converged[rows[lost]] = True
        active[rows[lost | (steps[rows] >= most)]] = False
    return Minimum(z, value, steps, converged)


def _damp(damping: Array, growth: Array, gain: Array, good: Flags) -> tuple[Array, Array]:
    """Less damping after a step that did what was promised, ever more after others (Nielsen)."""
    factor = np.where(good, np.maximum(1.0 / 3.0, 1.0 - (2.0 * gain - 1.0) ** 3), growth)
    damping = np.clip(damping * np.minimum(factor, 1e6), _LEAST, None)
    return damping, np.where(good, 2.0, 2.0 * growth)


def _step(
    z: Array, slope: Array, bend: Array, damping: Array, stuck: Flags, lower: Array, upper: Array
) -> tuple[Array, Array, Flags]:
    """Steps within the bounds, how much the quadratic model falls, and which were cut."""
    for _ in range(2):
        step = _solve(slope, bend, damping, stuck)
        # A parameter that would leave goes to its bound, and the others take that into account.
        out = ~stuck & (((z <= lower) & (step < 0)) | ((z >= upper) & (step > 0)))
        if not out.any():
            break
        stuck = stuck | out
    inside = np.clip(z + step, lower, upper) - z
    curved = np.matmul(bend, inside[..., None])[..., 0]
    promised = -(inside * (slope + 0.5 * curved)).sum(axis=1)
    return inside, promised, np.any((inside != step) & (np.abs(inside - step) > 1e-12), axis=1)


def _solve(slope: Array, bend: Array, damping: Array, stuck: Flags) -> Array:
    P = slope.shape[1]
    free = ~stuck
    matrix = bend * (free[:, :, None] & free[:, None, :])
    diagonal = np.einsum("npp->np", matrix).copy()
    scale = np.sqrt(np.where(diagonal > _TINY, diagonal, 1.0))
    matrix = matrix / (scale[:, :, None] * scale[:, None, :])
    # A diagonal of one, or of nothing but the damping where a parameter plays no part.
    matrix[:, range(P), range(P)] = 1.0 + damping[:, None] + 1e-13
    right = np.where(free, slope, 0.0) / scale
    return -np.linalg.solve(matrix, right[..., None])[..., 0] / scale
