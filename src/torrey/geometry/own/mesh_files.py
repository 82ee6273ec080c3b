"""Meshes of other programs: what a file holds, read by meshio and put into this project's words.

Nothing is changed here but the order of nodes in elements; what is wrong with a file is refused
with its name, and with a place where there is one.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import MOST_MESH_BYTES, printable, quoted, shortened
from torrey.base.errors import InputError, either

if TYPE_CHECKING:
    import meshio

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""What the name of a region may be: it stands as a key beside others."""

#: Dimension of the cells that meshio knows by these names; those of others are refused.
_DIMENSION: Final = {"vertex": 0, "line": 1, "triangle": 2, "quad": 2, "polygon": 2} | {
    name: 3 for name in ("tetra", "hexahedron", "wedge", "pyramid", "polyhedron")
}
#: Nodes by dimension and name of the simplices that are read.
_SIMPLICES: Final = {2: {"triangle": 3, "triangle6": 6}, 3: {"tetra": 4, "tetra10": 10}}
#: From the order of the middle nodes of meshio (VTK) to that of gmsh, which a `CellMesh` has.
_TO_GMSH: Final = [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]
#: Names under which programs write to which region an element belongs, in the order of preference.
_USUAL: Final = (
    "gmsh:physical",
    "medit:ref",
    "cell_tags",
    "ElementBlockIds",
    "avsucd:material",
    "flac3d:group",
    "netgen:index",
    "tetgen:ref",
    "region",
    "regions",
    "label",
    "labels",
    "material",
)
#: Coordinates are below it: products of a few of them are numbers, too.
_LARGEST: Final = 1e50
#: Names of regions that a message lists.
_SHOWN: Final = 8


@dataclass(frozen=True)
class FileMesh:
    """Simplices of a file, in its own lengths.

    Attributes
    ----------
    points : (n_points, d) float
        All of them, whether elements use them or not.
    elements : (n_elements, n_local) int
        Nodes of each: of order 1, or of order 2 in the order of a `CellMesh`.
    region : (n_elements,) int
        Index into ``names``.
    names : tuple of str
        Of the regions, in the order of their numbers in the file.
    """

    points: Array
    elements: Integers
    region: Integers
    names: tuple[str, ...]

    @property
    def dimension(self) -> int:
        """Number of space dimensions d."""
        return int(self.points.shape[1])


def digest_of(path: Path) -> str:
    """Return the SHA-256 of the content of a file, in hexadecimal digits.

    Raises
    ------
    InputError
        If it cannot be read, or is too large to be meshed.
    """
    accepted = f"a file of at most {MOST_MESH_BYTES // 2**20} MiB that can be read"
    try:
        if not path.is_file():
            there = path.exists()
            found = "a folder or a device" if there else "no such file"
            raise InputError(f"{printable(str(path))}: {found}", accepted)
        if (size := path.stat().st_size) > MOST_MESH_BYTES:
            raise InputError(f"{printable(str(path))} of {size // 2**20} MiB", accepted)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{printable(str(path))}: {error.strerror}", accepted) from None
    except ValueError:  # a null byte, or a character that no name of a file has
        raise InputError(printable(str(path)), "the name of a file") from None


def check_digest(path: Path, digest: str) -> str:
    """Return the digest of a file, which is the one that is given, if there is one.

    Raises
    ------
    InputError
        If the file has another content than it had, or cannot be read.
    """
    found = digest_of(path)
    if digest and found != digest:
        raise InputError(
            f"{path.name} with another content (sha256 {found[:12]}...) than it had "
            f"({digest[:12]}...)",
            "a file that stays as it is during a run, and the digest that the cell was given",
        )
    return found


