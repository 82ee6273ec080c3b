"""Points on the sphere with weights: means over it, and what is known of their errors.

A rule has checks beside its weights: rows that give zero for the functions that the rule treats as
they are, so that what they give for others tells the error of the mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError

Array = NDArray[np.float64]

LEBEDEV_DEGREES: Final = (5, 7, 9, 11, *range(15, 24, 2), 29, 31, *range(35, 132, 6))
"""Degrees of the rules of Lebedev that have enough points to tell an error, and no weights below
zero (13, 25 and 27 have such)."""
FEWEST_POINTS: Final = 10
"""Of a spiral: those that tell an error."""
MOST_POINTS: Final = 1000
"""Of a spiral: weights of more take too long to find; rules of Lebedev have as many."""

#: Coefficients that a fit by least squares has per point: more would be ill determined.
_FILLED: Final = 0.8
_GOLDEN: Final = (1.0 + math.sqrt(5.0)) / 2.0


@dataclass(frozen=True)
class Check:
    """Coefficients of a high degree, from which those that a rule gets wrong are extrapolated.

    Coefficients of smooth functions decay at least geometrically: where those of degree k are a
    share x of the function, those of degree p k are about x^p.

    Parameters
    ----------
    rows : (k, n) float
        What makes the coefficients of the values at the points; that of degree zero is the mean.
    power : float
        Lowest degree that the rule gets wrong, as a multiple of theirs.
    passed : float
        How much of such coefficients goes into the mean.
    """

    rows: Array
    power: float
    passed: float = 1.0


@dataclass(frozen=True, eq=False)
class Rule:
    """Weights of points whose sum is a mean, and what tells its error.

    Parameters
    ----------
    points : (n, 3) float
        Unit vectors.
    weights : (n,) float
        Of sum 1.
    checks : tuple of Check
    degree : int
        To which harmonics are integrated as they are; those of even degrees alone where the points
        lie on half of the sphere.
    """

    points: Array
    weights: Array
    checks: tuple[Check, ...]
    degree: int = 0

    def mean(self, values: NDArray[Any]) -> tuple[NDArray[Any], Array]:
        """Weighted mean along the last axis, and an estimate of its error, absolute.

        Parameters
        ----------
        values : (..., n) float or complex
        """
        mean = values @ self.weights
        scale = np.sqrt(np.abs(values) ** 2 @ np.abs(self.weights))
        error = np.zeros(mean.shape)
        for check in self.checks:
            found = np.linalg.norm(values @ check.rows.T, axis=-1)
            share = found / np.where(scale > 0.0, scale, 1.0)
            error += check.passed * scale * np.minimum(1.0, share) ** check.power
        return mean, error


@dataclass(frozen=True)
class Sphere:
    """Directions all over the sphere, or over half of it where S(-n) is the conjugate of S(n).

    Parameters
    ----------
    kind : {"powder", "lebedev"}
        Points of equal weights on a spiral (Fibonacci), or the points and weights of Lebedev.
    number : int
        How many points, or the degree to which the rule of Lebedev is exact.
    whole : bool
        Whether points lie on all of the sphere. The others are those of one half: with the real
        part of the signal they stand for all.
    """

    kind: str
    number: int
    whole: bool = False

    @property
    def rule(self) -> Rule:
        """Points and weights.

        Raises
        ------
        InputError
            If there is no such rule.
        """
        return _rule(self)


@cache
def _rule(sphere: Sphere) -> Rule:
    if sphere.kind == "powder":
        if sphere.number < FEWEST_POINTS:
            found = f"{sphere.number} directions"
            raise InputError(found, f"at least {FEWEST_POINTS}, to tell the error of their mean")
        return fitted_weights(_spiral(sphere.number, sphere.whole), sphere.whole)
    if sphere.number not in LEBEDEV_DEGREES:
        accepted = f"a degree of Lebedev: {', '.join(map(str, LEBEDEV_DEGREES))}"
        raise InputError(str(sphere.number), accepted)
    return _lebedev(sphere.number, sphere.whole)


def _spiral(n: int, whole: bool) -> Array:
    """Points of a Fibonacci lattice, on the half z > 0 or on the whole sphere."""
    share = (np.arange(n) + 0.5) / n
    z = 1.0 - 2.0 * share if whole else 1.0 - share
    angle = 2.0 * np.pi * np.arange(n) / _GOLDEN
    radius = np.sqrt((1.0 - z) * (1.0 + z))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), z])


def fitted_weights(points: Array, whole: bool = False) -> Rule:
    """Rule of the weights nearest to equal ones that are exact to some degree.

    Parameters
    ----------
    points : (n, 3) float
        Unit vectors.
    whole : bool
        Whether it is exact for harmonics of odd degrees too.
    """
    step, degree = (1 if whole else 2), _degree(len(points), whole)
    basis, degrees = harmonics(points, degree, odd=whole)
    rows = np.asarray(np.linalg.pinv(basis), dtype=np.float64) / math.sqrt(4.0 * np.pi)
    checks = _checks(points, rows[0], rows, degrees[:, 0], step, degree + step)
    return Rule(points, rows[0], checks, degree)


def _checks(
    points: Array,
    weights: Array,
    rows: Array,
    degrees: NDArray[np.int64],
    step: int,
    wrong: int,
) -> tuple[Check, ...]:
    """Checks by the coefficients of the two highest degrees; `wrong` is the first one missed."""
    top = int(degrees.max())
    missed = range(wrong, wrong + 3 * step, step)
    passed = max(_aliased(points, weights, degree) for degree in missed)
    return tuple(
        Check(rows[degrees == degree], wrong / degree, passed)
        for degree in (top, top - step)
        if degree > 0
    )


def _aliased(points: Array, weights: Array, degree: int) -> float:
    """What a rule makes of harmonics of one degree, whose means are zero."""
    basis, _ = _in_pairs(points, [(degree, m) for m in range(-degree, degree + 1)])
    return float(np.linalg.norm(weights @ basis)) * math.sqrt(4.0 * np.pi)


def _degree(count: int, whole: bool) -> int:
    """Largest degree of a fit to so many points."""
    step = 1 if whole else 2
    degree = 0
    while count_harmonics(degree + step, odd=whole) <= _FILLED * count:
        degree += step
    return degree


def _lebedev(degree: int, whole: bool) -> Rule:
    from scipy.integrate import lebedev_rule

    points, weights = lebedev_rule(degree)
    points, weights = points.T, weights / weights.sum()
    if not whole:
        # Of two opposite points one is kept: that whose last component off zero is positive.
        near = np.where(np.abs(points) < 1e-9, 0.0, np.sign(points))
        half = near @ np.array([1.0, 2.0, 4.0]) > 0.0
        points, weights = points[half], 2.0 * weights[half]
    step = 1 if whole else 2
    top = (degree + 1) // 2 // step * step
    basis, degrees = harmonics(points, top, odd=whole)
    rows = basis.T * weights * math.sqrt(4.0 * np.pi)
    checks = _checks(points, weights, rows, degrees[:, 0], step, degree + 1)
    return Rule(points, weights, checks, degree)


def count_harmonics(degree: int, *, odd: bool = False) -> int:
    """Number of real spherical harmonics to a degree, of even degrees alone or of all."""
    return (degree + 1) ** 2 if odd else (degree + 1) * (degree + 2) // 2


def harmonics(points: Array, degree: int, *, odd: bool = False) -> tuple[Array, NDArray[np.int64]]:
    """Real spherical harmonics, orthonormal on the sphere, at points.

    Y_l^0 for m = 0, sqrt(2) Re Y_l^abs(m) for m < 0 and sqrt(2) Im Y_l^m for m > 0, where Y_l^m has
    the phase (-1)^m of Condon and Shortley: the basis of Descoteaux 2007 as DIPY has it by the name
    ``descoteaux07_legacy``.

    Parameters
    ----------
    points : (n, 3) float
        Unit vectors.
    degree : int
        The largest l.
    odd : bool
        Whether those of odd degrees are among them.

    Returns
    -------
    basis : (n, k) float
    degrees : (k, 2) int
        l and m of each, by l and then by m.
    """
    degrees = range(0, degree + 1, 1 if odd else 2)
    return _in_pairs(points, [(l, m) for l in degrees for m in range(-l, l + 1)])


def _in_pairs(points: Array, pairs: list[tuple[int, int]]) -> tuple[Array, NDArray[np.int64]]:
    """The harmonics of some l and m at points."""
    from scipy.special import sph_harm_y

    theta = np.arctan2(np.hypot(points[:, 0], points[:, 1]), points[:, 2])
    phi = np.arctan2(points[:, 1], points[:, 0])
    columns = []
    for l, m in pairs:
        value = sph_harm_y(l, abs(m), theta, phi)
        part = value.imag if m > 0 else value.real
        columns.append(part * (math.sqrt(2.0) if m else 1.0))
    return np.column_stack(columns), np.array(pairs)


def fit_harmonics(rule: Rule, degree: int) -> tuple[Array, NDArray[np.int64]]:
    """Rows that make coefficients of even degrees of the values at the points of a rule.

    By the quadrature of the rule where that is exact to twice the degree, and by least squares with
    its weights elsewhere.

    Returns
    -------
    rows : (k, n) float
    degrees : (k, 2) int
        l and m of each coefficient: see `harmonics`.

    Raises
    ------
    InputError
        If the points are too few, or lie badly.
    """
    wanted, known = count_harmonics(degree), len(rule.points)
    if wanted > known:
        accepted = f"at least {wanted}, as many as harmonics of even degrees to {degree}"
        raise InputError(f"{known} directions", accepted)
    basis, degrees = harmonics(rule.points, degree)
    if rule.degree >= 2 * degree:
        return 4.0 * np.pi * basis.T * rule.weights, degrees
    root = np.sqrt(np.abs(rule.weights))
    scaled = root[:, None] * basis
    if np.linalg.cond(scaled) > _WORST_CONDITION:
        accepted = f"directions that tell all harmonics to degree {degree} apart"
        raise InputError(f"{known} directions that do not", accepted)
    return np.asarray(np.linalg.pinv(scaled), dtype=np.float64) * root, degrees


_WORST_CONDITION: Final = 100.0
