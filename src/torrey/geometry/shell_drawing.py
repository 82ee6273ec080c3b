"""Spheres with concentric coats in gmsh."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls import Balls
from torrey.geometry.boxes import Box
from torrey.geometry.drawing import Canvas
from torrey.geometry.pieces import Drawing, Owner
from torrey.geometry.placing import fractions, images

Array = NDArray[np.float64]

#: How far from the box spheres are that count as near it.
_BEYOND = 0.2
#: Size of the elements in a narrow place over its width.
_ACROSS = 1.3


def draw_shells(shape: Balls, canvas: Canvas) -> Drawing:
    """Draw a box with coated spheres cut out of it and put in again.

    Parameters
    ----------
    shape : Spheres
        With a coat.
    canvas : Canvas
    """
    return Drawing(canvas.cut(_drawn(shape, canvas)), _element_size(shape, canvas.box))


def _drawn(shape: Balls, canvas: Canvas) -> Iterator[tuple[int, Owner]]:
    count = len(shape.cells)
    for number, centre in images(canvas.box, shape):
        # What is drawn later is cut out of what was drawn before.
        outer = canvas.occ.addSphere(*centre, float(shape.outer_radii[number]))
        yield int(outer), Owner(count + number + 1, number)
        inner = canvas.occ.addSphere(*centre, shape.cells[number].radius)
        yield int(inner), Owner(number + 1, number)


def _element_size(shape: Balls, box: Box) -> Callable[[Array], float]:
    """Size of elements at a place: the distances of the two nearest surfaces together."""
    centres, radii = [], []
    places = fractions(box, shape)
    reach = np.multiply.outer(shape.outer_radii + _BEYOND, box.slopes)
    for i, (fraction, far) in enumerate(zip(places, reach, strict=True)):
        for centre in box.images(fraction, far):
            centres += [centre, centre]
            radii += [shape.cells[i].radius, float(shape.outer_radii[i])]
    centre, radius = np.array(centres), np.array(radii)

    def size_at(place: Array) -> float:
        apart = place - centre
        depths = np.abs(np.sqrt((apart * apart).sum(axis=1)) - radius)
        depths.sort()
        return float(_ACROSS * depths[:2].sum())

    return size_at
