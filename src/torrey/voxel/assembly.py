"""The operators of a voxel: those of `torrey.cell.operators`, in um, for one gradient direction.

    M du/dt = -A(g) u,    A(g) = K + kappa J + i g C + g^2 D M

D is the diffusivity, a number outside and one inside. Elements are worked on in groups and scipy
adds their entries up: three arrays on one pattern, compressed by rows, and nothing else is kept.
Degrees of freedom are numbered along a curve that fills the plane, so that neighbours lie close in
memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from skfem import ElementTriP2
from skfem.quadrature import get_quadrature

from torrey.geometry.mesh import MeshError
from torrey.voxel.blocks import Pattern
from torrey.voxel.quadratic import Quadratic

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: As in `torrey.cell.assembly`.
_QUADRATURE, _ON_ARCS = 4, 6
#: Elements that are worked on at once.
_GROUP: Final = 40_000
#: Linear functions of an element, at its six nodes; and of an arc, at its three.
LINEAR: Final = np.array(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0], [0, 0.5, 0.5], [0.5, 0, 0.5]]
)
_LINEAR_ARC: Final = np.array([[1, 0], [0, 1], [0.5, 0.5]])


@dataclass(frozen=True)
class Properties:
    """What the operators of a voxel depend on beside its discs.

    Attributes
    ----------
    outside, inside : float
        Diffusivities (um^2/ms).
    permeability : float
        kappa (um/ms).
    direction : tuple of float
        Unit vector of the gradient.
    """

    outside: float
    inside: float
    permeability: float
    direction: tuple[float, ...]

    def diffusivity(self, inside: NDArray[np.bool_]) -> Array:
        """D where it is inside or not (um^2/ms)."""
        return np.where(inside, self.inside, self.outside)


@dataclass(frozen=True)
class Operators:
    """Operators on one space of functions; entries on one pattern.

    Attributes
    ----------
    pattern : Pattern
    K : (nnz,) float
        Stiffness and membranes: K + kappa J.
    C : (nnz,) float
    M : (nnz,) float
        um^2.
    D : (n,) float
        Diffusivity at each degree of freedom: none couples to one of the other kind in M.
    """

    pattern: Pattern
    K: Array
    C: Array
    M: Array
    D: Array

    @property
    def size(self) -> int:
        """Number of degrees of freedom."""
        return self.pattern.size

    @cached_property
    def weights(self) -> Array:
        """Integral of each basis function (um^2), shape (n,)."""
        return np.asarray(self.pattern.whole(self.M) @ np.ones(self.size))


@dataclass(frozen=True)
class Numbering:
    """Degrees of freedom: nodes, and those on circles twice, once for each side.

    Attributes
    ----------
    keys : (n,) int
        Twice the node, and one more inside; sorted.
    order : (n,) int
        Degree of freedom of each key.
    """

    keys: Integers
    order: Integers

    def of(self, node: Integers, inside: NDArray[np.bool_]) -> Integers:
        """Degree of freedom of nodes (..., k) of elements (...)."""
        return np.asarray(self.order[np.searchsorted(self.keys, 2 * node + inside[..., None])])

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether each degree of freedom is inside."""
        inside = np.empty(len(self.keys), dtype=bool)
        inside[self.order] = self.keys % 2 == 1
        return inside


def number(elements: Quadratic, columns: slice = slice(None)) -> Numbering:
    """Number the degrees of freedom of some columns of the nodes, along a curve in the plane."""
    node = elements.node[:, columns]
    keys = 2 * node + elements.inside[:, None]
    found, first = np.unique(keys, return_index=True)
    place = elements.places[:, columns].reshape(-1, 2)[first]
    return Numbering(found, np.argsort(np.argsort(_along_curve(place), kind="stable")))


