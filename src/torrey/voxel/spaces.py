"""The nested spaces of a voxel's meshes, and what multigrid needs of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from torrey.voxel.assembly import (
    Numbering,
    Operators,
    Properties,
    assemble,
    interpolation,
    number,
    project,
)
from torrey.voxel.medium import DiscMedium
from torrey.voxel.quadratic import Quadratic, quadratic
from torrey.voxel.triangulation import Triangles

_VERTICES = slice(0, 3)


@dataclass(frozen=True)
class Spaces:
    """Quadratic functions on the finest mesh, then linear ones on it and on all coarser meshes.

    Attributes
    ----------
    operators : tuple of Operators
    interpolations : tuple of csr_array
        From each space to the one before.
    elements : Quadratic
        Of the finest mesh.
    numbering : Numbering
        Of its nodes.
    """

    operators: tuple[Operators, ...]
    interpolations: tuple[csr_array, ...]
    elements: Quadratic
    numbering: Numbering

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether each degree of freedom of the first space is inside a disc."""
        return self.numbering.inside


def nested_spaces(
    meshes: Sequence[Triangles], medium: DiscMedium, properties: Properties
) -> Spaces:
    """Assemble the operators on the finest of some meshes, and project them on the coarser ones.

    Parameters
    ----------
    meshes : sequence of Triangles
        Each the refinement of the one before.
    medium : DiscMedium
    properties : Properties
    """
    elements = quadratic(meshes[-1], medium)
    nodes, vertices = number(elements), number(elements, _VERTICES)
    operators = [
        assemble(elements, nodes, properties),
        assemble(elements, vertices, properties, linear=True),
    ]
    interpolations = [interpolation(elements, nodes, vertices)]
    for mesh in meshes[-2::-1]:
        # The nodes of a mesh are the vertices of its refinement.
        coarse = quadratic(mesh, medium)
        corners = number(coarse, _VERTICES)
        P = interpolation(coarse, vertices, corners)
        interpolations.append(P)
        operators.append(project(operators[-1], P, corners.inside, properties))
        vertices = corners
    return Spaces(tuple(operators), tuple(interpolations), elements, nodes)
