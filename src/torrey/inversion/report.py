"""What ``fit.nc`` says of fits of the exchange model: estimates, their errors and biases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from torrey.base.stored import Group, group_of, nested, stored
from torrey.inversion.noise import Noise, bias_and_spread
from torrey.inversion.problem import EACH, Parameters
from torrey.inversion.study import KargerResult, Options

Array = NDArray[np.float64]
Flags = NDArray[np.int8]

_START = ("start", "parameter")


@dataclass(frozen=True)
class ProfileReport:
    """Profile likelihoods of all parameters; those that follow from others have none."""

    value: Array = field(
        metadata=stored(
            ("parameter", "profile_point"), EACH, "value that is held", allow_missing=True
        )
    )
    deviance: Array = field(
        metadata=stored(
            ("parameter", "profile_point"),
            "1",
            "increase of the sum of squares over the variance of the noise, all others fitted anew",
            allow_missing=True,
        )
    )
    interval: Array = field(
        metadata=stored(
            ("parameter", "end"),
            EACH,
            "95 % interval of the profile likelihood; infinite where it ends beyond the points",
            allow_missing=True,
        )
    )
    noise: float = field(
        metadata=stored((), "1", "standard deviation of the noise behind the profiles")
    )

    @classmethod
    def of(cls, result: KargerResult) -> ProfileReport | None:
        """The profiles of one set of data, if there are."""
        profile, problem = result.profile, result.problem
        if profile is None:
            return None
        where = [i for i, name in enumerate(problem.all_names) if name in problem.names]

        def spread(values: Array) -> Array:
            full = np.full((len(problem.all_names), values.shape[-1]), np.nan)
            full[where] = values
            return full

        return cls(
            value=spread(profile.values),
            deviance=spread(profile.deviance),
            interval=spread(profile.interval),
            noise=result.profile_noise,
        )


@dataclass(frozen=True)
class NoiseReport:
    """Estimates from signals with noise."""

    estimate: Array = field(
        metadata=stored(
            ("snr", "repeat", "parameter"),
            EACH,
            "estimate from signals with noise",
            name="noisy_estimate",
        )
    )
    bias: Array = field(
        metadata=stored(
            ("snr", "parameter"), EACH, "mean of the estimates minus truth", name="noise_bias"
        )
    )
    spread: Array = field(
        metadata=stored(
            ("snr", "parameter"), EACH, "standard deviation over repeats", name="noise_spread"
        )
    )
    standard_error: Array = field(
        metadata=stored(
            ("snr", "parameter"),
            EACH,
            "standard error from the Jacobian at this noise; infinite where not identifiable",
            name="noise_standard_error",
            allow_missing=True,
        )
    )

    @classmethod
    def of(cls, result: KargerResult, noise: Noise | None) -> NoiseReport | None:
        """What noise makes of the estimates of one set of data, if that was asked."""
        if result.noisy is None or noise is None:
            return None
        bias, spread = bias_and_spread(result.noisy, result.truth)
        best = result.best_of(len(result.fits))
        linear = np.array([result.errors(best, 1.0 / snr) for snr in noise.snr])
        return cls(result.noisy, bias, spread, linear)


@dataclass(frozen=True)
class DataReport:
    """Fits of one set of data."""

    name: str = field(metadata=stored((), "", "signals fitted", name="data"))
    estimate: Array = field(
        metadata=stored(_START, EACH, "estimate from one start", allow_missing=True)
    )
    standard_error: Array = field(
        metadata=stored(
            _START,
            EACH,
            "standard error of an estimate, from the Jacobian and the misfit of its fit; infinite "
            "where the parameter is not identifiable",
            allow_missing=True,
        )
    )
    residual: Array = field(
        metadata=stored(("start",), "1", "root mean square of the misfit", allow_missing=True)
    )
    evaluations: NDArray[np.int64] = field(metadata=stored(("start",), "1", "evaluations"))
    converged: NDArray[np.int64] = field(
        metadata=stored(
            ("start",), "1", "1 if a fit ended because nothing changed any more", dtype=np.int64
        )
    )
    at_bound: Flags = field(
        metadata=stored(
            _START, "1", "1 if an estimate lies on a bound: the data would have it beyond"
        )
    )
    distance: Array = field(
        metadata=stored(
            ("start",),
            "1",
            "largest |estimate - truth| of the identifiable parameters, in units of their size",
            allow_missing=True,
        )
    )
    best_start: NDArray[np.int64] = field(
        metadata=stored(("fit",), "1", "start of the smallest misfit among the first ones, from 0")
    )
    identifiable: NDArray[np.bool_] = field(
        metadata=stored(
            ("parameter",), "1", "1 if no change of the others hides the parameter", dtype=np.int8
        )
    )
    standard_error_per_noise: Array = field(
        metadata=stored(
            ("parameter",),
            EACH,
            "standard error for signals with errors of standard deviation 1 (times S(b = 0))",
            allow_missing=True,
        )
    )
    bias: Array = field(
        metadata=stored(("parameter",), EACH, "best estimate minus truth", allow_missing=True)
    )
    predicted_bias: Array = field(
        metadata=stored(
            ("parameter",),
            EACH,
            "bias that the error of the exchange model makes at the truth, to first order",
            allow_missing=True,
        )
    )
    numerical_bias: Array = field(
        metadata=stored(
            ("parameter",),
            EACH,
            "bias that the numerical errors of the signals make, to first order and at worst",
            allow_missing=True,
        )
    )
    singular_value: Array = field(
        metadata=stored(
            ("direction",),
            "1",
            "singular values of the Jacobian by the fitted parameters in units of their size",
        )
    )
    model_error_rms: float = field(
        metadata=stored(
            (), "1", "root mean square of |S_data - S_model| at the homogenised parameters"
        )
    )
    model_error_max: float = field(metadata=stored((), "1", "largest of them"))
    numerical_error_rms: float = field(
        metadata=stored((), "1", "root mean square of the numerical errors of the data")
    )
    measurements: int = field(metadata=stored((), "1", "number of signals"))
    profile: ProfileReport | None = field(metadata=nested("profile_"))
    noise: NoiseReport | None = field(metadata=nested())

    @classmethod
    def of(cls, result: KargerResult, options: Options) -> DataReport:
        """What became of one set of data."""
        fits, starts = result.fits, range(len(result.fits))
        best = result.best_of(len(fits))
        per_noise = result.errors(best, 1.0)
        return cls(
            name=result.data.name,
            estimate=np.array([result.estimate(s) for s in starts]),
            standard_error=np.array([result.errors(s) for s in starts]),
            residual=np.array([fit.residual for fit in fits]),
            evaluations=np.array([fit.evaluations for fit in fits]),
            converged=np.array([fit.converged for fit in fits]),
            at_bound=np.array([result.bounded(s) for s in starts]),
            distance=np.array([result.distance(s) for s in starts]),
            best_start=np.array([result.best_of(n) for n in options.starts]),
            identifiable=np.isfinite(per_noise),
            standard_error_per_noise=per_noise,
            bias=result.estimate(best) - result.truth,
            predicted_bias=result.predicted_bias,
            numerical_bias=result.numerical_bias,
            singular_value=result.known.singular_values,
            model_error_rms=float(np.sqrt(np.mean(result.misfit**2))),
            model_error_max=float(np.abs(result.misfit).max()),
            numerical_error_rms=float(np.sqrt(np.mean(result.data.error**2))),
            measurements=len(result.misfit),
            profile=ProfileReport.of(result),
            noise=NoiseReport.of(result, options.noise),
        )


@dataclass(frozen=True)
class KargerReport:
    """Fits of several sets of data by one problem; ``{noise}`` is the kind of the noise."""

    data: tuple[DataReport, ...] = field(metadata=nested(along="data"))
    parameters: Parameters = field(metadata=nested())
    truth: Array = field(
        metadata=stored(("parameter",), EACH, "homogenised parameter; see parameter_unit")
    )
    fitted: NDArray[np.bool_] = field(
        metadata=stored(
            ("parameter",),
            "1",
            "1 for parameters that are fitted, 0 for those that follow from the others",
            dtype=np.int8,
        )
    )
    initial_guess: Array = field(metadata=stored(_START, EACH, "start of a fit"))
    starts: tuple[int, ...] = field(
        metadata=stored(("fit",), "1", "number of starts of which the best is taken")
    )
    snr: tuple[float, ...] | None = field(
        metadata=stored(
            ("snr",),
            "1",
            "S(b = 0) over the standard deviation of the {noise} noise",
            noise="{noise}",
        )
    )

    @classmethod
    def of(cls, results: Sequence[KargerResult], options: Options) -> KargerReport:
        """What became of some sets of data."""
        first, problem = results[0], results[0].problem
        return cls(
            data=tuple(DataReport.of(result, options) for result in results),
            parameters=Parameters.of(problem.all_names),
            truth=first.truth,
            fitted=np.array([name in problem.names for name in problem.all_names]),
            initial_guess=np.array([first.start(s) for s in range(len(first.fits))]),
            starts=options.starts,
            snr=options.noise.snr if options.noise else None,
        )


def karger_group(results: Sequence[KargerResult], options: Options) -> Group:
    """Variables of ``fit.nc`` for the exchange model; one entry of ``data`` per result."""
    noise = options.noise.kind if options.noise else ""
    return group_of(KargerReport.of(results, options), noise=noise)
