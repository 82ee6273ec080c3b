"""A model with amplitudes as what is minimised for each voxel, and where its searches start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError, either
from torrey.inversion.likelihood import NoiseKind, likelihood
from torrey.inversion.measured import MeasuredProtocol
from torrey.inversion.table_model import Evaluate, ModelParameter, TableModel

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Amplitudes, in units of the largest signal of the voxel.
_SMALLEST, _LARGEST = 1e-6, 1e6
#: Starts differ by at least this much in one parameter, as a part of its range.
_APART = 0.25


@dataclass(frozen=True)
class Ranges:
    """Parameters by their places between bounds, from 0 to 1.

    Attributes
    ----------
    lower, upper : (p,) float
    log : (p,) bool
        Whether places are those of the logarithm.
    free : (k,) int
        Numbers of the parameters that are fitted; the others are at `lower`.
    symmetric : bool
        Whether equal sets of parameters lie within the bounds alike, so that one may be chosen.
    """

    lower: Array
    upper: Array
    log: NDArray[np.bool_]
    free: Ints
    symmetric: bool

    @classmethod
    def of(
        cls,
        model: TableModel,
        fixed: Mapping[str, float] | None,
        bounds: Mapping[str, tuple[float, float]] | None,
    ) -> Ranges:
        """Those of a model, with others in their place.

        Raises
        ------
        InputError
            If a name is not one of the model's, a value or bound is beyond what its parameter can
            be, or bounds are not in order.
        """
        fixed, bounds = dict(fixed or {}), dict(bounds or {})
        for at, given in (("fixed", fixed), ("bounds", bounds)):
            for name in given:
                if name not in model.names:
                    raise InputError(f'"{name}"', either(model.names), at=(at, name))
        ends = []
        for one in model.parameters:
            low, high = bounds.get(one.name, (one.lower, one.upper))
            least = _least(one)
            if not (low < high and _is_meant(one, low) and _is_meant(one, high)):
                raise InputError(
                    f"{low:g} and {high:g}",
                    f"a lower and an upper bound, {least}",
                    at=("bounds", one.name),
                )
            value = fixed.get(one.name)
            if value is not None and not _is_meant(one, value):
                raise InputError(f"{value:g}", f"a number, {least}", at=("fixed", one.name))
            ends.append((low, high) if value is None else (value, value))
        lower, upper = np.array(ends, dtype=float).T
        log = np.array([one.log for one in model.parameters])
        free = np.flatnonzero([one.name not in fixed for one in model.parameters])
        if not len(free):
            raise InputError("no parameter to fit", "at least one that is not fixed", at=("fixed",))
        return cls(lower, upper, log, free, _closed(model, lower, upper))

    def values(self, u: Array) -> tuple[Array, Array]:
        """All parameters (n, p) at places (n, k), and derivatives of the free ones by these."""
        at = np.zeros((len(u), len(self.lower)))
        at[:, self.free] = u
        low, high = self.lower, self.upper
        ratio = np.log(np.where(self.log, high / np.where(self.log, low, 1.0), 1.0))
        x = np.where(self.log, low * np.exp(ratio * at), low + (high - low) * at)
        slope = np.where(self.log, x * ratio, high - low)
        return x, slope[:, self.free]

    def places(self, x: Array) -> Array:
        """Places (n, k) of parameters (n, p)."""
        low, high, log = (a[self.free] for a in (self.lower, self.upper, self.log))
        x = x[:, self.free]
        safe = np.where(log, x, 1.0)
        ratio = np.log(np.where(log, high / np.where(log, low, 1.0), np.e))
        place = np.where(
            log, np.log(safe / np.where(log, low, 1.0)) / ratio, (x - low) / (high - low)
        )
        return np.clip(place, 0.0, 1.0)


@dataclass(frozen=True)
class VoxelProblem:
    """Minus the log likelihood of the signals of voxels.

    The unknowns are the places of the free parameters, then the amplitudes of the groups of rows.

    Attributes
    ----------
    evaluate : Evaluate
    ranges : Ranges
    groups : (m, g) float
        1 where a row belongs to a group.
    weights : (m,) float
    noise : {"gaussian", "rician"}
    y, sigma : (v, m) float
    """

    evaluate: Evaluate
    ranges: Ranges
    groups: Array
    weights: Array
    noise: NoiseKind
    y: Array
    sigma: Array

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Of the unknowns."""
        k, g = len(self.ranges.free), self.groups.shape[1]
        lower = np.concatenate([np.zeros(k), np.full(g, _SMALLEST)])
        return lower, np.concatenate([np.ones(k), np.full(g, _LARGEST)])

    def __call__(self, which: Ints, z: Array) -> tuple[Array, Array, Array]:
        """See `torrey.inversion.batched.Objective`."""
        k = len(self.ranges.free)
        x, slope = self.ranges.values(z[:, :k])
        signal, by = self.evaluate(x)
        assert by is not None
        amplitude = z[:, k:] @ self.groups.T
        value, first, information = likelihood(
            self.noise, self.y[which], amplitude * signal, self.sigma[which], self.weights
        )
        jacobian = np.concatenate(
            [
                amplitude[..., None] * by[:, :, self.ranges.free] * slope[:, None, :],
                signal[..., None] * self.groups,
            ],
            axis=-1,
        )
        turned = np.swapaxes(jacobian, 1, 2)
        gradient = np.matmul(turned, first[..., None])[..., 0]
        return value.sum(axis=1), gradient, np.matmul(turned * information[:, None], jacobian)

    def signals(self, z: Array) -> Array:
        """Signals of the model (n, m)."""
        k = len(self.ranges.free)
        signal, _ = self.evaluate(self.ranges.values(z[:, :k])[0], False)
        return signal * (z[:, k:] @ self.groups.T)

    def with_noise(self, sigma: Array) -> VoxelProblem:
        """The same with another noise."""
        return replace(self, sigma=sigma)


