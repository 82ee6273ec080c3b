"""Small systems for folded wave vectors: Bloch functions of a few wave vectors as Galerkin basis.

A(p) with p = g inside the folding zone is the Laplacian on pseudo-periodic functions: its lowest
eigenvectors, the Bloch functions u_{p,n}, are those of the bands (MMG20 (22)-(24)). They change
smoothly with p, so that those at a few stations p, orthonormalised, span the fields at all p of a
road through the zone, as far as they vary on lengths above that of the highest band taken. Folding
takes the functions at one end of the road to those at the other end, and the basis holds both:

    dc/dt = -W^T A(g) W c,    c -> W^T M Phi_k W c at a fold.

The span is real, as it holds the Bloch functions of p and -p.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, solve_triangular
from scipy.sparse.linalg import LinearOperator, eigsh

from torrey.bloch.modes import matrices
from torrey.cell.factors import factorise
from torrey.cell.folding import Integers, Zone, phase
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem, SmallSystem

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: A direction in the span of all Bloch functions with a smaller part in each adds nothing.
_LEAST = 1e-3
#: Bands up to this many times D / l^2 for fields that vary on a length l.
_RESOLUTION = 7.0
#: Stations along a road, in turns: with their opposites, every quarter of the zone.
_STATIONS = (0.0, 0.25, 0.5)
#: Share of the modes that a second, coarser basis is made from.
_COARSER = 0.7
_EIGENVECTOR_TOLERANCE = 1e-6
#: The same where half as many again are found as are wanted, for their span alone.
_SPAN_TOLERANCE = 1e-2
#: Unknowns up to which eigenvectors of dense matrices are the cheapest.
_FEW_UNKNOWNS = 500
#: Functions that are carried from station to station, over those that are wanted, and steps there.
_OVERSAMPLED, _ITERATIONS = 1.5, 3


@dataclass(frozen=True)
class FoldedModel:
    """The Bloch-Torrey system of one period and permeability on a small real basis.

    Attributes
    ----------
    zone : Zone
    system : AffineSystem
        A(g) on the basis, g along the axes of the cell.
    folds : mapping of tuple of int to (r, r) complex
        W^T M Phi_k W for the k that are known; see `fold`.
    start, readout : (r,) float
        W^T M rho and W^T M 1.
    basis : (n_dofs, r) float
        W.
    """

    zone: Zone
    system: SmallSystem
    folds: Mapping[Integers, ComplexArray]
    start: Array
    readout: Array
    basis: Array

    @property
    def rank(self) -> int:
        """Number of basis vectors r."""
        return len(self.start)

    def fold(self, k: Integers) -> ComplexArray:
        """The matrix of Phi_k.

        Raises
        ------
        ValueError
            If the basis was not made for gradients that fold this way.
        """
        if k in self.folds:
            return self.folds[k]
        opposite = tuple(-x for x in k)
        if opposite in self.folds:
            return self.folds[opposite].conj().T
        known = ", ".join(map(str, self.folds))
        raise ValueError(f"a fold by {k}, the basis is made for folds by {known}")


def road(k: Integers, offset: Sequence[float] | None = None) -> tuple[tuple[float, ...], ...]:
    """Stations, in turns, for gradients along one vector of the reciprocal lattice.

    Parameters
    ----------
    k : tuple of int
        The vector; the road runs from -k/2 to k/2.
    offset : sequence of float, optional
        Middle of the road, across k, in turns.
    """
    if offset is None:
        return tuple(tuple(s * x for x in k) for s in _STATIONS)
    places = sorted({sign * s for s in _STATIONS for sign in (-1.0, 1.0)})
    return tuple(tuple(s * x + o for x, o in zip(k, offset, strict=True)) for s in places)


def everywhere(dimension: int) -> tuple[tuple[float, ...], ...]:
    """Stations, in turns, for gradients along any direction."""
    line = sorted({sign * s for s in _STATIONS for sign in (-1.0, 1.0)})
    grid = product(line, repeat=dimension)
    # One of p and -p: their Bloch functions are conjugates.
    return tuple(p for p in grid if p >= tuple(-x for x in p))


def count_modes(measure: float, dimension: int, length: float) -> int:
    """Number of bands that fields varying on a length need (Weyl's law).

    Parameters
    ----------
    measure : float
        Of the water in a cell, in units of the cell.
    dimension : int
    length : float
        In units of the period: l_g / L of the strongest gradient.
    """
    ball = math.pi ** (dimension / 2) / math.gamma(dimension / 2 + 1)
    wave_number = math.sqrt(_RESOLUTION) / (2.0 * math.pi * length)
    # What Weyl's law leaves out are the faces, and small cells.
    return max(12, math.ceil(measure * ball * wave_number**dimension * 1.15 + 8))


def bloch_functions(
    operators: BlochTorrey,
    zone: Zone,
    permeability: float,
    turns: Sequence[float],
    count: int,
    tolerance: float = _EIGENVECTOR_TOLERANCE,
) -> tuple[Array, ComplexArray]:
    """Lowest bands at one wave vector and their functions.

    Parameters
    ----------
    operators : BlochTorrey
    zone : Zone
    permeability : float, um/ms
    turns : (d,) sequence of float
        p as a multiple of the reciprocal lattice vectors 2 pi b_j / L.
    count : int
    tolerance : float
        Of their rates, relative, where they are iterated.

    Returns
    -------
    rates : (count,) float, 1/ms
    functions : (n_dofs, count) complex
        Periodic parts u_{p,n}, orthonormal in the inner product of M.
    """
    system = AffineSystem.at(operators, zone.period, permeability, np.eye(len(zone.lattice)))
    A, M = matrices(system, zone.vector(turns))
    cell = operators.cell
    n = cell.n_dofs
    count = min(count, n)
    if n <= _FEW_UNKNOWNS or 4 * count > n:
        rates, functions = eigh(A.toarray(), M.toarray(), subset_by_index=(0, count - 1))
        return rates, functions.astype(complex)
    shift = _shift(operators, zone)
    factor = factorise((A + shift * M).tocsc())
    inverse = LinearOperator((n, n), lambda v: factor.solve(v.astype(A.dtype)), dtype=A.dtype)
    rates, functions = eigsh(
        A, count, M, sigma=-shift, OPinv=inverse, tol=tolerance,
        v0=1.0 + 0.5 * np.cos(1.7 * np.arange(n)),
    )  # fmt: skip
    order = np.argsort(rates)
    return rates[order], functions[:, order].astype(complex)


def folded_models(
    operators: BlochTorrey,
    period: float,
    permeability: float,
    stations: Sequence[Sequence[float]],
    count: int,
    folds: Iterable[Integers] | None = None,
) -> tuple[FoldedModel, FoldedModel]:
    """A small system, and a coarser one that tells the error of the first.

    Parameters
    ----------
    operators : BlochTorrey
    period : float, um
    permeability : float, um/ms
    stations : sequence of (d,)
        See `road` and `everywhere`.
    count : int
        Bands taken at each station; see `count_modes`.
    folds : iterable of tuple of int, optional
        Vectors k that gradients fold by; without, the axes of the reciprocal lattice.

    Returns
    -------
    fine, coarse : FoldedModel
        ``coarse`` has 0.7 times as many bands.
    """
    d = operators.cell.dimension
    zone = Zone(operators.cell.lattice, period)
    vectors = tuple(folds or (tuple(int(i == j) for j in range(d)) for i in range(d)))
    functions = _along(operators, zone, permeability, stations, count)
    fewer = [f[:, : max(6, round(_COARSER * count))] for f in functions]
    models = [
        model_on(operators, zone, permeability, span_of(operators, chosen, _LEAST), vectors)
        for chosen in (functions, fewer)
    ]
    return models[0], models[1]


def _along(
    operators: BlochTorrey,
    zone: Zone,
    permeability: float,
    stations: Sequence[Sequence[float]],
    count: int,
) -> list[ComplexArray]:
    """Functions at stations of a road: those of the first one, and what follows from them.

    They change smoothly from one station to the next, so that half as many functions again as are
    wanted, and three steps of inverse iteration with all of them at once, give a span as good as
    that of the eigenvectors, in two thirds of the time.
    """
    more = math.ceil(_OVERSAMPLED * count)
    known: list[tuple[Array, ComplexArray]] = []
    n = operators.cell.n_dofs
    for turns in stations:
        place = zone.vector(turns)
        if not known or n <= _FEW_UNKNOWNS or 4 * more > n:
            _, found = bloch_functions(operators, zone, permeability, turns, more, _SPAN_TOLERANCE)
        else:
            nearest = min(known, key=lambda one: float(np.linalg.norm(one[0] - place)))
            found = _iterate(operators, zone, permeability, turns, nearest[1])
        known.append((place, found))
    return [functions[:, :count] for _, functions in known]


def _iterate(
    operators: BlochTorrey,
    zone: Zone,
    permeability: float,
    turns: Sequence[float],
    start: ComplexArray,
) -> ComplexArray:
    """Lowest bands at a wave vector by subspace iteration, orthonormal in M, in their order."""
    system = AffineSystem.at(operators, zone.period, permeability, np.eye(len(zone.lattice)))
    A, M = matrices(system, zone.vector(turns))
    factor = factorise((A + _shift(operators, zone) * M).tocsc())
    X = start.astype(A.dtype)
    for _ in range(_ITERATIONS):
        X = factor.solve(np.asfortranarray(M @ X))
        triangle = np.linalg.cholesky(X.conj().T @ (M @ X))
        X = _divided(X, triangle)
    _, mixtures = np.linalg.eigh(X.conj().T @ (A @ X))
    result: ComplexArray = X @ mixtures.astype(complex)
    return result


def _divided(X: NDArray[Any], triangle: NDArray[Any]) -> NDArray[Any]:
    """X R^-1 for the lower triangle R^H of Cholesky: columns that are orthonormal."""
    result: NDArray[Any] = solve_triangular(triangle, X.conj().T, lower=True).conj().T
    return result


def _shift(operators: BlochTorrey, zone: Zone) -> float:
    """What makes A(p) definite, and factors good inverses of it for the lowest bands (1/ms)."""
    return 5.0 * float(np.trace(operators.inner_diffusivity.mean(axis=0))) / zone.period**2


def span_of(operators: BlochTorrey, functions: Sequence[ComplexArray], least: float) -> Array:
    """M-orthonormal basis of the real and imaginary parts, the compartments' indicators first.

    Parameters
    ----------
    operators : BlochTorrey
    functions : sequence of (n_dofs, n) complex
        Of norm one.
    least : float
        A direction with a smaller part in each of them adds nothing.
    """
    M = operators.mass_matrix
    steady = operators.cell.indicators
    steady = steady / np.sqrt(np.einsum("ni,ni->i", steady, M @ steady))
    columns = np.hstack([part for f in functions for part in (f.real, f.imag)])
    for _ in range(2):
        columns = columns - steady @ (steady.T @ (M @ columns))
    sizes, mixtures = np.linalg.eigh(columns.T @ (M @ columns))
    kept = sizes > least**2
    basis = columns @ (mixtures[:, kept] / np.sqrt(sizes[kept]))[:, ::-1]
    # Rounding of small directions is cleaned by a second orthonormalisation.
    basis = np.hstack([steady, basis - steady @ (steady.T @ (M @ basis))])
    factor = np.linalg.cholesky(basis.T @ (M @ basis))
    return _divided(basis, factor)


def model_on(
    operators: BlochTorrey,
    zone: Zone,
    permeability: float,
    W: Array,
    folds: Sequence[Integers],
) -> FoldedModel:
    """The Bloch-Torrey system on an M-orthonormal basis, shape (n_dofs, r), with some folds."""
    system = AffineSystem.at(operators, zone.period, permeability, np.eye(operators.n_axes))
    MW = operators.mass_matrix @ W
    return FoldedModel(
        zone=zone,
        system=system.project(W),
        folds={k: MW.T @ (phase(operators.cell, k)[:, None] * W) for k in folds},
        start=MW.T @ operators.rho,
        readout=MW.T @ np.ones(operators.cell.n_dofs),
        basis=W,
    )
