"""A new kind of geometry is one file: from YAML to a signal, all else follows from the registry."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import jsonschema
import numpy as np
import pytest
import yaml
from matplotlib.figure import Figure
from support.cells import membrane_sides
from support.configurations import Yaml12Loader
from support.diamonds import Diamond, registered

from torrey.base import artifacts
from torrey.base.errors import either
from torrey.base.provenance import Provenance
from torrey.cell import build
from torrey.cell.assembly import assemble
from torrey.config.documentation import geometry_tables
from torrey.config.schema import json_schema
from torrey.figures.cells import fill_cell, region_path
from torrey.geometry import MeshOptions, Shape, kinds, shape_from_dict
from torrey.geometry.checks import check_mesh, compared_measures, volumes
from torrey.geometry.files import read_meshes, write_meshes
from torrey.geometry.mesh import MeshError
from torrey.geometry.meshing import build_meshes
from torrey.reference.full import reference_signal

TEXT = """\
geometries:
  gem:
    kind: diamond
    center: [0.4, 0.5]
    half_width: 0.35
    half_height: 0.35
    mesh: {size: 0.15, refinements: 2}
studies:
  mine:
    geometry: gem
    diffusivity: {outside: 2 um^2/ms, inside: [2 um^2/ms, 1 um^2/ms]}
    period: 10 um
    permeability: 2e-5 m/s
    waveform: {kind: pgse, delta: 5 ms, Delta: 10 ms}
    b: 1 ms/um^2
    directions: [[1, 0], [0, 1]]
    models: [reference, R0]
    tolerance: 1e-3
