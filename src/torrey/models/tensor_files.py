"""The papers' homogenised tensors as a NetCDF file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable, group_of
from torrey.models.tensors import AXES, Tensors


def write_tensors(
    path: str | Path, tensors: Tensors, mesh: str | Path, provenance: Provenance
) -> None:
    """Write tensors with the names of compartments and membranes taken from the mesh's file."""
    names = artifacts.read(mesh)
    letters = np.array(list("xyz"[: tensors.D.shape[-1]]))
    variables = {
        "compartment": Variable(("compartment",), names["compartment"], "", "compartment"),
        "compartment_b": Variable(
            ("compartment_b",), names["compartment"], "", "second compartment of Z"
        ),
        **{axis: Variable((axis,), letters, "", "space direction") for axis in AXES},
        **group_of(tensors),
    }
    if "membrane" in names:
        # Surfaces of obstacles have no tensors.
        apart = names["membrane"][names["membrane_inside"] >= 0]
        if len(apart):
            variables["membrane"] = Variable(("membrane",), apart, "", "membrane")
    artifacts.write(path, variables, provenance)
