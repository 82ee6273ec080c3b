"""From a shape to its operators in one call, for notebooks and tests."""

from __future__ import annotations

import numpy as np

from torrey.base.lazy import Lazy
from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
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
    meshes = build_meshes(shape, mesh)
    membranes = np.array([(m.outside, m.inside) for m in shape.membranes()], dtype=np.int64)

    def operators(level: int) -> BlochTorrey:
        return bloch_torrey(assemble(meshes[level], membranes.reshape(-1, 2)), material)

    return Lazy.of(operators, len(meshes))
