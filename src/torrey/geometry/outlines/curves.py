"""Closed curves in the plane: ellipses, smooth curves through points, polygons with round corners.

A curve runs counterclockwise while its parameter grows from 0 to `Curve.turn`. Lengths are in units
of the cell. It is exact: the mesher is given the same curve, and `Curve.nearest` moves a place onto
it up to rounding. Curves of points are interpolated by scipy (`scipy.interpolate.CubicSpline` with
periodic ends, its parameter the length of the chords).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Samples along an arc of the length of its radius, at least.
_PER_RADIUS: Final = 6
#: Samples of a curve, or of one span of a curve through points, at least and at most.
_FEWEST: Final = {"curve": 96, "span": 6}
_MOST: Final = {"curve": 20_000, "span": 400}
#: Newton's method stops at steps of this part of the parameter, or after so many.
_STEP: Final = 1e-15
_STEPS: Final = 60


@dataclass(frozen=True)
class Samples:
    """Places along a curve, as dense as its bends ask for.

    Attributes
    ----------
    parameters : (n,) float
        Increasing.
    places : (n, 2) float
    normals : (n, 2) float
        Unit vectors to the outside.
    radii : (n,) float
        Of curvature; infinite where the curve is straight.
    bends : (n,) float
        Curvature, positive where the inside is convex.
    arcs : (n,) float
        Length along the curve, from the first one.
    """

    parameters: Array
    places: Array
    normals: Array
    radii: Array
    bends: Array
    arcs: Array

    @property
    def around(self) -> float:
        """Length of the polygon of the samples."""
        return float(self.arcs[-1] + np.linalg.norm(self.places[0] - self.places[-1]))

    @cached_property
    def spacing(self) -> float:
        """Largest distance of neighbours."""
        steps = np.diff(self.places, axis=0, append=self.places[:1])
        return float(np.linalg.norm(steps, axis=1).max())


class Curve(ABC):
    """A closed curve that does not cross itself, counterclockwise."""

    @property
    @abstractmethod
    def turn(self) -> float:
        """Parameter at which the curve is back where it starts."""

    @abstractmethod
    def at(self, parameters: Array, order: int = 0) -> Array:
        """Return places on the curve, or their derivatives of an order of 1 or 2, shape (n, 2)."""

    @property
    @abstractmethod
    def area(self) -> float:
        """Area inside."""

    @property
    @abstractmethod
    def length(self) -> float:
        """Length of the curve."""

    @property
    @abstractmethod
    def marks(self) -> Array:
        """Places where parts of the curve meet: corners, and ends of what is drawn; (n, 2)."""

    @abstractmethod
    def _sampled(self) -> Array:
        """Parameters of the samples, increasing."""

    @abstractmethod
    def draw(self, occ: Any, shift: Array) -> int:
        """Draw the inside of the curve, moved by a vector, and return its surface."""

    @cached_property
    def samples(self) -> Samples:
        """Places along the curve."""
        t = self._sampled()
        places, slope, bend = (self.at(t, order) for order in (0, 1, 2))
        speed = np.linalg.norm(slope, axis=1)
        curvature = (slope[:, 0] * bend[:, 1] - slope[:, 1] * bend[:, 0]) / speed**3
        with np.errstate(divide="ignore"):
            radii = 1.0 / np.abs(curvature)
        normals = np.column_stack([slope[:, 1], -slope[:, 0]]) / speed[:, None]
        steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
        arcs = np.concatenate([[0.0], np.cumsum(steps)])
        return Samples(t, places, normals, radii, curvature, arcs)

    @property
    def least_radius(self) -> float:
        """Smallest radius of curvature among the samples; corners do not count."""
        return float(self.samples.radii.min())

    def way_to(self, parameters: Array) -> Array:
        """Length along the samples from the first one to parameters, shape (n,)."""
        samples = self.samples
        ends = np.append(samples.parameters, samples.parameters[0] + self.turn)
        turned = (np.asarray(parameters) - ends[0]) % self.turn + ends[0]
        return np.interp(turned, ends, np.append(samples.arcs, samples.around))

    def radii_at(self, parameters: Array) -> Array:
        """Radius of curvature at parameters, shape (n,)."""
        slope, bend = self.at(parameters, 1), self.at(parameters, 2)
        turning = np.abs(slope[:, 0] * bend[:, 1] - slope[:, 1] * bend[:, 0])
        with np.errstate(divide="ignore"):
            return np.asarray(np.linalg.norm(slope, axis=1) ** 3 / turning)

    def nearest(self, places: Array, start: Array, *, strictly: bool = False) -> Array:
        """Return the parameters of the nearest points of the curve, by Newton's method.

        Parameters
        ----------
        places : (n, 2) float
        start : (n,) float
            Parameters near them: of the nearest sample.
        strictly : bool
            Where a curve has corners, stay on the sides of the starts.
        """
        t = np.array(start, dtype=float)
        gaps = np.diff(self.samples.parameters, append=self.turn + self.samples.parameters[0])
        longest = 2 * float(gaps.max())
        for _ in range(_STEPS):
            off, slope = self.at(t) - places, self.at(t, 1)
            speed = np.einsum("ij,ij->i", slope, slope)
            bend = speed + np.einsum("ij,ij->i", off, self.at(t, 2))
            # Far from the curve the second derivative may be negative: there it is left out.
            step = np.einsum("ij,ij->i", off, slope) / np.where(bend > 0.3 * speed, bend, speed)
            step = np.clip(step, -longest, longest)
            t -= step
            if np.all(np.abs(step) <= _STEP * self.turn):
                break
        return np.asarray(t % self.turn)

    def sides(self, places: Array, parameters: Array) -> Array:
        """Return the distance from the nearest points of the curve, negative inside, shape (n,)."""
        off, slope = places - self.at(parameters), self.at(parameters, 1)
        outward = off[:, 0] * slope[:, 1] - off[:, 1] * slope[:, 0]
        return np.asarray(np.copysign(np.linalg.norm(off, axis=1), outward))


@dataclass(frozen=True)
class EllipseCurve(Curve):
    """An ellipse; the parameter is the eccentric angle.

    Parameters
    ----------
    center : tuple of float
    semi_axes : tuple of float
    angle : float
        Of the first axis with x (rad).
    """

    center: tuple[float, ...]
    semi_axes: tuple[float, ...]
    angle: float

    @property
    def turn(self) -> float:
        """A full angle."""
        return 2 * math.pi

    @property
    def _frame(self) -> Array:
        """The two half axes, as rows."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        first, second = self.semi_axes
        return np.array([[first * cos, first * sin], [-second * sin, second * cos]])

    def at(self, parameters: Array, order: int = 0) -> Array:
        """Return places or derivatives."""
        shifted = np.asarray(parameters) + order * math.pi / 2
        found = np.column_stack([np.cos(shifted), np.sin(shifted)]) @ self._frame
        return np.asarray(found + self.center if order == 0 else found)

    @property
    def area(self) -> float:
        """Area inside."""
        return math.pi * self.semi_axes[0] * self.semi_axes[1]

    @property
    def length(self) -> float:
        """Length, a complete elliptic integral of the second kind."""
        short, long = sorted(self.semi_axes)
        if short == long:
            return 2 * math.pi * long
        # Loaded where lengths are asked for: to read a configuration needs none of it.
        from scipy.special import ellipe

        return float(4 * long * ellipe(1 - (short / long) ** 2))

    @property
    def least_radius(self) -> float:
        """At the ends of the long axis."""
        short, long = sorted(self.semi_axes)
        return short * short / long

    @property
    def marks(self) -> Array:
        """The end of the long axis, where the curve starts in the mesher."""
        long = self._frame[int(self.semi_axes[1] > self.semi_axes[0])]
        return np.array([self.center + long])

    def _sampled(self) -> Array:
        short, long = sorted(self.semi_axes)
        count = 4 * math.ceil(math.pi / 2 * _PER_RADIUS * long / short)
        count = min(max(count, _FEWEST["curve"]), _MOST["curve"])
        return np.asarray(np.arange(count) * (self.turn / count))

    def draw(self, occ: Any, shift: Array) -> int:
        """Draw the inside."""
        first, second = self.semi_axes
        x, y = np.asarray(self.center) + shift
        if first == second:
            return int(occ.addDisk(x, y, 0.0, first, second))
        long = self._frame[int(second > first)]
        ends = max(first, second), min(first, second)
        return int(occ.addDisk(x, y, 0.0, *ends, zAxis=[0, 0, 1], xAxis=[*long, 0]))


