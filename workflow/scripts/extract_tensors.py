"""Solve the papers' cell problems for one geometry and material."""

from torrey.workflow.jobs import job
from torrey.cell.files import lazy_levels
from torrey.models.tensor_files import write_tensors
from torrey.models.tensors import papers_tensors
from torrey.workflow.stages import ExtractTensors

with job(snakemake, ExtractTensors) as work:
    finest = lazy_levels(snakemake.input.operators, work.stage.material)[-1]
    tensors = papers_tensors(finest)
    write_tensors(work.output, tensors, snakemake.input.mesh, work.provenance)
