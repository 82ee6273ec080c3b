"""One inversion as a study asks for it: all fits, their errors and what biases them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from torrey.base.progress import Progress, each, untold
from torrey.base.stored import nested, stored
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.gradients.protocol import Measurement
from torrey.inversion.fit import (
    Fit,
    Identifiability,
    InversionError,
    at_bound,
    best,
    draw_starts,
    fit_from,
    identify,
    noise_of,
)
from torrey.inversion.noise import Noise, repeat
from torrey.inversion.physical import PhysicalProblem, diffusivities, physical_problem
from torrey.inversion.problem import EACH, KargerProblem, Parameters
from torrey.inversion.profiles import Profile, profile
from torrey.inversion.radius import RADIUS, RadiusProblem, RoundCell, radius_problem
from torrey.models.karger import Exchange

Array = NDArray[np.float64]

#: Of fits whose derivatives are differences.
_TOLERANCE = 1e-8
#: More than this, absolute, and signals are not resolved between the radii of a model.
_INTERPOLATED = 1e-4
#: Dims of a fitted parameter in a file.
_FITTED = ("model", "permeability", "parameter")


@dataclass(frozen=True)
class Data:
    """Signals to be fitted.

    Attributes
    ----------
    name : str
        ``reference`` or a model.
    signal, error : (n,) float
        With their numerical errors.
    """

    name: str
    signal: Array
    error: Array


@dataclass(frozen=True)
class Options:
    """How an inversion runs.

    Parameters
    ----------
    starts : tuple of int
        Numbers of starts: the best of the first ones is a result for each.
    seed : int
    spread : float
        Of the starts round the truth, relative.
    profile : bool
        Whether profile likelihoods are wanted.
    noise : Noise, optional
        Of repeated experiments.
    """

    starts: tuple[int, ...] = (1,)
    seed: int = 1
    spread: float = 0.5
    profile: bool = False
    noise: Noise | None = None


@dataclass(frozen=True)
class KargerResult:
    """What became of one set of data; parameters in the order of ``problem.all_names``.

    Attributes
    ----------
    data : Data
    problem : KargerProblem
    truth : (n_parameters,) float
    fits : tuple of Fit
        One per start.
    known : Identifiability
        At the best estimate.
    misfit : (n,) float
        Data minus the model's signals at the truth.
    predicted_bias : (n_parameters,) float
        What that misfit makes of the estimates, to first order.
    numerical_bias : (n_parameters,) float
        What the numerical errors of the data make of them, at worst.
    profile : Profile, optional
    profile_noise : float
        Standard deviation behind the profiles.
    noisy : (n_snr, repeats, n_parameters) float, optional
        Estimates from data with noise.
    """

    data: Data
    problem: KargerProblem
    truth: Array
    fits: tuple[Fit, ...]
    known: Identifiability
    misfit: Array
    predicted_bias: Array
    numerical_bias: Array
    profile: Profile | None
    profile_noise: float
    noisy: Array | None

    def best_of(self, count: int) -> int:
        """Number of the best fit among the first ones."""
        return best(self.fits[:count])

    def estimate(self, number: int) -> Array:
        """Estimates from one start, shape (n_parameters,)."""
        return self.problem.complete(self.fits[number].estimate)

    def start(self, number: int) -> Array:
        """Values of one start, shape (n_parameters,)."""
        return self.problem.complete(self.fits[number].start)

    def errors(self, number: int, noise: float | None = None) -> Array:
        """Standard errors for a noise of the signals; by default that of the fit's misfit."""
        one = self.fits[number]
        deviation = noise_of(one) if noise is None else noise
        known = identify(self.problem, one.estimate, one.jacobian)
        return deviation * self.problem.complete_errors(one.estimate, known.covariance)

    def bounded(self, number: int) -> NDArray[np.int8]:
        """1 for estimates on a bound, shape (n_parameters,); of those fitted."""
        flags = np.zeros(len(self.truth), dtype=np.int8)
        flags[self.problem.kept] = at_bound(self.problem, self.fits[number].estimate)
        return flags

    def distance(self, number: int) -> float:
        """Largest error of an identifiable parameter, in units of its size."""
        truth = self.problem.reduce_values(self.truth)
        change = np.abs(self.fits[number].estimate - truth) / self.problem.scale(truth)
        return float(change[self.known.identifiable].max())


