"""Multigrid on the nested spaces of a voxel, which preconditions the implicit steps.

Each step solves (M + c A(g)) x = b, with c of the order of a step. On the coarsest mesh the mass
outweighs the rest within a few elements, so that a few steps of Chebyshev's iteration solve there:
no matrix is factorised. The fields of a step are complex and in single precision: the steps correct
what was extrapolated, and residuals are formed in double precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from torrey.voxel.assembly import Operators
from torrey.voxel.blocks import Crew, Rows
from torrey.voxel.results import VoxelError

Complex = NDArray[np.complex64]

#: Chebyshev's iteration smooths what lies above its bound over this.
_DEGREE, _RANGE = 2, 8.0
_DEGREE_COARSE, _RANGE_COARSE = 6, 30.0
#: Iterations for the bound on the spectrum, and the factor that makes it safe.
_POWERS, _SAFETY = 15, 1.2
#: c at which stiffness outweighs mass (ms).
_STIFF: Final = 1e6


@dataclass
class Level:
    """One space: its operators, and the matrix of the step that is being solved."""

    operators: Operators
    bound: float
    matrix: Complex
    inverse: NDArray[np.float32]

    @classmethod
    def of(cls, operators: Operators, crew: Crew, largest: float) -> Level:
        """Bound the spectrum for all |g| up to a largest one (rad/um) and all steps."""
        n = operators.size
        level = cls(
            operators,
            0.0,
            np.empty(len(operators.K), dtype=np.complex64),
            np.empty(n, dtype=np.float32),
        )
        bounds = []
        for c, g in ((0.0, 0.0), (_STIFF, largest)):
            level.form(crew, c, g)
            bounds.append(level._power(crew))
        level.bound = _SAFETY * max(bounds)
        return level

    def form(self, crew: Crew, c: float, g: float) -> None:
        """Make M + c A(g) the matrix of this level."""
        operators, pattern = self.operators, self.operators.pattern

        def work(rows: slice) -> None:
            here = pattern.entries(rows)
            data = step_entries(operators, rows, c, g)
            self.matrix[here] = data
            self.inverse[rows] = 1.0 / pattern.block(rows, data.real).diagonal(rows.start)

        crew.each(work, operators.size)

    def apply(self, crew: Crew, x: Complex) -> Complex:
        """Product with the matrix."""
        return self._blockwise(crew, lambda _, product: product, x)

    def residual(self, crew: Crew, b: Complex, x: Complex) -> Complex:
        """b minus the product with x."""
        return self._blockwise(crew, lambda rows, product: b[rows] - product, x)

    def _blockwise(
        self, crew: Crew, finish: Callable[[slice, Complex], Complex], x: Complex
    ) -> Complex:
        pattern = self.operators.pattern
        found = np.empty(pattern.size, dtype=np.complex64)

        def work(rows: slice) -> None:
            product = pattern.block(rows, self.matrix[pattern.entries(rows)]) @ x
            found[rows] = finish(rows, product)

        crew.each(work, pattern.size)
        return found

    def smooth(
        self, crew: Crew, b: Complex, x: Complex | None, degree: int, spread: float
    ) -> Complex:
        """Chebyshev's iteration for the upper part of the spectrum; from zero without x."""
        middle = self.bound * (1 + 1 / spread) / 2
        half = self.bound * (1 - 1 / spread) / 2
        sigma = middle / half
        rho = 1 / sigma
        change = np.empty_like(b)
        forward, back = 0.0, 1 / middle
        for k in range(degree):
            if k:
                following = 1 / (2 * sigma - rho)
                forward, back = following * rho, 2 * following / half
                rho = following
            x = self._chebyshev_step(crew, b, x, change, (np.float32(forward), np.float32(back)))
        assert x is not None
        return x

    def _chebyshev_step(
        self,
        crew: Crew,
        b: Complex,
        x: Complex | None,
        change: Complex,
        factors: tuple[np.float32, np.float32],
    ) -> Complex:
        pattern, (forward, back) = self.operators.pattern, factors
        found = np.empty_like(b)

        def work(rows: slice) -> None:
            rest = b[rows]
            if x is not None:
                rest = rest - pattern.block(rows, self.matrix[pattern.entries(rows)]) @ x
            step = (back * self.inverse[rows]) * rest
            if forward:
                step += forward * change[rows]
            change[rows] = step
            found[rows] = step if x is None else x[rows] + step

        crew.each(work, pattern.size)
        return found

    def _power(self, crew: Crew) -> float:
        """Largest eigenvalue of the matrix over its diagonal, by power iterations."""
        random = np.random.default_rng(0).standard_normal(self.operators.size)
        x = random.astype(np.complex64)
        largest = 1.0
        for _ in range(_POWERS):
            x = x / np.float32(np.linalg.norm(x))
            x = self.inverse * self.apply(crew, x)
            largest = float(np.linalg.norm(x))
        return largest