def read_with_meshio(path: Path) -> meshio.Mesh:
    """Return what meshio finds in a file.

    Raises
    ------
    InputError
        If it knows no such format or the file does not follow it.
    """
    import meshio

    endings = sorted(meshio.extension_to_filetypes)
    if not any(path.name.lower().endswith(ending) for ending in endings):
        found = f"{path.name}, whose ending {quoted(path.suffix)} says nothing of its format"
        raise InputError(found, f"a format that meshio reads: {either(endings)}")
    said = io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            np.errstate(all="ignore"),
        ):
            return meshio.read(path)
    except ModuleNotFoundError as error:
        found = f"{path.name}, a format for which Python's package {error.name} is needed"
        raise InputError(found, f"{error.name} to be installed, or another format") from None
    except (Exception, SystemExit) as error:
        # What a reader raises at a broken file is whatever its parsing meets.
        words = " ".join(said.getvalue().split()) if isinstance(error, SystemExit) else str(error)
        found = f"{path.name}, which cannot be read: {shortened(printable(words)) or type(error)}"
        version = " of version 2.2 or 4.1" if path.suffix == ".msh" else ""
        accepted = f"a whole file in the format {quoted(path.suffix)}{version}"
        raise InputError(found, accepted) from None


def read_mesh(path: Path, regions: str = "") -> FileMesh:
    """Read the triangles or tetrahedra of a file.

    Parameters
    ----------
    path : Path
    regions : str
        Name of the cell data that says the region of each element; empty for what is usual.

    Raises
    ------
    InputError
        If the file cannot be read, holds other elements beside them, or says nothing of regions
        that it should.
    """
    found = read_with_meshio(path)
    counts: dict[str, int] = {}
    for block in found.cells:
        counts[block.type] = counts.get(block.type, 0) + len(block.data)
    dimension = max((_dimension(name) for name, n in counts.items() if n), default=0)
    kinds = {name: n for name, n in counts.items() if n and _dimension(name) == dimension}
    said = ", ".join(f"{n:,} of {name}" for name, n in counts.items()) or "no elements"
    if dimension < 2 or len(kinds) != 1 or not set(kinds) <= set(_SIMPLICES.get(dimension, ())):
        raise InputError(
            f"{path.name} with {said}",
            "triangles or tetrahedra of one order, 1 or 2: triangle, triangle6, tetra or tetra10",
        )
    (kind,) = kinds
    blocks = [i for i, block in enumerate(found.cells) if block.type == kind and len(block.data)]
    elements = np.concatenate([np.asarray(found.cells[i].data) for i in blocks]).astype(np.int64)
    points = _points(path, found.points, elements, dimension)
    if elements.shape[1] == 10:
        elements = elements[:, _TO_GMSH]
    region, names = _regions(path, found, blocks, regions, dimension)
    return FileMesh(points, elements, region, names)


def _dimension(name: str) -> int:
    """Dimension of a kind of cells, such as ``triangle6``."""
    bare = re.sub(r"[\d_]+$|VTK_LAGRANGE_", "", name).lower()
    return next((d for known, d in _DIMENSION.items() if bare.startswith(known)), 3)


def _points(path: Path, points: Any, elements: Integers, dimension: int) -> Array:
    """Places in their dimension, all of those that elements use finite."""
    places = np.asarray(points, dtype=float)
    if places.ndim != 2 or places.shape[1] < dimension:
        raise InputError(f"{path.name} with points of {places.shape}", "three numbers for each")
    if not len(elements) or elements.min() < 0 or elements.max() >= len(places):
        wrong = elements.max(initial=-1) if elements.min(initial=0) >= 0 else elements.min()
        raise InputError(
            f"{path.name} with an element of node number {wrong}, not one of 0 to "
            f"{len(places) - 1}",
            "elements of nodes that the file has",
        )
    used = np.unique(elements)
    refuse_infinite(places, used, f"{path.name} with node")
    if dimension == 2 and places.shape[1] == 3:
        heights = places[used, 2]
        extent = float(np.ptp(places[used, :2], axis=0).max(initial=0.0))
        if np.ptp(heights) > 1e-9 * extent:
            where = at(places[used[int(np.argmax(np.abs(heights - heights[0])))]])
            raise InputError(
                f"{path.name} with triangles in space, not in a plane of one z, such as {where}",
                "triangles in the plane, or tetrahedra; closed surfaces are of the kind surfaces",
            )
    return places[:, :dimension]


