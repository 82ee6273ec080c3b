"""Means of signals over directions and orientations, as coordinates of the signals."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.door.gradients import Gradients
from torrey.door.labels import Coordinates, attributes
from torrey.study.averages import mean_with_error

Array = NDArray[np.float64]

_SPHERICAL: Final = "mean of the real part of the signal over all directions of the gradient"
_DISPERSED: Final = "mean of the signal over the distribution of orientations"
_ERROR: Final = "numerical error and that of the quadrature, absolute"


def average_coordinates(
    gradients: Gradients,
    dims: tuple[str, ...],
    signal: NDArray[np.complex128],
    error: Array,
    meaningless: NDArray[np.bool_],
) -> Coordinates:
    """Spherical means where directions are points of a rule, and means over a distribution.

    Parameters
    ----------
    gradients : Gradients
    dims : tuple of str
        Of the signals.
    signal, error : array
    meaningless : array of bool
        Which signals say nothing: nor do means over them.
    """
    signal, error = np.where(meaningless, np.nan, signal), np.where(meaningless, np.nan, error)
    found: Coordinates = {}
    watson = gradients.fibres.watson if gradients.fibres else None
    means = (
        ("spherical_mean", _SPHERICAL, "direction", gradients.sphere, signal.real),
        ("dispersed_signal", _DISPERSED, "orientation", watson, signal),
    )
    for name, text, axis, rule, values in means:
        if rule is not None:
            along = dims.index(axis)
            mean, bound = mean_with_error(rule.rule, values, error, along)
            rest = dims[:along] + dims[along + 1 :]
            found[name] = rest, real_where_it_is(mean, bound), attributes("1", text)
            found[f"{name}_error"] = rest, bound, attributes("1", f"{text}: {_ERROR}")
    return found


def real_where_it_is(signal: NDArray[Any], error: Array) -> NDArray[Any]:
    """Real numbers where all imaginary parts are below the numerical error, as in most cells."""
    known = np.isfinite(signal) & np.isfinite(error)
    return signal.real if np.all(np.abs(signal.imag[known]) <= error[known]) else signal
