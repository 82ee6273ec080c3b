"""What a kind draws on: a box in gmsh, whose opposite faces are tied to each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import gmsh
import numpy as np
from numpy.typing import NDArray

from torrey.geometry.boxes import Box
from torrey.geometry.mesh import MeshError
from torrey.geometry.pieces import Owner, Owners
from torrey.geometry.sizes import Spots

Array = NDArray[np.float64]

#: Two places are the same if they differ by less than this (units of the cell).
_SAME = 1e-6
#: Centres of mass of pieces of opposite faces are alike up to this: those with holes are inexact.
_ALIKE = 1e-3


_OUTSIDE = Owner(0)


@dataclass(frozen=True)
class Canvas:
    """One attempt at a drawing: where it is cut out of the periodic cell, and how fine it will be.

    Attributes
    ----------
    box : Box
        The period that is meshed.
    size : float
        Largest size of an element (units of the cell).
    spots : Spots
        Where elements will be smaller.
    """

    box: Box
    size: float
    spots: Spots

    @property
    def dimension(self) -> int:
        """Number of space dimensions, 2 or 3."""
        return len(self.box.origin)

    @property
    def occ(self) -> Any:
        """What draws in gmsh: its kernel OpenCASCADE, ``gmsh.model.occ``."""
        return gmsh.model.occ

    def entities(self) -> list[int]:
        """Surfaces, or volumes in space, of all that was drawn so far."""
        gmsh.model.occ.synchronize()
        return [tag for _, tag in gmsh.model.getEntities(self.dimension)]

    def polygon(self, corners: Sequence[Sequence[float]] | Array) -> int:
        """Draw a flat surface with straight sides in the plane.

        Parameters
        ----------
        corners : (n, 2) float
            In their order around it.
        """
        return _polygon(corners)

    def turn_and_move(self, tag: int, turn: Array, place: Array) -> None:
        """Turn a volume about the origin, then move the origin to a place.

        Parameters
        ----------
        tag : int
            Of the volume.
        turn : (3, 3) float
            Rotation.
        place : (3,) float
        """
        # Loaded where something is turned.
        from scipy.spatial.transform import Rotation

        vector = Rotation.from_matrix(turn).as_rotvec()
        angle = float(np.linalg.norm(vector))
        if angle:
            gmsh.model.occ.rotate([(3, tag)], 0.0, 0.0, 0.0, *(vector / angle), angle)
        gmsh.model.occ.translate([(3, tag)], *place)

    def cut(self, drawn: Iterable[tuple[int, Owner]], rest: Owner = _OUTSIDE) -> Owners:
        """Draw the box, cut out of it what is drawn after it, and put that in again.

        What reaches beyond the box is left out, so that periodic images are drawn as they are. The
        fragments themselves say what they are pieces of: nothing is guessed from their places.

        Parameters
        ----------
        drawn : iterable of (int, Owner)
            Surfaces, or volumes in space, and whose they are.
        rest : Owner
            What has the rest of the box: region 0, unless said otherwise.
        """
        d, occ = self.dimension, gmsh.model.occ
        whole = (d, _draw_box(self.box))
        things = list(drawn)
        # Pieces of the box, then pieces of each thing that was drawn.
        pieces = occ.fragment([whole], [(d, tag) for tag, _ in things])[1] if things else [[whole]]
        inside = {tag for _, tag in pieces[0]}
        occ.remove([(d, tag) for tag in self.entities() if tag not in inside], recursive=True)
        owners = {tag: rest for tag in self.entities()}
        for (_, owner), found in zip(things, pieces[1:], strict=True):
            owners |= {tag: owner for _, tag in found if tag in inside}
        return owners


def tie_opposite_faces(box: Box) -> None:
    """Make gmsh put the same nodes on opposite faces of the box.

    Raises
    ------
    MeshError
        If the faces are not cut in the same way.
    """
    d = len(box.origin)
    middles = {
        tag: np.array(gmsh.model.occ.getCenterOfMass(d - 1, tag)[:d]) @ box.inverse - box.origin
        for _, tag in gmsh.model.getEntities(d - 1)
    }
    for axis in range(d):
        low, high = (
            [tag for tag in middles if _on_face((d - 1, tag), axis, place, box)]
            for place in (0.0, 1.0)
        )
        if not low:
            raise MeshError(f"there is no face across axis {axis}")
        others = np.array([np.delete(middles[tag], axis) for tag in low]).round(6)
        low = [low[i] for i in np.lexsort(others.T)]
        shift = np.eye(4)
        shift[:d, 3] = box.vectors[axis]
        gmsh.model.mesh.setPeriodic(
            d - 1, _partners(middles, low, high, axis), low, shift.ravel().tolist()
        )


def _partners(middles: dict[int, Array], low: list[int], high: list[int], axis: int) -> list[int]:
    """What lies opposite to each curve or surface of a lower face."""
    if len(low) != len(high):
        raise MeshError(
            f"faces across axis {axis} do not match: {len(low)} pieces on one, {len(high)} on the "
            "other"
        )
    # A disc and the hole around it share their centre of mass: their areas tell them apart.
    measures = {tag: gmsh.model.occ.getMass(len(middles[tag]) - 1, tag) for tag in (*low, *high)}
    there = np.array([[*middles[tag], measures[tag]] for tag in high])
    there[:, axis] -= 1.0
    gaps = [np.linalg.norm(there - [*middles[tag], measures[tag]], axis=1) for tag in low]
    nearest = [int(gap.argmin()) for gap in gaps]
    if len(set(nearest)) < len(low) or max(gap.min() for gap in gaps) > _ALIKE:
        raise MeshError(f"faces across axis {axis} are not cut in the same way")
    return [high[i] for i in nearest]


def _draw_box(box: Box) -> int:
    """Return the surface or volume of one period."""
    occ = gmsh.model.occ
    corner, vectors = box.corner, box.vectors
    if len(corner) == 3:
        if box.is_cube:
            return int(occ.addBox(*corner, 1.0, 1.0, 1.0))
        return _parallelepiped(corner, vectors)
    if box.is_cube:
        return int(occ.addRectangle(*corner, 0.0, 1.0, 1.0))
    around = corner, corner + vectors[0], corner + vectors.sum(axis=0), corner + vectors[1]
    return _polygon(np.stack(around))


def _parallelepiped(corner: Array, vectors: Array) -> int:
    """Return the volume that three vectors span from a corner."""
    occ = gmsh.model.occ
    places = list(product((0, 1), repeat=3))
    points = {at: occ.addPoint(*(corner + np.array(at) @ vectors)) for at in places}
    lines = {
        (start, end): occ.addLine(points[start], points[end])
        for start in places
        for end in places
        if np.sum(np.subtract(end, start) == 1) == 1 and sum(end) == sum(start) + 1
    }
    faces = []
    for axis, side in product(range(3), (0, 1)):
        around = [np.insert((i, j), axis, side) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
        ends = [tuple(map(int, at)) for at in (*around, around[0])]
        loop = [
            lines[a, b] if (a, b) in lines else -lines[b, a]
            for a, b in zip(ends, ends[1:], strict=False)
        ]
        faces.append(occ.addPlaneSurface([occ.addCurveLoop(loop)]))
    return int(occ.addVolume([occ.addSurfaceLoop(faces)]))


def _polygon(corners: Sequence[Sequence[float]] | Array) -> int:
    """Return a flat surface with straight sides."""
    occ = gmsh.model.occ
    points = [occ.addPoint(*place, 0.0) for place in corners]
    ends = [*points[1:], points[0]]
    lines = [occ.addLine(start, end) for start, end in zip(points, ends, strict=True)]
    return int(occ.addPlaneSurface([occ.addCurveLoop(lines)]))


def _on_face(entity: tuple[int, int], axis: int, place: float, box: Box) -> bool:
    """Whether all of a curve or surface lies on a face of the box."""
    d = len(box.origin)
    if gmsh.model.getType(*entity) not in ("Line", "Plane"):
        return False
    middle = np.array(gmsh.model.occ.getCenterOfMass(*entity)[:d])
    places = np.vstack([_corners(entity, d), middle]) @ box.inverse
    return bool(np.all(np.abs(places[:, axis] - box.origin[axis] - place) < _SAME))


def _corners(entity: tuple[int, int], dimension: int) -> Array:
    """Corners of an entity, shape (n, dimension)."""
    points = gmsh.model.getBoundary([entity], recursive=True)
    places = [gmsh.model.getValue(0, abs(tag), [])[:dimension] for _, tag in points]
    return np.array(places, dtype=float).reshape(-1, dimension)
