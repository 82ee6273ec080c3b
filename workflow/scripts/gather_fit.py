"""Gather the fits of all voxels."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.inversion.table_report import gathered
from torrey.inversion.voxel_data import read_part
from torrey.workflow.stages import GatherFit

with job(snakemake, GatherFit) as work:
    data = read_part(snakemake.input.signals)
    group, attributes, work.remarks[:] = gathered(
        list(snakemake.input.chunks), data, work.stage.settings
    )
    artifacts.write(work.output, group, work.provenance, attributes=attributes)
