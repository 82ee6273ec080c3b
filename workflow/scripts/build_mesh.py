"""Mesh one geometry, with its refinements."""

from torrey.workflow.jobs import job
from torrey.geometry.balls.packing_files import read_packing
from torrey.geometry.files import write_meshes
from torrey.geometry.meshing import mesh_cell
from torrey.workflow.stages import BuildMesh

with job(snakemake, BuildMesh) as work:
    shape = work.stage.shape
    if placed := snakemake.input.get("packing"):
        shape = read_packing(placed).balls
    options = work.stage.mesh
    made = mesh_cell(shape, options.kept_only(shape.dimension))
    write_meshes(work.output, shape, made.meshes, work.provenance, made.failures, options)
