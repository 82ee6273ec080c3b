"""Discs and spheres in gmsh, and the layers around discs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls.base import Balls
from torrey.geometry.balls.coats import LAYER_SECTORS, element_size
from torrey.geometry.balls.placing import images
from torrey.geometry.drawing import Canvas
from torrey.geometry.pieces import Drawing, Owner

Array = NDArray[np.float64]


def draw_balls(shape: Balls, canvas: Canvas) -> Drawing:
    """Draw a box with balls cut out of it and put in again, and say how small elements must be."""
    rest = Owner(None) if shape.has_wall else Owner(0)
    owners = canvas.cut(_drawn(shape, canvas), rest)
    n = len(shape.cells)
    coats = {tag: owner.part % n for tag, owner in owners.items() if _coats(shape, owner)}
    if not shape.cells:
        return Drawing(owners)
    # Layers in rows have elements of their own sizes, from which those beside them must grow.
    sizes = element_size(shape, canvas, coats)
    # In a cube the usual triangles do, and are rounder.
    poles = shape.dimension == 3 and not canvas.box.is_cube
    return Drawing(owners, sizes, is_graded=not coats, has_poles=poles)


def _coats(shape: Balls, owner: Owner) -> bool:
    return owner.region is not None and owner.region >= len(shape.cells) + shape.first_inside


def _drawn(shape: Balls, canvas: Canvas) -> Iterator[tuple[int, Owner]]:
    for number, centre in images(canvas.box, shape):
        yield from _draw_ball(shape, canvas, number, centre)


def _draw_ball(shape: Balls, canvas: Canvas, number: int, centre: Array) -> list[tuple[int, Owner]]:
    """Draw one image of a ball; return its entities and whose they are."""
    occ = canvas.occ
    radius = shape.cells[number].radius
    inside = number + shape.first_inside
    whole = Owner(None if shape.interior == "obstacle" else inside, number)
    if shape.dimension == 3:
        return [(int(occ.addSphere(*centre, radius)), whole)]
    disc = int(occ.addDisk(*centre, 0.0, radius, radius))
    outer = float(shape.outer_radii[number])
    if outer == radius:
        return [(disc, whole)]
    layer = Owner(len(shape.cells) + inside, len(shape.cells) + number)
    sectors = [_draw_sector(canvas, centre, radius, outer, i) for i in range(LAYER_SECTORS)]
    return [(disc, whole), *((sector, layer) for sector in sectors)]


def _draw_sector(canvas: Canvas, centre: Array, inner: float, outer: float, number: int) -> int:
    """A quarter of the layer around a disc: four sides, so that it can be meshed in rows."""
    occ = canvas.occ
    angles = 2 * np.pi / LAYER_SECTORS * np.array([number, number + 1])
    middle = occ.addPoint(*centre, 0.0)
    corners = [
        [occ.addPoint(*(centre + r * np.array([np.cos(a), np.sin(a)])), 0.0) for a in angles]
        for r in (inner, outer)
    ]
    arcs = [occ.addCircleArc(start, middle, end) for start, end in corners]
    sides = [occ.addLine(corners[0][i], corners[1][i]) for i in (0, 1)]
    loop = occ.addCurveLoop([arcs[0], sides[1], -arcs[1], -sides[0]])
    return int(occ.addPlaneSurface([loop]))
