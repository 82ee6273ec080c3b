"""Tables hold the numbers of their files: plain in CSV, aligned in Markdown, complete in NetCDF."""

from __future__ import annotations

import csv
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.config import Config
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.waveforms import Pgse
from torrey.models.kurtosis import compartment_kurtosis
from torrey.models.tensor_files import write_tensors
from torrey.models.tensors import Tensors, papers_tensors
from torrey.tables.catalogue import CATALOGUE, paper_of, problems
from torrey.tables.writing import (
    Column,
    Table,
    TableFiles,
    make,
    plain_unit,
    save,
    to_csv,
    to_markdown,
)

PROVENANCE = Provenance("test", {"x": 1})

EXAMPLE = Table(
    "An example",
    (
        Column("model", "model", ["R0", "R2|lumped"]),
        Column("rate", "rate", [0.1 + 0.2, np.nan], "ms-1"),
        Column("count", "count", [1.0, 12345678.0], "1", ["one", "many"]),
    ),
    ("A note.",),
)


# ---- writing ----


def test_csv_has_plain_numbers_with_all_their_digits():
    rows = list(csv.reader(to_csv(EXAMPLE).splitlines()))
    assert rows[0] == ["model", "rate (1/ms)", "count"]
    assert rows[1:] == [["R0", "0.30000000000000004", "1.0"], ["R2|lumped", "", "12345678.0"]]
    assert float(rows[1][1]) == 0.1 + 0.2


def test_numbers_within_their_error_are_printed_as_zero(tmp_path):
    column = Column("D", "D", [0.9, -8e-9, 2e-9, np.nan], "1", errors=[1e-6, 1e-6, np.inf, 1e-6])
    table = Table("Noise", (column,))
    assert column.plain() == ["0.9", "0.0", "2e-09", ""]
    assert column.shown() == ["0.9", "0", "2e-09", ""]
    assert "-8e-09" not in to_csv(table) + to_markdown(table)
    paths = [str(tmp_path / name) for name in ("t.csv", "t.md", "t.nc")]
    save(table, *paths, PROVENANCE)
    # What was computed is kept.
    np.testing.assert_array_equal(artifacts.read(paths[2])["D"], column.values)
    with pytest.raises(ValueError, match="zip"):
        Table("Short", (Column("D", "D", [1.0, 2.0], errors=[0.1]),))


def test_markdown_is_aligned_with_units_in_the_header():
    lines = to_markdown(EXAMPLE).splitlines()
    assert lines[0] == "# An example"
    table = [line for line in lines if line.startswith("|")]
    assert len({len(line) for line in table}) == 1
    assert table[0].startswith("| model      | rate (1/ms) | count |")
    assert table[1] == "| ---------- | ----------: | ----: |"
    assert table[2] == "| R0         |         0.3 |   one |"
    assert r"R2\|lumped" in table[3]
    assert lines[-1] == "A note."


def test_files_are_complete_and_the_same_each_time(tmp_path):
    def written(folder: Path) -> list[bytes]:
        paths = [folder / f"t.{kind}" for kind in ("csv", "md", "nc")]
        save(EXAMPLE, *map(str, paths), PROVENANCE)
        return [path.read_bytes() for path in paths]

    first = written(tmp_path / "a")
    assert first == written(tmp_path / "b")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["t.csv", "t.md", "t.nc"]
    data = artifacts.open_dataset(tmp_path / "a" / "t.nc")
    assert data["count"].values.tolist() == [1.0, 12345678.0]
    assert data.rate.attrs["units"] == "ms-1"
    assert data.attrs["stage"] == "test"
    assert data.attrs["title"] == "An example"


@pytest.mark.parametrize(
    ("units", "text"),
    [("um2 ms-1", "um^2/ms"), ("ms-1", "1/ms"), ("um", "um"), ("rad um-1 ms-1", "rad/(um ms)")],
)
def test_units_are_written_as_they_are_read(units, text):
    assert plain_unit(units) == text


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        Table("t", (Column("a", "a", [1.0]), Column("b", "b", [1.0, 2.0])))
    with pytest.raises(ValueError, match="one length"):
        Table("t", (Column("a", "a", [1.0], "1", ["one", "two"]),))


# ---- the catalogue ----


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue_names_functions_that_exist(name):
    recipe = CATALOGUE[name]
    assert callable(getattr(import_module(recipe.module), recipe.function))
    assert recipe.caption
    assert paper_of(name) in recipe.module


GEOMETRY = """\
geometries:
  stones: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}], interior: obstacle}
"""
STUDY = """\
studies:
  mine:
    geometry: stones
    diffusivity: {outside: 3e-3 mm^2/s}
    period: 6 um
    permeability: 0 m/s
    waveform: {kind: pgse, delta: 4 ms, Delta: 12 ms}
    b: 1000 s/mm^2
    directions: [[1, 0]]
    models: [reference, R2, Pade]
tables:
"""


def configured(read, table: str) -> Config:
    return read(f"{GEOMETRY}{STUDY}  {table}\n")


def test_a_table_of_studies_is_accepted(read):
    config = configured(read, "khm19_table_tensors: {studies: [mine]}")
    assert list(problems(config)) == []
    assert config.tables["khm19_table_tensors"].studies == ("mine",)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("nothing: {studies: [mine]}", "a table that nobody makes, accepted: chl14_table5_1, "),
        ("khm19_table_tensors: {geometries: [stones]}", "found no studies"),
    ],
)
def test_tables_that_cannot_be_made_are_refused(read, table, words):
    (problem,) = problems(configured(read, table))
    assert problem.startswith("tables.")
    assert words in problem


