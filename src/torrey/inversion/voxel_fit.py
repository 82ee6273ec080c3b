"""Fits of a model to measured tables, of all voxels at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.errors import InputError
from torrey.base.progress import Progress, each, untold
from torrey.base.stored import stored
from torrey.inversion.batched import Minimum, minimise
from torrey.inversion.criteria import criteria
from torrey.inversion.likelihood import NoiseKind, check_noise, without_floor
from torrey.inversion.measured import MeasuredProtocol, spread_noise
from torrey.inversion.profiles import BORDER
from torrey.inversion.table_model import Evaluate, TableModel
from torrey.inversion.table_models import table_model
from torrey.inversion.voxel_problem import Dictionary, Ranges, VoxelProblem
from torrey.inversion.voxel_profiles import (
    CURVE_POINTS,
    blind_bounds,
    identify_places,
    profile_curves,
    profile_ends,
)

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Signals of voxels that are fitted together.
_AT_ONCE = 20_000
#: Of a log likelihood: no interval tells so much.
_NOT_SEEN = 0.01

STATUS: Final = (
    "fitted",
    "fitted, with parameters that lie on a bound or cannot be identified",
    "no minimum after the largest number of steps",
    "signals that are not finite, or not positive without gradients",
    "the noise is not above zero",
    "the arithmetic of the fit failed",
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
    profile_value, profile_height : (v, p, CURVE_POINTS) float, optional
        Profile likelihood: values at which a parameter is held, and the deviance there over that at
        the ends of the interval. None if not asked.
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
    profile_value: Array | None = field(
        metadata=stored((*_OF, "profile_point"), "1", "value that is held")
    )
    profile_height: Array | None = field(
        metadata=stored((*_OF, "profile_point"), "1", "deviance over that at the ends")
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
    curves: bool = False,
    starts: int = 3,
    dictionary: int = 2000,
    seed: int = 1,
    progress: Progress = untold,
) -> TableFit:
    """Fit a model to the signals of voxels.

    Signals need no normalisation: amplitudes are fitted. A voxel that cannot be fitted is marked by
    its status. A result depends on nothing but the signals of its voxel, wherever chunks are cut.

    Parameters
    ----------
    model : TableModel or str
        Or its name: see `torrey.inversion.table_models`.
    protocol : MeasuredProtocol
        With means over directions if the model is one of powder averages.
    signals : (v, m) array_like
    sigma : float, (v,) or (v, m) array_like, optional
        Standard deviation of the noise of a signal of weight 1 (of each part of a magnitude). If
        it is Gaussian and not given, the misfit tells it.
    noise : {"gaussian", "rician"}
        See `torrey.inversion.likelihood`.
    fixed, bounds : mapping, optional
        By parameter: values that are not fitted; bounds in the place of the model's.
    intervals, curves : bool
        Whether profile likelihoods are wanted: their intervals, and beside these their curves.
    starts, dictionary, seed : int
        Number of starts, points between the bounds of which they are the best, and their seed.
    progress : Progress
        Is told how many of the voxels are done.

    Raises
    ------
    InputError
        If the table has not what the model needs, or shapes do not fit.
    """
    one = table_model(model) if isinstance(model, str) else model
    check_noise(noise, sigma)
    y, known = _checked(protocol, signals, sigma)
    ranges = Ranges.of(one, fixed, bounds)
    evaluate = one.prepare(protocol)
    table = Dictionary.of(one, protocol, evaluate, ranges, dictionary, seed)
    check_count(one, y.shape[1], len(ranges.free) + table.groups.shape[1], known is None)
    setting = _Setting(
        one, evaluate, ranges, table, protocol.weights, noise, intervals, curves, starts
    )
    return _joined(list(_fit_blocks(setting, y, known, progress)), one, ranges)


def _checked(
    protocol: MeasuredProtocol, signals: ArrayLike, sigma: ArrayLike | None
) -> tuple[Array, Array | None]:
    """Signals and their noise as tables."""
    y = np.atleast_2d(np.asarray(signals, dtype=float))
    if y.ndim != 2 or y.shape[1] != len(protocol) or not len(y):
        raise InputError(
            f"signals of shape {y.shape}",
            f"voxels x {len(protocol)}, the rows of the protocol",
            at=("signals",),
        )
    return y, None if sigma is None else spread_noise(sigma, *y.shape)


def check_count(model: TableModel, rows: int, unknowns: int, noise_too: bool) -> None:
    """Refuse fewer rows than unknowns.

    Raises
    ------
    InputError
    """
    if rows < unknowns + noise_too:
        why = f"the {unknowns} unknowns of {model.name}{' and the noise' if noise_too else ''}"
        raise InputError(f"{rows} rows", f"as many as {why}, at least", at=("signals",))


@dataclass(frozen=True)
class _Setting:
    """What all voxels share."""

    model: TableModel
    evaluate: Evaluate
    ranges: Ranges
    table: Dictionary
    weights: Array
    noise: NoiseKind
    intervals: bool
    curves: bool
    starts: int


def _fit_blocks(
    setting: _Setting, y: Array, sigma: Array | None, progress: Progress
) -> Iterator[dict[str, Any]]:
    """Fields of `TableFit`, of as many voxels at a time as memory is taken for."""
    size = max(1, _AT_ONCE // y.shape[1])
    for i in each(range(0, len(y), size), progress, f"fits of {len(y):,} sets of signals"):
        rows = slice(i, i + size)
        yield _fit_block(setting, y[rows], None if sigma is None else sigma[rows])


def _fit_block(setting: _Setting, y: Array, sigma: Array | None) -> dict[str, Any]:
    """Fields of `TableFit` of some voxels, by name."""
    v, k = len(y), len(setting.ranges.free)
    found = _empty(v, k, setting.table.groups.shape[1], setting)
    found["status"] = _usable(setting, y, sigma)
    rows = np.flatnonzero(found["status"] == 0)
    if not len(rows):
        return found
    size = np.abs(y[rows]).max(axis=1, keepdims=True)
    scaled = y[rows] / size
    noise = None if sigma is None else sigma[rows] / size
    clean = scaled if noise is None else without_floor(setting.noise, scaled, noise)
    begun = [setting.table.starts(signal, setting.starts) for signal in clean]
    first = np.array([unknowns for unknowns, _ in begun])
    if noise is None:
        # Only the scale of what is minimised; the misfit of the fit replaces it.
        left = np.array([misfit.min() for _, misfit in begun]) / scaled.shape[1]
        noise = np.broadcast_to(np.sqrt(np.maximum(left, 1e-12))[:, None], scaled.shape)
    table = setting.table
    problem = VoxelProblem(
        setting.evaluate,
        setting.ranges,
        table.groups,
        setting.weights,
        setting.noise,
        scaled,
        noise,
    )
    ended = _best_of(problem, first)
    z = _canonical(setting, ended.z)
    result = _result(setting, problem, z, size[:, 0], sigma is not None)
    result["steps"] = ended.steps
    failed = ~ended.converged
    result["status"] = np.where(failed, 2, result["status"])
    for name, values in result.items():
        if name not in ("status", "steps"):
            values[failed] = 0 if values.dtype.kind in "bi" else np.nan
        found[name][rows] = values
    return found


def _usable(setting: _Setting, y: Array, sigma: Array | None) -> Ints:
    """0 where a voxel can be fitted, else its status."""
    total = y @ setting.table.groups
    bad = ~np.isfinite(y).all(axis=1) | ~(total > 0.0).all(axis=1)
    if setting.noise == "rician":
        bad |= (y < 0.0).any(axis=1)
    status = np.where(bad, 3, 0)
    if sigma is not None:
        status[~bad & ~(np.isfinite(sigma) & (sigma > 0.0)).all(axis=1)] = 4
    return status


def _best_of(problem: VoxelProblem, first: Array) -> Minimum:
    """The best of the searches from all starts of each voxel."""
    v, count, _ = first.shape
    which = np.repeat(np.arange(v), count)
    found = minimise(problem, which, first.reshape(v * count, -1), *problem.bounds)
    # A search that has not come to its end must be better than the others by what can be seen.
    value = found.value + np.where(found.converged, 0.0, _NOT_SEEN)
    value = np.where(np.isfinite(value), value, np.inf).reshape(v, count)
    best = np.arange(v) * count + value.argmin(axis=1)
    steps = found.steps.reshape(v, count).sum(axis=1)
    return Minimum(found.z[best], found.value[best], steps, found.converged[best])


def _canonical(setting: _Setting, z: Array) -> Array:
    """The set of parameters that is reported, of several that give the same signals."""
    if not setting.ranges.symmetric:
        return z
    k = len(setting.ranges.free)
    x = setting.model.canonical(setting.ranges.values(z[:, :k])[0])
    return np.column_stack([setting.ranges.places(x), z[:, k:]])


def _result(
    setting: _Setting, problem: VoxelProblem, z: Array, size: Array, known: bool
) -> dict[str, Any]:
    """Estimates, errors and criteria at the minima, in the units of the signals."""
    k = len(setting.ranges.free)
    v, m = problem.y.shape
    value, _, hessian = problem(np.arange(v), z)
    r = problem.y - problem.signals(z)
    square = (setting.weights * r**2).sum(axis=1)
    if known:
        noise, inflation = np.sqrt((problem.sigma**2).mean(axis=1)), np.ones(v)
    else:
        noise = np.sqrt(square / max(m - z.shape[1], 1))
        inflation = (noise / problem.sigma[:, 0]) ** 2
        weight = np.log(setting.weights).sum() / 2.0
        with np.errstate(divide="ignore"):
            value = m / 2.0 * (np.log(2.0 * np.pi * square / m) + 1.0) - weight
    border = (BORDER if known else _student(m - z.shape[1])) * inflation
    about = identify_places(hessian, z, k, inflation)
    about = blind_bounds(problem, z, about, border)
    ends = profile_ends(problem, z, about, border) if setting.intervals else None
    x, slope = setting.ranges.values(z[:, :k])
    seen = about.identifiable
    if ends is not None:
        seen = seen & ~np.isinf(ends).all(axis=-1)
    estimate = np.where(seen, x[:, setting.ranges.free], np.nan)
    correct = np.where(seen & ~about.at_bound, about.errors[:, :k] * slope, np.nan)
    # Densities of signals that were divided by the size.
    likely = -value - m * np.log(size)
    result = {
        "estimate": estimate,
        "standard_error": correct,
        "identifiable": seen,
        "at_bound": about.at_bound & seen,
        "correlation": np.where(seen[:, :, None] & seen[:, None], about.correlation, np.nan),
        "amplitude": z[:, k:] * size[:, None],
        "amplitude_error": about.errors[:, k:] * size[:, None],
        "noise": noise * size,
        "misfit": np.sqrt((r**2).mean(axis=1)) * size,
        "log_likelihood": likely,
        **criteria(likely, z.shape[1] + (not known), m),
        "status": np.where(np.all(seen & ~about.at_bound, axis=1), 0, 1),
    }
    if ends is not None:
        result["interval"] = np.where(seen[..., None], _values_of(setting.ranges, ends), np.nan)
        if setting.curves:
            held, height = profile_curves(problem, z, about, border, ends)
            values = _values_of(setting.ranges, held)
            result["profile_value"] = np.where(seen[..., None], values, np.nan)
            result["profile_height"] = np.where(seen[..., None], height, np.nan)
    return result


def _values_of(ranges: Ranges, ends: Array) -> Array:
    """Parameters at several places of each; infinite ones, and those without a number, stay so."""
    values = np.empty_like(ends)
    for end in range(ends.shape[2]):
        u = ends[..., end]
        inner = ranges.values(np.where(np.isfinite(u), u, 0.5))[0][:, ranges.free]
        values[..., end] = np.where(np.isfinite(u), inner, u)
    return values


def _student(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, max(freedom, 1)) ** 2)


def _empty(v: int, k: int, g: int, setting: _Setting) -> dict[str, Any]:
    """Nothing known of any voxel."""
    shapes: dict[str, tuple[int, ...]] = {
        **dict.fromkeys(("estimate", "standard_error"), (v, k)),
        "correlation": (v, k, k),
        **dict.fromkeys(("amplitude", "amplitude_error"), (v, g)),
        **dict.fromkeys(("noise", "misfit", "log_likelihood", "aic", "aicc", "bic"), (v,)),
    }
    if setting.intervals:
        shapes["interval"] = (v, k, 2)
    if setting.intervals and setting.curves:
        shapes |= dict.fromkeys(("profile_value", "profile_height"), (v, k, CURVE_POINTS))
    empty: dict[str, Any] = {name: np.full(shape, np.nan) for name, shape in shapes.items()}
    empty |= {name: np.zeros((v, k), dtype=bool) for name in ("identifiable", "at_bound")}
    return empty | {"steps": np.zeros(v, dtype=np.int64)}


def _joined(parts: Sequence[dict[str, Any]], model: TableModel, ranges: Ranges) -> TableFit:
    fitted = [model.parameters[i] for i in ranges.free]
    values: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) for name in parts[0]
    }
    for name in ("interval", "profile_value", "profile_height"):
        values.setdefault(name, None)
    return TableFit(
        model=model.name,
        names=tuple(one.name for one in fitted),
        units=tuple(one.unit for one in fitted),
        **values,
    )
