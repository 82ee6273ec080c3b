"""Layers around discs, lattices, spheres and relaxing surfaces in a configuration."""

from __future__ import annotations

import math

import pytest
from support.configurations import edited, line_of

from torrey.geometry import Sphere, Spheres

COAT = "    interior: water\n    layer: 0.02"
LAYERED = "{outside: 3 um^2/ms, inside: [1.7 um^2/ms, 1.2 um^2/ms], layer: 0.01 um^2/ms}"
DIFFUSIVITY = "{outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s}"


def layered(diffusivity: str = LAYERED, permeability: str = "[0 m/s]") -> str:
    text = edited("    interior: water", COAT).replace(DIFFUSIVITY, diffusivity)
    return text.replace("[8e-5 m/s]", permeability)


def test_layers_have_a_diffusivity_of_their_own(read):
    study = read(layered()).studies["mine"]
    assert study.shape.layer == 0.02
    assert study.material.diffusivity == (3.0, 1.7, 1.2, 0.01, 0.01)
    assert study.shape.region_names == ("outside", "cell_1", "cell_2", "layer_1", "layer_2")


def test_a_lattice_is_read(read):
    text = edited("    interior: water", "    interior: water\n    lattice: [[1, 0], [0.5, 0.9]]")
    assert read(text).geometries["tissue"].shape.lattice == ((1.0, 0.0), (0.5, 0.9))


def test_spheres_are_read(read):
    text = edited(
        "  layers: {kind: layers, thicknesses: [0.6, 0.4]}",
        "  balls: {kind: spheres, cells: [{center: [0.5, 0.5, 0.25], radius: 0.2}]}",
    )
    shape = read(text).geometries["balls"].shape
    assert shape == Spheres((Sphere((0.5, 0.5, 0.25), 0.2),))
    assert shape.measures()[1] == pytest.approx(4 / 3 * math.pi * 0.2**3)


def test_surfaces_of_obstacles_may_relax(read):
    text = edited("geometry: tissue", "geometry: stones").replace(", inside: 1.2e-3 mm^2/s", "")
    text = text.replace("permeability: [8e-5 m/s]", "surface_relaxivity: [1e-5 m/s, 2e-5 m/s]")
    text = text.replace("    period:", "    permeability_factors: 0.5\n    period:")
    study = read(text).studies["mine"]
    assert study.sweep.axes()["surface_relaxivity"] == (0.01, 0.02)
    assert [point.permeability for point in study.points().values()][0] == 0.01
    assert study.material.membranes == (0.5,)


REFUSED = [
    (layered().replace("0.02", "-0.1"), "geometries.tissue.layer", "-0.1", "a thickness of 0"),
    (layered().replace("0.02", "0.2"), "geometries.tissue.cells", "apart", "leave a gap"),
    (layered(permeability="[1e-5 m/s]"), "studies.mine.permeability", "above zero", "in layers"),
    (layered(DIFFUSIVITY), "studies.mine.diffusivity", "no key layer", "in the layers around"),
    (
        layered(LAYERED.replace("0.01", "-1")),
        "studies.mine.diffusivity.layer",
        '"-1 um^2/ms"',
        "at least zero",
    ),
    (
        edited(DIFFUSIVITY, LAYERED),
        "studies.mine.diffusivity.layer",
        "a diffusivity in a layer",
        "no such key: the geometry has no layer",
    ),
    (
        layered().replace("    period:", "    density: {outside: 1, inside: 0.5}\n    period:"),
        "studies.mine.density",
        "densities",
        "the field is continuous",
    ),
    (
        layered(permeability="[1e-5 m/s]").replace("permeability:", "surface_relaxivity:"),
        "studies.mine.surface_relaxivity",
        "a relaxivity above zero",
        "nor an obstacle",
    ),
    (
        edited("interior: obstacle}", "interior: obstacle, layer: 0.1}"),
        "geometries.stones.layer",
        "obstacles with a layer",
        "around water",
    ),
    (
        edited("interior: obstacle}", "interior: obstacle, lattice: [[1, 0], [2, 0]]}"),
        "geometries.stones.lattice",
        "[[1.0, 0.0], [2.0, 0.0]]",
        "the second to the left",
    ),
    (
        edited("interior: obstacle}", "interior: obstacle, lattice: [[1, 0], [0, 0.5]]}"),
        "geometries.stones.cells",
        "its periodic image are 0.5 apart",
        "leave a gap",
    ),
    (
        edited(
            "{kind: layers, thicknesses: [0.6, 0.4]}",
            "{kind: spheres, cells: [{center: [0.5, 0.5], radius: 0.2}]}",
        ),
        "geometries.layers.cells[0].center",
        "a list of 2",
        "three numbers",
    ),
    (
        edited(
            "{kind: layers, thicknesses: [0.6, 0.4]}",
            "{kind: spheres, cells: [{center: [0.5, 0.5, 0.5], radius: 0.5}]}",
        ),
        "geometries.layers.cells[0].radius",
        "0.5",
        "at most 0.49995",
    ),
]


@pytest.mark.parametrize(("text", "key", "found", "accepted"), REFUSED)
def test_cells_that_cannot_be_are_refused(messages, text, key, found, accepted):
    (message,) = [m for m in messages(text) if f": {key}: found " in m]
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after
    name = key.split(".")[1]
    assert int(message.split(":")[1]) >= line_of(text, f"{name}:")
