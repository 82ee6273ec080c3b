"""Closed surfaces from files: compartments, membranes and meshes, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest
from support.cells import Cell
from support.own_meshes import icosphere, write_surface

from torrey.base.errors import InputError
from torrey.geometry import MeshOptions, Sphere, Spheres, Surfaces, shape_from_dict
from torrey.geometry.checks import check_mesh
from torrey.geometry.meshing import build_meshes
from torrey.models.tensors import papers_tensors

POINTS, TRIANGLES = icosphere(1)
BOX = (4.0, 4.0, 4.0)
UNTURNED = TRIANGLES[:, [0, 2, 1]]


def ball(
    folder: Path, name: str = "soma.ply", radius: float = 1.0, center: Any = 0.0, level: int = 1
) -> Path:
    points, triangles = icosphere(level)
    return write_surface(folder / name, radius * points + center, triangles)


@pytest.mark.parametrize("ending", ["ply", "stl", "obj", "off", "vtk"])
def test_formats_hold_the_same_surface(tmp_path, ending):
    # Triangles turn as they happen to.
    some = np.where(np.arange(len(TRIANGLES))[:, None] % 3, TRIANGLES, UNTURNED)
    file = write_surface(tmp_path / f"soma.{ending}", POINTS + 10.0, some)
    shape = Surfaces((file,), box=BOX, unit=2.0)
    assert shape.compartment_names == ("outside", "soma")
    assert [m.name for m in shape.membranes()] == ["membrane_outside_soma"]
    assert shape.own_length() == 8.0
    volume = np.abs(np.linalg.det(POINTS[TRIANGLES])).sum() / 6
    rounding = 1e-5 if ending in ("stl", "obj", "off") else 1e-12
    np.testing.assert_allclose(shape.measures()[1], volume / 64, rtol=rounding)
    assert sum(shape.measures()) == pytest.approx(1.0, rel=1e-12)


def test_surfaces_lie_in_each_other_and_beside_each_other(tmp_path):
    files = (
        ball(tmp_path, "nucleus.stl", 0.4),
        ball(tmp_path, "soma.ply"),
        ball(tmp_path, "bouton.ply", 0.3, (1.5, 0.0, 0.0)),
    )
    shape = Surfaces(files, box=(5.0, 3.0, 3.0), center=(0.2, 0.0, 0.0))
    assert shape.compartment_names == ("outside", "soma", "bouton", "nucleus")
    sides = [(m.outside, m.inside) for m in shape.membranes()]
    assert sides == [(0, 1), (0, 2), (1, 3)]
    assert shape_from_dict(shape.to_dict()) == shape
    meshes = build_meshes(shape, MeshOptions(0.3, 1))
    for mesh in meshes:
        check_mesh(mesh, shape)
    np.testing.assert_allclose(shape.periods, np.diag([1.0, 0.6, 0.6]))
    # Opposite faces are one: no facet of an element has a free side but at membranes.
    assert len(np.unique(meshes[0].periodic)) < len(meshes[0].points)
    walls = build_meshes(replace(shape, outer="walls"), MeshOptions(0.3, 0))[0]
    np.testing.assert_array_equal(walls.periodic, np.arange(len(walls.points)))
    # Across one axis: nodes of the faces across it stand for themselves, and no others are there.
    slab = replace(shape, outer="walls y")
    (mesh,) = build_meshes(slab, MeshOptions(0.3, 0))
    assert shape_from_dict(slab.to_dict()) == slab
    apart = np.abs(mesh.points - mesh.points[mesh.periodic]).max(axis=0)
    np.testing.assert_allclose(apart, [1.0, 0.0, 0.6], atol=1e-12)


def test_a_file_may_hold_several_surfaces_and_nothing_outside(tmp_path):
    points = np.concatenate([POINTS, 0.5 * POINTS + [3.0, 0.0, 0.0]])
    triangles = np.concatenate([TRIANGLES, TRIANGLES + len(POINTS)])
    shape = Surfaces((write_surface(tmp_path / "two.ply", points, triangles),), exterior="nothing")
    assert shape.compartment_names == ("two_1", "two_2")
    assert [m.name for m in shape.membranes()] == ["surface_two_1", "surface_two_2"]
    assert all(m.is_surface for m in shape.membranes())
    assert shape.measures()[0] == pytest.approx(8 * shape.measures()[1])
    (mesh,) = build_meshes(shape, MeshOptions(0.3, 0))
    check_mesh(mesh, shape)
    np.testing.assert_array_equal(mesh.periodic, np.arange(len(mesh.points)))
    # A larger box is but another unit.
    wide = replace(shape, box=(8.0, 5.0, 4.0), unit=1.0)
    assert wide.own_length() == 8.0
    check_mesh(build_meshes(wide, MeshOptions(0.3, 0))[0], wide)
    # A nucleus is behind a membrane; the wall of the cell then holds nothing and lets nothing out.
    cell = Surfaces((ball(tmp_path), ball(tmp_path, "nucleus.ply", 0.5)), exterior="nothing")
    assert [m.name for m in cell.membranes()] == ["membrane_soma_nucleus"]
    check_mesh(build_meshes(cell, MeshOptions(0.3, 0))[0], cell)


def test_measures_of_a_finer_sphere_converge_with_order_two(tmp_path):
    exact = np.array([4 * math.pi / 3, 4 * math.pi])
    errors = []
    for level in range(4):
        shape = Surfaces((ball(tmp_path, level=level),), exterior="nothing", unit=1.0)
        scale = shape.own_length() ** np.array([3, 2])
        errors.append(scale * [shape.measures()[0], shape.interface_measures()[0]] - exact)
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(np.abs(orders[1:] - 2) < 0.15)


@pytest.mark.slow
def test_a_sphere_of_triangles_is_a_sphere_within_its_own_error(tmp_path):
    D = (2.0, 1.0)
    spheres = Spheres((Sphere((0.5, 0.5, 0.5), 0.4),))
    wanted = papers_tensors(Cell(spheres, D, 0.2).operators(1)).D[0][0, 0]
    found = []
    for level in (1, 2, 3):
        shape = Surfaces((ball(tmp_path, radius=4.0, level=level),), box=(10.0,) * 3)
        found.append(papers_tensors(Cell(shape, D, 0.2).operators(0)).D[0][0, 0])
    errors = np.array(found) - wanted
    orders = np.log2(errors[:-1] / errors[1:])
    assert np.all(np.abs(orders - 2) < 0.3), errors
    # What is left when the error of the triangles is taken out.
    assert abs((4 * found[2] - found[1]) / 3 - wanted) < 1e-4 * wanted


def surface(points: np.ndarray, triangles: np.ndarray) -> Callable[[Path], Path]:
    return lambda folder: write_surface(folder / "soma.ply", points, triangles)


def moved(node: int, place: Any) -> np.ndarray:
    points = POINTS.copy()
    points[node] = place
    return points


def klein() -> Callable[[Path], Path]:
    """A closed surface with one side: it crosses itself in space."""
    n, m = 24, 12
    u, v = np.meshgrid(np.arange(n), np.arange(m), indexing="ij")
    a, b = 2 * np.pi * u.ravel() / n, 2 * np.pi * (v.ravel() + 0.5) / m
    r = 3 + np.cos(a / 2) * np.sin(b) - np.sin(a / 2) * np.sin(2 * b)
    z = np.sin(a / 2) * np.sin(b) + np.cos(a / 2) * np.sin(2 * b)

    def node(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        # After one turn the section is upside down.
        j = np.where(i >= n, -j - 1, j)
        return (i % n) * m + j % m

    i, j = u.ravel(), v.ravel()
    corners = node(i, j), node(i + 1, j), node(i + 1, j + 1), node(i, j + 1)
    triangles = [np.column_stack([corners[k] for k in ks]) for ks in ((0, 1, 2), (0, 2, 3))]
    return surface(np.column_stack([r * np.cos(a), r * np.sin(a), z]), np.concatenate(triangles))


def with_quads(folder: Path) -> Path:
    meshio.Mesh(POINTS, [("quad", np.array([[0, 1, 2, 3]]))]).write(folder / "soma.ply")
    return folder / "soma.ply"


def cut_short(folder: Path) -> Path:
    file = ball(folder)
    file.write_bytes(file.read_bytes()[:700])
    return file


REFUSED: dict[str, tuple[Callable[[Path], Path], dict[str, Any], str]] = {
    "no file": (lambda f: f / "soma.ply", {}, r"files\[0\]: found .*soma.ply: no such file"),
    "unknown format": (lambda f: (f / "a.txt").write_text("x") and f / "a.txt", {}, "ending"),
    "a truncated file": (cut_short, {}, "soma.ply, which cannot be read"),
    "quadrilaterals": (with_quads, {}, "1 of quad, accepted: triangles"),
    "an open surface": (
        surface(POINTS, TRIANGLES[1:]),
        {},
        r"3 open edges, the first at \(-?0\.\d+, -?0\.\d+, -?0\.\d+\)",
    ),
    "a fin": (
        surface(np.vstack([POINTS, [[0, 0, 3.0]]]), np.vstack([TRIANGLES, [[0, 1, 42]]])),
        {},
        "open edges",
    ),
    "an edge of four": (
        surface(POINTS, np.vstack([TRIANGLES, TRIANGLES[:1], TRIANGLES[:1]])),
        {},
        "an edge of 4 triangles, the first at",
    ),
    "one side only": (klein(), {"box": (20.0,) * 3}, "that has one side only"),
    "not a number": (surface(moved(5, np.nan), TRIANGLES), {}, r"vertex 6 at \(nan, nan, nan\)"),
    "beyond all bounds": (surface(moved(5, 1e200), TRIANGLES), {}, "finite numbers below"),
    "no area": (
        surface(moved(TRIANGLES[0, 0], POINTS[TRIANGLES[0, 1:]].mean(axis=0)), TRIANGLES),
        {},
        r"1 triangles without area, the first at \(",
    ),
    "crosses itself": (surface(moved(5, -1.5 * POINTS[5]), TRIANGLES), {}, "crosses itself at"),
    "leaves the box": (ball, {"center": (1.5, 0, 0)}, r"soma, which reaches at \(-1, .*inside the"),
    "touches the box": (ball, {"box": (2.001, 4, 4)}, "from its faces"),
    "wrong units": (ball, {"box": (0.004,) * 3}, r"with a box of \[-0.002, -0.002, -0.002\]"),
    "no box": (ball, {"box": ()}, r"box: found no key box with water outside, .*\[2.0, 2.0, 2.0\]"),
    "a box of two": (ball, {"box": (4.0, 4.0)}, r"box: found \[4.0, 4.0\], accepted: three"),
    "a box of nothing": (ball, {"box": (4.0, 4.0, 0.0)}, "three lengths above 0"),
    "no middle": (ball, {"center": (0.0, math.inf, 0.0)}, "center: found"),
    "no unit": (ball, {"unit": -1.0}, "unit: found -1 um"),
    "no exterior": (ball, {"exterior": "air"}, '"air", accepted: water or nothing'),
    "no such outer": (ball, {"outer": "open"}, 'outer: found "open", accepted: periodic'),
    "another file": (ball, {"sha256": ("0" * 64,)}, "another content"),
    "digests of two": (ball, {"sha256": ("0", "1")}, "2 digests of 1 files"),
    "a name that is taken": (lambda f: ball(f, "outside.ply"), {}, "none of them outside"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_with_a_surface_is_said_with_its_place(tmp_path, case):
    make, options, message = REFUSED[case]
    file = make(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        Surfaces(**({"files": (file,), "box": BOX} | options))
    assert caught.value.at, "the key at which it is refused"


def test_surfaces_that_cross_or_have_one_name_are_refused(tmp_path):
    first = ball(tmp_path)
    other = ball(tmp_path, "axon.ply", 0.7, (1.2, 0, 0))
    with pytest.raises(InputError, match="files: found (soma and|axon and) .* which cross"):
        Surfaces((first, other), box=(8.0,) * 3)
    (tmp_path / "b").mkdir()
    again = ball(tmp_path / "b", center=5.0)
    with pytest.raises(InputError, match="surfaces named soma"):
        Surfaces((first, again), box=(20.0,) * 3)
    with pytest.raises(InputError, match="no file"):
        Surfaces((), box=BOX)
