"""Cells are meshed wherever their balls lie: every mesh is checked, what fails is mended or said.

The cell is periodic, so that a ball may cover a face, an edge or a corner of it, or touch one. What
a mesh must keep: each region and membrane has its exact measure up to the fourth power of the
element size, opposite faces match, and no element folds over.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import gmsh
import numpy as np
import pytest
import yaml
from skfem import ElementLineP2, ElementTetP2, ElementTriP2
from skfem.quadrature import get_quadrature

from torrey.base.errors import InputError
from torrey.cell.assembly import QUADRATURE_ORDER, assemble
from torrey.geometry import (
    Disc,
    Discs,
    Layers,
    MeshOptions,
    RadiusLaw,
    RandomPacking,
    Shape,
    Sphere,
    Spheres,
    checks,
)
from torrey.geometry.balls.neighbours import narrowest_gap
from torrey.geometry.balls.placing import images, ranked_boxes
from torrey.geometry.checks import check_mesh, compared_measures, volumes
from torrey.geometry.mesh import CellMesh, FoldedError, MeshError
from torrey.geometry.meshing import build_meshes, mesh_cell

ROOT = Path(__file__).parents[3]


def disc(x: float, y: float, radius: float) -> Discs:
    return Discs((Disc((x, y), radius),))


def sphere(x: float, y: float, z: float, radius: float) -> Spheres:
    return Spheres((Sphere((x, y, z), radius),))


def sides(shape: Shape) -> np.ndarray:
    return np.array([(m.outside, m.inside) for m in shape.membranes()], dtype=int).reshape(-1, 2)


def assert_assembled_right(shape: Shape, mesh: CellMesh, tolerance: float) -> None:
    """The operators, which know nothing of the checks, measure the compartments as well."""
    found = assemble(mesh, sides(shape)).measures()
    np.testing.assert_allclose(found, shape.measures(), rtol=tolerance, atol=tolerance)


# ---- wherever the balls lie ----

PLACES = {
    "over a corner": disc(0.3003, 0.2506, 0.4083),
    "over a corner, by little": disc(0.81, 0.81, 0.3),
    "in the middle": disc(0.5, 0.5, 0.35),
    "tangent": disc(0.35, 0.5, 0.35),
    "grazing": disc(0.350001, 0.5, 0.35),
    "on a face": disc(0.0, 0.5, 0.35),
    "on a corner": disc(0.0, 0.0, 0.35),
    "beside a corner": disc(1 - 1e-7, 0.5, 0.35),
    "slivers": disc(0.36, 0.36, 0.35),
    "almost touching itself": disc(0.2, 0.7, 0.4995),
    "coat over a corner": Discs((Disc((0.1, 0.05), 0.3),), layer=0.03),
    "obstacle over a corner": Discs((Disc((0.2, 0.15), 0.4),), "obstacle"),
    "oblique": Discs((Disc((0.05, 0.1), 0.35),), lattice=((1.0, 0.0), (0.4, 0.9))),
    "sheared far": Discs((Disc((0.9, 0.2), 0.4),), lattice=((1.0, 0.0), (3.0, 1.0))),
}


@pytest.mark.parametrize("place", PLACES)
def test_discs_are_meshed_wherever_they_lie(place: str) -> None:
    shape = PLACES[place]
    for mesh in build_meshes(shape, MeshOptions(0.15, 1)):
        assert_assembled_right(shape, mesh, 5e-4)
        np.testing.assert_array_equal(mesh.lattice, shape.periods)


SPHERES = {
    "large, size 0.3": (sphere(0.5, 0.5, 0.5, 0.45), 0.3),
    "large, size 0.2": (sphere(0.5, 0.5, 0.5, 0.45), 0.2),
    "over an edge": (sphere(0.553, 0.996, 0.793, 0.2), 0.3),
    "over an edge, finer": (sphere(0.553, 0.996, 0.793, 0.2), 0.2),
    "near a face": (sphere(0.154, 0.268, 0.88, 0.3), 0.2),
    "tangent": (sphere(0.35, 0.5, 0.5, 0.35), 0.3),
    "on a corner": (sphere(0.0, 0.0, 0.0, 0.35), 0.3),
    "on a face": (sphere(0.0, 0.5, 0.5, 0.35), 0.3),
    "beside a face": (sphere(0.2, 0.3, 1 - 1e-7, 0.3), 0.3),
}


@pytest.mark.parametrize("place", ["large, size 0.3", "over an edge", "near a face"])
def test_spheres_are_meshed_wherever_they_lie(place: str) -> None:
    shape, size = SPHERES[place]
    (mesh,) = build_meshes(shape, MeshOptions(size, 0))
    assert_assembled_right(shape, mesh, 5e-3)


@pytest.mark.slow
@pytest.mark.parametrize("place", SPHERES)
def test_refined_spheres_are_meshed_wherever_they_lie(place: str) -> None:
    shape, size = SPHERES[place]
    coarse, fine = build_meshes(shape, MeshOptions(size, 1))
    assert_assembled_right(shape, coarse, 5e-3)
    check_mesh(fine, shape)


def test_images_of_sheared_lattices_are_neighbours_too() -> None:
    """(0, 0.3) belongs to this lattice, and is neither of its vectors nor their sum."""
    with pytest.raises(InputError, match=r"cell_1 and its periodic image are 0\.3 apart"):
        Discs((Disc((0.5, 0.5), 0.2),), lattice=((1.0, 0.0), (5.0, 0.3)))


@pytest.mark.parametrize("entry", [1e200, math.inf, math.nan])
def test_lattices_of_impossible_size_are_refused(entry: float) -> None:
    with pytest.raises(InputError, match="two vectors of two numbers each"):
        Discs((Disc((0.5, 0.5), 0.2),), lattice=((entry, 0.0), (0.0, 1.0)))


# ---- random cells ----


def random_cells() -> ModuleType:
    """The module that draws the cells of benchmarks/meshes.md."""
    spec = importlib.util.spec_from_file_location(
        "random_cells", ROOT / "benchmarks" / "random_cells.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["random_cells"] = module
    spec.loader.exec_module(module)
    return module


CELLS = random_cells()
#: Every fiftieth of the survey's 3,000, in the survey's order.
DRAWN = [(kind, i) for kind, count in CELLS.KINDS.items() for i in range(count)][::50]


def assert_random_cell_is_right(kind: str, number: int) -> None:
    shape, options = CELLS.random_cell(kind, number)
    for mesh in build_meshes(shape, options):
        measure, folded = volumes(mesh)
        assert not folded.any()
        for name, found, exact, tolerance in compared_measures(mesh, shape, measure):
            assert abs(found - exact) <= tolerance, name
        # Assembly takes long where thin coats make many elements.
        if len(mesh.elements) < 20_000:
            assert_assembled_right(shape, mesh, 5e-3)


def test_sixty_are_drawn_of_all_kinds() -> None:
    assert len(DRAWN) == 60
    assert {kind for kind, _ in DRAWN} == set(CELLS.KINDS)


@pytest.mark.parametrize(
    ("kind", "number"), [c for c in DRAWN if c[0].startswith("discs") and "coats" not in c[0]][::5]
)
def test_random_cells_have_right_meshes(kind: str, number: int) -> None:
    assert_random_cell_is_right(kind, number)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "number"), DRAWN)
def test_sixty_random_cells_have_right_meshes(kind: str, number: int) -> None:
    assert_random_cell_is_right(kind, number)


#: Cells whose balls are next to each other: gaps of 1e-4 to 1e-2, radii from 1e-3 on.
CROWDED = [
    (kind, i)
    for kind, count in CELLS.CROWDED.items()
    if "200" not in kind
    for i in range(0, count, 100)
]


@pytest.mark.parametrize(
    ("kind", "number"), [c for c in CROWDED if c[0].startswith("near discs")][::4]
)
def test_crowded_cells_have_right_meshes(kind: str, number: int) -> None:
    assert_random_cell_is_right(kind, number)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "number"), CROWDED)
def test_many_crowded_cells_have_right_meshes(kind: str, number: int) -> None:
    assert_random_cell_is_right(kind, number)


def test_crowded_cells_are_narrow_and_small() -> None:
    shapes = [CELLS.random_cell(*c)[0] for c in CROWDED if c[0].startswith("near discs")]
    gaps = np.array([narrowest_gap(shape).width for shape in shapes])
    radii = np.array([cell.radius for shape in shapes for cell in shape.cells])
    assert gaps.min() < 3e-4
    assert np.median(gaps) < 1e-2
    assert radii.min() < 2e-3
    assert radii.max() > 0.2


def test_elements_are_small_in_gaps_alone() -> None:
    """Their number grows with the logarithm of the gap: by the same for each tenth of it."""
    counts = []
    for gap in (1e-2, 1e-3, 1e-4):
        shape = Discs((Disc((0.25, 0.5), 0.2), Disc((0.7 + gap, 0.5), 0.25)))
        counts.append(len(build_meshes(shape, MeshOptions(0.1, 0))[0].elements))
    assert counts[0] < counts[1] < counts[2] < 1.5 * counts[1]
    assert counts[2] < 1000


def test_a_node_is_compared_with_the_nearest_image_of_a_sheared_lattice() -> None:
    lattice = ((-0.421, -1.07), (-0.706, -4.57))
    shape = Discs((Disc((0.5, 0.5), 0.49),), lattice=lattice)
    assert mesh_cell(shape, MeshOptions(0.3, 0)).failures == ()


@pytest.mark.slow
def test_two_hundred_discs_have_few_elements() -> None:
    # Some gaps are a two thousandth of the cell, others wide.
    shape = RandomPacking(100.0, RadiusLaw(list=(3.0,)), count=200, gap=0.05)
    (mesh,) = build_meshes(shape, MeshOptions(0.1, 0))
    assert len(mesh.elements) < 300 * 200


# ---- what does not change ----


def papers_geometries() -> dict[str, tuple[Discs | Spheres, float]]:
    """Discs and spheres of the configuration that comes with the project, and their sizes."""
    plain = yaml.safe_load((ROOT / "config" / "default.yaml").read_text(encoding="utf-8"))
    kinds = {"discs": (Discs, Disc), "spheres": (Spheres, Sphere)}
    result = {}
    for name, entry in plain["geometries"].items():
        if entry["kind"] in kinds:
            whole, ball = kinds[entry["kind"]]
            cells = tuple(ball(tuple(c["center"]), c["radius"]) for c in entry["cells"])
            layer = {"layer": entry["layer"]} if "layer" in entry else {}
            shape = whole(cells, entry.get("interior", "water"), **layer)
            result[name] = shape, entry.get("mesh", {}).get("size", 0.1)
    return result


PAPERS = papers_geometries()


@pytest.mark.parametrize("name", PAPERS)
def test_cells_of_the_papers_are_cut_where_they_were_and_meshed_at_once(name: str) -> None:
    shape, size = PAPERS[name]
    box = next(ranked_boxes(shape, size))
    # Between discs of radius 0.49 there is no room for a face: they are cut in the middle.
    np.testing.assert_array_equal(box.origin, 0.5 if name == "disc_r049" else 0.0)
    assert mesh_cell(shape, MeshOptions(size, 0)).failures == ()


@pytest.mark.parametrize("shape", [PLACES["over a corner"], SPHERES["near a face"][0]])
def test_one_cell_has_one_mesh(shape: Shape) -> None:
    first, second = (build_meshes(shape, MeshOptions(0.3, 0))[0] for _ in range(2))
    for field in dataclasses.fields(CellMesh):
        one, other = getattr(first, field.name), getattr(second, field.name)
        assert one.tobytes() == other.tobytes(), field.name


# ---- where cells are cut ----


def test_boxes_keep_corners_and_faces_off_the_surfaces() -> None:
    shape = disc(0.3003, 0.2506, 0.4083)
    box = next(ranked_boxes(shape, 0.1))
    places = np.array([centre - box.corner for _, centre in images(box, shape)])
    corners = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
    depth = np.linalg.norm(places[:, None] - corners, axis=2) - 0.4083
    assert np.abs(depth).min() > 0.05
    tangencies = np.stack([places - 0.4083, places + 0.4083])
    assert np.minimum(np.abs(tangencies), np.abs(tangencies - 1)).min() > 0.05


def test_boxes_cross_no_ball_where_there_is_room() -> None:
    # At the origin a face would graze the disc; there is room for elements on the other side.
    shape = disc(0.2, 0.205, 0.2)
    ((_, centre),) = images(next(ranked_boxes(shape, 0.1)), shape)
    np.testing.assert_allclose(centre % 1.0, (0.2, 0.205))


def test_boxes_that_follow_each_other_are_cut_at_other_places() -> None:
    shape = disc(0.3003, 0.2506, 0.4083)
    boxes = [box for box, _ in zip(ranked_boxes(shape, 0.1), range(4), strict=False)]
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert np.abs(one.origin - other.origin).max() > 0.01


# ---- checks ----


@pytest.fixture(scope="module")
def good() -> tuple[Discs, CellMesh]:
    shape = Discs((Disc((0.3, 0.35), 0.2), Disc((0.75, 0.7), 0.15)))
    return shape, build_meshes(shape, MeshOptions(0.15, 0))[0]


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_folds_are_looked_for_where_the_operators_read(dimension: int) -> None:
    element = {1: ElementLineP2, 2: ElementTriP2, 3: ElementTetP2}[dimension]()
    places, _ = get_quadrature(element, QUADRATURE_ORDER)
    known = checks._READ[dimension][:, 1:]
    apart = np.abs(known[:, None] - places.T[None]).max(axis=2)
    assert len(known) == places.shape[1]
    assert apart.min(axis=0).max() < 1e-12


def test_a_region_in_the_wrong_place_is_found(good: tuple[Discs, CellMesh]) -> None:
    shape, mesh = good
    region = mesh.region.copy()
    region[np.flatnonzero(region == 0)[0]] = 1
    with pytest.raises(MeshError, match=r"outside measures .* in truth"):
        check_mesh(dataclasses.replace(mesh, region=region), shape)


def test_a_missing_region_is_named(good: tuple[Discs, CellMesh]) -> None:
    shape, mesh = good
    kept = np.where(mesh.region == 2, 0, mesh.region)
    with pytest.raises(MeshError, match="no element lies in cell_2"):
        check_mesh(dataclasses.replace(mesh, region=kept), shape)


def test_a_fold_is_found_and_placed(good: tuple[Discs, CellMesh]) -> None:
    shape, mesh = good
    points = mesh.points.copy()
    corner = mesh.elements[7]
    points[corner[3]] = points[corner[2]]
    with pytest.raises(FoldedError, match=r"curved elements? folds? over") as caught:
        check_mesh(dataclasses.replace(mesh, points=points), shape)
    apart = np.abs(caught.value.places - mesh.points[corner[:3]].mean(axis=0)).max(axis=1)
    assert apart.min() < 1e-12


def test_a_node_off_its_circle_is_found(good: tuple[Discs, CellMesh]) -> None:
    shape, mesh = good
    facet = np.flatnonzero(mesh.membrane == 1)[0]
    points = mesh.points.copy()
    for nodes in (mesh.membrane_outside[facet], mesh.membrane_inside[facet]):
        points[nodes[2]] += 2e-6 * (points[nodes[2]] - [0.75, 0.7]) / 0.15
    with pytest.raises(MeshError, match=r"a node of membrane_2 lies 2\.0e-06 off its surface"):
        check_mesh(dataclasses.replace(mesh, points=points), shape)


@pytest.mark.parametrize("center", [(0.5, 0.5), (0.1, 0.05)])
def test_tolerances_of_measures_follow_the_elements(center: tuple[float, float]) -> None:
    shape = disc(*center, 0.3)
    ratios = []
    for mesh in build_meshes(shape, MeshOptions(0.15, 2)):
        table = list(compared_measures(mesh, shape, volumes(mesh)[0]))
        ratios.append([(abs(found - exact), tolerance) for _, found, exact, tolerance in table])
    errors, tolerances = np.array(ratios).transpose(2, 0, 1)
    # Both fall with the fourth power of the size; a wrong region is off by percents.
    assert np.all(tolerances < 1e-3)
    np.testing.assert_allclose(np.log2(tolerances[:-1] / tolerances[1:]), 4, atol=0.2)
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:]), 4, atol=0.2)


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("thicknesses", [(1.0,), (0.3, 0.5, 0.2), (0.001, 0.999)])
def test_layers_pass_the_checks(dimension: int, thicknesses: tuple[float, ...]) -> None:
    shape = Layers(thicknesses, dimension)
    for mesh in build_meshes(shape, MeshOptions(0.2, 1)):
        check_mesh(mesh, shape)


# ---- attempts ----


def failing_until(monkeypatch: pytest.MonkeyPatch, errors: list[Exception]) -> None:
    """Let meshing fail with these errors, one after the other, before it works."""
    generate = gmsh.model.mesh.generate

    def fail_first(dimension: int) -> None:
        if errors:
            raise errors.pop(0)
        generate(dimension)

    monkeypatch.setattr(gmsh.model.mesh, "generate", fail_first)


def test_the_next_attempt_mends_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = FoldedError(np.array([[0.5, 0.81]]), np.array([0.1]))
    failing_until(monkeypatch, [Exception("Cannot find periodic counterpart"), fold])
    shape = disc(0.5, 0.5, 0.3)
    result = mesh_cell(shape, MeshOptions(0.2, 0))
    assert len(result.failures) == 2
    assert "gmsh stops with: Cannot find periodic counterpart" in result.failures[0]
    assert "1 curved element folds over, at (0.5, 0.81)" in result.failures[1]
    usual = build_meshes(shape, MeshOptions(0.2, 0))[0]
    (mended,) = result.meshes
    near = np.linalg.norm(mended.points[mended.elements[:, :3]].mean(axis=1) - [0.5, 0.81], axis=1)
    before = np.linalg.norm(usual.points[usual.elements[:, :3]].mean(axis=1) - [0.5, 0.81], axis=1)
    assert (near < 0.1).sum() > (before < 0.1).sum()


def test_a_cell_without_a_mesh_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = FoldedError(np.array([[0.31, 0.3]]), np.array([0.1]))
    failing_until(monkeypatch, [Exception("Cannot find periodic counterpart"), *[fold] * 1000])
    shape = Discs((Disc((0.3, 0.5), 0.19), Disc((0.7, 0.5), 0.2)))
    with pytest.raises(MeshError) as caught:
        build_meshes(shape, MeshOptions(0.2, 0))
    message = str(caught.value)
    assert "no mesh of this cell (two discs, R = 0.19 to 0.2) passes the checks" in message
    assert "gmsh stops with: Cannot find periodic counterpart" in message
    assert "next to cell_1 (center [0.3, 0.5], radius 0.19)" in message
    assert "the gap of 0.01 between cell_2 and cell_1" in message
    assert "a mesh.size below 0.1" in message


def test_faults_of_the_program_are_not_taken_for_faults_of_a_mesh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing_until(monkeypatch, [TypeError("a mistake")])
    with pytest.raises(TypeError, match="a mistake"):
        build_meshes(disc(0.5, 0.5, 0.3), MeshOptions(0.2, 0))


def test_the_narrowest_gap_may_be_to_an_image() -> None:
    gap = narrowest_gap(Discs((Disc((0.1, 0.5), 0.1), Disc((0.9, 0.5), 0.05))))
    assert (gap.first, gap.second) == (1, 0)
    assert gap.width == pytest.approx(0.05)
    assert str(narrowest_gap(disc(0.5, 0.5, 0.45))) == (
        "the gap of 0.1 between cell_1 and its periodic image"
    )
