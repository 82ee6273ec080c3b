"""Meshes of a cell as a NetCDF file: the coarsest in the root group (UGRID), refinements below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable
from torrey.geometry.balls import Discs
from torrey.geometry.mesh import CellMesh
from torrey.geometry.shapes import Shape

_TOPOLOGY = {
    1: "edge_node_connectivity",
    2: "face_node_connectivity",
    3: "volume_node_connectivity",
}


def write_meshes(
    path: str | Path,
    shape: Shape,
    meshes: Sequence[CellMesh],
    provenance: Provenance,
    failures: Sequence[str] = (),
) -> None:
    """Write the meshes of a cell, coarsest first, and what failed before they were found."""
    levels = {f"level{i}": _variables(mesh) for i, mesh in enumerate(meshes[1:], start=1)}
    root = {**_variables(meshes[0]), **_names(shape)}
    comment = {"comment": "\n".join(("attempts that failed:", *failures))} if failures else {}
    artifacts.write(path, root, provenance, groups=levels, attributes=comment)


def read_meshes(path: str | Path) -> tuple[CellMesh, ...]:
    """Meshes of a cell, coarsest first."""
    return tuple(_mesh(path, group) for group in (None, *artifacts.groups(path)))


def read_membranes(path: str | Path) -> np.ndarray:
    """Compartments outside and inside of each membrane, shape (n_membranes, 2)."""
    data = artifacts.read(path)
    return np.column_stack([data["membrane_outside"], data["membrane_inside"]])


def read_measures(path: str | Path) -> np.ndarray:
    """Exact measure of each compartment, shape (n_compartments,)."""
    return np.asarray(artifacts.read(path)["compartment_measure"])


def _variables(mesh: CellMesh) -> Group:
    axes = "xyz"[: mesh.dimension]
    coordinates = {
        f"node_{axis}": Variable(
            ("node",), mesh.points[:, i], "1", f"{axis} of the node in units of the cell"
        )
        for i, axis in enumerate(axes)
    }
    topology = Variable(
        (),
        np.int32(0),
        "1",
        "topology of the unit cell; nodes are doubled on membranes",
        {
            "cf_role": "mesh_topology",
            "topology_dimension": mesh.dimension,
            "node_coordinates": " ".join(coordinates),
            _TOPOLOGY[mesh.dimension]: "element_vertices",
        },
    )
    corners = mesh.n_vertices_per_element
    return {
        "mesh": topology,
        **coordinates,
        "element_vertices": Variable(
            ("element", "vertex"),
            mesh.elements[:, :corners].astype(np.int32),
            "1",
            "vertices of each element",
            {"start_index": 0, "cf_role": _TOPOLOGY[mesh.dimension]},
        ),
        "element_middles": Variable(
            ("element", "edge"),
            mesh.elements[:, corners:].astype(np.int32),
            "1",
            "nodes in the middle of the edges of each element (edges 01, 12, 20 of a triangle)",
            {"start_index": 0},
        ),
        "element_compartment": Variable(
            ("element",), mesh.compartment.astype(np.int32), "1", "compartment of each element"
        ),
        "element_region": Variable(
            ("element",),
            mesh.region.astype(np.int32),
            "1",
            "region of each element: part of a compartment with a material of its own",
        ),
        "facet_outside": Variable(
            ("facet", "facet_node"),
            mesh.membrane_outside.astype(np.int32),
            "1",
            "nodes of each membrane facet on its outside",
            {"start_index": 0},
        ),
        "facet_inside": Variable(
            ("facet", "facet_node"),
            mesh.membrane_inside.astype(np.int32),
            "1",
            "nodes of each membrane facet on its inside, at the same places; -1 for none",
            {"start_index": 0},
        ),
        "facet_membrane": Variable(
            ("facet",), mesh.membrane.astype(np.int32), "1", "membrane of each facet"
        ),
        "node_periodic": Variable(
            ("node",),
            mesh.periodic.astype(np.int32),
            "1",
            "node that stands for this one and its periodic images",
            {"start_index": 0},
        ),
        "lattice": Variable(
            ("period", "axis"), mesh.lattice, "1", "vectors by which the cell repeats, by rows"
        ),
    }


def _names(shape: Shape) -> Group:
    membranes = shape.membranes()
    group = {
        "compartment": Variable(
            ("compartment",), np.array(shape.compartment_names), "", "name of the compartment"
        ),
        "compartment_measure": Variable(
            ("compartment",),
            np.array(shape.measures(), dtype=float),
            "1",
            f"exact {('length', 'area', 'volume')[shape.dimension - 1]} of the compartment "
            "in units of the cell",
        ),
        "region": Variable(("region",), np.array(shape.region_names), "", "name of the region"),
        "region_compartment": Variable(
            ("region",),
            np.array(shape.region_compartment, dtype=np.int32),
            "1",
            "compartment of the region",
        ),
        "membrane_outside": Variable(
            ("membrane",),
            np.array([m.outside for m in membranes], dtype=np.int32),
            "1",
            "compartment outside the membrane",
        ),
        "membrane_inside": Variable(
            ("membrane",),
            np.array([m.inside for m in membranes], dtype=np.int32),
            "1",
            "compartment inside the membrane; -1 where it is the surface of an obstacle",
        ),
        "membrane_measure": Variable(
            ("membrane",),
            np.array(shape.interface_measures(), dtype=float),
            "1",
            f"exact {('number', 'length', 'area')[shape.dimension - 1]} of the membrane "
            "in units of the cell",
        ),
    }
    if isinstance(shape, Discs) and shape.layer:
        group["layer"] = Variable(
            (), np.float64(shape.layer), "1", "thickness of the layers in units of the cell"
        )
    if membranes:
        group["membrane"] = Variable(
            ("membrane",), np.array([m.name for m in membranes]), "", "name of the membrane"
        )
    return group


def _mesh(path: str | Path, group: str | None) -> CellMesh:
    data = artifacts.read(path, group)
    points = np.column_stack([data[f"node_{axis}"] for axis in "xyz" if f"node_{axis}" in data])
    integer = {name: data[name].astype(np.int64) for name in data if data[name].dtype.kind in "iu"}
    return CellMesh(
        points=points,
        elements=np.column_stack([integer["element_vertices"], integer["element_middles"]]),
        compartment=integer["element_compartment"],
        region=integer["element_region"],
        membrane_outside=integer["facet_outside"],
        membrane_inside=integer["facet_inside"],
        membrane=integer["facet_membrane"],
        periodic=integer["node_periodic"],
        lattice=data["lattice"],
    )
