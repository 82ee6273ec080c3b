"""Mesh one geometry, with its refinements."""

from torrey.workflow.jobs import job
from torrey.geometry import MeshOptions, shape_from_dict
from torrey.geometry.files import write_meshes
from torrey.geometry.meshing import build_meshes

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    shape = shape_from_dict(recipe)
    meshes = build_meshes(shape, MeshOptions(recipe["size"], recipe["refinements"]))
    write_meshes(snakemake.output[0], shape, meshes, provenance)
