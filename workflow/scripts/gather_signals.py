"""Gather the signals of a study from its points."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.gradients.sweep import Sweep
from torrey.study.files import gather_signals

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    sweep = Sweep.from_json(recipe["sweep"])
    files = list(snakemake.input.references)
    references = dict(zip(sweep.points(), files, strict=True)) if files else {}
    table = gather_signals(
        sweep,
        recipe["models"].split(","),
        references or next(iter(snakemake.input.projected), None),
        next(iter(snakemake.input.models), None),
    )
    artifacts.write(snakemake.output[0], table, provenance)
