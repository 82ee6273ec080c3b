"""What a cell is: parts, materials, similar cells, and what they share."""

from __future__ import annotations

import math
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from matplotlib import pyplot

import torrey as tr
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs

TWO = tr.Discs((tr.Disc((0.3, 0.3), 0.2), tr.Disc((0.7, 0.7), 0.2)))


def test_parts_lists_and_names_of_regions_are_the_same_material():
    by_part = tr.Cell(TWO, {"outside": 3, "inside": ["2e-3 mm^2/s", 1]}, 10, 0.05)
    by_list = tr.Cell(TWO, [3, 2, 1], 10, 0.05)
    by_name = tr.Cell(TWO, {"outside": 3, "cell_1": 2, "cell_2": 1}, 10, 0.05)
    mixed = tr.Cell(TWO, {"outside": 3, "inside": 1, "cell_1": 2}, 10, 0.05)
    assert by_part == by_list == by_name == mixed
    assert by_part.material == Material((3.0, 2.0, 1.0))
    assert tr.Cell(TWO, 2, 10).material == Material((2.0,) * 3)


def test_a_cell_says_what_was_made_of_its_file_and_that_it_is_scaled(tmp_path):
    labels = np.zeros((64, 64), dtype=np.uint8)
    labels[20:44, 20:44] = 1
    labels[4:6, 4:6] = 2
    np.save(tmp_path / "labels.npy", labels)
    image = tr.shapes.LabelImage(file=tmp_path / "labels.npy", pixel=0.1)
    assert image.remarks()
    said = repr(tr.Cell(image, 2.0, 5.0)).splitlines()
    assert [line.strip(" ,") for line in said[2:]] == [
        *image.remarks(),
        "scaled to that period from 6.4 um",
    ]
    assert "scaled" not in repr(tr.Cell(image, 2.0, 6.4))


def test_matrices_relaxation_and_densities():
    D = [["2e-3 mm^2/s", 0], [0, 1]]
    cell = tr.Cell(
        TWO,
        {"outside": 3, "inside": [D, np.eye(2)]},
        10,
        T2={"outside": "80 ms", "inside": "infinite"},
        density=[1, 0.5, 0.5],
    )
    assert cell.material.diffusivity == (3.0, ((2.0, 0.0), (0.0, 1.0)), ((1.0, 0.0), (0.0, 1.0)))
    assert (80.0, math.inf, math.inf) == cell.material.T2
    assert cell.material.density == (1.0, 0.5, 0.5)
    assert tr.Cell(TWO, D, 10).material.diffusivity == (((2.0, 0.0), (0.0, 1.0)),) * 3


def test_layers_around_discs_have_a_part_of_their_own():
    coated = tr.Discs((tr.Disc((0.5, 0.5), 0.3),), layer=0.05)
    cell = tr.Cell(coated, {"outside": 3, "inside": 2, "layer": 0.1}, 10)
    assert cell.material.diffusivity == (3.0, 2.0, 0.1)
    with pytest.raises(tr.InputError, match="densities that differ"):
        tr.Cell(coated, 2, 10, density=[1, 2, 1])


def test_membranes_may_differ():
    cell = tr.Cell(TWO, 2, 10, ["5e-5 m/s", "1e-5 m/s"])
    assert (cell.permeability, cell.material.membranes) == (0.05, (1.0, 0.2))
    assert tr.Cell(TWO, 2, 10, [0.05, 0.05]).material.membranes == ()


def test_surfaces_of_obstacles_relax():
    obstacle = tr.Discs((tr.Disc((0.5, 0.5), 0.3),), interior="obstacle")
    cell = tr.Cell(obstacle, 2, 10, surface_relaxivity="1e-5 m/s")
    assert (cell.permeability, cell.material) == (0.01, Material((2.0,)))
    with pytest.raises(tr.InputError, match="there is no membrane"):
        tr.Cell(obstacle, 2, 10, permeability=0.01)


