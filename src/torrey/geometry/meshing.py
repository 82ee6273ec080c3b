"""From the description of a cell to its meshes, by way of pygmsh.

pygmsh makes the shapes and their fragments; the gmsh interface under it sets the periodic faces,
refines (new nodes lie on the exact circles and spheres) and hands out nodes by surface or volume.
"""

from __future__ import annotations

from collections.abc import Iterator

import gmsh
import numpy as np
import pygmsh
from numpy.typing import NDArray

from torrey.geometry.balls import Balls
from torrey.geometry.drawing import Owners, draw_balls, draw_strips, layer_edges, tie_opposite_faces
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh, Facets, MeshError, Piece, break_mesh
from torrey.geometry.shapes import Layers, MeshOptions, Shape

#: Nodes of a quadratic element by its dimension.
_NODES = {1: 3, 2: 6, 3: 10}


def build_meshes(shape: Shape, options: MeshOptions) -> tuple[CellMesh, ...]:
    """Meshes of a cell, each a uniform refinement of the one before.

    Parameters
    ----------
    shape : Discs, Spheres or Layers
    options : MeshOptions
        Target size of the coarsest elements and number of refinements.

    Returns
    -------
    tuple of CellMesh, length ``options.refinements + 1``, coarsest first.

    Raises
    ------
    MeshError
        If faces do not match or a region is missing from the mesh.
    """
    if isinstance(shape, Layers) and shape.dimension == 1:
        meshes = tuple(
            _line_mesh(shape, options.size, level) for level in range(options.refinements + 1)
        )
    else:
        with pygmsh.occ.Geometry() as model:
            gmsh.option.setNumber("General.Terminal", 0)
            model.characteristic_length_max = options.size
            if isinstance(shape, Balls):
                origin, owners = draw_balls(shape, options.size)
            else:
                origin, owners = np.zeros(2), draw_strips(shape)
            tie_opposite_faces(origin, shape.periods)
            gmsh.model.mesh.generate(shape.dimension)
            meshes = tuple(_levels(shape, owners, options.refinements))
    for mesh in meshes:
        missing = set(range(len(shape.region_names))) - set(mesh.region.tolist())
        if missing:
            names = ", ".join(shape.region_names[i] for i in sorted(missing))
            raise MeshError(f"no element lies in {names}: choose a smaller mesh size")
    return meshes


def _line_mesh(shape: Layers, size: float, level: int) -> CellMesh:
    """Quadratic line elements, each piece divided evenly; each level halves every element."""
    breaks = np.concatenate([[0.0], layer_edges(shape), [1.0]])
    n_pieces = len(breaks) - 1
    pieces, facets, places, start = [], [], [np.array([0.0])], 0
    for i, (left, right) in enumerate(zip(breaks[:-1], breaks[1:], strict=True)):
        n = max(4, int(np.ceil((right - left) / size))) * 2**level
        places.append(np.linspace(left, right, 2 * n + 1)[1:])
        ends = start + 2 * np.arange(n)
        owner = i % shape.n_compartments
        elements = np.column_stack([ends, ends + 2, ends + 1])
        pieces.append(Piece(elements, owner, np.full(n, owner)))
        start += 2 * n
        if i < n_pieces - 1:
            facets.append(Facets(np.array([[start]]), i, i, i + 1))
    return break_mesh(np.concatenate(places)[:, None], pieces, facets, np.eye(1))


def _levels(shape: Shape, owners: Owners, refinements: int) -> Iterator[CellMesh]:
    """Yield the current mesh and its refinements as broken quadratic meshes."""
    for level in range(refinements + 1):
        if level:
            gmsh.model.mesh.setOrder(1)
            gmsh.model.mesh.refine()
        gmsh.model.mesh.setOrder(2)
        yield _extract(shape, owners)


def _extract(shape: Shape, owners: Owners) -> CellMesh:
    """The mesh that gmsh holds now, as a broken mesh."""
    d = shape.dimension
    tags, places, _ = gmsh.model.mesh.getNodes()
    index = np.empty(int(tags.max()) + 1, dtype=np.int64)
    index[tags] = np.arange(len(tags))
    # gmsh says the byte order of its numbers, which NetCDF takes for a foreign one.
    points = places.reshape(-1, 3)[:, :d].astype("=f8")
    pieces, piece_of = _pieces(shape, owners, index)
    facets = []
    for _, entity in gmsh.model.getEntities(d - 1):
        around = gmsh.model.getAdjacencies(d - 1, entity)[0]
        sides = sorted({piece_of[tag] for tag in around if tag in piece_of})
        nodes = _elements(d - 1, entity, index)
        if len(sides) == 2:
            facets.append(_membrane_facets(shape, pieces, points, nodes, sides))
        elif (dry := [tag for tag in around if tag not in piece_of]) and sides:
            facets.append(Facets(nodes, owners[dry[0]].ball, sides[0], NOTHING))
    return break_mesh(points, pieces, facets, shape.periods)


def _pieces(
    shape: Shape, owners: Owners, index: NDArray[np.int64]
) -> tuple[list[Piece], dict[int, int]]:
    """Pieces of the mesh, and the piece of each surface or volume that holds water."""
    wet = {tag: owner.region for tag, owner in owners.items() if owner.region is not None}
    elements = {tag: _elements(shape.dimension, tag, index) for tag in wet}
    regions = {tag: np.full(len(elements[tag]), region) for tag, region in wet.items()}
    compartment = shape.region_compartment
    if len(compartment) == shape.n_compartments:
        pieces = [Piece(elements[tag], compartment[wet[tag]], regions[tag]) for tag in wet]
        return pieces, {tag: i for i, tag in enumerate(wet)}
    # Regions of one compartment share their nodes.
    whole = Piece(
        np.concatenate(list(elements.values())), 0, np.concatenate(list(regions.values()))
    )
    return [whole], dict.fromkeys(wet, 0)


def _elements(dimension: int, entity: int, index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Nodes of the elements of an entity."""
    _, _, nodes = gmsh.model.mesh.getElements(dimension, entity)
    return np.asarray(index[nodes[0]].reshape(-1, _NODES[dimension]), dtype=np.int64)


def _membrane_facets(
    shape: Shape,
    pieces: list[Piece],
    points: NDArray[np.float64],
    nodes: NDArray[np.int64],
    sides: list[int],
) -> Facets:
    """Name the membrane between two pieces, and its sides."""
    if isinstance(shape, Layers):
        membrane = int(np.argmin(np.abs(layer_edges(shape) - points[nodes[0, 0], 0])))
        left, right = sorted(sides, key=lambda s: float(points[pieces[s].elements, 0].mean()))
        return Facets(nodes, membrane, outside=left, inside=right)
    outside, inside = sorted(sides, key=lambda s: pieces[s].compartment)
    return Facets(nodes, pieces[inside].compartment - 1, outside, inside)
