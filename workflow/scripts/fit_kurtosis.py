"""Fit apparent diffusion coefficients and kurtoses to the signals of a study."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.study.files import fit_kurtoses
from torrey.workflow.stages import FitKurtosis

with job(snakemake, FitKurtosis) as work:
    artifacts.write(work.output, fit_kurtoses(snakemake.input.signals), work.provenance)
