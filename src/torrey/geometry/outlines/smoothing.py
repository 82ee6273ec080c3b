"""Smooth curves with few points, of the stairs that pixels make.

A curve is a sum of waves around a circle, in the complex plane.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.outlines.curves import SplineCurve

Array = NDArray[np.float64]
Waves = NDArray[np.complex128]

#: Distance of the samples that are filtered (pixels), and their number at least.
_STEP: Final = 0.4
_FEWEST: Final = 64
#: The filter along a curve is as wide as this, in pixels, at least, and as this part of a turn
#: around it (rad) at most; so many widths are tried.
_NARROWEST: Final = 1.0
_WIDEST: Final = 0.25
_TRIED: Final = 16
#: Angle by which a curve turns between two points of its spline, and how many there are at least.
_TURN: Final = 0.3
_POINTS: Final = 12


def smoothed(raw: Array, area: float, smooth: float, sharpest: float) -> Array:
    """Return the points of a smooth curve with an area.

    Parameters
    ----------
    raw : (n, 2) float
        A closed polygon, counterclockwise (pixels).
    area : float
        Inside the curve.
    smooth : float
        How far the curve may lie from the polygon (pixels).
    sharpest : float
        Radius of curvature (pixels); where the curve bends more sharply, it is smoothed further.
    """
    closed = np.vstack([raw, raw[:1]])
    arcs = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    length = float(arcs[-1])
    count = max(_FEWEST, 2 * math.ceil(length / _STEP / 2))
    even = np.arange(count) / count * length
    places = np.interp(even, arcs, closed[:, 0]) + 1j * np.interp(even, arcs, closed[:, 1])
    widths = np.geomspace(min(2 * math.pi / length * _NARROWEST, _WIDEST), _WIDEST, _TRIED).tolist()
    first = _smoothest(places, widths, smooth)
    for width in widths[first:]:
        points = _few(_with_area(_filtered(places, width), area), width, area)
        if SplineCurve(tuple(map(tuple, points.tolist()))).least_radius >= sharpest:
            break
    return points


def _few(modes: Waves, width: float, area: float) -> Array:
    """Points of a curve from which a spline makes it anew."""
    wave = _wave(len(modes))
    slope, bend = np.fft.ifft(1j * wave * modes), np.fft.ifft(-(wave**2) * modes)
    turning = np.abs((np.conj(slope) * bend).imag) / np.abs(slope) ** 2
    chosen = np.exp(1j * np.outer(_places(turning, width), wave)) / len(modes)
    points, along = _pairs(chosen @ modes), _pairs(chosen @ (1j * wave * modes))
    outward = np.column_stack([along[:, 1], -along[:, 0]])
    outward /= np.linalg.norm(along, axis=1)[:, None]
    for _ in range(2):
        curve = SplineCurve(tuple(map(tuple, points.tolist())))
        points = points + (area - curve.area) / curve.length * outward
    return points


def _wave(count: int) -> Array:
    return np.asarray(np.fft.fftfreq(count, 1 / count))


def _pairs(places: Waves) -> Array:
    return np.column_stack([places.real, places.imag])


def _smoothest(places: Waves, widths: list[float], smooth: float) -> int:
    """Number of the widest filter that moves no place by more than was asked for, else 0."""
    for i in reversed(range(len(widths))):
        if np.abs(np.fft.ifft(_filtered(places, widths[i])) - places).max() <= smooth:
            return i
    return 0


def _with_area(modes: Waves, area: float) -> Waves:
    """The curve moved along its normals until it has an area."""
    wave = _wave(len(modes))
    for _ in range(3):
        places, slope = np.fft.ifft(modes), np.fft.ifft(1j * wave * modes)
        speed = np.abs(slope)
        own = math.pi * float(np.mean((np.conj(places) * slope).imag))
        outward = -1j * slope / speed
        modes = np.fft.fft(places + (area - own) / (2 * math.pi * speed.mean()) * outward)
    return modes


def _filtered(places: Waves, width: float) -> Waves:
    """Modes of a curve after the filter: waves shorter than its width fade, long ones hardly do."""
    fading = 1 - np.exp(-0.5 * (_wave(len(places)) * width) ** 2)
    return np.asarray(np.fft.fft(places) * (1 - fading**2))


def _places(turning: Array, width: float) -> Array:
    """Places on the circle between which a curve turns by as much, and by little.

    The angle that it turns by a step of the circle is given at even places.
    """
    count = len(turning)
    least = _POINTS / (2 * math.pi)
    wave = _wave(count)
    modes = np.fft.fft(np.maximum(turning / _TURN, least))
    smooth = np.fft.ifft(modes * np.exp(-0.5 * (2 * wave * width) ** 2)).real
    density = np.maximum(smooth, least / 2)
    total = np.concatenate([[0.0], np.cumsum(density)]) * (2 * math.pi / count)
    points = max(_POINTS, math.ceil(total[-1] - 1e-6))
    circle = np.arange(count + 1) * (2 * math.pi / count)
    return np.interp(np.arange(points) / points * total[-1], total, circle)
