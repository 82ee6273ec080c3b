"""Inversions as files: signals of studies in, ``fit.nc`` out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.errors import InputError
from torrey.base.stored import Group, Variable
from torrey.gradients.sweep import Sweep
from torrey.inversion.noise import Noise, bias_and_spread
from torrey.inversion.problem import unit_of
from torrey.inversion.radius import RADIUS
from torrey.inversion.study import Data, KargerResult, Options, PhysicalResult

PathLike = str | Path
Array = NDArray[np.float64]

_MISSING = {"allow_missing": True}
#: Units of values that are one per parameter, each in its own.
_EACH = "see parameter_unit"
#: An imaginary part beyond this and the numerical error does not come of rounding.
_REAL = 1e-8


def read_data(files: Sequence[PathLike], sweeps: Sequence[Sweep], name: str) -> Data:
    """Signals of a model, or of the reference, in several tables one after the other.

    Parameters
    ----------
    files : sequence of path
        ``signals.nc`` of each study.
    sweeps : sequence of Sweep
        Of the studies.
    name : str
        Model.

    Returns
    -------
    Data
        Measurements of all studies, those of each sweep in their order. Of a sweep over several
        cells, these are the first axis: shape (n_cells, n).

    Raises
    ------
    InputError
        If a table has no such model, or signals that are complex or not finite.
    """
    signals, errors = [], []
    for file, sweep in zip(files, sweeps, strict=True):
        table = artifacts.read(file)
        names = [str(model) for model in table["model"]]
        if name not in names:
            raise InputError(f"no signals of {name} in {file}", ", ".join(names))
        row = names.index(name)
        shape = (len(list(sweep.cells())), len(sweep.protocol.measurements))
        real, imag, error = (
            table[key][row].reshape(shape)
            for key in ("signal_real", "signal_imag", "numerical_error")
        )
        if not np.all(np.isfinite(real)):
            raise InputError(f"signals of {name} in {file} that are not finite", "finite ones")
        if np.any(np.abs(imag) > _REAL + 10.0 * error):
            raise InputError(
                f"complex signals of {name} in {file}",
                "real ones: of a cell and pulses with symmetry",
            )
        signals.append(real)
        errors.append(error)
    signal, error = np.hstack(signals), np.hstack(errors)
    one = len(signal) == 1
    return Data(name, signal[0] if one else signal, error[0] if one else error)


def _parameters(names: Sequence[str]) -> dict[str, Variable]:
    return {
        "parameter": Variable(("parameter",), np.array(names), "", "parameter"),
        "parameter_unit": Variable(
            ("parameter",), np.array([unit_of(name) for name in names]), "", "unit of the parameter"
        ),
    }


def karger_variables(results: Sequence[KargerResult], options: Options) -> Group:
    """Variables of ``fit.nc`` for the exchange model; one entry of ``data`` per result."""
    first = results[0]
    data = ("data",)
    starts = range(len(first.fits))

    def over(dims: tuple[str, ...], values: Any, units: str, text: str) -> Variable:
        return Variable(("data", *dims), np.array(values), units, text, _MISSING)

    variables: dict[str, Variable] = {
        "data": Variable(data, np.array([r.data.name for r in results]), "", "signals fitted"),
        **_parameters(first.problem.all_names),
        "truth": Variable(
            ("parameter",), first.truth, _EACH, "homogenised parameter; see parameter_unit"
        ),
        "fitted": Variable(
            ("parameter",),
            np.array([name in first.problem.names for name in first.problem.all_names], np.int8),
            "1",
            "1 for parameters that are fitted, 0 for those that follow from the others",
        ),
        "initial_guess": Variable(
            ("start", "parameter"),
            np.array([first.start(s) for s in starts]),
            _EACH,
            "start of a fit",
        ),
        "estimate": over(
            ("start", "parameter"),
            [[r.estimate(s) for s in starts] for r in results],
            _EACH,
            "estimate from one start",
        ),
        "standard_error": over(
            ("start", "parameter"),
            [[r.errors(s) for s in starts] for r in results],
            _EACH,
            "standard error of an estimate, from the Jacobian and the misfit of its fit; infinite "
            "where the parameter is not identifiable",
        ),
        "residual": over(
            ("start",),
            [[fit.residual for fit in r.fits] for r in results],
            "1",
            "root mean square of the misfit",
        ),
        "evaluations": over(
            ("start",), [[fit.evaluations for fit in r.fits] for r in results], "1", "evaluations"
        ),
        "converged": over(
            ("start",),
            [[int(fit.converged) for fit in r.fits] for r in results],
            "1",
            "1 if a fit ended because nothing changed any more",
        ),
        "at_bound": over(
            ("start", "parameter"),
            [[r.bounded(s) for s in starts] for r in results],
            "1",
            "1 if an estimate lies on a bound: the data would have it beyond",
        ),
        "distance": over(
            ("start",),
            [[r.distance(s) for s in starts] for r in results],
            "1",
            "largest |estimate - truth| of the identifiable parameters, in units of their size",
        ),
        "starts": Variable(
            ("fit",), np.array(options.starts), "1", "number of starts of which the best is taken"
        ),
        "best_start": over(
            ("fit",),
            [[r.best_of(n) for n in options.starts] for r in results],
            "1",
            "start of the smallest misfit among the first ones, from 0",
        ),
    }
    variables |= _error_variables(results)
    if first.profile is not None:
        variables |= _profile_variables(results)
    if options.noise is not None:
        variables |= _noise_variables(results, options.noise)
    return variables


def _error_variables(results: Sequence[KargerResult]) -> dict[str, Variable]:
    """What is known of the best estimates, and what biases them."""
    along = ("data", "parameter")
    identifiable = [
        np.isfinite(r.errors(r.best_of(len(r.fits)), 1.0)).astype(np.int8) for r in results
    ]
    best = [r.best_of(len(r.fits)) for r in results]
    rows = {
        "identifiable": (identifiable, "1", "1 if no change of the others hides the parameter"),
        "standard_error_per_noise": (
            [r.errors(s, 1.0) for r, s in zip(results, best, strict=True)],
            _EACH,
            "standard error for signals with errors of standard deviation 1 (times S(b = 0))",
        ),
        "bias": (
            [r.estimate(s) - r.truth for r, s in zip(results, best, strict=True)],
            _EACH,
            "best estimate minus truth",
        ),
        "predicted_bias": (
            [r.predicted_bias for r in results],
            _EACH,
            "bias that the error of the exchange model makes at the truth, to first order",
        ),
        "numerical_bias": (
            [r.numerical_bias for r in results],
            _EACH,
            "bias that the numerical errors of the signals make, to first order and at worst",
        ),
    }
    variables = {
        name: Variable(along, np.array(values), units, text, _MISSING)
        for name, (values, units, text) in rows.items()
    }
    variables["singular_value"] = Variable(
        ("data", "direction"),
        np.array([r.known.singular_values for r in results]),
        "1",
        "singular values of the Jacobian by the fitted parameters in units of their size",
    )
    scalars = {
        "model_error_rms": (
            [np.sqrt(np.mean(r.misfit**2)) for r in results],
            "root mean square of |S_data - S_model| at the homogenised parameters",
        ),
        "model_error_max": ([np.abs(r.misfit).max() for r in results], "largest of them"),
        "numerical_error_rms": (
            [np.sqrt(np.mean(r.data.error**2)) for r in results],
            "root mean square of the numerical errors of the data",
        ),
        "measurements": ([len(r.misfit) for r in results], "number of signals"),
    }
    return variables | {
        name: Variable(("data",), np.array(values), "1", text)
        for name, (values, text) in scalars.items()
    }


def _profile_variables(results: Sequence[KargerResult]) -> dict[str, Variable]:
    problem = results[0].problem
    where = [i for i, name in enumerate(problem.all_names) if name in problem.names]
    profiles = [r.profile for r in results if r.profile is not None]

    def spread(values: Sequence[Array]) -> Array:
        """On all parameters: those that follow from the others have no profile."""
        stacked = np.array(values)
        full = np.full((len(values), len(problem.all_names), stacked.shape[-1]), np.nan)
        full[:, where] = stacked
        return full

    along, ends = ("data", "parameter", "profile_point"), ("data", "parameter", "end")
    return {
        "profile_value": Variable(
            along, spread([p.values for p in profiles]), _EACH, "value that is held", _MISSING
        ),
        "profile_deviance": Variable(
            along,
            spread([p.deviance for p in profiles]),
            "1",
            "increase of the sum of squares over the variance of the noise, all others fitted anew",
            _MISSING,
        ),
        "profile_interval": Variable(
            ends,
            spread([p.interval for p in profiles]),
            _EACH,
            "95 % interval of the profile likelihood; infinite where it ends beyond the points",
            _MISSING,
        ),
        "profile_noise": Variable(
            ("data",),
            np.array([r.profile_noise for r in results]),
            "1",
            "standard deviation of the noise behind the profiles",
        ),
    }


def _noise_variables(results: Sequence[KargerResult], noise: Noise) -> dict[str, Variable]:
    along = ("data", "snr", "parameter")
    noisy = [r.noisy for r in results if r.noisy is not None]
    pairs = [bias_and_spread(x, r.truth) for x, r in zip(noisy, results, strict=True)]
    linear = [[r.errors(r.best_of(len(r.fits)), 1.0 / snr) for snr in noise.snr] for r in results]
    return {
        "snr": Variable(
            ("snr",),
            np.array(noise.snr),
            "1",
            f"S(b = 0) over the standard deviation of the {noise.kind} noise",
            {"noise": noise.kind},
        ),
        "noisy_estimate": Variable(
            ("data", "snr", "repeat", "parameter"),
            np.array(noisy),
            _EACH,
            "estimate from signals with noise",
        ),
        "noise_bias": Variable(
            along, np.array([bias for bias, _ in pairs]), _EACH, "mean of the estimates minus truth"
        ),
        "noise_spread": Variable(
            along,
            np.array([spread for _, spread in pairs]),
            _EACH,
            "standard deviation over repeats",
        ),
        "noise_standard_error": Variable(
            along,
            np.array(linear),
            _EACH,
            "standard error from the Jacobian at this noise; infinite where not identifiable",
            _MISSING,
        ),
    }


def physical_variables(result: PhysicalResult, kappas: Sequence[float], period: float) -> Group:
    """Variables of ``fit.nc`` for physical parameters."""
    cells, along = ("model", "permeability"), ("model", "permeability", "parameter")

    def table(values: Array, text: str, units: str = _EACH) -> Variable:
        return Variable(along if values.ndim == 3 else cells, values, units, text, _MISSING)

    variables = {
        "model": Variable(("model",), np.array(result.models), "", "model that was fitted"),
        "permeability": Variable(
            ("permeability",), np.array(kappas), "um ms-1", "true membrane permeability kappa"
        ),
        "period": Variable((), period, "um", "physical size of the cell"),
        **_parameters(result.names),
        "truth": Variable(
            ("permeability", "parameter"), result.truth, _EACH, "true parameter; see parameter_unit"
        ),
        "estimate": table(
            result.estimate, "best estimate; missing where a model has none for being unstable"
        ),
        "standard_error": table(
            result.standard_error,
            "standard error from the Jacobian and the misfit; infinite where not identifiable",
        ),
        "standard_error_per_noise": table(
            result.per_noise, "standard error for signals with errors of standard deviation 1"
        ),
        "identifiable": Variable(
            along,
            result.identifiable.astype(np.int8),
            "1",
            "1 if no change of the others hides the parameter",
        ),
        "at_bound": Variable(
            along,
            result.at_bound.astype(np.int8),
            "1",
            "1 if the estimate lies on a bound: the data would have it beyond",
        ),
        "residual": table(result.residual, "root mean square of the misfit", "1"),
        "model_error_rms": table(
            result.misfit,
            "root mean square of |S_data - S_model| at the true parameters",
            "1",
        ),
        "truncation": table(
            result.truncation,
            "largest change of the signals to a projected model of one order less",
            "1",
        ),
    }
    if RADIUS in result.names and result.interpolation is not None:
        variables["interpolation_error"] = table(
            result.interpolation,
            "estimated error of the signals' interpolation in the radius, at most",
            "1",
        )
    return variables
