"""Projected references in the workflow: one table per study, checked in full at two points."""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from support.project import CONFIG, TINY, Job, Project

from torrey.base import seals

pytestmark = pytest.mark.slow

BY_PROJECTION = TINY.replace(
    "    tolerance: 1e-2\n\n  wall",
    "    reference: {method: projected}\n    tolerance: 1e-2\n\n  wall",
)
SPAN = "n1_0_rungs7"
SAMPLES = {
    # The largest |g| L, and the middle of the sweep.
    Job(
        "solve_reference",
        "geometry=cell, material=De3_Di1.7, "
        f"point=L3_kappa{kappa}_pgse-2-{Delta}_b{b}_n1_0_tol0.01",
    )
    for kappa, Delta, b in ((0.03, 5, 0.5), (0.03, 5, 0.2))
}
BASIS = Job("build_basis", f"geometry=cell, material=De3_Di1.7, span={SPAN}")
SOLVED = Job("solve_projected", "study=sweep")
CHECKED = Job("check_projected", "study=sweep")
READERS = {Job(rule, "study=sweep") for rule in ("gather_signals", "fit_orders")}
TARGET = "studies"


@pytest.fixture(scope="module")
def made(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study `sweep` with projected references, complete."""
    root = tmp_path_factory.mktemp("projected") / "project"
    project = Project.create(root, BY_PROJECTION, origin)
    run = project.run("--cores=2", TARGET)
    assert run.code == 0, run.text
    assert {BASIS, SOLVED, CHECKED} | SAMPLES | READERS <= run.jobs
    solved = {job for job in run.jobs if job.rule == "solve_reference" and "=cell" in job.wildcards}
    assert solved == SAMPLES
    return project


@pytest.fixture
def project(made: Project, tmp_path: Path) -> Project:
    return made.copy(tmp_path / "project")


def of_the_study(project: Project) -> set[Job]:
    """Jobs of the study `sweep` that the change triggers; other studies have theirs."""
    mine = {"study=sweep", "geometry=cell"}
    return {job for job in project.plan(TARGET) if mine & set(job.wildcards.split(", "))}


def read(project: Project, name: str) -> dict[str, np.ndarray]:
    with netCDF4.Dataset(project.path(name)) as file:
        return {key: np.asarray(variable[...]) for key, variable in file.variables.items()}


def test_the_table_meets_the_tolerance_and_says_how(made: Project):
    table = read(made, "results/studies/sweep/signals.nc")
    error = table["numerical_error"][0] / np.abs(table["signal_real"][0])
    assert np.all(error <= 1e-2)
    assert np.all(table["reference_rung"] >= 3)
    check = read(made, "results/studies/sweep/check.nc")
    assert check["difference"].shape == (2,)
    assert np.all(check["difference"] <= check["estimate"])


def test_a_value_of_a_sweep_solves_the_table_again_and_no_basis(project: Project):
    assert project.plan(TARGET) == set()
    project.edit(CONFIG, "[200 s/mm^2, 500 s/mm^2]", "[100 s/mm^2, 500 s/mm^2]")
    changed = Job("evaluate_models", "study=sweep")
    new = {job for job in project.plan(TARGET) if job.rule == "solve_reference"}
    assert len(new) <= 1
    assert of_the_study(project) - new == {SOLVED, CHECKED, changed} | READERS


def test_another_method_keeps_what_is_known_in_full(project: Project):
    project.edit(CONFIG, "    reference: {method: projected}\n", "")
    plan = of_the_study(project)
    assert {job.rule for job in plan} == {"solve_reference", "gather_signals", "fit_orders"}
    assert not plan & SAMPLES


@pytest.mark.parametrize(
    ("module", "jobs"),
    [
        ("ladder.py", {BASIS, SOLVED, CHECKED} | READERS),
        ("projected_reference.py", {SOLVED, CHECKED} | READERS),
    ],
)
def test_a_module_recomputes_what_it_made(project: Project, module: str, jobs: set[Job]):
    project.append(f"src/torrey/{module}", "\nADDED = 1\n")
    assert of_the_study(project) == jobs


def test_a_disagreement_stops_the_run(project: Project):
    table = project.path("results/studies/sweep/projected.nc")
    # As a wrong calculation would leave it: a change without a new seal is made again.
    key = seals.check(table).key
    with netCDF4.Dataset(table, "a") as file:
        file["signal_real"][...] = file["signal_real"][...] + 0.1
    seals.sign(table, key)
    run = project.run("--cores=1", "--forcerun=check_projected", TARGET)
    assert run.code != 0
    log = project.path("results/logs/check_projected/sweep.log").read_text()
    assert "differ by 1" in log
    assert json.dumps(log).count("their error estimates allow") == 1
