"""Solve the Bloch-Torrey equation for one point, and keep the magnetisation at some times."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.base.stored import group_of
from torrey.cell.demand import read_levels
from torrey.reference.magnetisation import solve_magnetisation
from torrey.workflow.stages import SolveMagnetisation

with job(snakemake, SolveMagnetisation) as work:
    stage = work.stage
    levels = read_levels(snakemake.input.operators, snakemake.input.mesh, stage.material)
    how = stage.point, stage.tolerance, stage.times
    found, level = solve_magnetisation(levels, levels.meshes, *how, work.teller)
    work.remarks.extend(levels.said(stage.tolerance))
    about = levels.describe(level)
    artifacts.write(work.output, group_of(found), work.provenance, attributes=about)
