"""Solve the Bloch-Torrey equation on slabs of a study by projected models."""

from torrey.workflow.jobs import batch
from torrey.base import artifacts
from torrey.base.progress import Steps
from torrey.cell.demand import read_levels
from torrey.reference.ladder_files import lazy_ladders
from torrey.reference.ladder_levels import continued
from torrey.reference.slab import solve_slab
from torrey.reference.slab_files import table_variables
from torrey.workflow.stages import SolveProjected

with batch(snakemake, SolveProjected) as works:
    first, files = works[0], snakemake.input
    levels = read_levels(files.operators, files.mesh, first.stage.material)
    ladders = continued(lazy_ladders(files.basis), levels, first.teller)
    told = Steps(first.teller, f"slabs ({len(works)})", len(works))
    for work in works:
        stage = work.stage
        table = solve_slab(stage.sweep, stage.tolerance, ladders, levels, progress=work.teller)
        about = levels.describe(table.finest)
        artifacts.write(work.output, table_variables(table), work.provenance, attributes=about)
        told()
    first.remarks.extend(levels.said(first.stage.tolerance))
