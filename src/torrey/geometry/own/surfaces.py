"""Cells inside closed triangulated surfaces, as microscopes and modellers make them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import ELEMENTS_PER_VOLUME
from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.membranes import NOTHING, Membrane, Plain, numbered
from torrey.geometry.outer_faces import DESCRIPTION, Outer, periodic_axes
from torrey.geometry.own.mesh_files import check_digest
from torrey.geometry.shapes import Part, Shape

if TYPE_CHECKING:
    from torrey.geometry.mesh import CellMesh
    from torrey.geometry.own.surface_scenes import Scene

Array = NDArray[np.float64]

Exterior = Literal["water", "nothing"]

#: Tetrahedra next to each triangle of the surfaces and around those, about.
_TETRAHEDRA_PER_TRIANGLE: Final = 6.0


@dataclass(frozen=True)
class Surfaces(Shape):
    """Closed triangulated surfaces from files (PLY, STL, OBJ) in a box, water inside each.

    Their triangles are kept as they are: how far a coarse surface is from the smooth one that was
    meant is the file's own error. A surface inside another is a compartment in a compartment.

    Parameters
    ----------
    files : tuple of Path
        With one closed surface, or several.
    box : tuple of float
        Sides of the cell along x, y and z, in lengths of the files; without water outside, by
        default what fits the surfaces.
    center : tuple of float
        Middle of the box in the places of the files; by default that of all surfaces.
    unit : float, optional
        Length that 1 stands for in the files (um).
    exterior : {"water", "nothing"}
        Outside the surfaces.
    outer : {"periodic", "walls", "walls x", "walls y", "walls z", "walls xy", ...}
        Whether the water outside goes on beyond the box.
    sha256 : tuple of str
        Of the content of each file; taken from them when the shape is made without it.

    Raises
    ------
    ValueError
        If a file cannot be used, a surface is not closed, two cross, or one leaves the box.
    """

    files: tuple[Path, ...] = declared(
        description="a list of files that meshio reads, from the folder of the configuration: "
        ".ply, .stl, .obj, ...",
        min_length=1,
    )
    box: tuple[float, ...] = declared(
        description="sides of the cell along x, y and z in lengths of the files, such as "
        "[20, 20, 20]; may be left out where there is nothing outside",
        default=(),
    )
    center: tuple[float, ...] = declared(
        description="middle of the box in the places of the files; without it that of all surfaces",
        default=(),
    )
    unit: float | None = declared(
        unit="length",
        description="what 1 stands for in the files; without it the period of a study says the "
        "size",
        default=None,
    )
    exterior: Exterior = declared(
        description="water or nothing: what is outside the surfaces", default="water"
    )
    outer: Outer = declared(description=DESCRIPTION, default="periodic")
    sha256: tuple[str, ...] = declared(
        description="digests of the files in hexadecimal digits: others are then refused",
        default=(),
    )

    kind: ClassVar[str] = "surfaces"
    dimension: ClassVar[int] = 3
    dimensions: ClassVar[tuple[int, ...]] = (3,)

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.exterior not in ("water", "nothing"):
            raise InputError(f'"{self.exterior}"', "water or nothing", at=("exterior",))
        periodic_axes(self.outer, 3)
        if not self.files:
            raise InputError("no file", "one file at least", at=("files",))
        if self.unit is not None and not 0 < self.unit < math.inf:
            raise InputError(f"{self.unit:g} um", "a length above 0", at=("unit",))
        for key in ("box", "center"):
            values = getattr(self, key)
            if values and (len(values) != 3 or not np.all(np.isfinite(values))):
                raise InputError(f"{list(values)}", "three numbers", at=(key,))
        if any(not side > 0 for side in self.box):
            raise InputError(f"{list(self.box)}", "three lengths above 0", at=("box",))
        if self.sha256 and len(self.sha256) != len(self.files):
            found = f"{len(self.sha256)} digests of {len(self.files)} files"
            raise InputError(found, "one for each", at=("sha256",))
        object.__setattr__(self, "files", tuple(Path(file).absolute() for file in self.files))
        digests = []
        for i, file in enumerate(self.files):
            try:
                digests.append(check_digest(file, self.sha256[i] if self.sha256 else ""))
            except InputError as error:
                raise InputError(error.found, error.accepted, at=("files", i)) from None
        object.__setattr__(self, "sha256", tuple(digests))
        _ = self.scene

    @property
    def scene(self) -> Scene:
        """What the files hold; they are read when first asked for."""
        return _read(self)

    @property
    def periods(self) -> Array:
        """Sides of the box in units of the cell, of which the first is 1."""
        sides = self.scene.sides / self.scene.unit
        whole = np.abs(sides - sides.round()) < 1e-12
        return np.diag(np.where(whole, sides.round(), sides))

    def own_length(self) -> float | None:
        """Return the side of the box along x (um), if the files have a unit."""
        return None if self.unit is None else self.unit * self.scene.unit

    def describe(self) -> str:
        """Say how many surfaces there are."""
        count = sum(len(surface.triangles) for surface in self.scene.surfaces)
        n = len(self.scene.surfaces)
        return f"{n} closed surface{'s' if n > 1 else ''} of {count:,} triangles"

    # ---- what it holds ----

    @property
    def is_wet(self) -> bool:
        """Whether there is water outside the surfaces."""
        return self.exterior == "water"

    @property
    def compartment_names(self) -> tuple[str, ...]:
        """``outside`` where there is water, and the surfaces by the names of their files."""
        names = tuple(surface.name for surface in self.scene.surfaces)
        return ("outside", *names) if self.is_wet else names

    @property
    def region_parts(self) -> tuple[Part, ...]:
        """``outside`` of the water outside, or of the first surface where there is none."""
        return super().region_parts

    def _numbers(self) -> Sequence[tuple[int, int]]:
        """Compartments on both sides of each surface; `NOTHING` outside where there is none."""
        first = 1 if self.is_wet else 0
        around = 0 if self.is_wet else NOTHING
        parents = self.scene.parent
        return [(around if p == NOTHING else p + first, i + first) for i, p in enumerate(parents)]

    def membranes(self) -> tuple[Membrane, ...]:
        """Return one membrane for each surface between two compartments.

        Without any, the surfaces themselves, at which magnetisation may relax.
        """
        return tuple(membrane for membrane, _ in self._membranes())

    def _membranes(self) -> Sequence[tuple[Membrane, int]]:
        """Membranes in the order of their compartments, and the surface of each."""
        names = self.compartment_names
        sides = sorted((pair, i) for i, pair in enumerate(self._numbers()))
        between = [((a, b), i) for (a, b), i in sides if a != NOTHING]
        if between:
            return [(Membrane(f"membrane_{names[a]}_{names[b]}", a, b), i) for (a, b), i in between]
        return [(Membrane(f"surface_{names[b]}", b, NOTHING), i) for (_, b), i in sides]

    def measures(self) -> tuple[float, ...]:
        """Return the volume of each compartment, exact for the triangles."""
        scene = self.scene
        inside = [scene.inside(i) for i in range(len(scene.surfaces))]
        outside = [float(np.prod(scene.sides)) - scene.within(NOTHING)] if self.is_wet else []
        return tuple(volume / scene.unit**3 for volume in (*outside, *inside))

    def interface_measures(self) -> tuple[float, ...]:
        """Return the area of each membrane or surface, exact for the triangles."""
        scene = self.scene
        return tuple(scene.surfaces[i].area / scene.unit**2 for _, i in self._membranes())

    # ---- how it is meshed ----

    def own_mesh(self, size: float) -> CellMesh:
        """Return tetrahedra between the triangles and in the box.

        Raises
        ------
        MeshError
            If gmsh finds none.
        """
        from torrey.geometry.own.surface_meshing import mesh_surfaces

        periodic = periodic_axes(self.outer if self.is_wet else "walls", 3)
        return mesh_surfaces(self, self.scene, size, wet=self.is_wet, periodic=periodic)

    def own_elements(self, size: float) -> float:
        """Return about how many tetrahedra fill it, with those next to the triangles."""
        triangles = sum(len(surface.triangles) for surface in self.scene.surfaces)
        filled = math.fsum(self.measures()) * ELEMENTS_PER_VOLUME[3] / size**3
        return filled + _TETRAHEDRA_PER_TRIANGLE * triangles

    # ---- how it is written ----

    def to_dict(self) -> Plain:
        """Return plain values: paths and digests of the files, and what is not the usual."""
        plain: Plain = {"kind": self.kind, "exterior": self.exterior, "outer": self.outer}
        if self.unit is not None:
            plain["unit"] = self.unit
        for i, (file, digest) in enumerate(zip(self.files, self.sha256, strict=True)):
            plain |= {f"file_{i}": str(file), f"sha256_{i}": digest}
        for key in ("box", "center"):
            plain |= {f"{key}_{i}": float(x) for i, x in enumerate(getattr(self, key))}
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described, from the files."""

        def values(key: str) -> list[str | int | float]:
            return [value for _, value in numbered(plain, f"{key}_{{}}", first=0)]

        return cls(
            files=tuple(Path(str(file)) for file in values("file")),
            box=tuple(map(float, values("box"))),
            center=tuple(map(float, values("center"))),
            unit=float(plain["unit"]) if "unit" in plain else None,
            exterior="nothing" if plain["exterior"] == "nothing" else "water",
            outer=cast(Outer, plain["outer"]),
            sha256=tuple(map(str, values("sha256"))),
        )


@lru_cache(maxsize=4)
def _read(shape: Surfaces) -> Scene:
    """The surfaces of a cell in their box; kept, since copies of a shape ask again."""
    from torrey.geometry.own.surface_files import read_surfaces
    from torrey.geometry.own.surface_scenes import scene_of

    surfaces = read_surfaces(shape.files)
    return scene_of(surfaces, shape.box, shape.center, wet=shape.is_wet)
