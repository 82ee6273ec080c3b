"""Profile likelihoods: how the best fit worsens when one parameter is held elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from torrey.inversion.fit import Fit, fit, identify
from torrey.inversion.problem import Pinned, Problem

Array = NDArray[np.float64]

#: Deviance on the border of the 95 % interval of one parameter: the chi-squared quantile.
BORDER = 3.841458820694124
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Profile:
    """Deviance along each parameter, all others fitted anew.

    Attributes
    ----------
    values : (n_parameters, n_points) float
        Of the parameter that is held; not a number where it is not identifiable.
    deviance : (n_parameters, n_points) float
        (misfit - smallest misfit) / noise^2, sums of squares.
    interval : (n_parameters, 2) float
        Where the deviance crosses `BORDER`: the likelihood's interval of 95 %; a bound that it
        does not reach within the points is infinite.
    """

    values: Array
    deviance: Array
    interval: Array


def profile(
    problem: Problem, data: Array, fitted: Fit, noise: float, points: int = 13, reach: float = 3.0
) -> Profile:
    """Profile likelihoods of all parameters round an estimate.

    Parameters
    ----------
    problem : Problem
    data : (n,) float
    fitted : Fit
        The best fit of the data.
    noise : float
        Standard deviation of the signals' errors.
    points : int
        Odd: the estimate is in the middle.
    reach : float
        Of the points on each side, in standard errors from the Jacobian; not beyond the bounds.
    """
    known = identify(problem, fitted.estimate, fitted.jacobian)
    count = len(fitted.estimate)
    values, deviance = np.full((2, count, points), np.nan)
    interval = np.tile([-np.inf, np.inf], (count, 1))
    for i in np.flatnonzero(known.identifiable):
        middle, error = fitted.estimate[i], reach * noise * known.standard_errors[i]
        lower, upper = (limit[i] for limit in problem.bounds)
        left = np.linspace(max(middle - error, lower), middle, points // 2 + 1)
        right = np.linspace(middle, min(middle + error, upper), points // 2 + 1)
        values[i] = np.concatenate([left, right[1:]])
        deviance[i] = _along(problem, data, fitted, int(i), values[i], noise)
        interval[i] = _crossings(values[i], deviance[i])
    return Profile(values, deviance, interval)


def _along(
    problem: Problem, data: Array, fitted: Fit, i: int, values: Array, noise: float
) -> Array:
    """Deviance at values of one parameter, from the middle outwards on both sides."""
    smallest = len(data) * fitted.residual**2
    deviance = np.zeros_like(values)
    middle = len(values) // 2
    for side in (range(middle, len(values)), range(middle, -1, -1)):
        start = np.delete(fitted.estimate, i)
        for k in side:
            held = fit(Pinned(problem, i, float(values[k])), data, start, _TOLERANCE)
            deviance[k] = (len(data) * held.residual**2 - smallest) / noise**2
            start = held.estimate
    return deviance


def _crossings(values: Array, deviance: Array) -> Array:
    """Interval in which the deviance stays below the border."""
    middle = len(values) // 2
    # Interpolated in the signed root of the deviance, which is nearly a straight line.
    root = np.sqrt(np.maximum(deviance, 0.0))
    root[:middle] *= -1.0
    border = float(np.sqrt(BORDER))
    ends = np.array([-np.inf, np.inf])
    if root[0] <= -border:
        ends[0] = np.interp(-border, np.maximum.accumulate(root), values)
    if root[-1] >= border:
        ends[1] = np.interp(border, np.maximum.accumulate(root), values)
    return ends
