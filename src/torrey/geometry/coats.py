"""Sizes of the elements around discs and spheres, and in rows across the layers around discs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import product

import gmsh
import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls import Balls
from torrey.geometry.boxes import Box
from torrey.geometry.drawing import Canvas
from torrey.geometry.placing import fractions, reaches
from torrey.geometry.sizes import ELEMENTS_PER_CIRCLE

Array = NDArray[np.float64]

LAYER_SECTORS = 4
"""Parts in which the layer around a disc is drawn."""

#: Elements across a layer on the coarsest mesh.
_ELEMENTS_ACROSS = 3
#: Sagitta of the elements along a layer, as a part of their thickness: they must not fold over.
_FLATNESS = 0.2
#: Two places are the same if they differ by less than this (units of the cell).
_SAME = 1e-6
#: A spot is near a layer if it is not further away than so many of its elements.
_NEAR = 4.0


def element_size(
    shape: Balls, canvas: Canvas, layers: Mapping[int, int]
) -> Callable[[Array], float]:
    """Mesh the layers in rows where they are whole; return the size of elements at a place.

    Parameters
    ----------
    shape : Discs or Spheres
        With one ball at least.
    canvas : Canvas
    layers : mapping of int to int
        Ball of each surface that belongs to a layer.
    """
    centres, radii = _neighbours(shape, canvas.box)
    thickness = float(np.max(shape.outer_radii - [c.radius for c in shape.cells]))
    cut = thickness > 0.0 and not _rule_layers(shape, _sizes_along(shape, canvas), layers)

    surfaces = _Surfaces(centres, radii, thickness + _SAME, 0.5 / math.sqrt(len(radii)))

    def size_at(place: Array) -> float:
        depths = surfaces.depths_at(place.tolist())
        nearest, next_nearest = sorted(map(abs, depths))[:2]
        smallest = nearest + next_nearest
        if cut and any(-thickness - _SAME <= depth <= _SAME for depth in depths):
            smallest = min(smallest, thickness / _ELEMENTS_ACROSS)
        return smallest

    return size_at


class _Surfaces:
    """Depths of places below the circles or spheres that are nearest to them.

    The mesher asks at hundreds of thousands of places. Those within one cube of a grid have the
    same few candidates, which are found when the first of them is asked for.

    Parameters
    ----------
    centres : (n, d) float
    radii : (n,) float
        Of two balls at least.
    reach : float
        Up to this distance from a surface, it is a candidate anyway.
    side : float
        Of the cubes.
    """

    def __init__(self, centres: Array, radii: Array, reach: float, side: float) -> None:
        self._centres, self._radii, self._reach, self._side = centres, radii, reach, side
        self._found: dict[tuple[int, ...], list[tuple[list[float], float]]] = {}

    def depths_at(self, place: list[float]) -> list[float]:
        """Distance of a place from surfaces, negative inside: of the nearest two, and others."""
        cube = tuple(math.floor(x / self._side) for x in place)
        candidates = self._found.get(cube)
        if candidates is None:
            candidates = self._found[cube] = self._candidates(np.array(cube))
        depths = []
        for centre, radius in candidates:
            square = 0.0
            for x, y in zip(place, centre, strict=True):
                square += (x - y) * (x - y)
            depths.append(math.sqrt(square) - radius)
        return depths

    def _candidates(self, cube: NDArray[np.int64]) -> list[tuple[list[float], float]]:
        middle = (cube + 0.5) * self._side
        half = 0.5001 * self._side * math.sqrt(len(cube))
        far = np.abs(np.linalg.norm(middle - self._centres, axis=1) - self._radii)
        near = far <= max(np.partition(far, 1)[1] + 2 * half, self._reach + half)
        return list(zip(self._centres[near].tolist(), self._radii[near].tolist(), strict=True))


def _neighbours(shape: Balls, box: Box) -> tuple[Array, Array]:
    """Centres and outer radii of the balls in the box and around it."""
    d = shape.dimension
    reach = np.ceil(reaches(box, shape).max(axis=0)).astype(int)
    shifts = np.array(list(product(*(range(-n, n + 2) for n in reach))))
    places = np.concatenate([fraction + shifts for fraction in fractions(box, shape)])
    near = np.all((places - box.origin > -reach) & (places - box.origin < 1 + reach), axis=1)
    radii = np.repeat(shape.outer_radii, len(shifts))
    return np.asarray((places @ box.vectors)[near].reshape(-1, d)), radii[near]


def _sizes_along(shape: Balls, canvas: Canvas) -> Array:
    """Size of the elements along the layer of each ball, smaller where spots are near it."""
    box, size, spots = canvas.box, canvas.size, canvas.spots
    shifts = np.array(list(product((-1, 0, 1), repeat=shape.dimension)))
    result = np.full(len(shape.cells), size)
    for i, fraction in enumerate(fractions(box, shape)):
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