def test_shapes_may_be_made_of_lists():
    loose = tr.Discs([tr.Disc([0.5, 0.5], 0.4)], lattice=[[1, 0], np.array([0.0, 1.0])])
    assert tr.Cell(loose, 2, 10).shape == Discs((Disc((0.5, 0.5), 0.4),))


def test_cells_do_not_change(cell):
    with pytest.raises(FrozenInstanceError):
        cell.period = 5.0


def test_similar_cells_share_what_is_the_same(cell):
    smaller = cell.with_(period="5 um", permeability=0)
    assert smaller == tr.Cell(cell.shape, [3, 1.7], 5, 0, mesh=cell.mesh)
    assert smaller.medium is cell.medium
    other = cell.with_(diffusivity=2, T2=80)
    assert other.material == Material((2.0, 2.0), T2=(80.0, 80.0))
    assert other.permeability == cell.permeability
    assert other.medium.levels[0].cell is cell.medium.levels[0].cell
    assert other.with_(T2=None).material == Material((2.0, 2.0))
    assert cell.with_(mesh=0.3).medium.discretisation is not cell.medium.discretisation
    assert cell.with_(shape=TWO, diffusivity=1).material == Material((1.0,) * 3)
    with pytest.raises(tr.InputError, match=r"diffusivity=...\): found 2 values"):
        cell.with_(diffusivity=[3, 1.7]).with_(shape=TWO)


def test_a_copy_in_another_process_is_the_same_cell(cell):
    copy = pickle.loads(pickle.dumps(cell))
    assert copy == cell
    assert copy.medium.levels is not cell.medium.levels


def test_a_cell_says_what_it_is(cell):
    assert repr(cell) == (
        "Cell of discs in 2D: outside, cell_1 with D = 3, 1.7 um^2/ms,\n"
        "  period 10 um, permeability 0.05 um/ms"
    )
    many = tr.Cell(tr.Layers((0.1,) * 10), 2.0, 10, T2=80)
    assert repr(many).splitlines()[0].endswith("layer_0 to layer_9 with D = 2 um^2/ms,")
    assert repr(many).endswith("with T2")


def test_meshes_by_dimension():
    assert tr.Cell(TWO, 2, 10).mesh == tr.MeshOptions(0.1, 4)
    assert tr.Cell(tr.Layers((1.0,)), 2, 10).mesh == tr.MeshOptions(0.1, 6)
    assert tr.Cell(tr.Spheres(()), 2, 10).mesh == tr.MeshOptions(0.2, 2)
    assert tr.Cell(TWO, 2, 10, mesh=0.05).mesh == tr.MeshOptions(0.05, 4)
    # The usual limit is lower where it would ask for millions of elements.
    assert tr.Cell(TWO, 2, 10, mesh=0.01).mesh == tr.MeshOptions(0.01, 2)


def test_a_plot_shows_the_cell_in_um(cell):
    plain, meshed = cell.plot(), cell.plot(mesh=True)
    assert plain.get_xlabel() == "x (µm)"
    # A part of each neighbour is seen, too.
    np.testing.assert_allclose(plain.get_xlim(), (-1.4, 11.4))
    assert len(meshed.get_children()) == len(plain.get_children()) + 1
    assert {text.get_text() for text in plain.texts} == {"outside", "cell 1"}
    assert cell.plot(ax=plain) is plain
    strip = tr.Cell(tr.Layers((0.5, 0.5)), 2, 10).plot()
    np.testing.assert_allclose(strip.get_xlim(), (-1.4, 11.4))


def test_axes_in_three_dimensions_are_refused():
    space = pyplot.figure().add_subplot(projection="3d")
    cell = tr.Cell(tr.Spheres([tr.Sphere((0.5, 0.5, 0.5), 0.3)]), 2, 10, mesh=0.4)
    with pytest.raises(tr.InputError, match="ax: found axes in three dimensions, accepted: axes"):
        cell.plot(ax=space)
    pyplot.close(space.figure)
