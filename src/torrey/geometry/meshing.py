"""From the description of a cell to its meshes, by way of pygmsh.

The shape says what is drawn; nothing here knows the kinds. pygmsh makes the pieces and their
fragments; the gmsh interface under it sets the periodic faces and hands out nodes by surface or
volume. That is the coarsest mesh, which is refined here. Every mesh is checked. Where one is not
good the next attempt is made, in a fixed order: smaller elements where they folded, another box,
smaller elements everywhere.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from threading import RLock, current_thread, main_thread
from typing import Self, TypeVar

import gmsh
import numpy as np
import pygmsh

from torrey.base.limited import ChildError, OutOfTimeError, call_limited
from torrey.geometry.drawing import Canvas, tie_opposite_faces
from torrey.geometry.extraction import extract_mesh
from torrey.geometry.flips import make_convex
from torrey.geometry.mesh import CellMesh, Facets, FoldedError, MeshError, Piece, break_mesh
from torrey.geometry.pieces import Drawing, Side
from torrey.geometry.refinement import checked_levels
from torrey.geometry.shapes import MeshOptions, Shape
from torrey.geometry.sizes import ELEMENTS_PER_CIRCLE, Spots

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

#: Boxes that are tried at each size.
_BOXES = 8
#: How often elements that fold are made smaller before the next box is tried, and by how much.
_MENDINGS = 3
_SHRINKING = 0.5
#: Parts of the size that are tried everywhere.
_SIZES = (1.0, 0.7, 0.5)
#: Reasons that a message gives when no attempt was good.
_REASONS_SHOWN = 3


#: How gmsh makes triangles on surfaces with poles: its usual way leaves edges there that dent the
#: surface, so that elements beside them fold over. On cylinders it is the other way round.
_MESH_ADAPT = 1
#: How exactly the number of elements along a curve is found; gmsh's own 1e-9 asks for sizes at
#: millions of places.
_SIZE_PRECISION = 1e-3

#: gmsh holds one model for the whole process, so that threads take turns.
_GMSH = RLock()
#: Surfaces in space exist on which gmsh computes for ever. What an attempt may take there: seconds
#: of processor time, and so many more for each element of the largest size; a few times what the
#: slowest of thousands of random cells took.
_SECONDS = 60.0
_SECONDS_PER_ELEMENT = 0.02


@dataclass(frozen=True)
class Meshing:
    """Meshes of a cell and how they came about.

    Attributes
    ----------
    meshes : tuple of CellMesh
        Coarsest first.
    failures : tuple of str
        What was wrong with each attempt before the good one; empty if the first was good.
    """

    meshes: tuple[CellMesh, ...]
    failures: tuple[str, ...] = ()


def build_meshes(shape: Shape, options: MeshOptions) -> tuple[CellMesh, ...]:
    """Meshes of a cell, each a uniform refinement of the one before.

    Parameters
    ----------
    shape : Shape
    options : MeshOptions
        Target size of the coarsest elements and number of refinements; where none is given, as
        many as are kept in files.

    Returns
    -------
    tuple of CellMesh, length ``options.refinements + 1``, coarsest first.

    Raises
    ------
    MeshError
        If no attempt gives meshes that pass `torrey.geometry.checks.check_mesh`.
    """
    return mesh_cell(shape, options).meshes


def mesh_cell(shape: Shape, options: MeshOptions) -> Meshing:
    """Meshes of a cell, as `build_meshes` returns them, and what failed before.

    Each attempt that fails is also logged, at the level INFO.
    """
    d = shape.dimension
    size = options.coarsest(d)
    refinements = options.kept(d) if options.refinements is None else options.refinements
    brought = shape.own_mesh(size)
    if brought is not None:
        return Meshing(checked_levels(brought, shape, refinements))
    if d > 1:
        return _mesh_drawn(shape, size, refinements)
    return Meshing(checked_levels(_line_mesh(shape, size), shape, refinements))


def _mesh_drawn(shape: Shape, largest: float, refinements: int) -> Meshing:
    """Try boxes and sizes in their order until meshes are good."""
    failures: list[str] = []
    reasons: list[MeshError] = []
    for part in _SIZES:
        size = part * largest
        for box in islice(shape.boxes(largest), _BOXES):
            spots = Spots.none(shape.dimension)
            for _ in range(_MENDINGS + 1):
                try:
                    coarsest = _attempt(shape, Canvas(box, size, spots))
                    meshes = checked_levels(coarsest, shape, refinements)
                    return Meshing(meshes, tuple(failures))
                except MeshError as error:
                    corner = ", ".join(f"{x:.4g}" for x in box.corner)
                    failures.append(f"size {size:.3g}, box at ({corner}): {error}")
                    reasons.append(error)
                    _LOG.info("attempt %d at a mesh: %s", len(failures), failures[-1])
                    if not isinstance(error, FoldedError):
                        break
                    spots = spots.and_also(Spots(error.places, _SHRINKING * error.sizes))
    raise MeshError(_no_mesh(shape, largest, reasons)) from reasons[-1]


class _Session(pygmsh.occ.Geometry):
    """What pygmsh draws on; gmsh itself would set a signal handler, and never give it back."""

    def __enter__(self) -> Self:
        gmsh.initialize([], interruptible=False)
        gmsh.model.add("cell")
        return self


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupt end the process while gmsh computes, where Python would not hear of it.

    Handlers of signals belong to the main thread alone.
    """
    before = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or before is None:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def gmsh_session() -> Iterator[pygmsh.occ.Geometry]:
    """Hold gmsh with an empty model; other threads wait, and it says nothing."""
    with _GMSH, _interruptible(), _Session() as model:
        gmsh.option.setNumber("General.Terminal", 0)
        yield model


