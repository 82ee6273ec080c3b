"""Cells in space at random, by seed: what `benchmarks/space_meshes.py` and the tests draw from.

Number and kind make a cell, the same on every machine. A fifth of all coordinates are not even but
where it hurts: on a face of the cell, or tangent to one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from torrey.base.errors import InputError
from torrey.geometry import (
    Cylinder,
    Cylinders,
    Ellipsoid,
    Ellipsoids,
    Layers,
    MeshOptions,
    Shape,
    Sphere,
    Spheres,
)

SEED = 20261127
#: Cells of each kind in the survey.
KINDS = {
    "spheres, lattices": 1000,
    "layers": 1000,
    "cylinders": 1000,
    "ellipsoids": 1000,
    "spheres with coats": 1000,
}
_HARD = 0.2


def random_cell(kind: str, number: int) -> tuple[Shape, MeshOptions]:
    """A cell of a kind in `KINDS`, and how finely it is to be meshed."""
    rng = np.random.default_rng([SEED, list(KINDS).index(kind), number])
    return _MADE[kind](rng), MeshOptions(float(rng.uniform(0.2, 0.4)), 0)


def _spheres(rng: np.random.Generator) -> Shape:
    lattice = _lattice(rng)
    interior = str(rng.choice(["water", "obstacle"]))

    def ball() -> Sphere:
        radius = _size(rng, 0.04, 0.4995)
        return Sphere(_place(rng, radius), radius)

    return _filled(rng, 4, ball, lambda cells: Spheres(cells, interior, lattice))


def _coated(rng: np.random.Generator) -> Shape:
    lattice, coat = _lattice(rng), _size(rng, 0.03, 0.15)

    def ball() -> Sphere:
        radius = _size(rng, 0.06, 0.4995 - coat)
        return Sphere(_place(rng, radius), radius)

    return _filled(rng, 3, ball, lambda cells: Spheres(cells, "water", lattice, coat))


def _layers(rng: np.random.Generator) -> Shape:
    while True:
        parts = 10 ** rng.uniform(-2.5, 0.0, size=int(rng.integers(1, 6)))
        try:
            return Layers(tuple(map(float, parts / parts.sum())), 3)
        except InputError:
            continue


def _cylinders(rng: np.random.Generator) -> Shape:
    interior = str(rng.choice(["water", "obstacle"]))
    steepest = int(rng.choice([0, 1, 1, 2, 3]))
    parallel = rng.uniform() < 0.4
    common = _axis(rng, steepest)

    def cylinder() -> Cylinder:
        radius = _size(rng, 0.08, 0.4995)
        return Cylinder(_place(rng, radius), radius, common if parallel else _axis(rng, steepest))

    return _filled(rng, 5, cylinder, lambda cells: Cylinders(cells, interior))


def _ellipsoids(rng: np.random.Generator) -> Shape:
    interior = str(rng.choice(["water", "obstacle"]))

    def ellipsoid() -> Ellipsoid:
        longest = _size(rng, 0.1, 0.47)
        axes = longest * rng.uniform(0.33, 1.0, size=3)
        axes[int(rng.integers(3))] = longest
        usual = rng.uniform() < _HARD
        turn = np.eye(3) if usual else rng.normal(size=(3, 3))
        orientation = tuple(tuple(map(float, vector)) for vector in turn[:2])
        return Ellipsoid(_place(rng, longest), tuple(map(float, axes)), orientation)

    return _filled(rng, 4, ellipsoid, lambda cells: Ellipsoids(cells, interior))


def _axis(rng: np.random.Generator, steepest: int) -> tuple[int, ...]:
    """An axis with entries up to a number; 0 stands for the edges of the cell."""
    while True:
        axis = tuple(map(int, rng.integers(-steepest, steepest + 1, size=3)))
        if not steepest:
            return ((1, 0, 0), (0, 1, 0), (0, 0, 1))[int(rng.integers(3))]
        if any(axis):
            return axis


def _filled(
    rng: np.random.Generator,
    most: int,
    thing: Callable[[], Any],
    whole: Callable[[tuple[Any, ...]], Shape],
) -> Shape:
    """One to `most` things, as many as fit in 400 attempts."""
    count = int(rng.integers(1, most + 1))
    cells: tuple[Any, ...] = ()
    shape: Shape | None = None
    for _ in range(400):
        try:
            shape, cells = whole((*cells, added := thing())), (*cells, added)
        except InputError:
            continue
        if len(cells) == count:
            break
    if shape is None:
        raise RuntimeError("nothing fits into the cell")
    return shape


def _size(rng: np.random.Generator, smallest: float, largest: float) -> float:
    """Large and small ones are as frequent on a logarithmic scale."""
    return float(smallest * (largest / smallest) ** rng.uniform())


def _place(rng: np.random.Generator, reach: float) -> tuple[float, ...]:
    """A place in the cell, at times on a face or tangent to one."""
    hard = (0.0, 0.5, 1 - 1e-7, reach, 1 - reach, reach + 1e-6, 1 - reach - 1e-6)
    return tuple(
        float(rng.choice(hard)) if rng.uniform() < _HARD else float(rng.uniform()) for _ in range(3)
    )


def _lattice(rng: np.random.Generator) -> Any:
    """A named lattice, or three vectors of length 0.8 to 1.4; every fifth sheared further."""
    if rng.uniform() < 0.3:
        return str(rng.choice(["bcc", "fcc", "hexagonal"]))
    while True:
        vectors = rng.normal(size=(3, 3))
        vectors *= (rng.uniform(0.8, 1.4, size=3) / np.linalg.norm(vectors, axis=1))[:, None]
        if np.linalg.det(vectors) < 0:
            vectors[2] *= -1
        if np.linalg.det(vectors) > 0.35 * math.prod(np.linalg.norm(vectors, axis=1)):
            break
    if rng.uniform() < _HARD:
        vectors[1] += int(rng.integers(-2, 3)) * vectors[0]
    return tuple(tuple(map(float, vector)) for vector in vectors)


_MADE: dict[str, Callable[[np.random.Generator], Shape]] = {
    "spheres, lattices": _spheres,
    "layers": _layers,
    "cylinders": _cylinders,
    "ellipsoids": _ellipsoids,
    "spheres with coats": _coated,
}
