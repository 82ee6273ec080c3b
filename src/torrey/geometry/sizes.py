"""Sizes of the elements: small where membranes are curved or close, in rows across layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import gmsh
import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls import Balls
from torrey.geometry.boxes import ELEMENTS_PER_CIRCLE, Box

Array = NDArray[np.float64]

LAYER_SECTORS = 4
"""Parts in which the layer around a disc is drawn."""

#: Elements across a layer on the coarsest mesh.
_ELEMENTS_ACROSS = 3
#: Sagitta of the elements along a layer, as a part of their thickness: they must not fold over.
_FLATNESS = 0.2
#: Two places are the same if they differ by less than this (units of the cell).
_SAME = 1e-6
#: How fast elements grow with the distance from a spot of small ones.
_GROWTH = 0.3
#: A spot is near a layer if it is not further away than so many of its elements.
_NEAR = 4.0


@dataclass(frozen=True)
class Spots:
    """Places, and all their periodic images, around which elements are small.

    Attributes
    ----------
    places : (n, d) float
    sizes : (n,) float
        Size of the elements there, in units of the cell as the places.
    """

    places: Array
    sizes: Array

    @classmethod
    def none(cls, dimension: int) -> Spots:
        """No place at all."""
        return cls(np.empty((0, dimension)), np.empty(0))

    def and_also(self, other: Spots) -> Spots:
        """Both of them."""
        return Spots(
            np.concatenate([self.places, other.places]), np.concatenate([self.sizes, other.sizes])
        )

    def around(self, box: Box) -> Spots:
        """The spots with their images in and around a box."""
        d = len(box.origin)
        shifts = np.array(list(product((-1, 0, 1), repeat=d)))
        home = (self.places @ box.inverse - box.origin) % 1.0
        images = (home[:, None] + shifts).reshape(-1, d)
        near = np.all((images > -0.5) & (images < 1.5), axis=1)
        sizes = np.repeat(self.sizes, len(shifts))
        return Spots((images[near] + box.origin) @ box.vectors, sizes[near])


def set_sizes(shape: Balls, box: Box, size: float, spots: Spots, layers: Mapping[int, int]) -> None:
    """Tell gmsh the sizes of elements, and mesh the layers in rows where they are whole.

    Parameters
    ----------
    shape : Discs or Spheres
    box : Box
    size : float
        Largest size, in units of the cell.
    spots : Spots
    layers : mapping of int to int
        Ball of each surface that belongs to a layer.
    """
    gmsh.option.setNumber("Mesh.MeshSizeFromCurvature", ELEMENTS_PER_CIRCLE[shape.dimension])
    if not shape.cells:
        return
    d = shape.dimension
    centres, radii = _neighbours(shape, box)
    thickness = float(np.max(shape.outer_radii - [c.radius for c in shape.cells]))
    small = spots.around(box)
    cut = thickness > 0.0 and not _rule_layers(shape, _sizes_along(shape, box, size, spots), layers)

    def size_at(_dim: int, _tag: int, x: float, y: float, z: float, proposed: float) -> float:
        place = np.array((x, y, z))[:d]
        depth = np.linalg.norm(place - centres, axis=1) - radii
        distance = np.abs(depth)
        nearest, next_nearest = np.partition(distance, 1)[:2]
        smallest = min(proposed, size, nearest + next_nearest)
        if cut and np.any((depth <= _SAME) & (depth >= -thickness - _SAME)):
            smallest = min(smallest, thickness / _ELEMENTS_ACROSS)
        if len(small.sizes):
            far = np.linalg.norm(place - small.places, axis=1)
            smallest = min(smallest, np.min(small.sizes + _GROWTH * far))
        return float(smallest)

    gmsh.model.mesh.setSizeCallback(size_at)


def _neighbours(shape: Balls, box: Box) -> tuple[Array, Array]:
    """Centres and outer radii of the balls in the box and around it."""
    d = shape.dimension
    reach = np.ceil(box.reach(shape).max(axis=0)).astype(int)
    shifts = np.array(list(product(*(range(-n, n + 2) for n in reach))))
    places = np.concatenate([fraction + shifts for fraction in box.fractions(shape)])
    near = np.all((places - box.origin > -reach) & (places - box.origin < 1 + reach), axis=1)
    radii = np.repeat(shape.outer_radii, len(shifts))
    return np.asarray((places @ box.vectors)[near].reshape(-1, d)), radii[near]


def _sizes_along(shape: Balls, box: Box, size: float, spots: Spots) -> Array:
    """Size of the elements along the layer of each ball, smaller where spots are near it."""
    d = shape.dimension
    shifts = np.array(list(product((-1, 0, 1), repeat=d)))
    result = np.full(len(shape.cells), size)
    for i, fraction in enumerate(box.fractions(shape)):
        apart = (spots.places @ box.inverse - fraction + 0.5) % 1.0 - 0.5
        places = (apart[:, None] + shifts) @ box.vectors
        distance = np.linalg.norm(places, axis=-1).min(axis=1)
        near = distance < shape.outer_radii[i] + _NEAR * spots.sizes
        result[i] = min(size, spots.sizes[near].min(initial=np.inf))
    return result


def _rule_layers(shape: Balls, sizes: Array, layers: Mapping[int, int]) -> bool:
    """Mesh whole sectors of layers in rows; return whether no sector is cut by a face."""
    whole = True
    for tag, ball in layers.items():
        inner, outer = shape.cells[ball].radius, float(shape.outer_radii[ball])
        curves = [abs(curve) for _, curve in gmsh.model.getBoundary([(2, tag)])]
        area = np.pi * (outer**2 - inner**2) / LAYER_SECTORS
        if len(curves) != 4 or abs(gmsh.model.occ.getMass(2, tag) / area - 1) > 1e-6:
            whole = False
            continue
        flat = np.sqrt(8 * inner * _FLATNESS * (outer - inner) / _ELEMENTS_ACROSS)
        length = 2 * np.pi / LAYER_SECTORS * outer
        least = ELEMENTS_PER_CIRCLE[2] / LAYER_SECTORS
        along = int(np.ceil(max(length / min(sizes[ball], flat), least)))
        for curve in curves:
            straight = gmsh.model.occ.getMass(1, curve) < 1.5 * (outer - inner)
            count = _ELEMENTS_ACROSS if straight else along
            gmsh.model.mesh.setTransfiniteCurve(curve, count + 1)
        gmsh.model.mesh.setTransfiniteSurface(tag)
    return whole