@dataclass(frozen=True)
class SplineCurve(Curve):
    """A closed curve through points, twice continuously differentiable.

    Parameters
    ----------
    points : tuple of tuple of float
        Three or more, in either sense.
    """

    points: tuple[tuple[float, ...], ...]

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import CubicSpline

        points = counterclockwise(np.array(self.points, dtype=float))
        closed = np.vstack([points, points[:1]])
        chords = np.linalg.norm(np.diff(closed, axis=0), axis=1)
        knots = np.concatenate([[0.0], np.cumsum(chords)])
        return CubicSpline(knots, closed, bc_type="periodic")

    @property
    def turn(self) -> float:
        """Length of all chords."""
        return float(self._spline.x[-1])

    def at(self, parameters: Array, order: int = 0) -> Array:
        """Return places or derivatives."""
        return np.asarray(self._spline(np.asarray(parameters) % self.turn, order))

    def _gauss(self, count: int) -> tuple[Array, Array]:
        """Gauss points of all spans and their weights."""
        x, weight = np.polynomial.legendre.leggauss(count)
        knots = self._spline.x
        half = np.diff(knots)[:, None] / 2
        middle = (knots[1:] + knots[:-1])[:, None] / 2
        return (middle + half * x).ravel(), (half * weight).ravel()

    @cached_property
    def area(self) -> float:
        """Area inside, by a quadrature that is exact for cubic curves."""
        t, weight = self._gauss(3)
        place, slope = self.at(t), self.at(t, 1)
        return float(weight @ (place[:, 0] * slope[:, 1] - place[:, 1] * slope[:, 0])) / 2

    @cached_property
    def length(self) -> float:
        """Length of the curve."""
        t, weight = self._gauss(24)
        return float(weight @ np.linalg.norm(self.at(t, 1), axis=1))

    @property
    def marks(self) -> Array:
        """The two places where the halves meet that are drawn."""
        knots = self._spline.x
        return self.at(knots[[0, len(knots) // 2]])

    def _sampled(self) -> Array:
        knots = self._spline.x
        few = _FEWEST["span"]
        probes = (
            knots[:-1, None] + np.diff(knots)[:, None] * np.arange(2 * few) / (2 * few)
        ).ravel()
        with np.errstate(divide="ignore"):
            radii = self.radii_at(probes).reshape(-1, 2 * few).min(axis=1)
        # The bend of a span at its end is that of the next one at its start.
        radii = np.minimum(radii, np.roll(self.radii_at(knots[:-1]), -1))
        counts = np.clip(
            np.ceil(_PER_RADIUS * np.diff(knots) / np.maximum(radii, 1e-12)), few, _MOST["span"]
        ).astype(int)
        counts = np.maximum(counts, math.ceil(_FEWEST["curve"] / len(counts)))
        spans = zip(knots[:-1], np.diff(knots), counts, strict=True)
        return np.concatenate([start + h * np.arange(n) / n for start, h, n in spans])

    def draw(self, occ: Any, shift: Array) -> int:
        """Draw the inside, bounded by two B-splines that are this very curve."""
        knots = self._spline.x
        count = len(knots) - 1
        ends = [0, count // 2, count]
        places, slopes = self.at(knots) + shift, self.at(knots, 1)
        first, second = (occ.addPoint(*places[i], 0.0) for i in ends[:2])
        arcs = []
        for low, high, start, end in ((*ends[:2], first, second), (*ends[1:], second, first)):
            h = np.diff(knots[low : high + 1])[:, None] / 3
            # Bezier's control points; those between two spans follow from their neighbours.
            after = places[low:high] + h * slopes[low:high]
            before = places[low + 1 : high + 1] - h * slopes[low + 1 : high + 1]
            inner = np.stack([after, before], axis=1).reshape(-1, 2)
            controls = [occ.addPoint(*place, 0.0) for place in inner]
            tags = [start, *controls, end]
            multiplicities = [4, *[2] * (high - low - 1), 4]
            arcs.append(
                occ.addBSpline(
                    tags,
                    degree=3,
                    knots=knots[low : high + 1].tolist(),
                    multiplicities=multiplicities,
                )
            )
            # They would become nodes of the mesh.
            occ.remove([(0, tag) for tag in controls])
        return int(occ.addPlaneSurface([occ.addCurveLoop(arcs)]))


def counterclockwise(points: Array) -> Array:
    """Return the corners of a polygon in the sense that turns to the left, the first one first."""
    return points if signed_area(points) > 0 else np.concatenate([points[:1], points[:0:-1]])


def signed_area(points: Array) -> float:
    """Area of a polygon, negative if its corners turn to the right."""
    after = np.roll(points, -1, axis=0)
    return float(np.sum(points[:, 0] * after[:, 1] - points[:, 1] * after[:, 0])) / 2
