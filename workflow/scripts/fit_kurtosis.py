"""Fit apparent diffusion coefficients and kurtoses to the signals of a study."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.study.files import fit_kurtoses

with job(snakemake) as provenance:
    artifacts.write(snakemake.output[0], fit_kurtoses(snakemake.input.signals), provenance)
