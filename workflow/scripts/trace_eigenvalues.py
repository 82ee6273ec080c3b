"""Follow the eigenvalues of the homogenised models along the waveform."""

from torrey.workflow.jobs import job
from torrey import artifacts
from torrey.cell.files import lazy_levels
from torrey.material import Material
from torrey.model_files import eigenvalue_table
from torrey.sweep import Sweep

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    finest = lazy_levels(snakemake.input.operators, Material.from_dict(recipe))[-1]
    models = recipe["models"].split(",")
    table = eigenvalue_table(finest(), Sweep.from_json(recipe["sweep"]), models)
    artifacts.write(snakemake.output[0], table, provenance)
