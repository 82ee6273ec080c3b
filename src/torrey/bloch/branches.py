"""Branches of the Bloch-Torrey spectrum, followed from gradient to gradient, and where they meet.

Eigenvalues are continued, not sorted: a branch is predicted from its last two values, and where
another eigenvalue is about as near to the prediction, the gradient moves on by half as much. Where
two branches are still as near at the smallest step, the eigenvectors decide: at a crossing they
belong to different symmetries. At a branching point they coalesce, and nothing can decide; there
mu_1 + mu_2 and (mu_1 - mu_2)^2 are analytic in the gradient (MMG20 4.5, appendix C), and the zero
of the latter is the branching point.

Where a branch bends, gradients are put between those that were asked for until straight lines from
one to the next follow it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, linear_sum_assignment

from torrey.bloch.spectrum import Solver, Spectrum, wrap

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: A prediction is unambiguous if the nearest eigenvalue is this much nearer than the next one.
_CLEAR = 0.3
_MOST_HALVINGS = 7
#: Relative distance of two gradients below which halving tells no more.
_NEXT = 6e-4
#: Largest change of exp(-tau mu) in one step that a continued branch may make.
_FARTHEST = 0.3
#: Largest imaginary part, relative to the real one, of a gradient at which branches coalesce: in a
#: symmetric cell it is zero but for the mesh, in others there is no real branching point.
_REAL = 1e-3
_PRECISION = 1e-7
#: A line between two gradients may miss a branch by this, as far as the next gradient tells: small
#: parts of a picture, relative to Re mu and a tenth of the largest one. At a branching point the
#: slope has no limit: neighbours end at some distance.
_BEND = 5e-3
_CLOSEST = 2e-2
_MOST_ROUNDS = 4


@dataclass(frozen=True)
class BranchingPoint:
    """A gradient at which two eigenvalues coalesce.

    Attributes
    ----------
    gradient : float, rad/um/ms
    eigenvalue : complex, 1/ms
    branches : tuple of two int
    """

    gradient: float
    eigenvalue: complex
    branches: tuple[int, int]


@dataclass(frozen=True)
class Branches:
    """Eigenvalues against the gradient.

    Attributes
    ----------
    gradients : (m,) float, rad/um/ms
        Increasing: those asked for, those that the continuation stopped at, and others where
        branches bend.
    eigenvalues : (n, m) complex, 1/ms
        Continuous along each row, up to whole steps of the imaginary part; not a number where a
        branch is not known. Rows are numbered as they rise over the floor; where two meet and go on
        as a pair of conjugates the first one is that above the axis, as in MMG20 figure 10.
    steps, floors : (m,) float, 1/ms
        See `Spectrum`.
    points : tuple of BranchingPoint
        By increasing gradient.
    """

    gradients: Array
    eigenvalues: ComplexArray
    steps: Array
    floors: Array
    points: tuple[BranchingPoint, ...]


def follow(solver: Solver, gradients: ArrayLike, count: int) -> Branches:
    """Follow branches from the smallest gradient to the largest, closely where they bend.

    Parameters
    ----------
    solver : Solver
    gradients : (m,) array_like, rad/um/ms
    count : int
        Branches to follow, the first ones to rise over the floor.
    """
    memory, places = _Memory(solver), np.unique(np.asarray(gradients, dtype=float))
    for _ in range(_MOST_ROUNDS):
        track = _Track(memory, count)
        for gradient in places:
            track.move_to(float(gradient))
        more = bends(track.gradients, track.values(), track.spectra[-1].unit)
        if not len(more):
            break
        places = np.union1d(track.gradients, more)
    return track.branches()


def bends(gradients: Array, values: ComplexArray, unit: float) -> Array:
    """Gradients between those given at which branches should be known too, to be drawn by lines.

    Parameters
    ----------
    gradients : (m,) float, rad/um/ms
        Increasing.
    values : (n, m) complex, 1/ms
        Branches, as in `Branches`.
    unit : float
        Step of the imaginary parts over the gradient.
    """
    wide = np.diff(gradients) > _CLOSEST * gradients[1:]
    chosen = np.zeros(len(wide), dtype=bool)
    scale = 0.1 * np.nanmax(values.real, initial=0.0)
    for row in values:
        known = np.flatnonzero(np.isfinite(row))
        if len(known) < 3:
            continue
        known = np.arange(known[0], known[-1] + 1)
        g, turns = gradients[known], row[known].imag / gradients[known]
        # Continuous, without jumps by whole steps: these are straight lines.
        imag = g * np.unwrap(turns, period=unit)
        mu = row[known].real + 1j * imag
        share = (g[1:-1] - g[:-2]) / (g[2:] - g[:-2])
        missed = np.abs(mu[1:-1] - (1.0 - share) * mu[:-2] - share * mu[2:])
        places = known[1:-1][missed > _BEND * (mu[1:-1].real + scale)]
        chosen[places - 1] = chosen[places] = True
    chosen &= wide
    return np.sqrt(gradients[:-1] * gradients[1:])[chosen]


def is_pair(first: complex, second: complex, step: float) -> bool:
    """Whether each of two eigenvalues is the conjugate of the other, and not of itself.

    Parameters
    ----------
    first, second : complex, 1/ms
    step : float, 1/ms
        By which imaginary parts are known.
    """
    own, other = (abs(wrap(np.array(first - np.conj(mu)), step)) for mu in (first, second))
    return bool(other < _REAL * abs(first.real) <= own)


class _Memory:
    """A solver that computes nothing twice."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._found: dict[float, Spectrum] = {}
        self._sure: dict[float, NDArray[np.int64]] = {}

    def every(self, gradient: float) -> Spectrum:
        if gradient not in self._found:
            self._found[gradient] = self._solver.every(gradient)
        return self._found[gradient]

    def sure(self, found: Spectrum) -> NDArray[np.int64]:
        if found.gradient not in self._sure:
            self._sure[found.gradient] = self._solver.sure(found)
        return self._sure[found.gradient]


