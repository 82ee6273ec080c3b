"""Long computations tell how far they are: from nothing to all of each part, and never back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.protocol import Point
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import Pgse, TrapezoidalPgse
from torrey.models.evaluation import evaluate_many
from torrey.reference.full import reference_signal
from torrey.reference.ladder_levels import climb_meshes, continued, models_to_store
from torrey.reference.slab import solve_slab

DIRECTION = (0.0, 1.0)


class Heard:
    """What was told: the fractions of each part, one list for each time that it began."""

    def __init__(self) -> None:
        self.parts: dict[str, list[list[float]]] = {}

    def __call__(self, fraction: float, part: str) -> None:
        if fraction == 0.0:
            self.parts.setdefault(part, []).append([])
        self.parts[part][-1].append(fraction)


def assert_whole(parts: Mapping[str, Sequence[Sequence[float]]]) -> None:
    assert parts
    for part, times in parts.items():
        for fractions in times:
            assert list(fractions) == sorted(fractions), part
            assert (fractions[0], fractions[-1]) == (0.0, 1.0), part


@pytest.fixture(scope="module")
def meshes() -> Sequence[BlochTorrey]:
    shape = Discs((Disc((0.5, 0.5), 0.3),))
    return levels(shape, MeshOptions(0.25, 1), Material((3.0, 1.7)))


def sweep(b: Sequence[float]) -> Sweep:
    grid = WaveformGrid("pgse", (("delta", (2.0,)), ("Delta", (6.0,))))
    return Sweep((4.0,), "permeability", (0.05,), Product(grid, "b", tuple(b), (DIRECTION,)))


@pytest.mark.parametrize("waveform", [Pgse(2.0, 6.0), TrapezoidalPgse(2.0, 6.0, 0.5)])
def test_the_full_system_tells_of_each_mesh_and_number_of_steps(meshes, waveform):
    heard = Heard()
    reference_signal(meshes, Point(4.0, 0.05, waveform, 0.3, DIRECTION), 1e-2, heard)
    assert_whole(heard.parts)
    for operators in meshes[:2]:
        named = f"full system with {operators.cell.n_dofs:,} unknowns"
        assert any(part.startswith(named) for part in heard.parts)


def test_a_ramp_is_told_step_by_step(meshes):
    heard = Heard()
    point = Point(4.0, 0.05, TrapezoidalPgse(2.0, 6.0, 0.5), 0.3, DIRECTION)
    reference_signal(meshes, point, 1e-2, heard)
    assert max(len(times[0]) for times in heard.parts.values()) > 12


def test_a_basis_tells_of_each_mesh(meshes):
    heard = Heard()
    models = models_to_store(meshes, DIRECTION, 8, heard)
    assert [model.order for model in models]
    assert_whole(heard.parts)
    assert list(heard.parts) == [
        f"basis of projected models on a mesh with {operators.cell.n_dofs:,} unknowns"
        for operators in meshes
    ]
    assert all(len(times[0]) > 2 for times in heard.parts.values())


def test_a_ladder_that_grows_once_more_tells_of_it(meshes):
    heard = Heard()
    low = [ladder.truncate(3) for ladder in climb_meshes(meshes, DIRECTION, 8)]
    ladders = continued([low[0]], meshes, heard)
    assert ladders[1].reaches(3)
    assert_whole(heard.parts)


def test_a_slab_tells_of_its_signals_and_of_those_in_full(meshes):
    heard = Heard()
    ladders = climb_meshes(meshes, DIRECTION, 3)
    # The error of a rung is what the one above it changes: the only rung has none.
    solve_slab(sweep([0.1, 0.2]), 2e-2, ladders, meshes, progress=heard)
    assert_whole(heard.parts)
    assert heard.parts["signals by projected models (2)"] == [[0.0, 1.0]]
    assert heard.parts["signals by the full system (2)"] == [[0.0, 0.5, 1.0]]


def test_models_tell_of_each_mesh(meshes):
    heard = Heard()
    evaluate_many(meshes, [(sweep([0.1]), ["R0", "R2"]), (sweep([0.2]), ["R0"])], heard)
    assert_whole(heard.parts)
    for operators in meshes:
        where = f"on a mesh with {operators.cell.n_dofs:,} unknowns"
        assert heard.parts[f"models {where}"] == [[0.0, 1.0]]
        assert heard.parts[f"signals of models {where}"] == [[0.0, 0.5, 1.0]]