# ---- KHM19: tensors of the boxes ----


COARSE = MeshOptions(0.25, 0)


def tensors(*cells: Disc, mesh: MeshOptions = COARSE) -> Tensors:
    *_, cell = levels(Discs(cells, "obstacle"), mesh, Material((3.0,)))
    return papers_tensors(cell)


def write_box(folder: Path, box: Tensors, timing: tuple[float, ...] = (2.5, 5.0)) -> dict[str, str]:
    """Write what the table reads of one study, in folders named as in a run."""
    paths = {
        "tensors": folder / "results/tensors/stones/De3/tensors.nc",
        "signals": folder / "results/studies/mine/signals.nc",
    }
    mesh = folder / "mesh.nc"
    names = {"compartment": Variable(("compartment",), np.array(["outside"]), "", "compartment")}
    artifacts.write(mesh, names, PROVENANCE)
    write_tensors(paths["tensors"], box, mesh, PROVENANCE)
    times = dict(zip(("delta", "Delta"), ([timing[0]], timing[1:]), strict=True))
    axes = {name: Variable((name,), np.array(t), "ms", name) for name, t in times.items()}
    artifacts.write(paths["signals"], axes, PROVENANCE)
    return {kind: str(path) for kind, path in paths.items()}


def table_of(**boxes: dict[str, str]) -> Table:
    kinds = ("tensors", "signals")
    files = {kind: {study: paths[kind] for study, paths in boxes.items()} for kind in kinds}
    return make(CATALOGUE["khm19_table_tensors"], TableFiles(files))


def test_all_components_of_all_boxes_are_in_the_table(tmp_path):
    one, two = tensors(Disc((0.5, 0.5), 0.2)), tensors(Disc((0.3, 0.4), 0.2), Disc((0.7, 0.8), 0.1))
    table = table_of(a=write_box(tmp_path / "a", one), b=write_box(tmp_path / "b", two))
    tensor, component, _, *values = (column.values for column in table.columns)
    found = [dict(zip(zip(tensor, component, strict=True), v, strict=True)) for v in values]
    assert len(found) == 2
    for box, entries in zip((one, two), found, strict=True):
        for name in ("D", "S", "T", "B"):
            X = getattr(box, name)[0]
            for index in np.ndindex(X.shape):
                assert entries[name, "".join("xy"[i] for i in index)] == X[index]
        W = compartment_kurtosis(box, Pgse(2.5, 5.0), 1.0).W
        assert entries["W / L^2", "xyyx"] == pytest.approx(W[0, 1, 1, 0])
        assert entries["sym W / L^2", "xxyy"] == pytest.approx(
            (W[0, 0, 1, 1] + W[1, 1, 0, 0] + 2 * W[0, 1, 0, 1] + 2 * W[0, 1, 1, 0]) / 6
        )
        assert entries["largest abs T", "ijkl - jilk"] < 1e-12
        assert entries["largest B", "nnnn"] < 0
    assert "W is for delta = 2.5 ms and Delta = 5 ms" in table.notes[1]


def test_signs_of_zeros_and_rounding_are_not_shown(tmp_path):
    table = table_of(a=write_box(tmp_path, tensors(Disc((0.5, 0.5), 0.2))))
    shown = table.columns[-1].shown()
    assert not any(text.strip("-0.") == "" and text.startswith("-") for text in shown)
    assert shown[0] == "2.665" + shown[0][5:]
    assert all("e" not in text for text in shown)


def test_what_symmetry_forbids_is_zero_in_print(tmp_path):
    box = tensors(Disc((0.5, 0.5), 0.2), mesh=MeshOptions(0.1, 2))
    table = table_of(a=write_box(tmp_path, box))
    entries = list(zip(*(c.values for c in table.columns[:2]), strict=True))
    computed = dict(zip(entries, table.columns[3].values, strict=True))
    printed = dict(zip(entries, table.columns[3].plain(), strict=True))
    # Mirrors change the sign of all with one x or one y too many; meshes have no mirrors.
    odd = [entry for entry in entries if entry[0] in "DSTB" and entry[1].count("x") % 2]
    assert len(odd) == 2 + 2 + 8 + 8
    assert {printed[entry] for entry in odd} == {"0.0"}
    assert any(computed[entry] != 0.0 for entry in odd)
    assert float(printed["D", "xx"]) == computed["D", "xx"]


def test_w_is_for_the_timing_that_all_studies_have(tmp_path):
    box = tensors(Disc((0.5, 0.5), 0.2))
    table = table_of(
        a=write_box(tmp_path / "a", box, (2.5, 15.0, 5.0)), b=write_box(tmp_path / "b", box)
    )
    assert "W is for delta = 2.5 ms and Delta = 5 ms" in table.notes[1]
    with pytest.raises(ValueError, match="studies a, c: no delta and Delta that all have"):
        table_of(a=write_box(tmp_path / "d", box), c=write_box(tmp_path / "c", box, (2.5, 7.0)))


@pytest.mark.parametrize("axes", [("b",), ("delta", "Delta", "rise_time")])
def test_other_waveforms_have_no_w_of_the_paper(tmp_path, axes):
    paths = write_box(tmp_path, tensors(Disc((0.5, 0.5), 0.2)))
    group = {name: Variable((name,), np.array([1.0]), "1", name) for name in axes}
    artifacts.write(paths["signals"], group, PROVENANCE)
    with pytest.raises(ValueError, match="study a: W needs two rectangular pulses"):
        table_of(a=paths)