def refuse_infinite(places: Array, used: Integers, found: str) -> None:
    """Refuse places that are no numbers, or whose squares are none.

    Raises
    ------
    InputError
        With what was found, the number and the place.
    """
    # What is not a number is not below anything.
    bad = used[~(np.abs(places[used]) < _LARGEST).all(axis=1)]
    if len(bad):
        accepted = f"finite numbers below {_LARGEST:g}"
        raise InputError(f"{found} {bad[0] + 1} {at(places[bad[0]])}", accepted)


def at(place: Array) -> str:
    """Write a place as messages do."""
    return f"at ({', '.join(f'{x:.6g}' for x in place)})"


def _regions(
    path: Path, found: meshio.Mesh, blocks: list[int], key: str, dimension: int
) -> tuple[Integers, tuple[str, ...]]:
    """Region of each element and the names of all, by their numbers in the file."""
    data = {name: values for name, values in found.cell_data.items() if name != "gmsh:geometrical"}
    if key and key not in data:
        listed = ", ".join(map(quoted, data)) or "there are none"
        raise InputError(quoted(key), f"cell data of {path.name}: {listed}", at=("regions",))
    chosen = key or next((name for name in _USUAL if name in data), "")
    count = sum(len(found.cells[i].data) for i in blocks)
    if not chosen and found.cell_sets:
        return _of_sets(path, found, blocks)
    if not chosen:
        return np.zeros(count, dtype=np.int64), ("outside",)
    labels = np.concatenate([np.asarray(data[chosen][i]).reshape(-1) for i in blocks])
    if len(labels) != count or not np.all(np.isfinite(labels)) or np.any(labels != labels.round()):
        accepted = "one whole number for each element: that of its region"
        raise InputError(f"{path.name} with {quoted(chosen)} that is none", accepted)
    numbers, region = np.unique(labels.astype(np.int64), return_inverse=True)
    own = _physical_names(found.field_data, dimension) if chosen == "gmsh:physical" else {}
    if own and 0 in numbers.tolist():
        n = int(np.sum(labels == 0))
        raise InputError(f"{path.name} with {n:,} elements in no physical group", "one for each")
    names = tuple(own.get(number, f"region_{number}") for number in numbers.tolist())
    return region.astype(np.int64).reshape(-1), _checked(path, names)


def _physical_names(fields: Mapping[str, Any], dimension: int) -> dict[int, str]:
    """Names of physical groups of a dimension, by their numbers."""
    pairs = [(name, np.asarray(value).reshape(-1)) for name, value in fields.items()]
    return {int(v[0]): name for name, v in pairs if len(v) == 2 and int(v[1]) == dimension}


def _of_sets(path: Path, found: meshio.Mesh, blocks: list[int]) -> tuple[Integers, tuple[str, ...]]:
    """Regions that are named sets of elements, each element in one of them."""
    sizes = [len(found.cells[i].data) for i in blocks]
    region = np.full(sum(sizes), -1, dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    names: list[str] = []
    for name, members in found.cell_sets.items():
        inside = [
            start + np.asarray(members[i], dtype=np.int64)
            for i, start in zip(blocks, starts, strict=False)
            if members[i] is not None and len(members[i])
        ]
        if not inside:
            continue
        here = np.concatenate(inside)
        if np.any(region[here] >= 0):
            other = names[int(region[here].max())]
            found_both = f"{path.name} with elements in the sets {quoted(other)} and {quoted(name)}"
            raise InputError(found_both, "sets that share no element, or the key regions")
        region[here] = len(names)
        names.append(name)
    if not names:
        return np.zeros(len(region), dtype=np.int64), ("outside",)
    if np.any(region < 0):
        n = int(np.sum(region < 0))
        raise InputError(f"{path.name} with {n:,} elements in no set", "one for each, or no sets")
    return region, _checked(path, tuple(names))


def _checked(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names that may stand as keys, each once."""
    for i, name in enumerate(names):
        if not NAME.fullmatch(name) or len(name) > 60:
            accepted = "names of a letter, then letters, digits, _ and -, 60 at most"
            raise InputError(f"{path.name} with a region named {quoted(name)}", accepted)
        if name in names[:i]:
            raise InputError(f"{path.name} with two regions {quoted(name)}", "each name once")
    return names


def listed(names: Sequence[str]) -> str:
    """Names in a message, the first of many."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