@dataclass
class _Track:
    """Branches as far as they are known."""

    solver: _Memory
    count: int
    spectra: list[Spectrum] = field(default_factory=list)
    #: Row of each branch in each spectrum, -1 where there is none.
    rows: list[list[int]] = field(default_factory=list)
    n_branches: int = 0

    def move_to(self, gradient: float) -> None:
        if self.spectra:
            self._advance(gradient, 0)
        else:
            self.spectra.append(self.solver.every(gradient))
            self.rows.append([])
        self._admit()

    def _advance(self, gradient: float, halvings: int) -> None:
        before, after = self.spectra[-1], self.solver.every(gradient)
        close = gradient - before.gradient < _NEXT * gradient
        matched = self._match(before, after, final=close or halvings == _MOST_HALVINGS)
        if matched is None:
            self._advance((before.gradient + gradient) / 2.0, halvings + 1)
            self._advance(gradient, halvings + 1)
            return
        self.spectra.append(after)
        self.rows.append(matched)

    def _match(self, before: Spectrum, after: Spectrum, final: bool) -> list[int] | None:
        """Rows of the branches in the next spectrum; None if they are not clear."""
        rows = np.array(self.rows[-1], dtype=np.int64)
        alive = np.flatnonzero(rows >= 0)
        result = [-1] * len(rows)
        if not len(alive) or not len(after.eigenvalues):
            return result
        tau = 2.0 * np.pi / after.step
        predicted = np.array([self._predict(int(n), after.gradient) for n in alive])
        distance = tau * np.abs(wrap(predicted[:, None] - after.eigenvalues[None], after.step))
        ordered = np.sort(distance, axis=1)
        second = ordered[:, 1] if ordered.shape[1] > 1 else np.full(len(alive), np.inf)
        clear = ordered[:, 0] <= np.minimum(_CLEAR * second, _FARTHEST)
        ended = predicted.real > 0.97 * after.floor
        if not final and not np.all(clear | ended):
            return None
        cost = np.minimum(distance, 10.0)
        if not np.all(clear):
            left, right = before.left[:, rows[alive]], after.right
            self_overlap = np.einsum("in,in->n", left.conj(), before.right[:, rows[alive]])
            overlap = np.abs((left.conj().T @ right) / self_overlap[:, None])
            cost = cost - 0.5 * np.minimum(overlap, 1.0)
        for n, row in zip(*linear_sum_assignment(cost), strict=True):
            if distance[n, row] <= _FARTHEST:
                result[alive[n]] = int(row)
        return self._in_order(before, after, result)

    def _in_order(self, before: Spectrum, after: Spectrum, matched: list[int]) -> list[int]:
        """Of two branches that have just met, the first one goes on above the axis.

        Either may continue either: their eigenvectors were the same.
        """
        known = [n for n, row in enumerate(matched) if row >= 0]
        for a, b in combinations(known, 2):
            old = [before.eigenvalues[self.rows[-1][n]] for n in (a, b)]
            new = [after.eigenvalues[matched[n]] for n in (a, b)]
            met = is_pair(new[0], new[1], after.step) and not is_pair(old[0], old[1], before.step)
            if met and new[0].imag < new[1].imag:
                matched[a], matched[b] = matched[b], matched[a]
        return matched

    def _predict(self, branch: int, gradient: float) -> complex:
        """Linear extrapolation of a branch."""
        last = self.spectra[-1]
        value = last.eigenvalues[self.rows[-1][branch]]
        if len(self.rows) < 2 or branch >= len(self.rows[-2]) or self.rows[-2][branch] < 0:
            return complex(value)
        other = self.spectra[-2]
        # A shift by whole steps of the lattice grows with the gradient.
        u1 = value / last.gradient
        u0 = other.eigenvalues[self.rows[-2][branch]] / other.gradient
        unit = last.step / last.gradient
        u0 = u1 + wrap(np.array(u0 - u1), unit)
        slope = (u1 - u0) / np.log(last.gradient / other.gradient)
        return complex(gradient * (u1 + slope * np.log(gradient / last.gradient)))

    def _admit(self) -> None:
        """Begin branches at eigenvalues that are confirmed and belong to none."""
        found = self.spectra[-1]
        if self.n_branches >= self.count:
            return
        for row in self.solver.sure(found):
            if row not in self.rows[-1] and self.n_branches < self.count:
                self.rows[-1].append(int(row))
                self.n_branches += 1

    @property
    def gradients(self) -> Array:
        return np.array([found.gradient for found in self.spectra])

    def values(self) -> ComplexArray:
        values = np.full((self.n_branches, len(self.spectra)), complex(np.nan, np.nan))
        for j, (found, rows) in enumerate(zip(self.spectra, self.rows, strict=True)):
            for n, row in enumerate(rows):
                if row >= 0:
                    values[n, j] = found.eigenvalues[row]
        return values

    def branches(self) -> Branches:
        gradients, values = self.gradients, self.values()
        return Branches(
            gradients=gradients,
            eigenvalues=values,
            steps=np.array([found.step for found in self.spectra]),
            floors=np.array([found.floor for found in self.spectra]),
            points=branching_points(self.solver.every, gradients, values),
        )


