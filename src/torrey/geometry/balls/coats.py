"""Sizes of the elements around discs and spheres, and in rows across the layers around discs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import gmsh
import numpy as np
from numpy.typing import NDArray

from torrey.geometry.balls.base import Balls
from torrey.geometry.balls.placing import fractions
from torrey.geometry.balls.sizes import BallSizes
from torrey.geometry.drawing import Canvas
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
#: Places along the outside of a sector at which the gap is looked at.
_SAMPLES = 257
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
    thickness = float(np.max(shape.outer_radii - [c.radius for c in shape.cells]))
    around = BallSizes(shape, canvas.box, thickness + _SAME)
    cut = False
    if thickness > 0.0:
        cut = not _rule_layers(shape, _sizes_along(shape, canvas), layers, around)

    def size_at(place: Array) -> float:
        there = place.tolist()
        smallest = around.size_at(there)
        if cut and around.is_below(there, thickness, _SAME):
            smallest = min(smallest, thickness / _ELEMENTS_ACROSS)
        return smallest

    return size_at


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


def _rule_layers(shape: Balls, sizes: Array, layers: Mapping[int, int], around: BallSizes) -> bool:
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
        film = _size_in_films(tag, outer, around)
        along = int(np.ceil(max(length / min(sizes[ball], flat, film), least)))
        for curve in curves:
            straight = gmsh.model.occ.getMass(1, curve) < 1.5 * (outer - inner)
            count = _ELEMENTS_ACROSS if straight else along
            gmsh.model.mesh.setTransfiniteCurve(curve, count + 1)
        gmsh.model.mesh.setTransfiniteSurface(tag)
    return whole


def _size_in_films(sector: int, outer: float, around: BallSizes) -> float:
    """Smallest size of elements that the gaps outside a whole sector of a layer ask for."""
    for _, curve in gmsh.model.getBoundary([(2, sector)]):
        if gmsh.model.getType(1, abs(curve)) == "Circle":
            low, high = gmsh.model.getParametrizationBounds(1, abs(curve))
            where = np.linspace(low[0], high[0], _SAMPLES)
            places = np.array(gmsh.model.getValue(1, abs(curve), where.tolist())).reshape(-1, 3)
            if abs(gmsh.model.getCurvature(1, abs(curve), [low[0]])[0] * outer - 1) < _SAME:
                return min(map(around.size_at, places[:, :2].tolist()))
    return float("inf")
