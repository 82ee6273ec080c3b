"""Bands and tables as files."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of
from torrey.bloch.bands import band_basis, band_set
from torrey.bloch.fields import dof_of_node
from torrey.bloch.files import band_groups, read_bands
from torrey.bloch.narrow_pulses import pulsed_signal
from torrey.bloch.narrow_runs import run_narrow_maps, run_narrow_signals, run_sampling
from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.geometry.meshing import build_meshes
from torrey.gradients.waveforms import Pgse

X, DIAGONAL = (1.0, 0.0), (1.0, 1.0)
WATER = Discs((Disc((0.27, 0.4), 0.15), Disc((0.75, 0.93), 0.2)))


@pytest.fixture(scope="module")
def mesh():
    return build_meshes(WATER, MeshOptions(0.1, 0))[0]


@pytest.fixture(scope="module")
def cell(mesh):
    sides = np.array([(m.outside, m.inside) for m in WATER.membranes()])
    return bloch_torrey(assemble(mesh, sides), Material((2.0, 1.0, 1.5)))


@pytest.fixture(scope="module")
def basis(cell):
    return band_basis(cell, 4.0, 0.05, [X, DIAGONAL], 0.5)


def test_bands_come_back_whole(basis, tmp_path):
    sets = [band_set(basis, direction, 6) for direction in (X, DIAGONAL)]
    artifacts.write(tmp_path / "bands.nc", {}, Provenance("test"), groups=band_groups(sets))
    for i, (bands, again) in enumerate(zip(sets, read_bands(tmp_path / "bands.nc"), strict=True)):
        for field in fields(basis):
            if field.name != "lines":
                found = getattr(again.basis, field.name)
                np.testing.assert_array_equal(found, getattr(basis, field.name))
        assert again.line.integers == bands.line.integers
        np.testing.assert_allclose(again.values, bands.values, atol=1e-10 * bands.values.max())
        expected = pulsed_signal(bands, Pgse(1.0, 2.0), 1.0).signal
        assert pulsed_signal(again, Pgse(1.0, 2.0), 1.0).signal == pytest.approx(expected, rel=1e-9)
        table = artifacts.read(tmp_path / "bands.nc", f"line{i}")
        np.testing.assert_array_equal(table["value"], bands.values[:, : bands.n_bands])


def test_nodes_find_their_degrees_of_freedom(mesh, cell):
    """Values that depend on place and compartment come back at every node and periodic image."""
    x, y = 2 * np.pi * cell.cell.places.T
    values = np.sin(x) + np.cos(y + 1.0) + 10 * cell.cell.compartment
    at_nodes = values[dof_of_node(mesh, cell.cell)]
    x, y = 2 * np.pi * mesh.points.T
    expected = np.sin(x) + np.cos(y + 1.0) + 10 * mesh.node_compartment()
    np.testing.assert_allclose(at_nodes, expected, atol=1e-8)


def test_the_nodes_of_another_mesh_are_refused(cell):
    other = build_meshes(WATER, MeshOptions(0.2, 0))[0]
    with pytest.raises(ValueError, match="not those of this mesh"):
        dof_of_node(other, cell.cell)


def test_tables_can_be_written(mesh, cell, basis, tmp_path):
    sets = [band_set(basis, direction, 6) for direction in (X, DIAGONAL)]
    node = dof_of_node(mesh, cell.cell)
    table = {
        **group_of(run_narrow_signals(sets, np.arange(7) / 6, (0.5, 2.0), 1.0)),
        **group_of(run_narrow_maps(sets, node, 4 / 3, (0.5, 2.0))),
    }
    artifacts.write(tmp_path / "narrow.nc", table, Provenance("test"))
    data = artifacts.open_dataset(tmp_path / "narrow.nc")
    assert dict(data.sizes)["node"] == len(mesh.points)
    np.testing.assert_allclose(data.signal.sel(turns=0.0), 1.0, atol=1e-12)
    assert np.all((data.ratio > 0.3) & (data.ratio < 1.0))
    steps = group_of(run_sampling(Pgse(2.0, 5.0), 1.0, 0.3))
    artifacts.write(tmp_path / "sampling.nc", steps, Provenance("test"))
    assert artifacts.read(tmp_path / "sampling.nc")["floor_level"].max() == pytest.approx(0.9)