def branching_points(
    solve: Callable[[float], Spectrum], gradients: Array, values: ComplexArray
) -> tuple[BranchingPoint, ...]:
    """Where two of some branches meet and part at a right angle.

    Parameters
    ----------
    solve : callable
        Spectrum at a gradient.
    gradients : (m,) float, rad/um/ms
    values : (n, m) complex, 1/ms
        Branches, as in `Branches`.
    """
    unit = solve(float(gradients[-1])).step / gradients[-1]
    points = []
    for a, b in combinations(range(len(values)), 2):
        squares = wrap(values[a] - values[b], unit * gradients) ** 2
        # Two branches that cross at one of the gradients do not change sides there.
        known = np.flatnonzero(np.isfinite(squares) & (squares != 0.0))
        for i, j in pairwise(known):
            pair = squares[[i, j]]
            if pair[0].real * pair[1].real > 0.0:
                continue
            middles = [_middle(values[a, n], values[b, n], unit * gradients[n]) for n in (i, j)]
            found = _locate(solve, gradients[[i, j]], middles, pair)
            if found is not None:
                points.append(BranchingPoint(*found, (a, b)))
    return tuple(sorted(points, key=lambda point: point.gradient))


def _middle(first: complex, second: complex, step: float) -> complex:
    return complex(first + wrap(np.array(second - first), step) / 2.0)


def _locate(
    solve: Callable[[float], Spectrum],
    ends: Array,
    middles: list[complex],
    squares: ComplexArray,
) -> tuple[float, complex] | None:
    """Zero of (mu_1 - mu_2)^2 between two gradients, and the eigenvalue there."""
    low, high = (float(x) for x in ends)

    def pair(gradient: float) -> tuple[complex, complex]:
        found = solve(gradient)
        share = (gradient - low) / (high - low)
        unit = found.step / gradient
        per_gradient = wrap(np.array(middles[1] / high - middles[0] / low), unit)
        expected = gradient * (middles[0] / low + share * per_gradient)
        apart = wrap(found.eigenvalues - expected, found.step)
        near = apart[np.argsort(np.abs(apart))[:2]]
        return complex((near[0] - near[1]) ** 2), complex(expected + near.mean())

    # Two other eigenvalues may be nearer to the mean of the two branches.
    if not np.allclose([pair(low)[0], pair(high)[0]], squares, rtol=1e-6, atol=0.0):
        return None
    place = float(brentq(lambda x: pair(x)[0].real, low, high, xtol=_PRECISION * low))
    square, eigenvalue = pair(place)
    slope = complex(squares[1] - squares[0]) / (high - low)
    # The square is analytic: this is how far from the real axis it is zero.
    if abs(square.imag / slope) > _REAL * place:
        return None
    return place, eigenvalue
