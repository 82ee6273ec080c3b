"""Draw the overview of one study from its signals and its cell."""

from torrey.workflow.jobs import job
from torrey.figures.drawing import save
from torrey.figures.overview import overview
from torrey.workflow.stages import DrawOverview

with job(snakemake, DrawOverview) as work:
    given, output = snakemake.input, snakemake.output
    drawing = overview(work.stage.study, given.signals, given.mesh, work.remarks)
    save(drawing, output.pdf, output.png, output.data, work.provenance)
