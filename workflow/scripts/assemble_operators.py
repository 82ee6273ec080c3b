"""Assemble the operators of one geometry on each of its meshes."""

from torrey.workflow.jobs import job
from torrey.cell.assembly import assemble_levels
from torrey.cell.files import write_operators
from torrey.geometry.files import read_measures, read_membranes
from torrey.geometry.levels import lazy_meshes, shape_and_options
from torrey.workflow.stages import AssembleOperators

with job(snakemake, AssembleOperators) as work:
    mesh = snakemake.input.mesh
    levels = assemble_levels(
        lazy_meshes(mesh),
        read_membranes(mesh),
        read_measures(mesh),
        centres=shape_and_options(mesh)[0]().radial_centres(),
    )
    write_operators(work.output, levels, work.provenance)