def step_entries(operators: Operators, rows: slice, c: float, g: float) -> NDArray[np.complex128]:
    """Entries of M + c A(g) in a block of rows."""
    pattern = operators.pattern
    here = pattern.entries(rows)
    factor = 1.0 + c * g * g * operators.D[rows]
    if np.all(factor == factor[0]):
        mass = factor[0] * operators.M[here]
    else:
        counts = np.diff(pattern.indptr[rows.start : rows.stop + 1])
        mass = np.repeat(factor, counts) * operators.M[here]
    data = np.empty(len(mass), dtype=complex)
    data.real = c * operators.K[here] + mass
    data.imag = (c * g) * operators.C[here]
    return data


@dataclass(frozen=True)
class Multigrid:
    """V-cycles on nested spaces, the finest first.

    Attributes
    ----------
    levels : tuple of Level
    up, down : tuple of Rows
        Interpolation from the next space, and its transpose.
    solve_coarse : callable, optional
        What solves on the coarsest space, in the place of Chebyshev's iteration.
    """

    crew: Crew
    levels: tuple[Level, ...]
    up: tuple[Rows, ...]
    down: tuple[Rows, ...]
    solve_coarse: Callable[[Complex], Complex] | None = None

    @classmethod
    def of(
        cls,
        crew: Crew,
        spaces: Sequence[Operators],
        interpolations: Sequence[csr_array],
        largest: float,
    ) -> Multigrid:
        """Prepare for all steps with |g| up to a largest one (rad/um)."""
        single = [P.astype(np.complex64) for P in interpolations]
        return cls(
            crew,
            tuple(Level.of(space, crew, largest) for space in spaces),
            tuple(Rows.of(P) for P in single),
            tuple(Rows.of(csr_array(P.T)) for P in single),
        )

    def form(self, c: float, g: float) -> None:
        """Make M + c A(g) the matrix of all levels."""
        for level in self.levels:
            level.form(self.crew, c, g)

    def cycle(self, b: Complex, k: int = 0) -> Complex:
        """Return what one V-cycle from zero makes of a right-hand side of level k."""
        crew, level = self.crew, self.levels[k]
        if k == len(self.levels) - 1:
            if self.solve_coarse is not None:
                return self.solve_coarse(b)
            return level.smooth(crew, b, None, _DEGREE_COARSE, _RANGE_COARSE)
        x = level.smooth(crew, b, None, _DEGREE, _RANGE)
        below = self.down[k].apply(crew, level.residual(crew, b, x))
        x = x + self.up[k].apply(crew, self.cycle(below, k + 1))
        return level.smooth(crew, b, x, _DEGREE, _RANGE)

    def solve(
        self, b: Complex, tolerance: float, relative: float = 0.0, most: int = 200
    ) -> tuple[Complex, int]:
        """Solve by conjugate gradients, from zero.

        Parameters
        ----------
        b : (n,) complex
        tolerance : float
            For the error e in the norm (e^H (M + c A) e)^(1/2), which is at least its norm by
            mass; estimated by the preconditioned residual.
        relative : float
            For the same in parts of its value at the start, where that is larger.
        most : int
            Iterations.

        Returns
        -------
        x : (n,) complex
        iterations : int

        Raises
        ------
        VoxelError
            If so many iterations do not suffice, or a number overflows.
        """
        crew, n = self.crew, len(b)
        x, r = np.zeros_like(b), b.copy()
        p = np.zeros_like(b)
        before = 0.0
        for k in range(most + 1):
            z = self.cycle(r)
            size = _product(crew, r, z)
            _check_finite(size)
            tolerance = max(tolerance, 0.0 if k else relative * np.sqrt(max(size, 0.0)))
            if np.sqrt(max(size, 0.0)) <= tolerance:
                return x, k
            forward = np.float32(size / before) if before else np.float32(0.0)
            crew.each(partial(_scale_add, p, forward, z), n)
            q = self.levels[0].apply(crew, p)
            curvature = _product(crew, p, q)
            _check_finite(curvature)
            if curvature == 0.0:
                break
            step = np.float32(size / curvature)
            crew.each(partial(_advance, x, r, p, q, step), n)
            before = size
        raise VoxelError(
            f"{most} iterations do not solve an implicit step: the error is {np.sqrt(size):.2e}, "
            f"{tolerance:.2e} was asked for"
        )


def _check_finite(size: float) -> None:
    if not np.isfinite(size):
        raise VoxelError(
            f"an implicit step leaves a residual of {size:g}: the diffusivities, the permeability "
            "or the gradient are too large for single precision"
        )


def _product(crew: Crew, a: Complex, b: Complex) -> float:
    return float(crew.total(lambda rows: float(np.vdot(a[rows], b[rows]).real), len(a)))


def _scale_add(p: Complex, factor: np.float32, z: Complex, rows: slice) -> None:
    p[rows] *= factor
    p[rows] += z[rows]


def _advance(x: Complex, r: Complex, p: Complex, q: Complex, step: np.float32, rows: slice) -> None:
    x[rows] += step * p[rows]
    r[rows] -= step * q[rows]
