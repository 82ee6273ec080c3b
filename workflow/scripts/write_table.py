"""Make one table from the files it reads."""

from torrey.jobs import job
from torrey.tables.catalogue import CATALOGUE
from torrey.tables.writing import TableFiles, make, save

with job(snakemake) as provenance:
    names = snakemake.params.recipe["names"].split(",")
    files = TableFiles.of(list(snakemake.input), names)
    table = make(CATALOGUE[snakemake.wildcards.table], files)
    output = snakemake.output
    save(table, output.csv, output.markdown, output.data, provenance)
