"""Label images: PNG, TIFF or NPY files whose pixels say which cell they belong to, 0 for none."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import quoted, read_bytes
from torrey.base.errors import InputError

Labels = NDArray[np.int64]
Periodic = Literal["as_is", "mirror", "crop"]

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a file."""

MOST_PIXELS: Final = 4_000_000
"""Of an image: outlines of 2,000 by 2,000 pixels take some seconds."""

FEWEST_PIXELS: Final = 8
"""On each side of an image."""

#: Ends of names, and what reads them.
_ENDINGS: Final = (".png", ".tif", ".tiff", ".npy")
#: How deep an edge may cut a round cell before its two sides must fit (pixels), and what rows more
#: may differ.
_DEPTH: Final = 1.5
_SLACK: Final = 3


def read_labels(file: str) -> Labels:
    """Return the labels of an image, rows from the bottom upwards.

    Raises
    ------
    InputError
        At ``file``, if it is no image of labels.
    """
    path, kind = Path(file), Path(file).suffix.lower()
    if kind not in _ENDINGS:
        accepted = f"a file {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}"
        raise InputError(quoted(file), accepted, at=("file",))
    try:
        content = read_bytes(path, MOST_BYTES)
        found = _array(content) if kind == ".npy" else _picture(content)
    except InputError as error:
        raise InputError(f"{file}: {error.found}", error.accepted, at=("file",)) from None
    try:
        return _checked(found)
    except InputError as error:
        raise InputError(f"{file}: {error.found}", error.accepted, at=("file",)) from None


def _array(content: bytes) -> NDArray[Any]:
    try:
        found = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError) as error:
        said = str(error).splitlines()[0] if str(error) else "no array"
        raise InputError(f"{said[:80]}", "an array of numpy") from None
    return np.asarray(found)


def _picture(content: bytes) -> NDArray[Any]:
    # Only those who read pictures load their reader.
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "TIFF")) as image:
            frames, mode, (width, height) = getattr(image, "n_frames", 1), image.mode, image.size
            if frames != 1:
                raise InputError(f"{frames} pages", "an image of one page")
            if width * height > MOST_PIXELS:
                raise InputError(f"{width} x {height} pixels", f"at most {MOST_PIXELS:,}")
            # Pixels of a palette are its numbers; RGB has none.
            if mode not in ("1", "L", "P", "I", "F") and not mode.startswith("I;16"):
                raise InputError(
                    f"pixels of the kind {mode}",
                    "one whole number for each pixel: its label, 0 outside",
                )
            return np.asarray(image)
    except InputError:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InputError("no image that can be read", "PNG or TIFF") from None


def _checked(found: NDArray[Any]) -> Labels:
    if found.ndim != 2:
        shape = " x ".join(map(str, found.shape)) or "no axis"
        raise InputError(f"an array of {shape}", "rows and columns of one label each")
    if min(found.shape) < FEWEST_PIXELS or found.size > MOST_PIXELS:
        raise InputError(
            f"{found.shape[1]} x {found.shape[0]} pixels",
            f"{FEWEST_PIXELS} pixels or more on each side, at most {MOST_PIXELS:,} in all",
        )
    if found.dtype.kind not in "biuf":
        raise InputError(f"values of the type {found.dtype}", "whole numbers")
    if found.dtype.kind == "f" and not np.all(np.isfinite(found) & (found == np.round(found))):
        raise InputError("values that are not whole", "whole numbers: a label for each pixel")
    if not (found.min() >= 0 and found.max() < 2**31):
        raise InputError(f"labels from {found.min()} to {found.max()}", "labels from 0 to 2^31")
    if not found.any():
        raise InputError("no label above 0", "a label for the pixels of each cell, 0 outside")
    return np.asarray(found[::-1], dtype=np.int64)


def made_periodic(labels: Labels, how: Periodic) -> tuple[Labels, int]:
    """Return one period of an image, and how many cells were left out.

    Parameters
    ----------
    labels : (n_rows, n_columns) int
    how : {"as_is", "mirror", "crop"}
        The image is a period; it and its mirror images are one, twice as wide and high; or what
        touches its edges is left out, and water is in its place.

    Raises
    ------
    InputError
        If cells at opposite edges of an image that is taken as it is do not go on.
    """
    if how == "mirror":
        wide = np.hstack([labels, labels[:, ::-1]])
        return np.vstack([wide, wide[::-1]]), 0
    if how == "crop":
        from scipy.ndimage import label

        cropped, dropped = labels.copy(), 0
        for value in np.unique(_edges(labels)).tolist():
            if value:
                parts, _ = label(labels == value)
                touching = set(np.unique(_edges(parts)).tolist()) - {0}
                cropped[np.isin(parts, sorted(touching))] = 0
                dropped += len(touching)
        if not cropped.any():
            accepted = "cells that lie inside the image, or periodic: mirror"
            raise InputError("no cell that does not touch an edge", accepted, at=("periodic",))
        return cropped, dropped
    _check_edges(labels, "left and right")
    _check_edges(labels.T, "lower and upper")
    return labels, 0


def _edges(image: Labels) -> Labels:
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def _check_edges(labels: Labels, which: str) -> None:
    """Refuse an image whose first and last columns differ in a way that cells cannot explain."""
    first, last = labels[:, 0], labels[:, -1]
    areas = np.bincount(np.unique(labels, return_inverse=True)[1].ravel())
    number = {int(value): i for i, value in enumerate(np.unique(labels))}
    worst: tuple[float, str] = (1.0, "")
    start, n = 0, len(first)
    for i in range(1, n + 1):
        if i < n and first[i] == first[start] and last[i] == last[start]:
            continue
        a, b, length = int(first[start]), int(last[start]), i - start
        if a != b:
            area = min(areas[number[value]] for value in (a, b) if value)
            # A round cell that an edge cuts by so little is as wide there.
            allowed = _SLACK + 2 * np.sqrt(2 * _DEPTH * np.sqrt(area / np.pi))
            at = start if which.startswith("left") else start + 1
            if length / allowed > worst[0]:
                rows = f"rows {n - i + 1} to {n - start}" if at == start else f"columns {at} to {i}"
                worst = length / allowed, f"{rows}: label {a} and label {b}"
        start = i
    if worst[1]:
        raise InputError(
            f"{which} edges that do not fit: worst are the {worst[1]}",
            "an image that repeats, with the same labels at opposite edges; or periodic: mirror, "
            "or crop",
            at=("periodic",),
        )
