"""Meshes and surfaces of one's own at random, by seed: every draw has to become a checked mesh.

    python benchmarks/own_cells.py [FIRST [COUNT]]

Number and kind make a cell, the same on every machine. Meshes are structured ones whose places are
shaken and whose regions are blobs, written to a file; surfaces are ellipsoids with bumps, some of
them with a smaller one inside. `benchmarks/own_cells.md` has what was found.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import meshio
import numpy as np
from speed import processor_seconds

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.own_meshes import centres, cube, icosphere, square

from torrey.base.errors import TorreyError
from torrey.geometry import MeshOptions, OwnMesh, Shape, Surfaces
from torrey.geometry.meshing import build_meshes

SEED = 20261128


def plane_mesh(rng: np.random.Generator, folder: Path) -> Shape:
    """Shaken triangles in the plane, one to three regions, periodic or not."""
    n = int(rng.integers(4, 12))
    points, elements = square(n, float(10 ** rng.uniform(-3, 3)))
    return _shaken(rng, folder, points, elements, "triangle", n)


def space_mesh(rng: np.random.Generator, folder: Path) -> Shape:
    """The same of tetrahedra in a box of three different sides."""
    n = int(rng.integers(3, 6))
    sides = tuple(rng.uniform(0.5, 2.0, size=3) * 10 ** rng.uniform(-3, 3))
    points, elements = cube(n, sides)
    return _shaken(rng, folder, points, elements, "tetra", n)


def _shaken(
    rng: np.random.Generator,
    folder: Path,
    points: np.ndarray,
    elements: np.ndarray,
    kind: str,
    n: int,
) -> Shape:
    d = elements.shape[1] - 1
    high = points.max(axis=0)
    sides = np.where(high > 0, high, 1.0)
    inside = np.all((points[:, :d] > 1e-9 * high[:d]) & (points[:, :d] < (1 - 1e-9) * high[:d]), 1)
    points[inside, :d] += 0.15 / n * sides[:d] * rng.uniform(-1, 1, (inside.sum(), d))
    middles = centres(points, elements) / sides
    labels = np.zeros(len(elements), dtype=int)
    for label in range(1, int(rng.integers(1, 4))):
        place, reach = rng.uniform(0.2, 0.8, size=d), rng.uniform(0.15, 0.4)
        apart = middles[:, :d] - place
        apart -= np.round(apart)  # Blobs go on across faces.
        labels[np.linalg.norm(apart, axis=1) < reach] = label
    # Opposite faces carry the same regions: those next to a face are outside, or the cell ends.
    outer = str(rng.choice(["periodic", "walls"]))
    if outer == "periodic":
        at_face = np.any((middles[:, :d] < 1.01 / n) | (middles[:, :d] > 1 - 1.01 / n), axis=1)
        labels[at_face] = 0
    turned = rng.uniform(size=len(elements)) < 0.5
    elements[turned] = elements[turned][:, [1, 0, *range(2, d + 1)]]
    order = rng.permutation(len(elements))
    file = folder / str(rng.choice(["cell.vtu", "cell.vtk"]))
    cells = [(kind, elements[order])]
    meshio.Mesh(points, cells, cell_data={"region": [labels[order]]}).write(file)
    return OwnMesh(file, outer=outer)


def bumpy_surfaces(rng: np.random.Generator, folder: Path) -> Shape:
    """One to three ellipsoids with bumps, beside each other; some hold another one."""
    count = int(rng.integers(1, 4))
    places = [np.array(p) for p in rng.permutation([(i, j, 0) for i in (0, 1) for j in (0, 1)])]
    files = []
    for k in range(count):
        radii = rng.uniform(0.15, 0.42, size=3)
        points, triangles = icosphere(int(rng.integers(1, 3)))
        wave, phase = rng.normal(size=3) * 3, rng.uniform(0, 2 * np.pi)
        points = points * radii * (1 + 0.1 * np.sin(points @ wave + phase))[:, None]
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        center = places[k] + 0.02 * rng.uniform(-1, 1, size=3)
        for name, scale in (("cell", 1.0), ("core", 0.5))[: 1 + int(rng.uniform() < 0.3)]:
            file = folder / f"{name}{k}.{rng.choice(['ply', 'stl', 'obj'])}"
            mesh = meshio.Mesh(scale * points @ turn.T + center, [("triangle", triangles)])
            mesh.cells[0].data = triangles.astype(np.int32)
            mesh.write(file)
            files.append(file)
    exterior = str(rng.choice(["water", "nothing"], p=[0.7, 0.3]))
    outer = str(rng.choice(["periodic", "walls"]))
    box = (2.0, 2.0, 1.0 + float(rng.uniform(0, 1)))
    # The middle of the places, so that none of them reaches a face.
    return Surfaces(tuple(files), box, (0.5, 0.5, 0.0), exterior=exterior, outer=outer)


KINDS: dict[str, Callable[[np.random.Generator, Path], Shape]] = {
    "mesh, plane": plane_mesh,
    "mesh, space": space_mesh,
    "surfaces": bumpy_surfaces,
}


def random_cell(kind: str, number: int, folder: Path) -> Shape:
    """A cell of a kind in `KINDS`; its files are written to a folder."""
    rng = np.random.default_rng([SEED, list(KINDS).index(kind), number])
    return KINDS[kind](rng, folder)


def main() -> None:
    first, count = map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (0, 1000)
    for kind in KINDS:
        failed, start = [], processor_seconds()
        for number in range(first, first + count):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    shape = random_cell(kind, number, Path(folder))
                    build_meshes(shape, MeshOptions(0.3, 0))
                except TorreyError as error:
                    failed.append(number)
                    print(f"{kind} {number}: {type(error).__name__}: {error}", flush=True)
        seconds = processor_seconds() - start
        print(f"{kind}: {count - len(failed)} of {count} in {seconds:.0f} s of CPU", flush=True)


if __name__ == "__main__":
    main()
