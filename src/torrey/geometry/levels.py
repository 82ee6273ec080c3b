"""Meshes of a cell beyond those that are kept: made by refinement when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from torrey.base import artifacts
from torrey.base.lazy import Lazy
from torrey.geometry.balls.random_packing import PLACED, PlacedDiscs, PlacedSpheres
from torrey.geometry.checks import check_mesh
from torrey.geometry.files import read_mesh, read_options
from torrey.geometry.mesh import CellMesh
from torrey.geometry.refinement import refine
from torrey.geometry.registry import shape_from_dict
from torrey.geometry.shapes import MeshOptions, Shape


def finer_meshes(
    kept: Sequence[CellMesh], shape: Callable[[], Shape], count: int
) -> Lazy[CellMesh]:
    """Return so many meshes: those that are kept, and refinements of the last of them.

    Each is made and checked when it is first asked for.

    Parameters
    ----------
    kept : sequence of CellMesh
        Coarsest first; may be lazy.
    shape : callable
        Returns the shape, once a mesh is refined.
    count : int
    """

    def mesh(level: int) -> CellMesh:
        if level < len(kept):
            return kept[level]
        made = refine(meshes[level - 1], shape())
        check_mesh(made, shape())
        return made

    meshes = Lazy.of(mesh, count)
    return meshes


def lazy_meshes(path: str | Path) -> Lazy[CellMesh]:
    """Meshes of a file by level; each is read when first asked for."""
    return Lazy.of(lambda level: read_mesh(path, level), 1 + len(artifacts.groups(path)))


def shape_and_options(path: str | Path) -> tuple[Callable[[], Shape], MeshOptions]:
    """What makes the shape of the meshes of a file, and how fine they may become."""
    plain, options = read_options(path)
    return partial(placed_shape, plain), options


def placed_shape(plain: Mapping[str, str | int | float]) -> Shape:
    """Return the shape of plain values; balls that were placed are among them."""
    if PLACED not in plain:
        return shape_from_dict(plain)
    placed = {kind.kind: kind for kind in (PlacedDiscs, PlacedSpheres)}
    return placed[str(plain["kind"])].from_dict(plain)
