"""Projected references in the workflow: one table per study, checked in full at two points."""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from support.project import CONFIG, TINY, Job, Project, slabs

from torrey.base import seals
from torrey.config import load
from torrey.workflow.layout import Layout

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
SOLVED = slabs("sweep", "reference", config=BY_PROJECTION)
EVALUATED = slabs("sweep", "R0", config=BY_PROJECTION)
TRACED = Job("trace_eigenvalues", "study=sweep")
CHECKED = Job("check_projected", "study=sweep")
READ_BY = ("gather_signals", "fit_orders", "draw_overview")
READERS = {Job(rule, "study=sweep") for rule in READ_BY}
TARGET = "studies"


@pytest.fixture(scope="module")
def made(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study `sweep` with projected references, complete."""
    root = tmp_path_factory.mktemp("projected") / "project"
    project = Project.create(root, BY_PROJECTION, origin)
    run = project.run("--cores=2", TARGET)
    assert run.code == 0, run.text
    assert {BASIS, CHECKED} | SOLVED | EVALUATED | SAMPLES | READERS <= run.jobs
    solved = {job for job in run.jobs if job.rule == "solve_reference" and "=cell" in job.wildcards}
    assert solved == SAMPLES
    return project


@pytest.fixture
def project(made: Project, tmp_path: Path) -> Project:
    return made.copy(tmp_path / "project")


def of_the_study(project: Project) -> set[Job]:
    """Jobs of the study `sweep` that the change triggers; other studies have theirs."""
    own = {"study=sweep", "geometry=cell"}
    return {job for job in project.plan(TARGET) if own & set(job.wildcards.split(", "))}


def read(project: Project, name: str) -> dict[str, np.ndarray]:
    with netCDF4.Dataset(project.path(name)) as file:
        return {key: np.asarray(variable[...]) for key, variable in file.variables.items()}


def test_the_table_meets_the_tolerance_and_says_how(made: Project):
    table = read(made, "results/studies/sweep/signals.nc")
    error = table["numerical_error"][0] / np.abs(table["signal_real"][0])
    assert np.all(error <= 1e-2)
    assert np.all(table["reference_rung"] >= 3)
    assert np.all(table["reference_method"] == 0)
    check = read(made, "results/studies/sweep/check.nc")
    assert check["difference"].shape == (2,)
    assert np.all(check["difference"] <= check["estimate"])


CHANGES = {
    "Delta": ("8 ms]", "9 ms]", "pgse-2-9"),
    "a Delta more": ("8 ms]", "8 ms, 9 ms]", "pgse-2-9"),
    "kappa": ("[3e-5 m/s", "[4e-5 m/s", "kappa0.04"),
    "period": ("[2 um", "[2.5 um", "L2.5"),
    "b": ("[200 s/mm^2, 500 s/mm^2]", "[100 s/mm^2, 500 s/mm^2]", ""),
    "a value less": ("[5 ms, 8 ms]", "[8 ms]", "nothing"),
    "other order": ("[200 s/mm^2, 500 s/mm^2]", "[500 s/mm^2, 200 s/mm^2]", "nothing"),
}


@pytest.mark.parametrize(("old", "new", "having"), CHANGES.values(), ids=CHANGES)
def test_a_value_of_a_sweep_solves_its_slabs_and_no_basis(project: Project, old, new, having):
    assert project.plan(TARGET) == set()
    config = BY_PROJECTION.replace(old, new)
    project.edit(CONFIG, old, new)
    # The signals in full that the projected ones are compared with may be others.
    found = {job for job in of_the_study(project) if job.rule != "solve_reference"}
    expected = slabs("sweep", "reference", "R0", config=config, having=having) | READERS
    assert found - {CHECKED} == expected
    assert len([job for job in project.plan(TARGET) if job.rule == "solve_reference"]) <= 2


def test_a_direction_solves_all_slabs_on_a_basis_of_its_own(project: Project):
    old = "directions: [[1, 0]]\n    models: [reference, R0]\n    reference"
    new = old.replace("[1, 0]", "[0, 1]")
    project.edit(CONFIG, old, new)
    config = BY_PROJECTION.replace(old, new)
    found = {job for job in of_the_study(project) if job.rule != "solve_reference"}
    solved = slabs("sweep", "reference", "R0", config=config)
    basis = Job("build_basis", "geometry=cell, material=De3_Di1.7, span=n0_1_rungs7")
    assert len(solved) == len(SOLVED | EVALUATED)
    assert found == solved | READERS | {basis, CHECKED}


def test_a_model_more_evaluates_that_model_alone(project: Project):
    old = "models: [reference, R0]\n    reference"
    project.edit(CONFIG, old, old.replace("R0", "R0, R2"))
    config = BY_PROJECTION.replace(old, old.replace("R0", "R0, R2"))
    assert of_the_study(project) == slabs("sweep", "R2", config=config) | READERS


def test_another_method_keeps_what_is_known_in_full(project: Project):
    project.edit(CONFIG, "    reference: {method: projected}\n", "")
    plan = of_the_study(project)
    assert {job.rule for job in plan} == {"solve_reference", *READ_BY}
    assert not plan & SAMPLES


@pytest.mark.parametrize(
    ("module", "jobs"),
    [
        ("reference/ladder.py", {BASIS, CHECKED} | SOLVED | READERS),
        ("reference/projected.py", {CHECKED} | SOLVED | READERS),
    ],
)
def test_a_module_recomputes_what_it_made(project: Project, module: str, jobs: set[Job]):
    project.append(f"src/torrey/{module}", "\nADDED = 1\n")
    assert of_the_study(project) == jobs


def test_a_disagreement_stops_the_run(project: Project):
    config = load([project.path(CONFIG)])
    (file, _), *_ = Layout(config).sampled(config.studies["sweep"])
    table = project.path(file)
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
