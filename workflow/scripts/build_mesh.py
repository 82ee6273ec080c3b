"""Mesh one geometry, with its refinements."""

from torrey.workflow.jobs import job
from torrey.geometry import MeshOptions, shape_from_dict
from torrey.geometry.files import write_meshes
from torrey.geometry.meshing import mesh_cell

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    shape = shape_from_dict(recipe)
    made = mesh_cell(shape, MeshOptions(recipe["size"], recipe["refinements"]))
    write_meshes(snakemake.output[0], shape, made.meshes, provenance, made.failures)
