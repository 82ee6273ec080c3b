"""Draw one figure from the files it reads."""

from torrey.workflow.jobs import job
from torrey.figures.catalogue import CATALOGUE
from torrey.figures.drawing import FigureFiles, draw, save

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    names = recipe["names"].split(",")
    files = FigureFiles.of(list(snakemake.input), names)
    drawing = draw(CATALOGUE[recipe["figure"]], files)
    output = snakemake.output
    save(drawing, output.pdf, output.png, output.data, provenance)
