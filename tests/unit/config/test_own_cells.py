"""Meshes and surfaces from files in a configuration: found beside it, refused with key and line."""

from __future__ import annotations

import numpy as np
import pytest
from support.own_meshes import centres, icosphere, square, write, write_surface

from torrey.door.cell import Cell
from torrey.geometry import OwnMesh, Surfaces
from torrey.geometry.registry import shape_from_dict
from torrey.workflow.stages import BuildMesh

TEXT = """\
geometries:
  tissue:
    kind: mesh
    file: cell.vtu
    unit: 2 um
    mesh: {refinements: 1}
  soma:
    kind: surfaces
    files: [soma.ply]
    box: [4, 4, 4]
    unit: 5 um
studies:
  mine:
    geometry: tissue
    diffusivity: {outside: 3 um^2/ms, inside: [2 um^2/ms, 1 um^2/ms]}
    period: 8 um
    permeability: 1e-5 m/s
    waveform: {kind: pgse, delta: 5 ms, Delta: 10 ms}
    b: 1 ms/um^2
    directions: [[1, 0]]
    models: [reference, R0]
    tolerance: 1e-4
"""


@pytest.fixture(autouse=True)
def _files(tmp_path):
    points, triangles = square(8, 4.0)
    x, y, _ = centres(points, triangles).T
    parts = np.where((y > 1) & (y < 3) & (x > 0.5) & (x < 3.5), 1 + (x > 2), 0)
    write(tmp_path / "cell.vtu", points, {"triangle": triangles}, region=parts)
    write_surface(tmp_path / "soma.ply", *icosphere(1))


def test_files_are_found_from_the_folder_of_the_configuration(read, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    config = read(TEXT)
    tissue, soma = (config.geometries[name].shape for name in ("tissue", "soma"))
    assert isinstance(tissue, OwnMesh)
    assert isinstance(soma, Surfaces)
    assert tissue.file == tmp_path / "cell.vtu"
    assert tissue.own_length() == 8.0
    assert soma.files == (tmp_path / "soma.ply",)
    assert soma.own_length() == 20.0
    assert config.studies["mine"].material.diffusivity == (3.0, 2.0, 1.0)
    for geometry in config.geometries.values():
        stage = BuildMesh(shape=geometry.shape, mesh=geometry.mesh)
        assert BuildMesh.from_params(stage.to_params()) == stage
        assert shape_from_dict(geometry.shape.to_dict()) == geometry.shape


def test_what_a_job_depends_on_changes_with_the_content_of_a_file(read, tmp_path):
    before = read(TEXT).geometries["tissue"].shape.to_dict()
    points, triangles = square(8, 4.0)
    parts = triangles[:, 0]
    write(tmp_path / "cell.vtu", points, {"triangle": triangles}, region=0 * parts)
    after = read(TEXT.split("studies")[0])
    assert after.geometries["tissue"].shape.to_dict() != before


REFUSED = [
    ("file: cell.vtu", "file: cells.vtu", "file", "cells.vtu: no such file"),
    ("file: cell.vtu", "file: [a.vtu]", "file", "a file that meshio reads"),
    ("unit: 2 um", "unit: 2", "unit", "um"),
    ("unit: 2 um", "regions: part", "regions", '"region"'),
    ("unit: 2 um", "outside: water", "outside", "region_0, region_1, region_2"),
    ("unit: 2 um", "empty: [vessel]", "empty[0]", '"vessel"'),
    ("unit: 2 um", "same_compartment: [[region_1, none]]", "same_compartment[0][1]", '"none"'),
    ("unit: 2 um", "outer: open", "outer", "periodic"),
    ("unit: 2 um", "scale: 2 um", "scale", "unknown key"),
    ("files: [soma.ply]", "files: [soma.ply, b.ply]", "files[1]", "b.ply: no such file"),
    ("files: [soma.ply]", "files: []", "files", "a list of files"),
    ("box: [4, 4, 4]", "box: [4, 4]", "box", "three numbers"),
    ("box: [4, 4, 4]", "box: [0, 4, 4]", "box", "three lengths above 0"),
    ("box: [4, 4, 4]", "box: [4, 4, 1]", "box", "soma, which reaches at"),
    ("{refinements: 1}", "{refinements: 9}", "mesh.refinements", "0 to 6"),
]


@pytest.mark.parametrize(("old", "new", "key", "message"), REFUSED)
def test_what_is_wrong_is_said_with_key_and_line(messages, old, new, key, message):
    assert TEXT.count(old) == 1
    (said,) = messages(TEXT.replace(old, new))
    assert message in said
    line, place = said.split(": ")[:2]
    assert line == f"mine.yaml:{len(TEXT[: TEXT.index(old)].splitlines())}"
    assert place.split(".", 2)[2] == key


def test_materials_name_regions_of_the_file_and_their_pieces(read, tmp_path):
    points, triangles = square(8, 4.0)
    x, y, _ = centres(points, triangles).T
    parts = ((np.abs(y - 2) < 1) & (np.abs(x - 1) < 0.5)) | ((np.abs(y - 2) < 1) & (x > 3))
    parts &= x < 3.5
    write(tmp_path / "cell.vtu", points, {"triangle": triangles}, region=parts.astype(int))
    old = "{outside: 3 um^2/ms, inside: [2 um^2/ms, 1 um^2/ms]}"
    for new, found in (
        ("{outside: 3 um^2/ms, region_1: 2 um^2/ms}", (3.0, 2.0, 2.0)),
        ("{region_1_2: 1 um^2/ms, region_0: 3 um^2/ms, region_1: 2 um^2/ms}", (3.0, 2.0, 1.0)),
    ):
        study = read(TEXT.replace(old, new)).studies["mine"]
        assert study.shape.region_names == ("region_0", "region_1_1", "region_1_2")
        assert study.material.diffusivity == found
    by_name = {"outside": 3.0, "region_1": 2.0, "region_1_2": 1.0}
    cell = Cell(study.shape, by_name, 8.0, 0.01)
    assert cell.material.diffusivity == (3.0, 2.0, 1.0)
