"""From the description of a cell to its meshes, by way of pygmsh.

pygmsh makes the shapes and their fragments; the gmsh interface under it sets the periodic faces,
refines (new nodes lie on the exact circles) and hands out nodes by surface.
"""

from __future__ import annotations

from collections.abc import Iterator

import gmsh
import numpy as np
import pygmsh
from numpy.typing import NDArray

from torrey.geometry.mesh import CellMesh, Facets, MeshError, Piece, break_mesh
from torrey.geometry.shapes import Discs, Layers, MeshOptions, Shape

_EDGE = 1e-6  # width of the boxes that pick the curves on the faces of the cell

#: A face that passes a circle by less than this (units of the cell) is moved.
_LEAST_CUT = 0.02

#: Elements around a full circle on the coarsest mesh, at least.
_ELEMENTS_PER_CIRCLE = 16


def build_meshes(shape: Shape, options: MeshOptions) -> tuple[CellMesh, ...]:
    """Meshes of a cell, each a uniform refinement of the one before.

    Parameters
    ----------
    shape : Discs or Layers
    options : MeshOptions
        Target size of the coarsest elements and number of refinements.

    Returns
    -------
    tuple of CellMesh, length ``options.refinements + 1``, coarsest first.

    Raises
    ------
    MeshError
        If faces do not match or a compartment is missing from the mesh.
    """
    if isinstance(shape, Layers) and shape.dimension == 1:
        meshes = tuple(
            _line_mesh(shape, options.size, level) for level in range(options.refinements + 1)
        )
    else:
        with pygmsh.occ.Geometry() as model:
            gmsh.option.setNumber("General.Terminal", 0)
            model.characteristic_length_max = options.size
            origin = np.zeros(2)
            if isinstance(shape, Discs):
                origin = _choose_origin(shape)
                compartment_of = _draw_discs(model, shape, origin)
                _refine_gaps(shape, options.size)
            else:
                compartment_of = _draw_strips(shape)
            _tie_opposite_faces(origin)
            gmsh.model.mesh.generate(2)
            meshes = tuple(_levels(shape, compartment_of, options.refinements))
    for mesh in meshes:
        missing = set(range(shape.n_compartments)) - set(mesh.compartment.tolist())
        if missing:
            names = ", ".join(shape.compartment_names[i] for i in sorted(missing))
            raise MeshError(f"no element lies in {names}: choose a smaller mesh size")
    return meshes


def _layer_edges(shape: Layers) -> NDArray[np.float64]:
    """Places of the membranes along x: layer 0 is centred on the origin and wraps around."""
    half = shape.thicknesses[0] / 2
    return half + np.concatenate([[0.0], np.cumsum(shape.thicknesses[1:])])


def _line_mesh(shape: Layers, size: float, level: int) -> CellMesh:
    """Quadratic line elements, each piece divided evenly; each level halves every element."""
    breaks = np.concatenate([[0.0], _layer_edges(shape), [1.0]])
    n_pieces = len(breaks) - 1
    pieces, facets, places, start = [], [], [np.array([0.0])], 0
    for i, (left, right) in enumerate(zip(breaks[:-1], breaks[1:], strict=True)):
        n = max(4, int(np.ceil((right - left) / size))) * 2**level
        places.append(np.linspace(left, right, 2 * n + 1)[1:])
        ends = start + 2 * np.arange(n)
        pieces.append(Piece(np.column_stack([ends, ends + 2, ends + 1]), i % shape.n_compartments))
        start += 2 * n
        if i < n_pieces - 1:
            facets.append(Facets(np.array([[start]]), i, i, i + 1))
    return break_mesh(np.concatenate(places)[:, None], pieces, facets)


