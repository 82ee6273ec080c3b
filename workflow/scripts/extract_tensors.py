"""Solve the papers' cell problems for one geometry and material."""

from torrey.workflow.jobs import job
from torrey.cell.files import lazy_levels
from torrey.cell.material import Material
from torrey.models.tensor_files import write_tensors
from torrey.models.tensors import papers_tensors

with job(snakemake) as provenance:
    material = Material.from_dict(snakemake.params.recipe)
    finest = lazy_levels(snakemake.input.operators, material)[-1]
    tensors = papers_tensors(finest)
    write_tensors(snakemake.output[0], tensors, snakemake.input.mesh, provenance)
