"""A voxel by the workflow: a killed job goes on from its checkpoint to the same bytes."""

from __future__ import annotations

import pytest
from support.project import Project

VOXEL = """\
geometries:
  box: {kind: packing, box: 60 um, radius: {uniform: [2 um, 4 um]}, count: 50, gap: 0.2 um}
voxels:
  mine:
    geometry: box
    voxel: 40 um
    diffusivity: {outside: 3e-3 mm^2/s, inside: 3e-3 mm^2/s}
    permeability: 1e-5 m/s
    waveform: {kind: pgse, delta: 20 ms, Delta: 20 ms}
    direction: [1, 0]
    b: [0 s/mm^2, 1000 s/mm^2]
    tolerance: 1e-2
figures:
  chl14_fig6_1_full: {voxels: [mine], on_request: true}
"""
OFTEN = {"TORREY_CHECKPOINT_SECONDS": "0.05"}


@pytest.mark.slow
def test_a_killed_voxel_goes_on_to_the_same_bytes_and_its_figure_is_drawn_by_its_name(
    origin, tmp_path
):
    whole = Project.create(tmp_path / "whole", VOXEL, origin)
    assert whole.plan("figures") == set()
    run = whole.run("--cores=2", "chl14_fig6_1_full")
    assert run.code == 0, run.text
    assert sorted(run.rules) == [
        *("draw_figure", "gather_voxel"),
        *("homogenise_voxel",) * 2,
        *("mesh_voxel",) * 2,
        "place_discs",
        *("solve_voxel",) * 4,
    ]
    killed = Project(Project.create(tmp_path / "killed", VOXEL, origin).root, OFTEN)
    checkpoints = killed.path("results/voxels/mine/checkpoints")

    def far_enough() -> bool:
        files = list(checkpoints.glob("[!.]*.npz"))
        return any("fine".encode("utf-32-le") in file.read_bytes() for file in files)

    killed.kill_when(far_enough, "--cores=1", "chl14_fig6_1_full")
    assert list(checkpoints.glob("[!.]*.npz"))
    again = killed.run("--cores=1", "chl14_fig6_1_full")
    assert again.code == 0, again.text
    assert set(killed.results()) == set(whole.results())
    for name, path in killed.results().items():
        assert path.read_bytes() == whole.results()[name].read_bytes(), name
    assert not checkpoints.exists()
