"""Expand the signals of a study round b = 0: apparent diffusivities and kurtoses without a fit."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.cell.demand import read_levels
from torrey.study.cumulants import cumulant_table
from torrey.workflow.stages import ExpandCumulants

with job(snakemake, ExpandCumulants) as work:
    stage = work.stage
    levels = read_levels(snakemake.input.operators, snakemake.input.mesh, stage.material)
    table = cumulant_table(levels, stage.sweep, stage.models, stage.tolerance)
    work.remarks.extend(levels.said(stage.tolerance))
    artifacts.write(work.output, table, work.provenance)
