"""Draw and place the discs of a random packing."""

from torrey.workflow.jobs import job
from torrey.geometry.balls.packing_files import write_packing
from torrey.workflow.stages import PlaceDiscs

with job(snakemake, PlaceDiscs) as work:
    write_packing(work.output, work.stage.shape, work.provenance)
