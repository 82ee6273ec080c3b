"""What every mesh must keep: regions and membranes measure what they should, no element folds.

Curved elements are images of straight ones under quadratic maps. The determinant of such a map is
a polynomial; its coefficients in Bernstein's basis bound it from below and average to its integral.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from torrey.geometry.mesh import CellMesh, FoldedError, MeshError
from torrey.geometry.shapes import Shape
from torrey.geometry.sizes import measure_error

Array = NDArray[np.float64]

#: Nodes of membranes lie on the exact surface up to this (units of the cell).
_ON_SURFACE = 1e-6
#: Elements whose determinants are computed at a time.
_BATCH = 20_000
#: Edges of a quadratic simplex in the order of its middle nodes.
_PAIR = (1 + math.sqrt(5 / 14)) / 4
_EDGES = {
    1: ((0, 1),),
    2: ((0, 1), (1, 2), (2, 0)),
    3: tuple(((0, 1), (1, 2), (2, 0), (0, 3), (2, 3), (1, 3))),
}


def _orbit(weights: tuple[float, ...]) -> Array:
    """All places with the same barycentric coordinates in another order."""
    return np.array(sorted(set(permutations(weights))))


#: Barycentric places at which the operators read the maps: quadrature of order 4.
_READ = {
    1: np.vstack([_orbit((0.5 - x, 0.5 + x)) for x in (0.0, math.sqrt(0.15))]),
    2: np.vstack([_orbit((1 - 2 * x, x, x)) for x in (0.445948490915965, 0.091576213509771)]),
    3: np.vstack(
        [
            _orbit((0.25,) * 4),
            _orbit((1 - 3 / 14, 1 / 14, 1 / 14, 1 / 14)),
            _orbit((_PAIR, _PAIR, 0.5 - _PAIR, 0.5 - _PAIR)),
        ]
    ),
}


def check_mesh(mesh: CellMesh, shape: Shape) -> None:
    """Raise unless a mesh is one of the shape.

    Parameters
    ----------
    mesh : CellMesh
    shape : Shape

    Raises
    ------
    FoldedError
        If curved elements fold over; it knows their places.
    MeshError
        If a region or membrane is missing, measures something else or lies elsewhere.
    """
    missing = set(range(len(shape.region_names))) - set(mesh.region.tolist())
    if missing:
        listed = ", ".join(shape.region_names[i] for i in sorted(missing))
        raise MeshError(f"no element lies in {listed}")
    measure, folded = volumes(mesh)
    if np.any(folded):
        corners = mesh.points[mesh.elements[folded, : mesh.dimension + 1]]
        edges = [corners[:, a] - corners[:, b] for a, b in _EDGES[mesh.dimension]]
        sizes = np.linalg.norm(edges, axis=-1).mean(axis=0)
        raise FoldedError(corners.mean(axis=1), sizes)
    for name, found, exact, tolerance in compared_measures(mesh, shape, measure):
        if not abs(found - exact) <= tolerance:
            raise MeshError(
                f"{name} measures {found:.8g} on the mesh, {exact:.8g} in truth; elements of this "
                f"size explain a difference of {tolerance:.1e}"
            )
    if len(mesh.membrane):
        _check_surfaces(mesh, shape)
    if mesh.dimension == 2:
        _check_points(mesh, shape)


def compared_measures(
    mesh: CellMesh, shape: Shape, measure: Array
) -> Iterator[tuple[str, float, float, float]]:
    """Yield name, measure on the mesh, exact measure and tolerance of all regions and membranes.

    Parameters
    ----------
    mesh : CellMesh
    shape : Shape
    measure : (n_elements,) float
        Of each element, as `volumes` returns them.
    """
    found = np.zeros(len(shape.region_names))
    np.add.at(found, mesh.region, measure)
    relative = _relative(mesh, shape)
    tolerances = shape.region_tolerances(relative)
    yield from zip(shape.region_names, found, shape.region_measures(), tolerances, strict=True)
    if membranes := shape.membranes():
        names = [membrane.name for membrane in membranes]
        areas = np.zeros(len(names))
        np.add.at(areas, mesh.membrane, facet_measures(mesh))
        exact = np.array(shape.interface_measures())
        yield from zip(names, areas, exact, relative * exact, strict=True)


def _relative(mesh: CellMesh, shape: Shape) -> Array:
    """Relative error that the facets explain of each membrane's measure, shape (n_membranes,)."""
    radii = shape.membrane_radii()
    if not np.any(np.isfinite(radii)):
        return measure_error(np.zeros(len(radii)))
    nodes = mesh.points[mesh.membrane_outside]
    edges = _EDGES[mesh.dimension - 1]
    lengths = [np.linalg.norm(nodes[:, a] - nodes[:, b], axis=1) for a, b in edges]
    largest = np.zeros(len(radii))
    angles = np.max(lengths, axis=0) / shape.facet_radii(nodes, mesh.membrane)
    np.maximum.at(largest, mesh.membrane, angles)
    return measure_error(largest)


def _check_surfaces(mesh: CellMesh, shape: Shape) -> None:
    """Nodes of membranes must lie on the exact surfaces, or on periodic images of them."""
    gaps = shape.surface_gaps(mesh.points[mesh.membrane_outside], mesh.membrane)
    worst = int(gaps.argmax())
    if gaps[worst] > _ON_SURFACE:
        name = shape.membranes()[mesh.membrane[worst]].name
        raise MeshError(f"a node of {name} lies {gaps[worst]:.1e} off its surface")