def fit_karger(
    problem: KargerProblem, truth: Exchange, data: Data, options: Options
) -> KargerResult:
    """Fit the exchange model to one set of data, and ask how far the result can be trusted.

    Parameters
    ----------
    problem : KargerProblem
    truth : Exchange
        The homogenised parameters, round which the starts are drawn.
    data : Data
    options : Options

    Raises
    ------
    InversionError
        If no fit converges.
    """
    x = problem.reduce(truth)
    starts = draw_starts(problem, x, max(options.starts), options.spread, options.seed)
    fits = fit_from(problem, data.signal, starts)
    chosen = fits[best(fits)]
    known = identify(problem, chosen.estimate, chosen.jacobian)
    signal, jacobian = problem.evaluate(x)
    misfit = data.signal - signal
    inverse = problem.completion(x) @ identify(problem, x, jacobian).inverse
    floor = float(np.sqrt(np.mean(data.error**2)))
    noise = 1.0 / max(options.noise.snr) if options.noise else max(noise_of(chosen), floor)
    return KargerResult(
        data=data,
        problem=problem,
        truth=problem.complete(x),
        fits=tuple(fits),
        known=known,
        misfit=misfit,
        predicted_bias=inverse @ misfit,
        numerical_bias=np.abs(inverse) @ data.error,
        profile=profile(problem, data.signal, chosen, noise) if options.profile else None,
        profile_noise=noise,
        noisy=_repeat(problem, data, chosen, options.noise),
    )


def _repeat(problem: KargerProblem, data: Data, chosen: Fit, noise: Noise | None) -> Array | None:
    if noise is None:
        return None
    estimates = repeat(problem, data.signal, chosen.estimate, noise)
    return np.apply_along_axis(problem.complete, -1, estimates)


@dataclass(frozen=True)
class PhysicalResult:
    """Physical parameters recovered by several models from the signals of several cells.

    Attributes
    ----------
    models : tuple of str
    permeabilities : tuple of float
        One per cell.
    period : float
    parameters : Parameters
        Those that were fitted.
    truth : (n_cells, n_parameters) float
    estimate, standard_error, bias, per_noise : (n_models, n_cells, n_parameters) float
    identifiable, at_bound : (n_models, n_cells, n_parameters) bool
    residual, misfit, truncation : (n_models, n_cells) float
    interpolation : (n_models, n_cells) float, optional
        Where the radius is fitted.
    """

    models: tuple[str, ...] = field(
        metadata=stored(("model",), "", "model that was fitted", name="model")
    )
    permeabilities: tuple[float, ...] = field(
        metadata=stored(
            ("permeability",), "um ms-1", "true membrane permeability kappa", name="permeability"
        )
    )
    period: float = field(metadata=stored((), "um", "physical size of the cell"))
    parameters: Parameters = field(metadata=nested())
    truth: Array = field(
        metadata=stored(("permeability", "parameter"), EACH, "true parameter; see parameter_unit")
    )
    estimate: Array = field(
        metadata=stored(
            _FITTED,
            EACH,
            "best estimate; missing where a model has none for being unstable",
            allow_missing=True,
        )
    )
    standard_error: Array = field(
        metadata=stored(
            _FITTED,
            EACH,
            "standard error from the Jacobian and the misfit; infinite where not identifiable",
            allow_missing=True,
        )
    )
    per_noise: Array = field(
        metadata=stored(
            _FITTED,
            EACH,
            "standard error for signals with errors of standard deviation 1",
            name="standard_error_per_noise",
            allow_missing=True,
        )
    )
    identifiable: NDArray[np.bool_] = field(
        metadata=stored(
            _FITTED, "1", "1 if no change of the others hides the parameter", dtype=np.int8
        )
    )
    at_bound: NDArray[np.bool_] = field(
        metadata=stored(
            _FITTED,
            "1",
            "1 if the estimate lies on a bound: the data would have it beyond",
            dtype=np.int8,
        )
    )
    residual: Array = field(
        metadata=stored(_FITTED[:2], "1", "root mean square of the misfit", allow_missing=True)
    )
    misfit: Array = field(
        metadata=stored(
            _FITTED[:2],
            "1",
            "root mean square of |S_data - S_model| at the true parameters",
            name="model_error_rms",
            allow_missing=True,
        )
    )
    truncation: Array = field(
        metadata=stored(
            _FITTED[:2],
            "1",
            "largest change of the signals to a projected model of one order less",
            allow_missing=True,
        )
    )
    interpolation: Array | None = field(
        default=None,
        metadata=stored(
            _FITTED[:2],
            "1",
            "estimated error of the signals' interpolation in the radius, at most",
            name="interpolation_error",
            allow_missing=True,
        ),
    )
    bias: Array | None = field(
        default=None,
        metadata=stored(
            _FITTED,
            EACH,
            "best estimate minus truth; missing where a model has none",
            allow_missing=True,
        ),
    )


