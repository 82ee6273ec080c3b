"""A run on a cluster gives what a local run gives, or says what went wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.project import Project, Run
from support.slurm import Slurm

from torrey.base import artifacts

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

STUDY = """\
geometries:
  cell:
    kind: discs
    cells: [{center: [0.5, 0.5], radius: 0.3}]
    mesh: {size: 0.25, refinements: 1}
studies:
  sweep:
    geometry: cell
    diffusivity: {outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}
    period: [2 um, 3 um]
    permeability: 3e-5 m/s
    waveform: {kind: pgse, delta: 2 ms, Delta: 5 ms}
    b: [200 s/mm^2, 500 s/mm^2]
    directions: [[1, 0]]
    models: [reference, R0]
    tolerance: 1e-2
figures:
  kl23_fig1: {geometries: [cell]}
"""
TARGETS = ("studies", "figures")
MODELS = "results/slabs"
SIGNALS = "results/studies/sweep/signals.nc"

# The profile as it is; only the patience is that of a test.
QUICKLY = (
    "--workflow-profile=profiles/slurm",
    "--slurm-init-seconds-before-status-checks=1",
    "--seconds-between-status-checks=1",
)

# The job that makes one file has begun and does not end; it says who it is.
HANGING = """\
import os, time
rename = os.replace

def hang(source, target, **options):
    if "{name}" in str(target):
        with open("hangs.part", "w") as file:
            file.write(str(os.getpid()))
        rename("hangs.part", "hangs")
        time.sleep(1000)
    rename(source, target, **options)

os.replace = hang
"""


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as it is when the tests begin, without results."""
    return Project.create(tmp_path_factory.mktemp("origin") / "project", STUDY)


