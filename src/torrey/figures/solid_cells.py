"""A cell in space with one octant cut away, as surfaces for `torrey.figures.rendering`.

The octant nearest to the camera is not there: its three cut faces show the regions inside the cell,
as the outer faces do. What membranes are within it stays as a veil of its colour. All comes from
the mesh, on quadratic facets with their curved shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.figures.cell_colors import WALL, Palette
from torrey.figures.isosurfaces import cut, isosurface, refine
from torrey.figures.rendering import Camera, Surface
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

ELEVATION, AZIMUTH = 24.0, -58.0
_LINE, _ELEMENT_LINE, _EDGE = "#0B4F7D", "#555555", "#5A2A12"
_VEIL: Final = 0.3
#: Pieces along the edge of a facet that is drawn.
_PIECES: Final = 3
#: Pieces of an edge of the cell.
_ALONG: Final = 24
#: Planes pass by nodes that lie in the middle.
_BESIDE: Final = np.array([1.1e-6, 1.7e-6, 2.3e-6])
#: Nodes of the facets of a quadratic tetrahedron: vertices, then middles of 01, 12, 20.
_FACETS: Final = np.array(
    [[0, 1, 2, 4, 5, 6], [0, 1, 3, 4, 9, 7], [1, 2, 3, 5, 8, 9], [0, 2, 3, 6, 8, 7]]
)


@dataclass(frozen=True)
class Solid:
    """A mesh in space, seen from some direction.

    Attributes
    ----------
    mesh : CellMesh
    palette : Palette
    """

    mesh: CellMesh
    palette: Palette

    @cached_property
    def camera(self) -> Camera:
        """A camera that sees all of it."""
        low, high = self.mesh.points.min(axis=0), self.mesh.points.max(axis=0)
        x, y, z = 0.5 * (low + high)
        towards = Camera(ELEVATION, AZIMUTH, (x, y, z), 1.0)
        seen = (self.mesh.points - [x, y, z]) @ towards.axes[:2].T
        return Camera(ELEVATION, AZIMUTH, (x, y, z), 2.06 * float(np.abs(seen).max()))

    @cached_property
    def heights(self) -> Array:
        """How far each node is beyond the three planes of the cut, towards the camera, (n, 3).

        In units of the periods; all three are positive in the octant that is cut away.
        """
        inverse = np.linalg.inv(self.mesh.lattice)
        parts = self.mesh.points @ inverse
        middle = 0.5 * (parts.min(axis=0) + parts.max(axis=0)) + _BESIDE
        signs = np.where(self.camera.axes[2] @ inverse >= 0.0, 1.0, -1.0)
        return (parts - middle) * signs

    @cached_property
    def _fields(self) -> Array:
        """Places and heights of the nodes by columns, (n, 6)."""
        return np.hstack([self.mesh.points, self.heights])

    def surfaces(self) -> Iterator[Surface]:
        """Yield what is seen of each region, of walls, and of membranes in the octant."""
        facets, owner, wall = self._outer
        colors: NDArray[Any] = np.where(wall, WALL, np.array(self.palette.colors)[owner])
        for color in dict.fromkeys(colors.tolist()):
            yield Surface(_without_octant(_curved(self._fields, facets[colors == color])), color)
        for color, regions in self.palette.groups().items():
            for part in self._sections(regions):
                yield Surface(part, color)
        inner = self.mesh.membrane_inside[:, 0] != NOTHING
        region_of = np.zeros(len(self.mesh.points), dtype=np.int64)
        region_of[self.mesh.elements] = self.mesh.region[:, None]
        facets = self.mesh.membrane_outside[inner]
        colors = np.array(self.palette.colors)[region_of[self.mesh.membrane_inside[inner, 0]]]
        for color in dict.fromkeys(colors.tolist()):
            veil = _in_octant(_curved(self._fields, facets[colors == color]))
            yield Surface(_corners(veil), color, _VEIL)

    def lines(self, elements: bool) -> Iterator[Surface]:
        """Yield membranes where they meet what is seen, edges of the cell, and elements."""
        width = self.camera.width
        found = list(self._traces(self.mesh.membrane_outside))
        yield _tubes(found, 0.0016 * width, _LINE)
        if repeats := self._box():
            yield _tubes(repeats, 0.0020 * width, _EDGE)
        if elements:
            facets, _, _ = self._outer
            edges = np.concatenate([facets[:, [0, 3]], facets[:, [3, 1]], facets[:, [1, 4]]])
            edges = np.concatenate([edges, facets[:, [4, 2]], facets[:, [2, 5]], facets[:, [5, 0]]])
            edges = np.unique(np.sort(edges, axis=1), axis=0)
            found = [_outside_octant(self._fields[edges])]
            every = self.mesh.elements[:, _FACETS].reshape(-1, 6)
            crossed = np.ptp(np.sign(self.heights[every[:, :3]]), axis=1).any(axis=1)
            _, first = np.unique(np.sort(every[crossed], axis=1), axis=0, return_index=True)
            found += list(self._traces(every[crossed][first], outer=False))
            yield _tubes(found, 0.0007 * width, _ELEMENT_LINE, sides=4)

    @cached_property
    def _outer(self) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
        """Facets that bound the cell and face the camera, or nearly so, their regions, and walls.

        The last tells which of them are surfaces of obstacles, or walls.
        """
        mesh = self.mesh
        facets = mesh.elements[:, _FACETS].reshape(-1, 6)
        owner = np.repeat(mesh.region, 4)
        keys, first, count = np.unique(
            np.sort(facets[:, :3], axis=1), axis=0, return_index=True, return_counts=True
        )
        single = count == 1
        keys, first = keys[single], first[single]
        n = len(mesh.points)
        code = keys @ np.array([n * n, n, 1])
        closed = mesh.membrane_inside[:, 0] == NOTHING
        both = np.concatenate([mesh.membrane_outside[~closed], mesh.membrane_inside[~closed]])
        between, walls = (
            np.sort(some[:, :3], axis=1) @ np.array([n * n, n, 1])
            for some in (both, mesh.membrane_outside[closed])
        )
        # The vertex that lies opposite a facet is behind it.
        places = mesh.points[facets[first, :3]]
        behind = mesh.points[mesh.elements[:, [3, 2, 0, 1]].ravel()[first]] - places[:, 0]
        across = np.cross(places[:, 1] - places[:, 0], places[:, 2] - places[:, 0])
        across *= -np.sign(np.einsum("ni,ni->n", across, behind))[:, None]
        towards = across @ self.camera.axes[2] > -0.5 * np.linalg.norm(across, axis=1)
        seen = ~np.isin(code, between) & towards
        return facets[first[seen]], owner[first[seen]], np.isin(code[seen], walls)

    def _sections(self, regions: Numbers) -> Iterator[Array]:
        """What the three planes cut of some regions."""
        chosen = self.mesh.elements[np.isin(self.mesh.region, regions)]
        for axis in range(3):
            height = self.heights[chosen, axis]
            crossed = chosen[(height.min(axis=1) <= 0.01) & (height.max(axis=1) >= -0.01)]
            fine, tetrahedra = refine(crossed, self._fields)
            points, triangles = isosurface(fine, tetrahedra, fine[:, 3 + axis], 0.0)
            pieces = points[triangles]
            for other in range(3):
                if other != axis:
                    pieces = cut(pieces, pieces[..., 3 + other])
            yield _corners(pieces)

    def _traces(self, facets: Numbers, outer: bool = True) -> Iterator[Array]:
        """Where facets meet the cut faces, and where their edges lie on the outer faces.

        Yields
        ------
        (n, 2, 3) float
            Ends of lines.
        """
        pieces = _curved(self._fields, facets)
        for axis in range(3):
            ends = _crossings(pieces, pieces[..., 3 + axis])
            others = [3 + other for other in range(3) if other != axis]
            yield ends[np.all(ends[..., others].mean(axis=1) > 0.0, axis=1), :, :3]
        if not outer:
            return
        edges = facets[:, [[0, 1, 3], [1, 2, 4], [2, 0, 5]]].reshape(-1, 3)
        _, first, count = np.unique(
            np.sort(edges[:, :2], axis=1), axis=0, return_index=True, return_counts=True
        )
        a, b, middle = (self._fields[edges[first[count == 1], i]] for i in range(3))
        s = np.linspace(0.0, 1.0, 5)[:, None, None]
        curve = (1 - s) * (1 - 2 * s) * a + s * (2 * s - 1) * b + 4 * s * (1 - s) * middle
        yield _outside_octant(np.stack([curve[:-1], curve[1:]], axis=2).reshape(-1, 2, 6))

    def _box(self) -> list[Array]:
        """Edges of the period that is meshed, and of the cut; none where nothing repeats itself."""
        if not np.any(self.mesh.periodic != np.arange(len(self.mesh.points))):
            return []
        low, high = self.heights.min(axis=0), self.heights.max(axis=0)
        # Places by their heights: the map is affine.
        ones = np.column_stack([self.heights, np.ones(len(self.heights))])
        sample = slice(None, None, max(1, len(ones) // 1000))
        map_, *_ = np.linalg.lstsq(ones[sample], self.mesh.points[sample], rcond=None)
        zero = np.zeros(3)
        ends = []
        for axis in range(3):
            one, two = (other for other in range(3) if other != axis)
            for i in (low[one], 0.0, high[one]):
                for j in (low[two], 0.0, high[two]):
                    spans = _visible(axis, i, j, (one, two), low, high)
                    for start, end in spans:
                        line = np.tile(zero, (2, 1))
                        line[:, one], line[:, two] = i, j
                        line[:, axis] = start, end
                        ends.append(np.column_stack([line, np.ones(2)]) @ map_)
        # In pieces: a long one is looked for in all the rectangle that it is the diagonal of.
        parts = np.linspace(0.0, 1.0, _ALONG + 1)[:, None, None]
        points = (1.0 - parts) * np.array(ends)[:, 0] + parts * np.array(ends)[:, 1]
        pieces = np.stack([points[:-1], points[1:]], axis=2).reshape(-1, 2, 3)
        return [pieces[self._within(pieces.mean(axis=1))]]

    def _within(self, places: Array) -> NDArray[np.bool_]:
        """Whether there is an element at some places, or next to them."""
        corners = self.mesh.points[self.mesh.elements[:, :4]]
        low, high = corners.min(axis=1) - 1e-6, corners.max(axis=1) + 1e-6
        inside = np.zeros(len(places), dtype=bool)
        for i, place in enumerate(places):
            near = corners[np.all((low <= place) & (place <= high), axis=1)]
            sides = (near[:, 1:] - near[:, :1]).swapaxes(1, 2)
            parts = np.linalg.solve(sides, (place - near[:, 0])[..., None])[..., 0]
            inside[i] = np.any((parts.min(axis=1) > -1e-5) & (parts.sum(axis=1) < 1.0 + 1e-5))
        return inside


def _visible(
    axis: int, i: float, j: float, others: tuple[int, int], low: Array, high: Array
) -> list[tuple[float, float]]:
    """Which part of a line along an axis is an edge of the box without its octant."""
    outer = int(i != 0.0) + int(j != 0.0)
    top = int(i == high[others[0]]) + int(j == high[others[1]])
    if outer == 2:
        return [(low[axis], 0.0 if top == 2 else high[axis])]
    if outer == 1 and top == 0:
        return []
    return [(0.0, high[axis])]


def _curved(fields: Array, facets: Numbers) -> Array:
    """Triangles of quadratic facets, shape (n, 3, 6 or more): fields at their corners."""
    steps = range(_PIECES + 1)
    grid = [(i, j) for i in steps for j in steps if i + j <= _PIECES]
    number = {place: k for k, place in enumerate(grid)}
    pieces = [
        [number[i, j], number[i + 1, j], number[i, j + 1]] for i, j in grid if i + j < _PIECES
    ]
    pieces += [
        [number[i + 1, j], number[i + 1, j + 1], number[i, j + 1]]
        for i, j in grid
        if i + j < _PIECES - 1
    ]
    x, y = np.array(grid).T / _PIECES
    z = 1.0 - x - y
    shapes = [z * (2 * z - 1), x * (2 * x - 1), y * (2 * y - 1), 4 * x * z, 4 * x * y, 4 * y * z]
    values = np.einsum("ak,nam->nkm", shapes, fields[facets])
    slopes = [
        np.array([1 - 4 * z, 4 * x - 1, 0 * x, 4 * (z - x), 4 * y, -4 * y]),
        np.array([1 - 4 * z, 0 * x, 4 * y - 1, -4 * x, 4 * x, 4 * (z - y)]),
    ]
    along = [np.einsum("ak,nam->nkm", slope, fields[facets][..., :3]) for slope in slopes]
    values = np.concatenate([values, np.cross(*along)], axis=-1)
    return np.asarray(values[:, pieces].reshape(-1, 3, values.shape[-1]))


def _corners(triangles: Array) -> Array:
    """Places and normals of corners, from fields whose last three columns may be normals."""
    places = triangles[..., :3]
    if triangles.shape[-1] > 6:
        return np.concatenate([places, triangles[..., -3:]], axis=-1)
    across = np.cross(places[:, 1] - places[:, 0], places[:, 2] - places[:, 0])
    return np.concatenate([places, np.broadcast_to(across[:, None], places.shape)], axis=-1)


def _without_octant(triangles: Array) -> Array:
    kept, rest = [], triangles
    for axis in range(3):
        kept.append(cut(rest, -rest[..., 3 + axis]))
        rest = cut(rest, rest[..., 3 + axis])
    return _corners(np.concatenate(kept))


def _in_octant(triangles: Array) -> Array:
    for axis in range(3):
        triangles = cut(triangles, triangles[..., 3 + axis])
    return triangles


def _outside_octant(ends: Array) -> Array:
    """Lines (n, 2, 6) whose middle is not in the octant, their places alone."""
    return np.asarray(ends[~np.all(ends[..., 3:6].mean(axis=1) > 0.0, axis=1), :, :3])


def _crossings(triangles: Array, height: Array) -> Array:
    """Lines (n, 2, m) on which a linear function vanishes on triangles."""
    count = (height > 0.0).sum(axis=1)
    chosen = (count > 0) & (count < 3)
    triangles, height = triangles[chosen], height[chosen]
    alone = np.argmax((height > 0.0) == (count[chosen] == 1)[:, None], axis=1)
    order = (alone[:, None] + np.arange(3)) % 3
    a, b, c = np.moveaxis(np.take_along_axis(triangles, order[..., None], 1), 1, 0)
    x, y, z = np.take_along_axis(height, order, 1).T[..., None]
    return np.stack([a + (b - a) * x / (x - y), a + (c - a) * x / (x - z)], axis=1)


def _tubes(lines: list[Array], radius: float, color: str, sides: int = 8) -> Surface:
    """Thin tubes round lines (n, 2, 3), which surfaces may hide."""
    ends = np.concatenate([np.empty((0, 2, 3)), *lines])
    along = ends[:, 1] - ends[:, 0]
    length = np.linalg.norm(along, axis=1)
    ends, along = ends[length > 1e-9], (along / length.clip(1e-300)[:, None])[length > 1e-9]
    across = np.cross(along, np.eye(3)[np.abs(along).argmin(axis=1)])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    angles = 2.0 * np.pi * np.arange(sides + 1) / sides
    turned = [across, np.cross(along, across)]
    round_ = np.einsum("ks,kni->sni", [np.cos(angles), np.sin(angles)], turned)
    low, high = (np.concatenate([ends[:, i] + radius * round_, round_], axis=-1) for i in range(2))
    first = np.stack([low[:-1], low[1:], high[:-1]], axis=2)
    second = np.stack([high[:-1], low[1:], high[1:]], axis=2)
    return Surface(np.concatenate([first, second]).reshape(-1, 3, 6), color)
