"""Build the projected models of one geometry and material, on each mesh."""

from torrey.workflow.jobs import job
from torrey.cell.files import lazy_levels
from torrey.reference.ladder_files import write_ladders
from torrey.reference.ladder_levels import models_to_store
from torrey.workflow.stages import BuildBasis

with job(snakemake, BuildBasis) as work:
    stage = work.stage
    levels = lazy_levels(snakemake.input.operators, stage.material)
    models = models_to_store(levels, stage.axes, stage.rungs, work.teller)
    write_ladders(work.output, models, work.provenance)
