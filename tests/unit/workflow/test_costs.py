"""What a run will do is counted as the workflow does it, and guessed where it cannot be known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.project import TINY

from torrey.config import load
from torrey.workflow.costs import plan
from torrey.workflow.recipes import Recipes
from torrey.workflow.targets import everything

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"

DICTIONARY = """
dictionaries:
  table:
    geometry: cell
    diffusivities: {{outside: 3e-3 mm^2/s, inside: 1e-3 mm^2/s}}
    period: {{start: 2 um, stop: 4 um, num: {values}}}
    permeability: [1e-5 m/s, 5e-5 m/s]
    waveform: {{kind: pgse, delta: 2 ms, Delta: 9 ms}}
    b: {{start: 0 s/mm^2, stop: 1000 s/mm^2, num: 10}}
    directions: [[1, 0]]
    models: [reference, R2]
    tolerance: 1e-2
"""


@pytest.fixture
def recipes(tmp_path, monkeypatch):
    """Recipes of a configuration, in a folder without results."""
    monkeypatch.chdir(tmp_path)

    def recipes(text: str) -> Recipes:
        Path("mine.yaml").write_text(text)
        return Recipes(load([Path("mine.yaml")]), SCRIPTS)

    return recipes


def counts(recipes: Recipes) -> dict[str, int]:
    """Jobs by rule."""
    return {cost.rule: cost.jobs for cost in plan(recipes, everything(recipes.layout)).rules}


def test_jobs_are_those_of_the_configuration(recipes):
    found = counts(recipes(TINY))
    assert found["build_mesh"] == found["assemble_operators"] == 2
    # 16 points of `sweep`, and 2 of `wall`, which the check of `projected` shares.
    assert found["solve_reference"] == 18
    assert found["gather_signals"] == 4
    assert found["draw_figure"] == 2
    assert found["solve_bloch"] == 1


def test_smaller_tolerances_and_more_points_take_longer(recipes):
    usual = plan(recipes(TINY), everything(recipes(TINY).layout))
    exact = recipes(TINY.replace("1e-2", "1e-6"))
    assert plan(exact, everything(exact.layout)).seconds > 2 * usual.seconds
    fine = recipes(TINY.replace("size: 0.25", "size: 0.05"))
    finer = plan(fine, everything(fine.layout))
    assert finer.cells["cell"].unknowns > 4 * usual.cells["cell"].unknowns
    assert finer.bytes > usual.bytes


def test_what_nothing_is_known_of_is_said(recipes):
    tiny = recipes(TINY)
    assert set(plan(tiny, everything(tiny.layout)).unknown) == {"solve_bloch", "fit_inversion"}


def test_dictionaries_take_longer_with_more_points(recipes):
    def seconds(values: int) -> float:
        text = TINY + DICTIONARY.format(values=values)
        found = recipes(text)
        costs = {cost.rule: cost.seconds for cost in plan(found, everything(found.layout)).rules}
        return costs["solve_dictionary"] + costs["evaluate_dictionary"]

    assert 5.0 < seconds(1000) / seconds(100) <= 10.0


def test_figures_on_request_are_not_counted(recipes):
    asked = TINY.replace("kl23_fig6: {studies: [wall]}", "mine: {kind: signals, studies: [wall]}")
    on_request = asked.replace("studies: [wall]}", "studies: [wall], on_request: true}", 1)
    assert counts(recipes(asked))["draw_figure"] == 2
    assert counts(recipes(on_request))["draw_figure"] == 1


def test_what_is_there_and_up_to_date_is_not_counted(recipes, monkeypatch):
    tiny = recipes(TINY)
    mesh = "results/geometry/cell/mesh.nc"
    Path(mesh).parent.mkdir(parents=True)
    Path(mesh).write_text("")
    assert counts(tiny)["build_mesh"] == 2  # it is damaged
    monkeypatch.setattr(Recipes, "is_stale", lambda _, path: path != mesh)
    assert counts(tiny)["build_mesh"] == 1
    assert replace(plan(tiny, [mesh]), cells={}).jobs == 0
