"""Fit a model to a share of the voxels."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.inversion.table_runs import fit_part
from torrey.inversion.voxel_data import read_part
from torrey.workflow.stages import FitChunk

with job(snakemake, FitChunk) as work:
    stage = work.stage
    data = read_part(snakemake.input.signals, stage.part, stage.parts)
    artifacts.write(work.output, fit_part(data, stage.settings), work.provenance)
