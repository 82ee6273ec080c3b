"""Noise in the signals, and what repeated experiments make of the estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.inversion.fit import fit
from torrey.inversion.problem import Problem

Array = NDArray[np.float64]
NoiseKind = Literal["gaussian", "rician"]

#: Of fits of signals with noise, far below what noise does to them.
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Noise:
    """Noise of repeated experiments.

    Parameters
    ----------
    kind : {"gaussian", "rician"}
        Real signals with normal noise, or magnitudes of complex ones with noise in both parts.
    snr : tuple of float
        Signal at b = 0 over the standard deviation of the noise (of each part).
    repeats : int
    seed : int
    """

    kind: NoiseKind
    snr: tuple[float, ...]
    repeats: int
    seed: int = 1

    def __post_init__(self) -> None:
        if self.kind not in ("gaussian", "rician"):
            raise InputError(f'"{self.kind}"', "gaussian or rician", at=("kind",))
        for i, snr in enumerate(self.snr):
            if not (np.isfinite(snr) and snr > 0):
                raise InputError(f"{snr:g}", "a number above zero", at=("snr", i))
        if self.repeats < 2:
            raise InputError(f"{self.repeats}", "at least 2", at=("repeats",))


def add_noise(
    signal: Array, kind: NoiseKind, deviation: float, generator: np.random.Generator
) -> Array:
    """Signals with noise of a standard deviation; magnitudes if it is Rician."""
    real = signal + deviation * generator.standard_normal(signal.shape)
    if kind == "gaussian":
        return real
    return np.hypot(real, deviation * generator.standard_normal(signal.shape))


def repeat(problem: Problem, data: Array, start: Array, noise: Noise) -> Array:
    """Estimates from data with noise, by least squares from one start.

    Every SNR has the same draws, scaled: what changes from one to the next is the noise alone.

    Parameters
    ----------
    problem : Problem
    data : (n,) float
        Without noise.
    start : (n_parameters,) float
        Such as the estimate without noise.
    noise : Noise

    Returns
    -------
    (n_snr, repeats, n_parameters) float
    """
    estimates = np.empty((len(noise.snr), noise.repeats, len(start)))
    for k, snr in enumerate(noise.snr):
        generator = np.random.default_rng(noise.seed)
        for r in range(noise.repeats):
            noisy = add_noise(data, noise.kind, 1.0 / snr, generator)
            estimates[k, r] = fit(problem, noisy, start, _TOLERANCE).estimate
    return estimates


def bias_and_spread(estimates: Array, reference: Sequence[float] | Array) -> tuple[Array, Array]:
    """Mean difference from a reference, and standard deviation, over the repeats.

    Parameters
    ----------
    estimates : (n_snr, repeats, n_parameters) float
    reference : (n_parameters,) float

    Returns
    -------
    bias, spread : (n_snr, n_parameters) float
    """
    return estimates.mean(axis=1) - np.asarray(reference), estimates.std(axis=1, ddof=1)
