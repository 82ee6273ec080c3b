"""Expand the signals of a study round b = 0: apparent diffusivities and kurtoses without a fit."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.cell.files import lazy_levels
from torrey.study.cumulants import cumulant_table
from torrey.workflow.stages import ExpandCumulants

with job(snakemake, ExpandCumulants) as work:
    stage = work.stage
    levels = lazy_levels(snakemake.input.operators, stage.material)
    table = cumulant_table(levels, stage.sweep, stage.models, stage.tolerance)
    artifacts.write(work.output, table, work.provenance)