def fit_physical(
    levels: Sequence[BlochTorrey],
    material: Material,
    measurements: Sequence[Measurement],
    period: float,
    kappas: Sequence[float],
    signals: Array,
    models: Sequence[str],
    names: Sequence[str],
    options: Options,
    cell: RoundCell | None = None,
    progress: Progress = untold,
) -> PhysicalResult:
    """Fit permeability, diffusivities and the radius by several models, cell by cell.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        Operators of the cell by mesh; the finest is taken.
    material : Material
        With the true diffusivities.
    measurements : sequence of Measurement
    period : float, um
    kappas : sequence of float, um/ms
        True permeability of each cell.
    signals : (n_cells, n) float
    models, names : sequence of str
        See `torrey.inversion.physical`.
    options : Options
    cell : RoundCell, optional
        With the true radius, if that is among the names; the operators then play no part.
    progress : Progress
        Is told how many cells are fitted by each model.
    """
    D_e, D_c = diffusivities(material)
    known = [{"kappa": float(kappa), "D_e": D_e, "D_c": D_c} for kappa in kappas]
    if cell:
        known = [{**one, RADIUS: cell.radius} for one in known]
    rows = []
    for model in models:
        setting = material, measurements, period, model, known[0], names
        problem: PhysicalProblem | RadiusProblem = (
            radius_problem(cell, *setting) if cell else physical_problem(levels[-1], *setting)
        )
        cells = each(list(zip(known, signals, strict=True)), progress, f"fits by {model}")
        rows.append([_fit_cell(problem.knowing(one), signal, options) for one, signal in cells])
    columns: dict[str, Any] = {
        key: np.array([[one[key] for one in row] for row in rows]) for key in rows[0][0]
    }
    if cell is None:
        columns["interpolation"] = None
    return PhysicalResult(
        models=tuple(models),
        permeabilities=tuple(kappas),
        period=period,
        parameters=Parameters.of(problem.names),
        truth=np.array([[one[name] for name in problem.names] for one in known]),
        **columns,
    )


def _fit_cell(
    problem: PhysicalProblem | RadiusProblem, signal: Array, options: Options
) -> dict[str, Any]:
    """What `PhysicalResult` holds of one model and one cell."""
    truth = np.array([problem.known[name] for name in problem.names])
    starts = draw_starts(problem, truth, max(options.starts), options.spread, options.seed)
    misfit = _rms(problem.signals(truth[None])[0] - signal)
    try:
        fits = fit_from(problem, signal, starts, _TOLERANCE)
        chosen = fits[best(fits)]
        interpolation = _interpolation(problem, chosen.estimate)
    except InversionError:  # an unstable model has no result: left missing
        none, no = np.full(len(truth), np.nan), np.zeros(len(truth), dtype=bool)
        floats = dict.fromkeys(("estimate", "standard_error", "bias", "per_noise"), none)
        flags = dict.fromkeys(("identifiable", "at_bound"), no)
        scalars = dict.fromkeys(("residual", "truncation", "interpolation"), np.nan)
        return {**floats, **flags, **scalars, "misfit": misfit}
    found = identify(problem, chosen.estimate, chosen.jacobian)
    return {
        "estimate": chosen.estimate,
        "standard_error": noise_of(chosen) * found.standard_errors,
        "bias": chosen.estimate - truth,
        "per_noise": found.standard_errors,
        "identifiable": found.identifiable,
        "at_bound": at_bound(problem, chosen.estimate),
        "residual": chosen.residual,
        "misfit": misfit,
        "truncation": problem.truncation(chosen.estimate),
        "interpolation": interpolation,
    }


def _interpolation(problem: PhysicalProblem | RadiusProblem, x: Array) -> float:
    """Error of the interpolation in the radius, too large for models unstable at some radii."""
    if not isinstance(problem, RadiusProblem):
        return float("nan")
    error = problem.interpolation(x)
    if not error <= _INTERPOLATED:
        raise InversionError(f"signals are interpolated in the radius to {error:.1e}")
    return error


def _rms(values: Array) -> float:
    with np.errstate(over="ignore"):  # signals of an unstable model
        return float(np.sqrt(np.mean(values**2)))
