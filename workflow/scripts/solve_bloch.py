"""Solve for bands, spectra, eigenmodes or magnetisation of a periodic medium at any gradient."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.bloch.runs import compute
from torrey.cell.files import lazy_levels
from torrey.geometry.files import read_meshes
from torrey.workflow.stages import SolveBloch

with job(snakemake, SolveBloch) as work:
    levels = lazy_levels(snakemake.input.operators, work.stage.material)
    found = compute(work.stage.to_params(), levels, read_meshes(snakemake.input.mesh), work.teller)
    artifacts.write(work.output, found.variables, work.provenance, groups=found.groups)
