"""Least squares from many starts, and what the Jacobian says of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from torrey.base.errors import InputError, TorreyError
from torrey.inversion.problem import Problem

Array = NDArray[np.float64]

#: Signals without noise are fitted to rounding.
EXACT = 1e-12
_MOST_EVALUATIONS = 300
#: A singular value this small, relative to the largest, is none; and a parameter of which more
#: than `_SEEN` lies in the null space is not identifiable.
_NULL = 1e-10
_SEEN = 1e-6
#: Starts keep this distance from the bounds, relative to the way between them.
_INSIDE = 1e-3
#: An estimate this close to a bound, relative to the way between them, lies on it.
_AT_BOUND = 1e-6


class InversionError(TorreyError, ArithmeticError):
    """A fit without a result."""


@dataclass(frozen=True)
class Fit:
    """One least-squares fit.

    Attributes
    ----------
    start, estimate : (n_parameters,) float
    residual : float
        Root mean square of the misfit.
    jacobian : (n, n_parameters) float
        At the estimate.
    evaluations : int
        Of the signals.
    converged : bool
        Whether it ended because nothing changed any more.
    """

    start: Array
    estimate: Array
    residual: float
    jacobian: Array
    evaluations: int
    converged: bool


def fit(problem: Problem, data: Array, start: Array, tolerance: float = EXACT) -> Fit:
    """Least squares by a trust-region reflective method from one start.

    The method is that of CHL14 section 5 (Coleman and Li 1996), here with exact derivatives and
    iterated until nothing changes but rounding, unless a tolerance asks for less. What
    the signals never depend on, whatever the parameters, keeps the values of the start.

    Parameters
    ----------
    problem : Problem
    data : (n,) float
    start : (n_parameters,) float
        Within the bounds.
    tolerance : float
        Relative, for changes of the misfit and of the parameters.

    Raises
    ------
    InputError
        If the start is not within the bounds, or data are not finite.
    InversionError
        If the signals at the start are not finite, as those of an unstable model may be.
    """
    _check(problem, data, start)
    start = np.array(start, dtype=float)
    evaluate = _Latest(problem)
    if not all(np.all(np.isfinite(values)) for values in evaluate(start)):
        raise InversionError(f"the signals at the start {start.tolist()} are not finite")
    plane = _Plane.of(problem, start)
    with np.errstate(over="ignore"):  # steps to where a model is unstable are taken back
        found = least_squares(
            lambda y: evaluate(plane.at(y))[0] - data,
            np.zeros(plane.basis.shape[1]),
            jac=lambda y: evaluate(plane.at(y))[1] @ plane.basis,
            bounds=plane.bounds,
            method="trf",
            ftol=tolerance,
            xtol=tolerance,
            gtol=tolerance,
            max_nfev=_MOST_EVALUATIONS,
        )
    estimate = plane.at(found.x)
    return Fit(
        start=start,
        estimate=estimate,
        residual=float(np.sqrt(np.mean(found.fun**2))),
        jacobian=evaluate(estimate)[1],
        evaluations=evaluate.count,
        converged=bool(found.status > 0),
    )


@dataclass
class _Latest:
    """Signals and derivatives; the last ones are kept, as both are asked for one by one."""

    problem: Problem
    count: int = 0
    _x: bytes = b""
    _values: tuple[Array, Array] | None = None

    def __call__(self, x: Array) -> tuple[Array, Array]:
        if self._values is None or x.tobytes() != self._x:
            self._x, self._values = x.tobytes(), self.problem.evaluate(x)
            self.count += 1
        return self._values


@dataclass(frozen=True)
class _Plane:
    """Parameters x = origin + basis y: all but the directions that signals never depend on.

    Attributes
    ----------
    origin : (n_parameters,) float
    basis : (n_parameters, k) float
        In units of the parameters' sizes.
    bounds : pair of (k,) float
        Of y.
    """

    origin: Array
    basis: Array
    bounds: tuple[Array, Array]

    @classmethod
    def of(cls, problem: Problem, origin: Array) -> _Plane:
        """The plane through a start."""
        hidden, scale = problem.hidden, problem.scale(origin)
        part = np.linalg.norm(hidden, axis=1) > _SEEN
        axes = np.diag(scale)[:, ~part]
        # Of parameters that are known in combination only, the combinations; without bounds.
        within = np.zeros((len(origin), int(part.sum()) - hidden.shape[1]))
        if within.size:
            left = np.linalg.svd(hidden[part], full_matrices=True)[0]
            within[part] = scale[part].mean() * left[:, hidden.shape[1] :]
        free = np.full(within.shape[1], np.inf)
        low, high = ((bound - origin)[~part] / scale[~part] for bound in problem.bounds)
        bounds = np.concatenate([low, -free]), np.concatenate([high, free])
        return cls(origin, np.hstack([axes, within]), bounds)

    def at(self, y: Array) -> Array:
        """Parameters x."""
        return np.asarray(self.origin + self.basis @ y)


def fit_from(
    problem: Problem, data: Array, starts: Sequence[Array], tolerance: float = EXACT
) -> list[Fit]:
    """One fit from each start, see `fit`.

    Raises
    ------
    InversionError
        If none of them converges.
    """
    fits = [fit(problem, data, start, tolerance) for start in starts]
    if not any(one.converged for one in fits):
        raise InversionError(f"none of {len(fits)} fits has converged")
    return fits


def at_bound(problem: Problem, x: Array) -> NDArray[np.bool_]:
    """Which parameters lie on a bound: the data would have them beyond it."""
    lower, upper = problem.bounds
    reach = _AT_BOUND * (upper - lower)
    return np.asarray((x <= lower + reach) | (x >= upper - reach))


def best(fits: Sequence[Fit]) -> int:
    """Number of the fit with the smallest misfit, as CHL14 chooses it."""
    return int(np.argmin([one.residual for one in fits]))


def draw_starts(
    problem: Problem, truth: Array, count: int, spread: float, seed: int
) -> list[Array]:
    """Random starts round the true parameters, as in CHL14 section 5.

    Each parameter is drawn evenly from those values within the bounds that differ from the truth by
    at most ``spread`` times its size. The first starts do not depend on how many there are.

    Parameters
    ----------
    problem : Problem
    truth : (n_parameters,) float
    count : int
    spread : float
        Such as 0.5 for 50 %.
    seed : int

    Returns
    -------
    list of (n_parameters,) float
    """
    lower, upper = problem.bounds
    margin = _INSIDE * np.minimum(upper - lower, np.maximum(np.abs(truth), 1e-3))
    reach = spread * np.abs(truth)
    low = np.clip(truth - reach, lower + margin, upper - margin)
    high = np.clip(truth + reach, lower + margin, upper - margin)
    generator = np.random.default_rng(seed)
    return [generator.uniform(low, high) for _ in range(count)]


@dataclass(frozen=True)
class Identifiability:
    """What the derivatives of the signals say about the parameters.

    Attributes
    ----------
    singular_values : (n_parameters,) float
        Of the Jacobian by the parameters in units of their size, largest first.
    identifiable : (n_parameters,) bool
        Whether no change of the parameter is hidden by changes of the others, to first order.
    covariance : (n_parameters, n_parameters) float
        Of the estimates, for independent errors of the signals with variance one; infinite for
        parameters that are not identifiable.
    inverse : (n_parameters, n) float
        Pseudo-inverse of the Jacobian: changes of the estimates for small changes of the signals.
    """

    singular_values: Array
    identifiable: NDArray[np.bool_]
    covariance: Array
    inverse: Array

    @property
    def standard_errors(self) -> Array:
        """For errors of the signals with standard deviation one, shape (n_parameters,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))


