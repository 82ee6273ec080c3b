"""What the information at the minima says, and profile likelihoods, of all voxels at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from torrey.inversion.batched import minimise
from torrey.inversion.voxel_problem import VoxelProblem

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Places nearer to the ends than this lie on a bound.
_AT_BOUND = 1e-6
#: Eigenvalues of the information, each unknown scaled to one, that are none; and the part of an
#: unknown in their directions from which on nothing is known of it.
_NULL, _SEEN = 1e-11, 1e-4
#: An interval of 95 % this wide holds the whole range of a parameter.
_WIDE = 1.0 / 1.959963984540054
_ROUNDS, _CLOSE = 10, 2e-3
#: Points of a curve on each side of a minimum, as parts of the way to the end of the interval.
_WAYS = np.array([0.35, 0.7, 1.0, 1.3])

CURVE_POINTS = 1 + 2 * len(_WAYS)
"""Points of the curve of a parameter."""


@dataclass(frozen=True)
class Known:
    """What the signals say of each unknown.

    Attributes
    ----------
    errors : (v, P) float
        Standard errors of places and amplitudes; not a number where they are not known.
    covariance : (v, P, P) float
        Zero in rows of unknowns that are not known.
    correlation : (v, k, k) float
    identifiable, at_bound : (v, k) bool
    """

    errors: Array
    covariance: Array
    correlation: Array
    identifiable: Flags
    at_bound: Flags


def identify_places(hessian: Array, z: Array, k: int, inflation: Array) -> Known:
    """Standard errors, and which parameters can be identified.

    A parameter is not identifiable if the signals do not depend on it, if they do only together
    with others so that a change of all of them is not seen, or if its interval of 95 % by the
    information is as wide as the range between its bounds, twice over.

    Parameters
    ----------
    hessian : (v, P, P) float
        Fisher information of places and amplitudes.
    z : (v, P) float
    k : int
        Number of places; the others are amplitudes.
    inflation : (v,) float
        Variance of the noise over that behind the information.
    """
    v, P = z.shape
    at_bound = (z[:, :k] < _AT_BOUND) | (z[:, :k] > 1.0 - _AT_BOUND)
    diagonal = np.einsum("npp->np", hessian)
    blind = diagonal <= 1e-14 * diagonal.max(axis=1, keepdims=True)
    out = blind.copy()
    out[:, :k] |= at_bound
    scale = np.sqrt(np.where(out, 1.0, diagonal))
    free = ~out
    matrix = hessian / (scale[:, :, None] * scale[:, None, :]) * (free[:, :, None] & free[:, None])
    matrix[:, range(P), range(P)] = 1.0
    values, vectors = np.linalg.eigh(matrix)
    none = values < _NULL
    inverse = np.where(none, 0.0, 1.0 / np.where(none, 1.0, values))
    covariance = np.matmul(vectors * inverse[:, None, :], np.swapaxes(vectors, 1, 2))
    covariance = covariance / (scale[:, :, None] * scale[:, None, :]) * inflation[:, None, None]
    hidden = (vectors**2 * none[:, None, :]).sum(axis=2) > _SEEN
    errors = np.sqrt(np.maximum(np.einsum("npp->np", covariance), 0.0))
    errors[out | hidden] = np.nan
    lost = blind | hidden
    with np.errstate(invalid="ignore"):
        wide = errors[:, :k] > _WIDE
    identifiable = ~(lost[:, :k] | wide)
    errors[:, :k][~identifiable] = np.nan
    dead = np.isnan(errors)
    covariance[dead[:, :, None] | dead[:, None, :]] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = errors[:, :, None] * errors[:, None, :]
        correlation = (covariance / scaled)[:, :k, :k]
    return Known(errors, covariance, correlation, identifiable, at_bound)


def blind_bounds(problem: VoxelProblem, z: Array, known: Known, border: Array) -> Known:
    """Parameters on a bound that could as well be on the other one cannot be identified.

    Parameters
    ----------
    problem, z, known, border
        See `profile_ends`.
    """
    voxel, place = np.nonzero(known.at_bound & known.identifiable)
    if not len(voxel):
        return known
    smallest = problem(np.arange(len(z)), z)[0]
    search = _Ends(problem, z, known, border, smallest)
    other = 1.0 - np.round(z[voxel, place])
    height, _ = search.height(voxel, place, other, z[voxel])
    identifiable = known.identifiable.copy()
    identifiable[voxel[height < 1.0], place[height < 1.0]] = False
    return replace(known, identifiable=identifiable)


def profile_ends(problem: VoxelProblem, z: Array, known: Known, border: Array) -> Array:
    """Ends of the profile likelihood's intervals, as places.

    Parameters
    ----------
    problem : VoxelProblem
    z : (v, P) float
        The minima.
    known : Known
    border : (v,) float
        Of the deviance, 2 (value - smallest value).

    Returns
    -------
    (v, k, 2) float
        Infinite where the deviance stays below the border up to the bound; not a number for
        parameters that cannot be identified.
    """
    v, k = known.identifiable.shape
    smallest = problem(np.arange(v), z)[0]
    ends = np.full((v, k, 2), np.nan)
    voxel, place, side = (
        a.ravel() for a in np.meshgrid(np.arange(v), np.arange(k), [0, 1], indexing="ij")
    )
    asked = known.identifiable[voxel, place]
    voxel, place, side = voxel[asked], place[asked], side[asked]
    if len(voxel):
        search = _Ends(problem, z, known, border, smallest)
        ends[voxel, place, side] = search.find(voxel, place, np.where(side == 0, -1.0, 1.0))
    return ends


def profile_curves(
    problem: VoxelProblem, z: Array, known: Known, border: Array, ends: Array
) -> tuple[Array, Array]:
    """Profile likelihoods from the minima to beyond the ends of their intervals.

    Parameters
    ----------
    problem, z, known, border
        See `profile_ends`.
    ends : (v, k, 2) float
        What that has found. Where an end is infinite, the curve goes to the bound.

    Returns
    -------
    place : (v, k, CURVE_POINTS) float
        Where each parameter is held, in order; not a number where it cannot be identified.
    height : (v, k, CURVE_POINTS) float
        The deviance over its border, which is 1 at the ends of an interval.
    """
    v, k = known.identifiable.shape
    middle = z[:, :k]
    to_bound = np.stack([middle, 1.0 - middle], axis=-1)
    reach = np.where(np.isfinite(ends), np.abs(ends - middle[..., None]), to_bound)
    away = np.minimum(reach[..., None] * _WAYS, to_bound[..., None])
    place = np.concatenate(
        [middle[..., None] - away[:, :, 0, ::-1], middle[..., None],
         middle[..., None] + away[:, :, 1]], axis=-1,
    )  # fmt: skip
    height = np.zeros((v, k, CURVE_POINTS))
    place[~known.identifiable], height[~known.identifiable] = np.nan, np.nan
    sides = np.repeat([-1.0, 0.0, 1.0], [len(_WAYS), 1, len(_WAYS)])
    asked = np.broadcast_to(known.identifiable[..., None], height.shape) & (sides != 0.0)
    voxel, parameter, point = np.nonzero(asked)
    if len(voxel):
        smallest = problem(np.arange(v), z)[0]
        search, at = _Ends(problem, z, known, border, smallest), place[asked]
        start = search.along(voxel, parameter, at - middle[voxel, parameter])
        root, _ = search.height(voxel, parameter, at, start)
        height[voxel, parameter, point] = root**2
    return place, height


@dataclass(frozen=True)
class _Ends:
    """Search for the ends, each on one side of one parameter of one voxel."""

    problem: VoxelProblem
    z: Array
    known: Known
    border: Array
    smallest: Array

    def find(self, voxel: Ints, place: Ints, side: Array) -> Array:
        """Places of the ends; infinite where there is none before the bound."""
        n = np.arange(len(voxel))
        middle = self.z[voxel, place]
        bound = np.where(side < 0.0, 0.0, 1.0)
        error = self.known.errors[voxel, place]
        guess = np.where(np.isfinite(error), error, 0.05) * np.sqrt(self.border[voxel])
        # Between `low`, below the border, and `high`: the root of the deviance over its border,
        # nearly proportional to the distance from the middle.
        low, high = np.zeros(len(n)), np.abs(bound - middle)
        at_low, at_high = np.zeros(len(n)), np.full(len(n), np.nan)
        distance = np.minimum(np.maximum(guess, 1e-6), high)
        start = self.along(voxel, place, side * distance)
        result = np.full(len(n), np.nan)
        active = high > 0.0
        result[~active] = np.inf
        for _ in range(_ROUNDS):
            rows = np.flatnonzero(active)
            if not len(rows):
                break
            height, start[rows] = self.height(
                voxel[rows], place[rows], (middle + side * distance)[rows], start[rows]
            )
            d = distance[rows]
            inside = height < 1.0
            at_end = inside & (d >= high[rows]) & np.isnan(at_high[rows])
            result[rows[at_end]] = np.inf
            close = np.abs(height - 1.0) < _CLOSE
            result[rows[close]] = d[close] / height[close]
            low[rows] = np.where(inside, d, low[rows])
            at_low[rows] = np.where(inside, height, at_low[rows])
            high[rows] = np.where(inside, high[rows], d)
            at_high[rows] = np.where(inside, at_high[rows], height)
            active[rows[at_end | close]] = False
            distance = self._next(low, high, at_low, at_high)
        left = np.isnan(result)
        result[left] = distance[left]
        ends = np.where(np.isinf(result), side * np.inf, middle + side * result)
        return np.where(np.isinf(ends), ends, np.clip(ends, 0.0, 1.0))

    @staticmethod
    def _next(low: Array, high: Array, at_low: Array, at_high: Array) -> Array:
        """Where the line through both ends, or through the lower one and zero, is at the border."""
        open_end = np.isnan(at_high)
        with np.errstate(invalid="ignore", divide="ignore"):
            outside = low / np.maximum(at_low, 0.25) * 1.01
            between = low + (high - low) * (1.0 - at_low) / (at_high - at_low)
        between = np.clip(between, low + 0.02 * (high - low), high - 0.02 * (high - low))
        return np.where(open_end, np.minimum(np.maximum(outside, low * 1.05), high), between)

    def along(self, voxel: Ints, place: Ints, moved: Array) -> Array:
        """Where the minima are expected if one parameter is moved so far."""
        covariance = self.known.covariance[voxel]
        row = covariance[np.arange(len(voxel)), place]
        variance = row[np.arange(len(voxel)), place]
        turn = row / np.where(variance > 0.0, variance, 1.0)[:, None]
        lower, upper = self.problem.bounds
        return np.clip(self.z[voxel] + turn * moved[:, None], lower, upper)

    def height(self, voxel: Ints, place: Ints, value: Array, start: Array) -> tuple[Array, Array]:
        """Root of the deviance over its border with one parameter held, and the minima."""
        start = start.copy()
        start[np.arange(len(voxel)), place] = value
        held = np.zeros(start.shape, dtype=bool)
        held[np.arange(len(voxel)), place] = True
        found = minimise(
            self.problem, voxel, start, *self.problem.bounds, held=held, tolerance=1e-4, most=25
        )
        deviance = 2.0 * (found.value - self.smallest[voxel])
        return np.sqrt(np.maximum(deviance, 0.0) / self.border[voxel]), found.z
