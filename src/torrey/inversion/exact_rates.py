"""The exchange time that a fit should find: that of the medium itself, and of Karger's model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from torrey.base.errors import InputError
from torrey.bloch.dispersion import karger_rates
from torrey.cell.factors import factorise
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem

Array = NDArray[np.float64]

#: Eigenvalues that are looked through: modes of diffusion that no exchange is in come in pairs.
_MODES: Final = 12
#: Least share of a mode that is constant in each compartment: those without any are not exchange.
_SHARE: Final = 1e-2
#: Of the rate of diffusion through the cell: no rate of exchange is so small.
_ROUNDING: Final = 1e-10
#: Of the rate of diffusion through the cell: below it A(0) is as good as singular.
_SLOW: Final = 1e-4


@dataclass(frozen=True)
class ExactExchange:
    """Exchange of one cell.

    Attributes
    ----------
    time, error : float
        1 over the slowest rate of exchange of the medium (ms), and its numerical error.
    karger_time : float
        1/(eta_e + eta_c) of Karger's model (ms), which has it to order L^2.
    fraction : float
        Share of the water inside the cells.
    """

    time: float
    error: float
    karger_time: float
    fraction: float


def exact_exchange(
    levels: Sequence[BlochTorrey], cells: Sequence[tuple[float, float]]
) -> list[ExactExchange]:
    """Exchange of a cell with permeable membranes, at several sizes and permeabilities.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh; the finest two are taken.
    cells : sequence of (float, float)
        Period and permeability (um, um/ms).

    Raises
    ------
    InputError
        If no mode of a cell exchanges water.
    """
    fine = levels[-1]
    measures = fine.cell.measures()
    fraction = float(measures[1:].sum() / measures.sum())
    # All rates of the model are proportional to kappa / L.
    karger = float(karger_rates(fine, 1.0, 1.0)[0])
    found = []
    for period, permeability in cells:
        rate = exchange_rate(fine, period, permeability)
        coarse = exchange_rate(levels[-2], period, permeability) if len(levels) > 1 else np.nan
        error = abs(1.0 / rate - 1.0 / coarse)
        karger_time = period / (permeability * karger)
        found.append(ExactExchange(1.0 / rate, error, karger_time, fraction))
    return found


def exchange_rate(operators: BlochTorrey, period: float, permeability: float) -> float:
    """Lowest eigenvalue of A(0) above zero whose mode moves water between compartments (1/ms).

    Where membranes let most water through, modes of diffusion alone, which a symmetric cell has,
    may be slower: they have the same amount of water in each compartment at all times.
    """
    cell = operators.cell
    count = min(min(cell.n_compartments, _MODES) + _MODES, cell.n_dofs - 2)
    system = AffineSystem.at(operators, period, permeability, np.eye(cell.dimension)[0])
    A, M = cell.matrix(system.static), operators.mass_matrix
    diffusing = float(np.abs(operators.diffusivity).max()) / period**2
    shift = _SLOW * diffusing
    inverse = LinearOperator(A.shape, factorise((A + shift * M).tocsc()).solve, dtype=float)
    # A start that is the same in every run and has a part of every mode.
    start = np.cos(np.arange(cell.n_dofs) ** 2)
    values, modes = eigsh(A, count, M, sigma=-shift, OPinv=inverse, v0=start)
    water = cell.indicators.T @ (M @ modes)
    share = (water**2 / cell.measures()[:, None]).sum(axis=0)
    # In equilibrium, whose eigenvalue is zero, all is constant.
    order = np.argsort(values)[1:]
    exchanging = order[share[order] > _SHARE]
    if not len(exchanging) or values[exchanging[0]] <= _ROUNDING * diffusing:
        raise InputError("a cell whose compartments exchange no water", "permeable membranes")
    return float(values[exchanging[0]])
