"""Permeability and diffusivities of a cell of known geometry from a table of signals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.cells import LARGE_DISC

from torrey.base.errors import InputError
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.inversion.cell_runs import cell_model
from torrey.inversion.cell_table import physical_table
from torrey.inversion.measured import protocol_of_columns
from torrey.inversion.table_models import table_signals
from torrey.inversion.voxel_fit import fit_table
from torrey.models.evaluation import build_models

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


def test_the_radius_is_found_and_no_bounds_go_beyond_the_radii_that_are_known():
    material, mesh = Material((2.5, 1.5)), MeshOptions(0.15, 0)

    def disc(radius: float) -> Discs:
        return Discs((Disc((0.5, 0.5), radius),))

    options = {
        "material": material.to_dict(),
        "axes": 2,
        "period": 5.0,
        "by": "R0",
        "known": KNOWN,
        "parameters": ["radius", "kappa"],
        "shape": {**disc(0.4).to_dict(), **mesh.to_dict()},
    }
    in_space = np.pad(PROTOCOL.directions, ((0, 0), (0, 1)))
    table = cell_model(options, replace(PROTOCOL, directions=in_space), "no file is read")
    assert table.names == ("kappa", "radius")
    # Another radius, and so another mesh than all those that the model is made of.
    other = levels(disc(0.43), mesh, material)[0]
    truth = physical_table(other, material, PROTOCOL, 5.0, "R0", KNOWN, ["kappa"])
    y = 300.0 * table_signals(truth, PROTOCOL, [0.07])
    found = fit_table(table, PROTOCOL, y, 1.0, dictionary=50, starts=1)
    assert found.status.tolist() == [0]
    assert found.units == ("um ms-1", "1")
    assert found.estimate[0] == pytest.approx([0.07, 0.43], rel=1e-2)
    # The polynomials between the radii say nothing beyond them.
    with pytest.raises(InputError, match="bounds.radius: found 0.1, accepted: .* 0.32 to 0.45"):
        fit_table(table, PROTOCOL, y, 1.0, bounds={"radius": (0.1, 0.45)})


def test_other_tables_are_refused():
    with pytest.raises(InputError, match="the 20 rows"):
        cell("R0", "kappa").prepare(PROTOCOL.rows(range(5)))
    means = protocol_of_columns(b, 4.0, 20.0)
    with pytest.raises(InputError, match="mean over directions"):
        physical_table(LARGE_DISC.operators(0), Material((2.5, 1.5)), means, 5.0, "R0", KNOWN)


# The fitted P2 has a larger basis: the correctors at two pairs of diffusivities.
@pytest.mark.parametrize(("model", "rtol"), [("R2", 1e-9), ("P2", 1e-5)])
def test_gradients_out_of_the_plane_of_a_cell_are_those_of_its_models(model, rtol):
    directions = np.array([[0.0, 0.0, 1.0], [0.6, 0.0, 0.8], [1.0, 0.0, 0.0]])
    protocol = protocol_of_columns([1.0, 1.5, 0.8], 4.0, 20.0, directions=directions)
    material = Material((2.5, 1.5), in_space=True)
    operators = bloch_torrey(LARGE_DISC.operators(0).cell, material)
    table = physical_table(operators, material, protocol, 5.0, model, KNOWN, ["kappa", "D_c"])
    expected = []
    other = bloch_torrey(operators.cell, replace(material, diffusivity=(2.5, 0.9)))
    for one in protocol.measurements():
        (same,) = build_models(other, one.direction, [model])
        expected.append(complex(same.signal(one.waveform, one.q, 5.0, 0.02 / 5.0)))
    found = table_signals(table, protocol, [0.02, 0.9])
    np.testing.assert_allclose(found.ravel(), np.real(expected), rtol=rtol)
