"""What is wrong with a mesh of somebody else's is said with its place, before any work starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest
from support.own_meshes import centres, cube, gmsh_disc, square, write

from torrey.base.errors import InputError
from torrey.geometry import MeshOptions, OwnMesh
from torrey.geometry.mesh import MeshError
from torrey.geometry.meshing import build_meshes

POINTS, TRIANGLES = square(4)
SPACE, TETRAHEDRA = cube(2)
MIDDLE = (np.abs(centres(POINTS, TRIANGLES)[:, :2] - 0.5).max(axis=1) < 0.25).astype(int)
KEPT = {"triangle": TRIANGLES}


def moved(node: int, by: tuple[float, ...], points: np.ndarray = POINTS) -> np.ndarray:
    """Points of which one is elsewhere."""
    points = points.copy()
    points[node] += by
    return points


def quadratic() -> tuple[np.ndarray, np.ndarray]:
    """The square with a node in the middle of each edge."""
    ends = TRIANGLES[:, [[0, 1], [1, 2], [2, 0]]]
    pairs, which = np.unique(np.sort(ends, axis=2).reshape(-1, 2), axis=0, return_inverse=True)
    points = np.concatenate([POINTS, POINTS[pairs].mean(axis=1)])
    return points, np.hstack([TRIANGLES, len(POINTS) + which.reshape(-1, 3)])


def vtu(points: np.ndarray, cells: dict, **data: np.ndarray) -> Callable[[Path], Path]:
    return lambda folder: write(folder / "cell.vtu", points, cells, **data)


def text(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def cut_short(folder: Path) -> Path:
    """A file of gmsh that a full disc has ended."""
    file = gmsh_disc(folder / "disc.msh", size=0.2)
    file.write_bytes(file.read_bytes()[:9000])
    return file


def ungrouped(folder: Path) -> Path:
    """Some triangles in no physical group."""
    tags = {"gmsh:physical": [MIDDLE], "gmsh:geometrical": [MIDDLE]}
    mesh = meshio.Mesh(POINTS, [("triangle", TRIANGLES)], cell_data=tags)
    mesh.field_data = {"soma": np.array([1, 2])}
    mesh.write(folder / "cell.msh", file_format="gmsh22")
    return folder / "cell.msh"


def bad_name(folder: Path) -> Path:
    tags = {"gmsh:physical": [1 + MIDDLE], "gmsh:geometrical": [1 + MIDDLE]}
    mesh = meshio.Mesh(POINTS, [("triangle", TRIANGLES)], cell_data=tags)
    mesh.field_data = {"1st region": np.array([1, 2]), "soma": np.array([2, 2])}
    mesh.write(folder / "cell.msh", file_format="gmsh22")
    return folder / "cell.msh"


def split_edge() -> tuple[np.ndarray, np.ndarray]:
    """One triangle of the square halved, and its neighbour not: a node hangs."""
    a, b, c = TRIANGLES[9]
    points = np.concatenate([POINTS, POINTS[[a, c]].mean(axis=0)[None]])
    new = len(POINTS)
    rest = np.delete(TRIANGLES, 9, axis=0)
    return points, np.concatenate([rest, [[a, b, new], [new, b, c]]])


def split_space() -> tuple[np.ndarray, np.ndarray]:
    """The same in space: a tetrahedron halved across its longest edge."""
    a, b, c, d = TETRAHEDRA[0]
    points = np.concatenate([SPACE, SPACE[[a, d]].mean(axis=0)[None]])
    new = len(SPACE)
    halves = [[a, b, c, new], [new, b, c, d]]
    return points, np.concatenate([TETRAHEDRA[1:], halves])


def doubled() -> tuple[np.ndarray, np.ndarray]:
    """Elements in the middle have their own nodes."""
    inner = TRIANGLES[MIDDLE == 1]
    used, which = np.unique(inner, return_inverse=True)
    points = np.concatenate([POINTS, POINTS[used]])
    triangles = TRIANGLES.copy()
    triangles[MIDDLE == 1] = len(POINTS) + which.reshape(-1, 3)
    return points, triangles


def two_middles() -> tuple[np.ndarray, dict]:
    """Quadratic elements of which two that share an edge have each a middle of it."""
    points, triangles = QUADRATIC
    node = int(np.flatnonzero(np.abs(points - [0.125, 0.125, 0]).max(axis=1) < 1e-9)[0])
    other = triangles.copy()
    row = np.flatnonzero((triangles == node).any(axis=1))[1]
    other[row, triangles[row] == node] = len(points)
    return np.concatenate([points, points[[node]] + [0.01, 0, 0]]), {"triangle6": other}


def bent() -> np.ndarray:
    """Nodes of which a middle lies too far off."""
    points = QUADRATIC[0]
    here = np.abs(points - [0.375, 0.375, 0]).max(axis=1) < 1e-9
    return points + np.where(here[:, None], [0.08, -0.08, 0], 0.0)


QUADRATIC = quadratic()
QUADS = np.array([[0, 5, 6, 1]])
UPPER = np.flatnonzero(POINTS[:, 0] == 1.0)
REFUSED: dict[str, tuple[Callable[[Path], Path], dict[str, Any], str]] = {
    "no file": (lambda f: f / "none.msh", {}, "none.msh: no such file"),
    "a folder": (lambda f: f, {}, "a folder or a device"),
    "no name of a file": (lambda f: Path("a\0b.msh"), {}, r"a\\x00b.msh: no such file"),
    "unknown format": (text("cell.txt", b"1 2 3"), {}, 'ending ".txt" says nothing'),
    "no ending": (text("cell", b"1 2 3"), {}, "says nothing of its format"),
    "an empty file": (text("cell.msh", b""), {}, "cell.msh, which cannot be read"),
    "not what it says": (text("cell.vtu", b"\x89PNG\r\n" * 40), {}, "cell.vtu, which cannot"),
    "a truncated file": (cut_short, {}, "disc.msh, which cannot be read"),
    "quadrilaterals": (vtu(POINTS, {"quad": QUADS}), {}, "1 of quad"),
    "mixed elements": (
        vtu(POINTS, {"triangle": TRIANGLES[1:], "quad": QUADS}),
        {},
        "31 of triangle, 1 of quad, accepted: triangles or tetrahedra of one order",
    ),
    "both orders": (
        vtu(QUADRATIC[0], {"triangle": TRIANGLES[:9], "triangle6": QUADRATIC[1][9:]}),
        {},
        "9 of triangle, 23 of triangle6",
    ),
    "hexahedra": (vtu(SPACE, {"hexahedron": np.arange(8)[None]}), {}, "1 of hexahedron"),
    "lines": (vtu(POINTS, {"line": TRIANGLES[:, :2]}), {}, "32 of line"),
    "a surface in space": (
        vtu(moved(12, (0, 0, 0.1)), KEPT),
        {},
        r"in space, not in a plane of one z, such as at \(0.5, 0.5, 0.1\)",
    ),
    "not a number": (vtu(moved(7, (np.nan, 0, 0)), KEPT), {}, r"node 8 at \(nan, 0.5, 0\)"),
    "infinite": (vtu(moved(7, (np.inf, 0, 0)), KEPT), {}, r"node 8 at \(inf, 0.5, 0\)"),
    "beyond all bounds": (
        vtu(moved(7, (1e200, 0, 0)), KEPT),
        {},
        r"node 8 at \(1e\+200, 0.5, 0\), accepted: finite numbers below 1e\+50",
    ),
    "a node that is not there": (
        vtu(POINTS[:-1], KEPT),
        {},
        "element of node number 24, not one of 0 to 23",
    ),
    "doubled nodes": (
        vtu(doubled()[0], {"triangle": doubled()[1]}),
        {},
        r"8 pairs of nodes in one place, the first \d+ and \d+ at \(0.25, 0.25\)",
    ),
    "a hanging node": (
        vtu(split_edge()[0], {"triangle": split_edge()[1]}),
        {},
        r"1 hanging nodes, the first at \(0.625, 0.375\)|at \(0.375, 0.625\)",
    ),
    "a hanging node in space": (
        vtu(split_space()[0], {"tetra": split_space()[1]}),
        {},
        r"hanging nodes, the first at \(0.25, 0.25, 0.25\)",
    ),
    "elements on each other": (
        vtu(moved(12, (0.4, 0, 0)), KEPT),
        {},
        r"pairs of elements that overlap, the first at \(0\.",
    ),
    "a flat element": (
        vtu(moved(12, (0.25, 0.25, 0)) * [1, 1, 0] + 0, {"triangle": TRIANGLES}),
        {},
        "pairs of nodes in one place",
    ),
    "elements without area": (
        vtu(moved(12, (0.125, -0.125, 0)), KEPT),
        {},
        r"flat elements, the first at \(0\.\d+, 0\.\d+\)",
    ),
    "three elements at an edge": (
        vtu(POINTS, {"triangle": np.concatenate([TRIANGLES, [[0, 1, 12]]])}),
        {},
        r"a facet at \(.*\) of 3 elements|overlap",
    ),
    "middles far from their edges": (
        vtu(QUADRATIC[0], {"triangle6": QUADRATIC[1][:, [0, 1, 2, 4, 5, 3]]}),
        {},
        "for the middle of an edge around|two middle nodes",
    ),
    "two middles of an edge": (
        vtu(*two_middles()),
        {},
        r"an edge at \(0.125, 0.125\) that has two middle nodes",
    ),
    "a curved element that folds": (
        vtu(bent(), {"triangle6": QUADRATIC[1]}),
        {},
        r"curved elements that fold over, the first at \(",
    ),
    "faces that do not match": (
        vtu(moved(UPPER[2], (0, 0.01, 0)), KEPT),
        {},
        r"faces across x that do not match: the node at \(0, 0.5\) is 0.01 from the nearest",
    ),
    "a face that is not flat": (
        vtu(moved(UPPER[2], (-0.01, 0, 0)), KEPT),
        {},
        r"faces across x that do not match: the node at \(0, 0.5\) is 0.25 from the nearest",
    ),
    "regions that end at a face": (
        vtu(POINTS, KEPT, region=(centres(POINTS, TRIANGLES)[:, 1] < 0.25).astype(int)),
        {},
        r'"region_1" on a face at \(.*\) and "region_0" opposite',
    ),
    "no such data": (vtu(POINTS, KEPT, part=MIDDLE), {"regions": "cells"}, 'accepted: .*"part"'),
    "regions that are no numbers": (
        vtu(POINTS, KEPT, part=MIDDLE + 0.5),
        {"regions": "part"},
        "one whole number for each",
    ),
    "elements in no group": (ungrouped, {}, "24 elements in no physical group"),
    "a name that is no key": (bad_name, {}, 'a region named "1st region"'),
    "no such outside": (vtu(POINTS, KEPT), {"outside": "water"}, "outside: found"),
    "nothing of that name": (vtu(POINTS, KEPT), {"empty": ("vessel",)}, r"empty\[0\]: found"),
    "nothing at all": (vtu(POINTS, KEPT), {"empty": ("outside",)}, "no region with water"),
    "a region twice": (
        vtu(POINTS, KEPT, region=MIDDLE),
        {"same_compartment": (("region_0", "region_1"), ("region_1",))},
        r"same_compartment\[1\]\[0\]: found \"region_1\" a second time",
    ),
    "a lattice of one vector": (vtu(POINTS, KEPT), {"lattice": ((1.0, 0.0),)}, "2 vectors of 2"),
    "a lattice of another size": (
        vtu(POINTS, KEPT),
        {"lattice": ((2.0, 0.0), (0.0, 1.0))},
        "spans 0.5 of its vector 1",
    ),
    "a left-handed lattice": (
        vtu(POINTS, KEPT),
        {"lattice": ((0.0, 1.0), (1.0, 0.0))},
        "right-handed",
    ),
    "a lattice with walls": (
        vtu(POINTS, KEPT),
        {"lattice": ((1.0, 0.0), (0.0, 1.0)), "outer": "walls"},
        "a lattice with walls",
    ),
    "neither periodic nor walls": (vtu(POINTS, KEPT), {"outer": "open"}, "or walls across"),
    "walls that are not there": (vtu(POINTS, KEPT), {"outer": "walls z"}, "outer: found"),
    "a unit of nothing": (vtu(POINTS, KEPT), {"unit": 0.0}, "a length above 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_with_a_mesh_is_said_with_its_place(tmp_path, case):
    make, options, message = REFUSED[case]
    file = make(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        OwnMesh(file, **options)
    assert caught.value.at, "the key at which it is refused"


@pytest.mark.parametrize("outer", ["periodic", "walls"])
def test_water_that_touches_itself_at_a_point_is_refused(tmp_path, outer):
    """Two squares tip to tip: the node between would let the water around them through."""
    points, triangles = square(4)
    x, y, *_ = centres(points, triangles).T
    inside = (np.floor(4 * x) == np.floor(4 * y)) & (abs(x - 0.5) < 0.25)
    file = write(tmp_path / "cell.vtu", points, {"triangle": triangles}, region=inside.astype(int))
    shape = OwnMesh(str(file), unit=1.0, regions="region", outer=outer)
    with pytest.raises(MeshError, match=r"touches itself at the point \(0.5, 0.5\)"):
        build_meshes(shape, MeshOptions(0.25, 1))


def test_squares_that_share_a_side_are_no_points(tmp_path):
    points, triangles = square(4)
    x, y, *_ = centres(points, triangles).T
    inside = (abs(y - 0.5) < 0.25) & (abs(x - 0.5) < 0.25)
    file = write(tmp_path / "cell.vtu", points, {"triangle": triangles}, region=inside.astype(int))
    shape = OwnMesh(str(file), unit=1.0, regions="region")
    assert len(build_meshes(shape, MeshOptions(0.25, 1))) == 2
