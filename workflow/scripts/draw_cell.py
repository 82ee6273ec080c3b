"""Draw one geometry from its meshes."""

from torrey.workflow.jobs import job
from torrey.figures.cell_pictures import picture
from torrey.figures.drawing import save
from torrey.workflow.stages import DrawCell

with job(snakemake, DrawCell) as work:
    drawing = picture(snakemake.input.mesh, work.stage.elements)
    output = snakemake.output
    save(drawing, output.pdf, output.png, output.data, work.provenance)
