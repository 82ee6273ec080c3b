"""Fit parameters to the signals of studies."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.cell.files import lazy_levels
from torrey.inversion.exchange_runs import run_exchange
from torrey.inversion.run import run_karger, run_physical
from torrey.workflow.stages import FitInversion

with job(snakemake, FitInversion) as work:
    stage, files = work.stage, snakemake.input
    if stage.kind == "karger":
        table = run_karger(
            stage.inversion, stage.sweeps, list(files.signals), files.tensors, work.teller
        )
    elif stage.kind == "exchange":
        table = run_exchange(
            stage.inversion,
            stage.sweeps,
            stage.material,
            list(files.signals),
            list(files.operators),
            work.teller,
        )
    else:
        levels = lazy_levels(files.operators, stage.material)
        table = run_physical(
            stage.inversion,
            stage.sweeps[0],
            files.signals[0],
            stage.material,
            levels,
            stage.cell,
            work.teller,
        )
    artifacts.write(work.output, table, work.provenance, attributes={"inversion": stage.inversion})
