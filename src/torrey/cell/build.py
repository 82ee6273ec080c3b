"""From a shape to its operators in one call, for notebooks and tests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from torrey.base.lazy import Lazy
from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, CellOperators, bloch_torrey
from torrey.geometry.mesh import CellMesh
from torrey.geometry.meshing import build_meshes
from torrey.geometry.shapes import MeshOptions, Shape


def levels(shape: Shape, mesh: MeshOptions, material: Material) -> Lazy[BlochTorrey]:
    """Operators by mesh, coarsest first; each is assembled when first asked for.

    Parameters
    ----------
    shape : Shape
    mesh : MeshOptions
    material : Material
        One diffusivity per compartment.

    Raises
    ------
    MeshError
        If no mesh of the cell passes its checks, which are made here for every level.
    """
    return filled(geometries(shape, build_meshes(shape, mesh)), material)


def geometries(shape: Shape, meshes: Sequence[CellMesh]) -> Lazy[CellOperators]:
    """Geometric operators by mesh, which materials share; each is assembled when first asked for.

    Parameters
    ----------
    shape : Shape
    meshes : sequence of CellMesh
        Of that shape.
    """
    membranes = np.array([(m.outside, m.inside) for m in shape.membranes()], dtype=np.int64)
    centres = shape.radial_centres()
    return Lazy.over(meshes, partial(assemble, membranes=membranes.reshape(-1, 2), centres=centres))


def filled(cells: Sequence[CellOperators], material: Material) -> Lazy[BlochTorrey]:
    """Operators of a material by mesh; each is made when first asked for."""
    return Lazy.over(cells, partial(bloch_torrey, material=material))
