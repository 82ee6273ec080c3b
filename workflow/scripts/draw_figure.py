"""Draw one figure from the files it reads."""

from torrey.workflow.jobs import job
from torrey.figures.catalogue import entry_of
from torrey.figures.drawing import FigureFiles, draw, save
from torrey.workflow.stages import DrawFigure

with job(snakemake, DrawFigure) as work:
    files = FigureFiles.of(list(snakemake.input.sources), work.stage.names)
    files = files.with_fits(list(getattr(snakemake.input, "fits", ())))
    stage = work.stage
    entry = entry_of(stage.figure, stage.kind)
    drawing = draw(entry, files, stage.settings if stage.kind else None)
    output = snakemake.output
    save(drawing, output.pdf, output.png, output.data, work.provenance)
