"""Cells are checked before they are meshed, and know their exact measures."""

from __future__ import annotations

import math

import pytest

from torrey.geometry import (
    NOTHING,
    Disc,
    Discs,
    Layers,
    MeshOptions,
    Sphere,
    Spheres,
    shape_from_dict,
)

TWO = Discs((Disc((0.3, 0.35), 0.21), Disc((0.72, 0.66), 0.17)))


def test_discs_know_their_compartments_and_measures():
    assert TWO.dimension == 2
    assert TWO.n_compartments == 3
    assert TWO.compartment_names == ("outside", "cell_1", "cell_2")
    assert [(m.name, m.outside, m.inside) for m in TWO.membranes()] == [
        ("membrane_1", 0, 1),
        ("membrane_2", 0, 2),
    ]
    assert TWO.measures()[1:] == (math.pi * 0.21**2, math.pi * 0.17**2)
    assert sum(TWO.measures()) == pytest.approx(1)
    assert TWO.interface_measures() == (2 * math.pi * 0.21, 2 * math.pi * 0.17)


def test_obstacles_are_not_compartments():
    obstacles = Discs(TWO.cells, interior="obstacle")
    assert obstacles.compartment_names == ("outside",)
    assert [(m.name, m.outside, m.inside) for m in obstacles.membranes()] == [
        ("surface_1", 0, NOTHING),
        ("surface_2", 0, NOTHING),
    ]
    assert obstacles.interface_measures() == TWO.interface_measures()
    assert obstacles.measures() == (TWO.measures()[0],)


def test_no_discs_make_a_homogeneous_cell():
    empty = Discs(())
    assert empty.n_compartments == 1
    assert empty.measures() == (1.0,)


def test_layers_have_a_membrane_at_every_change():
    layers = Layers((0.5, 0.3, 0.2))
    assert layers.dimension == 1
    assert layers.compartment_names == ("layer_0", "layer_1", "layer_2")
    assert [(m.outside, m.inside) for m in layers.membranes()] == [(0, 1), (1, 2), (2, 0)]
    assert layers.measures() == (0.5, 0.3, 0.2)
    assert layers.interface_measures() == (1.0, 1.0, 1.0)


def test_one_layer_has_one_membrane_between_its_two_ends():
    (membrane,) = Layers((1.0,), dimension=2).membranes()
    assert (membrane.outside, membrane.inside) == (0, 0)


@pytest.mark.parametrize(
    "shape",
    [
        TWO,
        Discs(()),
        Discs(TWO.cells, "obstacle"),
        Discs(TWO.cells, layer=0.01, lattice=((1.0, 0.0), (0.1, 1.0))),
        Spheres((Sphere((0.5, 0.5, 0.25), 0.2),), "obstacle"),
        Layers((1.0,)),
        Layers((0.7, 0.3), 2),
    ],
)
def test_plain_values_describe_the_whole_shape(shape):
    plain = shape.to_dict()
    assert all(type(value) in (str, int, float) for value in plain.values())
    assert shape_from_dict(plain) == shape


@pytest.mark.parametrize("radius", [0.0, -0.1, 0.49996, 0.5, 0.7, math.nan])
def test_impossible_radii_are_refused(radius):
    with pytest.raises(ValueError, match=r"radius: found .* at most 0\.49995"):
        Disc((0.5, 0.5), radius)


@pytest.mark.parametrize("center", [(1.0, 0.5), (0.5, -0.1), (0.5, math.nan), (0.5,)])
def test_centres_lie_in_the_cell(center):
    with pytest.raises(ValueError, match=r"center: .* accepted: two numbers in \[0, 1\["):
        Disc(center, 0.1)


@pytest.mark.parametrize(
    ("cells", "distance"),
    [
        (((0.3, 0.5), 0.2, (0.6, 0.5), 0.2), "0.3"),  # overlap
        (((0.25, 0.5), 0.2, (0.65, 0.5), 0.2), "0.4"),  # touch
        (((0.25, 0.5), 0.2, (0.65005, 0.5), 0.2), "0.40005"),  # nearly touch
        (((0.1, 0.5), 0.2, (0.9, 0.5), 0.2), "0.2"),  # overlap across the boundary
        (((0.05, 0.05), 0.1, (0.95, 0.95), 0.1), "0.141421"),  # ... across the corner
        (((0.5, 0.5), 0.3, (0.5, 0.5), 0.1), "0"),  # one in the other
    ],
)
def test_discs_neither_overlap_nor_touch(cells, distance):
    one, r, other, s = cells
    with pytest.raises(ValueError, match="neither overlap nor touch") as refusal:
        Discs((Disc(one, r), Disc(other, s)))
    message = str(refusal.value)
    assert f"cell_1 and cell_2 are {distance} apart" in message
    assert f"the least is {r + s + 1e-4:.6g}" in message


