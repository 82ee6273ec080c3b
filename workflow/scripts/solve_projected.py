"""Solve the Bloch-Torrey equation for all points of a study by projected models."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.cell.files import lazy_levels
from torrey.cell.material import Material
from torrey.gradients.sweep import Sweep
from torrey.reference.files import lazy_ladders, table_variables
from torrey.reference.slab import solve_study

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    table = solve_study(
        Sweep.from_json(recipe["sweep"]),
        recipe["tolerance"],
        lazy_ladders(snakemake.input.basis),
        lazy_levels(snakemake.input.operators, Material.from_dict(recipe)),
    )
    artifacts.write(snakemake.output[0], table_variables(table), provenance)