def _along_curve(place: Array) -> NDArray[np.uint64]:
    """Position of places along Morton's curve."""
    low = place.min(axis=0)
    scale = 65535.0 / max(float((place.max(axis=0) - low).max()), 1e-300)
    spread = ((place - low) * scale).astype(np.uint64)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        spread = (spread | (spread << np.uint64(shift))) & np.uint64(mask)
    return np.asarray(spread[:, 0] | (spread[:, 1] << np.uint64(1)))


def assemble(
    elements: Quadratic, numbering: Numbering, properties: Properties, linear: bool = False
) -> Operators:
    """Operators on quadratic functions, or on the linear ones among them.

    Parameters
    ----------
    elements : Quadratic
    numbering : Numbering
        Of all nodes, or of the vertices for linear functions.
    properties : Properties
    linear : bool
        Functions that are linear in the coordinates of the reference element: a subspace.

    Raises
    ------
    MeshError
        If an element folds over.
    """
    volumes, (arcs, ends) = (
        _volumes(elements, properties, linear),
        _membranes(elements, linear),
    )
    dofs = numbering.of(elements.node[:, : len(volumes[0][0])], elements.inside).astype(np.int32)
    sides = np.concatenate(
        [numbering.of(ends, np.full(len(ends), side)) for side in (False, True)], axis=1
    ).astype(np.int32)
    rows = np.concatenate([np.repeat(d, d.shape[1], axis=1).ravel() for d in (dofs, sides)])
    columns = np.concatenate([np.tile(d, (1, d.shape[1])).ravel() for d in (dofs, sides)])
    n, n_volumes = len(numbering.keys), dofs.size * dofs.shape[1]

    def matrix(values: NDArray) -> csr_array:
        return csr_array(coo_array((values, (rows, columns)), shape=(n, n)))

    # Large arrays go as soon as they have been used. Membranes have zeros in M and C, so that all
    # matrices have one pattern.
    values = np.zeros(len(rows))
    values[:n_volumes] = volumes.pop().ravel()
    M = matrix(values).data
    del values
    # One complex matrix for two real ones: scipy sorts and sums once.
    both = np.zeros(len(rows), dtype=complex)
    both.imag[:n_volumes] = volumes.pop().ravel()
    both.real[:n_volumes] = volumes.pop().ravel()
    jump = np.concatenate([arcs, -arcs], axis=2) * properties.permeability
    both.real[n_volumes:] = np.concatenate([jump, -jump], axis=1).ravel()
    KC = matrix(both)
    del both
    pattern = Pattern(KC.indptr.astype(np.int32), KC.indices.astype(np.int32))
    K, C = KC.data.real.copy(), KC.data.imag.copy()
    return Operators(pattern, K, C, M, properties.diffusivity(numbering.inside))


def _volumes(elements: Quadratic, properties: Properties, linear: bool) -> list[Array]:
    """Stiffness, C and mass of each element, shapes (n, k, k)."""
    element = ElementTriP2()
    where, weight = get_quadrature(element, _QUADRATURE)
    shape, slope = (
        np.array(part) for part in zip(*(element.lbasis(where, i) for i in range(6)), strict=True)
    )
    k = 3 if linear else 6
    n = len(elements.node)
    found = [np.empty((n, k, k)) for _ in range(3)]
    D = properties.diffusivity(elements.inside)
    direction = np.asarray(properties.direction)
    for begin in range(0, n, _GROUP):
        part = slice(begin, begin + _GROUP)
        tangent = np.einsum("eia,ibq->eqab", elements.places[part], slope, optimize=True)
        determinant = np.linalg.det(tangent)
        if np.any(determinant <= 0.0):
            folded = int(np.any(determinant <= 0.0, axis=1).sum())
            raise MeshError(f"{folded} curved elements fold over: more segments per circle")
        gradient = np.einsum("ibq,eqba->eiqa", slope, np.linalg.inv(tangent), optimize=True)
        measure = determinant * weight
        weighted = gradient * (measure * D[part, None])[:, None, :, None]
        along = weighted @ direction
        size = gradient.shape[:2] + (-1,)
        K = weighted.reshape(size) @ gradient.reshape(size).transpose(0, 2, 1)
        B = np.einsum("iq,ejq->eij", shape, along, optimize=True)
        M = np.einsum("iq,jq,eq->eij", shape, shape, measure, optimize=True)
        for i, values in enumerate((K, B - B.transpose(0, 2, 1), M)):
            found[i][part] = LINEAR.T @ values @ LINEAR if linear else values
    return found


