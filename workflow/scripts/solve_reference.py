"""Solve the Bloch-Torrey equation for one point of a sweep."""

from torrey.workflow.jobs import job
from torrey.cell.demand import read_levels
from torrey.reference.files import write_reference
from torrey.reference.full import reference_signal
from torrey.workflow.stages import SolveReference

with job(snakemake, SolveReference) as work:
    stage = work.stage
    levels = read_levels(snakemake.input.operators, snakemake.input.mesh, stage.material)
    reference = reference_signal(levels, stage.point, stage.tolerance, work.teller)
    work.remarks.extend(levels.said(stage.tolerance))
    about = levels.describe(reference.level)
    write_reference(work.output, reference, stage.point, work.provenance, about)
