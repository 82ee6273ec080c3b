"""The command beside Snakemake counts the jobs that Snakemake plans."""

from __future__ import annotations

import re

from support.project import TINY, Project

from torrey.config import load
from torrey.workflow.costs import plan
from torrey.workflow.recipes import Recipes
from torrey.workflow.targets import everything


def test_the_jobs_that_are_counted_are_those_that_snakemake_plans(origin, tmp_path, monkeypatch):
    project = Project.create(tmp_path / "project", TINY, origin)
    run = project.dry_run("studies", "figures", "dictionaries", "designs")
    assert run.code == 0, run.text
    planned: dict[str, int] = {}
    for rule, count in re.findall(r"^(\w+) +(\d+)$", run.text.split("Job stats:")[1], re.M):
        # Batches of slabs are rules of their own.
        name = re.sub(r"(solve_projected|evaluate_models)_\d+", r"\1", rule)
        planned[name] = planned.get(name, 0) + int(count)
    for target in ("studies", "figures", "dictionaries", "designs", "total"):
        planned.pop(target)
    monkeypatch.chdir(project.root)
    recipes = Recipes(load([project.path("tiny.yaml")]), project.path("workflow/scripts"))
    found = plan(recipes, everything(recipes.layout))
    assert {cost.rule: cost.jobs for cost in found.rules} == planned
