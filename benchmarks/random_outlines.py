"""Cells of outlines at random, by seed: what `benchmarks/outlines.py` and the tests draw from.

Number and kind make a cell, the same on every machine. A fifth of all coordinates are not even but
where it hurts: on a face of the cell, or where an outline is tangent to one.
"""

from __future__ import annotations

import math

import numpy as np

from torrey.base.errors import InputError
from torrey.geometry import Ellipse, Ellipses, MeshOptions, Shape

SEED = 20261127
#: Cells of each kind in the survey.
KINDS = {"ellipses": 500, "ellipses, obstacles": 250, "ellipses in each other": 250}
_HARD = 0.2
_SMALLEST = 0.02


def random_outlines(kind: str, number: int) -> tuple[Shape, MeshOptions]:
    """A cell of a kind in `KINDS`, and how finely it is to be meshed."""
    rng = np.random.default_rng([SEED, sum(map(ord, kind)), number])
    options = MeshOptions(float(10 ** rng.uniform(-1.2, -0.6)), int(rng.integers(0, 2)))
    return _ellipses(rng, kind), options


def _ellipses(rng: np.random.Generator, kind: str) -> Ellipses:
    interior = "obstacle" if "obstacles" in kind else "water"
    height = float(rng.choice([1.0, 1.0, rng.uniform(0.5, 2.0)]))
    count = int(rng.integers(1, 9))
    cells: tuple[Ellipse, ...] = ()
    for _ in range(400):
        try:
            added = _inside(rng, cells) if "in each other" in kind else None
            added = added or _ellipse(rng, height)
            shape = Ellipses((*cells, added), interior, height)
        except InputError:
            continue
        cells = shape.cells
        if len(cells) == count:
            break
    return Ellipses(cells, interior, height)


def _inside(rng: np.random.Generator, cells: tuple[Ellipse, ...]) -> Ellipse | None:
    """Seven times of ten a smaller one in an ellipse that is there, and nearly parallel to it."""
    if not cells or rng.uniform() > 0.7:
        return None
    around, part = cells[int(rng.integers(len(cells)))], float(rng.uniform(0.2, 0.97))
    axes = tuple(part * axis for axis in around.semi_axes)
    return Ellipse(around.center, axes, around.angle + float(rng.uniform(-8, 8)))


def _ellipse(rng: np.random.Generator, height: float) -> Ellipse:
    for _ in range(1000):
        long = float(_SMALLEST * (0.55 / _SMALLEST) ** rng.uniform())
        short = long * float(rng.uniform(0.1, 1.0) if rng.uniform() < 0.9 else 1.0)
        angle = float(
            rng.choice([0.0, 90.0, 45.0]) if rng.uniform() < _HARD else rng.uniform(0, 180)
        )
        reach = math.hypot(
            long * math.cos(math.radians(angle)), short * math.sin(math.radians(angle))
        )
        hard = (0.0, 0.5, 1 - 1e-7, reach, 1 - reach, reach + 1e-6, 1 - reach - 1e-6)
        x, y = (
            float(rng.choice(hard) if rng.uniform() < _HARD else rng.uniform()) for _ in range(2)
        )
        try:
            return Ellipse((x % 1.0, y % 1.0 * height % height), (long, short), angle)
        except InputError:
            continue
    raise RuntimeError("no ellipse")
