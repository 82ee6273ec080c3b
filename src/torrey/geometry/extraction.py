"""From what gmsh holds to the broken, periodic mesh of a cell."""

from __future__ import annotations

from collections.abc import Mapping

import gmsh
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from torrey.geometry.boxes import Box
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh, Facets, Piece, break_mesh
from torrey.geometry.pieces import NO_PART, Owner, Owners, Side
from torrey.geometry.shapes import Shape

#: What gmsh's kernel may round of a place on a face, and what needs no mending.
_ROUNDED = 1e-7
_EXACT = 1e-10
#: Nodes of a quadratic element by its dimension.
_NODES = {1: 3, 2: 6, 3: 10}


def extract_mesh(shape: Shape, owners: Owners, box: Box) -> CellMesh:
    """Return the mesh that gmsh holds as a broken quadratic mesh.

    Parameters
    ----------
    shape : Shape
    owners : mapping of int to Owner
        By surface, or by volume in space.
    box : Box
        The period that was meshed.

    Raises
    ------
    MeshError
        If opposite faces do not match.
    """
    gmsh.model.mesh.setOrder(2)
    d = shape.dimension
    tags, places, _ = gmsh.model.mesh.getNodes()
    index = np.empty(int(tags.max()) + 1, dtype=np.int64)
    index[tags] = np.arange(len(tags))
    # gmsh says the byte order of its numbers, which NetCDF takes for a foreign one.
    points = _on_faces(places.reshape(-1, 3)[:, :d].astype("=f8"), box)
    around = {
        face: gmsh.model.getAdjacencies(d - 1, face)[0].tolist()
        for _, face in gmsh.model.getEntities(d - 1)
    }
    wet = {tag: owner for tag, owner in owners.items() if owner.region is not None}
    piece_of = _piece_of(shape, wet, list(around.values()))
    pieces = _pieces(shape, wet, piece_of, index)
    sides = [Side(piece.compartment, points[piece.elements].mean(axis=(0, 1))) for piece in pieces]
    facets = []
    for face, neighbours in around.items():
        between = sorted({piece_of[tag] for tag in neighbours if tag in piece_of})
        nodes = _elements(d - 1, face, index)
        dry = [tag for tag in neighbours if tag not in piece_of]
        if len(between) == 2:
            first, second = between
            membrane, forward = shape.membrane_between(
                sides[first], sides[second], points[nodes[0, 0]]
            )
            outside, inside = (first, second) if forward else (second, first)
            facets.append(Facets(nodes, membrane, outside, inside))
        elif dry and between:
            # Of an obstacle, or of what a wall surrounds.
            (wet_side,) = (tag for tag in neighbours if tag in piece_of)
            part = owners[dry[0]].part
            part = owners[wet_side].part if part == NO_PART else part
            facets.append(Facets(nodes, part, between[0], NOTHING))
    # Control points of curves are nodes, too: the box itself says where its faces are.
    return break_mesh(points, pieces, facets, shape.periods, box.vectors, corner=box.origin)


def _on_faces(points: NDArray[np.float64], box: Box) -> NDArray[np.float64]:
    """Nodes moved onto the faces that they miss by what the geometry kernel rounds."""
    heights = points @ box.inverse - box.origin
    faces = np.round(heights)
    off = np.abs(heights - faces)
    missed = (off > _EXACT) & (off < _ROUNDED) & ((faces == 0) | (faces == 1))
    if not np.any(missed):
        return points
    heights = np.where(missed, faces, heights)
    moved = (heights + box.origin) @ box.vectors
    return np.where(missed.any(axis=1)[:, None], moved, points)


def _piece_of(shape: Shape, wet: Mapping[int, Owner], around: list[list[int]]) -> dict[int, int]:
    """Piece of each surface or volume that holds water: those that share their nodes are one.

    They do where they touch within a compartment that no membrane divides.
    """
    compartment = {tag: shape.region_compartment[_region(owner)] for tag, owner in wet.items()}
    divided = {m.outside for m in shape.membranes() if m.outside == m.inside}
    number = {tag: i for i, tag in enumerate(wet)}
    links = []
    for tags in around:
        inside = {compartment.get(tag, NOTHING) for tag in tags}
        if len(tags) == 2 and len(inside) == 1 and not inside & {NOTHING, *divided}:
            links.append([number[tag] for tag in tags])
    rows, columns = np.array(links, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(links)), (rows, columns)), shape=(len(wet), len(wet)))
    _, label = connected_components(graph, directed=False)
    # Numbered as their first surfaces are.
    order = {piece: i for i, piece in enumerate(dict.fromkeys(label.tolist()))}
    return {tag: order[int(label[i])] for tag, i in number.items()}


def _pieces(
    shape: Shape, wet: Mapping[int, Owner], piece_of: Mapping[int, int], index: NDArray[np.int64]
) -> list[Piece]:
    """Pieces of the mesh with the elements of all their surfaces or volumes."""
    parts: dict[int, list[tuple[NDArray[np.int64], int]]] = {}
    for tag, owner in wet.items():
        found = _elements(shape.dimension, tag, index), _region(owner)
        parts.setdefault(piece_of[tag], []).append(found)
    return [
        Piece(
            np.concatenate([elements for elements, _ in found]),
            shape.region_compartment[found[0][1]],
            np.concatenate([np.full(len(elements), region) for elements, region in found]),
        )
        for found in parts.values()
    ]


def _region(owner: Owner) -> int:
    assert owner.region is not None, "an obstacle holds no water"
    return owner.region


def _elements(dimension: int, entity: int, index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Nodes of the elements of an entity."""
    _, _, nodes = gmsh.model.mesh.getElements(dimension, entity)
    found = index[nodes[0]] if nodes else np.empty(0, dtype=np.int64)
    return np.asarray(found.reshape(-1, _NODES[dimension]), dtype=np.int64)
