"""The Bloch-Torrey operator in a periodic medium: its eigenvalues at one gradient.

    B = -D lap - i G n.x    (MMG20 (6)), with D, membranes and relaxation as everywhere here

The gradient points along a vector k of the reciprocal lattice, n = B k / |B k|. After the time

    tau = 2 pi |B k| / (L G)

the wave vector has crossed the folding zone once, and exp(-tau B) takes pseudo-periodic functions
to themselves (MMG20 (42), (43)). On their periodic parts it is Phi_k T, T the time-ordered
exponential of -A(g) as g runs from -k/2 to k/2, with the eigenvalues exp(-tau mu): the eigenvalues
mu follow modulo 2 pi i / tau = i G L / |B k|, a step of the lattice along the gradient (51). The
origin of x is the centre of the cell; the imaginary part is the smallest.

What is computed here belongs to conj(B), whose magnetisation is u exp(-i g.x), g = G t; the result
is conjugated.

Not every eigenvalue of the matrix is one of B. Those lost in rounding lie above the floor (48); and
where nothing localises a mode, as in free water, the semigroup is a shift, whose eigenvalues are
all zero but answer to the smallest disturbance with anything at all. The signs are: they
change with rounding (`Spectrum.uncertainty`), their condition numbers are large, and they change
with the mesh and the basis (`Solver.confirmed`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eig

from torrey.bloch.folded_basis import FoldedModel, folded_models, road
from torrey.bloch.folded_signals import step_means
from torrey.cell.folding import Integers
from torrey.cell.operators import BlochTorrey

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Relative rounding of the matrix of the semigroup, in units of its norm.
_ROUNDING = float(np.finfo(float).eps)
#: Relative change of exp(-tau mu) by rounding from which on mu means nothing.
_UNCERTAIN = 1e-3
#: Relative difference of exp(-tau mu) on two meshes up to which they show the same mode.
_SAME_MODE = 0.03

#: Condition number of an eigenvalue from which on it is one of a shift, disturbed by the mesh:
#: true modes have some tens, and more only very close to a branching point.
_MOST_SENSITIVE = 1e4


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of the Bloch-Torrey operator at one gradient, by increasing real part.

    Attributes
    ----------
    gradient : float, rad/um/ms
        G; with D in um^2/ms the gradient length is (D / G)^(1/3) um.
    step : float, 1/ms
        G L / |B k|: imaginary parts are known modulo this.
    eigenvalues : (n,) complex, 1/ms
        mu, imaginary parts in (-step/2, step/2].
    uncertainty : (n,) float
        Relative change of exp(-tau mu) that rounding may cause.
    right, left : (r, n) complex
        Eigenvectors of Phi_k T in the basis, right ones of norm 1; those of conj(mu).
    """

    gradient: float
    step: float
    eigenvalues: ComplexArray
    uncertainty: Array
    right: ComplexArray
    left: ComplexArray

    @property
    def floor(self) -> float:
        """Re mu above which eigenvalues are lost in rounding (48), 1/ms."""
        lowest = float(self.eigenvalues.real.min(initial=0.0))
        return lowest - math.log(_ROUNDING) * self.step / (2.0 * math.pi)

    @property
    def unit(self) -> float:
        """Step of the imaginary parts over the gradient (um): L / |B k|."""
        return self.step / self.gradient

    def select(self, rows: NDArray[np.int64]) -> Spectrum:
        """Some of the eigenvalues."""
        return Spectrum(
            self.gradient,
            self.step,
            self.eigenvalues[rows],
            self.uncertainty[rows],
            self.right[:, rows],
            self.left[:, rows],
        )


