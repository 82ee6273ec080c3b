"""From the pixels of a periodic label image to smooth closed curves.

Each connected part of a label, holes filled, is an object. Its indicator is blurred, and the curve
is where that falls to one half; where objects touch, the levels are raised so that they part. The
curve, which bears the stairs of the pixels, is smoothed along its length by a filter that shrinks
nothing to first order, as far as it stays within half a pixel of where it was. It is moved so that
its area is that of the pixels, and cut down to the points that a spline needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.geometry.outlines.curves import SplineCurve, signed_area
from torrey.geometry.outlines.label_images import Labels
from torrey.geometry.outlines.smoothing import smoothed
from torrey.geometry.outlines.surroundings import Surroundings

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Standard deviation of the blurring of indicators (pixels).
_BLUR: Final = 1.0
#: Frame around an object that is looked at (pixels).
_FRAME: Final = 6
#: Part of the pixels of an object that its curve may lose.
_LOST: Final = 0.25


#: How often the room between curves is widened where smoothing took it, by how much each time, and
#: the part of it that must be left.
_WIDENINGS: Final = 6
_WIDER: Final = 1.3
_KEPT: Final = 0.6


@dataclass(frozen=True)
class ImageObject:
    """A connected part of a label, or water that it encloses.

    Attributes
    ----------
    label : int
        0 for enclosed water.
    pixels : int
        With what is inside.
    points : (n, 2) float
        Around it, in pixels from the lower left corner of the image.
    """

    label: int
    pixels: int
    points: Array


@dataclass(frozen=True)
class _Part:
    """A connected part of the pixels: where its window starts, and the filled pixels in it."""

    number: int
    label: int
    corner: tuple[int, int]
    filled: Mask


@dataclass(frozen=True)
class Found:
    """The objects of an image.

    Attributes
    ----------
    objects : tuple of ImageObject
    specks : int
        Parts that were too small.
    touching : int
        Objects that touch others.
    """

    objects: tuple[ImageObject, ...]
    specks: int
    touching: int


def find_objects(labels: Labels, smooth: float, gap: float, least: int, sharpest: float) -> Found:
    """Return the objects of a periodic label image.

    Parameters
    ----------
    labels : (n_rows, n_columns) int
        Rows from the bottom upwards.
    smooth : float
        How far a curve may move from the blurred border of the pixels while it is smoothed
        (pixels).
    gap : float
        Width of the water between objects that touch (pixels).
    least : int
        Pixels of an object; smaller ones are left out.

    sharpest : float
        Radius of curvature that no curve falls below (pixels).

    Raises
    ------
    InputError
        If an object reaches around the image or is too thin, or all are too small.
    """
    numbers, values = _components(labels)
    numbers, values, dropped = _without_specks(numbers, values, least)
    parts = {part.number: part for part in _parts(numbers, values)}
    around = _ancestors(numbers, parts)
    outside = _outside(values, parts)
    beside = {}
    for number, part in parts.items():
        window = _window(numbers, part)
        beside[number] = ~part.filled & ~np.isin(window, [*around[number], *outside])
    gaps = dict.fromkeys(parts, gap)
    curves: dict[int, Array] = {}
    todo = set(parts)
    for _ in range(_WIDENINGS + 1):
        for number in todo:
            filters = smooth, sharpest
            curves[number] = _curve(parts[number], beside[number], gaps[number], filters)
        todo = _too_near(curves, todo, labels.shape, _KEPT * gap)
        for number in todo:
            gaps[number] *= _WIDER
    found = tuple(
        ImageObject(part.label, int(part.filled.sum()), curves[number])
        for number, part in parts.items()
    )
    touching = sum(_touches(parts[number].filled, near) for number, near in beside.items())
    return Found(found, dropped, touching)


def _touches(filled: Mask, beside: Mask) -> bool:
    from scipy.ndimage import binary_dilation

    return bool(np.any(binary_dilation(filled) & beside))


def _too_near(
    curves: dict[int, Array], moved: set[int], shape: tuple[int, ...], least: float
) -> set[int]:
    """Objects nearer than some pixels to one that was moved, or to their own image."""
    if not moved:
        return set()
    rows, columns = shape
    numbers = list(curves)
    outlines = [SplineCurve(tuple(map(tuple, (p / columns).tolist()))) for p in curves.values()]
    if len(moved) < len(numbers):
        # Those whose boxes, a little wider, do not meet one that was moved are left out.
        numbers, outlines = _near(numbers, outlines, moved, np.array([1.0, rows / columns]))
    approaches = Surroundings(outlines, np.array([1.0, rows / columns])).approaches
    narrow = [
        a for a in approaches if a.width * columns < least and (a.first != a.second or a.is_image)
    ]
    return {numbers[i] for a in narrow for i in (a.first, a.second)}


def _near(
    numbers: list[int], outlines: list[SplineCurve], moved: set[int], sides: Array
) -> tuple[list[int], list[SplineCurve]]:
    """Those objects whose bounding boxes come near to one of some."""
    places = [outline.samples.places for outline in outlines]
    middle = np.array([(p.max(axis=0) + p.min(axis=0)) / 2 for p in places])
    half = np.array([np.ptp(p, axis=0) / 2 for p in places]) + 0.01
    kept = []
    for i in range(len(numbers)):
        for j in (j for j, number in enumerate(numbers) if number in moved):
            apart = middle[i] - middle[j]
            apart -= np.round(apart / sides) * sides
            if np.all(np.abs(apart) < half[i] + half[j]):
                kept.append(i)
                break
    return [numbers[i] for i in kept], [outlines[i] for i in kept]


def _components(labels: Labels) -> tuple[Labels, list[int]]:
    """Number the connected parts across the edges, water included, and return their labels."""
    from scipy.ndimage import label
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers = np.zeros_like(labels)
    values: list[int] = []
    for value in np.unique(labels).tolist():
        # Water goes through where two cells touch at a corner of a pixel.
        corners = np.ones((3, 3)) if value == 0 else None
        parts, count = label(labels == value, corners)
        numbers[parts > 0] = parts[parts > 0] + len(values) - 1
        values += [value] * count
    links = []
    for a, b in ((numbers[:, -1], numbers[:, 0]), (numbers[-1], numbers[0])):
        water = [(a, np.roll(b, s)) for s in (-1, 1)]
        for i, (x, y) in enumerate([(a, b), *water]):
            same = np.array([values[n] for n in x]) == np.array([values[n] for n in y])
            if i:
                same &= np.array([values[n] for n in x]) == 0
            links.append(np.stack([x[same], y[same]]))
    rows, columns = np.concatenate(links, axis=1)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(values),) * 2)
    _, merged = connected_components(graph, directed=False)
    _, first = np.unique(merged, return_index=True)
    return merged[numbers].astype(np.int64), [values[i] for i in first]


def _without_specks(
    numbers: Labels, values: list[int], least: int
) -> tuple[Labels, list[int], int]:
    """Give small parts to what is around them, most of all."""
    sizes = np.bincount(numbers.ravel(), minlength=len(values))
    small = np.flatnonzero(sizes < least).tolist()
    largest = max(int(sizes[i]) for i, value in enumerate(values) if value)
    if largest < least:
        accepted = f"at most {largest}: the pixels of the largest cell"
        raise InputError(f"{least}", accepted, at=("least_pixels",))
    dropped = 0
    numbers = numbers.copy()
    for number in sorted(small, key=lambda i: int(sizes[i])):
        rows, columns = np.nonzero(numbers == number)
        if not len(rows):
            continue
        around = np.concatenate(
            [
                numbers[(rows + dr) % numbers.shape[0], (columns + dc) % numbers.shape[1]]
                for dr, dc in ((0, 1), (0, -1), (1, 0), (-1, 0))
            ]
        )
        around = around[around != number]
        # Water takes what touches it; a speck in a cell becomes a part of the cell.
        water = [n for n in np.unique(around).tolist() if values[n] == 0]
        numbers[rows, columns] = water[0] if water else int(np.bincount(around).argmax())
        dropped += 1
    return numbers, values, dropped


def _parts(numbers: Labels, values: list[int]) -> Iterator[_Part]:
    """All objects: parts of labels, and water that does not reach around the image."""
    for number in np.unique(numbers).tolist():
        mask = numbers == number
        corner = _corner(mask)
        if corner is None:
            if values[number]:
                raise InputError(
                    f"label {values[number]} on every row or column of the image",
                    "cells that end within one period of the image",
                    at=("file",),
                )
            continue
        part = _Part(number, values[number], corner, _filled(mask, corner))
        if part.label or _is_enclosed(numbers, part):
            yield part


def _corner(mask: Mask) -> tuple[int, int] | None:
    """Row and column where a part starts that may reach across the edges; None if it spans all."""
    rows, columns = np.any(mask, axis=1), np.any(mask, axis=0)
    if rows.all() or columns.all():
        return None
    return _behind_widest(~rows), _behind_widest(~columns)


def _behind_widest(free: Mask) -> int:
    """Index behind the longest stretch of a periodic line."""
    n = len(free)
    start = int(np.argmin(free))
    turned = np.roll(free, -start)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], turned.astype(int), [0]])))
    stretches = edges.reshape(-1, 2)
    longest = stretches[np.argmax(stretches[:, 1] - stretches[:, 0])]
    return int((start + longest[1]) % n)


def _filled(mask: Mask, corner: tuple[int, int]) -> Mask:
    """The part and its holes, in a window with a frame around it."""
    from scipy.ndimage import binary_fill_holes

    rolled = np.roll(mask, (-corner[0], -corner[1]), axis=(0, 1))
    high = int(np.flatnonzero(rolled.any(axis=1))[-1]) + 1
    wide = int(np.flatnonzero(rolled.any(axis=0))[-1]) + 1
    filled = binary_fill_holes(rolled[:high, :wide], np.ones((3, 3)))
    return np.asarray(np.pad(filled, _FRAME))


def _window(numbers: Labels, part: _Part) -> Labels:
    """Numbers of the parts in the window of one."""
    rows = np.arange(part.filled.shape[0]) + part.corner[0] - _FRAME
    columns = np.arange(part.filled.shape[1]) + part.corner[1] - _FRAME
    return numbers[np.ix_(rows % numbers.shape[0], columns % numbers.shape[1])]


def _is_enclosed(numbers: Labels, part: _Part) -> bool:
    """Whether all around a part of water is one other part: it is a hole of that."""
    from scipy.ndimage import binary_dilation

    ring = binary_dilation(part.filled, np.ones((3, 3))) & ~part.filled
    return len(np.unique(_window(numbers, part)[ring])) == 1


def _ancestors(numbers: Labels, parts: dict[int, _Part]) -> dict[int, set[int]]:
    """Parts that hold each part inside them."""
    found: dict[int, set[int]] = {number: set() for number in parts}
    for part in parts.values():
        for inner in np.unique(_window(numbers, part)[part.filled]).tolist():
            if inner not in found:
                raise InputError(
                    f"pixels of label 0 between label {part.label} and cells inside it",
                    "a label of their own, or that of the cell: nothing says whose water it is",
                    at=("file",),
                )
            if inner != part.number:
                found[inner].add(part.number)
    return found


def _outside(values: list[int], parts: dict[int, _Part]) -> list[int]:
    """Parts that are no objects: the water outside."""
    return [number for number in range(len(values)) if number not in parts]


def _curve(part: _Part, beside: Mask, gap: float, filters: tuple[float, float]) -> Array:
    """Points around an object, in pixels."""
    from scipy.ndimage import gaussian_filter

    inner = gaussian_filter(part.filled.astype(float), _BLUR, mode="constant")
    field, count = inner - 0.5, int(part.filled.sum())
    raw = _contour(field)
    lost = 0.0 if raw is None else signed_area(raw) - count
    if raw is None or abs(lost) > _LOST * count:
        row, column = (int(x) + 1 for x in np.argwhere(part.filled).mean(axis=0))
        raise InputError(
            f"label {part.label} thinner than two pixels around column "
            f"{column + part.corner[1] - _FRAME}, row {row + part.corner[0] - _FRAME} from below",
            "cells of three pixels and more across: a finer image, or a larger least_pixels",
            at=("file",),
        )
    if beside.any():
        outer = gaussian_filter(beside.astype(float), _BLUR, mode="nearest")
        level = 0.5 * (1 + math.erf(gap / 2 / _BLUR / math.sqrt(2)))
        parted = _contour(field - (level - 0.5) / (level * (1 - level)) * inner * outer)
        if parted is None:
            raise InputError(f"label {part.label}, for which no room is left", "a smaller gap",
                             at=("gap",))  # fmt: skip
        raw = parted
    return (
        smoothed(raw, signed_area(raw) - lost, *filters)
        + 0.5
        + np.array(part.corner[::-1])
        - _FRAME
    )


def _contour(field: Array) -> Array | None:
    """The longest closed curve at level zero, counterclockwise, as columns and rows."""
    from contourpy import contour_generator

    lines = [np.asarray(line, float) for line in contour_generator(z=field).lines(0.0)]
    closed = [x[:-1] for x in lines if len(x) > 3 and np.allclose(x[0], x[-1])]
    if not closed:
        return None
    longest = max(closed, key=lambda points: abs(signed_area(points)))
    return longest if signed_area(longest) > 0 else longest[::-1]
