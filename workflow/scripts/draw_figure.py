"""Draw one figure from the files it reads."""

from torrey.figures.catalogue import CATALOGUE
from torrey.figures.drawing import FigureFiles, draw, save
from torrey.jobs import job

with job(snakemake) as provenance:
    names = snakemake.params.recipe["names"].split(",")
    files = FigureFiles.of(list(snakemake.input), names)
    drawing = draw(CATALOGUE[snakemake.wildcards.figure], files)
    output = snakemake.output
    save(drawing, output.pdf, output.png, output.data, provenance)
