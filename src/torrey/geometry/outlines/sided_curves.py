"""Closed curves of straight sides, with sharp or with round corners."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.outlines.curves import Curve, counterclockwise

Array = NDArray[np.float64]

#: Samples of a side and of a round corner.
_PER_SIDE: Final = 24
_PER_CORNER: Final = 10
#: Sides and turns that are shorter or smaller are none.
_NONE: Final = 1e-9


@dataclass(frozen=True)
class SidedCurve(Curve):
    """A polygon; its corners are sharp, or arcs of one radius that are tangent to the sides.

    The parameter counts the parts: sides and arcs by turns.

    Parameters
    ----------
    points : tuple of tuple of float
        Corners, in either sense.
    radius : float
        Of the arcs; 0 for sharp corners.
    """

    points: tuple[tuple[float, ...], ...]
    radius: float

    @cached_property
    def _corners(self) -> Array:
        return counterclockwise(np.array(self.points, dtype=float))

    @cached_property
    def turns(self) -> Array:
        """Angle by which the curve turns at each corner, positive to the left, shape (n,)."""
        after = np.roll(self._corners, -1, axis=0) - self._corners
        before = np.roll(after, 1, axis=0)
        cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
        return np.asarray(np.arctan2(cross, np.einsum("ij,ij->i", before, after)))

    @cached_property
    def cuts(self) -> Array:
        """Length that each round corner takes of both of its sides, shape (n,)."""
        return np.asarray(self.radius * np.tan(np.abs(self.turns) / 2))

    @cached_property
    def side_lengths(self) -> Array:
        """Distance of each corner from the next one, shape (n,)."""
        steps = np.roll(self._corners, -1, axis=0) - self._corners
        return np.asarray(np.linalg.norm(steps, axis=1))

    @cached_property
    def _parts(self) -> list[tuple[Array, Array, Array | None, float]]:
        """Start, end, centre (None: straight) and angle of each part that is there."""
        corners, cuts, turns = self._corners, self.cuts, self.turns
        n = len(corners)
        along = (np.roll(corners, -1, axis=0) - corners) / self.side_lengths[:, None]
        parts: list[tuple[Array, Array, Array | None, float]] = []
        for i in range(n):
            j = (i + 1) % n
            start, end = corners[i] + cuts[i] * along[i], corners[j] - cuts[j] * along[i]
            if self.side_lengths[i] - cuts[i] - cuts[j] > _NONE:
                parts.append((start, end, None, 0.0))
            if cuts[j] > _NONE:
                left = np.array([-along[i][1], along[i][0]])
                centre = end + math.copysign(self.radius, turns[j]) * left
                parts.append((end, corners[j] + cuts[j] * along[j], centre, float(turns[j])))
        return parts

    @property
    def turn(self) -> float:
        """Number of parts."""
        return float(len(self._parts))

    def at(self, parameters: Array, order: int = 0) -> Array:
        """Return places or derivatives."""
        t = np.asarray(parameters, dtype=float) % self.turn
        part = np.minimum(np.floor(t).astype(int), len(self._parts) - 1)
        found = np.empty((len(t), 2))
        for number in np.unique(part):
            here = part == number
            found[here] = self._part_at(number, t[here] - number, order)
        return found

    def _part_at(self, number: int, x: Array, order: int) -> Array:
        start, end, centre, angle = self._parts[number]
        if centre is None:
            if order == 0:
                return np.asarray(start + x[:, None] * (end - start))
            return np.tile(end - start if order == 1 else np.zeros(2), (len(x), 1))
        turned = angle * x + order * math.copysign(math.pi / 2, angle)
        cos, sin = np.cos(turned), np.sin(turned)
        ray = start - centre
        found = np.column_stack([cos * ray[0] - sin * ray[1], sin * ray[0] + cos * ray[1]])
        return np.asarray(centre + found if order == 0 else abs(angle) ** order * found)

    @cached_property
    def area(self) -> float:
        """Area inside."""
        total = 0.0
        for start, end, centre, angle in self._parts:
            total += float(start[0] * end[1] - start[1] * end[0]) / 2
            if centre is not None:
                total += self.radius**2 * (angle - math.sin(angle)) / 2
        return total

    @cached_property
    def length(self) -> float:
        """Length of the curve."""
        return math.fsum(
            self.radius * abs(angle) if centre is not None else float(np.linalg.norm(end - start))
            for start, end, centre, angle in self._parts
        )

    @property
    def marks(self) -> Array:
        """Where sides and arcs meet."""
        return np.array([part[0] for part in self._parts])

    def _sampled(self) -> Array:
        # Halfway between the ends: a side and an arc both have a curvature there.
        spans = [_PER_SIDE if centre is None else _PER_CORNER for _, _, centre, _ in self._parts]
        longest = max(self.length / 96, 1e-4)
        counts = [
            n
            if centre is not None
            else max(4, min(400, math.ceil(float(np.linalg.norm(end - start)) / longest)))
            for n, (start, end, centre, _) in zip(spans, self._parts, strict=True)
        ]
        return np.concatenate([i + (np.arange(n) + 0.5) / n for i, n in enumerate(counts)])

    def nearest(self, places: Array, start: Array, *, strictly: bool = False) -> Array:
        """Return the parameters of the nearest points on the parts beside the starts.

        Strictly, on the parts of the starts alone.
        """
        places = np.asarray(places, dtype=float)
        count = len(self._parts)
        first = np.floor(np.asarray(start) % self.turn).astype(int) % count
        best = np.full(len(places), np.inf)
        found = np.array(start, dtype=float)
        for step in (0,) if strictly else sorted({s % count for s in (-2, -1, 0, 1, 2)}):
            part = (first + step) % count
            for number in np.unique(part):
                here = np.flatnonzero(part == number)
                x = self._nearest_on(number, places[here])
                far = np.linalg.norm(self._part_at(number, x, 0) - places[here], axis=1)
                closer = far < best[here]
                best[here[closer]] = far[closer]
                found[here[closer]] = number + np.minimum(x[closer], 1.0 - 1e-15)
        return found

    def _nearest_on(self, number: int, places: Array) -> Array:
        """The same on one part, from 0 to 1."""
        start, end, centre, angle = self._parts[number]
        if centre is None:
            along = end - start
            return np.clip((places - start) @ along / (along @ along), 0.0, 1.0)
        ray, off = start - centre, places - centre
        cross = ray[0] * off[:, 1] - ray[1] * off[:, 0]
        turned = np.arctan2(cross, off @ ray) * math.copysign(1.0, angle)
        # Beyond half of the rest of the circle the start is nearer than the end.
        turned = np.where(turned < (abs(angle) - 2 * math.pi) / 2, turned + 2 * math.pi, turned)
        return np.asarray(np.clip(turned / abs(angle), 0.0, 1.0))

    def sides(self, places: Array, parameters: Array) -> Array:
        """Return the distance from the curve, negative inside: even crossings are outside."""
        far = np.linalg.norm(places - self.at(parameters), axis=1)
        if self.radius:
            return super().sides(places, parameters)
        corners = self._corners
        ends = np.roll(corners, -1, axis=0)
        x, y = places[:, :1], places[:, 1:]
        spans = (corners[:, 1] > y) != (ends[:, 1] > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (ends[:, 0] - corners[:, 0]) / (ends[:, 1] - corners[:, 1])
            left = x < corners[:, 0] + (y - corners[:, 1]) * slope
        inside = np.count_nonzero(spans & left, axis=1) % 2 == 1
        return np.where(inside, -far, far)

    def draw(self, occ: Any, shift: Array) -> int:
        """Draw the inside."""
        points = [occ.addPoint(*(start + shift), 0.0) for start, *_ in self._parts]
        lines = []
        for i, (_, _, centre, _) in enumerate(self._parts):
            ends = points[i], points[(i + 1) % len(points)]
            if centre is None:
                lines.append(occ.addLine(*ends))
            else:
                middle = occ.addPoint(*(centre + shift), 0.0)
                lines.append(occ.addCircleArc(ends[0], middle, ends[1]))
                occ.remove([(0, middle)])
        return int(occ.addPlaneSurface([occ.addCurveLoop(lines)]))
