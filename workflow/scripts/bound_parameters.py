"""Bound what the protocol of a study tells of its cell, and choose among its measurements."""

from torrey.workflow.jobs import job
from torrey.inversion.design_files import remarks, save
from torrey.inversion.protocol_design import design_protocol
from torrey.workflow.stages import BoundParameters

with job(snakemake, BoundParameters) as work:
    stage, comma = work.stage, snakemake.output.csv
    design = design_protocol(snakemake.input.derivatives, stage.sweep, stage.settings)
    save(design, stage.sweep, stage.settings, comma, work.output, work.provenance)
    work.remarks.extend(remarks(design, stage.settings))
