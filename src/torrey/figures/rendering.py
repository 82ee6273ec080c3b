"""Pictures of surfaces in space: a depth buffer of layers in numpy.

Matplotlib sorts whole triangles, which goes wrong where surfaces cross, and gives each one colour.
Here every pixel has its own light, from normals that are interpolated between the vertices, and the
layers behind it in their order, so that transparent surfaces may cross. No graphics library is
needed, and the picture is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

#: Direction of the light from the camera's right, above it, and towards it.
_LIGHT: Final = np.array([-0.35, 0.55, 0.76])
#: Shares of light from everywhere, the rest being that of the lamp, and of what mirrors it;
#: sharpness of the latter.
_AMBIENT, _SHINE, _SHARPNESS = 0.52, 0.2, 24
#: Rows of samples rendered at a time, and candidates of pixels: they bound the memory.
_ROWS: Final = 256
_CANDIDATES: Final = 2_000_000
#: What is left of the background where layers behind no longer matter.
_HIDDEN: Final = 2e-3


@dataclass(frozen=True)
class Surface:
    """Triangles of one colour.

    Attributes
    ----------
    corners : (n, 3, 6) float
        Places and normals of their corners; a normal of any length, to either side.
    color : str
    opacity : float
    """

    corners: Array
    color: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Camera:
    """A view from far away, in parallel projection.

    Attributes
    ----------
    elevation, azimuth : float
        Where the camera stands (degrees), as in matplotlib.
    centre : (3,) sequence of float
        What is in the middle of the picture.
    width : float
        Of the picture, which is a square.
    """

    elevation: float
    azimuth: float
    centre: tuple[float, float, float]
    width: float

    @property
    def axes(self) -> Array:
        """Unit vectors to the right, upward and towards the camera, shape (3, 3)."""
        e, a = np.radians([self.elevation, self.azimuth])
        return np.array(
            [
                [-np.sin(a), np.cos(a), 0.0],
                [-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e)],
                [np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)],
            ]
        )

    def project(self, places: Array) -> Array:
        """Right, upward and nearness, each from 0 to 1 across the picture; shape (..., 3)."""
        shifted = (np.asarray(places, dtype=float) - self.centre) @ self.axes.T
        projected: Array = shifted / self.width + 0.5
        return projected


@dataclass(frozen=True)
class _Layers:
    """Points of surfaces under samples of the picture."""

    sample: Numbers
    nearness: Array
    color: Array
    opacity: Array


def render(
    surfaces: Sequence[Surface],
    camera: Camera,
    pixels: int,
    samples: int = 2,
    ambient: float = _AMBIENT,
) -> Array:
    """Picture of some surfaces, shape (pixels, pixels, 4): red, green, blue, opacity.

    Parameters
    ----------
    surfaces : sequence of Surface
    camera : Camera
    pixels : int
        Width and height; the first row is the highest.
    samples : int
        Along each side of a pixel.
    ambient : float
        Share of light that comes from everywhere; the rest is that of the lamp.
    """
    size = pixels * samples
    scale = np.array([size, size, 1.0])
    views = []
    for surface in surfaces:
        seen = camera.project(surface.corners[..., :3]) * scale
        seen[..., 1] = size - seen[..., 1]
        views.append((seen, surface.corners[..., 3:] @ camera.axes.T, surface))
    bands = []
    for first in range(0, size, _ROWS):
        last = min(first + _ROWS, size)
        found = [
            layers
            for seen, normals, surface in views
            for layers in _layers(seen, normals, surface, (first, last), size, ambient)
        ]
        bands.append(_blend(found, (last - first) * size).reshape(last - first, size, 4))
    image = np.concatenate(bands).reshape(pixels, samples, pixels, samples, 4).mean(axis=(1, 3))
    # Colours are weighted by their opacity up to here.
    image[..., :3] /= np.maximum(image[..., 3:], 1e-12)
    return np.clip(image, 0.0, 1.0)


def _layers(
    seen: Array,
    normals: Array,
    surface: Surface,
    rows: tuple[int, int],
    size: int,
    ambient: float,
) -> Iterator[_Layers]:
    """What some rows of samples show of a surface."""
    x, y = seen[..., 0], seen[..., 1]
    # Samples are in the middles of their squares.
    left = np.ceil(x.min(axis=1) - 0.5).clip(0, size).astype(np.int64)
    right = (np.floor(x.max(axis=1) - 0.5) + 1).clip(0, size).astype(np.int64)
    top = np.ceil(y.min(axis=1) - 0.5).clip(*rows).astype(np.int64)
    bottom = (np.floor(y.max(axis=1) - 0.5) + 1).clip(*rows).astype(np.int64)
    wide = np.maximum(right - left, 0)
    counts = wide * np.maximum(bottom - top, 0)
    chosen = np.flatnonzero(counts)
    groups = np.cumsum(counts[chosen]) // _CANDIDATES
    for part in np.split(chosen, np.flatnonzero(np.diff(groups)) + 1):
        if not len(part):
            continue
        number = np.repeat(part, counts[part])
        before = np.repeat(np.cumsum(counts[part]) - counts[part], counts[part])
        place = np.arange(len(number)) - before
        column = left[number] + place % wide[number]
        row = top[number] + place // wide[number]
        weights = _weights(x[number], y[number], column + 0.5, row + 0.5)
        inside = np.flatnonzero((weights >= 0.0).all(axis=1))
        number, weights = number[inside], weights[inside]
        yield _Layers(
            sample=(row[inside] - rows[0]) * size + column[inside],
            nearness=np.einsum("ni,ni->n", weights, seen[number, :, 2]),
            color=_shade(np.einsum("ni,nia->na", weights, normals[number]), surface.color, ambient),
            opacity=np.full(len(number), surface.opacity),
        )


def _weights(x: Array, y: Array, column: Array, row: Array) -> Array:
    """Weights (n, 3) of the corners of triangles at one place each; of flat ones not a number."""
    dx, dy = x - column[:, None], y - row[:, None]
    areas = np.roll(dx, -1, axis=1) * np.roll(dy, -2, axis=1)
    areas -= np.roll(dx, -2, axis=1) * np.roll(dy, -1, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights: Array = areas / areas.sum(axis=1, keepdims=True)
    return weights


def _shade(normals: Array, color: str, ambient: float) -> Array:
    """Colours (n, 3) under one lamp; both sides of a surface look the same."""
    towards = np.where(normals[:, 2:] < 0.0, -normals, normals)
    towards /= np.maximum(np.linalg.norm(towards, axis=1, keepdims=True), 1e-300)
    lamp = _LIGHT / np.linalg.norm(_LIGHT)
    middle = lamp + [0.0, 0.0, 1.0]
    light = ambient + (1.0 - ambient) * np.maximum(towards @ lamp, 0.0)
    mirrored = np.maximum(towards @ (middle / np.linalg.norm(middle)), 0.0) ** _SHARPNESS
    lit: Array = light[:, None] * np.array(to_rgb(color)) + _SHINE * mirrored[:, None]
    return np.minimum(lit, 1.0)


def _blend(found: Sequence[_Layers], count: int) -> Array:
    """Layers one behind the other, shape (count, 4): colours weighted by opacity, and opacity."""
    result = np.zeros((count, 4))
    if not found:
        return result
    sample = np.concatenate([layers.sample for layers in found])
    order = np.lexsort((-np.concatenate([layers.nearness for layers in found]), sample))
    sample = sample[order]
    color = np.concatenate([layers.color for layers in found])[order]
    opacity = np.concatenate([layers.opacity for layers in found])[order]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(sample) > 0]))
    ends = np.append(starts[1:], len(sample))
    through = np.ones(len(starts))
    current, open_ = starts.copy(), np.arange(len(starts))
    while len(open_):
        layer, pixel = current[open_], sample[starts[open_]]
        part = through[open_] * opacity[layer]
        result[pixel, :3] += part[:, None] * color[layer]
        result[pixel, 3] += part
        through[open_] -= part
        current[open_] += 1
        open_ = open_[(current[open_] < ends[open_]) & (through[open_] > _HIDDEN)]
    return result


def tube(start: Array, end: Array, radius: float, sides: int = 10) -> Array:
    """Corners (2 sides, 3, 6) of a thin tube, for edges that surfaces may hide."""
    along = (end - start) / np.linalg.norm(end - start)
    across = np.cross(along, np.eye(3)[np.abs(along).argmin()])
    across /= np.linalg.norm(across)
    angles = 2.0 * np.pi * np.arange(sides + 1) / sides
    round_ = np.outer(np.cos(angles), across) + np.outer(np.sin(angles), np.cross(along, across))
    low, high = (np.hstack([place + radius * round_, round_]) for place in (start, end))
    first = np.stack([low[:-1], low[1:], high[:-1]], axis=1)
    second = np.stack([high[:-1], low[1:], high[1:]], axis=1)
    return np.concatenate([first, second])
