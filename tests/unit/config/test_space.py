"""Bodies in space in a configuration: how they are read, and what is refused where."""

from __future__ import annotations

import pytest
from support.configurations import edited

from torrey.geometry import Cylinder, Cylinders, Ellipsoid, Ellipsoids, Layers, Sphere, Spheres
from torrey.geometry.lattices import LATTICES

LAYERS = "{kind: layers, thicknesses: [0.6, 0.4]}"
CENTER = "center: [0.5, 0.5, 0.5]"

READ = {
    f"{{kind: spheres, lattice: fcc, cells: [{{{CENTER}, radius: 0.2}}]}}": Spheres(
        (Sphere((0.5, 0.5, 0.5), 0.2),), lattice=LATTICES["fcc"]
    ),
    f"{{kind: spheres, lattice: [[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0.8]], coat: 0.05, "
    f"cells: [{{{CENTER}, radius: 0.2}}]}}": Spheres(
        (Sphere((0.5, 0.5, 0.5), 0.2),),
        lattice=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.5, 0.5, 0.8)),
        coat=0.05,
    ),
    f"{{kind: cylinders, cells: [{{{CENTER}, axis: [1, 1, 0], radius: 0.2}}]}}": Cylinders(
        (Cylinder((0.5, 0.5, 0.5), 0.2, (1, 1, 0)),)
    ),
    f"{{kind: ellipsoids, interior: obstacle, cells: [{{{CENTER}, axes: [0.4, 0.2, 0.2], "
    f"orientation: [[1, 1, 0], [0, 0, 1]]}}]}}": Ellipsoids(
        (Ellipsoid((0.5, 0.5, 0.5), (0.4, 0.2, 0.2), ((1.0, 1.0, 0.0), (0.0, 0.0, 1.0))),),
        "obstacle",
    ),
    "{kind: layers, thicknesses: [0.6, 0.4], dimension: 3}": Layers((0.6, 0.4), 3),
}


@pytest.mark.parametrize("text", READ)
def test_bodies_in_space_are_read(read, text):
    assert read(edited(LAYERS, text)).geometries["layers"].shape == READ[text]


REFUSED = [
    (f"{{kind: spheres, lattice: fc, cells: [{{{CENTER}, radius: 0.2}}]}}", "lattice", "bcc, fcc"),
    (
        f"{{kind: spheres, lattice: [[1, 0], [0, 1]], cells: [{{{CENTER}, radius: 0.2}}]}}",
        "lattice",
        "three vectors",
    ),
    (
        f"{{kind: spheres, coat: 0.001, cells: [{{{CENTER}, radius: 0.2}}]}}",
        "coat",
        "0.005 to 0.5",
    ),
    (
        f"{{kind: cylinders, cells: [{{{CENTER}, axis: [1, 1.5, 0], radius: 0.2}}]}}",
        "cells[0].axis[1]",
        "three whole numbers",
    ),
    (
        f"{{kind: cylinders, cells: [{{{CENTER}, radius: 0.3}}, "
        "{center: [0.5, 0.1, 0], axis: [1, 0, 0], radius: 0.2}]}",
        "cells",
        "neither overlap nor touch",
    ),
    ("{kind: cylinders, cells: []}", "cells", "a list of cylinders"),
    (
        f"{{kind: ellipsoids, cells: [{{{CENTER}, axes: [0.6, 0.4]}}]}}",
        "cells[0].axes",
        "three semi-axes",
    ),
    (
        f"{{kind: ellipsoids, cells: [{{{CENTER}, axes: [0.4, 0.2, 0.2], "
        "orientation: [[1, 0, 0], [1, 0, 0]]}]}",
        "cells[0].orientation",
        "not parallel",
    ),
]


@pytest.mark.parametrize(("text", "key", "accepted"), REFUSED)
def test_impossible_bodies_in_space_are_refused(messages, text, key, accepted):
    said = [m for m in messages(edited(LAYERS, text)) if f"geometries.layers.{key}: found" in m]
    assert any(accepted in message.split(", accepted: ")[1] for message in said), messages(
        edited(LAYERS, text)
    )
