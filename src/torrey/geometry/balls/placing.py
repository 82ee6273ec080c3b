"""Where to cut a periodic cell of discs or spheres: any period of the lattice is as good a box.

A face of the box that grazes a ball, or an edge or corner close to the surface of one, leaves a
sliver that no good element fits into. The medium is periodic, so that the box may lie elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls.base import Balls
from torrey.geometry.boxes import Box, by_merit, reduced_basis, wrapped
from torrey.geometry.sizes import ELEMENTS_PER_CIRCLE

Array = NDArray[np.float64]

#: A face that passes a circle by less than this (units of the cell) is moved.
_LEAST_CUT = 0.02
#: Clearance, in elements, from which on the box at the origin of the cell is taken as it is.
_GOOD_CLEARANCE = 0.2
#: What one crossing of a face and a ball costs, in elements of clearance. A layer that is cut
#: cannot be meshed in rows, and thin ones take many elements then.
_CROSSING = {"plain": 0.02, "coated": 0.15}
#: A face must pass the centre of a ball exactly or by this part of an element: circles and spheres
#: have their seams there, and gmsh merges what is closer than 1e-7.
_OFF_CENTRE = 0.25
_EXACT = 1e-10
#: Places of a face along each period that are tried besides the middles between balls.
_EVEN_PLACES = {2: 16, 3: 8}
#: How many of those middles, in the widest gaps, are tried.
_MOST_MIDDLES = {2: 48, 3: 16}
#: Boxes times balls that are compared at a time.
_BATCH = 1_000_000
#: Lattices whose vectors enclose an angle with a smaller sine are meshed in a rounder box.
_LEAST_SINE = 0.5


def fractions(box: Box, shape: Balls) -> Array:
    """Centres of the balls in fractions of the vectors of a box, shape (n_cells, d)."""
    centers = np.array([cell.center for cell in shape.cells], dtype=float)
    centers = centers.reshape(-1, shape.dimension)
    if np.array_equal(box.vectors, shape.periods):
        return centers
    return np.asarray((centers @ shape.periods @ box.inverse) % 1.0)


def reaches(box: Box, shape: Balls) -> Array:
    """How far each ball reaches along each vector, in fractions of it, shape (n_cells, d)."""
    return np.multiply.outer(shape.outer_radii, box.slopes)


def images(box: Box, shape: Balls) -> Iterator[tuple[int, Array]]:
    """Yield number and centre of each ball and its periodic images that reach into a box."""
    whole = zip(fractions(box, shape), reaches(box, shape), strict=True)
    for i, (fraction, reach) in enumerate(whole):
        for centre in box.images(fraction, reach):
            yield i, centre


def ranked_boxes(shape: Balls, size: float) -> Iterator[Box]:
    """Yield boxes to mesh, the best first.

    Parameters
    ----------
    shape : Discs or Spheres
    size : float
        Target size of the elements (units of the cell).

    Notes
    -----
    The box at the origin of the cell comes first, with faces that graze a ball moved into the
    middle of the widest gap, as long as none of its faces, edges and corners passes a surface
    closely, measured in elements. Then follow those with the largest clearance, less what each
    crossing of a face and a ball costs.
    """
    vectors = shape.periods
    if np.linalg.det(vectors) < _LEAST_SINE * np.prod(np.linalg.norm(vectors, axis=1)):
        vectors = reduced_basis(vectors)
    plain = Box(np.zeros(shape.dimension), vectors)
    if not shape.cells:
        yield plain
        return
    usual = Box(_usual_origin(plain, shape), vectors)
    taken: list[Array] = []
    clearance, crossings = _merits(shape, size, usual, usual.origin[None])
    if clearance[0] >= _GOOD_CLEARANCE and not (crossings[0] and _coated(shape)):
        taken.append(usual.origin)
        yield usual
    yield from _best(shape, size, usual, taken)


def _best(shape: Balls, size: float, frame: Box, taken: list[Array]) -> Iterator[Box]:
    """Boxes by falling merit that differ from those taken before and from each other."""
    origins = np.array(list(product(*_places(shape, frame))))
    clearance, crossings = _merits(shape, size, frame, origins)
    merit = clearance - _CROSSING["coated" if _coated(shape) else "plain"] * crossings
    yield from by_merit(frame, origins, merit, taken)


def _usual_origin(frame: Box, shape: Balls) -> Array:
    """Zero, unless a ball nearly touches a face of the cell, which is then moved."""
    origin = np.zeros(shape.dimension)
    centres, reach = fractions(frame, shape), reaches(frame, shape)
    for axis in range(shape.dimension):
        grazing = np.sort(
            [
                (c[axis] + side * r[axis]) % 1.0
                for c, r in zip(centres, reach, strict=True)
                for side in (-1, 1)
            ]
        )
        if min(grazing[0], 1.0 - grazing[-1]) < _LEAST_CUT:
            gaps = np.diff(grazing, append=grazing[0] + 1.0)
            widest = int(np.argmax(gaps))
            origin[axis] = (grazing[widest] + gaps[widest] / 2) % 1.0
    return origin


def _places(shape: Balls, frame: Box) -> list[Array]:
    """Where faces may lie along each vector: even places, and the middles between tangencies."""
    even = np.arange(_EVEN_PLACES[shape.dimension]) / _EVEN_PLACES[shape.dimension]
    result = []
    for axis in range(shape.dimension):
        touching = np.sort(np.concatenate([t for t, _ in _tangencies(shape, frame, axis)]) % 1.0)
        gaps = np.diff(touching, append=touching[0] + 1.0)
        widest = np.argsort(-gaps, kind="stable")[: _MOST_MIDDLES[shape.dimension]]
        middles = touching[widest] + gaps[widest] / 2
        result.append(np.unique(np.round(np.concatenate([even, middles]) % 1.0, 9) % 1.0))
    return result


def _tangencies(shape: Balls, frame: Box, axis: int) -> Iterator[tuple[Array, Array]]:
    """Places where a face is tangent to balls, and the size of the elements there."""
    center = fractions(frame, shape)[:, axis]
    slope = frame.slopes[axis]
    for radii in _surfaces(shape):
        for side in (-1, 1):
            yield center + side * radii * slope, radii
    if _coated(shape):
        # Layers are drawn in sectors, which meet on lines through the centre.
        yield center, shape.outer_radii


def _merits(shape: Balls, size: float, frame: Box, origins: Array) -> tuple[Array, Array]:
    """Clearance in elements, at most 1, and number of crossings of each box, shape (n,)."""
    # Some boxes at a time: with thousands of balls, all of them would not fit into memory.
    step = max(1, _BATCH // len(shape.cells))
    parts = [origins[i : i + step] for i in range(0, len(origins), step)]
    merits = [_merits_of_some(shape, size, frame, part) for part in parts]
    clearances, crossings = zip(*merits, strict=True)
    return np.concatenate(clearances), np.concatenate(crossings)


def _merits_of_some(shape: Balls, size: float, frame: Box, origins: Array) -> tuple[Array, Array]:
    d = shape.dimension
    slopes, centres, reach = frame.slopes, fractions(frame, shape), reaches(frame, shape)
    clearance = np.ones(len(origins))
    crossings = np.zeros(len(origins))
    for axis in range(d):
        for places, radii in _tangencies(shape, frame, axis):
            gap = np.abs(wrapped(origins[:, axis, None] - places)) / slopes[axis]
            clearance = np.minimum(clearance, (gap / _element(size, radii, d)).min(axis=1))
        depth = np.abs(wrapped(origins[:, axis, None] - centres[:, axis]))
        off = depth / slopes[axis] / (_OFF_CENTRE * _element(size, shape.outer_radii, d))
        clearance = np.minimum(clearance, np.where(depth < _EXACT, 1.0, off).min(axis=1))
        crossings += (depth < reach[:, axis]).sum(axis=1)
    # Corners of the box, and in space its edges, must keep away from the surfaces as well.
    ranges = [range(d)] if d == 2 else [(0, 1, 2), (0, 1), (0, 2), (1, 2)]
    for axes in ranges:
        clearance = np.minimum(clearance, _corner_clearance(shape, size, frame, origins, axes))
    return clearance, crossings


def _corner_clearance(
    shape: Balls, size: float, frame: Box, origins: Array, axes: tuple[int, ...] | range
) -> Array:
    """Distance in elements from corners, or from edges across two axes, to the next surface."""
    kept = list(axes)
    vectors = _across(frame.vectors, kept)
    apart = wrapped(origins[:, None, kept] - fractions(frame, shape)[None, :, kept])
    images = np.array(list(product((-1, 0, 1), repeat=len(kept))))
    clearance = np.ones(len(origins))
    for image in images:
        distance = np.linalg.norm((apart + image) @ vectors, axis=-1)
        for radii in _surfaces(shape):
            element = _element(size, radii, shape.dimension)
            gap = np.abs(distance - radii) / element
            clearance = np.minimum(clearance, gap.min(axis=1))
    return clearance


def _across(vectors: Array, kept: list[int]) -> Array:
    """Vectors of a box that are kept, seen along the one that is not, shape (n_kept, d)."""
    seen = vectors[kept]
    for along in (vectors[k] for k in range(len(vectors)) if k not in kept):
        seen = seen - np.outer(seen @ along, along) / (along @ along)
    return np.asarray(seen)


def _surfaces(shape: Balls) -> list[Array]:
    """Radii of the surfaces of all balls: one each, or two of a disc with its layer."""
    radii = np.array([cell.radius for cell in shape.cells])
    return [radii, shape.outer_radii] if _coated(shape) else [radii]


def _coated(shape: Balls) -> bool:
    return bool(shape.outer_radii[0] > shape.cells[0].radius)


def _element(size: float, radii: Array, dimension: int) -> Array:
    """Size of the elements at a surface of some radius."""
    return np.minimum(size, 2 * np.pi * radii / ELEMENTS_PER_CIRCLE[dimension])
