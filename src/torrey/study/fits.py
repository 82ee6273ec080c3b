"""Apparent diffusion coefficient and kurtosis from signals at several b-values."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.stored import stored

Array = NDArray[np.float64]
Number = float | Array

#: Dims of the lines in a file.
_LINE = ("*line",)


@dataclass(frozen=True)
class Kurtosis:
    """S = S0 exp(-ADC b + AK (ADC b)^2 / 6), KL23 section 6.

    Numbers for one line of b-values, arrays of one shape for several.

    Attributes
    ----------
    adc, kurtosis, s0, residual
    adc_error, kurtosis_error
        What the numerical errors of the signals make of them, at worst; 0 if none are given.
    """

    adc: Number = field(
        metadata=stored(_LINE, "um2 ms-1", "apparent diffusion coefficient", allow_missing=True)
    )
    kurtosis: Number = field(metadata=stored(_LINE, "1", "apparent kurtosis", allow_missing=True))
    s0: Number = field(
        metadata=stored(_LINE, "1", "signal at b = 0 of the fit", allow_missing=True)
    )
    adc_error: Number = field(
        metadata=stored(
            _LINE,
            "um2 ms-1",
            "numerical error of the apparent diffusion coefficient",
            allow_missing=True,
        )
    )
    kurtosis_error: Number = field(
        metadata=stored(_LINE, "1", "numerical error of the apparent kurtosis", allow_missing=True)
    )
    residual: Number = field(
        metadata=stored(_LINE, "1", "largest misfit of log S", allow_missing=True)
    )


def fit_lines(b: Array, signal: Array, error: Array, sound: NDArray[np.bool_]) -> Kurtosis:
    """Fit every line of a table; a line that has no fit is missing.

    Parameters
    ----------
    b, signal, error : (..., n) float
        See `fit_kurtosis`. A line with a signal below zero has no fit.
    sound : (..., n) bool
        Whether the signal means something (`torrey.models.validity`): a line with one that does
        not has no fit either.

    Returns
    -------
    Kurtosis
        Arrays of shape (...).
    """
    found = {one.name: np.full(signal.shape[:-1], np.nan) for one in fields(Kurtosis)}
    for index in np.ndindex(signal.shape[:-1]):
        if not sound[index].all():
            continue
        try:
            fit = fit_kurtosis(b[index], signal[index], error[index])
        except ValueError:  # a model may have no positive signal: left missing
            continue
        for name, values in found.items():
            values[index] = getattr(fit, name)
    return Kurtosis(**found)


def fit_kurtosis(b: ArrayLike, signal: ArrayLike, error: ArrayLike = 0.0) -> Kurtosis:
    """Least-squares fit of log S by a parabola in b.

    The model is linear in (log S0, ADC, AK ADC^2): no iteration and no starting guess.

    Parameters
    ----------
    b : (n,) array_like, ms/um^2
        At least three distinct values.
    signal : (n,) array_like
        Real and positive.
    error : array_like
        Absolute error of each signal.

    Raises
    ------
    ValueError
        If there are fewer than three b-values, or a signal is not positive.
    """
    b, signal = np.asarray(b, dtype=float), np.asarray(signal, dtype=float)
    if len(np.unique(b)) < 3:
        raise ValueError(f"{len(np.unique(b))} different b-values, the fit needs three")
    if not np.all(signal > 0.0):
        raise ValueError(f"the smallest signal is {signal.min():.3e}, the fit needs positive ones")
    design = np.column_stack([np.ones_like(b), -b, b**2 / 6.0])
    inverse = np.linalg.pinv(design)
    log_s0, adc, square = inverse @ np.log(signal)
    # Worst case: every error pushes the same way.
    worst = np.abs(inverse) @ (np.broadcast_to(error, b.shape) / signal)
    kurtosis = square / adc**2
    return Kurtosis(
        adc=float(adc),
        kurtosis=float(kurtosis),
        s0=float(np.exp(log_s0)),
        adc_error=float(worst[1]),
        kurtosis_error=float(worst[2] / adc**2 + 2.0 * abs(kurtosis / adc) * worst[1]),
        residual=float(np.abs(design @ [log_s0, adc, square] - np.log(signal)).max()),
    )
