"""The outer faces of a user's mesh: which of them match, and how far off they are where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from torrey.base.errors import InputError
from torrey.geometry.own.conforming import Conforming
from torrey.geometry.own.mesh_files import at

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Nodes of opposite faces are the same if they differ by less (fractions of the periods).
SNAPPING: Final = 1e-6
_AXES: Final = "xyz"


@dataclass(frozen=True)
class Faces:
    """A mesh in units of its cell, and what lies opposite to what.

    Attributes
    ----------
    points : (n_nodes, d) float
        In units of the cell, the corner of the box at the origin; nodes of opposite faces at the
        same places.
    lattice : (d, d) float
        Rows are the periods in units of the cell: the length of the first is 1.
    unit : float
        Unit of the cell in lengths of the file.
    pairs : (n, 2) int
        Facets on a lower face and on the upper one opposite to it.
    """

    points: Array
    lattice: Array
    unit: float
    pairs: Integers


def fit_faces(
    mesh: Conforming, lattice: Array | None, periodic: Sequence[bool], name: str
) -> Faces:
    """Find the faces of the box that a mesh fills, and match those across periodic axes.

    Parameters
    ----------
    mesh : Conforming
    lattice : (d, d) float, optional
        Rows are the periods in lengths of the file; by default the sides of the box around it.
    periodic : sequence of bool
        By axis, or by vector of the lattice.
    name : str
        Of the file, for messages.

    Raises
    ------
    InputError
        If opposite faces differ: the message has the worst place and by how much.
    """
    vectors = np.diag(np.ptp(mesh.points, axis=0)) if lattice is None else lattice
    fractions = mesh.points @ np.linalg.inv(vectors)
    fractions -= fractions.min(axis=0)
    if lattice is not None:
        _check_period(fractions, periodic, name)
    outer = np.flatnonzero(mesh.sides[:, 1] < 0)
    pairs, links = [np.empty((0, 2), dtype=np.int64)], [np.empty((0, 2), dtype=np.int64)]
    for axis in np.flatnonzero(periodic):
        found = _match(mesh, fractions, outer, int(axis), vectors, name)
        pairs.append(found[0])
        links.append(found[1])
    fractions = _snapped(fractions, np.concatenate(links), periodic)
    unit = float(np.linalg.norm(vectors[0]))
    scaled = vectors / unit
    whole = np.abs(scaled - scaled.round()) < SNAPPING
    scaled = np.where(whole, scaled.round(), scaled) + 0.0
    return Faces(fractions @ scaled, scaled, unit, np.concatenate(pairs))


def _check_period(fractions: Array, periodic: Sequence[bool], name: str) -> None:
    for axis in np.flatnonzero(periodic):
        if abs(width := float(fractions[:, axis].max()) - 1.0) > SNAPPING:
            raise InputError(
                f"a lattice with {name}, which spans {1 + width:.9g} of its vector {axis + 1}",
                "vectors that span the box that the mesh fills, in the lengths of the file",
                at=("lattice",),
            )


def _match(
    mesh: Conforming, fractions: Array, outer: Integers, axis: int, vectors: Array, name: str
) -> tuple[Integers, Integers]:
    """Pairs of facets and of nodes (lower, upper) across an axis."""
    from scipy.spatial import cKDTree

    place = fractions[mesh.facets[outer], axis]
    low = outer[np.all(np.abs(place) < SNAPPING, axis=1)]
    high = outer[np.all(np.abs(place - 1.0) < SNAPPING, axis=1)]
    others = np.delete(np.arange(mesh.dimension), axis)
    nodes = [np.unique(mesh.facets[side]) for side in (low, high)]
    across = f"{name} with faces across {_AXES[axis]} that do not match"
    accepted = (
        "opposite faces with the same nodes, such as gmsh's setPeriodic makes, a lattice that fits "
        "the mesh, or outer: walls"
    )
    if not len(low) or not len(high):
        side = "lower" if not len(low) else "upper"
        raise InputError(f"{across}: no element has a side on the {side} one", accepted)
    trees = [cKDTree(fractions[side][:, others]) for side in nodes]
    worst = 0.0
    partner: list[Integers] = []
    for here, there in ((0, 1), (1, 0)):
        gap, nearest = trees[there].query(fractions[nodes[here]][:, others])
        partner.append(nearest)
        if gap.max() > max(worst, SNAPPING):
            worst = float(gap.max())
            node = nodes[here][int(gap.argmax())]
            other = nodes[there][nearest[int(gap.argmax())]]
            step = fractions[other] - fractions[node]
            step[axis] = 0.0
            distance = float(np.linalg.norm(step @ vectors))
            said = f"{across}: the node {at(mesh.points[node])} is {distance:.3g} from the nearest"
    if worst:
        raise InputError(f"{said} one opposite, the worst of them", accepted)
    index = np.full(len(fractions), -1, dtype=np.int64)
    index[nodes[0]] = nodes[1][partner[0]]
    d = mesh.dimension
    lower = np.sort(index[mesh.facets[low][:, :d]], axis=1)
    upper = np.sort(mesh.facets[high][:, :d], axis=1)
    number = {tuple(key): i for i, key in enumerate(upper.tolist())}
    opposite = [number.get(tuple(key), -1) for key in lower.tolist()]
    if len(low) != len(high) or -1 in opposite:
        missing = low[opposite.index(-1)] if -1 in opposite else high[0]
        where = at(mesh.points[mesh.facets[missing][:, :d]].mean(axis=0))
        raise InputError(
            f"{across}: nothing lies opposite to the side of an element {where}", accepted
        )
    return (
        np.column_stack([low, high[np.array(opposite, dtype=np.int64)]]),
        np.column_stack([nodes[0], nodes[1][partner[0]]]),
    )


def _snapped(fractions: Array, links: Integers, periodic: Sequence[bool]) -> Array:
    """Nodes that are images of each other at the same fractions, those on faces exactly there."""
    snapped = fractions.copy()
    for axis in np.flatnonzero(periodic):
        column = snapped[:, axis]
        column[np.abs(column) < SNAPPING] = 0.0
        column[np.abs(column - 1.0) < SNAPPING] = 1.0
    count = len(fractions)
    graph = coo_array((np.ones(len(links)), tuple(links.T)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    first = np.full(count, count, dtype=np.int64)
    np.minimum.at(first, label, np.arange(count))
    model = snapped[first[label]]
    turns = np.round(snapped - model)
    linked = np.bincount(label)[label] > 1
    return np.where(linked[:, None], model + turns, snapped)
