"""Meshes of other programs: what a cell is made of them, and that it is the cell that was meant."""

from __future__ import annotations

import math
from dataclasses import replace

import meshio
import numpy as np
import pytest
from support.cells import Cell, membrane_sides, pgse_signal
from support.matrix_formalism import ball_signal, disc_signal
from support.own_meshes import centres, cube, gmsh_ball, gmsh_disc, square, write

from torrey.base.errors import InputError
from torrey.cell.assembly import assemble
from torrey.geometry import Disc, Discs, MeshOptions, OwnMesh, shape_from_dict
from torrey.geometry.checks import check_mesh
from torrey.geometry.mesh import CellMesh
from torrey.geometry.meshing import build_meshes
from torrey.gradients.waveforms import Pgse
from torrey.models.tensors import papers_tensors
from torrey.reference.full import mesh_signal

PULSES = Pgse(5.0, 10.0)


def halves(points: np.ndarray, elements: np.ndarray) -> np.ndarray:
    """1 in the middle half along x, 0 elsewhere: whole cells of a grid of four."""
    x = centres(points, elements)[:, 0] / points[:, 0].max()
    return ((x > 0.25) & (x < 0.75)).astype(int)


def coarsest(shape: OwnMesh) -> CellMesh:
    (mesh,) = build_meshes(shape, MeshOptions(0.1, 0))
    return mesh


@pytest.mark.parametrize("ending", ["vtu", "vtk", "msh", "mesh", "inp"])
def test_formats_hold_the_same_cell(tmp_path, ending):
    points, triangles = square(side=8.0)
    inside = halves(points, triangles)
    name = {"msh": "gmsh:physical", "mesh": "medit:ref"}.get(ending, "region")
    data = {name: [5 + inside]} if ending != "inp" else {}
    options: dict[str, str] = {}
    if ending == "msh":
        data["gmsh:geometrical"] = data[name]
        options = {"file_format": "gmsh22"}
    sets = {"region_5": [np.flatnonzero(1 - inside)], "region_6": [np.flatnonzero(inside)]}
    mesh = meshio.Mesh(
        points,
        [("triangle", triangles)],
        cell_data=data,
        cell_sets=sets if ending == "inp" else None,
    )
    mesh.write(tmp_path / f"cell.{ending}", **options)
    shape = OwnMesh(tmp_path / f"cell.{ending}", unit=2.0)
    assert shape.region_names == ("region_5", "region_6")
    assert shape.own_length() == pytest.approx(16.0)
    np.testing.assert_allclose(shape.measures(), [0.5, 0.5])
    assert [m.name for m in shape.membranes()] == ["membrane_region_5_region_6"]
    np.testing.assert_allclose(shape.interface_measures(), [2.0])
    # Quadratic, periodic, and doubled on both lines of the membrane.
    assert len(np.unique(coarsest(shape).periodic)) == 8 * 8 + 2 * 8


@pytest.mark.parametrize("version", [2.2, 4.1])
@pytest.mark.parametrize("order", [1, 2])
def test_files_of_gmsh_of_every_version_say_their_groups(tmp_path, version, order):
    file = gmsh_disc(tmp_path / "disc.msh", order=order, side=20.0, version=version)
    shape = OwnMesh(file, unit=0.5)
    assert shape.compartment_names == ("outside", "soma")
    assert shape.own_length() == pytest.approx(10.0)
    assert math.fsum(shape.measures()) == pytest.approx(1.0, abs=1e-12)
    error = {1: 2e-2, 2: 1e-4}[order]
    assert shape.measures()[1] == pytest.approx(math.pi * 0.16, rel=error)
    assert np.isinf(shape.membrane_radii()[0]) == (order == 1)
    for mesh in build_meshes(shape, MeshOptions(0.1, 1)):
        check_mesh(mesh, shape)
        found = assemble(mesh, membrane_sides(shape)).measures()
        np.testing.assert_allclose(found, shape.measures(), rtol=1e-9)


