"""Polygons and curves through points: exact measures, round corners, files, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.config.load import load
from torrey.geometry import Ellipse, Ellipses, MeshOptions, Polygon, Polygons, shape_from_dict
from torrey.geometry.checks import check_mesh
from torrey.geometry.meshing import build_meshes
from torrey.geometry.outlines.curves import SplineCurve

SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
TRIANGLE = ((0.2, 0.2), (0.8, 0.2), (0.5, 0.7))
#: An opening of 5e-4 between the ends of a C.
C = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.5), (0.7, 0.5), (0.7, 0.3), (0.3, 0.3), (0.3, 0.7))
C = (*C, (0.8, 0.7), (0.8, 0.50005), (0.9, 0.50005), (0.9, 0.8), (0.2, 0.8))


def star(count: int, center: tuple[float, float] = (0.95, 0.5)) -> tuple[tuple[float, float], ...]:
    """Points of a smooth star that reaches across the boundary of the cell."""
    t = 2 * math.pi * np.arange(count) / count
    r = 0.3 + 0.05 * np.cos(5 * t)
    return tuple(zip(center[0] + r * np.cos(t), center[1] + r * np.sin(t), strict=True))


@pytest.mark.parametrize("smooth", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("turned", [False, True])
def test_round_corners_have_exact_measures(smooth: float, turned: bool) -> None:
    points = SQUARE[::-1] if turned else SQUARE
    shape = Polygons((Polygon(points, smooth=smooth),))
    lost = (4 - math.pi) * smooth**2
    assert shape.measures() == pytest.approx((0.64 + lost, 0.36 - lost), rel=1e-14)
    assert shape.interface_measures() == pytest.approx((2.4 - (8 - 2 * math.pi) * smooth,))


def test_a_polygon_keeps_its_straight_sides_and_corners_exactly() -> None:
    shape = Polygons((Polygon(TRIANGLE),))
    for mesh in build_meshes(shape, MeshOptions(0.2, 1)):
        nodes = mesh.points[mesh.membrane_outside]
        assert shape.surface_gaps(nodes, mesh.membrane).max() < 1e-14
        for corner in TRIANGLE:
            assert np.linalg.norm(nodes - corner, axis=-1).min() < 1e-14
    assert shape.measures()[1] == pytest.approx(0.15)


@pytest.mark.parametrize(
    "polygon",
    [Polygon(star(40), "curved"), Polygon(star(10), smooth=0.01), Polygon(SQUARE, smooth=0.3)],
)
def test_nodes_of_meshes_lie_on_the_outline(polygon: Polygon) -> None:
    shape = Polygons((polygon,))
    for mesh in build_meshes(shape, MeshOptions(0.2, 1)):
        check_mesh(mesh, shape)
        nodes = mesh.points[mesh.membrane_outside]
        assert shape.surface_gaps(nodes, mesh.membrane).max() < 1e-9


def test_a_curve_through_points_converges_to_what_they_were_taken_from() -> None:
    # 2 pi of (0.3 + 0.05 cos 5t)^2 / 2
    exact = math.pi * (0.3**2 + 0.05**2 / 2)
    errors = [abs(SplineCurve(star(n)).area / exact - 1) for n in (40, 80, 160)]
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(rates > 3.7), rates


def test_places_are_moved_onto_the_nearest_point_of_a_curve() -> None:
    shape = Polygons((Polygon(star(40), "curved"), Polygon(star(10, (0.45, 0.0)), smooth=0.01)))
    rng = np.random.default_rng(3)
    for number, curve in enumerate(shape.curves):
        t = rng.uniform(0, curve.turn, 100)
        slope = curve.at(t, 1)
        normal = (
            np.column_stack([slope[:, 1], -slope[:, 0]]) / np.linalg.norm(slope, axis=1)[:, None]
        )
        off = curve.at(t) + 2e-3 * rng.uniform(-1, 1, (100, 1)) * normal
        moved = shape.on_membrane(off + rng.integers(-1, 2, (100, 2)), np.full(100, number))
        apart = moved - curve.at(t)
        np.testing.assert_allclose(apart - np.round(apart), 0, atol=1e-9)


# ---- files ----

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100">
<g transform="translate(10 0)"><ellipse id="oval" cx="50" cy="30" rx="40" ry="15"
 transform="rotate(-10 50 30)"/></g>
<polygon id="box" points="110,10 150,10 150,30 110,30"/>
<path d="M 130 50 L 190 50 L 190 90 L 130 90 Z M 140 60 L 180 60 L 180 80 L 140 80 Z"/>
</svg>"""


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_a_drawn_ellipse_is_an_ellipse(tmp_path: Path) -> None:
    shape = Polygons(file=written(tmp_path, "a.svg", SVG), width=12.0)
    # The drawing is 200 wide; its y points downwards.
    oval = Ellipses((Ellipse((0.3, 0.35), (0.2, 0.075), 10.0),), height=0.5)
    assert shape.compartment_names == ("outside", "oval", "box", "cell_3", "cell_4")
    assert shape.measures()[1] == pytest.approx(oval.measures()[1], rel=1e-6)
    assert shape.interface_measures()[0] == pytest.approx(oval.interface_measures()[0], rel=1e-6)
    places = shape.curves[0].samples.places
    np.testing.assert_allclose(
        oval.on_membrane(places, np.zeros(len(places), int)), places, atol=1e-6
    )
    # Straight sides are exact, and the inner rectangle is a compartment in the outer one.
    assert shape.measures()[2:] == pytest.approx((0.02, 0.06 - 0.02, 0.02), rel=1e-12)
    assert shape.own_length() == 12.0
    assert shape.height == 0.5