@dataclass(frozen=True)
class Dictionary:
    """Signals of a model at points spread between its bounds.

    Attributes
    ----------
    places : (N, k) float
    signals : (N, m) float
    groups : (m, g) float
    weights : (m,) float
    """

    places: Array
    signals: Array
    groups: Array
    weights: Array

    @classmethod
    def of(
        cls,
        model: TableModel,
        protocol: MeasuredProtocol,
        evaluate: Evaluate,
        ranges: Ranges,
        size: int,
        seed: int,
    ) -> Dictionary:
        """Of Halton's points, the same for the same seed."""
        from scipy.stats import qmc

        places = qmc.Halton(len(ranges.free), seed=seed).random(size)
        x = ranges.values(places)[0]
        if ranges.symmetric:
            x = model.canonical(x)
            places = ranges.places(x)
        groups = one_hot(model.amplitude_groups(protocol))
        signals = evaluate(x, False)[0]
        # Of homogenised models that are unstable somewhere: nothing is near to zeros.
        signals = np.where(np.isfinite(signals).all(axis=1, keepdims=True), signals, 0.0)
        return cls(places, signals, groups, protocol.weights)

    def starts(self, y: Array, count: int) -> tuple[Array, Array]:
        """The nearest signals to those of one voxel, some way apart from each other.

        Parameters
        ----------
        y : (m,) float
        count : int

        Returns
        -------
        unknowns : (count, k + g) float
            Places and amplitudes.
        misfit : (count,) float
            Weighted sum of squares.
        """
        weighted = self.groups * (self.weights * y)[:, None]
        along = self.signals @ weighted
        square = self.signals**2 @ (self.groups * self.weights[:, None])
        amplitude = np.maximum(along, 0.0) / np.maximum(square, 1e-300)
        score = (amplitude * along).sum(axis=1)
        chosen, left = [], np.ones(len(score), dtype=bool)
        for _ in range(count):
            best = int(np.argmax(np.where(left, score, -np.inf)))
            chosen.append(best)
            left &= np.abs(self.places - self.places[best]).max(axis=1) > _APART
        at = np.array(chosen)
        inside = np.clip(self.places[at], 0.01, 0.99)
        size = np.maximum(amplitude[at], 1e-3)
        return np.column_stack([inside, size]), float(self.weights @ y**2) - score[at]


def _is_meant(one: ModelParameter, value: float) -> bool:
    """Whether a parameter may have a value: those without a unit are parts of a whole."""
    most = 1.0 if one.unit == "1" else np.inf
    least = 0.0 if one.log or one.unit == "1" else -np.inf
    return bool(np.isfinite(value) and least <= value <= most and (value > 0 or not one.log))


def _least(one: ModelParameter) -> str:
    if one.unit == "1":
        return "above zero and at most 1" if one.log else "from 0 to 1"
    return "above zero" if one.log else "finite"


def _closed(model: TableModel, lower: Array, upper: Array) -> bool:
    """Whether the bounds hold what the model makes of any parameters within them."""
    places = np.random.default_rng(0).random((64, len(lower)))
    x = model.canonical(lower + (upper - lower) * places)
    room = 1e-9 * (1.0 + np.abs(upper))
    return bool(np.all((x >= lower - room) & (x <= upper + room)))


def one_hot(groups: Ints) -> Array:
    """1 where a row belongs to a group, shape (m, g)."""
    return (groups[:, None] == np.arange(int(groups.max()) + 1)).astype(float)