def identify(problem: Problem, estimate: Array, jacobian: Array) -> Identifiability:
    """Singular values, identifiable parameters and covariance at an estimate.

    Parameters
    ----------
    problem : Problem
    estimate : (n_parameters,) float
    jacobian : (n, n_parameters) float
    """
    scale = problem.scale(estimate)
    left, values, right = np.linalg.svd(jacobian * scale, full_matrices=False)
    seen = values > _NULL * values[0]
    hidden = 1.0 - np.einsum("ij,ij->j", right[seen], right[seen])
    identifiable = hidden < _SEEN
    root = scale[:, None] * right[seen].T / values[seen]
    covariance = root @ root.T
    blind = ~identifiable
    covariance[blind] = covariance[:, blind] = 0.0
    covariance[blind, blind] = np.inf
    return Identifiability(values, identifiable, covariance, root @ left[:, seen].T)


def noise_of(fitted: Fit) -> float:
    """Standard deviation of the signals' errors that the misfit of a fit suggests."""
    n, k = fitted.jacobian.shape
    freedom = n - int(np.linalg.matrix_rank(fitted.jacobian))
    if freedom < 1:
        raise InputError(f"{n} signals for {k} parameters", "more signals than parameters")
    return float(fitted.residual * np.sqrt(n / freedom))


def _check(problem: Problem, data: Array, start: Array) -> None:
    if not np.all(np.isfinite(data)):
        raise InputError(f"{np.sum(~np.isfinite(data))} signals that are not finite", "finite ones")
    lower, upper = problem.bounds
    for name, value, low, high in zip(problem.names, start, lower, upper, strict=True):
        if not low <= value <= high:
            raise InputError(f"the start {name} = {value:g}", f"from {low:g} to {high:g}")