def test_outlines_of_a_csv_are_in_units_of_the_cell(tmp_path: Path) -> None:
    points = [(7, 12 * x, 12 * y) for x, y in star(40)]
    points += [("b", 12 * x, 12 * y) for x, y in ((0.3, 0.1), (0.5, 0.1), (0.4, 0.25), (0.3, 0.1))]
    text = "# of a microscope\nid;x;y\n" + "\n".join(";".join(map(str, p)) for p in points)
    file = written(tmp_path, "a.csv", text)
    shape = Polygons(file=file, width=12.0, unit=1.0, sides="curved")
    assert shape.compartment_names == ("outside", "cell_7", "b")
    assert shape.measures()[1] == pytest.approx(SplineCurve(star(40)).area, rel=1e-8)
    assert len(shape.cells[1].points) == 3
    # Another name of the file changes nothing, another number does.
    same = Polygons(
        file=written(tmp_path, "b.csv", text.replace(";", ",")),
        width=12.0,
        unit=1.0,
        sides="curved",
    )
    assert same == shape == shape_from_dict(shape.to_dict())
    assert "a.csv" not in str(shape.to_dict())
    edited = written(tmp_path, "a.csv", text.replace("b;4.8", "b;4.9"))
    assert Polygons(file=edited, width=12.0, unit=1.0, sides="curved").to_dict() != shape.to_dict()


def test_files_stand_in_the_folder_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    written(tmp_path / "inner", "a.svg", SVG)
    text = "geometries:\n  drawn: {kind: polygons, file: inner/a.svg, width: 12 um}\n"
    config = load([Path(written(tmp_path, "mine.yaml", text))])
    assert config.geometries["drawn"].shape == Polygons(
        file=str(tmp_path / "inner/a.svg"), width=12.0
    )


# ---- what is refused ----

