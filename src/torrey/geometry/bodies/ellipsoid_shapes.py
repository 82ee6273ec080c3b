"""One ellipsoid: its size, the point of it that is nearest to a place, the distance of another.

An ellipsoid with the semi-axes s along the rows of Q is |diag(1/s) Q (x - c)| = 1. In a direction n
it reaches as far from its centre as its support h(n) = |diag(s) Q n|.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.bodies.base import check_place

Array = NDArray[np.float64]

LEAST_RADIUS: Final = 1e-3
"""Of curvature, in units of the cell: sharper ends take too many elements."""

_LEAST_SINE = 1e-3
#: Newton steps for the nearest point: they come from one side and end at rounding.
_STEPS = 100
_CONVERGED = 1e-14


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid; it may reach across the boundary of the cell.

    Parameters
    ----------
    center : tuple of float
        In [0, 1[.
    axes : tuple of float
        Three semi-axes, in units of the cell.
    orientation : tuple of tuple of float
        Directions of the first and the second semi-axis, of any length. What the second has along
        the first does not count; the third axis is perpendicular to both.

    Raises
    ------
    ValueError
        If the centre lies outside the cell, or axes or orientation are impossible.
    """

    center: tuple[float, ...] = declared(
        description="three numbers in [0, 1[, such as [0.5, 0.5, 0.5]", min_length=3, max_length=3
    )
    axes: tuple[float, ...] = declared(
        description="three semi-axes above 0 and below 0.5, in units of the cell, such as "
        "[0.4, 0.2, 0.1]",
        min_length=3,
        max_length=3,
    )
    orientation: tuple[tuple[float, ...], ...] = declared(
        description="the directions of the first and the second semi-axis, such as "
        "[[1, 1, 0], [0, 0, 1]]",
        default=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        min_length=2,
        max_length=2,
    )

    def __post_init__(self) -> None:
        check_kinds(self)
        check_place(self.center)
        if len(self.axes) != 3 or not all(0 < x < 1 for x in self.axes):
            raise InputError(
                f"{list(self.axes)}", "three semi-axes above 0 and below 1", at=("axes",)
            )
        radius = smallest_radius(np.array(self.axes))
        if radius < LEAST_RADIUS:
            raise InputError(
                f"semi-axes {list(self.axes)} with a radius of curvature of {radius:.3g}",
                f"a shortest and longest semi-axis c and a with c^2 / a, their smallest radius of "
                f"curvature, at least {LEAST_RADIUS:g}",
                at=("axes",),
            )
        two = np.array(self.orientation, dtype=float) if self._are_vectors() else np.zeros((2, 3))
        sizes = np.linalg.norm(two, axis=1)
        if not np.linalg.norm(np.cross(*two)) > _LEAST_SINE * np.prod(sizes) > 0:
            raise InputError(
                f"{[list(vector) for vector in self.orientation]}",
                "two vectors of three numbers each that are not parallel",
                at=("orientation",),
            )

    def _are_vectors(self) -> bool:
        numbers = [x for vector in self.orientation for x in vector]
        return [len(v) for v in self.orientation] == [3, 3] and all(map(math.isfinite, numbers))

    @property
    def place(self) -> Array:
        """Its centre, shape (3,)."""
        return np.array(self.center, dtype=float)

    @property
    def semi_axes(self) -> Array:
        """Lengths of the semi-axes, shape (3,)."""
        return np.array(self.axes, dtype=float)

    @property
    def frame(self) -> Array:
        """Directions of the semi-axes, as rows, shape (3, 3)."""
        return frame_of(*np.array(self.orientation, dtype=float))

    @property
    def half_widths(self) -> Array:
        """How far it reaches along x, y and z, shape (3,)."""
        return np.asarray(np.linalg.norm(self.semi_axes[:, None] * self.frame, axis=0))


def frame_of(first: Array, second: Array) -> Array:
    """Rows: the unit vector along the first, that of the second's part across it, and a third."""
    one = first / np.linalg.norm(first)
    two = second - (second @ one) * one
    two /= np.linalg.norm(two)
    return np.array([one, two, np.cross(one, two)])


def surface_area(axes: Array) -> float:
    """Area of an ellipsoid, by Carlson's integral R_G (DLMF 19.33.2)."""
    # Loaded where something is measured.
    from scipy.special import elliprg

    a, b, c = (axes**2).tolist()
    return 4 * math.pi * float(elliprg(a * b, a * c, b * c))


def smallest_radius(axes: Array) -> float:
    """Smallest radius of curvature: at the ends of the longest axis, across the shortest."""
    return float(axes.min() ** 2 / axes.max())


def nearest_points(places: Array, axes: Array) -> Array:
    """Nearest points of an ellipsoid along the axes, about the origin, shape (n, 3).

    They are x = s^2 y / (s^2 + t) with the largest t at which |s y / (s^2 + t)| = 1. The left side
    falls and is convex in t, so that Newton's steps from a smaller t never pass the root.

    Parameters
    ----------
    places : (n, 3) float
        In the axes of the ellipsoid; not its centre.
    axes : (3,) float
    """
    squares = axes**2
    t = np.max(axes * np.abs(places) - squares, axis=1)
    # Deep inside, on a plane of symmetry, any side is as near.
    t = np.maximum(t, -(1 - _CONVERGED) * squares.min())
    for _ in range(_STEPS):
        terms = (axes * places / (squares + t[:, None])) ** 2
        value = terms.sum(axis=1) - 1.0
        slope = -2.0 * (terms / (squares + t[:, None])).sum(axis=1)
        step = value / slope
        t = t - step
        if np.all(np.abs(step) <= _CONVERGED * squares.max()):
            break
    return np.asarray(squares * places / (squares + t[:, None]))


def separation(apart: Array, one: Array, other: Array) -> float:
    """Distance of two ellipsoids from below, to rounding; at most 0 if they touch or overlap.

    Perram and Wertheim (J. Comput. Phys. 58, 409, 1985): the largest value over 0 < w < 1 of
    w (1 - w) d^T ((1 - w) A + w B)^-1 d is the square of the factor by which both would have to
    grow to touch. The normal where they would is a direction in which a gap is seen; turned until
    the gap is widest, it shows the distance. Whatever the direction, the gap is one that is there.

    Parameters
    ----------
    apart : (3,) float
        From the centre of one to that of the other.
    one, other : (3, 3) float
        diag(s) Q of each.
    """
    # Loaded where cells are checked.
    from scipy.optimize import minimize, minimize_scalar

    A, B = one.T @ one, other.T @ other

    def contact(w: float) -> float:
        return -w * (1 - w) * float(apart @ np.linalg.solve((1 - w) * A + w * B, apart))

    found = minimize_scalar(contact, bounds=(0.0, 1.0), method="bounded")
    if found.fun >= -1.0:
        return math.sqrt(-found.fun) - 1.0
    w = float(found.x)
    normal = np.linalg.solve((1 - w) * A + w * B, apart)

    def gap(n: Array) -> tuple[float, Array]:
        size, a, b = (float(np.linalg.norm(x)) for x in (n, one @ n, other @ n))
        width = (float(n @ apart) - a - b) / size
        slope = (apart - A @ n / a - B @ n / b - width * n / size) / size
        return -width, -slope

    best = minimize(gap, normal / np.linalg.norm(normal), jac=True, method="BFGS", tol=1e-10)
    return max(-float(best.fun), -gap(np.asarray(normal))[0])
