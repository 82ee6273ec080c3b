"""Figures with a film: the magnetisation is solved once, and drawn anew when its keys change."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from support.failing import KILLED, failing
from support.project import CONFIG, SHORT, Job, Project

from torrey.base import artifacts

FIGURES = """\
  still: {kind: magnetisation, studies: sweep, at: {b: 600 s/mm^2}}
  waves: {kind: magnetisation, studies: sweep, at: {b: 600 s/mm^2}, value: real}
"""
MINE = SHORT.replace("  kl23_fig6: {studies: [sweep]}\n", FIGURES)
FIELD = "results/magnetisation/walls/De2_Di1/L4_kappa0.05_pgse-2-6_b0.6_n1_tol0.01/magnetisation.nc"
SOLVED = "geometry=walls, material=De2_Di1, state=L4_kappa0.05_pgse-2-6_b0.6_n1_tol0.01"
DRAWN = {Job("draw_film", f"film={name}") for name in ("still", "waves")}


@pytest.mark.slow
@pytest.mark.fault(
    "a film, and the magnetisation that it shows, are killed in the last step of their files",
    "started again, the run ends with whole films",
)
def test_a_film_is_drawn_beside_its_figure(origin: Path, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", MINE, origin)
    killed = failing(project, tmp_path / "field", ["magnetisation.nc"], KILLED)
    assert killed.run("--cores=2", FIELD).code != 0
    assert not project.path(FIELD).exists()
    killed = failing(project, tmp_path / "film", ["still.gif"], KILLED)
    run = killed.run("--cores=2", "--keep-going", "figures")
    assert run.code != 0
    # Two figures of one measurement share what is solved.
    assert run.rules.count("solve_magnetisation") == 1
    assert run.jobs >= DRAWN
    assert project.path("results/figures/waves.gif").exists()
    assert not project.path("results/figures/still.gif").exists()
    run = project.run("--cores=2", "figures")
    assert run.code == 0, run.text
    assert Job("draw_film", "film=still") in run.jobs
    assert Job("draw_film", "film=waves") not in run.jobs
    for name in ("still", "waves"):
        for kind in ("pdf", "png", "gif"):
            assert project.path(f"results/figures/{name}.{kind}").stat().st_size > 1000
    check_signal(project)
    check_edits(project)
    check_damage(project)


def check_signal(project: Project) -> None:
    """The mean of the magnetisation at the echo is the reference signal of the study."""
    assert project.run("--cores=2", "results/studies/sweep/signals.nc").code == 0
    study = artifacts.open_dataset(project.path("results/studies/sweep/signals.nc"))
    signal = study.signal_real.sel(model="reference").squeeze().isel(b=-1)
    field = artifacts.open_dataset(project.path(FIELD))
    assert abs(float(field.u_real.isel(time=0).std())) == 0.0
    np.testing.assert_allclose(field.signal_real, signal, rtol=1e-2)
    drawn = artifacts.open_dataset(project.path("results/figures/still.nc"))
    np.testing.assert_allclose(drawn.time, [0.0, 2.0, 4.0, 6.0, 8.0])
    assert float(drawn.signal_real) == float(field.signal_real)


def check_edits(project: Project) -> None:
    """What a figure shows draws it anew; other times are solved for."""
    assert project.plan("figures") == set()
    project.edit(CONFIG, "value: real", "value: modulus")
    assert project.plan("figures") == {Job("draw_film", "film=waves")}
    project.edit(CONFIG, "value: modulus", "times: [1 ms, 3 ms]")
    assert project.plan("figures") == {
        Job("draw_film", "film=waves"),
        Job("solve_magnetisation", f"{SOLVED}_t1-3"),
    }
    project.edit(CONFIG, "times: [1 ms, 3 ms]", "value: real")
    project.append("src/torrey/reference/magnetisation.py", "\nADDED = 1\n")
    assert project.plan("figures") == {Job("solve_magnetisation", SOLVED), *DRAWN}


def check_damage(project: Project) -> None:
    """A film of another figure is seen, and made again."""
    shutil.copy2(
        project.path("results/figures/waves.gif"), project.path("results/figures/still.gif")
    )
    verified = project.run("--cores=1", "verify")
    assert verified.code != 0
    assert "still.gif" in verified.text
    assert "Traceback" not in verified.text


def test_one_that_cannot_be_drawn_is_said_before_anything_runs(
    origin: Path, tmp_path: Path
) -> None:
    text = MINE.replace(", at: {b: 600 s/mm^2}}", "}")
    project = Project.create(tmp_path / "project", text, origin)
    run = project.dry_run("figures")
    assert run.code != 0
    assert "figures.still: found 6 values of b, accepted: one of them, such as at: {b: " in run.text
    assert "Traceback" not in run.text