REFUSED = [
    (lambda: Polygon(((0, 0), (1, 0))), "points: found 2 points, accepted: 3 to 2,000"),
    (lambda: Polygon(((0, 0), (1, 0), (1,))), r"points\[2\]: found \[1\], accepted: two numbers"),
    (lambda: Polygon(((0, 0), (1, 0), (1, math.inf))), r"points\[2\]: .* two numbers"),
    (lambda: Polygon((*SQUARE, SQUARE[0])), r"points\[4\]: .*5 and 1 only 0 .*closed by itself"),
    (
        lambda: Polygon(((0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8))),
        "points: found .*the outline crosses itself",
    ),
    (lambda: Polygon(((0.1, 0.1), (0.2, 0.1), (0.5, 0.1))), "points: found points on one line"),
    (lambda: Polygon(((0.2, 0.2), (0.8, 0.2), (0.8, 0.21))), r"points\[0\]: .*0\.955 degrees"),
    (lambda: Polygon(TRIANGLE, "round"), 'sides: found "round", accepted: straight or curved'),
    (lambda: Polygon(TRIANGLE, smooth=-1.0), "smooth: found -1, accepted: 0, or a radius"),
    (lambda: Polygon(TRIANGLE, smooth=1e-5), "smooth: found 1e-05, accepted: 0, or a radius"),
    (lambda: Polygon(TRIANGLE, "curved", 0.1), "smooth: found 0.1, accepted: 0 with curved sides"),
    (lambda: Polygon(TRIANGLE, smooth=0.3), "smooth: found 0.3, whose arcs need .* at most 0"),
    (lambda: Polygons((Polygon(C),)), r"two parts of cell_1 are 5e-05 apart at \(0\.8, 0\.5"),
    (
        lambda: Polygons((Polygon((SQUARE[0], SQUARE[2], SQUARE[1], (0.2, 0.7))),)),
        r"cells: found two parts of cell_1 cross or touch at \(0\.47",
    ),
    (
        lambda: Polygons((Polygon((SQUARE[0], SQUARE[2], SQUARE[1], (0.2, 0.7)), "curved"),)),
        "two parts of cell_1 cross or touch",
    ),
    (
        lambda: Polygons((Polygon(TRIANGLE), Polygon(((0.5, 0.70005), (0.7, 0.9), (0.3, 0.9))))),
        r"cell_1 and cell_2 are 5e-05 apart at \(0\.5, 0\.7",
    ),
    (
        lambda: Polygons((Polygon(TRIANGLE), Polygon(((0.5, 0.65), (0.7, 0.9), (0.3, 0.9))))),
        "cell_1 and cell_2 cross or touch",
    ),
    (
        lambda: Polygons((Polygon(((0.2, 0.2), (1.3, 0.2), (0.5, 0.7))),)),
        "cell_1 and its periodic image cross or touch",
    ),
    (
        lambda: Polygons((Polygon(((2.2, 0.2), (2.8, 0.2), (2.5, 0.7))),)),
        r"cells\[0\].points: found an outline from \(2\.2, 0\.2\) .* reaches into the cell",
    ),
    (
        lambda: Polygons(
            (
                Polygon(
                    ((0.2, 0.2), (0.5, 0.2), (0.5005, 0.2005), (0.5, 0.201), (0.2, 0.25)), "curved"
                ),
            )
        ),
        r"cells\[0\]: found an outline that bends with a radius of",
    ),
    (lambda: Polygons((Polygon(TRIANGLE),), unit=1.0), "unit: found unit without a file"),
    (lambda: Polygons((Polygon(TRIANGLE),), smooth=0.1), "smooth: found smooth without a file"),
    (lambda: Polygons((Polygon(TRIANGLE),), width=-1.0), "width: found -1 um, accepted: a length"),
    (lambda: Polygons((Polygon(TRIANGLE),), file="a.csv"), "file: found cells and a file"),
    (lambda: Polygons(file="a.png"), 'file: found "a.png", accepted: a file .csv or .svg'),
    (lambda: Polygons(file="/no/a.csv"), "file: found /no/a.csv: No such file or directory"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_cannot_be_is_refused_with_its_place(make, message) -> None:
    with pytest.raises(InputError, match=message):
        make()


HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
FILES = [
    ("a.csv", "", "a.csv: nothing, accepted: a header id,x,y"),
    ("a.csv", "id,u,v\n1,0,0", 'a.csv: the columns "id", "u", "v", accepted: the columns x and y'),
    ("a.csv", "id,x,y,x\n1,0,0,0", "the columns x and y, once each"),
    ("a.csv", "x,y\n0.1,0.1\n0.2\n", "a.csv, line 3: 1 values, accepted: 2 values, as in"),
    ("a.csv", "x,y\n0.1,0.1\n0.2,wide\n", 'a.csv, line 3: "wide", accepted: a number'),
    ("a.csv", "x,y\n0.1,0.1\n0.2,nan\n", 'a.csv, line 3: "nan", accepted: a number'),
    ("a.csv", "x,y\n0.1,0.1\n0.2,0.2\n", 'a.csv: 2 points of the outline ""'),
    (
        "a.csv",
        "id,x,y\na,0,0\na,1,0\nb,0,0\na,1,1",
        'a.csv, line 5: the outline "a" again, accepted: all points of an outline after each other',
    ),
    (
        "a.csv",
        "id,x,y\na,0,0\na,1,0\na,1,0\na,1,1",
        'a.csv, outline "a": the points 2 and 3 only 0 apart',
    ),
    ("a.svg", "<svg", "a.svg: unclosed token: line 1"),
    ("a.svg", "<html></html>", "a.svg: .*accepted: a drawing in SVG"),
    ("a.svg", HEAD + "</svg>", "a.svg: no outline"),
    ("a.svg", "<svg><circle r='1'/></svg>", "a.svg: a drawing without a size, accepted: a viewBox"),
    ("a.svg", HEAD + "<path id='p' d='M 0 0 L 9 0 L 9 9'/></svg>", "path p: an open path"),
    ("a.svg", HEAD + "<text>hello</text></svg>", "a.svg: text, accepted: closed outlines alone"),
    (
        "a.svg",
        HEAD + "<path id='p' d='M 10 10 C 40 0 60 0 90 10 L 50 90 Z'/></svg>",
        r"path p: a curve with a corner at \(\d+, \d+\), accepted: outlines that are smooth all",
    ),
    (
        "a.svg",
        HEAD + "<circle id='q' cx='30' cy='30' r='20'/><circle cx='60' cy='30' r='20'/></svg>",
        "cells: found cell_1 and cell_2 cross or touch",
    ),
    (
        "a.svg",
        HEAD.replace("100 100", "100 1") + "<circle r='1'/></svg>",
        "height: found 0.01, accepted: a height of",
    ),
]


@pytest.mark.parametrize(("name", "text", "message"), FILES)
def test_files_that_are_none_of_outlines_are_refused(tmp_path, name, text, message) -> None:
    with pytest.raises(InputError, match=message):
        Polygons(file=written(tmp_path, name, text))


def test_keys_that_mean_nothing_for_a_file_are_refused(tmp_path: Path) -> None:
    svg = written(tmp_path, "a.svg", SVG)
    for key, value in {"unit": 1.0, "sides": "curved", "height": 2.0}.items():
        with pytest.raises(InputError, match=f"{key}: .*accepted: no such key with an SVG"):
            Polygons(file=svg, **{key: value})
    csv = written(tmp_path, "a.csv", "x,y\n0,0\n1,0\n1,1")
    with pytest.raises(InputError, match="unit: found a unit without a width"):
        Polygons(file=csv, unit=1.0)
    (tmp_path / "b.csv").write_bytes(b"x,y\n\xff\xfe")
    with pytest.raises(InputError, match=r"b\.csv: text that is not UTF-8"):
        Polygons(file=str(tmp_path / "b.csv"))


def test_a_curve_next_to_its_own_image_is_nearest_to_its_own_nodes():
    """It is 0.004 from its image, and its samples are 0.01 apart."""
    points = (
        (0.789, 0.182), (0.742, 0.3074), (0.514, 0.4575), (0.3106, 0.387), (0.2289, 0.2315),
        (0.3036, -0.0471), (0.5592, -0.0419), (0.6971, 0.0298),
    )  # fmt: skip
    shape = Polygons((Polygon(points, "curved"),), height=0.52728)
    curve = shape.curves[0]
    places = curve.at(np.linspace(0, curve.turn, 2000, endpoint=False))
    found, _ = shape.surroundings.onto(0, places)
    assert np.abs(found - places).max() < 1e-9
