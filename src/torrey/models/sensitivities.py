"""Derivatives of signals by kappa, L, q, the frame of the gradients, and each diffusivity.

    A(g) = K/L^2 + (kappa/L) J + R + T/L + (i/L) sum_a g_a C_a + sum_ab g_a g_b N_ab

is affine in kappa, in powers of 1/L, and in the diffusivity of each region; g = q F, turned into a
frame. What multiplies each part of dA/dp are the moments of `torrey.models.adjoint`, which are
computed once for all of them.

The basis is held fixed. For kappa, L and q that is no restriction: it does not depend on them, and
serves them all. By the frame derivatives are right only within the axes that the basis was made
for: along other ones there are none here. By a diffusivity they converge with the rungs of the
basis as all others do, but more slowly: its fields are those of the diffusivities at hand. Their
error is told by two rungs, see `torrey.reference.derivatives`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from torrey.cell.operators import Array, BlochTorrey
from torrey.cell.system import galerkin
from torrey.gradients.waveforms import Waveform
from torrey.models.adjoint import Forms, moments
from torrey.models.integration import Points
from torrey.models.projection import ProjectedModel

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True)
class RegionForms:
    """dK/dD, dC/dD and dN/dD of each region on a basis: an isotropic change of its diffusivity.

    Attributes
    ----------
    K : (n_regions, r, r) float
    C : (n_regions, c, r, r) float
        Along the axes of the cell that C has.
    M : (n_regions, r, r) float
        Of N_ab where a = b; of others nothing changes.
    """

    K: Array
    C: Array
    M: Array

    def truncate(self, rank: int) -> RegionForms:
        """On the first vectors of the basis."""
        return RegionForms(*(getattr(self, f.name)[..., :rank, :rank] for f in fields(self)))


def region_forms(operators: BlochTorrey, basis: Array) -> RegionForms:
    """Forms of each region on an M-orthonormal basis, shape (n_dofs, r).

    A matrix of diffusivities, or a radial one, changes by eps times the identity.
    """
    cell, d, axes = operators.cell, operators.cell.dimension, operators.n_axes
    K, C, M = [], [], []
    for region in range(cell.n_regions):
        here = np.zeros(cell.n_regions)
        here[region] = 1.0
        one = here[:, None, None] * np.eye(d)
        K.append(galerkin(cell, cell.weigh("stiffness", one).sum(axis=(0, 1)), basis, 1))
        B = cell.weigh("advection", one).sum(axis=1)
        along = np.zeros((axes, basis.shape[1], basis.shape[1]))
        for j, entries in enumerate(B):
            reduced = basis.T @ (cell.matrix(entries) @ basis)
            along[j] = reduced - reduced.T
        C.append(along)
        M.append(galerkin(cell, cell.weigh("mass", here), basis, 1))
    return RegionForms(np.array(K), np.array(C), np.array(M))


@dataclass(frozen=True)
class Derivatives:
    """Signals of points and what changes them; arrays of shape (points, ...).

    Attributes
    ----------
    signal : (points,) complex
    kappa : (points,) complex, ms/um
        By the permeability, or the relaxivity that stands in its place.
    L : (points,) complex, 1/um
        By the period, of one shape: radii and distances grow with it. q and kappa stay.
    q : (points,) complex, um
        By the largest wave number.
    q2 : (points,) complex, um^2
        By its square, which is what b-values are proportional to: finite without gradient, too.
    D : (points, n_regions) complex, ms/um^2
        By an isotropic change of each diffusivity; without columns where it is not asked for.
    frame : (points, c, axes) complex
        By the vectors of the frame of the gradients, not normalised.
    """

    signal: ComplexArray
    kappa: ComplexArray
    L: ComplexArray
    q: ComplexArray
    q2: ComplexArray
    D: ComplexArray
    frame: ComplexArray

    def __sub__(self, other: Derivatives) -> Derivatives:
        """What the one has more than the other."""
        return Derivatives(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))


def derivatives(
    model: ProjectedModel,
    waveform: Waveform,
    points: Points,
    frame: Array,
    steps: int,
    regions: RegionForms | None = None,
) -> Derivatives:
    """Signals of a projected model and their derivatives, the basis held fixed.

    Parameters
    ----------
    model : ProjectedModel
        Along axes in whose span the gradients lie.
    waveform : Waveform
        Of c components.
    points : Points
    frame : (c, d) float
        Axes of the components.
    steps : int
        Per change of F by one.
    regions : RegionForms, optional
        On the same basis; None for no derivatives by diffusivities.
    """
    turn = frame @ model.frame.T
    k, r = len(model.frame), len(model.start)
    T = np.zeros((r, r)) if model.T is None else model.T
    still, linear = [model.K, model.J, T], [*model.C]
    quadratic = [*model.N.reshape(k * k, r, r)]
    n_regions = 0 if regions is None else len(regions.K)
    if regions is not None:
        still += [*regions.K]
        linear += [*np.einsum("aj,njxy->naxy", frame, regions.C).reshape(-1, r, r)]
        quadratic += [*regions.M]
    forms = Forms(*(np.array(matrices) for matrices in (still, linear, quadratic)))
    along = model.along(frame)
    found = moments(along, waveform, points, steps, forms)
    L, q, kappa = points.period, points.q, points.sigma * points.period
    of_C = found.linear[:, :, :k] / L[:, None, None]
    of_N = found.quadratic[..., : k * k].reshape(*found.quadratic.shape[:3], k, k)
    # By q times the components of the frame.
    slope = of_C + 2.0 * q[:, None, None] * np.einsum("pabjl,bl->paj", of_N, turn)
    by_K, by_J, by_T = found.still[:, :3].T
    by_C = q * np.einsum("paj,aj->p", of_C, turn)
    by_q = np.einsum("paj,aj->p", slope, turn)
    return Derivatives(
        signal=found.signal,
        kappa=by_J / L,
        L=-(2.0 / L**3) * by_K - (kappa * by_J + by_T) / L**2 - by_C / L,
        q=by_q,
        q2=_by_square(along, waveform, points, by_q),
        D=_by_diffusivity(found.still, found.linear, found.quadratic, points, n_regions),
        frame=q[:, None, None] * slope @ model.frame,
    )


def _by_square(
    model: ProjectedModel, waveform: Waveform, points: Points, by_q: ComplexArray
) -> ComplexArray:
    """dS/dq^2; without gradient the coefficient of the series in q, where S is even in it."""
    result: ComplexArray = np.empty(len(points), dtype=complex)
    none = points.q == 0.0
    result[~none] = by_q[~none] / (2.0 * points.q[~none])
    if none.any():
        cells = np.stack([points.period[none], points.sigma[none]], axis=1)
        different, which = np.unique(cells, axis=0, return_inverse=True)
        series = model.taylor(waveform, different[:, 0], different[:, 1])
        result[none] = series[which.ravel(), 2]
    return result


def _by_diffusivity(
    still: ComplexArray, linear: ComplexArray, quadratic: ComplexArray, points: Points, n: int
) -> ComplexArray:
    """dS/dD of n regions, from moments whose last forms are those of the regions."""
    q, L = points.q[:, None], points.period[:, None]
    c = linear.shape[1]
    if not n:
        return np.empty((len(points), 0), dtype=complex)
    own = linear[..., -n * c :].reshape(len(points), c, n, c)
    advection = np.einsum("pana->pn", own)
    mass = np.einsum("paan->pn", quadratic[..., -n:])
    result: ComplexArray = still[:, -n:] / L**2 + q / L * advection + q**2 * mass
    return result