@pytest.fixture(scope="module")
def local(origin: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """All results of a run without a cluster."""
    project = origin.copy(tmp_path_factory.mktemp("local") / "project")
    run = project.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    return project


@pytest.fixture
def fresh(origin: Project, slurm: Slurm, tmp_path: Path) -> Project:
    """A project without results, and a cluster for it."""
    return origin.copy(tmp_path / "project")


@pytest.fixture
def project(local: Project, slurm: Slurm, tmp_path: Path) -> Project:
    """A project in which the models are still to be evaluated and gathered, and a cluster."""
    project = local.copy(tmp_path / "project")
    shutil.rmtree(project.path(MODELS))
    project.path(SIGNALS).unlink()
    return project


def hang_at(project: Project, folder: Path, name: str) -> Project:
    """The same project, in which the jobs that make files of this name hang."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HANGING.format(name=name), encoding="utf-8")
    path = f"{folder}{os.pathsep}{project.path('src')}"
    return Project(project.root, {"PYTHONPATH": path})


@pytest.fixture
def hanging(project: Project, tmp_path: Path) -> Project:
    return hang_at(project, tmp_path / "site", "R0.nc")


def on_cluster(project: Project, *words: str) -> Run:
    return project.run(*QUICKLY, *words, *TARGETS)


def assert_same(project: Project, local: Project) -> None:
    expected = local.results()
    assert set(project.results()) == set(expected)
    for name, path in project.results().items():
        for group in (None, *artifacts.groups(path)):
            values, others = artifacts.read(path, group), artifacts.read(expected[name], group)
            assert list(values) == list(others)
            for variable in values:
                np.testing.assert_array_equal(values[variable], others[variable], err_msg=name)


def assert_failed_and_then_completes(
    failed: Run, project: Project, local: Project, rule: str = "evaluate_models"
) -> None:
    """The run that lost a job says so and has no table; the next one makes what is missing."""
    assert failed.code == 1, failed.text
    assert rule in failed.text
    assert "Traceback" not in failed.text
    assert not project.path(SIGNALS).exists()
    again = on_cluster(project)
    assert again.code == 0, again.text
    assert_same(project, local)


def wait_for(happened: Callable[[], bool], run: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 400
    while not happened():
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < deadline, "what the test waits for did not happen"
        time.sleep(0.1)


def end_of(run: subprocess.Popen[str]) -> Run:
    text, _ = run.communicate(timeout=600)
    return Run(run.returncode, text)


def test_a_cluster_gives_the_values_of_a_local_run(fresh, local, slurm):
    run = on_cluster(fresh)
    assert run.code == 0, run.text
    assert_same(fresh, local)
    submitted = [line for line in run.text.splitlines() if "has been submitted with SLURM" in line]
    # The four points of the reference travel in one job.
    assert len(submitted) < len([job for job in run.jobs if job.rule != "gather_signals"])
    assert slurm.queue() == []
    assert on_cluster(fresh, "--dry-run").jobs == set()


@pytest.mark.parametrize("way", ["scancel", "SIGKILL"])
@pytest.mark.fault(
    "on Slurm: a job is cancelled or killed",
    "the run fails and names it; started again, it ends in the values of a local run",
)
def test_a_job_that_is_killed_fails_the_run_and_is_done_again(project, hanging, local, slurm, way):
    run = hanging.start(*QUICKLY, *TARGETS)
    wait_for(project.path("hangs").exists, run)
    if way == "scancel":
        slurm.ask("scancel", *slurm.queue())
    else:
        os.kill(int(project.path("hangs").read_text()), signal.SIGKILL)
    assert_failed_and_then_completes(end_of(run), project, local)


@pytest.mark.fault(
    "on Slurm: a point is killed within a group",
    "the run fails; started again, it ends in the values of a local run",
)
def test_a_point_that_is_killed_within_a_group_is_done_again(project, local, tmp_path):
    for path in project.path("results/reference").rglob("*.nc"):
        path.unlink()
    hanging = hang_at(project, tmp_path / "site", "L3_kappa0.03_pgse-2-5_b0.2")
    run = hanging.start(*QUICKLY, *TARGETS)
    wait_for(project.path("hangs").exists, run)
    os.kill(int(project.path("hangs").read_text()), signal.SIGKILL)
    assert_failed_and_then_completes(end_of(run), project, local, "solve_reference")


@pytest.mark.fault(
    "on Slurm: a job needs more memory than it asked for",
    "the run fails and names it; started again with more, it ends right",
)
def test_a_job_that_takes_more_memory_than_it_asked_for_is_named(project, local):
    failed = on_cluster(project, "--set-resources=evaluate_models:mem_mb=40")
    assert "exceeded memory limit" in failed.text
    assert_failed_and_then_completes(failed, project, local)


@pytest.mark.fault(
    "on Slurm: a job exceeds its time",
    "the run fails and names it; started again with more, it ends right",
)
def test_a_job_that_exceeds_its_time_is_named(hanging, project, local):
    failed = on_cluster(hanging, "--set-resources=evaluate_models:runtime=1")
    assert "SLURM status is: 'TIMEOUT'" in failed.text
    assert_failed_and_then_completes(failed, project, local)


@pytest.mark.fault(
    "on Slurm: the run is killed and its jobs live on",
    "the next run ends right",
)
def test_a_run_that_is_killed_leaves_no_job_beside_the_next_one(hanging, project, local, slurm):
    run = hanging.start(*QUICKLY, *TARGETS)
    wait_for(project.path("hangs").exists, run)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    again = on_cluster(project)
    assert again.code == 0, again.text
    assert_same(project, local)
    assert slurm.queue() == []


@pytest.fixture(scope="module")
def generic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executor for clusters of every kind, which the project does not install."""
    folder = tmp_path_factory.mktemp("generic")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder]
    name = "snakemake-executor-plugin-cluster-generic>=1.0.9,<2"
    found = subprocess.run([*install, name], capture_output=True, text=True, timeout=300)
    if found.returncode != 0:
        pytest.skip(f"no package index gives {name}")
    return folder


@pytest.mark.parametrize("killed", [False, True])
def test_a_cluster_of_any_kind_gives_the_same_and_names_what_was_killed(
    project, local, slurm, generic, tmp_path, killed
):
    if killed:
        project = hang_at(project, tmp_path / "site", "R0.nc")
    path = project.environment.get("PYTHONPATH", str(project.path("src")))
    project.environment["PYTHONPATH"] = f"{path}{os.pathsep}{generic}"
    words = ("--workflow-profile=profiles/cluster-generic", "--seconds-between-status-checks=1")
    run = project.start(*words, *TARGETS)
    if killed:
        wait_for(project.path("hangs").exists, run)
        slurm.ask("scancel", *slurm.queue())
        project = Project(project.root)
        assert_failed_and_then_completes(end_of(run), project, local)
    else:
        ended = end_of(run)
        assert ended.code == 0, ended.text
        assert_same(project, local)
