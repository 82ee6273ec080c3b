"""Keys of files: an edit upstream changes those of all that is downstream, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.configurations import B_VALUES, GOOD, edited, load_texts

import torrey
from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.workflow.recipes import Recipes

ROOT = Path(torrey.__file__).parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"


def named(text: str) -> str:
    """The same file with figures that the project has."""
    return text.replace("picture:", "kl23_fig1:").replace("plot:", "kl23_fig6:")


@pytest.fixture
def recipes_of(tmp_path):
    def recipes_of(text: str) -> Recipes:
        return Recipes(load_texts(tmp_path, named(text)), SCRIPTS)

    return recipes_of


def downstream(recipes: Recipes, start: set[str]) -> set[str]:
    """Paths of all that reads some files, or what was made from them, and these files."""
    found = set(start)
    while True:
        more = {p for p in recipes.outputs() if found & set(recipes[p].files())} - found
        if not more:
            return found
        found |= more


def keys(recipes: Recipes) -> dict[str, str]:
    return {path: recipes.key(path) for path in recipes.outputs()}


EDITS = {
    "radius": ("radius: 0.17", "radius: 0.16", "results/geometry/tissue/mesh.nc"),
    "mesh": ("mesh: {size: 0.05}", "mesh: {size: 0.06}", "results/geometry/tissue/mesh.nc"),
}


@pytest.mark.parametrize(("old", "new", "path"), EDITS.values(), ids=EDITS)
def test_an_edit_changes_the_keys_of_all_that_is_downstream_and_no_other(
    recipes_of, old, new, path
):
    before, after = recipes_of(GOOD), recipes_of(edited(old, new))
    assert set(before.outputs()) == set(after.outputs())
    changed = {p for p, key in keys(before).items() if after.key(p) != key}
    assert changed == downstream(before, {path})
    assert len(changed) > 10


def test_each_parameter_counts(recipes_of):
    recipes = recipes_of(GOOD)
    for path in recipes.outputs():
        recipe = recipes[path]
        given = recipes.job_parameters(path)
        assert {type(value) for value in given.values()} <= {str, int, float}
        assert len(given["upstream"].split()) == len(list(recipe.files()))
        assert given["upstream"].split() == [recipes.key(file) for file in recipe.files()]
        assert given["key"] == recipes.key(path)
        assert (SCRIPTS / f"{recipe.rule}.py").is_file()


def test_code_counts_wherever_it_is_upstream(recipes_of, tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for script in SCRIPTS.glob("*.py"):
        (scripts / script.name).write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
    config = load_texts(tmp_path, named(GOOD))
    before = Recipes(config, SCRIPTS)
    assert keys(Recipes(config, scripts)) == keys(before)
    operators = scripts / "assemble_operators.py"
    operators.unlink()
    operators.write_text("ADDED = 1\n", encoding="utf-8")
    # What has been read stays in memory: another name for another text.
    other = tmp_path / "other"
    scripts.rename(other)
    after = Recipes(config, other)
    changed = {p for p, key in keys(before).items() if after.key(p) != key}
    made = {p for p in before.outputs() if before[p].rule == "assemble_operators"}
    assert made
    assert changed == downstream(before, made)


def test_cumulants_do_not_depend_on_strengths_nor_on_how_the_reference_is_solved(recipes_of):
    asked = edited("R0, R2]", "R0, R2]\n    cumulants: true")
    path = "results/studies/mine/cumulants.nc"
    assert path not in recipes_of(GOOD)
    key = recipes_of(asked).key(path)
    for old, new, same in (
        ("1000 s/mm^2]", "1000 s/mm^2, 2 ms/um^2]", True),
        ("models: [ref", "reference: {method: projected}\n    models: [ref", True),
        ("12 ms", "13 ms", False),
        ("[reference, R0, R2]", "[reference, R0]", False),
        ("8e-5 m/s", "9e-5 m/s", False),
    ):
        assert old in asked
        changed = recipes_of(asked.replace(old, new, 1))
        assert (changed.key(path) == key) == same, new
        assert changed[path].rule == "expand_cumulants"


def test_two_studies_of_one_point_share_its_key(recipes_of):
    study = GOOD[GOOD.index("  mine:") : GOOD.index("figures:")]
    twin = GOOD.replace("figures:", study.replace("mine:", "twin:", 1) + "figures:")
    one, two = recipes_of(GOOD), recipes_of(twin)
    assert {p: two.key(p) for p in one.outputs()} == keys(one)
    name = "results/studies/{}/signals.nc"
    assert two.key(name.format("mine")) == two.key(name.format("twin"))


def test_what_no_configuration_asks_for_has_no_recipe(recipes_of):
    recipes = recipes_of(edited(B_VALUES, "b: 1 ms/um^2"))
    assert "results/studies/mine/signals.nc" in recipes
    assert "results/studies/yours/signals.nc" not in recipes
    with pytest.raises(KeyError):
        recipes["results/studies/yours/signals.nc"]


def test_a_file_is_stale_if_it_is_there_and_has_another_key(recipes_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipes = recipes_of(GOOD)
    path = "results/geometry/tissue/mesh.nc"
    assert not recipes.is_stale(path)
    artifacts.write(path, {}, Provenance("build_mesh", key=recipes.key(path)))
    assert not recipes.is_stale(path)
    artifacts.write(path, {}, Provenance("build_mesh"))
    assert recipes.is_stale(path)
    Path(path).write_bytes(b"")
    assert recipes.is_stale(path)


def test_keys_do_not_depend_on_the_process(recipes_of):
    one, two = recipes_of(GOOD), recipes_of(GOOD)
    assert keys(one) == keys(two)
    assert all(re.fullmatch("[0-9a-f]{16}", key) for key in keys(one).values())


PACKING = """\
geometries:
  tissue:
    kind: packing
    box: 60 um
    radius: {uniform: [1 um, 5 um]}
    fraction: 0.29
  walls: {kind: layers, thicknesses: [0.6, 0.4]}
"""


def test_the_mesh_of_a_packing_reads_where_its_discs_are(recipes_of):
    before, after = recipes_of(PACKING), recipes_of(PACKING.replace("0.29", "0.28"))
    folder = "results/geometry/tissue"
    assert before[f"{folder}/packing.nc"].rule == "place_discs"
    assert dict(before[f"{folder}/mesh.nc"].inputs) == {"packing": f"{folder}/packing.nc"}
    assert not before["results/geometry/walls/mesh.nc"].inputs
    assert "results/geometry/walls/packing.nc" not in before
    changed = {p for p, key in keys(before).items() if after.key(p) != key}
    assert changed == downstream(before, {f"{folder}/packing.nc"})


def test_a_packing_with_other_elements_keeps_its_discs(recipes_of):
    finer = PACKING.replace("    fraction", "    mesh: {size: 0.05}\n    fraction")
    before, after = recipes_of(PACKING), recipes_of(finer)
    changed = {p for p, key in keys(before).items() if after.key(p) != key}
    assert changed == {
        f"results/geometry/tissue/{name}.nc" for name in ("mesh", "operators", "cell", "elements")
    }
