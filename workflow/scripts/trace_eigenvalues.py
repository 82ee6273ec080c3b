"""Follow the eigenvalues of the homogenised models along the waveform."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.cell.files import lazy_levels
from torrey.cell.material import Material
from torrey.gradients.sweep import Sweep
from torrey.models.files import eigenvalue_table

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    finest = lazy_levels(snakemake.input.operators, Material.from_dict(recipe))[-1]
    models = recipe["models"].split(",")
    table = eigenvalue_table(finest, Sweep.from_json(recipe["sweep"]), models)
    artifacts.write(snakemake.output[0], table, provenance)
