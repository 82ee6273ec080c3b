"""The papers' tensors of a cell as labelled tables."""

from __future__ import annotations

import xarray

from torrey.base.errors import InputError
from torrey.door.labels import dataset
from torrey.door.site import Site
from torrey.models.tensor_files import tensor_variables
from torrey.models.tensors import papers_tensors


def tensors(site: Site) -> xarray.Dataset:
    """Tensors on the finest mesh, for `Cell.tensors`."""
    medium = site.medium
    shape = medium.discretisation.shape
    for m in shape.membranes():
        if m.outside == m.inside:
            found = f"{m.name}, with the same compartment on both sides"
            raise InputError(found, "membranes between two compartments", ("Cell.tensors()",))
    membranes = [m.name for m in shape.membranes() if not m.is_surface]
    found_tensors = papers_tensors(medium.levels[-1])
    return dataset(tensor_variables(found_tensors, shape.compartment_names, membranes))