def _membranes(elements: Quadratic, linear: bool) -> tuple[Array, Integers]:
    """int u v over each arc, (n, k, k), and its nodes, (n, k): ends, then the middle."""
    element, edge = np.nonzero(elements.arc & ~elements.inside[:, None])
    local = np.stack([edge, (edge + 1) % 3, 3 + edge], axis=1)
    node, place = elements.node[element[:, None], local], elements.places[element[:, None], local]
    s, weight = np.polynomial.legendre.leggauss(_ON_ARCS // 2 + 1)
    s, weight = (s + 1) / 2, weight / 2
    shape = np.array([(1 - s) * (1 - 2 * s), s * (2 * s - 1), 4 * s * (1 - s)])
    slope = np.array([4 * s - 3, 4 * s - 1, 4 - 8 * s])
    tangent = np.einsum("fia,iq->fqa", place, slope)
    mass = np.einsum(
        "iq,jq,fq->fij", shape, shape, np.hypot(tangent[..., 0], tangent[..., 1]) * weight
    )
    if linear:
        return _LINEAR_ARC.T @ mass @ _LINEAR_ARC, node[:, :2]
    return mass, node


def interpolation(elements: Quadratic, fine: Numbering, coarse: Numbering) -> csr_array:
    """From linear to quadratic functions of a triangulation, shape (n_fine, n_coarse)."""
    ends = coarse.of(elements.node[:, :3], elements.inside)
    nodes = fine.of(elements.node, elements.inside)
    rows, columns, values = [], [], []
    for local, parents in enumerate(_parents()):
        for parent in parents:
            rows.append(nodes[:, local])
            columns.append(ends[:, parent])
            values.append(np.full(len(nodes), 1.0 / len(parents)))
    row, column, value = (np.concatenate(part) for part in (rows, columns, values))
    width = len(coarse.keys)
    # Elements that share a node give it the same.
    key, first = np.unique(row * width + column, return_index=True)
    return csr_array((value[first], (key // width, key % width)), shape=(len(fine.keys), width))


def _parents() -> Sequence[tuple[int, ...]]:
    return [tuple(np.flatnonzero(row).tolist()) for row in LINEAR]


def project(
    operators: Operators, P: csr_array, inside: NDArray[np.bool_], properties: Properties
) -> Operators:
    """Galerkin's projection P^T A P of all operators on a subspace."""
    both = operators.pattern.whole(operators.K + 1j * operators.C)
    KC = csr_array(P.T @ both @ P)
    M = csr_array(P.T @ operators.pattern.whole(operators.M) @ P)
    # Products may leave entries out of one that the other has.
    common = csr_array(abs(KC) + abs(M))
    for matrix in (common, KC, M):
        matrix.sort_indices()
    pattern = Pattern(common.indptr.astype(np.int32), common.indices.astype(np.int32))
    KC, M = _on(common, KC), _on(common, M)
    return Operators(
        pattern, KC.real.copy(), KC.imag.copy(), M.real.copy(), properties.diffusivity(inside)
    )


def _on(pattern: csr_array, matrix: csr_array) -> NDArray:
    """Entries of a matrix on a pattern that has all of them."""
    rows = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))
    own = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    width = pattern.shape[1]
    data = np.zeros(pattern.nnz, dtype=matrix.dtype)
    data[np.searchsorted(rows * width + pattern.indices, own * width + matrix.indices)] = (
        matrix.data
    )
    return data
