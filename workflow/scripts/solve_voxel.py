"""Solve the Bloch-Torrey equation in a voxel for one strength of the gradient."""

from torrey.workflow.jobs import job
from torrey.voxel.checkpoints import Checkpoint
from torrey.voxel.files import read_mesh, write_signal
from torrey.voxel.signals import task_of, voxel_signal
from torrey.workflow.stages import SolveVoxel

with job(snakemake, SolveVoxel) as work:
    stage, mesh = work.stage, read_mesh(snakemake.input.mesh)
    diffusivities = stage.outside, stage.inside
    task = task_of(mesh.medium, stage.point, diffusivities, stage.window, stage.tolerance)
    signal = voxel_signal(
        mesh.triangles,
        task,
        refinements=stage.refinements,
        threads=snakemake.threads,
        checkpoint=Checkpoint.beside(snakemake.params.checkpoint, work.provenance.key),
        say=work.teller.say,
    )
    write_signal(work.output, signal, stage.point, work.provenance)
