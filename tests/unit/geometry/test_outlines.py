"""Cells of outlines wherever they lie: random draws mesh, and signals do not know the origin."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from torrey.cell import build
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, Ellipse, Ellipses, MeshOptions, Polygon, Polygons, Shape
from torrey.geometry.checks import check_mesh
from torrey.geometry.mesh import CellMesh, MeshError, Piece, break_mesh
from torrey.geometry.meshing import build_meshes
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import reference_signal

ROOT = Path(__file__).parents[3]
POINT = Point(10.0, 0.05, Pgse(5.0, 15.0), 0.3, (0.6, 0.8))


def random_outlines() -> ModuleType:
    """The module that draws the cells of benchmarks/outlines.md."""
    path = ROOT / "benchmarks" / "random_outlines.py"
    spec = importlib.util.spec_from_file_location("random_outlines", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["random_outlines"] = module
    spec.loader.exec_module(module)
    return module


CELLS = random_outlines()
FEW = ["ellipses in each other", "polygons, round", "images of touching cells"]


def assert_meshes(kind: str, number: int) -> None:
    shape, options = CELLS.random_outlines(kind, number)
    for mesh in build_meshes(shape, options):
        check_mesh(mesh, shape)
        gaps = shape.surface_gaps(mesh.points[mesh.membrane_outside], mesh.membrane)
        assert gaps.max() < 1e-9
        assert_whole(mesh)


def assert_whole(mesh: CellMesh) -> None:
    """No node of a face is without its partner on the opposite one."""
    partners = np.bincount(mesh.periodic, minlength=len(mesh.points))[mesh.periodic]
    heights = mesh.points @ np.linalg.inv(mesh.lattice)
    heights -= heights.min(axis=0)
    on_face = np.any((heights < 1e-6) | (heights > 1 - 1e-6), axis=1)
    assert on_face.any()
    assert np.all(partners[on_face] > 1)


@pytest.mark.parametrize("kind", FEW)
def test_a_random_cell_is_meshed(kind: str) -> None:
    assert_meshes(kind, 7)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(CELLS.KINDS.keys() - set(FEW)))
def test_random_cells_of_other_kinds_are_meshed(kind: str) -> None:
    # One without images of thirty thousand elements.
    assert_meshes(kind, 302)


def signal(shape: Shape, size: float = 0.15) -> tuple[complex, float]:
    """Reference signal and its error."""
    material = Material((2.0, *(1.0,) * (shape.n_compartments - 1)))
    levels = build.levels(shape, MeshOptions(size, 1), material)
    found = reference_signal(levels, POINT, 1e-4)
    return found.signal, found.error


def moved(shape: Ellipses | Polygons, shift: tuple[float, float]) -> Ellipses | Polygons:
    """The same medium with another origin."""
    if isinstance(shape, Ellipses):
        ellipses = tuple(
            dataclasses.replace(c, center=tuple((np.array(c.center) + shift) % 1.0))
            for c in shape.cells
        )
        return Ellipses(ellipses)
    return Polygons(
        tuple(
            dataclasses.replace(c, points=tuple(map(tuple, (np.array(c.points) + shift).tolist())))
            for c in shape.cells
        )
    )


def test_a_node_beside_a_face_is_no_wall_in_secret() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    edges = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 0)]
    points = np.vstack([corners, [corners[[a, b]].mean(axis=0) for a, b in edges]])
    elements = np.array([[0, 1, 2, 4, 5, 6], [0, 2, 3, 6, 7, 8]])
    pieces = [Piece(elements, 0, np.zeros(2, dtype=np.int64))]
    assert_whole(break_mesh(points, pieces, [], np.eye(2), corner=np.zeros(2)))
    points[3, 0] += 1e-8
    with pytest.raises(MeshError, match="nodes lie 1.0e-08 of the cell off a face"):
        break_mesh(points, pieces, [], np.eye(2), corner=np.zeros(2))


STAR = tuple(
    (0.5 + r * np.cos(t), 0.5 + r * np.sin(t))
    for t, r in zip(2 * np.pi * np.arange(10) / 10, [0.4, 0.3] * 5, strict=True)
)
SHAPES = {
    "ellipses": Ellipses(
        (Ellipse((0.5, 0.5), (0.4, 0.3), 20.0), Ellipse((0.5, 0.5), (0.25, 0.15), 40.0))
    ),
    "curved": Polygons((Polygon(STAR, "curved"),)),
    "round": Polygons((Polygon(STAR[::2], smooth=0.1),)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_signals_do_not_depend_on_the_origin(name: str) -> None:
    shape = SHAPES[name]
    exact, error = signal(shape)
    found, other = signal(moved(shape, (0.37, 0.11)))
    assert abs(found - exact) <= error + other


@pytest.mark.slow
def test_ellipses_of_equal_axes_have_the_signal_of_discs() -> None:
    places = (((0.3, 0.3), 0.25), ((0.8, 0.75), 0.2))
    found, error = signal(Ellipses(tuple(Ellipse(c, (r, r)) for c, r in places)))
    exact, other = signal(Discs(tuple(Disc(c, r) for c, r in places)))
    assert abs(found - exact) <= error + other
    assert error < 2e-4 * abs(exact)
