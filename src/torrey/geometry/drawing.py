"""Drawing of a cell in gmsh: boxes, balls with their layers, strips, and ties of opposite faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import gmsh
import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls import Balls
from torrey.geometry.boxes import Box
from torrey.geometry.mesh import MeshError
from torrey.geometry.shapes import Layers
from torrey.geometry.sizes import LAYER_SECTORS, Spots, set_sizes

Array = NDArray[np.float64]

#: Two places are the same if they differ by less than this (units of the cell).
_SAME = 1e-6
#: Centres of mass of pieces of opposite faces are alike up to this: those with holes are inexact.
_ALIKE = 1e-3


@dataclass(frozen=True)
class Owner:
    """What a surface or volume belongs to: a region (None: an obstacle) and a ball, from 0."""

    region: int | None
    ball: int = -1


Owners = Mapping[int, Owner]


def layer_edges(shape: Layers) -> Array:
    """Places of the membranes along x: layer 0 is centred on the origin and wraps around."""
    half = shape.thicknesses[0] / 2
    return half + np.concatenate([[0.0], np.cumsum(shape.thicknesses[1:])])


def draw_strips(shape: Layers) -> Owners:
    """Strips across the unit square, from left to right; layer 0 is the first and the last."""
    breaks = np.concatenate([[0.0], layer_edges(shape), [1.0]])
    occ = gmsh.model.occ
    strips = [
        (2, occ.addRectangle(left, 0.0, 0.0, right - left, 1.0))
        for left, right in zip(breaks[:-1], breaks[1:], strict=True)
    ]
    occ.fragment(strips[:1], strips[1:])
    occ.synchronize()
    surfaces = [tag for _, tag in gmsh.model.getEntities(2)]
    surfaces.sort(key=lambda tag: occ.getCenterOfMass(2, tag)[0])
    return {tag: Owner(i % shape.n_compartments) for i, tag in enumerate(surfaces)}


def draw_balls(shape: Balls, box: Box, size: float, spots: Spots) -> Owners:
    """Draw a box with balls cut out of it and put in again, and set the sizes of its elements.

    The fragments themselves say what they are pieces of: nothing is guessed from their places.

    Returns
    -------
    mapping of int to Owner
        By surface, or by volume where d = 3.
    """
    d, occ = shape.dimension, gmsh.model.occ
    whole = (d, _draw_box(box))
    drawn: list[tuple[int, int]] = []
    drawn_owners: list[Owner] = []
    for number, centre in box.images(shape):
        for tag, owner in _draw_ball(shape, number, centre):
            drawn.append((d, tag))
            drawn_owners.append(owner)
    # Pieces of the box, then pieces of each thing that was drawn.
    pieces = occ.fragment([whole], drawn)[1] if drawn else [[whole]]
    occ.synchronize()
    inside = set(pieces[0])
    occ.remove([e for e in gmsh.model.getEntities(d) if e not in inside], recursive=True)
    occ.synchronize()
    owners = {tag: Owner(0) for _, tag in gmsh.model.getEntities(d)}
    for owner, found in zip(drawn_owners, pieces[1:], strict=True):
        owners |= {tag: owner for dim, tag in found if (dim, tag) in inside}
    set_sizes(
        shape, box, size, spots, {tag: o.ball for tag, o in owners.items() if _coats(shape, o)}
    )
    return owners


def _coats(shape: Balls, owner: Owner) -> bool:
    return owner.region is not None and owner.region > len(shape.cells)


def tie_opposite_faces(box: Box) -> None:
    """Make gmsh put the same nodes on opposite faces of the box.

    Raises
    ------
    MeshError
        If the faces are not cut in the same way.
    """
    d = len(box.origin)
    middles = {
        tag: np.array(gmsh.model.occ.getCenterOfMass(d - 1, tag)[:d]) @ box.inverse - box.origin
        for _, tag in gmsh.model.getEntities(d - 1)
    }
    for axis in range(d):
        low, high = (
            [tag for tag in middles if _on_face((d - 1, tag), axis, place, box)]
            for place in (0.0, 1.0)
        )
        others = np.array([np.delete(middles[tag], axis) for tag in low]).round(6)
        low = [low[i] for i in np.lexsort(others.T)]
        shift = np.eye(4)
        shift[:d, 3] = box.vectors[axis]
        gmsh.model.mesh.setPeriodic(
            d - 1, _partners(middles, low, high, axis), low, shift.ravel().tolist()
        )


def _partners(middles: dict[int, Array], low: list[int], high: list[int], axis: int) -> list[int]:
    """What lies opposite to each curve or surface of a lower face."""
    if len(low) != len(high):
        raise MeshError(
            f"faces across axis {axis} do not match: {len(low)} pieces on one, {len(high)} on the "
            "other"
        )
    # A disc and the hole around it share their centre of mass: their areas tell them apart.
    measures = {tag: gmsh.model.occ.getMass(len(middles[tag]) - 1, tag) for tag in (*low, *high)}
    there = np.array([[*middles[tag], measures[tag]] for tag in high])
    there[:, axis] -= 1.0
    gaps = [np.linalg.norm(there - [*middles[tag], measures[tag]], axis=1) for tag in low]
    nearest = [int(gap.argmin()) for gap in gaps]
    if len(set(nearest)) < len(low) or max(gap.min() for gap in gaps) > _ALIKE:
        raise MeshError(f"faces across axis {axis} are not cut in the same way")
    return [high[i] for i in nearest]


def _draw_box(box: Box) -> int:
    """Return the surface or volume of one period."""
    occ = gmsh.model.occ
    corner, vectors = box.corner, box.vectors
    if len(corner) == 3:
        return int(occ.addBox(*corner, 1.0, 1.0, 1.0))
    if box.is_cube:
        return int(occ.addRectangle(*corner, 0.0, 1.0, 1.0))
    around = [corner, corner + vectors[0], corner + vectors.sum(axis=0), corner + vectors[1]]
    points = [occ.addPoint(*place, 0.0) for place in around]
    lines = [occ.addLine(points[i], points[(i + 1) % 4]) for i in range(4)]
    return int(occ.addPlaneSurface([occ.addCurveLoop(lines)]))


def _draw_ball(shape: Balls, number: int, centre: Array) -> list[tuple[int, Owner]]:
    """Draw one image of a ball; return its entities and whose they are."""
    occ = gmsh.model.occ
    radius = shape.cells[number].radius
    whole = Owner(None if shape.interior == "obstacle" else number + 1, number)
    if shape.dimension == 3:
        return [(int(occ.addSphere(*centre, radius)), whole)]
    disc = int(occ.addDisk(*centre, 0.0, radius, radius))
    outer = float(shape.outer_radii[number])
    if outer == radius:
        return [(disc, whole)]
    layer = Owner(len(shape.cells) + number + 1, number)
    sectors = [_draw_sector(centre, radius, outer, i) for i in range(LAYER_SECTORS)]
    return [(disc, whole), *((sector, layer) for sector in sectors)]


def _draw_sector(centre: Array, inner: float, outer: float, number: int) -> int:
    """A quarter of the layer around a disc: four sides, so that it can be meshed in rows."""
    occ = gmsh.model.occ
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


def _on_face(entity: tuple[int, int], axis: int, place: float, box: Box) -> bool:
    """Whether all of a curve or surface lies on a face of the box."""
    d = len(box.origin)
    middle = np.array(gmsh.model.occ.getCenterOfMass(*entity)[:d])
    places = np.vstack([_corners(entity, d), middle]) @ box.inverse
    flat = bool(np.all(np.abs(places[:, axis] - box.origin[axis] - place) < _SAME))
    if not box.is_cube:
        return flat
    low, high = np.array(gmsh.model.getBoundingBox(*entity)).reshape(2, 3)[:, :d]
    return flat and bool(high[axis] - low[axis] < 10 * _SAME)


def _corners(entity: tuple[int, int], dimension: int) -> Array:
    """Corners of an entity, shape (n, dimension)."""
    points = gmsh.model.getBoundary([entity], recursive=True)
    places = [gmsh.model.getValue(0, abs(tag), [])[:dimension] for _, tag in points]
    return np.array(places, dtype=float).reshape(-1, dimension)
