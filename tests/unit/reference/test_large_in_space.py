"""Large meshes in space: the full system is not entered in vain, nor without a word."""

from __future__ import annotations

import logging

import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Layers, MeshOptions
from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.sweep import Acquisition, Sweep
from torrey.gradients.waveforms import Pgse
from torrey.reference import full, slab
from torrey.reference.full import ToleranceError, reference_signal
from torrey.reference.ladder_levels import climb_meshes
from torrey.reference.slab import solve_slab

WAVEFORM = Pgse(10.0, 30.0)
ALONG = (1.0, 0.0, 0.0)
PERIOD, KAPPA = 10.0, 0.02


@pytest.fixture(scope="module")
def cell() -> list[BlochTorrey]:
    shape = Layers((0.4, 0.6), dimension=3)
    return list(levels(shape, MeshOptions(0.5, 1), Material((2.0, 1.0))))


@pytest.fixture
def large(monkeypatch, cell):
    """The mesh of few unknowns stands for one of many."""
    monkeypatch.setattr(full, "LARGE_IN_SPACE", cell[-1].cell.n_dofs - 1)


def sweep_of(b: float) -> Sweep:
    measurement = Measurement(WAVEFORM, WAVEFORM.q_of_b(b), ALONG)
    return Sweep((PERIOD,), "permeability", (KAPPA,), Acquisition("b", (measurement,)))


@pytest.mark.slow
def test_a_mesh_that_is_too_coarse_stops_before_the_full_system(cell, large, monkeypatch):
    def entered(*_):
        raise AssertionError("the full system was entered")

    monkeypatch.setattr(slab, "reference_signal", entered)
    ladders = climb_meshes(cell, ALONG, 7)
    with pytest.raises(ToleranceError, match=r"error in space of .* Accepted is a") as raised:
        solve_slab(sweep_of(1.0), 1e-6, ladders, cell)
    accepted = float(str(raised.value).split("tolerance of ")[1].split()[0])
    # What is said to be accepted is.
    found = solve_slab(sweep_of(1.0), accepted, ladders, cell).signals
    assert found.reached.all()
    assert set(found.method) == {"projected"}


def test_a_large_mesh_is_announced_with_its_cost(cell, large, caplog, monkeypatch):
    monkeypatch.setattr(full, "mesh_signal", lambda *_: 0.5 + 0.0j)
    point = Point(PERIOD, KAPPA, WAVEFORM, WAVEFORM.q_of_b(0.5), ALONG)
    with caplog.at_level(logging.WARNING):
        reference_signal(cell, point, 1e-2)
    (said,) = caplog.messages
    assert f"mesh 1, with {cell[1].cell.n_dofs:,} unknowns" in said
    assert "s of one core" in said
    caplog.clear()
    monkeypatch.setattr(full, "LARGE_IN_SPACE", cell[1].cell.n_dofs)
    reference_signal(cell, point, 1e-2)
    assert not caplog.messages


def test_long_steps_in_the_plane_are_announced_too(caplog, monkeypatch):
    cell = levels(Layers((0.4, 0.6), dimension=2), MeshOptions(0.5, 1), Material((2.0, 1.0)))
    monkeypatch.setattr(full, "mesh_signal", lambda *_: 0.5 + 0.0j)
    point = Point(PERIOD, KAPPA, WAVEFORM, WAVEFORM.q_of_b(0.5), (1.0, 0.0))
    with caplog.at_level(logging.WARNING):
        reference_signal(cell, point, 1e-2)
        assert not caplog.messages
        monkeypatch.setattr(full, "_LONG_STEP", 0.0)
        reference_signal(cell, point, 1e-2)
    assert any(f"with {cell[1].cell.n_dofs:,} unknowns" in said for said in caplog.messages)
