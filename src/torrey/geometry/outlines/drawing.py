"""Closed curves in gmsh."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.drawing import Canvas
from torrey.geometry.membranes import NOTHING
from torrey.geometry.outlines.curves import Curve
from torrey.geometry.outlines.sizes import element_size
from torrey.geometry.outlines.surroundings import Surroundings, images_in
from torrey.geometry.pieces import Drawing, Owner

Array = NDArray[np.float64]


def draw_outlines(
    surroundings: Surroundings, owners: Sequence[int], sizes: Array, canvas: Canvas
) -> Drawing:
    """Draw the box with curves in it, those that hold others first.

    Parameters
    ----------
    surroundings : Surroundings
    owners : sequence of int
        Compartment inside each curve, or `NOTHING`.
    sizes : (n_samples,) float
        Of the elements along the curves.
    canvas : Canvas
    """
    found = canvas.cut(_drawn(surroundings, owners, canvas))
    places = surroundings.wrapped(surroundings.places)
    return Drawing(found, element_size(places, sizes, surroundings.sides, canvas.size))


def _drawn(
    surroundings: Surroundings, owners: Sequence[int], canvas: Canvas
) -> Iterator[tuple[int, Owner]]:
    curves: tuple[Curve, ...] = surroundings.curves
    for i in sorted(range(len(curves)), key=lambda i: -curves[i].area):
        places = curves[i].samples.places
        # The curve reaches a little beyond its samples.
        margin = curves[i].samples.spacing
        low, high = places.min(axis=0) - margin, places.max(axis=0) + margin
        region = None if owners[i] == NOTHING else owners[i]
        for shift in images_in(low, high, canvas.box.corner, surroundings.sides):
            yield curves[i].draw(canvas.occ, shift), Owner(region, i)
