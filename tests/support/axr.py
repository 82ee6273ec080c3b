"""Apparent exchange rates: how the apparent diffusivity comes back after a filter.

A filter takes more signal from water that diffuses fast, so that the apparent diffusivity ADC' of
what is left is smaller; exchange brings it back to ADC in the mixing time t_m that follows,

    ADC'(t_m) = ADC (1 - sigma exp(-AXR t_m))

(Lasic, Nilsson, Latt, Stahlberg and Topgaard, Magn. Reson. Med. 66, 2011). Of two compartments with
short gradients, AXR is the sum of the rates at which water leaves them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from torrey.base.errors import InputError

Array = NDArray[np.float64]

#: Smallest and largest AXR, times the longest and the shortest difference of two mixing times.
_SLOWEST, _FASTEST = 1e-4, 30.0
_TRIALS = 200
#: Change of ADC' over ADC below which there is nothing to fit.
_FLAT = 1e-9


@dataclass(frozen=True)
class ApparentExchange:
    """Parameters of ADC'(t_m).

    Attributes
    ----------
    adc : float, um^2/ms
        Without a filter.
    sigma : float
        Efficiency of the filter: zero where it changes nothing.
    rate : float, 1/ms
        AXR. Missing (NaN) where ADC' does not change with the mixing time, so that no rate shows.
    """

    adc: float
    sigma: float
    rate: float

    def at(self, mixing_times: ArrayLike) -> Array:
        """ADC' (um^2/ms) after mixing times (ms)."""
        rate = 0.0 if np.isnan(self.rate) else self.rate
        decay = np.exp(-rate * np.asarray(mixing_times, dtype=float))
        return np.asarray(self.adc * (1.0 - self.sigma * decay))


def apparent_diffusivity(signal: ArrayLike, b: ArrayLike) -> Array:
    """-d ln S / db from signals at two b-values, or a straight line through more of them.

    Parameters
    ----------
    signal : (..., n) array_like
        Real; of one filter and mixing time, so that what the filter and relaxation take, and the
        half that storing takes, cancel.
    b : (n,) array_like, ms/um^2
        Of the second block, two different ones at least.

    Returns
    -------
    (...) float, um^2/ms

    Raises
    ------
    InputError
        If there are fewer b-values, or a signal is not above zero.
    """
    values, strengths = np.asarray(signal, dtype=float), np.asarray(b, dtype=float)
    if values.shape[-1:] != strengths.shape or len(np.unique(strengths)) < 2:
        raise InputError(f"b-values {strengths.tolist()}", "two different ones, one per signal")
    if not np.all(values > 0.0):
        raise InputError("a signal that is not above zero", "signals above zero")
    offset = strengths - strengths.mean()
    return np.asarray(-(np.log(values) @ offset) / (offset @ offset))


def fit_axr(mixing_times: ArrayLike, filtered: ArrayLike, adc: float) -> ApparentExchange:
    """Fit sigma and AXR to ADC'(t_m) by least squares, with ADC as it is without a filter.

    At a given AXR the best sigma is linear: the rate is searched for alone.

    Parameters
    ----------
    mixing_times : (n,) array_like, ms
        Three at least, or two where nothing is to be checked.
    filtered : (n,) array_like, um^2/ms
        ADC' after each.
    adc : float, um^2/ms

    Raises
    ------
    InputError
        If there are fewer than two mixing times, or a value is not finite.
    """
    times, values = np.asarray(mixing_times, dtype=float), np.asarray(filtered, dtype=float)
    if times.shape != values.shape or times.ndim != 1 or len(np.unique(times)) < 2:
        raise InputError(f"mixing times {times.tolist()}", "two different ones, one per ADC'")
    if not (np.isfinite(adc) and adc > 0.0 and np.all(np.isfinite([times, values]))):
        raise InputError(f"ADC = {adc}, ADC' = {values.tolist()}", "finite, and an ADC above zero")
    lost = 1.0 - values / adc
    if np.ptp(lost) <= _FLAT:
        return ApparentExchange(float(adc), float(lost.mean()), float("nan"))

    def sigma(rate: float) -> float:
        decay = np.exp(-rate * times)
        return float(decay @ lost / (decay @ decay))

    def misfit(log_rate: float) -> float:
        rate = float(np.exp(log_rate))
        rest = lost - sigma(rate) * np.exp(-rate * times)
        return float(rest @ rest)

    gaps = np.diff(np.unique(times))
    trials = np.linspace(np.log(_SLOWEST / np.ptp(times)), np.log(_FASTEST / gaps.min()), _TRIALS)
    best = int(np.argmin([misfit(x) for x in trials]))
    bounds = trials[max(best - 1, 0)], trials[min(best + 1, _TRIALS - 1)]
    found = minimize_scalar(misfit, bounds=bounds, method="bounded", options={"xatol": 1e-12})
    rate = float(np.exp(found.x))
    return ApparentExchange(float(adc), sigma(rate), rate)
