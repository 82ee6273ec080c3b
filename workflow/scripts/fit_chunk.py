"""Fit a model to a share of the voxels."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.inversion.table_runs import fit_part
from torrey.inversion.voxel_data import read_part
from torrey.workflow.stages import FitChunk

with job(snakemake, FitChunk) as work:
    stage, files = work.stage, snakemake.input
    data = read_part(files.signals, stage.part, stage.parts)
    found = fit_part(data, stage.settings, files.get("operators"), work.teller)
    artifacts.write(work.output, found, work.provenance)