def test_regions_are_named_grouped_and_left_out(tmp_path):
    points, triangles = square(8, 4.0)
    x, y, _ = centres(points, triangles).T
    part = np.where((y > 1) & (y < 3), x.astype(int), 0)
    part[(part == 3)] = 0
    file = write(tmp_path / "cell.vtu", points, {"triangle": triangles}, part=part)
    three = OwnMesh(file, regions="part")
    assert three.region_names == ("region_0", "region_1", "region_2")
    assert three.region_parts == ("outside", "inside", "inside")
    assert [(m.outside, m.inside) for m in three.membranes()] == [(0, 1), (0, 2), (1, 2)]
    np.testing.assert_allclose(three.interface_measures(), [1.0, 1.0, 0.5])
    one = replace(three, same_compartment=(("region_2", "region_1"),), outside="region_2")
    assert one.region_names == ("region_2", "region_1", "region_0")
    assert one.region_compartment == (0, 0, 1)
    assert one.compartment_names == ("region_2", "region_0")
    assert one.region_measures() == pytest.approx((1 / 8, 1 / 8, 3 / 4))
    assert [m.name for m in one.membranes()] == ["membrane_region_2_region_0"]
    assert one.interface_measures() == pytest.approx((2.0,))
    hole = replace(three, empty=("region_1", "region_2"))
    assert hole.compartment_names == ("region_0",)
    assert [(m.name, m.is_surface) for m in hole.membranes()] == [("surface_region_0", True)]
    assert hole.interface_measures() == pytest.approx((2.0,))
    # Beside a membrane what is empty is impermeable: nothing may leak into it.
    half = replace(three, empty=("region_2",))
    assert [m.name for m in half.membranes()] == ["membrane_region_0_region_1"]
    for shape in (three, one, hole, half):
        check_mesh(build_meshes(shape, MeshOptions(0.1, 1))[1], shape)
        assert shape_from_dict(shape.to_dict()) == shape


def test_pieces_of_a_region_are_compartments_and_periodic_images_are_not(tmp_path):
    points, triangles = square(8)
    x, y, _ = centres(points, triangles).T
    rows = (np.abs(y - 0.5) < 0.25).astype(int)
    axons = rows * ((x < 0.25) | (x > 0.75) | (np.abs(x - 0.5) < 0.125))
    file = write(tmp_path / "cell.vtu", points, {"triangle": triangles}, part=axons)
    shape = OwnMesh(file, regions="part")
    # Of the three parts in the file two are one, across the face.
    assert shape.region_names == ("region_0", "region_1_1", "region_1_2")
    assert shape.region_groups == ("region_0", "region_1", "region_1")
    assert shape.region_measures() == pytest.approx((5 / 8, 1 / 4, 1 / 8))
    alone = replace(shape, outer="walls")
    assert alone.region_names[1:] == ("region_1_1", "region_1_2", "region_1_3")
    mesh = coarsest(alone)
    np.testing.assert_array_equal(mesh.periodic, np.arange(len(mesh.points)))


