"""Solve the cell problem of a packing, and of the square cell that stands for it."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.base.stored import group_of
from torrey.voxel.assembly import Properties
from torrey.voxel.files import read_mesh
from torrey.voxel.homogenised import homogenise
from torrey.workflow.stages import HomogeniseVoxel

with job(snakemake, HomogeniseVoxel) as work:
    stage, mesh = work.stage, read_mesh(snakemake.input.mesh)
    water = Properties(stage.outside, stage.inside, stage.permeability, stage.direction)
    found = homogenise(
        mesh.triangles, mesh.medium, water, threads=snakemake.threads, progress=work.teller
    )
    artifacts.write(work.output, group_of(found), work.provenance)
