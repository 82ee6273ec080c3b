"""From what gmsh holds to the broken, periodic meshes of a cell."""

from __future__ import annotations

from collections.abc import Iterator

import gmsh
import numpy as np
from numpy.typing import NDArray

from torrey.geometry.boxes import Box
from torrey.geometry.checks import check_mesh
from torrey.geometry.drawing import Owners, layer_edges
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh, Facets, Piece, break_mesh
from torrey.geometry.shapes import Layers, Shape

#: Nodes of a quadratic element by its dimension.
_NODES = {1: 3, 2: 6, 3: 10}


def refined_levels(shape: Shape, owners: Owners, refinements: int, box: Box) -> Iterator[CellMesh]:
    """Yield the mesh that gmsh holds and its refinements as broken quadratic meshes, checked.

    Parameters
    ----------
    shape : Discs, Spheres or Layers
    owners : mapping of int to Owner
        By surface, or by volume in space.
    refinements : int
    box : Box
        The period that was meshed.

    Raises
    ------
    MeshError
        If a mesh breaks a promise.
    """
    for level in range(refinements + 1):
        if level:
            gmsh.model.mesh.setOrder(1)
            gmsh.model.mesh.refine()
        gmsh.model.mesh.setOrder(2)
        mesh = _extract(shape, owners, box)
        check_mesh(mesh, shape)
        yield mesh


def _extract(shape: Shape, owners: Owners, box: Box) -> CellMesh:
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
    return break_mesh(points, pieces, facets, shape.periods, box.vectors)


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
    found = index[nodes[0]] if nodes else np.empty(0, dtype=np.int64)
    return np.asarray(found.reshape(-1, _NODES[dimension]), dtype=np.int64)


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