def test_a_cell_may_end_at_walls_across_one_axis(tmp_path):
    points, triangles = square(8)
    points[np.isclose(points[:, 1], 1.0), 1] += 0.1 * np.arange(9) / 9
    layers = (np.abs(centres(points, triangles)[:, 0] - 0.5) < 0.25).astype(int)
    file = write(tmp_path / "cell.vtu", points, {"triangle": triangles}, region=layers)
    with pytest.raises(InputError, match="do not match"):
        OwnMesh(file)
    flat = points * [1, 0, 0] + np.minimum(points, 1.0) * [0, 1, 0]
    write(file, flat, {"triangle": triangles}, region=layers)
    shape = OwnMesh(file, outer="walls y")
    mesh = coarsest(shape)
    apart = np.abs(mesh.points - mesh.points[mesh.periodic]).max(axis=0)
    np.testing.assert_allclose(apart, [1.0, 0.0], atol=1e-12)
    assert shape_from_dict(shape.to_dict()) == shape
    tensor = papers_tensors(Cell(shape, (3.0, 1.7), 0.125).operators(0)).D
    np.testing.assert_allclose(tensor[:, 0, 0], 0.0, atol=1e-10)  # layers across x
    np.testing.assert_allclose(tensor[:, 1, 1], 0.0, atol=1e-10)  # walls across y
    # Along the walls it is a stack of layers, whatever the axis across.
    closed = signal_of(Cell(shape, (3.0, 1.7), 0.125))
    stack = signal_of(Cell(replace(shape, outer="periodic"), (3.0, 1.7), 0.125))
    assert closed == pytest.approx(stack, rel=1e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_elements_are_turned_and_sides_of_a_box_may_differ(tmp_path, order):
    points, tetrahedra = cube(3, (2.0, 1.0, 3.0))
    turned = tetrahedra[:, [1, 0, 2, 3]]
    elements, kind = np.where(np.arange(len(turned))[:, None] % 2, turned, tetrahedra), "tetra"
    if order == 2:
        kind = "tetra10"
        ends = elements[:, [[0, 1], [1, 2], [2, 0], [0, 3], [1, 3], [2, 3]]]
        pairs, which = np.unique(np.sort(ends, axis=2).reshape(-1, 2), axis=0, return_inverse=True)
        elements = np.hstack([elements, len(points) + which.reshape(-1, 6)])
        points = np.concatenate([points, points[pairs].mean(axis=1)])
    middle = (np.abs(centres(points, elements)[:, 2] - 1.5) < 0.5).astype(int)
    file = write(tmp_path / "box.vtu", points, {kind: elements}, region=middle)
    shape = OwnMesh(file)
    assert shape.dimension == 3
    np.testing.assert_array_equal(shape.periods, np.diag([1.0, 0.5, 1.5]))
    assert shape.region_measures() == pytest.approx((0.5, 0.25))
    assert shape.interface_measures() == pytest.approx((1.0,))
    for mesh in build_meshes(shape, MeshOptions(0.1, 1)):
        check_mesh(mesh, shape)
        corners = mesh.points[mesh.elements[:, :4]]
        assert np.all(np.linalg.det(corners[:, 1:] - corners[:, :1]) > 0)
    assert len(np.unique(mesh.periodic)) == 12**3 + 2 * 12**2


def test_an_oblique_lattice_and_rounded_digits_are_found(tmp_path):
    points, triangles = square(6)
    vectors = np.array([[2.0, 0.0], [1.0, math.sqrt(3.0)]])
    oblique = np.column_stack([points[:, :2] @ vectors, points[:, 2]]).round(6)
    inside = (np.abs(centres(points, triangles)[:, :2] - 0.5).max(axis=1) < 1 / 3).astype(int)
    file = write(tmp_path / "cell.vtu", oblique, {"triangle": triangles}, region=inside)
    rows = tuple(map(tuple, vectors.tolist()))
    shape = OwnMesh(file, lattice=rows)
    np.testing.assert_allclose(shape.periods, vectors / 2, atol=1e-15)
    assert sum(shape.measures()) == pytest.approx(math.sqrt(0.75), rel=1e-12)
    check_mesh(coarsest(shape), shape)
    with pytest.raises(InputError, match="faces across x that do not match"):
        OwnMesh(file)
    assert shape_from_dict(shape.to_dict()) == shape


def test_a_file_that_is_edited_after_it_was_described_is_refused(tmp_path):
    points, triangles = square()
    file = write(tmp_path / "cell.vtu", points, {"triangle": triangles})
    plain = OwnMesh(file).to_dict()
    write(file, 2 * points, {"triangle": triangles})
    with pytest.raises(InputError, match="another content"):
        shape_from_dict(plain)
    file.unlink()
    with pytest.raises(InputError, match="no such file"):
        shape_from_dict(plain)


def test_a_disc_of_gmsh_is_the_disc_within_its_own_error(tmp_path):
    shape = OwnMesh(gmsh_disc(tmp_path / "disc.msh", size=0.15, per_circle=12))
    exact = Cell(Discs((Disc((0.5, 0.5), 0.4),)), (3.0, 1.7), 0.15)
    # An arc of a twelfth of a circle as a parabola is off by angle^4 / 480, and less in signals.
    own_error = (2 * math.pi / 12) ** 4 / 480
    assert abs(shape.interface_measures()[0] / (0.8 * math.pi) - 1) < own_error
    assert abs(shape.measures()[1] / (0.16 * math.pi) - 1) < own_error
    found, wanted = (signal_of(cell) for cell in (Cell(shape, (3.0, 1.7), 0.15), exact))
    assert abs(found - wanted) < 1e-4 * abs(wanted)


def signal_of(cell: Cell) -> complex:
    return pgse_signal(
        cell,
        1,
        period=10.0,
        permeability=0.05,
        b=1.0,
        waveform=Pgse(5.0, 10.0),
        direction=(1.0, 0.0),
        steps=20,
    )


@pytest.mark.slow
def test_a_disc_alone_is_water_in_a_disc(tmp_path):
    """The matrix formalism, on three meshes: of the file and its elements."""
    g = 1.2
    wanted = disc_signal(PULSES, g, 4.0, 2.0)
    errors = []
    sizes = np.array([0.1, 0.07, 0.05])
    for size in sizes:
        file = gmsh_disc(tmp_path / f"{size}.msh", size=size, per_circle=0, alone=True)
        shape = OwnMesh(file, outer="walls", unit=10.0)
        assert [m.name for m in shape.membranes()] == ["surface_soma"]
        cell = Cell(shape, (2.0,))
        system = cell.system(0, shape.own_length(), 0.0, (1.0, 0.0))
        errors.append(abs(mesh_signal(system, PULSES, g, 20) - wanted))
    assert errors[-1] < 1e-5
    order = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert 3.0 < order < 4.5, errors


@pytest.mark.slow
def test_a_ball_alone_is_water_in_a_ball(tmp_path):
    """An isolated neuron's soma of 4 um against the matrix formalism."""
    wanted = ball_signal(PULSES, 0.4, 4.0, 2.0)
    errors = []
    for size in (2.4, 1.6, 1.2):
        shape = OwnMesh(gmsh_ball(tmp_path / f"{size}.msh", 4.0, size), outer="walls", unit=1.0)
        system = Cell(shape, (2.0,)).system(0, shape.own_length(), 0.0, (0.0, 0.0, 1.0))
        errors.append(abs(mesh_signal(system, PULSES, 0.4, 8) - wanted))
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 1e-4 * abs(wanted)
