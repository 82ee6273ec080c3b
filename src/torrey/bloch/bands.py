"""Laplacian bands: eigenpairs of A(p) along lines through the Brillouin zone.

A function with Bloch phase, u_{p,n} = exp(-i p.x) w_{p,n}, obeys the pseudo-periodic boundary
conditions of MMG20 (22)-(24) where its periodic part is an eigenvector,

    A(p) w_{p,n} = lambda_{p,n} M w_{p,n},    w_{p,m}^H M w_{p,n} = delta_mn

(p has the opposite sign in MMG20, where signals are complex conjugates of those here). A(p) is a
quadratic polynomial in p: all p share one small real basis, the modes at p = 0 and corrections

    h_n = (K + s M)^-1 C w_{0,n},    h'_n = (K + s M)^-1 C h_n,

which carry what modes at p = 0 lack: their normal derivative vanishes on impermeable boundaries,
that of w_{p,n} does not. Eigenvalues of the projected A(p) are upper bounds of the true ones, and
how many of these lie below a bound is known (`modes.count_below`).

Time reversal: A(-p) is the complex conjugate of A(p), so that half of a line is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from torrey.base.errors import InputError
from torrey.base.progress import Progress, each, untold
from torrey.base.stored import nested, stored
from torrey.bloch.modes import count_below, lowest_modes
from torrey.bloch.zone_lines import PARALLEL, ZoneLine, zone_line
from torrey.cell.factors import factorise
from torrey.cell.folding import phase
from torrey.cell.operators import Array, BlochTorrey, CellOperators
from torrey.cell.system import AffineSystem, CellSystem
from torrey.models.projection import extend

ComplexArray = NDArray[np.complex128]

#: Modes at p = 0 are kept up to this multiple of the largest eigenvalue that is wanted exact, or
#: more: a plane wave k + p of that eigenvalue may have a longer k.
_MARGIN = 2.0
#: Corrections of corrections: two levels, as A(p) is quadratic in p.
_LEVELS = 2
#: s as a part of the largest eigenvalue kept.
_SHIFT = 0.3
#: Combinations of corrections shorter than this, beside modes of length one, are left out.
_NEGLIGIBLE = 3e-4
#: Distance from a multiple of the pulse, in pulses, below which a level counts as that multiple.
ON_GRID = 1e-6
#: Dims of a matrix on the basis, and of waves, in a file.
_SQUARE = ("vector", "vector_2")
_WAVES = ("line", "wave", "vector")


@dataclass(frozen=True)
class BandBasis:
    """A(p) of one cell on a small real basis, and the waves exp(-i j G.x) for some lines.

    A(p) = static + i sum_a p_a C_a + sum_ab p_a p_b N_ab, p in the axes of the frame.

    Attributes
    ----------
    period, permeability, diffusivity : float
    bound : float
        All eigenvalues of the mesh below it are there, at every p of the lines.
    frame : (c, d) float
        Orthonormal axes of the span of the lines.
    static : (r, r) float
    C : (c, r, r) float
    N : (c, c, r, r) float
    vectors : (n_dofs, r) float
    places : (n_dofs, d) float
        In units of the cell.
    lines : tuple of ZoneLine
    folds : (n_lines, r, r) complex
        From p to p - G on each line.
    waves : (n_lines, n_waves, r) complex
        j = 0, 1, ...: the initial magnetisation, and what a narrow pulse makes of it.
    reads : (n_lines, n_waves, r) complex
        The same with 1 instead of rho.
    """

    period: float = field(metadata=stored((), "um", "period L of the cell"))
    permeability: float = field(metadata=stored((), "um ms-1", "of every membrane"))
    diffusivity: float = field(metadata=stored((), "um2 ms-1", "largest diffusivity"))
    bound: float = field(metadata=stored((), "ms-1", "bands below it are those of the mesh"))
    frame: Array = field(metadata=stored(("component", "axis"), "1", "axes of the wave vectors"))
    static: Array = field(metadata=stored(_SQUARE, "ms-1", "W^T A(0) W"))
    C: Array = field(
        metadata=stored(("component", *_SQUARE), "um ms-1", "W^T C W / L for each axis")
    )
    N: Array = field(metadata=stored(("component", "component_2", *_SQUARE), "um2 ms-1", "W^T N W"))
    vectors: Array = field(metadata=stored(("dof", "vector"), "1", "W, M-orthonormal"))
    places: Array = field(metadata=stored(("dof", "axis"), "1", "of the degrees of freedom"))
    lines: tuple[ZoneLine, ...] = field(metadata=nested("line_", along="line"))
    folds: ComplexArray = field(
        metadata=stored(("line", *_SQUARE), "1", "W^T M exp(-i G.x) W", dtype=complex)
    )
    waves: ComplexArray = field(
        metadata=stored(_WAVES, "1", "W^T M exp(-i j G.x) rho", dtype=complex)
    )
    reads: ComplexArray = field(metadata=stored(_WAVES, "1", "W^T M exp(-i j G.x)", dtype=complex))

    @property
    def size(self) -> int:
        """Number of basis vectors r."""
        return self.vectors.shape[1]

    @property
    def start(self) -> ComplexArray:
        """Initial magnetisation W^T M rho, shape (r,)."""
        return self.waves[0, 0]

    @property
    def readout(self) -> ComplexArray:
        """Weights W^T M 1 of the signal, shape (r,); real."""
        return self.reads[0, 0]

    def matrix(self, p: ArrayLike) -> ComplexArray:
        """A(p) on the basis.

        Parameters
        ----------
        p : (..., d) array_like, rad/um

        Returns
        -------
        (..., r, r) complex, 1/ms
        """
        system = AffineSystem(None, self.static, self.C, self.N)
        return system.matrix(np.asarray(p, dtype=float) @ self.frame.T)

    def values(self, p: ArrayLike, count: int) -> Array:
        """The lowest eigenvalues along any path.

        Parameters
        ----------
        p : (n_p, d) array_like
            In the span of the lines (rad/um).
        count : int
            At most as many as lie below ``bound`` are those of the mesh.

        Returns
        -------
        (n_p, count) float, 1/ms
            Increasing for each p.
        """
        wanted = {"subset_by_index": [0, count - 1], "eigvals_only": True}
        path = np.asarray(p, dtype=float)
        return np.array([scipy.linalg.eigh(A, driver="evr", **wanted) for A in self.matrix(path)])

    def line(self, direction: ArrayLike) -> int:
        """Number of the line along a direction.

        Raises
        ------
        ValueError
            If the basis was made for other lines.
        """
        n = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
        for i, line in enumerate(self.lines):
            if n.shape == line.direction.shape and np.allclose(n, line.direction, atol=PARALLEL):
                return i
        known = ", ".join(str(line.integers) for line in self.lines)
        raise InputError(f"direction {n.tolist()}", f"one of those of the basis: {known}")


def band_basis(
    operators: BlochTorrey,
    period: float,
    permeability: float,
    directions: Sequence[ArrayLike],
    resolution: float,
) -> BandBasis:
    """A basis for the bands along some lines, up to a wave number.

    Parameters
    ----------
    operators : BlochTorrey
    period : float, um
    permeability : float, um/ms
        Of every membrane.
    directions : sequence of (d,) array_like
        Gradient directions, each along a vector of the reciprocal lattice.
    resolution : float, um
        Length l: the bands up to lambda = D / l^2, with the largest diffusivity, are all there
        and are those of the mesh, to 1e-4 where there are some dozens of them. Six tenths of
        the gradient length l_g give signals to 1e-4 of themselves, beside the error of the mesh.

    Raises
    ------
    ValueError
        If a direction is along no vector of the reciprocal lattice, or the length not positive.
    ArithmeticError
        If the mesh is too coarse for the length, or eigenvalues are missing.
    """
    cell = operators.cell
    if not (np.isfinite(resolution) and resolution > 0.0):
        raise InputError(f"a resolution of {resolution} um", "a length above zero")
    lines = tuple(zone_line(cell.lattice, period, direction) for direction in directions)
    frame = _axes(np.array([line.direction for line in lines]))
    system = AffineSystem.at(operators, period, permeability, frame)
    largest = float(np.linalg.eigvalsh(operators.inner_diffusivity).max())
    bound = largest / resolution**2
    farthest = max(line.width for line in lines) / 2
    margin = max(_MARGIN, (1.0 + farthest * resolution) ** 2 * (1.0 + 1e-6))
    vectors = _basis(system, largest, margin * bound)
    shifted = _waves(cell, lines, max(1 + int(resolution**-1 / line.width) for line in lines))
    left, small = (operators.mass_matrix @ vectors).T, system.project(vectors)
    basis = BandBasis(
        period=period,
        permeability=permeability,
        diffusivity=largest,
        bound=bound,
        frame=frame,
        static=small.static,
        C=small.C,
        N=small.N,
        vectors=vectors,
        places=cell.places,
        lines=lines,
        folds=np.array([left @ (waves[1][:, None] * vectors) for waves in shifted]),
        waves=np.array([[left @ (wave * operators.rho) for wave in waves] for waves in shifted]),
        reads=np.array([[left @ wave for wave in waves] for waves in shifted]),
    )
    _check(basis, system)
    return basis


def _waves(cell: CellOperators, lines: Sequence[ZoneLine], last: int) -> list[list[ComplexArray]]:
    """exp(-i j G.x) at the degrees of freedom for j = 0, ..., last on each line."""
    return [
        [phase(cell, tuple(j * m for m in line.integers)) for j in range(last + 1)]
        for line in lines
    ]


def _axes(directions: Array) -> Array:
    """Orthonormal axes of the span of some directions, shape (c, d)."""
    _, sizes, axes = np.linalg.svd(directions, full_matrices=False)
    return np.asarray(axes[sizes > PARALLEL])


def _basis(system: CellSystem, diffusivity: float, bound: float) -> Array:
    """Modes at p = 0 below a bound, indicator functions, and corrections."""
    cell, M = system.operators.cell, system.operators.mass_matrix
    _, modes = lowest_modes(system, np.zeros(len(system.C)), bound)
    # With relaxation or permeable membranes 1 and rho need not be eigenvectors.
    known = extend(extend(np.empty((cell.n_dofs, 0)), np.real(modes), M), cell.indicators, M)
    factor = factorise(cell.matrix(system.static + _SHIFT * bound * system.operators.M))
    scale = np.sqrt(bound / diffusivity)
    fields, corrections = np.real(modes), []
    for _ in range(_LEVELS):
        fields = np.hstack([scale * factor.solve(cell.matrix(C) @ fields) for C in system.C])
        corrections.append(fields)
    h = np.hstack(corrections)
    for _ in range(2):
        h = h - known @ (known.T @ (M @ h))
    squares, turn = np.linalg.eigh(h.T @ (M @ h))
    chosen = squares > _NEGLIGIBLE**2
    principal = h @ (turn[:, chosen] / np.sqrt(squares[chosen]))
    return extend(known, principal[:, ::-1], M)


def _check(basis: BandBasis, system: CellSystem) -> None:
    """Count the eigenvalues of the mesh below the bound where the basis has to do most."""
    for line in basis.lines:
        for part in (0.29, 0.5):
            p = part * line.width * line.direction
            theta = basis.values(p[None], basis.size)[0]
            number = count_below(system, basis.frame @ p, basis.bound)
            # Two eigenvalues may lie on the bound to the accuracy of the basis.
            near = np.abs(theta / basis.bound - 1.0) < 0.01
            if abs(int(np.sum(theta < basis.bound)) - number) > int(near.sum()):
                raise ArithmeticError(
                    f"{int(np.sum(theta < basis.bound))} bands below {basis.bound:g} /ms where the "
                    f"mesh has {number}: the basis is incomplete"
                )


@dataclass(frozen=True)
class BandSet:
    """Eigenpairs at the multiples of a pulse along one line.

    Attributes
    ----------
    basis : BandBasis
    number : int
        Which of its lines.
    pulses : int
        P: the narrow pulses have the weight |G| / P.
    values : (P // 2 + 1, n) float
        lambda_{p,n} at p = 0, |G|/P, ..., increasing (1/ms).
    coefficients : (P // 2 + 1, r, n) complex
        Eigenvectors on the basis; those at -p are their complex conjugates.
    """

    basis: BandBasis
    number: int
    pulses: int
    values: Array
    coefficients: ComplexArray

    @property
    def line(self) -> ZoneLine:
        """The line through the Brillouin zone."""
        return self.basis.lines[self.number]

    @property
    def pulse(self) -> float:
        """Weight q_0 of one pulse (rad/um)."""
        return self.line.width / self.pulses

    @cached_property
    def p(self) -> Array:
        """Wave numbers of the eigenpairs along the line, shape (P // 2 + 1,) (rad/um)."""
        return np.asarray(self.pulse * np.arange(len(self.values)), dtype=float)

    @property
    def n_bands(self) -> int:
        """Bands that are exact, on this mesh, at every p: those below ``basis.bound``."""
        return int(np.sum(self.values < self.basis.bound, axis=1).min())

    def truncate(self, count: int) -> BandSet:
        """The lowest modes alone, for each p (MMG20 3.1)."""
        count = min(count, self.values.shape[1])
        return BandSet(
            self.basis,
            self.number,
            self.pulses,
            self.values[:, :count],
            self.coefficients[..., :count],
        )

    def transition(self, k: int) -> ComplexArray:
        """G from p_k to p_{k+1}, MMG20 (25), for 0 <= k < P // 2; shape (n, n).

        The factor exp(-i q_0 x) of the pulse is the change of phase between the two Bloch
        functions: what is left is the product of their periodic parts.
        """
        transition: ComplexArray = self.coefficients[k + 1].conj().T @ self.coefficients[k]
        return transition

    def eigenpairs(self, p: float) -> tuple[Array, ComplexArray]:
        """Values and coefficients at any p with |p| <= |G| / 2 (rad/um).

        At multiples of the pulse they are looked up, elsewhere computed.
        """
        k = abs(p) / self.pulse
        nearest = round(k)
        if abs(k - nearest) <= ON_GRID and nearest < len(self.values):
            values, y = self.values[nearest], self.coefficients[nearest]
        else:
            values, y = _eigenpairs(
                self.basis.matrix(abs(p) * self.line.direction), self.values.shape[1]
            )
        return values, (y if p >= 0.0 else y.conj())

    def mean_values(self) -> Array:
        """Mean of each band over p, MMG20 (58)-(59), shape (n,) (1/ms).

        The limit of the Bloch-Torrey eigenvalues for weak gradients where the bands do not cross.
        """
        # Over the whole period of p, where the rule of rectangles converges fastest.
        weights = np.full(len(self.values), 2.0)
        weights[0] = 1.0
        if self.pulses % 2 == 0:
            weights[-1] = 1.0
        mean: Array = weights @ self.values / self.pulses
        return mean


def band_set(
    basis: BandBasis, direction: ArrayLike, pulses: int, progress: Progress = untold
) -> BandSet:
    """Eigenpairs at all multiples of a pulse of weight |G| / P.

    Parameters
    ----------
    basis : BandBasis
    direction : (d,) array_like
        One of those that the basis was made for.
    pulses : int
        P, at least 1.
    progress : Progress
        Is told at how many wave vectors the bands are known.
    """
    if pulses < 1:
        raise InputError(f"{pulses} pulses per period of the reciprocal lattice", "1 or more")
    number = basis.line(direction)
    line = basis.lines[number]
    p = (line.width / pulses) * np.arange(pulses // 2 + 1)[:, None] * line.direction
    vectors = each(list(p), progress, f"bands along {line.integers}")
    pairs = [_eigenpairs(basis.matrix(wave_vector), basis.size) for wave_vector in vectors]
    values = np.array([w for w, _ in pairs])
    if not np.all(np.isfinite(values)) or values.min() < -1e-9 * basis.bound:
        raise ArithmeticError(f"an eigenvalue of {values.min():g} /ms, none may be negative")
    return BandSet(basis, number, pulses, values, np.array([y for _, y in pairs]))


def _eigenpairs(A: ComplexArray, count: int) -> tuple[Array, ComplexArray]:
    """The lowest eigenpairs of a Hermitian matrix."""
    if count < len(A):
        w, y = scipy.linalg.eigh(A, driver="evr", subset_by_index=[0, count - 1])
    else:
        w, y = scipy.linalg.eigh(A, driver="evd")
    return w, np.asarray(y, dtype=complex)
