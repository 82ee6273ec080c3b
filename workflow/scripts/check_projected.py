"""Compare projected references with the full system at some points."""

import json

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.study.comparison import compare_with_full

with job(snakemake) as provenance:
    indices = map(tuple, json.loads(snakemake.params.recipe["indices"]))
    references = dict(zip(indices, snakemake.input.references, strict=True))
    table = compare_with_full(snakemake.input.projected, references)
    artifacts.write(snakemake.output[0], table, provenance)
