"""Build the projected models of one geometry and material, on each mesh."""

import json

from torrey.workflow.jobs import job
from torrey.cell.files import lazy_levels
from torrey.cell.material import Material
from torrey.reference.files import write_ladders
from torrey.reference.ladder import climb_meshes

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    axes = json.loads(recipe["axes"])
    levels = lazy_levels(snakemake.input.operators, Material.from_dict(recipe))
    ladders = climb_meshes(levels, axes, recipe["rungs"])
    write_ladders(snakemake.output[0], ladders, provenance)
