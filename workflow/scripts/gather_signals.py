"""Gather the signals of a study from its points and slabs."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.study.files import gather_signals, meaningless_signals
from torrey.workflow.stages import GatherSignals

with job(snakemake, GatherSignals) as work:
    stage, files = work.stage, snakemake.input
    table = gather_signals(stage.sweep, stage.models, list(files.references), list(files.slabs))
    artifacts.write(work.output, table, work.provenance)
    work.remarks.extend(meaningless_signals(table))
