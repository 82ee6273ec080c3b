"""Solve the Bloch-Torrey equation on a block of a dictionary by projected models."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.cell.demand import read_levels
from torrey.reference.ladder_files import lazy_ladders
from torrey.reference.ladder_levels import continued
from torrey.study.dictionary import Progress
from torrey.study.reference_blocks import reference_block
from torrey.workflow.stages import SolveDictionary

with job(snakemake, SolveDictionary) as work:
    stage, files = work.stage, snakemake.input
    levels = read_levels(files.operators, files.mesh, stage.material)
    ladders = continued(lazy_ladders(files.basis), levels, work.teller)
    progress = Progress(stage.sweep.size, work.teller.say)
    found = reference_block(stage.sweep, stage.tolerance, ladders, levels, progress)
    artifacts.write(work.output, found.variables(), work.provenance)
    work.remarks.extend(levels.said(stage.tolerance))
