"""Where to cut a periodic cell of curves: a face of the box must not graze one.

As for discs (`torrey.geometry.balls.placing`), any period is as good a box. A curve is grazed where
it runs along a face at a small angle; corners, and ends of what is drawn, must keep a distance too.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.boxes import Box, by_merit
from torrey.geometry.outlines.surroundings import Surroundings

Array = NDArray[np.float64]

#: Sine of the angle below which a curve grazes a face.
_GRAZING: Final = 0.2
#: Clearance, in elements, from which on the box at the origin of the cell is taken as it is.
_GOOD: Final = 0.2
#: What one crossing of a face and a curve costs, in elements of clearance.
_CROSSING: Final = 0.01
#: An end of what is drawn needs this part of the distance that a grazing curve needs.
_MARK: Final = 0.25
#: Places of a face that are tried: even ones, and middles between places where it would graze.
_EVEN: Final = 32
_MIDDLES: Final = 48


def ranked_boxes(surroundings: Surroundings, marks: Array, sizes: Array) -> Iterator[Box]:
    """Yield boxes to mesh, the best first.

    Parameters
    ----------
    surroundings : Surroundings
    marks : (m, 2) float
        Ends of what is drawn.
    sizes : (n,) float
        Of the elements at each sample.
    """
    sides = surroundings.sides
    vectors = np.diag(sides)
    places = [_places(surroundings, marks, sizes, axis) for axis in (0, 1)]
    merits = [_merit(surroundings, marks, sizes, axis, places[axis]) for axis in (0, 1)]
    taken: list[Array] = []
    # Zero is the first place of both axes.
    if min(clear[0] for clear, _ in merits) >= _GOOD:
        origin = np.zeros(2)
        if _corner_clearance(surroundings, sizes, origin[None])[0] >= _GOOD:
            taken.append(origin)
            yield Box(origin, vectors)
    best = [np.argsort(-(c - _CROSSING * n), kind="stable")[:24] for c, n in merits]
    index = np.array(list(product(*best)))
    origins = np.column_stack([places[axis][index[:, axis]] for axis in (0, 1)])
    clear = np.minimum(*(merits[axis][0][index[:, axis]] for axis in (0, 1)))
    clear = np.minimum(clear, _corner_clearance(surroundings, sizes, origins))
    merit = clear - _CROSSING * sum(merits[axis][1][index[:, axis]] for axis in (0, 1))
    origins = origins / sides
    yield from by_merit(Box(np.zeros(2), vectors), origins, merit, taken)


def _critical(
    surroundings: Surroundings, marks: Array, sizes: Array, axis: int
) -> tuple[Array, Array]:
    """Where a face must not lie along an axis, and the distance that it needs there."""
    # The normal of a curve that runs along the face points along the axis.
    grazing = np.abs(surroundings.normals[:, 1 - axis]) < _GRAZING
    near = surroundings.places[grazing, axis]
    _, index = surroundings.tree.query(surroundings.wrapped(marks))
    places = np.concatenate([near, marks[:, axis]]) % surroundings.sides[axis]
    return places, np.concatenate([sizes[grazing], _MARK * sizes[index]])


def _places(surroundings: Surroundings, marks: Array, sizes: Array, axis: int) -> Array:
    side = float(surroundings.sides[axis])
    even = np.arange(_EVEN) / _EVEN * side
    critical = np.sort(_critical(surroundings, marks, sizes, axis)[0])
    gaps = np.diff(critical, append=critical[0] + side)
    widest = np.argsort(-gaps, kind="stable")[:_MIDDLES]
    middles = (critical[widest] + gaps[widest] / 2) % side
    return np.unique(np.round(np.concatenate([even, middles]), 9) % side)


def _merit(
    surroundings: Surroundings, marks: Array, sizes: Array, axis: int, places: Array
) -> tuple[Array, Array]:
    """Clearance in elements, at most 1, and number of crossings of faces at places."""
    side = surroundings.sides[axis]
    critical, needs = _critical(surroundings, marks, sizes, axis)
    clear = np.empty(len(places))
    for i, place in enumerate(places):
        apart = critical - place
        apart = np.abs(apart - np.round(apart / side) * side)
        clear[i] = min(1.0, float(np.min(apart / needs)))
    owner, along = surroundings.owner, surroundings.places[:, axis]
    crossings = np.empty(len(places))
    for i, place in enumerate(places):
        turns = np.floor((along - place) / side)
        crossings[i] = np.count_nonzero((np.diff(turns) != 0) & (np.diff(owner) == 0))
    return clear, crossings


def _corner_clearance(surroundings: Surroundings, sizes: Array, corners: Array) -> Array:
    """Distance in elements of corners of the box from the next curve, at most 1."""
    far, index = surroundings.tree.query(surroundings.wrapped(corners))
    return np.minimum(1.0, far / sizes[index])
