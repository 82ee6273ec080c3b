"""Evaluate a homogenised model on a block of a dictionary."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.cell.files import lazy_levels
from torrey.study.dictionary import Progress
from torrey.study.model_blocks import model_block
from torrey.workflow.stages import EvaluateDictionary

with job(snakemake, EvaluateDictionary) as work:
    stage = work.stage
    levels = lazy_levels(snakemake.input.operators, stage.material)
    progress = Progress(stage.sweep.size, work.teller.say)
    found = model_block(stage.sweep, stage.model, levels, progress)
    artifacts.write(work.output, found.variables(), work.provenance)
    work.remarks.extend(found.meaningless(stage.model))