def _choose_origin(shape: Discs) -> NDArray[np.float64]:
    """Corner of the box to mesh: zero, unless a disc nearly touches a face of the cell.

    A face that grazes a circle cuts off a sliver that cannot be meshed; the cell is periodic, so
    that it may as well be cut elsewhere.
    """
    origin = np.zeros(2)
    for axis in (0, 1):
        grazing = np.sort(
            [(c.center[axis] + side * c.radius) % 1.0 for c in shape.cells for side in (-1, 1)]
        )
        if len(grazing) and min(grazing[0], 1.0 - grazing[-1]) < _LEAST_CUT:
            gaps = np.diff(grazing, append=grazing[0] + 1.0)
            widest = int(np.argmax(gaps))
            origin[axis] = (grazing[widest] + gaps[widest] / 2) % 1.0
    return origin


def _draw_discs(
    model: pygmsh.occ.Geometry, shape: Discs, origin: NDArray[np.float64]
) -> dict[int, int | None]:
    """Surfaces of the cell -> compartment (None: an obstacle, no water inside)."""
    box = model.add_rectangle([*origin, 0.0], 1.0, 1.0)
    images = []
    for i, cell in enumerate(shape.cells):
        (x, y), radius = cell.center, cell.radius
        for centre in ((x + i_x, y + i_y) for i_x in (-1, 0, 1, 2) for i_y in (-1, 0, 1, 2)):
            inside = [-radius < c - o < 1 + radius for c, o in zip(centre, origin, strict=True)]
            if all(inside):
                images.append((i, np.array(centre), radius))
                model.add_disk([*centre, 0.0], radius)
    occ = gmsh.model.occ
    occ.synchronize()
    if images:
        discs = [tag for tag in gmsh.model.getEntities(2) if tag[1] != box._id]
        occ.fragment([(2, box._id)], discs)
        occ.synchronize()
    beyond = [s for s in gmsh.model.getEntities(2) if not _inside_box(s, origin)]
    occ.remove(beyond, recursive=True)
    occ.synchronize()
    surfaces = [tag for _, tag in gmsh.model.getEntities(2)]
    return {tag: _disc_compartment(tag, images, shape) for tag in surfaces}


def _inside_box(surface: tuple[int, int], origin: NDArray[np.float64]) -> bool:
    place = np.array(gmsh.model.occ.getCenterOfMass(*surface)[:2]) - origin
    return bool(np.all((place > -1e-9) & (place < 1 + 1e-9)))


def _disc_compartment(
    surface: int, images: list[tuple[int, NDArray[np.float64], float]], shape: Discs
) -> int | None:
    """A piece of a disc has all its corners within that disc; the outside has not."""
    corners = np.array(
        [
            gmsh.model.getValue(0, abs(point), [])[:2]
            for _, point in gmsh.model.getBoundary([(2, surface)], recursive=True)
        ]
    )
    mass, centre = gmsh.model.occ.getMass(2, surface), gmsh.model.occ.getCenterOfMass(2, surface)
    for i, middle, radius in images:
        near = np.linalg.norm(corners - middle, axis=1) <= radius * (1 + 1e-6)
        # A disc and the hole around it share their one corner: the area tells them apart.
        small = mass <= np.pi * radius**2 * (1 + 1e-6)
        if near.all() and small and np.linalg.norm(np.array(centre[:2]) - middle) <= radius:
            return i + 1 if shape.interior == "water" else None
    return 0


def _draw_strips(shape: Layers) -> dict[int, int | None]:
    """Strips across the unit square, from left to right; layer 0 is the first and the last."""
    breaks = np.concatenate([[0.0], _layer_edges(shape), [1.0]])
    occ = gmsh.model.occ
    strips = [
        (2, occ.addRectangle(left, 0.0, 0.0, right - left, 1.0))
        for left, right in zip(breaks[:-1], breaks[1:], strict=True)
    ]
    occ.fragment(strips[:1], strips[1:])
    occ.synchronize()
    surfaces = [tag for _, tag in gmsh.model.getEntities(2)]
    surfaces.sort(key=lambda tag: occ.getCenterOfMass(2, tag)[0])
    return {tag: i % shape.n_compartments for i, tag in enumerate(surfaces)}


