"""Pictures of a cell in the plane: compartments, membranes and elements with their curved edges.

An edge of a quadratic element is a parabola through its two vertices and its middle node, which is
exactly what a quadratic Bezier curve draws.
"""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from torrey.figures.style import LEAF
from torrey.geometry.files import read_meshes
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]
Edges = NDArray[np.int64]

OUTSIDE: Final = "#FBE6D8"
INSIDE: Final = "#CFE4F3"
LAYER: Final = "#5B8DB8"
MEMBRANE: Final = "#0B4F7D"
BOX: Final = "#9C3A12"
OUTSIDE_INK: Final = "#A8481C"
#: Points along an edge to which distances are measured.
_ALONG: Final = 9


def read_cell(path: str | FilePath) -> tuple[CellMesh, ...]:
    """Meshes of a cell in the plane, coarsest first.

    Raises
    ------
    ValueError
        If the cell is not in the plane.
    """
    meshes = read_meshes(path)
    if meshes[0].dimension != 2:
        raise ValueError(f"{path}: a cell of {meshes[0].dimension} dimensions, the figure needs 2")
    return meshes


def element_edges(mesh: CellMesh) -> Edges:
    """Edges of every element as (start, end, middle), counter-clockwise, shape (n, 3, 3)."""
    vertices, middles = mesh.elements[:, :3], mesh.elements[:, 3:]
    edges = np.stack([vertices, np.roll(vertices, -1, axis=1), middles], axis=-1)
    x, y = np.moveaxis(mesh.points[vertices], -1, 0)
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    edges[area < 0.0] = edges[area < 0.0][:, ::-1, [1, 0, 2]]
    return edges


def outline(mesh: CellMesh, chosen: NDArray[np.bool_]) -> Path:
    """Outline of some elements; holes turn the other way round, so that they stay empty."""
    return _curves(mesh.points, _loops(_boundary(mesh, chosen)))


def sides_path(mesh: CellMesh) -> Path:
    """Sides of the period that is meshed: what is the boundary of no membrane's two sides."""
    every = _boundary(mesh, np.ones(len(mesh.elements), dtype=bool))
    facets = np.concatenate([mesh.membrane_outside, mesh.membrane_inside])[:, :2]
    keys, membranes = (
        np.sort(ends, axis=1) @ np.array([len(mesh.points), 1]) for ends in (every[:, :2], facets)
    )
    return _curves(mesh.points, [edge[None] for edge in every[~np.isin(keys, membranes)]])


def roomiest_places(mesh: CellMesh) -> tuple[Array, Array]:
    """Node of each region that is farthest from its boundary, and how far it is.

    Returns
    -------
    places : (n_regions, 2) float
    gaps : (n_regions,) float
    """
    from scipy.spatial import cKDTree

    edges, regions = element_edges(mesh), np.repeat(mesh.region, 3)
    ends = np.column_stack([np.sort(edges.reshape(-1, 3)[:, :2], axis=1), regions])
    # An edge within a region belongs to two of its elements.
    _, first, count = np.unique(ends, axis=0, return_index=True, return_counts=True)
    start, end, middle = np.moveaxis(mesh.points[edges.reshape(-1, 3)[first[count == 1]]], 1, 0)
    # Nodes alone are far from each other where elements are large.
    t = np.linspace(0.0, 1.0, _ALONG)[:, None, None]
    along = (1 - t) * (1 - 2 * t) * start + t * (2 * t - 1) * end + 4 * t * (1 - t) * middle
    nodes = mesh.elements.ravel()
    distance, _ = cKDTree(along.reshape(-1, 2)).query(mesh.points[nodes])
    owner = np.repeat(mesh.region, mesh.elements.shape[1])
    order = np.lexsort((distance, owner))
    last = order[np.append(np.diff(owner[order]) > 0, True)]
    return mesh.points[nodes[last]], distance[last]


def compartment_path(mesh: CellMesh, compartment: int) -> Path:
    """Outline of a compartment; holes turn the other way round, so that they stay empty."""
    return _curves(mesh.points, _loops(_boundary(mesh, mesh.compartment == compartment)))


def region_path(mesh: CellMesh, region: int) -> Path:
    """Outline of a region: a compartment, or a part of one with a material of its own."""
    return _curves(mesh.points, _loops(_boundary(mesh, mesh.region == region)))


def membrane_path(mesh: CellMesh, membrane: int | None = None) -> Path:
    """One membrane of a cell, or all of them."""
    chosen = slice(None) if membrane is None else mesh.membrane == membrane
    return _curves(mesh.points, [facet[None] for facet in mesh.membrane_outside[chosen]])


def borders_path(mesh: CellMesh) -> Path:
    """Membranes, surfaces of obstacles, and borders of regions within one compartment."""
    edges, owners = element_edges(mesh).reshape(-1, 3), np.repeat(mesh.region, 3)
    order = np.lexsort((owners, *np.sort(edges[:, :2], axis=1).T))
    edges, owners = edges[order], owners[order]
    ends = np.sort(edges[:, :2], axis=1)
    # The two sides of an edge are neighbours now.
    between = (ends[1:] == ends[:-1]).all(axis=1) & (owners[1:] != owners[:-1])
    facets = np.concatenate([mesh.membrane_outside, edges[1:][between]])
    return _curves(mesh.points, [facet[None] for facet in facets])


