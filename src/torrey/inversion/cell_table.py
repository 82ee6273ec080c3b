"""Physical parameters of a cell of known geometry from measured tables.

The permeability, the diffusivities and the radius of `torrey.inversion.physical` and
`torrey.inversion.radius` in the form of the other models of tables, so that the same fits, errors
and criteria are theirs. The share of the water in the cells is that of the geometry: it follows
from the radius, and is no parameter of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.gradients.protocol import Measurement
from torrey.inversion.measured import MeasuredProtocol
from torrey.inversion.physical import PARAMETERS, physical_problem
from torrey.inversion.table_model import Evaluate, ModelParameter, TableModel

Array = NDArray[np.float64]

_DESCRIPTIONS: Final = {
    "kappa": "permeability of the membranes",
    "D_e": "diffusivity outside",
    "D_c": "diffusivity in the cells",
    "radius": "radius of the cell, in units of the period",
}
_BOUNDS: Final = {"kappa": (1e-4, 1.0), "D_e": (0.1, 3.5), "D_c": (0.1, 3.5)}


class CellProblem(Protocol):
    """Physical parameters of a cell, such as `PhysicalProblem` or `RadiusProblem`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters that are fitted."""

    @property
    def units(self) -> tuple[str, ...]:
        """Of `names`."""

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Within which the model can be evaluated."""

    def evaluate(self, x: Array) -> tuple[Array, Array]:
        """Signals and derivatives."""

    def signals(self, rows: Array) -> Array:
        """Signals for several values of the parameters, shape (n_rows, n)."""


@dataclass(frozen=True)
class CellTable(TableModel):
    """A cell of known geometry, by a homogenised or projected model.

    Parameters
    ----------
    problem : CellProblem
    measurements : tuple of Measurement
        Of the problem: the rows of the tables that can be fitted.
    """

    problem: CellProblem
    measurements: tuple[Measurement, ...]
    name: str = "physical"
    description: str = "permeability, diffusivities and radius of a cell of known geometry"

    @property
    def parameters(self) -> tuple[ModelParameter, ...]:
        """Those that the problem fits."""
        found = []
        ends = zip(*self.problem.bounds, strict=True)
        for name, unit, (low, high) in zip(
            self.problem.names, self.problem.units, ends, strict=True
        ):
            least, most = _BOUNDS.get(name, (low, high))
            lower, upper = max(low, least), min(high, most)
            meaning = _DESCRIPTIONS[name]
            one = ModelParameter(name, unit, lower, upper, meaning, name == "kappa", (low, high))
            found.append(one)
        return tuple(found)

    def prepare(self, protocol: MeasuredProtocol) -> Evaluate:
        """See `TableModel.prepare`; the rows are those that the problem was made for."""
        b = np.array([one.b for one in self.measurements])
        if len(b) != len(protocol) or not np.allclose(b, protocol.b, rtol=1e-6, atol=1e-9):
            raise InputError(
                f"{len(protocol)} rows", f"the {len(b)} rows that the cell was prepared for"
            )

        def evaluate(x: Array, derivatives: bool = True) -> tuple[Array, Array | None]:
            if not derivatives:
                return self.problem.signals(x), None
            pairs = [self.problem.evaluate(row) for row in x]
            return np.array([s for s, _ in pairs]), np.array([by for _, by in pairs])

        return evaluate


def physical_table(
    operators: BlochTorrey,
    material: Material,
    protocol: MeasuredProtocol,
    period: float,
    model: str,
    known: Mapping[str, float],
    names: Sequence[str] = PARAMETERS,
) -> CellTable:
    """The model of a cell for the rows of a table.

    A dictionary of 100 to 200 points is enough for its few parameters: each costs the signals of a
    model of the cell.

    Parameters
    ----------
    protocol : MeasuredProtocol
        With a direction and a waveform in each row.
    operators, material, period, model, known, names
        See `torrey.inversion.physical.physical_problem`.

    Raises
    ------
    InputError
        If a row has no waveform or no direction, or the model cannot be fitted with.
    """
    measurements = protocol.measurements()
    problem = physical_problem(operators, material, measurements, period, model, known, names)
    return CellTable(problem, measurements)
