"""Compare projected references with the full system at some points."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.study.comparison import compare_with_full
from torrey.workflow.stages import CheckProjected

with job(snakemake, CheckProjected) as work:
    files = snakemake.input
    points = list(zip(files.projected, work.stage.rows, files.references, strict=True))
    artifacts.write(work.output, compare_with_full(points), work.provenance)
