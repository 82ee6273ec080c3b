"""Permeability and diffusivities of a cell of known geometry from a table of signals."""

from __future__ import annotations

import numpy as np
import pytest
from support.cells import LARGE_DISC

from torrey.base.errors import InputError
from torrey.cell.material import Material
from torrey.inversion.cell_table import physical_table
from torrey.inversion.measured import protocol_of_columns
from torrey.inversion.table_models import table_signals
from torrey.inversion.voxel_fit import fit_table

KNOWN = {"kappa": 0.05, "D_e": 2.5, "D_c": 1.5}
b = np.tile([0.0, 0.4, 1.0, 2.0, 3.0], 4)
PROTOCOL = protocol_of_columns(
    b, 4.0, np.repeat([10.0, 10.0, 40.0, 40.0], 5), directions=np.eye(2)[np.repeat([0, 1, 0, 1], 5)]
)


def cell(model: str, *names: str):
    material = Material((2.5, 1.5))
    operators = LARGE_DISC.operators(0)
    return physical_table(operators, material, PROTOCOL, 5.0, model, KNOWN, names)


@pytest.mark.slow
def test_permeability_and_diffusivity_are_found():
    table = cell("R2", "kappa", "D_e")
    assert table.names == ("kappa", "D_e")
    y = 400.0 * table_signals(table, PROTOCOL, [0.05, 2.5])
    found = fit_table(table, PROTOCOL, y, 4.0, dictionary=12, starts=1)
    assert found.status.tolist() == [0]
    assert found.estimate[0] == pytest.approx([0.05, 2.5], rel=1e-3)
    assert (found.standard_error[0] > 0.0).all()
    assert found.units == ("um ms-1", "um2 ms-1")


def test_other_tables_are_refused():
    with pytest.raises(InputError, match="the 20 rows"):
        cell("R0", "kappa").prepare(PROTOCOL.rows(range(5)))
    means = protocol_of_columns(b, 4.0, 20.0)
    with pytest.raises(InputError, match="mean over directions"):
        physical_table(LARGE_DISC.operators(0), Material((2.5, 1.5)), means, 5.0, "R0", KNOWN)
