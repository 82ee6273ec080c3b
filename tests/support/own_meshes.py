"""Small meshes as other programs write them, made by numpy and gmsh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gmsh
import meshio
import numpy as np
from scipy.spatial import ConvexHull


def square(n: int = 4, side: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Points in space and triangles of a square of n by n halved cells."""
    x, y = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    points = np.column_stack([x.ravel(), y.ravel(), 0 * x.ravel()]) * side / n
    i, j = (a.ravel() for a in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    a, b = i * (n + 1) + j, (i + 1) * (n + 1) + j
    triangles = np.concatenate([np.column_stack([a, b, b + 1]), np.column_stack([a, b + 1, a + 1])])
    return points.astype(float), triangles


def cube(n: int = 3, sides: Sequence[float] = (1.0, 1.0, 1.0)) -> tuple[np.ndarray, np.ndarray]:
    """Points and tetrahedra of a box of n^3 cells, six in each along its diagonal."""
    grid = np.stack(np.meshgrid(*[np.arange(n + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    steps = np.array([(n + 1) ** 2, n + 1, 1])
    corners = grid[np.all(grid < n, axis=1)] @ steps
    tetrahedra = []
    for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2)):
        path = np.cumsum([0, steps[a], steps[b], steps[c]])
        tetrahedra.append(corners[:, None] + path)
    return grid * np.array(sides) / n, np.concatenate(tetrahedra)


def centres(points: np.ndarray, elements: np.ndarray) -> np.ndarray:
    """Mean place of the corners of each element."""
    return points[elements].mean(axis=1)


def write(path: Path, points: np.ndarray, cells: dict, **data: np.ndarray) -> Path:
    """Write cells by their kind, with data of each element where there is a single kind."""
    cell_data = {name: [values] for name, values in data.items()}
    meshio.Mesh(points, list(cells.items()), cell_data=cell_data).write(path)
    return path


def gmsh_disc(
    path: Path,
    radius: float = 0.4,
    size: float = 0.1,
    order: int = 2,
    side: float = 1.0,
    version: float = 4.1,
    alone: bool = False,
    per_circle: int = 16,
) -> Path:
    """Write a disc in the middle of a periodic square, or alone, with physical groups."""
    gmsh.initialize([], interruptible=False)
    try:
        for option, value in {
            "General.Terminal": 0,
            "Mesh.MeshSizeMax": size * side,
            "Mesh.MeshSizeFromCurvature": per_circle,
            "Mesh.MshFileVersion": version,
        }.items():
            gmsh.option.setNumber(option, value)
        occ = gmsh.model.occ
        inner = occ.addDisk(side / 2, side / 2, 0, radius * side, radius * side)
        if alone:
            occ.synchronize()
        else:
            box = occ.addRectangle(0, 0, 0, side, side)
            whole, parts = occ.fragment([(2, box)], [(2, inner)])
            inner = parts[1][0][1]
            occ.synchronize()
            outer = [tag for _, tag in whole if tag != inner]
            gmsh.model.addPhysicalGroup(2, outer, 1, "outside")
            for axis in (0, 1):
                shift = np.eye(4)
                shift[axis, 3] = side
                low, high = (_on_line(axis, place) for place in (0.0, side))
                gmsh.model.mesh.setPeriodic(1, high, low, shift.ravel().tolist())
        gmsh.model.addPhysicalGroup(2, [inner], 2, "soma")
        gmsh.model.mesh.generate(2)
        gmsh.model.mesh.setOrder(order)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
    return path


def _on_line(axis: int, place: float) -> list[int]:
    boxes = {tag: gmsh.model.getBoundingBox(1, tag) for _, tag in gmsh.model.getEntities(1)}
    return [
        tag
        for tag, box in boxes.items()
        if abs(box[axis] - place) < 1e-5 and abs(box[axis + 3] - place) < 1e-5
    ]


def gmsh_ball(path: Path, radius: float, size: float, order: int = 2) -> Path:
    """Write a ball alone, in tetrahedra with curved sides."""
    gmsh.initialize([], interruptible=False)
    try:
        for option, value in {
            "General.Terminal": 0,
            "Mesh.MeshSizeMin": size,
            "Mesh.MeshSizeMax": size,
        }.items():
            gmsh.option.setNumber(option, value)
        ball = gmsh.model.occ.addSphere(0, 0, 0, radius)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(3, [ball], 1, "soma")
        gmsh.model.mesh.generate(3)
        gmsh.model.mesh.setOrder(order)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
    return path


def icosphere(level: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and triangles of a unit sphere: an icosahedron, each triangle divided into four."""
    t = (1 + 5**0.5) / 2
    points = [(s * a, u * t * a, 0) for a in (1,) for s in (-1, 1) for u in (-1, 1)]
    points += [(0, s, u * t) for s in (-1, 1) for u in (-1, 1)]
    points += [(u * t, 0, s) for s in (-1, 1) for u in (-1, 1)]
    sphere = np.array(points, dtype=float)
    triangles = ConvexHull(sphere).simplices.astype(np.int64)
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    for _ in range(level):
        ends = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        pairs, which = np.unique(ends, axis=0, return_inverse=True)
        middles = sphere[pairs].mean(axis=1)
        ab, bc, ca = (which.reshape(-1, 3) + len(sphere)).T
        a, b, c = triangles.T
        sphere = np.concatenate([sphere, middles / np.linalg.norm(middles, axis=1, keepdims=True)])
        parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        triangles = np.concatenate([np.column_stack(part) for part in parts])
    return sphere, triangles


def write_surface(path: Path, points: np.ndarray, triangles: np.ndarray) -> Path:
    """Write triangles in the format that the ending says."""
    meshio.Mesh(points, [("triangle", triangles.astype(np.int32))]).write(path)
    return path
