"""Fit orders of convergence in the period."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.study.files import fit_orders
from torrey.workflow.stages import FitOrders

with job(snakemake, FitOrders) as work:
    table = fit_orders(snakemake.input.signals, work.stage.models)
    artifacts.write(work.output, table, work.provenance)
