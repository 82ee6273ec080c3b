"""Derivatives of signals by kappa, L, q, the frame of the gradients, diffusivities and radii.

    A(g) = K/L^2 + (kappa/L) J + R + T/L + (i/L) sum_a g_a C_a + sum_ab g_a g_b N_ab

is affine in kappa, in powers of 1/L, and in the diffusivity of each region; g = q F, turned into a
frame. A radius changes every matrix, see `torrey.cell.radii`. What multiplies each part of dA/dp
are the moments of `torrey.models.adjoint`, which are computed once for all of them.

The basis is held fixed. For kappa, L and q that is no restriction: it does not depend on them, and
serves them all. By the frame derivatives are right only within the axes that the basis was made
for: along other ones there are none here. By a diffusivity or a radius they converge with the rungs
of the basis as all others do, but more slowly: its fields are those of the cell at hand. Their
error is told by two rungs, see `torrey.reference.derivatives`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from torrey.cell.operators import Array, BlochTorrey
from torrey.cell.system import galerkin
from torrey.gradients.waveforms import Waveform
from torrey.models.adjoint import Forms, Moments, moments
from torrey.models.integration import Points
from torrey.models.opened_slopes import Changes, SlopedCell
from torrey.models.openings import Opened
from torrey.models.projection import ProjectedModel

if TYPE_CHECKING:
    # Who reads slopes makes none.
    from torrey.cell.radii import Slopes

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
class RadiusForms:
    """Matrices of a cell on a basis, and what each radius changes in them, for `derivatives`.

    A moving mesh takes the basis V along, and with it M_V = V^T M V. That of V S with dS/dR = -U,

        U = (M_V' - (M_V' a a^T - a a^T M_V') / a^T a) / 2,    a = V^T M 1,

    stays M-orthonormal and keeps the direction of a, which the signal begins and ends with. Of a
    form X it changes X_V' - U^T X_V - X_V U. All of it is on the first r vectors, so that U is made
    where r is known.

    Attributes
    ----------
    start : (r,) float
        a.
    forms, slopes : mapping of str to (..., r, r) or (n_radii, ..., r, r) float
        ``K``, ``J``, ``R``, ``T``, ``C`` (axes of the cell) and ``N`` (pairs of them), and M among
        the slopes.
    """

    start: Array
    forms: Mapping[str, Array]
    slopes: Mapping[str, Array]

    def truncate(self, rank: int) -> RadiusForms:
        """On the first vectors of the basis."""

        def first(matrices: Mapping[str, Array]) -> dict[str, Array]:
            return {name: X[..., :rank, :rank] for name, X in matrices.items()}

        return RadiusForms(self.start[:rank], first(self.forms), first(self.slopes))

    @property
    def changes(self) -> Mapping[str, Array]:
        """Derivatives of the forms on a basis that stays orthonormal, by name, (n_radii, ...)."""
        M, a = self.slopes["M"], self.start
        across = np.einsum("nxy,y,z->nxz", M, a, a) / (a @ a)
        U = (M - across + across.swapaxes(1, 2)) / 2.0

        def change(name: str) -> Array:
            X, slope = self.forms[name], self.slopes[name]
            by = U.reshape(len(U), *(1,) * (X.ndim - 2), *U.shape[1:])
            return np.asarray(slope - by.swapaxes(-1, -2) @ X - X @ by)

        return {name: change(name) for name in self.forms}


def radius_forms(
    operators: BlochTorrey, slopes: Sequence[Slopes], basis: Array
) -> RadiusForms | None:
    """Forms and their slopes on an M-orthonormal basis, shape (n_dofs, r); None without radii.

    Parameters
    ----------
    operators : BlochTorrey
    slopes : sequence of Slopes
        See `torrey.cell.radii.radius_slopes`.
    basis : (n_dofs, r) float
    """
    if not slopes:
        return None
    cell = operators.cell
    zero = np.zeros_like(operators.K)

    def reduced(name: str, entries: Array) -> Array:
        return galerkin(cell, entries, basis, -1 if name == "C" else 1)

    held = {"K": operators.K, "J": operators.J, "R": operators.R, "C": operators.C}
    held |= {"T": zero if operators.T is None else operators.T, "N": operators.N}
    moved = {
        name: reduced(name, np.array([getattr(one, name) for one in slopes]))
        for name in (*held, "M")
    }
    start = basis.T @ (operators.mass_matrix @ np.ones(cell.n_dofs))
    return RadiusForms(start, {name: reduced(name, X) for name, X in held.items()}, moved)


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
    R : (points, n_radii) complex, 1/um
        By each radius, at the same period; without columns where it is not asked for.
    """

    signal: ComplexArray
    kappa: ComplexArray
    L: ComplexArray
    q: ComplexArray
    q2: ComplexArray
    D: ComplexArray
    frame: ComplexArray
    R: ComplexArray

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
    radii: RadiusForms | None = None,
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
    radii : RadiusForms, optional
        The same for radii.
    """
    turn, k = frame @ model.frame.T, len(model.frame)
    n_regions = 0 if regions is None else len(regions.K)
    usual = _usual_forms(model, frame, regions)
    forms = usual if radii is None else usual.with_more(*_radius_matrices(radii, frame))
    along = model.along(frame)
    found, of_radii = moments(along, waveform, points, steps, forms).split(usual)
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
        R=_by_radius(of_radii, points, 0 if radii is None else len(radii.slopes["M"])),
    )


def shared_derivatives(
    model: ProjectedModel,
    opened: Opened,
    frame: Array,
    accuracy: float,
    nodes: tuple[int, int | None],
    regions: RegionForms | None = None,
    radii: RadiusForms | None = None,
) -> tuple[Derivatives, Derivatives]:
    """Derivatives of signals that share their first pulse, and what fewer nodes change in them.

    Parameters
    ----------
    model : ProjectedModel
        See `derivatives`.
    opened : Opened
        With gradients everywhere: dS/dq^2 is dS/dq / 2 q.
    frame : (1, d) float
        Direction of the gradients.
    accuracy : float
        Absolute, of what is left out of the series in q.
    nodes : tuple of int
        Of collocation on each segment, and fewer that tell the error in time, or None.
    regions, radii : optional
        See `derivatives`.
    """
    turn, k, L = (frame @ model.frame.T)[0], len(model.frame), opened.period
    along = model.along(frame)
    changes = _opened_changes(model, opened, frame, regions, radii)
    cell = SlopedCell(along.bare, opened.opening, L, opened.sigma, opened.q)
    found = cell.slopes(changes, opened.tau, accuracy, *nodes)
    q = opened.q[:, None]
    scale = np.exp(-(q**2) * opened.b_factor[:, None] * float(along.axial[0, 0]))

    def table(values: ComplexArray) -> Derivatives:
        values = scale * values
        of_frame = values[:, 2 : 2 + k]
        by_q = of_frame @ turn / q[:, 0]
        n_regions = 0 if regions is None else len(regions.K)
        of_D, of_R = np.split(values[:, 2 + k :], [n_regions], axis=1)
        return Derivatives(
            signal=scale[:, 0] * found.signal,
            kappa=values[:, 0],
            L=values[:, 1],
            q=by_q,
            q2=by_q / (2.0 * q[:, 0]),
            D=of_D,
            frame=(of_frame @ model.frame)[:, None],
            R=of_R,
        )

    return table(found.value), table(found.change)


def _opened_changes(
    model: ProjectedModel,
    opened: Opened,
    frame: Array,
    regions: RegionForms | None,
    radii: RadiusForms | None,
) -> Changes:
    """dA/dp by kappa, L, each axis of the frame, each diffusivity and each radius."""
    L, sigma, turn = opened.period, opened.sigma, (frame @ model.frame.T)[0]
    zero = np.zeros_like(model.K)
    T = zero if model.T is None else model.T
    C = np.einsum("a,axy->xy", turn, model.C)
    of_L = -2.0 / L**3 * model.K - (sigma * L * model.J + T) / L**2
    of_N = 2.0 * np.einsum("b,abxy->axy", turn, model.N)
    parts = [
        (model.J[None] / L, zero[None], zero[None]),
        (of_L[None], -C[None] / L**2, zero[None]),
        (np.zeros_like(model.C), model.C / L, of_N),
    ]
    if regions is not None:
        of_C = np.einsum("aj,njxy->nxy", frame, regions.C)
        parts.append((regions.K / L**2, of_C / L, regions.M))
    if radii is not None:
        by = radii.changes
        still = by["K"] / L**2 + sigma * by["J"] + by["R"] + by["T"] / L
        of_C = np.einsum("aj,njxy->nxy", frame, by["C"])
        of_N = np.einsum("aj,al,njlxy->nxy", frame, frame, by["N"])
        # By the radius itself, which is L times that in units of the cell.
        parts.append((still / L, of_C / L**2, of_N / L))
    return Changes(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _usual_forms(model: ProjectedModel, frame: Array, regions: RegionForms | None) -> Forms:
    """Forms of all derivatives but those by radii; regions are the last of each kind."""
    k, r = len(model.frame), len(model.start)
    T = np.zeros((r, r)) if model.T is None else model.T
    forms = Forms(np.array([model.K, model.J, T]), model.C, model.N.reshape(k * k, r, r))
    if regions is None:
        return forms
    C = np.einsum("aj,njxy->naxy", frame, regions.C).reshape(-1, r, r)
    return forms.with_more(regions.K, C, regions.M)


def _radius_matrices(radii: RadiusForms, frame: Array) -> tuple[Array, Array, Array]:
    """Still, linear and quadratic matrices of all radii, radius by radius.

    K, J, R and T; C along each component, as if it were another matrix; N likewise.
    """
    changes, r = radii.changes, len(radii.start)
    still = np.stack([changes[name] for name in ("K", "J", "R", "T")], axis=1)
    C = np.einsum("aj,njxy->naxy", frame, changes["C"])
    N = np.einsum("aj,bl,njlxy->nabxy", frame, frame, changes["N"])
    return still.reshape(-1, r, r), C.reshape(-1, r, r), N.reshape(-1, r, r)


def _by_radius(found: Moments, points: Points, n: int) -> ComplexArray:
    """dS/dR of n radii, from moments of `_radius_matrices`."""
    size, c = len(points), found.linear.shape[1]
    if not n:
        return np.empty((size, 0), dtype=complex)
    L, q, sigma = points.period[:, None], points.q[:, None], points.sigma[:, None]
    by_K, by_J, by_R, by_T = np.moveaxis(found.still.reshape(size, n, 4), 2, 0)
    by_C = np.einsum("pana->pn", found.linear.reshape(size, c, n, c))
    by_N = np.einsum("pabnab->pn", found.quadratic.reshape(size, c, c, n, c, c))
    result: ComplexArray = by_K / L**2 + sigma * by_J + by_R + by_T / L + q / L * by_C + q**2 * by_N
    # By the radius itself, which is L times that in units of the cell.
    return result / L


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
