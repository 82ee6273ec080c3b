"""A cell whose mesh comes from a file: what somebody else has drawn and meshed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.membranes import Membrane, Plain, numbered
from torrey.geometry.outer_faces import DESCRIPTION, Outer, periodic_axes
from torrey.geometry.own.mesh_files import check_digest, read_mesh
from torrey.geometry.shapes import Part, Shape

if TYPE_CHECKING:
    from torrey.geometry.mesh import CellMesh
    from torrey.geometry.own.own_cells import OwnCell

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OwnMesh(Shape):
    """A mesh of triangles or tetrahedra from a file, of gmsh or any other format of meshio.

    The cell is what the file says: straight or curved elements as they are. A compartment is a
    connected part of a region, and there is a membrane wherever two compartments touch.

    Parameters
    ----------
    file : Path
        With conforming elements of order 1 or 2.
    unit : float, optional
        Length that 1 stands for in the file (um).
    regions : str
        Name of the cell data with the region of each element; empty for physical groups of gmsh
        and what else is usual.
    outside : str
        Region that comes first; empty for ``outside``, or else the first in the file.
    same_compartment : tuple of tuple of str
        Regions without a membrane between them.
    empty : tuple of str
        Regions that hold nothing.
    outer : {"periodic", "walls", "walls x", "walls y", "walls z", "walls xy", ...}
        Whether the cell repeats, so that opposite faces must match, or ends at impermeable walls.
    lattice : tuple of tuple of float
        Periods in lengths of the file; the sides of the box around the mesh if empty.
    sha256 : str
        Of the content of the file; taken from it when the shape is made without it.

    Raises
    ------
    ValueError
        If the file cannot be used: see the modules `mesh_files`, `conforming`, `own_faces` and
        `own_cells` of this room.
    """

    file: Path = declared(
        description="a file that meshio reads, from the folder of the configuration: .msh, .vtu, "
        ".vtk, .mesh, .inp, ...; triangles in the plane or tetrahedra of order 1 or 2"
    )
    unit: float | None = declared(
        unit="length",
        description="what 1 stands for in the file; without it the period of a study says the size",
        default=None,
    )
    regions: str = declared(
        description="name of the cell data with the region of each element; without it physical "
        "groups of gmsh and what else is usual",
        default="",
    )
    outside: str = declared(
        description="name of the region that comes first; without it `outside`, or else the first "
        "in the file",
        default="",
    )
    same_compartment: tuple[tuple[str, ...], ...] = declared(
        description="lists of regions that no membrane divides, such as [[soma, dendrite]]",
        default=(),
    )
    empty: tuple[str, ...] = declared(
        description="a list of regions that hold nothing, such as [vessel]", default=()
    )
    outer: Outer = declared(description=DESCRIPTION, default="periodic")
    lattice: tuple[tuple[float, ...], ...] = declared(
        description="the vectors by which it repeats, in lengths of the file; without it the box "
        "around the mesh",
        default=(),
    )
    sha256: str = declared(
        description="digest of the file in hexadecimal digits: another file is then refused",
        default="",
    )

    kind: ClassVar[str] = "mesh"
    dimensions: ClassVar[tuple[int, ...]] = (2, 3)

    def __post_init__(self) -> None:
        check_kinds(self)
        periodic_axes(self.outer, 3)
        if self.unit is not None and not 0 < self.unit < np.inf:
            raise InputError(f"{self.unit:g} um", "a length above 0", at=("unit",))
        object.__setattr__(self, "file", Path(self.file).absolute())
        with _InFile():
            object.__setattr__(self, "sha256", check_digest(self.file, self.sha256))
        _ = self.cell

    @property
    def cell(self) -> OwnCell:
        """What the file holds; it is read when first asked for.

        Raises
        ------
        InputError
            If it cannot be used, or is another one than it was.
        """
        with _InFile():
            return _read(self)

    @property
    def dimension(self) -> int:
        """Number of space dimensions of the elements."""
        return self.cell.mesh.dimension

    @property
    def periods(self) -> Array:
        """Vectors by which the cell repeats; the sides of the box around it where it has walls."""
        return self.cell.mesh.lattice

    def own_length(self) -> float | None:
        """Return the length of the first period (um), if the file has a unit."""
        return None if self.unit is None else self.unit * self.cell.unit

    def describe(self) -> str:
        """Say what the file holds."""
        noun = "triangles" if self.dimension == 2 else "tetrahedra"
        return f"{self.file.name}, {len(self.cell.mesh.elements):,} {noun}"

    # ---- what it holds ----

    @property
    def compartment_names(self) -> tuple[str, ...]:
        """Regions of the file, numbered where they fall into pieces."""
        return self.cell.compartment_names

    @property
    def region_names(self) -> tuple[str, ...]:
        """The compartments; or regions of the file that lie in the same one."""
        return self.cell.region_names

    @property
    def region_compartment(self) -> tuple[int, ...]:
        """Compartment of each region."""
        return self.cell.region_compartment

    @property
    def region_groups(self) -> tuple[str, ...]:
        """Regions of the file, which hold for all their pieces."""
        return self.cell.region_groups

    @property
    def region_parts(self) -> tuple[Part, ...]:
        """``outside`` of the first region and all its pieces, ``inside`` of the others."""
        return tuple("outside" if first else "inside" for first in self.cell.region_outside)

    def membranes(self) -> tuple[Membrane, ...]:
        """Return one membrane for each two compartments that touch.

        Without any, one surface for each compartment that ends at something empty or at a wall.
        """
        return self.cell.membranes

    def measures(self) -> tuple[float, ...]:
        """Return the area or volume of each compartment: that of its elements."""
        owners = np.array(self.region_compartment)
        return tuple(np.bincount(owners, weights=self.cell.region_measures).tolist())

    def region_measures(self) -> tuple[float, ...]:
        """Return the area or volume of each region."""
        return tuple(self.cell.region_measures.tolist())

    def interface_measures(self) -> tuple[float, ...]:
        """Return the length or area of each membrane or surface: that of its facets."""
        return tuple(self.cell.membrane_measures.tolist())

    def membrane_radii(self) -> Array:
        """Return the radius of the most curved edge of each membrane; infinite if all are flat."""
        return self.cell.membrane_radii

    # ---- how it is meshed ----

    def own_mesh(self, size: float) -> CellMesh:
        """Return the mesh of the file; its elements have the size that they have."""
        return self.cell.mesh

    def own_elements(self, size: float) -> float:
        """Return the number of elements in the file."""
        return len(self.cell.mesh.elements)

    # ---- how it is written ----

    def to_dict(self) -> Plain:
        """Return plain values: the path and digest of the file, and what is not the usual."""
        plain: Plain = {"kind": self.kind, "file": str(self.file), "sha256": self.sha256}
        for field in dataclasses.fields(self)[1:-1]:
            value = getattr(self, field.name)
            if value != field.default:
                plain |= dict(_flat(field.name, value))
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described; the file is read when its content is asked for."""
        given: dict[str, Any] = {k: plain[k] for k in ("regions", "outside", "outer") if k in plain}
        return cls(
            file=Path(str(plain["file"])),
            unit=float(plain["unit"]) if "unit" in plain else None,
            same_compartment=tuple(_rows(plain, "same_compartment", str)),
            empty=tuple(str(x) for _, x in numbered(plain, "empty_{}", first=0)),
            lattice=tuple(_rows(plain, "lattice", float)),
            sha256=str(plain["sha256"]),
            **given,
        )


