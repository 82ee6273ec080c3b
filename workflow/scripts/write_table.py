"""Make one table from the files it reads."""

from torrey.workflow.jobs import job
from torrey.tables.catalogue import CATALOGUE
from torrey.tables.writing import TableFiles, make, save

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    names = recipe["names"].split(",")
    files = TableFiles.of(list(snakemake.input), names)
    table = make(CATALOGUE[recipe["table"]], files)
    output = snakemake.output
    save(table, output.csv, output.markdown, output.data, provenance)
