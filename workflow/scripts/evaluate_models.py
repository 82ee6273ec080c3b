"""Evaluate homogenised models on slabs of a study."""

from torrey.workflow.jobs import batch
from torrey.cell.files import lazy_levels
from torrey.models.evaluation import evaluate_many
from torrey.models.files import write_model
from torrey.workflow.stages import EvaluateModels

with batch(snakemake, EvaluateModels) as works:
    levels = lazy_levels(snakemake.input.operators, works[0].stage.material)
    wanted = [(work.stage.sweep, [work.stage.model]) for work in works]
    tables = evaluate_many(levels, wanted, works[0].teller)
    for work, table in zip(works, tables, strict=True):
        write_model(work.output, table, work.stage.sweep, work.provenance)
