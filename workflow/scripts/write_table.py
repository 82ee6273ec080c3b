"""Make one table from the files it reads."""

from torrey.workflow.jobs import job
from torrey.tables.catalogue import CATALOGUE
from torrey.tables.writing import TableFiles, make, save
from torrey.workflow.stages import WriteTable

with job(snakemake, WriteTable) as work:
    files = TableFiles.of(list(snakemake.input), work.stage.names)
    table = make(CATALOGUE[work.stage.table], files)
    output = snakemake.output
    save(table, output.csv, output.markdown, output.data, work.provenance)