@dataclass(frozen=True)
class Crossing:
    """The passage of the folding zone along k, by a number of steps, for gradients of any strength.

    Attributes
    ----------
    model : FoldedModel
        With a basis that is made for this road.
    k : tuple of int
        Vector of the reciprocal lattice that the gradient points along.
    offset : tuple of float
        Middle of the road, across k, in turns: the wave vector of the modes across the gradient
        (MMG20 (41)).
    steps : int
        Time steps; the error falls by 16 when they are doubled.
    """

    model: FoldedModel
    k: Integers
    offset: tuple[float, ...] | None = None
    steps: int = 32

    @property
    def length(self) -> float:
        """2 pi |B k| / L: how far |g| moves in one crossing (rad/um)."""
        return float(np.linalg.norm(self.model.zone.vector(self.k)))

    def step(self, gradient: float) -> float:
        """2 pi / tau (1/ms)."""
        return 2.0 * math.pi * gradient / self.length

    def wave_vector(self, s: float | Array) -> Array:
        """g (rad/um) at s in [-1/2, 1/2] of the road."""
        zone = self.model.zone
        middle = zone.vector(self.offset) if self.offset is not None else 0.0
        result: Array = middle + np.multiply.outer(s, zone.vector(self.k))
        return result

    def semigroup(self, gradient: float) -> ComplexArray:
        """Phi_k T with x from the centre of the cell, in the basis, shape (r, r)."""
        rates, overlaps, first, last = self._passage
        half_step = self.length / (gradient * self.steps * 2.0)
        decays = np.exp(-half_step * rates)
        T = decays[0][:, None] * first
        for decay, overlap in zip(decays[1:], overlaps, strict=True):
            T = decay[:, None] * (overlap @ T)
        result: ComplexArray = last @ T
        return result

    def along(self, gradient: float, state: ComplexArray) -> ComplexArray:
        """States at the beginning of each step, from one at the beginning: (steps, r)."""
        rates, overlaps, first, _ = self._passage
        decays = np.exp(-self.length / (gradient * self.steps * 2.0) * rates)
        vectors = self._vectors
        states = [state]
        c = first @ state
        for i, decay in enumerate(decays):
            c = decay * c
            if i % 2:
                states.append(vectors[i] @ c)
            if i < len(overlaps):
                c = overlaps[i] @ c
        return np.array(states[:-1])

    @cached_property
    def _vectors(self) -> list[ComplexArray]:
        return [modes for _, modes in self._decomposed]

    @cached_property
    def _decomposed(self) -> Sequence[tuple[Array, ComplexArray]]:
        """Eigenpairs of the exponentials of each step, two per step."""
        found = []
        for i in range(self.steps):

            def wave_vector(x: Array, i: int = i) -> Array:
                return self.wave_vector((i + x) / self.steps - 0.5)

            found += [
                np.linalg.eigh(self.model.system.matrix(g, gg)) for g, gg in step_means(wave_vector)
            ]
        return found

    @cached_property
    def _passage(self) -> tuple[Array, list[ComplexArray], ComplexArray, ComplexArray]:
        """Rates, changes between the eigenvectors of neighbours, way in, way out with the fold."""
        rates = np.array([rates for rates, _ in self._decomposed])
        modes = self._vectors
        overlaps = [
            after.conj().T @ before for before, after in zip(modes[:-1], modes[1:], strict=True)
        ]
        return rates, overlaps, modes[0].conj().T, self.fold @ modes[-1]

    @cached_property
    def fold(self) -> ComplexArray:
        """Phi_k with x from the centre of the cell, in the basis."""
        turn = np.exp(1j * self.length * self._centre)
        result: ComplexArray = turn * self.model.fold(self.k)
        return result

    @property
    def _centre(self) -> float:
        """n.x of the centre of the cell (um)."""
        zone = self.model.zone
        direction = zone.vector(self.k) / self.length
        middle = zone.lattice.sum(axis=0) / 2.0 * zone.period
        return float(direction @ middle)


@dataclass(frozen=True)
class Solver:
    """A crossing, and others that tell which of its eigenvalues belong to the operator.

    Attributes
    ----------
    crossing : Crossing
    others : tuple of Crossing
        On the same mesh with a smaller basis, and on a coarser mesh.
    """

    crossing: Crossing
    others: tuple[Crossing, ...]

    def every(self, gradient: float) -> Spectrum:
        """Eigenvalues above the floor, those that may owe to the mesh alone among them."""
        return spectrum(self.crossing, gradient)

    def sure(self, found: Spectrum) -> NDArray[np.int64]:
        """Rows of the eigenvalues that all crossings agree on."""
        rows = agreed(found, [spectrum(other, found.gradient) for other in self.others])
        overlap = np.abs(np.einsum("in,in->n", found.left[:, rows].conj(), found.right[:, rows]))
        return rows[overlap * _MOST_SENSITIVE > 1.0]

    def confirmed(self, gradient: float) -> Spectrum:
        """Eigenvalues that all crossings agree on."""
        found = self.every(gradient)
        return found.select(self.sure(found))


