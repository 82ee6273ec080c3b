"""Draw one figure from the files it reads."""

from torrey.workflow.jobs import job
from torrey.figures.catalogue import CATALOGUE
from torrey.figures.drawing import FigureFiles, draw, save
from torrey.workflow.stages import DrawFigure

with job(snakemake, DrawFigure) as work:
    files = FigureFiles.of(list(snakemake.input.sources), work.stage.names)
    files = files.with_fits(list(getattr(snakemake.input, "fits", ())))
    drawing = draw(CATALOGUE[work.stage.figure], files)
    output = snakemake.output
    save(drawing, output.pdf, output.png, output.data, work.provenance)
