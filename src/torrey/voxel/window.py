"""Integrals over a square window of a larger periodic box, whose faces cut elements anywhere."""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from skfem import ElementTriP2
from skfem.quadrature import get_quadrature

from torrey.voxel.assembly import Numbering
from torrey.voxel.quadratic import CHILDREN, Quadratic

Array = NDArray[np.float64]

_QUADRATURE: Final = 4
#: Elements at the faces are divided so often; of what is still cut then, the part counts that lies
#: in the window if its sides are straight.
_DIVISIONS: Final = 5
#: Elements that are worked on at once.
_GROUP: Final = 20_000


def window_weights(
    elements: Quadratic, numbering: Numbering, side: float, low: float, high: float
) -> NDArray[np.float64]:
    """Integral of each basis function over the square [low, high]^2 (um^2), shape (n,).

    Parameters
    ----------
    elements : Quadratic
    numbering : Numbering
        Of all their nodes.
    side : float
        Of the periodic box (um): of an element that reaches beyond a face of it, the images count
        that touch the window.
    low, high : float
        In um.
    """
    dofs = numbering.of(elements.node, elements.inside)
    weights = np.zeros(len(numbering.keys))
    # A curved element lies within the hull of its control points, not of its nodes.
    nodes = elements.places
    control = 2 * nodes[:, 3:] - (nodes[:, :3] + np.roll(nodes[:, :3], -1, axis=1)) / 2
    hull = np.concatenate([nodes[:, :3], control], axis=1)
    lowest, highest = hull.min(axis=1), hull.max(axis=1)
    reference = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    for shift in np.array(list(product((-side, 0.0, side), repeat=2))):
        touched = np.all((highest + shift > low) & (lowest + shift < high), axis=1)
        whole = touched & np.all((lowest + shift >= low) & (highest + shift <= high), axis=1)
        for chosen in _groups(np.flatnonzero(whole)):
            pieces = np.broadcast_to(reference, (len(chosen), 3, 2))
            _add(weights, dofs[chosen], nodes[chosen], pieces, np.ones(len(chosen)))
        for chosen in _groups(np.flatnonzero(touched & ~whole)):
            _add_cut(weights, dofs[chosen], nodes[chosen] + shift, (low, high))
    return weights


def _groups(numbers: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [numbers[i : i + _GROUP] for i in range(0, len(numbers), _GROUP)]


def _shapes(where: Array) -> tuple[Array, Array]:
    """Quadratic functions and their slopes at reference points (..., 2): (..., 6), (..., 6, 2)."""
    element = ElementTriP2()
    x = np.moveaxis(where, -1, 0)
    values, slopes = zip(*(element.lbasis(x, i) for i in range(6)), strict=True)
    return np.stack(values, axis=-1), np.stack([np.moveaxis(s, 0, -1) for s in slopes], axis=-2)


def _add(
    weights: Array, dofs: NDArray[np.int64], nodes: Array, pieces: Array, parts: Array
) -> None:
    """Add parts of the integrals over a piece of each element, of reference corners (n, 3, 2)."""
    where, weight = get_quadrature(ElementTriP2(), _QUADRATURE)
    edges = np.stack([pieces[:, 1] - pieces[:, 0], pieces[:, 2] - pieces[:, 0]], axis=1)
    points = pieces[:, :1] + np.einsum("kq,nkd->nqd", where, edges)
    values, slopes = _shapes(points)
    tangent = np.einsum("nia,nqib->nqab", nodes, slopes)
    measure = np.linalg.det(tangent) * weight * np.abs(np.linalg.det(edges))[:, None]
    share = np.einsum("nqi,nq->ni", values, measure) * parts[:, None]
    weights += np.bincount(dofs.ravel(), share.ravel(), len(weights))


def _add_cut(
    weights: Array, dofs: NDArray[np.int64], nodes: Array, window: tuple[float, float]
) -> None:
    """Add the integrals over the parts of elements that lie in the window."""
    low, high = window
    owner = np.arange(len(dofs))
    pieces = np.broadcast_to(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), (len(dofs), 3, 2))
    for division in range(_DIVISIONS + 1):
        values, _ = _shapes(pieces)
        places = np.einsum("nki,nia->nka", values, nodes[owner])
        part = np.ones(len(places))
        for axis in (0, 1):
            part *= _share_above(places[:, :, axis] - low)
            part *= _share_above(high - places[:, :, axis])
        # A piece at a corner of the window is cut twice.
        done = (part == 0.0) | (part == 1.0) | (division == _DIVISIONS)
        _add(weights, dofs[owner[done]], nodes[owner[done]], pieces[done], part[done])
        owner, pieces = np.tile(owner[~done], 4), _divided(pieces[~done])


def _share_above(height: Array) -> Array:
    """Part of triangles in which a linear function is above zero, by its corners (n, 3)."""
    low, middle, high = np.sort(height, axis=1).T
    with np.errstate(divide="ignore", invalid="ignore"):
        tip = high**2 / ((high - low) * (high - middle))
        foot = low**2 / ((high - low) * (middle - low))
    share = np.where(middle > 0.0, 1.0 - foot, tip)
    return np.asarray(np.where(low >= 0.0, 1.0, np.where(high <= 0.0, 0.0, share)))


def _divided(pieces: Array) -> Array:
    middles = (pieces + np.roll(pieces, -1, axis=1)) / 2
    six = np.concatenate([pieces, middles], axis=1)
    return np.concatenate([six[:, child] for child in CHILDREN])
