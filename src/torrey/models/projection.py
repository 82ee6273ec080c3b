"""Projected models P_l: the Bloch-Torrey system on the span of the correctors.

W is an M-orthonormal basis of the span of the coefficient fields of H_0 ... H_l (`expansion`), for
gradients along one direction or along several axes. The Galerkin system

    dw/dt = -A_W(g) w,    A_W(g) = W^T A(g) W,    S = z^T w(T_E) / z^T a,
    w(0) = a = W^T M rho,    z = W^T M 1

inherits Hermitian and positive semi-definite from A(g): it can only dissipate, whatever the period,
the permeability, the gradient or the waveform, where the truncated series R_n may grow (KL23 remark
4.4). A is affine in 1/L^2, g/L, g^2 and kappa/L, so that one basis serves them all. The bases are
nested: P_l is a leading part of P_{l+1}, and the difference of the two estimates the error of P_l.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csc_array

from torrey.base.stored import stored
from torrey.cell.operators import Array, BlochTorrey
from torrey.cell.system import combine, family_factors, galerkin, relaxation_of
from torrey.gradients.waveforms import Segment, Waveform
from torrey.models.expansion import Expansion, expand
from torrey.models.integration import dissipative_signal
from torrey.models.model import TIME_TOLERANCE, Stability
from torrey.models.moments import galerkin_taylor
from torrey.models.polynomials import ComplexArray, Monomial, Polynomial

#: A field whose part outside the span of the others is smaller than this adds nothing.
_INDEPENDENT = 1e-9
#: Dims of a matrix on the basis in a file.
_SQUARE = ("vector", "vector_2")


@dataclass(frozen=True)
class ProjectedModel:
    """Bloch-Torrey operators on a small basis, for gradients along some axes.

    Attributes
    ----------
    K, J, R : (r, r) float
    C : (c, r, r) float
    N : (c, c, r, r) float
    start : (r,) float
        The initial magnetisation.
    readout : (r,) float
        Weights of the signal.
    frame : (c, d) float
    axial : (c, c) float
        Part of N that is the same everywhere and taken out of signals: see
        `torrey.cell.operators.BlochTorrey.axial`.
    ranks : tuple of int
        Of P_0, P_1, ..., of this model.
    R_stored : (r, r) float, optional
        In the place of R while magnetisation is stored; None if T1 is not given.
    T : (r, r) float, optional
        None where membranes relax nothing beside letting water through.
    """

    K: Array = field(metadata=stored(_SQUARE, "um2 ms-1", "W^T K W, lengths in units of the cell"))
    C: Array = field(metadata=stored(("component", *_SQUARE), "um2 ms-1", "W^T C W for each axis"))
    N: Array = field(metadata=stored(("component", "component_2", *_SQUARE), "um2 ms-1", "W^T N W"))
    J: Array = field(metadata=stored(_SQUARE, "1", "W^T J W"))
    R: Array = field(metadata=stored(_SQUARE, "ms-1", "W^T R W"))
    start: Array = field(metadata=stored(("vector",), "1", "W^T M rho"))
    readout: Array = field(metadata=stored(("vector",), "1", "W^T M 1"))
    frame: Array = field(metadata=stored(("component", "axis"), "1", "axes of the gradients"))
    axial: Array = field(
        metadata=stored(
            ("component", "component_2"),
            "um2 ms-1",
            "diffusivity out of the cell that all regions share",
        )
    )
    ranks: tuple[int, ...] = field(
        metadata=stored(("rung",), "1", "number of basis vectors of each rung")
    )
    R_stored: Array | None = field(
        default=None,
        metadata=stored(_SQUARE, "ms-1", "the same as R of magnetisation stored along z"),
    )
    T: Array | None = field(
        default=None,
        metadata=stored(_SQUARE, "um ms-1", "W^T T W, of membranes that relax"),
    )

    @property
    def order(self) -> int:
        """l of P_l."""
        return len(self.ranks) - 1

    @property
    def n_derivatives(self) -> int:
        """None: A depends on g alone."""
        return 0

    def reaches(self, order: int) -> bool:
        """Whether there is a model P_order among those of this one."""
        return order <= self.order

    def complete(self, order: int) -> bool:
        """Whether P_order is known to be the whole space of its mesh: it never is."""
        return False

    def truncate(self, order: int) -> ProjectedModel:
        """The model P_order of lower order.

        Raises
        ------
        ValueError
            If the basis does not go that far.
        """
        if not 0 <= order <= self.order:
            raise ValueError(f"order {order} of a basis with orders 0 to {self.order}")
        r = self.ranks[order]
        K, C, N, J, R = (X[..., :r, :r] for X in (self.K, self.C, self.N, self.J, self.R))
        R_stored = None if self.R_stored is None else self.R_stored[:r, :r]
        T = None if self.T is None else self.T[:r, :r]
        return replace(
            self,
            **{"K": K, "C": C, "N": N, "J": J, "R": R},
            start=self.start[:r],
            readout=self.readout[:r],
            ranks=self.ranks[: order + 1],
            R_stored=R_stored,
            T=T,
        )

    def during(self, segment: Segment) -> ProjectedModel:
        """The model on a segment of a waveform: another one while magnetisation is stored.

        Raises
        ------
        InputError
            See `torrey.cell.system.relaxation_of`.
        """
        return self._stored if segment.stored else self

    @cached_property
    def _stored(self) -> ProjectedModel:
        return replace(self, R=relaxation_of(self, stored=True))

    def signal(
        self,
        waveform: Waveform,
        q: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        tolerance: float = TIME_TOLERANCE,
    ) -> ComplexArray:
        """Signals of any number of points at once: see `torrey.models.model.Model.signal`."""
        return dissipative_signal(self, waveform, q, period, sigma, tolerance)

    def taylor(self, waveform: Waveform, period: ArrayLike, sigma: ArrayLike) -> ComplexArray:
        """Series of the signal in q: see `torrey.models.model.Model.taylor`."""
        return galerkin_taylor(self, waveform, period, sigma)

    def stability(
        self, waveform: Waveform, q: ArrayLike, period: ArrayLike, sigma: ArrayLike
    ) -> Stability:
        """It can only dissipate: see `torrey.models.model.Model.stability`."""
        return Stability.dissipative(q, period, sigma)

    def along(self, frame: Array) -> ProjectedModel:
        """The model for gradients along other axes, in the span of those of the basis.

        Parameters
        ----------
        frame : (c, d) float

        Raises
        ------
        ValueError
            If an axis is not in the span.
        """
        turn = frame @ self.frame.T
        if not np.allclose(turn @ self.frame, frame, rtol=0.0, atol=1e-9):
            raise ValueError(f"axes {frame.tolist()} for a basis along {self.frame.tolist()}")
        return replace(
            self,
            C=np.einsum("ab,bij->aij", turn, self.C),
            N=np.einsum("ac,bd,cdij->abij", turn, turn, self.N),
            frame=frame,
            axial=turn @ self.axial @ turn.T,
        )

    @cached_property
    def bare(self) -> ProjectedModel:
        """The model without `axial`."""
        if not self.axial.any():
            return self
        one = np.eye(len(self.start))
        return replace(
            self,
            N=self.N - self.axial[:, :, None, None] * one,
            axial=np.zeros_like(self.axial),
        )

    def matrix(self, jet: ArrayLike, period: ArrayLike, sigma: ArrayLike) -> ComplexArray:
        """A_W(g), Hermitian and positive semi-definite.

        Parameters
        ----------
        jet : (..., n, c) array_like
            g (rad/um); derivatives may follow and are not used.
        period : (...) array_like, um
        sigma : (...) array_like, 1/ms
            kappa / L.

        Returns
        -------
        (..., r, r) complex, 1/ms
        """
        g = np.asarray(jet, dtype=float)[..., 0, :]
        return combine(*family_factors(g, period, sigma), self.symmetric, self.C)

    @cached_property
    def symmetric(self) -> Array:
        """K, J, R, T and all N_ab, (N_STATIC + c c, r, r): what `family_factors` are of."""
        r = len(self.start)
        T = np.zeros((r, r)) if self.T is None else self.T
        return np.array([self.K, self.J, self.R, T, *self.N.reshape(-1, r, r)])

    def jump(self, *_: object) -> None:
        """Nothing: the state is a field, and continuous in time."""
        return


def projected_models(
    operators: BlochTorrey, frame: ArrayLike, orders: Sequence[int]
) -> list[ProjectedModel]:
    """P_l of some orders, all of them parts of the one of highest order."""
    highest = project(operators, frame, max(orders))
    return [highest.truncate(order) for order in orders]


def project(operators: BlochTorrey, frame: ArrayLike, order: int) -> ProjectedModel:
    """Operators on the span of H_0 ... H_order.

    Parameters
    ----------
    operators : BlochTorrey
    frame : (d,) or (c, d) array_like
        Gradient direction, or the axes of the components of g.
    order : int
    """
    expansion = expand(operators, frame, max(order - 1, 0))
    basis, ranks = corrector_basis(operators, expansion, order)
    return project_on(operators, expansion.frame, basis, ranks)


def project_on(
    operators: BlochTorrey, frame: Array, basis: Array, ranks: tuple[int, ...]
) -> ProjectedModel:
    """Operators on an M-orthonormal basis, shape (n_dofs, r), for gradients along some axes."""
    cell, along, M = operators.cell, operators.along(frame), operators.mass_matrix
    readout = basis.T @ (M @ np.ones(cell.n_dofs))
    uniform, stored_R = np.all(operators.rho == 1.0), operators.R_stored
    return ProjectedModel(
        K=galerkin(cell, operators.K, basis, 1),
        C=galerkin(cell, along.C, basis, -1),
        N=galerkin(cell, along.N, basis, 1),
        J=galerkin(cell, operators.J, basis, 1),
        R=galerkin(cell, operators.R, basis, 1),
        R_stored=None if stored_R is None else galerkin(cell, stored_R, basis, 1),
        T=None if operators.T is None else galerkin(cell, operators.T, basis, 1),
        start=readout if uniform else basis.T @ (M @ operators.rho),
        readout=readout,
        frame=frame,
        axial=along.axial,
        ranks=ranks,
    )


def corrector_basis(
    operators: BlochTorrey, expansion: Expansion, order: int
) -> tuple[Array, tuple[int, ...]]:
    """M-orthonormal basis of the span of H_0 ... H_order, and its size after each order.

    Returns
    -------
    basis : (n_dofs, r) float
    ranks : tuple of int, length order + 1
    """
    basis = np.empty((operators.cell.n_dofs, 0))
    ranks = []
    for number in range(order + 1):
        fields = correctors(expansion, number, operators.cell.n_dofs)
        basis = extend(basis, fields, operators.mass_matrix)
        ranks.append(basis.shape[1])
    return basis, tuple(ranks)


def correctors(
    expansion: Expansion,
    order: int,
    n_dofs: int,
    wanted: Callable[[Monomial], bool] = lambda powers: True,
) -> Array:
    """Coefficient fields of H_order as columns, those of other systems among them.

    Parameters
    ----------
    expansion : Expansion
    order, n_dofs : int
    wanted : callable, optional
        Which monomials count.
    """
    stored = (expansion.stored,) if expansion.stored else ()
    every = (expansion, *stored, *expansion.relaxing)
    chosen = [
        {powers: field for powers, field in one.fields[order].items() if wanted(powers)}
        for one in every
    ]
    return np.hstack([side_by_side(fields, n_dofs) for fields in chosen])


def side_by_side(fields: Polynomial, n_dofs: int) -> Array:
    """All coefficient fields as columns; none where water is free and there are no correctors."""
    return np.hstack([np.empty((n_dofs, 0)), *fields.values()])


def extend(basis: Array, fields: Array, M: csc_array, least: float = _INDEPENDENT) -> Array:
    """Add to an M-orthonormal basis what is new in some fields, the columns of an array.

    Gram-Schmidt, twice; a part smaller than `least` of its field is left out.
    """
    lengths = np.sqrt(np.einsum("ni,ni->i", fields, M @ fields))
    v = fields[:, lengths > 0.0] / lengths[lengths > 0.0]
    for _ in range(2):
        v = v - basis @ (basis.T @ (M @ v))
    new, M_new = np.empty((len(v), 0)), np.empty((len(v), 0))
    for column in v.T:
        rest = column
        for _ in range(2):
            rest = rest - new @ (M_new.T @ rest)
        length = float(np.sqrt(rest @ (M @ rest)))
        if length > least:
            # What is left may be small: it is cleaned once more before it is stretched.
            rest = rest / length
            rest = rest - basis @ (basis.T @ (M @ rest)) - new @ (M_new.T @ rest)
            M_rest = M @ rest
            length = float(np.sqrt(rest @ M_rest))
            new = np.column_stack([new, rest / length])
            M_new = np.column_stack([M_new, M_rest / length])
    return np.hstack([basis, new])
