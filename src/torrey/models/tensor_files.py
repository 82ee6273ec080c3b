"""The papers' homogenised tensors as a NetCDF file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from torrey.base import artifacts
from torrey.base.artifacts import Group, Variable
from torrey.base.provenance import Provenance
from torrey.models.tensors import Tensors

_AREA = "; unit: that of the cell squared"


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
    axes = ("axis_i", "axis_j", "axis_k", "axis_l")
    two, membrane = axes[:2], ("compartment", "membrane")
    letters = np.array(list("xyz"[: tensors.D.shape[-1]]))
    variables = {
        "compartment": Variable(("compartment",), np.array(compartments), "", "compartment"),
        "compartment_b": Variable(
            ("compartment_b",), np.array(compartments), "", "second compartment of Z"
        ),
        **{axis: Variable((axis,), letters, "", "space direction") for axis in axes},
        "D": Variable(
            ("compartment", *two),
            tensors.D,
            "um2 ms-1",
            "homogenised diffusivity, a mean over the compartment (KL23 3.17)",
        ),
        "S": Variable(("compartment", *two), tensors.S, "1", f"KL23 3.24{_AREA}"),
        "T": Variable(("compartment", *axes), tensors.T, "um2 ms-1", f"KL23 3.26{_AREA}"),
        "B": Variable(("compartment", *axes), tensors.B, "um2 ms-1", f"Burnett, KL23 3.25{_AREA}"),
        "I": Variable((*membrane, *two), tensors.I, "1", "KL23 3.28; unit: that of the cell"),
        "Z": Variable(
            ("compartment", "compartment_b", "membrane", *two),
            tensors.Z,
            "1",
            "KL23 3.27; unit: that of the cell",
        ),
        "theta": Variable(
            membrane, tensors.theta, "1", "|Gamma|/|Y_a| (KL23 3.9); unit: 1 / that of the cell"
        ),
        "eta": Variable(
            ("compartment",), tensors.measures, "1", "volume fraction |Y_a|/|Y| (KL23 3.8)"
        ),
        "psi_jump": Variable(
            ("membrane", "membrane_of_psi"),
            tensors.psi_jump,
            "ms um-2",
            "<[psi]> on each membrane; unit: that of the cell times ms um-2",
        ),
        "omega_jump": Variable(
            ("membrane", "axis_i"),
            tensors.omega_jump,
            "1",
            "<[omega]> on each membrane; unit: that of the cell",
        ),
    }
    if len(membranes):
        variables["membrane"] = Variable(("membrane",), np.array(membranes), "", "membrane")
    return variables
