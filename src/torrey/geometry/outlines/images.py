"""Cells of a label image: what pixels say, as smooth closed curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.outlines.base import LEAST_BEND, SIDES
from torrey.geometry.outlines.label_images import Periodic, made_periodic, read_labels
from torrey.geometry.outlines.polygons import PointOutlines, Polygon
from torrey.geometry.shapes import LEAST_GAP

if TYPE_CHECKING:
    from torrey.geometry.outlines.image_outlines import ImageObject

Division = Literal["labels", "parts"]

_DIGITS = 9


@dataclass(frozen=True)
class LabelImage(PointOutlines):
    """Cells of a label image (PNG, TIFF or NPY): its pixels hold 0 outside and a label inside.

    Labels are compartments, and their outlines smooth curves with the areas of the pixels. The
    image is read when the cell is made, which holds the curves from then on.

    Parameters
    ----------
    cells : tuple of Polygon
        Outlines in the place of a file.
    width, height : float
        Of the cell: its period (um), and its height over its width; an image says its own.
    interior : {"water", "obstacle"}
        Whether the insides are compartments behind membranes, or are not there.
    file : path, optional
        An image of one channel, seen as it is: x to the right, y upwards. Pixels are squares.
    pixel : float, optional
        Side of a pixel (um): the period is that of the image, unless another one is given.
    periodic : {"as_is", "mirror", "crop"}
        The image is one period; it and its mirror images are one, twice as wide and high; or cells
        that touch its edges are left out, and there is water in their place.
    compartments : {"labels", "parts"}
        All that has one label is one compartment, or each connected part of it.
    smooth : float
        How far an outline may move while the stairs of the pixels are smoothed (pixels).
    gap : float
        Width of the water between cells that touch each other (pixels).
    least_pixels : int
        Parts with fewer pixels are left out.

    Raises
    ------
    ValueError
        If the file is no label image, is not periodic, or has cells that cannot be meshed.
    """

    file: Path | None = declared(
        description="a label image, PNG, TIFF or NPY: 0 outside, a label in each cell", default=None
    )
    pixel: float | None = declared(
        unit="length",
        description="side of a pixel; another period of a study scales the image",
        default=None,
    )
    periodic: Periodic = declared(
        description="as_is (the image repeats), mirror (with its mirror images) or crop (without "
        "the cells at its edges)",
        default="as_is",
    )
    compartments: Division = declared(
        description="labels, or parts (each connected part of a label is one)", default="labels"
    )
    smooth: float = declared(
        description="a number of 0.1 to 5 pixels by which smoothing may move an outline",
        default=0.5,
    )
    gap: float = declared(
        description="a number of 0.5 to 4 pixels: width of the water between cells that touch",
        default=1.0,
    )
    least_pixels: int = declared(
        description="a whole number of pixels, at least 9: parts with fewer are left out",
        default=25,
    )

    kind: ClassVar[str] = "image"

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.file is not None:
            self._check_options()
            self._read()
        self._check_cells()

    def _check_options(self) -> None:
        if self.cells:
            raise InputError("cells and a file", "one of them", at=("file",))
        if self.width is not None:
            accepted = "pixel in its place: the image is as wide as its pixels"
            raise InputError("the width of an image", accepted, at=("width",))
        if self.height != 1.0:
            accepted = "no such key with an image, which says its height"
            raise InputError(f"{self.height:g}", accepted, at=("height",))
        if self.pixel is not None and not 0 < self.pixel < math.inf:
            raise InputError(f"{self.pixel:g} um", "a length above 0", at=("pixel",))
        for key, names in (("periodic", ("as_is", "mirror", "crop")),
                           ("compartments", ("labels", "parts"))):  # fmt: skip
            if (value := getattr(self, key)) not in names:
                raise InputError(f'"{value}"', " or ".join(names), at=(key,))
        for key, least, most in (("smooth", 0.1, 5.0), ("gap", 0.5, 4.0)):
            if not least <= (value := getattr(self, key)) <= most:
                raise InputError(f"{value:g}", f"{least:g} to {most:g} pixels", at=(key,))
        if self.least_pixels < 9:
            raise InputError(f"{self.least_pixels}", "9 pixels or more", at=("least_pixels",))

    def _read(self) -> None:
        """Put the outlines of the file in its place."""
        labels, left_out = made_periodic(read_labels(str(self.file)), self.periodic)
        rows, columns = labels.shape
        height = rows / columns
        if not SIDES[0] <= height <= SIDES[1]:
            accepted = f"a height of {SIDES[0]:g} to {SIDES[1]:g} times the width"
            raise InputError(f"{columns} x {rows} pixels", accepted, at=("file",))
        if self.gap <= 1.5 * LEAST_GAP * columns:
            raise InputError(
                f"{self.gap:g} pixels, {self.gap / columns:.2g} of the cell",
                f"a gap of {1.5 * LEAST_GAP * columns:.3g} pixels or more in an image of {columns}",
                at=("gap",),
            )
        # Readers are loaded where images are read.
        from torrey.geometry.outlines.image_outlines import find_objects

        sharpest = 1.5 * LEAST_BEND * columns
        found = find_objects(labels, self.smooth, self.gap, self.least_pixels, sharpest)
        cells = self._outlines(found.objects, columns, height)
        width = None if self.pixel is None else self.pixel * columns
        remarks = []
        if left_out:
            remarks.append(
                f"{_counted(left_out, 'cell')} at the edges of the image {_left(left_out)}"
            )
        if found.specks:
            parts = _counted(found.specks, "part")
            remarks.append(
                f"{parts} of fewer than {self.least_pixels} pixels {_left(found.specks)}"
            )
        if found.touching:
            pixels = f"{self.gap:g} pixel{'' if self.gap == 1 else 's'}"
            remarks.append(f"cells that touch are parted by {pixels}")
        defaults = {
            name: getattr(LabelImage, name)
            for name in (
                "file",
                "pixel",
                "periodic",
                "compartments",
                "smooth",
                "gap",
                "least_pixels",
            )
        }
        self._replace(cells=cells, width=width, height=height, **defaults, _remarks=tuple(remarks))

    def _outlines(
        self, objects: Sequence[ImageObject], columns: int, height: float
    ) -> tuple[Polygon, ...]:
        """The outlines of all objects, in units of the cell."""
        found: list[Polygon] = []
        count: dict[int, int] = {}
        for thing in sorted(objects, key=lambda thing: (thing.label == 0, thing.label)):
            number = count[thing.label] = count.get(thing.label, 0) + 1
            name = f"label_{thing.label}" if thing.label else f"hole_{number}"
            if thing.label and self.compartments == "parts" and number > 1:
                name = f"{name}_{number}"
            # An outline may start in any period: its middle is moved into the cell.
            points = thing.points / columns
            points = points - np.floor(points.mean(axis=0) / (1.0, height)) * (1.0, height)
            rounded = tuple(map(tuple, (np.round(points, _DIGITS) + 0.0).tolist()))
            try:
                found.append(Polygon(rounded, "curved", name=name))
            except InputError as error:
                raise InputError(f"{name}: {error.found}", error.accepted, at=("file",)) from None
            bend = found[-1].curve.least_radius
            if bend < LEAST_BEND:
                raise InputError(
                    f"{self.smooth:g} pixels, after which {name} bends with a radius of {bend:.2g}",
                    f"radii of {LEAST_BEND:g} of the cell or more: a larger number",
                    at=("smooth",),
                )
        return tuple(found)

    def remarks(self) -> tuple[str, ...]:
        """Return what was left out of the image that the cell was read from."""
        return tuple(self.__dict__.get("_remarks", ()))

    def describe(self) -> str:
        """Say how many cells the image has."""
        return f"image, {self._described('outline')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _left(count: int) -> str:
    return "is left out" if count == 1 else "are left out"
