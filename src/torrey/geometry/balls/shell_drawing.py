"""Spheres with concentric coats in gmsh."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls.base import Balls
from torrey.geometry.balls.placing import fractions, images
from torrey.geometry.boxes import Box
from torrey.geometry.drawing import Canvas
from torrey.geometry.pieces import Drawing, Owner
from torrey.geometry.sizes import size_between

Array = NDArray[np.float64]

#: How far from the box spheres are that count as near it.
_BEYOND = 0.2
#: Size of the elements in a coat over its thickness: they may be flat there.
_ACROSS = 2.0
#: How fast elements grow inside with the depth below the coat.
_GROWTH_INSIDE = 0.7
#: The same outside.
_GROWTH = 0.3


def draw_shells(shape: Balls, canvas: Canvas) -> Drawing:
    """Draw a box with coated spheres cut out of it and put in again.

    Parameters
    ----------
    shape : Spheres
        With a coat.
    canvas : Canvas
    """
    rest = Owner(None) if shape.has_wall else Owner(0)
    owners = canvas.cut(_drawn(shape, canvas), rest)
    return Drawing(owners, _element_size(shape, canvas.box), has_poles=True)


def _drawn(shape: Balls, canvas: Canvas) -> Iterator[tuple[int, Owner]]:
    count, first = len(shape.cells), shape.first_inside
    for number, centre in images(canvas.box, shape):
        # What is drawn later is cut out of what was drawn before.
        outer = canvas.occ.addSphere(*centre, float(shape.outer_radii[number]))
        yield int(outer), Owner(count + number + first, count + number)
        inner = canvas.occ.addSphere(*centre, shape.cells[number].radius)
        yield int(inner), Owner(number + first, number)


def _element_size(shape: Balls, box: Box) -> Callable[[Array], float]:
    """Size of elements at a place: a coat's, or that of the water between coats."""
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
        depths = np.sqrt((apart * apart).sum(axis=1)) - radius
        inside = max(0.0, float((-depths[::2]).max()))
        if np.any(depths[1::2] <= 0):
            return _ACROSS * shape.coat_thickness + _GROWTH_INSIDE * inside
        return min(
            size_between(depths[1::2], radius[1::2]),
            float(_ACROSS * shape.coat_thickness + _GROWTH * depths[1::2].min()),
        )

    return size_at
