"""A run that was killed, at any moment, ends in the same results when it is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from support.project import TARGETS, Job, Project

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.figures.drawing import Drawing, save
from torrey.workflow.runs import begin_run

# Loaded by every Python of a run, if its directory is on the path: writers stop before the last
# step, in which a complete file gets its name.
HANGING = """\
import os, time

rename = os.replace


def hang(source, target, **options):
    if str(target).endswith("{name}"):
        time.sleep(1000)
    rename(source, target, **options)


os.replace = hang
"""


def solved(project: Project, count: int) -> bool:
    """Whether there are so many reference signals."""
    return len(list(project.path("results/reference").rglob("[!.]*.nc"))) >= count


def hang_at(project: Project, directory: Path, name: str) -> Project:
    """The same project, whose runs hang when they are about to complete a file of this name."""
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(HANGING.format(name=name), encoding="utf-8")
    path = f"{directory}{os.pathsep}{project.path('src')}"
    return Project(project.root, {"PYTHONPATH": path})


def start_again(project: Project) -> None:
    """Run to the end, as a user would."""
    run = project.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    assert project.plan() == set()


def assert_same(project: Project, finished: Project) -> None:
    """Compare all results, value by value for a message, then byte by byte."""
    expected = finished.results()
    assert set(project.results()) == set(expected)
    for name, path in project.results().items():
        for group in (None, *artifacts.groups(path)):
            values, others = artifacts.read(path, group), artifacts.read(expected[name], group)
            assert list(values) == list(others)
            for variable in values:
                np.testing.assert_array_equal(values[variable], others[variable], err_msg=name)
        assert path.read_bytes() == expected[name].read_bytes(), name


def assert_complete(project: Project, finished: Project) -> None:
    """Every file that has its final name is the one of an uninterrupted run."""
    expected = finished.results()
    for name, path in project.results().items():
        assert path.read_bytes() == expected[name].read_bytes(), name


@pytest.mark.slow
def test_a_run_killed_while_it_solves_ends_in_the_same_results(fresh, short):
    fresh.kill_when(lambda: solved(fresh, 4), "--cores=2", *TARGETS)
    assert_complete(fresh, short)
    before = {name: path.stat().st_mtime_ns for name, path in fresh.results().items()}
    start_again(fresh)
    assert_same(fresh, short)
    # What was complete stays, but for the jobs that were running.
    after = {name: path.stat().st_mtime_ns for name, path in fresh.results().items()}
    kept = [name for name in before if before[name] == after[name]]
    assert len(kept) >= max(1, len(before) - 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["operators.nc", "kl23_fig6.nc"])
def test_a_run_killed_while_it_writes_ends_in_the_same_results(fresh, short, tmp_path, name):
    hanging = hang_at(fresh, tmp_path / "hang", name)
    hanging.kill_when(
        lambda: any(f".{name}." in path.name for path in fresh.leftovers()),
        "--cores=2",
        *TARGETS,
    )
    assert not any(path.name == name for path in fresh.path("results").rglob("*.nc"))
    assert_complete(fresh, short)
    assert fresh.leftovers()
    start_again(fresh)
    assert_same(fresh, short)


@pytest.mark.slow
def test_a_run_killed_without_its_jobs_ends_in_the_same_results(fresh, short):
    process = fresh.start("--cores=2", *TARGETS)
    while not solved(fresh, 3):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    process.kill()  # its jobs live on and finish what they do, beside those of the next run
    process.wait()
    start_again(fresh)
    assert_same(fresh, short)


@pytest.mark.slow
def test_an_interrupted_run_needs_nothing_but_a_new_start(fresh, short):
    process = fresh.start("--cores=2", *TARGETS)
    while not solved(fresh, 3):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate()
    assert fresh.leftovers() == []
    run = fresh.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    assert_same(fresh, short)


@pytest.mark.slow
def test_two_runs_give_the_same_bytes(fresh, short):
    run = fresh.run("--cores=1", *TARGETS)
    assert run.code == 0, run.text
    assert_same(fresh, short)
    for kind in ("pdf", "png"):
        for path in fresh.path("results/figures").glob(f"*.{kind}"):
            assert path.read_bytes() == short.path(f"results/figures/{path.name}").read_bytes()


def test_a_file_that_was_being_made_is_made_again(project):
    # What a kill leaves: Snakemake's note that a file is not complete yet.
    name = "results/studies/wall/signals.nc"
    records = project.path(".snakemake/metadata")
    (record,) = [path for path in records.iterdir() if b64decode(path.name).decode() == name]
    incomplete = project.path(".snakemake/incomplete")
    incomplete.mkdir(exist_ok=True)
    record.unlink()
    (incomplete / record.name).touch()
    assert project.plan() == {
        Job("gather_signals", "study=wall"),
        Job("draw_overview", "study=wall"),
        Job("write_table", "table=khm19_table_tensors"),
        Job("draw_figure", "figure=kl23_fig6"),
    }


def leave_lock(project: Project) -> Path:
    locks = project.path(".snakemake/locks")
    locks.mkdir(exist_ok=True)
    lock = locks / "0.output.lock"
    lock.write_text("results/studies/sweep/signals.nc\n")
    return lock


DIES = (
    "import os; from pathlib import Path; from torrey.workflow.runs import begin_run;"
    "begin_run(Path('.snakemake'), Path('results')); os._exit(1)"
)


def test_the_lock_of_a_run_that_was_killed_is_no_obstacle(project):
    leave_lock(project)
    subprocess.run([sys.executable, "-c", DIES], cwd=project.root, check=False)
    run = project.run("--cores=2", "--forcerun=fit_orders", "studies")
    assert run.code == 0, run.text


def test_a_second_run_beside_a_living_one_is_refused(project):
    with begin_run(project.path(".snakemake"), project.path("results")):
        lock = leave_lock(project)
        run = project.run("--cores=2", "--forcerun=fit_orders", "studies")
        assert run.code != 0
        assert "locked" in run.text
        assert "Traceback" not in run.text
        assert lock.exists()


def test_a_figure_that_was_not_finished_has_no_name(tmp_path, monkeypatch):
    def savefig(_: Figure, path: str | Path, **__: object) -> None:
        Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Figure, "savefig", savefig)
    names = [str(tmp_path / f"figure.{kind}") for kind in ("pdf", "png", "nc")]
    with pytest.raises(KeyboardInterrupt):
        save(Drawing(Figure(), {}), *names, Provenance("draw_figure"))
    assert not Path(names[0]).exists()
