"""Cells of outlines at random, by seed: what `benchmarks/outlines.py` and the tests draw from.

Number and kind make a cell, the same on every machine. A fifth of all coordinates are not even but
where it hurts: on a face of the cell, or where an outline is tangent to one.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from torrey.base.errors import InputError
from torrey.geometry import (
    Ellipse,
    Ellipses,
    LabelImage,
    MeshOptions,
    Polygon,
    Polygons,
    Shape,
)

SEED = 20261127
#: Cells of each kind in the survey.
KINDS = {
    "ellipses": 500,
    "ellipses, obstacles": 250,
    "ellipses in each other": 250,
    "polygons, sharp": 300,
    "polygons, round": 400,
    "polygons, curved": 300,
    "images of blobs": 300,
    "images of touching cells": 500,
    "images, mirrored": 100,
    "images, cropped": 100,
    "ellipses, near": 500,
    "polygons, near": 500,
}
_HARD = 0.2
_SMALLEST = 0.02


def random_outlines(kind: str, number: int) -> tuple[Shape, MeshOptions]:
    """A cell of a kind in `KINDS`, and how finely it is to be meshed."""
    rng = np.random.default_rng([SEED, sum(map(ord, kind)), number])
    options = MeshOptions(float(10 ** rng.uniform(-1.2, -0.6)), int(rng.integers(0, 2)))
    if kind.endswith("near"):
        return _near(rng, kind), options
    if kind.startswith("ellipses"):
        return _ellipses(rng, kind), options
    if kind.startswith("polygons"):
        return _polygons(rng, kind), options
    # Gaps of a pixel make small elements.
    return _image(rng, kind), MeshOptions(options.size, 0)


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


# ---- near each other ----

Pair = Callable[[float], Ellipses | Polygons]


def _near(rng: np.random.Generator, kind: str) -> Ellipses | Polygons:
    """Two outlines in the middle of the cell that leave a gap of 1.01e-4 to 1e-2."""
    gap = float(10 ** rng.uniform(math.log10(1.01e-4), -2))
    for _ in range(1000):
        try:
            return _brought_near(_two(rng, kind), gap)
        except InputError:
            continue
    raise RuntimeError(f"no cell with a gap of {gap}")


def _two(rng: np.random.Generator, kind: str) -> Pair:
    """Two outlines, as a function of how far their middles are apart."""
    radii = 0.24 * rng.uniform(0.15, 1.0, 2)
    turn = rng.uniform(0, 2 * math.pi)
    way = np.array([math.cos(turn), math.sin(turn)])
    if kind.startswith("ellipses"):
        flat, angles = rng.uniform(0.15, 1.0, 2), rng.uniform(0, 180, 2)

        def ellipses(far: float) -> Ellipses:
            places = [np.full(2, 0.5), 0.5 + far * way]
            return Ellipses(
                tuple(
                    Ellipse(tuple(place.tolist()), (r, r * part), float(angle))
                    for place, r, part, angle in zip(places, radii, flat, angles, strict=True)
                )
            )

        return ellipses
    sides = str(rng.choice(["straight", "curved"]))
    smooth = float(rng.choice([0.0, 0.1]) * radii[0]) if sides == "straight" else 0.0
    outlines = [_star(rng, r) for r in radii]
    if rng.uniform() < _HARD:
        # Sides along each other.
        box = np.array([(-1, -0.6), (1, -0.6), (1, 0.6), (-1, 0.6)])
        outlines, way = [r * box for r in radii], np.array([0.0, 1.0])

    def polygons(far: float) -> Polygons:
        places = (outlines[0] + 0.5, outlines[1] + 0.5 + far * way)
        return Polygons(
            tuple(Polygon(tuple(map(tuple, p.tolist())), sides, smooth) for p in places)
        )

    return polygons


def _star(rng: np.random.Generator, radius: float) -> np.ndarray:
    count = int(rng.integers(3, 10))
    t = 2 * math.pi * (np.arange(count) + rng.uniform(-0.3, 0.3, count)) / count
    r = radius * rng.uniform(0.6, 1.0, count)
    return np.column_stack([r * np.cos(t), r * np.sin(t)])


def _brought_near(cell: Pair, gap: float) -> Ellipses | Polygons:
    """The cell of two outlines with this gap up to a fiftieth, by bisection."""
    low, high = 0.0, 0.5
    found = cell(high)
    for _ in range(60):
        middle = (low + high) / 2
        try:
            found = cell(middle)
            width = min((a.width for a in found.surroundings.approaches), default=1.0)
        except InputError:
            width = 0.0
        if abs(width - gap) < 0.02 * gap:
            break
        low, high = (middle, high) if width < gap else (low, middle)
    return found


# ---- polygons ----


def _polygons(rng: np.random.Generator, kind: str) -> Polygons:
    height = float(rng.choice([1.0, 1.0, rng.uniform(0.5, 2.0)]))
    count, cells = int(rng.integers(1, 7)), ()
    for _ in range(400):
        try:
            cells = Polygons((*cells, _polygon(rng, kind, height)), height=height).cells
        except InputError:
            continue
        if len(cells) == count:
            break
    return Polygons(cells, height=height)


def _polygon(rng: np.random.Generator, kind: str, height: float) -> Polygon:
    """A star with rays at uneven angles, on or off the faces of the cell; a rectangle at times."""
    for _ in range(1000):
        radius = float(0.03 * (0.45 / 0.03) ** rng.uniform())
        center = rng.uniform(size=2) * (1.0, height)
        count = int(rng.integers(3, 13))
        t = 2 * math.pi * (np.arange(count) + rng.uniform(-0.3, 0.3, count)) / count
        r = radius * rng.uniform(0.6, 1.0, count)
        points = center + np.column_stack([r * np.cos(t), r * np.sin(t)])
        if rng.uniform() < _HARD and "curved" not in kind:
            # Sides along the faces of the cell, and on one of them.
            x, y = center if rng.uniform() < 0.5 else (0.0, float(center[1]))
            a, b = radius * rng.uniform(0.3, 1.0, 2)
            points = np.array([(x, y), (x + a, y), (x + a, y + b), (x, y + b)])
        smooth = float(radius * rng.uniform(0.02, 0.2)) if "round" in kind else 0.0
        try:
            sides = "curved" if "curved" in kind else "straight"
            return Polygon(tuple(map(tuple, points.tolist())), sides, smooth)
        except InputError:
            continue
    raise RuntimeError("no polygon")


# ---- images ----


def _image(rng: np.random.Generator, kind: str) -> LabelImage:
    for _ in range(50):
        columns = int(rng.integers(60, 161))
        rows = columns if rng.uniform() < 0.5 else int(columns * rng.uniform(0.6, 1.6))
        labels = (_blobs if "blobs" in kind else _touching)(rng, rows, columns)
        how = "mirror" if "mirror" in kind else "crop" if "crop" in kind else "as_is"
        if how != "as_is":
            labels = labels[: rows * 2 // 3, : columns * 2 // 3]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "labels.npy"
            np.save(file, labels)
            try:
                return LabelImage(file=str(file), pixel=0.1, periodic=how)
            except InputError as error:
                # Cells that span the image, have arms of two pixels, or share a border that runs
                # along an edge of the image are refused by right.
                if not any(word in str(error) for word in REFUSED):
                    raise
    raise RuntimeError("no image")


REFUSED = ("on every row or column", "thinner than two pixels", "does not touch an edge",
           "bends with a radius", "between label", "edges that do not fit")  # fmt: skip


def _blobs(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Where smoothed noise is large, each part with a label of its own."""
    noise = rng.standard_normal((rows, columns))
    along = [np.fft.fftfreq(n)[:, None] for n in (rows, columns)]
    scale = float(rng.uniform(4.0, 9.0))
    decay = np.exp(-0.5 * (2 * math.pi * scale) ** 2 * (along[0] ** 2 + along[1].T ** 2))
    smooth = np.fft.ifft2(np.fft.fft2(noise) * decay).real
    # Labels 1 and 2 by halves of the levels: one lies inside the other at times.
    level = np.quantile(smooth, rng.uniform(0.65, 0.85))
    return (smooth > level).astype(int) + (smooth > level + 0.6 * smooth.std())


def _touching(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Round cells that share straight borders, cut at a distance from their middles."""
    count = int(rng.integers(3, 13))
    middles = rng.uniform(size=(count, 2)) * (rows, columns)
    y, x = np.mgrid[:rows, :columns] + 0.5
    far = []
    for v, u in middles:
        dy, dx = y - v, x - u
        far.append(np.hypot(dy - np.round(dy / rows) * rows, dx - np.round(dx / columns) * columns))
    nearest = np.min(far, axis=0)
    largest = rng.uniform(0.5, 1.3) * math.sqrt(rows * columns / count / math.pi)
    largest = min(largest, 0.45 * min(rows, columns))
    return np.where(nearest < largest, np.argmin(far, axis=0) + 1, 0)