def _flat(name: str, value: Any) -> Sequence[tuple[str, str | float]]:
    """Entries of nested tuples, numbered from 0."""
    if not isinstance(value, tuple):
        return [(name, value)]
    return [pair for i, item in enumerate(value) for pair in _flat(f"{name}_{i}", item)]


def _rows(plain: Mapping[str, str | int | float], name: str, of: type) -> Sequence[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    while row := tuple(of(x) for _, x in numbered(plain, f"{name}_{len(rows)}_{{}}", first=0)):
        rows.append(row)
    return rows


class _InFile:
    """What is refused without a place inside the shape is refused at its file."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, InputError) and not error.at:
            raise InputError(error.found, error.accepted, at=("file",)) from None


@lru_cache(maxsize=4)
def _read(shape: OwnMesh) -> OwnCell:
    """The cell of a file; kept, since copies of a shape ask again."""
    from torrey.geometry.own.conforming import conforming
    from torrey.geometry.own.own_cells import Regions, own_cell
    from torrey.geometry.own.own_faces import fit_faces

    found, name = read_mesh(shape.file, shape.regions), shape.file.name
    d = found.dimension
    regions = Regions(found.names, shape.outside, shape.same_compartment, shape.empty)
    regions.check()
    lattice = _lattice(shape, d)
    periodic = periodic_axes(shape.outer, d)
    mesh = conforming(found, name)
    faces = fit_faces(mesh, lattice, periodic, name)
    return own_cell(mesh, faces, regions, periodic, name)


def _lattice(shape: OwnMesh, dimension: int) -> Array | None:
    """Periods in lengths of the file, as rows."""
    rows = shape.lattice
    if not rows:
        return None
    if shape.outer == "walls":
        raise InputError("a lattice with walls", "one of them", at=("lattice",))
    if len(rows) != dimension or any(len(row) != dimension for row in rows):
        accepted = f"{dimension} vectors of {dimension} numbers each"
        raise InputError(f"{[list(row) for row in rows]}", accepted, at=("lattice",))
    vectors = np.array(rows, dtype=float)
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.all(np.isfinite(vectors)) or not np.linalg.det(vectors) > 1e-3 * np.prod(lengths):
        accepted = "independent vectors in the order of a right-handed system"
        raise InputError(f"{[list(row) for row in rows]}", accepted, at=("lattice",))
    return vectors
