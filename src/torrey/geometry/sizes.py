"""Sizes of the elements that hold for every kind of geometry."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.boxes import Box

Array = NDArray[np.float64]

#: Elements around a full circle on the coarsest mesh, at least, by dimension; their number grows
#: with the square around a sphere.
ELEMENTS_PER_CIRCLE = {2: 16, 3: 12}
#: How fast elements grow with the distance from small ones.
GROWTH = 0.3
#: Relative error of a measure over the fourth power of the angle that an element spans, at most;
#: 1/480 for arcs in rows, more for the longest of unequal elements.
_MEASURE_ERROR = 1 / 60
#: What rounding may change of a measure, relative to it.
ROUNDING = 1e-9


def measure_error(angle: Array | float) -> Array:
    """Relative error that elements explain of a measure; like h^4.

    Parameters
    ----------
    angle : float or array of float
        That an element spans on a curved membrane; 0 on a flat one.
    """
    return np.asarray(_MEASURE_ERROR * np.asarray(angle) ** 4 + ROUNDING)


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

    def size_at(self, place: Array) -> float:
        """Largest size of an element at a place; infinite where there is no spot."""
        if not len(self.sizes):
            return float("inf")
        apart = place - self.places
        far = np.sqrt(np.einsum("ij,ij->i", apart, apart))
        return float((self.sizes + GROWTH * far).min())


#: Length of an element in a film of water, over the length along which the film grows thicker.
_ALONG_FILM = 0.25
#: How fast elements grow inside a body with the depth below its surface.
_GROWTH_INSIDE = 0.7


def size_between(depths: Array, radii: Array) -> float:
    """Largest size of an element at a place between curved surfaces.

    Two surfaces at some distance have elements as long as they are apart. A film between surfaces
    that nearly touch grows thicker over the length sqrt(2 h / k) for its thickness h and the sum k
    of their curvatures, so that its elements may be long and thin.

    Parameters
    ----------
    depths : (n,) float
        Distance of the place from each surface, negative inside.
    radii : (n,) float
        Of curvature.
    """
    if len(depths) < 2:
        return float("inf")
    far = np.abs(depths)
    nearest, second = np.argpartition(far, 1)[:2]
    below = max(-float(depths[nearest]), 0.0)
    # Of a place inside, it is the film outside that tells.
    width = max(float(far[nearest] + far[second]) - 2 * below, 0.0)
    film = _ALONG_FILM * np.sqrt(2 * width / (1 / radii[nearest] + 1 / radii[second]))
    return float(max(width, film) + _GROWTH_INSIDE * below)
