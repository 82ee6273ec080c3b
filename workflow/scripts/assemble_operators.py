"""Assemble the operators of one geometry on each of its meshes."""

from torrey.cell.assembly import assemble
from torrey.cell.files import write_operators
from torrey.geometry.files import read_membranes, read_meshes
from torrey.jobs import job

with job(snakemake) as provenance:
    membranes = read_membranes(snakemake.input.mesh)
    levels = [assemble(mesh, membranes) for mesh in read_meshes(snakemake.input.mesh)]
    write_operators(snakemake.output[0], levels, provenance)
