"""Layers of diffusion at membranes that the elements of a mesh may miss.

In a time t the field changes within sqrt(D t) of a membrane. Studies ask for three elements in that
(`torrey.cell.layers`), and take the change that the last refinement made for the error where there
are fewer. Where the layer is thinner than a third of an element, not even that can be trusted: the
nodes of the membrane then hold water of the whole element, and two meshes that both let all of it
through agree. What passes is then estimated from above; the two numbers
below were chosen by packings whose discs hold water that stands still.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from torrey.cell.layers import ELEMENTS_PER_LAYER
from torrey.voxel.assembly import Properties
from torrey.voxel.medium import DiscMedium
from torrey.voxel.triangulation import Triangles

#: Elements within sqrt(D t) below which two meshes may agree on a wrong exchange.
_MISSED: Final = 1 / 3
#: Part of an element from which its membrane draws: the integral of the function of an edge's
#: middle is a third of the triangle, which is half as deep as a square.
_FEEDS: Final = 1 / 6


@dataclass(frozen=True)
class Layers:
    """What a mesh makes of the layers at the membranes of a voxel.

    Attributes
    ----------
    resolved : bool
        Whether they are three elements deep on both sides.
    missed : float
        Estimate from above of what water that passes where it would not changes of the signal,
        which is 1 without gradient; 0 where elements and layers are alike.
    depth, element : float
        Of the layer that is thinnest beside its elements, and the largest of those (um).
    """

    resolved: bool
    missed: float
    depth: float
    element: float


def layers_of(
    triangles: Triangles, medium: DiscMedium, properties: Properties, time: float
) -> Layers:
    """Compare the elements at membranes with the layers that grow there in a time.

    Parameters
    ----------
    triangles : Triangles
        The finest mesh.
    medium : DiscMedium
    properties : Properties
    time : float, ms
    """
    circle, corners = triangles.circle, triangles.corners
    touching = np.any((circle >= 0) & (circle == np.roll(circle, -1, axis=1)), axis=1)
    edges = corners[:, 1:] - corners[:, :1]
    element = np.sqrt(np.abs(np.linalg.det(edges)))
    kappa, membranes = properties.permeability, medium.surface * medium.fraction
    sides, missed = [], 0.0
    for inside, D in ((True, properties.inside), (False, properties.outside)):
        h = float(np.max(element[touching & (triangles.inside == inside)]))
        depth = math.sqrt(D * time)
        sides.append((depth, h))
        if depth < _MISSED * h:
            # A membrane that empties no layer lets through what it should.
            emptied = min(1.0, kappa * math.sqrt(time / D)) if D > 0.0 else 1.0
            missed += membranes * min(kappa * time * emptied, _FEEDS * h)
    depth, h = min(sides, key=lambda side: side[0] / side[1])
    return Layers(depth >= ELEMENTS_PER_LAYER * h, missed, depth, h)
