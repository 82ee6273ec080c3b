"""Draw one figure from the files it reads, and the film beside it."""

from torrey.workflow.jobs import job
from torrey.figures.catalogue import entry_of
from torrey.figures.drawing import FigureFiles, draw, save
from torrey.workflow.stages import DrawFilm

with job(snakemake, DrawFilm) as work:
    stage, output = work.stage, snakemake.output
    files = FigureFiles.of(list(snakemake.input.sources), stage.names)
    drawing = draw(entry_of(stage.figure, stage.kind), files, stage.settings)
    save(drawing, output.pdf, output.png, output.data, work.provenance, output.gif)
