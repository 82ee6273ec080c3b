"""Evaluate the homogenised models at all points of a study."""

from torrey.workflow.jobs import job
from torrey.cell.files import lazy_levels
from torrey.material import Material
from torrey.model_files import write_models
from torrey.signals import evaluate_models
from torrey.sweep import Sweep

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    sweep = Sweep.from_json(recipe["sweep"])
    levels = lazy_levels(snakemake.input.operators, Material.from_dict(recipe))
    table = evaluate_models(levels, sweep, recipe["models"].split(","))
    write_models(snakemake.output[0], table, sweep, provenance)
