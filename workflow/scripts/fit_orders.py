"""Fit orders of convergence in the period."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.study.files import fit_orders

with job(snakemake) as provenance:
    table = fit_orders(snakemake.input.signals, snakemake.params.recipe["models"].split(","))
    artifacts.write(snakemake.output[0], table, provenance)
