"""Fits of a model to measured tables, of all voxels at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.stored import stored
from torrey.inversion.measured import MeasuredProtocol
from torrey.inversion.table_model import TableModel

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
NoiseKind = Literal["gaussian", "rician"]

STATUS: Final = (
    "fitted",
    "fitted, with parameters that lie on a bound or cannot be identified",
    "no minimum after the largest number of steps",
    "signals that are not finite, or not positive without gradients",
    "the noise is not above zero",
)
"""What the status of a voxel means, by its number."""

_OF = ("*voxel", "parameter")


@dataclass(frozen=True)
class TableFit:
    """One model fitted to all voxels; what cannot be identified is not a number.

    Attributes
    ----------
    model : str
    names, units : tuple of str
        Of the fitted parameters.
    estimate : (v, p) float
        Maximum of the likelihood.
    standard_error : (v, p) float
        From the Fisher information; not a number of a parameter on a bound.
    interval : (v, p, 2) float, optional
        Profile likelihood of 95 %: an end that the bounds cut off is infinite. None if not asked.
    identifiable : (v, p) bool
        Whether the signals say where between its bounds a parameter lies.
    at_bound : (v, p) bool
        Whether the estimate lies on a bound.
    correlation : (v, p, p) float
    amplitude, amplitude_error : (v, g) float
        Signal without gradients of each group of rows (one per TE, or filter and mixing time).
    noise : (v,) float
        Standard deviation of one signal: the one given (root mean square over rows), or estimated.
    misfit : (v,) float
        Root mean square of signals minus model.
    log_likelihood, aic, aicc, bic : (v,) float
        All parameters count: amplitudes, and the noise where it is estimated.
    status : (v,) int
        See `STATUS`.
    steps : (v,) int
        Of the minimisation, from all starts.
    """

    model: str
    names: tuple[str, ...] = field(
        metadata=stored(("parameter",), "", "parameter", name="parameter")
    )
    units: tuple[str, ...] = field(
        metadata=stored(("parameter",), "", "unit of the parameter", name="parameter_unit")
    )
    estimate: Array = field(metadata=stored(_OF, "1", "estimate, in the unit of the parameter"))
    standard_error: Array = field(
        metadata=stored(_OF, "1", "standard error, in the unit of the parameter")
    )
    interval: Array | None = field(
        metadata=stored((*_OF, "end"), "1", "profile likelihood interval of 95 %")
    )
    identifiable: Flags = field(
        metadata=stored(_OF, "1", "1 if the signals say where it lies", dtype=np.int8)
    )
    at_bound: Flags = field(metadata=stored(_OF, "1", "1 if it lies on a bound", dtype=np.int8))
    correlation: Array = field(
        metadata=stored((*_OF, "other_parameter"), "1", "correlation of the estimates")
    )
    amplitude: Array = field(metadata=stored(("*voxel", "group"), "1", "signal without gradients"))
    amplitude_error: Array = field(
        metadata=stored(("*voxel", "group"), "1", "standard error of the amplitude")
    )
    noise: Array = field(metadata=stored(("*voxel",), "1", "standard deviation of one signal"))
    misfit: Array = field(metadata=stored(("*voxel",), "1", "root mean square misfit"))
    log_likelihood: Array = field(metadata=stored(("*voxel",), "1", "log likelihood"))
    aic: Array = field(metadata=stored(("*voxel",), "1", "Akaike's criterion"))
    aicc: Array = field(metadata=stored(("*voxel",), "1", "Akaike's criterion for few signals"))
    bic: Array = field(metadata=stored(("*voxel",), "1", "Bayesian information criterion"))
    status: Ints = field(metadata=stored(("*voxel",), "1", "status of the voxel", dtype=np.int8))
    steps: Ints = field(metadata=stored(("*voxel",), "1", "steps taken", dtype=np.int32))


def fit_table(
    model: TableModel | str,
    protocol: MeasuredProtocol,
    signals: ArrayLike,
    sigma: ArrayLike | None = None,
    noise: NoiseKind = "gaussian",
    *,
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    intervals: bool = False,
    starts: int = 3,
    dictionary: int = 2000,
    seed: int = 1,
) -> TableFit:
    """Fit a model to the signals of voxels.

    Signals need no normalisation: the signal without gradients is fitted too. A voxel that cannot
    be fitted is marked by its status and all of its values are not a number. The result of a voxel
    depends on nothing but its signals, so that a volume may be cut into chunks anywhere.

    Parameters
    ----------
    model : TableModel or str
        Or its name: see `torrey.inversion.table_models.table_model`.
    protocol : MeasuredProtocol
        With means over directions if the model is one of powder averages.
    signals : (v, m) array_like
    sigma : float, (v,) or (v, m) array_like, optional
        Standard deviation of the noise of a single signal (a row of weight 1); of magnitudes, of
        each of their two parts. Without it it is estimated from the misfit (Gaussian noise only).
    noise : {"gaussian", "rician"}
        Magnitudes have a Rician distribution; means over directions of them, a normal one with the
        mean and variance of that.
    fixed : mapping, optional
        Values of parameters that are not fitted.
    bounds : mapping, optional
        Lower and upper bounds in the place of the model's.
    intervals : bool
        Whether profile likelihoods are wanted.
    starts : int
        Of the minimisation, taken from the dictionary.
    dictionary : int
        Signals at so many points between the bounds, from which the starts are chosen.
    seed : int
        Of the points of the dictionary.

    Raises
    ------
    InputError
        If the table has not what the model needs, or shapes do not fit.
    """
    raise NotImplementedError
