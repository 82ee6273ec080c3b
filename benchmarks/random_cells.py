"""Cells at random, by seed: what `benchmarks/meshes.py` and the tests of meshes draw from.

Number and kind make a cell, the same on every machine. A fifth of all coordinates are not even but
where it hurts: on a face of the cell, tangent to one, or tangent up to a millionth.
"""

from __future__ import annotations

import math

import numpy as np

from torrey.base.errors import InputError
from torrey.geometry import Disc, Discs, MeshOptions, Sphere, Spheres
from torrey.geometry.balls.base import Ball
from torrey.geometry.boxes import reduced_basis
from torrey.geometry.interiors import Interior

SEED = 20261126
#: Cells of each kind in the survey.
KINDS = {
    "discs": 900,
    "discs, obstacles": 450,
    "discs with coats": 300,
    "discs, oblique": 350,
    "discs, obstacles, oblique": 150,
    "discs with coats, oblique": 150,
    "spheres": 450,
    "spheres, obstacles": 250,
}
#: Small and crowded cells, of the same survey.
CROWDED = {
    "near discs": 1000,
    "near discs, obstacles": 300,
    "near discs, oblique": 500,
    "near discs with coats": 200,
    "near spheres": 800,
    "near spheres, obstacles": 200,
    "200 discs": 100,
    "40 to 200 spheres": 20,
}
SMALLEST = 0.03
#: Range of gaps and, of three in four, of radii in small and crowded cells.
NARROW, SMALL = (1e-4, 1e-2), (1e-3, 0.05)
_HARD = 0.2


def random_cell(kind: str, number: int) -> tuple[Discs | Spheres, MeshOptions]:
    """A cell of a kind in `KINDS` or `CROWDED`, and how finely it is to be meshed."""
    if kind in CROWDED:
        return _crowded_cell(kind, number)
    rng = np.random.default_rng([SEED, list(KINDS).index(kind), number])
    spheres = kind.startswith("spheres")
    interior = "obstacle" if "obstacles" in kind else "water"
    lattice = _lattice(rng) if "oblique" in kind else Discs.lattice
    layer = float(10 ** rng.uniform(-2.5, -1.0)) if "coats" in kind else 0.0
    count = int(rng.integers(1, 5 if spheres else 9))
    shape: Discs | Spheres | None = None
    cells: tuple[Disc | Sphere, ...] = ()
    for _ in range(400):
        try:
            if spheres:
                added = (*cells, Sphere(*_ball(rng, 3, 0.4995)))
                shape = Spheres(added, interior)
            else:
                added = (*cells, Disc(*_ball(rng, 2, 0.4995 - layer)))
                shape = Discs(added, interior, layer, lattice)
            cells = added
        except InputError:
            continue
        if len(cells) == count:
            break
    if shape is None:
        raise RuntimeError(f"no ball fits into {kind} number {number}")
    if spheres:
        return shape, MeshOptions(float(rng.uniform(0.2, 0.4)), 0)
    return shape, MeshOptions(float(10 ** rng.uniform(-1.3, -0.52)), int(rng.integers(0, 2)))


def _lattice(rng: np.random.Generator) -> tuple[tuple[float, ...], ...]:
    """Two vectors of length 0.8 to 1.5 at 25 to 155 degrees; every fifth pair sheared further."""
    angle, between = rng.uniform(0, 2 * math.pi), rng.uniform(math.radians(25), math.radians(155))
    lengths = rng.uniform(0.8, 1.5, size=2)
    first, second = (
        length * np.array([math.cos(a), math.sin(a)])
        for length, a in zip(lengths, (angle, angle + between), strict=True)
    )
    if rng.uniform() < 0.2:
        second = second + int(rng.integers(-3, 4)) * first
    return (tuple(map(float, first)), tuple(map(float, second)))


def _ball(rng: np.random.Generator, d: int, largest: float) -> tuple[tuple[float, ...], float]:
    """Centre and radius; large and small ones are as frequent on a logarithmic scale."""
    radius = float(SMALLEST * (largest / SMALLEST) ** rng.uniform())
    hard = (0.0, 0.5, 1 - 1e-7, radius, 1 - radius, radius + 1e-6, 1 - radius - 1e-6)
    center = [
        float(rng.choice(hard)) if rng.uniform() < _HARD else float(rng.uniform()) for _ in range(d)
    ]
    return tuple(center), radius


def _crowded_cell(kind: str, number: int) -> tuple[Discs | Spheres, MeshOptions]:
    """A cell of balls next to each other, large and small."""
    rng = np.random.default_rng([SEED, 100 + list(CROWDED).index(kind), number])
    d = 3 if "spheres" in kind else 2
    interior: Interior = "obstacle" if "obstacles" in kind else "water"
    lattice = _lattice(rng) if "oblique" in kind else Discs.lattice
    layer = float(10 ** rng.uniform(-2.5, -1.5)) if "coats" in kind else 0.0
    if kind == "200 discs":
        count = 200
    elif kind == "40 to 200 spheres":
        count = int(rng.choice((40, 100, 200)))
    else:
        count = int(rng.integers(1, 7))
    largest = 0.7 * count ** (-1 / d) if count > 10 else 0.4995 - layer
    cells: tuple[Ball, ...] = ()
    made: Discs | Spheres | None = None
    for _ in range(60 * count):
        added = (*cells, _neighbour(rng, cells, d, largest, layer, lattice))
        try:
            made = (
                Spheres(added, interior) if d == 3 else Discs(added, interior, layer, lattice)  # type: ignore[arg-type]
            )
        except InputError:
            continue
        cells = added
        if len(cells) == count:
            break
    if made is None:
        raise RuntimeError(f"no ball fits into {kind} number {number}")
    least, most = (0.2, 0.4) if d == 3 else (0.05, 0.3)
    return made, MeshOptions(float(rng.uniform(least, most)), int(rng.integers(0, 2)) * (3 - d))


def _neighbour(
    rng: np.random.Generator,
    cells: tuple[Ball, ...],
    d: int,
    largest: float,
    layer: float,
    lattice: tuple[tuple[float, ...], ...],
) -> Ball:
    """A ball next to one that is there, or next to its own image, or anywhere."""
    make = Sphere if d == 3 else Disc
    gap = _log_uniform(rng, *NARROW)
    if not cells and rng.uniform() < 0.2:
        # It nearly touches its own image.
        center, _ = _ball(rng, d, 0.4)
        periods = np.array(lattice) if d == 2 else np.eye(3)
        short = np.linalg.norm(reduced_basis(periods), axis=1).min()
        return make(center, min((short - gap) / 2, 0.49995) - layer)
    small = _log_uniform(rng, *SMALL)
    radius = small if rng.uniform() < 0.75 else _log_uniform(rng, SMALL[1], largest)
    if not cells or rng.uniform() < 0.2:
        return make(_ball(rng, d, 0.4)[0], min(radius, largest))
    other = cells[int(rng.integers(len(cells)))]
    radius = min(radius, largest)
    toward = rng.normal(size=d) if rng.uniform() < 0.8 else np.eye(d)[int(rng.integers(d))]
    toward /= np.linalg.norm(toward)
    far = (other.radius + radius + 2 * layer + gap + 1e-12) * toward
    periods = np.array(lattice) if d == 2 else np.eye(3)
    center = (np.array(other.center) + far @ np.linalg.inv(periods)) % 1.0
    return make(tuple(float(x) % 1.0 for x in center), radius)


def _log_uniform(rng: np.random.Generator, least: float, most: float) -> float:
    return float(least * (most / least) ** rng.uniform())
