"""Files of measured signals and of fits to them: what each reads, and what an edit makes anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.measured_files import CELL, table_text, write_volumes

import torrey
from torrey.config import load
from torrey.workflow.fits import DIGESTS_VARIABLE, file_digest
from torrey.workflow.recipes import Recipes

SCRIPTS = Path(torrey.__file__).parents[2] / "workflow" / "scripts"
TEXT = (
    CELL
    + """\
data:
  rois: {table: s.csv}
  brain: {nifti: dwi.nii.gz, mask: mask.nii.gz, acquisition: {table: rows.tsv}}
  plane: {table: plane.csv}
inversions:
  one: {data: rois, model: karger}
  two: {data: brain, model: nexi, chunks: 3}
  three: {data: plane, model: physical, study: cell, parameters: kappa}
figures:
  fit_maps: {inversions: two}
"""
)
FIT = "results/inversions"


@pytest.fixture
def recipes_of(tmp_path, monkeypatch):
    monkeypatch.setenv(DIGESTS_VARIABLE, "{}")
    (tmp_path / "s.csv").write_text(table_text({"a": (2.4, 0.4, 0.5, 15.0)}), encoding="utf-8")
    rows = "".join(f"{b},4,10,1,0,0,1\n" for b in (0, 500, 900))
    (tmp_path / "plane.csv").write_text(f"b (s/mm^2),delta (ms),Delta (ms),x,y,z,S\n{rows}")
    write_volumes(tmp_path, (3, 4, 2), 6)

    def recipes_of(text: str = TEXT) -> Recipes:
        (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
        return Recipes(load([tmp_path / "c.yaml"]), SCRIPTS)

    return recipes_of


def test_the_chain_from_volumes_to_maps_and_their_figure(recipes_of):
    recipes = recipes_of()
    signals = "results/data/brain/signals.nc"
    chunks = [f"{FIT}/two/chunks/{i}of3.nc" for i in (1, 2, 3)]
    assert recipes["results/figures/fit_maps.nc"].inputs == {"sources": [f"{FIT}/two/fit.nc"]}
    maps = recipes[f"{FIT}/two/maps.nc"]
    assert maps.inputs == {"fit": f"{FIT}/two/fit.nc"}
    assert f"{FIT}/two/maps/t_ex_error.nii.gz" in maps.outputs
    assert recipes[f"{FIT}/two/fit.nc"].inputs == {"chunks": chunks, "signals": signals}
    assert [recipes[chunk].stage.part for chunk in chunks] == [0, 1, 2]
    assert all(recipes[chunk].inputs == {"signals": signals} for chunk in chunks)
    assert recipes[signals].inputs == {}
    # A table has no maps, and a cell has operators.
    assert f"{FIT}/one/maps.nc" not in recipes
    assert recipes[f"{FIT}/three/chunks/1of1.nc"].inputs == {
        "signals": "results/data/plane/signals.nc",
        "operators": "results/geometry/disc/operators.nc",
    }
    files = recipes.layout.own_files()
    assert {f"{FIT}/one/fit.nc", f"{FIT}/two/maps.nc", f"{FIT}/two/maps/t_ex.nii.gz"} <= {*files}


def changed(before: Recipes, after: Recipes) -> set[str]:
    keys = {path: before.key(path) for path in before.outputs()}
    return {path for path in after.outputs() if after.key(path) != keys.get(path)}


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("model: karger", "model: karger, starts: 5", ("inversions/one",)),
        ("model: karger", "model: karger, profiles: true", ("inversions/one",)),
        ("chunks: 3", "chunks: 3, bounds: {f: [0.1, 0.9]}", ("inversions/two", "fit_maps")),
        ("parameters: kappa", "parameters: kappa, by: R0", ("inversions/three",)),
        ("5e-5 m/s", "6e-5 m/s", ("inversions/three", "cell/", "reference/", "slabs/")),
        ("{table: s.csv}", "{table: s.csv, sigma: 0.1}", ("data/rois", "inversions/one")),
        ("rois: {table", "again: {table: s.csv}\n  rois: {table", ("data/again",)),
    ],
)
def test_an_edit_makes_anew_what_it_touches(recipes_of, old, new, touched):
    found = changed(recipes_of(), recipes_of(TEXT.replace(old, new)))
    assert found
    assert {path for path in found if not any(word in path for word in touched)} == set()


def test_files_of_data_count_by_their_content(recipes_of, tmp_path):
    before = recipes_of()
    keys = {path: before.key(path) for path in before.outputs()}
    for name in ("s.csv", "dwi.nii.gz"):
        os.utime(tmp_path / name, (1e9, 1e9))
    assert changed(before, recipes_of()) == set()
    with (tmp_path / "s.csv").open("a") as file:
        file.write("# a remark\n")
    after = recipes_of()
    found = {path for path in after.outputs() if after.key(path) != keys[path]}
    assert {path.split("/")[2] for path in found} == {"rois", "one"}


def test_a_digest_is_taken_once_in_a_run(tmp_path, monkeypatch):
    monkeypatch.setenv(DIGESTS_VARIABLE, "{}")
    file = tmp_path / "a"
    file.write_text("one")
    first = file_digest(str(file))
    state = file.stat()
    file.write_text("two")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file_digest(str(file)) == first  # known by its size and time
    os.utime(file, ns=(1, 1))
    assert file_digest(str(file)) != first


def test_stages_come_back_from_plain_values(recipes_of):
    recipes = recipes_of()
    for path in recipes.outputs():
        stage = recipes[path].stage
        assert type(stage).from_params(stage.to_params()) == stage
