"""Meshes of a cell as a NetCDF file: the coarsest in the root group (UGRID), refinements below."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable, group_of, object_of, stored
from torrey.geometry.membranes import Plain
from torrey.geometry.mesh import CellMesh
from torrey.geometry.shapes import MeshOptions, Shape

_TOPOLOGY = {
    1: "edge_node_connectivity",
    2: "face_node_connectivity",
    3: "volume_node_connectivity",
}

_SHAPE, _OPTIONS = "shape", "mesh_options"


@dataclass(frozen=True)
class _Elements:
    """Nodes of each element as a file holds them: vertices apart from the others.

    ``{role}`` is the name of the connectivity in the UGRID conventions.
    """

    vertices: NDArray[np.int64] = field(
        metadata=stored(
            ("element", "vertex"),
            "1",
            "vertices of each element",
            name="element_vertices",
            dtype=np.int32,
            start_index=0,
            cf_role="{role}",
        )
    )
    middles: NDArray[np.int64] = field(
        metadata=stored(
            ("element", "edge"),
            "1",
            "nodes in the middle of the edges of each element (edges 01, 12, 20 of a triangle)",
            name="element_middles",
            dtype=np.int32,
            start_index=0,
        )
    )

    @classmethod
    def of(cls, mesh: CellMesh) -> _Elements:
        corners = mesh.n_vertices_per_element
        return cls(mesh.elements[:, :corners], mesh.elements[:, corners:])


@dataclass(frozen=True)
class _Names:
    """Names and measures of a shape; ``membrane`` is None without membranes.

    ``{content}`` and ``{boundary}`` are what one measures in its dimension.
    """

    compartment: tuple[str, ...] = field(
        metadata=stored(("compartment",), "", "name of the compartment")
    )
    compartment_measure: tuple[float, ...] = field(
        metadata=stored(
            ("compartment",),
            "1",
            "exact {content} of the compartment in units of the cell",
            dtype=float,
        )
    )
    region: tuple[str, ...] = field(metadata=stored(("region",), "", "name of the region"))
    region_compartment: tuple[int, ...] = field(
        metadata=stored(("region",), "1", "compartment of the region", dtype=np.int32)
    )
    membrane_outside: tuple[int, ...] = field(
        metadata=stored(("membrane",), "1", "compartment outside the membrane", dtype=np.int32)
    )
    membrane_inside: tuple[int, ...] = field(
        metadata=stored(
            ("membrane",),
            "1",
            "compartment inside the membrane; -1 where it is the surface of an obstacle",
            dtype=np.int32,
        )
    )
    membrane_measure: tuple[float, ...] = field(
        metadata=stored(
            ("membrane",),
            "1",
            "exact {boundary} of the membrane in units of the cell",
            dtype=float,
        )
    )
    membrane: tuple[str, ...] | None = field(
        metadata=stored(("membrane",), "", "name of the membrane")
    )

    @classmethod
    def of(cls, shape: Shape) -> _Names:
        membranes = shape.membranes()
        return cls(
            compartment=tuple(shape.compartment_names),
            compartment_measure=tuple(shape.measures()),
            region=tuple(shape.region_names),
            region_compartment=tuple(shape.region_compartment),
            membrane_outside=tuple(m.outside for m in membranes),
            membrane_inside=tuple(m.inside for m in membranes),
            membrane_measure=tuple(shape.interface_measures()),
            membrane=tuple(m.name for m in membranes) or None,
        )


def write_meshes(
    path: str | Path,
    shape: Shape,
    meshes: Sequence[CellMesh],
    provenance: Provenance,
    failures: Sequence[str] = (),
    options: MeshOptions | None = None,
) -> None:
    """Write the meshes of a cell, coarsest first, and what failed before they were found.

    With the shape and the options, finer ones can be made from the file: see
    `torrey.geometry.levels`.
    """
    levels = {f"level{i}": _variables(mesh) for i, mesh in enumerate(meshes[1:], start=1)}
    root = {**_variables(meshes[0]), **_names(shape)}
    given = options or MeshOptions(refinements=len(meshes) - 1)
    attributes = {
        _SHAPE: json.dumps(shape.to_dict()),
        _OPTIONS: json.dumps(given.resolved(shape.dimension).to_dict()),
    }
    if failures:
        attributes["comment"] = "\n".join(("attempts that failed:", *failures))
    artifacts.write(path, root, provenance, groups=levels, attributes=attributes)


def read_options(path: str | Path) -> tuple[Plain, MeshOptions]:
    """Plain values of the shape of some meshes, and how fine they may become."""
    attributes = artifacts.attributes(path)
    options = MeshOptions.from_dict(json.loads(attributes[_OPTIONS]))
    return json.loads(attributes[_SHAPE]), options


def read_mesh(path: str | Path, level: int = 0) -> CellMesh:
    """One mesh of a file, the coarsest unless said otherwise."""
    return _mesh(path, f"level{level}" if level else None)


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
    axes, role = "xyz"[: mesh.dimension], _TOPOLOGY[mesh.dimension]
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
            role: "element_vertices",
        },
    )
    elements = group_of(_Elements.of(mesh), role=role)
    return {"mesh": topology, **coordinates, **elements, **group_of(mesh)}


def _names(shape: Shape) -> Group:
    d = shape.dimension
    content, boundary = ("length", "area", "volume")[d - 1], ("number", "length", "area")[d - 1]
    lengths = {
        name: Variable((), np.float64(length), "1", description)
        for name, (length, description) in shape.lengths().items()
    }
    return {**group_of(_Names.of(shape), content=content, boundary=boundary), **lengths}


def _mesh(path: str | Path, group: str | None) -> CellMesh:
    data = artifacts.read(path, group)
    points = np.column_stack([data[f"node_{axis}"] for axis in "xyz" if f"node_{axis}" in data])
    nodes = object_of(_Elements, data)
    elements = np.column_stack([nodes.vertices, nodes.middles])
    return object_of(CellMesh, data, points=points, elements=elements)
