"""Solve the Bloch-Torrey equation for one point of a sweep."""

from torrey.workflow.jobs import job
from torrey.cell.files import lazy_levels
from torrey.cell.material import Material
from torrey.gradients.protocol import Point
from torrey.reference.files import write_reference
from torrey.reference.full import reference_signal

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    point = Point.from_dict(recipe)
    levels = lazy_levels(snakemake.input.operators, Material.from_dict(recipe))
    reference = reference_signal(levels, point, recipe["tolerance"])
    write_reference(snakemake.output[0], reference, point, provenance)
