"""Where a cell of cylinders that cross is cut out of the periodic medium, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.bodies.base import Bodies
from torrey.geometry.bodies.cylinder_shapes import Cylinder
from torrey.geometry.bodies.lines import (
    Direction,
    crossing,
    direction,
    distances,
    lines_through,
)
from torrey.geometry.boxes import Box, by_merit, wrapped
from torrey.geometry.drawing import Canvas
from torrey.geometry.pieces import Drawing, Owner
from torrey.geometry.sizes import ELEMENTS_PER_CIRCLE, size_between

Array = NDArray[np.float64]

#: How far beyond the box a cylinder is drawn, and how far from it those are that count as near.
_BEYOND = 0.2
#: What a cylinder costs that a face cuts lengthwise, in elements of clearance.
_CROSSING = 0.1
#: Places of a face that are tried: even ones, and middles of the widest gaps between tangencies.
_EVEN, _MIDDLES = 8, 6
#: Angles that are tried for the seam of a cylinder, by which OpenCASCADE closes it.
_SEAMS = 60
#: A face, edge or corner is beside a box that lies as those before it.
_PARALLEL = 1e-9


def cylinder_boxes(shape: Bodies, size: float) -> Iterator[Box]:
    """Yield cubes to mesh, the best first.

    Parameters
    ----------
    shape : Cylinders
    size : float
        Target size of the elements (units of the cell).
    """
    frame = Box(np.zeros(3), np.eye(3))
    origins = np.array(list(product(*(_places(shape, frame, k) for k in range(3)))))
    merit = np.ones(len(origins))
    crossings = np.zeros(len(origins))
    for cell in shape.cells:
        clearance, cut = _clearance(cell, frame, origins, size)
        merit = np.minimum(merit, clearance)
        crossings += cut
    # The box at the origin is as good as another.
    merit -= _CROSSING * crossings + 1e-6 * origins.sum(axis=1)
    yield from by_merit(frame, origins, merit)


def _places(shape: Bodies, frame: Box, axis: int) -> Array:
    """Places of a face that are tried: even ones and the middles between tangencies."""
    touching = [
        (cell.place @ frame.inverse[:, axis] + side * cell.radius * frame.slopes[axis]) % 1.0
        for cell in shape.cells
        for side in (-1, 1)
        if abs(cell.direction.axis @ frame.inverse[:, axis]) < _PARALLEL
    ]
    even = np.arange(_EVEN) / _EVEN
    if not touching:
        return even
    ends = np.sort(touching)
    gaps = np.diff(ends, append=ends[0] + 1.0)
    widest = np.argsort(-gaps, kind="stable")[:_MIDDLES]
    middles = (ends[widest] + gaps[widest] / 2) % 1.0
    return np.unique(np.round(np.concatenate([even, middles]), 9) % 1.0)


def _clearance(cell: Cylinder, frame: Box, origins: Array, size: float) -> tuple[Array, Array]:
    """Clearance of a wall from faces, edges and corners of boxes, in elements; cuts lengthwise."""
    element = min(size, 2 * np.pi * cell.radius / ELEMENTS_PER_CIRCLE[3])
    radius, along = cell.radius, cell.direction
    apart = origins @ frame.vectors - cell.place
    gaps, cuts = [np.full(len(origins), element)], np.zeros(len(origins))
    for k in range(3):
        if abs(along.axis @ frame.inverse[:, k]) < _PARALLEL:
            across = wrapped(apart @ frame.inverse[:, k], 1.0)
            reach = radius * frame.slopes[k]
            gaps += [np.abs(wrapped(across + s * reach, 1.0)) / frame.slopes[k] for s in (-1, 1)]
            cuts += np.abs(across) < reach
        gaps.append(_from_edges(along, radius, frame.vectors[k], apart))
    corners = np.linalg.norm(along.offsets(apart), axis=2)
    gaps.append(np.abs(corners - radius).min(axis=0))
    return np.min(gaps, axis=0) / element, cuts


def _from_edges(along: Direction, radius: float, edge: Array, apart: Array) -> Array:
    """Distance of a wall from all periodic images of an edge, shape (n,)."""
    crossed = crossing(along.axis, edge)
    if crossed is None:
        return np.abs(np.linalg.norm(along.offsets(apart), axis=2) - radius).min(axis=0)
    normal, step = crossed
    return np.min([np.abs(wrapped(apart @ normal + s * radius, step)) for s in (-1, 1)], axis=0)


def _seam(cell: Cylinder, box: Box) -> Array:
    """Direction from the axis to the seam, away from edges and faces of the box, shape (3,)."""
    along = cell.direction
    first = along.seen[0] / np.linalg.norm(along.seen[0])
    second = np.cross(along.unit, first)
    angles = 2 * np.pi * np.arange(_SEAMS) / _SEAMS
    ways = np.outer(np.cos(angles), first) + np.outer(np.sin(angles), second)
    apart = box.corner - (cell.place + cell.radius * ways)
    gaps = np.full(_SEAMS, np.inf)
    for k in range(3):
        if abs(along.axis @ box.inverse[:, k]) < _PARALLEL:
            gaps = np.minimum(gaps, np.abs(wrapped(apart @ box.inverse[:, k], 1.0)) / box.slopes[k])
        edge = direction(tuple(round(x) for x in box.vectors[k]))
        gaps = np.minimum(gaps, distances(along, edge, apart))
    return np.asarray(ways[int(np.argmax(np.round(gaps, 9)))])


def draw_cylinders(shape: Bodies, canvas: Canvas) -> Drawing:
    """Draw a box with cylinders cut out of it and put in again, and say how small elements are."""
    return Drawing(canvas.cut(_drawn(shape, canvas)), _element_size(shape, canvas.box))


def _corners(box: Box) -> Array:
    return np.asarray((box.origin + np.array(list(product((0, 1), repeat=3)))) @ box.vectors)


def _drawn(shape: Bodies, canvas: Canvas) -> Iterator[tuple[int, Owner]]:
    corners = _corners(canvas.box)
    for number, cell in enumerate(shape.cells):
        along, seam = cell.direction, _seam(cell, canvas.box)
        turn = np.column_stack([seam, np.cross(along.unit, seam), along.unit])
        heights = corners @ along.unit
        low, high = heights.min() - _BEYOND, heights.max() + _BEYOND
        for image in lines_through(corners, cell.place, along, cell.radius):
            start = image + (low - image @ along.unit) * along.unit
            tag = canvas.occ.addCylinder(0, 0, 0, 0, 0, high - low, cell.radius)
            canvas.turn_and_move(tag, turn, start)
            yield tag, Owner(shape.owner_region(number), number)


def _element_size(shape: Bodies, box: Box) -> Callable[[Array], float]:
    """Size of elements at a place between walls."""
    corners = _corners(box)
    starts, units, radii = [], [], []
    for cell in shape.cells:
        for image in lines_through(corners, cell.place, cell.direction, cell.radius + _BEYOND):
            starts.append(image)
            units.append(cell.direction.unit)
            radii.append(cell.radius)
    start, unit, radius = np.array(starts), np.array(units), np.array(radii)

    def size_at(place: Array) -> float:
        apart = place - start
        flat = apart - (apart * unit).sum(axis=1)[:, None] * unit
        return size_between(np.sqrt((flat * flat).sum(axis=1)) - radius, radius)

    return size_at
