"""Mesh the discs of a packing, or of the square in its middle."""

from torrey.workflow.jobs import job
from torrey.geometry.balls.packing_files import read_packing
from torrey.voxel.files import write_mesh
from torrey.voxel.meshes import mesh_square
from torrey.workflow.stages import MeshVoxel

with job(snakemake, MeshVoxel) as work:
    packing = read_packing(snakemake.input.packing)
    mesh = mesh_square(packing, work.stage.side, work.stage.segments, work.teller)
    write_mesh(work.output, mesh, work.provenance)
