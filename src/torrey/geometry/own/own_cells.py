"""A cell out of a mesh that somebody else made: its compartments, membranes and measures.

A compartment is a connected part of a region, or of regions that are named as one: the models need
it so. Where a region falls into several, they are numbered: ``axons_1``, ``axons_2``, ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from torrey.base.budgets import MOST_CELLS, quoted
from torrey.base.errors import InputError
from torrey.geometry.checks import facet_measures, volumes
from torrey.geometry.membranes import NOTHING, Membrane
from torrey.geometry.mesh import CellMesh, Facets, FoldedError, Piece, break_mesh
from torrey.geometry.own.conforming import Conforming
from torrey.geometry.own.mesh_files import at, listed
from torrey.geometry.own.own_faces import Faces

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Middles of edges that are off by less, as a part of the edge, are those of straight ones.
_STRAIGHT: Final = 1e-9


@dataclass(frozen=True)
class Regions:
    """What the regions of a file are.

    Attributes
    ----------
    names : tuple of str
        Of the regions, by their number.
    outside : str
        Name of the one that comes first; empty for ``outside``, or else the first of the file.
    together : sequence of sequence of str
        Names of regions that are one compartment.
    empty : sequence of str
        Names of those that hold nothing.
    """

    names: tuple[str, ...]
    outside: str = ""
    together: Sequence[Sequence[str]] = ()
    empty: Sequence[str] = ()

    def check(self) -> None:
        """Refuse names that no region has, or in two groups.

        Raises
        ------
        InputError
            At the name.
        """
        accepted = f"names of regions of the file: {listed(self.names)}"
        if self.outside and self.outside not in self.names:
            raise InputError(quoted(self.outside), accepted, at=("outside",))
        for i, name in enumerate(self.empty):
            if name not in self.names:
                raise InputError(quoted(name), accepted, at=("empty", i))
            if name == self.outside:
                raise InputError(quoted(name), "another region than the outside", at=("empty", i))
        if set(self.names) <= set(self.empty):
            raise InputError("no region with water", "one at least", at=("empty",))
        seen = set(self.empty)
        for i, group in enumerate(self.together):
            for j, name in enumerate(group):
                where = ("same_compartment", i, j)
                if name not in self.names:
                    raise InputError(quoted(name), accepted, at=where)
                if name in seen:
                    found = f"{quoted(name)} a second time or empty"
                    raise InputError(found, "each region once", at=where)
                seen.add(name)

    def order(self) -> list[int]:
        """Numbers of the regions with water, the outside first."""
        wet = [i for i, name in enumerate(self.names) if name not in self.empty]
        first = self.outside or "outside"
        return sorted(wet, key=lambda i: (self.names[i] != first, i))

    def groups(self) -> Integers:
        """Number of the group of each region; `NOTHING` of those that hold nothing."""
        order = self.order()
        group = np.full(len(self.names), NOTHING, dtype=np.int64)
        group[order] = np.arange(len(order))
        for names in self.together:
            members = [self.names.index(name) for name in names]
            group[members] = group[members].min()
        return group


@dataclass(frozen=True)
class OwnCell:
    """A cell whose exact shape is a mesh; measures in units of the cell.

    Attributes
    ----------
    mesh : CellMesh
    compartment_names, region_names : tuple of str
    region_compartment : tuple of int
    region_groups : tuple of str
        Region of the file that each is, or a piece of.
    region_outside : tuple of bool
        Whether a region is the outside, or a piece of it.
    membranes : tuple of Membrane
    region_measures : (n_regions,) float
    membrane_measures, membrane_radii : (n_membranes,) float
    unit : float
        Unit of the cell in lengths of the file.
    """

    mesh: CellMesh
    compartment_names: tuple[str, ...]
    region_names: tuple[str, ...]
    region_compartment: tuple[int, ...]
    region_groups: tuple[str, ...]
    region_outside: tuple[bool, ...]
    membranes: tuple[Membrane, ...]
    region_measures: Array
    membrane_measures: Array
    membrane_radii: Array
    unit: float


def own_cell(
    mesh: Conforming, faces: Faces, regions: Regions, periodic: Sequence[bool], name: str
) -> OwnCell:
    """Make a cell of a conforming mesh.

    Parameters
    ----------
    mesh : Conforming
    faces : Faces
        Of it.
    regions : Regions
    periodic : sequence of bool
        By axis.
    name : str
        Of the file, for messages.

    Raises
    ------
    InputError
        If compartments end at a periodic face, or elements fold over.
    """
    groups = regions.groups()
    group = groups[mesh.region]
    _check_opposite(mesh, faces, group, regions.names, name)
    parts = _Parts.of(mesh, faces, group, regions, name)
    membranes, facets = _membranes(mesh, faces, parts)
    pieces = [
        Piece(mesh.elements[here], int(parts.compartment[here[0]]), parts.region[here])
        for here in parts.by_piece
    ]
    broken = break_mesh(faces.points, pieces, facets, faces.lattice, periodic=periodic)
    size, folded = volumes(broken)
    if np.any(folded):
        corners = broken.points[broken.elements[folded, : mesh.dimension + 1]]
        error = FoldedError(corners.mean(axis=1), np.zeros(len(corners)))
        where = at(error.places[0] * faces.unit + mesh.points.min(axis=0))
        found = f"{name} with {int(folded.sum())} curved elements that fold over, the first {where}"
        raise InputError(found, "middle nodes closer to the middles of their edges")
    measures = np.zeros(len(parts.region_names))
    np.add.at(measures, broken.region, size)
    areas = np.zeros(len(membranes))
    np.add.at(areas, broken.membrane, facet_measures(broken))
    return OwnCell(
        mesh=broken,
        compartment_names=parts.compartment_names,
        region_names=parts.region_names,
        region_compartment=parts.region_compartment,
        region_groups=parts.region_groups,
        region_outside=parts.region_outside,
        membranes=membranes,
        region_measures=measures,
        membrane_measures=areas,
        membrane_radii=_radii(broken, len(membranes)),
        unit=faces.unit,
    )


def _check_opposite(
    mesh: Conforming, faces: Faces, group: Integers, names: Sequence[str], name: str
) -> None:
    """Refuse a compartment that goes on as another one across a periodic face."""
    element = mesh.sides[faces.pairs, 0]
    if len(wrong := np.flatnonzero(group[element[:, 0]] != group[element[:, 1]])):
        here, there = (names[i] for i in mesh.region[element[wrong[0]]])
        corners = mesh.facets[faces.pairs[wrong[0], 0], : mesh.dimension]
        raise InputError(
            f"{name} with {quoted(here)} on a face {at(mesh.points[corners].mean(axis=0))} and "
            f"{quoted(there)} opposite",
            "the same compartment on both: membranes lie within the cell; or outer: walls",
        )


@dataclass(frozen=True)
class _Parts:
    """Compartments, regions and pieces of the elements that hold water."""

    compartment: Integers
    region: Integers
    piece: Integers
    by_piece: list[Integers]
    compartment_names: tuple[str, ...]
    region_names: tuple[str, ...]
    region_compartment: tuple[int, ...]
    region_groups: tuple[str, ...]
    region_outside: tuple[bool, ...]

    @classmethod
    def of(
        cls, mesh: Conforming, faces: Faces, group: Integers, regions: Regions, name: str
    ) -> _Parts:
        wet = group != NOTHING
        inner = mesh.sides[mesh.sides[:, 1] >= 0]
        same = inner[group[inner[:, 0]] == group[inner[:, 1]]]
        across = mesh.sides[faces.pairs, 0]
        piece = _numbered(_components(len(group), same, wet), wet)
        whole = _components(len(group), np.concatenate([same, across]), wet)
        compartment, owners = _in_order(whole, group, wet)
        if len(owners) > MOST_CELLS:
            found = f"{name} whose regions fall into {len(owners):,} pieces"
            raise InputError(found, f"at most {MOST_CELLS:,}: each is a compartment")
        order = regions.order()
        rank = np.full(len(regions.names), NOTHING, dtype=np.int64)
        rank[order] = np.arange(len(order))
        pairs, region = np.unique(
            np.column_stack([compartment, rank[mesh.region]])[wet], axis=0, return_inverse=True
        )
        all_regions = np.full(len(group), NOTHING, dtype=np.int64)
        all_regions[wet] = region.reshape(-1)
        total = np.bincount(owners)
        number = [int(np.sum(owners[: i + 1] == g)) for i, g in enumerate(owners)]
        ends = [f"_{k}" if total[g] > 1 else "" for g, k in zip(owners, number, strict=True)]
        plain = [regions.names[order[r]] for _, r in pairs.tolist()]
        region_names = [x + ends[c] for x, (c, _) in zip(plain, pairs.tolist(), strict=True)]
        if len(set(region_names)) < len(region_names):
            twice = next(x for x in region_names if region_names.count(x) > 1)
            found = f"{name} with a region {quoted(twice)} beside a piece of that name"
            raise InputError(found, "another name: pieces of a region are numbered")
        owner_of = [c for c, _ in pairs.tolist()]
        return cls(
            compartment=compartment,
            region=all_regions,
            piece=piece,
            by_piece=[np.flatnonzero(piece == p) for p in range(piece.max() + 1)],
            compartment_names=tuple(region_names[owner_of.index(c)] for c in range(len(owners))),
            region_names=tuple(region_names),
            region_compartment=tuple(owner_of),
            region_groups=tuple(plain),
            region_outside=tuple(r == 0 for _, r in pairs.tolist()),
        )


def _components(count: int, links: Integers, wet: NDArray[np.bool_]) -> Integers:
    """Number of the part of each element that links join; `NOTHING` where there is no water."""
    graph = coo_array((np.ones(len(links)), tuple(links.T)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    return np.where(wet, label, NOTHING)


def _numbered(label: Integers, wet: NDArray[np.bool_]) -> Integers:
    """The same with numbers from 0."""
    number = np.full(len(label), NOTHING, dtype=np.int64)
    number[wet] = np.unique(label[wet], return_inverse=True)[1].reshape(-1)
    return number


def _in_order(
    whole: Integers, group: Integers, wet: NDArray[np.bool_]
) -> tuple[Integers, Integers]:
    """Compartment of each element and the group of each compartment, in the order of groups."""
    labels, first, which = np.unique(whole[wet], return_index=True, return_inverse=True)
    owners = group[np.flatnonzero(wet)[first]]
    order = np.lexsort((first, owners))
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = np.arange(len(labels))
    compartment = np.full(len(group), NOTHING, dtype=np.int64)
    compartment[wet] = rank[which.reshape(-1)]
    return compartment, owners[order]


def _membranes(
    mesh: Conforming, faces: Faces, parts: _Parts
) -> tuple[tuple[Membrane, ...], list[Facets]]:
    """Membranes between compartments; where there is none, the surfaces of what holds nothing.

    Never both: beside membranes, the faces of a box are where the drawing ends, not tissue at which
    magnetisation relaxes.
    """
    elements = mesh.sides.copy()
    dry = (elements < 0) | (parts.compartment[elements] == NOTHING)
    elements[dry[:, 0]] = elements[dry[:, 0]][:, ::-1]
    dry[dry[:, 0]] = dry[dry[:, 0]][:, ::-1]
    sides = np.where(dry, NOTHING, parts.compartment[elements])
    between = np.flatnonzero(~dry.any(axis=1) & (sides[:, 0] != sides[:, 1]))
    names = parts.compartment_names
    if len(between):
        turned = sides[between, 0] > sides[between, 1]
        elements[between[turned]] = elements[between[turned]][:, ::-1]
        pairs = np.sort(sides[between], axis=1)
    else:
        wall = ~dry[:, 0] & dry[:, 1]
        wall[faces.pairs.ravel()] = False
        between = np.flatnonzero(wall)
        pairs = sides[between]
    # Numbered as their compartments are.
    unique, which = np.unique(pairs, axis=0, return_inverse=True)
    membranes = tuple(_membrane(names, a, b) for a, b in unique.tolist())
    outside = parts.piece[elements[between, 0]]
    inside = np.where(dry[between, 1], NOTHING, parts.piece[elements[between, 1]])
    keys, group = np.unique(
        np.column_stack([which.reshape(-1), outside, inside]), axis=0, return_inverse=True
    )
    return membranes, [
        Facets(mesh.facets[between[group.reshape(-1) == i]], *map(int, key))
        for i, key in enumerate(keys)
    ]


def _membrane(names: Sequence[str], outside: int, inside: int) -> Membrane:
    if inside == NOTHING:
        return Membrane(f"surface_{names[outside]}", outside, NOTHING)
    return Membrane(f"membrane_{names[outside]}_{names[inside]}", outside, inside)


def _radii(mesh: CellMesh, count: int) -> Array:
    """Smallest radius of the circles through ends and middles of edges on each membrane."""
    radii = np.full(count, np.inf)
    d, facets = mesh.dimension, mesh.membrane_outside
    for first, second, middle in {2: [(0, 1, 2)], 3: [(0, 1, 3), (1, 2, 4), (2, 0, 5)]}[d]:
        a, b, m = (mesh.points[facets[:, i]] for i in (first, second, middle))
        chord = np.linalg.norm(b - a, axis=1)
        bend = np.linalg.norm(m - (a + b) / 2, axis=1)
        curved = bend > _STRAIGHT * chord
        radius = chord[curved] ** 2 / (8 * bend[curved])
        np.minimum.at(radii, mesh.membrane[curved], radius)
    return radii
