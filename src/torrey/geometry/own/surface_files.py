"""Closed triangulated surfaces of other programs: read, welded, turned outward, and checked.

A file may hold several surfaces; each that hangs together is one. Vertices that are given once for
each triangle, as in STL, are made one. What is open, branched, without a side or crosses itself or
another is refused with a place in the lengths of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from torrey.base.errors import InputError
from torrey.geometry.own.mesh_files import NAME, at, read_with_meshio, refuse_infinite

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Vertices that differ by less are one (parts of the extent of a file).
_SAME: Final = 1e-7
#: A triangle has no area if it is smaller than this part of its longest side squared.
_FLAT: Final = 1e-7
_CLOSED: Final = "a closed surface: each edge of a triangle belongs to one other triangle"


@dataclass(frozen=True)
class Surface:
    """A closed surface that hangs together.

    Attributes
    ----------
    name : str
    points : (n, 3) float
        In lengths of the file.
    triangles : (m, 3) int
        Turned so that they are seen counter-clockwise from outside.
    """

    name: str
    points: Array
    triangles: Integers

    @cached_property
    def corners(self) -> Array:
        """Corners of the triangles, shape (m, 3, 3)."""
        return self.points[self.triangles]

    @cached_property
    def volume(self) -> float:
        """Volume inside."""
        a, b, c = self.corners.transpose(1, 0, 2) - self.points.mean(axis=0)
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)

    @cached_property
    def area(self) -> float:
        """Sum of the areas of the triangles."""
        return float(_areas(self.corners).sum())

    def holds(self, place: Array) -> bool:
        """Whether a place lies inside: by the solid angles of all triangles (Van Oosterom)."""
        a, b, c = (self.corners - place).transpose(1, 0, 2)
        la, lb, lc = (np.linalg.norm(x, axis=1) for x in (a, b, c))
        over = np.einsum("ij,ij->i", a, np.cross(b, c))
        under = la * lb * lc + lc * np.einsum("ij,ij->i", a, b)
        under += la * np.einsum("ij,ij->i", b, c) + lb * np.einsum("ij,ij->i", c, a)
        return bool(np.sum(np.arctan2(over, under)) > np.pi)


def read_surfaces(files: Sequence[Path]) -> tuple[Surface, ...]:
    """Read and check the surfaces of some files.

    Parameters
    ----------
    files : sequence of Path
        Their names, without the ending, name the surfaces; those of a file with several are
        numbered.

    Returns
    -------
    tuple of Surface
        Each before those that lie inside it.

    Raises
    ------
    InputError
        At the number of the file that cannot be used.
    """
    found: list[Surface] = []
    for i, file in enumerate(files):
        stem = file.stem if NAME.fullmatch(file.stem) else f"surface_{i + 1}"
        try:
            found += _read(file, stem)
        except InputError as error:
            raise InputError(error.found, error.accepted, at=error.at or ("files", i)) from None
    names = [surface.name for surface in found]
    for name in names:
        if names.count(name) > 1 or name == "outside":
            accepted = "files of different names, none of them outside"
            raise InputError(f"surfaces named {name}", accepted, at=("files",))
    _refuse_crossings(found)
    return tuple(found)


def _read(file: Path, stem: str) -> list[Surface]:
    mesh = read_with_meshio(file)
    kinds = {block.type: len(block.data) for block in mesh.cells if len(block.data)}
    kinds = {kind: n for kind, n in kinds.items() if kind not in ("vertex", "line")}
    if set(kinds) != {"triangle"}:
        said = ", ".join(f"{n:,} of {kind}" for kind, n in kinds.items()) or "no elements"
        raise InputError(f"{file.name} with {said}", "triangles")
    triangles = np.concatenate([b.data for b in mesh.cells if b.type == "triangle"])
    points, triangles = _welded(
        np.asarray(mesh.points, dtype=float), triangles.astype(np.int64), file.name
    )
    parts = _parts(triangles, len(points))
    found = []
    for k in range(parts.max() + 1):
        used, which = np.unique(triangles[parts == k], return_inverse=True)
        own = _outward(points[used], which.reshape(-1, 3), file.name)
        end = f"_{k + 1}" if parts.max() else ""
        found.append(Surface(f"{stem}{end}", points[used], own))
    return found


def _welded(points: Array, triangles: Integers, name: str) -> tuple[Array, Integers]:
    """Points each once, and triangles of them."""
    from scipy.spatial import cKDTree

    if points.ndim != 2 or points.shape[1] != 3:
        raise InputError(f"{name} with points of {points.shape}", "three numbers for each")
    if triangles.min() < 0 or triangles.max() >= len(points):
        found = f"{name} with a triangle of vertex {triangles.max()}, beyond its {len(points)}"
        raise InputError(found, "triangles of vertices that the file has")
    used = np.unique(triangles)
    refuse_infinite(points, used, f"{name} with vertex")
    index = np.full(len(points), -1, dtype=np.int64)
    index[used] = np.arange(len(used))
    points, triangles = points[used], index[triangles]
    pairs = cKDTree(points).query_pairs(
        _SAME * float(np.ptp(points, axis=0).max()), output_type="ndarray"
    )
    graph = coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(len(points),) * 2)
    count, label = connected_components(graph, directed=False)
    first = np.full(count, len(points), dtype=np.int64)
    np.minimum.at(first, label, np.arange(len(points)))
    points, triangles = points[first], label[triangles].astype(np.int64)
    corners = points[triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    flat = np.flatnonzero(_areas(corners) <= _FLAT * longest**2)
    if len(flat):
        found = f"{name} with {len(flat):,} triangles without area, the first"
        raise InputError(f"{found} {at(corners[flat[0]].mean(axis=0))}", "triangles that have some")
    return points, triangles


def _areas(corners: Array) -> Array:
    a, b, c = corners.transpose(1, 0, 2)
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2)


def _parts(triangles: Integers, count: int) -> Integers:
    """Number of the part of each triangle: those that share vertices are one."""
    ends = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    graph = coo_array((np.ones(len(ends)), tuple(ends.T)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    _, first, part = np.unique(label[triangles[:, 0]], return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return np.asarray(rank[part.reshape(-1)], dtype=np.int64)


def _outward(points: Array, triangles: Integers, name: str) -> Integers:
    """Triangles of one closed part, all seen counter-clockwise from outside."""
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    owner = np.repeat(np.arange(len(triangles)), 3)
    forward = edges[:, 0] < edges[:, 1]
    key = np.sort(edges, axis=1)
    known, which, count = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    if np.any(count != 2):
        wrong = np.flatnonzero(count != 2)
        open_ones = int(np.sum(count == 1))
        said = f"{open_ones:,} open edges" if open_ones else f"an edge of {count.max()} triangles"
        where = at(points[known[wrong[0]]].mean(axis=0))
        raise InputError(f"{name} with {said}, the first {where}", _CLOSED)
    order = np.argsort(which.reshape(-1), kind="stable").reshape(-1, 2)
    one, two = owner[order[:, 0]], owner[order[:, 1]]
    # Each triangle in both turns: neighbours run along their edge in opposite directions.
    n = len(triangles)
    turn = np.where(forward[order[:, 0]] != forward[order[:, 1]], 0, n)
    rows = np.concatenate([one, one + n])
    columns = np.concatenate([two + turn, two + n - turn])
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(2 * n, 2 * n))
    _, label = connected_components(graph, directed=False)
    if np.any(label[:n] == label[n:]):
        found = f"{name} with a surface around {at(points.mean(axis=0))} that has one side only"
        raise InputError(found, "a surface with an inside and an outside")
    turned = triangles.copy()
    turned[label[:n] != label[0]] = turned[label[:n] != label[0]][:, ::-1]
    if Surface("", points, turned).volume < 0:
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)


def _refuse_crossings(surfaces: Sequence[Surface]) -> None:
    """Refuse edges that pass through triangles, of their own surface or of another."""
    from scipy.spatial import cKDTree

    starts = np.cumsum([0, *(len(s.points) for s in surfaces)])
    points = np.concatenate([s.points for s in surfaces])
    triangles = np.concatenate([s.triangles + i for s, i in zip(surfaces, starts, strict=False)])
    edges = np.unique(np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), 1), axis=0)
    corners = points[triangles]
    centre = corners.mean(axis=1)
    reach = np.linalg.norm(corners - centre[:, None], axis=2).max(axis=1)
    middle = points[edges].mean(axis=1)
    half = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1) / 2
    tree = cKDTree(middle)
    # By the size of edges, so that a long one does not make every triangle look far.
    for low, high in _octaves(half):
        here = np.flatnonzero((half >= low) & (half <= high))
        tree = cKDTree(middle[here])
        near = tree.query_ball_point(centre, reach + high)
        triangle = np.repeat(np.arange(len(triangles)), [len(found) for found in near])
        edge = here[np.concatenate([np.asarray(found, dtype=np.int64) for found in near])]
        foreign = np.all(triangles[triangle][:, :, None] != edges[edge][:, None], axis=(1, 2))
        triangle, edge = triangle[foreign], edge[foreign]
        place, crossed = _crossings(points[edges[edge]], corners[triangle])
        if np.any(crossed):
            worst = int(np.argmax(crossed))
            names = [
                surfaces[int(np.searchsorted(starts, node, side="right")) - 1].name
                for node in (edges[edge[worst], 0], triangles[triangle[worst], 0])
            ]
            said = names[0] if names[0] == names[1] else " and ".join(names)
            noun = "crosses itself" if names[0] == names[1] else "cross"
            found = f"{said}, which {noun} {at(place[worst])}"
            raise InputError(
                found, "surfaces that do not touch, themselves included", at=("files",)
            )


def _octaves(half: Array) -> list[tuple[float, float]]:
    """Ranges of lengths, each four times as long as the one before."""
    low, high = float(half.min()), float(half.max())
    count = int(np.floor(np.log(high / low) / np.log(4.0))) + 1
    bounds = [low * 4.0**i for i in range(count)] + [high]
    return list(zip(bounds[:-1], bounds[1:], strict=True))


def _crossings(segment: Array, corners: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Where segments (n, 2, 3) pass through triangles (n, 3, 3), and whether they do."""
    start, along = segment[:, 0], segment[:, 1] - segment[:, 0]
    a = corners[:, 0]
    matrix = np.stack([corners[:, 1] - a, corners[:, 2] - a, -along], axis=2)
    det = np.linalg.det(matrix)
    scale = np.linalg.norm(matrix, axis=1).prod(axis=1)
    flat = np.abs(det) <= 1e-12 * scale
    matrix[flat] = np.eye(3)
    u, v, t = np.linalg.solve(matrix, (start - a)[..., None])[..., 0].T
    crossed = ~flat & (u >= 0) & (v >= 0) & (u + v <= 1) & (t >= 0) & (t <= 1)
    return start + t[:, None] * along, crossed
