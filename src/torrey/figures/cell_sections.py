"""Fields on a cell as they are drawn: profiles of a line, maps of a plane, sections of a solid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.figures.isosurfaces import eighths, isosurface, refine

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Numbers = NDArray[np.int64]

#: Phase that a straight line between two points may span (rad), and how fine elements are cut.
_SMOOTH: Final = 0.4
_COARSEST, _FINEST = 2, 10


@dataclass(frozen=True)
class Section:
    """The magnetisation at the points of a picture.

    Attributes
    ----------
    places : (n, 1) or (n, 2) float
        In um: along a line, in a plane, or in the plane that cuts a cell in space.
    simplices : (n_simplices, 2) or (n_simplices, 3) int
        Points of each piece of a line, or of each triangle.
    values : (n_times, n) complex
        m, or |m|.
    borders : (n_borders, 2, 2) float
        Ends of the straight borders of regions in a cell in space (um); none of others.
    axes : tuple of str
        Names of the axes of the picture.
    """

    places: Array
    simplices: Numbers
    values: ComplexArray
    borders: Array
    axes: tuple[str, ...]


def section_of(data: Mapping[str, NDArray[Any]], real: bool) -> Section:
    """What a picture shows of a file of `torrey.reference.magnetisation`.

    Parameters
    ----------
    data : mapping
        Variables of the file.
    real : bool
        Whether the phase is wanted, for the real part of m: elements are cut as finely as it turns.
    """
    places = float(data["length"]) * data["place"]
    elements = data["element_node"].astype(np.int64)
    u, g = data["u_real"] + 1j * data["u_imag"], data["wave_vector"]
    if places.shape[1] == 3:
        height = float(data["length"]) * float(data["height"])
        return _cut(places, elements, data["region"], u, g, int(data["normal"]), height)
    parts = _parts(places, elements, g) if real else _COARSEST
    weights, simplices = _lattice(places.shape[1], parts)
    fine = np.einsum("kj,njd->nkd", weights, places[elements]).reshape(-1, places.shape[1])
    values = np.einsum("kj,tnj->tnk", weights, u[:, elements]).reshape(len(u), -1)
    first = len(weights) * np.arange(len(elements))
    numbers = (first[:, None, None] + simplices).reshape(-1, simplices.shape[1])
    names = ("x", "y")[: places.shape[1]]
    return Section(fine, numbers, _turned(values, fine, g), np.empty((0, 2, 2)), names)


def _turned(u: ComplexArray, places: Array, g: Array) -> ComplexArray:
    """m = u exp(-i g.x) at some places."""
    turned: ComplexArray = u * np.exp(-1j * (g @ places.T))
    return turned


def _parts(places: Array, elements: Numbers, g: Array) -> int:
    """Parts of each edge that resolve the phase."""
    vertices = places[elements[:, : places.shape[1] + 1]]
    longest = np.linalg.norm(np.roll(vertices, -1, axis=1) - vertices, axis=-1).max()
    turn = float(longest) * float(np.linalg.norm(g, axis=1).max())
    return int(np.clip(np.ceil(turn / _SMOOTH), _COARSEST, _FINEST))


def _lattice(dimension: int, parts: int) -> tuple[Array, Numbers]:
    """Weights of the nodes of a quadratic element at a lattice of points, and its simplices."""
    if dimension == 1:
        x = np.arange(parts + 1) / parts
        places = np.column_stack([1.0 - x, x])
        simplices = np.column_stack([np.arange(parts), np.arange(1, parts + 1)])
    else:
        rows = [(i, j) for i in range(parts + 1) for j in range(parts + 1 - i)]
        number = {place: n for n, place in enumerate(rows)}
        places = np.array([(parts - i - j, i, j) for i, j in rows]) / parts
        corners = [(number[i, j], number[i + 1, j], number[i, j + 1])
                   for i, j in rows if i + j < parts]  # fmt: skip
        corners += [(number[i + 1, j], number[i + 1, j + 1], number[i, j + 1])
                    for i, j in rows if i + j < parts - 1]  # fmt: skip
        simplices = np.array(corners)
    edges = [(0, 1)] if dimension == 1 else [(0, 1), (1, 2), (2, 0)]
    middles = [4.0 * places[:, a] * places[:, b] for a, b in edges]
    return np.column_stack([places * (2.0 * places - 1.0), *middles]), simplices


def _cut(
    places: Array,
    elements: Numbers,
    region: Numbers,
    u: ComplexArray,
    g: Array,
    normal: int,
    height: float,
) -> Section:
    """The section of a cell in space by a plane, region by region."""
    inside = [axis for axis in range(3) if axis != normal]
    nodal = np.column_stack([places, u.real.T, u.imag.T])
    found, triangles, borders, count = [], [], [], 0
    for number in np.unique(region):
        chosen = elements[region == number]
        fine, tetrahedra = refine(chosen, nodal)
        points, shapes = isosurface(fine, tetrahedra, fine[:, normal], height)
        found.append(points)
        triangles.append(shapes + count)
        count += len(points)
        # Elements share the nodes of their eighths: only those of borders have edges of their own.
        points, shapes = isosurface(places, eighths(chosen), places[:, normal], height)
        borders.append(points[_rim(shapes)][..., inside])
    points = np.concatenate(found)
    values = (points[:, 3 : 3 + len(u)] + 1j * points[:, 3 + len(u) :]).T
    return Section(
        places=points[:, inside],
        simplices=np.concatenate(triangles),
        values=_turned(values, points[:, :3], g),
        borders=np.concatenate(borders),
        axes=("xyz"[inside[0]], "xyz"[inside[1]]),
    )


def _rim(triangles: Numbers) -> Numbers:
    """Edges of one triangle alone, shape (n, 2)."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    return unique[count == 1]
