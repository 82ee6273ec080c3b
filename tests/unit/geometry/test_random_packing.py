"""The kind `packing`: compartments without places, meshes of its discs, and its file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.cells import membrane_sides

from torrey.base import artifacts
from torrey.base.errors import InputError
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of
from torrey.cell.assembly import assemble
from torrey.geometry import Disc, MeshOptions, RadiusLaw, RandomPacking
from torrey.geometry.balls.neighbours import narrowest_gap
from torrey.geometry.balls.packing_files import StoredPacking, read_packing, write_packing
from torrey.geometry.balls.random_packing import PlacedDiscs, placed_balls
from torrey.geometry.meshing import build_meshes

UNIFORM = RadiusLaw(uniform=(1.0, 5.0))
SMALL = RandomPacking(25.0, UNIFORM, fraction=0.35, seed=2, gap=0.3)


def test_compartments_and_measures_are_those_of_the_discs():
    for interior in ("water", "obstacle"):
        shape = RandomPacking(25.0, UNIFORM, fraction=0.35, interior=interior)
        discs = shape.balls
        assert [disc.radius for disc in discs.cells] == shape.radii.tolist()
        assert shape.compartment_names == discs.compartment_names
        assert shape.region_parts == discs.region_parts
        assert shape.membranes() == discs.membranes()
        assert shape.measures() == pytest.approx(discs.measures(), rel=1e-15)
        assert shape.interface_measures() == discs.interface_measures()
        np.testing.assert_array_equal(shape.membrane_radii(), discs.membrane_radii())


@pytest.mark.parametrize("interior", ["water", "obstacle"])
def test_meshes_of_a_packing_measure_what_they_should(interior):
    shape = RandomPacking(25.0, UNIFORM, fraction=0.35, seed=2, gap=0.3, interior=interior)
    (mesh,) = build_meshes(shape, MeshOptions(0.15, 0))
    found = assemble(mesh, membrane_sides(shape)).measures()
    np.testing.assert_allclose(found, shape.measures(), rtol=1e-4)
    np.testing.assert_array_equal(
        mesh.points, build_meshes(shape.balls, MeshOptions(0.15, 0))[0].points
    )


def test_a_file_says_where_the_discs_are_and_how_they_came_there(tmp_path):
    path = tmp_path / "packing.nc"
    write_packing(path, SMALL, Provenance("test"))
    stored = read_packing(path)
    assert stored.balls == SMALL.balls
    data = artifacts.open_dataset(path)
    assert data.center.shape == (len(SMALL.radii), 2)
    assert data.compartment.values.tolist() == list(range(1, len(SMALL.radii) + 1))
    assert float(data.fraction) == pytest.approx(np.pi * np.sum(SMALL.radii**2), rel=1e-14)
    assert float(data.box) == 25.0
    assert float(data.gap) == pytest.approx(25.0 * narrowest_gap(SMALL.balls).width)
    assert 0.3 <= float(data.gap) < 1.0
    assert data.method.attrs["flag_meanings"].split()[int(data.method)] == "addition"


def test_a_file_of_overlapping_discs_is_refused_where_it_is_read(tmp_path):
    path = tmp_path / "packing.nc"
    stored = StoredPacking.of(SMALL)
    centres = stored.center.copy()
    centres[1] = centres[0] + 0.01
    artifacts.write(path, group_of(replace(stored, center=centres)), Provenance("test"))
    with pytest.raises(InputError, match=r"packing\.nc, whose discs 1 and 2 overlap by .*anew"):
        read_packing(path)


def test_obstacles_stay_obstacles_in_the_file():
    shape = RandomPacking(25.0, UNIFORM, count=4, interior="obstacle")
    stored = StoredPacking.of(shape)
    assert stored.compartment.tolist() == [-1] * 4
    assert stored.balls.interior == "obstacle"


def test_discs_nearer_than_those_of_a_list_may_be_meshed():
    # Two circles 2e-4 of the box apart, a fifth of what `discs` accepts.
    discs = PlacedDiscs((Disc((0.3, 0.5), 0.2), Disc((0.7002, 0.5), 0.2)))
    (mesh,) = build_meshes(discs, MeshOptions(0.15, 0))
    assert set(mesh.region.tolist()) == {0, 1, 2}
    assert narrowest_gap(discs).width == pytest.approx(2e-4)


def test_overlapping_discs_of_a_file_are_refused():
    with pytest.raises(InputError, match="cell_1 and cell_2 overlap by 0.1"):
        placed_balls(np.array([[0.1, 0.5], [0.9, 0.5]]), np.array([0.15, 0.15]), "water")


def test_a_single_disc_is_nearest_to_its_own_image():
    gap = narrowest_gap(RandomPacking(25.0, RadiusLaw(list=(5.0,))).balls)
    assert str(gap) == "the gap of 0.6 between cell_1 and its periodic image"


def test_what_is_wrong_is_said_to_those_who_write_python():
    with pytest.raises(InputError, match="box: found -1 um"):
        RandomPacking(-1.0, UNIFORM, count=3)
    with pytest.raises(InputError, match="interior: found"):
        RandomPacking(60.0, UNIFORM, count=3, interior="air")
    with pytest.raises(InputError, match=r"uniform\[0\]: found -1 um"):
        RadiusLaw(uniform=(-1.0, 2.0))
    with pytest.raises(InputError, match='count: found "3", a text'):
        RandomPacking(60.0, UNIFORM, count="3")
