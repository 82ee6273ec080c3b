"""Evaluate the homogenised models at all points of a study."""

from torrey.workflow.jobs import job
from torrey.cell.files import lazy_levels
from torrey.cell.material import Material
from torrey.gradients.sweep import Sweep
from torrey.models.evaluation import evaluate_models
from torrey.models.files import write_models

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    sweep = Sweep.from_json(recipe["sweep"])
    levels = lazy_levels(snakemake.input.operators, Material.from_dict(recipe))
    table = evaluate_models(levels, sweep, recipe["models"].split(","))
    write_models(snakemake.output[0], table, sweep, provenance)
