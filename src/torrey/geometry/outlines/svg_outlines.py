"""Closed outlines of an SVG drawing: paths, circles, ellipses, rectangles and polygons.

svgelements reads the drawing and applies its transforms. Sides that are straight stay so; what is
curved becomes points, dense enough for a spline to follow it within 1e-6 of its size.
"""

from __future__ import annotations

import io
import math
import re
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError

Array = NDArray[np.float64]

#: Angle by which a curve turns between two points, at most (rad), and where it counts as a corner.
_TURN: Final = 0.07
_CORNER: Final = math.radians(2.0)
#: Places of a part of a path that are looked at to find out how it turns.
_PROBES: Final = 64
#: Points that are nearer to each other are one (of the width of the drawing).
_SAME: Final = 1e-7


def read_svg(file: str, text: str) -> tuple[list[tuple[str, Array, bool]], float]:
    """Return the closed outlines of a drawing, and its height over its width.

    Parameters
    ----------
    file : str
        Named in messages.
    text : str

    Returns
    -------
    outlines : list of (str, (n, 2) float, bool)
        Name, points in units of the width of the drawing with y upwards, whether it is curved.
    height : float

    Raises
    ------
    InputError
        If the text is no drawing, a path is open, or one has curves and corners.
    """
    from svgelements import SVG, Image, Shape, Text
    from svgelements import Path as SvgPath

    try:
        drawing = SVG.parse(io.StringIO(text), reify=True)
        width, height = float(drawing.width), float(drawing.height)
    except (ParseError, AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{file}: {error}", "a drawing in SVG", at=("file",)) from None
    sized = drawing.viewbox is not None or {"width", "height"} <= drawing.values.keys()
    if not sized or not (width > 0 and height > 0):
        accepted = "a viewBox, or width and height: they are those of the cell"
        raise InputError(f"{file}: a drawing without a size", accepted, at=("file",))
    found: list[tuple[str, Array, bool]] = []
    names: set[str] = set()
    for element in drawing.elements():
        if isinstance(element, Text | Image):
            what = type(element).__name__.lower()
            raise InputError(f"{file}: {what}", "closed outlines alone: remove it", at=("file",))
        if not isinstance(element, Shape):
            continue
        name = element.id or ""
        for i, part in enumerate(abs(SvgPath(element)).as_subpaths(), start=1):
            segments = list(SvgPath(part))
            if len(segments) < 2:
                continue
            where = f"{file}, {type(element).__name__.lower()} {name or len(found) + 1}"
            points, curved = _outline(where, segments, width)
            own = _unique(name if i == 1 else f"{name}_{i}" if name else "", names)
            found.append((own, (points * [1, -1] + [0, height]) / width, curved))
    return found, height / width


def _unique(name: str, taken: set[str]) -> str:
    """A name that no outline has yet; none where it cannot be one."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:36]
    if not re.match("[A-Za-z]", name):
        return ""
    own, number = name, 1
    while own in taken:
        number += 1
        own = f"{name}_{number}"
    taken.add(own)
    return own


def _outline(where: str, segments: list[Any], width: float) -> tuple[Array, bool]:
    """Points of a closed path, and whether it is curved."""
    # Ends that coincide are often closed once more, by nothing.
    drawn = [s for s in segments if type(s).__name__ != "Move"]
    probed = [(segment, _probed(segment)) for segment in drawn]
    long = [(s, p) for s, p in probed if np.ptp(p, axis=0).max() > _SAME * width]
    parts = [probes for _, probes in long]
    if not parts:
        raise InputError(f"{where}: a path of no length", "closed outlines", at=("file",))
    gap = float(np.linalg.norm(parts[-1][-1] - parts[0][0]))
    if gap > _SAME * width:
        raise InputError(f"{where}: an open path", "closed ones: end it with Z", at=("file",))
    if not any(len(part) > 2 for part in parts):
        return np.array([part[0] for part in parts]), False
    # Directions at the ends of each part.
    starts = [_direction(part[1] - part[0]) for part in parts]
    ends = [_direction(part[-1] - part[-2]) for part in parts]
    turning = [_turn(ends[i - 1], starts[i]) for i in range(len(parts))]
    worst = int(np.argmax(np.abs(turning)))
    # A chord at the end of a part is off its tangent by a part of its own turn.
    if abs(turning[worst]) > _CORNER + math.pi / _PROBES:
        x, y = parts[worst][0]
        raise InputError(
            f"{where}: a curve with a corner at ({x:.5g}, {y:.5g})",
            "outlines that are smooth all around, or have straight sides alone",
            at=("file",),
        )
    return np.concatenate([_thinned(segment, probes) for segment, probes in long]), True


def _probed(segment: Any) -> Array:
    """Ends of a straight part; places along a curved one."""
    if type(segment).__name__ in ("Line", "Close"):
        return np.array([_place(segment, 0.0), _place(segment, 1.0)])
    return np.array([_place(segment, t) for t in np.linspace(0, 1, _PROBES + 1)])


def _place(segment: Any, t: float) -> tuple[float, float]:
    point = segment.point(t)
    return float(point.x), float(point.y)


def _thinned(segment: Any, probes: Array) -> Array:
    """Points along a part without its end: few where it is straight, enough where it turns."""
    steps = np.diff(probes, axis=0)
    turns = [
        abs(_turn(_direction(a), _direction(b))) for a, b in zip(steps, steps[1:], strict=False)
    ]
    count = max(4, math.ceil(1.05 * math.fsum(turns) / _TURN))
    return np.array([_place(segment, t) for t in np.arange(count) / count])


def _direction(step: Array) -> Array:
    return np.asarray(step / max(float(np.linalg.norm(step)), 1e-300))


def _turn(first: Array, second: Array) -> float:
    return math.atan2(first[0] * second[1] - first[1] * second[0], float(first @ second))
