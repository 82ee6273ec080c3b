"""Where a cell of ellipsoids is cut out of the periodic medium, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.bodies.base import Bodies
from torrey.geometry.bodies.ellipsoid_shapes import Ellipsoid
from torrey.geometry.boxes import Box, by_merit, wrapped
from torrey.geometry.drawing import Canvas
from torrey.geometry.pieces import Drawing, Owner
from torrey.geometry.sizes import ELEMENTS_PER_CIRCLE, size_between

Array = NDArray[np.float64]

#: How far from the box ellipsoids are that count as near it.
_BEYOND = 0.2
#: What a crossing of a face and an ellipsoid costs, in elements of clearance.
_CROSSING = 0.05
#: Places of a face that are tried: even ones, and middles of the widest gaps between tangencies.
_EVEN, _MIDDLES = 8, 8
#: Turns of the sphere that an ellipsoid is made of, and places on its seam that are looked at.
_TURNS, _SEAM = 60, 13

_IMAGES = np.array(list(product((-1, 0, 1), repeat=3)), dtype=float)


def ellipsoid_boxes(shape: Bodies, size: float) -> Iterator[Box]:
    """Yield cubes to mesh, the best first.

    Parameters
    ----------
    shape : Ellipsoids
    size : float
        Target size of the elements (units of the cell).
    """
    origins = np.array(list(product(*(_places(shape, k) for k in range(3)))))
    merit = np.ones(len(origins))
    crossings = np.zeros(len(origins))
    for cell in shape.cells:
        merit = np.minimum(merit, _clearance(cell, origins, size))
        crossings += (np.abs(wrapped(origins - cell.place, 1.0)) < cell.half_widths).sum(axis=1)
    # The box at the origin is as good as another.
    merit -= _CROSSING * crossings + 1e-6 * origins.sum(axis=1)
    yield from by_merit(Box(np.zeros(3), np.eye(3)), origins, merit)


def _places(shape: Bodies, axis: int) -> Array:
    """Places of a face that are tried: even ones and the middles between tangencies."""
    ends = np.sort(
        [(c.place[axis] + s * c.half_widths[axis]) % 1.0 for c in shape.cells for s in (-1, 1)]
    )
    gaps = np.diff(ends, append=ends[0] + 1.0)
    widest = np.argsort(-gaps, kind="stable")[:_MIDDLES]
    middles = (ends[widest] + gaps[widest] / 2) % 1.0
    return np.unique(np.round(np.concatenate([np.arange(_EVEN) / _EVEN, middles]), 9) % 1.0)


def _clearance(cell: Ellipsoid, origins: Array, size: float) -> Array:
    """Clearance of a surface from faces, edges and corners of boxes, in elements, shape (n,)."""
    shortest = float(cell.semi_axes.min())
    element = min(size, 2 * np.pi * shortest / ELEMENTS_PER_CIRCLE[3])
    apart = wrapped(origins - cell.place, 1.0)
    faces = [np.abs(wrapped(apart + s * cell.half_widths, 1.0)) for s in (-1, 1)]
    gap = np.minimum(np.min(faces, axis=(0, 2)), element)
    for image in _IMAGES:
        # In these coordinates the ellipsoid is a sphere of radius 1.
        round_ = (apart + image) @ cell.frame.T / cell.semi_axes
        for along in (*(cell.frame[:, k] / cell.semi_axes for k in range(3)), np.zeros(3)):
            part = np.outer(round_ @ along, along) / max(along @ along, 1e-300)
            depth = np.abs(np.linalg.norm(round_ - part, axis=1) - 1.0)
            gap = np.minimum(gap, shortest * depth)
    return np.asarray(gap / element)


def draw_ellipsoids(shape: Bodies, canvas: Canvas) -> Drawing:
    """Draw a box with ellipsoids cut out of it and put in again, and say how small elements are."""
    return Drawing(
        canvas.cut(_drawn(shape, canvas)), _element_size(shape, canvas.box), has_poles=True
    )


def _drawn(shape: Bodies, canvas: Canvas) -> Iterator[tuple[int, Owner]]:
    for number, cell in enumerate(shape.cells):
        turn = _turn(cell, canvas.box)
        for image in canvas.box.images(cell.place, cell.half_widths):
            tag = canvas.occ.addSphere(0.0, 0.0, 0.0, 1.0)
            canvas.turn_and_move(tag, turn, np.zeros(3))
            canvas.occ.dilate([(3, tag)], 0.0, 0.0, 0.0, *cell.semi_axes)
            canvas.turn_and_move(tag, cell.frame.T, image)
            yield tag, Owner(shape.owner_region(number), number)


def _turn(cell: Ellipsoid, box: Box) -> Array:
    """Turn the sphere so that its poles keep away from faces and its seam from edges."""
    # Loaded where something is turned.
    from scipy.spatial.transform import Rotation

    turns = np.concatenate([np.eye(3)[None], Rotation.random(_TURNS, rng=1).as_matrix()])
    angle = np.linspace(-np.pi / 2, np.pi / 2, _SEAM)
    seam = np.column_stack([np.cos(angle), np.zeros(_SEAM), np.sin(angle)])
    places = (seam @ turns.transpose(0, 2, 1)) * cell.semi_axes @ cell.frame
    apart = np.abs(wrapped(places + cell.place - box.corner, 1.0))
    poles = apart[:, [0, -1]].min(axis=(1, 2))
    # An edge is near where two coordinates are.
    edges = np.sort(apart, axis=2)[:, :, 1].min(axis=1)
    return np.asarray(turns[int(np.argmax(np.round(np.minimum(poles, edges), 9)))])


def _element_size(shape: Bodies, box: Box) -> Callable[[Array], float]:
    """Size of elements at a place between surfaces."""
    centres, forms, radii = [], [], []
    for cell in shape.cells:
        for image in box.images(cell.place, cell.half_widths + _BEYOND):
            centres.append(image)
            forms.append(cell.frame / cell.semi_axes[:, None])
            radii.append(float(cell.semi_axes.min()))
    centre, form, radius = np.array(centres), np.array(forms), np.array(radii)

    def size_at(place: Array) -> float:
        round_ = np.einsum("nij,nj->ni", form, place - centre)
        level = np.sqrt((round_ * round_).sum(axis=1)) + 1e-12
        slope = np.einsum("nij,ni->nj", form, round_) / level[:, None]
        depths = (level - 1.0) / (np.sqrt((slope * slope).sum(axis=1)) + 1e-12)
        return size_between(depths, radius)

    return size_at
