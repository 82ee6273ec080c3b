"""Solve the Bloch-Torrey equation for one point of a sweep."""

from torrey.workflow.jobs import job
from torrey.cell.files import lazy_levels
from torrey.material import Material
from torrey.propagation import reference_signal
from torrey.protocol import Point
from torrey.reference_files import write_reference

with job(snakemake) as provenance:
    recipe = snakemake.params.recipe
    point = Point.from_dict(recipe)
    levels = lazy_levels(snakemake.input.operators, Material.from_dict(recipe))
    reference = reference_signal(levels, point, recipe["tolerance"])
    write_reference(snakemake.output[0], reference, point, provenance)
