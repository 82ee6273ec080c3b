"""A figure of one's own, of any name, is drawn, and drawn anew when its own keys change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.project import CONFIG, SHORT, Job, Project

from torrey.base import artifacts

NAME = "my-first_picture"
MINE = (
    SHORT.replace("models: [reference, R0]", "models: [R0]")
    .replace("Delta: 6 ms", "Delta: [6 ms, 8 ms]")
    .replace("kl23_fig6: {studies: [sweep]}", f"{NAME}: {{kind: signals, studies: sweep}}")
)


@pytest.fixture
def mine(origin: Path, tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project", MINE, origin)


def test_it_is_drawn_and_redrawn_alone(mine):
    run = mine.run("--cores=1", "figures")
    assert run.code == 0, run.text
    assert Job("draw_figure", f"figure={NAME}") in run.jobs
    # The run says at its end what it has made.
    assert "    1 figure in results/figures/\n    1 study in results/studies/\n" in run.text
    for kind in ("pdf", "png"):
        assert mine.path(f"results/figures/{NAME}.{kind}").stat().st_size > 1000
    drawn = artifacts.open_dataset(mine.path(f"results/figures/{NAME}.nc"))
    study = artifacts.open_dataset(mine.path("results/studies/sweep/signals.nc"))
    assert drawn.sizes["colour"] == 2
    for i in range(2):
        np.testing.assert_array_equal(
            drawn.signal_real.isel(panel=0, colour=i).sel(model="R0").values,
            study.signal_real.isel(Delta=i).sel(model="R0").squeeze().values,
        )
    assert mine.plan("figures") == set()
    mine.edit(CONFIG, "studies: sweep}", "studies: sweep, panel: Delta}")
    assert mine.plan("figures") == {Job("draw_figure", f"figure={NAME}")}


def test_what_it_cannot_show_is_said_before_anything_runs(mine):
    mine.edit(CONFIG, "studies: sweep}", "studies: sweep, x: Dleta}")
    run = mine.dry_run("figures")
    assert run.code != 0
    assert f'figures.{NAME}.x: found "Dleta" (did you mean "Delta"?), accepted: an axis' in run.text
    assert "Traceback" not in run.text


def test_a_target_of_the_workflow_is_no_name_of_a_figure_on_request(mine):
    mine.edit(CONFIG, f"{NAME}: {{", "studies: {on_request: true, ")
    run = mine.dry_run("figures")
    assert run.code != 0
    assert "figures.studies: found on_request with the name of a target" in run.text
