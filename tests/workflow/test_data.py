"""Measured volumes by the workflow: maps, what an edit fits again, and a run that is killed."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from support.measured_files import AFFINE, Volumes, write_volumes
from support.project import CONFIG, Job, Project

TEXT = """\
data:
  brain:
    nifti: dwi.nii.gz
    mask: mask.nii.gz
    acquisition: {table: rows.tsv}
    sigma: 5
    noise: rician
inversions:
  exchange: {data: brain, model: karger, chunks: 3}
figures:
  fit_maps: {inversions: exchange}
"""
TARGETS = ("studies", "figures")
CHUNKS = {Job("fit_chunk", f"fit=exchange, chunk={i}of3") for i in (1, 2, 3)}
GATHERED = {"gather_fit", "draw_figure"}
PARAMETERS = ("D_e", "D_c", "f", "t_ex")


def project_in(folder: Path, origin: Path) -> tuple[Project, Volumes]:
    project = Project.create(folder, TEXT, origin)
    return project, write_volumes(folder, (8, 8, 1), 24)


def maps_of(project: Project) -> dict[str, Path]:
    files = project.path("results/inversions/exchange/maps").glob("*.nii.gz")
    return {file.name.removesuffix(".nii.gz"): file for file in sorted(files)}


@pytest.mark.slow
@pytest.mark.fault(
    "a run of fits of volumes is killed between two shares of the voxels",
    "the shares that were fitted are kept, and the maps are those of a run from nothing",
)
def test_volumes_become_maps_and_a_killed_run_goes_on(origin, tmp_path):
    whole, made = project_in(tmp_path / "whole", origin)
    run = whole.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    assert {job for job in run.jobs if job.rule == "fit_chunk"} == CHUNKS
    maps = maps_of(whole)
    for i, name in enumerate(PARAMETERS):
        image = nibabel.load(maps[name])
        assert np.allclose(image.affine, AFFINE, atol=1e-5)
        values, error = image.get_fdata(), nibabel.load(maps[f"{name}_error"]).get_fdata()
        assert np.isnan(values[~made.inside]).all()
        away = (values - made.truth[..., i])[made.inside] / error[made.inside]
        assert np.isfinite(away).mean() > 0.95
        assert abs(np.nanmean(away)) < 0.5
        assert 0.7 < np.nanstd(away) < 1.4
    assert whole.path("results/figures/fit_maps.png").stat().st_size > 10_000

    # What nothing depends on makes nothing anew.
    assert whole.plan(*TARGETS) == set()
    whole.path("dwi.nii.gz").touch()
    assert whole.plan(*TARGETS) == set()
    whole.edit(CONFIG, "model: karger", "model: karger, seed: 2")
    assert {job.rule for job in whole.plan(*TARGETS)} == {
        *GATHERED,
        "fit_chunk",
        "write_maps",
    }
    whole.edit(CONFIG, "seed: 2", "seed: 1")
    whole.path("results/inversions/exchange/maps/f.nii.gz").unlink()
    assert {job.rule for job in whole.plan(*TARGETS)} == {"write_maps"}
    whole.run("--cores=1", *TARGETS)

    killed, _ = project_in(tmp_path / "killed", origin)
    chunks = killed.path("results/inversions/exchange/chunks")
    killed.kill_when(lambda: len(list(chunks.glob("[1-3]of3.nc"))) > 0, "--cores=1", *TARGETS)
    done = {file.name for file in chunks.glob("[1-3]of3.nc")}
    assert 0 < len(done) < 3
    again = killed.run("--cores=1", *TARGETS)
    assert again.code == 0, again.text
    assert len([job for job in again.jobs if job.rule == "fit_chunk"]) <= 3 - len(done) + 1
    assert maps_of(killed).keys() == maps.keys()
    for name, file in maps_of(killed).items():
        assert file.read_bytes() == maps_of(whole)[name].read_bytes(), name
    verified = killed.run("--cores=1", "verify")
    assert verified.code == 0, verified.text
    assert "0 foreign" in verified.text
