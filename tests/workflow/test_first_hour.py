"""What docs/first_hour.md tells a newcomer to do, done in a fresh copy of the project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.project import ROOT, Project

TEXT = (ROOT / "docs/first_hour.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Code blocks of the page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.S)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which the study of the page has run."""
    made = Project.create(tmp_path_factory.mktemp("hour") / "project")
    (study,) = blocks("yaml")
    made.write("mine.yaml", study)
    run = made.run("--cores=2", "studies", "figures", config="mine.yaml")
    assert run.code == 0, run.text
    return made


def printed(project: Project, script: str) -> str:
    """What a script prints in the folder of the project."""
    # The way in which all commands of the project see the library of the copy.
    environment = project._environment()
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project.root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def numbers(text: str) -> list[float]:
    """All numbers of a text."""
    return [float(number) for number in re.findall(r"\d+", text)]


@pytest.mark.slow
def test_the_study_makes_the_picture_that_the_page_shows(project):
    picture = project.path("results/figures/my_signals.png")
    assert picture.stat().st_size > 10_000
    assert (ROOT / "docs/images/first_hour.png").stat().st_size > 10_000
    assert project.path("results/geometry/axons/cell.png").exists()


@pytest.mark.slow
def test_the_scripts_print_what_the_page_says(project):
    signal, table, fit = (printed(project, script) for script in blocks("python"))
    assert signal.strip() == "0.4444 +- 3e-06"
    assert "It prints `0.4444 +- 3e-06`" in TEXT
    assert "largest error of R2: 0.029" in table
    assert "largest numerical error: 2e-04" in table
    shown = "74 ms, 95 % from 37 to 516 ms"
    assert f"It says {shown}, and the exact one is 50 ms" in TEXT
    # The upper end lies where the likelihood is flat.
    assert numbers(fit) == pytest.approx([*numbers(shown), 50.0], rel=0.02)


@pytest.mark.slow
def test_another_delta_runs_the_seven_jobs_that_the_page_names(project, tmp_path: Path):
    changed = project.copy(tmp_path / "changed")
    changed.edit("mine.yaml", "Delta: [15 ms, 30 ms]", "Delta: [15 ms, 45 ms]")
    rules = {job.rule for job in changed.plan("studies", "figures", config="mine.yaml")}
    made = {"solve_projected", "evaluate_models", "gather_signals", "draw_figure", "draw_overview"}
    assert rules - {"studies", "figures"} == made
