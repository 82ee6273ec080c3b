"""Follow the eigenvalues of the homogenised models along the waveform."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.cell.files import lazy_levels
from torrey.models.files import eigenvalue_table
from torrey.workflow.stages import TraceEigenvalues

with job(snakemake, TraceEigenvalues) as work:
    stage = work.stage
    finest = lazy_levels(snakemake.input.operators, stage.material)[-1]
    table = eigenvalue_table(finest, stage.sweep, stage.models)
    artifacts.write(work.output, table, work.provenance)
