"""Write the maps of a fit of volumes."""

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.inversion.table_report import write_maps
from torrey.workflow.stages import WriteMaps

with job(snakemake, WriteMaps) as work:
    maps = [path for path in snakemake.output if path != work.output]
    group = write_maps(snakemake.input.fit, maps)
    artifacts.write(work.output, group, work.provenance, attributes=artifacts.beside(*maps))
