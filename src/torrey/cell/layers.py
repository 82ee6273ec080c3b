"""From which time on the elements of a mesh resolve the layers of diffusion at membranes.

In a time t the field changes within sqrt(D t) of a membrane. Where elements are not small beside
that, two meshes may both miss the layer, and agree.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from torrey.cell.operators import BlochTorrey

ELEMENTS_PER_LAYER: Final = 3.0
"""Elements within sqrt(D t), at least."""


def layer_time(operators: BlochTorrey, period: float = 1.0) -> float:
    """Time (ms) after which the layers at membranes are three elements deep in all compartments.

    Parameters
    ----------
    operators : BlochTorrey
        On the mesh in question.
    period : float, um
    """
    cell, d = operators.cell, operators.cell.dimension
    nodes = np.bincount(cell.compartment, minlength=len(cell.measures()))
    element = 2.0 * (cell.measures() / nodes) ** (1 / d)
    mean = np.trace(operators.inner_diffusivity, axis1=1, axis2=2) / d
    # Coats within a compartment have elements of their own size; the rest of it counts.
    D = np.zeros(len(nodes))
    np.maximum.at(D, cell.region_compartment, mean)
    # Immobile water has no layers.
    moves = D > 0.0
    squares = (ELEMENTS_PER_LAYER * element[moves] * period) ** 2
    return float(np.max(squares / D[moves], initial=0.0))
