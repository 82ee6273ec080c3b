"""From the description of a cell to its meshes, by way of pygmsh.

pygmsh makes the shapes and their fragments; the gmsh interface under it sets the periodic faces,
refines (new nodes lie on the exact circles and spheres) and hands out nodes by surface or volume.
Every mesh is checked. Where one is not good the next attempt is made, in a fixed order: smaller
elements where they folded, another box, smaller elements everywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice

import gmsh
import numpy as np
import pygmsh

from torrey.geometry.balls import Discs, Spheres
from torrey.geometry.boxes import Box, ranked_boxes
from torrey.geometry.checks import check_mesh
from torrey.geometry.drawing import Owners, draw_balls, draw_strips, layer_edges, tie_opposite_faces
from torrey.geometry.extraction import refined_levels
from torrey.geometry.mesh import CellMesh, Facets, FoldedError, MeshError, Piece, break_mesh
from torrey.geometry.neighbours import narrowest_gap, nearest_ball
from torrey.geometry.shapes import Layers, MeshOptions, Shape
from torrey.geometry.sizes import Spots

_LOG = logging.getLogger(__name__)

#: Boxes that are tried at each size.
_BOXES = 4
#: How often elements that fold are made smaller before the next box is tried, and by how much.
_MENDINGS = 3
_SHRINKING = 0.5
#: Parts of the size that are tried everywhere.
_SIZES = (1.0, 0.7, 0.5)
#: Reasons that a message gives when no attempt was good.
_REASONS_SHOWN = 3


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
    shape : Discs, Spheres or Layers
    options : MeshOptions
        Target size of the coarsest elements and number of refinements.

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
    if isinstance(shape, Discs | Spheres):
        return _mesh_balls(shape, options)
    if shape.dimension == 2:
        box = Box(np.zeros(2), np.eye(2))
        return Meshing(_attempt(shape, box, options.size, options, partial(draw_strips, shape)))
    meshes = [_line_mesh(shape, options.size, level) for level in range(options.refinements + 1)]
    for mesh in meshes:
        check_mesh(mesh, shape)
    return Meshing(tuple(meshes))


def _mesh_balls(shape: Discs | Spheres, options: MeshOptions) -> Meshing:
    """Try boxes and sizes in their order until meshes are good."""
    failures: list[str] = []
    reasons: list[MeshError] = []
    for part in _SIZES:
        size = part * options.size
        for box in islice(ranked_boxes(shape, options.size), _BOXES):
            spots = Spots.none(shape.dimension)
            for _ in range(_MENDINGS + 1):
                draw = partial(draw_balls, shape, box, size, spots)
                try:
                    return Meshing(_attempt(shape, box, size, options, draw), tuple(failures))
                except MeshError as error:
                    corner = ", ".join(f"{x:.4g}" for x in box.corner)
                    failures.append(f"size {size:.3g}, box at ({corner}): {error}")
                    reasons.append(error)
                    _LOG.info("attempt %d at a mesh: %s", len(failures), failures[-1])
                    if not isinstance(error, FoldedError):
                        break
                    spots = spots.and_also(Spots(error.places, _SHRINKING * error.sizes))
    raise MeshError(_no_mesh(shape, options.size, reasons)) from reasons[-1]


def _attempt(
    shape: Shape, box: Box, size: float, options: MeshOptions, draw: Callable[[], Owners]
) -> tuple[CellMesh, ...]:
    """Draw, mesh, refine and check once."""
    with pygmsh.occ.Geometry() as model:
        try:
            gmsh.option.setNumber("General.Terminal", 0)
            model.characteristic_length_max = size
            owners = draw()
            tie_opposite_faces(box)
            gmsh.model.mesh.generate(shape.dimension)
            return tuple(refined_levels(shape, owners, options.refinements, box))
        except Exception as error:
            # What gmsh raises has no type of its own.
            if type(error) is not Exception:
                raise
            raise MeshError(f"gmsh stops with: {error}") from error


def _no_mesh(shape: Discs | Spheres, size: float, reasons: list[MeshError]) -> str:
    """Say what was tried, what failed where, and what would help."""
    count = len(shape.cells)
    kind = shape.kind if count != 1 else shape.kind.removesuffix("s")
    said = list(dict.fromkeys(_with_place(shape, error) for error in reasons))
    more = len(said) - _REASONS_SHOWN
    least = f"{_SIZES[-1] * size:.3g}"
    advice = f"Not tried: a mesh.size below {least}"
    if shape.cells:
        advice = (
            f"The narrowest place is {narrowest_gap(shape)}. {advice}, and a ball moved by 0.01"
        )
    return (
        f"no mesh of this cell of {count} {kind} passes the checks: {len(reasons)} attempts, with "
        f"the cell cut at {_BOXES} places, sizes {size:.3g} to {least} and smaller "
        f"elements where they fold. What failed: {'; '.join(said[:_REASONS_SHOWN])}"
        f"{f'; and {more} more' if more > 0 else ''}. {advice}"
    )


def _with_place(shape: Discs | Spheres, error: MeshError) -> str:
    """What failed, and for folded elements the nearest ball."""
    if not isinstance(error, FoldedError) or not shape.cells:
        return str(error)
    nearest = nearest_ball(shape, error.places[0])
    cell = shape.cells[nearest]
    centre = ", ".join(f"{x:.6g}" for x in cell.center)
    return f"{error}, next to cell_{nearest + 1} (center [{centre}], radius {cell.radius:.6g})"


def _line_mesh(shape: Layers, size: float, level: int) -> CellMesh:
    """Quadratic line elements, each piece divided evenly; each level halves every element."""
    breaks = np.concatenate([[0.0], layer_edges(shape), [1.0]])
    n_pieces = len(breaks) - 1
    pieces, facets, places, start = [], [], [np.array([0.0])], 0
    for i, (left, right) in enumerate(zip(breaks[:-1], breaks[1:], strict=True)):
        n = max(4, int(np.ceil((right - left) / size))) * 2**level
        places.append(np.linspace(left, right, 2 * n + 1)[1:])
        ends = start + 2 * np.arange(n)
        owner = i % shape.n_compartments
        elements = np.column_stack([ends, ends + 2, ends + 1])
        pieces.append(Piece(elements, owner, np.full(n, owner)))
        start += 2 * n
        if i < n_pieces - 1:
            facets.append(Facets(np.array([[start]]), i, i, i + 1))
    return break_mesh(np.concatenate(places)[:, None], pieces, facets, np.eye(1))
