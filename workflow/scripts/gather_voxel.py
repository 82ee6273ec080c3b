"""Gather the signals of a voxel against b."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.voxel.files import gather_voxel
from torrey.workflow.stages import GatherVoxel

with job(snakemake, GatherVoxel) as work:
    stage, files = work.stage, snakemake.input
    found = gather_voxel(
        stage.domains,
        files.meshes,
        files.homogenised,
        files.signals,
        stage.points,
        stage.b,
        stage.window,
        (stage.outside, stage.inside),
    )
    artifacts.write(work.output, found, work.provenance)
