"""Solve for bands, spectra, eigenmodes or magnetisation of a periodic medium at any gradient."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.bloch.runs import compute
from torrey.cell.files import lazy_levels
from torrey.cell.material import Material
from torrey.geometry.files import read_meshes

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    levels = lazy_levels(snakemake.input.operators, Material.from_dict(recipe))
    found = compute(recipe, levels, read_meshes(snakemake.input.mesh))
    artifacts.write(snakemake.output[0], found.variables, provenance, groups=found.groups)
