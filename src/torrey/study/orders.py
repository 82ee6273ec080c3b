"""Orders of convergence: the slope of log error over log period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Order:
    """A fitted order.

    Attributes
    ----------
    order : float
        Slope of log(error) over log(size).
    standard_error : float
        From the scatter about the line; not a number with two points.
    constant : float
        error = constant * size^order.
    used : tuple of int
        Indices of the points of the fit.
    """

    order: float
    standard_error: float
    constant: float
    used: tuple[int, ...]


def fit_order(size: ArrayLike, error: ArrayLike, floor: ArrayLike = 0.0) -> Order:
    """Least-squares slope of log(error) over log(size).

    Parameters
    ----------
    size, error : (n,) array_like
        Errors are taken by absolute value.
    floor : array_like
        Numerical error of each entry; entries below ten times their floor say nothing about the
        order and are left out.

    Raises
    ------
    ValueError
        If fewer than two points stand above their floor.
    """
    sizes, errors = np.asarray(size, dtype=float), np.abs(np.asarray(error, dtype=float))
    usable = np.isfinite(errors) & (errors > 10.0 * np.asarray(floor)) & (errors > 0.0)
    used = np.flatnonzero(usable)
    if len(used) < 2:
        raise ValueError(f"{len(used)} points stand above the numerical error, a slope needs two")
    x, y = np.log(sizes[used]), np.log(errors[used])
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    intercept = float(y.mean() - slope * x.mean())
    residual = y - intercept - slope * x
    spread = np.nan
    if len(used) > 2:
        spread = float(np.sqrt(residual @ residual / (len(used) - 2) / (centred @ centred)))
    return Order(slope, spread, float(np.exp(intercept)), tuple(int(i) for i in used))


def local_orders(size: ArrayLike, error: ArrayLike) -> NDArray[np.float64]:
    """Slope between neighbouring points, shape (n - 1,)."""
    return np.diff(np.log(np.abs(np.asarray(error, float)))) / np.diff(np.log(np.asarray(size)))
