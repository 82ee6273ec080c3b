"""Batches of slabs: what is missing or stale, by what it needs and who wants it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.configurations import load_texts
from support.project import TINY

import torrey
from torrey.workflow import batches
from torrey.workflow.batches import Batches, forced_rules
from torrey.workflow.recipes import Recipes

SCRIPTS = Path(torrey.__file__).parents[2] / "workflow" / "scripts"


@pytest.fixture
def recipes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Recipes(load_texts(tmp_path, TINY), SCRIPTS)


def test_what_is_not_there_is_in_one_batch(recipes):
    found = Batches.of(recipes, (), queued=False).all
    outputs = [path for batch in found for path in batch.outputs]
    assert sorted(outputs) == sorted(recipes.layout.slab_jobs)
    assert len({batch.name for batch in found}) == len(found)


def test_slabs_of_a_batch_have_inputs_and_studies_in_common(recipes):
    shared = "results/slabs/walls/De2_Di1/L4_kappa0.05_pgse-2-6_cff38743/R0.nc"
    for batch in Batches.of(recipes, (), queued=False).all:
        inputs = [recipes[path].inputs for path in batch.outputs]
        assert all(entry == inputs[0] for entry in inputs)
        assert (shared in batch.outputs) == (set(batch.outputs) == {shared})


def test_a_batch_takes_about_a_second_or_more_where_jobs_queue(recipes, monkeypatch):
    monkeypatch.setattr(batches, "_POINTS", {"solve_projected": 1, "evaluate_models": 80})
    short = Batches.of(recipes, (), queued=False).of_rule("evaluate_models")
    sizes = [len(batch.outputs) for batch in short]
    assert max(sizes) == 2
    assert sum(sizes) == 11
    assert [batch.number for batch in short] == list(range(1, len(short) + 1))
    long = Batches.of(recipes, (), queued=True).of_rule("evaluate_models")
    assert max(len(batch.outputs) for batch in long) == 8


def test_batches_are_written_down(recipes, tmp_path):
    found = Batches.of(recipes, (), queued=False)
    found.write(tmp_path / "state" / "batches.json")
    assert Batches.read(tmp_path / "state" / "batches.json") == found


def test_what_is_up_to_date_is_in_a_batch_only_if_that_is_forced(recipes, monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda _: True)
    monkeypatch.setattr(Recipes, "is_stale", lambda *_: False)
    assert Batches.of(recipes, (), queued=False).all == ()
    forced = Batches.of(recipes, ("solve_projected",), queued=False).all
    assert {batch.rule for batch in forced} == {"solve_projected"}


@pytest.mark.parametrize(
    ("words", "rules"),
    [
        ("-j8 figures", set()),
        ("-F studies", {"solve_projected", "evaluate_models"}),
        ("--forceall", {"solve_projected", "evaluate_models"}),
        ("-R solve_projected fit_orders -j2", {"solve_projected"}),
        ("--forcerun=evaluate_models -- studies", {"evaluate_models"}),
        ("-R solve_projected_2 fit_orders", {"solve_projected"}),
        ("-R fit_orders --until solve_projected", set()),
        ("-nF studies", {"solve_projected", "evaluate_models"}),
        ("-nR solve_projected", {"solve_projected"}),
        ("-Rsolve_projected figures", {"solve_projected"}),
        ("-j8 -R fit_orders -- evaluate_models", set()),
        ("-n --quiet -- evaluate_models", set()),
    ],
)
def test_the_words_of_a_command_force_rules(words, rules):
    assert forced_rules(words.split()) == rules
