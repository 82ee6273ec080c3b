"""Curves in a periodic cell: which is nearest, what is inside what, and how much room is between.

The cell is a rectangle. A curve may reach across its boundary; everything here holds for all of its
periodic images.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.outlines.curves import Curve

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

Array = NDArray[np.float64]

#: Two places of one curve face each other where the way along it is so many times longer.
_AROUND: Final = 6.0
#: Shortest way along a curve between two places that face each other (units of the cell).
_LEAST_WAY: Final = 2e-3
#: Wider places than this are not followed to the last (units of the cell).
_NARROW: Final = 2e-3
#: Steps from one curve to the other and back on the way to their narrowest place.
_STEPS: Final = 16
#: Less progress of a step is none (units of the cell).
_PROGRESS: Final = 1e-6
#: Samples from which the nearest point of a curve is sought.
_SAMPLES: Final = 4
#: Points that are nearer by less are as near (units of the cell).
_ROUNDING: Final = 1e-12
#: Rounds in which the largest circle that touches a curve is found.
_ROUNDS: Final = 12


@dataclass(frozen=True)
class Approach:
    """Two curves, numbered from 0, where they are nearest: one and itself, or its own image."""

    first: int
    second: int
    width: float
    place: tuple[float, float]
    is_image: bool


class Surroundings:
    """All samples of the curves of a cell.

    Parameters
    ----------
    curves : sequence of Curve
    sides : (2,) float
        Width and height of the cell.
    """

    def __init__(self, curves: Sequence[Curve], sides: Array) -> None:
        self.curves = tuple(curves)
        self.sides = np.asarray(sides, dtype=float)
        samples = [curve.samples for curve in curves]
        counts = [len(s.parameters) for s in samples]
        self.owner = np.repeat(np.arange(len(counts)), counts)
        self.parameters = np.concatenate([s.parameters for s in samples])
        self.places = np.concatenate([s.places for s in samples])
        self.normals = np.concatenate([s.normals for s in samples])
        self.radii = np.concatenate([s.radii for s in samples])
        self.arcs = np.concatenate([s.arcs for s in samples])
        self._trees: dict[int, cKDTree] = {}

    def wrapped(self, places: Array) -> Array:
        """Places moved into the cell."""
        found = np.asarray(places) % self.sides
        return np.where(found >= self.sides, 0.0, found)

    def _tree(self, places: Array) -> cKDTree:
        # Loaded where curves are compared: to import the kinds needs none of it.
        from scipy.spatial import cKDTree

        return cKDTree(self.wrapped(places), boxsize=self.sides)

    @cached_property
    def tree(self) -> cKDTree:
        """Of all samples."""
        return self._tree(self.places)

    def shift(self, places: Array, targets: Array) -> Array:
        """Periods by which places are moved next to targets, as lengths."""
        return np.asarray(np.round((targets - places) / self.sides) * self.sides)

    # ---- the nearest curve ----

    def onto(self, number: int, places: Array) -> tuple[Array, Array]:
        """Return the nearest points of a curve, in the image that is nearest, and parameters.

        Parameters
        ----------
        number : int
            Of the curve.
        places : (n, 2) float

        Returns
        -------
        points : (n, 2) float
        parameters : (n,) float
        """
        curve = self.curves[number]
        if number not in self._trees:
            self._trees[number] = self._tree(curve.samples.places)
        # Where two parts of a curve are nearer to each other than its samples are, the nearest
        # sample may belong to the other part.
        count = min(_SAMPLES, len(curve.samples.parameters))
        _, index = self._trees[number].query(self.wrapped(places), k=range(1, count + 1))
        points, parameters = np.empty_like(places), np.empty(len(places))
        least = np.full(len(places), np.inf)
        for near in index.T:
            shift = self.shift(places, curve.samples.places[near])
            t = curve.nearest(places + shift, curve.samples.parameters[near])
            found = curve.at(t) - shift
            far = np.linalg.norm(found - places, axis=1)
            closer = far < least - _ROUNDING
            points[closer], parameters[closer], least[closer] = (
                found[closer],
                t[closer],
                far[closer],
            )
        return points, parameters

    def nearest_curve(self, place: Array) -> int:
        """Return the curve that is nearest to a place."""
        _, index = self.tree.query(self.wrapped(place)[None], k=min(8, len(self.owner)))
        near = sorted(set(self.owner[np.ravel(index)].tolist()))
        far = [np.linalg.norm(self.onto(i, place[None])[0][0] - place) for i in near]
        return int(near[int(np.argmin(far))])

    def contains(self, number: int, place: Array) -> bool:
        """Whether a place, or an image of it, is inside a curve."""
        curve = self.curves[number]
        point, t = self.onto(number, place[None])
        home = place[None] + (curve.at(t) - point)
        return bool(curve.sides(home, t)[0] < 0)

    # ---- what is inside what ----

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """The smallest curve around each one; -1 for none."""
        boxes = [(c.samples.places.min(axis=0), c.samples.places.max(axis=0)) for c in self.curves]
        areas = [curve.area for curve in self.curves]
        low, high = (np.array([box[i] for box in boxes]).reshape(-1, 2) for i in (0, 1))
        shifts = np.array(list(product((-1, 0, 1), repeat=2))) * self.sides
        found = []
        for i in range(len(self.curves)):
            home = self.shift(low[i], low)[:, None] + shifts
            fits = np.all(low[i] + home > low[:, None], axis=2)
            fits &= np.all(high[i] + home < high[:, None], axis=2)
            around = [
                j
                for j in np.flatnonzero(fits.any(axis=1)).tolist()
                if areas[j] > areas[i] and self.contains(j, self.curves[i].samples.places[0])
            ]
            found.append(min(around, key=areas.__getitem__, default=-1))
        return tuple(found)

    # ---- how much room is between ----

    @cached_property
    def _facing(self) -> tuple[Array, list[Approach]]:
        """Distance of each sample from what faces it nearby, and the nearest of each pair."""
        width = np.full(len(self.owner), np.inf)
        found: dict[tuple[int, int, bool], Approach] = {}
        for pairs, shift in self._groups():
            i, j = int(self.owner[pairs[0, 0]]), int(self.owner[pairs[0, 1]])
            own = i == j and not np.any(shift)
            other = self.curves[j]
            home = self.places[pairs[:, 0]] + shift
            s = other.nearest(home, self.parameters[pairs[:, 1]], strictly=own)
            side = other.sides(home, s)
            d = np.abs(side)
            np.minimum.at(width, pairs[:, 0], d)
            # Between two samples the curves may be nearer by half of their distance.
            near = d <= max(_NARROW + self.curves[i].samples.spacing / 2, float(d.min()))
            near &= (d <= np.roll(d, 1)) | (d <= np.roll(d, -1))
            t, width_there = self._followed(i, j, pairs[near], s[near], shift[near], own)
            crossing = [] if own else self._crossings(side, shift)
            if crossing:
                # Curves that cross at a small angle are followed to the crossing too slowly.
                t, width_there = self.parameters[pairs[crossing, 0]], np.zeros(len(crossing))
            best = int(width_there.argmin())
            x, y = self.wrapped(self.curves[i].at(t[best : best + 1]))[0].tolist()
            first, second = sorted((i, j))
            approach = Approach(first, second, float(width_there[best]), (x, y), not own)
            before = found.setdefault((first, second, own), approach)
            if approach.width < before.width:
                found[first, second, own] = approach
        return width, sorted(found.values(), key=lambda a: (a.width, a.first, a.second))

    def _groups(self) -> Iterator[tuple[NDArray[np.int64], Array]]:
        """Pairs of samples that face each other nearby, by their curves, and shifts of the first.

        Of each sample and each curve beside it, the nearest sample of that curve.
        """
        spacing = max(curve.samples.spacing for curve in self.curves)
        pairs = self.tree.query_pairs(2.5 * spacing, output_type="ndarray")
        pairs = np.concatenate([pairs, pairs[:, ::-1]])
        shift = self.shift(self.places[pairs[:, 0]], self.places[pairs[:, 1]])
        apart = self.places[pairs[:, 0]] + shift - self.places[pairs[:, 1]]
        far = np.linalg.norm(apart, axis=1)
        same = self.owner[pairs[:, 0]] == self.owner[pairs[:, 1]]
        image = same & np.any(np.abs(shift) > 1e-9, axis=1)
        own = np.flatnonzero(same & ~image)
        facing = ~same | image
        around = np.array([curve.samples.around for curve in self.curves])
        way = np.abs(self.arcs[pairs[own, 0]] - self.arcs[pairs[own, 1]])
        way = np.minimum(way, around[self.owner[pairs[own, 0]]] - way)
        facing[own] = way > _AROUND * far[own]
        pairs, shift, far, image = (x[facing] for x in (pairs, shift, far, image))
        first, second = self.owner[pairs[:, 0]], self.owner[pairs[:, 1]]
        order = np.lexsort((far, pairs[:, 0], image, second, first))
        label = np.column_stack([first, second, image, pairs[:, 0]])[order]
        new = np.ones(len(order), bool)
        new[1:] = np.any(label[1:] != label[:-1], axis=1)
        order, label = order[new], label[new, :3]
        bounds = np.flatnonzero(np.any(label[1:] != label[:-1], axis=1)) + 1
        for chosen in np.split(order, bounds) if len(order) else ():
            yield pairs[chosen], shift[chosen]

    def _crossings(self, side: Array, shift: Array) -> list[int]:
        """Samples that are next to where curves cross: on either side of one image there are some.

        Parameters
        ----------
        side : (n,) float
            Signed distances of samples from the other curve.
        shift : (n, 2) float
            Of the samples.
        """
        _, image = np.unique(np.round(shift / self.sides), axis=0, return_inverse=True)
        found = []
        for k in range(int(image.max()) + 1):
            there = np.flatnonzero(image.ravel() == k)
            signed = side[there]
            if signed.min() < -_PROGRESS and signed.max() > _PROGRESS:
                found.append(int(there[np.abs(signed).argmin()]))
        return found

    def _followed(
        self,
        first: int,
        second: int,
        pairs: NDArray[np.int64],
        s: Array,
        shift: Array,
        own: bool,
    ) -> tuple[Array, Array]:
        """Parameters of the first curve, and distances, where both are nearest to each other."""
        one, other = self.curves[first], self.curves[second]
        t = start = self.parameters[pairs[:, 0]]
        width = before = np.linalg.norm(one.at(t) + shift - other.at(s), axis=1)
        for _ in range(_STEPS):
            t = one.nearest(other.at(s) - shift, t, strictly=own)
            s = other.nearest(one.at(t) + shift, s, strictly=own)
            found = np.linalg.norm(one.at(t) + shift - other.at(s), axis=1)
            done = np.all(found > width - _PROGRESS)
            width = found
            if done:
                break
        if own:
            # Two sides of a bend are followed into it: that is no place where they face.
            way = np.abs(one.way_to(t) - one.way_to(s))
            way = np.minimum(way, one.samples.around - way)
            slid = way <= np.maximum(_AROUND * width, _LEAST_WAY)
            t, width = np.where(slid, start, t), np.where(slid, before, width)
        return t, width

    @property
    def approaches(self) -> list[Approach]:
        """Places where curves come near to each other, the narrowest first."""
        return self._facing[1]

    def room(self, largest: float) -> Array:
        """Return how wide the narrower side of the curve is at each sample, at most a length.

        That is the distance of what faces it, or the diameter of the largest circle that touches
        the curve there and no other place, whichever is less.
        """
        width = np.minimum(self._facing[0], largest)
        for sign in (-1.0, 1.0):
            width = np.minimum(width, 2 * self._touching(sign * self.normals, largest / 2))
        return np.asarray(width)

    def _touching(self, normals: Array, largest: float) -> Array:
        """Radius of the circles, which shrink until no sample is inside."""
        radius = np.full(len(self.places), min(largest, 0.49 * float(self.sides.min())))
        active = np.arange(len(self.places))
        for _ in range(_ROUNDS):
            centre = self.places[active] + radius[active, None] * normals[active]
            far, index = self.tree.query(self.wrapped(centre))
            closer = far < radius[active] * (1 - 1e-6)
            active, index = active[closer], index[closer]
            if not len(active):
                break
            apart = self.places[index] - self.places[active]
            apart -= np.round(apart / self.sides) * self.sides
            depth = np.einsum("ij,ij->i", apart, normals[active])
            square = np.einsum("ij,ij->i", apart, apart)
            shrunk = square / (2 * np.maximum(depth, 1e-300))
            radius[active] = np.minimum(radius[active], shrunk)
        return radius


def sizes_along(surroundings: Surroundings, size: float, per_circle: int) -> Array:
    """Return the size of elements at each sample: of its bend, and of the room beside it."""
    bend = 2 * math.pi * surroundings.radii / per_circle
    return np.minimum(bend, surroundings.room(size))


def images_in(low: Array, high: Array, corner: Array, sides: Array) -> Iterator[Array]:
    """Yield the shifts by which a thing with a bounding box reaches into a box of the cell."""
    first = np.floor((corner - high) / sides).astype(int)
    last = np.ceil((corner + sides - low) / sides).astype(int)
    for turns in product(*(range(a, b + 1) for a, b in zip(first, last, strict=True))):
        shift = np.array(turns) * sides
        if np.all(high + shift > corner) and np.all(low + shift < corner + sides):
            yield shift