def edges_path(mesh: CellMesh) -> Path:
    """All edges of the mesh, each once."""
    edges = element_edges(mesh).reshape(-1, 3)
    # Nodes are doubled on membranes, whose edges are drawn by `membrane_path` as well.
    _, first = np.unique(np.sort(edges[:, :2], axis=1), axis=0, return_index=True)
    return _curves(mesh.points, [edge[None] for edge in edges[first]])


def roomiest_place(mesh: CellMesh, compartment: int) -> Array:
    """Node of a compartment that is farthest from its boundary: where a label fits, shape (2,)."""
    boundary = mesh.points[np.unique(_boundary(mesh, mesh.compartment == compartment))]
    nodes = mesh.points[np.unique(mesh.elements[mesh.compartment == compartment])]
    gaps = np.linalg.norm(nodes[:, None] - boundary[None], axis=-1).min(axis=1)
    place: Array = nodes[gaps.argmax()]
    return place


def size_text(mesh: CellMesh) -> str:
    """Say how large a mesh is."""
    return f"{len(mesh.elements)} triangles, {count_unknowns(mesh)} unknowns"


def count_unknowns(mesh: CellMesh) -> int:
    """Degrees of freedom of a field on the periodic, membrane-broken mesh."""
    return len(np.unique(mesh.periodic))


def fill_cell(ax: Axes, mesh: CellMesh, shift: tuple[float, float] = (0.0, 0.0)) -> None:
    """Fill the compartments and draw the membranes of one period."""
    move = np.array(shift)
    # Layers come after the discs that they lie around, within one compartment.
    count = len(np.unique(mesh.region))
    first_layer = count if np.any(mesh.compartment) else 1 + count // 2
    for region in np.unique(mesh.region):
        color = OUTSIDE if region == 0 else INSIDE if region < first_layer else LAYER
        outline = _moved(region_path(mesh, int(region)), move)
        ax.add_patch(PathPatch(outline, facecolor=color, edgecolor="none", zorder=1.0))
    draw_membranes(ax, mesh, shift)


def draw_membranes(ax: Axes, mesh: CellMesh, shift: tuple[float, float] = (0.0, 0.0)) -> None:
    """Draw the membranes, and the surfaces of obstacles, of one period."""
    ax.add_patch(
        PathPatch(
            _moved(membrane_path(mesh), np.array(shift)),
            facecolor="none",
            edgecolor=MEMBRANE,
            linewidth=1.4,
            capstyle="round",
            zorder=2.5,
        )
    )


def draw_elements(ax: Axes, mesh: CellMesh, width: float = LEAF) -> None:
    """Draw the edges of the elements, of some width (points)."""
    ax.add_patch(
        PathPatch(
            edges_path(mesh), facecolor="none", edgecolor="#555555", linewidth=width, zorder=2.0
        )
    )


def draw_box(ax: Axes, corner: tuple[float, float] = (0.0, 0.0), width: float = 1.6) -> None:
    """Draw the sides of one period."""
    x, y = corner
    ax.add_patch(
        PathPatch(
            Path([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y)], closed=True),
            facecolor="none",
            edgecolor=BOX,
            linewidth=width,
            joinstyle="miter",
            zorder=3.0,
            clip_on=False,
        )
    )


def unit_axes(ax: Axes) -> None:
    """Frame one period: equal scales, ticks at its ends and middle."""
    ax.set_aspect("equal")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    ax.spines[["left", "bottom"]].set_visible(False)


def _boundary(mesh: CellMesh, chosen: NDArray[np.bool_]) -> Edges:
    """Boundary edges of some elements as (start, end, middle), in no order, shape (n, 3)."""
    edges = element_edges(mesh)[chosen].reshape(-1, 3)
    # An edge between two of them belongs to both, one of their boundary to one.
    ends = np.sort(edges[:, :2], axis=1)
    _, first, count = np.unique(ends, axis=0, return_index=True, return_counts=True)
    return edges[first[count == 1]]


def _loops(edges: Edges) -> list[Edges]:
    """Join edges end to start into closed loops."""
    following: dict[int, list[Edges]] = {}
    for edge in edges:
        following.setdefault(int(edge[0]), []).append(edge)
    loops = []
    while following:
        loop = [_take(following, next(iter(following)))]
        while loop[-1][1] != loop[0][0]:
            loop.append(_take(following, int(loop[-1][1])))
        loops.append(np.array(loop))
    return loops


def _take(following: dict[int, list[Edges]], start: int) -> Edges:
    edge = following[start].pop()
    if not following[start]:
        del following[start]
    return edge


def _curves(points: Array, chains: list[Edges]) -> Path:
    """Bezier curves through chains of edges (start, end, middle)."""
    vertices, codes = [np.empty((0, 2))], [np.empty(0, dtype=np.uint8)]
    for chain in chains:
        start, end, middle = (points[chain[:, i]] for i in range(3))
        # The curve passes half-way between its control point and the chord.
        control = 2.0 * middle - 0.5 * (start + end)
        vertices += [start[:1], np.stack([control, end], axis=1).reshape(-1, 2)]
        codes.append(np.array([Path.MOVETO] + [Path.CURVE3] * 2 * len(chain), dtype=np.uint8))
    return Path(np.concatenate(vertices), np.concatenate(codes))


def _moved(path: Path, shift: Array) -> Path:
    return Path(np.asarray(path.vertices) + shift, path.codes)
