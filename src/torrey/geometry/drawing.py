"""Drawing of a cell in gmsh: boxes, balls with their layers, strips, and ties of opposite faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import gmsh
import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls import Balls
from torrey.geometry.mesh import MeshError
from torrey.geometry.shapes import Layers

Array = NDArray[np.float64]

#: A face that passes a circle by less than this (units of the cell) is moved.
_LEAST_CUT = 0.02
#: Elements around a full circle on the coarsest mesh, at least, by dimension; their number grows
#: with the square around a sphere.
_ELEMENTS_PER_CIRCLE = {2: 16, 3: 12}
#: Elements across a layer on the coarsest mesh.
_ELEMENTS_ACROSS = 3
_SECTORS = 4
#: Sagitta of the elements along a layer, as a part of their thickness: they must not fold over.
_FLATNESS = 0.2
#: Two places are the same if they differ by less than this (units of the cell).
_SAME = 1e-6


@dataclass(frozen=True)
class Owner:
    """What a surface or volume belongs to: a region (None: an obstacle) and a ball, from 0."""

    region: int | None
    ball: int = -1


Owners = Mapping[int, Owner]


@dataclass(frozen=True)
class _Part:
    """A part of an image of a ball: all of it, or a sector of its layer."""

    owner: Owner
    centre: Array
    inner: float
    outer: float
    measure: float

    def holds(self, corners: Array, middle: Array, measure: float) -> bool:
        """Whether an entity with these corners, centre of mass and measure lies in it."""
        distance = np.linalg.norm(corners - self.centre, axis=1)
        close = _SAME * self.outer
        return bool(
            np.all((distance >= self.inner - close) & (distance <= self.outer + close))
            # A ball and the hole around it share their corners: the measure tells them apart.
            and measure <= self.measure * (1 + 1e-6)
            and np.linalg.norm(middle - self.centre) <= self.outer
        )


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


def draw_balls(shape: Balls, size: float) -> tuple[Array, Owners]:
    """Box with balls cut out of it and put in again, and the sizes of its elements.

    Returns
    -------
    origin : (d,) float
        Corner of the box, in fractions of the periods.
    owners : mapping of int to Owner
        By surface, or by volume where d = 3.
    """
    d, occ = shape.dimension, gmsh.model.occ
    origin = _choose_origin(shape)
    box = _draw_box(origin, shape.periods)
    drawn, parts = [], []
    for number, centre in _images(shape, origin):
        entities, found = _draw_ball(shape, number, centre)
        drawn += [(d, tag) for tag in entities]
        parts += found
    if drawn:
        occ.fragment([(d, box)], drawn)
    occ.synchronize()
    inverse = np.asarray(np.linalg.inv(shape.periods), dtype=float)
    beyond = [s for s in gmsh.model.getEntities(d) if not _inside_box(s, origin, inverse)]
    occ.remove(beyond, recursive=True)
    occ.synchronize()
    owners = {tag: _owner((d, tag), parts) for _, tag in gmsh.model.getEntities(d)}
    _set_sizes(shape, origin, size, owners)
    return origin, owners


def tie_opposite_faces(origin: Array, periods: Array) -> None:
    """Make gmsh put the same nodes on opposite faces of the box.

    Parameters
    ----------
    origin : (d,) float
        Corner of the box, in fractions of the periods.
    periods : (d, d) float
    """
    d = len(periods)
    inverse = np.asarray(np.linalg.inv(periods), dtype=float)
    middles = {
        tag: np.array(gmsh.model.occ.getCenterOfMass(d - 1, tag)[:d]) @ inverse - origin
        for _, tag in gmsh.model.getEntities(d - 1)
    }
    for axis in range(d):
        faces = []
        for place in (0.0, 1.0):
            here = [tag for tag in middles if _on_face((d - 1, tag), axis, place, origin, inverse)]
            others = np.array([np.delete(middles[tag], axis) for tag in here]).round(6)
            faces.append([here[i] for i in np.lexsort(others.T)])
        if len(faces[0]) != len(faces[1]):
            raise MeshError(f"{len(faces[0])} curves at 0 but {len(faces[1])} at 1, axis {axis}")
        shift = np.eye(4)
        shift[:d, 3] = periods[axis]
        gmsh.model.mesh.setPeriodic(d - 1, faces[1], faces[0], shift.ravel().tolist())


def _choose_origin(shape: Balls) -> Array:
    """Corner of the box to mesh: zero, unless a ball nearly touches a face of the cell.

    A face that grazes a circle cuts off a sliver that cannot be meshed; the cell is periodic, so
    that it may as well be cut elsewhere.
    """
    origin = np.zeros(shape.dimension)
    reach = _reach(shape)
    for axis in range(shape.dimension):
        grazing = np.sort(
            [
                (c.center[axis] + side * r[axis]) % 1.0
                for c, r in zip(shape.cells, reach, strict=True)
                for side in (-1, 1)
            ]
        )
        if len(grazing) and min(grazing[0], 1.0 - grazing[-1]) < _LEAST_CUT:
            gaps = np.diff(grazing, append=grazing[0] + 1.0)
            widest = int(np.argmax(gaps))
            origin[axis] = (grazing[widest] + gaps[widest] / 2) % 1.0
    return origin


def _reach(shape: Balls) -> Array:
    """How far each ball reaches along each period, in fractions of it, shape (n_cells, d)."""
    slopes = np.linalg.norm(np.linalg.inv(shape.periods), axis=0)
    return np.multiply.outer(shape.outer_radii, slopes)


def _images(shape: Balls, origin: Array) -> list[tuple[int, Array]]:
    """Number and centre of each ball and its periodic images that reach into the box."""
    found = []
    shifts = np.array(list(product((-1, 0, 1, 2), repeat=shape.dimension)))
    for i, (cell, reach) in enumerate(zip(shape.cells, _reach(shape), strict=True)):
        places = np.array(cell.center) + shifts
        inside = np.all((places - origin > -reach) & (places - origin < 1 + reach), axis=1)
        found += [(i, place @ shape.periods) for place in places[inside]]
    return found


def _draw_box(origin: Array, periods: Array) -> int:
    """Return the surface or volume of one period."""
    occ = gmsh.model.occ
    d = len(periods)
    corner = origin @ periods
    if d == 3:
        return int(occ.addBox(*corner, 1.0, 1.0, 1.0))
    if np.array_equal(periods, np.eye(2)):
        return int(occ.addRectangle(*corner, 0.0, 1.0, 1.0))
    around = [corner, corner + periods[0], corner + periods.sum(axis=0), corner + periods[1]]
    points = [occ.addPoint(*place, 0.0) for place in around]
    lines = [occ.addLine(points[i], points[(i + 1) % 4]) for i in range(4)]
    return int(occ.addPlaneSurface([occ.addCurveLoop(lines)]))


def _draw_ball(shape: Balls, number: int, centre: Array) -> tuple[list[int], list[_Part]]:
    """Draw one image of a ball; return its entities and its parts."""
    occ = gmsh.model.occ
    radius = shape.cells[number].radius
    region = None if shape.interior == "obstacle" else number + 1
    if shape.dimension == 3:
        whole = _Part(Owner(region, number), centre, 0.0, radius, 4 / 3 * np.pi * radius**3)
        return [occ.addSphere(*centre, radius)], [whole]
    whole = _Part(Owner(region, number), centre, 0.0, radius, np.pi * radius**2)
    disc = occ.addDisk(*centre, 0.0, radius, radius)
    outer = float(shape.outer_radii[number])
    if outer == radius:
        return [disc], [whole]
    owner = Owner(len(shape.cells) + number + 1, number)
    area = np.pi * (outer**2 - radius**2) / _SECTORS
    sectors = [_draw_sector(centre, radius, outer, i) for i in range(_SECTORS)]
    return [disc, *sectors], [whole, _Part(owner, centre, radius, outer, area)]


def _draw_sector(centre: Array, inner: float, outer: float, number: int) -> int:
    """A quarter of the layer around a disc: four sides, so that it can be meshed in rows."""
    occ = gmsh.model.occ
    angles = 2 * np.pi / _SECTORS * np.array([number, number + 1])
    middle = occ.addPoint(*centre, 0.0)
    corners = [
        [occ.addPoint(*(centre + r * np.array([np.cos(a), np.sin(a)])), 0.0) for a in angles]
        for r in (inner, outer)
    ]
    arcs = [occ.addCircleArc(start, middle, end) for start, end in corners]
    sides = [occ.addLine(corners[0][i], corners[1][i]) for i in (0, 1)]
    loop = occ.addCurveLoop([arcs[0], sides[1], -arcs[1], -sides[0]])
    return int(occ.addPlaneSurface([loop]))


def _inside_box(entity: tuple[int, int], origin: Array, inverse: Array) -> bool:
    middle = np.array(gmsh.model.occ.getCenterOfMass(*entity)[: len(origin)])
    place = middle @ inverse - origin
    return bool(np.all((place > -1e-9) & (place < 1 + 1e-9)))


def _corners(entity: tuple[int, int], dimension: int) -> Array:
    """Corners of an entity, shape (n, dimension)."""
    points = gmsh.model.getBoundary([entity], recursive=True)
    places = [gmsh.model.getValue(0, abs(tag), [])[:dimension] for _, tag in points]
    return np.array(places, dtype=float).reshape(-1, dimension)


def _owner(entity: tuple[int, int], parts: list[_Part]) -> Owner:
    """What an entity belongs to: a part of a ball, or the outside."""
    d = entity[0]
    corners = _corners(entity, d)
    measure = gmsh.model.occ.getMass(*entity)
    middle = np.array(gmsh.model.occ.getCenterOfMass(*entity)[:d])
    return next((p.owner for p in parts if p.holds(corners, middle, measure)), Owner(0))


def _on_face(
    entity: tuple[int, int], axis: int, place: float, origin: Array, inverse: Array
) -> bool:
    """Whether all of a curve or surface lies on a face of the box."""
    d = len(origin)
    low, high = np.array(gmsh.model.getBoundingBox(*entity)).reshape(2, 3)[:, :d]
    middle = np.array(gmsh.model.occ.getCenterOfMass(*entity)[:d])
    places = np.vstack([_corners(entity, d), middle]) @ inverse
    flat = bool(np.all(np.abs(places[:, axis] - origin[axis] - place) < _SAME))
    if not np.array_equal(inverse, np.eye(d)):
        return flat
    return flat and bool(high[axis] - low[axis] < 10 * _SAME)


def _set_sizes(shape: Balls, origin: Array, size: float, owners: Owners) -> None:
    """Ask for small elements where membranes are curved or close, and for rows across layers."""
    gmsh.option.setNumber("Mesh.MeshSizeFromCurvature", _ELEMENTS_PER_CIRCLE[shape.dimension])
    if not shape.cells:
        return
    d = shape.dimension
    shifts = np.array(list(product((-1, 0, 1, 2), repeat=d)))
    places = np.concatenate([np.array(cell.center) + shifts for cell in shape.cells])
    near = np.all((places - origin > -1) & (places - origin < 2), axis=1)
    centres = (places @ shape.periods)[near]
    radii = np.repeat(shape.outer_radii, len(shifts))[near]
    thickness = float(np.max(shape.outer_radii - [c.radius for c in shape.cells]))
    cut = thickness > 0.0 and not _rule_layers(shape, size, owners)

    def size_at(_dim: int, _tag: int, x: float, y: float, z: float, proposed: float) -> float:
        place = np.array((x, y, z))[:d]
        depth = np.linalg.norm(place - centres, axis=1) - radii
        distance = np.abs(depth)
        nearest, next_nearest = np.partition(distance, 1)[:2]
        smallest = min(proposed, size, nearest + next_nearest)
        if cut and np.any((depth <= _SAME) & (depth >= -thickness - _SAME)):
            smallest = min(smallest, thickness / _ELEMENTS_ACROSS)
        return float(smallest)

    gmsh.model.mesh.setSizeCallback(size_at)


def _rule_layers(shape: Balls, size: float, owners: Owners) -> bool:
    """Mesh whole sectors of layers in rows; return whether no sector is cut by a face."""
    whole = True
    for tag, owner in owners.items():
        if owner.region is None or owner.region <= len(shape.cells):
            continue
        inner, outer = shape.cells[owner.ball].radius, float(shape.outer_radii[owner.ball])
        curves = [abs(curve) for _, curve in gmsh.model.getBoundary([(2, tag)])]
        area = np.pi * (outer**2 - inner**2) / _SECTORS
        if len(curves) != 4 or abs(gmsh.model.occ.getMass(2, tag) / area - 1) > 1e-6:
            whole = False
            continue
        flat = np.sqrt(8 * inner * _FLATNESS * (outer - inner) / _ELEMENTS_ACROSS)
        length = 2 * np.pi / _SECTORS * outer
        along = int(np.ceil(max(length / min(size, flat), _ELEMENTS_PER_CIRCLE[2] / _SECTORS)))
        for curve in curves:
            straight = gmsh.model.occ.getMass(1, curve) < 1.5 * (outer - inner)
            count = _ELEMENTS_ACROSS if straight else along
            gmsh.model.mesh.setTransfiniteCurve(curve, count + 1)
        gmsh.model.mesh.setTransfiniteSurface(tag)
    return whole
