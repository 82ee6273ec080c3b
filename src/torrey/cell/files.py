"""Operators of a cell as a NetCDF file, one group per mesh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torrey.base import artifacts
from torrey.base.lazy import Lazy
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, CellOperators, bloch_torrey


def write_operators(
    path: str | Path, levels: Sequence[CellOperators], provenance: Provenance
) -> None:
    """Write the operators on each mesh, coarsest first."""
    groups = {f"level{i}": _variables(cell) for i, cell in enumerate(levels)}
    artifacts.write(path, {}, provenance, groups=groups, compress=False)


def read_operators(path: str | Path, level: int) -> CellOperators:
    """Operators on one mesh."""
    return CellOperators(**artifacts.read(path, f"level{level}"))


def lazy_levels(path: str | Path, material: Material) -> Lazy[BlochTorrey]:
    """Bloch-Torrey operators by mesh; each is read when first asked for."""

    def operators(level: int) -> BlochTorrey:
        return bloch_torrey(read_operators(path, level), material)

    return Lazy.of(operators, len(artifacts.groups(path)))


def _variables(cell: CellOperators) -> Group:
    return {
        "compartment": Variable(
            ("dof",), cell.compartment, "1", "compartment of the degree of freedom"
        ),
        "region_compartment": Variable(
            ("region",), cell.region_compartment, "1", "compartment of the region"
        ),
        "membranes": Variable(
            ("membrane", "side"),
            cell.membranes,
            "1",
            "compartments outside and inside, -1 for none",
        ),
        "indptr": Variable(("column_end",), cell.indptr, "1", "column pointers of the pattern"),
        "indices": Variable(("entry",), cell.indices, "1", "rows of the entries of the pattern"),
        "region": Variable(
            ("entry",), cell.region, "1", "region of the entry, the first if several"
        ),
        "mass": Variable(("entry",), cell.mass, "1", "int u v"),
        "advection": Variable(("axis", "entry"), cell.advection, "1", "int d_j u v"),
        "stiffness": Variable(
            ("axis", "axis_of_u", "entry"), cell.stiffness, "1", "int d_l u d_j v at [j, l]"
        ),
        "shared_position": Variable(
            ("shared",), cell.shared_position, "1", "position of an entry with a share elsewhere"
        ),
        "shared_region": Variable(("shared",), cell.shared_region, "1", "region of that share"),
        "shared_mass": Variable(("shared",), cell.shared_mass, "1", "share of int u v"),
        "shared_advection": Variable(
            ("axis", "shared"), cell.shared_advection, "1", "share of int d_j u v"
        ),
        "shared_stiffness": Variable(
            ("axis", "axis_of_u", "shared"),
            cell.shared_stiffness,
            "1",
            "share of int d_l u d_j v at [j, l]",
        ),
        "jump_position": Variable(
            ("jump",), cell.jump_position, "1", "position of a jump entry in the pattern"
        ),
        "jump_membrane": Variable(("jump",), cell.jump_membrane, "1", "membrane of a jump entry"),
        "jump_value": Variable(("jump",), cell.jump_value, "1", "int_{Gamma_i} [u][v]"),
        "places": Variable(
            ("dof", "axis"), cell.places, "1", "place of the degree of freedom in units of the cell"
        ),
        "lattice": Variable(("period", "axis"), cell.lattice, "1", "periods of the cell, by rows"),
    }
