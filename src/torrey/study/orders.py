"""Orders of convergence: the slope of log error over log period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.stored import stored

Array = NDArray[np.float64]

ROUNDING: Final = 1e-12
"""Rounding of signals: where all of them are 1, their differences are smaller, and mean nothing."""


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


@dataclass(frozen=True)
class Orders:
    """Orders of the errors of some models in the period, along every line of a sweep.

    Attributes
    ----------
    models : tuple of str
    error : (n_models, n_periods, ...) float
    floor : (n_periods, ...) float
    order, standard_error, constant : (n_models, ...) float
        See `Order`; missing for a line below its numerical error.
    used : (n_models, n_periods, ...) bool
    """

    models: tuple[str, ...] = field(
        metadata=stored(("model",), "", "homogenised model", name="model")
    )
    error: Array = field(
        metadata=stored(
            ("model", "*sweep"),
            "1",
            "|S_model - S_reference| in the same finite-element space",
            allow_missing=True,
        )
    )
    floor: Array = field(
        metadata=stored(("*sweep",), "1", "numerical error of that difference", name="error_floor")
    )
    order: Array = field(
        metadata=stored(
            ("model", "*line"), "1", "fitted order of the error in the period", allow_missing=True
        )
    )
    standard_error: Array = field(
        metadata=stored(
            ("model", "*line"),
            "1",
            "standard error of the fitted order",
            name="order_standard_error",
            allow_missing=True,
        )
    )
    constant: Array = field(
        metadata=stored(
            ("model", "*line"), "1", "error = constant * period^order", allow_missing=True
        )
    )
    used: NDArray[np.bool_] = field(
        metadata=stored(("model", "*sweep"), "1", "1 for the points of the fit", dtype=np.int8)
    )


def orders_of(
    models: Sequence[str],
    periods: Array,
    error: Array,
    floor: Array,
    sound: NDArray[np.bool_] | None = None,
) -> Orders:
    """Fit the order of every model along every line.

    Parameters
    ----------
    models : sequence of str
    periods : (n_periods,) float
    error : (n_models, n_periods, ...) float
    floor : (n_periods, ...) float
        See `fit_order`.
    sound : (n_models, n_periods, ...) bool, optional
        Whether the signal of a model means something (`torrey.models.validity`): the error of one
        that does not is kept, but is no part of a fit.
    """
    shape = (len(error), *error.shape[2:])
    fitted = error if sound is None else np.where(sound, error, np.nan)
    order, spread, constant = (np.full(shape, np.nan) for _ in range(3))
    used = np.zeros(error.shape, dtype=bool)
    for index in np.ndindex(shape):
        line = (slice(None), *index[1:])
        try:
            fit = fit_order(periods, fitted[index[0]][line], floor[line])
        except ValueError:  # a line below its numerical error has no order: left missing
            continue
        order[index], spread[index], constant[index] = fit.order, fit.standard_error, fit.constant
        used[(index[0], list(fit.used), *index[1:])] = True
    return Orders(tuple(models), error, floor, order, spread, constant, used)


def fit_order(size: ArrayLike, error: ArrayLike, floor: ArrayLike = 0.0) -> Order:
    """Least-squares slope of log(error) over log(size).

    Parameters
    ----------
    size, error : (n,) array_like
        Errors are taken by absolute value.
    floor : array_like
        Numerical error of each entry, which is at least that of rounding; entries below ten times
        their floor say nothing about the order and are left out.

    Raises
    ------
    ValueError
        If fewer than two points stand above their floor.
    """
    sizes, errors = np.asarray(size, dtype=float), np.abs(np.asarray(error, dtype=float))
    usable = np.isfinite(errors) & (errors > 10.0 * np.maximum(floor, ROUNDING))
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