def _refine_gaps(shape: Discs, size: float) -> None:
    """Ask for small elements where membranes are strongly curved or close to each other."""
    gmsh.option.setNumber("Mesh.MeshSizeFromCurvature", _ELEMENTS_PER_CIRCLE)
    if not shape.cells:
        return
    shifts = np.array([(i, j) for i in (-1, 0, 1, 2) for j in (-1, 0, 1, 2)])
    centres = np.concatenate([np.array(cell.center) + shifts for cell in shape.cells])
    radii = np.repeat([cell.radius for cell in shape.cells], len(shifts))

    def size_at(_dim: int, _tag: int, x: float, y: float, _z: float, proposed: float) -> float:
        distance = np.abs(np.hypot(x - centres[:, 0], y - centres[:, 1]) - radii)
        nearest, next_nearest = np.partition(distance, 1)[:2]
        return float(min(proposed, size, nearest + next_nearest))

    gmsh.model.mesh.setSizeCallback(size_at)


def _tie_opposite_faces(origin: NDArray[np.float64]) -> None:
    """Make gmsh put the same nodes on opposite faces of the box."""
    for axis in (0, 1):
        faces = []
        for place in (0.0, 1.0):
            low, high = np.append(origin, 0.0) - _EDGE, np.append(origin + 1.0, 0.0) + _EDGE
            low[axis], high[axis] = origin[axis] + place - _EDGE, origin[axis] + place + _EDGE
            curves = gmsh.model.getEntitiesInBoundingBox(*low, *high, dim=1)
            along = [gmsh.model.occ.getCenterOfMass(*c)[1 - axis] for c in curves]
            faces.append([curves[i][1] for i in np.argsort(along)])
        if len(faces[0]) != len(faces[1]):
            raise MeshError(f"{len(faces[0])} curves at 0 but {len(faces[1])} at 1, axis {axis}")
        shift = np.eye(4)
        shift[axis, 3] = 1.0
        gmsh.model.mesh.setPeriodic(1, faces[1], faces[0], shift.ravel().tolist())


def _levels(
    shape: Shape, compartment_of: dict[int, int | None], refinements: int
) -> Iterator[CellMesh]:
    """Yield the current mesh and its refinements as broken quadratic meshes."""
    for level in range(refinements + 1):
        if level:
            gmsh.model.mesh.setOrder(1)
            gmsh.model.mesh.refine()
        gmsh.model.mesh.setOrder(2)
        yield _extract(shape, compartment_of)


def _extract(shape: Shape, compartment_of: dict[int, int | None]) -> CellMesh:
    """The mesh that gmsh holds now, as a broken mesh."""
    tags, places, _ = gmsh.model.mesh.getNodes()
    index = np.empty(int(tags.max()) + 1, dtype=np.int64)
    index[tags] = np.arange(len(tags))
    points = places.reshape(-1, 3)[:, :2]
    wet = {tag: owner for tag, owner in compartment_of.items() if owner is not None}
    order = {tag: i for i, tag in enumerate(wet)}
    pieces = [
        Piece(index[gmsh.model.mesh.getElements(2, tag)[2][0]].reshape(-1, 6), owner)
        for tag, owner in wet.items()
    ]
    facets = []
    for _, curve in gmsh.model.getEntities(1):
        sides = [order[s] for s in gmsh.model.getAdjacencies(1, curve)[0] if s in order]
        if len(sides) == 2:
            nodes = index[gmsh.model.mesh.getElements(1, curve)[2][0]].reshape(-1, 3)
            facets.append(_membrane_facets(shape, pieces, points, nodes, sides))
    return break_mesh(points, pieces, facets)


def _membrane_facets(
    shape: Shape,
    pieces: list[Piece],
    points: NDArray[np.float64],
    nodes: NDArray[np.int64],
    sides: list[int],
) -> Facets:
    """Name the membrane of a curve between two pieces, and its sides."""
    if isinstance(shape, Layers):
        membrane = int(np.argmin(np.abs(_layer_edges(shape) - points[nodes[0, 0], 0])))
        left, right = sorted(sides, key=lambda s: float(points[pieces[s].elements, 0].mean()))
        return Facets(nodes, membrane, outside=left, inside=right)
    outside, inside = sorted(sides, key=lambda s: pieces[s].compartment)
    return Facets(nodes, pieces[inside].compartment - 1, outside, inside)