"""
KINDS = either([*(kind.kind for kind in kinds()), "diamond"])
GEM = Diamond((0.4, 0.5), 0.35, 0.35)


@pytest.fixture(autouse=True)
def _diamonds() -> Iterator[None]:
    with registered(Diamond):
        yield


def signals(text: str, read) -> list[complex]:
    """Reference signals of a study whose errors are within its tolerance."""
    study = read(text).studies["mine"]
    levels = build.levels(study.shape, study.mesh, study.material)
    results = [reference_signal(levels, p, study.tolerance) for p in study.points().values()]
    for result in results:
        assert 0 < result.error <= study.tolerance * abs(result.signal)
    return [result.signal for result in results]


def test_a_new_kind_runs_from_its_keys_to_a_signal_with_an_error(read):
    study = read(TEXT).studies["mine"]
    assert study.shape == GEM
    assert study.material.diffusivity == (2.0, 2.0, 1.0)
    along_x, along_y = signals(TEXT, read)
    # A square that stands on a corner is the same along x and y, wherever the cell is cut.
    assert abs(along_x - along_y) < 2e-3 * abs(along_x)
    assert math.exp(-2.0) < abs(along_x) < 1.0


def test_without_membrane_and_contrast_a_new_kind_is_free_water(read):
    text = TEXT.replace("2e-5 m/s", "1e-1 m/s").replace("[2 um^2/ms, 1 um^2/ms]", "2 um^2/ms")
    for found in signals(text, read):
        assert found == pytest.approx(math.exp(-2.0), rel=5e-3)


@pytest.mark.parametrize("center", [(0.4, 0.5), (0.05, 0.1), (0.0, 0.0)])
def test_meshes_of_a_new_kind_pass_the_checks_of_all(center):
    shape = Diamond(center, 0.3, 0.2, core=0.6)
    for mesh in build_meshes(shape, MeshOptions(0.15, 1)):
        assert set(mesh.region.tolist()) == {0, 1, 2}
        np.testing.assert_array_equal(mesh.region_compartment(), shape.region_compartment)
        measure, folded = volumes(mesh)
        assert not folded.any()
        compared = list(compared_measures(mesh, shape, measure))
        assert [name for name, *_ in compared] == ["outside", "rim", "core", "membrane"]
        for _, found, exact, tolerance in compared:
            assert abs(found - exact) <= tolerance
        found = assemble(mesh, membrane_sides(shape)).measures()
        np.testing.assert_allclose(found, shape.measures(), rtol=1e-9)


def test_the_core_shares_its_nodes_with_the_rim_and_the_membrane_does_not():
    (mesh,) = build_meshes(GEM, MeshOptions(0.15, 0))
    core, rim, outside = (set(mesh.elements[mesh.region == i].ravel()) for i in (2, 1, 0))
    assert core & rim
    assert not outside & (core | rim)
    gap = mesh.points[mesh.membrane_outside] - mesh.points[mesh.membrane_inside]
    np.testing.assert_allclose(gap, 0, atol=1e-12)
    np.testing.assert_array_equal(mesh.node_compartment()[mesh.membrane_outside], 0)


def test_a_kind_that_says_a_wrong_measure_is_found_out():
    @dataclass(frozen=True)
    class Swollen(Diamond):
        """Not what it draws."""

        def interface_measures(self) -> tuple[float, ...]:
            return (1.001 * super().interface_measures()[0],)

    (mesh,) = build_meshes(GEM, MeshOptions(0.2, 0))
    check_mesh(mesh, GEM)
    with pytest.raises(MeshError, match="membrane measures"):
        check_mesh(mesh, Swollen((0.4, 0.5), 0.35, 0.35))


def test_plain_values_and_files_hold_a_new_kind(tmp_path):
    plain = GEM.to_dict()
    assert plain == {
        "kind": "diamond",
        "center_0": 0.4,
        "center_1": 0.5,
        "half_width": 0.35,
        "half_height": 0.35,
        "core": 0.5,
    }
    assert shape_from_dict({**plain, "size": 0.1, "refinements": 2}) == GEM
    meshes = build_meshes(GEM, MeshOptions(0.2, 0))
    write_meshes(tmp_path / "mesh.nc", GEM, meshes, Provenance("test"))
    np.testing.assert_array_equal(read_meshes(tmp_path / "mesh.nc")[0].points, meshes[0].points)
    assert list(artifacts.read(tmp_path / "mesh.nc")["region"]) == ["outside", "rim", "core"]


def test_figures_draw_the_regions_of_a_new_kind():
    shape = Diamond((0.05, 0.1), 0.3, 0.2)
    (mesh,) = build_meshes(shape, MeshOptions(0.2, 0))
    for region, area in enumerate(shape.region_measures()):
        outlines = region_path(mesh, region).to_polygons()
        # Outer ones turn to the left and holes to the right, so that their signed areas add up.
        parts = [p[:-1, 0] @ p[1:, 1] - p[1:, 0] @ p[:-1, 1] for p in outlines]
        assert sum(parts) / 2 == pytest.approx(area)
    fill_cell(Figure().subplots(), mesh)


def test_schema_and_documentation_hold_a_new_kind():
    schema = json_schema()
    assert schema["$defs"]["DiamondModel"]["required"] == [
        "kind",
        "center",
        "half_width",
        "half_height",
    ]
    jsonschema.validate(yaml.load(TEXT, Yaml12Loader), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.load(TEXT.replace("half_w", "w"), Yaml12Loader), schema)
    tables = geometry_tables()
    what = "One diamond behind a membrane, with a core of another material in it."
    assert f"| `diamond` | {what} | 2 |" in tables
    assert "| `core` | diamond | a number above 0 and below 1 | `0.5` |" in tables
    assert KINDS in tables


REFUSED = [
    ("kind: diamond", "kind: ruby", "kind", '"ruby"', KINDS),
    ("half_width: 0.35", "half_width: 0.6", "half_width", "0.6", "does not touch its image"),
    ("half_width: 0.35", "half_width: -1", "half_width", '"-1"', "a number above 0 and below 0.5"),
    ("half_width: 0.35", "half_width: wide", "half_width", '"wide"', "a number above 0"),
    ("[0.4, 0.5]", "[0.4, 1.5]", "center[1]", "1.5", "a number in [0, 1["),
    ("[0.4, 0.5]", "[0.4]", "center", "a list of 1", "two numbers"),
    ("half_height: 0.35", "radius: 0.35", "half_height", "nothing", "a number above 0"),
    ("half_height:", "half_hight:", "half_hight", 'did you mean "half_height"', "kind, center"),
]


@pytest.mark.parametrize(("old", "new", "key", "found", "accepted"), REFUSED)
def test_what_a_new_kind_refuses_is_said_where_it_stands(messages, old, new, key, found, accepted):
    (message,) = [m for m in messages(TEXT.replace(old, new)) if f"geometries.gem.{key}: " in m]
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after


def test_materials_of_a_new_kind_are_checked_by_region(messages):
    text = TEXT.replace("[2 um^2/ms, 1 um^2/ms]", "[1 um^2/ms, 1 um^2/ms, 1 um^2/ms]")
    (message,) = messages(text)
    assert "diffusivity.inside: found 3 diffusivities" in message
    text = TEXT.replace("    period:", "    density: {outside: 1, inside: 0.5}\n    period:")
    assert "the field is continuous" in messages(text)[0]


def test_values_that_need_words_of_their_own_are_refused():
    @dataclass(frozen=True)
    class Nested(Diamond):
        """Holds what no file can be named after."""

        more: object = None

    with pytest.raises(TypeError, match="a to_dict and a from_dict of its own"):
        Nested((0.4, 0.5), 0.35, 0.35).to_dict()


def test_what_is_not_drawn_says_so():
    class Shy(Diamond):
        """Draws nothing."""

        draw = Shape.draw

    with pytest.raises(NotImplementedError, match="say nothing of how to draw them"):
        build_meshes(Shy((0.4, 0.5), 0.35, 0.35), MeshOptions())
