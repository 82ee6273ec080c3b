"""Fit parameters to the signals of studies."""

import json

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.cell.files import lazy_levels
from torrey.cell.material import Material
from torrey.gradients.sweep import Sweep
from torrey.inversion.run import run_karger, run_physical

with job(snakemake) as provenance:
    recipe, files = snakemake.params.recipe, snakemake.input
    sweeps = [Sweep.from_json(text) for text in json.loads(recipe["sweeps"])]
    if recipe["kind"] == "karger":
        table = run_karger(recipe["inversion"], sweeps, list(files.signals), files.tensors)
    else:
        material = Material.from_dict(recipe)
        levels = lazy_levels(files.operators, material)
        table = run_physical(
            recipe["inversion"], sweeps[0], files.signals[0], material, levels, recipe["cell"]
        )
    artifacts.write(
        snakemake.output[0], table, provenance, attributes={"inversion": recipe["inversion"]}
    )
