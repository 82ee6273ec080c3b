"""Tetrahedra between closed surfaces and in the box around them, by gmsh.

The triangles of the surfaces go to gmsh as a mesh that it has to keep; the faces of the box are
drawn, and meshed alike on opposite sides. What comes back passes the same checks as a mesh of
somebody else's.
"""

from __future__ import annotations

from collections.abc import Sequence

import gmsh
import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh, MeshError
from torrey.geometry.meshing import gmsh_session, in_limited_time
from torrey.geometry.own.conforming import conforming
from torrey.geometry.own.mesh_files import FileMesh
from torrey.geometry.own.own_cells import Regions, own_cell
from torrey.geometry.own.own_faces import fit_faces
from torrey.geometry.own.surface_scenes import Scene
from torrey.geometry.shapes import Shape

Array = NDArray[np.float64]

#: Corners of the faces of a box, low and high across each axis, as bits of x, y, z.
_FACES = (
    ((0, 2, 6, 4), (1, 3, 7, 5)),
    ((0, 1, 5, 4), (2, 3, 7, 6)),
    ((0, 1, 3, 2), (4, 5, 7, 6)),
)


def mesh_surfaces(
    shape: Shape, scene: Scene, size: float, *, wet: bool, periodic: Sequence[bool]
) -> CellMesh:
    """Mesh the inside of surfaces, and the water around them if there is some.

    Parameters
    ----------
    shape : Shape
        Whose compartments and membranes they are.
    scene : Scene
    size : float
        Largest size of an element, in units of the cell.
    wet : bool
        Whether there is water outside.
    periodic : sequence of bool
        Whether opposite faces of the box are one, by axis.

    Raises
    ------
    MeshError
        If gmsh finds no mesh, or it is not one of the cell.
    """
    name = shape.describe()
    found = in_limited_time(lambda: _filled(shape, scene, size, wet, periodic), 3, size)
    try:
        mesh = conforming(found, name)
        faces = fit_faces(mesh, np.diag(scene.sides), periodic, name)
        made = own_cell(mesh, faces, Regions(found.names, found.names[0]), periodic, name)
    except InputError as error:
        raise MeshError(f"the mesh of {name} cannot be used: {error.found}") from error
    if made.membranes != shape.membranes() or made.region_names != shape.region_names:
        raise MeshError(f"the mesh of {name} has other compartments or membranes than it")
    return made.mesh


def _filled(
    shape: Shape, scene: Scene, size: float, wet: bool, periodic: Sequence[bool]
) -> FileMesh:
    """Tetrahedra of all regions, by gmsh."""
    with gmsh_session():
        try:
            gmsh.option.setNumber("Mesh.MeshSizeMax", size * scene.unit)
            volumes = _draw(scene, wet, periodic)
            gmsh.model.mesh.generate(3)
            return _tetrahedra(shape.region_names, volumes)
        except Exception as error:
            # What gmsh raises has no type of its own.
            if type(error) is not Exception:
                raise
            raise MeshError(f"gmsh does not mesh {shape.describe()}: {error}") from error


def _draw(scene: Scene, wet: bool, periodic: Sequence[bool]) -> list[int]:
    """Give surfaces and box to gmsh; return the volume of each region."""
    geo = gmsh.model.geo
    around = _draw_box(scene, periodic) if wet else None
    _give_triangles(scene)
    loops = [geo.addSurfaceLoop([_tag(i)]) for i in range(len(scene.surfaces))]
    within = {p: [loops[i] for i, q in enumerate(scene.parent) if q == p] for p in scene.parent}
    volumes = []
    if around is not None:
        volumes.append(geo.addVolume([around, *within.get(NOTHING, [])]))
    volumes += [geo.addVolume([loop, *within.get(i, [])]) for i, loop in enumerate(loops)]
    geo.synchronize()
    return volumes


def _tag(surface: int) -> int:
    """Number of a surface in gmsh, after the six faces of a box."""
    return 101 + surface


def _give_triangles(scene: Scene) -> None:
    node = triangle = 1_000_000
    for i, surface in enumerate(scene.surfaces):
        tag = gmsh.model.addDiscreteEntity(2, _tag(i))
        nodes = node + np.arange(len(surface.points))
        gmsh.model.mesh.addNodes(2, tag, nodes, surface.points.ravel())
        elements = triangle + np.arange(len(surface.triangles))
        gmsh.model.mesh.addElementsByType(tag, 2, elements, nodes[surface.triangles].ravel())
        node += len(nodes)
        triangle += len(elements)


def _draw_box(scene: Scene, periodic: Sequence[bool]) -> int:
    """Return the loop of the faces of a box, those across periodic axes tied to each other."""
    geo = gmsh.model.geo
    bits = np.array([[k & 1, k >> 1 & 1, k >> 2 & 1] for k in range(8)])
    corners = [geo.addPoint(*place) for place in scene.corner + bits * scene.sides]
    lines: dict[tuple[int, int], int] = {}
    for k in range(8):
        for bit in (1, 2, 4):
            if not k & bit:
                lines[k, k | bit] = geo.addLine(corners[k], corners[k | bit])
    faces = []
    for pair in _FACES:
        for around in pair:
            ends = zip(around, (*around[1:], around[0]), strict=True)
            signed = [lines[a, b] if a < b else -lines[b, a] for a, b in ends]
            faces.append(geo.addPlaneSurface([geo.addCurveLoop(signed)]))
    geo.synchronize()
    for axis in np.flatnonzero(periodic).tolist():
        shift = np.eye(4)
        shift[axis, 3] = scene.sides[axis]
        low, high = faces[2 * axis : 2 * axis + 2]
        gmsh.model.mesh.setPeriodic(2, [high], [low], shift.ravel().tolist())
    return int(geo.addSurfaceLoop(faces))


def _tetrahedra(names: tuple[str, ...], volumes: list[int]) -> FileMesh:
    """What gmsh has made, as a file would hold it."""
    tags, places, _ = gmsh.model.mesh.getNodes()
    index = np.full(int(tags.max()) + 1, NOTHING, dtype=np.int64)
    index[tags] = np.arange(len(tags))
    found = [gmsh.model.mesh.getElementsByType(4, volume)[1] for volume in volumes]
    elements = [index[nodes].reshape(-1, 4) for nodes in found]
    return FileMesh(
        places.reshape(-1, 3).astype("=f8"),
        np.concatenate(elements),
        np.repeat(np.arange(len(elements)), [len(part) for part in elements]),
        names,
    )