def solver(
    levels: Sequence[BlochTorrey],
    period: float,
    permeability: float,
    k: Integers,
    count: int,
    offset: tuple[float, ...] | None = None,
    steps: int = 32,
) -> Solver:
    """What eigenvalues along one vector of the reciprocal lattice are computed with.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        Operators on two meshes, the coarser one first.
    period : float, um
    permeability : float, um/ms
    k : tuple of int
        The gradient points along B k, an axis of the cell for (1, 0).
    count : int
        Bands that the basis is made from; three times those of interest.
    offset : tuple of float, optional
        Wave vector across the gradient, in turns.
    steps : int
    """
    stations = road(k, offset)
    rough, _ = folded_models(levels[0], period, permeability, stations, round(0.8 * count), [k])
    fine, fewer = folded_models(levels[1], period, permeability, stations, count, [k])
    best, *others = (Crossing(model, k, offset, steps) for model in (fine, fewer, rough))
    return Solver(best, tuple(others))


def spectrum(crossing: Crossing, gradient: float) -> Spectrum:
    """Eigenvalues above the floor that rounding does not change.

    Parameters
    ----------
    crossing : Crossing
    gradient : float, rad/um/ms
        G, above zero.

    Raises
    ------
    ValueError
        If the gradient is not positive.
    ArithmeticError
        If an eigenvalue has a negative real part: the operator dissipates.
    """
    if not gradient > 0.0:
        raise ValueError(f"a gradient of {gradient:g} rad/um/ms, accepted: one above zero")
    T = crossing.semigroup(gradient)
    values, left, right = eig(T, left=True, right=True)
    order = np.argsort(-np.abs(values))
    values, left, right = values[order], left[:, order], right[:, order]
    sizes = np.abs(values)
    step = crossing.step(gradient)
    overlap = np.abs(np.einsum("in,in->n", left.conj(), right))
    with np.errstate(divide="ignore", invalid="ignore"):
        uncertainty = _ROUNDING * float(np.linalg.norm(T, 2)) / (overlap * sizes)
        mu = np.conj(-np.log(values)) * step / (2.0 * np.pi)
    known = (uncertainty < _UNCERTAIN) & (sizes > _ROUNDING * sizes[0])
    rows = np.flatnonzero(known)
    found = Spectrum(gradient, step, mu, uncertainty, right, left).select(rows)
    lowest = found.eigenvalues.real.min(initial=np.inf)
    if lowest < -1e-3 * step:
        raise ArithmeticError(
            f"an eigenvalue with real part {lowest:.3g} /ms at G = {gradient:g} rad/um/ms: "
            "the mesh or the basis does not resolve the modes"
        )
    return found


def agreed(found: Spectrum, others: Sequence[Spectrum]) -> NDArray[np.int64]:
    """Rows of the eigenvalues of one spectrum that other meshes and bases have too.

    exp(-tau mu) may differ by 3 %: what an eigenvalue owes to the mesh alone changes by more from
    one mesh to the next, and what it owes to the end of the basis from one basis to the next.
    """
    tau = 2.0 * math.pi / found.step
    same = np.ones(len(found.eigenvalues), dtype=bool)
    for other in others:
        apart = np.abs(wrap(found.eigenvalues[:, None] - other.eigenvalues[None], found.step))
        same &= apart.min(axis=1, initial=np.inf) * tau < _SAME_MODE
    return np.flatnonzero(same)


def wrap(values: ComplexArray, step: float) -> ComplexArray:
    """Differences of eigenvalues with imaginary parts in [-step/2, step/2]."""
    result: ComplexArray = values - 1j * step * np.round(values.imag / step)
    return result


def bands(crossing: Crossing, count: int, points: int = 33) -> tuple[Array, Array, Array]:
    """Bands of the Laplacian along the road of a crossing, and their means (58), (59).

    Parameters
    ----------
    crossing : Crossing
    count : int
    points : int
        On the road, ends included; odd.

    Returns
    -------
    places : (points,) float
        In turns of k, from -1/2 to 1/2.
    rates : (points, count) float, 1/ms
        lambda_{p,n} by increasing size.
    means : (count,) float, 1/ms
        What the eigenvalues mu_n tend to as the gradient goes to zero, where bands do not cross.
    """
    places = np.linspace(-0.5, 0.5, points)
    vectors = crossing.wave_vector(places)
    rates = np.asarray(
        np.linalg.eigvalsh(crossing.model.system.matrix(vectors))[:, :count], dtype=float
    )
    # Bands are periodic along the road: the trapezoidal rule converges at once.
    means: Array = rates[:-1].mean(axis=0)
    return places, rates, means
