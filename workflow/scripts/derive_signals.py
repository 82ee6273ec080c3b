"""Derive the signals of a study by its cell, its material and its gradients."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.cell.demand import read_levels
from torrey.reference.ladder_files import lazy_ladders
from torrey.study.derivatives import Asked, derive_signals
from torrey.workflow.stages import DeriveSignals

with job(snakemake, DeriveSignals) as work:
    stage, files = work.stage, snakemake.input
    levels = read_levels(files.operators, files.mesh, stage.material)
    asked = Asked(stage.sweep, stage.models, stage.by, stage.tolerance, stage.regions, stage.radii)
    bases = [lazy_ladders(file) for file in files.bases]
    say = work.teller.say
    table = derive_signals(levels, asked, list(files.slabs), bases, levels.slopes, say)
    work.remarks.extend(levels.said(stage.tolerance))
    artifacts.write(work.output, table, work.provenance)
