"""Gather the signals of a dictionary from its blocks."""

from torrey.workflow.jobs import job
from torrey.study.dictionary import read_blocks, write_dictionary
from torrey.workflow.stages import GatherDictionary

with job(snakemake, GatherDictionary) as work:
    stage = work.stage
    blocks = read_blocks(list(snakemake.input.blocks))
    write_dictionary(work.output, stage.places, stage.sweep, stage.models, blocks, work.provenance)
