"""Integrals over quadratic elements, batch by batch, with the elements of scikit-fem.

An element is the image of a reference simplex under the map whose shape functions are those of the
fields, P2: curved where a membrane is. Fields, gradients and weights of a batch of elements are
arrays over (element, node, axis, quadrature point), and a form is a product of such arrays summed
over the points. All volume integrals of the Bloch-Torrey operators come of one product::

    F_a = (v_a, d_1 v_a, ..., d_d v_a)        P_ab = int F_a F_b^T

whose corner is the mass, whose first row is the advection, and whose rest is the stiffness.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from skfem import ElementLineP2, ElementTetP2, ElementTriP2
from skfem.quadrature import get_quadrature

from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]

#: Exact for the products of P2 functions on straight elements; curved ones lose nothing in order.
QUADRATURE_ORDER: Final = 4

_P2: Final = {1: ElementLineP2, 2: ElementTriP2, 3: ElementTetP2}
#: Nodes of a mesh in the order of scikit-fem: gmsh lists the last two edges of a tetrahedron the
#: other way round, and the edge 02 after 12 is that of both.
_ORDER: Final = {1: [0, 1, 2], 2: [0, 1, 2, 3, 4, 5], 3: [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]}
#: Numbers that the largest array of a batch may hold.
_BATCH: Final = 1_000_000


@dataclass(frozen=True)
class Reference:
    """P2 functions at the quadrature points of the reference simplex of d dimensions.

    Attributes
    ----------
    value : (m, q) float
    slope : (m, d, q) float
    weight : (q,) float
    """

    value: Array
    slope: Array
    weight: Array

    @classmethod
    def of(cls, dimension: int, order: int) -> Reference:
        """Functions at the points of a rule that is exact to some order, nodes as in a mesh."""
        element = _P2[dimension]()
        where, weight = get_quadrature(element, order)
        at = [element.lbasis(where, i) for i in range(len(element.doflocs))]
        # scikit-fem lets a gradient in one dimension go without its axis, or not.
        slope = np.array([np.reshape(each[1], (dimension, -1)) for each in at])
        value = np.array([np.broadcast_to(each[0], weight.shape) for each in at])
        slope = np.broadcast_to(slope, (*slope.shape[:2], len(weight)))
        nodes = _ORDER[dimension]
        return cls(value[nodes], slope[nodes], weight)


@dataclass(frozen=True)
class Batch:
    """Some elements of a mesh at their quadrature points.

    Attributes
    ----------
    chosen : slice
        Which elements of the mesh they are.
    corners : (e, m, d) float
        Places of their nodes.
    value : (m, q) float
        Functions of the nodes, the same on every element.
    jacobian, determinant : (e, d, d, q), (e, q) float
        Of the map from the reference element: [element, axis, axis of reference, point].
    slope : (m, d, q) float
        Gradients on the reference element.
    rule : (q,) float
        Weights on the reference element.
    """

    chosen: slice
    corners: Array
    value: Array
    jacobian: Array
    determinant: Array
    slope: Array
    rule: Array

    @property
    def weight(self) -> Array:
        """Weights of the points, shape (e, q)."""
        return np.abs(self.determinant) * self.rule

    @property
    def places(self) -> Array:
        """Quadrature points, shape (e, d, q): what a coefficient that varies in space needs."""
        return np.einsum("mq,emd->edq", self.value, self.corners)

    @cached_property
    def gradient(self) -> Array:
        """Gradients of the functions, shape (e, m, d, q)."""
        inverse = _adjugate(self.jacobian) / self.determinant[:, None, None]
        return np.einsum("akq,ekdq->eadq", self.slope, inverse)

    @property
    def is_folded(self) -> NDArray[np.bool_]:
        """Whether each element folds over."""
        return np.any(self.determinant <= 0.0, axis=1) & np.any(self.determinant >= 0.0, axis=1)


def batches(mesh: CellMesh, order: int = QUADRATURE_ORDER) -> Iterator[Batch]:
    """Yield all elements of a mesh, some thousands at a time."""
    d = mesh.dimension
    reference = Reference.of(d, order)
    m, q = reference.value.shape
    step = max(1, _BATCH // (m * (d + 1)) ** 2)
    for first in range(0, len(mesh.elements), step):
        chosen = slice(first, min(first + step, len(mesh.elements)))
        corners = mesh.points[mesh.elements[chosen]]
        jacobian = corners.swapaxes(1, 2).reshape(-1, m) @ reference.slope.reshape(m, -1)
        jacobian = jacobian.reshape(-1, d, d, q)
        determinant = np.einsum("ekq,ekq->eq", jacobian[:, 0], _adjugate(jacobian)[:, :, 0])
        yield Batch(
            chosen,
            corners,
            reference.value,
            jacobian,
            determinant,
            reference.slope,
            reference.weight,
        )


def volume_forms(batch: Batch) -> Array:
    """int u v, int d_j u v and int d_l u d_j v of each element.

    Returns
    -------
    (1 + d + d d, e, m, m) float
        Entries [.., row of v, column of u] in that order, [j, l] row by row.
    """
    e, m, d, q = batch.gradient.shape
    values = np.broadcast_to(batch.value[:, None], (e, m, 1, q))
    fields = np.concatenate([values, batch.gradient], axis=2).reshape(e, -1, q)
    products = (fields * batch.weight[:, None]) @ fields.swapaxes(1, 2)
    products = products.reshape(e, m, d + 1, m, d + 1)
    mass, advection = products[:, :, :1, :, 0], products[:, :, 0, :, 1:]
    stiffness = products[:, :, 1:, :, 1:].transpose(2, 4, 0, 1, 3).reshape(d * d, e, m, m)
    return np.concatenate(
        [mass.transpose(2, 0, 1, 3), advection.transpose(3, 0, 1, 2), stiffness], axis=0
    )


def facet_mass(points: Array, facets: NDArray[np.int64]) -> Array:
    """int u v over each curved quadratic facet, shape (n_facets, n_nodes, n_nodes)."""
    dimension = points.shape[1] - 1
    if dimension == 0:
        return np.ones((len(facets), 1, 1))
    # The root of the metric is no polynomial.
    reference = Reference.of(dimension, QUADRATURE_ORDER + 2)
    tangents = np.einsum("fna,ndz->fzad", points[facets], reference.slope)
    metric = np.einsum("fzad,fzae->fzde", tangents, tangents)
    measure = np.sqrt(np.linalg.det(metric)) * reference.weight
    return np.einsum("mz,nz,fz->fmn", reference.value, reference.value, measure)


def _adjugate(matrices: Array) -> Array:
    """Adjugates of (e, d, d, q) matrices [.., row, column, point]: inverses times determinants."""
    d = matrices.shape[1]
    if d == 1:
        return np.ones_like(matrices)
    if d == 2:
        (a, b), (c, e) = (matrices[:, i].swapaxes(0, 1) for i in range(2))
        return np.stack([np.stack([e, -b], axis=1), np.stack([-c, a], axis=1)], axis=1)
    one, two, three = (matrices[:, i] for i in range(3))
    columns = [np.cross(two, three, axis=1), np.cross(three, one, axis=1)]
    return np.stack([*columns, np.cross(one, two, axis=1)], axis=2)
