"""Integrals for diffusivities that are radial: of one value along the radius, another across it.

In a ring or a shell about a centre, with r the unit vector from it,

    D = D_t I + (D_r - D_t) r r^T,

so that the forms of `torrey.cell.operators` have D_t in the place of D, and D_r - D_t times

    int (r.grad u)(r.grad v)        int r_j (r.grad u) v        int r_j r_l u v

in K, B_j and N_jl.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from torrey.cell.quadrature import QUADRATURE_ORDER, Batch, batches
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]

#: r is no polynomial: two orders more than for the other forms.
_ORDER = QUADRATURE_ORDER + 2


@dataclass(frozen=True)
class RadialForms:
    """Entries of the three forms on the pattern of a cell.

    Attributes
    ----------
    position : (n,) int
        In the pattern.
    stiffness, advection, mass : (n,), (d, n), (d, d, n) float
    """

    position: NDArray[np.int64]
    stiffness: Array
    advection: Array
    mass: Array


def radial_forms(
    mesh: CellMesh, position: NDArray[np.integer], centres: Mapping[int, Array]
) -> RadialForms | None:
    """Integrate over the elements of the regions that have a centre; None if there are none.

    Parameters
    ----------
    mesh : CellMesh
    position : (n_elements, m, m) int
        Of the entries of each element in the pattern: [element, row of v, column of u].
    centres : mapping of int to (d,) float
        By region; any periodic image.
    """
    if not centres:
        return None
    d = mesh.dimension
    around = np.full((int(mesh.region.max()) + 1, d), np.nan)
    around[list(centres)] = list(centres.values())
    chosen = np.isin(mesh.region, list(centres))
    found, index = np.unique(position[chosen], return_inverse=True)
    where = np.full(position.shape, -1, dtype=np.int64)
    where[chosen] = np.reshape(index, (-1, *position.shape[1:]))
    total = np.zeros((1 + d + d * d, len(found)))
    for batch in batches(mesh, _ORDER):
        here = chosen[batch.chosen]
        if here.any():
            centre = around[mesh.region[batch.chosen][here]]
            places = where[batch.chosen][here].ravel()
            for sums, form in zip(total, _forms(batch, here, centre, mesh.lattice), strict=True):
                np.add.at(sums, places, form.ravel())
    mass = total[1 + d :].reshape(d, d, -1)
    return RadialForms(found.astype(np.int64), total[0], total[1 : 1 + d], mass)


def _forms(batch: Batch, here: NDArray[np.bool_], centres: Array, lattice: Array) -> list[Array]:
    """Forms of some elements of a batch, each of shape (e, m, m): [.., row of v, column of u]."""
    places, weight = batch.places[here], batch.weight[here]
    centre = _nearest(places.mean(axis=2), centres, lattice)
    r = places - centre[:, :, None]
    r /= np.linalg.norm(r, axis=1, keepdims=True)
    value, d = batch.value, r.shape[1]
    along = np.einsum("edq,emdq->emq", r, batch.gradient[here])
    forms = [np.einsum("eaq,ebq,eq->eab", along, along, weight, optimize=True)]
    for j in range(d):
        forms.append(np.einsum("aq,ebq,eq->eab", value, along, weight * r[:, j], optimize=True))
    for j, l in product(range(d), repeat=2):
        factor = weight * r[:, j] * r[:, l]
        forms.append(np.einsum("aq,bq,eq->eab", value, value, factor, optimize=True))
    return forms


def _nearest(places: Array, centres: Array, lattice: Array) -> Array:
    """Periodic image of each centre that is nearest to a place, shapes (e, d)."""
    apart = places - centres
    base = np.round(apart @ np.linalg.inv(lattice)) @ lattice
    shifts = np.array(list(product((-1, 0, 1), repeat=len(lattice)))) @ lattice
    images = (centres + base)[:, None] + shifts
    nearest = np.linalg.norm(places[:, None] - images, axis=-1).argmin(axis=1)
    return np.asarray(images[np.arange(len(places)), nearest])
