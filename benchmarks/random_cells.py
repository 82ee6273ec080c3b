"""Cells at random, by seed: what `benchmarks/meshes.py` and the tests of meshes draw from.

Number and kind make a cell, the same on every machine. A fifth of all coordinates are not even but
where it hurts: on a face of the cell, tangent to one, or tangent up to a millionth.
"""

from __future__ import annotations

import math

import numpy as np

from torrey.base.errors import InputError
from torrey.geometry import Disc, Discs, MeshOptions, Sphere, Spheres

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
SMALLEST = 0.03
_HARD = 0.2


def random_cell(kind: str, number: int) -> tuple[Discs | Spheres, MeshOptions]:
    """A cell of a kind in `KINDS`, and how finely it is to be meshed."""
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
