"""Spheres on lattices and with coats, cylinders, ellipsoids and layers in space, and their meshes.

Distances of bodies are compared with those of many points or with a general minimiser, areas with
numbers in closed form, and what is made at random with its exact measures.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import ModuleType

import gmsh
import numpy as np
import pytest
from scipy.optimize import minimize

from torrey.base.errors import InputError
from torrey.geometry import (
    Cylinder,
    Cylinders,
    Disc,
    Discs,
    Ellipsoid,
    Ellipsoids,
    Layers,
    MeshOptions,
    Shape,
    Sphere,
    Spheres,
    meshing,
    shape_from_dict,
)
from torrey.geometry.bodies.ellipsoid_shapes import (
    frame_of,
    nearest_points,
    separation,
    surface_area,
)
from torrey.geometry.bodies.lines import direction, distances
from torrey.geometry.boxes import reduced_basis
from torrey.geometry.checks import check_mesh, compared_measures, volumes
from torrey.geometry.lattices import LATTICES
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh, FoldedError
from torrey.geometry.meshing import build_meshes, mesh_cell

ROOT = Path(__file__).parents[3]
TILTED = ((1.0, 1.0, 0.0), (0.0, 0.0, 1.0))
ONE = Ellipsoid((0.5, 0.5, 0.5), (0.4, 0.3, 0.2))


def random_cells() -> ModuleType:
    """The module that draws the cells of benchmarks/space_meshes.md."""
    spec = importlib.util.spec_from_file_location(
        "space_cells", ROOT / "benchmarks" / "space_cells.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["space_cells"] = module
    spec.loader.exec_module(module)
    return module


CELLS = random_cells()


def assert_meshed(shape: Shape, options: MeshOptions) -> CellMesh:
    """Every measure is exact up to what elements explain, nodes are on the surfaces."""
    (mesh,) = build_meshes(shape, options)
    measure, folded = volumes(mesh)
    assert not folded.any()
    # Neighbours neither overlap nor leave anything out, whatever is on the surfaces.
    whole = abs(np.linalg.det(mesh.lattice))
    if all(m.inside != NOTHING for m in shape.membranes()):
        assert measure.sum() == pytest.approx(whole, abs=1e-12)
    for name, found, exact, tolerance in compared_measures(mesh, shape, measure):
        assert abs(found - exact) <= tolerance, name
        assert abs(found - exact) < 5e-3 * exact + 1e-12, name
    np.testing.assert_allclose(mesh.lattice, shape.periods, atol=1e-12)
    gaps = shape.surface_gaps(mesh.points[mesh.membrane_outside], mesh.membrane)
    assert gaps.max(initial=0.0) < 1e-8
    return mesh


EXAMPLES = {
    "fcc": Spheres((Sphere((0.1, 0.5, 0.3), 0.3),), lattice="fcc"),
    "bcc, obstacles": Spheres((Sphere((0.5, 0.5, 0.5), 0.4),), "obstacle", "bcc"),
    "coat": Spheres((Sphere((0.2, 0.1, 0.7), 0.3),), coat=0.08),
    "layers": Layers((0.3, 0.5, 0.2), 3),
    "along an edge": Cylinders((Cylinder((0.2, 0.1, 0.0), 0.3),)),
    "tilted": Cylinders((Cylinder((0.2, 0.1, 0.3), 0.3, (1, 1, 1)),)),
    "crossing": Cylinders(
        (
            Cylinder((0.5, 0.25, 0.25), 0.2, (1, 1, 0)),
            Cylinder((0.25, 0.5, 0.75), 0.2, (1, -1, 0)),
        ),
        "obstacle",
    ),
    "ellipsoid": Ellipsoids((ONE,)),
    "turned": Ellipsoids((Ellipsoid((0.2, 0.1, 0.7), (0.4, 0.2, 0.2), TILTED),)),
}


FAST = ("fcc", "coat", "layers", "along an edge", "turned")


@pytest.mark.parametrize("name", EXAMPLES)
def test_bodies_are_described(name: str) -> None:
    shape = EXAMPLES[name]
    assert shape_from_dict(shape.to_dict()) == shape
    assert shape.describe()


@pytest.mark.parametrize("name", FAST)
def test_bodies_are_meshed(name: str) -> None:
    assert_meshed(EXAMPLES[name], MeshOptions(0.4, 0))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - set(FAST)))
def test_other_bodies_are_meshed(name: str) -> None:
    assert_meshed(EXAMPLES[name], MeshOptions(0.3, 0))


@pytest.mark.slow
@pytest.mark.parametrize("kind", CELLS.KINDS)
def test_random_bodies_are_meshed(kind: str) -> None:
    for number in {"cylinders": (0, 4), "ellipsoids": (0, 2)}.get(kind, (0, 1, 2)):
        assert_meshed(*CELLS.random_cell(kind, number))


@pytest.mark.slow
def test_ellipsoids_have_no_valleys_that_fold() -> None:
    # Two cells of which a first attempt, or four, used to fold.
    for number in (11, 19):
        assert not mesh_cell(*CELLS.random_cell("ellipsoids", number)).failures


@pytest.mark.slow
def test_measures_of_refined_bodies_converge_with_order_four() -> None:
    for name in ("tilted", "turned"):
        shape, errors = EXAMPLES[name], []
        for mesh in build_meshes(shape, MeshOptions(0.35, 1)):
            table = list(compared_measures(mesh, shape, volumes(mesh)[0]))
            errors.append([abs(found - exact) for _, found, exact, _ in table])
        assert np.all(np.log2(np.divide(*errors)) > 3.4), name


# ---- lattices ----


def test_the_shortest_basis_finds_the_nearest_neighbour() -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        vectors = rng.normal(size=(3, 3)) + rng.integers(-3, 4, size=(3, 3))
        basis = reduced_basis(vectors)
        turns = basis @ np.linalg.inv(vectors)
        np.testing.assert_allclose(turns, np.round(turns), atol=1e-8)
        assert np.linalg.det(basis) == pytest.approx(abs(np.linalg.det(vectors)))
        place = rng.uniform(-0.5, 0.5, size=3)
        near, far = (
            min(np.linalg.norm((place + s) @ basis) for s in product(range(-n, n + 1), repeat=3))
            for n in (1, 3)
        )
        assert near == pytest.approx(far, abs=1e-12)


@pytest.mark.parametrize(("name", "neighbours"), [("bcc", 8), ("fcc", 12), ("hexagonal", 8)])
def test_named_lattices_have_their_neighbours(name: str, neighbours: int) -> None:
    vectors = np.array(LATTICES[name])
    shifts = np.array([s for s in product(range(-2, 3), repeat=3) if any(s)])
    lengths = np.linalg.norm(shifts @ vectors, axis=1)
    assert np.sum(np.abs(lengths - lengths.min()) < 1e-12) == neighbours
    shape = Spheres((Sphere((0.0, 0.0, 0.0), 0.49 * lengths.min()),), lattice=name)
    assert sum(shape.measures()) == pytest.approx(np.linalg.det(vectors))
    with pytest.raises(InputError, match="its (own )?periodic image"):
        Spheres((Sphere((0.0, 0.0, 0.0), lengths.min() / 2),), lattice=name)


@pytest.mark.parametrize(
    "lattice", ["fc", ((1, 0, 0), (0, 1, 0)), ((1, 0, 0), (2, 0, 0), (0, 0, 1))]
)
def test_what_is_no_lattice_is_refused(lattice: object) -> None:
    with pytest.raises(InputError, match="three vectors"):
        Spheres((Sphere((0.5, 0.5, 0.5), 0.1),), lattice=lattice)


# ---- coats ----


def test_coats_are_compartments_between_two_membranes() -> None:
    cells = (Sphere((0.2, 0.2, 0.2), 0.1), Sphere((0.7, 0.7, 0.7), 0.2))
    shape = Spheres(cells, coat=0.05)
    assert shape.compartment_names == ("outside", "cell_1", "cell_2", "coat_1", "coat_2")
    assert shape.region_parts == ("outside", "inside", "inside", "coat", "coat")
    sides = {m.name: (m.outside, m.inside) for m in shape.membranes()}
    assert sides == {
        "membrane_1": (3, 1),
        "membrane_2": (4, 2),
        "coat_membrane_1": (0, 3),
        "coat_membrane_2": (0, 4),
    }
    ball = 4 / 3 * math.pi
    assert shape.measures()[3] == pytest.approx(ball * (0.15**3 - 0.1**3))
    assert sum(shape.measures()) == pytest.approx(1.0)
    assert shape.interface_measures()[3] == pytest.approx(4 * math.pi * 0.25**2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"coat": 0.2}, "cell_1 and its periodic image|a radius"),
        ({"coat": 1e-3}, "a thickness of 0.005"),
        ({"coat": 0.01, "interior": "obstacle"}, "a coat around water"),
    ],
)
def test_impossible_coats_are_refused(options: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Spheres((Sphere((0.5, 0.5, 0.5), 0.35),), **options)


# ---- cylinders ----

AXES = [(1, 0, 0), (1, 1, 0), (1, -1, 0), (1, 1, 1), (1, 2, 3), (0, 2, -1), (6, -5, 4)]


@pytest.mark.parametrize("axis", AXES)
def test_axes_are_completed_to_a_basis_of_the_lattice(axis: tuple[int, ...]) -> None:
    along = direction(axis)
    assert np.linalg.det(along.basis) == pytest.approx(1.0)
    np.testing.assert_array_equal(along.basis, np.round(along.basis))
    np.testing.assert_allclose(along.seen @ along.unit, 0.0, atol=1e-12)
    # The lattice of images has the density of one line per cell.
    assert np.linalg.norm(np.cross(*along.seen)) == pytest.approx(1 / along.length)


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in AXES[:6] for b in AXES[:6] if a <= b])
def test_distances_of_lines_are_those_of_their_images(
    one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(5)
    apart = rng.uniform(-1, 1, size=3)
    # Lines along a and b: project out both directions, over many images.
    shifts = np.array(list(product(range(-6, 7), repeat=3)))
    flat = np.linalg.svd(np.array([one, other], dtype=float))
    across = flat[2][np.sum(flat[1] > 1e-9) :]
    expected = np.linalg.norm((apart + shifts) @ across.T, axis=1).min()
    found = distances(direction(one), direction(other), apart[None])[0]
    assert found == pytest.approx(expected, abs=1e-12)


def test_cylinders_close_on_themselves() -> None:
    shape = Cylinders((Cylinder((0.2, 0.1, 0.3), 0.2, (-2, -2, 0)),))
    assert shape.cells[0].axis == (1, 1, 0)
    assert shape.measures()[1] == pytest.approx(math.pi * 0.04 * math.sqrt(2))
    assert shape.interface_measures() == pytest.approx((2 * math.pi * 0.2 * math.sqrt(2),))
    places = np.array([[0.25, 0.1, 0.9], [1.2, 1.1, -0.6]])
    moved = shape.on_membrane(places, np.zeros(2, dtype=int))
    unit = np.array([1, 1, 0]) / math.sqrt(2)
    for place, there in zip(places, moved, strict=True):
        offsets = [there - (0.2, 0.1, 0.3) - np.array(s) for s in product(range(-3, 4), repeat=3)]
        radii = [np.linalg.norm(x - (x @ unit) * unit) for x in offsets]
        assert min(radii) == pytest.approx(0.2, abs=1e-12)
        assert (there - place) @ unit == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([Cylinder((0.5, 0.5, 0), 0.49999)], "cell_1 and its periodic image are 1 apart"),
        ([Cylinder((0.5, 0.5, 0), 0.36, (1, 1, 0))], "its periodic image are 0.707107 apart"),
        (
            [
                Cylinder((0.5, 0.25, 0.25), 0.2, (1, 1, 1)),
                Cylinder((0.25, 0.5, 0.75), 0.1, (1, 0, 0)),
            ],
            "cell_1 and cell_2 are 0.176777 apart, the least is 0.3",
        ),
        (
            [Cylinder((0.1, 0.5, 0), 0.2), Cylinder((0.9, 0.5, 0.7), 0.1)],
            "cell_1 and cell_2 are 0.2 apart",
        ),
    ],
)
def test_cylinders_that_meet_are_named(cells: list[Cylinder], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Cylinders(tuple(cells))


@pytest.mark.parametrize("axis", [(0, 0, 0), (7, 0, 1), (1, 0)])
def test_impossible_axes_are_refused(axis: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="three whole numbers from -6 to 6"):
        Cylinder((0.5, 0.5, 0.5), 0.1, axis)


# ---- ellipsoids ----


def test_areas_of_ellipsoids_are_those_of_spheroids_and_spheres() -> None:
    assert surface_area(np.array([0.3, 0.3, 0.3])) == pytest.approx(4 * math.pi * 0.09)
    a, c = 0.2, 0.4
    e = math.sqrt(1 - a**2 / c**2)
    prolate = 2 * math.pi * a**2 * (1 + c / (a * e) * math.asin(e))
    assert surface_area(np.array([a, c, a])) == pytest.approx(prolate, rel=1e-12)
    e = math.sqrt(1 - a**2 / c**2)
    oblate = 2 * math.pi * c**2 * (1 + (1 - e**2) / e * math.atanh(e))
    assert surface_area(np.array([c, c, a])) == pytest.approx(oblate, rel=1e-12)


def test_nearest_points_of_ellipsoids_are_on_them_and_along_the_normal() -> None:
    rng = np.random.default_rng(1)
    for axes in (np.array([0.4, 0.1, 0.05]), np.array([0.3, 0.3, 0.3])):
        places = rng.normal(size=(300, 3)) * axes
        places[:3] = 1.5 * np.diag(axes)
        # On the surface, and far inside and outside of it.
        near = nearest_points(places, axes)
        np.testing.assert_allclose(((near / axes) ** 2).sum(axis=1), 1.0, rtol=1e-10)
        apart = np.linalg.norm(places - near, axis=1)
        for _ in range(20):
            others = rng.normal(size=(300, 3))
            others = others / np.linalg.norm(others, axis=1)[:, None] * axes
            assert np.all(np.linalg.norm(places - others, axis=1) >= apart - 1e-9)


def test_distances_of_ellipsoids_are_those_of_a_minimiser() -> None:
    rng = np.random.default_rng(3)
    seen = 0
    while seen < 8:
        a, b = rng.uniform(0.05, 0.5, size=(2, 3))
        one, other = (s[:, None] * frame_of(*rng.normal(size=(2, 3))) for s in (a, b))
        apart = rng.normal(size=3)
        apart *= rng.uniform(0.3, 1.2) / np.linalg.norm(apart)
        found = separation(apart, one, other)

        def gap(x: np.ndarray, one=one, other=other, apart=apart) -> float:
            return float(np.sum((x[3:] @ other + apart - x[:3] @ one) ** 2))

        best = minimize(
            gap,
            np.concatenate([np.linalg.solve(one.T, apart) * 0.1, np.zeros(3)]),
            constraints=[
                {"type": "ineq", "fun": lambda x: 1 - x[:3] @ x[:3]},
                {"type": "ineq", "fun": lambda x: 1 - x[3:] @ x[3:]},
            ],
            method="SLSQP",
            options={"ftol": 1e-15, "maxiter": 500},
        )
        if found > 0:
            assert found == pytest.approx(math.sqrt(best.fun), rel=1e-4)
            seen += 1
        else:
            assert math.sqrt(max(best.fun, 0.0)) < 1e-4


def test_ellipsoids_that_meet_are_named() -> None:
    with pytest.raises(InputError, match="cell_1 and its periodic image overlap or touch"):
        Ellipsoids((Ellipsoid((0.5, 0.5, 0.5), (0.5, 0.2, 0.2)),))
    with pytest.raises(InputError, match="cell_1 and its periodic image are 4e-05 apart"):
        Ellipsoids((Ellipsoid((0.5, 0.5, 0.5), (0.49998, 0.2, 0.2)),))
    # Touching spheres of radius 0.2.
    two = [Ellipsoid((x, 0.5, 0.5), (0.2, 0.2, 0.2), TILTED) for x in (0.1, 0.5)]
    with pytest.raises(InputError, match="cell_2 and cell_1 overlap or touch|are .*e-.* apart"):
        Ellipsoids(tuple(two))
    Ellipsoids((Ellipsoid((0.5, 0.5, 0.5), (0.6, 0.1, 0.1), ((1, 1, 0), (0, 0, 1))),))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"axes": (0.4, 0.01, 0.2)}, "radius of curvature"),
        ({"axes": (0.4, 0.0, 0.2)}, "three semi-axes above 0"),
        ({"orientation": ((1, 0, 0), (2, 0, 0))}, "two vectors .* not parallel"),
        ({"orientation": ((1, 0), (2, 0, 0))}, "two vectors .* not parallel"),
        ({"center": (0.5, 0.5, 1.0)}, "three numbers in"),
    ],
)
def test_impossible_ellipsoids_are_refused(values: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Ellipsoid(**{"center": (0.5, 0.5, 0.5), "axes": (0.4, 0.2, 0.1), **values})


# ---- checks ----


def test_an_element_that_is_bent_to_its_other_side_is_found() -> None:
    shape = Discs((Disc((0.5, 0.5), 0.3),))
    (mesh,) = build_meshes(shape, MeshOptions(0.2, 0))
    points = mesh.points.copy()
    # Off the membranes and the boundary, all six nodes mirrored at one side.
    edge = np.isin(mesh.elements, mesh.membrane_outside).any(axis=1)
    element = mesh.elements[np.flatnonzero(~edge)[0]]
    a, b, c = points[element[:3]]
    height = (c - a) - (b - a) * ((c - a) @ (b - a)) / ((b - a) @ (b - a))
    # Its corner stays, its sides reach far beyond the opposite one.
    points[element[4:]] -= 2.0 * height
    with pytest.raises(FoldedError):
        check_mesh(replace(mesh, points=points), shape)


@pytest.mark.skipif(sys.platform != "linux", reason="calls are limited on Linux alone")
def test_an_attempt_that_never_ends_is_followed_by_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    began, generate = tmp_path / "began", gmsh.model.mesh.generate

    def never_end_at_first(dimension: int) -> None:
        # A file is what the child, which is ended, can leave behind.
        first = not began.exists()
        began.touch()
        while first:
            pass
        generate(dimension)

    monkeypatch.setattr(gmsh.model.mesh, "generate", never_end_at_first)
    monkeypatch.setattr(meshing, "_SECONDS", 0.5)
    result = mesh_cell(Spheres((Sphere((0.5, 0.5, 0.5), 0.3),)), MeshOptions(0.4, 0))
    (failure,) = result.failures
    assert "gmsh does not end well: not ended after" in failure