def volumes(mesh: CellMesh) -> tuple[Array, NDArray[np.bool_]]:
    """Measure of each element, and whether it folds over, both of shape (n_elements,).

    An element folds over where the determinant of its map is not positive at a point at which the
    operators read it, with the orientation of its corners.
    """
    d = mesh.dimension
    where = np.vstack([_grid(d, d) / d, _READ[d]])[:, 1:]
    gradients = _gradients(where)
    # The mean of the coefficients is the mean of the polynomial.
    mean = np.linalg.inv(_bernstein(d, d)).mean(axis=0)
    determinant = np.empty((len(mesh.elements), len(where)))
    for start in range(0, len(determinant), _BATCH):
        here = slice(start, start + _BATCH)
        determinant[here] = _determinants(mesh.points[mesh.elements[here]], gradients)
    measure = determinant[:, : len(mean)] @ mean
    # gmsh may number the corners of the elements either way. An element that is bent until all of
    # it lies on the other side of its face folds over as well.
    corners = mesh.points[mesh.elements[:, : d + 1]]
    straight = np.linalg.det(corners[:, 1:] - corners[:, :1])
    turned = determinant[:, len(mean) :] * np.sign(straight)[:, None]
    folded = np.any(turned <= 0, axis=1)
    return np.abs(measure) / math.factorial(d), folded


def facet_measures(mesh: CellMesh) -> Array:
    """Length or area of each facet of the membranes, shape (n_facets,); a point counts 1."""
    d = mesh.dimension - 1
    nodes = mesh.points[mesh.membrane_outside]
    if d == 0:
        return np.ones(len(nodes))
    where, weight = _quadrature(d)
    tangents = np.einsum("fna,znd->fzad", nodes, _gradients(where))
    metric = np.einsum("fzad,fzae->fzde", tangents, tangents)
    return np.asarray(np.sqrt(np.linalg.det(metric)) @ weight)


def _determinants(nodes: Array, gradients: Array) -> Array:
    """Determinants of the maps of elements at some points, shape (n_elements, n_points)."""
    d = nodes.shape[2]
    jacobian = np.tensordot(nodes, gradients, axes=(1, 1))  # element, axis, point, direction
    columns = [jacobian[..., i].transpose(1, 0, 2) for i in range(d)]
    if d == 1:
        return np.asarray(columns[0][0])
    if d == 2:
        (a, b), (c, e) = columns
        return np.asarray(a * e - b * c)
    (a, b, c), (e, f, g), (h, i, j) = columns
    return np.asarray(a * (f * j - g * i) - b * (e * j - g * h) + c * (e * i - f * h))


@cache
def _grid(dimension: int, degree: int) -> NDArray[np.int64]:
    """Barycentric multi-indices of a degree, shape (n, dimension + 1)."""
    rest = product(range(degree + 1), repeat=dimension)
    return np.array([(degree - sum(r), *r) for r in rest if sum(r) <= degree], dtype=np.int64)


def _bernstein(dimension: int, degree: int) -> Array:
    """Bernstein's polynomials, by column, at the grid of their degree."""
    grid = _grid(dimension, degree)
    factorial = np.array([math.factorial(i) for i in range(degree + 1)])
    count = math.factorial(degree) / factorial[grid].prod(axis=1)
    powers = (grid[:, None, :] / degree) ** grid[None, :, :]
    return np.asarray(count * powers.prod(axis=2))


def _gradients(places: Array) -> Array:
    """Gradients of the quadratic shape functions at places, shape (n_places, n_nodes, d)."""
    d = places.shape[1]
    barycentric = np.column_stack([1 - places.sum(axis=1), places])
    slopes = np.vstack([-np.ones(d), np.eye(d)])
    corners = (4 * barycentric[:, :, None] - 1) * slopes
    middles = [
        4 * (barycentric[:, a, None] * slopes[b] + barycentric[:, b, None] * slopes[a])
        for a, b in _EDGES[d]
    ]
    return np.concatenate([corners, np.stack(middles, axis=1)], axis=1)


def _quadrature(dimension: int) -> tuple[Array, Array]:
    """Gauss points on a line, and their products collapsed onto a triangle."""
    x, w = np.polynomial.legendre.leggauss(6)
    x, w = (x + 1) / 2, w / 2
    if dimension == 1:
        return x[:, None], w
    a, b = np.meshgrid(x, x, indexing="ij")
    weight = np.outer(w, w) * (1 - a)
    return np.column_stack([a.ravel(), (b * (1 - a)).ravel()]), weight.ravel()


def _check_points(mesh: CellMesh, shape: Shape) -> None:
    """Water that touches itself at a point would pass through its node, though not in truth."""
    nodes = mesh.periodic[mesh.elements[:, :3]]
    count = len(mesh.points)
    one, other = nodes.ravel(), np.roll(nodes, -1, axis=1).ravel()
    edges, times = np.unique(
        np.minimum(one, other) * count + np.maximum(one, other), return_counts=True
    )
    ends = np.bincount(np.ravel(np.divmod(edges[times == 1], count)), minlength=count)
    pinched = np.flatnonzero(ends > 2)
    if len(pinched):
        element = int(np.flatnonzero((nodes == pinched[0]).any(axis=1))[0])
        region = shape.region_names[mesh.region[element]]
        x, y = mesh.points[pinched[0]]
        raise MeshError(
            f"{region} touches itself at the point ({x:.6g}, {y:.6g}) of the cell, where membranes "
            "or walls meet tip to tip: leave a gap there, or let them share an edge"
        )
