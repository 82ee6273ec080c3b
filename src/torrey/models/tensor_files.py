"""The papers' homogenised tensors as a NetCDF file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable, group_of
from torrey.models.tensors import AXES, Tensors


def write_tensors(
    path: str | Path, tensors: Tensors, mesh: str | Path, provenance: Provenance
) -> None:
    """Write tensors with the names of compartments and membranes taken from the mesh's file."""
    names = artifacts.read(mesh)
    apart: list[str] = []
    if "membrane" in names:
        # Surfaces of obstacles have no tensors.
        apart = list(names["membrane"][names["membrane_inside"] >= 0])
    artifacts.write(path, tensor_variables(tensors, list(names["compartment"]), apart), provenance)


def tensor_variables(
    tensors: Tensors, compartments: Sequence[str], membranes: Sequence[str]
) -> Group:
    """Tensors with the names of compartments, and of membranes between two of them."""
    letters = np.array(list("xyz"[: tensors.D.shape[-1]]))
    variables = {
        "compartment": Variable(("compartment",), np.array(compartments), "", "compartment"),
        "compartment_b": Variable(
            ("compartment_b",), np.array(compartments), "", "second compartment of Z"
        ),
        **{axis: Variable((axis,), letters, "", "space direction") for axis in AXES},
        **group_of(tensors),
        "theta": Variable(
            ("compartment",),
            tensors.measures / tensors.volume,
            "1",
            "volume fraction |Y_a|/|Y| (theta in CHL14, eta in KL23 3.8)",
        ),
    }
    if len(membranes):
        variables["membrane"] = Variable(("membrane",), np.array(membranes), "", "membrane")
    return variables
