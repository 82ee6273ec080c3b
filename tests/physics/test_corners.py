"""Signals of cells with sharp corners are as near to those of finer meshes as they say."""

import math

import numpy as np
import pytest
from support.own_meshes import centres, square, write

import torrey as tr
from torrey.cell.corners import has_corners
from torrey.geometry import refinement
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.models.evaluation import evaluate_models
from torrey.study.cumulants import model_cumulants

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


@pytest.mark.parametrize("interior", ["water", "obstacle"])
def test_errors_of_models_and_of_their_cumulants_around_sharp_corners(interior):
    shape = tr.shapes.Polygons([tr.shapes.Polygon(SQUARE)], interior=interior)
    D, kappa = ({"outside": 3.0, "inside": 1.7}, 0.05) if interior == "water" else (3.0, 0.0)
    cell = tr.Cell(shape, D, "10 um", kappa, mesh=tr.MeshOptions(0.25, 3))
    levels, models = [cell.medium.finer[i] for i in range(4)], ["R0", "R2", "P2"]
    shapes = WaveformGrid("pgse", (("delta", (5.0,)), ("Delta", (25.0,))))
    protocol = Product(shapes, "b", (1.0,), ((0.96, 0.28),))
    sweep = Sweep((10.0,), "permeability", (kappa,), protocol)
    rough, fine = (evaluate_models(some, sweep, models) for some in (levels[:2], levels[2:]))
    error = np.abs(rough.signal[:, -1] - fine.signal[:, -1])
    assert np.all(error < rough.space_error())
    assert np.all(error > rough.space_error() / 5)
    rough, fine = (model_cumulants(some, sweep, models, 1e-4) for some in (levels[:2], levels[2:]))
    for model in models:
        for name in ("adc", "kurtosis"):
            error = np.abs(getattr(rough[model], name) - getattr(fine[model], name))
            assert np.all(error < getattr(rough[model], f"{name}_error"))


def signals_on(shape, count):
    """Signals of R0 on so many meshes."""
    cell = tr.Cell(
        shape, {"outside": 3.0, "inside": 1.7}, "10 um", 0.05, mesh=tr.MeshOptions(0.25, count - 1)
    )
    shapes = WaveformGrid("pgse", (("delta", (5.0,)), ("Delta", (25.0,))))
    protocol = Product(shapes, "b", (1.0,), ((0.96, 0.28),))
    sweep = Sweep((10.0,), "permeability", (0.05,), protocol)
    levels = [cell.medium.finer[i] for i in range(count)]
    return np.array(
        [evaluate_models([level], sweep, ["R0"]).signal.item().real for level in levels]
    )


@pytest.mark.slow
def test_the_defaults_reach_a_small_tolerance_around_sharp_corners():
    cell = tr.Cell(
        tr.shapes.Polygons([tr.shapes.Polygon(SQUARE)]), {"outside": 3.0, "inside": 1.7}, 10.0, 0.05
    )
    fine, rough = (
        cell.signal(tr.Pgse(5, 25), b=[1.0, 2.5], direction=(0.6, 0.8), tolerance=tolerance)
        for tolerance in (1e-6, 1e-5)
    )
    for found, tolerance in ((fine, 1e-6), (rough, 1e-5)):
        assert np.all(found.numerical_error <= tolerance * np.abs(found))
    assert np.all(np.abs(rough - fine) < rough.numerical_error)


def angle_of_walls(tmp_path):
    """Write an L of walls, the end of one arm behind a straight membrane."""
    points, triangles = square(4, 10.0)
    x, y, _ = centres(points, triangles).T
    kept = (x < 5) | (y < 5)
    region = np.where(x > 7.5, 2, 1)[kept]
    path = write(tmp_path / "angle.vtu", points, {"triangle": triangles[kept]}, region=region)
    return tr.shapes.OwnMesh(path, unit=1.0, regions="region", outer="walls")


def test_corners_of_walls_are_seen_beside_membranes(tmp_path):
    shape = angle_of_walls(tmp_path)
    assert [membrane.inside for membrane in shape.membranes()] == [1]
    cell = tr.Cell(shape, 2.0, 10.0, 0.05)
    assert has_corners(cell.medium.finer[0].cell)
    fine = refinement.refine(shape.cell.mesh, shape)
    # In units of the cell; the elements have sides of 1 / 4, of which an eighth is next to it.
    gaps = np.linalg.norm(fine.points - (0.5, 0.5), axis=1)
    assert np.min(gaps[gaps > 1e-9]) == pytest.approx(1 / 64)


@pytest.mark.slow
def test_meshes_that_are_graded_converge_to_the_same_and_faster(monkeypatch):
    """Elsewhere halved too, they leave r^(2/3) at the corners: errors fall by 2^(4/3)."""
    shape = tr.shapes.Polygons([tr.shapes.Polygon(SQUARE)])
    graded = signals_on(shape, 5)
    monkeypatch.setattr(refinement, "graded", lambda mesh: mesh.points)
    uniform = signals_on(shape, 5)
    changes = np.abs(np.diff([graded, uniform]))
    orders = np.log2(changes[:, :-1] / changes[:, 1:])
    print(changes, orders)
    assert np.all(orders[0] > (2.3, 2.4, 2.7))
    assert orders[1, -1] == pytest.approx(4 / 3, abs=0.02)
    limit = uniform[-1] + (uniform[-1] - uniform[-2]) / (2 ** (4 / 3) - 1)
    assert abs(graded[-1] - limit) < changes[0, -1] / 2
    assert abs(graded[-1] - limit) < 5e-7
