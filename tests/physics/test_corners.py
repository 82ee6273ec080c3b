"""Signals of cells with sharp corners are as near to those of finer meshes as they say."""

import math

import pytest

import torrey as tr
from torrey.cell.corners import has_corners

SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))


def regular(sides):
    turns = [2 * math.pi * i / sides for i in range(sides)]
    points = tuple((0.95 + 0.3 * math.cos(x), 0.5 + 0.3 * math.sin(x)) for x in turns)
    return tr.shapes.Polygons([tr.shapes.Polygon(points)])


SHAPES = {
    "square": (tr.shapes.Polygons([tr.shapes.Polygon(SQUARE)]), True),
    "obstacle": (tr.shapes.Polygons([tr.shapes.Polygon(SQUARE)], interior="obstacle"), True),
    "across the boundary": (regular(12), True),
    "nearly round": (regular(32), False),
    "round corners": (tr.shapes.Polygons([tr.shapes.Polygon(SQUARE, smooth=0.05)]), False),
    "coats": (tr.Discs([tr.Disc((0.0, 0.9), 0.3)], coat=0.05), False),
    "walls": (tr.Discs([tr.Disc((0.5, 0.5), 0.3)], exterior="wall"), False),
    "lines": (tr.Layers((0.5, 0.5)), False),
}


@pytest.mark.parametrize(("shape", "expected"), SHAPES.values(), ids=SHAPES)
def test_corners_are_seen_from_the_water(shape, expected):
    levels = tr.Cell(shape, 1.0, "10 um", mesh=tr.MeshOptions(0.25, 1)).medium.levels
    assert has_corners(levels[0].cell) is expected


def test_the_error_around_a_sharp_corner_is_not_less_than_it_is():
    D, pulses = {"outside": 3.0, "inside": 1.7}, tr.Pgse("5 ms", "25 ms")
    cell = tr.Cell(tr.shapes.Polygons([tr.shapes.Polygon(SQUARE)]), D, "10 um", 0.05, mesh=0.25)
    found = cell.signal(pulses, b=1.0, direction=(1, 0.3), tolerance=1e-3)
    # Of meshes three times finer, whose own estimate is 4e-6; rounded corners of 0.001: 0.326906.
    assert abs(found.item() - 0.326871) < float(found.numerical_error)
