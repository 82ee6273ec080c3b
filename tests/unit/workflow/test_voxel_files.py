"""Files of voxels: one job per signal, domain by domain, and what an edit makes anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.configurations import load_texts

import torrey
from torrey.workflow.recipes import Recipes

SCRIPTS = Path(torrey.__file__).parents[2] / "workflow" / "scripts"
TEXT = """\
geometries:
  box: {kind: packing, box: 60 um, radius: {uniform: [2 um, 4 um]}, count: 40, gap: 0.2 um}
voxels:
  mine:
    geometry: box
    voxel: 40 um
    diffusivity: {outside: 3e-3 mm^2/s, inside: 1e-3 mm^2/s}
    permeability: 1e-5 m/s
    waveform: {kind: pgse, delta: 20 ms, Delta: 30 ms}
    direction: [1, 0]
    b: [500 s/mm^2, 1000 s/mm^2]
figures:
  chl14_fig6_1: {voxels: [mine]}
"""
FOLDER = "results/voxels/mine"


@pytest.fixture
def recipes_of(tmp_path):
    return lambda text: Recipes(load_texts(tmp_path, text), SCRIPTS)


def test_the_chain_from_a_packing_to_a_figure(recipes_of):
    recipes = recipes_of(TEXT)
    assert recipes["results/figures/chl14_fig6_1.nc"].inputs == {
        "sources": [f"{FOLDER}/signals.nc"]
    }
    inputs = recipes[f"{FOLDER}/signals.nc"].inputs
    assert [Path(file).parts[3] for file in inputs["signals"]] == ["box"] * 2 + ["voxel"] * 2
    for domain, side in (("box", 60.0), ("voxel", 40.0)):
        mesh = f"{FOLDER}/{domain}/mesh.nc"
        assert recipes[mesh].inputs == {"packing": "results/geometry/box/packing.nc"}
        assert recipes[f"{FOLDER}/{domain}/homogenised.nc"].inputs == {"mesh": mesh}
        signals = [file for file in inputs["signals"] if f"/{domain}/" in file]
        assert [recipes[file].stage.point.period for file in signals] == [side] * 2
        assert {recipes[file].stage.window for file in signals} == {40.0}
        assert all(recipes[file].inputs == {"mesh": mesh} for file in signals)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("1000 s/mm^2", "1500 s/mm^2", {"packing", "mesh", "homogenised", "b0.5"}),
        ("1e-5 m/s", "2e-5 m/s", {"packing", "mesh"}),
        ("voxel: 40 um", "voxel: 45 um", {"packing", "box/mesh", "box/homogenised"}),
        ("count: 40", "count: 40, seed: 2", set()),
    ],
)
def test_an_edit_makes_anew_what_it_touches(recipes_of, old, new, same):
    before = recipes_of(TEXT)
    keys = {path: before.key(path) for path in before.outputs()}
    after = recipes_of(TEXT.replace(old, new))
    kept = {path for path in after.outputs() if after.key(path) == keys.get(path)}
    # The ordinary mesh and operators of the packing, and its pictures, are somebody else's.
    others = ("operators", "geometry/box/mesh", "box/cell", "box/elements")
    kept = {path for path in kept if not any(other in path for other in others)}
    expected = {path for path in keys if any(word in path for word in same)}
    expected = {path for path in expected if "geometry/box/mesh" not in path}
    assert kept == expected


def test_stages_come_back_from_plain_values(recipes_of):
    recipes = recipes_of(TEXT)
    for path in recipes.outputs():
        if path.startswith(FOLDER):
            stage = recipes[path].stage
            assert type(stage).from_params(stage.to_params()) == stage


def test_small_voxels_leave_a_core_to_others(recipes_of):
    assert recipes_of(TEXT).layout.voxel_threads("mine") == 1
    large = TEXT.replace("box: 60 um", "box: 600 um").replace("count: 40", "count: 4000")
    assert recipes_of(large).layout.voxel_threads("mine") == 2