def in_limited_time(make: Callable[[], T], dimension: int, size: float) -> T:
    """Let gmsh make a mesh; in space it may not take for ever.

    Parameters
    ----------
    make : callable
        Makes a mesh, in a `gmsh_session` of its own.
    dimension : int
    size : float
        Largest size of an element, in units of the cell.

    Raises
    ------
    MeshError
        If gmsh does not end in space, or crashes; and what `make` raises.
    """
    if dimension < 3:
        return make()
    try:
        # No other thread may be within gmsh when the process is copied.
        with _GMSH:
            return call_limited(make, _SECONDS + _SECONDS_PER_ELEMENT / size**3)
    except (OutOfTimeError, ChildError) as error:
        raise MeshError(f"gmsh does not end well: {error}") from error


def _attempt(shape: Shape, canvas: Canvas) -> CellMesh:
    """Draw and mesh once."""
    return in_limited_time(lambda: _drawn(shape, canvas), shape.dimension, canvas.size)


def _drawn(shape: Shape, canvas: Canvas) -> CellMesh:
    with gmsh_session() as model:
        try:
            model.characteristic_length_max = canvas.size
            drawing = shape.draw(canvas)
            _set_sizes(canvas, drawing)
            tie_opposite_faces(canvas.box)
            if shape.dimension == 3:
                gmsh.model.mesh.generate(2)
                make_convex()
            gmsh.model.mesh.generate(shape.dimension)
            return extract_mesh(shape, drawing.owners, canvas.box)
        except Exception as error:
            # What gmsh raises has no type of its own.
            if type(error) is not Exception:
                raise
            raise MeshError(f"gmsh stops with: {error}") from error


def _set_sizes(canvas: Canvas, drawing: Drawing) -> None:
    """Tell gmsh the sizes of elements: those of the kind, and small ones in spots."""
    gmsh.option.setNumber("Mesh.MeshSizeFromCurvature", ELEMENTS_PER_CIRCLE[canvas.dimension])
    if drawing.has_poles:
        gmsh.option.setNumber("Mesh.Algorithm", _MESH_ADAPT)
    gmsh.option.setNumber("Mesh.LcIntegrationPrecision", _SIZE_PRECISION)
    if drawing.is_graded:
        gmsh.option.setNumber("Mesh.MeshSizeExtendFromBoundary", 0)
    own, spots = drawing.element_size, canvas.spots.around(canvas.box)
    d, has_spots = canvas.dimension, len(spots.sizes) > 0
    if own is None and not has_spots:
        return

    # gmsh asks two or three times for each place, and the answers take most of its time.
    @cache
    def largest(x: float, y: float, z: float) -> float:
        place = np.array((x, y, z)[:d])
        wanted = min(canvas.size, spots.size_at(place)) if has_spots else canvas.size
        return wanted if own is None else min(wanted, own(place))

    def size_at(_dim: int, _tag: int, x: float, y: float, z: float, proposed: float) -> float:
        return min(proposed, largest(x, y, z))

    gmsh.model.mesh.setSizeCallback(size_at)


def _no_mesh(shape: Shape, size: float, reasons: list[MeshError]) -> str:
    """Say what was tried, what failed where, and what would help."""
    said = list(dict.fromkeys(_with_place(shape, error) for error in reasons))
    more = len(said) - _REASONS_SHOWN
    least = f"{_SIZES[-1] * size:.3g}"
    return (
        f"no mesh of this cell ({shape.describe()}) passes the checks: {len(reasons)} attempts, "
        f"with the cell cut at up to {_BOXES} places, sizes {size:.3g} to {least} and smaller "
        f"elements where they fold. What failed: {'; '.join(said[:_REASONS_SHOWN])}"
        f"{f'; and {more} more' if more > 0 else ''}. {shape.advice(least)}"
    )


def _with_place(shape: Shape, error: MeshError) -> str:
    """What failed, and for folded elements what they are near."""
    near = shape.place_name(error.places[0]) if isinstance(error, FoldedError) else ""
    return f"{error}, {near}" if near else str(error)


def _line_mesh(shape: Shape, size: float) -> CellMesh:
    """Quadratic line elements, each segment divided evenly."""
    segments = shape.segments()
    pieces, facets, places = [], [], [np.array([0.0])]
    sides: list[Side] = []
    left, start = 0.0, 0
    for i, (right, owner) in enumerate(segments):
        n = max(4, int(np.ceil((right - left) / size)))
        places.append(np.linspace(left, right, 2 * n + 1)[1:])
        ends = start + 2 * np.arange(n)
        elements = np.column_stack([ends, ends + 2, ends + 1])
        pieces.append(Piece(elements, owner, np.full(n, owner)))
        sides.append(Side(owner, np.array([(left + right) / 2])))
        if i > 0:
            number, forward = shape.membrane_between(sides[i - 1], sides[i], np.array([left]))
            outside, inside = (i - 1, i) if forward else (i, i - 1)
            facets.append(Facets(np.array([[start]]), number, outside, inside))
        left, start = right, start + 2 * n
    return break_mesh(np.concatenate(places)[:, None], pieces, facets, np.eye(1))
