"""Criteria by which models of the same signals are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def criteria(log_likelihood: ArrayLike, unknowns: int, signals: int) -> dict[str, Array]:
    """AIC, AIC for few signals (AICc) and BIC: smaller is better.

    Parameters
    ----------
    log_likelihood : array_like
        At its maximum.
    unknowns : int
        Everything that is fitted: parameters, amplitudes, noise.
    signals : int
        Number of rows. AICc is infinite if there are not two more than unknowns.
    """
    value = np.asarray(log_likelihood, dtype=float)
    aic = 2.0 * unknowns - 2.0 * value
    room = signals - unknowns - 1
    more = 2.0 * unknowns * (unknowns + 1) / room if room > 0 else np.inf
    return {"aic": aic, "aicc": aic + more, "bic": unknowns * np.log(signals) - 2.0 * value}


def criterion_weights(values: Sequence[ArrayLike]) -> Array:
    """Akaike weights of models: exp(-difference to the best / 2), adding up to one.

    Parameters
    ----------
    values : sequence of (v,) array_like
        One criterion of each model, of fits to the same signals. A model without a value has the
        weight zero.

    Returns
    -------
    (n_models, v) float
        Not a number where no model has a value.
    """
    table = np.array([np.asarray(value, dtype=float) for value in values])
    table = np.where(np.isfinite(table), table, np.inf)
    with np.errstate(invalid="ignore"):
        relative = np.exp(-0.5 * (table - table.min(axis=0)))
    return np.asarray(relative / relative.sum(axis=0))