def test_the_least_gap_is_accepted():
    assert Discs((Disc((0.25, 0.5), 0.2), Disc((0.6501, 0.5), 0.2))).n_compartments == 3
    assert Disc((0.5, 0.5), 0.49995).radius == 0.49995


def test_every_conflict_is_named():
    cells = tuple(Disc((0.1 + 0.1 * i, 0.5), 0.06) for i in range(8))
    with pytest.raises(ValueError, match=r"cell_1 and cell_2 .* cell_5 and cell_6 .*and 2 more"):
        Discs(cells)


@pytest.mark.parametrize(
    ("thicknesses", "dimension", "message"),
    [
        ((0.5, 0.4), 1, "sum 0.9"),
        ((), 1, "sum 0"),
        ((1.2, -0.2), 1, r"thicknesses\[1\]: found -0.2"),
        ((math.nan,), 1, "thicknesses"),
        ((1.0,), 4, "dimension: found 4, accepted: 1, 2 or 3"),
    ],
)
def test_impossible_layers_are_refused(thicknesses, dimension, message):
    with pytest.raises(ValueError, match=message):
        Layers(thicknesses, dimension)


@pytest.mark.parametrize(("size", "refinements"), [(0.0, 2), (0.6, 2), (0.1, -1), (0.1, 7)])
def test_impossible_mesh_options_are_refused(size, refinements):
    with pytest.raises(ValueError, match="accepted"):
        MeshOptions(size, refinements)


def test_mesh_options_are_plain():
    options = MeshOptions(0.05, 3)
    assert options.to_dict() == {"size": 0.05, "refinements": 3}
    assert MeshOptions.from_dict({"kind": "discs", **options.to_dict()}) == options
    assert MeshOptions.from_dict(MeshOptions(0.05).to_dict()) == MeshOptions(0.05)


@pytest.mark.parametrize(
    ("d", "size", "limit", "kept"), [(1, 0.1, 6, 2), (2, 0.1, 4, 2), (3, 0.2, 2, 1)]
)
def test_what_mesh_options_leave_out_is_the_usual_of_the_dimension(d, size, limit, kept):
    assert MeshOptions().resolved(d) == MeshOptions(size, limit)
    assert MeshOptions().kept_only(d) == MeshOptions(size, kept)
    assert MeshOptions(0.3, 0).kept_only(d) == MeshOptions(0.3, 0)
    assert MeshOptions(0.3, 6).kept_only(d) == MeshOptions(0.3, kept)


def test_unknown_interiors_are_refused():
    with pytest.raises(ValueError, match="water or obstacle"):
        Discs((), interior="oil")


def test_layers_around_discs_are_regions_of_one_compartment():
    coated = Discs(TWO.cells, layer=0.02)
    assert coated.membranes() == ()
    assert coated.interface_measures() == ()
    assert coated.compartment_names == ("outside",)
    assert coated.n_compartments == 1
    assert coated.region_names == ("outside", "cell_1", "cell_2", "layer_1", "layer_2")
    assert coated.region_compartment == (0,) * 5
    areas = coated.region_measures()
    assert areas[1:3] == TWO.measures()[1:]
    assert areas[3] == pytest.approx(math.pi * (0.23**2 - 0.21**2))
    assert sum(areas) == pytest.approx(1.0)
    assert coated.measures() == (pytest.approx(1.0),)


def test_the_gap_counts_from_layer_to_layer():
    cells = (Disc((0.25, 0.5), 0.2), Disc((0.75, 0.5), 0.2))
    assert Discs(cells, layer=0.049).layer == 0.049
    with pytest.raises(ValueError, match="neither overlap nor touch"):
        Discs(cells, layer=0.05)


def test_spheres_neither_overlap_nor_touch():
    with pytest.raises(ValueError, match=r"cell_1 and cell_2 are 0\.34641 apart"):
        Spheres((Sphere((0.1, 0.1, 0.1), 0.2), Sphere((0.9, 0.9, 0.9), 0.2)))


def test_the_cell_of_a_lattice_has_its_area():
    shape = Discs((Disc((0.5, 0.5), 0.2),), lattice=((1.0, 0.0), (0.5, 0.8)))
    assert sum(shape.measures()) == pytest.approx(0.8)
